"""From a model's map to a density of fixations, learnt on other images.

An attention map is no density: what twice the attention means for fixations is the map maker's convention,
and one fixation where a map is exactly 0 would have probability 0. So each source's maps are converted
alike, by what makes the fixations on *other* images most likely (Kümmerer, Wallis & Bethge 2015, PNAS
112:16054, who fit a monotone nonlinearity, a centre bias and a blur):

    p(x) = (1 - e) exp(phi((S * G)(x)) + a ln b(x)) / Z + e / N

with phi piecewise linear and never falling, b the centre bias of the other images, G a Gaussian blur, Z the
sum over the N cells of the image and e a small floor. Everybody gets the same number of nodes and blurs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.density import gaussian_profiles
from gazeapp.engine.maps.resample import grid_shape, to_image
from gazeapp.engine.scoring.cells import cell_index
from gazeapp.engine.scoring.densities.fit import Cells, Problem, Statistics, fit, folds
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray, Rect

FIT_LONG_SIDE = 64
"""Cells along the longer side of an image while a conversion is fitted."""
BLURS = (0.0, 0.015, 0.03, 0.06)
"""Standard deviations of the Gaussians that are tried, as shares of the image's longer side."""
FLOOR = 0.001
"""Share of the density that is uniform, whatever the map."""
N_FOLDS = 5
"""Groups of images that are each left out of a fit."""
MAX_IMAGES = 400
"""Images that a fit sees at most, drawn by the seed."""
MAX_CHOOSING = 50
"""Images among those that choose the scale and the blur, at most."""
MIN_IMAGES = 2
"""Images with a map and fixations that a conversion needs: one to learn from, one to score."""

_WHOLE = Rect(0.0, 0.0, 1.0, 1.0)


def on_cells(values: ArrayLike, rect: Rect, shape: tuple[int, int]) -> FloatArray:
    """Return a map on the cells of its image.

    Parameters
    ----------
    values
        Map, shape (rows, columns) of its own grid.
    rect
        Part of the image that the map covers, as shares of the image's width and height.
    shape
        Rows and columns of the cells.

    Returns
    -------
    numpy.ndarray
        Shape ``shape``, float32. Cells outside ``rect`` have the lowest value of those inside.

    Raises
    ------
    GazeError
        When the map is empty or holds NaN or infinity.
    """
    rows, columns = shape
    grid = np.asarray(values, dtype=np.float32)
    if rect == _WHOLE and grid.ndim == 2 and min(grid.shape[0] / rows, grid.shape[1] / columns) >= 2.0:
        return _must_be_finite(_means(grid, shape))
    covered = rect.scaled(columns, rows)
    cells = to_image(_must_be_finite(grid), covered, rows, columns)
    x, y = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    inside = np.ix_((y >= covered.y) & (y < covered.bottom), (x >= covered.x) & (x < covered.right))
    least = cells[inside].min(initial=np.inf)
    whole = np.full(shape, least if np.isfinite(least) else 0.0, dtype=np.float32)
    whole[inside] = cells[inside]
    return whole


@dataclass(frozen=True)
class Form:
    """What is done to a map before its values are turned into a density.

    Parameters
    ----------
    relative
        Whether the map is divided by the mean of its absolute values, for maps whose scale differs
        from image to image for no reason.
    blur
        Standard deviation of the Gaussian, share of the image's longer side.
    """

    relative: bool = False
    blur: float = 0.0

    def of(self, cells: FloatArray) -> FloatArray:
        """Return a map, shape (rows, columns), in this form; the border's blur is renormalised."""
        if self.blur and cells.min() < cells.max():
            rows, columns = (_averaging(side, self.blur * max(cells.shape)) for side in cells.shape)
            cells = np.asarray(rows @ cells @ columns.T, dtype=np.float32)
        if self.relative:
            mean = float(np.abs(cells).mean(dtype=np.float64))
            cells = cells / np.float32(mean) if mean > 0 else cells
        return cells


@dataclass(frozen=True)
class Conversion:
    """How one source's maps become densities.

    Parameters
    ----------
    nodes
        Values of the map where phi bends, ascending.
    heights
        phi there, nats; constant beyond the outermost nodes.
    exponent
        Exponent of the centre bias.
    form
        What is done to the map first.
    n_images
        Images that it was fitted on.
    """

    nodes: tuple[float, ...]
    heights: tuple[float, ...]
    exponent: float
    form: Form
    n_images: int

    def log2_density(self, values: ArrayLike, centre_log2: FloatArray) -> FloatArray:
        """Return the density of a map.

        Parameters
        ----------
        values
            The map on the cells (or pixels) of the image, shape (rows, columns).
        centre_log2
            Centre bias of the other images, log2 of the density relative to uniform, same shape.

        Returns
        -------
        numpy.ndarray
            log2 of the density relative to uniform, shape (rows, columns), float32. The mean of
            2 ** of it is 1.

        Raises
        ------
        GazeError
            When the map holds NaN or infinity.
        """
        cells = self.form.of(_must_be_finite(np.asarray(values, dtype=np.float32)))
        exponent = np.interp(cells, self.nodes, self.heights).astype(np.float32)
        exponent += np.float32(self.exponent * math.log(2.0)) * centre_log2
        exponent -= exponent.max()
        density: FloatArray = np.exp(exponent, out=exponent)
        density *= np.float32((1.0 - FLOOR) / density.mean(dtype=np.float64))
        density += np.float32(FLOOR)
        return np.log2(density, out=density)


