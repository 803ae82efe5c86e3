"""Drawing triangles in software: which face is seen at each pixel, and where in it.

Orthographic, with a depth buffer. A pixel shows what lies at its centre. Pixels at the rim of the surface know besides
which share of them the surface covers, from 4 x 4 places in each, so that the rim is drawn without steps. All faces
are worked on at once: each has its bounding box cut into pixels, and what lies inside the face and nearest stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

_FINE = 4
"""Places across and down in a pixel at the rim."""
_AT_ONCE = 1_500_000
"""Pixels of bounding boxes that are tried at once, which bounds the memory."""
# Weights below 0 by rounding belong to the edge that two faces share; none of its pixels may be left open.
_EDGE = 1e-4


@dataclass(frozen=True, eq=False)
class Raster:
    """What a surface shows, for the pixels in which it shows anything.

    Parameters
    ----------
    shape
        Height and width of the picture, px, shape (2,).
    pixels
        Which pixels, ascending, counted row by row, shape (n,), int32.
    faces
        Face seen in each, shape (n,), int32.
    weights
        Weights of the second and third vertex of that face, shape (n, 2), float32, from 0 to 1; the first one has what
        is left to 1.
    coverage
        Share of each pixel that the surface covers, in 255ths, shape (n,), uint8; 255 away from the rim.
    """

    shape: IntArray
    pixels: NDArray[np.int32]
    faces: NDArray[np.int32]
    weights: FloatArray
    coverage: NDArray[np.uint8]

    def face_ids(self) -> NDArray[np.int32]:
        """Return the face at each pixel, shape (height, width), -1 where there is none."""
        ids = np.full(int(self.shape.prod()), -1, dtype=np.int32)
        ids[self.pixels] = self.faces
        return ids.reshape(self.shape)


RASTER_FIELDS = tuple(field.name for field in fields(Raster))


def rasterise(places: DoubleArray, faces: NDArray[np.int32], height: int, width: int) -> Raster:
    """Draw faces that are turned to the viewer.

    Parameters
    ----------
    places
        Vertices, shape (n_vertices, 3): x to the right and y down in px, pixel k spanning [k, k + 1), then nearness to
        the viewer in any unit.
    faces
        Vertices of each triangle, shape (n_faces, 3). Those that run counter-clockwise as seen are drawn; the others
        turn their backs.
    height, width
        Size of the picture, px.
    """
    front = _front(places, faces)
    seen = _centres(places, faces, front, height, width)
    at_rim = _rim(seen.slots >= 0)
    fine = _rim_samples(places, faces, front, at_rim)
    rows = np.flatnonzero(at_rim)
    # The centre comes first; where it is beside the surface, the place next to it speaks for the pixel.
    beside = seen.slots.ravel()[rows] < 0
    chosen = _nearest_hit(fine.slots)
    coverage = np.rint((fine.slots >= 0).mean(axis=1) * 255.0).astype(np.uint8)
    added = np.flatnonzero(beside & (coverage > 0))
    covered = np.where(seen.slots.ravel() >= 0, np.uint8(255), np.uint8(0))
    # A sliver may hold a centre and none of the places around it.
    covered[rows[~beside]] = np.maximum(coverage[~beside], 1)
    covered[rows[added]] = coverage[added]
    where = np.concatenate([np.flatnonzero(seen.slots >= 0), rows[added]])
    order = np.argsort(where, kind="stable")
    seen_faces = np.concatenate([seen.faces, fine.faces[chosen[added]]])
    weights = np.concatenate([seen.weights, fine.weights[chosen[added]]])
    pixels = where[order]
    return Raster(
        np.array([height, width], dtype=np.int64),
        pixels.astype(np.int32),
        seen_faces[order],
        np.clip(weights[order], 0.0, 1.0),
        covered[pixels],
    )


@dataclass(frozen=True)
class _Found:
    """Pixels that lie inside boxes' faces: row, column, box and nearness, shape (n,), and weights, shape (n, 2)."""

    rows: IntArray
    columns: IntArray
    boxes: IntArray
    weights: FloatArray
    nearness: FloatArray


@dataclass(frozen=True)
class _Nearest:
    """The nearest face at each place: row of it in ``faces`` and ``weights``, -1 where there is none."""

    slots: IntArray
    faces: NDArray[np.int32]
    weights: FloatArray


