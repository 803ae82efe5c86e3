"""Shapes as masks: polygon, rectangle, ellipse, half-plane, gradient.

Points are (x, y) in image pixels, pixel (row i, column j) covers [j, j + 1) x [i, i + 1), and a hard shape takes a
pixel when the pixel's centre lies inside. Straight edges are half-open: a centre that lies on an edge belongs to the
shape to the right of the edge, or below it where the edge is level. Shapes that share an edge thus take every pixel
exactly once. An ellipse takes the centres that lie on its rim, so that it stays symmetric.

A soft edge fades linearly over ``soft_px``, half of it outside and half inside the shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.box import Box, Patch, box_within, rows_between
from gazeapp.engine.lesions.masks.brush import BAND, Point, brush_move
from gazeapp.engine.types import DoubleArray, MaskArray

FARTHEST = 1e7
"""How far from the image's origin a point may lie, px."""

ON_THE_RIM = 1e-9
"""A centre this near to an ellipse's rim, px, lies on it; rounding would else take one of two mirrored ones."""

FLATNESS = 0.02
"""How far the polygon that stands for an ellipse's soft edge may lie from the ellipse, px."""


def polygon(points: ArrayLike, height: int, width: int, soft_px: float = 0.0) -> Patch | None:
    """Return a closed polygon; where it crosses itself, what is enclosed twice is outside (even-odd rule).

    Parameters
    ----------
    points
        Corners in order, shape (n, 2), image px; they may lie outside the image. Fewer than three enclose nothing.
    height, width
        Of the image, px.
    soft_px
        Width of the band over which the edge fades, px.

    Returns
    -------
    Patch or None
        None when it takes no pixel of the image.
    """
    ring = checked_points(points)
    grow = soft_px / 2
    if len(ring) < 3:
        return None
    x0, y0 = ring.min(axis=0) - grow
    x1, y1 = ring.max(axis=0) + grow
    box = _centres_within(x0, y0, x1, y1, height, width)
    if box is None:
        return None
    inside = _enclosed(ring, box)
    return _if_any(box, _faded(inside, ring - (box.x0, box.y0), soft_px) if soft_px > 0 else inside)


def rectangle(
    x0: float, y0: float, x1: float, y1: float, height: int, width: int, soft_px: float = 0.0
) -> Patch | None:
    """Return the rectangle between two opposite corners, in any order; None when it takes no pixel of the image."""
    (x0, y0), (x1, y1) = checked_points([(min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))]).tolist()
    if soft_px > 0:
        return polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], height, width, soft_px)
    box = _centres_within(x0, y0, x1, y1, height, width)
    return None if box is None else Patch(box, np.full((box.height, box.width), 255, dtype=np.uint8))


def ellipse(
    x0: float, y0: float, x1: float, y1: float, height: int, width: int, soft_px: float = 0.0
) -> Patch | None:
    """Return the ellipse that fills the rectangle between two corners; None when it takes no pixel of the image."""
    (x0, y0), (x1, y1) = checked_points([(min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))]).tolist()
    if not (x0 < x1 and y0 < y1):
        return None
    if soft_px > 0:
        return polygon(ellipse_ring(x0, y0, x1, y1), height, width, soft_px)
    box = _centres_within(x0, y0, np.nextafter(x1, np.inf), np.nextafter(y1, np.inf), height, width)
    if box is None:
        return None
    y = (np.arange(box.y0, box.y1) + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)
    half = np.sqrt(np.maximum(1.0 - y * y, 0.0)) * ((x1 - x0) / 2) + ON_THE_RIM
    middle = (x0 + x1) / 2 - box.x0
    first = np.clip(np.ceil(middle - half - 0.5), 0, box.width).astype(np.int32)
    stop = np.clip(np.floor(middle + half - 0.5) + 1, 0, box.width).astype(np.int32)
    return _if_any(box, rows_between(first, stop, box.width))


def ellipse_ring(x0: float, y0: float, x1: float, y1: float) -> DoubleArray:
    """Return the ellipse of a rectangle as a polygon that lies within `FLATNESS` of it, shape (n, 2), image px."""
    longest = max(abs(x1 - x0), abs(y1 - y0)) / 2
    n = max(12, int(np.ceil(np.pi / np.sqrt(2 * min(FLATNESS / longest, 1.0)))))
    angle = np.arange(n) * (2 * np.pi / n)
    return np.stack(
        [(x0 + x1) / 2 + np.cos(angle) * (x1 - x0) / 2, (y0 + y1) / 2 + np.sin(angle) * (y1 - y0) / 2], axis=1
    )


