"""The measures of pairs of scanpaths on one image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths import multimatch
from gazeapp.engine.gaze.scanpaths.alignment import (
    Strings,
    Tracks,
    edit_distance,
    needleman_wunsch,
    time_warping,
)
from gazeapp.engine.gaze.scanpaths.clusters import centres_of, labels
from gazeapp.engine.gaze.scanpaths.measures import MULTIMATCH, ScanpathSettings
from gazeapp.engine.gaze.scanpaths.scanpath import Scanpath
from gazeapp.engine.types import DoubleArray, IntArray

Pairs = tuple[IntArray, IntArray]
"""Numbers of the scanpaths of a first and of a second list that are compared, each of shape (p,)."""

_LONGEST = 2000
"""Symbols of one string: 200 s in bins of 100 ms."""

_PAIRS_AT_ONCE = 2000


class ImageMeasures:
    """Measures scanpaths on one image.

    Parameters
    ----------
    people
        Scanpaths that the clusters of the sequence score are found in; at least one fixation in all
        where that is measured.
    width, height
        Size of the image, px.
    settings
        What is measured, and how.

    Raises
    ------
    GazeError
        If MultiMatch is asked for and not installed, or the image has no size.
    """

    def __init__(
        self, people: Sequence[Scanpath], width: float, height: float, settings: ScanpathSettings
    ) -> None:
        if not (width > 0 and height > 0):
            raise GazeError(f"An image of {width:g} x {height:g} px has no room for scanpaths.")
        self._width, self._height, self._settings = float(width), float(height), settings
        self._diagonal = math.hypot(width, height)
        if "sequence_score" in settings.pairwise:
            share = settings.bandwidth
            self._centres = centres_of(
                [path.points for path in people], None if share is None else share * self._diagonal
            )
        if set(MULTIMATCH) & set(settings.pairwise):
            multimatch.require()

    def values(
        self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs
    ) -> dict[str, DoubleArray]:
        """Return each measure of pairs of scanpaths.

        Parameters
        ----------
        first, second
            Scanpaths of at least one fixation, in px of this image.
        pairs
            Numbers of the compared ones.

        Returns
        -------
        dict
            Id of the measure -> shape (p,); NaN where a pair has no value.
        """
        parts = [
            self._values(first, second, (pairs[0][k : k + _PAIRS_AT_ONCE], pairs[1][k : k + _PAIRS_AT_ONCE]))
            for k in range(0, max(len(pairs[0]), 1), _PAIRS_AT_ONCE)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._settings.pairwise}

    def _values(
        self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs
    ) -> dict[str, DoubleArray]:
        measured: dict[str, Callable[[Sequence[Scanpath], Sequence[Scanpath], Pairs], DoubleArray]] = {
            "scanmatch": self._scanmatch,
            "scanmatch_duration": self._scanmatch_duration,
            "string_edit": self._string_edit,
            "dtw": self._dtw,
            "sequence_score": self._sequence_score,
        }
        wanted = self._settings.pairwise
        found = {name: measure(first, second, pairs) for name, measure in measured.items() if name in wanted}
        if set(MULTIMATCH) & set(wanted):
            similarities = multimatch.multimatch(first, second, pairs, self._width, self._height)
            found |= dict(zip(MULTIMATCH, similarities, strict=True))
        return found

    def _scanmatch(self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs) -> DoubleArray:
        """ScanMatch without time (Cristino, Mathôt, Theeuwes & Gilchrist 2010): one symbol a fixation."""
        return self._aligned(_strings(first, second, pairs, self._cells))

    def _scanmatch_duration(
        self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs
    ) -> DoubleArray:
        """ScanMatch with a symbol for each time bin of a fixation; NaN where no bin is filled."""
        return self._aligned(_strings(first, second, pairs, self._timed_cells))

    def _aligned(self, strings: tuple[Strings, Strings]) -> DoubleArray:
        earned = substitutions(*self._settings.grid, self._settings.threshold)
        return _share(needleman_wunsch(*strings, earned) / self._settings.threshold, *strings)

    def _string_edit(
        self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs
    ) -> DoubleArray:
        """1 - Levenshtein distance / longer string."""
        strings = _strings(first, second, pairs, self._cells)
        return 1.0 - _share(edit_distance(*strings), *strings)

    def _dtw(self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs) -> DoubleArray:
        """Mean distance of aligned fixations, % of the image's diagonal."""
        tracks = [Tracks.of([path.points for path in paths]) for paths in (first, second)]
        cost, steps = time_warping(tracks[0].part(pairs[0]), tracks[1].part(pairs[1]))
        return 100.0 * cost / (steps * self._diagonal)

    def _sequence_score(
        self, first: Sequence[Scanpath], second: Sequence[Scanpath], pairs: Pairs
    ) -> DoubleArray:
        """Sequence score (Yang et al. 2020) of the clusters that fixations lie nearest to."""
        strings = _strings(first, second, pairs, lambda path: labels(path.points, self._centres))
        if self._settings.max_steps is not None:
            strings = strings[0].first(self._settings.max_steps), strings[1].first(self._settings.max_steps)
        return _share(needleman_wunsch(*strings, np.eye(len(self._centres))), *strings)

    def _cells(self, path: Scanpath) -> IntArray:
        """Return the cell of each fixation; those outside the image count as in the nearest one."""
        columns, rows = self._settings.grid
        column = np.clip(np.floor(path.x * (columns / self._width)), 0, columns - 1)
        row = np.clip(np.floor(path.y * (rows / self._height)), 0, rows - 1)
        cells: IntArray = (row * columns + column).astype(np.int64)
        return cells

    def _timed_cells(self, path: Scanpath) -> IntArray:
        """Return the cells, each as often as bins fit its fixation; none where a duration is unknown."""
        if not path.has_durations:
            return np.zeros(0, dtype=np.int64)
        times = np.floor(path.duration_ms / self._settings.bin_ms + 0.5)
        if times.sum() > _LONGEST:
            raise GazeError(
                f"A scanpath lasts {times.sum():g} bins of {self._settings.bin_ms:g} ms; {_LONGEST} are the "
                "most that are compared.",
                where=f"scanpath of {path.subject}",
                todo="Choose longer bins, or leave out fixations that are too long to be one.",
            )
        return np.repeat(self._cells(path), times.astype(np.int64))


