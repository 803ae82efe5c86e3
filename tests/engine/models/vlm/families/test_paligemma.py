from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.families.paligemma import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import settle, tokenizer

# The processor's own way of making labels, which are not used.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def _made(text: dict[str, Any]) -> VisionLanguageModel:
    """Return a model with 8 x 8 patches of 8 px."""
    from transformers import (
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        PaliGemmaProcessor,
        SiglipImageProcessor,
    )

    words = tokenizer(("<image>",), image_token="<image>")
    images = SiglipImageProcessor(size={"height": 64, "width": 64})
    images.image_seq_length = 64
    processor = PaliGemmaProcessor(images, words)
    sizes = {
        "vocab_size": len(words),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 8,
    }
    config = PaliGemmaConfig(
        text_config={**sizes, **text},
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 64,
            "patch_size": 8,
            "projection_dim": 32,
        },
        projection_dim=32,
        # With tied weights a network of random ones repeats its last token.
        tie_word_embeddings=False,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    network = settle(PaliGemmaForConditionalGeneration(config))
    checks.without_mixing(network.model.vision_tower)
    return checks.wrap(network, processor, FAMILY)


SUFFIX = partial(forced_checks.one_pass, kind=1)
"""The words that follow are no part of the prefix, whose tokens read each other in both directions."""


@pytest.fixture(scope="module")
def paligemma() -> VisionLanguageModel:
    return _made({"model_type": "gemma"})


def test_the_family_is_found_by_model_type() -> None:
    assert family_of("paligemma") is FAMILY


def test_paligemma(paligemma: VisionLanguageModel) -> None:
    checks.check_all(paligemma, ((64, 64), (120, 50)), power=1)
    checks.check_dots(paligemma, 120, 50)
    checks.check_zeroed_embeddings_hide_the_picture(paligemma, (64, 64))


def test_paligemma_2() -> None:
    """Gemma 2 squeezes scores between -cap and cap, and every other layer forgets all but the latest tokens."""
    model = _made(
        {
            "model_type": "gemma2",
            "attn_logit_softcapping": 2.0,
            "sliding_window": 40,
            "query_pre_attn_scalar": 8,
        }
    )
    assert [tap.module.sliding_window for tap in model.taps] == [40, None]
    checks.check_all(model, ((64, 64), (120, 50)), power=1)
    forced_checks.check_forced(model, checks.noise(120, 50), read=SUFFIX)


def test_the_prompt_is_the_prefix(paligemma: VisionLanguageModel) -> None:
    prepared = FAMILY.prepare(
        paligemma.processor, paligemma.network.config, Image.new("RGB", (50, 40)), "caption en"
    )
    ids = prepared.inputs["input_ids"][0].tolist()
    image = paligemma.network.config.image_token_id
    assert ids[:64] == [image] * 64
    assert image not in ids[64:]
    assert paligemma.processor.tokenizer.decode(ids[64:]) == "<s>caption en\n"
    assert set(prepared.inputs) == {"input_ids", "attention_mask", "token_type_ids", "pixel_values"}
    assert prepared.first_text_row == 64


@pytest.mark.parametrize(("side", "tokens"), [(224, 16), (448, 32), (896, 64)])
def test_layout_at_published_settings(side: int, tokens: int) -> None:
    """PaliGemma of 224, 448 and 896 px: patches of 14 px, stretched over the whole image."""
    import torch

    config = SimpleNamespace(vision_config=SimpleNamespace(patch_size=14), image_token_id=9)
    inputs = {
        "pixel_values": torch.empty(1, 3, side, side, device="meta"),
        "input_ids": torch.tensor([[9] * tokens**2 + [1, 2]]),
    }
    (view,) = FAMILY.layout(None, config, inputs, Image.new("RGB", (640, 480))).views
    assert np.array_equal(view.columns, np.arange(tokens**2).reshape(tokens, tokens))
    assert np.allclose(view.column_edges, 640 * np.arange(tokens + 1) / tokens)
    assert np.allclose(view.row_edges, 480 * np.arange(tokens + 1) / tokens)


def test_given_words_have_the_numbers_of_one_pass_over_them(paligemma: VisionLanguageModel) -> None:
    forced_checks.check_forced(paligemma, checks.noise(120, 50), read=SUFFIX)
