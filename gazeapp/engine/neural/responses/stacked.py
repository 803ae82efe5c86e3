"""Responses that lie in one array: which rows it has, and reading them without taking all of it into memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.arrays import StoredArray
from gazeapp.engine.neural.responses.axes import IMAGE, ORDER, SUBJECT, TARGET
from gazeapp.engine.neural.responses.options import REPEATS, TIME
from gazeapp.engine.neural.responses.raw import Entry, Row
from gazeapp.engine.neural.responses.window import Course
from gazeapp.engine.types import DoubleArray, Json

_SEVERAL = {SUBJECT: "subjects", IMAGE: "images", TARGET: "targets"}


@dataclass(frozen=True)
class Stack:
    """An array of responses whose axes are known.

    Parameters
    ----------
    array
        As stored.
    axes
        What its axes are.
    course
        How its time axis, if any, becomes one row.
    """

    array: StoredArray
    axes: tuple[str, ...]
    course: Course

    def __post_init__(self) -> None:
        self.array.check_numbers()

    @property
    def facts(self) -> Json:
        """What is stored about how it was read."""
        return self.course.facts(self.length(TIME)) if TIME in self.axes else {}

    @property
    def cautions(self) -> tuple[GazeError, ...]:
        """What the user should know about how it was read."""
        where = str(self.array.path)
        found = self.course.cautions(where) if TIME in self.axes else []
        if self._is_turned:
            axes = " x ".join(_SEVERAL.get(axis, axis) for axis in self.axes)
            what = f"The array of the shape {self.array.shape} was read as {axes}: only so does it fit its names."
            found.insert(0, GazeError(what, where=where))
        return tuple(found)

    def length(self, axis: str) -> int:
        """Return the length of an axis; 1 where there is none."""
        return self.array.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return self.length(TARGET)

    def entries(self, name: Callable[[int, int], Entry]) -> tuple[Entry, ...]:
        """Return what each row is of, asking ``name`` with the numbers of subject and image."""
        return tuple(
            name(s, k)
            for s in range(self.length(SUBJECT))
            for k in range(self.length(IMAGE))
            for _ in range(self.length(REPEATS))
        )

    def rows(self, wanted: Collection[int]) -> Iterator[Row]:
        """Yield rows in order, one at a time."""
        lead = sum(axis in (SUBJECT, IMAGE, REPEATS) for axis in self.axes)
        for number, block in self._blocks(lead, wanted):
            yield number, self._row(block)

    def _blocks(self, lead: int, wanted: Collection[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        if not self._is_turned:
            yield from self.array.blocks(lead, wanted)
            return
        turned = self.array.whole().transpose([self.axes.index(axis) for axis in self._ordered])
        for number in sorted(wanted):
            yield number, turned[np.unravel_index(number, turned.shape[:lead])]

    def _row(self, block: NDArray[Any]) -> DoubleArray:
        return (
            self.course.mean(block, str(self.array.path))
            if TIME in self.axes
            else np.asarray(block, dtype=np.float64)
        )

    @property
    def _is_turned(self) -> bool:
        return self.axes != self._ordered

    @property
    def _ordered(self) -> tuple[str, ...]:
        return tuple(axis for axis in ORDER if axis in self.axes)