@lru_cache(maxsize=16)
def substitutions(columns: int, rows: int, threshold: float) -> DoubleArray:
    """Return what ScanMatch gives for aligning two cells: threshold - their distance, in cells.

    The matrix of ``ScanMatch_CreateSubMatrix.m``: |d - d_max| - (d_max - threshold), shape (n, n) for n =
    columns * rows cells, row-major.
    """
    row, column = np.divmod(np.arange(columns * rows), columns)
    distance = np.hypot(column[:, None] - column, row[:, None] - row)
    earned: DoubleArray = threshold - distance
    earned.setflags(write=False)
    return earned


def _strings(
    first: Sequence[Scanpath],
    second: Sequence[Scanpath],
    pairs: Pairs,
    symbols: Callable[[Scanpath], IntArray],
) -> tuple[Strings, Strings]:
    """Return the strings of both scanpaths of each pair."""
    ones = Strings.of([symbols(path) for path in first])
    others = ones if second is first else Strings.of([symbols(path) for path in second])
    return ones.part(pairs[0]), others.part(pairs[1])


def _share(amount: DoubleArray | IntArray, first: Strings, second: Strings) -> DoubleArray:
    """Return an amount as a share of the longer string; NaN where one of the two is empty."""
    longer = np.where(
        (first.length > 0) & (second.length > 0), np.maximum(first.length, second.length), np.nan
    )
    share: DoubleArray = amount / longer
    return share
