"""Whether responses are predicted better than chance: a permutation test of the whole procedure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gazeapp.engine.neural.encoding.folds import RidgeSettings, check, standardised
from gazeapp.engine.neural.encoding.nested import CHUNK, THREADS, NestedFolds, chunks, side_by_side
from gazeapp.engine.neural.encoding.scores import within_folds
from gazeapp.engine.runners.process import never, silent
from gazeapp.engine.types import DoubleArray, IntArray

_ROUNDING = 1e-6
"""Correlations that are equal on paper differ by rounding; they count as equally large."""


FIRST = 1000
"""Permutations that every target has."""
ENOUGH = 10
"""Permutations that reach the observed r after which a target needs no more."""


@dataclass(frozen=True)
class PermutationTest:
    """One-sided p of each target that its responses have nothing to do with the features; NaN where left out.

    Parameters
    ----------
    p
        (1 + permutations with at least the observed r) / (permutations + 1), shape (n_targets,) (Phipson &
        Smyth 2010).
    p_fdr
        The same, corrected over the targets so that of those below 0.05 at most 5 % are false on average
        (Benjamini & Hochberg 1995).
    p_max
        The same, each target held against the largest r over all targets in each of the first permutations, so
        that in 95 % of studies without any effect no target is below 0.05 (Westfall & Young 1993).
    """

    p: DoubleArray
    p_fdr: DoubleArray
    p_max: DoubleArray


def permutation_test(
    features: DoubleArray,
    responses: NDArray[np.floating],
    settings: RidgeSettings | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
    should_stop: Callable[[], bool] = never,
    told: Callable[[int, int, str], None] = silent,
    *,
    first: int = FIRST,
    threads: int = THREADS,
) -> PermutationTest:
    """Test for each target whether its correlation within folds is above chance.

    In each permutation the images change their rows of responses, the same for all targets, and everything is
    done anew: penalties are chosen, models fitted and correlations averaged over folds. Only the features
    stay where they are, so that their decompositions are made once. The test asks nothing of the responses
    but that images can be exchanged, which successive frames of a film cannot.

    Many permutations are needed where p is small, and only there (Besag & Clifford 1991). All targets have the
    ``first`` ones; those whose r was then reached by at least 10 are settled and keep that p, the others go on to
    ``n_permutations``. Under the null p is at most as often below any level as with ``first`` permutations alone.

    Parameters
    ----------
    features, responses, settings, should_stop, threads
        As in :func:`gazeapp.engine.neural.encoding.nested.encode`. Single precision is used throughout.
    n_permutations
        Permutations at most; p is never below 1 / (permutations + 1).
    seed
        Seed of the permutations.
    told
        Told (permutations done, all of them, what is done); of more than 512 targets each part is counted alone.
    first
        Permutations that all targets have. ``p_max`` is of these alone, and never below 1 / (first + 1).

    Raises
    ------
    GazeError, StoppedError
        As in :func:`gazeapp.engine.neural.encoding.nested.encode`.
    """
    settings = settings or RidgeSettings()
    usable = check(features, responses, settings)
    n = len(features)
    rng = np.random.default_rng([seed, n])
    orders = np.array([rng.permutation(n) for _ in range(n_permutations)]).reshape(-1, n)
    stages = [slice(0, min(first, n_permutations)), slice(first, n_permutations)]
    r, p = np.full((2, responses.shape[1]), np.nan)
    largest = np.full(stages[0].stop, -np.inf)
    with threadpool_limits(1, "blas"):
        folds = NestedFolds(features, settings, np.float32, should_stop)
        parts = chunks(usable, n)
        for k, targets in enumerate(parts):
            values = standardised(responses[:, targets], np.float32)[0]
            r[targets] = own = _score(folds, values)
            reached, done = np.ones(len(own)), np.ones(len(own))
            for stage in stages:
                # After the first stage only those go on that chance has hardly ever reached.
                left = np.flatnonzero(reached <= ENOUGH) if stage.start else np.arange(len(own))
                for end, null in _nulls(folds, values[:, left], orders[stage], threads, should_stop):
                    # A target that is constant in a fold of a permutation has no r there: as good as any.
                    reached[left] += (~(null < own[left] - _ROUNDING)).sum(axis=0)
                    done[left] += len(null)
                    if not stage.start:
                        top = largest[end - len(null) : end]
                        np.fmax(top, np.fmax.reduce(null, axis=1), out=top)
                    at = k * n_permutations + stage.start + end
                    told(at, len(parts) * n_permutations, "permutations")
            p[targets] = reached / done
    return _corrected(r, p, largest)


def _nulls(
    folds: NestedFolds,
    values: NDArray[np.floating],
    orders: IntArray,
    threads: int,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[int, DoubleArray]]:
    """Yield, for some orders of the images after others, how many were done and r, shape (n_orders, n_targets)."""
    if not values.shape[1]:
        return
    size = -(-CHUNK // values.shape[1])
    batches = [orders[start : start + size] for start in range(0, len(orders), size)]

    def work(batch: IntArray) -> DoubleArray:
        return _score(folds, _permuted(values, batch)).reshape(-1, values.shape[1])

    done = 0
    for null in side_by_side(work, batches, threads, should_stop):
        done += len(null)
        yield done, null


def _score(folds: NestedFolds, values: NDArray[np.floating]) -> DoubleArray:
    predictions, _ = folds.predict(values)
    return within_folds(predictions, values, folds.fold)


def _permuted(values: NDArray[np.floating], orders: IntArray) -> NDArray[np.floating]:
    """Return the targets in each order of the images, side by side, shape (n_images, n_orders x n_targets)."""
    found: NDArray[np.floating] = values[orders.T].reshape(len(values), -1)
    return found


def _corrected(r: DoubleArray, p: DoubleArray, largest: DoubleArray) -> PermutationTest:
    known = np.isfinite(r)
    return PermutationTest(
        p=np.where(known, p, np.nan),
        p_fdr=false_discovery(np.where(known, p, np.nan)),
        p_max=np.where(known, largest_statistic(r - _ROUNDING, largest), np.nan),
    )


def false_discovery(p: DoubleArray) -> DoubleArray:
    """Return p corrected by Benjamini & Hochberg over the targets that have one, shape (n_targets,)."""
    from scipy.stats import false_discovery_control

    known = np.isfinite(p)
    found = np.full(p.shape, np.nan)
    if known.any():
        found[known] = false_discovery_control(p[known])
    return found


def largest_statistic(observed: DoubleArray, largest: DoubleArray) -> DoubleArray:
    """Return (1 + how many of ``largest`` reach each observed value) / (their number + 1), shape (n_targets,).

    Parameters
    ----------
    observed
        Shape (n_targets,).
    largest
        Largest value over all targets in each permutation.
    """
    below = np.searchsorted(np.sort(largest), observed, side="left").astype(np.float64)
    found: DoubleArray = (1.0 + len(largest) - below) / (1.0 + len(largest))
    return found
