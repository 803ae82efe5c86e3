"""Settings and facts as a reader wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gazeapp.engine.reports.numbers import listed, number


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
