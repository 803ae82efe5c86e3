"""Write masks of the library as files, to keep or for other programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.lesions.masks.files.coco import write_coco
from gazeapp.engine.lesions.masks.files.found import check_hard
from gazeapp.engine.lesions.masks.files.labelme import write_labelme
from gazeapp.engine.lesions.masks.files.png import png_bytes, write_png
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.types import MaskArray
from gazeapp.engine.workflows.annotations import find_images
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.masks_files import file_name

VERB = "export masks"
Format = Literal["png", "coco", "labelme"]
FORMATS: dict[Format, str] = {
    "png": "A grey picture for each mask of an image, in a folder for each mask: every value is kept.",
    "coco": "One file with run lengths of all masks; masks of 0 and 255 alone.",
    "labelme": "A file for each image, with its masks as polygons; masks of 0 and 255 alone.",
}
COCO_FILE = "masks.json"


@dataclass(frozen=True)
class ExportMasksSettings:
    """Which masks to write, where and how.

    Parameters
    ----------
    folder
        Made if missing.
    names
        Masks of the library; empty means all.
    format
        One of `FORMATS`.
    replace
        Whether other files of the same names may go.
    """

    folder: str
    names: tuple[str, ...] = ()
    format: Format = "png"
    replace: bool = False


def export_masks(project: Project, settings: ExportMasksSettings, progress: Progress) -> Summary:
    """Write masks into a folder, such that `import_masks` of that folder gives the same values under the same names.

    One unit is a mask of an image; for labelme, an image. Every file is written whole or not at all. PNG files that
    are there already are skipped; another file of the same name is a problem, unless it may be replaced. Graded masks
    fit into PNG alone.

    Returns
    -------
    Summary
        ``details`` has ``files``: paths of what was written.

    Raises
    ------
    GazeError
        If there are no such masks or formats, or the folder cannot be written.
    """
    if settings.format not in FORMATS:
        raise GazeError(f"Masks are not written as '{settings.format}'.", todo=f"Use {', '.join(FORMATS)}.")
    images = {image.id: image for image in project.images.all()}
    masks = [(name, images[one]) for name in _names(project, settings) for one in project.masks.images(name)]
    if not masks:
        raise GazeError(
            "There are no masks to write.", where=project.path.name, todo="Draw some, or import them."
        )
    tally = Tally(project, VERB, progress, len(masks), store=not project.read_only)
    writer = _Writer(project, settings, tally)
    if settings.format == "png":
        writer.as_png(masks)
    elif settings.format == "coco":
        writer.as_coco(masks)
    else:
        writer.as_labelme(masks)
    return writer.tally.summary(files=writer.files)


class _Writer:
    """Writes masks in one of the formats, and counts them."""

    def __init__(self, project: Project, settings: ExportMasksSettings, tally: Tally) -> None:
        self.tally = tally
        self.files: list[str] = []
        self._project = project
        self._folder = Path(settings.folder)
        self._replace = settings.replace

    def as_png(self, masks: list[tuple[str, ImageRow]]) -> None:
        """Write a picture for each mask of an image, in a folder for each mask."""
        for name, image in masks:
            if self.tally.should_stop():
                return
            unit = _unit(name, image)
            path = self._folder / file_name(name) / _picture_name(image)
            values = self._values(name, image)
            if _holds(path, values):
                self.tally.skip(unit)
                continue
            with self.tally.unit(unit):
                self._check_free(path)
                write_png(path, values)
                self.files.append(str(path))

    def as_coco(self, masks: list[tuple[str, ImageRow]]) -> None:
        """Write one file with all masks; graded ones are problems."""
        path = self._folder / COCO_FILE
        self._check_free(path)
        # Hard ones are counted when they are written.
        hard = [one for one in masks if self._is_hard(*one, "COCO")]
        if not hard:
            return
        try:
            write_coco(path, self._each(hard))
        except StoppedError:
            self.tally.done = 0
            return
        self.files.append(str(path))

    def as_labelme(self, masks: list[tuple[str, ImageRow]]) -> None:
        """Write a file for each image."""
        by_image: dict[int, list[tuple[str, ImageRow]]] = {}
        for name, image in masks:
            by_image.setdefault(image.id, []).append((name, image))
        images = [several[0][1] for several in by_image.values()]
        paths = self._labelme_paths(images)
        self.tally.total = len(images)
        for several in by_image.values():
            if self.tally.should_stop():
                return
            image = several[0][1]
            hard = [
                (name, self._values(name, image))
                for name, _ in several
                if self._is_hard(name, image, "labelme")
            ]
            if not hard:
                continue
            path = self._folder / paths[image.id]
            with self.tally.unit(image.name):
                self._check_free(path)
                write_labelme(path, self._image_path(image, path), hard)
                self.files.append(str(path))

    def _each(self, masks: list[tuple[str, ImageRow]]) -> Iterator[tuple[str, str, MaskArray]]:
        for name, image in masks:
            if self.tally.should_stop():
                raise StoppedError
            yield image.name, name, self._values(name, image)
            with self.tally.unit(_unit(name, image)):
                pass

    def _is_hard(self, name: str, image: ImageRow, kind: str) -> bool:
        """Return whether a mask fits into files that know inside and outside alone; tell where it does not."""
        try:
            check_hard(self._values(name, image), kind, _unit(name, image))
        except GazeError as error:
            self.tally.fail(error.where, error.what, error.todo)
            return False
        return True

    def _values(self, name: str, image: ImageRow) -> MaskArray:
        stored = self._project.masks.get(name, image.id)
        if stored is None:
            raise GazeError(
                f"The mask '{name}' was removed meanwhile.", where=image.name, todo="Export again."
            )
        return stored.values

    def _check_free(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise GazeError(
                "The image's name leads out of the folder.",
                where=str(path),
                todo="Give the image another name.",
            )
        try:
            is_there = path.exists()
        except OSError as error:
            raise GazeError(
                f"The file cannot be written ({error.strerror or error}).",
                where=str(path),
                todo="Choose another folder, or a shorter name.",
            ) from error
        if is_there and not self._replace:
            raise GazeError(
                "There is another file of that name.",
                where=str(path),
                todo="Choose another folder, or let the file be replaced (--replace).",
            )

    def _labelme_paths(self, images: list[ImageRow]) -> dict[int, str]:
        """Return what the files are called, by image: as labelme does, unless two images would share one."""
        stems = [image.name.rpartition(".")[0] or image.name for image in images]
        folded = [stem.casefold() for stem in stems]
        return {
            image.id: f"{stem if folded.count(stem.casefold()) == 1 else image.name}.json"
            for image, stem in zip(images, stems, strict=True)
        }

    def _image_path(self, image: ImageRow, path: Path) -> str:
        """Return what labelme finds the image by from the folder of its file, or its name where that is kept apart.

        Images outside of the project's folder are only named: where they lie is the user's own.
        """
        file = (self._project.folder / image.path).resolve()
        if not file.is_relative_to(self._project.folder):
            return image.name
        try:
            relative = Path(os.path.relpath(file, path.resolve().parent)).as_posix()
        except ValueError:  # another drive on Windows
            return image.name
        meant = find_images(self._project.images.all(), [relative]).found.get(relative)
        return relative if meant == image else image.name


def _names(project: Project, settings: ExportMasksSettings) -> list[str]:
    known = [one.name for one in project.masks.library()]
    for name in settings.names:
        if name not in known:
            raise GazeError(
                f"The library has no mask '{name}'.",
                todo=f"Its masks are: {', '.join(known)}." if known else "It is empty.",
            )
    return list(dict.fromkeys(settings.names)) or known


def _unit(name: str, image: ImageRow) -> str:
    return f"{image.name} · {name}"


def _picture_name(image: ImageRow) -> str:
    """Return the name of an image's mask: other suffixes than .png stay, so that a.jpg and a.png are told apart."""
    return image.name if image.name.lower().endswith(".png") else f"{image.name}.png"


def _holds(path: Path, values: MaskArray) -> bool:
    try:
        return path.read_bytes() == png_bytes(values)
    except OSError:
        return False
