"""Several views of the cortex in one picture, and what is seen at each of its pixels."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, N_VERTICES
from gazeapp.engine.neural.surface.cache import picture_places, view_raster, view_shape
from gazeapp.engine.neural.surface.mesh import FLAT, load_mesh, load_sulci
from gazeapp.engine.neural.surface.views import GAP_MM, MARGIN_MM, Layout, View, best_layout, camera
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

MOST_PIXELS = 2_500_000
"""Pixels of a picture beyond which it is drawn smaller and scaled up."""
_MOST_KEPT = 12
_STEP = 2.0 ** (1.0 / 3.0)
"""Ratio of the scales in which views are drawn, so that few sizes are kept."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a view stands in a picture.

    Parameters
    ----------
    view
        What it shows.
    left, top, width, height
        Its place, px.
    """

    view: View
    left: int
    top: int
    width: int
    height: int

    def holds(self, x: float, y: float) -> bool:
        """Return whether a place of the picture, px, is in the view."""
        return self.left <= x < self.left + self.width and self.top <= y < self.top + self.height


@dataclass(frozen=True, slots=True)
class Spot:
    """What is seen at a place of a picture.

    Parameters
    ----------
    vertex
        Nearest vertex, 0 to 20,483.
    row
        Row in the arrays of the scene.
    tile
        The view.
    """

    vertex: int
    row: int
    tile: Tile


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture of the cortex without its colours.

    Parameters
    ----------
    height, width
        Size, px.
    scale
        px per mm.
    tiles
        The views.
    pixels
        Pixels that show the cortex, view by view, counted row by row, shape (n,).
    vertices
        Vertices of the face seen in each, 0 to 20,483, shape (n, 3).
    weights
        Weights of these vertices, shape (n, 3), float32; they sum to 1.
    coverage
        Share of each pixel that the cortex covers, in 255ths, shape (n,), uint8.
    """

    height: int
    width: int
    scale: float
    tiles: tuple[Tile, ...]
    pixels: IntArray
    vertices: NDArray[np.int32]
    weights: FloatArray
    coverage: NDArray[np.uint8]
    _kept: OrderedDict[object, Any] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, key: object, make: Callable[[], Any]) -> Any:
        """Return what ``make`` gives, made once for ``key`` and kept with the scene; the twelve used last are."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return made

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """Row of each pixel in the arrays, shape (height, width), -1 beside the cortex."""
        rows = np.full(self.height * self.width, -1, dtype=np.int32)
        rows[self.pixels] = np.arange(len(self.pixels), dtype=np.int32)
        return rows.reshape(self.height, self.width)

    @cached_property
    def nearest(self) -> NDArray[np.int32]:
        """The vertex nearest to each pixel, shape (n,)."""
        best = self.weights.argmax(axis=1)
        nearest: NDArray[np.int32] = self.vertices[np.arange(len(best)), best]
        return nearest

    @cached_property
    def facing(self) -> FloatArray:
        """How far the surface is turned to the viewer at each pixel: 1 is fully, 0 is not at all, shape (n,)."""
        facing = np.ones(len(self.pixels), dtype=np.float32)
        rows = self.rows
        for tile in self.tiles:
            if tile.view.surface == FLAT:
                continue
            part = rows[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
            part = part[part >= 0]
            turned = np.zeros(N_VERTICES, dtype=np.float32)
            first = _first(tile.view)
            turned[first : first + N_HEMISPHERE] = (
                _normals(tile.view.surface, tile.view.hemisphere) @ camera(tile.view)[2]
            )
            facing[part] = np.einsum("ij,ij->i", turned[self.vertices[part]], self.weights[part])
        clipped: FloatArray = np.clip(facing, 0.0, 1.0)
        return clipped

    @cached_property
    def folds(self) -> FloatArray:
        """Depth of the folds at each pixel, shape (n,), as in :func:`gazeapp.engine.neural.surface.mesh.load_sulci`."""
        return self.between(np.concatenate([load_sulci(side) for side in ("left", "right")]))

    def between(self, values: FloatArray) -> FloatArray:
        """Return values of vertices, shape (20,484,), at each pixel, shape (n,): linear within faces.

        Where vertices have no value (NaN), those that have count; a pixel has none where these weigh less than half.
        """
        known = np.isfinite(values)
        if known.all():
            return self._blend(values)
        weight = self._blend(known.astype(np.float32))
        blended = self._blend(np.where(known, values, np.float32(0.0)))
        with np.errstate(invalid="ignore", divide="ignore"):
            shown: FloatArray = np.where(weight >= 0.5, blended / weight, np.float32(np.nan))
        return shown

    def spot(self, x: float, y: float) -> Spot | None:
        """Return what is seen at a place, px; None beside the cortex."""
        column, line = int(np.floor(x)), int(np.floor(y))
        if not (0 <= column < self.width and 0 <= line < self.height):
            return None
        row = int(self.rows[line, column])
        if row < 0:
            return None
        tile = next(tile for tile in self.tiles if tile.holds(column, line))
        return Spot(int(self.nearest[row]), row, tile)

    def places(self, tile: Tile) -> DoubleArray:
        """Return where the vertices of a view's hemisphere lie in the picture, x and y, px, shape (10,242, 2)."""
        places: DoubleArray = picture_places(tile.view, self.scale)[:, :2] + (tile.left, tile.top)
        return places

    def mesh_place(self, tile: Tile, x: float, y: float) -> tuple[float, float]:
        """Return x and y of the flat surface, mm, at a place of the picture, px."""
        mesh = load_mesh(tile.view.surface, tile.view.hemisphere)
        origin = self.places(tile)[0]
        first = mesh.vertices[0]
        return (
            float(first[0] + (x - origin[0]) / self.scale),
            float(first[1] - (y - origin[1]) / self.scale),
        )

    def picture_place(self, tile: Tile, x: float, y: float) -> tuple[float, float]:
        """Return the place of the picture, px, of x and y of the flat surface, mm."""
        origin = self.places(tile)[0]
        first = load_mesh(tile.view.surface, tile.view.hemisphere).vertices[0]
        return (
            float(origin[0] + (x - first[0]) * self.scale),
            float(origin[1] - (y - first[1]) * self.scale),
        )

    def visible(self) -> BoolArray:
        """Return whether each vertex is the nearest one of a pixel, shape (20,484,)."""
        seen = np.zeros(N_VERTICES, dtype=np.bool_)
        seen[self.nearest] = True
        return seen

    def _blend(self, values: FloatArray) -> FloatArray:
        blended: FloatArray = self._matrix @ np.ascontiguousarray(values, dtype=np.float32)
        return blended

    @cached_property
    def _matrix(self) -> Any:
        from scipy.sparse import csr_array

        n = len(self.pixels)
        starts = np.arange(0, 3 * n + 1, 3, dtype=np.int32)
        columns = self.vertices.ravel()
        return csr_array((self.weights.ravel(), columns, starts), shape=(n, N_VERTICES))


