"""What is wrong with values: missing, infinite, or the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import FSAVERAGE5, REGION_TABLE, Responses
from gazeapp.engine.neural.responses.raw import count, some
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_ENOUGH = 3
"""Targets from which on equal values in a row say that something is wrong."""
_HAVE = {FSAVERAGE5: ("vertex has", "vertices have"), REGION_TABLE: ("region has", "regions have")}


class ValueCheck:
    """Looks at rows as they are read.

    Parameters
    ----------
    n_targets
        Values in a row.
    """

    def __init__(self, n_targets: int) -> None:
        self.n_rows = 0
        self.infinite: list[str] = []
        self.empty: list[str] = []
        self.constant: list[str] = []
        self.n_missing: IntArray = np.zeros(n_targets, np.int64)
        """Rows in which each target has no value, of those that are used."""

    def add(self, image: str, row: DoubleArray) -> bool:
        """Take one row, and return whether it can be used."""
        missing = np.isnan(row)
        with np.errstate(over="ignore"):
            infinite = np.isinf(row.astype(np.float32)).any()
        if infinite:
            self.infinite.append(image)
            return False
        if missing.all():
            self.empty.append(image)
            return False
        known = row[~missing]
        if known.size >= _ENOUGH and known.min() == known.max():
            self.constant.append(image)
        self.n_missing += missing
        self.n_rows += 1
        return True

    @property
    def never_known(self) -> int:
        """Targets that have no value in any row."""
        return int((self.n_missing == self.n_rows).sum()) if self.n_rows else 0

    @property
    def sometimes_missing(self) -> int:
        """Values that are missing where other rows have them."""
        return int(self.n_missing[self.n_missing < self.n_rows].sum())


def constant_targets(responses: Responses) -> int:
    """Return how many targets have the same value in all images of a subject, of any subject."""
    if len(responses.images) < 2:
        return 0
    same: BoolArray = np.zeros(responses.n_targets, dtype=bool)
    for values in responses.values:
        lowest, highest = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
        same |= lowest == highest
    return int(same.sum())


def told_of_values(check: ValueCheck, space: str, where: str) -> Iterator[GazeError]:
    """Yield what the user should know of the values of rows."""
    if check.infinite:
        yield GazeError(
            f"{count(len(check.infinite), 'response has', 'responses have')} infinite values and "
            f"{'was' if len(check.infinite) == 1 else 'were'} left out: {some(check.infinite)}.",
            where=where,
            todo="Look for divisions by zero where they were made.",
        )
    if check.empty:
        yield GazeError(
            f"{count(len(check.empty), 'response has', 'responses have')} no value at all and "
            f"{'was' if len(check.empty) == 1 else 'were'} left out: {some(check.empty)}.",
            where=where,
            todo="Leave such images out of the file, or export them again.",
        )
    if check.constant:
        yield GazeError(
            f"{count(len(check.constant), 'response has', 'responses have')} the same value everywhere: "
            f"{some(check.constant)}.",
            where=where,
            todo="Check whether these images were measured; take them out if they were not.",
        )
    if check.never_known:
        yield GazeError(
            f"{count(check.never_known, *_HAVE[space])} no value in any image, and "
            f"{'stays' if check.never_known == 1 else 'stay'} empty.",
            where=where,
        )
    if check.sometimes_missing:
        yield GazeError(
            f"{count(check.sometimes_missing, 'value is', 'values are')} missing where other images have one.",
            where=where,
            todo="A region or vertex is analysed over the images that have a value.",
        )


def told_of_responses(responses: Responses, where: str) -> Iterator[GazeError]:
    """Yield what the user should know of targets that do not vary, and of ceilings."""
    if n_constant := constant_targets(responses):
        yield GazeError(
            f"{count(n_constant, *_HAVE[responses.space])} the same value in all images, so that nothing can predict "
            "it.",
            where=where,
        )
    ceilings = np.zeros(1) if responses.ceilings is None else np.nan_to_num(responses.ceilings)
    if n_odd := int(((ceilings < 0) | (ceilings > 1)).sum()):
        yield GazeError(
            f"{count(n_odd, 'noise ceiling is', 'noise ceilings are')} not between 0 and 1, and kept as "
            f"{'it is' if n_odd == 1 else 'they are'}.",
            where=where,
            todo="Ceilings are read in units of r; take the square root of shares of variance.",
        )