def half_plane(point: Point, normal: Point, height: int, width: int, soft_px: float = 0.0) -> Patch | None:
    """Return all that lies on one side of a line.

    Parameters
    ----------
    point
        Any point of the line, (x, y), image px.
    normal
        Direction across the line towards the side that is taken, (x, y), of any length but 0. The same line with the
        opposite normal takes exactly the other pixels.
    height, width
        Of the image, px.
    soft_px
        Width of the band over which the edge fades, px.

    Raises
    ------
    GazeError
        When the normal has no direction.
    """
    (x, y), (across_x, across_y) = checked_points([point, normal]).tolist()
    length = hypot(across_x, across_y)
    if length == 0:
        raise GazeError("A line needs two different points.")
    if soft_px > 0:
        reach = soft_px / 2 / length
        inner = (x + across_x * reach, y + across_y * reach)
        return gradient(inner, (x - across_x * reach, y - across_y * reach), height, width)
    centres = np.arange(height) + 0.5
    if across_x == 0:
        taken = centres >= y if across_y > 0 else centres < y
        first, stop = np.where(taken, 0, width), np.full(height, width)
    else:
        crossing = x - (centres - y) * (across_y / across_x)
        edge = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int32)
        first, stop = (edge, np.full(height, width)) if across_x > 0 else (np.zeros(height, np.int32), edge)
    return _if_any(Box(0, 0, width, height), rows_between(first, stop, width))


def left_of(start: Point, end: Point) -> Point:
    """Return the direction that lies to the left of someone who walks over the image from one point to another."""
    return end[1] - start[1], start[0] - end[0]


def gradient(first: Point, second: Point, height: int, width: int) -> Patch | None:
    """Return cover that falls linearly from 255 at the first point, and before it, to 0 at the second and beyond.

    Raises
    ------
    GazeError
        When both points are the same.
    """
    (x0, y0), (x1, y1) = checked_points([first, second]).tolist()
    length = hypot(x1 - x0, y1 - y0)
    if length == 0:
        raise GazeError("A gradient needs two different points.")
    steep = 255.0 / length
    x = ((np.arange(width) + 0.5 - x1) * ((x0 - x1) / length * steep)).astype(np.float32)
    y = ((np.arange(height) + 0.5 - y1) * ((y0 - y1) / length * steep) + 0.5).astype(np.float32)
    cover: MaskArray = np.empty((height, width), dtype=np.uint8)
    # A band of rows at a time stays in the processor's cache.
    for top in range(0, height, BAND):
        level = np.add.outer(y[top : top + BAND], x)
        cover[top : top + BAND] = np.clip(level, 0, 255, out=level)
    return _if_any(Box(0, 0, width, height), cover)


def checked_points(points: ArrayLike | Sequence[Point]) -> DoubleArray:
    """Return points as an array of shape (n, 2), px.

    Raises
    ------
    GazeError
        When they are not pairs of numbers, or not anywhere near an image.
    """
    pairs = np.asarray(points, dtype=np.float64)
    if pairs.size == 0:
        return np.zeros((0, 2))
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise GazeError(f"The points of a shape are pairs of x and y, not an array of shape {pairs.shape}.")
    if not (np.abs(pairs) <= FARTHEST).all():
        raise GazeError("The points of a shape are numbers, in pixels of the image.")
    return pairs


def _centres_within(x0: float, y0: float, x1: float, y1: float, height: int, width: int) -> Box | None:
    """Return the box of the pixels whose centre lies in [x0, x1) x [y0, y1), px."""
    left, top, right, bottom = (int(np.ceil(edge - 0.5)) for edge in (x0, y0, x1, y1))
    return box_within(left, top, right, bottom, height, width)


def _if_any(box: Box, values: MaskArray) -> Patch | None:
    return Patch(box, values) if values.any() else None


def _enclosed(ring: DoubleArray, box: Box) -> MaskArray:
    """Return the pixels of a box whose centre a ring encloses, by the parity of the edges to the left of the centre."""
    # Each edge from its upper to its lower end: an edge that two polygons share is then crossed at the same x.
    other = np.roll(ring, -1, axis=0)
    downward = (ring[:, 1] < other[:, 1])[:, None]
    upper, lower = np.where(downward, ring, other), np.where(downward, other, ring)
    first = np.clip(np.ceil(upper[:, 1] - 0.5), box.y0, box.y1).astype(np.int64)
    stop = np.clip(np.ceil(lower[:, 1] - 0.5), box.y0, box.y1).astype(np.int64)
    n_rows = stop - first
    edge = np.repeat(np.arange(len(ring)), n_rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows) + first[edge]
    across, down = (lower - upper)[edge].T
    x = upper[edge, 0] + (row + 0.5 - upper[edge, 1]) * (across / down)
    column = np.clip(np.ceil(x - 0.5), box.x0, box.x1).astype(np.int64)
    crossed = np.zeros((box.height, box.width + 1), dtype=np.uint8)
    np.bitwise_xor.at(crossed, (row - box.y0, column - box.x0), 255)
    inside: MaskArray = np.bitwise_xor.accumulate(crossed, axis=1)[:, :-1]
    return np.ascontiguousarray(inside)


def _faded(inside: MaskArray, ring: DoubleArray, soft_px: float) -> MaskArray:
    """Return a shape whose cover runs from 0 to 255 over the band around its edge, half a band to either side."""
    height, width = inside.shape
    near = np.zeros_like(inside)
    corners: list[Point] = [(float(x), float(y)) for x, y in ring]
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        for box, cover in brush_move(start, end, soft_px / 2, 1.0, height, width):
            np.maximum(near[box.slices], cover, out=near[box.slices])
    near //= 2
    faded: MaskArray = np.where(inside > 0, 255 - near, near)
    return faded
