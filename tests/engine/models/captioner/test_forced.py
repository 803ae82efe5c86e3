"""Captioners that are made to say given words."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Caption, DescribeOptions
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.models.registry import load_model
from gazeapp.engine.types import FloatArray, ImageArray

SHIPPED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


@pytest.fixture(scope="module")
def models() -> dict[str, CaptionerModel]:
    return {name: load_model(name) for name in SHIPPED}  # type: ignore[misc]


@pytest.fixture(scope="module")
def picture() -> ImageArray:
    return render(demo_scenes(1, seed=7)[0], 96)


def left_half(picture: ImageArray) -> FloatArray:
    mask = np.zeros(picture.shape[:2], np.float32)
    mask[:, : picture.shape[1] // 2] = 1.0
    return mask


def forced(caption: Caption, lesion: Lesion | None = None) -> DescribeOptions:
    return DescribeOptions(lesion=lesion, forced=tuple(caption.facts["tokens"]))


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("scope", ["", "keys", "zero", "pixels"])
def test_a_captions_own_words_have_its_own_numbers_bit_for_bit(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, scope: str
) -> None:
    model = models[name]
    lesion = Lesion(left_half(picture), scope, 0.7) if scope else None
    for task in ("general", "social"):
        free = model.describe(picture, task, "", DescribeOptions(lesion=lesion))
        again = model.describe(picture, task, "", forced(free, lesion))
        assert again.words == free.words
        assert again.facts == free.facts
        assert again.maps.tobytes() == free.maps.tobytes()


@pytest.mark.parametrize("name", SHIPPED)
def test_tokens_are_those_of_the_words(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str
) -> None:
    caption = models[name].describe(picture, "general")
    vocabulary = models[name].network.config.vocabulary
    assert [vocabulary[token] for token in caption.facts["tokens"]] == [w.text for w in caption.words]


@pytest.mark.parametrize("name", SHIPPED)
def test_other_words_have_the_numbers_of_one_pass_over_all_of_them(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str
) -> None:
    """Words that the model would not have said, read in one pass through the decoder as in training."""
    model = models[name]
    network = model.network
    rng = np.random.default_rng(1)
    tokens = rng.integers(2, len(network.config.vocabulary), 9).tolist()
    caption = model.describe(picture, "social", "", DescribeOptions(forced=tuple(tokens)))
    assert caption.facts["tokens"] == tokens
    first = network.config.vocabulary.index("<social>")
    pictures = network.normalise(fit_picture(picture, network.config.input_size)[None])
    with torch.no_grad():
        logits, attention, _ = network.decoder(network.encoder(pictures), torch.tensor([[first, *tokens]]))
    chances = logits[0].log_softmax(dim=-1)
    expected = [float(chances[i, token]) for i, token in enumerate(tokens)]
    assert min(expected) < -5
    np.testing.assert_allclose([w.log_probability for w in caption.words], expected, atol=1e-4)
    maps = model.describe(
        picture,
        "social",
        "alpha" if "lstm" in name else "cross-mean",
        DescribeOptions(forced=tuple(tokens)),
    ).maps
    mean = attention[0, :, :, : len(tokens)].mean(dim=(0, 1)).numpy()
    np.testing.assert_allclose(maps.reshape(len(tokens), -1), mean, atol=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_intact_captions_words_can_be_read_under_a_lesion(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str
) -> None:
    """Up to the word at which the lesioned model goes another way, forced and free are one and the same."""
    model = models[name]
    intact = model.describe(picture, "general")
    lesion = Lesion(left_half(picture), "zero")
    free = model.describe(picture, "general", "", DescribeOptions(lesion=lesion))
    made = model.describe(picture, "general", "", forced(intact, lesion))
    assert made.text == intact.text != free.text
    pairs = zip(made.facts["tokens"], free.facts["tokens"], strict=False)
    shared = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
    assert made.words[:shared] == free.words[:shared]
    np.testing.assert_array_equal(made.maps[: shared + 1], free.maps[: shared + 1])
    assert made.words[shared].log_probability < free.words[shared].log_probability


@pytest.mark.parametrize("tokens", [(5, 1), (5, 10_000), (-1,), (5,) * 33])
def test_words_that_cannot_be_said_are_refused(
    models: dict[str, CaptionerModel], picture: ImageArray, tokens: tuple[int, ...]
) -> None:
    for name in ("cnn-lstm", "cnn-transformer"):
        with pytest.raises(GazeError, match="cannot be made to say"):
            models[name].describe(picture, "general", "", DescribeOptions(forced=tokens))


@pytest.mark.parametrize("scope", ["", "pixels"])
def test_an_image_that_is_painted_over_is_looked_at_anew(
    models: dict[str, CaptionerModel], scope: str
) -> None:
    """The features of the call before are used again only for the very same pixels in the same shape."""
    model = models["cnn-lstm"]
    image = np.array(render(demo_scenes(2, seed=7)[1], 96))
    other = np.array(render(demo_scenes(2, seed=7)[0], 96))
    options = DescribeOptions(lesion=Lesion(left_half(image), scope) if scope else None)
    expected = model.describe(other, "general", "", options).words
    assert model.describe(image, "general", "", options).words != expected
    image[:] = other
    assert model.describe(image, "general", "", options).words == expected
    before = model.describe(image, "general")
    after = model.describe(image.reshape(48, 192, 3), "general")
    assert after.rect.width == 192
    assert after.maps.tobytes() != before.maps.tobytes()
