"""The mask library: parts of images by name, as they were drawn or read."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.rows import LibraryMask, StoredMask
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import MaskArray

_FULL = 255


class MaskStore(Store):
    """Reads and writes the ``masks`` and ``mask_images`` tables."""

    def library(self) -> list[LibraryMask]:
        """Return the masks, in the order in which they were made."""
        rows = self._db.execute(
            "SELECT m.name, count(i.image_id), coalesce(avg(i.area), 0), m.created FROM masks m "
            "LEFT JOIN mask_images i ON i.mask_id = m.id GROUP BY m.id ORDER BY m.id"
        )
        return [LibraryMask(*row) for row in rows]

    def of_image(self, image_id: int) -> list[str]:
        """Return the names of the masks that an image has."""
        rows = self._db.execute(
            "SELECT m.name FROM masks m JOIN mask_images i ON i.mask_id = m.id WHERE i.image_id = ? ORDER BY m.id",
            (image_id,),
        )
        return [row[0] for row in rows]

    def images(self, name: str) -> list[int]:
        """Return the ids of the images that have a mask of this name, ascending."""
        rows = self._db.execute(
            "SELECT i.image_id FROM mask_images i JOIN masks m ON m.id = i.mask_id WHERE m.name = ? "
            "ORDER BY i.image_id",
            (name,),
        )
        return [row[0] for row in rows]

    def get(self, name: str, image_id: int) -> StoredMask | None:
        """Return a mask of an image; None where it has none of this name."""
        row = self._db.execute(
            "SELECT i.row_count, i.column_count, i.data, i.sha256, i.area, i.origin FROM mask_images i "
            "JOIN masks m ON m.id = i.mask_id WHERE m.name = ? AND i.image_id = ?",
            (name, image_id),
        ).fetchone()
        if row is None:
            return None
        values = np.frombuffer(zlib.decompress(row[2]), np.uint8).reshape(row[0], row[1])
        return StoredMask(values, *row[3:6])

    def add(self, name: str) -> None:
        """Make a mask of this name, which no image has yet; nothing happens where there is one."""
        name = checked_name(name)
        with self._project.transaction():
            self._db.execute(
                "INSERT INTO masks (name, created) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, datetime.now(UTC).isoformat(timespec="seconds")),
            )

    def put(self, name: str, image_id: int, values: MaskArray, origin: str = "drawn") -> StoredMask:
        """Store a mask of an image, in place of the one that it had under this name.

        Parameters
        ----------
        name
            Name in the library; made where it is new.
        values
            Shape (height, width) of the image, 0 (kept) to 255 (taken away).
        origin
            Where it comes from, in words.

        Raises
        ------
        GazeError
            When the mask has not the size of the image, or there is no such image.
        """
        image = self._project.images.get(image_id)
        if values.dtype != np.uint8 or values.shape != (image.height, image.width):
            rows, columns = values.shape[:2]
            raise GazeError(
                f"The mask is {columns} x {rows} px, the image {image.width} x {image.height} px.",
                where=image.name,
                todo="Bring it to the size of the image first, by fraction or by pixel.",
            )
        whole = np.ascontiguousarray(values)
        area = float(whole.mean(dtype=np.float64)) / _FULL
        digest = mask_sha256(whole)
        with self._project.transaction():
            self.add(name)
            self._db.execute(
                "INSERT INTO mask_images (mask_id, image_id, row_count, column_count, area, sha256, origin, data) "
                "SELECT id, ?, ?, ?, ?, ?, ?, ? FROM masks WHERE name = ? ON CONFLICT (mask_id, image_id) DO UPDATE "
                "SET row_count = excluded.row_count, column_count = excluded.column_count, area = excluded.area, "
                "sha256 = excluded.sha256, origin = excluded.origin, data = excluded.data",
                (
                    image_id,
                    *whole.shape,
                    area,
                    digest,
                    origin,
                    zlib.compress(whole.data, 1),
                    checked_name(name),
                ),
            )
        return StoredMask(whole, digest, area, origin)

    def remove(self, name: str, image_id: int | None = None) -> None:
        """Remove a mask: of one image, or of all with its name."""
        with self._project.transaction():
            if image_id is None:
                self._db.execute("DELETE FROM masks WHERE name = ?", (name,))
            else:
                self._db.execute(
                    "DELETE FROM mask_images WHERE image_id = ? AND mask_id IN (SELECT id FROM masks WHERE name = ?)",
                    (image_id, name),
                )

    def rename(self, name: str, new: str) -> None:
        """Give a mask another name; what was measured with it keeps the old one.

        Raises
        ------
        GazeError
            When there is no such mask, or another one has that name.
        """
        new = checked_name(new)
        names = {one.name for one in self.library()}
        if name not in names:
            raise GazeError(
                f"There is no mask '{name}'.", todo=f"There are: {', '.join(sorted(names)) or 'none'}."
            )
        if new in names - {name}:
            raise GazeError(f"There is a mask '{new}' already.", todo="Choose another name.")
        with self._project.transaction():
            self._db.execute("UPDATE masks SET name = ? WHERE name = ?", (new, name))


def checked_name(name: str) -> str:
    """Return the name of a mask without the space around it.

    Raises
    ------
    GazeError
        When nothing is left of it, or it holds what only control characters do.
    """
    clean = name.strip()
    if not clean or not clean.isprintable():
        raise GazeError("A mask needs a name that can be read.", todo="Give it one, such as: left hand.")
    return clean


def mask_sha256(values: MaskArray) -> str:
    """Return the hash that tells a mask from others, of its size and values."""
    digest = hashlib.sha256(f"{values.shape[0]} x {values.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
