"""The forms from elsewhere go through every way of decoding: states can be chosen from, pictures share a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.forms.attend_lstm import AttendLstmDecoder
from gazeapp.engine.models.captioner.forms.post_norm import PostNormDecoder
from gazeapp.engine.models.captioner.network import Captioner

WORDS = ("<pad>", "a", "b", "c", "<unk>", "<start>", "<end>")
FORMS: list[tuple[str, str, dict[str, Any]]] = [
    ("sgrvinod", "lstm", {}),
    ("royalskye", "transformer", {"heads": 2, "head_width": 3, "layers": 2, "feed": (0, 12)}),
]


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: form[0])
def network(request: pytest.FixtureRequest) -> Captioner:
    form, decoder, more = request.param
    config = CaptionerConfig(
        "x", "X", "resnet18", decoder, WORDS, (), (), form=form, input_size=32, grid=(2, 3), width=512, embed=8,
        state=9, attention=7, max_words=5, **more,
    )  # fmt: skip
    torch.manual_seed(5)
    made = Captioner(config).eval()
    with torch.no_grad():  # sharper than random layers are
        for name, weights in made.decoder.named_parameters():
            if name.endswith(("full_att.weight", "W_Q.weight", "fc.weight", "projection.weight")):
                weights.mul_(6)
            # The end is hardly ever the most probable, so that captions are some words long.
            if name in ("fc.weight", "projection.weight"):
                weights[WORDS.index("<end>")] = 0
            if name == "fc.bias":
                weights[WORDS.index("<end>")] = -9
    return made


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    return torch.randn(3, 6, 512, generator=torch.Generator().manual_seed(8))


def first(count: int) -> torch.Tensor:
    return torch.full((count,), WORDS.index("<start>"))


def test_every_form_has_its_decoder(network: Captioner) -> None:
    kinds = {"sgrvinod": AttendLstmDecoder, "royalskye": PostNormDecoder}
    assert type(network.decoder) is kinds[network.config.form]


def test_beams_keep_their_own_attention(network: Captioner, features: torch.Tensor) -> None:
    """What beam search gives for a caption is what saying that caption gives: states follow their beginnings."""
    greedy = network.say(features, first(3))
    found = network.say(features, first(3), beams=4)
    assert found.tokens != greedy.tokens
    for row, tokens in enumerate(found.tokens):
        along = network.say(features[row : row + 1], first(1), forced=[tokens])
        np.testing.assert_allclose(found.attention[row], along.attention[0], atol=1e-5)
        np.testing.assert_allclose(found.log_probabilities[row], along.log_probabilities[0], atol=1e-5)


def test_one_beam_is_greedy_and_a_batch_is_one_by_one(network: Captioner, features: torch.Tensor) -> None:
    together = network.say(features, first(3))
    for row in range(3):
        alone = network.say(features[row : row + 1], first(1), beams=1)
        assert alone.tokens[0] == together.tokens[row]
        np.testing.assert_allclose(alone.attention[0], together.attention[row], atol=1e-5)
        np.testing.assert_allclose(alone.attention[0].sum(axis=-1), 1, atol=1e-5)
    assert len({tuple(tokens) for tokens in together.tokens}) > 1


def test_whole_captions_learn(network: Captioner, features: torch.Tensor) -> None:
    """Teacher forcing of several captions a picture gives what steps give, and gradients reach every weight."""
    tokens = torch.tensor([[5, 1, 2], [5, 3, 1], [5, 2, 2], [5, 4, 0], [5, 1, 1], [5, 2, 3]])
    told = network.decoder(features, tokens, 2)
    state = network.decoder.begin(features.repeat_interleave(2, dim=0))
    for place in range(3):
        step = network.decoder.step(state, tokens[:, place])
        torch.testing.assert_close(told.logits[:, place], step.logits, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(told.attention[:, :, :, place], step.attention, atol=1e-6, rtol=1e-4)
    told.logits.logsumexp(dim=-1).sum().backward()
    unused = {name for name, weights in network.decoder.named_parameters() if weights.grad is None}
    assert not unused
