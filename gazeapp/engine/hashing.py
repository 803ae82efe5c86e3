"""What a file's content is known by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gazeapp.engine.errors import GazeError


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as they lie on the disk, hexadecimal.

    Raises
    ------
    GazeError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as raw:
            return hashlib.file_digest(raw, "sha256").hexdigest()
    except OSError as error:
        raise GazeError(
            f"The file cannot be read: {error.strerror or error}.",
            where=str(path),
            todo="Check that it is there, is a file and may be read.",
        ) from error
