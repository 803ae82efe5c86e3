"""FreeSurfer labels (``lh.V1_exvivo.label``): the vertices of one region; several may overlap."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE
from gazeapp.engine.neural.regions.files.numbered import HEMISPHERES, Labels, cannot_read
from gazeapp.engine.neural.regions.files.place import hemisphere_of, key_of
from gazeapp.engine.neural.surface.mesh import INFLATED, PIAL, WHITE, load_mesh
from gazeapp.engine.types import DoubleArray, IntArray

_LARGEST = max(HEMISPHERES)
_COLUMNS = 4
"""Vertex, x, y, z; what follows is not read."""
_FAR = 15.0
"""Distance of a vertex from its place on fsaverage, mm, beyond which a label is of another surface."""


def read_label(path: Path) -> Labels:
    """Read a label of fsaverage or fsaverage5; its vertices beyond the first 10,242 are left out.

    A label does not say of which surface it is. Where it has places, they must be near those that its vertices have
    on the white, pial or inflated surface of fsaverage5.

    Raises
    ------
    GazeError
        If the file is missing or damaged, its hemisphere cannot be told, or its vertices are of another surface or
        of the other hemisphere.
    """
    vertices, places = _read(path)
    hemisphere = hemisphere_of(path)
    if not hemisphere:
        raise GazeError(
            "It cannot be told which hemisphere the label is of.",
            where=path.name,
            todo="Put lh. or rh. before its name, for example lh.V1.label.",
        )
    if len(vertices) and (vertices.min() < 0 or vertices.max() >= _LARGEST):
        raise GazeError(
            f"The label has the vertex {vertices.max():,}; a hemisphere of fsaverage has {_LARGEST:,}.",
            where=path.name,
            todo="Bring it to fsaverage first, for example with FreeSurfer's mri_label2label.",
        )
    kept = vertices < N_HEMISPHERE
    _check_places(vertices[kept], places[kept], hemisphere, path)
    name = key_of(path)
    found = np.unique(vertices[kept])
    if not len(found):
        return Labels(path, hemisphere, {}, (name,))
    return Labels(path, hemisphere, {name: found})


def _read(path: Path) -> tuple[IntArray, DoubleArray]:
    """Return the vertices of a label, and their places, mm."""
    try:
        lines = path.read_text("utf-8").splitlines()
        n = int(lines[1])
        rows = np.array([line.split()[:_COLUMNS] for line in lines[2 : 2 + n]], dtype=np.float64)
        rows = rows.reshape(n, _COLUMNS)
    except (OSError, ValueError, IndexError) as error:
        raise cannot_read(path, "FreeSurfer label", error) from error
    return rows[:, 0].astype(np.int64), rows[:, 1:]


def _check_places(vertices: IntArray, places: DoubleArray, hemisphere: str, path: Path) -> None:
    """Refuse labels whose places say that they are of the other hemisphere, or of another brain."""
    known = np.abs(places).sum(axis=1) > 0
    if not known.any():
        return
    x = float(np.median(places[known, 0]))
    distance = min(
        float(np.median(np.linalg.norm(here[vertices[known]] - places[known], axis=1)))
        for here in (load_mesh(kind, hemisphere).vertices for kind in (WHITE, PIAL, INFLATED))
    )
    if distance <= _FAR:
        return
    if (x > _FAR) if hemisphere == LEFT else (x < -_FAR):
        raise GazeError(
            f"The label is called as of the {hemisphere} hemisphere, but its places lie in the other.",
            where=path.name,
            todo="Left and right may be mixed up: check both files.",
        )
    raise GazeError(
        f"The places in the label lie {distance:.0f} mm from those that its vertices have on fsaverage: it is of "
        "another surface.",
        where=path.name,
        todo="Bring it to fsaverage first, for example with FreeSurfer's mri_label2label.",
    )
