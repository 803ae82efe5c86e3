"""Attention whose scores are soft-capped, as in Gemma 2: transformers' SDPA leaves the cap out."""

from __future__ import annotations

import torch
from torch import Tensor

_ROWS = 512
"""Query rows computed at a time, so that memory stays far below that of the whole matrix."""


def soft_capped_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float, cap: float, causal: bool
) -> tuple[Tensor, Tensor]:
    """Compute attention with scores s turned into ``cap * tanh(s / cap)`` before they are masked.

    Parameters
    ----------
    query
        Shape (batch, heads, n_rows, head size).
    key, value
        Shape (batch, key heads, n_keys, head size); the keys end with the rows' own.
    mask
        Additive, or true where attention is allowed, shape (batch or 1, heads or 1, n_rows, n_keys); None for none.
    scaling
        What scores are multiplied by before the cap.
    cap
        The largest score.
    causal
        Whether a missing mask means that no row sees later keys.

    Returns
    -------
    out
        Shape (batch, n_rows, heads, head size).
    last
        Attention weights of the last row of the first item, shape (heads, n_keys).
    """
    n_rows, n_keys = query.shape[2], key.shape[2]
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
    if mask is None and causal and n_rows > 1:
        mask = torch.ones(1, 1, n_rows, n_keys, dtype=torch.bool, device=query.device).tril(n_keys - n_rows)
    parts = []
    for start in range(0, n_rows, _ROWS):
        scores = query[:, :, start : start + _ROWS] @ key.transpose(2, 3) * scaling
        scores = torch.tanh(scores / cap) * cap
        if mask is not None:
            part = mask[:, :, start : start + _ROWS, :n_keys]
            lowest = torch.finfo(scores.dtype).min
            scores = scores.masked_fill(~part, lowest) if part.dtype == torch.bool else scores + part
        weights = scores.softmax(dim=-1, dtype=torch.float32)
        parts.append(weights.to(query.dtype) @ value)
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), weights[0, :, -1]
