"""COCO-Search18 and COCO-FreeView: scanpaths on photographs, one JSON list.

Layout of an item: ``{name, subject, task, condition, X[], Y[], T[], correct, split, ...}``, with X and Y
in px of a display of 1680 x 1050, on which each image was shown as large as fits, and T in ms. A search
target is a task of its own, ``search: bowl``, because people look elsewhere when they look for something
else; whether it was there and whether the answer was right stands in the trial's label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES, Trials, numbered
from gazeapp.engine.gaze.records import (
    BROKEN_LINE,
    NO_IMAGE_NAME,
    NO_SUBJECT,
    Contents,
    Facts,
    Fixations,
    Frame,
    Placement,
    Trial,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.types import DoubleArray, Json

SCREEN = (1680.0, 1050.0)
"""The authors' display, px."""

FREE_VIEWING = "free viewing"

_KEYS = ("name", "subject", "X", "Y", "T")
_OPENING = re.compile(r"\ufeff?\s*\[")
_BETWEEN = re.compile(r"[\s,]*")
_BLOCK = 1 << 18
_LONGEST_ITEM = 1 << 20
_NOTES = (
    "Positions are px of the authors' display, 1680 x 1050, on which each image was shown as large as fits, "
    "with bars. Images that were downloaded with their bars are that display.",
)


def recognise(source: Source) -> Guess | None:
    """Tell the list by the keys of its first item."""
    if not source.is_text or not source.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return None
    first = source.head[:_BLOCK]
    if not all(re.search(rb'"%s"\s*:' % key.encode(), first) for key in _KEYS):
        return None
    return Guess(0.95, "a JSON list of scanpaths with name, subject, X, Y and T")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read all scanpaths, item by item.

    Raises
    ------
    GazeError
        When the text is no JSON list or breaks off, with the line; or no item holds a scanpath.
    """
    trials = Trials()
    for item in _items(source):
        _add(trials, item)
    if not len(trials):
        raise source.problem(
            "The list holds no scanpath.", f"Each item needs {', '.join(_KEYS[:-1])} and {_KEYS[-1]}."
        )
    return trials.contents(Facts(Frame(), SCREEN, notes=_NOTES))


def _add(trials: Trials, item: Any) -> None:
    if not isinstance(item, dict):
        trials.lost[BROKEN_LINE] += 1
        return
    x, y, duration = (_numbers(item.get(key)) for key in ("X", "Y", "T"))
    name, subject = _text(item.get("name")), _subject(item.get("subject"))
    if x is None or y is None or len(x) != len(y):
        trials.lost[NOT_TWO_COORDINATES] += 1
    elif not name or not subject:
        trials.lost[NO_SUBJECT if name else NO_IMAGE_NAME] += len(x)
    else:
        if duration is None or len(duration) != len(x):
            duration = np.full(len(x), np.nan)
        task, label = _task(item)
        trial = Trial(label, subject, name, task, placement=Placement("fit"))
        trials.add(trial, Fixations.of(x, y, duration_ms=duration))


def _task(item: Json) -> tuple[str, str]:
    """Return the task of an item, and what else is to be said of the trial."""
    target, condition = _text(item.get("task")), _text(item.get("condition")).casefold()
    if condition == "freeview" or target.casefold() in ("", "none", "freeview"):
        return FREE_VIEWING, FREE_VIEWING
    correct = item.get("correct")
    answer = "right answer" if correct == 1 else "wrong answer" if correct == 0 else ""
    there = {"present": f"{target} present", "absent": f"{target} absent"}.get(condition, target)
    return f"search: {target}", ", ".join(filter(None, (there, answer)))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _subject(value: Any) -> str:
    return numbered(value) if isinstance(value, int) and abs(value) < 10**9 else _text(value)


def _numbers(values: Any) -> DoubleArray | None:
    """Return numbers as float64, NaN for null and infinite ones; None when it is no list of numbers."""
    if not isinstance(values, list) or not all(
        value is None or isinstance(value, (int, float)) for value in values
    ):
        return None
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:
        return None
    array[~np.isfinite(array)] = np.nan
    return array


def _items(source: Source) -> Iterator[Any]:
    """Yield the items of a JSON list without holding the whole text.

    Raises
    ------
    GazeError
        When it is no list, an item is damaged or longer than 1 MiB, or the list is not closed.
    """
    decoder = json.JSONDecoder()
    with source.open_text() as text:
        buffer = text.read(_BLOCK)
        opening = _OPENING.match(buffer)
        if opening is None:
            raise source.problem("The file does not begin with a JSON list.", "Look at its first line.", 1)
        place, line, ended = opening.end(), 1, False
        while True:
            start = _BETWEEN.match(buffer, place).end()  # type: ignore[union-attr]
            if buffer.startswith("]", start):
                return
            try:
                item, end = decoder.raw_decode(buffer, start)
            except (ValueError, RecursionError):
                end = 0
            if end and (end < len(buffer) or ended):  # a number at the end may go on in the next block
                yield item
                place = end
                continue
            more = "" if len(buffer) - start > _LONGEST_ITEM else text.read(_BLOCK)
            if not more and (ended or not end):
                raise source.problem(
                    "The list of scanpaths is damaged or breaks off here.",
                    "Copy or download the file again.",
                    line + buffer.count("\n", 0, start),
                )
            ended = not more
            line += buffer.count("\n", 0, place)
            buffer, place = buffer[place:] + more, 0


FORMAT = Format("coco-search", "COCO-Search18, COCO-FreeView (JSON)", (".json",), recognise, read)
