"""Cells of captioners from elsewhere stand for what is nearest to them, and their maps cover the whole image."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.models.base import Caption, DescribeOptions
from gazeapp.engine.models.batches import Request
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.cell_parts import attended_parts, centres, even_maps
from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.lesion import cell_share
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.types import Rect
from tests.engine.models.captioner.nearest import laid, nearest_shares
from tests.engine.models.captioner.training.tiny import tiny_config

WORDS = ("<pad>", "<end>", "<start>")
HEIGHT, WIDTH = 48, 80


def elsewhere(size: int, grid: tuple[int, int], **more: Any) -> CaptionerConfig:
    return CaptionerConfig(
        "x", "X", "resnet18", "lstm", WORDS, (), (), form="sgrvinod", input_size=size, grid=grid, **more
    )


def published(size: int = 256) -> CaptionerConfig:
    """A ResNet's cells: 32 px apart, 15.5 px too far up and left, 8 x 8 pooled to 14 x 14."""
    return elsewhere(size, (14, 14), cell_offset=(-15.5, -15.5), cell_stride=(32.0, 32.0))


SHIFTED = {
    "published": published(),
    # 3 rows of 16 px, repeated to 7; 6 columns of 8 px of which neighbours are averaged, to 4.
    "unlike": elsewhere(48, (7, 4), cell_offset=(3.0, -2.5), cell_stride=(16.0, 8.0)),
    "outside": elsewhere(48, (4, 4), cell_offset=(-30.0, 30.0), cell_stride=(12.0, 12.0)),
}


@pytest.mark.parametrize("size", [224, 230, 256])
def test_centres_are_those_of_torchs_pooling(size: int) -> None:
    """The middle of five halvings, each rounded up, of pictures whose size they need not divide."""
    own = -(-size // 32)
    config = replace(published(size), cell_offset=(0.5 + 16 * (own - 1) - size / 2, 0.0))
    pooled = functional.adaptive_avg_pool1d(32 * torch.arange(float(own))[None] + 0.5, 14)[0].numpy()
    np.testing.assert_allclose(centres(config, 0), pooled, atol=1e-4)
    np.testing.assert_allclose(centres(config, 1), pooled - config.cell_offset[0], atol=1e-4)


@pytest.mark.parametrize("name", SHIFTED)
def test_attention_to_one_cell_is_laid_over_what_is_nearest_to_it(name: str) -> None:
    config = SHIFTED[name]
    parts = attended_parts(config)
    assert parts is not None
    rows, columns = config.grid
    ones = np.eye(rows * columns, dtype=np.float32).reshape(-1, rows, columns)
    size = config.input_size
    places = [centres(config, axis).clip(0, size) for axis in (0, 1)]
    found = even_maps(ones, parts)
    np.testing.assert_allclose(found, laid(ones, *places, size), atol=1e-6)
    assert found.dtype == np.float32
    assert found.min() == 0
    np.testing.assert_allclose(found.sum(axis=(1, 2)), 1, atol=1e-6)


def test_attention_of_the_published_captioners_lands_where_it_was() -> None:
    """Centroids within half a cell of the centre that torch's pooling gives; the outermost reach to the border."""
    parts = attended_parts(published())
    assert parts is not None
    pooled = functional.adaptive_avg_pool1d(32 * torch.arange(8.0)[None] + 0.5, 14)[0].numpy()
    ones = np.eye(196, dtype=np.float32).reshape(14, 14, 14, 14)
    found = even_maps(ones.reshape(196, 14, 14), parts).reshape(14, 14, 14, 14)
    middles = 256 / 14 * (np.arange(14) + 0.5)
    half = 256 / 14 / 2
    edges = np.array([0, *(pooled[1:] + pooled[:-1]) / 2, 256])
    for i in range(14):
        down, across = found[i, 13 - i].sum(axis=1), found[i, 13 - i].sum(axis=0)
        for mass, cell in ((down, i), (across, 13 - i)):
            low, high = edges[cell], edges[cell + 1]
            centroid = mass @ middles
            if 0 < cell < 13:
                assert abs(centroid - pooled[cell]) < half
            # Exactly nothing in even cells that the part does not touch.
            touched = (middles + half > low) & (middles - half < high)
            assert (mass[touched] > 0).all()
            assert not mass[~touched].any()


def test_two_cells_by_hand() -> None:
    """Centres at 1 and 5 of 8 px: parts 0 to 3 and 3 to 8, of which a fifth lies in the first half."""
    config = elsewhere(8, (2, 2), cell_offset=(-1.0, 0.0), cell_stride=(4.0, 4.0))
    parts = attended_parts(config)
    assert parts is not None
    assert parts.down.edges == (0.0, 3 / 8, 1.0)
    assert parts.across.edges == (0.0, 0.5, 1.0)
    maps = np.array([[[0.25, 0.0], [0.75, 0.0]]], np.float32)
    np.testing.assert_allclose(even_maps(maps, parts)[0], [[0.4, 0.0], [0.6, 0.0]], atol=1e-7)


def test_equal_attention_has_density_up_to_every_border() -> None:
    """Closed form: the first even cell, 18.3 px, has cell 0 and 9.8 of the 16 px of cell 1; the last 18.3 of 39.5."""
    parts = attended_parts(published())
    assert parts is not None
    equal = np.full((1, 14, 14), 1 / 196, np.float32)
    image = to_image(even_maps(equal, parts)[0], Rect.of_image(280, 140), 140, 280) * 196
    width = 256 / 14
    first, last = 1 + (width - 8.5) / 16, width / 39.5
    corners = [[image[0, 0], image[0, -1]], [image[-1, 0], image[-1, -1]]]
    np.testing.assert_allclose(corners, np.outer([first, last], [first, last]), rtol=1e-4)


def test_a_lesion_of_the_left_half_takes_the_cells_that_are_left_of_the_middle() -> None:
    """Edges by hand: cells 6 and 7 are centred on 96.5 and 128.5, cells 7 and 8 on 128.5 and 144.5 of 256 px."""
    parts = attended_parts(published())
    mask = np.zeros((100, 512), np.float32)
    mask[:, :256] = 1.0
    share = cell_share(Lesion(mask), (14, 14), parts).reshape(14, 14)
    wanted = [*[1.0] * 7, (128 - 112.5) / (136.5 - 112.5), *[0.0] * 6]
    np.testing.assert_allclose(share, np.tile(wanted, (14, 1)), atol=1e-6)
    assert (share[:, :7] == 1).all()
    assert (share[:, 8:] == 0).all()


def test_cells_that_pooling_made_equal_are_taken_together() -> None:
    """The first two of 7 rows are both the first of 3, centred on 11 px, the third is on 19: the edge is at 15 px."""
    config = SHIFTED["unlike"]
    assert centres(config, 0).tolist() == [11, 11, 19, 27, 35, 43, 43]
    mask = np.zeros((48, 48), np.float32)
    mask[:15] = 1.0
    share = cell_share(Lesion(mask), config.grid, attended_parts(config)).reshape(config.grid)
    assert share[:, 0].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_even_cells_are_left_as_they_are() -> None:
    even = elsewhere(256, (8, 8), cell_stride=(32.0, 32.0))
    assert attended_parts(even) is None
    assert attended_parts(replace(even, grid=(14, 14), cell_stride=(0.0, 0.0))) is None
    assert attended_parts(replace(even, grid=(14, 14))) is not None
    # Of gazeapp's own form features are brought to the even grid.
    assert attended_parts(replace(published(), form="gazeapp", width=16)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"cell_stride": (0.5, 8.0)},
        {"cell_stride": (8.0, -1.0)},
        {"cell_stride": (math.nan, 8.0)},
        {"cell_stride": (8.0, math.inf)},
        {"cell_offset": (math.nan, 0.0)},
        {"cell_offset": (0.0,)},
    ],
)
def test_places_that_cannot_be_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(GazeError, match=r"cell_(stride|offset)"):
        CaptionerConfig.from_json({**published().to_json(), **more})


