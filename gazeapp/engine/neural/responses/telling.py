"""Telling files of responses from those of maps and recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.reading import guess_formats
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.neural.records import N_VERTICES
from gazeapp.engine.neural.responses.arrays import npy_array, npz_arrays
from gazeapp.engine.neural.responses.matching import match_rows
from gazeapp.engine.neural.responses.npz import VALUES
from gazeapp.engine.neural.responses.opening import TABLES
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.surfaces import is_surface_file
from gazeapp.engine.neural.responses.table import LONG, read_table

_LARGEST_TABLE = 8_000_000
"""Bytes of a table that is read to tell what it is: 10,000 images and 80 regions."""


def is_responses(path: Path) -> bool:
    """Return whether a file surely holds brain responses.

    NPZ files do that have an array ``Y`` beside names of images or regions, or as wide as the surface; NPY files that
    are as wide; GIFTI and MGH files by their kind. Of a table see :func:`is_response_table`.
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


def is_response_table(path: Path, image_names: Sequence[str]) -> bool:
    """Return whether a table surely holds responses of regions to images of these names.

    Each of its rows is of one of the images, no image stands there twice for a person, all else are numbers, and no
    format of recordings could be meant; or it has the columns image, roi and value.
    """
    try:
        if Path(path.name.lower().removesuffix(".gz")).suffix not in TABLES:
            return False
        if path.stat().st_size > _LARGEST_TABLE or guess_formats(Source(path)):
            return False
        raw = read_table(path, ResponseOptions())
    except (GazeError, OSError):
        return False
    once = raw.form == LONG or len(set(raw.entries)) == len(raw.entries)
    return once and not raw.cautions and not match_rows(raw, ResponseOptions(), image_names).left_out
