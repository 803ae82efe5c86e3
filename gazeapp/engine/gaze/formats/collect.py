"""What readers of data sets share: trials one by one, and the files of a folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.quality import with_sample_quality
from gazeapp.engine.gaze.records import Contents, Facts, Fixations, Samples, Trial, empty_fixations
from gazeapp.engine.gaze.source import Source

NOT_TWO_COORDINATES = "scanpath without as many x as y"
UNREADABLE = "file that cannot be read"

_JOIN = 4096
_TOLD = 5
_LOOKED_AT, _OF_ONE_FOLDER = 4000, 400

Table = TypeVar("Table", Fixations, Samples)


class Trials:
    """Trials with their fixations and samples, joined into columns at the end."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self._trials: list[Trial] = []
        self._fixations: list[Fixations] = []
        self._samples: list[Samples] = []
        self._n_fixations = self._n_samples = 0

    def __len__(self) -> int:
        return len(self._trials)

    def add(self, trial: Trial, fixations: Fixations | None = None, samples: Samples | None = None) -> None:
        """Take one trial; samples have to be in order of eye and time."""
        table = empty_fixations() if fixations is None else fixations
        n_samples = 0 if samples is None else len(samples)
        self._trials.append(
            replace(
                trial,
                rows=slice(self._n_fixations, self._n_fixations + len(table)),
                sample_rows=slice(self._n_samples, self._n_samples + n_samples),
            )
        )
        self._n_fixations += len(table)
        self._n_samples += n_samples
        self._fixations.append(table)
        if len(self._fixations) >= _JOIN:  # so that a million trials are no million tables
            self._fixations = [joined(self._fixations)]
        if samples is not None:
            self._samples.append(samples)

    def contents(self, facts: Facts) -> Contents:
        """Return the trials and their columns, with what was lost and what the samples say of the trials.

        Parameters
        ----------
        facts
            What is known of the recording; lost rows are counted here, and samples where it says no number.
        """
        trials = tuple(self._trials)
        fixations = joined(self._fixations) if self._fixations else empty_fixations()
        samples = joined(self._samples) if self._samples else None
        if samples is not None:
            trials = with_sample_quality(trials, samples, facts.rate_hz)
            facts = replace(facts, n_samples=facts.n_samples or len(samples))
        return Contents(replace(facts, lost_rows=dict(+self.lost)), trials, fixations, samples)


def joined(parts: list[Table]) -> Table:
    """Return tables one below the other."""
    names = parts[0].__slots__
    return type(parts[0])(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def numbered(number: int) -> str:
    """Return a name for a subject that is only a number: s01, s02 and so on."""
    return f"s{number:02d}"


def first_files(folder: Path, ends: str, most: int = 2) -> list[Path]:
    """Return some of the files whose name ends so, in the folder or below; few entries are looked at."""
    looked_at = _LOOKED_AT
    found: list[Path] = []
    waiting = [folder]
    while waiting and looked_at > 0 and len(found) < most:
        try:
            with os.scandir(waiting.pop(0)) as listed:
                for entry in islice(listed, _OF_ONE_FOLDER):
                    looked_at -= 1
                    if entry.name.endswith(ends) and not entry.name.startswith(".") and entry.is_file():
                        found.append(Path(entry.path))
                    elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        waiting.append(Path(entry.path))
                    if looked_at <= 0 or len(found) >= most:
                        break
        except OSError:
            continue
    return found


def all_files(folder: Path, ends: str) -> list[Path]:
    """Return all files whose name ends so, in the folder and below, in order of their names."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in names if name.endswith(ends) and not name.startswith(".")]
    return sorted(found)


def file_or_folder(
    source: Source, ends: str, read_one: Callable[[Source], None], lost: Counter[str]
) -> Iterator[str]:
    """Read a file, or all files of a folder whose name ends so; otherwise as :func:`each_file`."""
    if source.is_folder:
        yield from each_file(source, all_files(source.path, ends), read_one, lost)
    else:
        read_one(source)


def each_file(
    source: Source, files: list[Path], read_one: Callable[[Source], None], lost: Counter[str]
) -> Iterator[str]:
    """Read files one after the other and yield what is to be told about those that cannot be read.

    One bad file of many does not stop the others; it is counted in ``lost``.

    Raises
    ------
    GazeError
        When it is the only file.
    """
    for number, path in enumerate(files):
        source.progress(number, len(files))
        try:
            read_one(Source(path))
        except GazeError as error:
            if len(files) == 1:
                raise
            lost[UNREADABLE] += 1
            if lost[UNREADABLE] <= _TOLD:
                yield f"{path.name} is left out. {error.what}"
    source.progress(len(files), len(files))
