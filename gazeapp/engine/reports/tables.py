"""Tidy CSV tables: exact numbers, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.reports.files import replacing

_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
"""First characters that spreadsheets act on (OWASP, CSV injection), and the apostrophe that marks them."""

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: name, kind (``text``, ``number``, ``integer`` or ``flag``), unit and meaning."""

    name: str
    kind: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: file name, what a row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]


def write_table(path: Path, table: Table, rows: Iterable[Sequence[Value]]) -> int:
    """Write a table in one step and return its number of rows.

    UTF-8, line-feed newlines, a header line, commas; floats have the shortest text that gives the same
    number back, missing values are empty, flags are ``true`` or ``false``.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    count = 0
    kinds = [column.kind for column in table.columns]
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_line(column.name for column in table.columns))
        for row in rows:
            file.write(csv_line(cell(value, kind) for value, kind in zip(row, kinds, strict=True)))
            count += 1
    return count


def cell(value: Value, kind: str) -> str:
    """Return a value as the text of its cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if kind == "flag":
        return "true" if value else "false"
    if kind == "integer":
        return str(int(value))
    if kind == "number":
        return repr(float(value))
    # Many readers of CSV take a NUL for the end of the file, or refuse it.
    return neutral(str(value).replace("\x00", "\ufffd"))


def csv_line(cells: Iterable[str]) -> str:
    """Return cells as one line of a CSV file, quoted where they need it."""
    # Python's own writer leaves a lone carriage return unquoted, which readers take for a new row.
    return ",".join(_quoted(text) for text in cells) + "\n"


def _quoted(text: str) -> str:
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def neutral(text: str) -> str:
    """Return text that spreadsheets show as it is: an apostrophe goes before a risky first character."""
    return f"'{text}" if text.startswith(_RISKY) else text


def original(text: str) -> str:
    """Return the text that :func:`neutral` was given."""
    return text[1:] if text.startswith("'") else text
