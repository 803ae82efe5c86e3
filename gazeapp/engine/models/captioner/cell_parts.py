"""Which part of an image every cell that a decoder attends to stands for, and maps of such cells on an even grid.

Captioners of gazeapp's own form have their features brought to a grid that divides the image evenly. Those from
elsewhere attend to cells as their encoder and its pooling left them, whose centres are shifted and not evenly spaced.
A cell stands for the part of the image that is nearer to its centre than to any other's: edges lie halfway between
centres, and the outermost cells reach to the border, since what is there is seen, too. Cells that pooling made equal
stand for one part together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.lesions.coverage import overlaps
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.types import DoubleArray, FloatArray

_DIGITS = 3
"""Places are told apart to a thousandth of a pixel of the encoder's input; less comes out of rounding."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Parts along one side of an image.

    Parameters
    ----------
    edges
        Of adjoining parts, growing, as shares of the side, from 0 to 1.
    part
        For every row or column of cells the number of its part.
    """

    edges: tuple[float, ...]
    part: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that rows and columns of cells stand for."""

    down: Axis
    across: Axis


def attended_parts(config: CaptionerConfig) -> Parts | None:
    """Return which parts of an image a captioner's cells stand for; None where they divide it evenly."""
    if config.form == "gazeapp":
        return None
    down, across = (_axis(config, axis) for axis in (0, 1))
    if _is_even(down) and _is_even(across):
        return None
    return Parts(down, across)


def centres(config: CaptionerConfig, axis: int) -> DoubleArray:
    """Return where the cells that pooling makes of the encoder's own are centred, px of its input.

    Parameters
    ----------
    config
        Of a captioner from elsewhere: adaptive average pooling brings as many cells as the encoder has on a picture of
        its size to the grid, by repeating some and averaging neighbours.
    axis
        0 for down, 1 for across.
    """
    size, wanted = config.input_size, config.grid[axis]
    stride = config.cell_stride[axis] or size / wanted
    count = math.ceil(size / stride - 10.0**-_DIGITS)
    own = size / 2 + config.cell_offset[axis] + stride * (np.arange(count) - (count - 1) / 2)
    first, stop = np.arange(wanted) * count // wanted, -(-np.arange(1, wanted + 1) * count // wanted)
    return np.array([own[i:j].mean() for i, j in zip(first, stop, strict=True)])


def even_maps(maps: FloatArray, parts: Parts) -> FloatArray:
    """Bring maps of cells to a grid of as many cells that divides the image evenly.

    Parameters
    ----------
    maps
        Attention to every cell, shape (words, rows, columns).
    parts
        What the cells stand for.

    Returns
    -------
    numpy.ndarray
        The same shape, float32: what a cell got is laid evenly over its part, so that sums stay as they were.
    """
    down, across = _spread(parts.down), _spread(parts.across)
    laid: FloatArray = (down.T @ maps.astype(np.float64) @ across).astype(np.float32)
    return laid


def _axis(config: CaptionerConfig, axis: int) -> Axis:
    size = config.input_size
    places, part = np.unique(centres(config, axis).clip(0, size).round(_DIGITS), return_inverse=True)
    edges = [0.0, *(places[:-1] + places[1:]) / 2 / size, 1.0]
    return Axis(tuple(map(float, edges)), tuple(map(int, part)))


def _is_even(axis: Axis) -> bool:
    n = len(axis.part)
    return axis.part == tuple(range(n)) and np.allclose(axis.edges, np.arange(n + 1) / n, rtol=0, atol=1e-5)


def _spread(axis: Axis) -> DoubleArray:
    """Return which share of a cell's part lies in each cell of the even grid, shape (cells, cells)."""
    n = len(axis.part)
    shared = overlaps(n * np.array(axis.edges), np.arange(n + 1.0))
    shares: DoubleArray = (shared / shared.sum(axis=1, keepdims=True))[list(axis.part)]
    return shares
