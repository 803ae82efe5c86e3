"""Alignment of sequences by dynamic programming, for all pairs of an image at once.

Each function takes two sets of p sequences and aligns the k-th of one with the k-th of the other. Loops
run over the cells of one pair's table; every step is on the vectors of all pairs, and a pair's result is
taken where its own sequences end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.types import DoubleArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """Strings of symbols, padded to one length.

    Parameters
    ----------
    codes
        Symbols, shape (p, n); 0 beyond the end of a string.
    length
        Symbols in each, shape (p,).
    """

    codes: IntArray
    length: IntArray

    @classmethod
    def of(cls, strings: Sequence[IntArray]) -> Strings:
        """Return strings of any lengths as one table."""
        length = np.array([len(string) for string in strings], dtype=np.int64)
        codes = np.zeros((len(strings), int(length.max(initial=0))), dtype=np.int64)
        for row, string in zip(codes, strings, strict=True):
            row[: len(string)] = string
        return cls(codes, length)

    def part(self, index: IntArray) -> Strings:
        """Return some of the strings, in this order."""
        return Strings(self.codes[index], self.length[index])

    def first(self, n: int) -> Strings:
        """Return the first ``n`` symbols of each."""
        return Strings(self.codes[:, :n], np.minimum(self.length, n))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Sequences of positions, padded to one length.

    Parameters
    ----------
    points
        Positions, shape (p, n, 2); 0 beyond the end of a sequence.
    length
        Positions in each, shape (p,).
    """

    points: DoubleArray
    length: IntArray

    @classmethod
    def of(cls, tracks: Sequence[DoubleArray]) -> Tracks:
        """Return sequences of any lengths, each of shape (n, 2), as one table."""
        length = np.array([len(track) for track in tracks], dtype=np.int64)
        points = np.zeros((len(tracks), int(length.max(initial=0)), 2))
        for row, track in zip(points, tracks, strict=True):
            row[: len(track)] = track
        return cls(points, length)

    def part(self, index: IntArray) -> Tracks:
        """Return some of the sequences, in this order."""
        return Tracks(self.points[index], self.length[index])


def needleman_wunsch(
    first: Strings, second: Strings, similarity: DoubleArray, gap: float = 0.0
) -> DoubleArray:
    """Return the score of the best global alignment of each pair (Needleman & Wunsch 1970).

    F(i, j) = max(F(i-1, j-1) + similarity(a_i, b_j), F(i-1, j) + gap, F(i, j-1) + gap). Within a row
    the last term is a running maximum: F(i, j) = max over k <= j of (best from above at k) + (j - k) gap.

    Parameters
    ----------
    first, second
        Strings, p of each.
    similarity
        What aligning two symbols earns, shape (n_symbols, n_symbols).
    gap
        What a symbol without partner earns; 0 or less.

    Returns
    -------
    numpy.ndarray
        Shape (p,).
    """
    n_pairs, n_columns = second.codes.shape
    gaps = gap * np.arange(n_columns + 1)
    row = np.tile(gaps, (n_pairs, 1))
    score = row[np.arange(n_pairs), second.length]
    for i in range(first.codes.shape[1]):
        matched = row[:, :-1] + similarity[first.codes[:, i, None], second.codes]
        above = row + gap
        np.maximum(above[:, 1:], matched, out=above[:, 1:])
        row = np.maximum.accumulate(above - gaps, axis=1) + gaps
        ends = first.length == i + 1
        score[ends] = row[ends, second.length[ends]]
    return score


def edit_distance(first: Strings, second: Strings) -> IntArray:
    """Return how many symbols are to be inserted, deleted or replaced (Levenshtein 1966), shape (p,).

    Parameters
    ----------
    first, second
        Strings, p of each.
    """
    n_pairs, n_columns = second.codes.shape
    inserted = np.arange(n_columns + 1)
    row = np.tile(inserted, (n_pairs, 1))
    distance: IntArray = row[np.arange(n_pairs), second.length]
    for i in range(first.codes.shape[1]):
        replaced = row[:, :-1] + (first.codes[:, i, None] != second.codes)
        above = row + 1
        np.minimum(above[:, 1:], replaced, out=above[:, 1:])
        row = np.minimum.accumulate(above - inserted, axis=1) + inserted
        ends = first.length == i + 1
        distance[ends] = row[ends, second.length[ends]]
    return distance


def time_warping(first: Tracks, second: Tracks) -> tuple[DoubleArray, IntArray]:
    """Return the cost and the number of steps of the cheapest warping of each pair (Sakoe & Chiba 1978).

    D(i, j) = |a_i - b_j| + min(D(i-1, j-1), D(i-1, j), D(i, j-1)), Euclidean distances, every step of
    equal weight. Of warpings that cost the same, the one with fewest steps counts, so that the number
    of steps does not depend on which of the two comes first.

    Parameters
    ----------
    first, second
        Sequences of at least one position, p of each.

    Returns
    -------
    cost
        Sum of distances over the aligned positions, shape (p,).
    steps
        Number of aligned positions, shape (p,).
    """
    n_pairs, n_rows = first.points.shape[:2]
    n_columns = second.points.shape[1]
    # Cells of one anti-diagonal depend on the two before it alone; column r + 1 is row r of the table.
    before = _Diagonal.empty(n_pairs, n_rows)
    last = _Diagonal.empty(n_pairs, n_rows)
    before.cost[:, 0] = 0.0
    cost, steps = np.zeros(n_pairs), np.zeros(n_pairs, dtype=np.int64)
    for diagonal in range(n_rows + n_columns - 1):
        low, high = max(0, diagonal - n_columns + 1), min(diagonal, n_rows - 1) + 1
        theirs = second.points[:, diagonal - high + 1 : diagonal - low + 1][:, ::-1]
        difference = first.points[:, low:high] - theirs
        distance = np.sqrt(difference[..., 0] ** 2 + difference[..., 1] ** 2)
        here = _Diagonal.empty(n_pairs, n_rows)
        best, n_steps = _cheapest(before.at(low, high), last.at(low, high), last.at(low + 1, high + 1))
        here.cost[:, low + 1 : high + 1] = best + distance
        here.steps[:, low + 1 : high + 1] = n_steps + 1
        ends = first.length + second.length - 2 == diagonal
        cost[ends] = here.cost[ends, first.length[ends]]
        steps[ends] = here.steps[ends, first.length[ends]]
        before, last = last, here
    return cost, steps


@dataclass(frozen=True, slots=True, eq=False)
class _Diagonal:
    """Costs and numbers of steps along one anti-diagonal, shape (p, n_rows + 1); infinite outside."""

    cost: DoubleArray
    steps: IntArray

    @classmethod
    def empty(cls, n_pairs: int, n_rows: int) -> _Diagonal:
        shape = (n_pairs, n_rows + 1)
        return cls(np.full(shape, np.inf), np.zeros(shape, dtype=np.int64))

    def at(self, low: int, high: int) -> tuple[DoubleArray, IntArray]:
        return self.cost[:, low:high], self.steps[:, low:high]


def _cheapest(*options: tuple[DoubleArray, IntArray]) -> tuple[DoubleArray, IntArray]:
    """Return the cheapest of several costs, and of equal ones that of fewest steps."""
    cost, steps = options[0]
    for other, other_steps in options[1:]:
        better = (other < cost) | ((other == cost) & (other_steps < steps))
        cost = np.where(better, other, cost)
        steps = np.where(better, other_steps, steps)
    return cost, steps
