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
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.density import gaussian_profiles
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.cells import cell_index
from gazeapp.engine.scoring.conversion_fit import Cells, Problem, fit, folds
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray, Json, Rect

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
MIN_IMAGES = 2
"""Images with a map and fixations that a conversion needs: one to learn from, one to score."""


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
    covered = Rect(rect.x * columns, rect.y * rows, rect.width * columns, rect.height * rows)
    cells = to_image(_finite(values), covered, rows, columns)
    x, y = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    inside = np.ix_((y >= covered.y) & (y < covered.bottom), (x >= covered.x) & (x < covered.right))
    least = cells[inside].min(initial=np.inf)
    whole = np.full(shape, least if np.isfinite(least) else 0.0, dtype=np.float32)
    whole[inside] = cells[inside]
    return whole


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
    blur
        Standard deviation of the blur, share of the image's longer side.
    n_images
        Images that it was fitted on.
    """

    nodes: tuple[float, ...]
    heights: tuple[float, ...]
    exponent: float
    blur: float
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
        cells = blurred(_finite(values), self.blur)
        exponent = np.interp(cells, self.nodes, self.heights).astype(np.float32)
        exponent += np.float32(self.exponent * math.log(2.0)) * centre_log2
        exponent -= exponent.max()
        density: FloatArray = np.exp(exponent, out=exponent)
        density *= np.float32((1.0 - FLOOR) / density.mean(dtype=np.float64))
        density += np.float32(FLOOR)
        return np.log2(density, out=density)

    def to_json(self) -> Json:
        """Return the conversion as a dict for JSON."""
        return {
            "nodes": list(self.nodes),
            "heights": list(self.heights),
            "exponent": self.exponent,
            "blur": self.blur,
            "n_images": self.n_images,
        }

    @classmethod
    def from_json(cls, stored: Json) -> Conversion:
        """Return the conversion that :meth:`to_json` wrote."""
        return cls(
            nodes=tuple(float(node) for node in stored["nodes"]),
            heights=tuple(float(height) for height in stored["heights"]),
            exponent=float(stored["exponent"]),
            blur=float(stored["blur"]),
            n_images=int(stored["n_images"]),
        )


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
        scale = FIT_LONG_SIDE / max(centre_log2.shape)
        rows, columns = (max(1, round(side * scale)) for side in centre_log2.shape)
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

    Keeps at most ``MAX_IMAGES`` images, drawn by the seed: which ones does not depend on the order they
    come in. One image takes about 6 kB here.

    Parameters
    ----------
    seed
        Seed of the draw of images and of their order over folds.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[int, tuple[int, _Packed, TrainingTarget]] = {}

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
        if not len(target.fixated):
            return
        place = _draw(self._seed, key)
        if len(self._kept) >= MAX_IMAGES and key not in self._kept:
            last = max(self._kept, key=lambda kept: self._kept[kept][0])
            if self._kept[last][0] < place:
                return
            del self._kept[last]
        rows, columns = target.centre.shape
        packed = _Packed.of(on_cells(values, rect, (rows, columns)))
        self._kept[key] = (place, packed, target)

    def fit(self) -> FittedConversions | None:
        """Return the conversions, or None with fewer than ``MIN_IMAGES`` images.

        For each fold and for all images together, each blur's likeliest parameters, and of the blurs the
        one under which the training images' fixations are likeliest.
        """
        keys = sorted(self._kept, key=lambda key: self._kept[key][0])
        if len(keys) < MIN_IMAGES:
            return None
        held_out = folds(len(keys), N_FOLDS)
        trains = [np.ones(len(keys), dtype=bool) for _ in range(len(held_out) + 1)]
        for train, fold in zip(trains[1:], held_out, strict=True):
            train[fold] = False
        maps = [self._kept[key][1].unpack() for key in keys]
        targets = [self._kept[key][2] for key in keys]
        best: list[tuple[float, Conversion]] = [(-np.inf, _NOTHING)] * len(trains)
        for blur in BLURS:
            problem = Problem(_pooled([blurred(one, blur) for one in maps], targets))
            start, found = fit(problem, trains[0], problem.start())
            for position, train in enumerate(trains):
                parameters, at = fit(problem, train, start, found)
                likelihood = float(at.likelihood[train].sum())
                if likelihood > best[position][0]:
                    best[position] = (likelihood, _conversion(problem, parameters, blur, int(train.sum())))
        by_image = {
            keys[image]: best[1 + position][1] for position, fold in enumerate(held_out) for image in fold
        }
        return FittedConversions(best[0][1], by_image)


_NOTHING = Conversion((0.0,), (0.0,), 1.0, 0.0, 0)


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


def blurred(cells: FloatArray, blur: float) -> FloatArray:
    """Return a map averaged with a Gaussian, cut off and renormalised at the border.

    Parameters
    ----------
    cells
        Shape (rows, columns).
    blur
        Standard deviation, share of the longer side; 0 leaves the map as it is.
    """
    if not blur or cells.min() == cells.max():
        return cells
    sigma = blur * max(cells.shape)
    rows, columns = (
        gaussian_profiles(np.arange(side, dtype=np.float64) + 0.5, side, sigma) for side in cells.shape
    )
    averaged: FloatArray = np.asarray(rows.T @ cells @ columns, dtype=np.float32)
    return averaged


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


def _conversion(problem: Problem, parameters: DoubleArray, blur: float, n_images: int) -> Conversion:
    heights = np.concatenate([[0.0], np.cumsum(parameters[:-1])])
    return Conversion(
        nodes=tuple(problem.nodes.tolist()),
        heights=tuple(heights.tolist()),
        exponent=float(parameters[-1]),
        blur=blur,
        n_images=n_images,
    )


def _finite(values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float32)
    if not np.isfinite(array).all():
        raise GazeError(
            "The map holds values that are not numbers (NaN or infinity).",
            todo="Make the map again, or leave it out.",
        )
    return array


def _draw(seed: int, key: int) -> int:
    """Return a number that orders images at random, the same for the same seed and image."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest(), "big")
