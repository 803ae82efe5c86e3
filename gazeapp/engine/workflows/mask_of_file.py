"""A mask file that is named where a mask is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.lesions.masks.files.png import read_png
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.workflows.base import SILENT, Tally
from gazeapp.engine.workflows.masks import free_name
from gazeapp.engine.workflows.masks_files import mask_name
from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks
from gazeapp.engine.workflows.masks_writer import MaskWriter, placed


def take_in(project: Project, text: str, images: Sequence[ImageRow]) -> str:
    """Put the mask of a file into the library, where the text is the path of one, and return the mask's name.

    The file's name is that of the mask. A PNG picture that is named like an image is the mask of that image; any other
    is the mask of all of ``images``, stretched to each. Files of COCO and labelme name their images.

    Raises
    ------
    GazeError
        If the file cannot be read, or images have another mask of that name.
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
        summary = import_masks(project, ImportMasksSettings((text,), name, "fraction"), SILENT)
    else:
        values, _ = read_png(path)
        tally = Tally(project, "import masks", SILENT, len(images))
        writer = MaskWriter(project, tally, replace=False)
        for image in images:
            writer.put(
                name, image, lambda one: placed(values, one, "fraction"), f"from {path.name}, by fraction"
            )
        summary = tally.summary()
    if summary.failed:
        first = summary.problems[0]
        raise GazeError(first.what, where=first.where, todo=first.todo)
    return name
