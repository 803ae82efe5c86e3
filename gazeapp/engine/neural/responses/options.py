"""What a user says about a file of responses that the file does not say itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError

PLATEAU_S = 4.0
"""Where the default window of a clip begins, s: a model that looks back 4 s sees only the still from there on."""
DEFAULT_TR = 1.0
"""Seconds between the rows of a time course where nobody says more."""

TIME, REPEATS = "time", "repeats"


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a time course are averaged.

    Parameters
    ----------
    first, last
        Begin and end: seconds from the onset of the image (a row counts when it begins in ``[first, last)``), or
        numbers of rows from 1, both counted. None leaves that end open.
    in_rows
        Whether they are numbers of rows.
    """

    first: float | None = None
    last: float | None = None
    in_rows: bool = False

    def words(self, tr: float) -> str:
        """Return the window as part of a sentence."""
        if self.in_rows:
            begin = "the first row" if self.first is None else f"row {self.first:g}"
            return f"{begin} to {'the last' if self.last is None else f'row {self.last:g}'}"
        begin = f"{0.0 if self.first is None else self.first:g} s"
        return f"{begin} to {'the end' if self.last is None else f'{self.last:g} s'}, one row every {tr:g} s"


PLATEAU = Window(PLATEAU_S)


@dataclass(frozen=True)
class ResponseOptions:
    """What a user says about a file of responses.

    Parameters
    ----------
    simulated
        Whether a model made them; None leaves it to the file.
    images_list
        File that lists the image of each row; empty looks for one beside the responses.
    window
        Which rows of each image's time course are averaged; None takes the rows from 4 s on.
    tr
        Seconds between the rows of a time course; None takes what the file says, else 1 s.
    subject
        Name of the person where the file names none; where it names several, the only one to read.
    hemisphere
        ``left`` or ``right``: one hemisphere alone is read, and the other has no values. Empty refuses that.
    middle
        What the axis between images and targets is: ``time`` or ``repeats``. Empty leaves it to the file, else time.
    """

    simulated: bool | None = None
    images_list: str = ""
    window: Window | None = None
    tr: float | None = None
    subject: str = ""
    hemisphere: str = ""
    middle: str = ""

    def __post_init__(self) -> None:
        if self.tr is not None and not (math.isfinite(self.tr) and self.tr > 0):
            raise GazeError(
                "The time between two rows is more than 0 seconds.",
                todo="Give the repetition time in seconds.",
            )
        if self.window is not None:
            _check_window(self.window)


def parse_window(text: str, in_rows: bool = False) -> Window:
    """Return a window that is written as ``FROM:TO``; either end may be empty.

    Raises
    ------
    GazeError
        If it is written in another way.
    """
    first, colon, last = text.partition(":")
    try:
        ends = [float(end) if end.strip() else None for end in (first, last)]
    except ValueError:
        ends, colon = [None, None], ""
    if not colon:
        raise GazeError(
            f"“{text}” is no window of time.",
            todo="Write where it begins and ends, for example 4:10; an end that is left empty is open.",
        )
    window = Window(ends[0], ends[1], in_rows)
    _check_window(window)
    return window


def _check_window(window: Window) -> None:
    first, last = window.first, window.last
    ends = [end for end in (first, last) if end is not None]
    if not all(math.isfinite(end) for end in ends):
        raise GazeError("The ends of a window are numbers.", todo="Write for example 4:10.")
    if window.in_rows and not all(end == int(end) and end >= 1 for end in ends):
        raise GazeError("Rows are counted from 1 in whole numbers.", todo="Write for example 5:10.")
    empty = first is not None and last is not None and (last < first if window.in_rows else last <= first)
    if empty:
        raise GazeError("The window ends before it begins.", todo="Write for example 4:10.")
