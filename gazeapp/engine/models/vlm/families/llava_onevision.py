"""LLaVA-OneVision: the whole image at the encoder's size, then crops of it at high resolution as one large grid."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from PIL.Image import Image

from gazeapp.engine.models.environment import ensure_torchvision
from gazeapp.engine.models.vlm.families.base import ChatFamily, Prepared, image_columns
from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, Layout, View
from gazeapp.engine.types import DoubleArray, Rect


class LlavaOnevision(ChatFamily):
    """Overview: the image stretched to one crop. Detail: the image resized into the canvas of crops that fits it best.

    Rows or columns of tokens that show the canvas's padding alone are cut off, grids with many more tokens than the
    model's limit are resampled to coarser ones, and a token that stands for the end of the line follows each row.
    """

    name = "LLaVA-OneVision"

    def prepare(self, processor: Any, config: Any, image: Image, prompt: str) -> Prepared:
        """Turn an image and a prompt into the model's input, and say where the image tokens lie."""
        prepared = super().prepare(processor, config, image, prompt)
        # The end of the last line, which has no place in the layout, is the image's last token.
        ends = prepared.inputs["input_ids"][0] == config.image_token_id
        return dataclasses.replace(prepared, first_text_row=int(ends.nonzero().max()) + 1)

    def layout(self, _processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return the overview and the detail."""
        side, patch = int(config.vision_config.image_size), int(config.vision_config.patch_size)
        tokens = side // patch
        canvas = _canvas(image, config.image_grid_pinpoints)
        kept = _kept(image, canvas[0] // side * tokens, canvas[1] // side * tokens)
        rows, columns = _resampled(kept, tokens, config.vision_aspect_ratio)
        found = image_columns(
            inputs["input_ids"], config.image_token_id, tokens**2 + rows * (columns + 1), "The processor"
        )
        # Patches that are not whole, at the right and lower edge of a crop, are dropped.
        seen = tokens * patch / side
        overview = View.regular(
            OVERVIEW,
            found[: tokens**2].reshape(tokens, tokens),
            Rect(0.0, 0.0, image.width * seen, image.height * seen),
        )
        resized = _resized(image, canvas)
        row_edges, column_edges = (
            _edges(axis_kept, n, side, patch, axis_canvas, axis_resized, size)
            for axis_kept, n, axis_canvas, axis_resized, size in zip(
                kept, (rows, columns), canvas, resized, (image.height, image.width), strict=True
            )
        )
        detail = View(DETAIL, found[tokens**2 :].reshape(rows, columns + 1)[:, :-1], row_edges, column_edges)
        # Of an image that is next to a line, all rows of the detail can be cut off as padding.
        views = (overview, detail) if detail.columns.size else (overview,)
        return Layout(views, image.width, image.height)


def _canvas(image: Image, sizes: list[list[int]]) -> tuple[int, int]:
    """Return height and width of the canvas that transformers chooses for an image."""
    ensure_torchvision()
    from transformers.image_processing_utils import select_best_resolution

    height, width = select_best_resolution((image.height, image.width), sizes)
    return int(height), int(width)


def _resized(image: Image, canvas: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of the image on the canvas, which it fills in one direction."""
    down, across = canvas[0] / image.height, canvas[1] / image.width
    if across < down:
        return min(math.ceil(image.height * across), canvas[0]), canvas[1]
    return canvas[0], min(math.ceil(image.width * down), canvas[1])


def _kept(image: Image, rows: int, columns: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last + 1 of the canvas's token rows and columns that are not cut off as padding."""
    if image.width / image.height > columns / rows:
        cut = (rows - int(round(image.height * (columns / image.width), 7))) // 2
        return (cut, rows - cut), (0, columns)
    cut = (columns - int(round(image.width * (rows / image.height), 7))) // 2
    return (0, rows), (cut, columns - cut)


def _resampled(kept: tuple[tuple[int, int], tuple[int, int]], tokens: int, limit: str) -> tuple[int, int]:
    """Return rows and columns of the detail after the resampling of grids that are much larger than the limit.

    ``limit`` is for example ``anyres_max_9``: as many tokens as nine crops have.
    """
    rows, columns = (last - first for first, last in kept)
    ratio = math.sqrt(rows * columns / (int(limit.removeprefix("anyres_max_")) * tokens**2))
    return (int(rows // ratio), int(columns // ratio)) if ratio > 1.1 else (rows, columns)


def _edges(
    kept: tuple[int, int], n: int, side: int, patch: int, canvas: int, resized: int, size: int
) -> DoubleArray:
    """Return the edges of tokens along one side of the image, image px, shape (n + 1,).

    Parameters
    ----------
    kept
        First and last + 1 of the canvas's tokens.
    n
        Tokens that these are resampled to.
    side, patch
        Sizes of a crop and of a token in it, px of the canvas.
    canvas, resized, size
        Length of the canvas, of the image on it, and of the image itself, px.
    """
    tokens = side // patch
    # Between two crops lies a strip that no token shows where patches do not fill the crop; it is given to the token
    # before it, so that tokens stay side by side.
    at = np.linspace(*kept, n + 1)
    crop = np.minimum(np.floor(at / tokens), (kept[1] - 1) // tokens)
    on_canvas = crop * side + (at - crop * tokens) * patch
    edges: DoubleArray = (on_canvas - (canvas - resized) // 2) * (size / resized)
    return edges


FAMILY = LlavaOnevision()
