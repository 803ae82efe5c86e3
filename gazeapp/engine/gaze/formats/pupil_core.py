"""Pupil Core's fixations on a surface: shares of the surface, y upwards; those in the scene video are refused."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.gathering import Repeats
from gazeapp.engine.gaze.formats.headers import Header, can_number, header_in_head, header_of, nothing_read
from gazeapp.engine.gaze.records import BROKEN_LINE, IMAGE, Contents, Facts, Fixations, Frame, Why
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Gatherer, Key, Rows
from gazeapp.engine.types import BoolArray, DoubleArray

_S = 1000.0
_ON = ("on_surf", "on_srf")
_ID = ("fixation_id", "id")
_NUMBERS = ("start_timestamp", "duration", "norm_pos_x", "norm_pos_y")
_NAME = re.compile(r"^(?P<who>.*?)[_ -]*fixations_on_surface_(?P<surface>.+?)(?:_\d{9,}(?:\.\d+)?)?$")
_TRUE = ("true", "1", "1.0")


def recognise(source: Source) -> Guess | None:
    """Tell Pupil Core's fixations by their columns."""
    header = header_in_head(source, _is_header)
    if header is None:
        return None
    if _is_surface(header):
        return Guess(0.97, "Pupil Core's columns norm_pos_x, start_timestamp and on_surf")
    return Guess(0.95, "Pupil Core's columns of fixations in the scene video")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read the fixations on one surface; the file is one trial, and the surface is its image.

    A fixation stands on as many rows as the scene video has frames of it. Its position is the mean over
    the frames in which it is on the surface; without any, it is not on the surface.

    Raises
    ------
    GazeError
        When the positions lie in the scene video, columns are missing or there is no row.
    """
    header = header_of(source, _is_header)
    if header is None:
        raise source.problem("There is no line with Pupil Core's columns.", "Export the surface again.")
    if not _is_surface(header):
        raise source.problem(
            "These fixations lie in the video of the scene camera, not on an image.",
            "Define the image as a surface in Pupil Player and take 'fixations_on_surface_<name>.csv' from "
            "the folder 'surfaces' of the export.",
            header.line,
        )
    rows = _Rows(header)
    for chunk in header.rows(source, rows.lost):
        rows.add(chunk)
    subject, surface = _names(source)
    gatherer = Gatherer()
    fixations = rows.fixations()
    if not len(fixations):
        raise nothing_read(source, rows.lost)
    gatherer.add([Key(subject, surface, label=surface)] * len(fixations), fixations)
    trials, fixations = gatherer.build()
    facts = Facts(
        frame=Frame(of=IMAGE, unit="share", y_up=True),
        lost_rows=dict(+rows.lost),
        notes=(
            *source.encoding_notes,
            f"The file does not say who looked; the subject is '{subject}', from its name or folder.",
            "A position is the mean over the video frames in which the fixation is on the surface.",
        ),
    )
    return Contents(facts, trials, fixations)


def _is_header(header: Header) -> bool:
    return header.place(*_ID) is not None and header.has(*_NUMBERS)


def _is_surface(header: Header) -> bool:
    return header.place(*_ON) is not None


def _names(source: Source) -> tuple[str, str]:
    """Return who looked and at which surface, by the names of the file and its folders."""
    found = _NAME.match(source.stem)
    surface = found["surface"] if found else ""
    if found and found["who"]:
        return found["who"], surface
    folders = source.path.resolve().parts[:-1]
    if "exports" in folders:
        above = folders[: len(folders) - 1 - folders[::-1].index("exports")]
        # Recordings of one day are numbered 000, 001 and so on; the number alone names nobody.
        named = above[-2:] if len(above) > 1 and above[-1].isdigit() else above[-1:]
        return "-".join(named), surface
    return source.stem, surface


class _Rows:
    """Rows gathered so far."""

    def __init__(self, header: Header) -> None:
        self.lost: Counter[str] = Counter()
        self._header = header
        self._on: list[BoolArray] = []
        self._columns: dict[str, list[DoubleArray]] = {name: [] for name in ("id", *_NUMBERS)}

    def add(self, rows: Rows) -> None:
        """Take the next rows."""
        decimal_comma = self._header.delimiter != ","
        found = {name: rows.numbers(self._header.place(name), decimal_comma) for name in _NUMBERS}
        found["id"] = rows.numbers(self._header.place(*_ID))
        whole = can_number(found["id"]) & np.isfinite(found["start_timestamp"])
        self.lost[BROKEN_LINE] += int((~whole).sum())
        on = np.array(
            [cell.lower() in _TRUE for cell in rows.column(self._header.place(*_ON))], dtype=np.bool_
        )
        self._on.append(on[whole])
        for name, values in found.items():
            self._columns[name].append(values[whole])

    def fixations(self) -> Fixations:
        """Return each fixation once."""
        on = np.concatenate([*self._on, np.zeros(0, np.bool_)])
        column = {name: np.concatenate([*parts, np.zeros(0)]) for name, parts in self._columns.items()}
        number = column["id"].astype(np.int64)
        each = Repeats(np.zeros(len(number), np.int64), number)
        is_on = each.any(on)
        x, y = (
            np.where(is_on, each.mean(np.where(on, column[name], np.nan)), each.mean(column[name]))
            for name in ("norm_pos_x", "norm_pos_y")
        )
        return Fixations.of(
            x,
            y,
            index=number[each.first],
            start_ms=column["start_timestamp"][each.first] * _S,
            duration_ms=column["duration"][each.first],
            unusable=np.where(is_on, Why.USED, Why.NOT_ON_SURFACE).astype(np.int8),
        )


FORMAT = Format(
    id="pupil-core",
    name="Pupil Core surface fixations",
    suffixes=(".csv",),
    recognise=recognise,
    read=read,
)
