"""Percent of ceiling, and how sure it is: ratios of means with a paired bootstrap over images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.types import DoubleArray, FloatArray

CONFIDENCE = 0.95
_CHUNK_CELLS = 4_000_000

Ceiling = Callable[[DoubleArray], DoubleArray]
"""From means over images of the ceiling's columns, shape (..., n_columns), to the ceiling, shape (...)."""


@dataclass(frozen=True, slots=True)
class Share:
    """A source's mean score and its share of the ceiling.

    Parameters
    ----------
    n_images
        Images that went in: those with a score and every part of the ceiling.
    mean
        Mean score over these images; NaN without any.
    ceiling
        Ceiling over the same images; NaN when there is none.
    percent, low, high
        100 (mean - chance) / (ceiling - chance) and the ends of its 95 % interval, percent; never
        clipped, NaN without a ceiling.
    """

    n_images: int
    mean: float
    ceiling: float
    percent: float
    low: float
    high: float


def share_of_ceiling(
    scores: ArrayLike,
    parts: ArrayLike,
    ceiling: Ceiling,
    chance: float,
    n_bootstrap: int = 10_000,
    seed: int = 0,
) -> Share:
    """Return the ratio of the mean score to the ceiling, both above chance, with a bootstrap interval.

    Images are resampled with replacement; numerator and denominator see the same images in every
    resample (paired), and all sources scored on the same number of images the same resamples.
    Percentile interval (Efron & Tibshirani 1993, ch. 13).

    Parameters
    ----------
    scores
        Score of each image, shape (n,); images with NaN are left out.
    parts
        What each image contributes to the ceiling, shape (n, n_columns); images with NaN are left out.
    ceiling
        Combines the means of ``parts`` into the ceiling.
    chance
        Score of a source that knows nothing.
    n_bootstrap
        Number of resamples.
    seed
        Seed of the resamples.
    """
    table = np.column_stack([np.asarray(scores, dtype=np.float64), np.asarray(parts, dtype=np.float64)])
    table = table[np.isfinite(table).all(axis=1)]
    n = len(table)
    nan = float("nan")
    if not n:
        return Share(0, nan, nan, nan, nan, nan)
    means = table.mean(axis=0)
    mark = float(ceiling(means[1:]))
    percent = float(_percent(means[0], np.float64(mark), chance))
    if n < 2 or not np.isfinite(percent):
        return Share(n, float(means[0]), mark, percent, nan, nan)
    resampled = resampled_means(table, n_bootstrap, seed)
    low, high = _interval(_percent(resampled[:, 0], ceiling(resampled[:, 1:]), chance))
    return Share(n, float(means[0]), mark, percent, low, high)


def resampled_means(table: DoubleArray, n_bootstrap: int, seed: int) -> DoubleArray:
    """Return the means of the columns in every resample of the rows.

    Parameters
    ----------
    table
        Shape (n, n_columns).
    n_bootstrap, seed
        Number of resamples and their seed.

    Returns
    -------
    numpy.ndarray
        Shape (n_bootstrap, n_columns).
    """
    n = len(table)
    chunk = max(1, min(n_bootstrap, _CHUNK_CELLS // n))
    parts = []
    for k, start in enumerate(range(0, n_bootstrap, chunk)):
        size = min(chunk, n_bootstrap - start)
        parts.append(_counts(n, size, seed, k) @ table / n)
    return np.concatenate(parts)


@lru_cache(maxsize=2)
def _counts(n: int, size: int, seed: int, part: int) -> FloatArray:
    """Return how often each of ``n`` images is drawn in each of ``size`` resamples, shape (size, n)."""
    drawn = np.random.default_rng([seed, n, part]).integers(0, n, (size, n))
    drawn += np.arange(size)[:, None] * n
    counts: FloatArray = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float32)
    counts.setflags(write=False)
    return counts


def _percent(mean: DoubleArray | np.float64, ceiling: DoubleArray | np.float64, chance: float) -> DoubleArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        percent: DoubleArray = 100.0 * (np.asarray(mean) - chance) / (np.asarray(ceiling) - chance)
    return np.where(np.asarray(ceiling) > chance, percent, np.nan)


def _interval(percents: DoubleArray) -> tuple[float, float]:
    finite = percents[np.isfinite(percents)]
    # A resample without a ceiling above chance has no percentage; beyond a few, no interval is honest.
    if len(finite) < CONFIDENCE * len(percents):
        return float("nan"), float("nan")
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(finite, [tail, 100.0 - tail])
    return float(low), float(high)
