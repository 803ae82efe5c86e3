"""Scores, ceilings and their summary."""

from __future__ import annotations

from gazeapp.engine.project.rows import CeilingRow, ScoreRow, SummaryRow
from gazeapp.engine.project.store import Store


class ScoreStore(Store):
    """Reads the ``scores``, ``ceilings`` and ``summary`` tables."""

    def all(self, preset: str | None = None) -> list[ScoreRow]:
        """Return the scores of every image, of one preset or of all."""
        rows = self._db.execute(
            "SELECT s.image_id, s.source_kind, s.source, t.name, s.method, s.lesion, s.metric, s.preset, s.value, "
            "s.settings_id FROM scores s JOIN tasks t ON t.id = s.task_id "
            "WHERE (:preset IS NULL OR s.preset = :preset) ORDER BY t.id, s.image_id, s.source_kind, s.source",
            {"preset": preset},
        )
        return [ScoreRow(*row) for row in rows]

    def ceilings(self, preset: str | None = None) -> list[CeilingRow]:
        """Return the per-image ceilings, of one preset or of all."""
        rows = self._db.execute(
            "SELECT c.image_id, t.name, c.metric, c.preset, c.estimator, c.value, c.n_subjects, c.settings_id "
            "FROM ceilings c JOIN tasks t ON t.id = c.task_id WHERE (:preset IS NULL OR c.preset = :preset) "
            "ORDER BY t.id, c.image_id, c.metric, c.estimator",
            {"preset": preset},
        )
        return [CeilingRow(*row) for row in rows]

    def summary(self, preset: str | None = None) -> list[SummaryRow]:
        """Return the summary over images, of one preset or of all."""
        rows = self._db.execute(
            "SELECT s.source_kind, s.source, t.name, s.method, s.lesion, s.metric, s.preset, s.n_images, "
            "s.n_subjects, s.mean, s.ceiling, s.estimator, s.chance, s.percent, s.ci_low, s.ci_high, s.settings_id "
            "FROM summary s JOIN tasks t ON t.id = s.task_id WHERE (:preset IS NULL OR s.preset = :preset) "
            "ORDER BY t.id, s.source_kind, s.source, s.metric",
            {"preset": preset},
        )
        return [SummaryRow(*row) for row in rows]
