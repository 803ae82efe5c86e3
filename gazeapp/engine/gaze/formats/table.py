"""Fixations from a delimited table: one row a fixation, positions in image px."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import starmap

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.table_columns import REQUIRED, Columns, find_columns, missing_columns
from gazeapp.engine.gaze.records import IMAGE, MORE_CELLS, Contents, Facts, Fixations, Frame
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import Gatherer, Key, Rows, rows_of, to_numbers
from gazeapp.engine.types import DoubleArray

_MANY_TOO_LONG = 0.5
_WHOLE = re.compile(r"[+-]?\d+")
_DIGITS = re.compile(r"\d+")


def recognise(source: Source) -> Guess | None:
    """Tell a table of fixations by the columns that its first line names."""
    if not source.is_text:
        return None
    line, columns = _header(source)
    if not line or columns.missing:
        return None
    return Guess(1.0, f"columns {', '.join(repr(columns.header[columns.places[name]]) for name in REQUIRED)}")


def what_is_missing(source: Source) -> GazeError | None:
    """Return which columns a table lacks; None when it has them all or is no table."""
    line, columns = _header(source)
    return missing_columns(columns, source) if line and len(columns.header) > 1 else None


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read a table of fixations (comma, tab, semicolon or bar between cells).

    A trial is what has the same subject, image, task and trial cell; its fixations keep the order
    of the rows. Decimal commas are read unless the comma stands between cells.

    Raises
    ------
    GazeError
        When the file is empty, has no rows, lacks columns, or has decimal commas that cannot be told
        from the commas between cells.
    """
    line, columns = _header(source)
    if not line:
        raise source.problem("The file is empty.", "Export the fixations again.")
    problem = missing_columns(columns, source)
    if problem is not None:
        raise problem
    table = _Table(columns)
    for rows in rows_of(source, columns.delimiter, line):
        table.add(rows)
    table.check(source)
    trials, fixations = table.gatherer.build()
    lost = dict(table.gatherer.lost)
    if table.too_long:
        lost[MORE_CELLS] = table.too_long
    notes = (*source.encoding_notes, *columns.notes)
    return Contents(Facts(frame=Frame(of=IMAGE), lost_rows=lost, notes=notes), trials, fixations)


FORMAT = Format("csv", "Table of fixations (CSV, TSV)", (".csv", ".tsv", ".txt"), recognise, read)


def _header(source: Source) -> tuple[int, Columns]:
    for number, line in enumerate(source.head_lines, start=1):
        if line.strip() and not line.startswith("#"):
            return number, find_columns(line)
    return 0, find_columns("")


class _Table:
    """Rows gathered so far, and the rows with too many cells."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.gatherer = Gatherer(needs_image=True)
        self.rows = 0
        self.torn = 0
        self.too_long = 0
        # Some exports end each line, or only the header, with a delimiter.
        self._width = max((place for place, name in enumerate(columns.header, start=1) if name), default=0)

    def add(self, chunk: Rows) -> None:
        """Take the next rows."""
        self.rows += len(chunk.cells)
        rows = Rows(chunk.line, [row for row in chunk.cells if not self._is_too_long(row)])
        places = self.columns.places
        texts = [rows.column(places.get(name)) for name in ("subject", "image", "task", "trial")]
        n = len(rows.cells)
        index = self._numbers(rows, "fixation_index")
        whole = np.isfinite(index) & (index == np.floor(index)) & (np.abs(index) < 2**53)
        self.gatherer.add(
            starmap(Key, zip(*texts, strict=True)),
            Fixations.of(
                self._numbers(rows, "x"),
                self._numbers(rows, "y"),
                index=np.where(whole, index, 0).astype(np.int64) if n else None,
                start_ms=self._numbers(rows, "start_ms"),
                duration_ms=self._numbers(rows, "duration_ms"),
            ),
        )

    def check(self, source: Source) -> None:
        """Raise a GazeError when there are no rows, or most are torn by decimal commas."""
        if not self.rows:
            raise source.problem("The table has a header but no rows.", "Export the fixations again.")
        if self.torn > _MANY_TOO_LONG * self.rows:
            raise source.problem(
                f"{self.torn} of {self.rows} rows have more cells than the header has columns, as when "
                "numbers are written with decimal commas (395,5) and commas stand between the cells, too. "
                "Positions cannot be told apart.",
                "Save the table again with semicolons between the cells or with decimal points.",
            )

    def _is_too_long(self, row: Sequence[str]) -> bool:
        """Return whether a row has more cells than the header, and count it."""
        if len(row) <= self._width or not any(cell.strip() for cell in row[self._width :]):
            return False
        self.too_long += 1
        self.torn += self.columns.delimiter == "," and _has_torn_numbers(row, self._width)
        return True

    def _numbers(self, rows: Rows, name: str) -> DoubleArray:
        if name not in self.columns.places:
            return np.full(len(rows.cells), np.nan)
        cells = rows.column(self.columns.places[name])
        return to_numbers(cells, self.columns.delimiter != ",") * self.columns.to_ms.get(name, 1.0)


def _has_torn_numbers(row: Sequence[str], width: int) -> bool:
    """Return whether the cells that a row has too many can come from decimal commas: 395,5 as 395 and 5."""
    cells = [cell.strip() for cell in row]
    while not cells[-1]:
        cells.pop()
    pairs, place = 0, 1
    while place < len(cells):
        torn = _WHOLE.fullmatch(cells[place - 1]) and _DIGITS.fullmatch(cells[place])
        pairs += bool(torn)
        place += 2 if torn else 1
    return pairs >= len(cells) - width
