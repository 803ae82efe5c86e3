"""Lesions of the captioners that ship: what is taken, by how much, and that nothing else changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import SCOPES, Lesion
from gazeapp.engine.lesions.pixels import changed_pixels
from gazeapp.engine.models.base import Caption, DescribeOptions
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.decoders import LstmDecoder
from gazeapp.engine.models.captioner.layers import TransformerLayer
from gazeapp.engine.models.captioner.lesion import cell_share
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.models.lesioning import offers
from gazeapp.engine.models.registry import load_model
from gazeapp.engine.types import FloatArray, ImageArray
from tests.engine.models.captioner.plain_numbers import read

SHIPPED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")
COMMON = ("keys", "zero", "mean", "pixels", "blur")
PAIRS = [
    *itertools.product(SHIPPED, COMMON),
    *((name, "keys_and_start") for name in ("cnn-lstm", "vit-lstm")),
]
HEIGHT, WIDTH = 160, 200
TAKEN = np.zeros((8, 8), np.bool_)
TAKEN[1:6, :3] = True
"""The cells of `BLOCK`."""
BLOCK = np.repeat(np.repeat(TAKEN, HEIGHT // 8, axis=0), WIDTH // 8, axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def models() -> dict[str, CaptionerModel]:
    return {name: load_model(name) for name in SHIPPED}  # type: ignore[misc]


@pytest.fixture(scope="module")
def picture() -> ImageArray:
    return np.ascontiguousarray(render(demo_scenes(3, seed=7)[2], 200)[:HEIGHT, :WIDTH])


def described(
    model: CaptionerModel,
    picture: ImageArray,
    mask: FloatArray,
    scope: str = "keys",
    strength: float = 1.0,
    forced: tuple[int, ...] = (),
) -> Caption:
    options = DescribeOptions(lesion=Lesion(mask, scope, strength), forced=forced)
    return model.describe(picture, "social", "", options)


def same(one: Caption, other: Caption) -> bool:
    return one.words == other.words and one.maps.tobytes() == other.maps.tobytes()


def graded() -> FloatArray:
    """Return a mask of random shares that takes some cells whole and leaves some whole."""
    rng = np.random.default_rng(3)
    shares = np.clip(rng.uniform(-0.5, 1.5, (8, 8)), 0, 1)
    return np.repeat(np.repeat(shares, HEIGHT // 8, axis=0), WIDTH // 8, axis=1).astype(np.float32)


def features_of(model: CaptionerModel, picture: ImageArray) -> Tensor:
    with torch.no_grad():
        fitted = fit_picture(picture, model.network.config.input_size)
        return model.network.encoder(model.network.normalise(fitted[None]))


METHODS = {
    "lstm": {"alpha": (0, [0])},
    "transformer": {
        "cross-L0-H0": (0, [0]),
        "cross-L0-H1+3": (0, [1, 3]),
        "cross-L1-H2": (1, [2]),
        "cross-L1-mean": (1, [0, 1, 2, 3]),
    },
}
"""Map methods, with the layer and the heads that they are the mean of."""


@pytest.mark.parametrize(
    ("name", "scope", "strength"),
    [
        *itertools.product(SHIPPED, ["keys"], [1.0, 0.35]),
        *itertools.product(["cnn-lstm", "vit-lstm"], ["keys_and_start"], [1.0, 0.35]),
    ],
)
def test_attention_is_multiplied_by_what_is_left_of_each_cell_and_nothing_else_changes(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str, strength: float
) -> None:
    """All words, layers, heads and probabilities are those of the decoder written out in plain numbers."""
    model = models[name]
    left = 1 - strength * graded()[:: HEIGHT // 8, :: WIDTH // 8].astype(np.float64).ravel()
    intact = np.ones_like(left)
    caption = described(model, picture, graded(), scope, strength)
    first = model.network.config.vocabulary.index("<social>")
    tokens = caption.facts["tokens"]
    features = features_of(model, picture)[0].double().numpy()
    at_start = left if scope == "keys_and_start" else intact
    logs, attention = read(model.network, features, [first, *tokens], left, at_start)
    assert logs.argmax(axis=1).tolist() == [*tokens, 1]
    expected = [logs[i, token] for i, token in enumerate(tokens)]
    np.testing.assert_allclose([word.log_probability for word in caption.words], expected, atol=1e-4)
    assert len(tokens) > 3
    for method, (layer, heads) in METHODS[model.info.decoder].items():
        options = DescribeOptions(lesion=Lesion(graded(), scope, strength))
        maps = model.describe(picture, "social", method, options).maps.reshape(len(tokens), 64)
        np.testing.assert_allclose(maps, attention[layer, heads, : len(tokens)].mean(axis=0), atol=5e-6)
        assert (maps[:, left == 0.0] == 0.0).all()
        assert (maps[:, left > 0.0] > 0.0).any(axis=0).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_first_word_attends_to_the_rest_as_before(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str
) -> None:
    """Its weights are the intact ones without those of the lesion, normalised anew: in an LSTM, and in layer 0."""
    model = models[name]
    method = "alpha" if name.endswith("lstm") else "cross-L0-H2"
    intact = model.describe(picture, "social", method).maps[0]
    options = DescribeOptions(lesion=Lesion(BLOCK))
    caption = model.describe(picture, "social", method, options)
    assert 0.01 < intact[TAKEN].sum() < 0.99
    np.testing.assert_array_equal(caption.maps[:, TAKEN], 0.0)
    np.testing.assert_allclose(caption.maps[0][~TAKEN], intact[~TAKEN] / intact[~TAKEN].sum(), atol=1e-6)
    assert (caption.maps[:, ~TAKEN].sum(axis=1) > 0.99999).all()


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("cnn-transformer", "keys"),
        ("vit-transformer", "keys"),
        ("cnn-lstm", "keys_and_start"),
        ("vit-lstm", "keys_and_start"),
    ],
)
def test_full_strength_is_as_if_the_cells_were_not_there(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str
) -> None:
    """Words, probabilities and attention are those of the network on a grid without these cells."""
    model = models[name]
    caption = described(model, picture, BLOCK, scope)
    features = features_of(model, picture)[:, ~TAKEN.ravel()]
    first = model.network.config.vocabulary.index("<social>")
    with torch.no_grad():
        logits, attention, _ = model.network.decoder(
            features, torch.tensor([[first, *caption.facts["tokens"]]])
        )
    chosen = logits[0].log_softmax(dim=-1)
    n = len(caption.words)
    assert chosen.argmax(dim=1).tolist() == [*caption.facts["tokens"], 1]
    expected = [float(chosen[i, token]) for i, token in enumerate(caption.facts["tokens"])]
    np.testing.assert_allclose([word.log_probability for word in caption.words], expected, atol=1e-4)
    layer = attention[0, -1, :, :n].mean(dim=0) if "transformer" in name else attention[0, 0, 0, :n]
    method = "alpha" if name.endswith("lstm") else "cross-L1-mean"
    maps = model.describe(picture, "social", method, DescribeOptions(lesion=Lesion(BLOCK, scope))).maps
    np.testing.assert_allclose(maps[:, ~TAKEN], layer.numpy(), atol=1e-5)


@pytest.mark.parametrize(("name", "scope"), PAIRS)
def test_nothing_taken_is_the_intact_run_bit_for_bit(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str
) -> None:
    model = models[name]
    intact = model.describe(picture, "social")
    lesioned = described(model, picture, BLOCK, scope)
    assert not same(lesioned, intact)
    assert same(described(model, picture, BLOCK, scope), lesioned)
    assert same(described(model, picture, BLOCK, scope, strength=0.0), intact)
    assert same(described(model, picture, np.zeros_like(BLOCK), scope), intact)
    assert same(model.describe(picture, "social"), intact)


@pytest.mark.parametrize(("name", "scope"), PAIRS)
def test_a_lesion_of_everything_is_refused_and_one_of_almost_everything_is_not(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str
) -> None:
    whole = np.ones_like(BLOCK)
    with pytest.raises(GazeError, match="takes the whole image away"):
        described(models[name], picture, whole, scope)
    caption = described(models[name], picture, whole, scope, strength=0.9)
    assert np.isfinite([word.log_probability for word in caption.words]).all()
    whole[-HEIGHT // 8 :, -WIDTH // 8 :] = 0
    caption = described(models[name], picture, whole, scope)
    if "keys" in scope:
        np.testing.assert_array_equal(caption.maps[:, 7, 7], 1.0)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_share_of_every_cell_leaves_attention_as_it_is(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str
) -> None:
    """Attention is a share: where all is halved, nothing is taken."""
    intact = models[name].describe(picture, "social")
    halved = described(models[name], picture, np.ones_like(BLOCK), "keys", 0.5)
    assert halved.text == intact.text
    np.testing.assert_allclose(halved.maps, intact.maps, atol=1e-5)


@pytest.mark.parametrize(("scope", "strength"), [("zero", 1.0), ("zero", 0.3), ("mean", 1.0), ("mean", 0.3)])
@pytest.mark.parametrize("name", ["cnn-lstm", "vit-transformer"])
def test_the_decoder_reads_changed_features_of_the_covered_cells_alone(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str, strength: float
) -> None:
    model = models[name]
    features = features_of(model, picture).double().numpy()[0]
    towards = features.mean(axis=0) if scope == "mean" else np.zeros(features.shape[1])
    expected = features.copy()
    covered = TAKEN.ravel()
    expected[covered] += strength * (towards - features[covered])
    decoder = model.network.decoder
    seen: list[Tensor] = []
    if isinstance(decoder, LstmDecoder):
        part = decoder.key
    else:
        assert isinstance(decoder.stack[1], TransformerLayer)
        part = decoder.stack[1].key_value
    hook = part.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    described(model, picture, BLOCK, scope, strength)
    hook.remove()
    np.testing.assert_allclose(seen[0][0].numpy(), expected, atol=1e-6)
    np.testing.assert_array_equal(seen[0][0].numpy()[~covered], features[~covered].astype(np.float32))


@pytest.mark.parametrize("scope", ["pixels", "blur"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_changed_picture_is_described_as_a_picture_of_its_own(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str
) -> None:
    changed = changed_pixels(picture, Lesion(graded(), scope, 0.8))
    assert same(
        described(models[name], picture, graded(), scope, 0.8), models[name].describe(changed, "social")
    )


@pytest.mark.parametrize("name", ["cnn-lstm", "cnn-transformer"])
def test_blanking_the_pixels_under_a_cell_changes_that_cell_most(
    models: dict[str, CaptionerModel], name: str
) -> None:
    """Pixels and grid of the convolutional encoders lie on one another, in every cell, on an image of another shape."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    busy = np.repeat(np.repeat(coarse, 4, axis=0), 4, axis=1)
    before = features_of(models[name], busy)
    for row, column in itertools.product(range(8), range(8)):
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        mask[20 * row : 20 * row + 20, 25 * column : 25 * column + 25] = 1.0
        assert cell_share(Lesion(mask), (8, 8)).argmax() == 8 * row + column
        after = features_of(models[name], changed_pixels(busy, Lesion(mask, "pixels")))
        change = (after - before).square().sum(dim=2)[0]
        assert int(change.argmax()) == 8 * row + column


