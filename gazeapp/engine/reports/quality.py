"""How good the recordings of a project are: figures of every trial and of every recording of a subject."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import numpy as np

from gazeapp.engine.gaze.quality import (
    FIGURES,
    Figure,
    outliers,
    repeated_trials,
    scanpath_digests,
    summarise,
)
from gazeapp.engine.gaze.records import Eye, Fixations
from gazeapp.engine.project import Project
from gazeapp.engine.project import listing as stored
from gazeapp.engine.project.gaze_rules import default_geometry, outdated_detection
from gazeapp.engine.reports import numbers as figures
from gazeapp.engine.reports.tables import Value
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, Json

REPEATED, AGAIN, SHIFT = "n_repeated", "n_again", "shift_px"

COLUMNS: dict[str, Figure] = {
    "n_trials": Figure("Trials", "", "Trials of the subject in this recording."),
    **FIGURES,
    SHIFT: Figure(
        "Offset",
        "px",
        "How far the positions were moved by hand, px of the image; of a recording, the median over its trials.",
    ),
    REPEATED: Figure(
        "Repeated",
        "",
        "Trials with the same subject, image and scanpath as an earlier trial: a file that was loaded twice, "
        "or a trial that was exported twice. Human maps count them twice.",
    ),
    AGAIN: Figure(
        "Also elsewhere",
        "",
        "Trials on images that the subject looks at under the same task in another recording, too.",
    ),
}
"""Columns of numbers by their key, in the order of tables."""

COMPARED = tuple(key for key in FIGURES if key != "n_samples")
"""Columns in which values far from the others are marked; how many samples there are says only how long it took."""

PER_TRIAL = frozenset({"n_recorded", "n_fixations", "n_duplicates", "gaps"})
"""Counts of which a recording's mean over its trials is compared: it may have fewer trials than others."""

_A_TRIAL = " a trial"

RULE = "abs(0.6745 (value − median) / MAD) > 3.5, MAD being the median absolute deviation from the median"
"""When a value stands out, as tooltips and reports have it."""


@dataclass(frozen=True)
class Words:
    """A column of text: ``names[codes[k]]`` is the text of row k."""

    names: tuple[str, ...]
    codes: IntArray

    def at(self, row: int) -> str:
        """Return the text of a row."""
        name: str = self.names[int(self.codes[row])]
        return name

    def part(self, rows: IntArray) -> Words:
        """Return some rows."""
        return Words(self.names, self.codes[rows])


@dataclass(frozen=True, slots=True)
class Middle:
    """Median and median absolute deviation of the rows that a value is compared with, and their number."""

    median: float
    mad: float
    n: int


@dataclass(frozen=True)
class QualityTable:
    """Rows of trials or of recordings as columns.

    Parameters
    ----------
    words
        Columns of text by name: ``subject``, ``recording``, ``eye``, and of trials ``image`` and ``task``.
    numbers
        Columns of :data:`COLUMNS`, shape (n,); NaN where a figure is not known.
    far
        Which values stand out, by column of :data:`COMPARED`, shape (n,).
    peers
        What each row is compared with: all recordings, or the trials of the same task.
    middles
        Of what is compared (:meth:`compared`), by column, then by code of ``peers``; None where nothing is known.
    """

    words: Mapping[str, Words]
    numbers: Mapping[str, DoubleArray]
    far: Mapping[str, BoolArray]
    peers: Words
    middles: Mapping[str, tuple[Middle | None, ...]]

    def __len__(self) -> int:
        return len(self.peers.codes)

    @property
    def stands_out(self) -> BoolArray:
        """Which rows have a value that stands out, or repeat something, shape (n,)."""
        flags = [*self.far.values(), self.numbers[REPEATED] > 0, self.numbers[AGAIN] > 0]
        return np.logical_or.reduce(flags) if len(self) else np.zeros(0, np.bool_)

    def middle(self, row: int, key: str) -> Middle | None:
        """Return what a row's value in a column is compared with."""
        found = self.middles.get(key)
        return found[self.peers.codes[row]] if found else None

    def is_per_trial(self, key: str) -> bool:
        """Return whether a column holds sums over trials that are compared as means over trials."""
        return key in PER_TRIAL and "image" not in self.words

    def compared(self, key: str) -> DoubleArray:
        """Return a column as it is compared: its numbers, but of recordings counts a trial, shape (n,)."""
        return self.numbers[key] / self.numbers["n_trials"] if self.is_per_trial(key) else self.numbers[key]

    def marked(self, row: int) -> list[str]:
        """Return the columns in which a row stands out."""
        keys = [key for key, far in self.far.items() if far[row]]
        return keys + [key for key in (REPEATED, AGAIN) if self.numbers[key][row] > 0]

    def reasons(self, row: int) -> str:
        """Return in which columns a row stands out, such as ``Share lost; Gaps``; empty for none."""
        return "; ".join(COLUMNS[key].name for key in self.marked(row))


