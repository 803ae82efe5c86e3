"""One eye's recording of a BIDS data set: its samples, and the fixations that the tracker marked in them.

``*_physio.tsv.gz`` has no header; its columns stand in the metadata. ``*_physioevents.tsv.gz`` says when
fixations began and how long they lasted, but not where: a position is the mean of the samples.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gazeapp.engine.gaze.formats.bids_files import (
    PHYSIO_EVENTS,
    Named,
    metadata,
    number,
    rows,
    table_for,
    word,
)
from gazeapp.engine.gaze.quality import sampling_period
from gazeapp.engine.gaze.records import Eye, Fixations, Samples
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import to_numbers
from gazeapp.engine.types import BoolArray, DoubleArray, Json

TO_MS = {
    "s": 1000.0, "sec": 1000.0, "second": 1000.0, "seconds": 1000.0,
    "ms": 1.0, "msec": 1.0, "millisecond": 1.0, "milliseconds": 1.0,
    "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "microsecond": 1e-3, "microseconds": 1e-3,
    "ns": 1e-6, "nanosecond": 1e-6, "nanoseconds": 1e-6,
}  # fmt: skip
"""ms in a unit of time, by the names of the unit."""

_PIXELS = ("", "px", "pixel", "pixels")
_SHARES = ("normalized", "normalised", "fraction", "proportion", "relative", "ratio")
_EYES = {
    "left": Eye.LEFT,
    "right": Eye.RIGHT,
    "cyclopean": Eye.AVERAGE,
    "both": Eye.AVERAGE,
    "average": Eye.AVERAGE,
}
_T, _X, _Y = "timestamp", "x_coordinate", "y_coordinate"
_BLOCK = 1 << 22
_FAR_OFF = 3.0
_ROUNDING_MS = 1e-3
_USUAL_FIXATION_MS = (20.0, 5000.0)


@dataclass(frozen=True)
class EyeRecording:
    """One file of samples.

    Parameters
    ----------
    samples
        By time; NaN where gaze was lost.
    fixations
        With the means of their samples as positions; empty when the tracker marked none.
    rate_hz
        As the metadata state it, else as measured; None when unknown.
    start_s
        When the recording began, on the clock of the data set's events, s.
    to_ms
        ms in a unit of the file's timestamps.
    is_share
        Whether positions are shares of the screen; else they are px.
    broken
        Lines without a time or without all cells.
    notes
        What the user should know, as sentences.
    """

    samples: Samples
    fixations: Fixations
    rate_hz: float | None
    start_s: float
    to_ms: float
    is_share: bool
    broken: int
    notes: tuple[str, ...]


def is_gaze(meta: Json) -> bool:
    """Return whether metadata are those of an eye's recording, and not of a pulse or breathing."""
    return word(meta.get("PhysioType")) == "eyetrack" or _X in columns_of(meta)


def columns_of(meta: Json) -> list[str]:
    """Return the columns' names in the metadata, in lower case."""
    names = meta.get("Columns")
    return [word(name) for name in names] if isinstance(names, list) else []


