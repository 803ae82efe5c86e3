"""Atlases of a project: those that are always there, those brought in, and the regions that the user picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import Atlas, Region
from gazeapp.engine.neural.regions.built_in import BUILT_IN, built_in_atlas
from gazeapp.engine.neural.regions.files.own import atlas_text
from gazeapp.engine.neural.regions.groups import checked_groups, preset_for
from gazeapp.engine.neural.regions.own import How, renamed_region, with_region, without_region
from gazeapp.engine.neural.regions.reading import read_atlas
from gazeapp.engine.project import Project
from gazeapp.engine.project.rows import AtlasRow
from gazeapp.engine.replacing import replacing
from gazeapp.engine.workflows.base import Progress, Summary, Tally

IMPORT = "import regions"
EXPORT = "export regions"
REMOVE = "remove regions"
GROUP = "group regions"
OWN = "own"
"""The atlas of regions that the user picked."""
JOINED, SEPARATE = "joined", "separate"

_OWN_SOURCE = "picked on the cortex"
_OWN_LIMITS = (
    "These regions were picked by hand. Where one was picked because maps predict these responses well in it, its "
    "scores and tests with the same responses are too good: test it with other responses."
)
_RESERVED = frozenset({*BUILT_IN, OWN})


def atlas_for(project: Project, name: str) -> Atlas:
    """Return an atlas: the project's, else one that is always there.

    Raises
    ------
    GazeError
        If there is none of that name; it names those that there are.
    """
    there = [row.name for row in project.atlases.all()]
    if name in there:
        return project.atlases.get(name)
    if name in BUILT_IN:
        return built_in_atlas(name)
    known = ", ".join(f"“{one}”" for one in dict.fromkeys((*BUILT_IN, *there)))
    raise GazeError(
        f"There is no atlas “{name}”.", todo=f"There are {known}; gazeapp import-regions adds more."
    )


def all_atlases(project: Project) -> list[AtlasRow]:
    """Return what there is to choose from: the atlases that are always there, then the project's in order."""
    stored = {row.name: row for row in project.atlases.all()}
    always = [stored.pop(name) if name in stored else _row(built_in_atlas(name)) for name in BUILT_IN]
    return [*always, *stored.values()]


def region_list(atlas: Atlas, hemispheres: str = JOINED, groups: bool = True) -> list[tuple[Region, bool]]:
    """Return the regions of an atlas as they are scored, each with whether it is a group.

    Parameters
    ----------
    atlas
        The atlas.
    hemispheres
        ``joined``: left and right part of a region as one; ``separate``: each for itself.
    groups
        Whether its groups follow, each as one region of both hemispheres. Groups of no region that is there are left
        out.
    """
    regions = atlas.joined().regions if hemispheres == JOINED else atlas.regions
    listed = [(region, False) for region in regions]
    if groups:
        names = {region.name for region in atlas.regions}
        listed += [
            (atlas.group(group), True)
            for group, members in atlas.groups.items()
            if names.intersection(members)
        ]
    return listed


@dataclass(frozen=True)
class ImportRegionsSettings:
    """Which atlas to bring in.

    Parameters
    ----------
    paths
        What `read_atlas` takes: one file, one for each hemisphere, labels, or a folder of labels.
    name
        What to call it; empty: as its files are called.
    names_file
        What its numbers are called, where the files hold numbers alone; empty: none.
    replace
        Whether another atlas of that name may go.
    """

    paths: tuple[str, ...]
    name: str = ""
    names_file: str = ""
    replace: bool = False


def import_atlas(project: Project, settings: ImportRegionsSettings, progress: Progress) -> Summary:
    """Store the atlas that files hold, on fsaverage5, with the groups that are known for it.

    One unit is the atlas; one that is there as it is, is skipped.

    Returns
    -------
    Summary
        ``details`` has ``atlas`` (its name), ``regions`` and ``groups`` (numbers), and ``notes`` (what is to be known
        of how it was read, as sentences).

    Raises
    ------
    GazeError
        If the files do not hold an atlas on fsaverage or fsaverage5, or another atlas has the name.
    """
    where = ", ".join(settings.paths)
    tally = Tally(project, IMPORT, progress, 1)
    progress.report(0, 1, "reading the files")
    names_file = Path(settings.names_file) if settings.names_file else None
    read = read_atlas([Path(path) for path in settings.paths], settings.name, names_file)
    atlas = replace(read.atlas, groups=checked_groups(read.atlas, read.atlas.groups))
    if _there(project, atlas, settings):
        tally.skip(atlas.name)
    else:
        with tally.unit(where):
            project.atlases.put(atlas)
    return tally.summary(
        atlas=atlas.name, regions=len(atlas.regions), groups=len(atlas.groups), notes=list(read.notes)
    )


