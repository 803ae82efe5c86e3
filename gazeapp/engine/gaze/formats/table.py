"""Any delimited table: fixations or samples, by names that are known or by a column mapping."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.profiles import SAMPLES, TableProfile
from gazeapp.engine.gaze.quality import with_sample_quality
from gazeapp.engine.gaze.records import (
    IMAGE,
    MORE_CELLS,
    CodeArray,
    Contents,
    Eye,
    Facts,
    Fixations,
    Frame,
    Samples,
    Trial,
    Why,
    empty_fixations,
)
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.table_columns import (
    LIKELY,
    REQUIRED,
    SYNONYMS,
    UNITS,
    Columns,
    find_columns,
    known_columns,
    missing_columns,
    table_lines,
)
from gazeapp.engine.gaze.table_guess import columns_of
from gazeapp.engine.gaze.tables import (
    NO_TIME,
    Gatherer,
    Rows,
    SampleGatherer,
    eyes,
    rows_of,
)
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_OWN = TableProfile("gazeapp's own table", frame=Frame(of=IMAGE))
_MANY_TOO_LONG = 0.5
_LOOKED_AT = 20
_WHOLE = re.compile(r"[+-]?\d+")
_DIGITS = re.compile(r"\d+")
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+")
_NOT_VALID = frozenset(("false", "0", "no", "n", "f", "invalid", "not valid", "bad", "lost"))
_LARGEST_INDEX = 2**53
_KEY = ("subject", "image", "task", "trial")


def recognise(source: Source) -> Guess | None:
    """Tell a table by its header; sure of gazeapp's own names, less so of others that are known."""
    if not source.is_text:
        return None
    columns = known_columns(source)
    if columns is None or len(columns.header) < 2:
        return None
    if not columns.lacks(REQUIRED):
        words = ", ".join(f"'{columns.name(role)}'" for role in REQUIRED)
        return Guess(1.0 if set(REQUIRED) <= set(columns.header) else 0.75, f"the columns {words}")
    likely = {role: (*SYNONYMS[role], *LIKELY[role]) for role in ("x", "y")}
    for number, line in table_lines(source):
        found = find_columns(number, line, likely)
        if not found.lacks(("x", "y")):
            return Guess(
                0.2, f"a table with '{found.name('x')}' and '{found.name('y')}' that needs a column mapping"
            )
    return None


def what_is_missing(source: Source) -> GazeError | None:
    """Return which columns a table lacks; None when it has them all or is no table."""
    columns = known_columns(source)
    if columns is None or len(columns.header) < 2 or not (columns.places or _has_even_rows(source, columns)):
        return None
    return missing_columns(columns, source)


def _has_even_rows(source: Source, columns: Columns) -> bool:
    """Return whether most lines of the head have as many cells as the header, as prose has not."""
    lines = [line for line in source.head_lines[:_LOOKED_AT] if line.strip()]
    cells = [line.count(columns.delimiter) + 1 for line in lines]
    return sum(n == len(columns.header) for n in cells) > 0.8 * len(cells)


def read(source: Source, options: ReadOptions) -> Contents:
    """Read a table (comma, tab, semicolon, bar or any other character between cells).

    A trial is what has the same subject, image, task and trial cell; its fixations keep the order
    of the rows. Without a column mapping the table needs columns for image, subject, x and y, and
    positions are image px. With one it needs what the mapping names; without a subject column the
    subject is the file's name, and without an image column trials have no image.

    Raises
    ------
    GazeError
        When the file is empty, has no rows, lacks columns, or has decimal commas that cannot be told
        from the commas between cells.
    """
    if options.profile is not None:
        return read_columns(source, options.profile, columns_of(source, options.profile))
    columns = known_columns(source)
    if columns is None:
        raise source.problem("The file is empty.", "Export the fixations again.")
    problem = missing_columns(columns, source)
    if problem is not None:
        raise problem
    return read_columns(source, _OWN, columns)


