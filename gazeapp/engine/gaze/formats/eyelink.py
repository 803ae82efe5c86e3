"""EyeLink .asc files: the tracker's own fixations, or its samples, of one eye or both."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.eyelink_scan import SampleColumns, Scan, scan
from gazeapp.engine.gaze.formats.eyelink_trials import (
    BEFORE_TRIALS,
    BETWEEN_TRIALS,
    Division,
    Span,
    divide,
)
from gazeapp.engine.gaze.quality import sample_quality
from gazeapp.engine.gaze.records import (
    BROKEN_LINE,
    Contents,
    Eye,
    Facts,
    Fixations,
    Placement,
    Samples,
    Trial,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import renumbered
from gazeapp.engine.types import DoubleArray, IntArray, Json

_MARKS = {
    "header": re.compile(rb"^\*\* (CONVERTED FROM|EYELINK|TYPE: EDF)", re.MULTILINE),
    "messages": re.compile(rb"^MSG\s+\d+(\.\d*)?\s", re.MULTILINE),
    "recording blocks": re.compile(rb"^(SAMPLES|EVENTS)\s+(GAZE|HREF|PUPIL)\b", re.MULTILINE),
    "eye events": re.compile(rb"^(EFIX|SFIX|ESACC|EBLINK) [LR]\s", re.MULTILINE),
}
_CONFIDENCES = (0.0, 0.6, 0.85, 0.95, 1.0)
_MOST_MESSAGES = 2000
_TRACKERS_OWN = ("!CMD", "!MODE", "VALIDATE")

Corner: TypeAlias = tuple[float, float]


def recognise(source: Source) -> Guess | None:
    """Return how sure it is that a file is an .asc file, by the kinds of EyeLink lines in its head."""
    head = source.head.replace(b"\0", b"")  # UTF-16 of plain letters becomes these letters
    found = [name for name, pattern in _MARKS.items() if pattern.search(head)]
    return Guess(_CONFIDENCES[len(found)], f"EyeLink lines: {', '.join(found)}") if found else None


def read(source: Source, options: ReadOptions) -> Contents:
    """Read an EyeLink .asc file.

    Parameters
    ----------
    source
        The file.
    options
        How messages divide it into trials, and whether samples are wanted where there are fixations.

    Returns
    -------
    Contents
        The fixations (EFIX) of every eye as they stand there, off-screen and negative ones included,
        in screen px. Samples when asked for or when there are no fixations. A fixation, and a sample,
        belongs to the trial in which it starts; what lies before the first trial and between trials
        makes trials that are not real ones.

    Raises
    ------
    GazeError
        When positions are not in px (HREF, PUPIL), there are neither fixations nor samples, or the
        rules for trials cannot be used or fit nothing.
    """
    found = scan(source, options.samples)
    if not len(found.fixations) and found.n_samples and not options.samples:
        found = scan(source, with_positions=True)
    if not len(found.fixations) and not found.n_samples:
        raise _nothing(found)
    screen, corner, notes = _screen(found)
    division = divide(found.messages, found.starts, found.ends, options.rules, str(source.path))
    facts = _facts(found, screen, (*notes, *division.notes))
    n_spans = len(division.spans) + 2
    columns, numbers = found.samples(), found.fixations
    owner = division.owners(numbers[:, 0], numbers[:, 2])
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(n_spans + 1)).tolist()
    fixation_rows = [slice(begin, end) for begin, end in pairwise(bounds)]
    by_time = _rows_by_time(columns, division.owners(columns.line, columns.t_ms), n_spans)
    samples, sample_rows = None, [slice(0, 0)] * n_spans
    if found.with_positions:
        samples, sample_rows = _samples(columns, by_time, corner)
    quality = _quality(columns, by_time, facts.rate_hz)
    trials = [
        Trial(
            span.label,
            span.subject or source.stem,
            span.image,
            span.task,
            rows,
            of_samples,
            _shifted(span.placement, corner),
            is_real=0 < number <= len(division.spans),
            quality=figures,
        )
        for number, (span, rows, of_samples, figures) in enumerate(
            zip(_all_spans(division), fixation_rows, sample_rows, quality, strict=True)
        )
    ]
    kept = tuple(trial for trial in trials if trial.is_real or _has_rows(trial))
    return Contents(facts, kept, _fixations(numbers[order], owner[order], corner), samples)


FORMAT = Format(
    "eyelink-asc",
    "EyeLink, converted by edf2asc (.asc)",
    (".asc",),
    recognise,
    read,
    has_messages=True,
    has_samples=True,
)


def _has_rows(trial: Trial) -> bool:
    return any(rows.stop > rows.start for rows in (trial.rows, trial.sample_rows))


def _all_spans(division: Division) -> list[Span]:
    before, between = Span(BEFORE_TRIALS, 0, -math.inf), Span(BETWEEN_TRIALS, 0, -math.inf)
    return [before, *division.spans, between]


def _facts(found: Scan, screen: Corner | None, notes: tuple[str, ...]) -> Facts:
    eyes = found.eyes | {Eye(int(code)) for code in np.unique(found.fixations[:, 1])}
    rates = list(dict.fromkeys(found.rates))
    if len(rates) > 1:
        listed = ", ".join(f"{rate:g}" for rate in sorted(rates))
        notes = (*notes, f"The sampling rate changes in the file: {listed} Hz.")
    texts = [message.text for message in found.messages if not message.text.startswith(_TRACKERS_OWN)]
    return Facts(
        screen=screen,
        eyes=tuple(eye.word for eye in sorted(eyes)),
        rate_hz=rates[0] if rates else None,
        distance_cm=found.distance_mm / 10 if found.distance_mm else None,
        screen_width_cm=found.width_mm / 10 if found.width_mm else None,
        n_samples=found.n_samples,
        lost_rows={BROKEN_LINE: found.broken} if found.broken else {},
        messages=tuple(texts[:_MOST_MESSAGES]),
        notes=notes,
    )


def _screen(found: Scan) -> tuple[Corner | None, Corner, list[str]]:
    """Return the screen size (width, height) and its top-left corner, px, and notes for the user.

    A file gives the last pixel (1023, 767) or the size (1024, 768): an odd last value counts as
    the last pixel, so that 1 is added; an even one counts as the size.
    """
    areas = found.corners.get("GAZE", []) + found.corners.get("DISPLAY", [])
    areas = [area for area in areas if area[2] > area[0] and area[3] > area[1]]
    if not areas:
        return None, (0.0, 0.0), ["The file does not say how large the screen was."]
    left, top, right, bottom = areas[0]
    notes = []
    if len(set(areas)) > 1:
        notes.append("The file gives more than one screen area; the first GAZE_COORDS is used.")
    if left or top:
        notes.append(
            f"The screen area starts at {left:g}, {top:g}: these were subtracted from all positions."
        )
    return (_after_last(right) - left, _after_last(bottom) - top), (left, top), notes


def _after_last(last: float) -> float:
    return last + 1 if last % 2 == 1 else last


def _fixations(numbers: DoubleArray, owner: IntArray, corner: Corner) -> Fixations:
    table = Fixations.of(
        numbers[:, 4] - corner[0],
        numbers[:, 5] - corner[1],
        index=np.zeros(len(numbers), dtype=np.int64),
        start_ms=numbers[:, 2],
        duration_ms=numbers[:, 3],
        eye=numbers[:, 1].astype(np.int8),
    )
    return renumbered(table, owner)


def _rows_by_time(columns: SampleColumns, owner: IntArray, n_spans: int) -> list[IntArray]:
    """Return the rows of each span's samples, by time."""
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(n_spans + 1)).tolist()
    parts = [order[begin:end] for begin, end in pairwise(bounds)]
    return [part[np.argsort(columns.t_ms[part], kind="stable")] for part in parts]


