"""What holds for models whose words attend to the states of an image encoder through layers of their own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from gazeapp.engine.models.vlm.families.base import Family, Prepared, taken_away
from gazeapp.engine.models.vlm.families.shown import shown_rect
from gazeapp.engine.models.vlm.layout import WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import FloatArray, Rect


@dataclass(frozen=True)
class EncoderGrid:
    """How an image encoder cuts its input into tokens.

    Parameters
    ----------
    n_leading
        Tokens in front of the first patch, such as CLS.
    stride
        Side of a token in the encoder's input, px.
    pads
        Whether an input that is no multiple of the stride is padded on its right and at its bottom; otherwise what is
        left over is not seen.
    """

    n_leading: int
    stride: int
    pads: bool = False

    def layout(self, image_processor: Any, pixels: Any, width: int, height: int) -> Layout:
        """Return where each token lies on an image of ``width`` x ``height`` px.

        ``pixels`` is the encoder's input, shape (1, 3, rows, columns).
        """
        down, across = int(pixels.shape[-2]), int(pixels.shape[-1])
        over = self.stride - 1 if self.pads else 0
        rows, columns = (down + over) // self.stride, (across + over) // self.stride
        shown = shown_rect(image_processor, width, height)
        seen = Rect(
            shown.x,
            shown.y,
            shown.width * columns * self.stride / across,
            shown.height * rows * self.stride / down,
        )
        keys = self.n_leading + np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)
        return Layout((View.regular(WHOLE_IMAGE, keys, seen),), width, height)


class CrossAttending(Family):
    """The keys are the image encoder's states alone; tokens in front of the patches are not shown."""

    cross_attention = True
    default_prompt = ""

    @abstractmethod
    def text_decoder(self, network: Any) -> nn.Module:
        """Return the module that is called with ``encoder_hidden_states``."""

    @contextmanager
    def changed_embeddings(
        self, network: Any, prepared: Prepared, share: FloatArray, fill: str
    ) -> Iterator[None]:
        """Take encoder states of the image towards zero or their mean, see `Family.changed_embeddings`."""
        columns = torch.as_tensor(prepared.layout.columns)

        def change(_module: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            states = kwargs["encoder_hidden_states"]
            changed = states.clone()
            changed[0, columns] = taken_away(states[0, columns], share, fill)
            return args, {**kwargs, "encoder_hidden_states": changed}

        handle = self.text_decoder(network).register_forward_pre_hook(change, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()
