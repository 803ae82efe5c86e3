"""Bring masks in that were drawn elsewhere: grey pictures, COCO annotations, labelme files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.png import read_png
from gazeapp.engine.lesions.masks.files.reading import SUFFIXES, read_masks
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.types import MaskArray
from gazeapp.engine.workflows.annotations import (
    ImagesByName,
    Placing,
    check_placing,
    find_files,
    find_images,
    some,
)
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.masks import free_name
from gazeapp.engine.workflows.masks_files import mask_name
from gazeapp.engine.workflows.masks_writer import MaskWriter, placed

VERB = "import masks"
_TOGETHER = re.compile(r"\d+ \w+ with this label are taken together\.")
"""A note that is no news here: it is what the verb does with every name."""


@dataclass(frozen=True)
class ImportMasksSettings:
    """Which masks to bring in.

    Parameters
    ----------
    files
        Files, and folders of them. A PNG picture is one mask, of the image that it is named like; JSON files are of
        COCO or labelme and name their images. In folders the images of the project, and pictures that have a JSON
        file of their name beside them, are no masks.
    name
        Name in the library for all of them; empty: the label or category that a file gives, or the folder that a
        picture lies in.
    placing
        What happens with a mask that was made on an image of another size.
    replace
        Whether other masks that the images have under the name may go.
    """

    files: tuple[str, ...]
    name: str = ""
    placing: Placing = "refuse"
    replace: bool = False


def import_masks(project: Project, settings: ImportMasksSettings, progress: Progress) -> Summary:
    """Store the mask of each image under its name; several of one name on one image of a file are taken together.

    One unit is a mask of an image; what is in the project already is skipped. Files that cannot be read, masks of
    another size, of images that are not in the project, or whose run lengths do not fit are one problem each, and the
    rest goes on.

    Returns
    -------
    Summary
        ``details`` has ``masks`` (names), ``images_not_in_project`` and ``notes`` (what is to be known of how masks
        were read, with their places).

    Raises
    ------
    GazeError
        If a path does not exist, the name means a mask already, or what could be read is of no image of the project.
    """
    check_placing(settings.placing)
    if settings.name:
        free_name(settings.name)
    files = find_files(settings.files, SUFFIXES)
    reader = _Import(project, settings, progress, len(files))
    for path, below in files:
        if reader.tally.should_stop():
            break
        progress.report(0, len(files), f"reading {path.name}")
        reader.read(path, below)
    reader.store()
    return reader.summary()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A mask in a file that is still to be drawn, and what the file calls its image."""

    path: Path
    image: str
    draw: Callable[[], MaskArray]


