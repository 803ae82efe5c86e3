"""Regions in a picture of the cortex: which one is seen at each pixel, and the lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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

    of_vertices: IntArray
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
        return cls(packed[:-1], tuple(members[label] for label in used))

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
    scene
        The picture.
    labels
        The regions.
    """

    scene: Scene
    labels: Labels

    @cached_property
    def _seen(self) -> tuple[IntArray, FloatArray]:
        """Label seen at each pixel, shape (n,), and how much more it weighs than the next, 0 to 1, shape (n,)."""
        labels, weights = self.labels.of_vertices[self.scene.vertices], self.scene.weights
        seen = labels[:, 0].copy()
        lead = np.ones(len(seen), dtype=np.float32)
        mixed = np.flatnonzero((labels[:, 0] != labels[:, 1]) | (labels[:, 0] != labels[:, 2]))
        label, weight = labels[mixed], weights[mixed]
        same = label[:, :, None] == label[:, None, :]
        sums = (same * weight[:, None, :]).sum(axis=2)
        best = sums.argmax(axis=1)
        each = np.arange(len(mixed))
        others = np.where(same[each, best], np.float32(0.0), sums)
        seen[mixed] = label[each, best]
        lead[mixed] = sums[each, best] - others.max(axis=1)
        return seen, lead

    def regions_at(self, row: int) -> tuple[int, ...]:
        """Return the rows of the regions that are seen at a row of the scene."""
        return self.labels.regions[int(self._seen[0][row])]

    def values(self, of_labels: FloatArray) -> FloatArray:
        """Return values of labels at each pixel, shape (n,)."""
        values: FloatArray = of_labels[self._seen[0]]
        return values

    def lines(self, thickness: float) -> Lines:
        """Return the lines between labels, ``thickness`` px wide; there are none along the rim of the surface."""
        height, width = self.scene.height, self.scene.width
        seen = np.full(height * width, -1, dtype=np.int64)
        lead = np.full(height * width, np.float32(np.nan))
        seen[self.scene.pixels], lead[self.scene.pixels] = self._seen
        apart = _distance(seen.reshape(height, width), lead.reshape(height, width))
        opacity = np.clip(thickness / 2.0 + 0.5 - apart.ravel()[self.scene.pixels], 0.0, 1.0)
        # Faces seen nearly from their edge are narrower than a pixel; lines on them would be specks.
        opacity *= np.clip(self.scene.facing * _GRAZING, 0.0, 1.0)
        drawn = np.flatnonzero(opacity > 0.0)
        return Lines(self.scene.pixels[drawn], opacity[drawn].astype(np.float32))


@dataclass(frozen=True, eq=False)
class Lines:
    """Pixels of outlines, shape (n,), and how opaque the line is in each, from 0 to 1, shape (n,)."""

    pixels: IntArray
    opacity: FloatArray


def draw_lines(picture: NDArray[np.uint8], lines: Lines, colour: tuple[int, int, int]) -> None:
    """Draw lines into an RGBA picture, shape (height, width, 4); what is transparent stays so."""
    flat = picture.reshape(-1, 4)
    below = flat[lines.pixels, :3].astype(np.float32)
    mixed = below + (np.array(colour, dtype=np.float32) - below) * lines.opacity[:, None]
    flat[lines.pixels, :3] = np.rint(mixed).astype(np.uint8)


def _distance(seen: IntArray, lead: FloatArray) -> FloatArray:
    """Return how far each pixel is from the nearest border, px, infinite where no border is near.

    The lead of a label falls to 0 at its border, linearly within a face, so that it is the distance times the slope.
    The slope is taken within the same label, where there is a neighbour.
    """
    steepest = np.zeros(seen.shape, dtype=np.float32)
    beside = np.zeros(seen.shape, dtype=np.bool_)
    for axis in (0, 1):
        along = np.zeros(seen.shape, dtype=np.float32)
        for first, second in (_shifted(axis), _shifted(axis)[::-1]):
            same = seen[first] == seen[second]
            border = ~same & (seen[first] >= 0) & (seen[second] >= 0)
            # Across a border the lead falls to 0 and rises again: both together are the way.
            step = np.where(
                same, np.abs(lead[first] - lead[second]), np.where(border, lead[first] + lead[second], 0)
            )
            along[first] = np.fmax(along[first], step)
            beside[first] |= border
        steepest += along**2
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = lead / np.sqrt(steepest)
    # Where three vertices agree the lead is even and nothing says how far the border is.
    apart = np.where(np.isfinite(apart) & (lead < 1.0), apart, np.float32(np.inf))
    return np.where(beside, np.minimum(apart, np.float32(1.0)), apart).astype(np.float32)


def _shifted(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    before, after, whole = slice(None, -1), slice(1, None), slice(None)
    return ((before, whole), (after, whole)) if axis == 0 else ((whole, before), (whole, after))
