"""Checks of two hemispheres against each other: mixed up, or one copied over the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT
from gazeapp.engine.neural.regions.built_in import DESIKAN, built_in_atlas
from gazeapp.engine.neural.regions.files.numbered import Labels
from gazeapp.engine.neural.regions.names import region_name
from gazeapp.engine.neural.surface.mesh import FLAT, load_mesh
from gazeapp.engine.types import BoolArray, IntArray

_WHOLE = 0.8
"""Share of a hemisphere's vertices that regions take where they are meant to take all of the cortex."""
_MOST = 0.5
_FEW = 3
"""Regions that have to be named as of the other hemisphere: one may be where it feels the right hand."""
_PRIMARY = frozenset(
    {"V1", "V1v", "V1d", "hOc1", "pericalcarine", "S_calcarine", "V1_exvivo", "V1_exvivo.thresh"}
)
"""Names of primary visual cortex, whole or in parts."""
_AROUND = ("pericalcarine", "lingual", "cuneus")
"""Gyri that hold two thirds or more of it in the atlases of Wang, Benson, Glasser and Rosenke."""
_CLEARLY = 0.4
_HARDLY = 0.1
OTHER = {LEFT: RIGHT, RIGHT: LEFT}


def check_sides(several: Sequence[Labels]) -> None:
    """Refuse regions whose names, gap at the medial wall, or primary visual cortex are of the other hemisphere.

    Raises
    ------
    GazeError
        It names the file.
    """
    for labels in several:
        sides = [region_name(name).hemisphere for name in labels.regions]
        n_other = sides.count(OTHER[labels.hemisphere])
        if n_other >= _FEW and n_other > len(sides) * _MOST:
            raise _mixed_up(labels, "its regions are named as those of the other")
        if _fits_other_wall(labels):
            raise _mixed_up(labels, "it leaves the medial wall of the other free")
        if _sees_on_other_side(labels):
            raise _mixed_up(labels, "its primary visual cortex is that of the other")


def check_copy(left: Labels, right: Labels) -> None:
    """Refuse two hemispheres that hold the same: one was copied over the other.

    Raises
    ------
    GazeError
        It names both files.
    """
    same = left.regions.keys() == right.regions.keys() and all(
        np.array_equal(vertices, right.regions[name]) for name, vertices in left.regions.items()
    )
    if same and left.regions:
        raise GazeError(
            "Both hemispheres have the same vertices in all regions; the two surfaces do not correspond by number, so "
            "that one of them must be a copy.",
            where=" and ".join(dict.fromkeys((left.path.name, right.path.name))),
            todo="Copy the file of the other hemisphere again from where it came.",
        )


def _fits_other_wall(labels: Labels) -> bool:
    """Return whether what is in no region lies on the other hemisphere's medial wall, and not on its own."""
    free = np.ones(N_HEMISPHERE, dtype=np.bool_)
    for vertices in labels.regions.values():
        free[vertices] = False
    n_free = int(free.sum())
    if not n_free or n_free > N_HEMISPHERE * (1 - _WHOLE):
        return False
    own, other = (int((free & _wall(side)).sum()) for side in (labels.hemisphere, OTHER[labels.hemisphere]))
    return other > n_free * _MOST and own < other / 2


def _sees_on_other_side(labels: Labels) -> bool:
    """Return whether primary visual cortex, if it is among the regions, lies where the other hemisphere has it."""
    parts = [vertices for name, vertices in labels.regions.items() if region_name(name).text in _PRIMARY]
    if not parts:
        return False
    vertices = np.concatenate(parts)
    own, other = (
        float(np.isin(vertices, _early(side)).mean())
        for side in (labels.hemisphere, OTHER[labels.hemisphere])
    )
    return other > _CLEARLY and own < _HARDLY


def _early(hemisphere: str) -> IntArray:
    """Return the vertices around the calcarine sulcus, from 0 to 10,241."""
    atlas = built_in_atlas(DESIKAN)
    regions = [one for one in atlas.regions if one.name in _AROUND and one.hemisphere == hemisphere]
    return np.concatenate([region.vertices for region in regions]) % N_HEMISPHERE


def _wall(hemisphere: str) -> BoolArray:
    """Return which vertices the flat surface leaves out: the medial wall, and those along its cuts."""
    return ~load_mesh(FLAT, hemisphere).used


def _mixed_up(labels: Labels, why: str) -> GazeError:
    return GazeError(
        f"The regions are given as those of the {labels.hemisphere} hemisphere, but {why}.",
        where=labels.path.name,
        todo="Left and right are probably mixed up: exchange the two files, or their names.",
    )
