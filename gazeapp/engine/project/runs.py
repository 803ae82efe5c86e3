"""Models and what they said: runs and their words."""

from __future__ import annotations

import json

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project.prompts import DEFAULT_PROMPTS, OTHER_PROMPT
from gazeapp.engine.project.rows import MIRRORED, ModelRow, RunRow
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray, Json, Rect

_COLUMNS = (
    "r.id, r.image_id, r.model, t.name, r.lesion, r.method, r.caption, r.model_task, r.log_probability, "
    "r.seconds, r.settings_id"
)

# The settings whose runs count: those like the newest run of a model, task, lesion and method that was asked in the
# task's prompt of now, or like the newest where none was. What a run keeps beside its maps does not make it another;
# maps made elsewhere carry the settings of their import, which say nothing of how they were made. Runs are grouped by
# their settings first, which an index answers, because there are many runs and few settings.
_KIND = "model, task_id, lesion, method"
_COUNTED = f"""
    way AS MATERIALIZED (SELECT id AS settings_id,
        min(id) OVER (PARTITION BY CASE verb WHEN 'extract' THEN json_remove(json, '$.keep') END) AS way,
        CASE verb WHEN 'extract' THEN json_extract(json, '$.prompt') END AS prompt FROM settings),
    kinds AS MATERIALIZED (SELECT {_KIND}, settings_id, max(id) AS last FROM runs GROUP BY {_KIND}, settings_id),
    newest AS MATERIALIZED (SELECT {_KIND}, way, max(((way.prompt IS NULL OR way.prompt IS
        json_extract(:prompts, '$."' || task_id || '"')) << 50) + last)
        FROM kinds JOIN way USING (settings_id) GROUP BY {_KIND}),
    counted AS MATERIALIZED (SELECT {_KIND}, settings_id FROM kinds JOIN way USING (settings_id)
        JOIN newest USING ({_KIND}, way))
"""


