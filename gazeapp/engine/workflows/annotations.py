"""What reading masks and reading objects share: finding files, and the images that they speak of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ImagesByName:
    """Which images are meant by the names in files.

    Parameters
    ----------
    found
        Name -> image.
    missing
        Names that no image has.
    unclear
        Names that several images have, or whose image is meant by another one as well.
    """

    found: dict[str, ImageRow]
    missing: tuple[str, ...]
    unclear: tuple[str, ...]

    def cautions(self, things: str) -> Iterator[GazeError]:
        """Yield what is said of the ``things`` (such as masks) that have no image."""
        if self.missing:
            yield GazeError(
                f"The {things} of {_images(len(self.missing))} are left out, because no image of the project is "
                f"named like that: {some(self.missing)}.",
                todo=f"Add these images, or name them as in the project, and import the {things} again.",
            )
        if self.unclear:
            yield GazeError(
                f"The {things} of {_images(len(self.unclear))} are left out, because it is not clear which image of "
                f"the project is meant: {some(self.unclear)}.",
                todo=f"Name them with their folders, as in the project, and import the {things} again.",
            )


def find_images(images: Sequence[ImageRow], names: Iterable[str]) -> ImagesByName:
    """Find the image that each name means.

    A name is an image's as it is, in other case, without its folder or without its extension; or the image whose
    name ends as it does in more of its folders than any other.
    """
    finder = ImageNames([image.name for image in images])
    distinct = list(dict.fromkeys(names))
    found = {name: images[place] for name in distinct if (place := finder.find(name)) is not None}
    left = [name for name in distinct if name not in found]
    if not left:
        return ImagesByName(found, (), ())
    matches = match_names([image.name for image in images], left)
    found.update({left[place]: images[image] for image, place in matches.map_of.items()})
    rivals = [place for several in matches.rivals.values() for place in several]
    return ImagesByName(
        found,
        tuple(left[place] for place in matches.strays),
        tuple(left[place] for place in sorted([*matches.unclear, *rivals])),
    )


def chosen_images(project: Project, names: Sequence[str]) -> list[ImageRow]:
    """Return the images of these names, as recordings may write them, or all where none is given.

    Raises
    ------
    GazeError
        When a name means no image of the project, or the project has none.
    """
    images = project.images.all()
    if not images:
        raise GazeError("The project has no images yet.", where=str(project.path), todo="Add images first.")
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


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"


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
