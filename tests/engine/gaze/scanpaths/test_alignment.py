"""The vectorised alignments against tables filled cell by cell in plain Python, and against hand work."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from gazeapp.engine.gaze.scanpaths.alignment import (
    Strings,
    Tracks,
    edit_distance,
    needleman_wunsch,
    time_warping,
)


def needleman_wunsch_by_hand(a, b, similarity, gap):
    table = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, j in itertools.product(range(len(a) + 1), range(len(b) + 1)):
        if i == 0 or j == 0:
            table[i][j] = gap * (i + j)
        else:
            table[i][j] = max(
                table[i - 1][j - 1] + similarity[a[i - 1]][b[j - 1]],
                table[i - 1][j] + gap,
                table[i][j - 1] + gap,
            )
    return table[-1][-1]


def edits(a, b):
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return edits(a[1:], b[1:])
    return 1 + min(edits(a[1:], b), edits(a, b[1:]), edits(a[1:], b[1:]))


def warpings(n, m):
    """Every way from (0, 0) to (n - 1, m - 1) by steps down, right, or both."""

    def on(i, j):
        if (i, j) == (n - 1, m - 1):
            yield [(i, j)]
            return
        for di, dj in ((1, 1), (1, 0), (0, 1)):
            if i + di < n and j + dj < m:
                for rest in on(i + di, j + dj):
                    yield [(i, j), *rest]

    return on(0, 0)


def words(*texts):
    return Strings.of(
        [np.array([ord(letter) - ord("a") for letter in text], dtype=np.int64) for text in texts]
    )


def random_strings(rng, n, longest, symbols):
    return [rng.integers(0, symbols, rng.integers(0, longest + 1)) for _ in range(n)]


@pytest.mark.parametrize("gap", [0.0, -0.3, -1.0])
def test_alignment_scores_are_those_of_the_table_filled_cell_by_cell(gap):
    rng = np.random.default_rng(1)
    ones, others = random_strings(rng, 200, 9, 6), random_strings(rng, 200, 12, 6)
    similarity = rng.normal(0.2, 1.0, (6, 6))
    found = needleman_wunsch(Strings.of(ones), Strings.of(others), similarity, gap)
    by_hand = [needleman_wunsch_by_hand(a, b, similarity, gap) for a, b in zip(ones, others, strict=True)]
    np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_an_alignment_by_hand():
    # gattaca / gcatgcu with match 1, mismatch -1, gap -1: the textbook example, score 0.
    similarity = 2 * np.eye(26) - 1
    assert needleman_wunsch(words("gattaca"), words("gcatgcu"), similarity, -1.0)[0] == 0.0
    # With free gaps and matches of 1 it is the longest common subsequence: g-a-t-c.
    assert needleman_wunsch(words("gattaca"), words("gcatgcu"), np.eye(26))[0] == 4.0


def test_edit_distances_are_those_of_the_definition():
    rng = np.random.default_rng(2)
    ones, others = random_strings(rng, 150, 6, 3), random_strings(rng, 150, 7, 3)
    found = edit_distance(Strings.of(ones), Strings.of(others))
    by_hand = [edits(list(a), list(b)) for a, b in zip(ones, others, strict=True)]
    assert found.tolist() == by_hand


def test_edit_distances_by_hand():
    found = edit_distance(
        words("kitten", "sunday", "", "abc", "abc"), words("sitting", "saturday", "abc", "", "abc")
    )
    assert found.tolist() == [3, 3, 3, 3, 0]


def test_warpings_cost_what_the_cheapest_of_all_warpings_costs():
    rng = np.random.default_rng(3)
    # Whole numbers on a small grid: many warpings cost the same, and the one with fewest steps counts.
    ones = [rng.integers(0, 3, (rng.integers(1, 6), 2)).astype(float) for _ in range(80)]
    others = [rng.integers(0, 3, (rng.integers(1, 6), 2)).astype(float) for _ in range(80)]
    cost, steps = time_warping(Tracks.of(ones), Tracks.of(others))
    for k, (a, b) in enumerate(zip(ones, others, strict=True)):
        totals = [
            (round(sum(math.dist(a[i], b[j]) for i, j in way), 9), len(way))
            for way in warpings(len(a), len(b))
        ]
        assert (round(float(cost[k]), 9), int(steps[k])) == min(totals)


def test_a_warping_by_hand():
    # 0 1 2 against 0 2: 0-0, then 1 with either neighbour (1), then 2-2.
    cost, steps = time_warping(
        Tracks.of([np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])]),
        Tracks.of([np.array([[0.0, 0.0], [2.0, 0.0]])]),
    )
    assert (cost[0], steps[0]) == (1.0, 3)


def test_a_pair_does_not_depend_on_the_longer_ones_beside_it():
    rng = np.random.default_rng(4)
    ones = [rng.uniform(0, 9, (n, 2)) for n in (1, 4, 30)]
    others = [rng.uniform(0, 9, (n, 2)) for n in (17, 2, 5)]
    together = time_warping(Tracks.of(ones), Tracks.of(others))
    for k in range(3):
        alone = time_warping(Tracks.of(ones[k : k + 1]), Tracks.of(others[k : k + 1]))
        assert together[0][k] == alone[0][0]
        assert together[1][k] == alone[1][0]


def test_warping_does_not_depend_on_which_comes_first():
    rng = np.random.default_rng(5)
    ones = Tracks.of([rng.integers(0, 4, (n, 2)).astype(float) for n in (3, 8, 1, 12)])
    others = Tracks.of([rng.integers(0, 4, (n, 2)).astype(float) for n in (7, 8, 5, 2)])
    for forth, back in zip(time_warping(ones, others), time_warping(others, ones), strict=True):
        np.testing.assert_array_equal(forth, back)
