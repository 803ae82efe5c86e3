from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.capture import soft_cap
from gazeapp.engine.models.vlm.capture.soft_cap import soft_capped_attention

ROWS, KEYS, HEADS, KEY_HEADS, SIZE = 9, 12, 4, 2, 8


@pytest.mark.parametrize("kind", ["additive", "bool", "none", "causal"])
def test_it_is_what_gemma_2_computes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against transformers' own whole-matrix code, with rows taken in parts that do not divide them."""
    ensure_torchvision()
    from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward

    monkeypatch.setattr(soft_cap, "_ROWS", 4)
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(1, HEADS, ROWS, SIZE, generator=generator) * 3
    key, value = (torch.randn(1, KEY_HEADS, KEYS, SIZE, generator=generator) for _ in range(2))
    seen = torch.ones(1, 1, ROWS, KEYS, dtype=torch.bool).tril(KEYS - ROWS)
    allowed = seen & (torch.rand(1, 1, ROWS, KEYS, generator=generator) > 0.3)
    allowed[..., 0] = True
    lowest = torch.finfo(torch.float32).min
    used = {"additive": allowed, "bool": allowed, "none": torch.ones_like(seen), "causal": seen}[kind]
    given = {"bool": allowed, "additive": torch.zeros(allowed.shape).masked_fill(~allowed, lowest)}.get(kind)
    out, last = soft_capped_attention(query, key, value, given, 0.4, 2.0, causal=kind == "causal")
    expected, weights = eager_attention_forward(
        SimpleNamespace(num_key_value_groups=HEADS // KEY_HEADS, training=False),
        query,
        key,
        value,
        torch.zeros(used.shape).masked_fill(~used, lowest),
        scaling=0.4,
        softcap=2.0,
    )
    assert torch.allclose(out, expected, atol=1e-6)
    assert torch.allclose(last, weights[0, :, -1], atol=1e-7)
    assert float(last.std()) > 0.01
    uncapped, _ = soft_capped_attention(query, key, value, given, 0.4, 1e6, causal=kind == "causal")
    assert not torch.allclose(uncapped, out, atol=1e-2)
