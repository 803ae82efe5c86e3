"""Small JSON files of the user's own settings: a damaged one counts as empty, and none is ever half written."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import Json

_LARGEST = 4_000_000
"""Bytes that are read of a file; one with thousands of entries is smaller."""


def read_entries(path: Path, form: str, name: str) -> list[Any]:
    """Return the list that is called ``name`` in a file.

    It is empty when the file is missing or damaged, or its ``format`` is not ``form``.
    """
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_LARGEST))
        entries = values[name] if values["format"] == form else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return entries if isinstance(entries, list) else []


def write_values(path: Path, values: Json, trouble: str) -> None:
    """Write a file in the place of an older one, all of it or nothing.

    Parameters
    ----------
    path
        The file; its folder is made if need be.
    values
        What it says.
    trouble
        What it means for the user when it cannot be written, as the beginning of a sentence.

    Raises
    ------
    GazeError
        If it cannot be written; an older file stays as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(values, indent=1) + "\n", "utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise GazeError(
            f"{trouble}: {error.strerror or error}.",
            where=str(path),
            todo="Check that the folder may be written and the disk is not full.",
        ) from error
