"""The captioner as a network: encoder, decoder, and what both say of pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gazeapp.engine.models.captioner.config import END, UNKNOWN, CaptionerConfig
from gazeapp.engine.models.captioner.decoders import LstmDecoder, Told, TransformerDecoder
from gazeapp.engine.models.captioner.decoding import Said, along, beam_search, greedy
from gazeapp.engine.models.captioner.encoders import Encoder
from gazeapp.engine.models.captioner.forms.attend_lstm import AttendLstmDecoder
from gazeapp.engine.models.captioner.forms.post_norm import MixedEncoder, PostNormDecoder
from gazeapp.engine.models.captioner.forms.resnet import PooledResNet
from gazeapp.engine.models.captioner.lesion import Taken
from gazeapp.engine.types import ImageArray


class Captioner(nn.Module):
    """Encoder and decoder of a captioner."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        # Tokens that begin a caption or fill it up; an unknown word is a word.
        self._never = tuple(
            number
            for number, entry in enumerate(config.vocabulary)
            if entry.startswith("<") and entry.endswith(">") and entry not in (END, UNKNOWN)
        )
        self.encoder: Encoder | PooledResNet
        self.decoder: LstmDecoder | TransformerDecoder | AttendLstmDecoder | PostNormDecoder
        if config.form == "gazeapp":
            self.encoder = Encoder(config)
            self.decoder = LstmDecoder(config) if config.decoder == "lstm" else TransformerDecoder(config)
        elif config.decoder == "lstm":
            self.encoder, self.decoder = PooledResNet(config), AttendLstmDecoder(config)
        else:
            self.encoder, self.decoder = MixedEncoder(config), PostNormDecoder(config)

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
        self,
        features: Tensor,
        first: Tensor,
        taken: Taken | None = None,
        forced: Sequence[Sequence[int]] = (),
        beams: int = 1,
        length_normalised: bool = False,
    ) -> Said:
        """Decode several sequences at once, each as if it were alone.

        Parameters
        ----------
        features
            Grid features, shape (sequences, cells, width).
        first
            First tokens, shape (sequences,).
        taken
            What the decoder is to do without.
        forced
            For each sequence tokens that it is made to say instead of choosing; they go through the same steps, so
            that a caption's own tokens give its own numbers. Empty lets all of them choose.
        beams
            Beginnings of a caption that are followed side by side; 1 takes the most probable word at each step.
        length_normalised
            Whether beam search ranks captions by the mean log-probability of their tokens and not by the sum.
        """
        if forced:
            return along(self.decoder, features, first, taken, forced)
        end, longest = self.config.end, self.config.max_words
        if beams == 1:
            return greedy(self.decoder, features, first, taken, end, longest, self._never)
        return beam_search(
            self.decoder, features, first, taken, end, longest, beams, length_normalised, self._never
        )
