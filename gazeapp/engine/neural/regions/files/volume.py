"""FreeSurfer volumes with a number for each vertex (``lh.wang15_mplbl.mgz``), with or without a table of names."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.regions.files.name_table import names_for
from gazeapp.engine.neural.regions.files.numbered import NOWHERE, Numbered, cannot_read, whole_numbers

_GZIP = b"\x1f\x8b"


def read_volume(path: Path, names_file: Path | None = None) -> Numbered:
    """Read a volume of labels; 0, numbers below it and what is not a number are in no region.

    Raises
    ------
    GazeError
        If the file is missing, damaged, or holds several maps or no whole numbers.
    """
    from nibabel.freesurfer.mghformat import MGHImage

    try:
        content = path.read_bytes()
        image = MGHImage.from_bytes(gzip.decompress(content) if content[:2] == _GZIP else content)
        shape = tuple(size for size in image.shape if size > 1)
        values = np.asarray(image.dataobj).reshape(-1) if len(shape) == 1 else np.empty(0)
    except Exception as error:  # a damaged file raises whatever the readers of gzip and of headers raise
        raise cannot_read(path, "FreeSurfer volume", error) from error
    if len(shape) != 1:
        raise GazeError(
            f"The file has {' x '.join(map(str, shape)) or 'single'} values where one for each vertex is needed.",
            where=path.name,
            todo="Choose a file with one number for each vertex, for example a maximum-probability map.",
        )
    numbers = whole_numbers(values, path)
    numbers = np.where(numbers > 0, numbers, NOWHERE)
    names, notes = names_for(numbers, path, names_file)
    return Numbered(numbers, names, notes=notes)
