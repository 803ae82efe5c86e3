"""Blurring a mask, which gives what was painted soft edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import FloatArray, IntArray, MaskArray

TILE = 128
"""Side of a tile, px; a tile is left as it is where the mask is the same all around it."""

COARSE_FROM = 6.0
"""Blurs of this standard deviation or more, px, are worked out on a coarser grid, a third of it in spacing."""

BEYOND = 16
"""Cells of the coarser grid beyond each border."""

REACH = 3.5
"""Standard deviations after which the Gaussian is cut off; what lies beyond is 0.05 % of it."""


def softened(mask: MaskArray, radius_px: float) -> MaskArray:
    """Return the mask blurred by a Gaussian, to within 2 of 255.

    On twelve megapixels this takes some tenths of a second. It reads the mask only, so a copy can be softened on
    another thread.

    Parameters
    ----------
    mask
        Shape (height, width), 0 to 255. Beyond its borders it is taken to go on as at the border.
    radius_px
        Standard deviation, px; 0 leaves the mask as it is. More than the image's longer side counts as that.
    """
    sigma = min(float(radius_px), float(max(mask.shape)))
    if not sigma > 0:
        return mask
    return _coarsely(mask, sigma) if sigma >= COARSE_FROM else _by_tiles(mask, sigma)


def _by_tiles(mask: MaskArray, sigma: float) -> MaskArray:
    """Blur the tiles in whose neighbourhood the mask is not the same all over."""
    soft = mask.copy()
    margin = int(REACH * sigma) + 1
    for y in range(0, mask.shape[0], TILE):
        for x in range(0, mask.shape[1], TILE):
            top, left = max(y - margin, 0), max(x - margin, 0)
            around = mask[top : y + TILE + margin, left : x + TILE + margin]
            if around.min() == around.max():
                continue
            tile = soft[y : y + TILE, x : x + TILE]
            blurred = _blurred(around.astype(np.float32), sigma)
            tile[:] = _levels(blurred[y - top : y - top + tile.shape[0], x - left : x - left + tile.shape[1]])
    return soft


def _coarsely(mask: MaskArray, sigma: float) -> MaskArray:
    """Blur means of square cells, and go back to pixels linearly."""
    cell = int(sigma / 3)
    means = _cell_means(np.ascontiguousarray(_cell_means(mask, cell).T), cell).T
    # The cells' means and the linear way back blur by a twelfth and a sixth of a cell's square themselves.
    blurred = _blurred(means, np.sqrt(sigma**2 / cell**2 - 1 / 4))
    height, width = mask.shape
    wide = np.ascontiguousarray(_at_pixels(blurred.T, cell, np.arange(width)).T)
    soft = np.empty_like(mask)
    for y in range(0, height, TILE):
        soft[y : y + TILE] = _levels(_at_pixels(wide, cell, np.arange(y, min(y + TILE, height))))
    return soft


def _cell_means(values: NDArray[Any], cell: int) -> FloatArray:
    """Return means over ``cell`` rows each, with `BEYOND` more of the first row before and of the last behind."""
    n_cells = -(-len(values) // cell)
    total = np.zeros((n_cells, values.shape[1]), dtype=np.float32)
    for first in range(cell):
        rows = values[first::cell]
        total[: len(rows)] += rows
        if len(rows) < n_cells:
            total[-1] += values[-1]
    before, after = np.repeat(values[:1], BEYOND, axis=0), np.repeat(values[-1:], BEYOND, axis=0)
    return np.concatenate([before, total / np.float32(cell), after], dtype=np.float32)


def _blurred(values: FloatArray, sigma: float) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    blurred: FloatArray = gaussian_filter(values, sigma, mode="nearest", truncate=REACH)
    return blurred


def _at_pixels(means: FloatArray, cell: int, pixels: IntArray) -> FloatArray:
    """Return a row for each of the pixels, linear between the middles of the cells."""
    place = (pixels + 0.5) / cell - 0.5 + BEYOND
    before = place.astype(np.int64)
    share = (place - before).astype(np.float32)[:, None]
    rows: FloatArray = means[before]
    rows += (means[before + 1] - rows) * share
    return rows


def _levels(values: FloatArray) -> MaskArray:
    levels: MaskArray = np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)
    return levels
