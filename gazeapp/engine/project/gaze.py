"""Recordings, trials and fixations."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gazeapp.engine.project.rows import FixationTable, RecordingRow, TrialRow
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import Json, Rect


class FixationRow(NamedTuple):
    """A fixation as it is stored: its number in the trial, position as read (px), times (ms), why dropped.

    NaN in ``x``, ``y``, ``start_ms`` or ``duration_ms`` is stored as missing.
    """

    position: int
    x: float
    y: float
    start_ms: float
    duration_ms: float
    eye: str
    dropped: str


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
        """
        try:
            file = Path(os.path.relpath(path.resolve(), self._project.folder)).as_posix()
        except ValueError:  # another drive on Windows
            file = path.resolve().as_posix()
        created = datetime.now(UTC).isoformat(timespec="seconds")
        with self._project.transaction():
            cursor = self._db.execute(
                "INSERT INTO recordings (file, sha256, format, confidence, task, facts, simulated, "
                "settings_id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (file, sha256, format, confidence, task, json.dumps(facts), simulated, settings_id, created),
            )
        return int(cursor.lastrowid or 0)

    def add_trial(
        self,
        recording_id: int,
        *,
        subject: str,
        task: str,
        image_id: int | None,
        label: str,
        image_name: str,
        shown: Rect | None,
    ) -> int:
        """Store a trial without its fixations, and return its id; its subject and task are added.

        Parameters
        ----------
        recording_id
            The recording that it is part of.
        subject, task
            Names.
        image_id
            The image, or None when the project does not hold it.
        label, image_name
            As recorded.
        shown
            Where the image was on the screen, screen px; None when positions are image px.
        """
        place = (None,) * 4 if shown is None else (shown.x, shown.y, shown.width, shown.height)
        with self._project.transaction():
            task_id = self._project.tasks.add(task) if task else None
            cursor = self._db.execute(
                "INSERT INTO trials (recording_id, subject_id, image_id, task_id, label, image_name, "
                "offset_x, offset_y, shown_width, shown_height) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (recording_id, self.add_subject(subject), image_id, task_id, label, image_name, *place),
            )
        return int(cursor.lastrowid or 0)

    def add_fixations(self, trial_id: int, rows: Iterable[FixationRow]) -> None:
        """Store the fixations of a trial."""
        with self._project.transaction():
            self._db.conn.executemany(
                "INSERT INTO fixations (trial_id, position, x, y, start_ms, duration_ms, eye, dropped) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((trial_id, *row) for row in rows),
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
            "SELECT id, file, sha256, format, confidence, task, facts, simulated, settings_id, created "
            "FROM recordings WHERE (:sha256 IS NULL OR sha256 = :sha256) ORDER BY id",
            {"sha256": sha256},
        )
        return [RecordingRow(*(*row[:6], json.loads(row[6]), bool(row[7]), *row[8:])) for row in rows]

    def trials(self, recording_id: int | None = None) -> list[TrialRow]:
        """Return the trials, all or those of one recording, with how many fixations were read and kept."""
        rows = self._db.execute(
            "SELECT r.id, r.recording_id, s.name, r.image_id, coalesce(t.name, ''), r.label, r.image_name, "
            "count(f.trial_id), coalesce(sum(f.dropped = ''), 0) FROM trials r "
            "JOIN subjects s ON s.id = r.subject_id LEFT JOIN tasks t ON t.id = r.task_id "
            "LEFT JOIN fixations f ON f.trial_id = r.id WHERE (:id IS NULL OR r.recording_id = :id) "
            "GROUP BY r.id ORDER BY r.id",
            {"id": recording_id},
        )
        return [TrialRow(*row) for row in rows]

    def counts(self) -> dict[tuple[int, str], int]:
        """Return the number of kept fixations for each (image id, task)."""
        rows = self._db.execute(
            "SELECT r.image_id, t.name, count(*) FROM fixations f JOIN trials r ON r.id = f.trial_id "
            "JOIN tasks t ON t.id = r.task_id WHERE f.dropped = '' AND r.image_id IS NOT NULL "
            "GROUP BY r.image_id, t.name"
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def fixations(self, image_id: int, task: str) -> FixationTable:
        """Return the kept fixations of an image under a task, in image px.

        Positions are stored as read; a trial with a shown rectangle is brought from the screen to
        the image here: ``x_image = (x_screen - offset_x) * image_width / shown_width``.
        """
        rows = self._db.execute(
            "SELECT CASE WHEN r.shown_width IS NULL THEN f.x "
            "ELSE (f.x - r.offset_x) * i.width / r.shown_width END, "
            "CASE WHEN r.shown_height IS NULL THEN f.y "
            "ELSE (f.y - r.offset_y) * i.height / r.shown_height END, "
            "s.name, r.id, f.position, f.start_ms, f.duration_ms "
            "FROM trials r JOIN fixations f ON f.trial_id = r.id JOIN subjects s ON s.id = r.subject_id "
            "JOIN tasks t ON t.id = r.task_id JOIN images i ON i.id = r.image_id "
            "WHERE r.image_id = ? AND t.name = ? AND f.dropped = '' ORDER BY s.name, r.id, f.position",
            (image_id, task),
        ).fetchall()
        x, y, subject, trial, index, start, duration = zip(*rows, strict=True) if rows else ([],) * 7
        return FixationTable(
            x=np.array(x, dtype=np.float64),
            y=np.array(y, dtype=np.float64),
            subject=np.array(subject, dtype=np.str_),
            trial_id=np.array(trial, dtype=np.int64),
            index=np.array(index, dtype=np.int64),
            start_ms=np.array(start, dtype=np.float64),
            duration_ms=np.array(duration, dtype=np.float64),
        )
