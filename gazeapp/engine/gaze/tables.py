"""What readers of tables share: rows in chunks, cells to numbers, rows gathered into trials."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from io import TextIOBase
from itertools import islice, pairwise
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.gaze.records import (
    NO_IMAGE_NAME,
    NO_SUBJECT,
    CodeArray,
    Eye,
    Fixations,
    Samples,
    Trial,
    empty_fixations,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

CHUNK = 20_000
DELIMITERS = (",", "\t", ";", "|")
LONGEST_LINE = 131_072
"""Characters; longer lines are no rows of a table (Python's csv refuses longer cells)."""

NO_TIME = "no time"
"""Why a row that is a sample is lost."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_Columns = TypeVar("_Columns", Fixations, Samples)


class Key(NamedTuple):
    """What makes rows belong to one trial."""

    subject: str
    image: str = ""
    task: str = ""
    label: str = ""


class Rows(NamedTuple):
    """Some rows of a table, and the number of the line at which the first one stands."""

    line: int
    cells: list[list[str]]

    def column(self, place: int | None) -> list[str]:
        """Return the cells of one column without outer space; empty where a row has none."""
        return list(map(str.strip, self._raw(place)))

    def numbers(self, place: int | None, decimal_comma: bool = False) -> DoubleArray:
        """Return the cells of one column as float64, shape (n,); NaN where a cell is no finite number."""
        if place is None:
            return np.full(len(self.cells), np.nan)
        return to_numbers(self._raw(place), decimal_comma)

    def _raw(self, place: int | None) -> list[str]:
        if place is None:
            return [""] * len(self.cells)
        try:
            return list(map(itemgetter(place), self.cells))
        except IndexError:
            return [row[place] if place < len(row) else "" for row in self.cells]


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line without outer space and quotation marks."""
    if len(line) > LONGEST_LINE:
        line = line[:LONGEST_LINE]
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def delimiter_of(line: str) -> str:
    """Return the delimiter that stands in a line most often; a tab when none does."""
    counts = {delimiter: line.count(delimiter) for delimiter in DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    return best if counts[best] else "\t"


def plain(name: str) -> str:
    """Return a header name in lower case, with every run of other characters as one underscore."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    # Case folding makes the micro sign a Greek mu; both stand for micro.
    return re.sub(r"[^a-z0-9]+", "_", spaced.casefold().replace("\u03bc", "u")).strip("_")


def rows_of(source: Source, delimiter: str, header_line: int, chunk: int = CHUNK) -> Iterator[Rows]:
    """Yield the rows below the header, in chunks; blank rows are passed over.

    Parameters
    ----------
    header_line
        Number of the header's line, from 1; 0 when the first line is a row.
    chunk
        Rows in a chunk; fewer for a table of very many columns.

    Raises
    ------
    GazeError
        When a row cannot be read, with its line.
    """
    with source.open_text() as text:
        lines = _guarded(text, source)
        for _ in islice(lines, header_line):
            pass
        # A quotation mark that is not closed would swallow the rows after it: strict makes that an error.
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            first = header_line + 1
            while cells := list(islice(reader, chunk)):
                yield Rows(first, [row for row in cells if row and any(map(str.strip, row))])
                first = header_line + reader.line_num + 1
        except csv.Error as error:
            raise source.problem(
                f"The table cannot be read here: {error}.",
                "Look at the rows up to that line for a quotation mark that is not closed, and save the "
                "table again.",
                header_line + reader.line_num,
            ) from error


def _guarded(text: TextIOBase, source: Source) -> Iterator[str]:
    for number, line in enumerate(iter(partial(text.readline, LONGEST_LINE + 1), ""), start=1):
        if len(line) > LONGEST_LINE:
            raise source.problem(
                f"The line is longer than {LONGEST_LINE:,} characters, so it is no row of a table.",
                "Look at the file in an editor, and save the table again.",
                number,
            )
        yield line.replace("\0", "") if "\0" in line else line


def to_numbers(cells: Sequence[str], decimal_comma: bool = False) -> DoubleArray:
    """Return cells as float64, shape (n,); NaN where a cell is no finite number."""
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        values = np.array([_number(cell, decimal_comma) for cell in cells], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _number(cell: str, decimal_comma: bool) -> float:
    cell = cell.strip()
    if not cell or cell == ".":
        return float("nan")
    if decimal_comma and _DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def has_decimal_commas(cells: Iterable[str]) -> bool:
    """Return whether some cell is a number with a decimal comma."""
    return any(_DECIMAL_COMMA.fullmatch(cell.strip()) for cell in cells)


class _Gathered(Generic[_Columns]):
    """Rows gathered chunk by chunk, each with the number of its trial; trials in order of appearance."""

    def __init__(self, needs_image: bool = False) -> None:
        self.lost: Counter[str] = Counter()
        self._needs_image = needs_image
        self._keys: dict[tuple[str, str, str, str], int] = {}
        self._parts: list[tuple[IntArray, _Columns]] = []

    @property
    def n_rows(self) -> int:
        """Rows taken so far, lost ones included."""
        return sum(len(codes) for codes, _ in self._parts)

    def add(self, keys: Iterable[tuple[str, str, str, str]], columns: _Columns) -> None:
        """Take rows: the trial of each (a :class:`Key`, or a tuple in its order), and their columns."""
        codes = np.fromiter(map(self._code, keys), dtype=np.int64, count=len(columns))
        self._parts.append((codes, columns))

    def _code(self, key: tuple[str, str, str, str]) -> int:
        code = self._keys.get(key)
        if code is not None:
            return code
        subject, image, _, _ = key
        if not subject:
            self.lost[NO_SUBJECT] += 1
            return -1
        if self._needs_image and not image:
            self.lost[NO_IMAGE_NAME] += 1
            return -1
        self._keys[key] = len(self._keys)
        return len(self._keys) - 1

    def _joined(self, names: Iterable[str]) -> tuple[IntArray, list[NDArray[Any]]]:
        """Return trial numbers and columns of all rows that are in a trial, by trial; empties the parts."""
        codes = np.concatenate([part[0] for part in self._parts])
        chunks = {name: [getattr(part[1], name) for part in self._parts] for name in names}
        self._parts.clear()
        sorted_already = not len(codes) or (codes[0] >= 0 and bool(np.all(codes[1:] >= codes[:-1])))
        order = np.argsort(codes, kind="stable") if not sorted_already else None
        if order is not None:
            order = order[np.searchsorted(codes, 0, sorter=order) :]
            codes = codes[order]
        columns = []
        for name in tuple(chunks):
            column = np.concatenate(chunks.pop(name))
            columns.append(column if order is None else column[order])
        return codes, columns

    def _bounds(self, codes: IntArray) -> list[slice]:
        edges = np.searchsorted(codes, np.arange(len(self._keys) + 1)).tolist()
        return [slice(low, high) for low, high in pairwise(edges)]


class Gatherer(_Gathered[Fixations]):
    """Gathers fixations chunk by chunk and sorts them into trials at the end.

    Parameters
    ----------
    needs_image
        Whether rows without an image name are lost; otherwise they make trials without an image.
    """

    def build(self) -> tuple[tuple[Trial, ...], Fixations]:
        """Return the trials in order of appearance, and their fixations, those of a trial together.

        Fixations are numbered anew in their trial and eye where the file's numbers do not count up.
        """
        if not self._parts:
            return (), empty_fixations()
        codes, columns = self._joined(Fixations.__slots__)
        trials = tuple(
            Trial(label, subject, image, task, rows)
            for (subject, image, task, label), rows in zip(self._keys, self._bounds(codes), strict=True)
        )
        return trials, renumbered(Fixations(*columns), codes)


class SampleGatherer(_Gathered[Samples]):
    """Gathers samples chunk by chunk and sorts them into trials at the end."""

    def build(self) -> tuple[tuple[Trial, ...], Samples]:
        """Return the trials in order of appearance, and their samples by trial, eye and time."""
        if not self._parts:
            return (), Samples(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.int8))
        codes, columns = self._joined(Samples.__slots__)
        samples, all_rows = sort_samples(codes, Samples(*columns), len(self._keys))
        trials = tuple(
            Trial(label, subject, image, task, sample_rows=rows)
            for (subject, image, task, label), rows in zip(self._keys, all_rows, strict=True)
        )
        return trials, samples


def renumbered(table: Fixations, trial: IntArray) -> Fixations:
    """Return fixations with numbers from 1 in each trial and eye, unless the file's count up in all.

    Parameters
    ----------
    table
        Fixations of several trials, those of a trial together.
    trial
        Number of the trial of each, shape (n,).
    """
    index = table.index.copy()
    for eye in np.unique(table.eye):
        rows = np.flatnonzero(table.eye == eye)
        owner = trial[rows]
        fresh: BoolArray = np.r_[True, owner[1:] != owner[:-1]]
        begins = np.flatnonzero(fresh)
        counted = np.arange(len(rows)) - np.repeat(begins, np.diff(np.r_[begins, len(rows)])) + 1
        own = index[rows]
        good = (own > 0) & (fresh | np.r_[True, np.diff(own) > 0])
        bad_trials = np.isin(owner, owner[~good])
        index[rows] = np.where(bad_trials, counted, own)
    return Fixations(index, *(getattr(table, name) for name in Fixations.__slots__[1:]))


def sort_samples(trial: IntArray, samples: Samples, n_trials: int) -> tuple[Samples, list[slice]]:
    """Return samples by trial and eye and time, and the rows of each trial."""
    order = np.lexsort((samples.t_ms, samples.eye, trial))
    bounds = np.searchsorted(trial[order], np.arange(n_trials + 1))
    rows = [slice(int(bounds[n]), int(bounds[n + 1])) for n in range(n_trials)]
    return samples.part(order), rows


def eyes(words: Sequence[str]) -> CodeArray:
    """Return codes of :class:`Eye` for words such as L, left, R, right, both; others are unknown."""
    codes = {"l": Eye.LEFT, "left": Eye.LEFT, "r": Eye.RIGHT, "right": Eye.RIGHT}
    codes |= {"both": Eye.AVERAGE, "average": Eye.AVERAGE, "binocular": Eye.AVERAGE, "cyclopean": Eye.AVERAGE}
    known = {word: codes.get(word.strip().lower(), Eye.UNKNOWN) for word in set(words)}
    return np.fromiter(map(known.__getitem__, words), dtype=np.int8, count=len(words))