def _samples(columns: SampleColumns, rows: list[IntArray], corner: Corner) -> tuple[Samples, list[slice]]:
    """Return the samples of all spans, one eye after the other, and the rows of each span."""
    eyes, n = list(columns.x), len(columns.t_ms) * len(columns.x)
    t_ms, x, y, codes = np.empty(n), np.empty(n), np.empty(n), np.empty(n, dtype=np.int8)
    end, spans = 0, []
    for part in rows:
        begin = end
        for eye in eyes:
            here = slice(end, end + len(part))
            t_ms[here], codes[here] = columns.t_ms[part], eye
            x[here], y[here] = columns.x[eye][part] - corner[0], columns.y[eye][part] - corner[1]
            end = here.stop
        spans.append(slice(begin, end))
    return Samples(t_ms, x, y, codes), spans


def _quality(columns: SampleColumns, rows: list[IntArray], rate_hz: float | None) -> list[Json]:
    """Return the quality of each span's samples, of the eye that lost fewer of them."""
    found: list[Json] = []
    for part in rows:
        lost = min((eye[part] for eye in columns.lost.values()), key=np.count_nonzero, default=None)
        if lost is None or not len(part):
            found.append({})
            continue
        place = np.where(lost, np.nan, 0.0)
        found.append(sample_quality(columns.t_ms[part], place, place, rate_hz))
    return found


def _shifted(placement: Placement | None, corner: Corner) -> Placement | None:
    if placement is None or not any(corner):
        return placement
    x, y = placement.x - corner[0], placement.y - corner[1]
    return Placement(placement.anchor, x, y, placement.width, placement.height)


def _nothing(found: Scan) -> GazeError:
    if found.broken_fixations:
        what = f"None of the {found.broken_fixations} fixation lines (EFIX) in the file can be read."
    else:
        what = "The recording is empty: it has neither samples nor fixations (no EFIX line)."
    return found.source.problem(what, "Convert the .edf file again with events and samples included.")
