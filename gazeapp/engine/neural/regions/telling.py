"""Telling files of regions by their names alone."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.neural.regions.files.own import SUFFIX
from gazeapp.engine.neural.regions.files.place import key_of, suffix_of
from gazeapp.engine.neural.regions.known import known_atlas

_SURE = (".annot", ".label", ".label.gii", ".label.gii.gz")
_MAYBE = (".mgz", ".mgh", ".gii", ".gii.gz")


def is_atlas(path: Path) -> bool:
    """Return whether a file surely holds regions: its kind holds nothing else, or it is called as a known atlas is."""
    suffix = suffix_of(path)
    if suffix in _SURE or path.name.endswith(SUFFIX):
        return True
    known = known_atlas(key_of(path)) if suffix in _MAYBE else None
    return known is not None and bool(known.names)
