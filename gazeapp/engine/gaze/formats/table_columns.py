"""Which column of a table is which: lenient names, units in headers, delimiters."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import DELIMITERS, plain

REQUIRED = ("image", "subject", "x", "y")
OPTIONAL = ("task", "fixation_index", "start_ms", "duration_ms", "trial")

SYNONYMS: dict[str, tuple[str, ...]] = {
    "image": (
        "image", "image_name", "imagename", "image_file", "image_id", "img", "picture", "photo",
        "stimulus", "stimulus_name", "stim", "filename", "file_name", "media_name",
    ),
    "subject": (
        "subject", "subject_id", "subject_name", "subj", "sub", "participant", "participant_id",
        "participant_name", "observer", "observer_id", "user", "viewer",
    ),
    "x": ("x", "fix_x", "fixation_x", "x_px", "pos_x", "x_image", "image_x"),
    "y": ("y", "fix_y", "fixation_y", "y_px", "pos_y", "y_image", "image_y"),
    "task": ("task", "task_name", "instruction"),
    "fixation_index": (
        "fixation_index", "fix_index", "index", "fixation", "fixation_number", "fixation_nr",
        "fixation_id", "fix_number",
    ),
    "start_ms": ("start", "start_time", "onset", "fix_start", "fixation_start", "t_start"),
    "duration_ms": ("duration", "dur", "fix_duration", "fixation_duration", "fixation_dur", "fix_dur"),
    "trial": ("trial", "trial_id", "trial_index", "trial_number", "trial_nr", "trial_label"),
}  # fmt: skip
"""Header names of each column, best first, as :func:`plain` writes them; times without their unit."""

_UNITS = {"ms": 1.0, "msec": 1.0, "s": 1000.0, "sec": 1000.0, "seconds": 1000.0, "us": 0.001, "ns": 1e-6}
_TIMES = ("start_ms", "duration_ms")
_LONGEST_HEADER = 65536


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a table are.

    Parameters
    ----------
    delimiter
        Character between cells.
    header
        Names as they stand in the file.
    places
        Column number of each column that was found, by gazeapp's name for it.
    to_ms
        Factor from the file's time unit to ms, for the time columns that were found.
    notes
        Choices that the user should know, as sentences.
    """

    delimiter: str
    header: tuple[str, ...]
    places: dict[str, int]
    to_ms: dict[str, float]
    notes: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Required columns that were not found."""
        return tuple(name for name in REQUIRED if name not in self.places)


def find_columns(line: str) -> Columns:
    """Return the columns of a header line, by the delimiter under which most of them are known."""
    # No header needs more; csv itself refuses cells above 128 Ki characters.
    short = line[:_LONGEST_HEADER]
    candidates = [_columns(short, delimiter) for delimiter in DELIMITERS]
    return max(candidates, key=lambda found: (len(found.places), len(found.header)))


def missing_columns(columns: Columns, source: Source) -> GazeError | None:
    """Return an error that names what is missing and what is there, when a needed column is not."""
    if not columns.missing:
        return None
    names = ", ".join(f"'{name[:40]}'" for name in columns.header[:20]) or "none"
    more = f" and {len(columns.header) - 20} more" if len(columns.header) > 20 else ""
    one = len(columns.missing) == 1
    return source.problem(
        f"The table has no {'column' if one else 'columns'} for {' and '.join(columns.missing)}.",
        f"Its columns are: {names}{more}. Name the columns image, subject, x and y "
        "(image px; optional: task, fixation_index, start_ms, duration_ms, trial).",
    )


def _columns(line: str, delimiter: str) -> Columns:
    header = tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), []))
    places: dict[str, int] = {}
    to_ms: dict[str, float] = {}
    notes = []
    names = [plain(cell) for cell in header]
    for column, synonyms in SYNONYMS.items():
        found = []
        for place, name in enumerate(names):
            base, factor = _without_unit(name) if column in _TIMES else (name, 1.0)
            bare = base.removesuffix("_px") if column in ("x", "y") else base
            if bare in synonyms and place not in places.values():
                found.append((synonyms.index(bare), place, factor))
        if not found:
            continue
        _, place, factor = min(found)
        places[column] = place
        if column in _TIMES:
            to_ms[column] = factor
        if len(found) > 1:
            notes.append(f"More than one column could be the {column}; '{header[place]}' is used.")
    return Columns(delimiter, header, places, to_ms, tuple(notes))


def _without_unit(name: str) -> tuple[str, float]:
    base, _, unit = name.rpartition("_")
    return (base, _UNITS[unit]) if base and unit in _UNITS else (name, 1.0)
