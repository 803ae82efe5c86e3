"""Telling files of regions: by their names, and tables by what is in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import N_HEMISPHERE, N_VERTICES
from gazeapp.engine.neural.regions.files.own import SUFFIX
from gazeapp.engine.neural.regions.files.place import TABLES, key_of, suffix_of
from gazeapp.engine.neural.regions.files.table import read_table
from gazeapp.engine.neural.regions.known import known_atlas

_SURE = (".annot", ".label", ".label.gii", ".label.gii.gz")
_MAYBE = (".mgz", ".mgh", ".gii", ".gii.gz")
_LARGEST_TABLE = 4_000_000
"""Bytes; names of 100 letters for all vertices of fsaverage5 need half of it."""
_SMALLEST_REGION = 10
"""Vertices that regions have on average, at the least: times and measures hardly ever repeat."""


def is_atlas(path: Path) -> bool:
    """Return whether a file surely holds regions: its kind holds nothing else, or it is called as a known atlas is."""
    suffix = suffix_of(path)
    if suffix in _SURE or path.name.endswith(SUFFIX):
        return True
    known = known_atlas(key_of(path)) if suffix in _MAYBE else None
    return known is not None and bool(known.names)


def is_region_table(path: Path) -> bool:
    """Return whether a table surely has one label for each vertex of fsaverage5, or of one hemisphere of it.

    A label is a name or a whole number, and stands there many times. Tables of the finer surfaces are not looked for.
    """
    try:
        if suffix_of(path) not in TABLES or not N_HEMISPHERE <= path.stat().st_size <= _LARGEST_TABLE:
            return False
        values = read_table(path).values
    except (GazeError, OSError):
        return False
    labels = np.unique(values[values >= 0])
    return len(values) in (N_HEMISPHERE, N_VERTICES) and 1 <= len(labels) <= len(values) // _SMALLEST_REGION
