"""Which part of the image each of Molmo 7B-D's image tokens shows."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, Layout, View
from gazeapp.engine.models.vlm.molmo_7b_d.geometry import TOKEN, Canvas, Geometry
from gazeapp.engine.types import IntArray


def layout_of(geometry: Geometry) -> Layout:
    """Return the overview of 12 x 12 tokens and the grid of detail tokens, both with their borders.

    A token's rectangle is where its own four patches lie. The vision encoder mixes all patches of a crop
    before the tokens are made, so what a token stands for is not confined to its rectangle.
    """
    return Layout(
        (
            _view(OVERVIEW, geometry.overview_positions, geometry.overview, geometry),
            _view(DETAIL, geometry.detail_positions, geometry.detail, geometry),
        ),
        geometry.width,
        geometry.height,
    )


def _view(name: str, positions: IntArray, canvas: Canvas, geometry: Geometry) -> View:
    rows, columns = positions.shape
    across = geometry.width / canvas.scaled_width
    down = geometry.height / canvas.scaled_height
    return View(
        name,
        positions,
        (TOKEN * np.arange(rows + 1) - canvas.top) * down,
        (TOKEN * np.arange(columns + 1) - canvas.left) * across,
    )
