"""How a mask is drawn over a picture: a dark hatched veil with an outline, which no map looks like."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from gazeapp.engine.lesions.masks.box import Box
from gazeapp.engine.types import MaskArray
from gazeapp.ui.canvas.view import ImageView

_KEPT = 8
"""Views of different size, zoom or place that are drawn without being reckoned anew."""

_UNSEEN = 8
"""Changes through which a view that is not painted any more is followed; some come between two paintings."""

_VEIL = (10, 10, 14), 0.50
_LINE = (255, 255, 255), 0.34
_EDGE_IN, _EDGE_OUT, _EDGE_FAINT = 0xF2F2F2F2, 0xA0000000, 0x48484848
_HALF = 128
_STEEP = 48
"""A mask that changes by less from pixel to pixel of the screen has no edge there, and only a faint line at half."""

_HATCH_EVERY = 8
"""Distance between the lines of the hatching along a row, logical px."""

_AROUND = 3
"""Pixels around a change whose outline may change with it."""

Geometry = tuple[int, int, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Raster:
    """A mask as it lies in one view, premultiplied ARGB, and the frame that the image fills, device px."""

    pixels: NDArray[np.uint32]
    picture: QImage
    left: float
    top: float
    scale: tuple[float, float]
    frame: tuple[int, int, int, int]


class MaskLayer:
    """Draws one mask in any number of views; those that show the same part at the same size share the work.

    Parameters
    ----------
    values
        Shape (height, width) of the image, 0 to 255; it may change in place, as `changed` is told.
    """

    def __init__(self, values: MaskArray) -> None:
        self._values = values
        self._rasters: OrderedDict[Geometry, _Raster] = OrderedDict()
        self._unseen: Counter[Geometry] = Counter()

    def changed(self, values: MaskArray, box: Box) -> None:
        """Draw the pixels of ``box`` anew; ``values`` is the whole mask."""
        self._values = values
        for key in list(self._rasters):
            self._unseen[key] += 1
            if self._unseen[key] > _UNSEEN:
                del self._rasters[key], self._unseen[key]
            else:
                self._paint(self._rasters[key], _seen(self._rasters[key], box), key[-1])

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Draw the mask as it lies in a view."""
        rect = view.image_rect()
        key = (
            view.width(),
            view.height(),
            rect.x(),
            rect.y(),
            rect.width(),
            rect.height(),
            view.devicePixelRatioF(),
        )
        raster = self._rasters.get(key)
        if raster is None:
            raster = self._rasters[key] = self._made(key)
            while len(self._rasters) > _KEPT:
                self._rasters.popitem(last=False)
        self._rasters.move_to_end(key)
        self._unseen[key] = 0
        painter.drawImage(0, 0, raster.picture)

    def _made(self, key: Geometry) -> _Raster:
        width, height, x, y, across, down, ratio = key
        columns, rows = max(round(width * ratio), 1), max(round(height * ratio), 1)
        pixels = np.zeros((rows, columns), np.uint32)
        picture = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_ARGB32_Premultiplied)
        picture.setDevicePixelRatio(ratio)
        left, top = x * ratio, y * ratio
        image_height, image_width = self._values.shape
        scale = across * ratio / image_width, down * ratio / image_height
        # A pixel of the screen belongs to the image when its centre lies on it.
        frame = (
            max(math.ceil(left - 0.5), 0),
            max(math.ceil(top - 0.5), 0),
            min(math.ceil(left + image_width * scale[0] - 0.5), columns),
            min(math.ceil(top + image_height * scale[1] - 0.5), rows),
        )
        raster = _Raster(pixels, picture, left, top, scale, frame)
        self._paint(raster, frame, ratio)
        return raster

    def _paint(self, raster: _Raster, part: tuple[int, int, int, int], ratio: float) -> None:
        """Draw the mask anew in a part of a raster: x0, y0, x1, y1, device px."""
        x0, y0, x1, y1 = part
        if x0 >= x1 or y0 >= y1:
            return
        # The outline of a pixel depends on its neighbours, so one pixel more is read on each side.
        left, top = max(x0 - 1, raster.frame[0]), max(y0 - 1, raster.frame[1])
        right, bottom = min(x1 + 1, raster.frame[2]), min(y1 + 1, raster.frame[3])
        shares = self._sampled(raster, left, top, right, bottom)
        inner = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        period = max(round(_HATCH_EVERY * ratio), 4)
        hatch = _hatching(period, x0 + y0, y1 - y0, x1 - x0)
        drawn = _colours()[hatch, shares[inner]]
        for pixels, colour in zip(_outline(shares), (_EDGE_OUT, _EDGE_FAINT, _EDGE_IN), strict=True):
            drawn[pixels[inner]] = colour
        raster.pixels[y0:y1, x0:x1] = drawn

    def _sampled(self, raster: _Raster, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.uint8]:
        """Return the mean of the mask in each pixel of the screen."""
        height, width = self._values.shape
        source = Image.frombuffer("L", (width, height), self._values, "raw", "L", 0, 1)
        across, down = raster.scale
        box = (
            min(max((x0 - raster.left) / across, 0.0), width),
            min(max((y0 - raster.top) / down, 0.0), height),
            min(max((x1 - raster.left) / across, 0.0), width),
            min(max((y1 - raster.top) / down, 0.0), height),
        )
        return np.asarray(source.resize((x1 - x0, y1 - y0), Image.Resampling.BOX, box))


