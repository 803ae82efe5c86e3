"""How far two lists of fixations agree, such as the tracker's own events and those found in its samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from gazeapp.engine.gaze.records import Fixations
from gazeapp.engine.types import DoubleArray, IntArray, Json


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two lists of fixations agree.

    Parameters
    ----------
    n_a, n_b
        Fixations in the one and in the other list, as far as they have times.
    n_matched
        Pairs that overlap in time, each fixation in one pair at most.
    share_matched
        2 n_matched / (n_a + n_b); NaN when both lists are empty.
    onset_ms, duration_ms
        Median absolute difference of begins and of durations over the pairs, ms; NaN without pairs.
    distance
        Median distance of the positions of the pairs, in their unit (px where these are px); NaN without.
    """

    n_a: int
    n_b: int
    n_matched: int
    share_matched: float
    onset_ms: float
    duration_ms: float
    distance: float

    def as_json(self) -> Json:
        """Return the figures for tables; NaN as None."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


def compare_fixations(a: Fixations, b: Fixations) -> Agreement:
    """Return how far two lists of fixations of one eye and one trial (or one clock) agree.

    Pairs are those that share the most time; of two pairs with a fixation in common the one that shares
    more time counts.
    """
    first, second = _with_times(a), _with_times(b)
    one, two = matches(first, second)
    n = len(first) + len(second)
    p, q = first.part(one), second.part(two)
    return Agreement(
        len(first),
        len(second),
        len(one),
        2 * len(one) / n if n else float("nan"),
        _median(p.start_ms - q.start_ms),
        _median(p.duration_ms - q.duration_ms),
        _median(np.hypot(p.x - q.x, p.y - q.y)),
    )


def matches(a: Fixations, b: Fixations) -> tuple[IntArray, IntArray]:
    """Return which fixations belong together, one to one, by the time that they share.

    Parameters
    ----------
    a, b
        Each with times, and in order of begin.
    """
    end_a, end_b = a.start_ms + a.duration_ms, b.start_ms + b.duration_ms
    # Ends of what came so far never fall, which a search needs, even where fixations overlap.
    low = np.searchsorted(np.maximum.accumulate(end_b), a.start_ms, side="right")
    high = np.maximum(np.searchsorted(b.start_ms, end_a, side="left"), low)
    counts = high - low
    one = np.repeat(np.arange(len(a)), counts)
    two = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    shared = np.minimum(end_a[one], end_b[two]) - np.maximum(a.start_ms[one], b.start_ms[two])
    free_a, free_b = np.ones(len(a), dtype=np.bool_), np.ones(len(b), dtype=np.bool_)
    pairs = []
    for k in np.argsort(-shared, kind="stable"):
        if shared[k] > 0 and free_a[one[k]] and free_b[two[k]]:
            free_a[one[k]] = free_b[two[k]] = False
            pairs.append((int(one[k]), int(two[k])))
    table = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _with_times(fixations: Fixations) -> Fixations:
    rows = np.flatnonzero(np.isfinite(fixations.start_ms) & np.isfinite(fixations.duration_ms))
    return fixations.part(rows[np.argsort(fixations.start_ms[rows], kind="stable")])


def _median(differences: DoubleArray) -> float:
    finite = np.abs(differences[np.isfinite(differences)])
    return float(np.median(finite)) if len(finite) else float("nan")
