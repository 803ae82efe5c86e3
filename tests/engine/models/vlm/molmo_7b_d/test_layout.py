from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, View
from gazeapp.engine.models.vlm.molmo_7b_d.geometry import Geometry
from gazeapp.engine.models.vlm.molmo_7b_d.layout import layout_of
from gazeapp.engine.models.vlm.molmo_7b_d.load import load_network


def rectangles(view: View) -> np.ndarray:
    edges = view.column_edges[None], view.row_edges[:, None]
    left, top = np.broadcast_arrays(edges[0][:, :-1], edges[1][:-1])
    right, bottom = np.broadcast_arrays(edges[0][:, 1:], edges[1][1:])
    return np.stack([left, top, right, bottom], axis=-1).reshape(-1, 4)


def test_rectangles_and_places_are_those_of_the_oracle(case) -> None:
    height, width = case.image.shape[:2]
    layout = layout_of(Geometry.of_image(width, height))
    assert layout.view_names == (OVERVIEW, DETAIL)
    assert np.array_equal(layout.columns, case.given["token_pos"])
    found = np.concatenate([rectangles(view) for view in layout.views])
    assert np.array_equal(found, case.given["rect_xyxy"])


@pytest.mark.parametrize(("width", "height"), [(301, 299), (1000, 260), (260, 1000)])
def test_mass_on_the_token_over_a_point_comes_out_there(width: int, height: int) -> None:
    layout = layout_of(Geometry.of_image(width, height))
    rng = np.random.default_rng(0)
    for x, y in rng.uniform((0, 0), (width, height), (20, 2)):
        for view in layout.views:
            row = np.searchsorted(view.row_edges, y) - 1
            column = np.searchsorted(view.column_edges, x) - 1
            mass = (layout.columns == view.columns[row, column]).astype(np.float32)
            maps, rect = layout.to_maps(mass, view.name)
            down = rect.y + (np.arange(maps.shape[0]) + 0.5) * rect.height / maps.shape[0]
            across = rect.x + (np.arange(maps.shape[1]) + 0.5) * rect.width / maps.shape[1]
            # The middle of the map's mass lies within a token of the point.
            assert abs((maps.sum(axis=1) * down).sum() / maps.sum() - y) < np.diff(view.row_edges)[0]
            assert abs((maps.sum(axis=0) * across).sum() / maps.sum() - x) < np.diff(view.column_edges)[0]


def test_borders_carry_no_part_of_the_image() -> None:
    geometry = Geometry.of_image(640, 300)
    layout = layout_of(geometry)
    whole = layout.coverage(np.ones((300, 640), np.float32))
    # The oracle counts 96 tokens of this image that lie wholly in a border.
    assert int((whole == 0).sum()) == 96
    assert set(whole) == {0.0, 1.0}


@pytest.mark.parametrize(("width", "height"), [(640, 300), (430, 610)])
@torch.no_grad()
def test_what_is_painted_on_the_image_changes_the_tokens_that_lie_there(
    apart: Any, processor: Any, width: int, height: int
) -> None:
    """Paint a part of the image: the tokens under it change, and no others, to within the reach of the scaling."""
    grey = np.full((height, width, 3), 128, np.uint8)
    layout = layout_of(Geometry.of_image(width, height))
    before = features(apart, processor, grey)
    rectangle = np.concatenate([rectangles(view) for view in layout.views])
    rng = np.random.default_rng(width)
    for _ in range(2):
        left, top = rng.integers(0, (width - 40, height - 40))
        wide, tall = rng.integers(30, 120, 2)
        painted = grey.copy()
        right, bottom = min(left + wide, width), min(top + tall, height)
        painted[top:bottom, left:right] = 255 * rng.integers(0, 2, (bottom - top, right - left, 3), np.uint8)
        changed = (features(apart, processor, painted) != before).any(axis=1)
        # Each pixel of a scaled image is read from at most two around it, in px of the smaller of both images.
        reach = 2 * max(1.0, np.diff(rectangle[0, [0, 2]])[0] / 28)
        near = (left - reach, top - reach, right + reach, bottom + reach)
        within = (left + reach, top + reach, right - reach, bottom - reach)
        assert not (changed & ~touches(rectangle, near)).any()
        assert not (~changed & touches(rectangle, within)).any()
        assert changed.any()


@pytest.fixture(scope="module")
def apart(checkpoint: Path) -> Any:
    """Return a network whose patches do not read each other, so that what a token shows is confined to it."""
    network = load_network(checkpoint)
    for block in network.model.vision_backbone.image_vit.transformer["resblocks"]:
        block.attention.wo.weight.data.zero_()
    return network


def features(network: Any, processor: Any, image: np.ndarray) -> np.ndarray:
    """Return what is added to the word of each image token, (tokens, width), in the order of the prompt."""
    seen = []
    handle = network.model.image_features.register_forward_hook(lambda _m, _a, out: seen.append(out.numpy()))
    try:
        network(**processor(image, "?"))
    finally:
        handle.remove()
    return seen[0]


def touches(rectangle: np.ndarray, area: tuple[float, float, float, float]) -> np.ndarray:
    """Return which rectangles, (n, 4), share a part with an area."""
    left, top, right, bottom = area
    across = np.minimum(rectangle[:, 2], right) > np.maximum(rectangle[:, 0], left)
    return across & (np.minimum(rectangle[:, 3], bottom) > np.maximum(rectangle[:, 1], top))
