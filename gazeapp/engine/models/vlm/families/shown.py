"""Which part of the image an image processor of the plain kind shows to the model."""

from __future__ import annotations

from typing import Any

from gazeapp.engine.types import Rect


def shown_rect(image_processor: Any, width: int, height: int) -> Rect:
    """Return the rectangle of the image that becomes the model's input, after resizing and the crop of its centre.

    Parameters
    ----------
    image_processor
        One that resizes to a size or by the shorter edge and may crop the centre, such as CLIP's, ViT's or BLIP's.
    width, height
        Size of the image, px.

    Returns
    -------
    Rect
        Image px; it reaches outside of the image where the crop is larger than the resized image, which is then
        padded.
    """
    across, down = float(width), float(height)
    if getattr(image_processor, "do_resize", True):
        down, across = _resized(image_processor.size, width, height)
    if not getattr(image_processor, "do_center_crop", None):
        return Rect.of_image(width, height)
    crop_down, crop_across = image_processor.crop_size["height"], image_processor.crop_size["width"]
    left, top = _start(across, crop_across), _start(down, crop_down)
    x, y = width / across, height / down
    return Rect(left * x, top * y, crop_across * x, crop_down * y)


def _resized(size: Any, width: int, height: int) -> tuple[int, int]:
    """Return rows and columns after resizing, as transformers computes them."""
    if size.get("height") and size.get("width"):
        return int(size["height"]), int(size["width"])
    edge = int(size["shortest_edge"])
    # The longer edge is cut off to whole pixels, not rounded.
    if height <= width:
        return edge, int(edge * width / height)
    return int(edge * height / width), edge


def _start(length: float, crop: int) -> int:
    """Return where a crop of the centre begins; negative where it is padded."""
    return int((length - crop) / 2.0) if length >= crop else -int((crop - length) // 2)
