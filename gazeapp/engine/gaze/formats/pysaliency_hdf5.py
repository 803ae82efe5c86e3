"""pysaliency's HDF5 files: ``fixations.hdf5``, and ``stimuli.hdf5`` beside it for the images' names.

Kinds by the attribute ``type``: FixationTrains (``train_xs`` and so on, one row a scanpath, filled up
with NaN), Scanpaths and ScanpathFixations (``xs`` and so on), and Fixations (``x``, one row a fixation).
Positions are image px. Times and durations, where there are any, are in s.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.collect import numbered
from gazeapp.engine.gaze.records import IMAGE, Contents, Facts, Fixations, Frame, Trial
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.types import DoubleArray, IntArray

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_KINDS = (b"FixationTrains", b"ScanpathFixations", b"Scanpaths")
_MOST_NUMBERS = 200_000_000
_NO_NAMES = (
    "There is no stimuli file with image names beside the fixations file, so that trials carry only the "
    "number of their image. Put pysaliency's stimuli.hdf5 into the same folder."
)


def recognise(source: Source) -> Guess | None:
    """Tell pysaliency's files by the names of their kinds and columns in the head."""
    head = source.head
    if not head.startswith(SIGNATURE):
        return None
    kind = next((name for name in _KINDS if name in head), b"Fixations" if b"x_hist" in head else b"")
    return Guess(0.95, f"an HDF5 file of pysaliency's kind {kind.decode()}") if kind else None