def _there(project: Project, atlas: Atlas, settings: ImportRegionsSettings) -> bool:
    """Return whether the project holds the atlas as it is; refuse to take the place of another."""
    own_again = atlas.name == OWN and atlas.source == _OWN_SOURCE
    if atlas.name in _RESERVED and not own_again:
        raise GazeError(
            f"The name “{atlas.name}” is that of an atlas of gazeapp.",
            todo="Give the imported one another name (--name).",
        )
    if atlas.name not in (row.name for row in project.atlases.all()):
        return False
    if _same(project.atlases.get(atlas.name), atlas):
        return True
    if settings.replace:
        return False
    raise GazeError(
        f"The project holds another atlas called “{atlas.name}”.",
        todo="Give this one another name (--name), or let the other go (--replace).",
    )


def _same(one: Atlas, other: Atlas) -> bool:
    return atlas_text(one) == atlas_text(other)


@dataclass(frozen=True)
class ExportRegionsSettings:
    """Which atlas to write, and where.

    Parameters
    ----------
    name
        Name of the atlas.
    output
        The file, .json.
    replace
        Whether another file of that name may go.
    """

    name: str
    output: str
    replace: bool = False


def export_atlas(project: Project, settings: ExportRegionsSettings, progress: Progress) -> Summary:
    """Write an atlas with its groups as one file, which `import_atlas` reads back as it was.

    Raises
    ------
    GazeError
        If there is no such atlas, or the file is there or cannot be written.
    """
    text = atlas_text(atlas_for(project, settings.name))
    path = Path(settings.output)
    if path.suffix.lower() != ".json":
        raise GazeError(
            "Regions are written as a .json file.",
            where=settings.output,
            todo=f"Call it {path.stem or 'atlas'}.regions.json, for example.",
        )
    if path.exists() and not settings.replace:
        raise GazeError(
            "There is a file of that name already.",
            where=settings.output,
            todo="Choose another name, or let the file be replaced (--replace).",
        )
    tally = Tally(project, EXPORT, progress, 1, store=not project.read_only)
    with tally.unit(settings.output), replacing(path) as partial:
        partial.write_text(text, "utf-8")
    return tally.summary(file=settings.output)


@dataclass(frozen=True)
class RemoveRegionsSettings:
    """What to take out.

    Parameters
    ----------
    atlas
        Name of the atlas.
    region
        Name of a region that was picked by hand, where the atlas is ``own``; empty: the whole atlas.
    """

    atlas: str
    region: str = ""


def remove_atlas(project: Project, settings: RemoveRegionsSettings, progress: Progress) -> Summary:
    """Take an atlas out of the project, or one region that was picked by hand; what was computed with it stays.

    Of an atlas that is always there, the user's groups go and those that it came with are back.

    Raises
    ------
    GazeError
        If the project holds no such atlas or region, or the atlas is one whose regions belong together.
    """
    tally = Tally(project, REMOVE, progress, 1)
    if settings.region and settings.atlas != OWN:
        raise GazeError(
            f"Single regions are taken out of the atlas “{OWN}” alone.",
            todo=f"Take all of “{settings.atlas}” out, or leave it.",
        )
    if settings.atlas in BUILT_IN and settings.atlas not in (row.name for row in project.atlases.all()):
        raise GazeError(
            f"The atlas “{settings.atlas}” is always there, and has no changed groups.", todo="Leave it."
        )
    changed = without_region(_own(project), settings.region) if settings.region else None
    if changed is None:
        project.atlases.get(settings.atlas)  # refuses one that there is not
    with tally.unit(settings.region or settings.atlas):
        if changed is not None and changed.regions:
            project.atlases.put(changed)
        else:
            project.atlases.remove(settings.atlas)
    return tally.summary()


