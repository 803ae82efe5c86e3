"""The atlas of regions that a user picked: one region put in, changed or taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, RIGHT, Atlas, Region
from gazeapp.engine.neural.regions.picking import regions_of_vertices

How = Literal["replace", "add", "subtract"]
"""What happens with the vertices that a region has: they go, others are added to them, or they lose others."""


LONGEST_NAME = 80
"""Characters of the longest name."""
_GROUP = "group:"


def checked_name(name: str) -> str:
    """Return the name of a region without blanks around it.

    Raises
    ------
    GazeError
        If it is empty, longer than 80 characters or of more than one line, or speaks of a hemisphere or a group.
    """
    name = name.strip()
    if not name:
        raise GazeError("The region needs a name.", todo="Name it, for example “my LOC”.")
    if len(name) > LONGEST_NAME:
        raise GazeError(
            f"The name of a region has at most {LONGEST_NAME} characters; this one has {len(name):,}.",
            todo="Give the region a shorter name.",
        )
    if not name.isprintable():
        raise GazeError(
            "The name of a region is one line, without tabs and characters that are not seen.",
            todo="Type the name anew.",
        )
    if name.casefold().split()[-1] in (LEFT, RIGHT):
        raise GazeError(
            f"The name of a region does not end in “{name.split()[-1]}”: the hemisphere follows from its vertices.",
            todo="Leave the hemisphere out of the name.",
        )
    if name.casefold().startswith(_GROUP):
        raise GazeError(
            f"The name of a region does not begin with “{_GROUP}”, which stands for groups of regions.",
            todo="Give the region another name.",
        )
    return name


def with_region(atlas: Atlas, name: str, vertices: ArrayLike, how: How = "replace") -> Atlas:
    """Return the atlas with a region of these vertices; one that is there keeps its place in the order.

    Raises
    ------
    GazeError
        If the name cannot be (:func:`checked_name`) or is that of a group, or the region would have no vertex or one
        that there is not.
    """
    name = checked_name(name)
    if name in atlas.groups:
        raise GazeError(
            f"“{name}” is a group of the atlas “{atlas.name}”.", todo="Give the region another name."
        )
    parts = [region.vertices for region in atlas.regions if region.name == name]
    before = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    picked = np.unique(np.asarray(vertices, dtype=np.int64))
    if how == "add":
        picked = np.union1d(before, picked)
    elif how == "subtract":
        picked = np.setdiff1d(before, picked)
    return _with_parts(atlas, name, regions_of_vertices(name, picked))


def without_region(atlas: Atlas, name: str) -> Atlas:
    """Return the atlas without a region, which leaves its groups as well; groups that are empty then go.

    Raises
    ------
    GazeError
        If there is none of that name.
    """
    if name not in (region.name for region in atlas.regions):
        raise GazeError(
            f"No region called “{name}” was picked.", todo=f"Choose one of those in the atlas “{atlas.name}”."
        )
    kept = {group: tuple(one for one in members if one != name) for group, members in atlas.groups.items()}
    groups = {group: members for group, members in kept.items() if members}
    return _with_parts(replace(atlas, groups=groups), name, ())


def renamed_region(atlas: Atlas, old: str, new: str) -> Atlas:
    """Return the atlas with another name for a region, in its groups as well.

    Raises
    ------
    GazeError
        If there is no such region, or the new name cannot be (:func:`checked_name`), or is that of another region or
        of a group.
    """
    names = {region.name for region in atlas.regions}
    if old not in names:
        raise GazeError(
            f"No region called “{old}” was picked.", todo=f"Choose one of those in the atlas “{atlas.name}”."
        )
    new = checked_name(new)
    if new != old and (new in names or new in atlas.groups):
        raise GazeError(
            f"The atlas “{atlas.name}” has a {'region' if new in names else 'group'} “{new}” already.",
            todo="Give the region another name.",
        )
    regions = tuple(replace(one, name=new) if one.name == old else one for one in atlas.regions)
    groups = {
        group: tuple(new if one == old else one for one in members) for group, members in atlas.groups.items()
    }
    return replace(atlas, regions=regions, groups=groups)


def _with_parts(atlas: Atlas, name: str, fresh: tuple[Region, ...]) -> Atlas:
    """Return the atlas with these parts for one name."""
    names = list(dict.fromkeys([*(region.name for region in atlas.regions), name]))
    kept = {one: tuple(region for region in atlas.regions if region.name == one) for one in names}
    kept[name] = fresh
    return replace(atlas, regions=tuple(region for parts in kept.values() for region in parts))
