"""Names of numbers: FreeSurfer's colour tables, tables with a number and a name, or names one to a line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.regions.files.numbered import cannot_read
from gazeapp.engine.neural.regions.files.place import key_of, stem_of
from gazeapp.engine.neural.regions.known import known_atlas
from gazeapp.engine.types import IntArray

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


def names_for(
    values: IntArray, path: Path, names_file: Path | None
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return what the numbers in a file are called, and what is to be known of it.

    The names come from ``names_file``, else from a colour table beside the file, else from what is known of atlases
    of that name, if it knows all numbers; else each number is its own name.

    Raises
    ------
    GazeError
        If a table of names cannot be read.
    """
    table = names_file or names_beside(path)
    numbers = set(np.unique(values[values >= 0]).tolist())
    if table is not None:
        names = read_names(table)
        nameless = sorted(numbers - set(names))
        if not nameless:
            return names, ()
        count = f"{len(nameless)} of {len(numbers)} numbers in {path.name}"
        return names, (f"{table.name} has no names for {count}: they are their own names.",)
    known = known_atlas(key_of(path))
    if known is not None and numbers and numbers <= set(known.names):
        return known.names, ()
    return {}, (f"No names are known of the numbers in {path.name}: they are their own names.",)


def names_beside(path: Path) -> Path | None:
    """Return the colour table beside a file of numbers, such as ``lh.streams.mgz.ctab`` or ``streams.mgz.ctab``."""
    suffix = path.name[len(stem_of(path)) :]
    stems = (path.name, stem_of(path), f"{key_of(path)}{suffix}", key_of(path))
    candidates = (path.with_name(f"{stem}.ctab") for stem in stems)
    return next((one for one in candidates if one.is_file()), None)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
