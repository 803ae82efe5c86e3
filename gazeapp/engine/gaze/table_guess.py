"""Finding one's way in a table: its header, what its columns are, units and coordinate frame."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.gaze.profiles import FIXATIONS, NEEDED, NO_HEADER, SAMPLES, TableProfile
from gazeapp.engine.gaze.records import IMAGE, SCREEN, Frame
from gazeapp.engine.gaze.source import HEAD, Source
from gazeapp.engine.gaze.table_columns import (
    LIKELY,
    SYNONYMS,
    Columns,
    find_columns,
    in_words,
    mapped_columns,
    recognised,
    table_lines,
)
from gazeapp.engine.gaze.tables import (
    DELIMITERS,
    LONGEST_LINE,
    Rows,
    has_decimal_commas,
    plain,
    split_line,
    to_numbers,
)
from gazeapp.engine.types import DoubleArray

_GUESS_ROWS = 500
_ALIKE = 5
_OF_FIXATIONS = frozenset(("index", "start", "end", "duration"))
_NAMES = {
    role: (*SYNONYMS.get(role, ()), *LIKELY.get(role, ())) for role in dict.fromkeys([*SYNONYMS, *LIKELY])
}
_SHARE_LIMIT = 3.0
"""Largest value, either way from 0, of positions that are taken as shares of a width and a height."""
_OFTEN = 0.2
_USUAL_MS = {"duration": (20.0, 5000.0), "time": (0.2, 200.0)}
"""Usual fixation durations and times between samples, ms."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The top of a table, for naming its columns.

    Parameters
    ----------
    header
        Names of its columns; 1, 2, 3 and so on when it has no header.
    rows
        Its first rows; cells as they stand there.
    columns
        Where the header is, and which columns the profile names are there.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    columns: Columns


def columns_of(source: Source, profile: TableProfile) -> Columns:
    """Return where the columns of a profile are in a table.

    Raises
    ------
    GazeError
        When the profile does not say what is needed, or the table lacks a column that it names.
    """
    if unsaid := [role for role in NEEDED[profile.kind] if role not in profile.columns]:
        raise source.problem(
            f"The column mapping '{profile.name}' does not say which column is {' and which is '.join(unsaid)}.",
            "Say it in the import window or with --column.",
        )
    found = _located(source, profile)
    if found is None:
        raise source.problem("The file has no line that could be a header.", "Look at it in an editor.")
    if missing := found.lacks(profile.columns):
        role = missing[0]
        raise source.problem(
            f"The table has no column '{profile.columns[role]}', which the column mapping "
            f"'{profile.name}' takes as {role}.",
            f"Its columns are: {in_words(found.header)}. Say which column is which, or take another mapping.",
            found.line or None,
        )
    return found


def preview(source: Source, profile: TableProfile, rows: int = 20) -> Preview:
    """Return the top of a table as a profile reads it; columns that the profile does not find are no error.

    Raises
    ------
    GazeError
        When the file is empty, cannot be read, or is no text.
    """
    _check_text(source)
    found = _located(source, profile)
    if found is None or (profile.header_line == 0 and not found.places):
        guessed = _guessed(source, profile.delimiter)
        found = mapped_columns(guessed.line, guessed.header, guessed.delimiter, profile.columns)
    cells = first_rows(source, found)[:rows]
    return Preview(found.header, tuple(map(tuple, cells)), found)


def suggest(source: Source, said: Mapping[str, str] | None = None) -> TableProfile:
    """Return the best guess at how to read a table; its ``note`` says what was guessed.

    Parameters
    ----------
    source
        The table.
    said
        Header names by what they are, as far as the user says them; the rest is guessed.

    Raises
    ------
    GazeError
        When the file is empty, cannot be read, or is no text, or ``said`` has something unknown.
    """
    _check_text(source)
    said = said or {}
    found = _with_said(source, said)
    profile = TableProfile(
        name=source.stem,
        columns={**{role: found.header[place] for role, place in found.places.items()}, **said},
        header_line=NO_HEADER if found.header == _numbered(found.header) else found.line,
    )
    rows = Rows(found.line + 1, first_rows(source, found)[:_GUESS_ROWS])
    decimal_comma = found.delimiter != "," and any(
        has_decimal_commas(rows.column(place)) for role, place in found.places.items() if role in ("x", "y")
    )
    numbers = {
        role: to_numbers(rows.column(place), decimal_comma)
        for role, place in found.places.items()
        if role in ("x", "y", "start", "end", "duration", "time")
    }
    profile = replace(
        _with_kind(profile, said),
        delimiter=found.delimiter,
        decimal="," if decimal_comma else ".",
        time_unit=_time_unit(numbers, found),
    )
    frame, note = _frame(numbers, profile)
    profile = replace(profile, frame=frame, note=" ".join([*found.notes, note]))
    # A header that is found by its names is found under a preamble of any length, too.
    by_names = _located(source, replace(profile, header_line=0))
    is_found = profile.header_line != NO_HEADER and by_names is not None and by_names.line == found.line
    return replace(profile, header_line=0) if is_found else profile


