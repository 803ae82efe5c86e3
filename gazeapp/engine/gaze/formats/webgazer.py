"""Webcam gaze that jsPsych recorded with WebGazer: samples in px of the browser's window, by trial."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.gathering import GazeGatherer, rate_of
from gazeapp.engine.gaze.records import (
    SCREEN,
    Contents,
    Eye,
    Facts,
    Frame,
    Placement,
    empty_fixations,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Key
from gazeapp.engine.types import DoubleArray

_Row: TypeAlias = Mapping[str, Any]

_DATA, _TARGETS = "webgazer_data", "webgazer_targets"
_SUBJECT = ("subject", "subject_id", "participant", "participant_id", "subject_nr", "prolific_pid", "run_id")
_IMAGE = ("image", "image_name", "image_file", "img", "picture", "stimulus_image", "stimulus")
_CELL = re.compile(r'(?:"(?P<quoted>(?:[^"]++|"")*+)"|(?P<plain>[^,"\r\n]*+))(?P<end>,|\r\n|\r|\n|\Z)')
_SOURCE = re.compile(r"""<img\b[^>]{0,2000}?\bsrc\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_FILE = re.compile(r"\.(?:jpe?g|png|bmp|tiff?|gif|webp|svg)(?:\?.*)?$", re.IGNORECASE)
_BAD_SAMPLES = "trial whose samples cannot be read"
_LARGEST = 512 * 1024 * 1024


