"""Scores, ceilings and their summary."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from gazeapp.engine.models.given import GIVEN_MARK
from gazeapp.engine.project.rows import (
    CeilingRow,
    PeoplePartsRow,
    ScoreRow,
    SubjectScoresRow,
    SummaryRow,
)
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray

# The settings that were scored last, preset by preset; every settings while a preset has no summary yet.
# The inner queries do not depend on the row, so that each is made once and not for millions of rows.
_CURRENT = (
    "(:preset IS NULL OR {table}.preset = :preset) AND CASE WHEN :settings IS NOT NULL "
    "THEN {table}.settings_hash = :settings "
    "ELSE {table}.preset NOT IN (SELECT preset FROM summary) OR ({table}.preset, {table}.settings_hash) IN "
    "(SELECT preset, settings_hash FROM summary) END"
)
# What has a number by one metric under one task, with the settings of the preset's summary.
_OF_METRIC = (
    "task_id = (SELECT id FROM tasks WHERE name = :task) AND metric = :metric AND preset = :preset AND "
    "value IS NOT NULL AND settings_hash IN (SELECT settings_hash FROM summary WHERE preset = :preset)"
)


class ImageScore(NamedTuple):
    """What a map of one image scores by a metric that is known from what was asked for."""

    image_id: int
    source_kind: str
    source: str
    method: str
    value: float


class ImageCeiling(NamedTuple):
    """An image's part of a ceiling by a metric that is known from what was asked for."""

    image_id: int
    estimator: str
    value: float


class ModelScore(NamedTuple):
    """What a model's map of one image scores; ``source`` is the model's id."""

    image_id: int
    task: str
    preset: str
    metric: str
    source: str
    value: float


class ImageCeilingBy(NamedTuple):
    """An image's part of a ceiling by an estimator that is known from what was asked for."""

    image_id: int
    task: str
    preset: str
    metric: str
    value: float


