"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gazeapp.engine.errors import GazeError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes the place of ``path`` when all went well.

    Raises
    ------
    GazeError
        If the folder cannot be made or written, or the disk is full; an older file stays as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise _explain(error, path) from error
    finally:
        with _quietly():
            partial.unlink(missing_ok=True)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep a failing clean-up from hiding why the write failed."""
    try:
        yield
    except OSError:
        return


def _explain(error: OSError, path: Path) -> GazeError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return GazeError(
            "The disk is full, so the file was not written.",
            where=str(path),
            todo="Free some space or choose another disk, and run it again.",
        )
    if isinstance(error, IsADirectoryError):
        return GazeError("There is a folder of that name.", where=str(path), todo="Choose another name.")
    if isinstance(error, FileExistsError | NotADirectoryError):
        return GazeError(
            "A part of this path is a file, not a folder.", where=str(path), todo="Choose another folder."
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return GazeError(
            "The file cannot be written here.",
            where=str(path),
            todo="Choose a folder that you may write to, or close the program that has the file open.",
        )
    return GazeError(
        f"The file cannot be written ({error.strerror or error}).",
        where=str(path),
        todo="Choose another place.",
    )
