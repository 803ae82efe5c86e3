"""The meshes of fsaverage5 and its folds, read from the data files that nilearn brings.

The files are found by the place of the package and read with nibabel; no code of nilearn runs. They are FreeSurfer's
average of 40 brains (Fischl et al., 1999, Human Brain Mapping 8, 272-284), thinned to 10,242 vertices a hemisphere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import FSAVERAGE5, LEFT, N_HEMISPHERE, RIGHT
from gazeapp.engine.resources import package_folder
from gazeapp.engine.types import BoolArray, FloatArray

INFLATED, FLAT, PIAL, WHITE, SPHERE = "inflated", "flat", "pial", "white", "sphere"
KINDS = (INFLATED, FLAT, PIAL, WHITE, SPHERE)
HEMISPHERES = (LEFT, RIGHT)

_FILES = {INFLATED: "infl", FLAT: "flat", PIAL: "pial", WHITE: "white", SPHERE: "sphere"}
_ADVICE = "Install nilearn again (pip install --force-reinstall nilearn); it brings the meshes."


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of one hemisphere.

    Parameters
    ----------
    vertices
        Places, shape (10,242, 3), float32, mm: x to the right, y to the front, z up. Of the flat surface x and y
        alone mean something.
    faces
        Numbers of the three vertices of each triangle, shape (n, 3), int32, counter-clockwise seen from outside.
        The flat surface is cut open and lacks the medial wall, so that some vertices are in no triangle.
    """

    vertices: FloatArray
    faces: NDArray[np.int32]

    @cached_property
    def used(self) -> BoolArray:
        """Whether each vertex is in a triangle, shape (n_vertices,)."""
        used = np.zeros(len(self.vertices), dtype=np.bool_)
        used[self.faces] = True
        return used

    @cached_property
    def key(self) -> str:
        """What the mesh is known by: hexadecimal, the same for the same numbers."""
        digest = hashlib.sha256(np.ascontiguousarray(self.vertices).tobytes())
        digest.update(np.ascontiguousarray(self.faces).tobytes())
        return digest.hexdigest()[:16]


@lru_cache(maxsize=len(KINDS) * len(HEMISPHERES))
def load_mesh(kind: str, hemisphere: str) -> Mesh:
    """Return a surface of fsaverage5.

    Parameters
    ----------
    kind
        ``inflated``, ``flat``, ``pial``, ``white`` or ``sphere``.
    hemisphere
        ``left`` or ``right``; vertex k of the right hemisphere is vertex 10,242 + k of responses.

    Raises
    ------
    GazeError
        If the file is missing or damaged.
    """
    if kind not in KINDS or hemisphere not in HEMISPHERES:
        raise ValueError(f"there is no surface {kind!r} of the hemisphere {hemisphere!r}")
    vertices, faces = _read(f"{_FILES[kind]}_{hemisphere}.gii.gz", 2)
    mesh = Mesh(_frozen(vertices.astype(np.float32)), _frozen(faces.astype(np.int32)))
    _ = mesh.used, mesh.key  # known before the mesh is shared by threads
    return mesh


@lru_cache(maxsize=len(HEMISPHERES))
def load_sulci(hemisphere: str) -> FloatArray:
    """Return the depth of the folds of fsaverage5: above 0 in a sulcus, below 0 on a gyrus.

    Parameters
    ----------
    hemisphere
        ``left`` or ``right``.

    Returns
    -------
    numpy.ndarray
        Shape (10,242,), float32, FreeSurfer's ``sulc``.

    Raises
    ------
    GazeError
        If the file is missing or damaged.
    """
    if hemisphere not in HEMISPHERES:
        raise ValueError(f"there is no hemisphere {hemisphere!r}")
    (depth,) = _read(f"sulc_{hemisphere}.gii.gz", 1)
    return _frozen(depth.astype(np.float32))


def mesh_folder() -> Path:
    """Return the folder in which nilearn keeps the meshes of fsaverage5.

    Raises
    ------
    GazeError
        If nilearn is not installed.
    """
    folder = package_folder("nilearn")
    if folder is None:
        raise GazeError(
            "The cortex cannot be drawn: nilearn, which brings its meshes, is missing.", todo=_ADVICE
        )
    return folder / "datasets" / "data" / FSAVERAGE5


def _read(name: str, n_arrays: int) -> tuple[NDArray[Any], ...]:
    """Return the arrays of a GIFTI file, each with a row for each vertex but that of the triangles."""
    import nibabel

    path = mesh_folder() / name
    try:
        image: Any = nibabel.load(path)
        arrays = tuple(np.asarray(each.data) for each in image.darrays)
    except FileNotFoundError as error:
        raise GazeError("A mesh of the cortex is not there.", where=str(path), todo=_ADVICE) from error
    except Exception as error:  # a damaged file raises whatever the readers of gzip, XML and base64 raise
        raise GazeError(
            f"A mesh of the cortex cannot be read ({error}).", where=str(path), todo=_ADVICE
        ) from error
    if len(arrays) != n_arrays or len(arrays[0]) != N_HEMISPHERE:
        raise GazeError("A mesh of the cortex is not that of fsaverage5.", where=str(path), todo=_ADVICE)
    return arrays


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
