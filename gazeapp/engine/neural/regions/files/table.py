"""Tables with one number or name for each vertex: 10,242 rows of one hemisphere, or 20,484 of both, left first.

The tables of the ENIGMA toolbox (``schaefer_400_fsa5.csv``) are such.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.regions.files.name_table import fields, names_for, read_lines
from gazeapp.engine.neural.regions.files.numbered import HEMISPHERES, NOWHERE, Numbered, whole_numbers
from gazeapp.engine.neural.regions.names import is_no_region
from gazeapp.engine.types import DoubleArray

_LARGEST = 40_000_000
"""Bytes; names of 60 letters for all vertices of fsaverage need half of it."""
_COUNTS = frozenset({*HEMISPHERES, *(2 * n for n in HEMISPHERES)})
_NUMBERS_OF_NOTHING = {"", "nan", "na", "n/a"}


def read_table(path: Path, names_file: Path | None = None) -> Numbered:
    """Read a table of numbers (0 and below are in no region) or of names.

    Parameters
    ----------
    path
        One column, with or without a head; or everything on one line.
    names_file
        What the numbers are called.

    Raises
    ------
    GazeError
        If the table cannot be read, has several columns, or mixes numbers with names.
    """
    cells = _cells(path)
    numbers = _numbers(cells)
    if numbers is None and len(cells) - 1 in _COUNTS and len(cells) not in _COUNTS:
        cells = cells[1:]
        numbers = _numbers(cells)
    if numbers is not None:
        whole = whole_numbers(numbers, path)
        whole = np.where(whole > 0, whole, NOWHERE)
        names, notes = names_for(whole, path, names_file)
        return Numbered(whole, names, notes=notes)
    if names_file is not None:
        raise GazeError(
            "The table holds names already, so that it needs no file of names.",
            where=path.name,
            todo="Leave the file of names away.",
        )
    return _named(cells)


def _cells(path: Path) -> list[str]:
    """Return the values of a table of one column, or of one line."""
    lines = read_lines(path, "table", _LARGEST)
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) == 1:
        return fields(lines[0])
    rows = [fields(line) if any(sign in line for sign in "\t,;") else [line.strip()] for line in lines]
    if any(len(row) > 1 for row in rows):
        raise GazeError(
            f"The table has {max(map(len, rows))} columns where one is needed: the region of each vertex.",
            where=path.name,
            todo="Keep the column of the regions alone, with the vertices in order.",
        )
    return [row[0].strip("\"'") for row in rows]


def _numbers(cells: list[str]) -> DoubleArray | None:
    try:
        return np.array(
            ["nan" if cell.casefold() in _NUMBERS_OF_NOTHING else cell for cell in cells], dtype=np.str_
        ).astype(np.float64)
    except ValueError:
        return None


def _named(cells: list[str]) -> Numbered:
    numbers = {name: k for k, name in enumerate(dict.fromkeys(cells))}
    nothing = {name for name in numbers if name in ("0", "-1") or is_no_region(name)}
    values = np.array([NOWHERE if cell in nothing else numbers[cell] for cell in cells], dtype=np.int64)
    return Numbered(values, {k: name for name, k in numbers.items()})
