"""Captioners among vision-language models take their place in comparisons of encoders with decoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gazeapp.engine.models.vlm.families.vision_encoder_decoder import _LEADING_TOKENS
from gazeapp.engine.models.vlm.loading import architecture
from gazeapp.engine.models.vlm.loading.architecture import encoder_and_decoder
from gazeapp.engine.models.vlm.loading.catalogue import known_model
from gazeapp.engine.models.vlm.loading.checkpoint import CACHE, Checkpoint
from gazeapp.engine.models.vlm.opening import info_of


def config(encoder: str, decoder: str, kind: str = "vision-encoder-decoder") -> dict[str, Any]:
    return {"model_type": kind, "encoder": {"model_type": encoder}, "decoder": {"model_type": decoder}}


@pytest.mark.parametrize(
    ("data", "families"),
    [
        (config("vit", "gpt2"), ("vit", "transformer")),
        (config("swin", "bert"), ("vit", "transformer")),
        (config("resnet", "gpt2"), ("", "")),
        (config("vit", "gpt2", kind="blip"), ("", "")),
        ({"model_type": "vision-encoder-decoder"}, ("", "")),
        ({"model_type": "qwen2_5_vl"}, ("", "")),
    ],
)
def test_families(data: dict[str, Any], families: tuple[str, str]) -> None:
    assert encoder_and_decoder(data) == families


def test_every_encoder_that_is_laid_out_has_a_family() -> None:
    assert frozenset(_LEADING_TOKENS) == architecture._VIT


def test_vit_gpt2_is_known_and_has_its_place(tmp_path: Path) -> None:
    known = known_model("vit-gpt2")
    assert known is not None
    assert (known.hub_id, known.layers, known.heads) == ("nlpconnect/vit-gpt2-image-captioning", 12, 12)
    (tmp_path / "config.json").write_text(json.dumps(config("vit", "gpt2")), "utf-8")
    info = info_of(Checkpoint(known.hub_id, CACHE, "1", tmp_path, "vision-encoder-decoder"))
    assert (info.id, info.encoder, info.decoder) == ("vit-gpt2", "vit", "transformer")
