"""The maps of a GIFTI file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, RIGHT
from gazeapp.engine.neural.responses.arrays import DAMAGE
from gazeapp.engine.neural.responses.memory import check_memory
from gazeapp.engine.neural.responses.space import is_surface
from gazeapp.engine.types import DoubleArray

_STRUCTURES = {"cortexleft": LEFT, "cortexright": RIGHT}
_NO_DATA = {1002, 1008, 1009}
"""Codes of labels, points and triangles."""


class GiftiMaps:
    """One hemisphere's maps: an array of data for each, or one array of vertices x maps.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    GazeError
        If it cannot be read, or holds other things.
    """

    def __init__(self, path: Path) -> None:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
        from nibabel.gifti.gifti import GiftiImage

        try:
            check_memory(2 * path.stat().st_size, str(path))
            image: Any = nibabel.load(path)
        except (*DAMAGE, ExpatError, AttributeError, LookupError, AssertionError, ImageFileError) as error:
            raise _refused(
                path, f"The file cannot be read ({error}).", "Copy it again, or write it again."
            ) from error
        if not isinstance(image, GiftiImage):
            raise _refused(path, "The file is no GIFTI file.", "Give .func.gii files.")
        self.hemisphere = next(filter(None, map(_structure, [image, *image.darrays])), "")
        self._maps = _stacked(path, image.darrays)
        self.n_maps, self.n_vertices = len(self._maps), len(self._maps[0])

    def map(self, number: int) -> DoubleArray:
        """Return one map, shape (n_vertices,)."""
        return np.asarray(self._maps[number], dtype=np.float64)


def _stacked(path: Path, arrays: Sequence[Any]) -> Sequence[NDArray[Any]]:
    """Return the maps, one array of vertices each."""
    if any(array.intent in _NO_DATA for array in arrays):
        raise _refused(
            path, "The file holds a mesh or labels, not responses.", "Give the file of the data, .func.gii."
        )
    maps = [array.data for array in arrays]
    if len(maps) == 1 and maps[0].ndim == 2:
        maps = list(maps[0] if is_surface(maps[0].shape[1]) else maps[0].T)
    if not maps or not all(one.ndim == 1 and one.size and one.shape == maps[0].shape for one in maps):
        raise _refused(
            path,
            f"The file holds no maps of one surface; its arrays have the shapes {sorted({one.shape for one in maps})}.",
            "Save one array of data for each image.",
        )
    if any(one.dtype.kind not in "iuf" for one in maps):
        raise _refused(path, "The file does not hold real numbers.", "Save them as float32.")
    return maps


def _structure(part: Any) -> str:
    text = dict(part.meta or {}).get("AnatomicalStructurePrimary", "")
    return _STRUCTURES.get(str(text).replace("_", "").lower(), "")


def _refused(path: Path, what: str, todo: str) -> GazeError:
    return GazeError(what, where=str(path), todo=todo)
