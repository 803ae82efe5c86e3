"""Reading maps that were made elsewhere: NPY, NPZ and grey pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.types import FloatArray

MAP_SUFFIXES = frozenset({".npy", ".npz", ".png", ".jpg", ".jpeg", ".tif", ".tiff"})


def read_map(path: Path) -> FloatArray:
    """Read one map.

    Parameters
    ----------
    path
        ``.npy`` with a 2-D array, ``.npz`` whose first array is 2-D, or a grey picture.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), float32, non-negative, sums to 1.

    Raises
    ------
    GazeError
        If the file cannot be read, is not 2-D, or holds negative or non-finite numbers or only zeros.
    """
    values = _values(path)
    if values.ndim != 2 or not values.size:
        raise GazeError(
            f"The map has the shape {values.shape}; rows x columns are needed.",
            where=str(path),
            todo="Save it as 2-D.",
        )
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise GazeError("The map does not hold real numbers.", where=str(path), todo="Save it as float32.")
    values = values.astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0:
        raise GazeError(
            "The map holds numbers that are negative or not finite.",
            where=str(path),
            todo="Save densities or saliencies of 0 and above (for log densities, take the exponential first).",
        )
    total = values.sum()
    if total <= 0:
        raise GazeError("The map is zero everywhere.", where=str(path), todo="Check how it was made.")
    normal: FloatArray = (values / total).astype(np.float32)
    return normal


def _values(path: Path) -> NDArray[Any]:
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                if not archive.files:
                    raise GazeError("The archive is empty.", where=str(path), todo="Save one array in it.")
                return np.asarray(archive[archive.files[0]])
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise GazeError(
            f"The map cannot be read ({error}).", where=str(path), todo="Save it again with numpy.save."
        ) from error
    pixels, _ = read_picture(path)
    grey: NDArray[Any] = pixels.mean(axis=2)
    return grey