def _with_said(source: Source, said: Mapping[str, str]) -> Columns:
    """Return the columns that the user says, and what else can be told of the same header."""
    found = _guessed(source)
    if said:
        named = _located(source, TableProfile(source.stem, dict(said)))
        if named is not None and not named.lacks(said):
            found = recognised(named.line, named.header, named.delimiter, _NAMES)
    own = mapped_columns(found.line, found.header, found.delimiter, said)
    guessed = {role: place for role, place in found.places.items() if place not in own.places.values()}
    names = {role: found.header[place] for role, place in {**guessed, **own.places}.items()}
    columns = mapped_columns(found.line, found.header, found.delimiter, names)
    return replace(columns, notes=found.notes)


def _check_text(source: Source) -> None:
    if source.is_folder or not source.is_text:
        raise source.problem("This is no table in text form.", "Choose a CSV or TSV file.")


def _located(source: Source, profile: TableProfile) -> Columns | None:
    """Return the columns of a profile at the line it names, else at the line that has most of them."""
    if profile.header_line == NO_HEADER:
        return _without_header(source, profile)
    candidates = []
    delimiters = [profile.delimiter] if profile.delimiter else DELIMITERS
    for number, line in table_lines(source):
        if len(line) > LONGEST_LINE or (profile.header_line and number != profile.header_line):
            continue
        for delimiter in delimiters:
            found = mapped_columns(number, split_line(line, delimiter), delimiter, profile.columns)
            candidates.append(found)
    if not candidates:
        return None
    return max(candidates, key=lambda found: (len(found.places), -found.line, len(found.header)))


def _without_header(source: Source, profile: TableProfile) -> Columns | None:
    block = _block(source, profile.delimiter)
    if block is None:
        return None
    number, delimiter, cells = block
    return mapped_columns(number - 1, _numbered(cells), delimiter, profile.columns)


def _guessed(source: Source, delimiter: str = "") -> Columns:
    """Return the columns of the line that looks most like a header: by known names, else by its shape."""
    known = [find_columns(number, line, _NAMES) for number, line in table_lines(source)]
    known = [found for found in known if not found.lacks(("x", "y"))]
    if delimiter:
        known = [found for found in known if found.delimiter == delimiter]
    if known:
        return max(known, key=lambda found: (len(found.places), -found.line))
    block = _block(source, delimiter)
    if block is None:
        return Columns(0, delimiter or ",", (), {}, {})
    number, cut, cells = block
    if np.isfinite(to_numbers(cells, decimal_comma=cut != ",")).any():
        return Columns(number - 1, cut, _numbered(cells), {}, {})
    found = recognised(number, cells, cut, _NAMES)
    return replace(found, places={**found.places, **_pair(cells)})


def _pair(header: Sequence[str]) -> dict[str, int]:
    """Return the columns whose names differ in an x and a y only, those of fixations and gaze before others."""
    places = {plain(name): place for place, name in enumerate(header)}
    pairs = [
        (
            *(word not in name for word in ("fix", "gaze", "po")),
            place,
            places[name[:at] + "y" + name[at + 1 :]],
        )
        for name, place in places.items()
        for at in range(len(name))
        if name[at] == "x" and name[:at] + "y" + name[at + 1 :] in places
    ]
    if not pairs:
        return {}
    *_, x, y = min(pairs)
    return {"x": x, "y": y}


