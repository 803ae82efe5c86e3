"""BLIP captioning: a text decoder with cross-attention, and a softmax of its own, over a ViT's states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from PIL.Image import Image
from torch import nn

from gazeapp.engine.models.vlm.capture.capture import Capture, Tap
from gazeapp.engine.models.vlm.capture.hooks import hooked
from gazeapp.engine.models.vlm.families.base import Prepared, check_taps
from gazeapp.engine.models.vlm.families.cross import CrossAttending, EncoderGrid
from gazeapp.engine.models.vlm.writing import token_ids


class Blip(CrossAttending):
    """The image is stretched to a square; a prompt is the beginning of the caption, without which it starts freely."""

    name = "BLIP"

    def end_tokens(self, network: Any) -> frozenset[int]:
        """Return the tokens that end a caption: what the model's own generate() passes on."""
        return token_ids(network.config.text_config.sep_token_id)

    def start_listening(self, network: Any) -> None:
        """Check that every layer is found; hooks listen to them while a caption is written."""
        check_taps(network, self.taps(network), self.n_attending(network.config))

    @contextmanager
    def capturing(self, network: Any, capture: Capture) -> Iterator[None]:
        """Let a capture listen while the network generates."""
        with hooked(self.taps(network), "encoder_attention_mask", capture):
            yield

    def text_decoder(self, network: Any) -> nn.Module:
        """Return the text decoder."""
        decoder: nn.Module = network.text_decoder
        return decoder

    def taps(self, network: Any) -> list[Tap]:
        """Return the cross-attention module of each layer."""
        layers = network.text_decoder.bert.encoder.layer
        return [
            Tap(cast(nn.Module, layer.crossattention.self), i, cross=True) for i, layer in enumerate(layers)
        ]

    def prepare(self, processor: Any, config: Any, image: Image, prompt: str) -> Prepared:
        """Turn an image and the beginning of a caption into the model's input, and say where the patches lie.

        Raises
        ------
        GazeError
            If the prompt holds a mark with a meaning of its own.
        """
        self.refuse_marks(processor, prompt)
        pixels = processor.image_processor(images=image, return_tensors="pt")["pixel_values"]
        vision, text = config.vision_config, config.text_config
        begun = processor.tokenizer(prompt, add_special_tokens=False)["input_ids"] if prompt else []
        # The model's own generate() drops the last token, which is that of a finished text.
        ids = torch.tensor([[text.bos_token_id, *begun, text.sep_token_id]])
        inputs = {"pixel_values": pixels, "input_ids": ids, "attention_mask": torch.ones_like(ids)}
        layout = EncoderGrid(1, int(vision.patch_size)).layout(
            processor.image_processor, pixels, image.width, image.height
        )
        return Prepared(inputs, layout, n_rows=1 + len(begun), first_text_row=0, prompt=prompt)


FAMILY = Blip()
