"""Regions in a picture of the cortex: which one is seen at each pixel, and the lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.records import N_VERTICES, Region
from gazeapp.engine.neural.surface.scene import Scene
from gazeapp.engine.types import FloatArray, IntArray

DARK_LINE = (24, 25, 28)
LIGHT_LINE = (255, 255, 255)
"""Colours of outlines, RGB."""
_GRAZING = 6.0


@dataclass(frozen=True, eq=False)
class Labels:
    """Which regions each vertex is in.

    Vertices in the same regions have the same label, so that overlapping regions have labels of their own where they
    overlap. Label 0 is no region at all.

    Parameters
    ----------
    of_vertices
        Label of each vertex, shape (20,484,).
    regions
        Rows of the regions of each label, in the order in which the regions were given.
    """

    of_vertices: NDArray[np.int32]
    regions: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, regions: Sequence[Region]) -> Labels:
        """Return the labels of regions."""
        of_vertices = np.zeros(N_VERTICES, dtype=np.int64)
        members: list[tuple[int, ...]] = [()]
        for row, region in enumerate(regions):
            before, inverse = np.unique(of_vertices[region.vertices], return_inverse=True)
            of_vertices[region.vertices] = len(members) + inverse
            members += [(*members[label], row) for label in before]
        used, packed = np.unique(np.append(of_vertices, 0), return_inverse=True)
        return cls(packed[:-1].astype(np.int32), tuple(members[label] for label in used))

    def even(self, values: FloatArray) -> FloatArray | None:
        """Return the value of each label where none differs among its vertices, else None.

        Parameters
        ----------
        values
            Values of the vertices, shape (20,484,); NaN, as on vertices without a value, agrees with itself alone.
        """
        of_labels = np.full(len(self.regions), np.nan, dtype=np.float32)
        of_labels[self.of_vertices] = values
        agrees = np.array_equal(of_labels[self.of_vertices], values, equal_nan=True)
        return of_labels if agrees and len(self.regions) > 1 else None


@dataclass(frozen=True, eq=False)
class RegionPicture:
    """The regions in a scene.

    Within a face the label whose vertices weigh most is seen, so that borders run straight from the middle of one edge
    to the middle of the next.

    Parameters
    ----------
    labels
        The regions.
    seen
        Label seen at each pixel of the scene that shows the cortex, shape (n,).
    mixed
        Pixels of the picture in faces that a border crosses, shape (n_mixed,).
    apart
        How far each of these is from the nearest border, px.
    fade
        How much of a line is drawn there, from 0 to 1.
    """

    labels: Labels
    seen: NDArray[np.int32]
    mixed: IntArray
    apart: FloatArray
    fade: FloatArray

    @classmethod
    def of(cls, scene: Scene, labels: Labels) -> RegionPicture:
        """Find the regions in a scene."""
        of_corners = labels.of_vertices[scene.vertices]
        rows = np.flatnonzero((of_corners[:, 0] != of_corners[:, 1]) | (of_corners[:, 0] != of_corners[:, 2]))
        winner, lead = _decide(of_corners[rows], scene.weights[rows])
        seen = of_corners[:, 0].copy()
        seen[rows] = winner
        mixed = scene.pixels[rows]
        # Faces seen nearly from their edge are narrower than a pixel; lines on them would be specks.
        fade = np.clip(scene.facing[rows] * np.float32(_GRAZING), 0.0, 1.0)
        return cls(labels, seen, mixed, _distance(scene, seen, mixed, lead), fade)

    def regions_at(self, row: int) -> tuple[int, ...]:
        """Return the rows of the regions that are seen at a row of the scene."""
        return self.labels.regions[int(self.seen[row])]

    def values(self, of_labels: FloatArray) -> FloatArray:
        """Return values of labels at each pixel, shape (n,)."""
        values: FloatArray = of_labels[self.seen]
        return values

    def lines(self, thickness: float) -> Lines:
        """Return the lines between labels, ``thickness`` px wide; there are none along the rim of the surface."""
        opacity = np.clip(np.float32(thickness / 2.0 + 0.5) - self.apart, 0.0, 1.0) * self.fade
        drawn = np.flatnonzero(opacity > 0.0)
        return Lines(self.mixed[drawn], opacity[drawn].astype(np.float32))


def _decide(labels: NDArray[np.int32], weights: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
    """Return the label that weighs most among three, and how much more it weighs than the next, from 0 to 1."""
    same = labels[:, :, None] == labels[:, None, :]
    sums = np.einsum("ijk,ik->ij", same.astype(np.float32), weights)
    best = sums.argmax(axis=1)
    each = np.arange(len(labels))
    others = np.where(same[each, best], np.float32(0.0), sums)
    return labels[each, best], sums[each, best] - others.max(axis=1)


def _distance(scene: Scene, seen: NDArray[np.int32], mixed: IntArray, lead: FloatArray) -> FloatArray:
    """Return how far each mixed pixel is from the nearest border, px.

    The lead of a label falls to 0 at its border, linearly within a face, so that it is the distance times the slope.
    Views have bare pixels around them, so that every pixel has four neighbours.
    """
    labels = np.full(scene.height * scene.width, -1, dtype=np.int32)
    labels[scene.pixels] = seen
    leads = np.ones(scene.height * scene.width, dtype=np.float32)
    leads[mixed] = lead
    own = labels[mixed]
    steepest = np.zeros(len(mixed), dtype=np.float32)
    for along in (1, scene.width):
        slope = np.zeros(len(mixed), dtype=np.float32)
        for there in (mixed - along, mixed + along):
            label, other = labels[there], leads[there]
            # Across a border the lead falls to 0 and rises again: both together are the way.
            step = np.where(label == own, np.abs(lead - other), np.where(label >= 0, lead + other, 0))
            np.maximum(slope, step, out=slope)
        np.add(steepest, slope * slope, out=steepest)
    return (lead / np.sqrt(np.maximum(steepest, 1e-12))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Lines:
    """Pixels of outlines, shape (n,), and how opaque the line is in each, from 0 to 1, shape (n,)."""

    pixels: IntArray
    opacity: FloatArray


def draw_lines(picture: NDArray[np.uint8], lines: Lines, colour: tuple[int, int, int]) -> None:
    """Draw lines into an RGBA picture, shape (height, width, 4); what is transparent stays so."""
    packed = picture.reshape(-1).view("<u4")
    mixed = packed[lines.pixels].view(np.uint8).reshape(-1, 4)
    share = np.rint(lines.opacity * 256.0).astype(np.uint16)
    for channel, ink in enumerate(colour):
        # Whole numbers with half of the divisor added: rounded.
        line = np.uint16(ink) * share + np.uint16(128)
        mixed[:, channel] = (mixed[:, channel] * (np.uint16(256) - share) + line) >> np.uint16(8)
    packed[lines.pixels] = mixed.view("<u4").ravel()
