"""The measures of pairs of scanpaths on one image."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TypeVar

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
from gazeapp.engine.gaze.scanpaths.clusters import bandwidth_of, labels, places_without
from gazeapp.engine.gaze.scanpaths.measures import MULTIMATCH, ScanpathSettings
from gazeapp.engine.gaze.scanpaths.scanpath import Scanpath
from gazeapp.engine.types import DoubleArray, IntArray

Paths = Sequence[Scanpath]
Pairs = tuple[IntArray, IntArray]
"""Numbers of the scanpaths of a first and of a second list that are compared, each of shape (p,)."""

SEQUENCE_SCORE = "sequence_score"
"""The one measure that is not symmetric: places are those of everybody but the first of the two."""

_LONGEST = 2000
"""Symbols of one string: 200 s in bins of 100 ms."""

_PAIRS_AT_ONCE = 2000
_Table = TypeVar("_Table", Strings, Tracks)


class ImageMeasures:
    """Measures scanpaths on one image.

    Parameters
    ----------
    people
        Scanpaths whose fixations make the places of the sequence score; at least one fixation in all.
    width, height
        Size of the image, px.
    settings
        What is measured, and how.

    Raises
    ------
    GazeError
        If MultiMatch is asked for and not installed, or the image has no size.
    """

    def __init__(self, people: Paths, width: float, height: float, settings: ScanpathSettings) -> None:
        if not (width > 0 and height > 0):
            raise GazeError(f"An image of {width:g} x {height:g} px has no room for scanpaths.")
        self._width, self._height, self._settings = float(width), float(height), settings
        self._diagonal = math.hypot(width, height)
        self.names = settings.pairwise
        """Ids of the measures of two scanpaths."""
        if set(MULTIMATCH) & set(self.names):
            multimatch.require()
        if SEQUENCE_SCORE in self.names:
            self._find_places(people)

    def values(
        self, first: Paths, second: Paths, pairs: Pairs, among: Collection[str] | None = None
    ) -> dict[str, DoubleArray]:
        """Return the measures of pairs of scanpaths.

        Parameters
        ----------
        first, second
            Scanpaths of at least one fixation, in px of this image.
        pairs
            Numbers of the compared ones.
        among
            Ids of measures of two scanpaths that are wanted; None: all that the settings name.

        Returns
        -------
        dict
            Id of the measure -> shape (p,); NaN where a pair has no value.
        """
        measured: dict[str, Callable[[Paths, Paths, Pairs], DoubleArray]] = {
            "scanmatch": self._scanmatch,
            "scanmatch_duration": self._scanmatch_duration,
            "string_edit": self._string_edit,
            "dtw": self._dtw,
            SEQUENCE_SCORE: self._sequence_score,
        }
        wanted = [name for name in self.names if among is None or name in among]
        found = {name: measured[name](first, second, pairs) for name in wanted if name in measured}
        if set(MULTIMATCH) & set(wanted):
            similarities = multimatch.multimatch(first, second, pairs, self._width, self._height)
            found |= dict(zip(MULTIMATCH, similarities, strict=True))
        return {name: found[name] for name in wanted}

    def _find_places(self, people: Paths) -> None:
        """Find the places of everybody, and of everybody but each."""
        tracks = [path.points for path in people]
        share = self._settings.bandwidth
        bandwidth = bandwidth_of(tracks) if share is None else share * self._diagonal
        subjects = list(dict.fromkeys(path.subject for path in people))
        owners = [subjects.index(path.subject) for path in people]
        self._everybody, *without = places_without(tracks, owners, bandwidth)
        self._places = {name: own for name, own in zip(subjects, without, strict=True) if len(own)}

    def _scanmatch(self, first: Paths, second: Paths, pairs: Pairs) -> DoubleArray:
        """ScanMatch without time (Cristino, Mathôt, Theeuwes & Gilchrist 2010): one symbol a fixation."""
        return self._aligned(*_strings(first, second, pairs, self._cells))

    def _scanmatch_duration(self, first: Paths, second: Paths, pairs: Pairs) -> DoubleArray:
        """ScanMatch with a symbol for each time bin of a fixation; NaN where no bin is filled."""
        return self._aligned(*_strings(first, second, pairs, self._timed_cells))

    def _aligned(self, ones: Strings, others: Strings) -> DoubleArray:
        threshold = self._settings.threshold
        earned = substitutions(*self._settings.grid, threshold)
        score = _in_parts(lambda a, b: needleman_wunsch(a, b, earned), ones, others)
        return _share(score / threshold, ones, others)

    def _string_edit(self, first: Paths, second: Paths, pairs: Pairs) -> DoubleArray:
        """1 - Levenshtein distance / longer string."""
        ones, others = _strings(first, second, pairs, self._cells)
        edits = _in_parts(lambda a, b: edit_distance(a, b).astype(np.float64), ones, others)
        return 1.0 - _share(edits, ones, others)

    def _dtw(self, first: Paths, second: Paths, pairs: Pairs) -> DoubleArray:
        """Mean distance of aligned fixations, % of the image's diagonal."""

        def mean_distance(ones: Tracks, others: Tracks) -> DoubleArray:
            cost, steps = time_warping(ones, others)
            return cost / steps

        ones, others = (Tracks.of([path.points for path in paths]) for paths in (first, second))
        return _in_parts(mean_distance, ones.part(pairs[0]), others.part(pairs[1])) * (100.0 / self._diagonal)

    def _sequence_score(self, first: Paths, second: Paths, pairs: Pairs) -> DoubleArray:
        """Sequence score (Yang et al. 2020) of the places that fixations lie nearest to.

        The places are those of everybody but the first of the two, so that people are treated as a model
        is, which looks without having a part in what counts as a place.
        """
        places = [self._places.get(path.subject, self._everybody) for path in first]
        ones, others = (Tracks.of([path.points for path in paths]) for paths in (first, second))
        own = np.array([labels(track, known) for track, known in zip(ones.points, places, strict=True)])
        flat = others.points.reshape(-1, 2)
        seen = np.array([labels(flat, known).reshape(others.points.shape[:2]) for known in places])
        strings = Strings(own, ones.length).part(pairs[0]), Strings(seen[pairs], others.length[pairs[1]])
        if self._settings.max_steps is not None:
            strings = strings[0].first(self._settings.max_steps), strings[1].first(self._settings.max_steps)
        same = np.eye(max(len(known) for known in places))
        return _share(_in_parts(lambda a, b: needleman_wunsch(a, b, same), *strings), *strings)

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
                f"A scanpath of {path.subject} lasts {times.sum():g} bins of {self._settings.bin_ms:g} ms; {_LONGEST} "
                "are the most that are compared.",
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
    first: Paths, second: Paths, pairs: Pairs, symbols: Callable[[Scanpath], IntArray]
) -> tuple[Strings, Strings]:
    """Return the strings of both scanpaths of each pair."""
    ones = Strings.of([symbols(path) for path in first])
    others = ones if second is first else Strings.of([symbols(path) for path in second])
    return ones.part(pairs[0]), others.part(pairs[1])


def _in_parts(align: Callable[[_Table, _Table], DoubleArray], ones: _Table, others: _Table) -> DoubleArray:
    """Return what aligning all pairs gives, some at a time, so that a crowd's pairs need little memory."""
    starts = range(0, max(len(ones.length), 1), _PAIRS_AT_ONCE)
    parts = [np.arange(start, min(start + _PAIRS_AT_ONCE, len(ones.length))) for start in starts]
    return np.concatenate([align(ones.part(part), others.part(part)) for part in parts])


def _share(amount: DoubleArray, first: Strings, second: Strings) -> DoubleArray:
    """Return an amount as a share of the longer string; NaN where one of the two is empty."""
    longer = np.where(
        (first.length > 0) & (second.length > 0), np.maximum(first.length, second.length), np.nan
    )
    share: DoubleArray = amount / longer
    return share
