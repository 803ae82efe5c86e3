"""How well maps predict brain responses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gazeapp.engine.neural.records import ENCODING, NeuralFinding
from gazeapp.engine.project.rows import EncodingRow, EncodingUnit
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray, Json

_FLOAT, _INT = np.dtype("<f4"), np.dtype("<i4")
_COLUMNS = (
    "e.id, e.subject, t.name, e.kind, e.source, e.atlas, e.inputs_hash, e.regions, e.images, e.predictions, "
    "e.observed, e.folds, e.facts, e.seconds, e.settings_id"
)


class EncodingStore(Store):
    """Reads and writes the ``encodings`` and ``neural_findings`` tables."""

    def put(self, responses_id: int, row: EncodingRow, vertices: FloatArray | None) -> None:
        """Store an encoding model, in place of those of the same source, responses and atlas.

        Parameters
        ----------
        responses_id
            The responses that it predicts.
        row
            The model; its ``id`` is not used.
        vertices
            Score of each vertex (correlation), shape (20484,); None where responses are of regions.
        """
        with self._project.transaction():
            task = self._project.tasks.id_of(row.task)
            self._db.execute(
                "DELETE FROM encodings WHERE responses_id = ? AND subject = ? AND task_id = ? AND kind = ? "
                "AND source = ? AND atlas = ?",
                (responses_id, row.subject, task, row.kind, row.source, row.atlas),
            )
            self._db.execute(
                "INSERT INTO encodings (responses_id, subject, task_id, kind, source, atlas, inputs_hash, regions, "
                "images, predictions, observed, folds, vertices, facts, seconds, settings_id, settings_hash) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(responses_id, row.subject, task, row.kind, row.source, row.atlas, row.inputs_hash),
                    *(json.dumps(row.regions, ensure_ascii=False), json.dumps(row.images)),
                    *(_bytes(row.predictions), _bytes(row.observed)),
                    row.fold.astype(_INT).tobytes(),
                    None if vertices is None else _bytes(vertices),
                    *(json.dumps(row.facts), row.seconds, row.settings_id),
                    self._project.settings.get(row.settings_id).hash,
                ),
            )

    def rows(self, responses: str, atlas: str, task: str, subject: str = "") -> list[EncodingRow]:
        """Return the encoding models of one task and subject, in the order in which they were made."""
        found = self._db.execute(
            f"SELECT {_COLUMNS} FROM encodings e JOIN tasks t ON t.id = e.task_id JOIN responses r "
            "ON r.id = e.responses_id WHERE r.name = ? AND e.atlas = ? AND t.name = ? AND e.subject = ? ORDER BY e.id",
            (responses, atlas, task, subject),
        )
        return [_row(row) for row in found]

    def atlases(self, responses: str) -> list[str]:
        """Return the atlases with whose regions responses were predicted, the newest first."""
        rows = self._db.execute(
            "SELECT e.atlas FROM encodings e JOIN responses r ON r.id = e.responses_id WHERE r.name = ? "
            "GROUP BY e.atlas ORDER BY max(e.id) DESC",
            (responses,),
        )
        return [row[0] for row in rows]

    def vertex_map(
        self, responses: str, subject: str, task: str, kind: str, source: str
    ) -> FloatArray | None:
        """Return how well each vertex is predicted (correlation), shape (20484,); None where that is not stored."""
        row = self._db.execute(
            "SELECT e.vertices FROM encodings e JOIN tasks t ON t.id = e.task_id JOIN responses r "
            "ON r.id = e.responses_id WHERE r.name = ? AND e.subject = ? AND t.name = ? AND e.kind = ? "
            "AND e.source = ? AND e.vertices IS NOT NULL ORDER BY e.id DESC",
            (responses, subject, task, kind, source),
        ).fetchone()
        return None if row is None else np.frombuffer(row[0], _FLOAT).astype(np.float32)

    def pace(self) -> float | None:
        """Return how long stored encoding models took for each region and image, s; None where there are none."""
        seconds, cells = self._db.execute(
            "SELECT sum(seconds), sum(json_array_length(regions) * json_array_length(images)) FROM encodings"
        ).fetchone()
        return float(seconds) / int(cells) if cells else None

    def images(self, responses: str, atlas: str) -> dict[tuple[str, str, str], tuple[int, ...]]:
        """Return (subject, task, source) -> ids of the images that its encoding models are of."""
        rows = self._db.execute(
            "SELECT e.subject, t.name, e.source, e.images FROM encodings e JOIN tasks t ON t.id = e.task_id "
            "JOIN responses r ON r.id = e.responses_id WHERE r.name = ? AND e.atlas = ?",
            (responses, atlas),
        )
        return {(row[0], row[1], row[2]): tuple(json.loads(row[3])) for row in rows}

    def replace_findings(
        self,
        responses_id: int,
        atlas: str,
        unit: EncodingUnit,
        findings: Iterable[NeuralFinding],
        settings_id: int,
        inputs_hash: str,
    ) -> None:
        """Store what one analysis found of one source, or of two, in place of what it found before."""
        with self._project.transaction():
            task_id = self._project.tasks.id_of(unit.task)
            digest = self._project.settings.get(settings_id).hash
            self._remove(responses_id, atlas, unit)
            self._db.conn.executemany(
                "INSERT INTO neural_findings (responses_id, subject, atlas, analysis, task_id, kind, source, against, "
                "region, is_group, measure, estimate, ci_low, ci_high, p, p_fdr, p_max, ceiling, n_images, "
                "n_vertices, note, inputs_hash, settings_id, settings_hash) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(responses_id, unit.subject, atlas, unit.analysis, task_id),
                        *(unit.kind, unit.source, unit.against),
                        *(one.region, int(one.group), one.measure),
                        *map(_null, (one.estimate, one.low, one.high, one.p, one.p_fdr, one.p_max)),
                        *(_null(one.ceiling), one.n_images, one.n_vertices, one.note),
                        *(inputs_hash, settings_id, digest),
                    )
                    for one in findings
                ],
            )

    def remove_findings(self, responses_id: int, atlas: str, unit: EncodingUnit) -> None:
        """Remove what one analysis found of one source, or of two; with encoding scores their models."""
        with self._project.transaction():
            key, of_key = self._remove(responses_id, atlas, unit)
            if unit.analysis == ENCODING:
                self._db.execute(f"DELETE FROM encodings WHERE {of_key}", key)

    def _remove(self, responses_id: int, atlas: str, unit: EncodingUnit) -> tuple[tuple[object, ...], str]:
        """Remove findings and return the key of their source, and the condition that it belongs to."""
        task_id = self._project.tasks.id_of(unit.task)
        key = (responses_id, atlas, task_id, unit.subject, unit.kind, unit.source)
        of_key = "responses_id = ? AND atlas = ? AND task_id = ? AND subject = ? AND kind = ? AND source = ?"
        self._db.execute(
            f"DELETE FROM neural_findings WHERE {of_key} AND analysis = ? AND against = ?",
            (*key, unit.analysis, unit.against),
        )
        return key, of_key

    def findings(
        self, responses: str, analysis: str | None = None, atlas: str | None = None, task: str | None = None
    ) -> list[NeuralFinding]:
        """Return what was found of responses: of one analysis, atlas and task, or of all."""
        rows = self._db.execute(
            "SELECT f.analysis, t.name, f.kind, f.source, f.region, f.measure, f.estimate, f.ci_low, f.ci_high, f.p, "
            "f.p_fdr, f.p_max, f.ceiling, f.n_images, f.n_vertices, f.against, f.subject, f.is_group, f.note "
            "FROM neural_findings f JOIN tasks t ON t.id = f.task_id JOIN responses r ON r.id = f.responses_id "
            "WHERE r.name = :responses AND (:analysis IS NULL OR f.analysis = :analysis) "
            "AND (:atlas IS NULL OR f.atlas = :atlas) AND (:task IS NULL OR t.name = :task) ORDER BY f.id",
            {"responses": responses, "analysis": analysis, "atlas": atlas, "task": task},
        )
        return [_finding(row) for row in rows]

    def made_of(self, responses: str, atlas: str) -> dict[EncodingUnit, tuple[str, str, int]]:
        """Return unit -> (settings hash, inputs hash, settings id) of the stored findings."""
        rows = self._db.execute(
            "SELECT DISTINCT f.subject, t.name, f.analysis, f.kind, f.source, f.against, f.settings_hash, "
            "f.inputs_hash, f.settings_id "
            "FROM neural_findings f JOIN tasks t ON t.id = f.task_id JOIN responses r ON r.id = f.responses_id "
            "WHERE r.name = ? AND f.atlas = ?",
            (responses, atlas),
        )
        return {EncodingUnit(*row[:6]): (row[6], row[7], row[8]) for row in rows}


def _row(row: tuple[object, ...]) -> EncodingRow:
    (id_, subject, task, kind, source, atlas, inputs, regions, images, predicted, observed, folds, facts) = (
        row[:13]
    )
    names: list[str] = json.loads(str(regions))
    shape = -1, len(names)
    found: Json = json.loads(str(facts))
    return EncodingRow(
        id=id_,  # type: ignore[arg-type]
        subject=str(subject),
        task=str(task),
        kind=str(kind),
        source=str(source),
        atlas=str(atlas),
        inputs_hash=str(inputs),
        regions=tuple(names),
        images=tuple(json.loads(str(images))),
        predictions=_floats(predicted).reshape(shape),
        observed=_floats(observed).reshape(shape),
        fold=np.frombuffer(folds, _INT).astype(np.int64),  # type: ignore[call-overload]
        facts=found,
        seconds=row[13],  # type: ignore[arg-type]
        settings_id=row[14],  # type: ignore[arg-type]
    )


def _finding(row: Sequence[Any]) -> NeuralFinding:
    analysis, task, kind, source, region, measure = row[:6]
    estimate, low, high, p, p_fdr, p_max, ceiling = map(_nan, row[6:13])
    n_images, n_vertices, against, subject, is_group, note = row[13:]
    return NeuralFinding(
        analysis,
        task,
        kind,
        source,
        region,
        measure,
        estimate,
        low,
        high,
        p,
        p_fdr,
        p_max,
        ceiling,
        n_images,
        n_vertices,
        against,
        subject,
        bool(is_group),
        note,
    )


def _floats(data: object) -> FloatArray:
    values: FloatArray = np.frombuffer(data, _FLOAT).astype(np.float32)  # type: ignore[call-overload]
    return values


def _bytes(values: FloatArray) -> bytes:
    return np.ascontiguousarray(values, dtype=_FLOAT).tobytes()


def _null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _nan(value: float | None) -> float:
    return math.nan if value is None else float(value)
