"""gazeapp's own file of an atlas: JSON with everything in it, so that it comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import (
    BOTH,
    FSAVERAGE5,
    LEFT,
    N_HEMISPHERE,
    N_VERTICES,
    RIGHT,
    Atlas,
    Region,
)
from gazeapp.engine.neural.regions.files.numbered import cannot_read

FORMAT = "gazeapp-regions-1"
SUFFIX = ".regions.json"
_BOUNDS = {LEFT: (0, N_HEMISPHERE), RIGHT: (N_HEMISPHERE, N_VERTICES), BOTH: (0, N_VERTICES)}


def atlas_text(atlas: Atlas) -> str:
    """Return the content of a file of an atlas: one line for each region, vertices from 0 to 20,483."""
    head = {
        "format": FORMAT,
        "space": FSAVERAGE5,
        "name": atlas.name,
        "source": atlas.source,
        "limits": atlas.limits,
        "groups": {group: list(members) for group, members in atlas.groups.items()},
    }
    regions = ",\n".join(
        json.dumps(
            {"name": one.name, "hemisphere": one.hemisphere, "vertices": one.vertices.tolist()},
            ensure_ascii=False,
        )
        for one in atlas.regions
    )
    opening = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    return f'{opening},\n "regions": [\n{regions}\n ]\n}}\n'


def read_own(path: Path) -> Atlas:
    """Read a file that `atlas_text` made.

    Raises
    ------
    GazeError
        If the file is missing or damaged, or is none of gazeapp's.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise cannot_read(path, "file of regions", error) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("space") != FSAVERAGE5:
        raise GazeError(
            "This JSON file holds no regions of gazeapp.",
            where=path.name,
            todo="Choose a file that gazeapp export-regions wrote.",
        )
    try:
        regions = tuple(_region(one) for one in values["regions"])
        groups = {str(group): tuple(map(str, members)) for group, members in values["groups"].items()}
        return Atlas(
            str(values["name"]), regions, str(values["source"]), str(values["limits"]), groups=groups
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise cannot_read(path, "file of regions", error) from error


def _region(one: Any) -> Region:
    first, last = _BOUNDS[one["hemisphere"]]
    vertices = np.array(one["vertices"], dtype=np.int64)
    if vertices.ndim != 1 or not len(vertices) or vertices.min() < first or vertices.max() >= last:
        raise ValueError(f"vertices of {one['name']}")
    return Region(str(one["name"]), one["hemisphere"], np.unique(vertices))
