"""Decoders: grid features become words, and every word says where it attended.

``forward`` takes features (pictures, cells, width) and tokens (pictures * repeats, words), where the
captions of one picture follow one another, and returns logits (sequences, words, vocabulary) and
attention (sequences, layers, heads, words, cells). The attention of step t belongs to the word
that step t predicts. ``begin`` and ``step`` do the same one word at a time, one caption a picture:
``step`` takes tokens (pictures,) and returns logits (pictures, vocabulary) and attention
(pictures, layers, heads, cells). ``begin`` can be told what to do without: attention to a cell is
then multiplied by what is left of it, in every layer, head and step, before it is normalised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.lesion import Taken

KeyValue: TypeAlias = tuple[Tensor, Tensor]


@dataclass(slots=True)
class LstmState:
    """What an LSTM decoder carries from word to word; ``bias`` is added to the energies of the cells."""

    features: Tensor
    keys: Tensor
    hidden: Tensor
    memory: Tensor
    read: Tensor
    bias: Tensor | None = None

    def repeated(self, repeats: int) -> LstmState:
        """Return the state with every picture repeated for its captions."""
        if repeats == 1:
            return self
        parts = (self.features, self.keys, self.hidden, self.memory, self.read)
        features, keys, hidden, memory, read = (part.repeat_interleave(repeats, dim=0) for part in parts)
        return LstmState(features, keys, hidden, memory, read, self.bias)


@dataclass(slots=True)
class TransformerState:
    """What a Transformer decoder carries: keys and values of the grid and of the words so far, by layer.

    ``bias`` is added to the scores of the cells.
    """

    grid: list[KeyValue]
    words: list[KeyValue | None]
    length: int = 0
    bias: Tensor | None = None


class LstmDecoder(nn.Module):
    """LSTM with soft additive attention and a gate on what is read (Xu et al. 2015, soft variant).

    The state first takes in the previous word, then attends, so that the attention is that of
    the word about to be said.
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        width, state, attention = config.width, config.state, 64
        self.embed = nn.Embedding(len(config.vocabulary), width)
        self.key = nn.Linear(width, attention)
        self.query = nn.Linear(state, attention, bias=False)
        self.energy = nn.Linear(attention, 1, bias=False)
        self.cell = nn.LSTMCell(2 * width, state)
        self.start = nn.Linear(width, 2 * state)
        self.gate = nn.Linear(state, 1)
        self.out = nn.Sequential(
            nn.Linear(state + 2 * width, width), nn.Tanh(), nn.Linear(width, len(config.vocabulary))
        )
        with torch.no_grad():
            # An open gate and a sharper first attention shorten the wait before learning takes off.
            self.gate.bias.fill_(2.0)
            self.energy.weight.mul_(4)
            self.query.weight.mul_(2)

    def forward(self, features: Tensor, tokens: Tensor, repeats: int = 1) -> tuple[Tensor, Tensor]:
        """Return logits and attention of every step."""
        state = self.begin(features).repeated(repeats)
        words = self.embed(tokens)
        outputs, attention = [], []
        for step in range(tokens.shape[1]):
            output, weights = self._advance(state, words[:, step])
            outputs.append(output)
            attention.append(weights)
        return self.out(torch.stack(outputs, dim=1)), torch.stack(attention, dim=1)[:, None, None]

    def begin(self, features: Tensor, taken: Taken | None = None) -> LstmState:
        """Return the state before the first word."""
        mean = taken.mean(features) if taken is not None and taken.start else features.mean(dim=1)
        hidden, memory = self.start(mean).tanh().chunk(2, dim=1)
        bias = None if taken is None else taken.bias
        return LstmState(features, self.key(features), hidden, memory, mean, bias)

    def step(self, state: LstmState, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Take in one word and return logits and attention of the next."""
        output, weights = self._advance(state, self.embed(tokens))
        return self.out(output), weights[:, None, None]

    def _advance(self, state: LstmState, word: Tensor) -> tuple[Tensor, Tensor]:
        hidden, memory = self.cell(torch.cat([word, state.read], dim=1), (state.hidden, state.memory))
        energy = self.energy(torch.tanh(state.keys + self.query(hidden).unsqueeze(1))).squeeze(2)
        if state.bias is not None:
            energy = energy + state.bias
        weights = energy.softmax(dim=1)
        read = torch.bmm(weights.unsqueeze(1), state.features).squeeze(1) * torch.sigmoid(self.gate(hidden))
        state.hidden, state.memory, state.read = hidden, memory, read
        return torch.cat([hidden, read, word], dim=1), weights


class TransformerLayer(nn.Module):
    """Causal self-attention over the words, cross-attention to the grid, feed-forward; norms first."""

    def __init__(self, width: int, heads: int, dropout: float = 0.05) -> None:
        super().__init__()
        self.heads = heads
        self.norm_self, self.norm_cross, self.norm_feed = (nn.LayerNorm(width) for _ in range(3))
        self.self_in, self.self_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.cross_out = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def look(self, features: Tensor) -> KeyValue:
        """Return keys and values of the grid, each (pictures, heads, cells, width / heads)."""
        pictures, cells, width = features.shape
        parts = self.key_value(features).view(pictures, cells, 2, self.heads, width // self.heads)
        key, value = parts.permute(2, 0, 3, 1, 4)
        return key, value

    def forward(
        self,
        words: Tensor,
        grid: KeyValue,
        repeats: int,
        past: KeyValue | None = None,
        bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, KeyValue]:
        """Return the words' new features, their cross-attention, and their keys and values.

        Parameters
        ----------
        words
            Shape (sequences, words, width); with ``past``, only the words after it.
        grid
            What `look` gave.
        repeats
            Captions of each picture.
        past
            Keys and values of the words before.
        bias
            Added to the scores of the cells, shape (cells,).
        """
        mixed, past = self._attend_words(self.norm_self(words), past)
        words = words + self.drop(mixed)
        read, attention = self._attend_grid(self.norm_cross(words), grid, repeats, bias)
        words = words + self.drop(read)
        return words + self.drop(self.feed(self.norm_feed(words))), attention, past

    def _attend_words(self, words: Tensor, past: KeyValue | None) -> tuple[Tensor, KeyValue]:
        count, length, width = words.shape
        parts = self.self_in(words).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if past is not None:
            key, value = (torch.cat(pair, dim=2) for pair in zip(past, (key, value), strict=True))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=past is None)
        return self.self_out(mixed.transpose(1, 2).reshape(count, length, width)), (key, value)

    def _attend_grid(
        self, words: Tensor, grid: KeyValue, repeats: int, bias: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        count, length, width = words.shape
        each = width // self.heads
        pictures = count // repeats
        # The captions of a picture share its keys: they are queries of one longer sequence.
        query = self.query(words).view(pictures, repeats * length, self.heads, each).transpose(1, 2)
        key, value = grid
        scores = query @ key.transpose(2, 3) / math.sqrt(each)
        weights = (scores if bias is None else scores + bias).softmax(dim=-1)
        read = (weights @ value).transpose(1, 2).reshape(count, length, width)
        attention = weights.view(pictures, self.heads, repeats, length, -1).transpose(1, 2)
        return self.cross_out(read), attention.reshape(count, self.heads, length, -1)


class TransformerDecoder(nn.Module):
    """A Transformer decoder with cross-attention to the grid."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(config.vocabulary), config.width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.place = nn.Parameter(torch.randn(1, config.max_words + 1, config.width) * 0.02)
        self.stack = nn.ModuleList(TransformerLayer(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, len(config.vocabulary))

    def forward(self, features: Tensor, tokens: Tensor, repeats: int = 1) -> tuple[Tensor, Tensor]:
        """Return logits and attention of every step."""
        return self._advance(self.begin(features), tokens, repeats)

    def begin(self, features: Tensor, taken: Taken | None = None) -> TransformerState:
        """Return the state before the first word."""
        grid = [layer.look(features) for layer in self._layers()]
        return TransformerState(grid, [None] * len(grid), bias=None if taken is None else taken.bias)

    def step(self, state: TransformerState, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Take in one word and return logits and attention of the next."""
        logits, attention = self._advance(state, tokens[:, None], 1)
        return logits[:, 0], attention[:, :, :, 0]

    def _advance(self, state: TransformerState, tokens: Tensor, repeats: int) -> tuple[Tensor, Tensor]:
        end = state.length + tokens.shape[1]
        words = self.embed(tokens) + self.place[:, state.length : end]
        attention = []
        for i, layer in enumerate(self._layers()):
            words, weights, state.words[i] = layer(words, state.grid[i], repeats, state.words[i], state.bias)
            attention.append(weights)
        state.length = end
        return self.out(self.norm(words)), torch.stack(attention, dim=1)

    def _layers(self) -> list[TransformerLayer]:
        return [layer for layer in self.stack if isinstance(layer, TransformerLayer)]
