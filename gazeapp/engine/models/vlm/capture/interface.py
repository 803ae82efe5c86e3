"""The way in through transformers' attention interface."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.capture.capture import Capture, active_capture
from gazeapp.engine.models.vlm.capture.soft_cap import soft_capped_attention

ATTENTION = "gazeapp"
"""Name of the attention implementation: transformers' SDPA that also listens, and that knows soft caps. transformers
would not let models with soft caps use a name with "sdpa" in it."""

_CHANGES_SCORES = ("s_aux", "position_bias")
"""What models may hand over that changes scores in ways that rows are not computed with."""


def register_attention() -> None:
    """Make the implementation known to transformers; a second call changes nothing."""
    ensure_torchvision()
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ATTENTION, attention_forward)
    # Without its own entry a custom implementation is given no proper mask.
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)


def attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Compute attention as transformers' SDPA does, and give the wanted row to whoever listens.

    Shapes are (batch, heads, n_rows or n_keys, head size); queries and keys come with their positions in them and
    the cache's keys in front.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    capture = active_capture()
    layer = capture.layer_of(module) if capture is not None else None
    cap = kwargs.pop("softcap", None)
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if capture is None or layer is None:
        if cap is not None:
            causal = _is_causal(module, is_causal)
            return soft_capped_attention(query, key, value, attention_mask, scale, cap, causal)[0], None
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, **kwargs
        )
    if query.shape[0] != 1 or any(kwargs.get(name) is not None for name in _CHANGES_SCORES):
        raise GazeError("Attention of this kind (batches, sinks, position biases) cannot be captured.")
    n_rows, n_keys = query.shape[2], key.shape[2]
    first_row = capture.first_row(layer, n_keys, n_rows)
    # Keys of a sequence end with the row's own; a cache that forgets has dropped the first ones.
    first_key = 0 if capture.is_cross(layer) else first_row + n_rows - n_keys
    capture.note_call(layer, n_rows)
    causal = not capture.is_cross(layer) and _is_causal(module, is_causal)
    forgets = first_key > 0 or (not capture.is_cross(layer) and getattr(module, "sliding_window", None))
    intact = capture.mask.first_row if capture.mask is not None else 0
    whole_prompt = attention_mask is None and causal and n_rows == n_keys and cap is None and not forgets
    if whole_prompt and 0 < intact < n_rows:
        out = _lesioned_from(intact, capture, module, query, key, value, dropout, scaling, **kwargs)
        capture.take_query(layer, query, key, scale)
        return out, None
    mask = capture.masked(attention_mask, query, n_keys, first_row, causal, first_key)
    if mask is not attention_mask:
        is_causal = False
    if cap is not None:
        out, last = soft_capped_attention(query, key, value, mask, scale, cap, causal)
        capture.take_weights(layer, last, first_key)
        return out, None
    out, _ = sdpa_attention_forward(module, query, key, value, mask, dropout, scaling, is_causal, **kwargs)
    if forgets or _hides(attention_mask, n_keys):
        capture.take_row_now(layer, query, key, scale, mask, first_key)
    else:
        capture.take_query(layer, query, key, scale)
    return out, None


def _lesioned_from(
    first_row: int,
    capture: Capture,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout: float,
    scaling: float | None,
    **kwargs: Any,
) -> Tensor:
    """Compute causal attention of a whole prompt, of which only the rows from ``first_row`` on have lost keys.

    The rows before stay with the kernel that needs no mask, which takes half the time.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    keys, values = key[:, :, :first_row], value[:, :, :first_row]
    intact, _ = sdpa_attention_forward(
        module, query[:, :, :first_row], keys, values, None, dropout, scaling, True, **kwargs
    )
    rows = query[:, :, first_row:]
    mask = capture.masked(None, rows, key.shape[2], first_row, causal=True)
    lesioned, _ = sdpa_attention_forward(module, rows, key, value, mask, dropout, scaling, False, **kwargs)
    return torch.cat([intact, lesioned], dim=1)


def _hides(mask: Tensor | None, n_keys: int) -> bool:
    """Return whether a model's own mask does more to a call's last row than to let it see all keys."""
    if mask is None:
        return False
    return mask.is_floating_point() or not bool(mask[..., -1, :n_keys].all())


def _is_causal(module: nn.Module, asked: bool | None) -> bool:
    return bool(asked if asked is not None else getattr(module, "is_causal", True))