@pytest.fixture(scope="module")
def model() -> CaptionerModel:
    """A captioner whose description says that its 4 x 4 cells are pooled from 4 rows and 6 columns, and shifted."""
    torch.manual_seed(0)
    network = Captioner(tiny_config()).eval()
    network.config = replace(
        network.config, form="sgrvinod", cell_offset=(-3.0, -1.5), cell_stride=(8.0, 6.0), max_words=3
    )
    return CaptionerModel(network, captioner_info(Path("x"), network.config))


def test_captions_have_maps_over_the_whole_image(model: CaptionerModel) -> None:
    """What is said is the network's own; maps are its attention, laid over what is nearest."""
    image = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    caption = model.describe(image, "general")
    network = model.network
    with torch.inference_mode():
        features = network.encoder(network.normalise(model.fit(image).picture[None]))
        said = network.say(features, torch.tensor([network.config.first("general")]))
    assert caption.rect == Rect(0, 0, WIDTH, HEIGHT)
    assert caption.facts["tokens"] == said.tokens[0]
    down = 16 - 3 + 8 * (np.arange(4) - 1.5)
    across = 16 - 1.5 + 6 * (np.array([0.5, 1.5, 3.5, 4.5]) - 2.5)
    np.testing.assert_allclose(
        caption.maps, laid(said.attention[0][0, 0].reshape(-1, 4, 4), down, across, 32), atol=1e-6
    )


def test_what_lesions_leave_is_where_the_map_is(model: CaptionerModel) -> None:
    """All but a few pixels in the middle of one cell's part are taken: words attend to that cell alone."""
    down = 16 - 3 + 8 * (np.arange(4) - 1.5)
    across = 16 - 1.5 + 6 * (np.array([0.5, 1.5, 3.5, 4.5]) - 2.5)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    requests = []
    for row in range(4):
        for column in range(4):
            y, x = round(down[row] * HEIGHT / 32), round(across[column] * WIDTH / 32)
            mask = np.ones((HEIGHT, WIDTH), np.float32)
            mask[y : y + 1, x - 1 : x + 1] = 0.0
            requests.append(Request(image, "general", "", DescribeOptions(lesion=Lesion(mask, "keys"))))
    wanted = np.einsum("rg,ch->rcgh", nearest_shares(down, 32), nearest_shares(across, 32)).reshape(16, 4, 4)
    for caption, map_ in zip(model.describe_many(requests), wanted, strict=True):
        assert isinstance(caption, Caption)
        assert len(caption.words)
        np.testing.assert_allclose(caption.maps, np.tile(map_, (len(caption.words), 1, 1)), atol=1e-6)
