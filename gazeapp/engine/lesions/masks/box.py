"""Rectangles of whole pixels, and what a mask holds in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import MaskArray


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels, half-open: columns x0 to x1 - 1, rows y0 to y1 - 1.

    Parameters
    ----------
    x0, y0
        First column and row, px.
    x1, y1
        One past the last column and row, px; more than ``x0`` and ``y0``.
    """

    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(f"a box holds at least one pixel, not {self}")

    @property
    def width(self) -> int:
        """Columns, px."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Rows, px."""
        return self.y1 - self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array of the image's size."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def union(self, other: Box | None) -> Box:
        """Return the smallest box that holds both; this one where there is no other."""
        if other is None:
            return self
        return Box(
            min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1)
        )


def box_within(x0: int, y0: int, x1: int, y1: int, height: int, width: int) -> Box | None:
    """Return the part of a rectangle that lies on an image of ``height`` x ``width`` px; None when none does."""
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


class Patch(NamedTuple):
    """A shape on the part of the image that it touches.

    Parameters
    ----------
    box
        The part of the image.
    values
        Cover there, shape (box.height, box.width), 0 to 255.
    """

    box: Box
    values: MaskArray


def on_image(patch: Patch | None, height: int, width: int) -> MaskArray:
    """Return a mask of an image's size that holds the patch and nothing else."""
    mask: MaskArray = np.zeros((height, width), dtype=np.uint8)
    if patch is not None:
        mask[patch.box.slices] = patch.values
    return mask


def rows_between(first: NDArray[np.integer], stop: NDArray[np.integer], width: int) -> MaskArray:
    """Return rows of ``width`` px that are 255 from column ``first`` to before column ``stop`` of each row."""
    columns = np.arange(width, dtype=np.int32)
    inside = columns >= first[:, None]
    inside &= columns < stop[:, None]
    # True is 1, and -1 as a byte is 255.
    cover: MaskArray = np.negative(inside.view(np.uint8))
    return cover
