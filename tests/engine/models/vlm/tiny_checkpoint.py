"""A whole checkpoint of a tiny Qwen2.5-VL with random weights in a folder, as a user would have one."""

from __future__ import annotations

from pathlib import Path

from tests.engine.models.vlm.tiny import settle, tokenizer

SPECIAL = ("<|vision_start|>", "<|image_pad|>", "<|video_pad|>", "<|vision_end|>")
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)
LAYERS, HEADS = 2, 4


def save_tiny(folder: Path) -> Path:
    """Write the checkpoint and return its folder."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    words = tokenizer(SPECIAL)
    names = ("vision_start_token_id", "image_token_id", "video_token_id", "vision_end_token_id")
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]},
        },
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_heads": 2,
            "out_hidden_size": 32,
            "window_size": 56,
            "fullatt_block_indexes": [0],
        },
        **dict(zip(names, words.convert_tokens_to_ids(list(SPECIAL)), strict=True)),
    )
    network = settle(Qwen2_5_VLForConditionalGeneration(config))
    network.save_pretrained(folder)
    images = Qwen2VLImageProcessor(
        patch_size=14, merge_size=2, temporal_patch_size=2, min_pixels=4 * 784, max_pixels=24 * 784
    )
    Qwen2_5_VLProcessor(images, words, Qwen2VLVideoProcessor(), chat_template=TEMPLATE).save_pretrained(
        folder
    )
    return folder
