"""Decoders: grid features become words, and every word says where it attended.

``forward`` takes features (pictures, cells, width) and tokens (pictures * repeats, words), where the
captions of one picture follow one another, and returns `Told`: logits (sequences, words, vocabulary),
attention (sequences, layers, heads, words, cells), and the gate (sequences, words) of decoders that have
one. The attention of step t belongs to the word that step t predicts. ``begin`` and ``step`` do the same
one word at a time, one caption a picture: ``step`` takes tokens (pictures,) and returns logits (pictures,
vocabulary), attention (pictures, layers, heads, cells) and gate (pictures,). ``begin`` can be told what to
do without: attention to a cell is then multiplied by what is left of it, in every layer, head and step,
before it is normalised. A state's ``chosen`` gives the state of some of its rows, for captions that go on
from one beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.layers import LayerSteps, TransformerLayer
from gazeapp.engine.models.captioner.lesion import Taken


class Told(NamedTuple):
    """What a decoder says: logits of the words, where it attends, and how much of it the gate lets through (0 to 1).

    ``gate`` is None for decoders without one; where a gate has many features it is their mean.
    """

    logits: Tensor
    attention: Tensor
    gate: Tensor | None = None


class LstmWeights(NamedTuple):
    """Weights of an LSTM decoder that every step needs: looking them up anew costs as much as using them."""

    cell: tuple[Tensor, Tensor, Tensor, Tensor]
    query: Tensor
    energy: Tensor
    gate: tuple[Tensor, Tensor]


@dataclass(slots=True)
class LstmState:
    """What an LSTM decoder carries from word to word; ``bias``, shape (sequences, cells), is added to the energies."""

    features: Tensor
    keys: Tensor
    hidden: Tensor
    memory: Tensor
    read: Tensor
    weights: LstmWeights
    bias: Tensor | None = None

    def repeated(self, repeats: int) -> LstmState:
        """Return the state with every picture repeated for its captions."""
        if repeats == 1:
            return self
        parts = (self.features, self.keys, self.hidden, self.memory, self.read)
        features, keys, hidden, memory, read = (part.repeat_interleave(repeats, dim=0) for part in parts)
        return LstmState(features, keys, hidden, memory, read, self.weights, self.bias)

    def chosen(self, rows: Tensor) -> LstmState:
        """Return the state of some of its rows, in their order; a row may come more than once."""
        parts = (self.features, self.keys, self.hidden, self.memory, self.read)
        features, keys, hidden, memory, read = (part[rows] for part in parts)
        bias = None if self.bias is None else self.bias[rows]
        return LstmState(features, keys, hidden, memory, read, self.weights, bias)


@dataclass(slots=True)
class TransformerState:
    """What a Transformer decoder carries: its layers with what they have read, and how many words there are."""

    layers: list[LayerSteps]
    length: int = 0

    def chosen(self, rows: Tensor) -> TransformerState:
        """Return the state of some of its rows, in their order; a row may come more than once."""
        return TransformerState([layer.chosen(rows) for layer in self.layers], self.length)


class LstmDecoder(nn.Module):
    """LSTM with soft additive attention and a gate on what is read (Xu et al. 2015, soft variant).

    The state first takes in the previous word, then attends, so that the attention is that of
    the word about to be said.
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        width, state, attention = config.width, config.state, config.attention
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
        self.drop = nn.Dropout(config.dropout)
        with torch.no_grad():
            # An open gate and a sharper first attention shorten the wait before learning takes off.
            self.gate.bias.fill_(2.0)
            self.energy.weight.mul_(4)
            self.query.weight.mul_(2)

    def forward(self, features: Tensor, tokens: Tensor, repeats: int = 1) -> Told:
        """Return what is said and attended at every step."""
        state = self.begin(features).repeated(repeats)
        words = self.embed(tokens)
        outputs, attention, gates = [], [], []
        for step in range(tokens.shape[1]):
            output, weights, gate = self._advance(state, words[:, step])
            outputs.append(output)
            attention.append(weights)
            gates.append(gate)
        logits = self.out(self.drop(torch.stack(outputs, dim=1)))
        return Told(logits, torch.stack(attention, dim=1)[:, None, None], torch.cat(gates, dim=1))

    def begin(self, features: Tensor, taken: Taken | None = None) -> LstmState:
        """Return the state before the first word."""
        mean = taken.mean(features) if taken is not None and taken.start else features.mean(dim=1)
        hidden, memory = self.start(mean).tanh().chunk(2, dim=1)
        bias = None if taken is None else taken.bias
        return LstmState(features, self.key(features), hidden, memory, mean, self._weights(), bias)

    def step(self, state: LstmState, tokens: Tensor) -> Told:
        """Take in one word and return what is said and attended next."""
        output, weights, gate = self._advance(state, self.embed(tokens))
        return Told(self.out(output), weights[:, None, None], gate[:, 0])

    def _advance(self, state: LstmState, word: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = state.weights
        hidden, memory = torch.lstm_cell(
            torch.cat([word, state.read], dim=1), (state.hidden, state.memory), *own.cell
        )
        query = functional.linear(hidden, own.query)
        energy = functional.linear(torch.tanh(state.keys + query.unsqueeze(1)), own.energy).squeeze(2)
        if state.bias is not None:
            energy = energy + state.bias
        weights = energy.softmax(dim=1)
        gate = torch.sigmoid(functional.linear(hidden, *own.gate))
        read = torch.bmm(weights.unsqueeze(1), state.features).squeeze(1) * gate
        state.hidden, state.memory, state.read = hidden, memory, read
        return torch.cat([hidden, read, word], dim=1), weights, gate

    def _weights(self) -> LstmWeights:
        cell = self.cell
        return LstmWeights(
            (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh),
            self.query.weight,
            self.energy.weight,
            (self.gate.weight, self.gate.bias),
        )


class TransformerDecoder(nn.Module):
    """A Transformer decoder with cross-attention to the grid."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(config.vocabulary), config.width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.place = nn.Parameter(torch.randn(1, config.max_words + 1, config.width) * 0.02)
        self.stack = nn.ModuleList(
            TransformerLayer(config.width, config.heads, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, len(config.vocabulary))

    def forward(self, features: Tensor, tokens: Tensor, repeats: int = 1) -> Told:
        """Return what is said and attended at every step."""
        words = self.embed(tokens) + self.place[:, : tokens.shape[1]]
        attention = []
        for layer in self._layers():
            words, weights = layer(words, layer.look(features), repeats)
            attention.append(weights)
        return Told(self.out(self.norm(words)), torch.stack(attention, dim=1))

    def begin(self, features: Tensor, taken: Taken | None = None) -> TransformerState:
        """Return the state before the first word."""
        bias = None if taken is None else taken.bias
        return TransformerState([LayerSteps(layer, features, bias) for layer in self._layers()])

    def step(self, state: TransformerState, tokens: Tensor) -> Told:
        """Take in one word and return what is said and attended next."""
        words = self.embed(tokens) + self.place[:, state.length]
        attention = []
        for layer in state.layers:
            words, weights = layer.step(words)
            attention.append(weights)
        state.length += 1
        return Told(self.out(self.norm(words)), torch.stack(attention, dim=1))

    def _layers(self) -> list[TransformerLayer]:
        return [layer for layer in self.stack if isinstance(layer, TransformerLayer)]
