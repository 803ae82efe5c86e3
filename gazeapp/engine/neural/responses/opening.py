"""Opening responses: which reader a path is for."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.folder import read_folder
from gazeapp.engine.neural.responses.hemispheres import pair_with, subject_of
from gazeapp.engine.neural.responses.npy import read_npy
from gazeapp.engine.neural.responses.npz import read_npz
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import RawResponses
from gazeapp.engine.neural.responses.surfaces import is_surface_file, read_surfaces
from gazeapp.engine.neural.responses.table import read_table

TABLES = frozenset({".csv", ".tsv", ".txt"})
FORMATS = "NPZ, NPY, GIFTI (.func.gii), .mgh, .mgz, CSV, TSV, or a folder"


def open_responses(path: Path, options: ResponseOptions) -> RawResponses:
    """Return what a file or folder holds; its values are read later.

    Raises
    ------
    GazeError
        If there is no such file, it is of no known format, or cannot be read.
    """
    if path.is_dir():
        return read_folder(path, options)
    if not path.is_file():
        raise GazeError("There is no such file or folder.", where=str(path), todo="Check the path.")
    name = path.name.lower()
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix == ".npz":
        return read_npz(path, options)
    if suffix == ".npy":
        return read_npy(path, options)
    if is_surface_file(path):
        pair = pair_with(path)
        return read_surfaces(pair, options, options.subject or subject_of(path.name))
    if suffix in TABLES:
        return read_table(path, options)
    raise GazeError(
        f"Responses are not read from {f'files of the kind “{suffix}”' if suffix else 'files without a suffix'}.",
        where=str(path),
        todo=f"Give {FORMATS}.",
    )
