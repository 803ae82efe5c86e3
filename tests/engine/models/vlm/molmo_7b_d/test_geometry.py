from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.molmo_7b_d.geometry import CROP, Geometry


def test_crops_of_83_sizes_are_those_of_the_authors(data: Path) -> None:
    with (data / "tilings.csv").open() as lines:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(lines)]
    assert len(rows) == 83
    for row in rows:
        geometry = Geometry.of_image(row["width"], row["height"])
        overview, detail = geometry.overview, geometry.detail
        assert (overview.height, overview.width) == (CROP, CROP)
        assert {
            "width": geometry.width,
            "height": geometry.height,
            "tile_rows": geometry.tile_rows,
            "tile_columns": geometry.tile_columns,
            "overview_scaled_height": overview.scaled_height,
            "overview_scaled_width": overview.scaled_width,
            "detail_height": detail.height,
            "detail_width": detail.width,
            "detail_scaled_height": detail.scaled_height,
            "detail_scaled_width": detail.scaled_width,
            "crops": geometry.crops,
            # The block begins behind the first token of the text.
            "image_block_tokens": geometry.text_start - 1,
            "image_tokens": int((geometry.slot_positions() >= 0).sum()),
        } == row


@pytest.mark.parametrize(("width", "height"), [(300, 300), (1000, 260), (260, 1000), (1280, 720), (90, 60)])
def test_every_token_is_taken_from_exactly_one_slot(width: int, height: int) -> None:
    geometry = Geometry.of_image(width, height)
    slots = geometry.slot_positions()
    tokens = np.concatenate([geometry.overview_positions.ravel(), geometry.detail_positions.ravel()])
    assert sorted(slots[slots >= 0]) == sorted(tokens)


@pytest.mark.parametrize(("width", "height"), [(1000, 260), (260, 1000), (1280, 720)])
def test_slots_show_the_part_of_the_canvas_where_their_token_lies(width: int, height: int) -> None:
    geometry = Geometry.of_image(width, height)
    slots = geometry.slot_positions()[1:].reshape(-1, 12, 12)
    for crop, (top, left) in enumerate(geometry.crop_corners):
        for row, column in zip(*np.nonzero(slots[crop] >= 0), strict=True):
            token = np.argwhere(geometry.detail_positions == slots[crop, row, column])[0]
            assert tuple(28 * token) == (top + 28 * row, left + 28 * column)


def test_an_image_that_would_lose_a_side_is_refused() -> None:
    with pytest.raises(GazeError, match="too narrow"):
        _ = Geometry.of_image(3, 4000).overview
