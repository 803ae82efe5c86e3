"""How much of each cell of a grid a mask covers."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.types import DoubleArray, FloatArray, MaskArray

_HAIR = 1e-6
"""Lengths below this, px, come out of rounding: a cell touches nothing by so little."""


def overlaps(edges: DoubleArray, others: DoubleArray) -> DoubleArray:
    """Return the length that each interval shares with each other one, px, shape (n, m).

    Parameters
    ----------
    edges, others
        Edges of adjoining intervals, px, growing, shapes (n + 1,) and (m + 1,).
    """
    low = np.maximum(edges[:-1, None], others[None, :-1])
    high = np.minimum(edges[1:, None], others[None, 1:])
    shared: DoubleArray = np.where(high - low > _HAIR, high - low, 0.0)
    return shared


def cover(
    mask: MaskArray | FloatArray | DoubleArray, row_edges: DoubleArray, column_edges: DoubleArray
) -> DoubleArray:
    """Return how much of each cell of a grid a mask covers.

    Parameters
    ----------
    mask
        Shape (height, width) of the image: uint8, 0 to 255, or floats, 0 to 1.
    row_edges, column_edges
        Edges of the cells, px of the mask, growing, shapes (rows + 1,) and (columns + 1,). They may cut pixels and
        reach outside of the image.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), 0 to 1: the mean of the mask over the part of the cell that lies on the image, each
        pixel counted by the area that it shares with the cell; 0 for cells outside of the image.
    """
    height, width = mask.shape
    down = overlaps(row_edges, np.arange(height + 1.0))
    across = overlaps(column_edges, np.arange(width + 1.0))
    area = np.outer(down.sum(axis=1), across.sum(axis=1)) * (255 if mask.dtype == np.uint8 else 1)
    taken = _gathered(across, _gathered(down, mask).T).T
    covered = np.divide(taken, area, out=np.zeros_like(area), where=area > 0)
    # Rounding may leave a cell that is covered whole a hair off 1, which must be exactly 1.
    return np.where(covered > 1 - 1e-9, 1.0, covered)


def _gathered(shared: DoubleArray, values: MaskArray | FloatArray | DoubleArray) -> DoubleArray:
    """Return ``shared @ values`` where each row of ``shared`` is 0 but for one stretch: a cell has few pixels."""
    touched = shared > 0
    first = touched.argmax(axis=1)
    stop = shared.shape[1] - touched[:, ::-1].argmax(axis=1)
    gathered = np.zeros((shared.shape[0], values.shape[1]))
    for row in np.flatnonzero(touched.any(axis=1)):
        stretch = slice(first[row], stop[row])
        gathered[row] = shared[row, stretch] @ values[stretch].astype(np.float64)
    return gathered
