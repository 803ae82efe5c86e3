"""FreeSurfer annotations (``lh.aparc.annot``): one region for each vertex, with names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.regions.files.numbered import Numbered, cannot_read, wrong_count

_HEADER = 4
_ROW = 8
"""Bytes of the number of vertices, and of each vertex."""


def read_annot(path: Path) -> Numbered:
    """Read an annotation.

    Raises
    ------
    GazeError
        If the file is missing, damaged, or has no names.
    """
    from nibabel.freesurfer.io import read_annot as read

    try:
        _check_length(path)
        rows, _, names = read(path)  # type: ignore[no-untyped-call]
    except GazeError:
        raise
    except Exception as error:  # a damaged file raises whatever comes of reading its bytes as counts
        raise cannot_read(path, "FreeSurfer annotation", error) from error
    decoded = {row: name.decode("utf-8", "replace") for row, name in enumerate(names)}
    return Numbered(rows.astype(np.int64), decoded)


def _check_length(path: Path) -> None:
    """Refuse a file that is too short for the vertices it speaks of, before memory is taken for them."""
    with path.open("rb") as file:
        n = int.from_bytes(file.read(_HEADER), "big", signed=True)
    if n <= 0 or path.stat().st_size < _HEADER + n * _ROW:
        raise cannot_read(path, "FreeSurfer annotation", ValueError(f"{n} vertices"))
    if path.stat().st_size < _HEADER + n * _ROW + _HEADER:
        raise GazeError(
            "The annotation has no table of names.",
            where=path.name,
            todo="Save it with its colour table, as FreeSurfer does.",
        )
    if n > 10**6:
        raise wrong_count(n, path)
