"""What one move of a round brush covers: all pixels near the line between two points.

A hard brush takes a pixel when its centre lies within the radius of the line; a soft one fades linearly from full
cover, at ``radius * (1 - softness)`` from the line, to none at the radius. The work is done in bands of rows, each as
wide as the move is there, so a long slanted move costs what it covers, not what its bounding box holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, hypot

import numpy as np

from gazeapp.engine.lesions.masks.box import Box, Patch, box_within, rows_between
from gazeapp.engine.types import DoubleArray, MaskArray

BAND = 64
"""Rows done at a time."""

Point = tuple[float, float]


def brush_move(
    start: Point, end: Point, radius: float, softness: float, height: int, width: int
) -> Iterator[Patch]:
    """Yield what a brush covers on its way, as patches that do not overlap.

    Parameters
    ----------
    start, end
        Where the brush was and is, (x, y), image px; they may lie outside the image, and be the same.
    radius
        Of the brush, px.
    softness
        Share of the radius over which it fades, 0 to 1.
    height, width
        Of the image, px.
    """
    top = max(ceil(min(start[1], end[1]) - radius - 0.5), 0)
    bottom = min(floor(max(start[1], end[1]) + radius - 0.5) + 1, height)
    for y0 in range(top, bottom, BAND):
        y1 = min(y0 + BAND, bottom)
        left, right = _extent(start, end, radius, np.arange(y0, y1, dtype=np.float64) + 0.5)
        first = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int32)
        stop = np.clip(np.floor(right - 0.5) + 1, 0, width).astype(np.int32)
        box = box_within(int(first.min()), y0, int(stop.max()), y1, height, width)
        if box is None:
            continue
        if softness > 0:
            yield Patch(box, _fading(box, start, end, radius, softness))
        else:
            yield Patch(box, rows_between(first - box.x0, stop - box.x0, box.width))


def _extent(start: Point, end: Point, radius: float, y: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Return where the brush's way begins and ends in each row, x in px; infinities where it does not pass."""
    left, right = np.full(y.shape, np.inf), np.full(y.shape, -np.inf)
    for x_centre, y_centre in (start, end):
        reach = radius * radius - (y - y_centre) ** 2
        half = np.sqrt(np.maximum(reach, 0.0))
        met = reach >= 0
        left[met] = np.minimum(left, x_centre - half)[met]
        right[met] = np.maximum(right, x_centre + half)[met]
    for (x0, y0), (x1, y1) in _sides(start, end, radius):
        if y0 == y1:
            continue
        met = (y >= min(y0, y1)) & (y <= max(y0, y1))
        x = x0 + (y - y0) * ((x1 - x0) / (y1 - y0))
        left[met] = np.minimum(left, x)[met]
        right[met] = np.maximum(right, x)[met]
    return left, right


def _sides(start: Point, end: Point, radius: float) -> list[tuple[Point, Point]]:
    """Return the four sides of the rectangle that the brush sweeps between its two ends; none for a dab."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    if length == 0:
        return []
    across_x = -(end[1] - start[1]) / length * radius
    across_y = (end[0] - start[0]) / length * radius
    corners = [
        (start[0] + across_x, start[1] + across_y),
        (end[0] + across_x, end[1] + across_y),
        (end[0] - across_x, end[1] - across_y),
        (start[0] - across_x, start[1] - across_y),
    ]
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def _fading(box: Box, start: Point, end: Point, radius: float, softness: float) -> MaskArray:
    """Return the soft brush's cover of a box, from the distance of each pixel's centre to the line."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    along_x, along_y = ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length else (1.0, 0.0)
    # Distances are counted from the point of the line beside the box: single precision then holds however far away
    # the ends are.
    x_middle, y_middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    passed = (x_middle - start[0]) * along_x + (y_middle - start[1]) * along_y
    x = np.arange(box.x0, box.x1) + (0.5 - start[0] - passed * along_x)
    y = np.arange(box.y0, box.y1) + (0.5 - start[1] - passed * along_y)
    along = np.add.outer((y * along_y).astype(np.float32), (x * along_x).astype(np.float32))
    beside = np.add.outer((y * along_x).astype(np.float32), (-x * along_y).astype(np.float32))
    beyond = np.maximum(along - np.float32(length - passed), np.float32(-passed) - along)
    np.maximum(beyond, 0, out=beyond)
    beyond *= beyond
    beside *= beside
    beyond += beside
    distance = np.sqrt(beyond, out=beyond)
    fade = np.float32(255.0 / (radius * softness))
    distance *= -fade
    distance += np.float32(radius) * fade + np.float32(0.5)
    np.clip(distance, 0, 255, out=distance)
    cover: MaskArray = distance.astype(np.uint8)
    return cover