def _front(places: DoubleArray, faces: NDArray[np.int32]) -> IntArray:
    """Return the faces that are turned to the viewer; y points down, so that their area comes out negative."""
    a, b, c = (places[faces[:, k], :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return np.flatnonzero(area < -1e-9)


def _centres(
    places: DoubleArray, faces: NDArray[np.int32], front: IntArray, height: int, width: int
) -> _Nearest:
    """Return the nearest face at the centre of each pixel; slots have shape (height, width)."""
    found = list(_Boxes.of(places, faces[front], height, width).inside())
    where = [each.rows * width + each.columns for each in found]
    nearest = _resolve(where, found, height * width, front)
    return _Nearest(nearest.slots.reshape(height, width), nearest.faces, nearest.weights)


def _rim_samples(
    places: DoubleArray, faces: NDArray[np.int32], front: IntArray, at_rim: BoolArray
) -> _Nearest:
    """Return the nearest face at 4 x 4 places in each pixel of the rim; slots have shape (n_rim, 16)."""
    height, width = at_rim.shape
    touching = front[_Boxes.of(places, faces[front], height, width, grown=1).touching(at_rim)]
    numbers = np.full((height, width), -1, dtype=np.int64)
    numbers[at_rim] = np.arange(np.count_nonzero(at_rim))
    finer = places * np.array([_FINE, _FINE, 1.0])
    found, where = [], []
    for each in _Boxes.of(finer, faces[touching], height * _FINE, width * _FINE).inside():
        number = numbers[each.rows // _FINE, each.columns // _FINE]
        sample = number * _FINE**2 + each.rows % _FINE * _FINE + each.columns % _FINE
        kept = number >= 0
        where.append(sample[kept])
        found.append(_Found(*(getattr(each, field.name)[kept] for field in fields(_Found))))
    n_samples = int(np.count_nonzero(at_rim)) * _FINE**2
    nearest = _resolve(where, found, n_samples, touching)
    return _Nearest(nearest.slots.reshape(-1, _FINE**2), nearest.faces, nearest.weights)


def _resolve(where: list[IntArray], found: list[_Found], n_places: int, numbers: IntArray) -> _Nearest:
    """Keep the nearest of what was found at each place.

    Parameters
    ----------
    where, found
        Places of what was found, in parts.
    n_places
        How many places there are.
    numbers
        Number of the face of each box.
    """
    slots = np.full(n_places, -1, dtype=np.int64)
    if not sum(map(len, where)):
        return _Nearest(slots, np.zeros(0, np.int32), np.zeros((0, 2), np.float32))
    place = np.concatenate(where)
    nearness = np.concatenate([each.nearness for each in found])
    depth = np.full(n_places, -np.inf, dtype=np.float32)
    np.maximum.at(depth, place, nearness)
    first = np.flatnonzero(nearness == depth[place])
    # On an edge that two faces share both are nearest; the one that is written last stays.
    slots[place[first]] = first
    kept = slots[slots >= 0]
    slots[slots >= 0] = np.arange(len(kept))
    boxes = np.concatenate([each.boxes for each in found])[kept]
    weights = np.concatenate([each.weights for each in found])[kept]
    return _Nearest(slots, numbers[boxes].astype(np.int32), weights)


@dataclass(frozen=True)
class _Boxes:
    """Bounding boxes of faces in pixels, and the faces' weights as planes over each box.

    Parameters
    ----------
    top, left, height, width
        Box of each face, px, shape (n,).
    planes
        Weights of the second and third vertex and nearness, each as value at the box's first pixel centre, step to the
        right and step down, shape (n, 3, 3), float32.
    """

    top: IntArray
    left: IntArray
    height: IntArray
    width: IntArray
    planes: FloatArray

    @classmethod
    def of(
        cls, places: DoubleArray, faces: NDArray[np.int32], height: int, width: int, grown: int = 0
    ) -> _Boxes:
        """Return the boxes of ``faces`` within a picture, wider by ``grown`` px on each side."""
        corners = places[faces]
        low = np.ceil(corners[:, :, :2].min(axis=1) - 0.5).astype(np.int64) - grown
        high = np.floor(corners[:, :, :2].max(axis=1) - 0.5).astype(np.int64) + grown
        limits = np.array([width, height])
        low = np.clip(low, 0, limits)
        size = np.maximum(np.clip(high, -1, limits - 1) - low + 1, 0)
        return cls(low[:, 1], low[:, 0], size[:, 1], size[:, 0], _planes(corners, low + 0.5))

    def inside(self) -> Iterator[_Found]:
        """Yield the pixels whose centres lie inside the faces, in parts."""
        counts = self.height * self.width
        for first, last in _parts(counts):
            n = counts[first:last]
            box = np.repeat(np.arange(first, last), n)
            place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
            wide = self.width[box]
            down = place // wide
            right = place - down * wide
            steps = right.astype(np.float32), down.astype(np.float32)
            second, third = (self._plane(k, box, *steps) for k in (0, 1))
            kept = np.flatnonzero((second >= -_EDGE) & (third >= -_EDGE) & (second + third <= 1.0 + _EDGE))
            box = box[kept]
            nearness = self._plane(2, box, *(step[kept] for step in steps))
            weights = np.stack([second[kept], third[kept]], axis=1)
            yield _Found(self.top[box] + down[kept], self.left[box] + right[kept], box, weights, nearness)

    def _plane(self, which: int, box: IntArray, right: FloatArray, down: FloatArray) -> FloatArray:
        start, across, along = self.planes[:, which].T
        values: FloatArray = start[box] + across[box] * right + along[box] * down
        return values

    def touching(self, mask: BoolArray) -> BoolArray:
        """Return whether each box holds a pixel of ``mask``, by sums over its corners."""
        sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
        sums[1:, 1:] = mask.cumsum(axis=0).cumsum(axis=1)
        bottom, right = self.top + self.height, self.left + self.width
        count = (
            sums[bottom, right] - sums[self.top, right] - sums[bottom, self.left] + sums[self.top, self.left]
        )
        touching: BoolArray = count > 0
        return touching


def _planes(corners: DoubleArray, origin: DoubleArray) -> FloatArray:
    """Return weights and nearness of faces, corners (n, 3, 3), as planes around ``origin`` (n, 2)."""
    a = corners[:, 0, :2]
    to_b, to_c, to_origin = corners[:, 1, :2] - a, corners[:, 2, :2] - a, origin - a
    area = to_b[:, 0] * to_c[:, 1] - to_b[:, 1] * to_c[:, 0]
    steps = np.stack([np.stack([to_c[:, 1], -to_c[:, 0]], 1), np.stack([-to_b[:, 1], to_b[:, 0]], 1)], 1)
    steps = steps / area[:, None, None]  # (n, second or third, right or down)
    start = (steps * to_origin[:, None, :]).sum(axis=2)
    weights = np.concatenate([start[:, :, None], steps], axis=2)
    near = corners[:, :, 2]
    rise = (near[:, 1:] - near[:, :1])[:, :, None]
    nearness = (weights * rise).sum(axis=1)
    nearness[:, 0] += near[:, 0]
    return np.concatenate([weights, nearness[:, None, :]], axis=1).astype(np.float32)


def _parts(counts: IntArray) -> Iterator[tuple[int, int]]:
    """Yield ranges of boxes that hold about so many pixels as are tried at once."""
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts):
        before = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, before + _AT_ONCE, side="right")), first + 1)
        yield first, last
        first = last


def _rim(mask: BoolArray) -> BoolArray:
    """Return the pixels of ``mask`` beside others and the others beside it, corners included."""
    padded = np.pad(mask, 1)
    grown, shrunk = mask.copy(), mask.copy()
    height, width = mask.shape
    for down in range(3):
        for right in range(3):
            neighbour = padded[down : down + height, right : right + width]
            grown |= neighbour
            shrunk &= neighbour
    return grown & ~shrunk


def _nearest_hit(slots: IntArray) -> IntArray:
    """Return the slot of the hit nearest to the middle of each pixel, slots (n, 16); -1 if there is none."""
    offsets = np.arange(_FINE) + 0.5 - _FINE / 2
    order = np.argsort((offsets[:, None] ** 2 + offsets[None, :] ** 2).ravel(), kind="stable")
    by_distance = slots[:, order]
    hit = (by_distance >= 0).argmax(axis=1)
    nearest: IntArray = by_distance[np.arange(len(slots)), hit]
    return nearest
