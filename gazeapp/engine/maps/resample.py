"""From a map on its grid to a map with one value a pixel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import FloatArray, Rect

_LARGE = 256
"""Cells on a side from which weights are sparse in the product and too large to keep."""


def to_image(values: ArrayLike, rect: Rect, height: int, width: int) -> FloatArray:
    """Return a map resampled to the pixels of its image.

    Grid cells and pixels are areas: cell (i, j) covers its share of ``rect`` and its value sits at
    the cell's centre (the convention that torch calls ``align_corners=False``). Between centres the
    value is bilinear; within half a cell of the border of ``rect`` it is the outermost cell's.
    Where the grid is finer than the pixels, the triangle widens to one pixel, so that no cell is
    skipped. Pixels whose centre lies outside ``rect`` are 0.

    Parameters
    ----------
    values
        Map, shape (rows, columns), row 0 at the top.
    rect
        Part of the image that the map covers, px of the frame that is ``height`` x ``width``.
    height, width
        Size of the result, px.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), float32, in the units of ``values`` (values are interpolated, mass is
        not conserved).

    Raises
    ------
    GazeError
        When the map is empty or not two-dimensional.
    """
    grid = np.asarray(values, dtype=np.float32)
    if grid.ndim != 2 or not grid.size:
        raise GazeError(f"A map needs rows and columns; this one has the shape {grid.shape}.")
    if height < 1 or width < 1:
        raise ValueError(f"an image needs a positive size, not {width} x {height}")
    if grid.shape == (height, width) and rect == Rect.of_image(width, height):
        return grid.copy()
    large = max(grid.shape) > _LARGE
    weigh = _weights if large else _cached_weights
    rows = weigh(height, grid.shape[0], rect.y, rect.height)
    columns = weigh(width, grid.shape[1], rect.x, rect.width)
    low, high = grid.min(), grid.max()
    if low == high:
        # A constant map stays exactly constant: rounding noise would otherwise be scored as structure.
        inside = np.outer(rows.any(axis=1), columns.any(axis=1))
        return np.where(inside, low, np.float32(0))
    if large:
        return _large_product(rows, grid, columns)
    image: FloatArray = np.asarray(rows @ grid @ columns.T, dtype=np.float32)
    return image


def grid_shape(width: float, height: float, long_side: int) -> tuple[int, int]:
    """Return the (rows, columns) of square cells, ``long_side`` of them along an image's longer side.

    Only the proportion of ``width`` and ``height`` counts.
    """
    scale = long_side / max(width, height)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _large_product(rows: FloatArray, grid: FloatArray, columns: FloatArray) -> FloatArray:
    """Return ``rows @ grid @ columns.T`` where nearly all weights are 0."""
    from scipy.sparse import csr_array

    product: FloatArray = np.ascontiguousarray((csr_array(columns) @ (csr_array(rows) @ grid).T).T)
    return product


def _weights(n_pixels: int, n_cells: int, start: float, length: float) -> FloatArray:
    """Return how much each cell counts for each pixel along one axis, shape (n_pixels, n_cells)."""
    centres = np.arange(n_pixels, dtype=np.float64) + 0.5
    inside = (centres >= start) & (centres < start + length)
    cells_per_pixel = n_cells / length
    position = np.clip((centres - start) * cells_per_pixel - 0.5, 0.0, n_cells - 1.0)
    reach = max(1.0, cells_per_pixel)
    distance = np.abs(position[:, None] - np.arange(n_cells, dtype=np.float64)[None, :])
    weights = np.clip(1.0 - distance / reach, 0.0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    weights[~inside] = 0.0
    return weights.astype(np.float32)


@lru_cache(maxsize=64)
def _cached_weights(n_pixels: int, n_cells: int, start: float, length: float) -> FloatArray:
    weights = _weights(n_pixels, n_cells, start, length)
    weights.setflags(write=False)
    return weights
