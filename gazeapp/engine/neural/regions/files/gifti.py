"""GIFTI label files (``lh.aparc.label.gii``): one region for each vertex, with names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, RIGHT
from gazeapp.engine.neural.regions.files.numbered import NOWHERE, Numbered, cannot_read, whole_numbers

_STRUCTURE = "AnatomicalStructurePrimary"
_SIDES = {"CortexLeft": LEFT, "CortexRight": RIGHT}


def read_gifti(path: Path) -> Numbered:
    """Read the first map of a label file; number 0 is no region unless the table names it.

    Raises
    ------
    GazeError
        If the file is missing, damaged, or holds no label for each vertex.
    """
    from nibabel.gifti.gifti import GiftiImage

    try:
        image = GiftiImage.from_filename(path)  # type: ignore[no-untyped-call]
        arrays = [np.asarray(one.data) for one in image.darrays]
        names = {int(key): str(name) for key, name in image.labeltable.get_labels_as_dict().items()}
        sides = [_side(one) for one in (image, *image.darrays)]
    except Exception as error:  # a damaged file raises whatever the readers of gzip, XML and base64 raise
        raise cannot_read(path, "GIFTI file", error) from error
    if not arrays or arrays[0].ndim != 1:
        raise GazeError(
            "The GIFTI file has no label for each vertex.",
            where=path.name,
            todo="Choose a label file (.label.gii), not a surface.",
        )
    values = whole_numbers(arrays[0], path)
    if 0 not in names:
        values = np.where(values == 0, NOWHERE, values)
    notes = (
        (f"{path.name} holds {len(arrays)} maps of labels; the first was read.",) if len(arrays) > 1 else ()
    )
    return Numbered(values, names, next(filter(None, sides), ""), notes)


def _side(part: Any) -> str:
    return _SIDES.get(str(part.meta.get(_STRUCTURE, "")), "")
