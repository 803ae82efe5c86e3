"""Which column of a table is which: lenient names, units in headers, delimiters, the header's line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import DELIMITERS, LONGEST_LINE, plain, split_line

REQUIRED = ("image", "subject", "x", "y")
"""What a table of fixations needs when nobody says which column is which."""

COMMENT = "#"
HEADER_LINES = 100
"""Lines at the top of a file among which the header is looked for."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "image": (
        "image", "image_name", "imagename", "image_file", "image_id", "img", "picture", "photo",
        "stimulus", "stimulus_name", "stim", "filename", "file_name", "media_name",
    ),
    "subject": (
        "subject", "subject_id", "subject_name", "subj", "sub", "participant", "participant_id",
        "participant_name", "observer", "observer_id", "user", "viewer",
    ),
    "x": ("x", "fix_x", "fixation_x", "pos_x", "x_image", "image_x"),
    "y": ("y", "fix_y", "fixation_y", "pos_y", "y_image", "image_y"),
    "task": ("task", "task_name", "instruction"),
    "trial": ("trial", "trial_id", "trial_index", "trial_number", "trial_nr", "trial_label"),
    "index": (
        "fixation_index", "fix_index", "index", "fixation", "fixation_number", "fixation_nr",
        "fixation_id", "fix_number",
    ),
    "start": ("start", "start_time", "onset", "fix_start", "fixation_start", "t_start"),
    "end": ("end", "end_time", "offset", "fix_end", "fixation_end", "t_end"),
    "duration": ("duration", "dur", "fix_duration", "fixation_duration", "fixation_dur", "fix_dur"),
    "eye": ("eye", "eye_used", "which_eye", "eye_recorded"),
    "valid": ("valid", "is_valid", "fixation_valid", "fix_valid"),
}  # fmt: skip
"""Header names of each column, best first, as ``plain`` writes them; times without their unit."""

LIKELY: dict[str, tuple[str, ...]] = {
    "image": ("file", "scene", "image_path", "stimulus_file", "media_id", "trial_image"),
    "subject": ("ppt", "pp", "vp", "proband", "recording", "recording_name", "session_label"),
    "x": (
        "gaze_x", "x_gaze", "eye_x", "x_eye", "screen_x", "x_screen", "position_x", "x_position", "x_pos", "xpos",
        "x_coord", "x_coordinate", "mean_x", "x_mean", "avg_x", "x_avg", "average_x", "fpogx", "bpogx",
        "norm_pos_x", "fixation_point_x", "gaze_point_x", "current_fix_x", "axp", "gx", "px",
    ),
    "y": (
        "gaze_y", "y_gaze", "eye_y", "y_eye", "screen_y", "y_screen", "position_y", "y_position", "y_pos", "ypos",
        "y_coord", "y_coordinate", "mean_y", "y_mean", "avg_y", "y_avg", "average_y", "fpogy", "bpogy",
        "norm_pos_y", "fixation_point_y", "gaze_point_y", "current_fix_y", "ayp", "gy", "py",
    ),
    "task": ("block", "block_name"),
    "index": ("fix", "fixid", "fix_id", "fpogid", "current_fix_index", "nr", "number"),
    "start": ("start_timestamp", "fpogs", "current_fix_start", "begin", "onset_time", "stime"),
    "end": ("end_timestamp", "current_fix_end", "offset_time", "etime"),
    "duration": ("fpogd", "current_fix_duration", "length", "gaze_event_duration"),
    "valid": ("fpogv", "validity", "confidence"),
    "time": (
        "time", "timestamp", "t", "time_stamp", "sample_time", "system_time_stamp", "device_time_stamp",
        "recording_timestamp", "eye_time", "gaze_time",
    ),
}  # fmt: skip
"""Further names, for a guess that the user sees and corrects."""

ROLES = (*SYNONYMS, "time")
"""What a column can be."""

