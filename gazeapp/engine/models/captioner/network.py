"""The captioner as a network: encoder, decoder, and saying a caption word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.decoders import LstmDecoder, Told, TransformerDecoder
from gazeapp.engine.models.captioner.encoders import Encoder
from gazeapp.engine.models.captioner.lesion import Taken
from gazeapp.engine.types import FloatArray, ImageArray


@dataclass(frozen=True, slots=True)
class Said:
    """What greedy decoding gave for a batch of sequences.

    Parameters
    ----------
    tokens
        For each sequence its token numbers, without the task's token and ``<end>``.
    log_probabilities
        Natural logarithm of the probability of each of those tokens.
    attention
        For each sequence, shape (layers, heads, words, cells).
    """

    tokens: list[list[int]]
    log_probabilities: list[list[float]]
    attention: list[FloatArray]


class Captioner(nn.Module):
    """Encoder and decoder of a captioner."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder: LstmDecoder | TransformerDecoder
        self.decoder = LstmDecoder(config) if config.decoder == "lstm" else TransformerDecoder(config)

    def normalise(self, pictures: ImageArray) -> Tensor:
        """Turn uint8 pictures (batch, size, size, 3) into the encoder's input."""
        planes = torch.tensor(pictures).permute(0, 3, 1, 2).float()
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.config.mean, self.config.std))
        return (planes - mean) / std

    def forward(self, pictures: Tensor, tokens: Tensor, repeats: int = 1) -> Told:
        """Return what is said and attended; see `decoders`."""
        told: Told = self.decoder(self.encoder(pictures), tokens, repeats)
        return told

    @torch.inference_mode()
    def say(
        self, features: Tensor, first: Tensor, taken: Taken | None = None, forced: Sequence[int] = ()
    ) -> Said:
        """Decode greedily, or say given words.

        Parameters
        ----------
        features
            Grid features, shape (batch, cells, width).
        first
            First tokens, shape (batch,).
        taken
            What the decoder is to do without.
        forced
            Tokens that every sequence is made to say instead of the most probable ones; they go through the same
            steps, so that a caption's own tokens give its own numbers.
        """
        # Any: a decoder's state is its own affair.
        state: Any = self.decoder.begin(features, taken)
        word = first
        done = torch.zeros(len(first), dtype=torch.bool, device=first.device)
        words, scores, attention = [], [], []
        for place in range(len(forced) or self.config.max_words):
            told = self.decoder.step(state, word)
            of_words = told.logits.log_softmax(dim=-1)
            if forced:
                word = torch.full_like(first, forced[place])
                score = of_words[:, forced[place]]
            else:
                score, word = of_words.max(dim=-1)
            words.append(word)
            scores.append(score)
            attention.append(told.attention)
            done |= word == self.config.end
            if bool(done.all()):
                break
        return _unpack(
            torch.stack(words, dim=1),
            torch.stack(scores, dim=1),
            torch.stack(attention, dim=3),
            self.config.end,
        )


def _unpack(tokens: Tensor, scores: Tensor, attention: Tensor, end: int) -> Said:
    rows: list[list[int]] = tokens.tolist()
    lengths = [row.index(end) if end in row else len(row) for row in rows]
    maps = attention.float().cpu().numpy()
    return Said(
        tokens=[row[:n] for row, n in zip(rows, lengths, strict=True)],
        log_probabilities=[row[:n] for row, n in zip(scores.tolist(), lengths, strict=True)],
        attention=[each[:, :, :n] for each, n in zip(maps, lengths, strict=True)],
    )
