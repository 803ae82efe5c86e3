"""Time courses: from the rows after an image's onset to one response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.options import DEFAULT_TR, PLATEAU, ResponseOptions, Window
from gazeapp.engine.types import DoubleArray, Json

WINDOW, TIME_ROWS = "window", "time_rows"
"""What facts of responses call the window that was averaged, and the rows of a time course."""

_ROUNDING = 1e-9
"""Shares of a row by which its begin may miss the end of a window: 3 x 0.8 s is not 2.4 s in binary numbers."""


@dataclass(frozen=True)
class Course:
    """How time courses become responses.

    Parameters
    ----------
    window
        Which rows count.
    tr
        Seconds between rows.
    is_told
        Whether the window was chosen by somebody.
    tr_is_told
        Whether the user or the file says how far rows are apart.
    """

    window: Window
    tr: float
    is_told: bool
    tr_is_told: bool

    def rows(self, n_rows: int, where: str) -> slice:
        """Return the rows that are averaged, of so many in a file.

        Raises
        ------
        GazeError
            If there are none.
        """
        first, last = self.window.first, self.window.last
        if self.window.in_rows:
            low, high = int(first or 1) - 1, n_rows if last is None else int(last)
        else:
            low = 0 if first is None else max(0, int(np.ceil(first / self.tr - _ROUNDING)))
            high = n_rows if last is None else int(np.ceil(last / self.tr - _ROUNDING))
        if low >= min(high, n_rows):
            raise GazeError(
                f"The time course has {n_rows} row{'' if n_rows == 1 else 's'}, none of them in the window from "
                f"{self.window.words(self.tr)}.",
                where=where,
                todo="Choose another window (--window or --rows), or say how far rows are apart (--tr).",
            )
        return slice(low, min(high, n_rows))

    def mean(self, rows: NDArray[np.generic], where: str) -> DoubleArray:
        """Return the mean of the rows in the window, shape (n_targets,).

        Parameters
        ----------
        rows
            Shape (n_rows, n_targets).
        where
            Their file.

        Raises
        ------
        GazeError
            If no row is in the window.
        """
        mean: DoubleArray = rows[self.rows(len(rows), where)].mean(axis=0, dtype=np.float64)
        return mean

    def facts(self, n_rows: int) -> Json:
        """Return what is stored about it, and how many rows a time course has."""
        return {WINDOW: self.window.words(self.tr), "tr_s": self.tr, TIME_ROWS: n_rows}

    def cautions(self, where: str) -> list[GazeError]:
        """Return what the user should know of what was taken for granted."""
        if self.is_told and (self.tr_is_told or self.window.in_rows):
            return []
        taken = []
        if not self.is_told:
            taken.append(f"the rows from {self.window.words(self.tr)} are averaged")
        if not self.tr_is_told and not self.window.in_rows:
            taken.append(f"rows are taken to be {self.tr:g} s apart")
        return [
            GazeError(
                f"The responses are time courses: {' and '.join(taken)}. Nothing is shifted for the haemodynamic lag.",
                where=where,
                todo="Choose the window (--window, --rows) and the repetition time (--tr) if they differ.",
            )
        ]


def course_of(options: ResponseOptions, meta: Json) -> Course:
    """Return how time courses are averaged: as the user says, else as the file does, else the plateau after 4 s."""
    told = options.tr if options.tr is not None else _positive(meta.get("tr"))
    window = options.window or PLATEAU
    return Course(
        window, told if told is not None else DEFAULT_TR, options.window is not None, told is not None
    )


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        return None
    return float(value)
