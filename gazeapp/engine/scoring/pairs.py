"""Differences between sources on the same images: paired, with an interval and a permutation test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from gazeapp.engine.scoring.statistics import CONFIDENCE, resampled_means
from gazeapp.engine.types import DoubleArray

_CHUNK_CELLS = 4_000_000
# Sums that are equal on paper differ by rounding; they count as equally extreme.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean difference ``first`` minus ``second`` over the images that both were scored on.

    Parameters
    ----------
    first, second
        The sources.
    n_images
        Images with a score of both.
    mean, low, high
        Mean difference and the ends of its 95 % interval, in the metric's unit; NaN where unknown.
    p
        Two-sided p of the sign-flip test.
    p_holm
        The same, corrected over all pairs that were compared.
    """

    first: str
    second: str
    n_images: int
    mean: float
    low: float
    high: float
    p: float
    p_holm: float


def differences(
    scores: Mapping[str, DoubleArray], n_resamples: int = 10_000, seed: int = 0
) -> list[Difference]:
    """Compare every pair of sources.

    Parameters
    ----------
    scores
        Source -> score of each image, shape (n_images,), NaN where there is none.
    n_resamples
        Resamples of the bootstrap over images, and most sign flips of the test.
    seed
        Seed of both.
    """
    found = []
    for first, second in combinations(scores, 2):
        column = scores[first] - scores[second]
        column = column[np.isfinite(column)]
        if not len(column):
            continue
        low = high = float("nan")
        if len(column) > 1:
            tail = 50.0 * (1.0 - CONFIDENCE)
            means = resampled_means(column[:, None], n_resamples, seed)[:, 0]
            low, high = (float(end) for end in np.percentile(means, [tail, 100.0 - tail]))
        p = sign_flip(column, n_resamples, seed)
        found.append((first, second, len(column), float(column.mean()), low, high, p))
    return [
        Difference(*row, p_holm=p_holm)
        for row, p_holm in zip(found, holm([row[-1] for row in found]), strict=True)
    ]


def sign_flip(column: DoubleArray, n_flips: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p that the mean of paired differences is 0.

    If the two sources are exchangeable, each image's difference could as well have the other sign.
    p is the share of sign patterns with a mean at least as far from 0: of all patterns when there are
    at most ``n_flips``, else of that many random ones, the observed one counted among them
    (Phipson & Smyth 2010).

    Parameters
    ----------
    column
        Difference of each image, shape (n,), finite.
    n_flips
        Most patterns.
    seed
        Seed of the random ones.
    """
    n = len(column)
    scale = float(np.abs(column).sum())
    limit = abs(float(column.sum())) - _ROUNDING * scale
    if 2**n <= n_flips:
        signs = np.array(list(product((-1.0, 1.0), repeat=n)))
        return float((np.abs(signs @ column) >= limit).mean())
    rng = np.random.default_rng([seed, n])
    extreme = 0
    chunk = max(1, _CHUNK_CELLS // n)
    for start in range(0, n_flips, chunk):
        size = min(chunk, n_flips - start)
        signs = 2.0 * rng.integers(0, 2, (size, n)) - 1.0
        extreme += int((np.abs(signs @ column) >= limit).sum())
    return (extreme + 1) / (n_flips + 1)


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by the step-down method of Holm (1979)."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = highest
    return [float(value) for value in corrected]