class RunStore(Store):
    """Reads and writes the ``models``, ``runs`` and ``words`` tables."""

    def put_model(self, info: ModelInfo) -> None:
        """Store the facts of a model, or bring them up to date."""
        with self._project.transaction():
            self._db.execute(
                "INSERT INTO models (id, name, kind, encoder, decoder, checkpoint, revision, domain, facts) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
                "kind = excluded.kind, encoder = excluded.encoder, decoder = excluded.decoder, "
                "checkpoint = excluded.checkpoint, revision = excluded.revision, domain = excluded.domain, "
                "facts = excluded.facts",
                (
                    info.id,
                    info.name,
                    info.kind,
                    info.encoder,
                    info.decoder,
                    info.checkpoint,
                    info.revision,
                    info.domain,
                    json.dumps(info.facts, sort_keys=True),
                ),
            )

    def models(self) -> list[ModelRow]:
        """Return the models in the order in which they came into the project, a known truth last."""
        rows = self._db.execute(
            "SELECT id, name, kind, encoder, decoder, checkpoint, revision, domain, facts FROM models "
            "ORDER BY kind = 'truth', rowid"
        )
        return [ModelRow(*(*row[:8], json.loads(row[8]))) for row in rows]

    def exists(
        self, image_id: int, model: str, task: str, lesion: str, method: str, settings_hash: str
    ) -> bool:
        """Return whether that unit of extraction is in the project."""
        row = self._db.execute(
            "SELECT 1 FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.image_id = ? AND r.model = ? "
            "AND t.name = ? AND r.lesion = ? AND r.method = ? AND r.settings_hash = ?",
            (image_id, model, task, lesion, method, settings_hash),
        ).fetchone()
        return row is not None

    def put(
        self,
        image_id: int,
        model: str,
        task: str,
        caption: Caption,
        mean: FloatArray,
        settings_id: int,
        seconds: float,
        lesion: str = "",
    ) -> int:
        """Store one unit of extraction (run, words and maps) in one transaction and return the run's id."""
        with self._project.transaction():
            run_id = self._insert_run(
                image_id,
                model,
                task,
                lesion,
                caption.method,
                caption.text,
                caption.task,
                caption.log_probability,
                seconds,
                settings_id,
                {**caption.facts, **({"prompt": caption.prompt} if caption.prompt else {})},
            )
            self._db.conn.executemany(
                "INSERT INTO words (run_id, position, text, log_probability, is_content, image_mass) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (run_id, i, word.text, word.log_probability, word.is_content, float(mass))
                    for i, (word, mass) in enumerate(zip(caption.words, caption.image_mass, strict=True))
                ],
            )
            self._project.maps.put_run(run_id, mean, caption.maps, caption.rect, settings_id)
            if caption.detail is not None:
                self._project.attention.put(run_id, caption.detail)
        return run_id

    def put_map(
        self,
        image_id: int,
        model: str,
        task: str,
        method: str,
        values: FloatArray,
        rect: Rect,
        settings_id: int,
        lesion: str = "",
    ) -> int:
        """Store a map that was made elsewhere and has no caption; return the run's id."""
        with self._project.transaction():
            run_id = self._insert_run(
                image_id, model, task, lesion, method, "", "", None, 0.0, settings_id, {}
            )
            empty = values[None][:0]
            self._project.maps.put_run(run_id, values, empty, rect, settings_id)
        return run_id

    def get(self, run_id: int) -> RunRow:
        """Return one run.

        Raises
        ------
        GazeError
            If there is none with that id.
        """
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.id = ?", (run_id,)
        ).fetchone()
        if row is None:
            raise GazeError(f"The project holds no run with number {run_id}.")
        return RunRow(*row)

    def facts(self, run_id: int) -> Json:
        """Return what was observed while a run was made: prompt, tokens, device and more; empty where nothing was."""
        row = self._db.execute("SELECT facts FROM runs WHERE id = ?", (run_id,)).fetchone()
        found: Json = json.loads(row[0]) if row else {}
        return found

    def all(
        self,
        image_id: int | None = None,
        model: str | None = None,
        task: str | None = None,
        lesion: str | None = "",
    ) -> list[RunRow]:
        """Return the newest run of each (image, model, task, lesion, method), in the models' order.

        Runs under one model, task, lesion and method that are returned were all made in the same way: with the settings
        of the newest of them that was asked in the task's prompt of now, or of the newest where none was. Images that
        only have runs of other settings have none here, because a mean over both would mix conditions; `left_behind`
        counts them.

        Parameters
        ----------
        image_id, model, task
            Only runs of these; None means any.
        lesion
            Only runs under this lesion; the empty string means none, None any. Runs on the mirrored image are no
            runs on the image: they come only when ``MIRRORED`` is asked for.
        """
        rows = self._db.execute(
            f"WITH {_COUNTED} SELECT {_COLUMNS} FROM runs r JOIN tasks t ON t.id = r.task_id "
            "JOIN models m ON m.id = r.model "
            f"WHERE r.id IN (SELECT max(id) FROM runs JOIN counted USING ({_KIND}, settings_id) "
            f"{'' if image_id is None else 'WHERE image_id = :image '}GROUP BY image_id, {_KIND}) "
            "AND (:model IS NULL OR r.model = :model) "
            "AND (:task IS NULL OR t.name = :task) "
            "AND CASE WHEN :lesion IS NULL THEN r.lesion <> :mirrored ELSE r.lesion = :lesion END "
            "ORDER BY r.image_id, m.kind = 'truth', m.rowid, t.id, r.id",
            {
                "image": image_id,
                "model": model,
                "task": task,
                "lesion": lesion,
                "mirrored": MIRRORED,
                "prompts": self._prompts(),
            },
        )
        return [RunRow(*row) for row in rows]

    def numbers(self) -> dict[tuple[str, str], list[int]]:
        """Return the ids of the runs that `all` returns under any lesion or none, by (task, model), ascending."""
        rows = self._db.execute(
            f"WITH {_COUNTED} SELECT t.name, r.model, max(r.id) FROM runs r "
            f"JOIN counted USING ({_KIND}, settings_id) JOIN tasks t ON t.id = r.task_id WHERE r.lesion <> :mirrored "
            f"GROUP BY r.image_id, {_KIND} ORDER BY max(r.id)",
            {"mirrored": MIRRORED, "prompts": self._prompts()},
        )
        found: dict[tuple[str, str], list[int]] = {}
        for task, model, run_id in rows:
            found.setdefault((task, model), []).append(run_id)
        return found

    def left_behind(self) -> list[tuple[str, str, str, int]]:
        """Return (model, task, method, n_images) where images only have runs of other settings than the newest.

        Runs under lesions and on mirrored images are not counted.
        """
        rows = self._db.execute(
            f"WITH {_COUNTED} SELECT r.model, t.name, r.method, count(DISTINCT r.image_id) FROM runs r "
            "JOIN tasks t ON t.id = r.task_id WHERE r.lesion = '' "
            "AND (r.model, r.task_id, r.lesion, r.method, r.settings_id) NOT IN counted "
            f"AND NOT EXISTS (SELECT 1 FROM runs JOIN counted USING ({_KIND}, settings_id) WHERE "
            "runs.image_id = r.image_id AND runs.model = r.model AND runs.task_id = r.task_id "
            "AND runs.lesion = '' AND runs.method = r.method) GROUP BY r.model, t.id, r.method ORDER BY min(r.id)",
            {"prompts": self._prompts()},
        )
        return [(row[0], row[1], row[2], int(row[3])) for row in rows]

    def described(self, image_id: int, task: str) -> frozenset[str]:
        """Return the models that have any run on an image under a task, however it was made.

        Those of them that `all` returns no run of only have runs of other settings than those that count. Runs under
        lesions and on mirrored images do not count.
        """
        rows = self._db.execute(
            "SELECT DISTINCT r.model FROM runs r JOIN tasks t ON t.id = r.task_id "
            "WHERE r.image_id = ? AND t.name = ? AND r.lesion = ''",
            (image_id, task),
        )
        return frozenset(row[0] for row in rows)

    def _prompts(self) -> str:
        """Return the prompts of now, as JSON by the tasks' ids."""
        rows = self._db.execute(
            "SELECT t.id, t.name, json_extract(s.json, '$.text') FROM tasks t "
            "LEFT JOIN current c ON c.name = 'prompt ' || t.name LEFT JOIN settings s ON s.id = c.settings_id"
        )
        return json.dumps({str(row[0]): row[2] or DEFAULT_PROMPTS.get(row[1], OTHER_PROMPT) for row in rows})

    def words(self, run_id: int) -> tuple[Word, ...]:
        """Return the words of a run, in order."""
        rows = self._db.execute(
            "SELECT text, log_probability, is_content FROM words WHERE run_id = ? ORDER BY position",
            (run_id,),
        )
        return tuple(Word(row[0], row[1], bool(row[2])) for row in rows)

    def image_mass(self, run_id: int) -> FloatArray:
        """Return the share of each word's attention that fell on the image, shape (n_words,), float32."""
        rows = self._db.execute("SELECT image_mass FROM words WHERE run_id = ? ORDER BY position", (run_id,))
        return np.array([row[0] for row in rows], dtype=np.float32)

    def _insert_run(
        self,
        image_id: int,
        model: str,
        task: str,
        lesion: str,
        method: str,
        caption: str,
        model_task: str,
        log_probability: float | None,
        seconds: float,
        settings_id: int,
        facts: Json,
    ) -> int:
        cursor = self._db.execute(
            "INSERT INTO runs (id, image_id, model, task_id, lesion, method, caption, model_task, log_probability, "
            "seconds, settings_id, settings_hash, facts) "
            "VALUES ((SELECT last + 1 FROM run_numbers), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                image_id,
                model,
                self._project.tasks.id_of(task),
                lesion,
                method,
                caption,
                model_task,
                log_probability,
                seconds,
                settings_id,
                self._project.settings.get(settings_id).hash,
                json.dumps(facts, sort_keys=True),
            ),
        )
        return int(cursor.lastrowid or 0)