FORMAT = Format(
    "csv", "Table (CSV, TSV)", (".csv", ".tsv", ".txt"), recognise=recognise, read=read, has_samples=True
)


def read_columns(
    source: Source, profile: TableProfile, columns: Columns, needs_image: bool | None = None
) -> Contents:
    """Read a table whose columns are known.

    Parameters
    ----------
    profile
        Says everything but where the columns are.
    columns
        Where the columns are.
    needs_image
        Whether rows without an image name are lost; None: when there is a column for it.

    Raises
    ------
    GazeError
        As :func:`read`.
    """
    if needs_image is None:
        needs_image = "image" in columns.places
    table = _Table(source, profile, columns)
    if profile.kind == SAMPLES:
        trials, samples = _gather_samples(table, needs_image)
        trials = with_sample_quality(trials, samples)
        return Contents(table.facts(samples.eye, len(samples)), trials, empty_fixations(), samples)
    gatherer = Gatherer(needs_image)
    for rows in table.rows():
        gatherer.add(table.keys(rows), table.fixations(rows))
    table.lost.update(gatherer.lost)
    trials, fixations = gatherer.build()
    return Contents(table.facts(fixations.eye), trials, fixations)


def _gather_samples(table: _Table, needs_image: bool) -> tuple[tuple[Trial, ...], Samples]:
    gatherer = SampleGatherer(needs_image)
    for rows in table.rows():
        times = table.times(rows, "time")
        timed = np.isfinite(times)
        table.lost[NO_TIME] += int(np.count_nonzero(~timed))
        samples = table.samples(rows, times).part(timed)
        gatherer.add(compress(table.keys(rows), timed.tolist()), samples)
    table.lost.update(gatherer.lost)
    return gatherer.build()


