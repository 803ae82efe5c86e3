"""Attention of each word by layer and head."""

from __future__ import annotations

import json

import numpy as np

from gazeapp.engine.models.base import AttentionDetail
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import FloatArray


class AttentionStore(Store):
    """Reads and writes the ``attention`` and ``layer_maps`` tables."""

    def put(self, run_id: int, detail: AttentionDetail) -> None:
        """Store what a run gave by layer and head."""
        with self._project.transaction():
            self._db.execute(
                "INSERT INTO attention (run_id, layers, n_heads, image_mass) VALUES (?, ?, ?, ?)",
                (
                    run_id,
                    json.dumps(detail.layers),
                    detail.image_mass.shape[2],
                    np.ascontiguousarray(detail.image_mass, dtype="<f4").tobytes(),
                ),
            )
            for word, maps in enumerate(detail.maps if detail.maps is not None else ()):
                # Dividing by the peak keeps small shares within the range where float16 is precise.
                peak = float(maps.max())
                scaled = maps.astype(np.float32) / peak if peak > 0 else maps
                self._db.execute(
                    "INSERT INTO layer_maps (run_id, word, n_heads, row_count, column_count, peak, data) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        run_id,
                        word,
                        *maps.shape[1:],
                        peak,
                        np.ascontiguousarray(scaled, dtype="<f2").tobytes(),
                    ),
                )

    def layers(self, run_id: int) -> tuple[int, ...]:
        """Return the numbers of the layers that a run knows attention of; empty for runs without it."""
        row = self._db.execute("SELECT layers FROM attention WHERE run_id = ?", (run_id,)).fetchone()
        return () if row is None else tuple(json.loads(row[0]))

    def image_mass(self, run_id: int) -> FloatArray | None:
        """Return the share of attention on the image, shape (n_words, n_layers, n_heads); None where unknown."""
        row = self._db.execute(
            "SELECT layers, n_heads, image_mass FROM attention WHERE run_id = ?", (run_id,)
        ).fetchone()
        if row is None:
            return None
        mass: FloatArray = np.frombuffer(row[2], dtype="<f4").reshape(-1, len(json.loads(row[0])), row[1])
        return mass

    def kept(self, run_id: int) -> str:
        """Return what a run keeps beside its words' maps: empty, ``layers`` or ``heads``."""
        row = self._db.execute(
            "SELECT l.n_heads, a.n_heads FROM layer_maps l JOIN attention a ON a.run_id = l.run_id "
            "WHERE l.run_id = ? LIMIT 1",
            (run_id,),
        ).fetchone()
        if row is None:
            return ""
        return "heads" if row[0] == row[1] else "layers"

    def maps_of_word(self, run_id: int, word: int) -> FloatArray | None:
        """Return the maps of one word by layer and head, None where they were not kept.

        Returns
        -------
        numpy.ndarray or None
            Shape (n_layers, n_heads or 1, rows, columns), float32; each map sums to the share of attention that fell
            on the image. They cover the same part of the image as the run's other maps.
        """
        row = self._db.execute(
            "SELECT n_heads, row_count, column_count, peak, data FROM layer_maps WHERE run_id = ? AND word = ?",
            (run_id, word),
        ).fetchone()
        if row is None:
            return None
        heads, rows, columns, peak, data = row
        values: FloatArray = (
            np.frombuffer(data, dtype="<f2").reshape(-1, heads, rows, columns).astype(np.float32)
        )
        return values * np.float32(peak)
