"""Recordings, trials and fixations."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.rows import FixationTable, RecordingRow, TrialRow
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import DoubleArray, IntArray, Json

X_IMAGE = "(CASE WHEN r.shown_width IS NULL THEN f.x ELSE (f.x - r.offset_x) * i.width / r.shown_width END + r.shift_x)"
Y_IMAGE = X_IMAGE.replace("width", "height").replace("_x", "_y").replace(".x", ".y")
"""Position on the image, px, of a fixation ``f`` of a trial ``r`` on an image ``i``: read, then shifted."""

CHOICES, GEOMETRY = "gaze choices", "gaze geometry"
"""Names under which the project keeps which fixations are used, and the geometry of most recordings."""

_TRIAL = (
    "SELECT r.id, r.recording_id, s.name, r.image_id, coalesce(t.name, ''), r.label, r.image_name, "
    "r.n_fixations, r.n_kept, r.offset_x, r.offset_y, r.shown_width, r.shown_height, r.shift_x, r.shift_y, "
    "r.placement, r.eye, r.quality FROM trials r "
    "JOIN subjects s ON s.id = r.subject_id LEFT JOIN tasks t ON t.id = r.task_id "
)


class FixationRow(NamedTuple):
    """A fixation as it is stored.

    Trial, place in the trial, number in its trial and eye, position as read, times (ms), eye, what makes it
    unusable, why it is not used. NaN in ``x``, ``y``, ``start_ms`` or ``duration_ms`` is stored as missing.
    """

    trial_id: int
    position: int
    number: int
    x: float
    y: float
    start_ms: float
    duration_ms: float
    eye: str
    unusable: str
    dropped: str


@dataclass(frozen=True, slots=True)
class NewTrial:
    """A trial to be stored.

    Parameters
    ----------
    subject, task
        Names; an empty task is none.
    image_id
        The image, or None when the project does not hold it.
    label, image_name
        As recorded.
    shown
        Where the image was, in the units of the recording: x, y, width, height; None when positions
        are image px. A height below 0 means that y as read grows upwards.
    placement
        What the recording said of the image's place on the screen.
    eye
        The eye in use.
    quality
        Figures of the trial, JSON-able.
    n_fixations, n_kept
        How many fixations it has, and how many of them are used.
    """

    subject: str
    task: str
    image_id: int | None
    label: str
    image_name: str
    shown: tuple[float, float, float, float] | None = None
    placement: Json | None = None
    eye: str = ""
    quality: Json = field(default_factory=dict)
    n_fixations: int = 0
    n_kept: int = 0


@dataclass(frozen=True)
class StoredFixations:
    """All fixations of a recording or trial as columns, dropped ones too; text columns are objects.

    Every column has shape (n,), by trial and place in the trial; positions are as read.
    """

    trial_id: IntArray
    position: IntArray
    number: IntArray
    x: DoubleArray
    y: DoubleArray
    start_ms: DoubleArray
    duration_ms: DoubleArray
    eye: NDArray[np.object_]
    unusable: NDArray[np.object_]
    dropped: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.x)


class GazeStore(Store):
    """Reads and writes the ``recordings``, ``trials``, ``fixations`` and ``subjects`` tables."""

    def add_subject(self, name: str) -> int:
        """Add a subject unless it is there, and return its id."""
        self._db.execute("INSERT OR IGNORE INTO subjects (name) VALUES (?)", (name,))
        return int(self._db.execute("SELECT id FROM subjects WHERE name = ?", (name,)).fetchone()[0])

    def subjects(self, task: str | None = None) -> list[str]:
        """Return the names of the subjects, all or those with trials under one task, by name."""
        if task is None:
            return [row[0] for row in self._db.execute("SELECT name FROM subjects ORDER BY name")]
        rows = self._db.execute(
            "SELECT DISTINCT s.name FROM subjects s JOIN trials r ON r.subject_id = s.id "
            "JOIN tasks t ON t.id = r.task_id WHERE t.name = ? ORDER BY s.name",
            (task,),
        )
        return [row[0] for row in rows]

    def subjects_of_images(self) -> dict[tuple[int, str], frozenset[str]]:
        """Return the names of the subjects with a kept fixation, for each (image id, task)."""
        names = dict(self._db.execute("SELECT id, name FROM subjects").fetchall())
        tasks = dict(self._db.execute("SELECT id, name FROM tasks").fetchall())
        found: dict[tuple[int, str], set[str]] = {}
        for image, task, subject in self._db.execute(
            "SELECT image_id, task_id, subject_id FROM trials "
            "WHERE n_kept > 0 AND image_id IS NOT NULL AND task_id IS NOT NULL"
        ):
            found.setdefault((image, tasks[task]), set()).add(names[subject])
        return {key: frozenset(subjects) for key, subjects in found.items()}

    def add_recording(
        self,
        *,
        path: Path,
        sha256: str,
        format: str,
        confidence: float,
        task: str,
        facts: Json,
        simulated: bool,
        settings_id: int,
        frame: Json,
        geometry: Json,
    ) -> int:
        """Store a recording without its trials, and return its id.

        Parameters
        ----------
        path
            The file; kept relative to the project's folder.
        sha256
            SHA-256 of its bytes.
        format, confidence
            Format id, and how sure it is, 0 to 1.
        task
            Task of the trials that name none themselves; empty when all name one.
        facts
            What the file says about how it was recorded, JSON-able.
        simulated
            Whether the subjects were simulated.
        settings_id
            The settings of the import.
        frame, geometry
            Coordinate frame of the positions, and what the user said of screen and distance.
        """
        try:
            file = Path(os.path.relpath(path.resolve(), self._project.folder)).as_posix()
        except ValueError:  # another drive on Windows
            file = path.resolve().as_posix()
        created = datetime.now(UTC).isoformat(timespec="seconds")
        with self._project.transaction():
            cursor = self._db.execute(
                "INSERT INTO recordings (file, sha256, format, confidence, task, facts, simulated, "
                "settings_id, created, frame, geometry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(file, sha256, format, confidence, task, json.dumps(facts), simulated, settings_id),
                    *(created, json.dumps(frame), json.dumps(geometry)),
                ),
            )
        return int(cursor.lastrowid or 0)

    def add_trials(self, recording_id: int, trials: Sequence[NewTrial]) -> list[int]:
        """Store trials without their fixations, and return their ids; subjects and tasks are added."""
        with self._project.transaction():
            subjects = {name: self.add_subject(name) for name in {trial.subject for trial in trials}}
            tasks = {name: self._project.tasks.add(name) for name in {trial.task for trial in trials} if name}
            first = 1 + int(self._db.execute("SELECT coalesce(max(id), 0) FROM trials").fetchone()[0])
            ids = list(range(first, first + len(trials)))
            self._db.conn.executemany(
                "INSERT INTO trials (id, recording_id, subject_id, task_id, image_id, label, image_name, "
                "offset_x, offset_y, shown_width, shown_height, placement, eye, quality, n_fixations, n_kept) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        *(number, recording_id, subjects[trial.subject], tasks.get(trial.task)),
                        *(trial.image_id, trial.label, trial.image_name, *(trial.shown or (None,) * 4)),
                        *(json.dumps(trial.placement) if trial.placement else "", trial.eye),
                        *(json.dumps(trial.quality), trial.n_fixations, trial.n_kept),
                    )
                    for number, trial in zip(ids, trials, strict=True)
                ),
            )
        return ids

    def add_fixations(self, rows: Iterable[FixationRow]) -> None:
        """Store fixations; their trials' counts are stored with the trials."""
        with self._project.transaction():
            self._db.conn.executemany(
                "INSERT INTO fixations (trial_id, position, number, x, y, start_ms, duration_ms, eye, unusable, "
                "dropped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def mark(self, marks: Iterable[tuple[int, int, str]]) -> None:
        """Store why fixations are not used: trial id, place in the trial, reason (empty: it is used)."""
        changed = [(reason, trial, position) for trial, position, reason in marks]
        with self._project.transaction():
            self._db.conn.executemany(
                "UPDATE fixations SET dropped = ? WHERE trial_id = ? AND position = ?", changed
            )
            self._db.conn.executemany(
                "UPDATE trials SET n_kept = (SELECT count(*) FROM fixations f WHERE f.trial_id = trials.id "
                "AND f.dropped = '') WHERE id = ?",
                [(trial,) for trial in sorted({trial for _, trial, _ in changed})],
            )

    def change_trials(self, changes: Mapping[int, Json]) -> None:
        """Change columns of trials, by trial id and name.

        The names are ``image_id``, ``shown`` (see :class:`NewTrial`), ``shift`` (x, y, image px), ``eye``
        and ``quality``.
        """
        with self._project.transaction():
            for trial_id, values in changes.items():
                columns: Json = {name: values[name] for name in ("image_id", "eye") if name in values}
                if "shown" in values:
                    names = ("offset_x", "offset_y", "shown_width", "shown_height")
                    columns.update(zip(names, values["shown"] or (None,) * 4, strict=True))
                if "shift" in values:
                    columns.update(zip(("shift_x", "shift_y"), values["shift"], strict=True))
                if "quality" in values:
                    columns["quality"] = json.dumps(values["quality"])
                assigned = ", ".join(f"{name} = ?" for name in columns)
                self._db.execute(f"UPDATE trials SET {assigned} WHERE id = ?", (*columns.values(), trial_id))

    def set_geometry(self, recording_id: int, geometry: Json) -> None:
        """Change what the user said of a recording's screen and distance."""
        with self._project.transaction():
            self._db.execute(
                "UPDATE recordings SET geometry = ? WHERE id = ?", (json.dumps(geometry), recording_id)
            )

    def remove_recording(self, recording_id: int) -> None:
        """Forget a recording with its trials and fixations, and subjects who are in no other."""
        with self._project.transaction():
            self._db.execute("DELETE FROM recordings WHERE id = ?", (recording_id,))
            self._db.execute("DELETE FROM subjects WHERE id NOT IN (SELECT subject_id FROM trials)")

    def looked_at(self, recording_id: int) -> set[tuple[int, str]]:
        """Return the (image id, task) pairs of a recording's trials."""
        rows = self._db.execute(
            "SELECT DISTINCT r.image_id, t.name FROM trials r JOIN tasks t ON t.id = r.task_id "
            "WHERE r.recording_id = ? AND r.image_id IS NOT NULL",
            (recording_id,),
        )
        return {(row[0], row[1]) for row in rows}

    def recordings(self, sha256: str | None = None) -> list[RecordingRow]:
        """Return the imported recordings, all or those of one file content, oldest first."""
        rows = self._db.execute(
            "SELECT id, file, sha256, format, confidence, task, facts, simulated, settings_id, created, frame, "
            "geometry FROM recordings WHERE (:sha256 IS NULL OR sha256 = :sha256) ORDER BY id",
            {"sha256": sha256},
        )
        return [_recording(row) for row in rows]

    def files(self) -> dict[int, str]:
        """Return the file name of each recording by its id, oldest first."""
        return dict(self._db.execute("SELECT id, file FROM recordings ORDER BY id").fetchall())

    def trials(self, recording_id: int | None = None) -> list[TrialRow]:
        """Return the trials, all or those of one recording, with how many fixations were read and kept."""
        # One condition for both would keep SQLite from using its index.
        of = "" if recording_id is None else "WHERE r.recording_id = :id "
        rows = self._db.execute(f"{_TRIAL}{of}ORDER BY r.id", {"id": recording_id})
        return [_trial(row) for row in rows]

    def trials_of_image(self, image_id: int, task: str) -> list[TrialRow]:
        """Return the trials in which an image was looked at under a task."""
        rows = self._db.execute(
            _TRIAL + "WHERE r.image_id = ? AND t.name = ? ORDER BY r.id", (image_id, task)
        )
        return [_trial(row) for row in rows]

    def trial(self, trial_id: int) -> TrialRow:
        """Return one trial.

        Raises
        ------
        GazeError
            If there is none with that id.
        """
        row = self._db.execute(_TRIAL + "WHERE r.id = ?", (trial_id,)).fetchone()
        if row is None:
            raise GazeError(f"The project holds no trial with number {trial_id}.")
        return _trial(row)

    def counts(self) -> dict[tuple[int, str], int]:
        """Return the number of kept fixations for each (image id, task)."""
        rows = self._db.execute(
            "SELECT r.image_id, t.name, sum(r.n_kept) FROM trials r JOIN tasks t ON t.id = r.task_id "
            "WHERE r.image_id IS NOT NULL AND r.n_kept > 0 GROUP BY r.image_id, r.task_id"
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def in_use(self, recording_id: int) -> tuple[int, int, int, set[str]]:
        """Return what is in use of a recording.

        Returns
        -------
        tuple
            Fixations that are not left out; those of them on no image of the project; images looked at; names
            of images that the project does not hold.
        """
        used, waiting, images = self._db.execute(
            "SELECT coalesce(sum(n_kept), 0), coalesce(sum(CASE WHEN image_id IS NULL THEN n_kept END), 0), "
            "count(DISTINCT image_id) FROM trials WHERE recording_id = ?",
            (recording_id,),
        ).fetchone()
        names = self._db.execute(
            "SELECT DISTINCT image_name FROM trials WHERE recording_id = ? AND image_id IS NULL",
            (recording_id,),
        )
        return used, waiting, images, {row[0] for row in names}

    def looked(self) -> dict[tuple[str, int | None, str], str]:
        """Return the file name of the first recording with each (subject, image id, task)."""
        rows = self._db.execute(
            "SELECT s.name, r.image_id, t.name, c.file FROM trials r JOIN subjects s ON s.id = r.subject_id "
            "JOIN tasks t ON t.id = r.task_id JOIN recordings c ON c.id = r.recording_id "
            "WHERE r.image_id IS NOT NULL ORDER BY r.id DESC"
        )
        return {(row[0], row[1], row[2]): PurePosixPath(row[3]).name for row in rows}

    def dropped(self, recording_id: int) -> dict[str, int]:
        """Return how many fixations of a recording are not used, by reason."""
        rows = self._db.execute(
            "SELECT f.dropped, count(*) FROM fixations f JOIN trials r ON r.id = f.trial_id "
            "WHERE r.recording_id = ? AND f.dropped != '' "
            "AND NOT (f.eye = 'average' AND f.dropped = 'other eye') GROUP BY f.dropped ORDER BY f.dropped",
            (recording_id,),
        )
        return dict(rows.fetchall())

    def stored_fixations(self, recording_id: int, trial_id: int | None = None) -> StoredFixations:
        """Return all fixations of a recording, or of one of its trials, as read, dropped ones too."""
        rows = self._db.execute(
            "SELECT f.trial_id, f.position, f.number, f.x, f.y, f.start_ms, f.duration_ms, f.eye, f.unusable, "
            "f.dropped FROM fixations f JOIN trials r ON r.id = f.trial_id "
            "WHERE r.recording_id = :recording AND (:trial IS NULL OR r.id = :trial) ORDER BY f.trial_id, f.position",
            {"recording": recording_id, "trial": trial_id},
        )
        return _columns(rows.fetchall())

    def fixations(self, image_id: int, task: str) -> FixationTable:
        """Return the kept fixations of an image under a task, in image px.

        Positions are stored as read and brought to the image here:
        ``x_image = (x_read - offset_x) * image_width / shown_width + shift_x``. Fixations that are kept
        though they lie outside are moved to the image's border.
        """
        rows = self._db.execute(
            f"SELECT {X_IMAGE}, {Y_IMAGE}, s.name, r.id, f.number, f.start_ms, f.duration_ms, i.width, i.height "
            "FROM trials r JOIN fixations f ON f.trial_id = r.id JOIN subjects s ON s.id = r.subject_id "
            "JOIN tasks t ON t.id = r.task_id JOIN images i ON i.id = r.image_id "
            "WHERE r.image_id = ? AND t.name = ? AND f.dropped = '' ORDER BY s.name, r.id, f.position",
            (image_id, task),
        ).fetchall()
        x, y, subject, trial, index, start, duration, width, height = (
            zip(*rows, strict=True) if rows else ([],) * 9
        )
        return FixationTable(
            x=_on_image(np.array(x, dtype=np.float64), width),
            y=_on_image(np.array(y, dtype=np.float64), height),
            subject=np.array(subject, dtype=np.str_),
            trial_id=np.array(trial, dtype=np.int64),
            index=np.array(index, dtype=np.int64),
            start_ms=np.array(start, dtype=np.float64),
            duration_ms=np.array(duration, dtype=np.float64),
        )


def _on_image(values: DoubleArray, sizes: Sequence[int]) -> DoubleArray:
    """Return positions with those beyond an edge moved onto the last pixel."""
    if not len(values):
        return values
    clipped: DoubleArray = np.clip(values, 0.0, np.nextafter(float(sizes[0]), 0.0))
    return clipped


def _recording(row: Sequence[Any]) -> RecordingRow:
    values = [*row]
    values[6], values[7] = json.loads(row[6]), bool(row[7])
    values[10], values[11] = json.loads(row[10]), json.loads(row[11])
    return RecordingRow(*values)


def _trial(row: Sequence[Any]) -> TrialRow:
    shown = None if row[11] is None else (row[9], row[10], row[11], row[12])
    placement = json.loads(row[15]) if row[15] else {}
    values = [*row[:9], shown, (row[13], row[14]), placement, row[16], json.loads(row[17])]
    return TrialRow(*values)


def _columns(rows: Sequence[Sequence[Any]]) -> StoredFixations:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 10
    trial_id, position, number = (np.array(column, dtype=np.int64) for column in columns[:3])
    x, y, start, duration = (np.array(column, dtype=np.float64) for column in columns[3:7])
    eye, unusable, dropped = (np.array(column, dtype=object) for column in columns[7:])
    return StoredFixations(trial_id, position, number, x, y, start, duration, eye, unusable, dropped)
