"""Maps that know less than a model should: of the image's place, of chance, and of people on another image or task.

Each is made for one image at a time, from its size, a seed, and positions of fixations; no other image's map
is held. Spectral residual, which looks at the picture, is in :mod:`gazeapp.engine.scoring.baselines.spectral`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gazeapp.engine.gaze.density import gaussian_profiles, human_map
from gazeapp.engine.scoring.cells import cell_index, cell_shape
from gazeapp.engine.scoring.metrics import Pixels, pixels
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

UNIFORM = "uniform"
CENTRE_GAUSSIAN = "centre_gaussian"
CENTRE_BIAS = "centre_bias"
OTHER_IMAGE = "other_image"
OTHER_TASK = "other_task"
SPECTRAL_RESIDUAL = "spectral_residual"
RANDOM = "random"

CENTRE_SD = 0.23
"""Standard deviation of the centre Gaussian, as a share of each side of the image."""
MAX_NEGATIVES = 20_000
"""Fixations of a task above which the negatives of sAUC are a subset of that size."""
_BINS = 256
_EVEN_CELLS = 64
"""Cells on a side within which the subset of negatives is even."""
_SUBSET, _PAIRING = 1, 2
"""What a seed is drawn for, so that two draws by one seed are independent."""


@dataclass(frozen=True)
class Positions:
    """Fixations of one image as shares of its size: ``u`` = x / width, ``v`` = y / height, in [0, 1)."""

    u: DoubleArray
    v: DoubleArray


class OtherImages:
    """Where people look in the images of a task, seen from one of them.

    It gives the centre bias, the negatives of sAUC and another image's human map. Positions are rescaled by
    image size, so that images of different sizes can be pooled. What one image costs does not grow with the
    number of images.

    Parameters
    ----------
    positions
        Fixations of each image, by any key.
    seed
        Seed of what is drawn: the subset of negatives, and whose human map each image gets.
    """

    def __init__(self, positions: Mapping[int, Positions], seed: int = 0) -> None:
        keys = sorted(positions)
        self._u = np.concatenate([np.zeros(0), *(positions[key].u for key in keys)])
        self._v = np.concatenate([np.zeros(0), *(positions[key].v for key in keys)])
        ends = np.cumsum([len(positions[key].u) for key in keys], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        self._own = {
            key: slice(int(start), int(end)) for key, start, end in zip(keys, starts, ends, strict=False)
        }
        self._all = _histogram(self._u, self._v)
        self._subset: IntArray | None = None
        if len(self._u) > MAX_NEGATIVES:
            self._subset = _even_subset(self._u, self._v, MAX_NEGATIVES, seed)
        self._partner = _partners([key for key in keys if len(positions[key].u)], seed)

    def positions(self, key: int) -> Positions:
        """Return the fixations of one image; none when the task has none there."""
        own = self._own.get(key, slice(0, 0))
        return Positions(self._u[own], self._v[own])

    def pixels(self, key: int, height: int, width: int) -> Pixels:
        """Return the pixels of this image that :meth:`negatives` fall on."""
        found = self.negatives(key)
        return pixels(found.u * width, found.v * height, height, width)

    def negatives(self, key: int) -> Positions:
        """Return the fixations of the images but ``key``: the negatives of sAUC.

        All of them where the task has at most ``MAX_NEGATIVES`` fixations. Otherwise those of a subset of
        that size, drawn once by the seed, that are not on this image. Each fixation is as likely as any
        other to be in the subset, and each of 64 x 64 cells of the image has its share of it to within one,
        so that sAUC has no bias and varies less than with a plain random subset.
        """
        own = self._own.get(key, slice(0, 0))
        if self._subset is None:
            u = np.concatenate([self._u[: own.start], self._u[own.stop :]])
            v = np.concatenate([self._v[: own.start], self._v[own.stop :]])
        else:
            first, last = np.searchsorted(self._subset, (own.start, own.stop))
            kept = np.concatenate([self._subset[:first], self._subset[last:]])
            u, v = self._u[kept], self._v[kept]
        return Positions(u, v)

    def centre_bias(self, key: int, height: int, width: int, sigma_px: float) -> FloatArray | None:
        """Return the density of the fixations of all images but ``key``.

        Each image's own counts are taken off the counts of all, on 256 x 256 cells of the image, so
        that the cost does not grow with the number of images. The cells add (size / 256)**2 / 12 px²
        to the Gaussian's variance: 1.3 px² for an image of 1024 px.

        Parameters
        ----------
        key
            The image that is left out.
        height, width
            Size of the map, px.
        sigma_px
            Standard deviation of the Gaussian, px.

        Returns
        -------
        numpy.ndarray or None
            Shape (height, width), float32, sums to 1; None when no other image has fixations.
        """
        own = self.positions(key)
        counts = self._all - _histogram(own.u, own.v)
        total = counts.sum()
        if total <= 0:
            return None
        rows, columns = _cell_profiles(height, sigma_px), _cell_profiles(width, sigma_px)
        density: FloatArray = np.asarray(rows @ (counts / total).astype(np.float32) @ columns.T, np.float32)
        return density

    def other_image(self, key: int, height: int, width: int, sigma_px: float) -> FloatArray | None:
        """Return the human map of one other image, stretched to this image's size.

        Whose it is was drawn once by the seed: the images stand in a random circle, and each gets the map
        of the next, so that every image serves exactly once and never itself.

        Parameters
        ----------
        key
            The image that gets a map.
        height, width
            Size of the map, px.
        sigma_px
            Standard deviation of the Gaussian, px of this image.

        Returns
        -------
        numpy.ndarray or None
            Shape (height, width), float32, sums to 1, fixations with equal weights; None when the image or
            all others have no fixations.
        """
        partner = self._partner.get(key)
        if partner is None:
            return None
        return _human_map_of(self.positions(partner), height, width, sigma_px)


def uniform(height: int, width: int) -> FloatArray:
    """Return the map that says nothing, shape (height, width), float32, sums to 1."""
    return np.full((height, width), 1.0 / (height * width), dtype=np.float32)


def centre_gaussian(height: int, width: int) -> FloatArray:
    """Return a Gaussian about the middle of the image, as wide and high as the image is.

    Its standard deviation is ``CENTRE_SD`` = 0.23 of each side. Clarke & Tatler (2014) propose a variance of 0.23
    across, in half widths, and 0.45 of that down, for scenes of ten data sets: 0.24 of the width and, at 4 : 3,
    0.21 of the height. On 60 photographs of OSIE (4 : 3, 15 people) 0.23 is the most likely share for both.

    Parameters
    ----------
    height, width
        Rows and columns of the map. Any grid over the whole image will do.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), float32, sums to 1.
    """
    return _centred(height)[:, None] * _centred(width)


def other_task(
    tasks: Iterable[OtherImages], key: int, height: int, width: int, sigma_px: float
) -> FloatArray | None:
    """Return the human map of the same image under the other tasks: what knowing the image alone gives.

    Parameters
    ----------
    tasks
        Fixations of the images under each task but the one that is scored.
    key
        The image.
    height, width
        Size of the map, px.
    sigma_px
        Standard deviation of the Gaussian, px.

    Returns
    -------
    numpy.ndarray or None
        Shape (height, width), float32, sums to 1; the fixations of all these tasks with equal weights. None
        when there is no other task, or none with fixations on the image.
    """
    found = [task.positions(key) for task in tasks]
    u = np.concatenate([np.zeros(0), *(one.u for one in found)])
    if not len(u):
        return None
    v = np.concatenate([one.v for one in found])
    return _human_map_of(Positions(u, v), height, width, sigma_px)


def random_map(height: int, width: int, sigma_px: float, seed: int) -> FloatArray:
    """Return white noise blurred with the human maps' Gaussian: spots as large as people's, at random places.

    The noise is normal and has the same variance everywhere, up to the border, so that no place is favoured.
    The map's minimum is 0.

    Parameters
    ----------
    height, width
        Size of the image, px.
    sigma_px
        Standard deviation of the Gaussian, px.
    seed
        Seed of the noise, for each image another.

    Returns
    -------
    numpy.ndarray
        Float32, sums to 1, on a grid over the whole image with at most 256 cells on the longer side
        (:func:`~gazeapp.engine.scoring.cells.cell_shape`).
    """
    rows, columns = cell_shape(width, height)
    noise = np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)
    down = _noise_weights(rows, sigma_px * rows / height)
    across = _noise_weights(columns, sigma_px * columns / width)
    field: FloatArray = np.asarray(down @ noise @ across.T, dtype=np.float32)
    field -= field.min()
    total = field.sum(dtype=np.float64)
    if total <= 0:  # one cell
        return uniform(rows, columns)
    field /= np.float32(total)
    return field


def expected_human_map(density: FloatArray, sigma_px: float) -> FloatArray:
    """Return the human map that infinitely many people drawn from ``density`` would give.

    The best map for metrics that compare with human maps is the density as the human map shows it, blurred by
    the same Gaussian; for NSS and AUC it is the density itself (Kümmerer, Wallis & Bethge 2018).

    Parameters
    ----------
    density
        Shape (height, width).
    sigma_px
        Standard deviation of the human maps' Gaussian, px.
    """
    height, width = density.shape
    rows = gaussian_profiles(np.arange(height, dtype=np.float64) + 0.5, height, sigma_px)
    columns = gaussian_profiles(np.arange(width, dtype=np.float64) + 0.5, width, sigma_px)
    blurred: FloatArray = np.asarray(rows @ density @ columns.T, dtype=np.float32)
    return blurred


def _human_map_of(found: Positions, height: int, width: int, sigma_px: float) -> FloatArray:
    # Scaling may round the last representable position of the image up to its edge.
    x = np.minimum(found.u * width, np.nextafter(width, 0))
    y = np.minimum(found.v * height, np.nextafter(height, 0))
    return human_map(x, y, height, width, sigma_px)


def _even_subset(u: DoubleArray, v: DoubleArray, n: int, seed: int) -> IntArray:
    """Return ``n`` different indices, ascending: every so-many-th position, ordered by cell of the image.

    A systematic sample with a random start: each position is in it with probability n / len(u), and each cell
    has its share to within one. The order within a cell is random.
    """
    rng = np.random.default_rng((seed, _SUBSET))
    cell = cell_index(u, v, (_EVEN_CELLS, _EVEN_CELLS))
    order = np.lexsort((rng.random(len(u)), cell))
    places = ((np.arange(n) + rng.random()) * (len(u) / n)).astype(np.int64)
    subset: IntArray = np.sort(order[np.minimum(places, len(u) - 1)])
    return subset


def _partners(keys: list[int], seed: int) -> dict[int, int]:
    """Return for each of ``keys`` another one; each serves once. Empty with fewer than two."""
    if len(keys) < 2:
        return {}
    circle = [keys[i] for i in np.random.default_rng((seed, _PAIRING)).permutation(len(keys))]
    return dict(zip(circle, [*circle[1:], circle[0]], strict=True))


@lru_cache(maxsize=8)
def _cell_profiles(size: int, sigma_px: float) -> FloatArray:
    """Return the Gaussian of each cell along an axis of ``size`` px, shape (size, 256)."""
    profiles = gaussian_profiles((np.arange(_BINS) + 0.5) / _BINS * size, size, sigma_px)
    profiles.setflags(write=False)
    return profiles


@lru_cache(maxsize=64)
def _centred(size: int) -> FloatArray:
    """Return the centre Gaussian along an axis, shape (size,), sums to 1."""
    profile = gaussian_profiles(np.array([size / 2]), size, CENTRE_SD * size)[:, 0]
    profile.setflags(write=False)
    return profile


@lru_cache(maxsize=8)
def _noise_weights(size: int, sigma_cells: float) -> FloatArray:
    """Return what blurs noise along an axis without changing its variance, shape (size, size)."""
    weights = gaussian_profiles(np.arange(size, dtype=np.float64) + 0.5, size, sigma_cells).T
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights.setflags(write=False)
    return weights


def _histogram(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    """Return counts on a grid over the image, shape (256, 256), row 0 at the top."""
    counts = np.bincount(cell_index(u, v, (_BINS, _BINS)), minlength=_BINS * _BINS)
    return counts.reshape(_BINS, _BINS).astype(np.float64)
