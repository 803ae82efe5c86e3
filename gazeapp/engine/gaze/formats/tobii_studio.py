"""Tobii Studio's own exports: fixations, all data with one row a sample, and event logs (refused)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.gathering import GazeGatherer, KeyBook, Repeats, rate_of
from gazeapp.engine.gaze.formats.headers import Header, can_number, header_in_head, header_of, nothing_read
from gazeapp.engine.gaze.records import (
    BROKEN_LINE,
    SCREEN,
    Contents,
    Eye,
    Facts,
    Fixations,
    Frame,
    Placement,
    empty_fixations,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Gatherer, Key, Rows
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_FIXATIONS = (
    "fixation_index",
    "timestamp",
    "fixation_duration",
    "mapped_fixation_point_x",
    "mapped_fixation_point_y",
)
_GAZE = {
    Eye.LEFT: ("gaze_point_xleft", "gaze_point_yleft", "validity_left"),
    Eye.RIGHT: ("gaze_point_xright", "gaze_point_yright", "validity_right"),
}
_MEDIA = ("media_pos_x", "media_pos_y", "media_width", "media_height")
_LOST = 4
_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)")
_NO_PICTURES = ("screenrec", "screen rec", "screen recording")


def _is_fixations(header: Header) -> bool:
    return header.has(*_FIXATIONS) and not _has_gaze(header)


def _is_all_data(header: Header) -> bool:
    return header.has("timestamp") and _has_gaze(header)


def _has_gaze(header: Header) -> bool:
    return any(header.has(*names) for names in _GAZE.values())


def _is_events(header: Header) -> bool:
    return header.has("timestamp", "event", "event_key") and not header.has("fixation_index")


def _is_table(header: Header) -> bool:
    return _is_fixations(header) or _is_all_data(header) or _is_events(header)


def recognise(source: Source) -> Guess | None:
    """Tell Tobii Studio's exports by their columns, below lines such as 'Data properties:'."""
    header = header_in_head(source, _is_table)
    if header is None:
        return None
    if _is_all_data(header):
        what = "samples (GazePointXLeft, ValidityLeft ...)"
    else:
        what = "fixations (FixationIndex, MappedFixationPointX ...)" if _is_fixations(header) else "events"
    titled = any(line.strip().casefold() == "data properties:" for line in header.above)
    if titled:
        return Guess(0.97, f"the line 'Data properties:' and Tobii Studio's columns of {what}")
    return None if _is_events(header) else Guess(0.9, f"Tobii Studio's columns of {what}")


def read(source: Source, options: ReadOptions) -> Contents:
    """Read fixations in screen px, and the samples of an all-data export that are asked for.

    Raises
    ------
    GazeError
        When Tobii Studio's columns are missing, there is no row, or the file is an event log.
    """
    header = header_of(source, _is_table)
    if header is None:
        raise source.problem("There is no line with Tobii Studio's columns.", "Export the recording again.")
    if _is_events(header):
        raise source.problem(
            "This is Tobii Studio's log of events (clicks, keys): it holds no gaze.",
            "Take the export of fixations ('Fixation-Data') or of all data ('All-Data') of the same recording.",
            header.line,
        )
    table = _Table(header, source.stem)
    for rows in header.rows(source, table.lost):
        table.add(rows)
    return table.contents(source, options.samples)


