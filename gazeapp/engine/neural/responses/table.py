"""Tables of responses of regions: a row for each image, or for each image and region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.source import HEAD, Source
from gazeapp.engine.gaze.tables import (
    Rows,
    delimiter_of,
    has_decimal_commas,
    plain,
    rows_of,
    split_line,
    to_numbers,
)
from gazeapp.engine.neural.responses.image_list import IMAGE_WORDS, SUBJECT_WORDS
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import Entry, RawResponses, Row, count, not_on_one_line, some
from gazeapp.engine.types import DoubleArray

WIDE, LONG = "table, a row for each image", "table, a row for each image and region"
CEILING = "noise_ceiling"
"""Stands in the column of images for the row that holds ceilings, in units of r."""

_REPEAT = {"repeat", "repeats", "repetition", "rep", "presentation"}
_REGION = {"roi", "region", "area", "parcel", "roi_name", "region_name", "target"}
_VALUE = {"value", "response", "beta", "activation", "mean", "signal", "y"}
_CHUNK = 500


@dataclass(frozen=True)
class _Layout:
    """Which column is which: numbers of columns, None where there is none."""

    header: tuple[str, ...]
    delimiter: str
    line: int
    image: int
    subject: int | None
    repeat: int | None
    region: int | None
    value: int | None

    @property
    def is_long(self) -> bool:
        return self.region is not None and self.value is not None

    @property
    def others(self) -> list[int]:
        """Columns that nothing is known of: the regions of a wide table."""
        known = {self.image, self.subject, self.repeat}
        return [k for k in range(len(self.header)) if k not in known and not _is_index(self.header[k])]


@dataclass(frozen=True)
class _Cells:
    """What was read: keys (subject, image, repeat), names of regions, and values, shape (n_keys, n_regions)."""

    keys: list[tuple[str, str, str]]
    regions: tuple[str, ...]
    values: DoubleArray
    n_odd: int


def read_table(path: Path, options: ResponseOptions) -> RawResponses:
    """Return what a table of images and regions holds.

    Wide: the column ``image``, or the first one, names the image, ``subject`` and ``repeat`` may be there, and every
    other column is a region. Long: ``image``, ``roi`` (or ``region``) and ``value``. A row whose image is
    ``noise_ceiling`` holds ceilings in units of r. Empty cells are missing values.

    Raises
    ------
    GazeError
        If it cannot be read, has no region, or says the same thing twice.
    """
    source = Source(path)
    layout = _layout(source)
    cells = _long(source, layout) if layout.is_long else _wide(source, layout)
    if not cells.regions:
        raise source.problem(
            "The table has no column of numbers besides the images.",
            "Give each region a column, or the columns image, roi and value.",
        )
    ceilings = {
        subject: row
        for (subject, image, _), row in zip(cells.keys, cells.values, strict=True)
        if plain(image) == CEILING
    }
    kept = [k for k, (_, image, _) in enumerate(cells.keys) if plain(image) != CEILING]
    if not kept:
        raise source.problem("The table has no rows.", "Write one row for each image.")
    _check_repeats(source, layout, [cells.keys[k] for k in kept])
    values = cells.values[kept]

    def rows(wanted: Collection[int]) -> Iterator[Row]:
        for number in sorted(wanted):
            yield number, values[number]

    return RawResponses(
        LONG if layout.is_long else WIDE,
        str(path),
        tuple(Entry(cells.keys[k][0] or options.subject, cells.keys[k][1]) for k in kept),
        len(cells.regions),
        rows,
        cells.regions,
        ceilings=ceilings,
        cautions=tuple(_cautions(source, layout, cells)),
    )


def _layout(source: Source) -> _Layout:
    if not source.is_text:
        raise source.problem("The file is no table of text.", "Save the table as CSV or TSV.")
    line = next((k for k, text in enumerate(source.head_lines) if text.strip() and text[0] != "#"), None)
    if line is None:
        raise source.problem("The table is empty.", "Write one row for each image.")
    text = source.head_lines[line]
    if len(source.head) >= HEAD and line == len(source.head_lines) - 1:
        raise source.problem(
            "The table has more columns than a table of regions.", "Save responses of vertices as NPZ."
        )
    delimiter = delimiter_of(text)
    header = [cell.strip() for cell in split_line(text, delimiter)]
    names = [plain(name) for name in header]
    image = _first(names, IMAGE_WORDS)
    if len(header) < 2:
        raise source.problem(
            "The table has one column only.",
            "Give the images in the first column and each region in a column.",
        )
    region, value = _first(names, _REGION), _first(names, _VALUE)
    is_long = image is not None and region is not None and value is not None
    return _Layout(
        tuple(header),
        delimiter,
        line + 1,
        image or 0,
        _first(names, SUBJECT_WORDS),
        _first(names, _REPEAT),
        region if is_long else None,
        value if is_long else None,
    )


def _wide(source: Source, layout: _Layout) -> _Cells:
    """Return the cells of a table with a column for each region."""
    keys: list[tuple[str, str, str]] = []
    parts: list[DoubleArray] = []
    others = layout.others
    n_filled, n_odd = np.zeros(len(others), int), np.zeros(len(others), int)
    for rows in _rows(source, layout):
        keys += _keys(rows, layout)
        columns = [rows.column(k) for k in others]
        values = np.array([_numbers(cells) for cells in columns]).reshape(len(others), -1).T
        for k, cells in enumerate(columns):
            filled = np.array([not _is_missing(cell) for cell in cells], dtype=bool)
            n_filled[k] += filled.sum()
            n_odd[k] += (filled & np.isnan(values[:, k])).sum()
        parts.append(values)
    # A column of words, such as notes, is no region; one that is empty is.
    taken = np.flatnonzero((n_filled == 0) | (n_odd < n_filled))
    values = np.concatenate(parts)[:, taken] if parts else np.zeros((0, len(taken)))
    names = tuple(layout.header[others[k]] for k in taken)
    _check_names(source, names)
    return _Cells(keys, names, values, int(n_odd[taken].sum()))


def _long(source: Source, layout: _Layout) -> _Cells:
    """Return the cells of a table with a row for each image and region."""
    places: dict[tuple[str, str, str], int] = {}
    regions: dict[str, int] = {}
    seen: dict[tuple[str, str, str, str], int] = {}
    where: list[tuple[int, int]] = []
    parts: list[DoubleArray] = []
    n_odd = 0
    for rows in _rows(source, layout):
        cells, names = rows.column(layout.value), rows.column(layout.region)
        for (subject, image, repeat), region in zip(_keys(rows, layout), names, strict=True):
            if layout.repeat is None:
                # The same image and region again is another repeat.
                nth = seen[subject, image, "", region] = seen.get((subject, image, "", region), 0) + 1
                repeat = str(nth)
            elif (subject, image, repeat, region) in seen:
                raise source.problem(
                    f"The image “{image}”, region “{region}”, repeat “{repeat}” stands there twice.",
                    "Keep one of the rows.",
                )
            else:
                seen[subject, image, repeat, region] = 1
            row = places.setdefault((subject, image, repeat), len(places))
            where.append((row, regions.setdefault(region, len(regions))))
        numbers = _numbers(cells)
        n_odd += sum(
            not _is_missing(cell) and bool(np.isnan(value))
            for cell, value in zip(cells, numbers, strict=True)
        )
        parts.append(numbers)
    _check_names(source, tuple(regions))
    values = np.full((len(places), len(regions)), np.nan)
    if where:
        values[tuple(np.array(where).T)] = np.concatenate(parts)
    return _Cells(list(places), tuple(regions), values, n_odd)


def _rows(source: Source, layout: _Layout) -> Iterator[Rows]:
    n_columns = len(layout.header)
    for rows in rows_of(source, layout.delimiter, layout.line, _CHUNK):
        for k, cells in enumerate(rows.cells):
            if len(cells) != n_columns and any(cell.strip() for cell in cells[n_columns:]):
                raise source.problem(
                    f"The row has {len(cells)} cells where the header has {n_columns}.",
                    "Check for commas inside numbers or names, and save the table again.",
                    rows.line + k,
                )
        yield rows


def _keys(rows: Rows, layout: _Layout) -> list[tuple[str, str, str]]:
    return list(
        zip(rows.column(layout.subject), rows.column(layout.image), rows.column(layout.repeat), strict=True)
    )


def _numbers(cells: Sequence[str]) -> DoubleArray:
    return to_numbers(cells, has_decimal_commas(cells))


def _check_names(source: Source, names: tuple[str, ...]) -> None:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise source.problem(
            f"{count(len(twice), 'region stands', 'regions stand')} in several columns: {some(twice)}.",
            "Give each region one column; say repeats in a column “repeat”.",
        )
    if "" in names:
        raise source.problem("A region has no name.", "Give each region a name.")
    if unfit := not_on_one_line(names):
        raise source.problem(
            f"Names of regions have tabs, line breaks or the like: {some(unfit)}.",
            "Give each region a name on one line.",
        )


def _check_repeats(source: Source, layout: _Layout, keys: list[tuple[str, str, str]]) -> None:
    if "" in {image for _, image, _ in keys}:
        raise source.problem("A row names no image.", "Give each row the name of its image.")
    if layout.repeat is not None and len(set(keys)) < len(keys):
        subject, image, repeat = next(key for key in keys if keys.count(key) > 1)
        of = f" of {subject}" if subject else ""
        raise source.problem(
            f"The image “{image}”{of}, repeat “{repeat}” stands there twice.", "Keep one of the rows."
        )


def _cautions(source: Source, layout: _Layout, cells: _Cells) -> Iterator[GazeError]:
    if cells.n_odd:
        yield source.problem(
            f"{count(cells.n_odd, 'cell is no number and was', 'cells are no numbers and were')} taken as missing.",
            "Look for words, signs and infinite values among the numbers.",
        )
    dropped = [layout.header[k] for k in layout.others if layout.header[k] not in cells.regions]
    if dropped and not layout.is_long:
        held = count(len(dropped), "column holds no numbers and was", "columns hold no numbers and were")
        yield source.problem(f"{held} left out: {some(dropped)}.")


def _first(names: Sequence[str], wanted: Collection[str]) -> int | None:
    return next((k for k, name in enumerate(names) if name in wanted), None)


def _is_index(name: str) -> bool:
    """Return whether a column is one that tables of other programs number their rows with."""
    return not name or plain(name).startswith("unnamed_")


def _is_missing(cell: str) -> bool:
    return cell.lower() in ("", ".", "nan", "na", "n/a", "none", "null")
