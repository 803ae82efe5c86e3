"""Tobii Pro Lab's data export (and Tobii Studio 3's): one row a sample, so that fixations repeat."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, compress

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.gathering import GazeGatherer, KeyBook, Repeats, rate_of
from gazeapp.engine.gaze.formats.headers import Header, can_number, header_in_head, header_of, nothing_read
from gazeapp.engine.gaze.formats.tobii_pro_columns import TO_MS, Mapped, ProColumns, pro_columns
from gazeapp.engine.gaze.records import SCREEN, Contents, Facts, Fixations, Placement, empty_fixations
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Gatherer, Key, Rows
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_FIXATION = "fixation"
_NO_NUMBER = "row of a fixation without a number"
_NOT_MAPPED = "fixation on no image that gaze was mapped to"
_OUTSIDE = "outside any stimulus"
_LONG_FOR_SPAN, _LONG_FOR_STEP, _LONGEST_STEP = 30.0, 100.0, 200.0
_VALUES = ("number", "x", "y", "time", "duration")


def recognise(source: Source) -> Guess | None:
    """Tell Tobii Pro Lab's export by its columns, by their old or new names."""
    header = header_in_head(source, _is_header)
    columns = None if header is None else pro_columns(header)
    if header is None or columns is None:
        return None
    told = [
        header.cells[columns.places[name]] for name in ("time", "type", "index") if name in columns.places
    ]
    return Guess(
        0.97 if columns.has_fixations else 0.92, f"Tobii Pro Lab's columns {', '.join(map(repr, told))}"
    )


def read(source: Source, options: ReadOptions) -> Contents:
    """Read the fixations of all participants and stimuli of an export, each once.

    A fixation is what has the same participant, recording, stimulus and number; its position is that of
    its first row that has one, its begin the time of its first row. A trial is one participant's
    recording of one stimulus.

    Raises
    ------
    GazeError
        When columns are missing, there is no row, or positions lie in the video of a scene camera.
    """
    header = header_of(source, _is_header)
    columns = None if header is None else pro_columns(header)
    if header is None or columns is None:
        raise source.problem("There is no line with Tobii Pro Lab's columns.", "Export the data again.")
    if columns.is_glasses:
        raise source.problem(
            "These fixations lie in the video of the scene camera, not on an image.",
            "Map the gaze to a snapshot in Tobii Pro Lab, and export the columns 'Mapped fixation X' and 'Y'.",
            header.line,
        )
    table = _read(source, header, columns, options.samples or not columns.has_fixations)
    if not table.has_fixations and not table.takes_samples:
        table = _read(source, header, columns, columns.gaze != {})
    return table.contents(source)


def _is_header(header: Header) -> bool:
    return pro_columns(header) is not None


def _read(source: Source, header: Header, columns: ProColumns, takes_samples: bool) -> _Table:
    table = _Table(columns, header.delimiter != ",", source.stem, takes_samples and bool(columns.gaze))
    all_rows = header.rows(source, table.lost)
    first = next(all_rows, Rows(header.line + 1, []))
    table.find_unit(first)
    for rows in chain([first], all_rows):
        table.add(rows)
    return table