TIMES = ("start", "end", "duration", "time")
UNITS = {
    "ms": 1.0, "msec": 1.0, "milliseconds": 1.0, "s": 1000.0, "sec": 1000.0, "seconds": 1000.0,
    "us": 0.001, "usec": 0.001, "microseconds": 0.001, "ns": 1e-6, "nanoseconds": 1e-6,
}  # fmt: skip
"""Milliseconds in a unit of time."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a table are.

    Parameters
    ----------
    line
        Number of the line of the header, from 1; 0 when there is none. Rows stand below it.
    delimiter
        Character between cells.
    header
        Names as they stand in the file.
    places
        Column number by what the column is, a word of :data:`ROLES`.
    to_ms
        Factor from the file's time unit to ms, for the time columns whose header has a unit.
    notes
        Choices that the user should know, as sentences.
    """

    line: int
    delimiter: str
    header: tuple[str, ...]
    places: dict[str, int]
    to_ms: dict[str, float]
    notes: tuple[str, ...] = ()

    def lacks(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Return which of some roles no column has."""
        return tuple(role for role in roles if role not in self.places)

    def name(self, role: str) -> str:
        """Return the header name of the column that has a role."""
        return self.header[self.places[role]]


def table_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the first lines of a file with their numbers, without blank lines and comments."""
    for number, line in enumerate(source.head_lines[:HEADER_LINES], start=1):
        if line.strip() and not line.startswith(COMMENT):
            yield number, line


def known_columns(source: Source) -> Columns | None:
    """Return the columns of the first line that names all of :data:`REQUIRED`, else of the first line.

    None when the file has no line.
    """
    first: Columns | None = None
    for number, line in table_lines(source):
        found = find_columns(number, line, SYNONYMS)
        if not found.lacks(REQUIRED):
            return found
        first = first or found
    return first


def find_columns(number: int, line: str, names: Mapping[str, Sequence[str]]) -> Columns:
    """Return the columns of a header line, by the delimiter under which most of them are known."""
    if len(line) > LONGEST_LINE:
        return Columns(number, DELIMITERS[0], (line[:80].strip(),), {}, {})
    there = [delimiter for delimiter in DELIMITERS if delimiter in line] or DELIMITERS[:1]
    candidates = [recognised(number, split_line(line, mark), mark, names) for mark in there]
    return max(candidates, key=lambda found: (len(found.places), len(found.header)))


def mapped_columns(number: int, header: Sequence[str], delimiter: str, mapping: Mapping[str, str]) -> Columns:
    """Return the columns of a header by a mapping from roles to header names, compared leniently."""
    exact = {name: place for place, name in reversed(list(enumerate(header)))}
    lenient = {plain(name): place for place, name in reversed(list(enumerate(header)))}
    places = {}
    for role, name in mapping.items():
        place = exact.get(name.strip(), lenient.get(plain(name)) if plain(name) else None)
        if place is not None:
            places[role] = place
    return Columns(number, delimiter, tuple(header), places, _factors(header, places))


def missing_columns(columns: Columns, source: Source) -> GazeError | None:
    """Return an error that names what is missing and what is there; None when nothing needed is missing."""
    missing = columns.lacks(REQUIRED)
    if not missing:
        return None
    return source.problem(
        f"The table has no {'column' if len(missing) == 1 else 'columns'} for {' and '.join(missing)}.",
        f"Its columns are: {in_words(columns.header)}. Say which is which in the import window or with "
        "--column, or name the columns image, subject, x and y (image px; optional: "
        "task, fixation_index, start_ms, end_ms, duration_ms, trial, eye, valid).",
        columns.line,
    )


def in_words(header: Sequence[str]) -> str:
    """Return the names of columns for a sentence."""
    names = ", ".join(f"'{name[:40]}'" for name in header[:20]) or "none"
    return f"{names} and {len(header) - 20} more" if len(header) > 20 else names


def recognised(
    number: int, header: Sequence[str], delimiter: str, known: Mapping[str, Sequence[str]]
) -> Columns:
    """Return the columns of a header by the names that each role is known by, best first."""
    places: dict[str, int] = {}
    notes = []
    names = [plain(cell) for cell in header]
    for role, synonyms in known.items():
        found = []
        for place, name in enumerate(names):
            bare = _bare(name, role)
            if bare in synonyms and place not in places.values():
                found.append((synonyms.index(bare), place))
        if not found:
            continue
        _, places[role] = min(found)
        if len(found) > 1:
            notes.append(f"More than one column could be the {role}; '{header[places[role]]}' is used.")
    return Columns(number, delimiter, tuple(header), places, _factors(header, places), tuple(notes))


def _bare(name: str, role: str) -> str:
    """Return a plain header name without the unit of what it should be."""
    if role in TIMES:
        return _without_unit(name)[0]
    # Signs such as [DACS px] and [MCS px] name the frame, too.
    return re.sub(r"(_(dacs|mcs))?_px$", "", name) if role in ("x", "y") else name


def _factors(header: Sequence[str], places: Mapping[str, int]) -> dict[str, float]:
    found = {role: _without_unit(plain(header[place]))[1] for role, place in places.items() if role in TIMES}
    return {role: factor for role, factor in found.items() if factor is not None}


def _without_unit(name: str) -> tuple[str, float | None]:
    base, _, unit = name.rpartition("_")
    return (base, UNITS[unit]) if base and unit in UNITS else (name, None)
