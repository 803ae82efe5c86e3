"""Rank correlation over images, with an interval and a permutation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.scoring.statistics.two_way import MIN_IMAGES
from gazeapp.engine.types import DoubleArray, IntArray

_CHUNK_CELLS = 4_000_000
# Correlations that are equal on paper differ by rounding; they count as equally extreme.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Spearman's correlation of two columns of numbers, one of each for an image.

    Parameters
    ----------
    rho, low, high
        The correlation and the ends of its 95 % percentile interval over resampled images; NaN where a column is
        constant, the ends also with fewer than 6 images and where a column is constant in every resample.
    p
        Two-sided p of the permutation test that the columns have nothing to do with each other.
    n_images
        Images with both numbers.
    """

    rho: float
    low: float
    high: float
    p: float
    n_images: int


def rank_correlation(
    first: DoubleArray, second: DoubleArray, n_resamples: int = 2000, seed: int = 0
) -> RankCorrelation:
    """Return the rank correlation of two columns over images.

    Spearman (1904), ties sharing a rank. In the interval's resamples the ranks are those of the resample. p is
    the share of permutations of the images with a correlation at least as far from 0, the observed one counted
    among them (Phipson & Smyth 2010).

    Parameters
    ----------
    first, second
        One number an image, shape (n,); images where one is NaN are left out.
    n_resamples
        Resamples of the images, and permutations.
    seed
        Seed of both.
    """
    known = np.isfinite(first) & np.isfinite(second)
    n = int(known.sum())
    nothing = RankCorrelation(np.nan, np.nan, np.nan, np.nan, n)
    if n < 3:
        return nothing
    columns = [_Ranked(column[known]) for column in (first, second)]
    rho = float(_correlations(columns, np.ones((1, n)))[0])
    if not np.isfinite(rho):
        return nothing
    ranks = [column.ranks(np.ones((1, n)))[0] for column in columns]
    a, b = (one - one.mean() for one in ranks)
    limit = abs(rho) * np.sqrt((a**2).sum() * (b**2).sum()) * (1.0 - _ROUNDING)
    resampled, extreme = [], 0
    chunk = max(1, _CHUNK_CELLS // n)
    for k, start in enumerate(range(0, n_resamples, chunk)):
        size = min(chunk, n_resamples - start)
        rng = np.random.default_rng([seed, n, k])
        drawn = rng.integers(0, n, (size, n)) + np.arange(size)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        resampled.append(_correlations(columns, counts.astype(np.float64)))
        shuffled = rng.permuted(np.broadcast_to(b, (size, n)), axis=1)
        extreme += int((np.abs(shuffled @ a) >= limit).sum())
    low = high = np.nan
    correlations = np.concatenate(resampled)
    if n >= MIN_IMAGES and np.isfinite(correlations).any():
        low, high = np.nanpercentile(correlations, [2.5, 97.5])
    return RankCorrelation(rho, float(low), float(high), (extreme + 1) / (n_resamples + 1), n)


class _Ranked:
    """A column of numbers, sorted once, whose ranks are wanted in many resamples."""

    def __init__(self, column: DoubleArray) -> None:
        self._order: IntArray = np.argsort(column, kind="stable")
        ordered = column[self._order]
        self._starts: IntArray = np.flatnonzero(np.append(True, np.diff(ordered) > 0))
        self._group: IntArray = np.cumsum(np.append(False, np.diff(ordered) > 0)).astype(np.int64)

    def ranks(self, counts: DoubleArray) -> DoubleArray:
        """Return the rank of each image where it is there as often as ``counts`` says, shape (k, n)."""
        number = np.add.reduceat(counts[:, self._order], self._starts, axis=1)
        middle = np.cumsum(number, axis=1) - (number - 1.0) / 2.0
        ranks: DoubleArray = np.empty_like(counts)
        ranks[:, self._order] = middle[:, self._group]
        return ranks


def _correlations(columns: list[_Ranked], counts: DoubleArray) -> DoubleArray:
    """Return the correlation of the ranks in each resample, shape (k,); NaN where one is constant."""
    total = counts.sum(axis=1, keepdims=True)
    first, second = (column.ranks(counts) for column in columns)
    for ranks in (first, second):
        ranks -= (ranks * counts).sum(axis=1, keepdims=True) / total
    weighted = first * counts
    across = (weighted * second).sum(axis=1)
    within = (weighted * first).sum(axis=1) * (second**2 * counts).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: DoubleArray = np.where(within > 0, across / np.sqrt(within), np.nan)
    return found