class _Table:
    """Rows gathered so far: those of fixations, and samples where they are wanted."""

    def __init__(self, columns: ProColumns, decimal_comma: bool, stem: str, takes_samples: bool) -> None:
        self.takes_samples = takes_samples
        self._columns, self._decimal_comma, self._stem = columns, decimal_comma, stem
        self._to_ms, self._notes = 1.0, list[str]()
        self.lost: Counter[str] = Counter()
        self._book = KeyBook()
        self._codes: list[IntArray] = []
        self._values: dict[str, list[DoubleArray]] = {name: [] for name in _VALUES}
        self._unmapped: tuple[set[tuple[str, str, float]], set[tuple[str, str, float]]] = (set(), set())
        self._places: dict[str, Placement] = {}
        self._screen: tuple[float, float] | None = None
        self._n_samples = 0
        self._gaze = GazeGatherer()

    @property
    def has_fixations(self) -> bool:
        """Whether a row of a fixation was found."""
        return any(len(part) for part in self._codes)

    def find_unit(self, rows: Rows) -> None:
        """Find the unit of time: the header's, or what the first rows show."""
        unit = self._columns.units["time"]
        if unit in TO_MS:
            self._to_ms = TO_MS[unit]
        elif self._is_in_microseconds(rows):
            self._to_ms = TO_MS["us"]
            self._notes.append("Times have no unit in the header; by their steps they are microseconds.")

    def _is_in_microseconds(self, rows: Rows) -> bool:
        time = self._numbers(rows, "time")
        if self._columns.has_fixations and "duration" in self._columns.places:
            kinds = rows.column(self._columns.places["type"])
            is_fixation = np.array([kind.casefold() == _FIXATION for kind in kinds], dtype=np.bool_)
            number, duration = self._numbers(rows, "index"), self._numbers(rows, "duration")
            told = is_fixation & can_number(number) & np.isfinite(time) & (duration > 0)
            each = Repeats(np.zeros(int(told.sum()), np.int64), number[told].astype(np.int64))
            begins, ends = time[told][each.first], time[told][each.last]
            length = duration[told][each.first] * self._duration_to_ms()
            spans = (ends - begins)[ends > begins] / length[ends > begins]
            if len(spans):
                return float(np.median(spans)) > _LONG_FOR_SPAN
            if len(begins) > 1:
                return float(np.median(np.diff(begins)) / np.median(length)) > _LONG_FOR_STEP
        steps = np.diff(time[np.isfinite(time)])
        steps = steps[steps > 0]
        return bool(len(steps)) and float(np.median(steps)) > _LONGEST_STEP

    def _duration_to_ms(self) -> float:
        return TO_MS.get(self._columns.units.get("duration", ""), 1.0)

    def _numbers(self, rows: Rows, name: str) -> DoubleArray:
        return rows.numbers(self._columns.places.get(name), self._decimal_comma)

    def _texts(self, rows: Rows, name: str) -> list[str]:
        return rows.column(self._columns.places.get(name))

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        if self._screen is None:
            self._find_screen(rows)
        if self._columns.frame.of == SCREEN and {"left", "top"} <= set(self._columns.places):
            self._find_places(rows)
        if self._columns.has_fixations:
            kinds = np.array([kind.casefold() == _FIXATION for kind in self._texts(rows, "type")], np.bool_)
            for mapped in self._columns.mapped:
                self._add_mapped(rows, mapped, kinds)
            if self._columns.mapped:
                self._count_unmapped(_some(rows, kinds))
            else:
                self._add_fixations(_some(rows, kinds))
        if self._columns.gaze:
            self._add_samples(rows)

    def _keys(self, rows: Rows, image: str = "") -> list[Key]:
        """Return the trial of each row; ``image`` where gaze was mapped to one."""
        recordings = self._texts(rows, "recording")
        subjects = [
            who or recording or self._stem
            for who, recording in zip(self._texts(rows, "participant"), recordings, strict=True)
        ]
        if image:
            images = [image] * len(recordings)
        else:
            names = zip(self._texts(rows, "media"), self._texts(rows, "stimulus"), strict=True)
            images = [media or stimulus for media, stimulus in names]
        cells = zip(subjects, images, recordings, strict=True)
        return [Key(subject, shown, label=recording) for subject, shown, recording in cells]

    def _add_fixations(self, rows: Rows) -> None:
        if self._columns.fixation is not None and rows.cells:
            x, y = self._columns.fixation
            self._take(rows, self._keys(rows), self._columns.places["index"], x, y)

    def _add_mapped(self, rows: Rows, mapped: Mapped, kinds: BoolArray) -> None:
        if mapped.type is not None:
            kinds = np.array([kind.casefold() == _FIXATION for kind in rows.column(mapped.type)], np.bool_)
        there = np.array([cell != "" for cell in rows.column(mapped.x)], np.bool_)
        rows = _some(rows, kinds & there)
        if rows.cells:
            index = self._columns.places["index"] if mapped.index is None else mapped.index
            self._take(rows, self._keys(rows, mapped.image), index, mapped.x, mapped.y)

    def _take(self, rows: Rows, keys: list[Key], index: int, x: int, y: int) -> None:
        number = rows.numbers(index, self._decimal_comma)
        whole = can_number(number)
        self.lost[_NO_NUMBER] += int((~whole).sum())
        found = {
            "number": number,
            "x": rows.numbers(x, self._decimal_comma),
            "y": rows.numbers(y, self._decimal_comma),
            "time": self._numbers(rows, "time") * self._to_ms,
            "duration": self._numbers(rows, "duration") * self._duration_to_ms(),
        }
        self._codes.append(self._book.codes(compress(keys, whole.tolist())))
        for name, values in found.items():
            self._values[name].append(values[whole])

    def _count_unmapped(self, rows: Rows) -> None:
        """Remember fixations by whether some row of them was mapped to an image."""
        mapped = np.zeros(len(rows.cells), dtype=np.bool_)
        for image in self._columns.mapped:
            mapped |= np.isfinite(rows.numbers(image.x, self._decimal_comma))
        who, recordings = self._texts(rows, "participant"), self._texts(rows, "recording")
        number = self._numbers(rows, "index").tolist()
        for name, is_mapped in zip(zip(who, recordings, number, strict=True), mapped.tolist(), strict=True):
            self._unmapped[is_mapped].add(name)

    def _find_screen(self, rows: Rows) -> None:
        sizes = self._numbers(rows, "screen_width"), self._numbers(rows, "screen_height")
        told = np.flatnonzero((sizes[0] > 0) & (sizes[1] > 0))
        if len(told):
            self._screen = (float(sizes[0][told[0]]), float(sizes[1][told[0]]))

    def _find_places(self, rows: Rows) -> None:
        images = [
            media or name
            for media, name in zip(self._texts(rows, "media"), self._texts(rows, "stimulus"), strict=True)
        ]
        seen = [row for row, image in enumerate(images) if image and image not in self._places]
        if not seen:
            return
        rows = Rows(rows.line, [rows.cells[row] for row in seen])
        left, top, width, height = (self._numbers(rows, name) for name in ("left", "top", "width", "height"))
        for row in np.flatnonzero(np.isfinite(left) & np.isfinite(top)).tolist():
            self._places.setdefault(
                images[seen[row]], Placement("top_left", *(float(v[row]) for v in (left, top, width, height)))
            )

    def _add_samples(self, rows: Rows) -> None:
        sensors = [sensor.casefold() for sensor in self._texts(rows, "sensor")]
        time = self._numbers(rows, "time") * self._to_ms
        there = np.zeros(len(rows.cells), dtype=np.bool_)
        gaze = {}
        for eye, (x_place, y_place, validity) in self._columns.gaze.items():
            x, y = (rows.numbers(place, self._decimal_comma) for place in (x_place, y_place))
            words = [word.casefold() for word in rows.column(validity)]
            lost = np.isin(words, ("invalid", "4"))
            there |= np.isfinite(x) | np.array([word != "" for word in words], dtype=np.bool_)
            gaze[eye] = (np.where(lost, np.nan, x), np.where(lost, np.nan, y))
        there |= np.array([kind != "" for kind in self._texts(rows, "type")], dtype=np.bool_)
        there &= np.isin(sensors, ("", "eye tracker")) & np.isfinite(time)
        self._n_samples += int(there.sum()) * len(gaze)
        if self.takes_samples:
            self._gaze.add(
                self._keys(_some(rows, there)),
                time[there],
                {eye: (x[there], y[there]) for eye, (x, y) in gaze.items()},
            )

    def contents(self, source: Source) -> Contents:
        """Return what was gathered."""
        gatherer = self._fixations()
        trials, fixations = gatherer.build()
        samples = None
        if self.takes_samples:
            trials, samples = self._gaze.attach(trials)
        if not trials:
            raise nothing_read(source, self.lost)
        not_mapped = len(self._unmapped[False] - self._unmapped[True])
        self.lost[_NOT_MAPPED] += not_mapped
        facts = Facts(
            frame=self._columns.frame,
            screen=self._screen,
            eyes=tuple(eye.word for eye in sorted(self._columns.gaze)),
            rate_hz=rate_of(trials),
            n_samples=self._n_samples,
            lost_rows=dict(+self.lost),
            notes=(*source.encoding_notes, *self._all_notes()),
        )
        shown = self._columns.names_images and not self._columns.mapped
        trials = tuple(
            replace(
                trial,
                label=trial.label if trial.image or not shown else f"{trial.label} {_OUTSIDE}".strip(),
                placement=self._places.get(trial.image),
                is_real=bool(trial.image) or not shown,
            )
            for trial in trials
        )
        return Contents(facts, trials, fixations, samples)

    def _all_notes(self) -> list[str]:
        notes = list(self._notes)
        if self._columns.has_fixations and "duration" not in self._columns.places:
            notes.append("The export has no column of durations ('Gaze event duration').")
        if self._columns.frame.of == SCREEN and self._screen is None:
            notes.append("The export does not say how large the screen was (columns 'Recording resolution').")
        return notes

    def _fixations(self) -> Gatherer:
        gatherer = Gatherer()
        if not self.has_fixations:
            gatherer.add([], empty_fixations())
            return gatherer
        codes, keys = np.concatenate(self._codes), self._book.keys()
        values = {name: np.concatenate(parts) for name, parts in self._values.items()}
        number = values["number"].astype(np.int64)
        each = Repeats(codes, number)
        at = each.first_with(np.isfinite(values["x"]) & np.isfinite(values["y"]))
        fixations = Fixations.of(
            values["x"][at],
            values["y"][at],
            index=number[each.first],
            start_ms=values["time"][each.first],
            duration_ms=values["duration"][each.first],
        )
        gatherer.add([keys[code] for code in codes[each.first].tolist()], fixations)
        return gatherer


def _some(rows: Rows, which: BoolArray) -> Rows:
    return Rows(rows.line, list(compress(rows.cells, which.tolist())))


FORMAT = Format(
    id="tobii-pro",
    name="Tobii Pro Lab",
    suffixes=(".tsv", ".txt", ".csv"),
    recognise=recognise,
    read=read,
    has_samples=True,
)