@dataclass(frozen=True)
class Quality:
    """The quality of a project's recordings.

    Parameters
    ----------
    recordings
        One row for each subject in each file.
    trials
        One row for each trial, those of a recording and subject not necessarily together.
    owner
        Row in ``recordings`` of each trial, shape (n_trials,).
    trial_id, recording_id
        Numbers in the project of each trial, shape (n_trials,).
    image_id
        Shape (n_trials,); 0 where the project does not hold the image.
    shift
        Shape (n_trials, 2), image px.
    repeats
        Number in the project of the trial that each one repeats, shape (n_trials,); 0 for none.
    outdated
        By number of the recording in the project: that its fixations were found for another geometry than
        holds now.
    """

    recordings: QualityTable
    trials: QualityTable
    owner: IntArray
    trial_id: IntArray
    recording_id: IntArray
    image_id: IntArray
    shift: DoubleArray
    repeats: IntArray
    outdated: Mapping[int, str] = field(default_factory=dict)

    def in_short(self) -> str:
        """Return how many recordings there are and how many stand out."""
        n = int(np.count_nonzero(self.recordings.stands_out))
        out = f"{f'{n:,}' if n else 'none'} stand{'s' if n == 1 else ''} out"
        return f"{_count(len(self.recordings), 'recording')}, {out}"

    def in_words(self) -> str:
        """Return how much there is and how much of it stands out, as one line."""
        files = len(set(self.recording_id.tolist()))
        subjects = len(set(self.recordings.words["subject"].codes.tolist()))
        trials = _count(len(self.trials), "trial")
        return f"{self.in_short()} ({_count(files, 'file')}, {_count(subjects, 'subject')}, {trials})"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


@dataclass
class _Rows:
    """Trials as they are read, before they are columns."""

    rows: list[stored.TrialQualityRow] = field(default_factory=list)
    qualities: list[Json] = field(default_factory=list)


def read_quality(project: Project) -> Quality:
    """Read the quality of all recordings; of the fixations, only scanpaths that may be the same are read."""
    read = _Rows()
    for some in stored.trial_qualities(project):
        read.rows += some
        read.qualities += json.loads(f"[{','.join(row.quality for row in some)}]")
    rows = read.rows
    words = _trial_words(project, rows)
    repeats = _repeats(project, rows, words)
    recording = np.array([row.recording_id for row in rows], dtype=np.int64)
    subject = words["subject"].codes
    numbers = _trial_numbers(read)
    numbers[REPEATED] = (repeats > 0).astype(np.float64)
    numbers[AGAIN] = _again(words, recording).astype(np.float64)
    owner, first = _owners(recording, subject)
    trials = _compare(words, numbers, words["task"])
    return Quality(
        recordings=_recordings(words, numbers, read.qualities, owner, first),
        trials=trials,
        owner=owner,
        trial_id=np.array([row.trial_id for row in rows], dtype=np.int64),
        recording_id=recording,
        image_id=np.array([row.image_id or 0 for row in rows], dtype=np.int64),
        shift=np.array([(row.shift_x, row.shift_y) for row in rows], dtype=np.float64).reshape(-1, 2),
        repeats=repeats,
        outdated=_outdated(project),
    )


def _outdated(project: Project) -> dict[int, str]:
    default = default_geometry(project)
    said = {row.id: outdated_detection(row, default) for row in project.gaze.recordings()}
    return {number: text for number, text in said.items() if text}


def _trial_words(project: Project, rows: Sequence[stored.TrialQualityRow]) -> dict[str, Words]:
    files = {row.id: PurePath(row.file).name for row in project.gaze.recordings()}
    subjects, tasks = (
        dict(project.db.execute(f"SELECT id, name FROM {table}").fetchall())
        for table in ("subjects", "tasks")
    )
    images = {image.id: image.name for image in project.images.all()}
    return {
        "subject": _words([subjects[row.subject_id] for row in rows]),
        "recording": _words([files[row.recording_id] for row in rows]),
        "image": _words([images.get(row.image_id or 0, row.image_name) for row in rows]),
        "task": _words([tasks.get(row.task_id or 0, "") for row in rows]),
        "eye": _words([row.eye for row in rows]),
    }


def _words(texts: Sequence[str]) -> Words:
    names = tuple(dict.fromkeys(texts))
    place = {name: k for k, name in enumerate(names)}
    return Words(names, np.array([place[text] for text in texts], dtype=np.int64))


