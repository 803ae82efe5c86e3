"""Telling files of responses from those of maps and recordings."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import N_VERTICES
from gazeapp.engine.neural.responses.arrays import npy_array, npz_arrays
from gazeapp.engine.neural.responses.npz import VALUES
from gazeapp.engine.neural.responses.surfaces import is_surface_file


def is_responses(path: Path) -> bool:
    """Return whether a file surely holds brain responses.

    NPZ files do that have an array ``Y`` beside names of images or regions, or as wide as the surface; NPY files that
    are as wide; GIFTI and MGH files by their kind. Of a table nobody can be sure.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".npz":
            arrays = npz_arrays(path)
            values = arrays.get(VALUES)
            named = {"image_ids", "roi_names"} & arrays.keys()
            return values is not None and (bool(named) or values.shape[-1:] == (N_VERTICES,))
        if suffix == ".npy":
            return npy_array(path).shape[-1:] == (N_VERTICES,)
    except GazeError:
        return False
    return is_surface_file(path)
