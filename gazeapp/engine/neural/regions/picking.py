"""Regions picked by hand: grown from a vertex, or drawn around on the flat cortex; and how large a region is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import BOTH, LEFT, N_HEMISPHERE, N_VERTICES, RIGHT, Region
from gazeapp.engine.neural.surface.mesh import FLAT, WHITE, load_mesh
from gazeapp.engine.types import DoubleArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SHIFT = {LEFT: 0, RIGHT: N_HEMISPHERE}


@dataclass(frozen=True, slots=True)
class RegionSize:
    """How large a region is.

    Parameters
    ----------
    hemisphere
        ``left``, ``right`` or ``both``, by its vertices.
    n_vertices
        Vertices of fsaverage5.
    area_mm2
        Area on the white surface of fsaverage5, mm2: a third of each triangle belongs to each of its corners.
    """

    hemisphere: str
    n_vertices: int
    area_mm2: float


def grow(vertex: int, *, rings: int | None = None, mm: float | None = None) -> IntArray:
    """Return the vertices around one.

    Parameters
    ----------
    vertex
        From 0 to 20,483.
    rings
        Steps from neighbour to neighbour; 0 is the vertex alone.
    mm
        Length of the way along the edges of the white surface, mm. It is a little longer than the straight way over
        the surface.

    Returns
    -------
    numpy.ndarray
        Ascending, the vertex among them, all of its hemisphere.

    Raises
    ------
    ValueError
        If not just one of ``rings`` and ``mm`` is given, or it is below 0, or there is no such vertex.
    """
    from scipy.sparse.csgraph import dijkstra

    reach = rings if mm is None else mm
    if reach is None or (rings is not None and mm is not None) or not reach >= 0:
        raise ValueError(f"give one of rings ({rings}) and mm ({mm}), of at least 0")
    if not 0 <= vertex < N_VERTICES:
        raise ValueError(f"there is no vertex {vertex}")
    hemisphere = LEFT if vertex < N_HEMISPHERE else RIGHT
    ways = dijkstra(
        _edges(hemisphere),
        directed=False,
        indices=vertex - _SHIFT[hemisphere],
        unweighted=mm is None,
        limit=float(reach),
    )
    return np.flatnonzero(np.isfinite(ways)) + _SHIFT[hemisphere]


def inside(polygon: ArrayLike, hemisphere: str) -> IntArray:
    """Return the vertices that a polygon on the flat surface of a hemisphere encloses.

    Where the polygon crosses itself, what is enclosed twice is outside (even-odd rule).

    Parameters
    ----------
    polygon
        Corners in order, shape (n, 2): x and y of the flat mesh. Fewer than three enclose nothing.
    hemisphere
        ``left`` or ``right``.

    Returns
    -------
    numpy.ndarray
        Ascending, from 0 to 20,483; vertices that the flat surface leaves out are never among them.
    """
    corners = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    mesh = load_mesh(FLAT, hemisphere)
    x, y = mesh.vertices[:, 0].astype(np.float64), mesh.vertices[:, 1].astype(np.float64)
    enclosed = np.zeros(N_HEMISPHERE, dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y >= min(y0, y1)) & (y < max(y0, y1))
        enclosed ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return np.flatnonzero(enclosed & mesh.used) + _SHIFT[hemisphere]


def region_size(region: Region) -> RegionSize:
    """Return how large a region is."""
    left = bool((region.vertices < N_HEMISPHERE).any())
    right = bool((region.vertices >= N_HEMISPHERE).any())
    hemisphere = BOTH if left and right else LEFT if left else RIGHT
    return RegionSize(hemisphere, len(region.vertices), float(_areas()[region.vertices].sum()))


def regions_of_vertices(name: str, vertices: ArrayLike) -> tuple[Region, ...]:
    """Return a region for each hemisphere in which there are vertices, left first.

    Raises
    ------
    GazeError
        If there is no vertex, or one that fsaverage5 does not have.
    """
    all_of_them = np.unique(np.asarray(vertices, dtype=np.int64))
    if not len(all_of_them):
        raise GazeError(f"The region “{name}” would have no vertex.", todo="Pick at least one.")
    if all_of_them[0] < 0 or all_of_them[-1] >= N_VERTICES:
        raise GazeError(
            f"The region “{name}” has vertices that fsaverage5 does not have.",
            todo=f"Vertices are numbered from 0 to {N_VERTICES - 1:,}, the left hemisphere's first.",
        )
    left = all_of_them < N_HEMISPHERE
    parts: Sequence[tuple[str, IntArray]] = ((LEFT, all_of_them[left]), (RIGHT, all_of_them[~left]))
    return tuple(Region(name, side, part) for side, part in parts if len(part))


@lru_cache(maxsize=2)
def _edges(hemisphere: str) -> csr_array:
    """Return the lengths of the edges of the white surface, mm, each in both directions."""
    from scipy.sparse import csr_array

    mesh = load_mesh(WHITE, hemisphere)
    pairs = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    ends = mesh.vertices[pairs].astype(np.float64)
    lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    return csr_array((lengths, (pairs[:, 0], pairs[:, 1])), shape=(N_HEMISPHERE, N_HEMISPHERE))


@lru_cache(maxsize=1)
def _areas() -> DoubleArray:
    """Return the area of the white surface that belongs to each vertex, mm2, shape (20484,)."""
    areas = np.zeros(N_VERTICES)
    for hemisphere, shift in _SHIFT.items():
        mesh = load_mesh(WHITE, hemisphere)
        corners = mesh.vertices[mesh.faces].astype(np.float64)
        spanned = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        thirds = np.linalg.norm(spanned, axis=1) / 6
        for corner in range(3):
            np.add.at(areas, mesh.faces[:, corner] + shift, thirds)
    return areas
