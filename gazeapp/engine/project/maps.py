"""Attention maps and human maps, as float16 grids over a rectangle of the image."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.rows import StoredMap, StoredMaps
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray, Rect

_GRID = "row_count, column_count, peak, data, x, y, width, height"


def encode_map(values: FloatArray) -> tuple[float, bytes]:
    """Return the peak of a map, and its values as shares of it, float16."""
    # Dividing by the peak keeps every grid size within the range where float16 is precise.
    peak = float(values.max())
    scaled = values / peak if peak > 0 else values
    return peak, np.ascontiguousarray(scaled, dtype="<f2").tobytes()


def decode_map(rows: int, columns: int, peak: float, data: bytes) -> FloatArray:
    """Return a map that `encode_map` wrote; it sums to 1 and cannot be written to."""
    values = np.frombuffer(data, dtype="<f2").reshape(rows, columns).astype(np.float32) * np.float32(peak)
    total = values.sum(dtype=np.float64)
    normal: FloatArray = (values / total if total > 0 else values).astype(np.float32)
    normal.flags.writeable = False
    return normal


class MapStore(Store):
    """Reads and writes the ``maps`` table."""

    def put_run(self, run_id: int, mean: FloatArray, words: FloatArray, rect: Rect, settings_id: int) -> None:
        """Store the maps of a run: its mean (word -1) and one for each word."""
        for word, values in enumerate([mean, *words], start=-1):
            self._insert("run", run_id, None, None, word, values, rect, settings_id)

    def of_run(self, run_id: int) -> StoredMaps:
        """Return the maps of a run.

        Raises
        ------
        GazeError
            If the run has none.
        """
        rows = self._db.execute(
            f"SELECT {_GRID} FROM maps WHERE run_id = ? AND kind = 'run' ORDER BY word", (run_id,)
        ).fetchall()
        if not rows:
            raise GazeError(f"Run {run_id} has no map.")
        grids = [decode_map(row[0], row[1], row[2], row[3]) for row in rows]
        words = np.stack(grids[1:]) if len(grids) > 1 else np.zeros((0, *grids[0].shape), np.float32)
        words.flags.writeable = False
        method = self._db.execute("SELECT method FROM runs WHERE id = ?", (run_id,)).fetchone()[0]
        return StoredMaps(grids[0], words, Rect(*rows[0][4:8]), method)

    def mean_of_run(self, run_id: int) -> StoredMap:
        """Return only the mean map of a run.

        Raises
        ------
        GazeError
            If the run has none.
        """
        row = self._db.execute(
            f"SELECT {_GRID}, settings_id FROM maps WHERE run_id = ? AND kind = 'run' AND word = -1",
            (run_id,),
        ).fetchone()
        if row is None:
            raise GazeError(f"Run {run_id} has no map.")
        return StoredMap(decode_map(row[0], row[1], row[2], row[3]), Rect(*row[4:8]), row[8])

    def put_human(self, image_id: int, task: str, values: FloatArray, rect: Rect, settings_id: int) -> None:
        """Store the human map of an image under a task in place of an older one."""
        task_id = self._project.tasks.id_of(task)
        with self._project.transaction():
            self._db.execute(
                "DELETE FROM maps WHERE kind = 'human' AND image_id = ? AND task_id = ?", (image_id, task_id)
            )
            self._insert("human", None, image_id, task_id, -1, values, rect, settings_id)

    def remove_human(self, image_id: int, task: str) -> None:
        """Forget the human map of an image under a task, when nobody's fixations are left on it."""
        with self._project.transaction():
            self._db.execute(
                "DELETE FROM maps WHERE kind = 'human' AND image_id = ? AND task_id = ?",
                (image_id, self._project.tasks.id_of(task)),
            )

    def human(self, image_id: int, task: str) -> StoredMap | None:
        """Return the human map of an image under a task, at display size, or None."""
        row = self._db.execute(
            f"SELECT {_GRID}, m.settings_id FROM maps m JOIN tasks t ON t.id = m.task_id "
            "WHERE m.kind = 'human' AND m.image_id = ? AND t.name = ?",
            (image_id, task),
        ).fetchone()
        if row is None:
            return None
        return StoredMap(decode_map(row[0], row[1], row[2], row[3]), Rect(*row[4:8]), row[8])

    def _insert(
        self,
        kind: str,
        run_id: int | None,
        image_id: int | None,
        task_id: int | None,
        word: int,
        values: FloatArray,
        rect: Rect,
        settings_id: int,
    ) -> None:
        if not np.isfinite(values).all() or values.min() < 0:
            raise GazeError(
                "A map holds numbers that are negative or not finite.", todo="Report this map's model."
            )
        peak, data = encode_map(values)
        self._db.execute(
            "INSERT INTO maps (kind, run_id, image_id, task_id, word, row_count, column_count, x, y, width, "
            "height, peak, data, settings_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                kind,
                run_id,
                image_id,
                task_id,
                word,
                *values.shape,
                rect.x,
                rect.y,
                rect.width,
                rect.height,
                peak,
                data,
                settings_id,
            ),
        )
