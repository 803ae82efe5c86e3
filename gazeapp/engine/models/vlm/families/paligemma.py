"""PaliGemma: one square grid of image tokens in front of the prompt."""

from __future__ import annotations

from typing import Any

from PIL.Image import Image

from gazeapp.engine.models.vlm.families.base import ChatFamily, image_columns
from gazeapp.engine.models.vlm.layout import WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import Rect


class PaliGemma(ChatFamily):
    """The image is stretched to a square of patches, one token each; the prompt is a prefix in the model's own words.

    PaliGemma was trained on prefixes such as ``caption en``, ``describe en`` or ``answer en what is this?``; other
    texts are read, but it was not trained to follow them.
    """

    name = "PaliGemma"
    default_prompt = "caption en"

    def make_inputs(self, processor: Any, config: Any, image: Image, prompt: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the arguments of ``generate``: the image's tokens, then the prompt as the prefix."""
        inputs = dict(processor(images=image, text=f"{processor.image_token}{prompt}", return_tensors="pt"))
        # Made for training: with them the network would compute a loss, too.
        inputs.pop("labels", None)
        return inputs

    def layout(self, _processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return one view: the patch grid of the square."""
        side, patch = int(inputs["pixel_values"].shape[-1]), int(config.vision_config.patch_size)
        tokens = side // patch
        found = image_columns(inputs["input_ids"], config.image_token_id, tokens**2, "The processor")
        seen = tokens * patch / side  # A last patch that is not whole is dropped.
        rect = Rect(0.0, 0.0, image.width * seen, image.height * seen)
        view = View.regular(WHOLE_IMAGE, found.reshape(tokens, tokens), rect)
        return Layout((view,), image.width, image.height)


FAMILY = PaliGemma()