def _trial_numbers(read: _Rows) -> dict[str, DoubleArray]:
    for row, quality in zip(read.rows, read.qualities, strict=True):
        # What the project says holds, also for trials of which no figures were stored.
        quality.setdefault("n_recorded", row.n_fixations)
        quality["n_fixations"] = row.n_kept
    numbers = {key: _column(read.qualities, key) for key in FIGURES}
    numbers[SHIFT] = np.array([np.hypot(row.shift_x, row.shift_y) for row in read.rows], dtype=np.float64)
    return numbers


def _column(values: Sequence[Json], key: str) -> DoubleArray:
    # None becomes NaN.
    return np.array([value.get(key) for value in values], dtype=np.float64)


def _owners(recording: IntArray, subject: IntArray) -> tuple[IntArray, IntArray]:
    """Return the group of each trial, by first appearance, and the first trial of each group."""
    _, first, group = np.unique(_joined(recording, subject), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[group], first[order]


def _joined(*columns: IntArray) -> IntArray:
    """Return one number for each combination of numbers from 0, shape (n,)."""
    key = columns[0]
    for column in columns[1:]:
        key = key * (1 + column.max(initial=0)) + column
    return key


def _again(words: Mapping[str, Words], recording: IntArray) -> BoolArray:
    """Return which trials show an image that the subject sees under the same task in another recording."""
    key = _joined(*(words[name].codes for name in ("subject", "image", "task")))
    different, group = np.unique(key, return_inverse=True)
    low = np.full(len(different), np.iinfo(np.int64).max)
    high = np.zeros(len(different), dtype=np.int64)
    np.minimum.at(low, group, recording)
    np.maximum.at(high, group, recording)
    named = np.array([bool(name) for name in words["image"].names], dtype=np.bool_)[words["image"].codes]
    several: BoolArray = (low != high)[group] & named
    return several


def _repeats(
    project: Project, rows: Sequence[stored.TrialQualityRow], words: Mapping[str, Words]
) -> IntArray:
    """Return the number of the trial that each one repeats, 0 for none; only look-alikes are read."""
    found = np.zeros(len(rows), dtype=np.int64)
    n = np.array([row.n_fixations for row in rows], dtype=np.int64)
    key = _joined(words["subject"].codes, words["image"].codes, n)
    _, group, sizes = np.unique(key, return_inverse=True, return_counts=True)
    alike = np.flatnonzero((sizes[group] > 1) & (n > 0))
    ids = np.array([rows[k].trial_id for k in alike.tolist()], dtype=np.int64)
    alike, ids = alike[np.argsort(ids)], np.sort(ids)
    repeats = repeated_trials(
        [words["subject"].at(k) for k in alike.tolist()],
        [words["image"].at(k) for k in alike.tolist()],
        _digests(project, ids),
    )
    some = repeats >= 0
    found[alike[some]] = ids[repeats[some]]
    return found


def _digests(project: Project, trial_ids: IntArray) -> list[str]:
    points = list(stored.scanpaths(project, trial_ids.tolist()))
    codes = {word: Eye.of(word) for word in {point.eye for point in points}}
    fixations = Fixations.of(
        *(np.array([point[k] for point in points], dtype=np.float64) for k in (1, 2)),
        duration_ms=np.array([point.duration_ms for point in points], dtype=np.float64),
        eye=np.array([codes[point.eye] for point in points], dtype=np.int8),
    )
    trial = np.searchsorted(trial_ids, np.array([point.trial_id for point in points], dtype=np.int64))
    return scanpath_digests(fixations, trial.astype(np.int64), len(trial_ids))


def _recordings(
    words: Mapping[str, Words],
    numbers: Mapping[str, DoubleArray],
    qualities: Sequence[Json],
    owner: IntArray,
    first: IntArray,
) -> QualityTable:
    members: list[list[int]] = [[] for _ in first]
    for trial, group in enumerate(owner.tolist()):
        members[group].append(trial)
    summaries = [summarise([qualities[k] for k in own]) for own in members]
    columns = {key: _column(summaries, key) for key in ("n_trials", *FIGURES)}
    columns[SHIFT] = np.array([np.median(numbers[SHIFT][own]) for own in members], dtype=np.float64)
    for key in (REPEATED, AGAIN):
        columns[key] = np.bincount(owner, numbers[key], len(first)).astype(np.float64)
    own_words = {name: words[name].part(first) for name in ("subject", "recording")}
    own_words["eye"] = _words([_one_eye({words["eye"].at(k) for k in own}) for own in members])
    everything = Words(("all recordings",), np.zeros(len(first), dtype=np.int64))
    return _compare(own_words, columns, everything)


def _one_eye(eyes: set[str]) -> str:
    return "several" if len(eyes) > 1 else next(iter(eyes))


def _compare(words: Mapping[str, Words], numbers: Mapping[str, DoubleArray], peers: Words) -> QualityTable:
    bare = QualityTable(words, numbers, {}, peers, {})
    far: dict[str, BoolArray] = {}
    middles: dict[str, tuple[Middle | None, ...]] = {}
    groups = [np.flatnonzero(peers.codes == code) for code in range(len(peers.names))]
    for key in COMPARED:
        values = bare.compared(key)
        far[key] = np.zeros(len(values), dtype=np.bool_)
        for rows in groups:
            far[key][rows] = outliers(values[rows], least=FIGURES[key].least)
        middles[key] = tuple(_middle(values[rows]) for rows in groups)
    return replace(bare, far=far, middles=middles)


def _middle(values: DoubleArray) -> Middle | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    median = float(np.median(known))
    return Middle(median, float(np.median(np.abs(known - median))), len(known))


def in_unit(key: str, value: float) -> str:
    """Return a value of a column as tables show it: shares in percent, a dash for what is not known."""
    if not np.isfinite(value):
        return figures.UNKNOWN
    if COLUMNS[key].unit == "share":
        return figures.number(100.0 * value, 1)
    return figures.number(value, 1 if key == SHIFT else 0)


def unit_of(key: str) -> str:
    """Return the unit that :func:`in_unit` shows a column in; empty for counts."""
    unit = COLUMNS[key].unit
    return "%" if unit == "share" else unit


def with_unit(key: str, value: float) -> str:
    """Return a value with its unit, such as ``3.5 %``."""
    return f"{in_unit(key, value)} {unit_of(key)}".rstrip()


def standing_out(quality: Quality) -> Iterator[str]:
    """Yield a line for each recording that stands out: who, in which file, and by what.

    Behind them, a line for each file whose fixations were found for another geometry than holds now.
    """
    table = quality.recordings
    for row in np.flatnonzero(table.stands_out).tolist():
        parts = [f"{COLUMNS[key].name.lower()} {against(table, row, key)}" for key in table.marked(row)]
        yield f"{table.words['subject'].at(row)} in {table.words['recording'].at(row)}: {'; '.join(parts)}"
    yield from outdated_lines(quality)


def outdated_lines(quality: Quality) -> list[str]:
    """Return a line for each file whose fixations were found for another geometry than holds now."""
    words, first = quality.recordings.words["recording"], _first_trials(quality)
    files = {int(quality.recording_id[trial]): words.at(row) for row, trial in enumerate(first)}
    return [f"{files[number]}: {text}" for number, text in quality.outdated.items() if number in files]


def against(table: QualityTable, row: int, key: str) -> str:
    """Return a value beside the median that it is compared with."""
    middle = table.middle(row, key)
    if middle is None:
        return with_unit(key, float(table.numbers[key][row]))
    value = compared_text(table, key, float(table.compared(key)[row]))
    return f"{value} (median {compared_text(table, key, middle.median).removesuffix(_A_TRIAL)})"


def compared_text(table: QualityTable, key: str, value: float) -> str:
    """Return a value as it is compared, with its unit, such as ``8.5 a trial``."""
    if table.is_per_trial(key) and np.isfinite(value):
        return f"{figures.number(value, 1)}{_A_TRIAL}"
    return with_unit(key, value)


def trial_rows(quality: Quality) -> Iterator[tuple[Value, ...]]:
    """Yield the rows of quality.csv."""
    table = quality.trials
    for k in range(len(table)):
        yield (
            *(int(quality.trial_id[k]), int(quality.recording_id[k])),
            *(table.words[name].at(k) for name in ("subject", "image", "task", "eye")),
            *(_known(table.numbers[key][k]) for key in FIGURES),
            *(float(quality.shift[k, 0]), float(quality.shift[k, 1])),
            int(quality.repeats[k]) or None,
            int(table.numbers[AGAIN][k]),
            table.reasons(k),
        )


def recording_rows(quality: Quality) -> Iterator[tuple[Value, ...]]:
    """Yield the rows of quality_recordings.csv."""
    table = quality.recordings
    for k, trial in enumerate(_first_trials(quality)):
        recording = int(quality.recording_id[trial])
        yield (
            *(recording, table.words["recording"].at(k)),
            *(table.words["subject"].at(k), table.words["eye"].at(k), int(table.numbers["n_trials"][k])),
            *(_known(table.numbers[key][k]) for key in FIGURES),
            *(float(table.numbers[SHIFT][k]), int(table.numbers[REPEATED][k]), int(table.numbers[AGAIN][k])),
            table.reasons(k),
            quality.outdated.get(recording, ""),
        )


def _first_trials(quality: Quality) -> list[int]:
    """Return the first trial of each row of recordings."""
    first: list[int] = np.unique(quality.owner, return_index=True)[1].tolist()
    return first


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
