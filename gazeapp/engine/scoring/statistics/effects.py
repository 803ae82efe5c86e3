"""Standardised size of a paired difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.scoring.statistics.intervals import TAIL
from gazeapp.engine.types import DoubleArray

NAN = float("nan")
# Differences that are equal on paper differ by rounding; their standard deviation is none.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class EffectSize:
    """Cohen's d_z of paired differences with its 95 % interval; NaN where there is none."""

    value: float
    low: float
    high: float


def effect_size(column: DoubleArray) -> EffectSize:
    """Return mean / standard deviation (n - 1) of paired differences, Cohen's d_z (Lakens 2013).

    The interval inverts the noncentral t distribution of d_z sqrt(n), exact for normal differences
    (Cumming & Finch 2001). It is about other images with the same people.

    Parameters
    ----------
    column
        Difference of each image, shape (n,); images with NaN are left out. Fewer than 2 images, or
        differences that are all equal, have no effect size.
    """
    column = column[np.isfinite(column)]
    n = len(column)
    spread = float(column.std(ddof=1)) if n > 1 else 0.0
    if spread <= _ROUNDING * float(np.abs(column).max(initial=0.0)):
        return EffectSize(NAN, NAN, NAN)
    from scipy.special import nctdtrinc

    value = float(column.mean()) / spread
    t = value * math.sqrt(n)
    low, high = (float(nctdtrinc(n - 1, p, t)) / math.sqrt(n) for p in (1.0 - TAIL, TAIL))
    return EffectSize(value, low, high)
