"""From the agreement of halves of the people to what a map can reach against all of them."""

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