@dataclass(frozen=True)
class TrainingTarget:
    """What one image contributes to fits: where people looked, on a coarse grid. Shared by all sources.

    Parameters
    ----------
    centre
        Natural logarithm of the centre bias relative to uniform, shape (rows, columns), float32.
    fixated
        Row-major index of the cell of each fixation, shape (n,).
    """

    centre: FloatArray
    fixated: IntArray

    @classmethod
    def of(cls, u: ArrayLike, v: ArrayLike, centre_log2: FloatArray) -> TrainingTarget:
        """Return the target of an image.

        Parameters
        ----------
        u, v
            Fixations as shares of the image's width and height, in [0, 1), shape (n,).
        centre_log2
            Centre bias of the other images, log2 of the density relative to uniform, on cells of the
            image, shape (rows, columns).
        """
        rows, columns = grid_shape(centre_log2.shape[1], centre_log2.shape[0], FIT_LONG_SIDE)
        coarse = to_image(centre_log2, Rect.of_image(columns, rows), rows, columns)
        us, vs = np.asarray(u, dtype=np.float64).ravel(), np.asarray(v, dtype=np.float64).ravel()
        return cls(coarse * np.float32(math.log(2.0)), cell_index(us, vs, (rows, columns)))


@dataclass(frozen=True)
class FittedConversions:
    """The conversions of one source for one task.

    Parameters
    ----------
    of_all
        Fitted on all training images: for images that were not among them.
    by_image
        For each training image, the conversion fitted without its fold. Images of a fold share one.
    """

    of_all: Conversion
    by_image: dict[int, Conversion]

    def of(self, key: int) -> Conversion:
        """Return the conversion for an image: one that never saw its fixations."""
        return self.by_image.get(key, self.of_all)


