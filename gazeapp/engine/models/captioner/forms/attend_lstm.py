"""The LSTM decoder of sgrvinod's and RoyalSkye's checkpoints (Show, Attend and Tell, soft attention).

It attends first, with the state that the words so far have left, and takes in the previous word together with what
it has read; the word is predicted from the new state. So the attention of step t is made from the state before the
step and belongs to the word that the step predicts, and a first map belongs to the first word.

Names of layers are those of the checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.decoders import Told
from gazeapp.engine.models.captioner.lesion import Taken


@dataclass(slots=True)
class AttendState:
    """What the decoder carries from word to word; ``bias`` is added to the scores of the cells."""

    features: Tensor
    keys: Tensor
    hidden: Tensor
    memory: Tensor
    bias: Tensor | None = None

    def chosen(self, rows: Tensor) -> AttendState:
        """Return the state of some of its rows, in their order; a row may come more than once."""
        parts = (self.features, self.keys, self.hidden, self.memory)
        features, keys, hidden, memory = (part[rows] for part in parts)
        return AttendState(features, keys, hidden, memory, None if self.bias is None else self.bias[rows])


class AdditiveAttention(nn.Module):
    """Scores of the cells: a weighted sum of rectified sums of what cell and state are mapped to."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.encoder_att = nn.Linear(config.width, config.attention)
        self.decoder_att = nn.Linear(config.state, config.attention)
        self.full_att = nn.Linear(config.attention, 1)

    def forward(self, keys: Tensor, hidden: Tensor, bias: Tensor | None) -> Tensor:
        """Return the attention to the cells, shape (batch, cells)."""
        scores: Tensor = self.full_att(torch.relu(keys + self.decoder_att(hidden).unsqueeze(1))).squeeze(2)
        return (scores if bias is None else scores + bias).softmax(dim=1)


class AttendLstmDecoder(nn.Module):
    """LSTM with soft additive attention, and a gate for every feature of what is read.

    ``Told.gate`` is the mean of the gate over the features.
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        width, state, words = config.width, config.state, len(config.vocabulary)
        self.attention = AdditiveAttention(config)
        self.embedding = nn.Embedding(words, config.embed)
        self.decode_step = nn.LSTMCell(config.embed + width, state)
        self.init_h, self.init_c = nn.Linear(width, state), nn.Linear(width, state)
        self.f_beta = nn.Linear(state, width)
        self.fc = nn.Linear(state, words)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, features: Tensor, tokens: Tensor, repeats: int = 1) -> Told:
        """Return what is said and attended at every step."""
        state = self.begin(features.repeat_interleave(repeats, dim=0))
        steps = [self.step(state, tokens[:, place]) for place in range(tokens.shape[1])]
        return Told(
            torch.stack([step.logits for step in steps], dim=1),
            torch.stack([step.attention for step in steps], dim=3),
            torch.stack([step.gate for step in steps if step.gate is not None], dim=1),
        )

    def begin(self, features: Tensor, taken: Taken | None = None) -> AttendState:
        """Return the state before the first word, made from the mean over the cells."""
        mean = taken.mean(features) if taken is not None and taken.start else features.mean(dim=1)
        keys = self.attention.encoder_att(features)
        bias = None if taken is None else taken.bias
        return AttendState(features, keys, self.init_h(mean), self.init_c(mean), bias)

    def step(self, state: AttendState, tokens: Tensor) -> Told:
        """Take in one word and return what is said and attended next."""
        weights: Tensor = self.attention(state.keys, state.hidden, state.bias)
        gate = torch.sigmoid(self.f_beta(state.hidden))
        read = gate * torch.bmm(weights.unsqueeze(1), state.features).squeeze(1)
        taken_in = torch.cat([self.embedding(tokens), read], dim=1)
        state.hidden, state.memory = self.decode_step(taken_in, (state.hidden, state.memory))
        return Told(self.fc(self.drop(state.hidden)), weights[:, None, None], gate.mean(dim=1))
