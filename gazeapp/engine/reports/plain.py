"""Settings and facts as a reader wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from gazeapp.engine.reports.numbers import listed, number

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that are no text; a model may write any. Tabulators and line breaks stay."""


def printable(text: str) -> str:
    """Return text with a replacement character in the place of each control character."""
    return _CONTROL.sub("\ufffd", text)


def without_folder(checkpoint: str) -> str:
    """Return what a checkpoint is called: a hub name as it is, of a path the last part; folders are the user's own."""
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(checkpoint)
        if path.is_absolute():
            return path.name
    return checkpoint


def whole(value: Any) -> int | None:
    """Return a whole number of facts; None for anything else, because runners may store what they like."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def spaced(numbers: Iterable[int]) -> str:
    """Return whole numbers in one cell, separated by spaces."""
    return " ".join(str(int(number)) for number in numbers)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield settings or facts as (name, text); a nested group of plain values is one row."""
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()):
            yield from flat(value, f"{name} · ")
        elif value not in (None, "", [], (), {}):
            yield name, plain(value)


def plain(value: Any) -> str:
    """Return a value of settings or facts as a reader wants it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return number(value, 0) if value.is_integer() else f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}".replace("_", " ") for key, item in value.items())
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(n, int | float) for n in value):
        return f"{plain(value[0])} × {plain(value[1])}"
    if isinstance(value, list | tuple):
        return listed([plain(item) for item in value])
    return str(value)
