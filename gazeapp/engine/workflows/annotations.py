"""What reading masks and reading objects share: finding files, and the images that they speak of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.maps.names import match_names
from gazeapp.engine.project import ImageRow, Project

Placing = Literal["refuse", "fraction", "pixel"]
"""What happens with what was made for an image of another size: it is refused, stretched, or keeps its pixels."""

PLACINGS: tuple[Placing, ...] = ("refuse", "fraction", "pixel")
_NAMES_IN_A_SENTENCE = 3


def check_placing(placing: str) -> None:
    """Refuse a way of placing that there is not.

    Raises
    ------
    GazeError
        It names those that there are.
    """
    if placing not in PLACINGS:
        raise GazeError(
            f"Nothing is placed on images of another size by '{placing}'.", todo=f"Use {', '.join(PLACINGS)}."
        )


def find_files(paths: Iterable[str], suffixes: frozenset[str]) -> list[tuple[Path, Path]]:
    """Return the files that are meant, each with the folder that it was found below.

    Parameters
    ----------
    paths
        Files, which are taken whatever they are called, and folders, which are searched with their subfolders.
    suffixes
        What files in folders end with, in small letters; hidden ones are left out.

    Raises
    ------
    GazeError
        If a path does not exist, or nothing is found.
    """
    found: list[tuple[Path, Path]] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found.extend((file, path) for file in _below(path, suffixes))
        elif path.is_file():
            found.append((path, path.parent))
        else:
            raise GazeError("There is no such file or folder.", where=str(path), todo="Check the path.")
    if not found:
        kinds = ", ".join(sorted(suffixes))
        raise GazeError(
            f"No files of the kinds {kinds} were found.",
            where=", ".join(paths),
            todo="Choose the folder that holds them.",
        )
    return list(dict.fromkeys(found))


def find_images(images: Sequence[ImageRow], names: Iterable[str]) -> dict[str, ImageRow]:
    """Return the image that each name means; names that mean none, or several, are left out.

    A name is an image's as it is, in other case, without its folder or without its extension; or the image whose
    name ends as it does in more of its folders than any other.
    """
    finder = ImageNames([image.name for image in images])
    distinct = list(dict.fromkeys(names))
    found = {name: images[place] for name in distinct if (place := finder.find(name)) is not None}
    left = [name for name in distinct if name not in found]
    matches = match_names([image.name for image in images], left)
    found.update({left[place]: images[image] for image, place in matches.map_of.items()})
    return found


def chosen_images(project: Project, names: Sequence[str]) -> list[ImageRow]:
    """Return the images of these names, as recordings may write them, or all where none is given.

    Raises
    ------
    GazeError
        When a name means no image of the project, or the project has none.
    """
    images = project.images.all()
    if not images:
        raise GazeError("The project has no images.", where=project.path.name, todo="Add images first.")
    if not names:
        return images
    finder = ImageNames([image.name for image in images])
    places = []
    for name in names:
        place = finder.find(name)
        if place is None:
            near = finder.closest(name)
            raise GazeError(
                f"The project has no image '{name}'.",
                todo=f"Did you mean '{near}'?" if near else "Check its name.",
            )
        places.append(place)
    return [images[place] for place in dict.fromkeys(places)]


def some(names: Sequence[str]) -> str:
    """Return the first few names as part of a sentence."""
    more = len(names) - _NAMES_IN_A_SENTENCE
    quoted = ", ".join(f"'{name}'" for name in names[:_NAMES_IN_A_SENTENCE])
    return f"{quoted} and {more} more" if more > 0 else quoted


def _below(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(place, name)
            for name in names
            if Path(name).suffix.lower() in suffixes and not name.startswith(".")
        ]
    return sorted(found)