def scene_for(name: str, width: float, height: float) -> Scene:
    """Return the picture of a scene for a room of ``width`` x ``height`` px.

    It is as large as the room or up to 26 % larger, and smaller only where it would have over 2.5 million pixels.

    Parameters
    ----------
    name
        A scene as in :func:`gazeapp.engine.neural.surface.views.layouts`.
    width, height
        The room, px.

    Raises
    ------
    GazeError
        If the meshes cannot be read.
    """
    layout, scale = best_layout(name, max(width, 32.0), max(height, 32.0))
    most = scale * np.sqrt(MOST_PIXELS / max(width * height, 1.0))
    step = np.ceil(np.log(scale) / np.log(_STEP) - 1e-6)
    return scene(layout, float(min(_STEP**step, _STEP ** np.floor(np.log(most) / np.log(_STEP)))))


@lru_cache(maxsize=3)
def scene(layout: Layout, scale: float) -> Scene:
    """Return a layout drawn at ``scale`` px per mm.

    Raises
    ------
    GazeError
        If the meshes cannot be read.
    """
    tiles, height, width = _place(layout, scale)
    pixels, vertices, weights, coverage = [], [], [], []
    for tile in tiles:
        raster = view_raster(tile.view, scale)
        line, column = np.divmod(raster.pixels.astype(np.int64), tile.width)
        pixels.append((line + tile.top) * width + column + tile.left)
        faces = load_mesh(tile.view.surface, tile.view.hemisphere).faces[raster.faces]
        vertices.append(faces + np.int32(_first(tile.view)))
        second, third = raster.weights.T
        first = np.maximum(1.0 - second - third, 0.0)
        weights.append(np.stack([first, second, third], axis=1) / (first + second + third)[:, None])
        coverage.append(raster.coverage)
    return Scene(
        height,
        width,
        scale,
        tiles,
        np.concatenate(pixels),
        np.concatenate(vertices),
        np.concatenate(weights),
        np.concatenate(coverage),
    )


def _place(layout: Layout, scale: float) -> tuple[tuple[Tile, ...], int, int]:
    """Return the tiles of a layout, each row in the middle of the picture, and its height and width, px."""
    gap, margin = round(GAP_MM * scale), round(MARGIN_MM * scale)
    sizes = [[view_shape(view, scale) for view in row] for row in layout]
    widths = [sum(size[1] for size in row) + gap * (len(row) - 1) for row in sizes]
    width = max(widths) + 2 * margin
    tiles, top = [], margin
    for row, row_sizes, row_width in zip(layout, sizes, widths, strict=True):
        tallest = max(size[0] for size in row_sizes)
        left = (width - row_width) // 2
        for view, (tall, wide) in zip(row, row_sizes, strict=True):
            tiles.append(Tile(view, left, top + (tallest - tall) // 2, wide, tall))
            left += wide + gap
        top += tallest + gap
    return tuple(tiles), top - gap + margin, width


def _first(view: View) -> int:
    return 0 if view.hemisphere == LEFT else N_HEMISPHERE


@lru_cache(maxsize=8)
def _normals(surface: str, hemisphere: str) -> DoubleArray:
    """Return the directions in which the surface points at its vertices, shape (n_vertices, 3), unit length."""
    mesh = load_mesh(surface, hemisphere)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    of_faces = np.cross(b - a, c - a)
    normals = np.stack(
        [
            np.bincount(mesh.faces.ravel(), np.repeat(of_faces[:, axis], 3), len(mesh.vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: DoubleArray = normals / np.maximum(lengths, 1e-12)
    return unit