def _block(source: Source, delimiter: str) -> tuple[int, str, list[str]] | None:
    """Return number, delimiter and cells of the first line that has as many cells as those below it."""
    rows = []
    for number, line in table_lines(source):
        cut = delimiter or _delimiter_of(line)
        rows.append((number, cut, split_line(line, cut)))
    for place, row in enumerate(rows):
        below = rows[place + 1 : place + 1 + _ALIKE]
        if len(row[2]) > 1 and all(len(other[2]) == len(row[2]) for other in below):
            return row
    return None


def _numbered(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns that have none."""
    return tuple(str(place) for place in range(1, len(cells) + 1))


def _delimiter_of(line: str) -> str:
    return max(DELIMITERS, key=lambda mark: len(split_line(line, mark)))


def first_rows(source: Source, columns: Columns) -> list[list[str]]:
    """Return the rows of the head below the header."""
    lines = source.head_lines[columns.line :]
    if len(source.head) == HEAD and len(lines) > 1:
        lines = lines[:-1]  # The head may have cut it short.
    lines = [line for line in lines if len(line) <= LONGEST_LINE]
    try:
        rows = list(csv.reader(lines, delimiter=columns.delimiter))
    except csv.Error:
        rows = [split_line(line, columns.delimiter) for line in lines]
    return [row for row in rows if any(map(str.strip, row))]


def _with_kind(profile: TableProfile, said: Mapping[str, str]) -> TableProfile:
    """Return a profile with what its rows are: samples when they have a time and nothing of a fixation."""
    columns = dict(profile.columns)
    telling = said if {"time", *_OF_FIXATIONS} & set(said) else columns
    if "time" in telling and not _OF_FIXATIONS & set(telling):
        return replace(profile, kind=SAMPLES)
    time = columns.pop("time", None)
    if time is not None:
        columns.setdefault("start", time)
    return replace(profile, columns=columns, kind=FIXATIONS)


def _time_unit(numbers: dict[str, DoubleArray], columns: Columns) -> str:
    """Return the unit in which durations, or times between samples, are of a usual length; empty for ms."""
    for role, (low, high) in _USUAL_MS.items():
        values = numbers.get(role)
        if values is None or role in columns.to_ms:
            continue
        steps = values if role == "duration" else np.diff(values)
        steps = steps[np.isfinite(steps) & (steps > 0)]
        if not len(steps):
            continue
        usual = float(np.median(steps))
        fits = [
            unit
            for unit, factor in (("ms", 1), ("us", 1e-3), ("s", 1e3), ("ns", 1e-6))
            if low <= usual * factor <= high
        ]
        return fits[0] if fits and fits[0] != "ms" else ""
    return ""


def _frame(numbers: dict[str, DoubleArray], profile: TableProfile) -> tuple[Frame, str]:
    """Return the coordinate frame that positions seem to be in, and a sentence about it."""
    of = _lies_on(profile)
    if "x" not in numbers or "y" not in numbers:
        return Frame(of=of), "No columns of positions were found: say which are x and y."
    x, y = (numbers.get(role, np.zeros(0)) for role in ("x", "y"))
    seen = np.isfinite(x) & np.isfinite(y) if len(x) == len(y) else np.zeros(0, bool)
    if not seen.any():
        return Frame(of=of), f"Positions are taken as px of the {of} from its top left corner."
    x, y = x[seen], y[seen]
    largest = float(np.percentile(np.abs(np.r_[x, y]), 90))
    below = min(float(np.mean(x < 0)), float(np.mean(y < 0)))
    if below >= _OFTEN:
        unit = "px" if largest > _SHARE_LIMIT else "share"
        frame = Frame(of=of, unit=unit, y_up=True, centred=True)
        return frame, f"Many positions are negative: they are taken as {frame.in_words()}."
    frame = Frame(of=of, unit="px" if largest > _SHARE_LIMIT else "share")
    return frame, f"Positions are taken as {frame.in_words()}."


def _lies_on(profile: TableProfile) -> str:
    """Return what positions seem to lie on, by the names of their columns, else by whether images are named."""
    names = " ".join(profile.columns.get(role, "").lower() for role in ("x", "y"))
    if any(word in names for word in ("screen", "display", "gaze", "fpog", "bpog")):
        return SCREEN
    return IMAGE if "image" in names or "image" in profile.columns else SCREEN
