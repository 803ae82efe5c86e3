"""The finished picture: colours, outlines and marks, the same for the window, for reports and for exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.records import Region
from gazeapp.engine.neural.surface.colouring import Colouring, fold_greys, paint_rows
from gazeapp.engine.neural.surface.mesh import HEMISPHERES, load_sulci
from gazeapp.engine.neural.surface.outlines import (
    DARK_LINE,
    LIGHT_LINE,
    Labels,
    Lines,
    RegionPicture,
    draw_lines,
)
from gazeapp.engine.neural.surface.scene import Scene
from gazeapp.engine.types import FloatArray

LINE_PX = 1.3
_MARK_PX = (5.4, 2.4)
"""Widths of the dark line around what is marked and of the light one on it, px."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions to draw, and what is known of them for every picture.

    Parameters
    ----------
    all
        The regions.
    """

    all: tuple[Region, ...]

    @cached_property
    def labels(self) -> Labels:
        """The labels of the vertices."""
        return Labels.of(self.all)


NO_REGIONS = Regions(())


def same_regions(some: Sequence[Region], others: Sequence[Region]) -> bool:
    """Return whether regions agree in names, hemispheres, vertices and order, such as those of one atlas read twice."""
    return len(some) == len(others) and all(
        one is other or (one.id == other.id and np.array_equal(one.vertices, other.vertices))
        for one, other in zip(some, others, strict=True)
    )


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown on the cortex.

    Parameters
    ----------
    colouring
        Limits, colours and threshold.
    values
        Values of vertices, shape (20,484,), NaN where there is none; None shows the folds alone.
    regions
        Regions, whose borders are drawn if ``outlined``. Values that are the same all over each of them are drawn with
        the colours meeting at the borders.
    outlined
        Whether the borders are drawn.
    marked
        Regions around which a strong line is drawn.
    line_px
        Width of the borders, px.
    """

    colouring: Colouring
    values: FloatArray | None = None
    regions: Regions = NO_REGIONS
    outlined: bool = True
    marked: Regions = NO_REGIONS
    line_px: float = LINE_PX


def compose(scene: Scene, shown: Shown) -> NDArray[np.uint8]:
    """Return the picture of a scene, shape (height, width, 4), uint8, RGBA, transparent beside the cortex."""
    picture = paint_rows(scene, pixel_values(scene, shown), shown.colouring)
    if shown.outlined and shown.regions.all:
        draw_lines(picture, _lines(scene, shown.regions, shown.line_px), line_colour(shown))
    if shown.marked.all:
        for width, colour in zip(_MARK_PX, (DARK_LINE, LIGHT_LINE), strict=True):
            scaled = width * shown.line_px / LINE_PX
            draw_lines(picture, _lines(scene, shown.marked, scaled), colour)
    return picture


def pixel_values(scene: Scene, shown: Shown) -> FloatArray | None:
    """Return the value at each pixel that shows the cortex, shape (n,); None where only folds are shown."""
    if shown.values is None:
        return None
    of_labels = shown.regions.labels.even(shown.values)
    if of_labels is None:
        return scene.between(shown.values)
    return regions_in(scene, shown.regions.labels).values(of_labels)


def line_colour(shown: Shown) -> tuple[int, int, int]:
    """Return the colour of borders: light on colours that begin dark, dark on the others and on the folds."""
    return DARK_LINE if shown.values is None or shown.colouring.diverging else LIGHT_LINE


def regions_in(scene: Scene, labels: Labels) -> RegionPicture:
    """Return regions in a scene, found once."""
    found: RegionPicture = scene.keep(labels, lambda: RegionPicture.of(scene, labels))
    return found


def _lines(scene: Scene, regions: Regions, thickness: float) -> Lines:
    made: Lines = scene.keep((regions, thickness), lambda: regions_in(scene, regions.labels).lines(thickness))
    return made


def regions_at(scene: Scene, regions: Regions, row: int) -> Sequence[Region]:
    """Return the regions seen at a row of a scene."""
    return [regions.all[number] for number in regions_in(scene, regions.labels).regions_at(row)]


def vertex_at(scene: Scene, regions: Regions, row: int) -> int:
    """Return the vertex nearest to a row of a scene among those that are in just the regions seen there.

    Near a border the nearest vertex of all may lie in the region next to the one that is seen.
    """
    corners = scene.vertices[row]
    is_seen = regions.labels.of_vertices[corners] == regions_in(scene, regions.labels).seen[row]
    return int(corners[np.where(is_seen, scene.weights[row], np.float32(-1.0)).argmax()])


def vertex_colours(shown: Shown) -> NDArray[np.uint8]:
    """Return the colour of each vertex, RGB, shape (20,484, 3): that of its value, or the grey of its fold."""
    folds = np.concatenate([load_sulci(side) for side in HEMISPHERES])
    colours = np.repeat(np.rint(fold_greys(folds)).astype(np.uint8)[:, None], 3, axis=1)
    if shown.values is not None:
        seen = np.abs(shown.values) >= shown.colouring.threshold  # false for NaN
        colours[seen] = shown.colouring.table[shown.colouring.places(shown.values[seen])]
    return colours
