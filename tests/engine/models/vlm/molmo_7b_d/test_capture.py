"""What gazeapp captures while the model generates is what the authors' code computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gazeapp.engine.models.vlm.capture.capture import Capture, Rows, Tap, listening
from gazeapp.engine.models.vlm.capture.interface import ATTENTION, register_attention
from gazeapp.engine.models.vlm.capture.masking import KeyMask

HALF = 5e-4
"""Rows of single heads are stored as half numbers."""


@torch.no_grad()
def captured(case, network: Any, processor: Any, mask: KeyMask | None = None) -> Rows:
    """Return the rows of the oracle's four words, which the model is made to say."""
    register_attention()
    network.set_attn_implementation(ATTENTION)
    made = processor(case.image, "Describe this image.")
    said = case.output["input_ids_final"].tolist()
    taps = [Tap(block.attention, i) for i, block in enumerate(network.model.transformer.blocks)]
    capture = Capture(taps, case.given["token_pos"].astype(np.int64), mask, keep="heads")
    with listening(capture):
        network.generate(
            **made,
            max_new_tokens=4,
            do_sample=False,
            prefix_allowed_tokens_fn=lambda _sample, ids: [said[len(ids)]],
        )
    return capture.rows(4)


def test_captured_rows_are_the_oracles(case, network: Any, processor: Any) -> None:
    rows = captured(case, network, processor)
    expected = case.output["attn_rows"][:4][..., case.given["token_pos"]]
    assert rows.kept is not None
    assert np.abs(rows.kept - expected).max() < HALF
    assert np.abs(rows.mean - expected.mean(axis=(1, 2))).max() < 1e-5
    assert np.abs(rows.image_mass - case.output["attn_image_mass"][:4]).max() < 1e-5


@pytest.mark.parametrize("case", ["square", "wide"], indirect=True)
@pytest.mark.parametrize("scope", ["all_rows", "text_rows"])
def test_rows_without_the_left_half_are_the_oracles(case, network: Any, processor: Any, scope: str) -> None:
    masked = case.lesion["masked_cols"].astype(np.int64)
    first = 0 if scope == "all_rows" else int(case.lesion["first_text_pos"])
    mask = KeyMask(masked, np.ones(masked.size, np.float32), first)
    rows = captured(case, network, processor, mask)
    assert rows.kept is not None
    gone = np.isin(case.given["token_pos"], masked)
    assert rows.kept[..., gone].max() == 0.0
    assert np.abs(rows.image_mass - case.lesion[f"{scope}_attn_image_mass"][:4]).max() < 1e-5
    if f"{scope}_attn_rows" in case.lesion:
        expected = case.lesion[f"{scope}_attn_rows"][:4][..., case.given["token_pos"]]
        assert np.abs(rows.kept - expected).max() < HALF
        assert np.abs(rows.mean - expected.mean(axis=(1, 2))).max() < 1e-5
