"""Which families encoder and decoder of a checkpoint belong to, from its configuration alone."""

from __future__ import annotations

from gazeapp.engine.types import Json

_CAPTIONER = "vision-encoder-decoder"
_VIT = frozenset({"vit", "beit", "deit", "dinov2", "swin", "swinv2"})
"""Types of image encoders that are vision Transformers."""

_TRANSFORMER = frozenset({"gpt2", "bert", "roberta"})
"""Types of text decoders with cross-attention that are Transformers."""


def encoder_and_decoder(config: Json) -> tuple[str, str]:
    """Return the families of a captioner, such as ``vit`` and ``transformer``; empty for other models.

    Only models whose decoder reads an image encoder by cross-attention are captioners in the sense of the comparison
    of encoders with decoders; in others image and text go through the same layers.
    """
    if config.get("model_type") != _CAPTIONER:
        return "", ""
    types = [
        part.get("model_type") if isinstance(part := config.get(key), dict) else ""
        for key in ("encoder", "decoder")
    ]
    known = types[0] in _VIT and types[1] in _TRANSFORMER
    return ("vit", "transformer") if known else ("", "")