class _Table:
    """A table whose columns are known: its rows as columns, and what is lost on the way."""

    def __init__(self, source: Source, profile: TableProfile, columns: Columns) -> None:
        self.columns = columns
        self.lost: Counter[str] = Counter()
        self._source, self._profile = source, profile
        self._decimal_comma = profile.decimal == "," or (not profile.decimal and columns.delimiter != ",")
        # Some exports end each line, or only the header, with a delimiter.
        self._width = max((place for place, name in enumerate(columns.header, start=1) if name), default=0)
        self._torn = self._commas = 0

    def rows(self) -> Iterator[Rows]:
        """Yield the rows in chunks, without those that have more cells than the header.

        Raises
        ------
        GazeError
            In the end, when there were no rows, or most are torn by decimal commas.
        """
        n = 0
        for chunk in rows_of(self._source, self.columns.delimiter, self.columns.line):
            n += len(chunk.cells)
            yield Rows(chunk.line, [row for row in chunk.cells if len(row) <= self._width or self._fits(row)])
        if not n:
            raise self._source.problem("The table has a header but no rows.", "Export the fixations again.")
        if self._torn > _MANY_TOO_LONG * n:
            raise self._source.problem(
                f"{self._torn} of {n} rows have more cells than the header has columns, as when "
                "numbers are written with decimal commas (395,5) and commas stand between the cells, too. "
                "Positions cannot be told apart.",
                "Save the table again with semicolons between the cells or with decimal points.",
            )

    def _fits(self, row: Sequence[str]) -> bool:
        """Return whether a long row has nothing beyond the header's columns; count it when it has."""
        if not any(cell.strip() for cell in row[self._width :]):
            return True
        self.lost[MORE_CELLS] += 1
        self._torn += self.columns.delimiter == "," and _has_torn_numbers(row, self._width)
        return False

    def keys(self, rows: Rows) -> Iterator[tuple[str, str, str, str]]:
        """Return the subject, image, task and trial of each row."""
        cells = [rows.column(self.columns.places.get(role)) for role in _KEY]
        if "subject" not in self.columns.places:
            cells[0] = [self._source.stem] * len(rows.cells)
        return zip(cells[0], cells[1], cells[2], cells[3], strict=True)

    def fixations(self, rows: Rows) -> Fixations:
        """Return rows as fixations; those marked as not valid say so."""
        start, duration = self.times(rows, "start"), self.times(rows, "duration")
        if "duration" not in self.columns.places:
            duration = self.times(rows, "end") - start
        return Fixations.of(
            self._positions(rows, "x"),
            self._positions(rows, "y"),
            index=self._index(rows),
            start_ms=start,
            duration_ms=duration,
            eye=self._eyes(rows),
            unusable=np.where(self._valid(rows), Why.USED, Why.NOT_VALID).astype(np.int8),
        )

    def samples(self, rows: Rows, times: DoubleArray) -> Samples:
        """Return rows as samples; those marked as not valid are without a position."""
        x, y, valid = self._positions(rows, "x"), self._positions(rows, "y"), self._valid(rows)
        return Samples(times, np.where(valid, x, np.nan), np.where(valid, y, np.nan), self._eyes(rows))

    def times(self, rows: Rows, role: str) -> DoubleArray:
        """Return a column of times, ms; NaN where there is none."""
        return self._numbers(rows, role) * self.columns.to_ms.get(
            role, UNITS[self._profile.time_unit or "ms"]
        )

    def facts(self, eye: CodeArray, n_samples: int = 0) -> Facts:
        """Return what is known of the recording, after its rows were read."""
        present = [Eye(code).word for code in np.unique(eye) if code != Eye.UNKNOWN]
        return Facts(
            frame=self._profile.frame,
            eyes=tuple(present),
            n_samples=n_samples,
            lost_rows={reason: n for reason, n in self.lost.items() if n},
            notes=(*self._source.encoding_notes, *self.columns.notes, *self._comma_notes()),
        )

    def _comma_notes(self) -> tuple[str, ...]:
        if not self._commas:
            return ()
        return (
            f"{self._commas} cells of x and y are written like 395,5, which is no number where commas stand "
            "between the cells: say in a column mapping that the comma is the decimal mark, if it is.",
        )

    def _positions(self, rows: Rows, role: str) -> DoubleArray:
        """Return a column of positions; cells that may be numbers with a decimal comma are counted."""
        values = self._numbers(rows, role)
        if not self._decimal_comma and (missing := np.isnan(values)).any():
            cells = compress(rows.column(self.columns.places.get(role)), missing.tolist())
            self._commas += sum(_WITH_COMMA.fullmatch(cell) is not None for cell in cells)
        return values

    def _numbers(self, rows: Rows, role: str) -> DoubleArray:
        return rows.numbers(self.columns.places.get(role), self._decimal_comma)

    def _index(self, rows: Rows) -> IntArray | None:
        """Return the file's numbers of fixations; 0 where there is none."""
        index = self._numbers(rows, "index")
        whole = np.isfinite(index) & (index == np.floor(index)) & (np.abs(index) < _LARGEST_INDEX)
        return np.where(whole, index, 0).astype(np.int64)

    def _eyes(self, rows: Rows) -> CodeArray:
        if "eye" not in self.columns.places:
            return np.full(len(rows.cells), Eye.UNKNOWN, np.int8)
        return eyes(rows.column(self.columns.places["eye"]))

    def _valid(self, rows: Rows) -> BoolArray:
        place = self.columns.places.get("valid")
        below, above = self._profile.invalid_below, self._profile.invalid_above
        if place is None:
            return np.ones(len(rows.cells), dtype=np.bool_)
        if below is None and above is None:
            words = [cell.casefold() not in _NOT_VALID for cell in rows.column(place)]
            return np.array(words, dtype=np.bool_)
        values = self._numbers(rows, "valid")
        low, high = (-np.inf if below is None else below), (np.inf if above is None else above)
        return (values >= low) & (values <= high)


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
