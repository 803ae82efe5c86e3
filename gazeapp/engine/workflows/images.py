"""Add images to a project."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.demo.world import is_demo_image
from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.pictures import SUFFIXES, read_picture
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.marking import match_images


@dataclass(frozen=True)
class AddImagesSettings:
    """Which images to add.

    Parameters
    ----------
    paths
        Picture files, and folders that are searched with their subfolders.
    """

    paths: tuple[str, ...]


def add_images(project: Project, settings: AddImagesSettings, progress: Progress) -> Summary:
    """Add pictures to the project; they stay where they are.

    A picture inside an added folder is named by its path below that folder, any other by its file
    name. Pictures whose file is in the project already are skipped. Trials of recordings that were
    imported before their image get it.

    Raises
    ------
    GazeError
        If a path does not exist or none of the folders holds a picture.
    """
    found = _find(settings.paths)
    stored_paths = {(project.folder / image.path).resolve() for image in project.images.all()}
    tally = Tally(project, "add images", progress, len(found))
    for path, name in found:
        if tally.should_stop():
            break
        if path.resolve() in stored_paths:
            tally.skip(name)
            continue
        with tally.unit(name):
            _add(project, path, name)
    matched = match_images(project) if tally.done else 0
    return tally.summary(images=len(project.images.all()), matched_trials=matched)


def _add(project: Project, path: Path, name: str) -> None:
    # Decoding the whole picture now finds files that are cut off before a model meets them.
    _, facts = read_picture(path)
    sha256 = sha256_of(path)
    origin = "demo-world" if is_demo_image(path) else "photograph"
    with project.transaction():
        known = project.images.by_name(name)
        if known is None:
            project.images.add(path, name, sha256, facts.width, facts.height, origin)
        elif known.sha256 != sha256:
            raise GazeError(
                "Another image of that name is in the project.",
                where=name,
                todo="Rename one of the two files.",
            )


def _find(paths: Iterable[str]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found.extend(_in_folder(path))
        elif path.is_file():
            found.append((path, path.name))
        else:
            raise GazeError("There is no such file or folder.", where=str(path), todo="Check the path.")
    if not found:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        todo = f"Choose a folder that holds pictures ({kinds})."
        raise GazeError("No pictures were found.", where=", ".join(paths), todo=todo)
    return found


def _in_folder(folder: Path) -> list[tuple[Path, str]]:
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in SUFFIXES and not name.startswith("."):
                found.append((path, path.relative_to(folder).as_posix()))
    return sorted(found, key=lambda pair: pair[1])
