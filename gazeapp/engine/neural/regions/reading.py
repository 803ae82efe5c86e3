"""Reading an atlas from files of any of the formats, with what is to be known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT, Atlas, Region
from gazeapp.engine.neural.regions.checks import OTHER, check_copy, check_sides
from gazeapp.engine.neural.regions.files.annot import read_annot
from gazeapp.engine.neural.regions.files.gifti import read_gifti
from gazeapp.engine.neural.regions.files.label import read_label
from gazeapp.engine.neural.regions.files.numbered import Labels, Numbered, labels_of
from gazeapp.engine.neural.regions.files.own import read_own
from gazeapp.engine.neural.regions.files.place import (
    OWN,
    SUFFIXES,
    TABLES,
    key_of,
    partner_of,
    suffix_of,
)
from gazeapp.engine.neural.regions.files.table import read_table
from gazeapp.engine.neural.regions.files.volume import read_volume
from gazeapp.engine.neural.regions.groups import preset_for
from gazeapp.engine.neural.regions.known import known_atlas
from gazeapp.engine.neural.regions.names import RegionName, region_name

LABEL = ".label"
_SHIFT = {LEFT: 0, RIGHT: N_HEMISPHERE}
_NAMES_IN_A_SENTENCE = 3


@dataclass(frozen=True)
class ReadAtlas:
    """An atlas as files hold it.

    Parameters
    ----------
    atlas
        The regions, with the groups that are known for them.
    notes
        What is to be known of how they were read, as sentences.
    """

    atlas: Atlas
    notes: tuple[str, ...]


def read_atlas(paths: Sequence[Path], name: str = "", names_file: Path | None = None) -> ReadAtlas:
    """Read an atlas.

    Parameters
    ----------
    paths
        One file of both hemispheres, or one of each; of one hemisphere alone, the other's file is read too if it lies
        beside it. Any number of ``.label`` files, or a folder of them. Several atlases together make one with regions
        that may overlap, if none shares a name.
    name
        What to call the atlas; empty: as its files, or its folder, are called.
    names_file
        What the numbers are called, where the files hold numbers alone.

    Raises
    ------
    GazeError
        If there is nothing to read, or what there is does not fit fsaverage5 or together.
    """
    files, folder = _files(paths)
    own = [path for path in files if suffix_of(path) in OWN]
    if own:
        return _own(files, own, name)
    labels = [path for path in files if suffix_of(path) == LABEL]
    if labels and len(labels) < len(files):
        raise GazeError(
            "Labels (.label) and files of whole atlases are no atlas together.",
            where=", ".join(path.name for path in files[:_NAMES_IN_A_SENTENCE]),
            todo="Import them one after the other.",
        )
    notes: list[str] = []
    if labels:
        parts = [read_label(path) for path in labels]
        key = folder.name if folder is not None else key_of(labels[0]) if len(labels) <= 2 else "labels"
        notes += _lone_labels(parts)
    else:
        parts = [part for path in _with_partners(files, notes) for part in _read(path, names_file)]
        key = key_of(files[0])
        _check_pairs(parts, notes)
    check_sides(parts)
    notes += dict.fromkeys(note for part in parts for note in part.notes)
    return _assembled(parts, name.strip() or key, key, notes)


def _files(paths: Sequence[Path]) -> tuple[list[Path], Path | None]:
    """Return the files that are meant, and the folder if it is one that is meant."""
    if not paths:
        raise GazeError("No file of regions was given.", todo="Choose a file, or one for each hemisphere.")
    if len(paths) > 1 or not paths[0].is_dir():
        folders = [path for path in paths if path.is_dir()]
        if folders:
            raise GazeError(
                "A folder of labels is read alone.", where=str(folders[0]), todo="Give the folder, or files."
            )
        return list(dict.fromkeys(paths)), None
    folder = paths[0]
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    labels = [path for path in inside if suffix_of(path) == LABEL]
    others = [path for path in inside if suffix_of(path) in SUFFIXES and path not in labels]
    if labels:
        return labels, folder
    keys = dict.fromkeys(key_of(path) for path in others)
    if len(keys) == 1:
        return others, folder
    if keys:
        raise GazeError(
            f"The folder holds {len(keys)} atlases: {_some(list(keys))}.",
            where=str(folder),
            todo="Choose the files of one of them.",
        )
    raise GazeError(
        "The folder holds no labels, annotations or volumes of regions.",
        where=str(folder),
        todo="Choose the folder that holds them, or a file.",
    )


def _own(files: Sequence[Path], own: Sequence[Path], name: str) -> ReadAtlas:
    if len(files) > 1:
        raise GazeError(
            "A file that gazeapp wrote is read alone.",
            where=own[0].name,
            todo="Import the files one after the other.",
        )
    atlas = read_own(own[0])
    return ReadAtlas(replace(atlas, name=name.strip() or atlas.name), ())


def _with_partners(files: Sequence[Path], notes: list[str]) -> list[Path]:
    """Return files with those of the other hemisphere that lie beside them."""
    found = list(files)
    for path in files:
        partner = partner_of(path)
        if partner is not None and partner not in found and partner.is_file():
            found.append(partner)
            notes.append(f"{partner.name}, which lies beside {path.name}, was read with it.")
    return found


def _read(path: Path, names_file: Path | None) -> list[Labels]:
    suffix = suffix_of(path)
    if names_file is not None and suffix not in (*TABLES, ".mgz", ".mgh"):
        raise GazeError(
            "The file brings its own names, so that it needs no file of names.",
            where=path.name,
            todo="Leave the file of names away.",
        )
    numbered: Numbered
    if suffix == ".annot":
        numbered = read_annot(path)
    elif suffix in (".mgz", ".mgh"):
        numbered = read_volume(path, names_file)
    elif suffix in SUFFIXES:
        numbered = read_gifti(path)
    elif suffix in TABLES:
        numbered = read_table(path, names_file)
    else:
        kinds = ", ".join((*SUFFIXES, *TABLES, OWN[0]))
        raise GazeError(
            f"Regions are not read from files of the kind “{suffix or path.name}”.",
            where=path.name,
            todo=f"Use one of {kinds}.",
        )
    return labels_of(numbered, path)


def _lone_labels(parts: Sequence[Labels]) -> list[str]:
    """Return what is said of labels of one hemisphere alone."""
    there = {(region, part.hemisphere) for part in parts for region in (*part.regions, *part.lost)}
    lone = sorted({name for name, side in there if (name, OTHER[side]) not in there})
    return [f"Of one hemisphere only: {_some(lone)}."] if lone else []


def _check_pairs(parts: Sequence[Labels], notes: list[str]) -> None:
    """Refuse two files of one hemisphere under one name, and copies; note what has no partner."""
    by_key: dict[str, dict[str, Labels]] = {}
    for part in parts:
        pair = by_key.setdefault(key_of(part.path), {})
        if part.hemisphere in pair:
            raise GazeError(
                f"Two files hold the {part.hemisphere} hemisphere of “{key_of(part.path)}”: "
                f"{pair[part.hemisphere].path.name} and {part.path.name}.",
                todo="Choose one file for each hemisphere.",
            )
        pair[part.hemisphere] = part
    for key, pair in by_key.items():
        if len(pair) == 2:
            check_copy(pair[LEFT], pair[RIGHT])
            continue
        ((side, part),) = pair.items()
        missing = f"“{key}” has only the {side} hemisphere: there is no file of the {OTHER[side]}."
        if len(by_key) > 1:
            raise GazeError(
                missing, where=part.path.name, todo="Choose both files of each atlas, called alike."
            )
        notes.append(missing)


def _assembled(parts: Sequence[Labels], name: str, key: str, notes: list[str]) -> ReadAtlas:
    regions: dict[tuple[str, str], Region] = {}
    networks: dict[str, list[str]] = {}
    for part in sorted(parts, key=lambda part: part.hemisphere != LEFT):
        for raw, vertices in part.regions.items():
            shown = _shown(raw, part)
            if (shown.text, part.hemisphere) in regions:
                raise GazeError(
                    f"Two regions of the {part.hemisphere} hemisphere are called “{shown.text}”.",
                    where=part.path.name,
                    todo="Import the files one after the other, as atlases of their own.",
                )
            region = Region(shown.text, part.hemisphere, vertices + _SHIFT[part.hemisphere])
            regions[shown.text, part.hemisphere] = region
            if shown.network:
                networks.setdefault(shown.network, []).append(shown.text)
    if not regions:
        raise GazeError(
            "There is no region with a vertex of fsaverage5.",
            where=", ".join(dict.fromkeys(part.path.name for part in parts)),
            todo="Choose another file.",
        )
    lost = list(dict.fromkeys(_shown(raw, part).text for part in parts for raw in part.lost))
    if lost:
        count = "1 region has" if len(lost) == 1 else f"{len(lost)} regions have"
        notes.append(f"{count} no vertex among those of fsaverage5 in one hemisphere or both: {_some(lost)}.")
    preset = preset_for(region.name for region in regions.values())
    groups = {network: tuple(members) for network, members in networks.items()}
    known = known_atlas(key)
    limits = [known.limits] if known else []
    if preset is not None and not groups:
        groups = preset.groups
        limits.append(preset.says)
    atlas = Atlas(
        *(name, tuple(regions.values())), source=_source(parts), limits=" ".join(limits), groups=groups
    )
    return ReadAtlas(atlas, tuple(notes))


def _shown(raw: str, part: Labels) -> RegionName:
    """Return a region's name as shown; whole where it speaks of a hemisphere that the region is not of."""
    shown = region_name(raw)
    return shown if shown.hemisphere in ("", part.hemisphere) else RegionName(raw)


def _source(parts: Sequence[Labels]) -> str:
    files = list(dict.fromkeys(part.path.name for part in parts))
    sizes = sorted({part.n_vertices for part in parts if part.n_vertices > N_HEMISPHERE})
    thinned = f"; of {sizes[-1]:,} vertices a hemisphere the first {N_HEMISPHERE:,}" if sizes else ""
    return f"{_some(files, quote=False)}{thinned}"


def _some(names: Sequence[str], quote: bool = True) -> str:
    """Return the first few names as part of a sentence."""
    shown = [f"“{name}”" if quote else name for name in names[:_NAMES_IN_A_SENTENCE]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
