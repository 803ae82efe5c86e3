"""Fixations from a delimited table: one row a fixation, positions in image px."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.csv_columns import Columns, check_columns, find_columns
from gazeapp.engine.gaze.records import (
    IMAGE_SPACE,
    MORE_CELLS,
    NO_IMAGE_NAME,
    NO_POSITION,
    NO_SUBJECT,
    UNKNOWN_EYE,
    Facts,
    Fixations,
    Recording,
    Trial,
)
from gazeapp.engine.gaze.source import open_bytes
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

FORMAT = "csv"

_CHUNK = 50_000
_MANY_TOO_LONG = 0.5
_WHOLE = re.compile(r"[+-]?\d+")
_DIGITS = re.compile(r"\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_KEYS = ("subject", "image", "task", "trial")
_NUMBERS = ("x", "y", "fixation_index", "start_ms", "duration_ms")


def read_csv(path: Path, confidence: float = 1.0, reason: str = "") -> Recording:
    """Read a table of fixations (comma, tab, semicolon or bar between cells; gzip is unpacked).

    A trial is what has the same subject, image, task and trial cell; its fixations keep the order
    of the rows. Decimal commas are read unless the comma stands between cells.

    Parameters
    ----------
    path
        The file. Needs columns for image, subject, x and y; ``csv_columns.SYNONYMS`` has the names.
    confidence, reason
        How sure the format is, to be passed on.

    Returns
    -------
    Recording
        Positions in image px as read. Rows without a position are kept as dropped fixations; rows
        without an image or subject, or with more cells than the header, are counted in
        ``facts.lost_rows``.

    Raises
    ------
    GazeError
        When the file is empty, has no rows, lacks columns, is no text, or has decimal commas that
        cannot be told from the commas between cells.
    """
    try:
        return _read(path, "utf-8-sig", confidence, reason, ())
    except UnicodeDecodeError:
        note = "The file is not UTF-8 and was read as Windows-1252: check names with accents."
    try:
        return _read(path, "cp1252", confidence, reason, (note,))
    except UnicodeDecodeError as error:
        raise GazeError(
            "The file is no text in a known encoding.",
            where=str(path),
            todo="Save it again as CSV in UTF-8.",
        ) from error


class _Table:
    """Rows gathered so far, as arrays a chunk; keys are numbered in order of appearance."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.keys: dict[tuple[str, ...], int] = {}
        self.parts: list[tuple[IntArray, list[DoubleArray]]] = []
        self.lost: Counter[str] = Counter()
        self.rows = 0
        self.torn = 0
        # Some exports end each line, or only the header, with a delimiter.
        self._width = max(place for place, name in enumerate(columns.header, start=1) if name)

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Take the next rows."""
        self.rows += len(rows)
        rows = [row for row in rows if not self._is_too_long(row)]
        keys = [self._texts(rows, name) for name in _KEYS]
        codes = np.fromiter(map(self._code, zip(*keys, strict=True)), dtype=np.int64, count=len(rows))
        self.parts.append((codes, [self._numbers(rows, name) for name in _NUMBERS]))

    def _is_too_long(self, row: Sequence[str]) -> bool:
        """Return whether a row has more cells than the header, and count it."""
        if len(row) <= self._width or not any(cell.strip() for cell in row[self._width :]):
            return False
        self.lost[MORE_CELLS] += 1
        self.torn += self.columns.delimiter == "," and _has_torn_numbers(row, self._width)
        return True

    def _texts(self, rows: Sequence[Sequence[str]], name: str) -> list[str]:
        place = self.columns.places.get(name)
        if place is None:
            return [""] * len(rows)
        return [row[place].strip() if place < len(row) else "" for row in rows]

    def _numbers(self, rows: Sequence[Sequence[str]], name: str) -> DoubleArray:
        if name not in self.columns.places:
            return np.full(len(rows), np.nan)
        factor = self.columns.to_ms.get(name, 1.0)
        return to_numbers(self._texts(rows, name), self.columns.delimiter != ",") * factor

    def _code(self, key: tuple[str, ...]) -> int:
        subject, image = key[0], key[1]
        if subject and image:
            return self.keys.setdefault(key, len(self.keys))
        self.lost[NO_IMAGE_NAME if subject else NO_SUBJECT] += 1
        return -1

    def trials(self) -> list[Trial]:
        """Return the trials in order of appearance."""
        codes = np.concatenate([part[0] for part in self.parts])
        x, y, index, start, duration = (
            np.concatenate([part[1][place] for part in self.parts]) for place in range(len(_NUMBERS))
        )
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(self.keys) + 1))
        trials = []
        for number, (subject, image, task, label) in enumerate(self.keys):
            rows = order[bounds[number] : bounds[number + 1]]
            positioned = np.isfinite(x[rows]) & np.isfinite(y[rows])
            table = Fixations(
                index=_indices(index[rows]),
                x=x[rows],
                y=y[rows],
                start_ms=start[rows],
                duration_ms=duration[rows],
                eye=np.full(len(rows), UNKNOWN_EYE),
                why_dropped=np.where(positioned, "", NO_POSITION),
            )
            trials.append(Trial(label, subject, image, task, table))
        return trials


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


def to_numbers(cells: list[str], decimal_comma: bool) -> DoubleArray:
    """Return cells as float64, shape (n,); NaN where a cell is no finite number."""
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        values = np.array([_number(cell, decimal_comma) for cell in cells], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _number(cell: str, decimal_comma: bool) -> float:
    if decimal_comma and _DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _indices(read: DoubleArray) -> IntArray:
    """Return the file's fixation numbers, or 1, 2, ... where it has none or they are no whole numbers."""
    whole: BoolArray = np.isfinite(read) & (read == np.floor(read)) & (np.abs(read) < 2**53)
    if len(read) and whole.all():
        return read.astype(np.int64)
    return np.arange(1, len(read) + 1, dtype=np.int64)


