"""Sizes of layers from the shapes of their weights."""

from __future__ import annotations

import math
import re

from torch import Tensor

from gazeapp.engine.errors import GazeError


class Shapes:
    """The tensors of a decoder, asked for by name.

    Parameters
    ----------
    tensors
        By their names in the checkpoint.
    where
        The file, for what is told of it.
    """

    def __init__(self, tensors: dict[str, Tensor], where: str) -> None:
        self.tensors = tensors
        self.where = where

    def of(self, name: str, dimensions: int) -> tuple[int, ...]:
        """Return the shape of a tensor.

        Raises
        ------
        GazeError
            When it is missing, or has another number of dimensions.
        """
        tensor = self.tensors.get(name)
        if tensor is None or tensor.ndim != dimensions:
            what = "is missing" if tensor is None else f"has the shape {tuple(tensor.shape)}"
            raise GazeError(
                f"The checkpoint's decoder is not complete: {name} {what}.",
                where=self.where,
                todo="Get it again.",
            )
        return tuple(tensor.shape)

    def count(self, prefix: str) -> int:
        """Return how many numbered layers there are under a name such as ``decoder.layers``."""
        numbers = {
            int(match[1])
            for name in self.tensors
            if (match := re.match(rf"{re.escape(prefix)}\.(\d+)\.", name))
        }
        if numbers != set(range(len(numbers))):
            raise GazeError(f"Layers of {prefix} are missing in the checkpoint.", where=self.where)
        return len(numbers)


def square_grid(cells: int, where: str) -> tuple[int, int]:
    """Return rows and columns of a square grid of so many cells.

    Raises
    ------
    GazeError
        When no square has so many.
    """
    side = math.isqrt(cells)
    if side * side != cells:
        raise GazeError(f"The checkpoint's {cells} cells are no square grid.", where=where)
    return side, side