class ConversionTrainer:
    """Gathers one source's maps for one task, on a coarse grid, and fits their conversion to densities.

    One image takes about 6 kB here; which images to take is :func:`first_images`.

    Parameters
    ----------
    seed
        Seed of the order of the images over folds.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._images: dict[int, tuple[_Packed, TrainingTarget]] = {}

    def add(self, key: int, values: ArrayLike, rect: Rect, target: TrainingTarget) -> None:
        """Take in one image; one without fixations has nothing to learn from.

        Parameters
        ----------
        key
            The image.
        values
            Map, shape (rows, columns) of its own grid.
        rect
            Part of the image that the map covers, as shares of the image's width and height.
        target
            Where people looked.

        Raises
        ------
        GazeError
            When the map is empty or holds NaN or infinity.
        """
        if len(target.fixated):
            cells = on_cells(values, rect, (target.centre.shape[0], target.centre.shape[1]))
            self._images[key] = (_Packed.of(cells), target)

    def fit(self) -> FittedConversions | None:
        """Return the conversions, or None with fewer than ``MIN_IMAGES`` images.

        One fit on all images, and one without each fold. Whether maps are taken relative to their mean,
        and their blur, are chosen for each of these fits by the likelihood of its own training images,
        at most ``MAX_CHOOSING`` of them all together.
        """
        keys = in_order(self._images, self._seed)
        if len(keys) < MIN_IMAGES:
            return None
        held_out = folds(len(keys), N_FOLDS)
        trains = [np.ones(len(keys), dtype=bool) for _ in range(len(held_out) + 1)]
        for train, fold in zip(trains[1:], held_out, strict=True):
            train[fold] = False
        images = [self._images[key] for key in keys]
        few = _Fits(images[:MAX_CHOOSING])
        every = few if len(images) <= MAX_CHOOSING else _Fits(images)
        fitted = [every.conversion(few.best_form(train[:MAX_CHOOSING]), train) for train in trains]
        by_image = {
            keys[image]: fitted[1 + position] for position, fold in enumerate(held_out) for image in fold
        }
        return FittedConversions(fitted[0], by_image)


def first_images(keys: Iterable[int], seed: int = 0) -> list[int]:
    """Return the images that conversions are fitted on: all, or ``MAX_IMAGES`` drawn by the seed."""
    return in_order(keys, seed)[:MAX_IMAGES]


def in_order(keys: Iterable[int], seed: int) -> list[int]:
    """Return images in an order drawn by the seed, the same whatever order they come in."""
    return sorted(keys, key=lambda key: hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest())


class _Fits:
    """Fits of the same images in different forms, each made when first needed."""

    def __init__(self, images: list[tuple[_Packed, TrainingTarget]]) -> None:
        self._maps = [packed.unpack() for packed, _ in images]
        self._targets = [target for _, target in images]
        self._of_all: dict[Form, tuple[Problem, DoubleArray, Statistics]] = {}
        self._last: DoubleArray | None = None

    def best_form(self, train: BoolArray) -> Form:
        """Return the form under which the training images' fixations are likeliest.

        First the scale, of maps without blur, then the blur.
        """
        scales = [Form(relative=False, blur=0.0), Form(relative=True, blur=0.0)]
        scale = max(scales, key=lambda form: self._likelihood(form, train))
        blurs = [replace(scale, blur=blur) for blur in BLURS]
        return max(blurs, key=lambda form: self._likelihood(form, train))

    def conversion(self, form: Form, train: BoolArray) -> Conversion:
        """Return the likeliest conversion of the training images in a form."""
        problem, parameters, _ = self._fit(form, train)
        heights = np.concatenate([[0.0], np.cumsum(parameters[:-1])])
        return Conversion(
            nodes=tuple(problem.nodes.tolist()),
            heights=tuple(heights.tolist()),
            exponent=float(parameters[-1]),
            form=form,
            n_images=int(train.sum()),
        )

    def _likelihood(self, form: Form, train: BoolArray) -> float:
        """Return the mean log-likelihood to a thousandth of a nat: of equals, the first form is taken."""
        return round(float(self._fit(form, train)[2].likelihood[train].mean()), 3)

    def _fit(self, form: Form, train: BoolArray) -> tuple[Problem, DoubleArray, Statistics]:
        if form not in self._of_all:
            problem = Problem(_pooled([form.of(one) for one in self._maps], self._targets))
            start = problem.start()
            if self._last is not None and len(self._last) == len(start):
                start = self._last  # of another form, and not far
            self._last, found = fit(problem, np.ones(problem.n_images, dtype=bool), start)
            self._of_all[form] = (problem, self._last, found)
        problem, start, found = self._of_all[form]
        return problem, *fit(problem, train, start, found)


@dataclass(frozen=True)
class _Packed:
    """A map in half precision, between its lowest and its highest value."""

    low: float
    extent: float
    shares: np.ndarray[tuple[int, int], np.dtype[np.float16]]

    @classmethod
    def of(cls, cells: FloatArray) -> _Packed:
        low, extent = float(cells.min()), float(cells.max()) - float(cells.min())
        shares = (cells.astype(np.float64) - low) / (extent or 1.0)
        return cls(low, extent, shares.astype(np.float16))

    def unpack(self) -> FloatArray:
        cells: FloatArray = (self.low + self.extent * self.shares.astype(np.float64)).astype(np.float32)
        return cells


@lru_cache(maxsize=64)
def _averaging(side: int, sigma: float) -> FloatArray:
    """Return the weights of an average with a Gaussian along one side, cells x cells, rows sum to 1."""
    weights = np.ascontiguousarray(gaussian_profiles(np.arange(side, dtype=np.float64) + 0.5, side, sigma).T)
    weights.setflags(write=False)
    return weights


def _pooled(maps: list[FloatArray], targets: list[TrainingTarget]) -> Cells:
    sizes = [one.size for one in maps]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return Cells(
        values=np.concatenate([one.ravel() for one in maps]),
        centre=np.concatenate([target.centre.ravel() for target in targets]),
        starts=starts,
        fixated=np.concatenate([start + one.fixated for start, one in zip(starts, targets, strict=True)]),
        fixated_image=np.repeat(np.arange(len(targets)), [len(one.fixated) for one in targets]),
    )


def _means(grid: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return the mean of a fine map over the pixels whose centre lies in each cell."""
    rows, columns = (_edges(*sides) for sides in zip(grid.shape, shape, strict=True))
    # Row by row: five times faster here than reduceat along the first axis.
    bands = np.stack([grid[first:end].sum(axis=0) for first, end in pairwise(rows)])
    sums = np.add.reduceat(bands, columns[:-1], axis=1)
    return np.asarray(sums / np.outer(np.diff(rows), np.diff(columns)), dtype=np.float32)


def _edges(n_pixels: int, n_cells: int) -> IntArray:
    """Return the first pixel along a side whose centre lies in each cell, and the number of pixels."""
    # The ceiling of k * n_pixels / n_cells - 1 / 2, in whole numbers.
    edges: IntArray = -((n_cells - 2 * n_pixels * np.arange(n_cells + 1)) // (2 * n_cells))
    return edges


def _must_be_finite(values: FloatArray) -> FloatArray:
    if not np.isfinite(values).all():
        raise GazeError(
            "The map holds values that are not numbers (NaN or infinity).",
            todo="Make the map again, or leave it out.",
        )
    return values