@dataclass(frozen=True)
class _Columns:
    """One row a fixation; ``trial`` says to which scanpath each belongs, in ascending order."""

    trial: IntArray
    x: DoubleArray
    y: DoubleArray
    t: DoubleArray
    duration: DoubleArray
    stimulus: IntArray
    """Of each scanpath."""
    subject: IntArray
    """Of each scanpath."""


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read all scanpaths; a trial is a scanpath, or what has one subject and image in files without them.

    Raises
    ------
    GazeError
        When the file is damaged or of another kind.
    """
    columns = _opened(source, _columns)
    names = _image_names(source)
    start, duration, notes = _times(columns)
    if not names:
        notes.append(_NO_NAMES)
    bounds = np.searchsorted(columns.trial, np.arange(len(columns.stimulus) + 1))
    index = np.arange(len(columns.trial)) - bounds[columns.trial] + 1
    trials = []
    seen: Counter[tuple[str, int]] = Counter()
    for k, (stimulus, number) in enumerate(zip(columns.stimulus, columns.subject, strict=True)):
        image = names[stimulus] if 0 <= stimulus < len(names) else ""
        subject = numbered(int(number))
        seen[subject, int(stimulus)] += 1
        again = seen[subject, int(stimulus)]
        label = f"image {stimulus}" + (f", look {again}" if again > 1 else "")
        trials.append(Trial(label, subject, image, rows=slice(int(bounds[k]), int(bounds[k + 1]))))
    fixations = Fixations.of(columns.x, columns.y, index=index, start_ms=start, duration_ms=duration)
    return Contents(Facts(Frame(of=IMAGE), notes=tuple(notes)), tuple(trials), fixations)


def _times(columns: _Columns) -> tuple[DoubleArray, DoubleArray, list[str]]:
    """Return begins and durations in ms; begins that only count the fixations up are none."""
    notes = []
    start, duration = columns.t * 1000, columns.duration * 1000
    if len(columns.t) and (columns.t == np.round(columns.t)).all():
        start = np.full(len(start), np.nan)
        notes.append("The times in the file only count the fixations and are no times.")
    known = columns.duration[np.isfinite(columns.duration)]
    if len(known) and np.median(known) > 20:
        duration = columns.duration
        notes.append("The durations are too long to be in s, as pysaliency has them, and were taken as ms.")
    return start, duration, notes


def _opened(source: Source, take: Any) -> Any:
    """Return what a function takes from the opened file; failures become sentences."""
    import h5py

    with source.open_bytes() as stream:
        try:
            with h5py.File(stream, "r") as file:
                return take(file, source)
        except (OSError, RuntimeError, ValueError, TypeError, KeyError, MemoryError, AttributeError) as error:
            raise source.problem(
                f"The HDF5 file is damaged or lacks a part ({type(error).__name__}).",
                "Copy it again, or write it again with pysaliency's to_hdf5.",
            ) from error


def _columns(file: h5py.File, source: Source) -> _Columns:
    kind = _word(file.attrs.get("type", b""))
    if kind == "FixationTrains":
        return _scanpaths(file, source, "train_xs", "train_ys", "train_ns", "train_lengths", "train_ts")
    if kind in ("Scanpaths", "ScanpathFixations"):
        group = file["scanpaths"] if kind == "ScanpathFixations" else file
        return _scanpaths(group, source, "xs", "ys", "n", "lengths", "fixation_attributes/ts")
    if kind == "Fixations":
        return _single_fixations(file, source)
    raise source.problem(
        f"The HDF5 file is of pysaliency's kind '{kind}', which holds no fixations."
        if kind
        else "The HDF5 file is none of pysaliency's.",
        "Give the fixations.hdf5 of the data set.",
    )


def _scanpaths(
    group: h5py.Group, source: Source, xs: str, ys: str, n: str, lengths: str, ts: str
) -> _Columns:
    x, y = _numbers(group, xs, source), _numbers(group, ys, source)
    stimulus = _numbers(group, n, source).astype(np.int64)
    if x.ndim != 2 or x.shape != y.shape or stimulus.shape != x.shape[:1]:
        raise _uneven(source)
    filled = np.isfinite(x)
    if lengths in group:
        filled = np.arange(x.shape[1]) < _numbers(group, lengths, source).reshape(-1, 1)
    if filled.shape != x.shape:
        raise _uneven(source)
    subject = _first(group, ("train_subjects", "scanpath_attributes/subject"), source)
    attributes = ("scanpath_fixation_attributes", "fixation_attributes")
    duration = _first(group, [f"{place}/durations" for place in attributes], source)
    tables = [_first(group, (ts,), source), duration]
    t, durations = (
        np.full(x.shape, np.nan) if table is None or table.shape != x.shape else table for table in tables
    )
    who = np.zeros(len(x)) if subject is None or len(subject) != len(x) else subject
    trial = np.repeat(np.arange(len(x)), filled.sum(axis=1))
    return _Columns(trial, x[filled], y[filled], t[filled], durations[filled], stimulus, who.astype(np.int64))


def _single_fixations(file: h5py.File, source: Source) -> _Columns:
    x, y, n = (_numbers(file, name, source) for name in ("x", "y", "n"))
    t = _first(file, ("t",), source)
    who = _first(file, ("subject", "subjects"), source)
    scanpath = _first(file, ("scanpath_index",), source)
    duration = _first(file, ("duration", "durations"), source)
    given = [np.zeros(len(x)) if part is None else part for part in (n, who, scanpath)]
    t, duration = (np.full(len(x), np.nan) if part is None else part for part in (t, duration))
    if x.ndim != 1 or any(part.shape != x.shape for part in (y, t, duration, *given)):
        raise _uneven(source)
    keys = np.column_stack([part.astype(np.int64) for part in given]).reshape(-1, 3)
    found, first, codes = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    appeared = np.argsort(first)
    rank = np.empty(len(found), dtype=np.int64)
    rank[appeared] = np.arange(len(found))
    trial = rank[codes.reshape(-1)]
    order = np.argsort(trial, kind="stable")
    return _Columns(
        trial[order],
        x[order],
        y[order],
        t[order],
        duration[order],
        found[appeared, 0],
        found[appeared, 1],
    )


def _first(group: h5py.Group, names: Any, source: Source) -> DoubleArray | None:
    name = next((name for name in names if name in group), None)
    return None if name is None else _numbers(group, name, source)


def _numbers(group: h5py.Group, name: str, source: Source) -> DoubleArray:
    """Return a data set as float64; integers stay whole up to 2**53."""
    values = group[name]
    if values.size > _MOST_NUMBERS:
        raise source.problem(
            f"'{name}' says that it holds {values.size:,} numbers, more than any such file.",
            "Copy the file again.",
        )
    numbers: DoubleArray = np.asarray(values[...], dtype=np.float64)
    return numbers


def _uneven(source: Source) -> GazeError:
    return source.problem(
        "The columns of the file differ in length.", "Write it again with pysaliency's to_hdf5."
    )


def _image_names(source: Source) -> list[str]:
    """Return the image names of the stimuli file beside a fixations file; none when there is no such file."""
    stem = source.path.name
    beside = source.path.with_name(stem.replace("fixations", "stimuli"))
    if beside.name == stem or not beside.is_file():
        return []
    try:
        names: list[str] = _opened(Source(beside), _file_names)
    except GazeError:
        return []
    return names


def _file_names(file: h5py.File, source: Source) -> list[str]:  # noqa: ARG001
    return [_word(name) for name in file["filenames"][...]] if "filenames" in file else []


def _word(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


FORMAT = Format("pysaliency", "pysaliency fixations (HDF5)", (".hdf5", ".h5"), recognise, read)
