"""Differences between sources on the same images: paired, with an interval and a permutation test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.scoring.findings import DIFFERENCE, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.scored import Scored, weighted
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows, TwoWay
from gazeapp.engine.types import DoubleArray

NAN = float("nan")
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
        Mean difference and the ends of its 95 % interval, in the metric's unit or, of percentages, in
        percent of the ceiling; NaN where unknown.
    p
        Two-sided p of the sign-flip test.
    p_holm
        The same, corrected over all pairs that were compared.
    effect
        Cohen's d_z of the differences; NaN where there is none.
    n_subjects
        People that the interval is about; 0 where it is about the images alone.
    note
        Why there is no interval, where too few images are the reason; else empty.
    """

    first: str
    second: str
    n_images: int
    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    effect: float = NAN
    n_subjects: int = 0
    note: str = ""

    def finding(self, task: str, metric: str, unit: str = "") -> Finding:
        """Return the same as a finding about a task and a metric."""
        return Finding(
            analysis=DIFFERENCE,
            task=task,
            metric=metric,
            term=self.first,
            against=self.second,
            estimate=self.mean,
            low=self.low,
            high=self.high,
            unit=unit,
            p=self.p,
            p_holm=self.p_holm,
            effect=self.effect,
            n_images=self.n_images,
            n_subjects=self.n_subjects,
            note=self.note,
            kind="model",
        )


def differences(
    scores: Mapping[str, DoubleArray],
    n_resamples: int = 10_000,
    seed: int = 0,
    left_out: LeftOutRows | None = None,
) -> list[Difference]:
    """Compare every pair of sources.

    Parameters
    ----------
    scores
        Source -> score of each image, shape (n_images,), NaN where there is none.
    n_resamples
        Resamples of the bootstrap, and most sign flips of the test.
    seed
        Seed of both.
    left_out
        The scores without each of the images' subjects, one column a source in the order of ``scores``;
        None: intervals over images alone.
    """
    return _compare(Scored(scores, None, left_out), False, n_resamples, seed)


def percent_differences(scored: Scored, n_resamples: int = 10_000, seed: int = 0) -> list[Difference]:
    """Compare every pair of sources in percent of their common ceiling.

    100 (mean of first - mean of second) / (ceiling - chance), all over the images that have both scores
    and every part of the ceiling. The tests are those of the scores on these images: a common ceiling
    scales all of a pair's differences alike.

    Parameters
    ----------
    scored
        Scores and the ceiling that they are held against.
    n_resamples, seed
        As in :func:`differences`.

    Returns
    -------
    list
        Pairs whose ceiling is clearly above chance; none without a ceiling.
    """
    return _compare(scored, True, n_resamples, seed) if scored.held is not None else []


def _compare(scored: Scored, in_percent: bool, n_resamples: int, seed: int) -> list[Difference]:
    weights = np.array([1.0, -1.0])
    found: list[Difference] = []
    columns: list[DoubleArray] = []
    for pair in combinations(scored.sources, 2):
        table, left_out = scored.columns(pair, in_percent)
        study = TwoWay(table, left_out, n_resamples, seed)
        if not study.n_images or (in_percent and not study.is_above(scored.above(2), 0.0)):
            continue
        interval = study.interval(scored.percent(weights) if in_percent else weighted(weights))
        column = np.where(study.complete, table[:, 0] - table[:, 1], NAN)
        columns.append(column)
        found.append(
            Difference(
                first=pair[0],
                second=pair[1],
                n_images=study.n_images,
                mean=interval.estimate,
                low=interval.low,
                high=interval.high,
                p=NAN,
                p_holm=NAN,
                effect=effect_size(column).value,
                n_subjects=interval.n_subjects,
                note=interval.note,
            )
        )
    tested = sign_flips(np.column_stack(columns), n_resamples, seed) if columns else []
    return [
        replace(one, p=p, p_holm=p_holm) for one, p, p_holm in zip(found, tested, holm(tested), strict=True)
    ]


def sign_flip(column: DoubleArray, n_flips: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p that the mean of paired differences is 0: :func:`sign_flips` of one column."""
    return sign_flips(column[:, None], n_flips, seed)[0]


def sign_flips(table: DoubleArray, n_flips: int = 10_000, seed: int = 0) -> list[float]:
    """Return the two-sided p of each column that the mean of its paired differences is 0.

    If the two sources are exchangeable, each image's difference could as well have the other sign.
    p is the share of sign patterns with a mean at least as far from 0: of all patterns when there are
    at most ``n_flips``, else of that many random ones, the observed one counted among them
    (Phipson & Smyth 2010). All columns see the same random patterns.

    Parameters
    ----------
    table
        Difference of each image, one column a test, shape (n, k); NaN where an image has none. A column
        without any has no p.
    n_flips
        Most patterns.
    seed
        Seed of the random ones.
    """
    known = np.isfinite(table)
    values = np.where(known, table, 0.0)
    # A difference of 0 is the same with either sign, so what is missing changes nothing.
    limit = np.abs(values.sum(axis=0)) - _ROUNDING * np.abs(values).sum(axis=0)
    few = known.sum(axis=0) <= np.log2(n_flips)
    p = np.full(table.shape[1], NAN)
    for k in np.flatnonzero(few & known.any(axis=0)):
        column = values[known[:, k], k]
        p[k] = (np.abs(_all_signs(len(column)) @ column) >= limit[k]).mean()
    many = np.flatnonzero(~few)
    if len(many):
        extreme = np.zeros(len(many))
        for signs in _signs(len(table), n_flips, seed):
            extreme += (np.abs(signs @ values[:, many]) >= limit[many]).sum(axis=0)
        p[many] = (extreme + 1) / (n_flips + 1)
    return [float(value) for value in p]


@lru_cache(maxsize=8)
def _all_signs(n: int) -> DoubleArray:
    """Return all sign patterns of ``n`` images, shape (2 ** n, n)."""
    signs = np.array(list(product((-1.0, 1.0), repeat=n)))
    signs.setflags(write=False)
    return signs


def _signs(n: int, n_flips: int, seed: int) -> Iterator[DoubleArray]:
    """Yield random sign patterns of ``n`` images, shape (some, n), ``n_flips`` in all."""
    size = max(1, _CHUNK_CELLS // n)
    for packed in np.array_split(_packed_signs(n, n_flips, seed), max(1, n_flips // size)):
        yield 2.0 * np.unpackbits(packed, axis=1, count=n).astype(np.float64) - 1.0


@lru_cache(maxsize=2)
def _packed_signs(n: int, n_flips: int, seed: int) -> NDArray[np.uint8]:
    """Return random bits, eight in a byte, shape (n_flips, n / 8)."""
    return np.random.default_rng([seed, n]).integers(0, 256, (n_flips, -(-n // 8)), dtype=np.uint8)


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by the step-down method of Holm (1979).

    Tests without a p are not counted and stay NaN.
    """
    corrected = np.full(len(p), NAN)
    order = [place for place in np.argsort(p, kind="stable") if not np.isnan(p[place])]
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p[place]))
        corrected[place] = highest
    return [float(value) for value in corrected]