def in_view(view: ImageView, box: Box) -> QRect:
    """Return the part of a view that is to be drawn anew after a change of ``box``, widget px."""
    place = view.image_transform()
    rect = place.mapRect(QRectF(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0))
    return rect.toAlignedRect().adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)


def _seen(raster: _Raster, box: Box) -> tuple[int, int, int, int]:
    """Return the pixels of a raster that a change of ``box`` reaches: x0, y0, x1, y1."""
    across, down = raster.scale
    return (
        max(math.floor(raster.left + box.x0 * across) - 2, raster.frame[0]),
        max(math.floor(raster.top + box.y0 * down) - 2, raster.frame[1]),
        min(math.ceil(raster.left + box.x1 * across) + 2, raster.frame[2]),
        min(math.ceil(raster.top + box.y1 * down) + 2, raster.frame[3]),
    )


def _outline(shares: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels outside an edge, those at half of a gentle slope, and those inside an edge."""
    padded = np.pad(shares, 1, mode="edge")
    around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    least, most = around[0], around[0]
    for neighbour in around[1:]:
        least, most = np.minimum(least, neighbour), np.maximum(most, neighbour)
    covered = shares >= _HALF
    inside, outside = covered & (least < _HALF), ~covered & (most >= _HALF)
    steep = (most - least) >= _STEEP
    return outside & steep, inside & ~steep, inside & steep


def _hatching(period: int, start: int, rows: int, columns: int) -> NDArray[np.intp]:
    """Return how much of a diagonal line each pixel holds, 0 to 2; ``start`` is x + y of the first pixel."""
    along = (np.arange(start, start + rows + columns) % period).astype(np.intp)
    level = np.zeros_like(along)
    level[along == 0] = 2
    level[(along == 1) | (along == period - 1)] = 1
    return as_strided(level, (rows, columns), (level.itemsize, level.itemsize), writeable=False)


@lru_cache(maxsize=1)
def _colours() -> NDArray[np.uint32]:
    """Return the colour of each amount of line (3) and each value of a mask (256), premultiplied ARGB."""
    share = np.arange(256) / 255.0
    table = np.zeros((3, 256, 4))
    for level, light in enumerate((0.0, 0.45, 1.0)):
        (veil, veil_alpha), (line, line_alpha) = _VEIL, _LINE
        under, over = share * veil_alpha, share * line_alpha * light
        for channel in range(3):
            table[level, :, channel] = line[channel] * over + veil[channel] * under * (1.0 - over)
        table[level, :, 3] = 255.0 * (over + under * (1.0 - over))
    red, green, blue, alpha = (table[..., channel].round().astype(np.uint32) for channel in range(4))
    return (alpha << 24) | (red << 16) | (green << 8) | blue
