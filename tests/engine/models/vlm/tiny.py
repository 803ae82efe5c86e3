"""Tiny models of the real classes with random weights, and tokenizers made here; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gazeapp.engine.models.environment import ensure_torchvision

ensure_torchvision()

from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

LETTERS = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?<>|_:;-'"]
TEXT_SIZE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
"""Shape of a language model, in the words of most configurations."""

IMAGE_FIRST = (
    "{% for m in messages %}{{ m.role }}: {% for c in m.content %}{% if c.type == 'image' %}IMAGE_PART"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %} said:"
)


def tokenizer(special: Sequence[str] = (), **names: str) -> Any:
    """Return a tokenizer with a token for each letter, and special tokens.

    ``names`` are further keyword arguments, such as ``image_token="<image>"``.
    """
    words = ["<pad>", "<s>", "</s>", "<unk>", *special]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys([*words, *alphabet]))}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=list(special),
        **names,
    )


def settle(network: Any, seed: int = 0, loud: float = 1.0) -> Any:
    """Give a network seeded random weights of a size that makes attention uneven, and no end of caption.

    ``loud`` scales the weights; the default initialisation leaves attention nearly even, so that errors hide.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim >= 2:
                spread = loud * weight.shape[1:].numel() ** -0.5
                weight.copy_(torch.randn(weight.shape, generator=generator) * spread)
            elif "norm" not in name.lower():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
    network.generation_config.eos_token_id = None
    network.generation_config.pad_token_id = 0
    return network.eval()


def sharpen(queries: Sequence[Any], factor: float) -> None:
    """Multiply the weights of query projections, so that attention becomes uneven and nothing else louder."""
    with torch.no_grad():
        for projection in queries:
            projection.weight.mul_(factor)


def keep_patches_apart(encoder: Any) -> None:
    """Quieten what an image encoder's attention adds, so that a painted patch is loudest where it was painted."""
    outputs = (
        "attention.output.dense.weight",
        "o_proj.weight",
        "self_attn.projection.weight",
        "out_proj.weight",
    )
    mixing = [weight for name, weight in encoder.named_parameters() if name.endswith(outputs)]
    assert mixing
    with torch.no_grad():
        for weight in mixing:
            weight.mul_(0.1)
