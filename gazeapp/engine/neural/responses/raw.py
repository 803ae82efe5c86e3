"""What a reader hands over: which rows a file holds, and a way to read them one by one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import DoubleArray, Json

NAMES_IN_A_SENTENCE = 3
_STEERING = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's categories of tabs, line breaks and other signs that steer where text is shown."""


class Entry(NamedTuple):
    """Whose response to which image a row is; rows of the same subject and image are repeats."""

    subject: str
    image: str


Row: TypeAlias = tuple[int, DoubleArray | GazeError]
"""Number of an entry, and its values, shape (width,); or why they cannot be read."""


@dataclass(frozen=True)
class RawResponses:
    """Responses as they lie in a file, or in several.

    Parameters
    ----------
    form
        What the file is, in words.
    where
        The file or folder.
    entries
        What each row is of.
    width
        Numbers in a row.
    rows
        Yields the rows whose numbers are asked for, in the order in which reading is fastest.
    targets
        Names of the regions; empty for vertices.
    hemisphere
        The one hemisphere that the rows are of; empty for both.
    ceilings
        Ceilings that the file brings, in units of r, shape (width,), by subject; under an empty name those of all.
    meta
        What the file says about itself.
    facts
        What was decided while reading, JSON-able.
    cautions
        What the user should know.
    """

    form: str
    where: str
    entries: tuple[Entry, ...]
    width: int
    rows: Callable[[Collection[int]], Iterator[Row]]
    targets: tuple[str, ...] = ()
    hemisphere: str = ""
    ceilings: Mapping[str, DoubleArray] = field(default_factory=dict)
    meta: Json = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
    cautions: tuple[GazeError, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects, in order of appearance."""
        return tuple(dict.fromkeys(entry.subject for entry in self.entries))

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images, each once, in order of appearance."""
        return tuple(dict.fromkeys(entry.image for entry in self.entries))


def not_on_one_line(names: Collection[str]) -> list[str]:
    """Return the names with line breaks, tabs or other signs that steer where text is shown, these as blanks."""
    unfit = [name for name in names if any(unicodedata.category(sign) in _STEERING for sign in name)]
    return [
        "".join(" " if unicodedata.category(sign) in _STEERING else sign for sign in name) for name in unfit
    ]


def some(names: Collection[str]) -> str:
    """Return the first few names as part of a sentence."""
    listed = list(names)
    more = len(listed) - NAMES_IN_A_SENTENCE
    quoted = ", ".join(f"“{name}”" for name in listed[:NAMES_IN_A_SENTENCE])
    return f"{quoted} and {more:,} more" if more > 0 else quoted


def count(n: int, one: str, several: str) -> str:
    """Return a count with its words, such as ``1 image has`` or ``3 images have``."""
    return f"{n:,} {one if n == 1 else several}"
