"""How Molmo 7B-D cuts an image into crops, and where each of its tokens stands in the prompt.

The model sees every image twice: an overview of 336 x 336 px, and a detail canvas that overlapping crops of
the same size cover. Both are the image scaled to fit, with black borders around it. Sizes are chosen in
float32, as in the authors' code, since a scale a hair above or below 1 decides on the tiling.

Source: preprocessing of allenai/molmo at commit 793fa387.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import IntArray

PATCH = 14
"""Side of a patch of the vision encoder, px of a crop."""
PATCHES = 24
"""Patches along each side of a crop."""
CROP = PATCH * PATCHES
"""Side of a crop, px."""
SLOTS = PATCHES // 2
"""Places for tokens along each side of a crop: 2 x 2 patches are pooled into one."""
TOKEN = 2 * PATCH
"""Side of a token, px of the canvas."""

_MAX_CROPS = 12
# Two tokens on each side of a crop are given up where it has a neighbour, which sees them better.
_GIVEN_UP = 2
_STEP = SLOTS - 2 * _GIVEN_UP
_SEAM = 2 * _GIVEN_UP * TOKEN


@dataclass(frozen=True, slots=True)
class Canvas:
    """A canvas with the scaled image in its middle and borders around it.

    Parameters
    ----------
    height, width
        Of the canvas, px.
    scaled_height, scaled_width
        Of the image on it, px.
    """

    height: int
    width: int
    scaled_height: int
    scaled_width: int

    @property
    def top(self) -> int:
        """Border above the image, px."""
        return (self.height - self.scaled_height) // 2

    @property
    def left(self) -> int:
        """Border left of the image, px."""
        return (self.width - self.scaled_width) // 2

    @classmethod
    def fitted(cls, height: int, width: int, image_height: int, image_width: int) -> Canvas:
        """Scale an image to fit into a canvas, keeping its proportions."""
        scale = min(
            np.float32(width) / np.float32(image_width), np.float32(height) / np.float32(image_height)
        )
        scaled_height = int(np.float32(image_height) * scale)
        scaled_width = int(np.float32(image_width) * scale)
        if not (scaled_height and scaled_width):
            raise GazeError(
                f"The image of {image_width} x {image_height} px is too narrow for Molmo: "
                "scaled to its size, nothing is left of the shorter side.",
                todo="Crop it to sides whose lengths differ less than 300-fold.",
            )
        return cls(height, width, scaled_height, scaled_width)


@dataclass(frozen=True)
class Geometry:
    """Crops and tokens of one image.

    Parameters
    ----------
    width, height
        Of the image, px.
    tile_rows, tile_columns
        Crops of the detail canvas.
    """

    width: int
    height: int
    tile_rows: int
    tile_columns: int

    @classmethod
    def of_image(cls, width: int, height: int) -> Geometry:
        """Choose the crops for an image of ``width`` x ``height`` px."""
        rows, columns = _choose_tiling(width, height)
        return cls(width, height, rows, columns)

    @cached_property
    def overview(self) -> Canvas:
        """The canvas of the first crop, which shows the entire image."""
        return Canvas.fitted(CROP, CROP, self.height, self.width)

    @cached_property
    def detail(self) -> Canvas:
        """The canvas that the other crops cover."""
        rows, columns = self.detail_grid
        return Canvas.fitted(rows * TOKEN, columns * TOKEN, self.height, self.width)

    @property
    def detail_grid(self) -> tuple[int, int]:
        """Rows and columns of the detail tokens."""
        return _STEP * self.tile_rows + 2 * _GIVEN_UP, _STEP * self.tile_columns + 2 * _GIVEN_UP

    @property
    def crops(self) -> int:
        """Crops in all, the overview included."""
        return 1 + self.tile_rows * self.tile_columns

    @property
    def crop_corners(self) -> list[tuple[int, int]]:
        """Top and left edge of each detail crop on its canvas, px, in reading order."""
        step = _STEP * TOKEN
        return [
            (row * step, column * step)
            for row in range(self.tile_rows)
            for column in range(self.tile_columns)
        ]

    @cached_property
    def overview_positions(self) -> IntArray:
        """Place in the prompt of each overview token, shape (12, 12)."""
        # Ahead of them stand the beginning of the text and the beginning of the image.
        return _grid_positions(2, SLOTS, SLOTS)

    @cached_property
    def detail_positions(self) -> IntArray:
        """Place in the prompt of each detail token, shape of `detail_grid`."""
        # The last overview token is followed by the end of its row, of its image, and a new beginning.
        return _grid_positions(int(self.overview_positions[-1, -1]) + 4, *self.detail_grid)

    @property
    def text_start(self) -> int:
        """Place in the prompt of the first token of the text."""
        # After the last image token: the end of its row and of its image.
        return int(self.detail_positions[-1, -1]) + 3

    def slot_positions(self) -> IntArray:
        """Return the place in the prompt of each slot of each crop.

        Returns
        -------
        numpy.ndarray
            Shape (crops, 144), the overview first, slots row by row; -100 where a slot is given up in favour of
            a neighbouring crop.
        """
        slots = np.full((self.crops, SLOTS, SLOTS), -100, np.int64)
        slots[0] = self.overview_positions
        rows, columns = self.detail_grid
        tile_row, slot_row = _owners(rows, self.tile_rows)
        tile_column, slot_column = _owners(columns, self.tile_columns)
        crop = 1 + tile_row[:, None] * self.tile_columns + tile_column[None, :]
        slots[crop, slot_row[:, None], slot_column[None, :]] = self.detail_positions
        return slots.reshape(self.crops, SLOTS * SLOTS)


def _choose_tiling(width: int, height: int) -> tuple[int, int]:
    """Return rows and columns of the crops that enlarge the image least, or shrink it least."""
    candidates = sorted(
        (
            (rows, columns)
            for rows in range(1, _MAX_CROPS + 1)
            for columns in range(1, _MAX_CROPS + 1)
            if rows * columns <= _MAX_CROPS
        ),
        key=lambda tiling: (tiling[0] * tiling[1], tiling[0]),
    )
    room = np.array(candidates, np.float32) * np.float32(_STEP * TOKEN)
    # An image no larger than the seam divides by zero or less, and so ends with one crop.
    with np.errstate(divide="ignore"):
        scales = (room / (np.array([height, width], np.float32) - np.float32(_SEAM))).min(axis=1)
    chosen = scales.argmax() if (scales < 1).all() else np.where(scales < 1, np.inf, scales).argmin()
    return candidates[int(chosen)]


def _grid_positions(start: int, rows: int, columns: int) -> IntArray:
    """Return places of a grid of tokens whose rows are each closed by one more token."""
    return start + np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)[None, :]


def _owners(tokens: int, tiles: int) -> tuple[IntArray, IntArray]:
    """Return, along one side, the crop that each token is taken from, and its slot in that crop."""
    token = np.arange(tokens)
    tile = np.clip((token - _GIVEN_UP) // _STEP, 0, tiles - 1)
    return tile, token - _STEP * tile
