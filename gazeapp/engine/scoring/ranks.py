"""Areas under ROC curves, and ranks of pixels."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import DoubleArray, IntArray

Values: TypeAlias = NDArray[np.floating[Any]]
NAN = float("nan")
STEP = 0.1
"""Distance of the thresholds of the MIT code's shuffled AUC and AUC-Borji, on a map stretched to 0..1."""


def shares_below(positives: Values, negatives: Values) -> DoubleArray:
    """Return P(positive > negative) + P(tie) / 2 of each positive; ``negatives`` in ascending order.

    Their mean is the area under the ROC curve (Mann-Whitney).
    """
    below = np.searchsorted(negatives, positives, side="left")
    up_to = np.searchsorted(negatives, positives, side="right")
    return (below + up_to) / (2.0 * len(negatives))


def judd(positives: Values, fixated: Values, ordered: Values) -> float:
    """Return AUC-Judd, pixels of equal value counted together.

    Parameters
    ----------
    positives
        Values at the fixations, shape (n,): the thresholds.
    fixated
        Values at the fixated pixels, each pixel once; all others are negatives.
    ordered
        Values of all pixels, ascending.

    Returns
    -------
    float
        NaN when every pixel is fixated.
    """
    n_negatives = len(ordered) - len(fixated)
    if not n_negatives:
        return NAN
    thresholds = np.unique(positives)[::-1]
    hits = _at_least(np.sort(positives), thresholds) / len(positives)
    alarms = _at_least(ordered, thresholds) - _at_least(np.sort(fixated), thresholds)
    return _area(hits, alarms / n_negatives)


def judd_literal(positives: Values, ordered: Values) -> float:
    """Return AUC-Judd as the MATLAB code has it: of fixated pixels of equal value each is one threshold.

    Parameters
    ----------
    positives
        Values at the fixated pixels, each pixel once, shape (n,).
    ordered
        Values of all pixels, ascending.

    Returns
    -------
    float
        NaN when every pixel is fixated.
    """
    n, n_pixels = len(positives), len(ordered)
    if n == n_pixels:
        return NAN
    found = np.arange(1, n + 1)
    above = _at_least(ordered, np.sort(positives)[::-1])
    return _area(found / n, (above - found) / (n_pixels - n))


def stepped(positives: Values, negatives: Values) -> float:
    """Return the area under the ROC curve with thresholds every 0.1, descending from the maximum."""
    top = max(float(positives.max()), float(negatives.max()))
    thresholds: DoubleArray = np.arange(0.0, top + 1e-12, STEP)[::-1]
    hits = np.array([(positives >= t).mean() for t in thresholds])
    alarms = np.array([(negatives >= t).mean() for t in thresholds])
    return _area(hits, alarms)


def centred_ranks(values: Values) -> DoubleArray:
    """Return ascending ranks minus their mean, equal values sharing the mean of theirs, shape (n,)."""
    order = _ascending(values)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(starts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + 0.5 * (sizes - len(values)), sizes)
    return ranks


def correlations(first: DoubleArray, second: DoubleArray) -> DoubleArray:
    """Return the correlation of each row of centred values with its partner; NaN where one is constant.

    Shapes (..., n) that broadcast; the result has the shape (...).
    """
    across = (first * second).sum(axis=-1) if first.ndim == second.ndim > 1 else first @ second
    squares = np.square(first).sum(axis=-1) * np.square(second).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: DoubleArray = across / np.sqrt(squares)
    return found


def _ascending(values: Values) -> IntArray:
    """Return the indices that sort values; for single precision several times faster than ``argsort``."""
    if values.dtype != np.float32:
        return np.argsort(values)
    # As unsigned integers floats sort the same once negative ones are turned over. Value and place then
    # fit one integer of 64 bits, and those are sorted without following an index.
    bits = np.ascontiguousarray(values).view(np.uint32)
    keys = np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _at_least(ordered: Values, thresholds: Values) -> IntArray:
    """Return how many of the values, given in ascending order, reach each threshold."""
    return len(ordered) - np.searchsorted(ordered, thresholds, side="left")


def _area(hits: DoubleArray, alarms: DoubleArray) -> float:
    """Return the area below hits against false alarms, from (0, 0) to (1, 1), by trapezoids."""
    return float(np.trapezoid(np.r_[0.0, hits, 1.0], np.r_[0.0, alarms, 1.0]))
