"""Molmo2: the whole image at low resolution, then a finer grid over the same image, read from overlapping crops."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL.Image import Image
from torch import nn

from gazeapp.engine.models.vlm.families.base import ChatFamily, Prepared, image_columns, taken_away
from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, Layout, View
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray


class Molmo2(ChatFamily):
    """Both grids cover the whole image: it is stretched to each, without padding.

    Crops overlap by a margin, of which each patch is read from one crop alone, so that the finer grid has no doubles.
    A token pools 2 x 2 patches by an attention of its own; where a grid's side is odd, the last tokens pool half as
    many and lie over half as much of the image. Tokens that end rows lie nowhere.
    """

    name = "Molmo2"

    def prepare(self, processor: Any, config: Any, image: Image, prompt: str) -> Prepared:
        """Turn an image and a prompt into the model's input, and say where the image tokens lie."""
        prepared = super().prepare(processor, config, image, prompt)
        # The last row's end and the image's own are read together with the image.
        behind = int(prepared.inputs["mm_token_type_ids"][0].nonzero().max()) + 1
        return dataclasses.replace(prepared, first_text_row=behind)

    def layout(self, processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return the overview, then the detail."""
        low_rows, low_columns, rows, columns = (int(n) for n in inputs["image_grids"][0])
        n_low, n_detail = low_rows * low_columns, rows * columns
        found = image_columns(inputs["input_ids"], config.image_patch_id, n_low + n_detail, "The processor")
        window = tuple(int(n) for n in processor.image_processor.pooling_size)
        pooled = (inputs["image_token_pooling"] >= 0).cpu().numpy()
        overview = _view(
            OVERVIEW, found[:n_low], pooled[:n_low].reshape(low_rows, low_columns, *window), image
        )
        detail = _view(DETAIL, found[n_low:], pooled[n_low:].reshape(rows, columns, *window), image)
        return Layout((overview, detail), image.width, image.height)

    @contextmanager
    def changed_embeddings(
        self, network: Any, prepared: Prepared, share: FloatArray, fill: str
    ) -> Iterator[None]:
        """Take what the picture adds to the placeholders towards zero or its mean; the placeholders stay."""
        in_sequence = np.argsort(prepared.layout.columns)

        def change(_module: nn.Module, _args: Any, output: Any) -> Any:
            output.last_hidden_state = taken_away(output.last_hidden_state, share[in_sequence], fill)
            return output

        handle = network.model.multi_modal_projector.register_forward_hook(change)
        try:
            yield
        finally:
            handle.remove()


def _view(name: str, columns: IntArray, pooled: BoolArray, image: Image) -> View:
    """Return a view over the whole image.

    Parameters
    ----------
    name
        Its name.
    columns
        Attention key of each token, shape (n_tokens,).
    pooled
        Which places of each token's window hold a patch, shape (rows, columns, window height, window width); the
        others fill up windows at the edges.
    image
        The image.
    """
    down, across = pooled.any(axis=(1, 3)).sum(axis=1), pooled.any(axis=(0, 2)).sum(axis=1)
    return View(
        name, columns.reshape(pooled.shape[:2]), _edges(down, image.height), _edges(across, image.width)
    )


def _edges(patches: IntArray, size: int) -> DoubleArray:
    """Return the edges of tokens that are so many patches long and fill the image, px."""
    return np.concatenate([[0.0], np.cumsum(patches) * (size / int(patches.sum()))])


FAMILY = Molmo2()
