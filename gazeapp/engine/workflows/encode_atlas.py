"""Under which name results of an atlas are stored, and the regions that belong to that name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import FSAVERAGE5, Region
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.regions import atlas_for, region_list

TABLE = "table"
"""Stands for an atlas where responses are those of a table's regions."""
JOINED, SEPARATE = "joined", "separate"
SEPARATE_SUFFIX = ", left and right"
"""Ends the name of an atlas whose hemispheres were taken apart."""


def atlas_key(atlas: str, hemispheres: str, space: str) -> str:
    """Return the name that results are stored under.

    Parameters
    ----------
    atlas
        Name of the atlas.
    hemispheres
        ``joined`` or ``separate``.
    space
        Space of the responses.
    """
    if space != FSAVERAGE5:
        return TABLE
    return atlas if hemispheres == JOINED else f"{atlas}{SEPARATE_SUFFIX}"


def regions_of(project: Project, key: str) -> list[tuple[Region, bool]]:
    """Return the regions and groups of a name that results are stored under; none for those of a table.

    Raises
    ------
    GazeError
        If the atlas is gone.
    """
    if key == TABLE:
        return []
    atlas = atlas_for(project, key.removesuffix(SEPARATE_SUFFIX))
    return region_list(atlas, SEPARATE if key.endswith(SEPARATE_SUFFIX) else JOINED)


def regions_hash(regions: Sequence[tuple[Region, bool]]) -> str:
    """Return a hash of regions, their vertices and which of them are groups."""
    digest = hashlib.sha256()
    for region, group in regions:
        digest.update(f"{region.id} {group}".encode() + region.vertices.tobytes())
    return digest.hexdigest()[:16]


def regions_state(project: Project, key: str) -> str:
    """Return a hash of the regions that a name stands for now; empty where the atlas is gone."""
    try:
        return regions_hash(regions_of(project, key))
    except GazeError:
        return ""
