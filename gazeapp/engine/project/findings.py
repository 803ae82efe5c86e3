"""What maps and people are like image by image, and what a whole study shows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from gazeapp.engine.project.rows import FindingRow, MeasureRow
from gazeapp.engine.project.store import Store
from gazeapp.engine.scoring.findings import Finding


class FindingStore(Store):
    """Reads and writes the ``measures`` and ``findings`` tables.

    Both hold the newest run of each analysis: measures of other settings, and findings of the same analysis
    and preset, are replaced.
    """

    def measures(self, names: Collection[str] = ()) -> Iterator[MeasureRow]:
        """Yield the measures of every image: all, or those of these names."""
        chosen = list(names)
        where = f"WHERE m.measure IN ({', '.join('?' * len(chosen))}) " if chosen else ""
        rows = self._db.execute(
            "SELECT m.image_id, t.name, m.source_kind, m.source, m.method, m.lesion, m.measure, m.against, m.value, "
            f"m.settings_id FROM measures m JOIN tasks t ON t.id = m.task_id {where}"
            "ORDER BY t.id, m.image_id, m.source_kind, m.source, m.measure",
            chosen,
        )
        return (MeasureRow(*row) for row in rows)

    def put_measures(self, rows: Iterable[MeasureRow]) -> None:
        """Store measures, in place of those of the same image, task, source and name."""
        rows = list(rows)
        if not rows:
            return
        with self._project.transaction():
            tasks = {task: self._project.tasks.id_of(task) for task in {row.task for row in rows}}
            hashes = {id_: self._project.settings.get(id_).hash for id_ in {row.settings_id for row in rows}}
            for row in rows:
                key = (
                    *(row.image_id, tasks[row.task], row.source_kind, row.source, row.method, row.lesion),
                    *(row.measure, row.against),
                )
                self._db.execute(
                    "DELETE FROM measures WHERE image_id = ? AND task_id = ? AND source_kind = ? AND source = ? "
                    "AND method = ? AND lesion = ? AND measure = ? AND against = ?",
                    key,
                )
                self._db.execute(
                    "INSERT INTO measures (image_id, task_id, source_kind, source, method, lesion, measure, against, "
                    "value, settings_id, settings_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*key, _null(row.value), row.settings_id, hashes[row.settings_id]),
                )

    def remove_measures(self, image_id: int, settings_id: int) -> None:
        """Remove the measures of an image that the verb of some settings made, under those settings or others."""
        self._db.execute(
            "DELETE FROM measures WHERE image_id = :image AND settings_id IN (SELECT o.id FROM settings o "
            "JOIN settings n ON n.id = :id WHERE o.verb = n.verb)",
            {"image": image_id, "id": settings_id},
        )

    def keep_measures(self, settings_id: int) -> None:
        """Remove the measures that other settings of the same verb made: a newer run has replaced them."""
        self._db.execute(
            "DELETE FROM measures WHERE settings_id <> :id AND settings_id IN (SELECT o.id FROM settings o "
            "JOIN settings n ON n.id = :id WHERE o.verb = n.verb)",
            {"id": settings_id},
        )

    def findings(self, analysis: str | None = None, preset: str | None = None) -> list[FindingRow]:
        """Return what the study shows: of one analysis or all, of one preset (and of none) or all."""
        rows = self._db.execute(
            "SELECT f.analysis, coalesce(t.name, ''), f.metric, f.term, f.against, f.estimate, f.ci_low, f.ci_high, "
            "f.unit, f.p, f.p_holm, f.effect, f.n_images, f.n_subjects, f.note, f.kind, f.lesion, f.preset, "
            "f.settings_id "
            "FROM findings f LEFT JOIN tasks t ON t.id = f.task_id WHERE (:analysis IS NULL OR f.analysis = :analysis) "
            "AND (:preset IS NULL OR f.preset IN (:preset, '')) ORDER BY f.id",
            {"analysis": analysis, "preset": preset},
        )
        return [FindingRow(_finding(row[:17]), row[17], row[18]) for row in rows]

    def put_findings(
        self, analyses: Collection[str], preset: str, found: Iterable[Finding], settings_id: int
    ) -> None:
        """Store findings in place of all earlier ones of these analyses and this preset."""
        with self._project.transaction():
            for analysis in analyses:
                self._db.execute("DELETE FROM findings WHERE analysis = ? AND preset = ?", (analysis, preset))
            found = list(found)
            ids = {task: self._project.tasks.id_of(task) for task in {one.task for one in found} - {""}}
            self._db.conn.executemany(
                "INSERT INTO findings (analysis, task_id, metric, preset, kind, term, against, estimate, ci_low, "
                "ci_high, unit, p, p_holm, effect, n_images, n_subjects, note, lesion, settings_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(
                            one.analysis,
                            ids.get(one.task),
                            one.metric,
                            preset,
                            one.kind,
                            one.term,
                            one.against,
                        ),
                        *(_null(one.estimate), _null(one.low), _null(one.high), one.unit),
                        *(_null(one.p), _null(one.p_holm), _null(one.effect)),
                        *(one.n_images, one.n_subjects, one.note, one.lesion, settings_id),
                    )
                    for one in found
                ],
            )


_PLACES_OF_NUMBERS = frozenset({5, 6, 7, 9, 10, 11})
"""Of a stored finding; NULL among them stands for no number."""


def _finding(row: tuple[Any, ...]) -> Finding:
    values: list[Any] = [
        math.nan if value is None and place in _PLACES_OF_NUMBERS else value
        for place, value in enumerate(row)
    ]
    return Finding(*values)


def _null(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
