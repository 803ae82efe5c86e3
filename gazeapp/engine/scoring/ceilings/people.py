"""The people of one image, and densities from kernels on the fixations of some of them.

Lengths are shares of the image's longer side, so that one bandwidth serves images of any size. Densities
are relative to uniform: their mean over the image is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.scoring.cells import LONG_SIDE, cell_index, cell_shape
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

NARROWEST = 1.0 / LONG_SIDE
"""Least standard deviation of a kernel, share of the longer side: one cell, or the cells would miss it."""
_PAIRS = 4_000_000
_FAR = np.float32(-32.0)
"""Exponent of the Gaussian below which it counts as 0: 8 standard deviations."""


@dataclass(frozen=True)
class ImageFixations:
    """Where people looked on one image.

    Parameters
    ----------
    u, v
        Fixations as shares of the image's width and height, in [0, 1), shape (n,).
    subject
        Name of the subject of each fixation, shape (n,).
    width, height
        Size of the image, px; only their proportion counts.
    """

    u: DoubleArray
    v: DoubleArray
    subject: NDArray[np.str_]
    width: float
    height: float


class People:
    """The people who looked at one image.

    Parameters
    ----------
    fixations
        Their fixations; at least one.
    """

    def __init__(self, fixations: ImageFixations) -> None:
        longer = max(fixations.width, fixations.height)
        self.extent_x, self.extent_y = fixations.width / longer, fixations.height / longer
        self.x: DoubleArray = np.asarray(fixations.u, dtype=np.float64) * self.extent_x
        self.y: DoubleArray = np.asarray(fixations.v, dtype=np.float64) * self.extent_y
        names, owner = np.unique(fixations.subject, return_inverse=True)
        self.subjects: tuple[str, ...] = tuple(str(name) for name in names)
        self.owner: IntArray = owner.astype(np.int64)
        self.n_fixations: IntArray = np.bincount(self.owner, minlength=len(names)).astype(np.int64)
        self.shape = cell_shape(fixations.width, fixations.height)
        self.cells = cell_index(fixations.u, fixations.v, self.shape)

    def __len__(self) -> int:
        return len(self.subjects)

    @cached_property
    def _centres(self) -> tuple[DoubleArray, DoubleArray]:
        """Centres of the rows and of the columns of cells."""
        rows, columns = self.shape
        return (
            (np.arange(rows) + 0.5) / rows * self.extent_y,
            (np.arange(columns) + 0.5) / columns * self.extent_x,
        )

    def squared_distances(self, targets: IntArray) -> DoubleArray:
        """Return squared distances of some fixations from all, shape (n_targets, n)."""
        squares = np.square(self.x[targets, None] - self.x)
        squares += np.square(self.y[targets, None] - self.y)
        return squares

    def peaks(self, widths: DoubleArray) -> DoubleArray:
        """Return the peak of the kernel of each fixation, cut at the image's border and of mass 1.

        Parameters
        ----------
        widths
            Standard deviation of each kernel, shape (..., n).
        """
        from scipy.special import ndtr

        inside = ndtr((self.extent_x - self.x) / widths) - ndtr(-self.x / widths)
        inside *= ndtr((self.extent_y - self.y) / widths) - ndtr(-self.y / widths)
        peaks: DoubleArray = self.extent_x * self.extent_y / (2 * np.pi * np.square(widths) * inside)
        return peaks

    def on_cells(self, sources: IntArray, widths: DoubleArray) -> FloatArray:
        """Return the density of kernels on some fixations, on the cells.

        Parameters
        ----------
        sources
            Index of the fixations, shape (m,), at least one.
        widths
            Standard deviation of the kernel of each, shape (m,).

        Returns
        -------
        numpy.ndarray
            Shape (rows, columns), float32, mean 1: each kernel has its mass inside the image.
        """
        row_centres, column_centres = self._centres
        rows = _profiles(row_centres, self.y[sources], widths)
        columns = _profiles(column_centres, self.x[sources], widths)
        rows /= np.float32(len(sources))
        density: FloatArray = rows @ columns.T
        return density


def all_others(n_subjects: int) -> BoolArray:
    """Return who predicts whom when one is left out, shape (n_subjects, n_subjects) as [predicted, predicting]."""
    return ~np.eye(n_subjects, dtype=np.bool_)


def halves(n_subjects: int, rng: np.random.Generator) -> tuple[BoolArray, BoolArray]:
    """Return who predicts whom when the others of each are halved at random.

    The first half has one person more where the number of others is odd.
    """
    place = _places(n_subjects, rng)
    return (place % 2 == 0) & (place < n_subjects - 1), (place % 2 == 1) & (place < n_subjects - 1)


def draws(n_subjects: int, size: int, most: int, rng: np.random.Generator) -> list[BoolArray]:
    """Return who predicts whom in disjoint random groups of ``size`` others, at most ``most`` of them."""
    place = _places(n_subjects, rng)
    number = min(most, (n_subjects - 1) // size)
    return [place // size == k for k in range(number)]


def _places(n_subjects: int, rng: np.random.Generator) -> IntArray:
    """Return a random order of the others of each subject, who comes last, shape (n_subjects, n_subjects)."""
    keys = rng.random((n_subjects, n_subjects))
    np.fill_diagonal(keys, 2.0)
    return keys.argsort(axis=1).argsort(axis=1).astype(np.int64)


def pilot_sums(people: People, bandwidth: float) -> DoubleArray:
    """Return the sum of the kernels of each subject's fixations at each fixation, shape (n, n_subjects)."""
    n = len(people.x)
    member = people.owner[:, None] == np.arange(len(people))
    weights = member * people.peaks(np.full(n, bandwidth))[:, None]
    sums = np.empty((n, len(people)))
    for targets in _blocks(np.arange(n), n):
        kernel = people.squared_distances(targets)
        kernel *= -0.5 / bandwidth**2
        sums[targets] = np.exp(kernel, out=kernel) @ weights
    return sums


