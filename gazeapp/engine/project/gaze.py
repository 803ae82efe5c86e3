"""Recordings, trials and fixations."""

from __future__ import annotations

import json

import numpy as np

from gazeapp.engine.project.rows import FixationTable, RecordingRow, TrialRow
from gazeapp.engine.project.store import Store


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

    def recordings(self) -> list[RecordingRow]:
        """Return the imported recordings, oldest first."""
        rows = self._db.execute(
            "SELECT id, file, sha256, format, confidence, task, facts, simulated, settings_id, created "
            "FROM recordings ORDER BY id"
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
