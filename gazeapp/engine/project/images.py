"""Images of the study: where they are and what they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.project.rows import ImageRow
from gazeapp.engine.project.store import Store

if TYPE_CHECKING:
    from gazeapp.engine.project.project import Project

_COLUMNS = "id, name, path, sha256, width, height, origin"


class ImageStore(Store):
    """Reads and writes the ``images`` table."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._hashes: dict[tuple[Path, int, int], str] = {}

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
        """Store an image and return its id.

        Its path is kept relative to the project's folder, so that both can move together, and as it
        is, so that a copy of the project finds the image where it stayed.
        """
        place = path.resolve()
        try:
            stored = Path(os.path.relpath(place, self._project.folder)).as_posix()
        except ValueError:  # another drive on Windows
            stored = place.as_posix()
        with self._project.transaction():
            cursor = self._db.execute(
                "INSERT INTO images (name, path, place, sha256, width, height, origin) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, stored, place.as_posix(), sha256, width, height, origin),
            )
        return int(cursor.lastrowid or 0)

    def file(self, image: ImageRow) -> Path:
        """Return the path of an image's file, looking for it by content where it was moved.

        Raises
        ------
        GazeError
            If no file with the image's content is where it was or below the project's folder; a
            file that was put in its place is not taken for it.
        """
        path = (self._project.folder / image.path).resolve()
        place = self._db.execute("SELECT place FROM images WHERE id = ?", (image.id,)).fetchone()
        usual = [path, *(Path(row) for row in place or ())]
        for candidate in chain(usual, self._below(path.suffix)):
            if candidate.is_file() and self._content(candidate) == image.sha256:
                return candidate
        if path.is_file():
            raise GazeError(
                "The image file has changed since it was added, so it no longer fits its fixations and maps.",
                where=str(path),
                todo="Put the original back; to study the new picture, add it under another name.",
            )
        raise GazeError(
            "The image file is not where it was.",
            where=str(path),
            todo="Put it back, or anywhere below the folder of the project: it is recognised by its content.",
        )

    def _below(self, suffix: str) -> Iterator[Path]:
        """Yield the files below the project's folder; looked for only once the usual places fail."""
        yield from sorted(self._project.folder.rglob(f"*{suffix}"))

    def _content(self, path: Path) -> str:
        """Return the hash of a file, computed again only when its size or time of change differ."""
        stat = path.stat()
        key = (path, stat.st_size, stat.st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = sha256_of(path)
        return self._hashes[key]