def read_eye(data: Named, meta: Json) -> EyeRecording:
    """Read one recording and its events.

    Parameters
    ----------
    data
        The ``physio`` file.
    meta
        Its metadata, the inherited ones included.

    Raises
    ------
    GazeError
        When positions are not on the screen or in no known unit, columns are not named, or there is
        neither a time nor a sampling frequency.
    """
    source = Source(data.path)
    names = columns_of(meta)
    is_share = _check(source, meta, names)
    rate = number(meta.get("SamplingFrequency"))
    rate = rate if rate > 0 else math.nan
    wanted = [names.index(name) for name in (_T, _X, _Y) if name in names]
    table, broken = _numbers(source, wanted)
    notes: list[str] = []
    if _T in names:
        to_ms = _unit(meta.get(_T), table[:, 0], rate, notes)
        t, timed = table[:, 0] * to_ms, np.isfinite(table[:, 0])
        broken += int((~timed).sum())
        table, t = table[timed], t[timed]
    elif math.isnan(rate):
        raise source.problem(
            "The recording has neither a column 'timestamp' nor a sampling frequency.",
            "Add SamplingFrequency to the JSON file beside it.",
        )
    else:
        to_ms, t = 1000.0, np.arange(len(table), dtype=np.float64) * (1000 / rate)
    if not len(t):
        raise source.problem("The recording holds no samples.", "Copy the file again.")
    order = np.argsort(t, kind="stable")
    if (np.diff(t) < 0).any():
        notes.append(f"The times of {data.path.name} run backwards in places and were put in order.")
    x, y = table[order, -2], table[order, -1]
    lost = ~(np.isfinite(x) & np.isfinite(y))
    eye = _EYES.get(word(meta.get("RecordedEye")), Eye.UNKNOWN)
    samples = Samples(
        t[order], np.where(lost, np.nan, x), np.where(lost, np.nan, y), np.full(len(t), eye, np.int8)
    )
    measured = sampling_period(samples.t_ms)
    stated = None if math.isnan(rate) else rate
    recording = EyeRecording(
        samples,
        Fixations.of(np.zeros(0), np.zeros(0)),
        stated or (1000 / measured if measured else None),
        np.nan_to_num(number(meta.get("StartTime"))).item(),
        to_ms,
        is_share,
        broken,
        tuple(notes),
    )
    return _with_fixations(recording, data, eye)


def _check(source: Source, meta: Json, names: list[str]) -> bool:
    """Return whether positions are shares of the screen; raise when they cannot be laid on it."""
    if _X not in names or _Y not in names:
        raise source.problem(
            "The metadata of the recording do not name its columns x_coordinate and y_coordinate.",
            "Add Columns to the JSON file beside it.",
        )
    system = word(meta.get("SampleCoordinateSystem"))
    if system not in ("", "gaze-on-screen"):
        raise source.problem(
            f"Positions are '{system}' and not gaze on the screen, so that they cannot be laid on an image.",
            "Convert the recording with gaze positions on the screen.",
        )
    described = meta.get(_X)
    unit = word(described.get("Units") if isinstance(described, dict) else meta.get("SampleCoordinateUnits"))
    if unit not in (*_PIXELS, *_SHARES):
        raise source.problem(
            f"Positions are in '{unit}' and not in px, so that they cannot be laid on an image.",
            "Convert the recording with positions in px of the screen.",
        )
    return unit in _SHARES


def _unit(described: Any, times: DoubleArray, rate_hz: float, notes: list[str]) -> float:
    """Return the ms in a unit of the timestamps: as described, unless the sampling rate tells otherwise."""
    stated = TO_MS.get(word(described.get("Units")) if isinstance(described, dict) else "")
    step = sampling_period(np.sort(times[np.isfinite(times)]))
    if step is None or math.isnan(rate_hz):
        return 1.0 if stated is None else stated
    error = {unit: abs(math.log(step * unit * rate_hz / 1000)) for unit in (1.0, 1000.0, 1e-3, 1e-6)}
    best = min(error, key=lambda unit: error[unit])
    if stated is None or error.get(stated, 0.0) > math.log(_FAR_OFF) > error[best]:
        if stated is not None:
            notes.append(
                "The unit of the timestamps does not fit the sampling frequency, and was taken from it."
            )
        return best
    return stated


def _numbers(source: Source, wanted: list[int]) -> tuple[DoubleArray, int]:
    """Return the wanted columns, shape (n, k), and how many lines were too short."""
    parts, broken = [np.zeros((0, len(wanted)))], 0
    with source.open_text() as text:
        while lines := text.readlines(_BLOCK):
            part, bad = _parsed(lines, wanted)
            parts.append(part)
            broken += bad
    return np.concatenate(parts), broken


def _parsed(lines: list[str], wanted: list[int]) -> tuple[DoubleArray, int]:
    full = [line for line in lines if not line.isspace()]
    if not full:
        return np.zeros((0, len(wanted))), 0
    try:
        quick = io.StringIO("".join(full).replace("n/a", "nan"))
        table: DoubleArray = np.loadtxt(quick, delimiter="\t", usecols=wanted, ndmin=2, comments=None)
    except ValueError:
        cells = [line.rstrip("\r\n").split("\t") for line in full]
        whole = [row for row in cells if len(row) > max(wanted)]
        table = np.column_stack([to_numbers([row[place] for row in whole]) for place in wanted])
        return table, len(full) - len(whole)
    table[~np.isfinite(table)] = np.nan
    return table, 0


