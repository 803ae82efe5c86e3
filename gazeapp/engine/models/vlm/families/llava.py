"""LLaVA 1.5: one grid of patches over the middle of the image."""

from __future__ import annotations

from typing import Any

from PIL.Image import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families.base import ChatFamily, image_columns
from gazeapp.engine.models.vlm.families.shown import shown_rect
from gazeapp.engine.models.vlm.layout import WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import Rect


class Llava(ChatFamily):
    """The shorter side is resized to the encoder's size and the middle square cut out; each patch is one token.

    What lies outside of the square is never seen, so maps cover the square alone. Processors that pad the image to a
    square instead show all of it.
    """

    name = "LLaVA 1.5"

    def make_inputs(self, processor: Any, config: Any, image: Image, prompt: str) -> dict[str, Any]:
        """Return the arguments of ``generate`` for an image and a prompt."""
        if not hasattr(processor, "num_additional_image_tokens"):
            raise GazeError(
                f"This model says that it is a LLaVA, but its images are cut up by a {type(processor).__name__}.",
                todo="gazeapp places the tokens of LLaVA 1.5 and of models with the same processor.",
            )
        # Processors of older checkpoints leave the patch size to the network's settings.
        processor.patch_size = processor.patch_size or config.vision_config.patch_size
        return super().make_inputs(processor, config, image, prompt)

    def layout(self, processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return one view: the patch grid of what the processor left of the image."""
        down, across = (int(n) for n in inputs["pixel_values"].shape[-2:])
        patch = int(processor.patch_size)
        rows, columns = down // patch, across // patch
        # Tokens in front of the patches, such as CLIP's summary of the image, unless the model drops the first.
        first = processor.num_additional_image_tokens - (
            processor.vision_feature_select_strategy == "default"
        )
        found = image_columns(
            inputs["input_ids"], config.image_token_id, first + rows * columns, "The processor"
        )
        seen = _seen_rect(processor.image_processor, image.width, image.height)
        # Patches that are not whole, at the right and lower edge, are dropped.
        rect = Rect(
            seen.x,
            seen.y,
            seen.width * columns * patch / across,
            seen.height * rows * patch / down,
        )
        view = View.regular(WHOLE_IMAGE, found[first:].reshape(rows, columns), rect)
        return Layout((view,), image.width, image.height)


def _seen_rect(image_processor: Any, width: int, height: int) -> Rect:
    """Return the rectangle of the image that the encoder is given, px; larger than the image where it was padded."""
    if not (hasattr(image_processor, "pad_to_square") and image_processor.do_pad):
        return shown_rect(image_processor, width, height)
    side = max(width, height)
    shown = shown_rect(image_processor, side, side)
    left, top = (side - width) // 2, (side - height) // 2
    return Rect(shown.x - left, shown.y - top, shown.width, shown.height)


FAMILY = Llava()
