"""Fixation reports of SR Research's Data Viewer: one row a fixation, columns chosen by the user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gazeapp.engine.gaze.formats.base import Format, Guess, ReadOptions
from gazeapp.engine.gaze.formats.table import read_columns
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import SCREEN, Contents, Frame
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.table_columns import SYNONYMS, Columns, mapped_columns, table_lines
from gazeapp.engine.gaze.table_guess import first_rows
from gazeapp.engine.gaze.tables import DELIMITERS, LONGEST_LINE, plain, split_line

_MARK = "CURRENT_FIX_"
_NAMES: dict[str, tuple[str, ...]] = {
    "subject": ("RECORDING_SESSION_LABEL", "SESSION_LABEL", "DATA_FILE"),
    "trial": ("TRIAL_INDEX", "TRIAL_LABEL"),
    "x": ("CURRENT_FIX_X",),
    "y": ("CURRENT_FIX_Y",),
    "index": ("CURRENT_FIX_INDEX",),
    "start": ("CURRENT_FIX_START",),
    "end": ("CURRENT_FIX_END",),
    "duration": ("CURRENT_FIX_DURATION",),
    "eye": ("EYE_USED", "CURRENT_FIX_EYE"),
    "task": SYNONYMS["task"],
    "image": (
        *SYNONYMS["image"], "imagefile", "image_path", "pic", "pic_name", "picture_name", "picture_file",
        "picfile", "stimulus_file", "stim_file", "stimfile", "scene", "img_file", "imgfile", "bmp", "jpg",
    ),
}  # fmt: skip
# Data Viewer writes no thousands marks, so that a comma in a number is its decimal mark.
_PROFILE = TableProfile("Data Viewer fixation report", decimal=",", frame=Frame(of=SCREEN))
_IMAGE_FILE = re.compile(r".+\.(jpe?g|png|bmp|tiff?|gif|webp)", re.IGNORECASE)
_NO_VALUE = frozenset(("", ".", "UNDEFINED", "UNDEFINEDnull"))
"""What stands in the cell of a trial variable that has no value."""


def recognise(source: Source) -> Guess | None:
    """Tell a fixation report by its columns named CURRENT_FIX_..."""
    columns = _columns(source)
    if columns is None:
        return None
    first = next(name for name in columns.header if name.upper().startswith(_MARK))
    if columns.lacks(("x", "y")):
        return Guess(0.9, f"Data Viewer's column '{first}'")
    return Guess(0.95, f"Data Viewer's columns '{columns.name('x')}' and '{columns.name('y')}'")


def read(source: Source, options: ReadOptions) -> Contents:  # noqa: ARG001
    """Read a fixation report.

    Positions are px of the display from its top left corner; times count from the start of the trial.
    The image is a trial variable: a column with a usual name, else one whose cells are image files.

    Raises
    ------
    GazeError
        When the report lacks the positions, or as for any table.
    """
    columns = _columns(source)
    if columns is None:
        raise source.problem(
            "This is no fixation report of Data Viewer: it has no column named CURRENT_FIX_X.",
            "Choose another format, or make a fixation report (not one of trials, saccades or samples).",
        )
    if missing := columns.lacks(("x", "y")):
        raise source.problem(
            f"The fixation report has no column {' and no '.join(_NAMES[role][0] for role in missing)}.",
            "Add CURRENT_FIX_X and CURRENT_FIX_Y to the report's variables in Data Viewer, and make it again.",
            columns.line,
        )
    contents = read_columns(source, _PROFILE, _with_image(source, columns), needs_image=False)
    trials = tuple(
        replace(trial, image="") if trial.image in _NO_VALUE else trial for trial in contents.trials
    )
    return replace(contents, trials=trials)


FORMAT = Format(
    "data-viewer",
    "Data Viewer fixation report (SR Research)",
    (".xls", ".txt", ".tsv", ".csv"),
    recognise=recognise,
    read=read,
)


def _columns(source: Source) -> Columns | None:
    """Return the columns of the first line that names one of Data Viewer's."""
    if not source.is_text:
        return None
    for number, line in table_lines(source):
        if _MARK in line.upper() and len(line) <= LONGEST_LINE:
            found = max((_named(number, line, delimiter) for delimiter in DELIMITERS), key=_n_known)
            return found if any(name.upper().startswith(_MARK) for name in found.header) else None
    return None


def _n_known(columns: Columns) -> int:
    return len(columns.places)


def _named(number: int, line: str, delimiter: str) -> Columns:
    header = split_line(line, delimiter)
    known = {plain(name): name for name in reversed(header)}
    mapping = {}
    for role, names in _NAMES.items():
        there = [known[plain(name)] for name in names if plain(name) in known]
        if there:
            mapping[role] = there[0]
    return mapped_columns(number, header, delimiter, mapping)


def _with_image(source: Source, columns: Columns) -> Columns:
    """Return the columns with one for the image, found by its cells where no name tells."""
    if "image" in columns.places:
        return columns
    rows = first_rows(source, columns)
    for place, name in enumerate(columns.header):
        if not name.upper().startswith(_MARK) and _are_image_files(rows, place):
            note = f"Images are taken from the column '{name}', whose cells are names of image files."
            return replace(columns, places={**columns.places, "image": place}, notes=(*columns.notes, note))
    note = (
        "No column names images: trials are matched by order, or by a column mapping that says which it is."
    )
    return replace(columns, notes=(*columns.notes, note))


def _are_image_files(rows: Sequence[Sequence[str]], place: int) -> bool:
    cells = [row[place].strip() for row in rows if place < len(row)]
    named = [cell for cell in cells if cell not in _NO_VALUE]
    return bool(named) and all(map(_IMAGE_FILE.fullmatch, named))
