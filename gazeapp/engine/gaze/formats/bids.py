"""BIDS eye tracking: one ``*_physio.tsv.gz``, or all those of a data set's folder.

The recordings of both eyes of one run are one recording; trials are the events of its ``*_events.tsv``.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.bids_files import (
    EVENTS,
    PHYSIO,
    PHYSIO_EVENTS,
    Named,
    is_physio,
    metadata,
    named,
    table_for,
)
from gazeapp.engine.gaze.formats.bids_gaze import EyeRecording, columns_of, is_gaze, read_eye
from gazeapp.engine.gaze.formats.bids_trials import Screen, Window, screen_of, windows
from gazeapp.engine.gaze.formats.collect import Trials, all_files, each_file, first_files, joined
from gazeapp.engine.gaze.quality import with_sample_quality
from gazeapp.engine.gaze.records import BROKEN_LINE, Contents, Eye, Facts, Frame, Trial
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import renumbered, sort_samples
from gazeapp.engine.types import DoubleArray, IntArray, Json

OUTSIDE_TRIALS = "outside the trials"
OTHER_FRAME = "recording in another coordinate frame"

_TABLES = ("_physio.tsv.gz", "_physio.tsv")
_COPIES = {"derivatives", "sourcedata"}
_TRIED = 16


def recognise(source: Source) -> Guess | None:
    """Tell eye recordings by the metadata beside them."""
    if source.is_folder:
        found = [p for ends in _TABLES for p in first_files(source.path, ends, _TRIED)]
        if any(is_gaze(_metadata_or_none(path)) for path in found):
            return Guess(0.95, "a folder with _physio tables whose metadata say PhysioType eyetrack")
        return None
    name = named(source.path)
    if name is None or name.ending == ".json" or name.suffix not in (PHYSIO, PHYSIO_EVENTS):
        return None
    if name.suffix == PHYSIO_EVENTS:
        return Guess(0.9, "its name says that it holds the events of a BIDS recording")
    meta = _metadata_or_none(source.path)
    if not is_gaze(meta):
        return None
    n_cells = len(source.head_lines[0].split("\t")) if source.head_lines else 0
    confidence = 0.97 if n_cells == len(columns_of(meta)) else 0.9
    return Guess(confidence, "the metadata beside it say PhysioType eyetrack")


def _metadata_or_none(path: Path) -> Json:
    name = named(path)
    with suppress(GazeError):
        return metadata(name, PHYSIO, name.entities) if name is not None else {}
    return {}


@dataclass
class _Reading:
    """What was gathered so far; the first recording settles the frame and the screen."""

    options: ReadOptions
    runs: dict[Path, list[Named]]
    trials: Trials = field(default_factory=Trials)
    notes: list[str] = field(default_factory=list)
    eyes: Counter[str] = field(default_factory=Counter)
    screen: Screen | None = None
    frame: Frame = field(default_factory=Frame)
    rate_hz: float | None = None
    n_samples: int = 0

    def read_run(self, source: Source) -> None:
        """Read the recordings of all eyes of one run, and put them into trials."""
        files = self.runs[source.path]
        metas = [metadata(data, PHYSIO, data.entities) for data in files]
        found = [
            read_eye(data, meta)
            for data, meta in zip(files, metas, strict=True)
            if is_gaze(meta) or len(self.runs) == 1
        ]
        if not found:
            return
        whole = files[0].without("recording")
        events_meta = metadata(files[0], EVENTS, whole)
        screen = screen_of(events_meta, found[0].is_share)
        if screen.frame is None:
            raise source.problem(
                "The origin of the screen is neither its top left nor bottom left corner nor its middle.",
                "Check ScreenOrigin in the metadata of the events.",
            )
        if self.screen is None:
            self.screen, self.frame = screen, screen.frame
        if screen.frame != self.frame:
            self.trials.lost[OTHER_FRAME] += 1
            return
        self.rate_hz = self.rate_hz or found[0].rate_hz
        path = table_for(files[0], EVENTS, whole)
        shown: list[Window] = []
        told: list[str] = []
        if path is not None:
            shown, told = windows(path, events_meta, found[0].samples.t_ms, found[0].start_s)
        self.notes += [*screen.notes, *told, *(note for eye in found for note in eye.notes)]
        self._add(files[0], found, shown)

    def _add(self, data: Named, found: list[EyeRecording], shown: list[Window]) -> None:
        fixations, samples = joined([eye.fixations for eye in found]), joined([eye.samples for eye in found])
        self.n_samples += len(samples)
        self.eyes.update(Eye(code).word for code in np.unique(samples.eye))
        self.trials.lost[BROKEN_LINE] += sum(eye.broken for eye in found)
        known = _known_trials(data, shown)
        n = len(known)
        fix_owner, owner = (_owners(times, shown) for times in (fixations.start_ms, samples.t_ms))
        samples, sample_rows = sort_samples(owner, samples, n)
        order = np.argsort(fix_owner, kind="stable")
        numberless = replace(fixations.part(order), index=np.zeros(len(order), dtype=np.int64))
        fixations = renumbered(numberless, fix_owner[order])
        bounds = np.searchsorted(fix_owner[order], np.arange(n + 1))
        keeps = self.options.samples or not len(fixations)
        for k, trial in enumerate(known):
            seen, part = fixations.part(slice(bounds[k], bounds[k + 1])), samples.part(sample_rows[k])
            if not trial.is_real and not len(seen) and not len(part):
                continue
            sampled = replace(trial, sample_rows=slice(0, len(part)))
            (judged,) = with_sample_quality([sampled], part, found[0].rate_hz)
            self.trials.add(judged, seen, part if keeps else None)


def read(source: Source, options: ReadOptions) -> Contents:
    """Read one recording, or all of a folder.

    Positions are those of the screen, as read. Fixations are those that the tracker marked, else there
    are only samples. What lies outside the trials is in a trial of its own, which is not real.

    Raises
    ------
    GazeError
        When nothing can be read, or the file holds events without positions.
    """
    name = named(source.path)
    if not source.is_folder and name is not None and name.suffix == PHYSIO_EVENTS:
        raise source.problem(
            "The file holds the times of eye movements but no positions.",
            "Import the _physio.tsv.gz that belongs to it; the events are read with it.",
        )
    files = _gaze_files(source.path) if source.is_folder else [name or Named(source.path, {}, "", "")]
    runs = _by_run(files)
    reading = _Reading(options, runs)
    if source.is_folder:
        reading.notes += each_file(source, list(runs), reading.read_run, reading.trials.lost)
    else:
        reading.read_run(source)
    if not len(reading.trials):
        raise source.problem(
            "No eye recording of a BIDS data set was found." + "".join(f" {note}" for note in reading.notes),
            "It needs _physio.tsv.gz files, and JSON files that say PhysioType eyetrack.",
        )
    return _contents(reading)


def _contents(reading: _Reading) -> Contents:
    screen = reading.screen
    facts = Facts(
        frame=reading.frame,
        screen=screen.size if screen else None,
        eyes=tuple(word for word in reading.eyes if word != Eye.UNKNOWN.word),
        rate_hz=reading.rate_hz,
        distance_cm=screen.distance_cm if screen else None,
        screen_width_cm=screen.width_cm if screen else None,
        n_samples=reading.n_samples,
        notes=tuple(dict.fromkeys(reading.notes)),
    )
    return reading.trials.contents(facts)


def _gaze_files(folder: Path) -> list[Named]:
    """Return the recordings of eyes in a folder; copies in derivatives and source data are no others."""
    paths = sorted({path for ends in _TABLES for path in all_files(folder, ends)})
    names = [
        named(path)
        for path in paths
        if is_physio(path) and not _COPIES & set(path.relative_to(folder).parent.parts)
    ]
    return [name for name in names if name is not None and is_gaze(_metadata_or_none(name.path))]


def _by_run(files: list[Named]) -> dict[Path, list[Named]]:
    """Return the files of all eyes of each run, by the first one's path."""
    runs: dict[tuple[object, ...], list[Named]] = {}
    for data in files:
        key = (data.path.parent, *sorted(data.without("recording").items()))
        runs.setdefault(key, []).append(data)
    return {group[0].path: group for group in runs.values()}


