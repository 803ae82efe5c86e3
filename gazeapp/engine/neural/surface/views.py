"""From where the cortex is looked at, and how several views stand side by side in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gazeapp.engine.neural.records import LEFT, RIGHT
from gazeapp.engine.neural.surface.mesh import FLAT, INFLATED, load_mesh
from gazeapp.engine.types import DoubleArray

LATERAL, MEDIAL, VENTRAL, DORSAL, POSTERIOR, ANTERIOR = (
    "lateral",
    "medial",
    "ventral",
    "dorsal",
    "posterior",
    "anterior",
)
ANGLES = (LATERAL, MEDIAL, VENTRAL, DORSAL, POSTERIOR, ANTERIOR)

GAP_MM = 10.0
"""Room between two views, mm of the surfaces."""
MARGIN_MM = 4.0
"""Room around all views, mm of the surfaces."""


@dataclass(frozen=True, slots=True)
class View:
    """One hemisphere from one side.

    Parameters
    ----------
    surface
        ``inflated``, ``flat``, ``pial`` or ``white``.
    hemisphere
        ``left`` or ``right``.
    angle
        One of `ANGLES`; empty for the flat surface, which is looked at from above.
    """

    surface: str
    hemisphere: str
    angle: str = ""

    @property
    def title(self) -> str:
        """What the view is called in words."""
        return f"{self.hemisphere}, {self.angle or 'flat'}"


Layout = tuple[tuple[View, ...], ...]
"""Rows of views."""


def camera(view: View) -> DoubleArray:
    """Return the directions to the right, up and towards the viewer, shape (3, 3), one in each row, unit length.

    Seen from below and from above, the brain is the side view rolled over, so that the front points to the left for
    the left hemisphere and to the right for the right one, except in the medial view.
    """
    right, front, up = np.eye(3)
    if view.surface == FLAT:
        return np.stack([right, front, up])
    outward = -right if view.hemisphere == LEFT else right
    along = -front if view.hemisphere == LEFT else front
    axes = {
        LATERAL: (along, up, outward),
        MEDIAL: (-along, up, -outward),
        VENTRAL: (along, outward, -up),
        DORSAL: (along, -outward, up),
        POSTERIOR: (right, up, -front),
        ANTERIOR: (-right, up, front),
    }
    return np.stack(axes[view.angle])


def projected(view: View) -> DoubleArray:
    """Return where the vertices lie in a view, shape (n_vertices, 3), mm: to the right, up, towards the viewer."""
    places: DoubleArray = (
        load_mesh(view.surface, view.hemisphere).vertices.astype(np.float64) @ camera(view).T
    )
    return places


@lru_cache(maxsize=32)
def extent(view: View) -> tuple[float, float]:
    """Return width and height of a view, mm."""
    mesh = load_mesh(view.surface, view.hemisphere)
    width, height, _ = np.ptp(projected(view)[mesh.used], axis=0)
    return float(width), float(height)


def layouts(scene: str) -> tuple[Layout, ...]:
    """Return the ways in which the views of a scene can stand, to choose from by the room there is.

    Parameters
    ----------
    scene
        ``inflated`` (both sides from four angles), ``flat`` (both sides), or one of `ANGLES` (both sides inflated,
        from that angle).
    """
    if scene == FLAT:
        return _pair(View(FLAT, LEFT), View(FLAT, RIGHT))
    if scene != INFLATED:
        if scene not in ANGLES:
            raise ValueError(f"there is no scene {scene!r}")
        return _pair(*(View(INFLATED, side, scene) for side in (LEFT, RIGHT)))
    left, right = ({angle: View(INFLATED, side, angle) for angle in ANGLES} for side in (LEFT, RIGHT))
    tall = tuple((left[angle], right[angle]) for angle in (LATERAL, MEDIAL, VENTRAL, POSTERIOR))
    square = (
        (left[LATERAL], right[LATERAL]),
        (left[MEDIAL], right[MEDIAL]),
        (left[VENTRAL], left[POSTERIOR], right[POSTERIOR], right[VENTRAL]),
    )
    wide = (
        (left[LATERAL], left[MEDIAL], right[MEDIAL], right[LATERAL]),
        (left[VENTRAL], left[POSTERIOR], right[POSTERIOR], right[VENTRAL]),
    )
    return tall, square, wide


def _pair(left: View, right: View) -> tuple[Layout, ...]:
    return ((left, right),), ((left,), (right,))


def layout_size(layout: Layout) -> tuple[float, float]:
    """Return width and height of a layout with its gaps and margins, mm."""
    sizes = [[extent(view) for view in row] for row in layout]
    width = max(sum(size[0] for size in row) + GAP_MM * (len(row) - 1) for row in sizes)
    height = sum(max(size[1] for size in row) for row in sizes) + GAP_MM * (len(sizes) - 1)
    return width + 2 * MARGIN_MM, height + 2 * MARGIN_MM


def best_layout(scene: str, width: float, height: float) -> tuple[Layout, float]:
    """Return the layout of a scene that shows it largest in a room, and its scale, px per mm.

    Parameters
    ----------
    scene
        A scene as in :func:`layouts`.
    width, height
        The room, px.
    """

    def scale(layout: Layout) -> float:
        across, down = layout_size(layout)
        return min(width / across, height / down)

    best = max(layouts(scene), key=scale)
    return best, scale(best)
