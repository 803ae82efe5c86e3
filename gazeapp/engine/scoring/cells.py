"""The grid that densities are compared on: square cells of an image, at most 256 along its longer side."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.maps.resample import grid_shape
from gazeapp.engine.types import DoubleArray, IntArray

LONG_SIDE = 256
"""Cells along the longer side of an image."""


def cell_shape(width: float, height: float) -> tuple[int, int]:
    """Return the (rows, columns) of the cells of an image whose sides are in this proportion.

    Always ``LONG_SIDE`` along the longer side, also where the image has fewer px, so that a density is
    evaluated equally finely on all images.
    """
    return grid_shape(width, height, LONG_SIDE)


def cell_index(u: DoubleArray, v: DoubleArray, shape: tuple[int, int]) -> IntArray:
    """Return the row-major index of the cells that positions fall on, shape (n,).

    Parameters
    ----------
    u, v
        Positions as shares of the image's width and height, in [0, 1), shape (n,).
    shape
        Rows and columns.
    """
    rows, columns = shape
    row = np.clip((v * rows).astype(np.int64), 0, rows - 1)
    column = np.clip((u * columns).astype(np.int64), 0, columns - 1)
    index: IntArray = row * columns + column
    return index