def _known_trials(data: Named, shown: list[Window]) -> list[Trial]:
    """Return the trials of a run; the last one holds what lies outside the others."""
    subject = f"sub-{data.entities['sub']}" if "sub" in data.entities else Source(data.path).stem
    task = data.entities.get("task", "")
    run = [
        f"{name}-{value}" for name, value in data.entities.items() if name not in ("sub", "task", "recording")
    ]
    if not shown:
        return [Trial(" ".join(run) or data.path.name, subject, "", task)]
    found = [Trial(" ".join([*run, window.label]), subject, window.image, task) for window in shown]
    return [*found, Trial(" ".join([*run, OUTSIDE_TRIALS]), subject, "", task, is_real=False)]


def _owners(times: DoubleArray, shown: list[Window]) -> IntArray:
    """Return the number of the trial at each time; that after the last one for times outside all."""
    if not shown:
        return np.zeros(len(times), dtype=np.int64)
    starts, ends = (np.array([getattr(window, name) for window in shown]) for name in ("start_ms", "end_ms"))
    latest = np.searchsorted(starts, times, side="right") - 1
    inside = (latest >= 0) & (times < ends[latest])
    owners: IntArray = np.where(inside, latest, len(shown)).astype(np.int64)
    return owners


FORMAT = Format(
    "bids",
    "BIDS eye tracking (_physio.tsv.gz, or the data set's folder)",
    (".tsv",),
    recognise,
    read,
    has_samples=True,
)
