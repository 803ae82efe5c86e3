"""Idefics3 and SmolVLM: the image cut into square tiles, each with its own tokens, and the whole image after them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from PIL.Image import Image
from torch import nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.families.base import ChatFamily, image_columns
from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import IntArray, Rect

_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")


class Idefics3(ChatFamily):
    """The image is stretched to whole tiles, without padding, and cut; the whole image follows, stretched to one tile.

    A tile whose side is no multiple of the patch leaves a strip at its right and lower edge that no token sees (384 px
    and patches of 14 px: 6 px). The views leave it out, too.
    """

    name = "Idefics3 and SmolVLM"

    def language_model(self, network: Any) -> nn.Module:
        """Return the module that reads embedded tokens."""
        module: nn.Module = network.model.text_model
        return module

    def layout(self, processor: Any, config: Any, inputs: dict[str, Any], image: Image) -> Layout:
        """Return a view for each tile, in rows, and the overview behind them; one view where nothing was cut."""
        tiles, side = int(inputs["pixel_values"].shape[1]), int(inputs["pixel_values"].shape[-1])
        patch, merged = int(config.vision_config.patch_size), int(config.scale_factor)
        tokens = side // patch // merged
        seen = tokens * merged * patch / side
        found = image_columns(inputs["input_ids"], config.image_token_id, tiles * tokens**2, "The processor")
        grids = found.reshape(tiles, tokens, tokens)
        whole = Rect.of_image(image.width, image.height)
        if tiles == 1:
            return Layout((_tile(WHOLE_IMAGE, grids[0], whole, seen),), image.width, image.height)
        rows, columns = _rows_and_columns(processor, inputs, tiles - 1)
        tall, wide = image.height / rows, image.width / columns
        parts = [Rect(c * wide, r * tall, wide, tall) for r in range(rows) for c in range(columns)]
        details = [_tile(DETAIL, grid, part, seen) for grid, part in zip(grids[:-1], parts, strict=True)]
        return Layout((*details, _tile(OVERVIEW, grids[-1], whole, seen)), image.width, image.height)


def _tile(name: str, columns: IntArray, part: Rect, seen: float) -> View:
    """Return the view of a tile over a part of the image, of which the tokens see a share of each side."""
    return View.regular(name, columns, Rect(part.x, part.y, part.width * seen, part.height * seen))


def _rows_and_columns(processor: Any, inputs: dict[str, Any], tiles: int) -> tuple[int, int]:
    """Return in how many rows and columns of tiles the image was cut, as the text says that the model reads.

    Raises
    ------
    GazeError
        If the text tells of another number of tiles than there are.
    """
    ids = inputs["input_ids"][0]
    other = ids[ids != processor.image_token_id]
    places = [(int(r), int(c)) for r, c in _TILE.findall(processor.tokenizer.decode(other))]
    rows, columns = (int(n) for n in np.max(places, axis=0)) if places else (0, 0)
    if rows * columns != tiles:
        raise GazeError(
            f"The text speaks of {rows} x {columns} tiles of the image where there are {tiles}.",
            todo="The processor's settings do not fit the model; use the ones that came with it.",
        )
    return rows, columns


FAMILY = Idefics3()
