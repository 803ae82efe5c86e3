"""What to do with files that are dropped on the window."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

PROJECT_SUFFIX = ".gaze"
GAZE_SUFFIXES = (".csv", ".tsv", ".asc", ".csv.gz", ".tsv.gz", ".asc.gz")

_LOOKED_AT = 2000


@dataclass(frozen=True)
class Drop:
    """Dropped paths by what they are."""

    project: Path | None = None
    images: list[Path] = field(default_factory=list)
    gaze: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def is_gaze_file(path: Path) -> bool:
    """Return whether the name is one of an eye-tracking file."""
    return path.name.lower().endswith(GAZE_SUFFIXES)


def sort_drop(paths: Iterable[Path]) -> Drop:
    """Tell projects, images and recordings apart.

    A folder counts as images when it holds any, else its recordings are taken.
    """
    from gazeapp.engine.pictures import SUFFIXES

    drop = Drop()
    project = None
    for path in paths:
        if path.is_dir():
            _sort_folder(path, drop, SUFFIXES)
        elif path.suffix.lower() == PROJECT_SUFFIX:
            project = project or path
        elif path.suffix.lower() in SUFFIXES:
            drop.images.append(path)
        elif is_gaze_file(path):
            drop.gaze.append(path)
        else:
            drop.unknown.append(path)
    return Drop(project, drop.images, drop.gaze, drop.unknown)


def _sort_folder(folder: Path, drop: Drop, pictures: Collection[str]) -> None:
    gaze = []
    for path in islice(folder.rglob("*"), _LOOKED_AT):
        if path.suffix.lower() in pictures:
            drop.images.append(folder)
            return
        if is_gaze_file(path):
            gaze.append(path)
    if gaze:
        drop.gaze.extend(sorted(gaze))
    else:
        drop.unknown.append(folder)
