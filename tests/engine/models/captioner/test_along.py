"""Captioners that are made to say a person's caption."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.captioner.along import along_caption
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.registry import load_model
from gazeapp.engine.types import ImageArray

SHIPPED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


@pytest.fixture(scope="module")
def models() -> dict[str, CaptionerModel]:
    return {name: load_model(name) for name in SHIPPED}  # type: ignore[misc]


@pytest.fixture(scope="module")
def picture() -> ImageArray:
    return render(demo_scenes(1, seed=7)[0], 96)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("task", ["general", "social"])
def test_a_models_own_caption_given_back_has_its_own_maps(
    models: dict[str, CaptionerModel], picture: ImageArray, name: str, task: str
) -> None:
    free = models[name].describe(picture, task)
    given = models[name].describe(picture, task, "", DescribeOptions(given=free.text))
    assert given.words == free.words
    assert given.maps.tobytes() == free.maps.tobytes()
    assert given.mean_map().tobytes() == free.mean_map().tobytes()
    assert given.facts == {**free.facts, "given": True, "unknown_words": []}


def test_models_can_be_compared_on_the_same_words(
    models: dict[str, CaptionerModel], picture: ImageArray
) -> None:
    """As a person would write it, with capitals and a stop; every model says it, each with maps of its own."""
    text = "A woman holds the red ball."
    said = [model.describe(picture, "general", "", DescribeOptions(given=text)) for model in models.values()]
    for caption in said:
        assert caption.text == text
        assert [word.text for word in caption.words] == ["a", "woman", "holds", "the", "red", "ball"]
        np.testing.assert_allclose(caption.maps.sum(axis=(1, 2)), 1.0, atol=1e-5)
    assert len({caption.maps.tobytes() for caption in said}) == len(said)


def test_words_that_a_model_does_not_know_are_left_out_and_told(
    models: dict[str, CaptionerModel], picture: ImageArray
) -> None:
    model = models["cnn-lstm"]
    with_them = model.describe(picture, "general", "", DescribeOptions(given="a zebra woman, galloping"))
    without = model.describe(picture, "general", "", DescribeOptions(given="a woman"))
    assert with_them.facts["unknown_words"] == ["zebra", "galloping"]
    assert with_them.text == "a zebra woman, galloping"
    assert with_them.words == without.words
    assert with_them.maps.tobytes() == without.maps.tobytes()


def test_the_token_for_unknown_words_stands_for_them(models: dict[str, CaptionerModel]) -> None:
    config = models["cnn-lstm"].network.config
    knows = replace(config, vocabulary=(*config.vocabulary, "<unk>"))
    along = along_caption("A zebra!", knows)
    unknown = len(config.vocabulary)
    assert along.tokens == (config.vocabulary.index("a"), unknown)
    assert along.words == ("a", "zebra")
    assert along.unknown == ("zebra",)


def test_a_given_caption_can_be_read_under_a_lesion(
    models: dict[str, CaptionerModel], picture: ImageArray
) -> None:
    mask = np.zeros(picture.shape[:2], np.float32)
    mask[:, : picture.shape[1] // 2] = 1.0
    model, lesion = models["vit-transformer"], Lesion(mask, "keys")
    given = DescribeOptions(given="a woman", lesion=lesion)
    found = model.describe(picture, "general", "", given)
    assert found.maps[:, :, :4].max() == 0.0
    forced = replace(given, given="", forced=tuple(found.facts["tokens"]))
    assert model.describe(picture, "general", "", forced).maps.tobytes() == found.maps.tobytes()


@pytest.mark.parametrize(
    ("text", "sentence"), [("zebra galloping", "none of the words"), ("a " * 33, "up to 32 words")]
)
def test_captions_that_cannot_be_said_are_refused(
    models: dict[str, CaptionerModel], picture: ImageArray, text: str, sentence: str
) -> None:
    with pytest.raises(GazeError, match=sentence):
        models["cnn-lstm"].describe(picture, "general", "", DescribeOptions(given=text))
