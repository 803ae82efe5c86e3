"""Groups of regions: presets for atlases that are known by their regions, and checks of groups that a user makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import Atlas
from gazeapp.engine.resources import resource_path

UNVERIFIED = "The groups are unverified."


@dataclass(frozen=True, slots=True)
class Preset:
    """Groups for one atlas.

    Parameters
    ----------
    atlas
        What they are for, in words.
    marks
        Names of regions that tell the atlas.
    checked
        Whether the groups were checked against a publication.
    note
        What they follow, as a sentence.
    groups
        Name of a group -> names of its regions.
    """

    atlas: str
    marks: frozenset[str]
    checked: bool
    note: str
    groups: dict[str, tuple[str, ...]]

    @property
    def says(self) -> str:
        """What a reader of numbers about the groups has to know."""
        return self.note if self.checked else f"{self.note} {UNVERIFIED}"


def preset_for(regions: Iterable[str]) -> Preset | None:
    """Return the preset for an atlas with regions of these names, without regions that it lacks; None if none fits."""
    names = set(regions)
    fitting = [preset for preset in _all() if preset.marks <= names]
    if not fitting:
        return None
    best = max(fitting, key=lambda preset: len(names & _members(preset)))
    groups = {
        group: tuple(name for name in members if name in names) for group, members in best.groups.items()
    }
    return Preset(best.atlas, best.marks, best.checked, best.note, {g: m for g, m in groups.items() if m})


def checked_groups(atlas: Atlas, groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return groups as they are stored: named, each with regions of the atlas, each region once.

    Raises
    ------
    GazeError
        If a group has no name, no regions, the name of a region, or a region that the atlas has not.
    """
    names = {region.name for region in atlas.regions}
    checked: dict[str, tuple[str, ...]] = {}
    for group, members in groups.items():
        name = group.strip()
        if not name:
            raise GazeError("The group needs a name.", todo="Name it, for example “early visual”.")
        if name in names:
            raise GazeError(
                f"“{name}” is a region of the atlas “{atlas.name}”.", todo="Give the group another name."
            )
        strangers = [member for member in members if member not in names]
        if strangers:
            raise GazeError(
                f"The atlas “{atlas.name}” has no region “{strangers[0]}”.",
                todo=f"gazeapp regions lists its {len(names)} regions.",
            )
        if not members:
            raise GazeError(f"The group “{name}” has no regions.", todo="Choose at least one.")
        checked[name] = tuple(dict.fromkeys(members))
    return checked


def _members(preset: Preset) -> set[str]:
    return {name for members in preset.groups.values() for name in members}


@lru_cache(maxsize=1)
def _all() -> tuple[Preset, ...]:
    listed = json.loads(resource_path("neural", "groups.json").read_text("utf-8"))["presets"]
    return tuple(
        Preset(
            *(one["atlas"], frozenset(one["marks"]), one["checked"], one["note"]),
            {group: tuple(members) for group, members in one["groups"].items()},
        )
        for one in listed
    )
