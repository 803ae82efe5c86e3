"""The gate of LSTM captioners: how much of what was attended to counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.models.base import Caption
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.decoders import LstmDecoder
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.models.registry import load_model
from gazeapp.engine.types import FloatArray, ImageArray


@pytest.fixture(scope="module")
def model() -> CaptionerModel:
    return load_model("cnn-lstm")  # type: ignore[return-value]


@pytest.fixture(scope="module")
def picture() -> ImageArray:
    return render(demo_scenes(1, seed=7)[0], 96)


@pytest.fixture(scope="module")
def captions(model: CaptionerModel, picture: ImageArray) -> tuple[Caption, Caption]:
    return model.describe(picture, "social", "alpha"), model.describe(picture, "social", "alpha-gated")


def read_word_by_word(model: CaptionerModel, picture: ImageArray, caption: Caption) -> list[FloatArray]:
    """Return what is read for each word, gate times attention."""
    network = model.network
    decoder = network.decoder
    assert isinstance(decoder, LstmDecoder)
    tokens = torch.tensor([[network.config.first("social"), *caption.facts["tokens"][:-1]]])
    with torch.inference_mode():
        features = network.encoder(network.normalise(fit_picture(picture, network.config.input_size)[None]))
        hidden, memory = decoder.start(features.mean(dim=1)).tanh().chunk(2, dim=1)
        read, found = features.mean(dim=1), []
        for token in tokens[0]:
            word = decoder.embed(token[None])
            hidden, memory = decoder.cell(torch.cat([word, read], dim=1), (hidden, memory))
            energy = decoder.energy(torch.tanh(decoder.key(features) + decoder.query(hidden)[:, None]))
            effective = energy.squeeze(2).softmax(dim=1) * torch.sigmoid(decoder.gate(hidden))
            read = torch.einsum("bc,bcw->bw", effective, features)
            found.append(effective[0].numpy())
    return found


def test_the_gate_is_each_words_share_on_the_image(
    model: CaptionerModel, picture: ImageArray, captions: tuple[Caption, Caption]
) -> None:
    """Attention times gate, computed directly, is the word's map times its share."""
    plain, gated = captions
    read = read_word_by_word(model, picture, gated)
    np.testing.assert_allclose(
        gated.maps.reshape(len(read), -1) * gated.image_mass[:, None], np.stack(read), atol=1e-5
    )
    assert gated.image_mass.std() > 0.01
    assert ((gated.image_mass > 0) & (gated.image_mass < 1)).all()
    np.testing.assert_array_equal(plain.image_mass, 1.0)
    np.testing.assert_array_equal(plain.maps, gated.maps)
    assert plain.words == gated.words


@pytest.mark.parametrize("words", ["content", "all"])
def test_the_captions_map_is_what_was_read_in_all(
    model: CaptionerModel, picture: ImageArray, captions: tuple[Caption, Caption], words: str
) -> None:
    plain, gated = captions
    read = read_word_by_word(model, picture, gated)
    own = [one for one, word in zip(read, gated.words, strict=True) if words == "all" or word.is_content]
    total = np.sum(own, axis=0)
    mean = gated.mean_map(words)
    np.testing.assert_allclose(mean.ravel(), total / total.sum(), atol=1e-5)
    assert mean.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.abs(mean - plain.mean_map(words)).max() > 1e-4


def test_gates_that_let_nothing_through_weigh_nothing(captions: tuple[Caption, Caption]) -> None:
    plain, gated = captions
    shut = replace(gated, weights=np.zeros(len(gated.words), np.float32))
    np.testing.assert_array_equal(shut.mean_map(), plain.mean_map())
    alike = replace(gated, weights=np.full(len(gated.words), 0.3, np.float32))
    np.testing.assert_allclose(alike.mean_map(), plain.mean_map(), atol=1e-7)
