"""The way in through transformers' attention interface."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.capture.capture import Capture, active_capture

ATTENTION = "gaze_sdpa"
"""Name of the attention implementation: transformers' SDPA that also listens."""


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
    if capture is None or layer is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, **kwargs
        )
    if query.shape[0] != 1 or kwargs.get("softcap") is not None or kwargs.get("s_aux") is not None:
        raise GazeError("Attention of this kind (batches, soft caps, sinks) cannot be captured.")
    n_rows, n_keys = query.shape[2], key.shape[2]
    first_row = capture.first_row(layer, n_keys, n_rows)
    capture.note_call(layer, n_rows)
    causal = _is_causal(module, is_causal, capture, layer)
    mask = attention_mask
    if capture.mask is not None and first_row + n_rows > capture.mask.first_row:
        mask = capture.mask.apply(attention_mask, query, n_keys, first_row, causal)
        is_causal = False
    out, _ = sdpa_attention_forward(module, query, key, value, mask, dropout, scaling, is_causal, **kwargs)
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if causal and (getattr(module, "sliding_window", None) or n_keys < first_row + n_rows):
        capture.take_row_now(layer, query, key, scale, mask, first_row + n_rows - n_keys)
    else:
        capture.take_query(layer, query, key, scale)
    return out, None


def _is_causal(module: nn.Module, asked: bool | None, capture: Capture, layer: int) -> bool:
    if capture.is_cross(layer):
        return False
    return bool(asked if asked is not None else getattr(module, "is_causal", True))
