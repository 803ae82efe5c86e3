"""When trials of a BIDS data set began and which images they showed, and the screen they stood on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.gaze.formats.bids_files import number, rows, word
from gazeapp.engine.gaze.records import SCREEN, Frame
from gazeapp.engine.gaze.tables import to_numbers
from gazeapp.engine.types import DoubleArray, Json

_IMAGES = (
    "stim_file",
    "stimulus",
    "stim",
    "image",
    "image_name",
    "image_file",
    "picture",
    "img",
    "file_name",
)
_LABELS = ("trial", "trial_number", "trial_id", "trial_index", "trial_type")
_MOST_METRES, _MOST_CM = 10.0, 500.0


@dataclass(frozen=True)
class Window:
    """A trial: its label, its image (empty when unknown), and when it began and ended on the tracker's clock, ms."""

    label: str
    image: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class Screen:
    """What the metadata of the events say about the screen; None where they do not."""

    size: tuple[float, float] | None
    width_cm: float | None
    distance_cm: float | None
    frame: Frame | None
    """None for an origin that gazeapp does not know."""
    notes: tuple[str, ...]


def screen_of(meta: Json, is_share: bool) -> Screen:
    """Return what ``StimulusPresentation`` says.

    Lengths should be in m; larger numbers than a laboratory has are taken as cm, then as mm. A size
    whose numbers are both odd is that of the last pixel, and gets 1 added.
    """
    shown = meta.get("StimulusPresentation")
    shown = shown if isinstance(shown, dict) else {}
    notes: list[str] = []
    resolution, size = _pair(shown.get("ScreenResolution")), _pair(shown.get("ScreenSize"))
    if resolution is not None and resolution[0] % 2 == 1 and resolution[1] % 2 == 1:
        resolution = (resolution[0] + 1, resolution[1] + 1)
        notes.append("The screen's resolution is given as its last pixel; 1 was added.")
    width = None if size is None else _centimetres(size[0], "screen's width", notes)
    distance = _centimetres(number(shown.get("ScreenDistance")), "viewing distance", notes)
    frame = _frame(shown.get("ScreenOrigin") or meta.get("EnvironmentCoordinates"), is_share, notes)
    return Screen(resolution, width, distance, frame, tuple(notes))


def _pair(values: Any) -> tuple[float, float] | None:
    if not isinstance(values, list) or len(values) != 2:
        return None
    first, second = map(number, values)
    return (first, second) if first > 0 and second > 0 else None


def _centimetres(length: float, what: str, notes: list[str]) -> float | None:
    if not length > 0:
        return None
    if length < _MOST_METRES:
        return length * 100
    notes.append(f"The {what} in the metadata, {length:g}, cannot be in m and was taken as cm or mm.")
    return length if length < _MOST_CM else length / 10


def _frame(origin: Any, is_share: bool, notes: list[str]) -> Frame | None:
    unit = "share" if is_share else "px"
    words = [word(part) for part in origin] if isinstance(origin, list) else word(origin).split("-")
    places = {part for part in words if part}
    if not places:
        notes.append("The metadata do not say where the screen's origin is; the top left corner was assumed.")
    if not places or places == {"top", "left"}:
        return Frame(SCREEN, unit)
    if places == {"bottom", "left"}:
        return Frame(SCREEN, unit, y_up=True)
    if places <= {"center", "centre"}:
        notes.append("The origin is the middle of the screen, and y was taken to grow upwards.")
        return Frame(SCREEN, unit, y_up=True, centred=True)
    return None


def windows(path: Path, meta: Json, t_ms: DoubleArray, start_s: float) -> tuple[list[Window], list[str]]:
    """Return the trials in a table of events, in order of time, and what is to be told of them.

    Rows that name an image are trials; where none does, rows with a duration are.

    Parameters
    ----------
    path
        The events table; its times are s, from the begin of the acquisition.
    meta
        Its metadata.
    t_ms
        Times of the samples on the tracker's clock, ms, ascending.
    start_s
        When the samples began, on the clock of the events, s.
    """
    header, *table = rows(path) or [[]]
    names = [word(name) for name in header]
    if "onset" not in names or not table:
        return [], [f"{path.name} has no events with an onset, so that the recording is one trial."]
    table = [row + [""] * (len(names) - len(row)) for row in table]
    images = _column(names, table, _IMAGES)
    labels = _column(names, table, _LABELS)
    onset, duration = (
        to_numbers(_column(names, table, (name,))) if name in names else np.full(len(table), np.nan)
        for name in ("onset", "duration")
    )
    trial = np.array([bool(image) for image in images])
    if not trial.any():
        trial = duration > 0
    chosen = np.flatnonzero(trial & np.isfinite(onset))
    if not len(chosen):
        return [], [f"{path.name} has no event with an image or a duration; the recording is one trial."]
    chosen = chosen[np.argsort(onset[chosen], kind="stable")]
    zero, notes = _clock(onset[chosen], meta, t_ms, start_s, path.name)
    begins = onset[chosen] * 1000 + zero
    following = np.r_[begins[1:], np.inf]
    lengths = duration[chosen] * 1000
    # An event without a duration lasts until the next one.
    ends = np.where(lengths > 0, begins + lengths, following)
    found = [
        Window(labels[row] or str(k), images[row], float(begin), float(end))
        for k, (row, begin, end) in enumerate(zip(chosen, begins, ends, strict=True), start=1)
    ]
    return found, notes


def _column(names: Sequence[str], table: Sequence[Sequence[str]], wanted: Sequence[str]) -> list[str]:
    """Return the cells of the first wanted column that says something; empty where none does."""
    for name in wanted:
        if name in names:
            place = names.index(name)
            cells = [row[place] if word(row[place]) else "" for row in table]
            if any(cells):
                return cells
    return [""] * len(table)


def _clock(
    onset: DoubleArray, meta: Json, t_ms: DoubleArray, start_s: float, name: str
) -> tuple[float, list[str]]:
    """Return the tracker's time, ms, at which the clock of the events was 0.

    By rule onsets count from the begin of the acquisition. Some data sets have them on the tracker's
    own clock, or state a begin that is none: what puts most onsets into the recording counts.
    """
    first, last = float(t_ms[0]), float(t_ms[-1])
    zeros = {
        "": first - start_s * 1000,
        f"The onsets in {name} are on the tracker's clock.": 0.0,
        f"The onsets in {name} fit the recording only without its stated StartTime.": first,
    }
    order = list(zeros)
    if word(meta.get("OnsetSource")):
        order[:2] = order[1::-1]

    def share_inside(told: str) -> float:
        times = onset * 1000 + zeros[told]
        return float(np.mean((times >= first - 1000) & (times <= last)))

    best = max(order, key=share_inside)
    if math.isclose(share_inside(best), 0.0):
        return zeros[""], [f"None of the events in {name} lies within the recording's time."]
    return zeros[best], [best] if best else []
