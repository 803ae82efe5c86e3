"""Attention keys that are taken away while a model generates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gazeapp.engine.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class KeyMask:
    """What is added to attention scores so that some keys get less attention or none.

    Parameters
    ----------
    columns
        Key positions, shape (n,), int64.
    share
        Share of the attention that each loses before it is normalised anew, shape (n,), 0 to 1.
    first_row
        First query position that is affected.
    """

    columns: IntArray
    share: FloatArray
    first_row: int = 0

    def bias(self, n_keys: int, offset: int, like: Tensor) -> Tensor:
        """Return what is added to the scores of each key, shape (n_keys,).

        Parameters
        ----------
        n_keys
            Keys that are there; the first one has position ``offset``.
        offset
            Keys that a sliding window has dropped already.
        like
            A tensor with the wanted dtype and device.
        """
        place = self.columns - offset
        there = (place >= 0) & (place < n_keys) & (self.share > 0)
        values = np.zeros(n_keys, np.float64)
        with np.errstate(divide="ignore"):
            values[place[there]] = np.log1p(-self.share[there].astype(np.float64))
        # The smallest finite number leaves a weight of exactly 0 and never makes a row without a number.
        lowest = torch.finfo(like.dtype).min
        return torch.as_tensor(np.maximum(values, lowest), dtype=like.dtype, device=like.device)

    def apply(
        self,
        mask: Tensor | None,
        query: Tensor,
        n_keys: int,
        first_row: int,
        causal: bool,
        first_key: int = 0,
    ) -> Tensor:
        """Return the attention mask with the keys taken away.

        Parameters
        ----------
        mask
            The mask that the model made: additive, or true where attention is allowed; None where the model leaves
            it to the kernel.
        query
            Shape (batch, heads, n_rows, head size).
        n_keys
            Number of keys.
        first_row
            Position of the first query row in the sequence.
        causal
            Whether a missing mask means that no row sees later keys.
        first_key
            Position of the first key, above 0 when a sliding window has dropped keys.

        Returns
        -------
        torch.Tensor
            Additive, shape (batch or 1, heads or 1, n_rows or 1, n_keys), in the query's dtype.
        """
        n_rows = query.shape[2]
        bias = self.bias(n_keys, first_key, query).expand(1, 1, n_rows, n_keys)
        if first_row < self.first_row:
            hit = torch.arange(n_rows, device=query.device) + first_row >= self.first_row
            bias = bias * hit[None, None, :, None]
        lowest = torch.finfo(query.dtype).min
        if mask is None and causal and n_rows > 1:
            mask = torch.ones(n_rows, n_keys, dtype=torch.bool, device=query.device).tril(n_keys - n_rows)[
                None, None
            ]
        if mask is None:
            return bias
        if mask.dtype == torch.bool:
            mask = torch.zeros(mask.shape, dtype=query.dtype, device=query.device).masked_fill(~mask, lowest)
        return torch.clamp(mask[..., :n_keys] + bias, min=lowest)
