"""Molmo 7B-D: gazeapp's own implementation of it, with an overview and a grid of detail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL.Image import Image
from torch import Tensor, nn

from gazeapp.engine.models.vlm.capture.interface import ATTENTION
from gazeapp.engine.models.vlm.families.base import Family, Prepared, taken_away
from gazeapp.engine.models.vlm.molmo_7b_d.geometry import Geometry
from gazeapp.engine.models.vlm.molmo_7b_d.layout import layout_of
from gazeapp.engine.types import FloatArray


class Molmo7BD(Family):
    """The image is shown whole and in overlapping crops, padded in black; only image tokens have a place on it."""

    name = "Molmo 7B-D"

    def load_network(self, source: str, **kwargs: Any) -> Any:
        """Load the network from a folder; its tensors are checked by name first."""
        from gazeapp.engine.models.vlm.molmo_7b_d.load import load_network

        return load_network(source, **kwargs)

    def load_processor(self, source: str, **_kwargs: Any) -> Any:
        """Load the preprocessing with the checkpoint's tokenizer; code that comes with it is not run."""
        from gazeapp.engine.models.vlm.molmo_7b_d.load import load_processor

        return load_processor(source)

    def choose_attention(self, network: Any) -> None:
        """Let the language model use gazeapp's implementation; the vision encoder has its own attention."""
        network.set_attn_implementation(ATTENTION)

    def language_model(self, network: Any) -> nn.Module:
        """Return the blocks that read embedded tokens."""
        module: nn.Module = network.model.transformer
        return module

    def prepare(self, processor: Any, _config: Any, image: Image, prompt: str) -> Prepared:
        """Cut the image into crops and write the prompt behind its tokens.

        Raises
        ------
        GazeError
            If the image is too narrow, or the prompt holds a mark with a meaning of its own.
        """
        self.refuse_marks(processor, prompt)
        geometry = Geometry.of_image(image.width, image.height)
        inputs = processor(np.asarray(image), prompt)
        n_rows = int(inputs["input_ids"].shape[1])
        return Prepared(inputs, layout_of(geometry), n_rows, geometry.text_start, prompt)

    @contextmanager
    def changed_embeddings(
        self, network: Any, prepared: Prepared, share: FloatArray, fill: str
    ) -> Iterator[None]:
        """Take what the image adds to the embeddings of its tokens towards zero or towards its mean.

        The embedding that all image tokens share, which says that there is an image, stays.
        """
        in_sequence = np.argsort(prepared.layout.columns)

        def change(_module: nn.Module, _args: Any, features: Tensor) -> Tensor:
            return taken_away(features, share[in_sequence], fill)

        handle = network.model.image_features.register_forward_hook(change)
        try:
            yield
        finally:
            handle.remove()


FAMILY = Molmo7BD()
