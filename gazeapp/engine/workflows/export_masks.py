"""The masks of the library in an export: a picture for each image, and a table of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.lesions.masks.files.png import write_png
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.reports.files import free_name
from gazeapp.engine.reports.tables import Value
from gazeapp.engine.workflows.masks_files import file_name

MASK_FOLDER = "masks"
_LONGEST = 120
"""Bytes of a folder's name: file systems take 255, less under a long path."""


@dataclass(frozen=True, slots=True)
class MaskFile:
    """One mask of an image, and the file that it is written to, relative to the folder of the export."""

    name: str
    created: str
    image: ImageRow
    file: str


def mask_files(project: Project) -> list[MaskFile]:
    """Return the masks of the library with their files: a folder for each mask, as `export_masks` writes them."""
    images = {image.id: image for image in project.images.all()}
    found = []
    folders: set[str] = set()
    for mask in project.masks.library():
        folder = free_name(_short(file_name(mask.name)), folders)
        pictures: set[str] = set()
        for image_id in project.masks.images(mask.name):
            image = images[image_id]
            stem = file_name(image.name)
            own = stem[:-4] if stem.lower().endswith(".png") else stem
            file = f"{MASK_FOLDER}/{folder}/{free_name(own, pictures)}.png"
            found.append(MaskFile(mask.name, mask.created, image, file))
    return found


def write_masks(project: Project, found: list[MaskFile], folder: Path) -> Iterator[tuple[Value, ...]]:
    """Write the masks and yield their rows of masks.csv.

    Raises
    ------
    GazeError
        If a file cannot be written; an older one stays as it was.
    """
    for one in found:
        stored = project.masks.get(one.name, one.image.id)
        if stored is None:
            continue
        write_png(folder / one.file, stored.values)
        yield (
            *(one.name, one.image.name, stored.area, stored.sha256, stored.origin, one.file),
            one.created,
        )


def _short(name: str) -> str:
    return name.encode()[:_LONGEST].decode(errors="ignore").rstrip(" .") or "mask"
