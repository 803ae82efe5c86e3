"""The maps of a FreeSurfer file, .mgh or .mgz."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.arrays import DAMAGE
from gazeapp.engine.neural.responses.memory import check_memory
from gazeapp.engine.neural.responses.space import is_surface
from gazeapp.engine.types import DoubleArray


class MghMaps:
    """One hemisphere's maps, of an array (vertices, 1, 1, maps) or (maps, 1, 1, vertices).

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    GazeError
        If it cannot be read, or is of another shape.
    """

    hemisphere = ""

    def __init__(self, path: Path) -> None:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
        from nibabel.freesurfer.mghformat import MGHError
        from nibabel.spatialimages import HeaderDataError, ImageDataError

        damage = (struct.error, AttributeError, ImageFileError, MGHError, HeaderDataError, ImageDataError)
        try:
            image: Any = nibabel.load(path)
            shape = tuple(int(length) for length in image.shape)
            if len([length for length in shape if length > 1]) > 2 or not all(length > 0 for length in shape):
                raise GazeError(
                    f"The file is a volume of {' x '.join(map(str, shape))}, not maps of a surface.",
                    where=str(path),
                    todo="Give responses on the surface, resampled to fsaverage5.",
                )
            check_memory(math.prod(shape) * image.get_data_dtype().itemsize, str(path))
            data = np.asarray(image.dataobj)
        except (*DAMAGE, *damage) as error:
            raise GazeError(
                f"The file cannot be read ({error}).",
                where=str(path),
                todo="Copy it again, or write it again.",
            ) from error
        # FreeSurfer puts vertices first and maps last; a surface may also be folded over the first three axes.
        table = data.reshape(-1, shape[3] if len(shape) > 3 else 1, order="F")
        self._maps = table if not is_surface(table.shape[1]) or is_surface(len(table)) else table.T
        self.n_vertices, self.n_maps = self._maps.shape

    def map(self, number: int) -> DoubleArray:
        """Return one map, shape (n_vertices,)."""
        return np.asarray(self._maps[:, number], dtype=np.float64)