def recognise(source: Source) -> Guess | None:
    """Tell jsPsych data with WebGazer by the name of its column or key."""
    if not source.is_text or not any(_DATA in line for line in source.head_lines):
        return None
    others = [
        name
        for name in (_TARGETS, "trial_type", "time_elapsed")
        if any(name in line for line in source.head_lines)
    ]
    if not others:
        return Guess(0.7, f"the name {_DATA}")
    return Guess(0.97, f"jsPsych's names {_DATA} and {others[0]}")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read the samples of all trials that have some, from jsPsych's CSV or JSON.

    Times count from the begin of each trial. Where jsPsych recorded the rectangle of the image, it is
    the image's place on the screen.

    Raises
    ------
    GazeError
        When the file is neither CSV nor JSON, is cut short, or no trial has samples.
    """
    with source.open_text() as text:
        whole = text.read(_LARGEST)
    if len(whole) >= _LARGEST:
        raise source.problem("The file is larger than 512 MB.", "Split it by participant.")
    bare = whole.lstrip("\ufeff \t\r\n")
    rows = _json_rows(source, bare) if bare[:1] in "[{" else _csv_rows(source, whole.lstrip("\ufeff"))
    table = _Trials(source.stem)
    for row in rows:
        table.add(row)
    return table.contents(source)


def _json_rows(source: Source, text: str) -> Iterator[_Row]:
    """Yield trials: of one list, or of one list a line (one participant each)."""
    decoder = json.JSONDecoder()
    place = 0
    try:
        while place < len(text):
            found, place = decoder.raw_decode(text, place)
            yield from _trials_in(found)
            while place < len(text) and text[place] in " \t\r\n,":
                place += 1
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", place)
        raise source.problem(
            "The JSON is damaged or was cut short.", "Save the data again.", text.count("\n", 0, at) + 1
        ) from error


def _trials_in(found: object) -> Iterator[_Row]:
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(reversed(one))
        elif isinstance(one, dict) and _DATA not in one and isinstance(one.get("data"), list):
            waiting.append(one["data"])
        elif isinstance(one, dict):
            yield one


def _csv_rows(source: Source, text: str) -> Iterator[_Row]:
    """Yield the rows of jsPsych's CSV; its cells of samples are longer than Python's csv allows."""
    header: list[str] | None = None
    cells: list[str] = []
    place, line = 0, 1
    while place < len(text):
        found = _CELL.match(text, place)
        if found is None:
            raise source.problem(
                "A quotation mark in this row is not closed or stands in the middle of a cell.",
                "Look at that row, and save the table again.",
                line,
            )
        quoted = found["quoted"]
        cells.append(found["plain"].strip() if quoted is None else quoted.replace('""', '"'))
        line += text.count("\n", place, found.end())
        place = found.end()
        if found["end"] != "," or place == len(text):
            if header is None:
                header = cells
            elif any(cells):
                yield dict(zip(header, cells, strict=False))
            cells = []


class _Trials:
    """Trials gathered so far."""

    def __init__(self, stem: str) -> None:
        self._stem = stem
        self._lost: Counter[str] = Counter()
        self._gaze = GazeGatherer()
        self._places: dict[Key, Placement] = {}
        self._seen: Counter[Key] = Counter()
        self._unclear = 0
        self._unnamed = False

    def add(self, row: _Row) -> None:
        """Take one trial of jsPsych; those without gaze are passed over."""
        data = _parsed(row.get(_DATA))
        if data in (None, "", [], {}):
            return
        samples = _samples(data)
        if samples is None:
            self._lost[_BAD_SAMPLES] += 1
            return
        key = self._key(row)
        place, unclear = _place(_parsed(row.get(_TARGETS)))
        self._unclear += unclear
        if place is not None:
            self._places[key] = place
        time, x, y = samples
        self._gaze.add([key] * len(time), time, {Eye.AVERAGE: (x, y)})

    def _key(self, row: _Row) -> Key:
        named = {name.casefold(): value for name, value in row.items()}
        subject = _first(named, _SUBJECT)
        self._unnamed = self._unnamed or not subject
        image = next((found for name in _IMAGE if (found := _image(named.get(name)))), "")
        key = Key(subject or self._stem, image, _first(named, ("task",)), _first(named, ("trial_index",)))
        # Data of several runs can stand in one file: the same number again is another trial.
        self._seen[key] += 1
        again = self._seen[key]
        return key if again == 1 else key._replace(label=f"{key.label} ({again})")

    def contents(self, source: Source) -> Contents:
        """Return what was gathered."""
        if not len(self._gaze):
            raise source.problem(
                "No trial has samples of gaze ('webgazer_data').",
                "Add the WebGazer extension to the trials that show images, and save the data again.",
            )
        trials, samples = self._gaze.attach()
        self._lost.update(self._gaze.lost)
        places = self._places
        trials = tuple(
            replace(trial, placement=places.get(Key(trial.subject, trial.image, trial.task, trial.label)))
            for trial in trials
        )
        facts = Facts(
            frame=Frame(of=SCREEN),
            eyes=(Eye.AVERAGE.word,),
            rate_hz=rate_of(trials),
            n_samples=len(samples),
            lost_rows=dict(+self._lost),
            notes=(*source.encoding_notes, *self._notes()),
        )
        return Contents(facts, trials, empty_fixations(), samples)

    def _notes(self) -> list[str]:
        notes = ["Positions are px of the browser's window; times count from the begin of each trial."]
        if self._unclear:
            notes.append(
                "Trials with several rectangles of which none is named as the image's, so that its place is not "
                f"known from the file: {self._unclear}."
            )
        if self._unnamed:
            notes.append(
                "The file does not say who looked in all trials; there the subject is the file's name."
            )
        return notes


def _parsed(value: object) -> object:
    """Return a value, or what stands in it when it is text of JSON; None when that is damaged."""
    if not isinstance(value, str) or not value.strip():
        return None if isinstance(value, str) else value
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError):
        return None if value.strip() in ("null", "NA") else value
    return parsed


def _samples(data: object) -> tuple[DoubleArray, DoubleArray, DoubleArray] | None:
    """Return times, ms, and positions of samples, px; None when they cannot be read."""
    if not isinstance(data, list) or not all(isinstance(sample, dict) for sample in data):
        return None
    time, x, y = (
        np.array([_number(sample.get(name)) for sample in data], dtype=np.float64) for name in ("t", "x", "y")
    )
    return time, x, y


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return float("nan")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return float("nan")
    return number if np.isfinite(number) else float("nan")


def _place(targets: object) -> tuple[Placement | None, bool]:
    """Return where the image lay, and whether several rectangles make that unclear."""
    if not isinstance(targets, dict):
        return None, False
    boxes = {name: box for name, box in targets.items() if isinstance(box, dict)}
    images = [name for name in boxes if re.search(r"stimulus|image|img|picture", name, re.IGNORECASE)]
    chosen = images if len(boxes) > 1 else list(boxes)
    if len(chosen) != 1:
        return None, len(boxes) > 1
    box = boxes[chosen[0]]
    left, top = (_number(box.get(name, box.get(other))) for name, other in (("x", "left"), ("y", "top")))
    width, height = (_number(box.get(name)) for name in ("width", "height"))
    if not all(np.isfinite([left, top, width, height])) or width <= 0 or height <= 0:
        return None, False
    return Placement("top_left", left, top, width, height), False


def _first(named: _Row, names: tuple[str, ...]) -> str:
    return next((str(named[name]).strip() for name in names if named.get(name) not in (None, "")), "")


def _image(value: object) -> str:
    """Return the image that a stimulus names, also in HTML; empty when it names none."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if not isinstance(value, str):
        return ""
    found = _SOURCE.search(value)
    name = found[1] if found else value.strip()
    return name if found or _FILE.search(name[-300:]) else ""


FORMAT = Format(
    id="webgazer",
    name="jsPsych with WebGazer",
    suffixes=(".csv", ".json"),
    recognise=recognise,
    read=read,
    has_samples=True,
)
