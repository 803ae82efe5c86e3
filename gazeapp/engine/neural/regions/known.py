"""What is known of atlases by the names of their files: titles, limits, and what their numbers are called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from gazeapp.engine.resources import resource_path


@dataclass(frozen=True, slots=True)
class KnownAtlas:
    """An atlas whose files are met under a usual name.

    Parameters
    ----------
    pattern
        Regular expression that is found in the name of its files, whatever their case.
    title
        What it is, in words.
    names
        Number -> name, where its files hold numbers alone; empty where they bring their names.
    limits
        What a reader of numbers about it has to know.
    """

    pattern: str
    title: str
    names: dict[int, str]
    limits: str


def known_atlas(key: str) -> KnownAtlas | None:
    """Return what is known of the atlas in files of that name (without hemisphere and suffix); None if nothing is."""
    return next((known for known in _all() if re.search(known.pattern, key, re.IGNORECASE)), None)


@lru_cache(maxsize=1)
def _all() -> tuple[KnownAtlas, ...]:
    listed = json.loads(resource_path("neural", "names.json").read_text("utf-8"))["atlases"]
    return tuple(
        KnownAtlas(one["pattern"], one["title"], dict(enumerate(one["names"], 1)), one["limits"])
        for one in listed
    )
