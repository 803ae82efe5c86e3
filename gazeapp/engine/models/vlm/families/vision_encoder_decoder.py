"""Vision encoder-decoders, such as ViT-GPT2: a text decoder with cross-attention to an image encoder's states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL.Image import Image
from torch import nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.capture.capture import Tap
from gazeapp.engine.models.vlm.capture.interface import ATTENTION
from gazeapp.engine.models.vlm.families.base import Prepared
from gazeapp.engine.models.vlm.families.cross import CrossAttending, EncoderGrid

_LEADING_TOKENS = {"vit": 1, "beit": 1, "dinov2": 1, "deit": 2, "swin": 0, "swinv2": 0}
"""Tokens that image encoders put in front of the patches: CLS, in DeiT also the distillation token."""


@dataclass(frozen=True)
class ImageAndText:
    """The image processor and the tokenizer of a checkpoint that has no processor of both."""

    image_processor: Any
    tokenizer: Any


class VisionEncoderDecoder(CrossAttending):
    """The image is resized, in some checkpoints cropped, and read by an encoder of its own; no prompt is read."""

    name = "Vision encoder-decoder"

    def load_network(self, source: str, **kwargs: Any) -> Any:
        """Load the network; ``kwargs`` go to transformers' ``from_pretrained``."""
        ensure_torchvision()
        from transformers import VisionEncoderDecoderModel

        return VisionEncoderDecoderModel.from_pretrained(source, **kwargs)

    def load_processor(self, source: str, **kwargs: Any) -> Any:
        """Load the image processor and the tokenizer, which such checkpoints bring apart."""
        ensure_torchvision()
        from transformers import AutoImageProcessor, AutoTokenizer

        load: Any = AutoImageProcessor.from_pretrained
        return ImageAndText(load(source, **kwargs), AutoTokenizer.from_pretrained(source, **kwargs))

    def choose_attention(self, network: Any) -> None:
        """Let the decoder use gazeapp's implementation; the encoder keeps its own."""
        network.decoder.set_attn_implementation(ATTENTION)

    def text_decoder(self, network: Any) -> nn.Module:
        """Return the decoder."""
        decoder: nn.Module = network.decoder
        return decoder

    def taps(self, network: Any) -> list[Tap]:
        """Return the decoder's cross-attention modules: those of GPT-2, BERT and RoBERTa are found."""
        found = [
            Tap(module, module.layer_idx, cross=True)
            for module in network.decoder.modules()
            if hasattr(module, "layer_idx")
            and (
                getattr(module, "is_cross_attention", False)
                or type(module).__name__.endswith("CrossAttention")
            )
        ]
        return sorted(found, key=lambda tap: tap.layer)

    def prepare(self, processor: Any, config: Any, image: Image, _prompt: str) -> Prepared:
        """Turn an image into the encoder's input, and say where the encoder's tokens lie.

        The decoder is first called with its start token alone.
        """
        pixels = processor.image_processor(images=image, return_tensors="pt")["pixel_values"]
        layout = encoder_grid(config.encoder).layout(
            processor.image_processor, pixels, image.width, image.height
        )
        return Prepared({"pixel_values": pixels}, layout, n_rows=1, first_text_row=0, prompt="")


def encoder_grid(config: Any) -> EncoderGrid:
    """Return how an image encoder cuts its input into tokens.

    Raises
    ------
    GazeError
        If gazeapp does not know that type of encoder.
    """
    if config.model_type not in _LEADING_TOKENS:
        raise GazeError(
            f"gazeapp does not know how image encoders of the type '{config.model_type}' cut up an image.",
            todo=f"The types it knows are: {', '.join(_LEADING_TOKENS)}.",
        )
    # Swin joins 2 x 2 tokens between its stages, and pads what does not divide.
    n_joins = len(config.depths) - 1 if hasattr(config, "depths") else 0
    return EncoderGrid(
        _LEADING_TOKENS[config.model_type], int(config.patch_size) * 2**n_joins, pads=n_joins > 0
    )


FAMILY = VisionEncoderDecoder()
