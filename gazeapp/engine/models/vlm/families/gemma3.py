"""Gemma 3: one square grid of pooled image tokens, and one for each crop of long images."""

from __future__ import annotations

import math
from typing import Any

from PIL.Image import Image

from gazeapp.engine.models.vlm.families.base import ChatFamily, image_columns
from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import Rect


class Gemma3(ChatFamily):
    """The image is stretched to a square and its patches are pooled to tokens; with pan and scan, crops follow it.

    Pan and scan (off unless the processor's settings turn it on) cuts images that are long enough into two or more
    crops along the longer side, each stretched to a square of its own.
    """

    name = "Gemma 3"

    def layout(self, _processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return the whole image's grid, and behind it one for each crop."""
        pictures, side = int(inputs["pixel_values"].shape[0]), int(inputs["pixel_values"].shape[-1])
        tokens, patch = math.isqrt(int(config.mm_tokens_per_image)), int(config.vision_config.patch_size)
        # Patches at the right and lower edge that do not fill a pooling window are dropped.
        seen = tokens * (side // patch // tokens) * patch / side
        expected = pictures * tokens**2
        found = image_columns(inputs["input_ids"], config.image_token_id, expected, "The processor")
        parts = [Rect.of_image(image.width, image.height)]
        names = [WHOLE_IMAGE]
        if pictures > 1:
            parts += _crops(image.width, image.height, pictures - 1)
            names = [OVERVIEW, *[DETAIL] * (pictures - 1)]
        grids = found.reshape(pictures, tokens, tokens)
        views = tuple(
            View.regular(name, grid, Rect(part.x, part.y, part.width * seen, part.height * seen))
            for name, grid, part in zip(names, grids, parts, strict=True)
        )
        return Layout(views, image.width, image.height)


def _crops(width: int, height: int, n: int) -> list[Rect]:
    """Return the parts of the image that pan and scan cuts along its longer side; the last one may be smaller."""
    length = max(width, height)
    step = math.ceil(length / n)
    spans = [(step * i, min(step, length - step * i)) for i in range(n)]
    if width >= height:
        return [Rect(start, 0.0, size, height) for start, size in spans]
    return [Rect(0.0, start, width, size) for start, size in spans]


FAMILY = Gemma3()
