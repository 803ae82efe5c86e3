"""Names of numbers: FreeSurfer's colour tables, tables with a number and a name, or names one to a line."""

from __future__ import annotations

import csv
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.regions.files.numbered import cannot_read
from gazeapp.engine.neural.regions.files.place import key_of, stem_of

_LARGEST = 4_000_000
"""Bytes that are read of a file of text; a value for each vertex of fsaverage needs fewer."""


def read_lines(path: Path, kind: str, largest: int = _LARGEST) -> list[str]:
    """Return the lines of a file of text.

    Raises
    ------
    GazeError
        If the file is missing, too large, or no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_read(path, kind, error) from error
    if len(content) > largest or "\0" in text:
        raise cannot_read(path, kind, ValueError("too large or no text"))
    return text.splitlines()


def fields(line: str) -> list[str]:
    """Return the parts of a line: between tabs, commas or semicolons, else between spaces."""
    for sign in ("\t", ",", ";"):
        if sign in line:
            return [part.strip() for part in next(csv.reader([line], delimiter=sign))]
    return line.split()


def read_names(path: Path) -> dict[int, str]:
    """Return what numbers are called.

    A colour table or table of two columns has the number first and the name second; what follows is not read, and
    neither are lines that begin with ``#`` or a table's head. Where no line begins with a number, the names are
    those of 1, 2, 3 and so on.

    Raises
    ------
    GazeError
        If the file cannot be read, or gives one number two names.
    """
    lines = [line.strip() for line in read_lines(path, "table of names")]
    lines = [line for line in lines if line and not line.startswith("#")]
    rows = [fields(line) for line in lines]
    numbered = [row for row in rows if len(row) > 1 and _is_number(row[0])]
    if not numbered:
        return {number: line.strip("\"'") for number, line in enumerate(lines, 1)}
    names: dict[int, str] = {}
    for row in numbered:
        number = int(row[0])
        if names.setdefault(number, row[1]) != row[1]:
            raise GazeError(
                f"The number {number} has two names: “{names[number]}” and “{row[1]}”.",
                where=path.name,
                todo="Keep one of them.",
            )
    return names


def names_beside(path: Path) -> Path | None:
    """Return the colour table beside a file of numbers, such as ``lh.streams.mgz.ctab`` or ``streams.mgz.ctab``."""
    suffix = path.name[len(stem_of(path)) :]
    stems = (path.name, stem_of(path), f"{key_of(path)}{suffix}", key_of(path))
    candidates = (path.with_name(f"{stem}.ctab") for stem in stems)
    return next((one for one in candidates if one.is_file()), None)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