class ScoreStore(Store):
    """Reads and writes the ``scores``, ``ceilings``, ``people_parts``, ``subject_scores`` and ``summary`` tables.

    Scores of earlier settings stay in the file; what is handed out are those of the settings that
    the summary was made with, unless other settings are asked for by their hash.
    """

    def all(self, preset: str | None = None, settings_hash: str | None = None) -> list[ScoreRow]:
        """Return the scores of every image, of one preset or of all."""
        return list(self.each(preset, settings_hash))

    def each(self, preset: str | None = None, settings_hash: str | None = None) -> Iterator[ScoreRow]:
        """Yield the scores of every image: of a large study one at a time."""
        rows = self._db.execute(
            "SELECT s.image_id, s.source_kind, s.source, t.name, s.method, s.lesion, s.metric, s.preset, s.value, "
            f"s.settings_id FROM scores s JOIN tasks t ON t.id = s.task_id WHERE {_CURRENT.format(table='s')} "
            "ORDER BY t.id, s.image_id, s.source_kind, s.source",
            {"preset": preset, "settings": settings_hash},
        )
        return (ScoreRow(*row) for row in rows)

    def of_models(self) -> Iterator[ModelScore]:
        """Yield what the maps of models, and of a known truth, score on every image without a lesion, newest last.

        Of two scorings under one preset that are both in the summary, the one that is to be shown so comes last; of a
        model's maps, those along given captions come before all others.
        """
        rows = self._db.execute(
            "SELECT s.image_id, t.name, s.preset, s.metric, s.source, s.value FROM scores s "
            "JOIN tasks t ON t.id = s.task_id WHERE s.source_kind IN ('model', 'truth') AND s.lesion = '' "
            f"AND s.value IS NOT NULL AND {_CURRENT.format(table='s')} "
            "ORDER BY s.method LIKE :given DESC, s.settings_id",
            {"preset": None, "settings": None, "given": f"%{GIVEN_MARK}"},
        )
        return map(ModelScore._make, rows)

    def ceilings_by(self, estimator: str) -> Iterator[ImageCeilingBy]:
        """Yield each image's part of the ceilings by one estimator, as :meth:`of_models` does."""
        rows = self._db.execute(
            "SELECT c.image_id, t.name, c.preset, c.metric, c.value FROM ceilings c JOIN tasks t ON t.id = c.task_id "
            f"WHERE c.estimator = :estimator AND c.value IS NOT NULL AND {_CURRENT.format(table='c')} "
            "ORDER BY c.settings_id",
            {"estimator": estimator, "preset": None, "settings": None},
        )
        return map(ImageCeilingBy._make, rows)

    def of_metric(self, preset: str, task: str, metric: str) -> Iterator[ImageScore]:
        """Yield what the maps of every image score by one metric under one task, without a lesion.

        Scores are those of the settings that the preset's summary was made with; there are none without one.
        """
        rows = self._db.execute(
            "SELECT image_id, source_kind, source, method, value FROM scores "
            f"WHERE lesion = '' AND {_OF_METRIC}",
            {"preset": preset, "task": task, "metric": metric},
        )
        return map(ImageScore._make, rows)

    def ceilings_of_metric(self, preset: str, task: str, metric: str) -> Iterator[ImageCeiling]:
        """Yield each image's parts of the ceilings of one metric under one task, as :meth:`of_metric` does."""
        rows = self._db.execute(
            f"SELECT image_id, estimator, value FROM ceilings WHERE {_OF_METRIC}",
            {"preset": preset, "task": task, "metric": metric},
        )
        return map(ImageCeiling._make, rows)

    def ceilings(self, preset: str | None = None, settings_hash: str | None = None) -> list[CeilingRow]:
        """Return each image's parts of the ceilings, of one preset or of all."""
        rows = self._db.execute(
            "SELECT c.image_id, t.name, c.metric, c.preset, c.estimator, c.value, c.n_subjects, c.settings_id "
            f"FROM ceilings c JOIN tasks t ON t.id = c.task_id WHERE {_CURRENT.format(table='c')} "
            "ORDER BY t.id, c.image_id, c.metric, c.estimator",
            {"preset": preset, "settings": settings_hash},
        )
        return [CeilingRow(*row) for row in rows]

    def people_parts(self, task: str, settings_hash: str) -> Iterator[PeoplePartsRow]:
        """Yield what the task's images score without each of their subjects, with these settings."""
        rows = self._db.execute(
            "SELECT p.image_id, p.subjects, p.columns, p.data, p.settings_id FROM people_parts p "
            "JOIN tasks t ON t.id = p.task_id WHERE t.name = ? AND p.settings_hash = ? ORDER BY p.image_id",
            (task, settings_hash),
        )
        for image_id, names, keys, data, settings_id in rows:
            subjects, columns, values = _table(names, keys, data)
            yield PeoplePartsRow(image_id, task, subjects, columns, values, settings_id)

    def subject_scores(self, preset: str) -> Iterator[SubjectScoresRow]:
        """Yield what each person's own fixations score, with the settings of the preset's summary."""
        rows = self._db.execute(
            "SELECT p.image_id, t.name, p.subjects, p.n_fixations, p.columns, p.data, p.settings_id "
            "FROM subject_scores p JOIN tasks t ON t.id = p.task_id WHERE p.settings_hash IN "
            "(SELECT n.settings_hash FROM summary n WHERE n.preset = ?) ORDER BY t.id, p.image_id",
            (preset,),
        )
        for image_id, task, names, numbers, keys, data, settings_id in rows:
            subjects, columns, values = _table(names, keys, data)
            n_fixations = tuple(json.loads(numbers))
            yield SubjectScoresRow(image_id, task, subjects, n_fixations, columns, values, settings_id)

    def summary(self, preset: str | None = None) -> list[SummaryRow]:
        """Return the summary over images, of one preset or of all."""
        rows = self._db.execute(
            "SELECT s.source_kind, s.source, t.name, s.method, s.lesion, s.metric, s.preset, s.n_images, "
            "s.n_subjects, s.mean, s.ceiling, s.estimator, s.chance, s.percent, s.ci_low, s.ci_high, s.settings_id, "
            "s.interval FROM summary s JOIN tasks t ON t.id = s.task_id WHERE (:preset IS NULL OR s.preset = :preset) "
            "ORDER BY t.id, s.source_kind, s.source, s.metric",
            {"preset": preset},
        )
        return [SummaryRow(*row) for row in rows]

    def inputs(self, settings_hash: str) -> dict[tuple[int, str], str]:
        """Return (image id, task) -> hash of the inputs, for every unit scored with these settings."""
        rows = self._db.execute(
            "SELECT DISTINCT s.image_id, t.name, s.inputs_hash FROM scores s JOIN tasks t ON t.id = s.task_id "
            "WHERE s.settings_hash = ?",
            (settings_hash,),
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def put_unit(
        self,
        scores: Iterable[ScoreRow],
        ceilings: Iterable[CeilingRow],
        inputs_hash: str,
        people: PeoplePartsRow | None = None,
        own: SubjectScoresRow | None = None,
    ) -> None:
        """Store the scores and ceilings of one (image, task) in place of older ones of the same settings.

        ``people`` holds the same without each subject, where there are enough of them; ``own`` what each
        subject's own fixations score.
        """
        scores = list(scores)
        first = scores[0]
        digest = self._project.settings.get(first.settings_id).hash
        with self._project.transaction():
            self.remove_units([(first.image_id, first.task)], digest)
            task_id = self._project.tasks.id_of(first.task)
            self._db.conn.executemany(
                "INSERT INTO scores (image_id, source_kind, source, task_id, method, lesion, metric, preset, value, "
                "settings_id, settings_hash, inputs_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(
                            row.image_id,
                            row.source_kind,
                            row.source,
                            task_id,
                            row.method,
                            row.lesion,
                            row.metric,
                        ),
                        *(row.preset, _null(row.value), row.settings_id, digest, inputs_hash),
                    )
                    for row in scores
                ],
            )
            self._db.conn.executemany(
                "INSERT INTO ceilings (image_id, task_id, metric, preset, estimator, value, n_subjects, "
                "settings_id, settings_hash, inputs_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(row.image_id, task_id, row.metric, row.preset, row.estimator, _null(row.value)),
                        *(row.n_subjects, row.settings_id, digest, inputs_hash),
                    )
                    for row in ceilings
                ],
            )
            if people is not None:
                self._db.execute(
                    "INSERT INTO people_parts (image_id, task_id, settings_hash, settings_id, subjects, columns, "
                    "data) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(people.image_id, task_id, digest, people.settings_id),
                        *(json.dumps(people.subjects), json.dumps(people.columns)),
                        people.values.astype("<f4").tobytes(),
                    ),
                )
            if own is not None:
                self._db.execute(
                    "INSERT INTO subject_scores (image_id, task_id, settings_hash, settings_id, subjects, "
                    "n_fixations, columns, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(own.image_id, task_id, digest, own.settings_id, json.dumps(own.subjects)),
                        *(json.dumps(own.n_fixations), json.dumps(own.columns)),
                        own.values.astype("<f4").tobytes(),
                    ),
                )

    def remove_units(self, units: Collection[tuple[int, str]], settings_hash: str) -> None:
        """Remove the scores and ceilings of these (image id, task) that were made with these settings."""
        with self._project.transaction():
            for image_id, task in units:
                key = (image_id, self._project.tasks.id_of(task), settings_hash)
                for table in ("scores", "ceilings", "people_parts", "subject_scores"):
                    self._db.execute(
                        f"DELETE FROM {table} WHERE image_id = ? AND task_id = ? AND settings_hash = ?", key
                    )

    def put_summary(
        self, preset: str, tasks: Collection[str], rows: Iterable[SummaryRow], settings_id: int
    ) -> None:
        """Store the summary of some tasks, in place of theirs and of any other settings' under the preset."""
        digest = self._project.settings.get(settings_id).hash
        with self._project.transaction():
            self._db.execute("DELETE FROM summary WHERE preset = ? AND settings_hash <> ?", (preset, digest))
            ids = {task: self._project.tasks.id_of(task) for task in tasks}
            for task_id in ids.values():
                self._db.execute("DELETE FROM summary WHERE preset = ? AND task_id = ?", (preset, task_id))
            self._db.conn.executemany(
                "INSERT INTO summary (source_kind, source, task_id, method, lesion, metric, preset, n_images, "
                "n_subjects, mean, ceiling, estimator, chance, percent, ci_low, ci_high, settings_id, settings_hash, "
                "interval) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(row.source_kind, row.source, ids[row.task], row.method, row.lesion, row.metric),
                        *(row.preset, row.n_images, row.n_subjects, _null(row.mean), _null(row.ceiling)),
                        *(
                            row.estimator,
                            row.chance,
                            _null(row.percent),
                            _null(row.ci_low),
                            _null(row.ci_high),
                        ),
                        *(row.settings_id, digest, row.interval),
                    )
                    for row in rows
                ],
            )


def _table(
    names: str, keys: str, data: bytes
) -> tuple[tuple[str, ...], tuple[tuple[str, str, str, str, str], ...], FloatArray]:
    subjects, columns = tuple(json.loads(names)), tuple(tuple(key) for key in json.loads(keys))
    return subjects, columns, np.frombuffer(data, dtype="<f4").reshape(len(columns), len(subjects))


def _null(value: float | None) -> float | None:
    """Return None for NaN: SQLite would store NaN as NULL too, but silently."""
    return None if value is None or math.isnan(value) else float(value)