def _with_fixations(recording: EyeRecording, data: Named, eye: Eye) -> EyeRecording:
    path = table_for(data, PHYSIO_EVENTS, data.entities)
    if path is None:
        return recording
    meta = metadata(data, PHYSIO_EVENTS, data.entities)
    names = columns_of(meta)
    if not {"onset", "duration", "trial_type"} <= set(names):
        note = f"The columns of {path.name} do not tell which events are fixations."
        return replace(recording, notes=(*recording.notes, note))
    kind, onset, duration = (names.index(name) for name in ("trial_type", "onset", "duration"))
    events = [row for row in rows(path) if len(row) > max(kind, onset, duration)]
    events = [row for row in events if word(row[kind]).startswith("fixation")]
    begins, lasting = (to_numbers([row[place] for row in events]) for place in (onset, duration))
    timed: BoolArray = np.isfinite(begins) & np.isfinite(lasting) & (lasting >= 0)
    notes = list(recording.notes)
    t = recording.samples.t_ms
    start = _begins(begins[timed], meta, recording)
    length = lasting[timed] * _duration_unit(lasting[timed], meta.get("duration"), recording.to_ms, notes)
    x, y = _means(recording.samples, start, start + length)
    order = np.argsort(start, kind="stable")
    index = np.arange(1, len(start) + 1)
    fixations = Fixations.of(x, y, index=index, start_ms=start, duration_ms=length, eye=eye).part(order)
    outside = int(np.count_nonzero((start < t[0]) | (start > t[-1])))
    if outside:
        notes.append(f"{outside} fixations of {path.name} begin outside the samples and have no position.")
    broken = recording.broken + int((~timed).sum())
    return replace(recording, fixations=fixations, broken=broken, notes=tuple(notes))


def _begins(onsets: DoubleArray, meta: Json, recording: EyeRecording) -> DoubleArray:
    """Return when events begin, ms: onsets are timestamps, or numbers of rows from 0."""
    told = meta.get("OnsetSource", meta.get("ForeignIndexColumn", _T))
    if word(told):
        return onsets * recording.to_ms
    t = recording.samples.t_ms
    step = 1000 / recording.rate_hz if recording.rate_hz else 1.0
    inner = np.clip(onsets, 0, len(t) - 1)
    begins: DoubleArray = t[np.round(inner).astype(np.int64)] + (onsets - inner) * step
    return begins


def _duration_unit(durations: DoubleArray, described: Any, of_times: float, notes: list[str]) -> float:
    """Return the ms in a unit of durations: as described, else that of the timestamps where it makes sense."""
    stated = TO_MS.get(word(described.get("Units")) if isinstance(described, dict) else "")
    if stated is not None or not len(durations):
        return of_times if stated is None else stated
    middle = float(np.median(durations))
    shortest, longest = _USUAL_FIXATION_MS
    fitting = [unit for unit in (of_times, 1.0, 1000.0, 1e-3) if shortest <= middle * unit <= longest]
    if fitting and fitting[0] != of_times:
        notes.append("The durations of the fixations are in another unit than the timestamps.")
    return fitting[0] if fitting else of_times


def _means(samples: Samples, begin: DoubleArray, end: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Return the mean positions of the samples from each begin to before each end; NaN for none."""
    seen = np.isfinite(samples.x)
    first = np.searchsorted(samples.t_ms, begin - _ROUNDING_MS)
    last = np.searchsorted(samples.t_ms, np.maximum(end - _ROUNDING_MS, begin + _ROUNDING_MS))
    n = np.diff(np.r_[0, np.cumsum(seen)][np.stack([first, last])], axis=0)[0].astype(np.float64)
    n[n == 0] = np.nan
    # Sums are taken about a middle, so that those of long recordings keep their digits.
    means = []
    for values in (samples.x, samples.y):
        middle = np.nanmedian(values) if seen.any() else 0.0
        total = np.r_[0.0, np.cumsum(np.where(seen, values - middle, 0.0))]
        means.append(middle + (total[last] - total[first]) / n)
    return means[0], means[1]
