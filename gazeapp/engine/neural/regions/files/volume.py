"""FreeSurfer volumes with a number for each vertex (``lh.wang15_mplbl.mgz``), with or without a table of names."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.regions.files.name_table import names_beside, read_names
from gazeapp.engine.neural.regions.files.numbered import NOWHERE, Numbered, cannot_read, whole_numbers
from gazeapp.engine.neural.regions.files.place import key_of
from gazeapp.engine.neural.regions.known import known_atlas

_GZIP = b"\x1f\x8b"


def read_volume(path: Path, names_file: Path | None = None) -> Numbered:
    """Read a volume of labels; 0, numbers below it and what is not a number are in no region.

    The names come from ``names_file``, else from a colour table beside the file, else from what is known of atlases
    of that name; else each number is its own name.

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
    names = _names(path, names_file)
    notes = () if names else (f"No names are known of the numbers in {path.name}: they are their own names.",)
    return Numbered(np.where(numbers > 0, numbers, NOWHERE), names, notes=notes)


def _names(path: Path, names_file: Path | None) -> dict[int, str]:
    if names_file is not None:
        return read_names(names_file)
    beside = names_beside(path)
    if beside is not None:
        return read_names(beside)
    known = known_atlas(key_of(path))
    return known.names if known else {}
