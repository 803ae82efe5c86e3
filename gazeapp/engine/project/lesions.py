"""What models said and attended to without a part of the image."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Caption, Word
from gazeapp.engine.project.maps import decode_map, encode_map
from gazeapp.engine.project.rows import LesionKey, LesionRow, MadeOf, StoredMap
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray, Rect

_KEY = "mask, control, draw, scope, strength"
_WHERE = "run_id = ? AND mask = ? AND control = ? AND draw = ? AND scope = ? AND strength = ? AND settings_hash = ?"
_MEASURED = (
    "mask_sha256, base_sha256, objects_sha256, "
    "area, caption, words, row_count, column_count, x, y, width, height, peak, data, outcomes, seconds, "
    "settings_id, settings_hash"
)


class LesionStore(Store):
    """Reads and writes the ``lesion_runs`` and ``lesion_scores`` tables."""

    def exists(self, run_id: int, key: LesionKey, made_of: MadeOf, settings_hash: str) -> bool:
        """Return whether that unit was done, with the mask and objects as they are now."""
        row = self._db.execute(
            f"SELECT mask_sha256, base_sha256, objects_sha256 FROM lesion_runs WHERE {_WHERE}",
            (run_id, *astuple(key), settings_hash),
        ).fetchone()
        return row is not None and MadeOf(*row) == made_of

    def put(
        self,
        run_id: int,
        key: LesionKey,
        made_of: MadeOf,
        area: float,
        caption: Caption,
        mean: FloatArray,
        outcomes: Mapping[str, float],
        seconds: float,
        settings_id: int,
    ) -> int:
        """Store what one lesion did to one run, in place of what it did with the mask as it was before."""
        settings_hash = self._project.settings.get(settings_id).hash
        peak, data = encode_map(mean)
        words = [[word.text, word.log_probability, word.is_content] for word in caption.words]
        with self._project.transaction():
            self._db.execute(
                f"DELETE FROM lesion_runs WHERE {_WHERE}", (run_id, *astuple(key), settings_hash)
            )
            cursor = self._db.execute(
                f"INSERT INTO lesion_runs (run_id, {_KEY}, {_MEASURED}) VALUES ({', '.join('?' * 24)})",
                (
                    *(run_id, *astuple(key), *astuple(made_of), area, caption.text, json.dumps(words)),
                    *(*mean.shape, caption.rect.x, caption.rect.y, caption.rect.width, caption.rect.height),
                    *(peak, data, _as_json(outcomes), seconds, settings_id, settings_hash),
                ),
            )
        return int(cursor.lastrowid or 0)

    def all(
        self, image_id: int | None = None, model: str | None = None, task: str | None = None
    ) -> list[LesionRow]:
        """Return what lesions did to the runs that count, in the order in which it was stored.

        Of each model, task and method only what was made with the settings of the newest lesion is returned, and of
        each mask only what belongs to the mask as it was last taken away: controls of a mask that was drawn anew since
        say nothing about it.

        Parameters
        ----------
        image_id, model, task
            Only those of these; None means any.
        """
        counted = {run.id for run in self._project.runs.all(image_id, model, task)}
        rows = self._db.execute(
            "WITH newest AS (SELECT model, task_id, method, settings_hash FROM (SELECT r.model, r.task_id, r.method, "
            "l.settings_hash, "
            "row_number() OVER (PARTITION BY r.model, r.task_id, r.method ORDER BY l.id DESC) AS place "
            "FROM lesion_runs l JOIN runs r ON r.id = l.run_id) WHERE place = 1) "
            "SELECT l.id, l.run_id, r.image_id, r.model, t.name, r.method, l.mask, l.control, l.draw, l.scope, "
            "l.strength, l.area, l.caption, l.words, l.outcomes, l.seconds, l.settings_id, l.base_sha256 "
            "FROM lesion_runs l "
            "JOIN runs r ON r.id = l.run_id JOIN tasks t ON t.id = r.task_id JOIN newest n ON n.model = r.model AND "
            "n.task_id = r.task_id AND n.method = r.method AND n.settings_hash = l.settings_hash "
            "WHERE (:image IS NULL OR r.image_id = :image) AND (:model IS NULL OR r.model = :model) "
            "AND (:task IS NULL OR t.name = :task) ORDER BY l.id",
            {"image": image_id, "model": model, "task": task},
        )
        known = [row for row in rows if row[1] in counted]
        newest = {(row[1], row[6]): row[17] for row in known if not row[7]}
        return [
            LesionRow(
                id=row[0],
                run_id=row[1],
                image_id=row[2],
                model=row[3],
                task=row[4],
                method=row[5],
                key=LesionKey(*row[6:11]),
                area=row[11],
                caption=row[12],
                words=tuple(Word(text, score, bool(content)) for text, score, content in json.loads(row[13])),
                outcomes=_from_json(row[14]),
                seconds=row[15],
                settings_id=row[16],
            )
            for row in known
            if newest.get((row[1], row[6]), row[17]) == row[17]
        ]

    def masks(self) -> dict[str, int]:
        """Return how many lesions, with their controls, there are of each mask, whether or not they count."""
        rows = self._db.execute(
            "SELECT mask, count(*) FROM lesion_runs WHERE control <> 'none' GROUP BY mask ORDER BY min(id)"
        )
        return dict(rows.fetchall())

    def map_of(self, lesion_run_id: int) -> StoredMap:
        """Return the mean map under a lesion.

        Raises
        ------
        GazeError
            If there is none with that id.
        """
        row = self._db.execute(
            "SELECT row_count, column_count, peak, data, x, y, width, height, settings_id FROM lesion_runs "
            "WHERE id = ?",
            (lesion_run_id,),
        ).fetchone()
        if row is None:
            raise GazeError(f"The project holds no lesion with number {lesion_run_id}.")
        return StoredMap(decode_map(*row[:4]), Rect(*row[4:8]), row[8])

    def put_scores(
        self, preset: str, rows: Iterable[tuple[int, str, float, float]], inputs_hash: str
    ) -> None:
        """Store how well maps agree with people: (id of the lesion run, metric, under the lesion, intact)."""
        with self._project.transaction():
            self._db.conn.executemany(
                "INSERT OR REPLACE INTO lesion_scores (lesion_run_id, preset, metric, value, intact, inputs_hash) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (id_, preset, metric, _null(own), _null(intact), inputs_hash)
                    for id_, metric, own, intact in rows
                ],
            )

    def scores(self, preset: str) -> dict[int, dict[str, tuple[float, float]]]:
        """Return id of the lesion run -> metric -> (score under the lesion, intact), NaN where undefined."""
        found: dict[int, dict[str, tuple[float, float]]] = {}
        for id_, metric, *values in self._db.execute(
            "SELECT lesion_run_id, metric, value, intact FROM lesion_scores WHERE preset = ?", (preset,)
        ):
            own, intact = (math.nan if value is None else float(value) for value in values)
            found.setdefault(id_, {})[metric] = own, intact
        return found

    def scored(self, preset: str, inputs_hash: str) -> frozenset[int]:
        """Return the lesion runs whose scores were made of these inputs."""
        rows = self._db.execute(
            "SELECT DISTINCT lesion_run_id FROM lesion_scores WHERE preset = ? AND inputs_hash = ?",
            (preset, inputs_hash),
        )
        return frozenset(row[0] for row in rows)


def _as_json(outcomes: Mapping[str, float]) -> str:
    return json.dumps({name: _null(value) for name, value in outcomes.items()}, sort_keys=True)


def _from_json(text: str) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in json.loads(text).items()}


def _null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
