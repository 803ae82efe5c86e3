"""How far two lists of fixations agree, on lists whose agreement is plain."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.gaze.detection import compare_fixations
from gazeapp.engine.gaze.detection.compare import matches
from gazeapp.engine.gaze.records import Fixations, empty_fixations


def listed(*rows: tuple[float, float, float, float]) -> Fixations:
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Fixations.of(table[:, 2], table[:, 3], start_ms=table[:, 0], duration_ms=table[:, 1])


def test_a_list_agrees_with_itself():
    one = listed((0, 100, 1, 2), (150, 200, 3, 4))
    found = compare_fixations(one, one)
    assert (found.n_a, found.n_b, found.n_matched, found.share_matched) == (2, 2, 2, 1.0)
    assert (found.onset_ms, found.duration_ms, found.distance) == (0, 0, 0)


def test_differences_are_medians_over_pairs():
    one = listed((0, 100, 0, 0), (200, 100, 0, 0), (400, 100, 0, 0))
    two = listed((10, 100, 3, 4), (195, 120, 0, 1), (430, 60, 0, 0), (700, 50, 0, 0))
    found = compare_fixations(one, two)
    assert (found.n_a, found.n_b, found.n_matched) == (3, 4, 3)
    assert found.share_matched == 6 / 7
    assert (found.onset_ms, found.duration_ms, found.distance) == (10, 20, 1)


def test_a_split_fixation_is_matched_by_its_longer_part():
    one, two = matches(listed((0, 300, 0, 0)), listed((0, 100, 0, 0), (120, 180, 0, 0)))
    assert (one.tolist(), two.tolist()) == ([0], [1])


def test_fixations_that_only_touch_do_not_match():
    assert compare_fixations(listed((0, 100, 0, 0)), listed((100, 100, 0, 0))).n_matched == 0


def test_empty_lists_and_lists_without_times():
    nothing = compare_fixations(empty_fixations(), empty_fixations())
    assert nothing.as_json() == {
        "n_a": 0, "n_b": 0, "n_matched": 0, "share_matched": None,
        "onset_ms": None, "duration_ms": None, "distance": None,
    }  # fmt: skip
    timeless = Fixations.of(np.ones(3), np.ones(3))
    found = compare_fixations(timeless, listed((0, 100, 1, 1)))
    assert (found.n_a, found.n_b, found.share_matched) == (0, 1, 0)
    assert math.isnan(found.onset_ms)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=12)


@settings(max_examples=25, deadline=None)
@given(spans, spans)
def test_pairs_overlap_and_nothing_free_overlaps(first, second):
    a, b = (listed(*((t, d, 0, 0) for t, d in sorted(rows))) for rows in (first, second))
    one, two = matches(a, b)
    assert len(set(one.tolist())) == len(set(two.tolist())) == len(one)

    def shared(i: int, j: int) -> float:
        ends = a.start_ms[i] + a.duration_ms[i], b.start_ms[j] + b.duration_ms[j]
        return min(ends) - max(a.start_ms[i], b.start_ms[j])

    assert all(shared(i, j) > 0 for i, j in zip(one, two, strict=True))
    free_a, free_b = set(range(len(a))) - set(one.tolist()), set(range(len(b))) - set(two.tolist())
    assert all(shared(i, j) <= 0 for i in free_a for j in free_b)
