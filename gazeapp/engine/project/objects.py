"""What is where on the images, as boxes with names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gazeapp.engine.project.rows import ObjectBox
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import Rect


class ObjectStore(Store):
    """Reads and writes the ``objects`` table."""

    def of_image(self, image_id: int) -> list[ObjectBox]:
        """Return the objects of an image, in the order in which they were read."""
        rows = self._db.execute(
            "SELECT label, x, y, width, height, origin FROM objects WHERE image_id = ? ORDER BY id",
            (image_id,),
        )
        return [ObjectBox(row[0], Rect(*row[1:5]), row[5]) for row in rows]

    def sha256(self, image_id: int) -> str:
        """Return a hash of what is where on an image; empty where nothing is known."""
        found = sorted((one.label, repr(one.rect)) for one in self.of_image(image_id))
        return hashlib.sha256(repr(found).encode()).hexdigest() if found else ""

    def labels(self) -> list[str]:
        """Return the names that objects have, each once."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT label FROM objects ORDER BY label")]

    def n_images(self) -> int:
        """Return how many images have objects."""
        return int(self._db.execute("SELECT count(DISTINCT image_id) FROM objects").fetchone()[0])

    def put(self, image_id: int, objects: Sequence[ObjectBox], origin: str) -> None:
        """Store the objects of an image, in place of those that came from the same place before."""
        with self._project.transaction():
            self._db.execute("DELETE FROM objects WHERE image_id = ? AND origin = ?", (image_id, origin))
            self._db.conn.executemany(
                "INSERT INTO objects (image_id, label, x, y, width, height, origin) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (image_id, one.label, one.rect.x, one.rect.y, one.rect.width, one.rect.height, origin)
                    for one in objects
                ],
            )
