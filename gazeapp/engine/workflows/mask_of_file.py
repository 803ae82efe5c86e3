"""A mask file that is named where a mask is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.lesions.masks.files.png import read_png
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.types import MaskArray
from gazeapp.engine.workflows.base import SILENT, Tally
from gazeapp.engine.workflows.masks import free_name
from gazeapp.engine.workflows.masks_files import mask_name
from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks
from gazeapp.engine.workflows.masks_writer import MaskWriter, placed


def take_in(project: Project, text: str, images: Sequence[ImageRow]) -> str:
    """Put the mask of a file into the library, where the text is the path of one, and return the mask's name.

    The file's name is that of the mask. A PNG picture that is named like an image is the mask of that image; files of
    COCO and labelme name their images; and each has to have the size of its image. Any other PNG picture is the mask of
    all of ``images``, of their size or scaled to it, but never distorted.

    Raises
    ------
    GazeError
        If the file cannot be read, does not fit an image, or images have another mask of that name.
    """
    path = Path(text)
    if path.suffix.casefold() not in (".png", ".json"):
        return text
    if not path.is_file():
        raise GazeError(
            "There is no such mask file.",
            where=text,
            todo="Give its path, left, right, or a mask of the library.",
        )
    name = free_name(mask_name(path.stem))
    own = ImageNames([image.name for image in project.images.all()]).find(path.stem)
    if path.suffix.casefold() == ".json" or own is not None:
        summary = import_masks(project, ImportMasksSettings((text,), name), SILENT)
    else:
        values, _ = read_png(path)
        for image in images:
            _check_proportions(values, image, text)
        tally = Tally(project, "import masks", SILENT, len(images))
        writer = MaskWriter(project, tally, replace=False)
        for image in images:
            writer.put(name, image, lambda one: placed(values, one, "fraction"), _origin(path, values, image))
        summary = tally.summary()
    if summary.failed:
        first = summary.problems[0]
        raise GazeError(first.what, where=first.where, todo=first.todo)
    return name


def _check_proportions(values: MaskArray, image: ImageRow, where: str) -> None:
    """Refuse a mask that would have to be distorted to cover an image.

    Sides that differ by what rounding to whole pixels does when a picture is made smaller have the same proportions.
    """
    height, width = values.shape
    rounding = max(width + height, image.width + image.height)
    if 2 * abs(width * image.height - height * image.width) > rounding:
        raise GazeError(
            f"The mask is {width} x {height} px, the image {image.name} {image.width} x {image.height} px: their "
            "proportions differ, so that it does not say which part of that image is meant.",
            where=where,
            todo="Save it at the size of the image, leave images of other proportions out (--image), or name each mask "
            "like its image and use gazeapp import-masks, which asks how to place it.",
        )


def _origin(path: Path, values: MaskArray, image: ImageRow) -> str:
    height, width = values.shape
    same = (height, width) == (image.height, image.width)
    return f"from {path.name}" if same else f"from {path.name}, scaled from {width} x {height} px"
