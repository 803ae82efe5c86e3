"""Images of the study: where they are and what they are."""

from __future__ import annotations

import os
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.project.rows import ImageRow
from gazeapp.engine.project.store import Store

_COLUMNS = "id, name, path, sha256, width, height, origin"


class ImageStore(Store):
    """Reads and writes the ``images`` table."""

    def all(self) -> list[ImageRow]:
        """Return all images, by name."""
        return [ImageRow(*row) for row in self._db.execute(f"SELECT {_COLUMNS} FROM images ORDER BY name")]

    def get(self, image_id: int) -> ImageRow:
        """Return one image.

        Raises
        ------
        GazeError
            If there is none with that id.
        """
        row = self._db.execute(f"SELECT {_COLUMNS} FROM images WHERE id = ?", (image_id,)).fetchone()
        if row is None:
            raise GazeError(f"The project holds no image with number {image_id}.")
        return ImageRow(*row)

    def by_name(self, name: str) -> ImageRow | None:
        """Return the image of that name, or None."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM images WHERE name = ?", (name,)).fetchone()
        return ImageRow(*row) if row else None

    def add(self, path: Path, name: str, sha256: str, width: int, height: int, origin: str) -> int:
        """Store an image and return its id; its path is kept relative to the project's folder."""
        try:
            stored = Path(os.path.relpath(path.resolve(), self._project.folder)).as_posix()
        except ValueError:  # another drive on Windows
            stored = path.resolve().as_posix()
        with self._project.transaction():
            cursor = self._db.execute(
                "INSERT INTO images (name, path, sha256, width, height, origin) VALUES (?, ?, ?, ?, ?, ?)",
                (name, stored, sha256, width, height, origin),
            )
        return int(cursor.lastrowid or 0)

    def file(self, image: ImageRow) -> Path:
        """Return the path of an image's file, looking for it by content where it was moved.

        Raises
        ------
        GazeError
            If it is neither where it was nor below the project's folder.
        """
        path = (self._project.folder / image.path).resolve()
        if path.is_file():
            return path
        for candidate in sorted(self._project.folder.rglob(f"*{path.suffix}")):
            if candidate.is_file() and sha256_of(candidate) == image.sha256:
                return candidate
        raise GazeError(
            "The image file is not where it was.",
            where=str(path),
            todo="Put it back, or anywhere below the folder of the project: it is recognised by its content.",
        )
