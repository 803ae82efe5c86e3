from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.models.vlm.families.qwen import FAMILY
from gazeapp.engine.models.vlm.model import VisionLanguageModel
from tests.engine.models.vlm import family_checks as checks
from tests.engine.models.vlm.tiny import settle, tokenizer

SPECIAL = ("<|vision_start|>", "<|image_pad|>", "<|video_pad|>", "<|vision_end|>")
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)


def _ids(words: Any) -> dict[str, int]:
    names = ("vision_start_token_id", "image_token_id", "video_token_id", "vision_end_token_id")
    return dict(zip(names, words.convert_tokens_to_ids(list(SPECIAL)), strict=True))


def _qwen_3_5() -> VisionLanguageModel:
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    words = tokenizer(SPECIAL)
    rope = {
        "rope_type": "default",
        "rope_theta": 10000.0,
        "mrope_section": [1, 1, 0],
        "partial_rotary_factor": 0.25,
        "mrope_interleaved": True,
    }
    config = Qwen3_5Config(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 8,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "rope_parameters": rope,
        },
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
        },
        **_ids(words),
    )
    images = Qwen2VLImageProcessor(
        patch_size=16, merge_size=2, temporal_patch_size=2, min_pixels=64 * 64, max_pixels=256 * 256
    )
    videos = Qwen3VLVideoProcessor(patch_size=16, merge_size=2)
    processor = Qwen3VLProcessor(images, words, videos, chat_template=TEMPLATE)
    return checks.wrap(settle(Qwen3_5ForConditionalGeneration(config)), processor, FAMILY)


def test_qwen_3_5() -> None:
    model = _qwen_3_5()
    assert [tap.layer for tap in model.taps] == [3, 7]
    checks.check_all(model, ((128, 128), (192, 96)))
