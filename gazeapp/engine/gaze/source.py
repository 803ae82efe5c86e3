"""Opening an eye tracker's file: gz or plain, hashed, with errors that say what to do."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from gazeapp.engine.errors import GazeError

_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open ``path`` for reading bytes, unpacked when its content is gzip.

    Raises
    ------
    GazeError
        When the file cannot be opened or read, or its gzip data are damaged.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield cast(IO[bytes], unpacked)
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GazeError(
            "The compressed file is damaged or was cut short.",
            where=str(path),
            todo="Copy it again from where it came from, or unpack it by hand.",
        ) from error
    except OSError as error:
        raise GazeError(
            f"The file cannot be read: {error.strerror or error}.",
            where=str(path),
            todo="Check that it is there, is a file and may be read.",
        ) from error


def head_of(path: Path, size: int = 65536) -> bytes:
    """Return the first ``size`` bytes of a file, unpacked when it is gzip."""
    with open_bytes(path) as stream:
        return stream.read(size)
