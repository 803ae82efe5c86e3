"""Finding atlases that lie on this computer already; nothing is downloaded, and no code of others runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.neural.regions.files.own import SUFFIX as OWN_SUFFIX
from gazeapp.engine.neural.regions.files.place import (
    SUFFIXES,
    TABLES,
    hemisphere_of,
    key_of,
    suffix_of,
)
from gazeapp.engine.neural.regions.known import known_atlas
from gazeapp.engine.resources import package_folder

_SUBJECTS = ("fsaverage5", "fsaverage")
_LABEL = ".label"
_VOLUMES = (".mgz", ".mgh")
_GIFTI = (".label.gii", ".label.gii.gz")
_EXVIVO = ("_exvivo.thresh", "_exvivo")
_MOST = 2_000
"""Files of a folder that are looked at."""


@dataclass(frozen=True, slots=True)
class FoundAtlas:
    """An atlas that can be imported.

    Parameters
    ----------
    name
        What its files are called.
    title
        What it is, in words.
    paths
        The files, left before right, for `read_atlas`.
    place
        Where it was found, in words.
    hemispheres
        ``left``, ``right`` or ``both``.
    """

    name: str
    title: str
    paths: tuple[Path, ...]
    place: str
    hemispheres: str


def discover(subjects_dir: Path | None = None, folders: Sequence[Path] = ()) -> list[FoundAtlas]:
    """Return the atlases on fsaverage or fsaverage5 that lie in the usual places, and in folders of the user.

    Parameters
    ----------
    subjects_dir
        FreeSurfer's folder of subjects; None: what the environment says (``SUBJECTS_DIR``, then ``FREESURFER_HOME``).
        ``fsaverage5/label`` goes before ``fsaverage/label`` where both hold an atlas.
    folders
        Further folders; those right below them are searched as well. A folder of labels is an atlas.

    Returns
    -------
    list of FoundAtlas
        By place, then by name. Files are told by their names alone and not opened.
    """
    found: list[FoundAtlas] = []
    subjects = subjects_dir or _subjects_dir()
    if subjects is not None:
        names: set[str] = set()
        for subject in _SUBJECTS:
            fresh = [
                one
                for one in _in_folder(subjects / subject / "label", f"FreeSurfer, {subject}")
                if one.name not in names
            ]
            names.update(one.name for one in fresh)
            found += fresh
    neuropythy = _neuropythy()
    if neuropythy is not None:
        found += _in_folder(neuropythy, "neuropythy")
    for folder in folders:
        below = sorted(path for path in _entries(folder) if path.is_dir())
        for one in (folder, *below):
            found += _in_folder(one, one.name, own=True)
    return found


def _subjects_dir() -> Path | None:
    if given := os.environ.get("SUBJECTS_DIR"):
        return Path(given)
    home = os.environ.get("FREESURFER_HOME")
    return Path(home) / "subjects" if home else None


def _neuropythy() -> Path | None:
    """Return the folder of neuropythy's data on fsaverage, if the user has installed it."""
    folder = package_folder("neuropythy")
    return None if folder is None else folder / "lib" / "data" / "fsaverage" / "surf"


def _in_folder(folder: Path, place: str, own: bool = False) -> list[FoundAtlas]:
    """Return the atlases of a folder, by name; with tables and labels if it is the user's own."""
    atlases: dict[str, list[Path]] = {}
    labels: dict[str, list[Path]] = {}
    for path in _entries(folder):
        if path.name.startswith(".") or not path.is_file():
            continue
        if suffix_of(path) == _LABEL:
            for group in _label_groups(path, folder, own):
                labels.setdefault(group, []).append(path)
        elif _is_atlas(path, own):
            atlases.setdefault(f"{key_of(path)}{suffix_of(path)}", []).append(path)
    found = [_found(key_of(paths[0]), sorted(paths, key=_left_first), place) for paths in atlases.values()]
    found += [_found(name, paths, place) for name, paths in labels.items()]
    return sorted(found, key=lambda one: one.name.casefold())


def _entries(folder: Path) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return
    yield from inside[:_MOST]


def _is_atlas(path: Path, own: bool) -> bool:
    suffix = suffix_of(path)
    if suffix in (".annot", *_GIFTI):
        return True
    known = known_atlas(key_of(path))
    if suffix in _VOLUMES or (suffix in SUFFIXES and known is not None):
        # A volume may hold thickness, or anything else; only those are offered that are known to hold labels.
        return known is not None and bool(known.names) and "fplbl" not in path.name
    if suffix in TABLES:
        words = path.name.lower()
        return own and ("fsa5" in words or "fsaverage5" in words)
    return own and path.name.endswith(OWN_SUFFIX)


def _label_groups(path: Path, folder: Path, own: bool) -> Iterator[str]:
    """Yield the atlases that a label is part of: its folder, or FreeSurfer's areas from post-mortem brains."""
    if own:
        yield folder.name
        return
    for ending in _EXVIVO:
        if key_of(path).endswith(ending):
            yield ending.strip("_")
            return


def _found(name: str, paths: list[Path], place: str) -> FoundAtlas:
    known = known_atlas(name)
    sides = {hemisphere_of(path) for path in paths}
    one_side = next(iter(sides)) if len(sides) == 1 else ""
    title = known.title if known else name.replace("_", " ")
    return FoundAtlas(name, title, tuple(paths), place, one_side or "both")


def _left_first(path: Path) -> bool:
    return hemisphere_of(path) == "right"