class _Import:
    """Gathers what the files hold, then stores it mask by mask."""

    def __init__(
        self, project: Project, settings: ImportMasksSettings, progress: Progress, n_files: int
    ) -> None:
        self.tally = Tally(project, VERB, progress, n_files)
        self._project = project
        self._settings = settings
        self._where = settings.files[0]
        self._images = project.images.all()
        names = [image.name.casefold() for image in self._images]
        self._image_names = {*names, *(name.rpartition(".")[0] for name in names)}
        self._own = {(project.folder / image.path).resolve() for image in self._images}
        self._entries: dict[str, list[_Entry]] = {}
        self._notes: dict[str, list[str]] = {}
        project.problems.clear(VERB, self._where)
        self._missing: dict[str, None] = {}
        self._unclear: dict[str, None] = {}

    def read(self, path: Path, below: Path) -> None:
        """Take in what one file holds; pictures are not opened before they are stored."""
        self._project.problems.clear(VERB, str(path))
        if self._is_photograph(path):
            return
        folder, image = self._named_by_place(path, below)
        if path.suffix.lower() == ".png":
            self._add(folder, _Entry(path, image, partial(self._picture, path)))
            return
        try:
            found = read_masks(path)
        except GazeError as error:
            self.tally.fail(error.where or str(path), error.what, error.todo, unit=str(path))
            return
        except MemoryError:
            self.tally.fail(
                str(path), "There was not enough memory to read the file.", "Split it into several."
            )
            return
        for one in found:
            self._add(one.label or folder, _Entry(path, one.image or image, one.draw))
            self._note(one.notes, f"{one.image or image} · {one.label}" if one.label else path.name)

    def _is_photograph(self, path: Path) -> bool:
        """Return whether a picture in a folder is what masks were drawn on, and none itself.

        labelme puts its files beside the pictures, under their names.
        """
        if str(path) in self._settings.files or path.suffix.lower() != ".png":
            return False
        beside = (path.with_suffix(".json"), path.with_name(f"{path.name}.json"))
        return path.resolve() in self._own or any(one.is_file() for one in beside)

    def _named_by_place(self, path: Path, below: Path) -> tuple[str, str]:
        """Return what a file without words is taken for: the mask is called like its folder, the image like the file.

        The folder is the one right below that which was given, or that itself, when nothing lies between or the
        whole way is an image's name. What lies deeper belongs to the image's name.
        """
        parts = path.relative_to(below).parts
        whole = "/".join(parts).removesuffix(".json")
        if len(parts) > 1 and whole.casefold().removesuffix(".png") not in self._image_names:
            return mask_name(parts[0]), whole if self._settings.name else whole.partition("/")[2]
        return mask_name(below.resolve().name), whole

    def _add(self, name: str, entry: _Entry) -> None:
        self._entries.setdefault((self._settings.name or name).strip(), []).append(entry)

    def _picture(self, path: Path) -> MaskArray:
        values, notes = read_png(path)
        self._note(notes, path.name)
        return values

    def _note(self, notes: tuple[str, ...], where: str) -> None:
        for note in notes:
            if not _TOGETHER.fullmatch(note):
                self._notes.setdefault(note, []).append(where)

    def store(self) -> None:
        """Store what was read.

        Raises
        ------
        GazeError
            When nothing was that is of an image of the project.
        """
        entries = {name: several for name, several in self._entries.items() if self._is_free(name, several)}
        # Of one name at a time: pictures of other masks have the same names.
        units = {name: self._by_image(several) for name, several in entries.items()}
        n_units = sum(map(len, units.values()))
        cautions = list(ImagesByName({}, tuple(self._missing), tuple(self._unclear)).cautions("masks"))
        if not n_units and not self.tally.failed and not self.tally.cancelled:
            nothing = cautions[0] if cautions else GazeError("There are no masks in the files.")
            raise GazeError(nothing.what, where=", ".join(self._settings.files), todo=nothing.todo)
        for caution in cautions:
            self.tally.problem(self._where, caution.what, caution.todo)
        self.tally.total = self.tally.failed + n_units
        writer = MaskWriter(self._project, self.tally, self._settings.replace)
        by_id = {image.id: image for image in self._images}
        for name, of_images in units.items():
            for image_id, several in of_images.items():
                if self.tally.should_stop():
                    return
                paths = dict.fromkeys(entry.path.name for entry in several)
                writer.put(
                    name, by_id[image_id], partial(self._drawn, several), f"read from {', '.join(paths)}"
                )
        self._say_notes()

    def _is_free(self, name: str, several: list[_Entry]) -> bool:
        """Return whether a mask may have a name that a file gives it; tell why not."""
        unit = f"name {name}"
        self._project.problems.clear(VERB, unit)
        try:
            free_name(name)
        except GazeError as error:
            where = str(several[0].path)
            self.tally.problem(where, error.what, "Import it under another name (--name).", unit=unit)
            self.tally.count_failure(where)
            return False
        return True

    def _by_image(self, several: list[_Entry]) -> dict[int, list[_Entry]]:
        """Return the masks of one name by the ids of their images."""
        names = find_images(self._images, (entry.image for entry in several))
        self._missing.update(dict.fromkeys(names.missing))
        self._unclear.update(dict.fromkeys(names.unclear))
        found: dict[int, list[_Entry]] = {}
        for entry in several:
            if entry.image in names.found:
                found.setdefault(names.found[entry.image].id, []).append(entry)
        return found

    def _drawn(self, several: list[_Entry], image: ImageRow) -> MaskArray:
        """Return what one file has of a mask on an image, at the size of the image."""
        if len(paths := dict.fromkeys(entry.path for entry in several)) > 1:
            raise GazeError(
                f"{len(paths)} files hold this mask: {some([path.name for path in paths])}.",
                where=image.name,
                todo="Keep one of them, or import them under different names (--name).",
            )
        union: MaskArray | None = None
        for entry in several:
            try:
                part = placed(entry.draw(), image, self._settings.placing)
            except GazeError as error:
                raise GazeError(error.what, where=error.where or str(entry.path), todo=error.todo) from error
            union = part if union is None else np.maximum(union, part)
        assert union is not None
        return union

    def _say_notes(self) -> None:
        for note, places in self._notes.items():
            self.tally.problem(self._where, f"{note} So it is with {some(places)}.")

    def summary(self) -> Summary:
        """Return what was done."""
        return self.tally.summary(
            masks=list(self._entries),
            images_not_in_project=len(self._missing) + len(self._unclear),
            notes=self._notes,
        )