def _read(path: Path, encoding: str, confidence: float, reason: str, notes: tuple[str, ...]) -> Recording:
    with open_bytes(path) as stream:
        start = stream.read(2)
        stream.seek(0)
        if start in (b"\xff\xfe", b"\xfe\xff"):
            encoding = "utf-16"
        table = _table(io.TextIOWrapper(stream, encoding=encoding, newline=""), path)
    if not table.rows:
        raise GazeError(
            "The table has a header but no rows.", where=str(path), todo="Export the fixations again."
        )
    if table.torn > _MANY_TOO_LONG * table.rows:
        raise GazeError(
            f"{table.torn} of {table.rows} rows have more cells than the header has columns, as when numbers "
            "are written with decimal commas (395,5) and commas stand between the cells, too. Positions "
            "cannot be told apart.",
            where=str(path),
            todo="Save the table again with semicolons between the cells or with decimal points.",
        )
    trials = table.trials()
    n = sum(len(trial.fixations) for trial in trials)
    facts = Facts(
        space=IMAGE_SPACE,
        eye_used=UNKNOWN_EYE,
        fixations_per_eye={UNKNOWN_EYE: n} if n else {},
        lost_rows=dict(table.lost),
        notes=(*notes, *table.columns.notes),
    )
    return Recording(path, sha256_of(path), FORMAT, confidence, reason, facts, tuple(trials))


def _table(text: io.TextIOWrapper, path: Path) -> _Table:
    lines = iter(text)
    header = next((line for line in lines if line.strip() and not line.startswith("#")), None)
    if header is None:
        raise GazeError("The file is empty.", where=str(path), todo="Export the fixations again.")
    columns = find_columns(header.lstrip("\ufeff").rstrip("\r\n"))
    check_columns(columns, path)
    table = _Table(columns)
    rows = _rows(lines, columns.delimiter, path)
    while chunk := list(islice(rows, _CHUNK)):
        table.add(chunk)
    text.detach()
    return table


def _rows(lines: Iterable[str], delimiter: str, path: Path) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if row and any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise GazeError(
            f"The table cannot be read near row {reader.line_num + 1}: {error}.",
            where=str(path),
            todo="Look at that row for a quotation mark that is not closed, and save it again as CSV.",
        ) from error
