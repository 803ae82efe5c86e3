"""Sizes of layers from the shapes of their weights."""

from __future__ import annotations

import math
import re

from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import Json

_LARGEST_SIDE = 256
"""As many cells in a row as the picture has pixels."""

_LONGEST_TOLD = 40


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
        if tensor is None or tensor.ndim != dimensions or 0 in tensor.shape:
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
            if (match := re.match(rf"{re.escape(prefix)}\.(\d{{1,6}})\.", name))
        }
        if numbers != set(range(len(numbers))):
            raise GazeError(f"Layers of {prefix} are missing in the checkpoint.", where=self.where)
        return len(numbers)


def noted_side(attributes: Json, name: str, usual: int, where: str) -> int:
    """Return the side of the grid that a module has noted, or the usual one where it has not.

    Raises
    ------
    GazeError
        When what it noted is no side of a grid.
    """
    side = attributes.get(name, usual)
    if type(side) is not int or not 1 <= side <= _LARGEST_SIDE:
        raise _odd(name, side, f"a whole number from 1 to {_LARGEST_SIDE}", where)
    return side


def noted_share(attributes: Json, name: str, where: str) -> float:
    """Return the share of features that training left out, as noted in a module; 0 where it is not.

    Raises
    ------
    GazeError
        When what it noted is no share.
    """
    share = attributes.get(name, 0)
    if type(share) not in (int, float) or not 0 <= share <= 1:
        raise _odd(name, share, "a number from 0 to 1", where)
    return float(share)


def _odd(name: str, value: object, meant: str, where: str) -> GazeError:
    told = (
        ascii(value)[:_LONGEST_TOLD] if not isinstance(value, int) or abs(value) < 10**12 else "far too large"
    )
    return GazeError(
        f"The checkpoint notes {name} as {told}, which is to be {meant}.",
        where=where,
        todo="Get the file again.",
    )


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
