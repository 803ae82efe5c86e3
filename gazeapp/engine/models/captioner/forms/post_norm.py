"""The Transformer of RoyalSkye's checkpoints: self-attention mixes the cells, then a decoder attends to them.

Every part adds what it computed to what it got and normalises the sum, without learnt scale and shift: the
checkpoints hold none, because their network makes its normalisation anew at every call. Names of layers are those of
the checkpoints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeapp.engine.models.captioner.config import PAD, CaptionerConfig
from gazeapp.engine.models.captioner.decoders import Told
from gazeapp.engine.models.captioner.forms.resnet import PooledResNet
from gazeapp.engine.models.captioner.lesion import Taken

_NEVER = -1e9
"""Score of a word that must not be attended to."""


def _added(computed: Tensor, before: Tensor) -> Tensor:
    """Return the sum, normalised over the features."""
    return functional.layer_norm(computed + before, before.shape[-1:])


class HeadedAttention(nn.Module):
    """Attention of several heads, whose joint width need not be that of what they read or write."""

    def __init__(self, asking: int, asked: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        inner = heads * head_width
        self.W_Q, self.W_K, self.W_V = (
            nn.Linear(asking, inner),
            nn.Linear(asked, inner),
            nn.Linear(asked, inner),
        )
        self.W_O = nn.Linear(inner, asking)

    def look(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of a source (batch, length, features), each (batch, heads, length, head width)."""
        return self._split(self.W_K(source)), self._split(self.W_V(source))

    def forward(
        self, asking: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return new features (batch, length, features) and the attention (batch, heads, length, keys).

        ``bias`` is added to the scores before they are normalised.
        """
        scores = self._split(self.W_Q(asking)) @ key.transpose(2, 3) / math.sqrt(self.head_width)
        weights = (scores if bias is None else scores + bias).softmax(dim=-1)
        read = (weights @ value).transpose(1, 2).flatten(2)
        return _added(self.W_O(read), asking), weights

    def _split(self, parts: Tensor) -> Tensor:
        return parts.view(*parts.shape[:2], self.heads, self.head_width).transpose(1, 2)


class FeedForward(nn.Module):
    """Two layers, stored as convolutions of one position."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(width, inner, 1), nn.Conv1d(inner, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return new features, shape (batch, length, width)."""
        inner = torch.relu(self.conv1(features.transpose(1, 2)))
        return _added(self.conv2(inner).transpose(1, 2), features)


class MixingLayer(nn.Module):
    """Self-attention over the cells."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.enc_self_attn = HeadedAttention(config.width, config.width, config.heads, config.head_width)
        self.pos_ffn = FeedForward(config.width, config.feed[0])

    def forward(self, cells: Tensor) -> Tensor:
        """Return the cells' new features, shape (batch, cells, width)."""
        mixed: Tensor = self.enc_self_attn(cells, *self.enc_self_attn.look(cells))[0]
        fed: Tensor = self.pos_ffn(mixed)
        return fed


class MixedEncoder(PooledResNet):
    """A ResNet on the grid, a code of the places, and layers of self-attention that mix the cells."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__(config)
        self.pos_emb = nn.Embedding(config.cells, config.width)
        self.layers = nn.ModuleList(MixingLayer(config) for _ in range(config.mixing_layers))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return grid features, shape (batch, cells, width)."""
        cells = super().forward(pictures) + self.pos_emb.weight
        for layer in self.layers:
            cells = layer(cells)
        return cells


class PostNormLayer(nn.Module):
    """Self-attention over the words, cross-attention to the cells, feed-forward."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        embed, heads, each = config.embed, config.heads, config.head_width
        self.dec_self_attn = HeadedAttention(embed, embed, heads, each)
        self.dec_enc_attn = HeadedAttention(embed, config.width, heads, each)
        self.pos_ffn = FeedForward(embed, config.feed[1])


@dataclass(slots=True)
class PostNormState:
    """What the decoder carries: keys and values of cells and words in every layer, and which words are to be unseen.

    ``bias`` (batch, 1, 1, cells) is added to the scores of the cells, ``unseen`` (batch, 1, 1, words) to those of the
    words.
    """

    cells: list[tuple[Tensor, Tensor]]
    bias: Tensor | None
    words: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    unseen: Tensor | None = None

    @property
    def length(self) -> int:
        """How many words were taken in."""
        return 0 if self.unseen is None else self.unseen.shape[3]

    def chosen(self, rows: Tensor) -> PostNormState:
        """Return the state of some of its rows, in their order; a row may come more than once."""
        cells = [(key[rows], value[rows]) for key, value in self.cells]
        words = [(key[rows], value[rows]) for key, value in self.words]
        bias = None if self.bias is None else self.bias[rows]
        return PostNormState(cells, bias, words, None if self.unseen is None else self.unseen[rows])


class PostNormDecoder(nn.Module):
    """A Transformer decoder with cross-attention to the mixed cells; ``<pad>`` is never attended to."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.pad = config.vocabulary.index(PAD)
        self.tgt_emb = nn.Embedding(len(config.vocabulary), config.embed)
        self.pos_emb = nn.Embedding(config.max_words + 1, config.embed)
        self.layers = nn.ModuleList(PostNormLayer(config) for _ in range(config.layers))
        self.projection = nn.Linear(config.embed, len(config.vocabulary), bias=False)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, features: Tensor, tokens: Tensor, repeats: int = 1) -> Told:
        """Return what is said and attended at every step."""
        length = tokens.shape[1]
        words = self.drop(self.tgt_emb(tokens) + self.pos_emb.weight[:length])
        later = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        unseen = (later | (tokens == self.pad)[:, None, None]) * _NEVER
        attention = []
        for layer in self._layers():
            words, _ = layer.dec_self_attn(words, *layer.dec_self_attn.look(words), unseen)
            cells = (part.repeat_interleave(repeats, dim=0) for part in layer.dec_enc_attn.look(features))
            words, weights = layer.dec_enc_attn(words, *cells)
            words = layer.pos_ffn(words)
            attention.append(weights)
        return Told(self.projection(words), torch.stack(attention, dim=1))

    def begin(self, features: Tensor, taken: Taken | None = None) -> PostNormState:
        """Return the state before the first word."""
        cells = [layer.dec_enc_attn.look(features) for layer in self._layers()]
        return PostNormState(cells, None if taken is None else taken.bias[:, None, None])

    def step(self, state: PostNormState, tokens: Tensor) -> Told:
        """Take in one word and return what is said and attended next."""
        words = (self.tgt_emb(tokens) + self.pos_emb.weight[state.length]).unsqueeze(1)
        unseen = (tokens == self.pad)[:, None, None, None] * _NEVER
        state.unseen = unseen if state.unseen is None else torch.cat([state.unseen, unseen], dim=3)
        known, state.words = state.words, []
        attention = []
        for place, (layer, cells) in enumerate(zip(self._layers(), state.cells, strict=True)):
            new = layer.dec_self_attn.look(words)
            if known:
                new = (
                    torch.cat([known[place][0], new[0]], dim=2),
                    torch.cat([known[place][1], new[1]], dim=2),
                )
            state.words.append(new)
            words, _ = layer.dec_self_attn(words, *new, state.unseen)
            words, weights = layer.dec_enc_attn(words, *cells, state.bias)
            words = layer.pos_ffn(words)
            attention.append(weights[:, :, 0])
        return Told(self.projection(words)[:, 0], torch.stack(attention, dim=1))

    def _layers(self) -> list[PostNormLayer]:
        return [layer for layer in self.layers if isinstance(layer, PostNormLayer)]
