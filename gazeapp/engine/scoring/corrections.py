"""From agreement among few people to a ceiling: the formulas that correct for their number and the blur."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.types import DoubleArray


def half_size(n_subjects: int) -> int:
    """Return how many subjects are in each half; with an odd number one sits out of each split."""
    return n_subjects // 2


def spearman_brown(r: ArrayLike, factor: ArrayLike) -> DoubleArray:
    """Return the reliability of a map from ``factor`` times as many subjects as one of reliability ``r``.

    factor r / (1 + (factor - 1) r), Spearman (1910), Brown (1910); NaN where r is not positive: halves
    that do not agree say nothing about the whole.
    """
    r, factor = np.asarray(r, dtype=np.float64), np.asarray(factor, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability: DoubleArray = np.where(r > 0, factor * r / (1.0 + (factor - 1.0) * r), np.nan)
    return reliability


def cc_ceiling(r: ArrayLike, factor: ArrayLike) -> DoubleArray:
    """Return the CC that a perfect map reaches: sqrt of the reliability of the human map.

    Parameters
    ----------
    r
        Split-half correlation, mean over images.
    factor
        Subjects of the human map / subjects of a half, mean over images.
    """
    return np.sqrt(spearman_brown(r, factor))


def nss_ceiling(loso: ArrayLike, loso_r: ArrayLike, factor: ArrayLike, agreement: ArrayLike) -> DoubleArray:
    """Return the NSS of the density that people's fixations are drawn from.

    The NSS of a map g on fixations from a density p is, in expectation, that of p itself times the
    correlation of p and g. For the blurred map of n - 1 subjects that correlation is
    ``sqrt(reliability) * c``: noise, and c = corr(p, blurred p). This divides the
    leave-one-subject-out NSS by both. With A(t) the agreement of people at a blur of variance t,
    ``c ** 2 = A(1) ** 2 / (A(0) A(2))`` in units of sigma ** 2, and ``1 / A(0) = 2 / A(1/4) - 1 / A(1/2)``:
    1 / A is linear in t for Gaussians of one width, and over so short a way nearly so for any density.

    Parameters
    ----------
    loso
        Leave-one-subject-out NSS, mean over images, shape (...).
    loso_r
        Product of that and the split-half correlation, mean over images: images weigh in the pooled
        reliability as they weigh in the NSS.
    factor
        (Subjects - 1) / subjects of a half, mean over images.
    agreement
        The four of ``AGREEMENT``, means over images, shape (..., 4).

    Returns
    -------
    numpy.ndarray
        NaN where halves do not agree, or people agree too little to tell how sharp their density is.
    """
    score, weighted = np.asarray(loso, dtype=np.float64), np.asarray(loso_r, dtype=np.float64)
    quarter, half, one, two = np.moveaxis(np.asarray(agreement, dtype=np.float64), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability = spearman_brown(weighted / score, factor)
        known = (quarter > 0) & (half > 0) & (two > 0) & (2 * half > quarter)
        squared = one**2 * (2 / quarter - 1 / half) / two
        # Above 1 is sampling noise: no map correlates with another more than perfectly.
        ceiling: DoubleArray = score / np.sqrt(
            reliability * np.where(known, np.minimum(squared, 1.0), np.nan)
        )
    return ceiling
