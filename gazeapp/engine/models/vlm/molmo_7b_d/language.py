"""The language model of Molmo 7B-D, on transformers' parts of Qwen2.

Names of modules and parameters are those of the public checkpoint. Source: model of allenai/molmo at commit
793fa387, written anew from its rules and compared with its outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.cache_utils import Cache
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.qwen2.configuration_qwen2 import Qwen2Config
from transformers.models.qwen2.modeling_qwen2 import (
    Qwen2RMSNorm,
    Qwen2RotaryEmbedding,
    apply_rotary_pos_emb,
    eager_attention_forward,
)


class WordTable(nn.Module):
    """Embeddings of words, and in a second table those of the tokens of the image."""

    def __init__(self, words: int, extra_words: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(words, width))
        self.new_embedding = nn.Parameter(torch.empty(extra_words, width))

    def forward(self, ids: Tensor) -> Tensor:
        """Return embeddings, shape (batch, tokens, width)."""
        # Joining the tables would copy a gigabyte for every word that is generated.
        extra = ids - len(self.embedding)
        said = functional.embedding(ids.clamp(max=len(self.embedding) - 1), self.embedding)
        shown = functional.embedding(extra.clamp(min=0), self.new_embedding)
        return torch.where((extra < 0)[..., None], said, shown)


class MolmoAttention(nn.Module):
    """Attention between tokens, through whichever implementation transformers is told to use.

    It has no weights: the checkpoint keeps those in the block. Being a module of its own, it can be watched,
    and its weights recorded, as those of any model of transformers.
    """

    def __init__(self, config: Qwen2Config, layer_idx: int) -> None:
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.hidden_size // config.num_attention_heads
        self.num_key_value_groups = config.num_attention_heads // (config.num_key_value_heads or 1)
        self.scaling = self.head_dim**-0.5
        self.is_causal = True

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        attention_mask: Tensor | None,
        past_key_values: Cache | None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what each token gathers, shape (batch, tokens, heads x head_dim), and the weights if there are any.

        Parameters
        ----------
        query, key, value
            Shape (batch, tokens, heads or key heads, times head_dim), before rotation.
        position_embeddings
            Cosine and sine of the positions, float32.
        attention_mask
            As transformers prepared it.
        past_key_values
            Rotated keys, and values, of tokens before these; these are added.
        kwargs
            Handed on to the implementation.
        """
        q, k, v = (
            states.view(*states.shape[:-1], -1, self.head_dim).transpose(1, 2)
            for states in (query, key, value)
        )
        # Rotated in float32 whatever the weights are, as in the authors' code.
        rotated_q, rotated_k = apply_rotary_pos_emb(q.float(), k.float(), *position_embeddings)
        q, k = rotated_q.to(q.dtype), rotated_k.to(k.dtype)
        if past_key_values is not None:
            k, v = past_key_values.update(k, v, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        out, weights = attend(
            self, q, k, v, attention_mask, dropout=0.0, scaling=self.scaling, sliding_window=None, **kwargs
        )
        return out.flatten(2), weights


class MolmoBlock(nn.Module):
    """One block: attention, then a gated layer; each is normalised first and added to what came in."""

    def __init__(self, config: Qwen2Config, layer_idx: int) -> None:
        super().__init__()
        width, heads = config.hidden_size, config.num_attention_heads
        shared = width // heads * (config.num_key_value_heads or heads)
        self._widths = [width, shared, shared]
        self.att_proj = nn.Linear(width, sum(self._widths))
        self.attn_out = nn.Linear(width, width, bias=False)
        self.ff_proj = nn.Linear(width, 2 * config.intermediate_size, bias=False)
        self.ff_out = nn.Linear(config.intermediate_size, width, bias=False)
        self.attn_norm = Qwen2RMSNorm(width, eps=config.rms_norm_eps)
        self.ff_norm = Qwen2RMSNorm(width, eps=config.rms_norm_eps)
        self.attention = MolmoAttention(config, layer_idx)

    def forward(self, states: Tensor, **kwargs: Any) -> Tensor:
        """Return states of the same shape, (batch, tokens, width); the rest goes to the attention."""
        query, key, value = self.att_proj(self.attn_norm(states)).split(self._widths, dim=-1)
        gathered, _ = self.attention(query, key, value, **kwargs)
        states = states + self.attn_out(gathered)
        # The gate is the second half.
        up, gate = self.ff_proj(self.ff_norm(states)).chunk(2, dim=-1)
        out: Tensor = states + self.ff_out(functional.silu(gate) * up)
        return out


class LanguageModel(nn.Module):
    """Word tables, blocks, and the layer that turns states into chances of words."""

    def __init__(self, config: Qwen2Config, extra_words: int) -> None:
        super().__init__()
        self.wte = WordTable(config.vocab_size, extra_words, config.hidden_size)
        self.blocks = nn.ModuleList(MolmoBlock(config, index) for index in range(config.num_hidden_layers))
        self.ln_f = Qwen2RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.ff_out = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.rotary_emb = Qwen2RotaryEmbedding(config)

    def forward(self, inputs_embeds: Tensor, position_ids: Tensor, **kwargs: Any) -> Tensor:
        """Return states after the last block, normalised, shape (batch, tokens, width).

        Parameters
        ----------
        inputs_embeds
            Embedded words, the image's features added; same shape.
        position_ids
            Place of each token, shape (1 or batch, tokens).
        kwargs
            Goes to the attention of every block.
        """
        states = inputs_embeds
        # The rotation comes in the type of what it is given, and must be float32.
        positions = self.rotary_emb(states.new_empty(0, dtype=torch.float32), position_ids)
        for block in self.blocks:
            states = block(states, position_embeddings=positions, **kwargs)
        out: Tensor = self.ln_f(states)
        return out
