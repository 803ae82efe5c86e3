"""Gaze samples that a script recorded with Tobii's SDK: shares of the screen, times in microseconds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.gathering import GazeGatherer, rate_of
from gazeapp.engine.gaze.formats.headers import Header, header_in_head, header_of, nothing_read
from gazeapp.engine.gaze.records import SCREEN, Contents, Eye, Facts, Frame, empty_fixations
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Key, Rows
from gazeapp.engine.types import DoubleArray

_LOST = 4
_US = 0.001


class _Layout(NamedTuple):
    """Names of one version's columns; x, y and validity of each eye."""

    time: tuple[str, ...]
    eyes: dict[Eye, tuple[str, str, tuple[str, ...]]]
    valid_is_zero: bool


_OLD = _Layout(
    ("time", "timestamp", "rel_timestamp"),
    {
        Eye.LEFT: ("lgaze_pos2dx", "lgaze_pos2dy", ("lvalidity",)),
        Eye.RIGHT: ("rgaze_pos2dx", "rgaze_pos2dy", ("rvalidity",)),
    },
    valid_is_zero=True,
)
_NEW = _Layout(
    ("device_time_stamp", "system_time_stamp"),
    {
        Eye.LEFT: (
            "left_gaze_point_on_display_area_x",
            "left_gaze_point_on_display_area_y",
            ("left_gaze_point_validity", "left_gaze_point_valid"),
        ),
        Eye.RIGHT: (
            "right_gaze_point_on_display_area_x",
            "right_gaze_point_on_display_area_y",
            ("right_gaze_point_validity", "right_gaze_point_valid"),
        ),
    },
    valid_is_zero=False,
)


def _layout(header: Header) -> _Layout | None:
    for layout in (_OLD, _NEW):
        if header.place(*layout.time) is not None and any(
            header.has(x, y) for x, y, _ in layout.eyes.values()
        ):
            return layout
    return None


def _is_header(header: Header) -> bool:
    return _layout(header) is not None


def recognise(source: Source) -> Guess | None:
    """Tell samples of Tobii's SDK by their columns of gaze on the display area."""
    header = header_in_head(source, _is_header)
    if header is None:
        return None
    return Guess(0.95, "Tobii SDK's columns of each eye's gaze on the display area")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read samples of both eyes; the whole file is one trial.

    Gaze is lost where the validity is 4 (in newer files: 0 or false) or where x and y are both -1.

    Raises
    ------
    GazeError
        When the header is missing or there is no sample.
    """
    header = header_of(source, _is_header)
    layout = None if header is None else _layout(header)
    if header is None or layout is None:
        raise source.problem("There is no line with Tobii SDK's columns.", "Save the recording again.")
    gatherer = GazeGatherer()
    key = Key(source.stem, label=source.stem)
    for rows in header.rows(source, gatherer.lost):
        time = rows.numbers(header.place(*layout.time), header.delimiter != ",") * _US
        gatherer.add([key] * len(time), time, _gaze(rows, header, layout))
    if not len(gatherer):
        raise nothing_read(source, gatherer.lost)
    trials, samples = gatherer.attach()
    facts = Facts(
        frame=Frame(of=SCREEN, unit="share"),
        eyes=tuple(eye.word for eye in sorted(gatherer.eyes)),
        rate_hz=rate_of(trials),
        n_samples=len(samples),
        lost_rows=dict(gatherer.lost),
        notes=(
            *source.encoding_notes,
            "Positions are shares of the screen.",
            "The file does not say who looked at which image; it is one trial, and the subject is the "
            "file's name.",
        ),
    )
    return Contents(facts, trials, empty_fixations(), samples)


def _gaze(rows: Rows, header: Header, layout: _Layout) -> dict[Eye, tuple[DoubleArray, DoubleArray]]:
    decimal_comma = header.delimiter != ","
    gaze = {}
    for eye, (x_name, y_name, valid_names) in layout.eyes.items():
        if not header.has(x_name, y_name):
            continue
        x, y = (rows.numbers(header.place(name), decimal_comma) for name in (x_name, y_name))
        valid = header.place(*valid_names)
        lost = (x == -1) & (y == -1)
        if valid is not None and layout.valid_is_zero:
            lost |= rows.numbers(valid) >= _LOST
        elif valid is not None:
            lost |= np.isin([cell.lower() for cell in rows.column(valid)], ("0", "0.0", "false"))
        gaze[eye] = (np.where(lost, np.nan, x), np.where(lost, np.nan, y))
    return gaze


FORMAT = Format(
    id="tobii-sdk",
    name="Tobii SDK samples",
    suffixes=(".tsv", ".csv", ".txt"),
    recognise=recognise,
    read=read,
    has_samples=True,
)