@dataclass(frozen=True)
class GroupRegionsSettings:
    """Which regions of an atlas belong together.

    Parameters
    ----------
    atlas
        Name of the atlas.
    group
        Name of the group.
    regions
        Names of its regions, in place of those that it had; empty: the group goes.
    presets
        Take the groups that are known for the atlas, in place of all that it has; ``group`` is empty then.
    """

    atlas: str
    group: str = ""
    regions: tuple[str, ...] = ()
    presets: bool = False


def group_regions(project: Project, settings: GroupRegionsSettings, progress: Progress) -> Summary:
    """Make, change or remove one group of an atlas, or bring back those that are known for it.

    Returns
    -------
    Summary
        ``details`` has ``groups``: name -> names of its regions, of all groups of the atlas.

    Raises
    ------
    GazeError
        If there is no such atlas, group or region, or no groups are known for the atlas.
    """
    atlas = atlas_for(project, settings.atlas)
    groups = dict(atlas.groups)
    if settings.presets:
        groups = _preset_groups(atlas)
    elif settings.regions:
        groups[settings.group.strip()] = settings.regions
    elif groups.pop(settings.group, None) is None:
        raise GazeError(
            f"The atlas “{atlas.name}” has no group “{settings.group}”.",
            todo="Name the regions that it is to have, or one of its groups to take it away.",
        )
    checked = checked_groups(atlas, groups)
    tally = Tally(project, GROUP, progress, 1)
    with tally.unit(settings.atlas):
        _store_groups(project, atlas, checked)
    return tally.summary(
        groups={group: list(members) for group, members in atlas_for(project, atlas.name).groups.items()}
    )


def set_groups(project: Project, name: str, groups: Mapping[str, Sequence[str]]) -> None:
    """Store the groups of an atlas; one that is always there is copied into the project for them.

    Raises
    ------
    GazeError
        If there is no such atlas, or the groups are not of its regions.
    """
    atlas = atlas_for(project, name)
    _store_groups(project, atlas, checked_groups(atlas, groups))


def _store_groups(project: Project, atlas: Atlas, groups: dict[str, tuple[str, ...]]) -> None:
    if atlas.name in BUILT_IN:
        project.atlases.put(replace(atlas, groups=groups))
    else:
        project.atlases.set_groups(atlas.name, groups)


def put_own_region(project: Project, name: str, vertices: ArrayLike, how: How = "replace") -> Atlas:
    """Store a region that the user picked, and return the atlas ``own``.

    Parameters
    ----------
    project
        The project.
    name
        Name of the region; its left and right parts have the same.
    vertices
        From 0 to 20,483, in any order.
    how
        What happens with the vertices that the region has: they go, are added to, or lose these.

    Raises
    ------
    GazeError
        If the name is empty or that of a group, or the region would have no vertex or one that there is not.
    """
    atlas = with_region(_own(project), name, vertices, how)
    project.atlases.put(atlas)
    return atlas


def remove_own_region(project: Project, name: str) -> None:
    """Take a region that the user picked out of the project, and out of the groups that it is in.

    Raises
    ------
    GazeError
        If there is none of that name.
    """
    atlas = without_region(_own(project), name)
    if atlas.regions:
        project.atlases.put(atlas)
    else:
        project.atlases.remove(OWN)


def rename_own_region(project: Project, old: str, new: str) -> None:
    """Give a region that the user picked another name, in the groups that it is in as well.

    Raises
    ------
    GazeError
        If there is none of that name, or the new name is empty or taken.
    """
    project.atlases.put(renamed_region(_own(project), old, new))


def _own(project: Project) -> Atlas:
    there = OWN in (row.name for row in project.atlases.all())
    return project.atlases.get(OWN) if there else Atlas(OWN, (), source=_OWN_SOURCE, limits=_OWN_LIMITS)


def _preset_groups(atlas: Atlas) -> dict[str, tuple[str, ...]]:
    preset = preset_for(region.name for region in atlas.regions)
    if preset is None:
        raise GazeError(
            f"No groups are known for the atlas “{atlas.name}”.", todo="Make groups of its regions yourself."
        )
    return preset.groups


def _row(atlas: Atlas) -> AtlasRow:
    return AtlasRow(atlas.name, len(atlas.regions), atlas.source, atlas.limits, atlas.groups)
