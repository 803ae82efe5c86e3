"""A number for each vertex, as most files of regions hold them, and how they come to fsaverage5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT
from gazeapp.engine.neural.regions.files.place import hemisphere_of
from gazeapp.engine.neural.regions.names import is_no_region
from gazeapp.engine.types import IntArray

NOWHERE = -1
"""Number of a vertex that is in no region."""
HEMISPHERES = {N_HEMISPHERE: "fsaverage5", 40_962: "fsaverage6", 163_842: "fsaverage"}
"""Vertices of one hemisphere -> the surface; the first 10,242 of each are those of fsaverage5."""
_GRAYORDINATES = frozenset({29_696, 29_716, 32_492, 59_412, 64_984, 91_282, 96_854})
_COARSER = {642: "fsaverage3", 1_284: "fsaverage3", 2_562: "fsaverage4", 5_124: "fsaverage4"}


@dataclass(frozen=True)
class Numbered:
    """What a file with a number for each vertex holds.

    Parameters
    ----------
    values
        Number of the region of each vertex, shape (n_vertices,); below 0 where a vertex is in none.
    names
        Number -> name; a number without one is called by itself.
    hemisphere
        What the file itself says, ``left`` or ``right``; empty if it does not.
    notes
        What is to be known of how it was read, as sentences.
    """

    values: IntArray
    names: Mapping[int, str]
    hemisphere: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """Regions of one hemisphere of fsaverage5.

    Parameters
    ----------
    path
        The file that they come from.
    hemisphere
        ``left`` or ``right``.
    regions
        Name, as the file spells it -> its vertices, ascending, from 0 to 10,241.
    lost
        Names of regions that have no vertex of fsaverage5: they lie between the vertices that are kept.
    n_vertices
        Vertices of one hemisphere of the surface that the file is of; 0 where it does not say.
    notes
        What is to be known of how they were read, as sentences.
    """

    path: Path
    hemisphere: str
    regions: dict[str, IntArray]
    lost: tuple[str, ...] = ()
    n_vertices: int = 0
    notes: tuple[str, ...] = ()


def labels_of(numbered: Numbered, path: Path) -> list[Labels]:
    """Return the regions of each hemisphere that a file is of.

    Raises
    ------
    GazeError
        If the number of vertices is of no surface that fsaverage5 is part of, the hemisphere cannot be told, or the
        file's name contradicts the file.
    """
    n = len(numbered.values)
    if n in HEMISPHERES:
        halves = [(_hemisphere(numbered, path), numbered.values)]
    elif n % 2 == 0 and n // 2 in HEMISPHERES:
        halves = [(LEFT, numbered.values[: n // 2]), (RIGHT, numbered.values[n // 2 :])]
    else:
        raise wrong_count(n, path)
    return [_half(values, hemisphere, numbered, path) for hemisphere, values in halves]


def wrong_count(n: int, path: Path) -> GazeError:
    """Return what is said of a number of vertices that does not fit."""
    todo = "Bring the labels to fsaverage or fsaverage5 first, for example with FreeSurfer's mri_surf2surf."
    if n in _GRAYORDINATES:
        what = (
            f"{n:,} values are those of fs_LR, the surface of the Human Connectome Project, not of fsaverage."
        )
        todo = (
            "Use the same atlas on fsaverage or fsaverage5: vertices of the two do not correspond by number."
        )
    elif n in _COARSER:
        what = f"{n:,} values are those of {_COARSER[n]}, which is coarser than fsaverage5."
        todo = "Use the same atlas on fsaverage5 or fsaverage."
    else:
        what = (
            f"{n:,} values fit no fsaverage surface: a hemisphere has 10,242 vertices (fsaverage5), 40,962 or 163,842. "
            "It may be the surface of one person."
        )
    return GazeError(what, where=path.name, todo=todo)


def cannot_read(path: Path, kind: str, error: Exception) -> GazeError:
    """Return what is said of a file that a reader could not make sense of."""
    if isinstance(error, FileNotFoundError):
        return GazeError("There is no such file.", where=str(path), todo="Check the path.")
    if isinstance(error, PermissionError):
        return GazeError("The file may not be read.", where=str(path), todo="Check its permissions.")
    return GazeError(
        f"This is no {kind} that can be read, or it is damaged.",
        where=path.name,
        todo="Copy it again from where it came, or choose another file.",
    )


def whole_numbers(values: np.ndarray, path: Path) -> IntArray:
    """Return values as whole numbers; those that are not finite become `NOWHERE`.

    Raises
    ------
    GazeError
        If a value lies between whole numbers.
    """
    known = np.isfinite(values)
    rounded = np.where(known, values, NOWHERE).astype(np.int64)
    if not np.array_equal(rounded[known], values[known]):
        raise GazeError(
            "The file holds a measure or a probability for each vertex, not numbers of regions.",
            where=path.name,
            todo="Choose a file of labels, for example a maximum-probability map.",
        )
    return rounded


def _hemisphere(numbered: Numbered, path: Path) -> str:
    named = hemisphere_of(path)
    if named and numbered.hemisphere and named != numbered.hemisphere:
        raise GazeError(
            f"The file is called as of the {named} hemisphere, but says that it is of the {numbered.hemisphere}.",
            where=path.name,
            todo="Left and right may be mixed up: check both files.",
        )
    if not (named or numbered.hemisphere):
        raise GazeError(
            "It cannot be told which hemisphere the file is of.",
            where=path.name,
            todo="Put lh. or rh. before its name, for example lh.my_atlas.csv.",
        )
    return named or numbered.hemisphere


def _half(values: IntArray, hemisphere: str, numbered: Numbered, path: Path) -> Labels:
    first = values[:N_HEMISPHERE]
    regions: dict[str, list[IntArray]] = {}
    lost = []
    for number in np.unique(values[values >= 0]).tolist():
        name = numbered.names.get(number, str(number)).strip()
        if is_no_region(name):
            continue
        vertices = np.flatnonzero(first == number)
        if len(vertices):
            regions.setdefault(name, []).append(vertices)
        else:
            lost.append(name)
    whole = {name: np.unique(np.concatenate(parts)) for name, parts in regions.items()}
    return Labels(
        path, hemisphere, whole, tuple(n for n in lost if n not in whole), len(values), numbered.notes
    )
