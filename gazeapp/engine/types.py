"""Array aliases and the rectangle that every room of the engine shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

HalfArray: TypeAlias = NDArray[np.float16]
FloatArray: TypeAlias = NDArray[np.float32]
DoubleArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
ImageArray: TypeAlias = NDArray[np.uint8]
"""RGB image, shape (height, width, 3), origin at the top-left."""

MaskArray: TypeAlias = NDArray[np.uint8]
"""Mask of an image, shape (height, width): 0 is kept, 255 is taken away, between is taken by that share."""

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rect:
    """An axis-aligned rectangle in image pixels; pixel k spans [k, k + 1).

    Parameters
    ----------
    x, y
        Left and top edge, px.
    width, height
        Size, px; both positive.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a rectangle needs a positive size, not {self.width} x {self.height}")

    @property
    def right(self) -> float:
        """Right edge, px."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Bottom edge, px."""
        return self.y + self.height

    def scaled(self, across: float, down: float) -> Rect:
        """Return the same part of an image that is ``across`` times as wide and ``down`` times as high."""
        return Rect(self.x * across, self.y * down, self.width * across, self.height * down)

    @classmethod
    def of_image(cls, width: float, height: float) -> Rect:
        """Return the rectangle of a whole image of ``width`` x ``height`` px."""
        return cls(0.0, 0.0, float(width), float(height))
