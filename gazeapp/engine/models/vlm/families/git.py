"""GIT: a ViT's states stand in front of the text, in one self-attention with a softmax of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from PIL.Image import Image
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.capture.capture import Capture, Tap
from gazeapp.engine.models.vlm.capture.hooks import hooked
from gazeapp.engine.models.vlm.families.base import Family, Prepared, check_taps, taken_away
from gazeapp.engine.models.vlm.families.cross import EncoderGrid
from gazeapp.engine.types import FloatArray


class Git(Family):
    """The image's tokens are no part of the text: CLS and patches are put in front of it inside of the network."""

    name = "GIT"
    default_prompt = ""

    def start_listening(self, network: Any) -> None:
        """Check that every layer is found; hooks listen to them while a caption is written."""
        check_taps(network, self.taps(network), self.n_attending(network.config))

    @contextmanager
    def capturing(self, network: Any, capture: Capture) -> Iterator[None]:
        """Let a capture listen while the network generates."""
        with hooked(self.taps(network), "attention_mask", capture):
            yield

    def taps(self, network: Any) -> list[Tap]:
        """Return the self-attention module of each layer."""
        layers = network.git.encoder.layer
        return [Tap(cast(nn.Module, layer.attention.self), i) for i, layer in enumerate(layers)]

    def prepare(self, processor: Any, config: Any, image: Image, prompt: str) -> Prepared:
        """Turn an image and the beginning of a text into the model's input, and say where the patches lie.

        Raises
        ------
        GazeError
            If the checkpoint was made for videos, or the prompt holds a mark with a meaning of its own.
        """
        if config.num_image_with_embedding is not None:
            raise GazeError(
                f"This model reads videos of {config.num_image_with_embedding} frames, not images.",
                todo="Choose a GIT model for images.",
            )
        self.refuse_marks(processor, prompt)
        pixels = processor.image_processor(images=image, return_tensors="pt")["pixel_values"]
        begun = processor.tokenizer(prompt, add_special_tokens=False)["input_ids"] if prompt else []
        ids = torch.tensor([[config.bos_token_id, *begun]])
        inputs = {"pixel_values": pixels, "input_ids": ids, "attention_mask": torch.ones_like(ids)}
        layout = EncoderGrid(1, int(config.vision_config.patch_size)).layout(
            processor.image_processor, pixels, image.width, image.height
        )
        n_image = 1 + layout.columns.size
        return Prepared(inputs, layout, n_image + ids.shape[1], n_image, prompt)

    @contextmanager
    def changed_embeddings(
        self, network: Any, prepared: Prepared, share: FloatArray, fill: str
    ) -> Iterator[None]:
        """Take projected patches towards zero or their mean, see `Family.changed_embeddings`."""
        columns = torch.as_tensor(prepared.layout.columns)

        def change(_module: nn.Module, _args: Any, features: Tensor) -> Tensor:
            changed = features.clone()
            changed[0, columns] = taken_away(features[0, columns], share, fill)
            return changed

        handle = network.git.visual_projection.register_forward_hook(change)
        try:
            yield
        finally:
            handle.remove()


FAMILY = Git()