class _Table:
    """Rows gathered so far: fixations (each on one row or on many) and samples."""

    def __init__(self, header: Header, stem: str) -> None:
        self._header = header
        self._subject = header.said("subject", "participant") or stem
        self._recording = header.said("recording", "recording_name")
        size = _SIZE.search(header.said("screen_resolution", "recording_resolution"))
        self._screen = (float(size[1]), float(size[2])) if size else None
        self._eye = Eye.of(header.said("eye"))
        self.lost: Counter[str] = Counter()
        self._events = 0
        self._book = KeyBook()
        self._codes: list[IntArray] = []
        self._columns: dict[str, list[DoubleArray]] = {name: [] for name in (*_FIXATIONS, *_MEDIA)}
        self._gaze = GazeGatherer()
        self._places: dict[str, Placement] = {}

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        keys = self._keys(rows)
        found = {name: rows.numbers(self._header.place(name), True) for name in (*_FIXATIONS, *_MEDIA)}
        numbered = can_number(found["fixation_index"]) & np.isfinite(found["timestamp"])
        if _has_gaze(self._header):
            self._samples(rows, keys, found["timestamp"], ~numbered)
        else:
            self.lost[BROKEN_LINE] += int((~numbered).sum())
        self._codes.append(self._book.codes(keys)[numbered])
        for name, values in found.items():
            self._columns[name].append(values[numbered])
        left, top, width, height = (found[name] for name in _MEDIA)
        for row in np.flatnonzero(np.isfinite(left) & np.isfinite(top)).tolist():
            image = keys[row].image
            if image and image not in self._places:
                self._places[image] = Placement("top_left", left[row], top[row], width[row], height[row])

    def _keys(self, rows: Rows) -> list[Key]:
        """Return the trial of each row; a recording of the screen is no image."""
        place = self._header.place("stimuli_name")
        if place is None:
            return [Key(self._subject, label=self._recording)] * len(rows.cells)
        names = rows.column(place)
        images = ["" if name.casefold() in _NO_PICTURES else name for name in names]
        return [Key(self._subject, image, label=self._recording) for image in images]

    def _samples(self, rows: Rows, keys: list[Key], time: DoubleArray, no_fixation: BoolArray) -> None:
        gaze, has_any = {}, ~no_fixation
        for eye, names in _GAZE.items():
            if not self._header.has(*names):
                continue
            x, y, validity = (rows.numbers(self._header.place(name), True) for name in names)
            has_any |= np.isfinite(x) | np.isfinite(validity)
            lost = (validity >= _LOST) | ((x == -1) & (y == -1))
            if self._screen is not None:
                lost |= (x == -self._screen[0]) & (y == -self._screen[1])
            gaze[eye] = (np.where(lost, np.nan, x), np.where(lost, np.nan, y))
        self._events += int((~has_any).sum())
        there = np.flatnonzero(has_any)
        self._gaze.add(
            [keys[row] for row in there.tolist()],
            time[there],
            {eye: (x[there], y[there]) for eye, (x, y) in gaze.items()},
        )

    def contents(self, source: Source, with_samples: bool) -> Contents:
        """Return what was gathered."""
        if not self._codes:
            raise nothing_read(source, self.lost)
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        codes = np.concatenate(self._codes)
        gatherer = self._fixations(codes, columns)
        trials, fixations = gatherer.build()
        n_samples, samples = len(self._gaze), None
        if n_samples and (with_samples or not len(fixations)):
            trials, samples = self._gaze.attach(trials)
        self.lost.update(self._gaze.lost)
        if not trials:
            raise nothing_read(source, self.lost)
        trials = tuple(replace(trial, placement=self._places.get(trial.image)) for trial in trials)
        facts = Facts(
            frame=Frame(of=SCREEN),
            screen=self._screen,
            eyes=tuple(eye.word for eye in sorted(self._gaze.eyes)) or _word(self._eye),
            rate_hz=rate_of(trials),
            n_samples=n_samples,
            lost_rows=dict(+self.lost),
            notes=(*source.encoding_notes, *self._notes()),
        )
        return Contents(facts, trials, fixations, samples)

    def _fixations(self, codes: IntArray, columns: dict[str, DoubleArray]) -> Gatherer:
        gatherer, keys = Gatherer(), self._book.keys()
        if not len(codes):
            gatherer.add([], empty_fixations())
            return gatherer
        number = columns["fixation_index"].astype(np.int64)
        # Only an export of samples repeats a fixation; in the other, equal numbers are two fixations.
        rows = Repeats(codes, number).first if _has_gaze(self._header) else np.arange(len(codes))
        left, top = columns["media_pos_x"][rows], columns["media_pos_y"][rows]
        fixations = Fixations.of(
            columns["mapped_fixation_point_x"][rows] + np.nan_to_num(left),
            columns["mapped_fixation_point_y"][rows] + np.nan_to_num(top),
            index=number[rows],
            start_ms=columns["timestamp"][rows],
            duration_ms=columns["fixation_duration"][rows],
            eye=self._eye,
        )
        gatherer.add([keys[code] for code in codes[rows].tolist()], fixations)
        return gatherer

    def _notes(self) -> list[str]:
        notes = []
        if self._events:
            notes.append(f"Rows of events such as clicks, which hold no gaze: {self._events}.")
        if any(place.x or place.y for place in self._places.values()):
            notes.append(
                "Fixations count from the corner of the image; the image's place on the screen is added."
            )
        if self._screen is None:
            notes.append("The file does not say how large the screen was.")
        return notes


def _word(eye: Eye) -> tuple[str, ...]:
    return (eye.word,) if eye != Eye.UNKNOWN else ()


FORMAT = Format(
    id="tobii-studio",
    name="Tobii Studio",
    suffixes=(".tsv", ".txt"),
    recognise=recognise,
    read=read,
    has_samples=True,
)