@pytest.mark.parametrize(("height", "width"), [(37, 53), (8, 8), (5, 3), (128, 128), (61, 200)])
def test_the_share_of_a_cell_is_the_mean_of_the_mask_over_its_part_of_an_image_of_any_size(
    height: int, width: int
) -> None:
    mask = np.random.default_rng(0).uniform(0, 1, (height, width)).astype(np.float32)
    share = cell_share(Lesion(mask, "keys", 0.5), (8, 8))
    # Each pixel in 8 x 8 parts: a cell is then made of whole parts.
    fine = np.repeat(np.repeat(mask.astype(np.float64), 8, axis=0), 8, axis=1)
    expected = 0.5 * fine.reshape(8, height, 8, width).mean(axis=(1, 3))
    np.testing.assert_allclose(share, expected.ravel(), atol=1e-6)


def test_half_of_an_image_whose_width_no_grid_divides_is_half_of_the_grid() -> None:
    mask = np.zeros((37, 54), np.float32)
    mask[:, :27] = 1.0
    share = cell_share(Lesion(mask), (8, 8)).reshape(8, 8)
    np.testing.assert_array_equal(share[:, :4], 1.0)
    np.testing.assert_array_equal(share[:, 4:], 0.0)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_captioner_offers_it_does_and_what_it_does_not_it_refuses(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str
) -> None:
    offered = {offer.scope for offer in offers(models[name].info)}
    assert offered == {scope for model, scope in PAIRS if model == name}
    for scope in SCOPES.keys() - offered:
        for strength in (1.0, 0.0):
            with pytest.raises(GazeError, match=scope):
                described(models[name], picture, BLOCK, scope, strength)


def test_a_mask_of_another_size_is_refused(models: dict[str, CaptionerModel], picture: ImageArray) -> None:
    for scope in ("keys", "pixels"):
        with pytest.raises(GazeError, match="160 x 200 px, the image 200 x 160 px"):
            described(models["cnn-lstm"], picture, BLOCK.T, scope)
