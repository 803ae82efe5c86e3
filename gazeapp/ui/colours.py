"""Colours of data: one for each source in every plot, and colour maps that colour-blind eyes can read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from gazeapp.engine.reports.style import PEOPLE_COLOUR, model_colour
from gazeapp.ui.study import PEOPLE

CANVAS = QColor(0x77, 0x77, 0x77)
"""Grey around images in both themes: lightness 50, so that maps look the same on light and dark."""

DENSITY_MAPS = ("viridis", "cividis", "inferno", "magma", "plasma", "CET-CBL2", "CET-L1")
"""Perceptually uniform colour maps offered for densities."""

DIFFERENCE_MAP = "CET-D1"
"""Diverging colour map for differences, blue to red through white, safe for colour-blind eyes."""

# Share of the range over which a map fades in, so that the photograph stays in sight where the map is low.
_FADE = 0.35


def source_colour(source: str, models: Sequence[str]) -> QColor:
    """Return the colour of people or of a model, the same as in reports; grey for any other source.

    Parameters
    ----------
    source
        ``people`` or a model's id.
    models
        All model ids of the project in their stable order, without true densities.
    """
    return QColor(PEOPLE_COLOUR if source == PEOPLE else model_colour(source, models))


@lru_cache(maxsize=32)
def density_table(name: str) -> NDArray[np.uint8]:
    """Return a density colour map as (256, 4) RGBA; alpha fades in from 0 so that low is transparent.

    Raises
    ------
    ValueError
        There is no colour map of this name.
    """
    table = _rgba(name)
    table[:, 3] = _smooth_step(np.linspace(0.0, 1.0 / _FADE, 256)) * 255
    table.flags.writeable = False
    return table


@lru_cache(maxsize=4)
def difference_table(name: str = DIFFERENCE_MAP) -> NDArray[np.uint8]:
    """Return a diverging colour map as (256, 4) RGBA, transparent in the middle."""
    table = _rgba(name)
    table[:, 3] = _smooth_step(np.abs(np.linspace(-1.0, 1.0, 256)) / _FADE) * 255
    table.flags.writeable = False
    return table


def opaque(table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy of a colour table without transparency, as a colour bar shows it."""
    solid = table.copy()
    solid[:, 3] = 255
    return solid


def paint_table(indices: NDArray[np.uint8], table: NDArray[np.uint8]) -> QImage:
    """Return ``indices`` (rows, columns) coloured by ``table`` (256, 4) as a premultiplied picture."""
    rows, columns = indices.shape
    pixels = np.ascontiguousarray(_premultiplied(table.tobytes())[indices])
    picture = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_ARGB32_Premultiplied)
    return picture.copy()


@lru_cache(maxsize=64)
def _premultiplied(table: bytes) -> NDArray[np.uint32]:
    rgba = np.frombuffer(table, dtype=np.uint8).reshape(256, 4).astype(np.uint32)
    alpha = rgba[:, 3]
    red, green, blue = ((rgba[:, channel] * alpha + 127) // 255 for channel in range(3))
    packed = (alpha << 24) | (red << 16) | (green << 8) | blue
    return packed.astype(np.uint32)


def _rgba(name: str) -> NDArray[np.uint8]:
    colour_map = pg.colormap.get(name)
    if colour_map is None:
        raise ValueError(f"there is no colour map named {name}")
    table: NDArray[np.uint8] = colour_map.getLookupTable(nPts=256, alpha=True).astype(np.uint8)
    return table.copy()


def _smooth_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(x, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
