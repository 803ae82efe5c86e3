"""Variances over images and over people, and what both hold: how long an interval is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.types import DoubleArray, IntArray

CONFIDENCE = 0.95
TAIL = (1.0 - CONFIDENCE) / 2
"""Share of the resamples beyond each end of an interval."""


@dataclass(frozen=True, slots=True)
class People:
    """How a number depends on who looked.

    Parameters
    ----------
    influence
        Change of the number when each subject leaves, minus the mean change, shape (m,).
    variance
        Jackknife's variance over people, what varies by image and person included.
    cells
        The part of it that varies by image and person.
    cells_df
        Degrees of freedom of that part.
    """

    influence: DoubleArray
    variance: float
    cells: float
    cells_df: int

    @property
    def net(self) -> float:
        """Variance that images do not show: what people have in common over images."""
        return max(self.variance - self.cells, 0.0)

    def without_overstatement(self, images: float, n_images: int) -> People:
        """Return the same with variances that are not larger than the one over images allows.

        Where a number depends on pairs of people, as agreement among them does, the jackknife's variance
        is too large, up to twice (Efron & Stein 1981). What varies by image and person is in the variance
        over images, too, so where it alone is larger than that (and than its standard error, with a
        normal distribution), both are overstated by the ratio.
        """
        most = images * (1.0 + np.sqrt(2.0 / (n_images - 1)))
        if not self.cells > most:
            return self
        factor = max(most / self.cells, 0.5)
        return replace(self, variance=factor * self.variance, cells=factor * self.cells)


def variance_of_cells(image: IntArray, subject: IntArray, changes: DoubleArray) -> tuple[float, int]:
    """Return the part of a variance that is of image and person at once, and its degrees of freedom.

    (S - 1) / S * N / (N - S) * sum over N pairs of (change when that subject leaves that image alone, minus
    the image's and then the subject's mean)**2: in a design where everybody looked at everything the mean
    square of the interaction of a two-way layout / (number of images * number of people).
    """
    rest = changes
    size = []
    for index in (image, subject):
        number = np.bincount(index)
        rest = rest - (np.bincount(index, rest) / np.maximum(number, 1))[index]
        size.append(int(np.count_nonzero(number)))
    n_pairs, (n_images, m) = len(rest), size
    if n_pairs == m:  # everybody looked at one image, so that all of people's variance is of both
        return float((m - 1) / m * np.square(changes - changes.mean()).sum()), m - 1
    variance = (m - 1) / m * n_pairs / (n_pairs - m) * float(np.square(rest).sum())
    return variance, max(n_pairs - n_images - m + 1, 1)


def degrees_of_freedom(images: float, n_images: int, people: People) -> float:
    """Return those of the sum of the variances over images and over people (Satterthwaite 1946)."""
    if not people.net > 0:
        return n_images - 1.0
    m = len(people.influence)
    total = (images + people.net) ** 2
    parts = images**2 / (n_images - 1) + people.variance**2 / (m - 1) + people.cells**2 / people.cells_df
    return max(total / parts, min(n_images, m) - 1.0)


def t_quantile(df: float) -> float:
    """Return Student's t that 97.5 % are below."""
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(df, 1.0 - TAIL)) if np.isfinite(df) else float(ndtri(1.0 - TAIL))
