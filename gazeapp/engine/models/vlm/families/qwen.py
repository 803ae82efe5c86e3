"""Qwen2.5-VL, Qwen3-VL and Qwen3.5: one grid over the whole image, 2 x 2 patches in a token."""

from __future__ import annotations

from typing import Any

from PIL.Image import Image

from gazeapp.engine.models.vlm.families.base import ChatFamily, image_columns
from gazeapp.engine.models.vlm.layout import WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import Rect


class QwenVL(ChatFamily):
    """The image is stretched to whole tokens, without padding or crop, and read row by row."""

    name = "Qwen-VL"

    def layout(self, _processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return one view: the patch grid that the processor names, merged."""
        _, height, width = (int(n) for n in inputs["image_grid_thw"][0])
        merge = int(config.vision_config.spatial_merge_size)
        rows, columns = height // merge, width // merge
        found = image_columns(inputs["input_ids"], config.image_token_id, rows * columns, "The processor")
        rect = Rect.of_image(image.width, image.height)
        return Layout(
            (View.regular(WHOLE_IMAGE, found.reshape(rows, columns), rect),), image.width, image.height
        )


FAMILY = QwenVL()
