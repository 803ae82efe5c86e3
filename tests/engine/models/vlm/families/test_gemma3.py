from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.models.vlm.families import family_of
from gazeapp.engine.models.vlm.families.gemma3 import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm import forced_checks
from tests.engine.models.vlm.tiny import settle, tokenizer

SPECIAL = ("<start_of_image>", "<end_of_image>", "<image_soft_token>")
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}<start_of_image>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)


def _words() -> Any:
    return tokenizer(
        SPECIAL, boi_token=SPECIAL[0], eoi_token=SPECIAL[1], image_token=SPECIAL[2], extra_special_tokens={}
    )


@pytest.fixture(scope="module")
def gemma3() -> VisionLanguageModel:
    """16 x 16 patches of 8 px, pooled to 8 x 8 tokens; two of three layers see the latest 24 tokens only."""
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessor,
        Gemma3Processor,
    )

    words = _words()
    images = Gemma3ImageProcessor(size={"height": 128, "width": 128})
    processor = Gemma3Processor(images, words, chat_template=TEMPLATE, image_seq_length=64)
    config = Gemma3Config(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "query_pre_attn_scalar": 8,
            "sliding_window": 24,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 128,
            "patch_size": 8,
        },
        mm_tokens_per_image=64,
        boi_token_index=words.convert_tokens_to_ids(SPECIAL[0]),
        eoi_token_index=words.convert_tokens_to_ids(SPECIAL[1]),
        # With tied weights a network of random ones repeats its last token.
        tie_word_embeddings=False,
        image_token_index=words.convert_tokens_to_ids(SPECIAL[2]),
    )
    network = settle(Gemma3ForConditionalGeneration(config))
    checks.without_mixing(network.model.vision_tower)
    return checks.wrap(network, processor, FAMILY)


def test_gemma3(gemma3: VisionLanguageModel) -> None:
    assert family_of("gemma3") is FAMILY
    checks.check_all(gemma3, ((64, 64), (120, 50)), power=1)
    checks.check_dots(gemma3, 120, 50)
    checks.check_zeroed_embeddings_hide_the_picture(gemma3, (64, 64))


def test_a_cache_that_a_checkpoint_asks_for_changes_nothing(
    gemma3: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A static cache would have keys for words that are not there yet."""
    prepared = checks.prepare(gemma3, checks.noise(64, 64))
    again, expected = checks.captured_rows(gemma3, prepared)
    monkeypatch.setattr(gemma3.network.generation_config, "cache_implementation", "static")
    tokens, rows = checks.captured_rows(checks.wrap(gemma3.network, gemma3.processor, FAMILY), prepared)
    assert tokens == again
    assert np.array_equal(rows.image_mass, expected.image_mass)


@pytest.mark.parametrize(("width", "height", "crops"), [(150, 60, 3), (60, 131, 2)])
def test_pan_and_scan(gemma3: VisionLanguageModel, width: int, height: int, crops: int) -> None:
    """Each crop lies on its own part of the image; 131 px are cut into 66 and 65 px."""
    settings = {
        "do_pan_and_scan": True,
        "pan_and_scan_min_crop_size": 20,
        "pan_and_scan_max_num_crops": 4,
        "pan_and_scan_min_ratio_to_activate": 1.2,
    }
    gemma3.processor.images_kwargs = settings
    try:
        layout = checks.prepare(gemma3, checks.noise(width, height)).layout
        assert [view.name for view in layout.views] == ["overview"] + ["detail"] * crops
        checks.check_rows_equal_eager(gemma3, checks.noise(width, height))
        for view in ("overview", "detail"):
            checks.check_painting(gemma3, width, height, view=view, power=1)
        checks.check_dots(gemma3, width, height, dots=2)
        last = layout.views[-1]
        edges = last.row_edges if height > width else last.column_edges
        step = -(-max(width, height) // crops)
        assert np.allclose(edges, np.linspace(step * (crops - 1), max(width, height), 9))
        checks.check_readout_lesion_is_exact(gemma3, checks.noise(width, height))
    finally:
        del gemma3.processor.images_kwargs


def test_layout_at_published_settings() -> None:
    """896 px, patches of 14 px, 4 x 4 of them in a token: 16 x 16 tokens of 40 x 30 px over 640 x 480 px."""
    import torch

    config = SimpleNamespace(
        vision_config=SimpleNamespace(patch_size=14), mm_tokens_per_image=256, image_token_id=9
    )
    inputs = {
        "pixel_values": torch.empty(1, 3, 896, 896, device="meta"),
        "input_ids": torch.tensor([[5, *[9] * 256, 6]]),
    }
    (view,) = FAMILY.layout(None, config, inputs, Image.new("RGB", (640, 480))).views
    assert np.array_equal(view.columns, 1 + np.arange(256).reshape(16, 16))
    assert np.allclose(view.column_edges, 40.0 * np.arange(17))
    assert np.allclose(view.row_edges, 30.0 * np.arange(17))


def test_given_words_have_the_numbers_of_one_pass_over_them(gemma3: VisionLanguageModel) -> None:
    forced_checks.check_forced(gemma3, checks.noise(120, 50))
