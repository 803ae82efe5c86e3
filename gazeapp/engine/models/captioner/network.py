"""The captioner as a network: encoder, decoder, and saying a caption word by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.decoders import LstmDecoder, TransformerDecoder
from gazeapp.engine.models.captioner.encoders import Encoder
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
        return (planes - self.config.mean) / self.config.std

    def forward(self, pictures: Tensor, tokens: Tensor, repeats: int = 1) -> tuple[Tensor, Tensor]:
        """Return logits and attention; see `decoders`."""
        logits, attention = self.decoder(self.encoder(pictures), tokens, repeats)
        return logits, attention

    @torch.no_grad()
    def say(self, features: Tensor, first: Tensor) -> Said:
        """Decode greedily from grid features (batch, cells, width) and first tokens (batch,)."""
        # Any: a decoder's state is its own affair.
        state: Any = self.decoder.begin(features)
        word = first
        done = torch.zeros(len(first), dtype=torch.bool, device=first.device)
        words, scores, attention = [], [], []
        for _ in range(self.config.max_words):
            logits, weights = self.decoder.step(state, word)
            score, word = logits.log_softmax(dim=-1).max(dim=-1)
            words.append(word)
            scores.append(score)
            attention.append(weights)
            done |= word == 1
            if bool(done.all()):
                break
        return _unpack(torch.stack(words, dim=1), torch.stack(scores, dim=1), torch.stack(attention, dim=3))


def _unpack(tokens: Tensor, scores: Tensor, attention: Tensor) -> Said:
    rows: list[list[int]] = tokens.tolist()
    lengths = [row.index(1) if 1 in row else len(row) for row in rows]
    maps = attention.float().cpu().numpy()
    return Said(
        tokens=[row[:n] for row, n in zip(rows, lengths, strict=True)],
        log_probabilities=[row[:n] for row, n in zip(scores.tolist(), lengths, strict=True)],
        attention=[each[:, :, :n] for each, n in zip(maps, lengths, strict=True)],
    )