def local_widths(
    people: People, predicts: BoolArray, pilots: DoubleArray, bandwidth: float, alpha: float
) -> DoubleArray:
    """Return the widths of the kernels where each subject is predicted, shape (n_subjects, n).

    The kernel on fixation j is ``bandwidth * (pilot density at j / its geometric mean) ** -alpha`` wide,
    both among the fixations that predict (Abramson 1982; Silverman 1986, section 5.3).

    Parameters
    ----------
    people, predicts
        The people, and who predicts whom, shape (n_subjects, n_subjects).
    pilots
        From :func:`pilot_sums` at this bandwidth.
    bandwidth
        Standard deviation of kernels at the typical density, share of the longer side.
    alpha
        0: all kernels are alike; 0.5: Abramson's square root.
    """
    if not alpha:
        return np.full((len(people), len(people.x)), max(bandwidth, NARROWEST))
    among = predicts[:, people.owner]
    logs = np.zeros(among.shape)
    np.log(predicts.astype(np.float64) @ pilots.T, out=logs, where=among)
    typical = logs.sum(axis=1) / np.maximum(among.sum(axis=1), 1)
    widths: DoubleArray = np.maximum(bandwidth * np.exp(-alpha * (logs - typical[:, None])), NARROWEST)
    return widths


def predicted(people: People, predicts: BoolArray, widths: DoubleArray, targets: IntArray) -> DoubleArray:
    """Return the density that others predict at some fixations, evaluated at the point, shape (n_targets,).

    Parameters
    ----------
    people, predicts
        The people, and who predicts whom, shape (n_subjects, n_subjects).
    widths
        Of the kernels where each subject is predicted, shape (n_subjects, n).
    targets
        Index of the fixations that are predicted.
    """
    among = predicts[:, people.owner]
    weights = people.peaks(widths) * among / np.maximum(among.sum(axis=1, keepdims=True), 1)
    scale = -0.5 / np.square(widths)
    found = []
    for part in _blocks(targets, len(people.x)):
        of = people.owner[part]
        kernel = people.squared_distances(part)
        kernel *= scale[of]
        np.exp(kernel, out=kernel)
        found.append(np.einsum("ij,ij->i", kernel, weights[of]))
    return np.concatenate(found)


def _blocks(targets: IntArray, n: int) -> Iterator[IntArray]:
    """Yield the targets in blocks of so few that their pairs with all ``n`` fixations fit memory."""
    step = max(1, _PAIRS // n)
    for start in range(0, len(targets), step):
        yield targets[start : start + step]


def _profiles(centres: DoubleArray, positions: DoubleArray, widths: DoubleArray) -> FloatArray:
    """Return Gaussians along an axis, each of mean 1 over the cells, shape (n_cells, n)."""
    factor = np.sqrt(0.5) / widths
    scaled: FloatArray = np.multiply.outer(centres.astype(np.float32), factor.astype(np.float32))
    scaled -= (positions * factor).astype(np.float32)
    np.square(scaled, out=scaled)
    np.negative(scaled, out=scaled)
    # Numbers too small for single precision's normal range would slow the product of profiles tenfold.
    np.maximum(scaled, _FAR, out=scaled)
    np.exp(scaled, out=scaled)
    scaled -= np.exp(_FAR)
    scaled /= scaled.mean(axis=0)
    return scaled
