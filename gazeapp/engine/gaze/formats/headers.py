"""Finding the header of a program's own table, below whatever stands above it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import MORE_CELLS
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import (
    CHUNK,
    LONGEST_LINE,
    Rows,
    delimiter_of,
    plain,
    rows_of,
    split_line,
)
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_LINES_ABOVE = 400
_CELLS_AT_ONCE = 2_000_000
_LARGEST = 2**53
_PAIR = re.compile(r"^([^:\t]{1,80}):\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table.

    Parameters
    ----------
    line
        Number of its line, from 1.
    delimiter
        Character between cells.
    cells
        Names as they stand in the file.
    names
        The same as :func:`plain` writes them.
    above
        The lines above, without line ends.
    """

    line: int
    delimiter: str
    cells: tuple[str, ...]
    names: tuple[str, ...]
    above: tuple[str, ...]

    def place(self, *names: str) -> int | None:
        """Return the number of the first column that has one of these names, best first; None for none."""
        return next((self.names.index(name) for name in names if name in self.names), None)

    def starting(self, start: str) -> int | None:
        """Return the number of the first column whose name starts so; None for none."""
        return next((place for place, name in enumerate(self.names) if name.startswith(start)), None)

    def has(self, *names: str) -> bool:
        """Return whether all of these columns are there."""
        return all(name in self.names for name in names)

    def said(self, *names: str) -> str:
        """Return what a line above says, such as ``Subject: P1``, by its name; empty when none does."""
        pairs = {}
        for line in reversed(self.above):
            found = _PAIR.match(line)
            if found:
                pairs[plain(found[1])] = found[2].strip(" \t,;")
        return next((pairs[name] for name in names if pairs.get(name)), "")

    def rows(self, source: Source, lost: Counter[str]) -> Iterator[Rows]:
        """Yield the rows below in chunks that hold about as many cells however many columns there are.

        Rows with more cells than columns, as when numbers have decimal commas and commas stand between
        the cells, too, are counted in ``lost``: their columns cannot be told.
        """
        n = len(self.cells)
        size = max(500, min(CHUNK, _CELLS_AT_ONCE // max(1, n)))
        for rows in rows_of(source, self.delimiter, self.line, size):
            whole = [row for row in rows.cells if len(row) <= n or not any(map(str.strip, row[n:]))]
            if len(whole) < len(rows.cells):
                lost[MORE_CELLS] += len(rows.cells) - len(whole)
            yield Rows(rows.line, whole)


Test: TypeAlias = Callable[[Header], bool]


def header_in_head(source: Source, is_it: Test) -> Header | None:
    """Return the header of a table by the first 64 KiB of its file; None when there is none."""
    return next(filter(is_it, _in_head(source)), None) if source.is_text else None


def header_of(source: Source, is_it: Test) -> Header | None:
    """Return the header of a table, however long it is; None when there is none."""
    with source.open_text() as text:
        return next(filter(is_it, _candidates(iter(lambda: text.readline(LONGEST_LINE), ""))), None)


def nothing_read(source: Source, lost: Counter[str]) -> GazeError:
    """Return the error for a table that has no row with gaze."""
    if lost[MORE_CELLS]:
        return source.problem(
            f"No row has gaze, and {lost[MORE_CELLS]} rows have more cells than the header has columns, as when "
            "numbers are written with decimal commas and commas stand between the cells, too.",
            "Export the data again, or save the table with semicolons between the cells.",
        )
    return source.problem("The table has a header but no row with gaze.", "Export the data again.")


def can_number(values: DoubleArray) -> BoolArray:
    """Return which values can be the number of a fixation: finite, and not too large for whole numbers."""
    return np.abs(np.nan_to_num(values, nan=np.inf)) < _LARGEST


def whole_numbers(rows: Rows, place: int | None) -> IntArray:
    """Return the cells of one column as int64, shape (n,); 0 where a cell is no whole number."""
    values = rows.numbers(place)
    whole = can_number(values) & (values == np.floor(values))
    return np.where(whole, values, 0).astype(np.int64)


@lru_cache(maxsize=2)
def _in_head(source: Source) -> tuple[Header, ...]:
    """Return the lines of a head that could be a header; many formats ask for them in turn."""
    return tuple(_candidates(source.head_lines))


def _candidates(lines: Iterable[str]) -> Iterator[Header]:
    above: list[str] = []
    for number, line in enumerate(lines, start=1):
        if number > _LINES_ABOVE:
            break
        bare = line.rstrip("\r\n").lstrip("\ufeff")
        delimiter = delimiter_of(bare)
        cells = tuple(split_line(bare, delimiter)) if delimiter in bare else ()
        if cells:
            yield Header(number, delimiter, cells, tuple(map(plain, cells)), tuple(above))
        above.append(bare)
