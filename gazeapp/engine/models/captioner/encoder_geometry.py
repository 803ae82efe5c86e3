"""Where the cells of an encoder lie in the picture, and bringing their features to the cells of the common grid.

A cell stands for the place that its receptive field is centred on, and that is not always where dividing the picture
evenly would put it: the strided 3 x 3 convolutions of a usual ResNet are centred on the first pixel of each pair, so
that after four halvings cell i is centred on pixel 16 i, half a cell above and to the left of the middle of the pixels
16 i to 16 i + 15. A map of its attention would be drawn half a cell off. Cells are therefore measured, and features
are interpolated to the places where the grid says that they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig

_HAIR = 1e-3
"""Distances below this, px of the encoder's input, come out of rounding."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Where evenly spaced cells lie, px of the encoder's square input, (down, across).

    Parameters
    ----------
    offset
        How far the middle of all cells' centres lies from the middle of the picture.
    stride
        From the centre of one cell to the next.
    """

    offset: tuple[float, float] = (0.0, 0.0)
    stride: tuple[float, float] = (0.0, 0.0)

    def rounded(self) -> Cells:
        """Return the same to a hundredth of a pixel, as it is written into descriptions."""
        down, across = (round(value, 2) + 0.0 for value in self.offset)
        row, column = (round(value, 2) for value in self.stride)
        return Cells((down, across), (row, column))


def cells_of(config: CaptionerConfig, shape: tuple[int, int]) -> Cells:
    """Return where ``shape`` cells lie by a captioner's description: evenly over the picture if it does not say."""
    even = [config.input_size / count for count in shape]
    down, across = (stride or plain for stride, plain in zip(config.cell_stride, even, strict=True))
    return Cells(config.cell_offset, (down, across))


def planes_of(network: Any, features: Any) -> Tensor:
    """Bring a timm network's features to (batch, channels, rows, columns), without tokens that stand for no place.

    Raises
    ------
    GazeError
        When they lie on no square grid, or there are several sets of them.
    """
    if not isinstance(features, Tensor):
        raise GazeError(
            "This network gives several sets of features, not one grid of them.", todo="Use another encoder."
        )
    if features.ndim == 4:
        fmt = getattr(network, "output_fmt", None)
        last = str(getattr(fmt, "value", fmt)).upper() == "NHWC"
        return features.permute(0, 3, 1, 2) if last else features
    prefix = int(getattr(network, "num_prefix_tokens", 0))
    side = int((features.shape[1] - prefix) ** 0.5) if features.ndim == 3 else 0
    if not side or side * side != features.shape[1] - prefix:
        raise GazeError(
            f"This network's features, of shape {tuple(features.shape)}, lie on no square grid.",
            todo="Use another encoder.",
        )
    return features[:, prefix:].transpose(1, 2).reshape(len(features), -1, side, side)


class ToGrid(nn.Module):
    """Interpolates features to the centres of the cells of the common grid, where they are not there already.

    Between the centres of an encoder's cells features are bilinear, beyond the outermost they stay the same. Where
    there are more cells than on the grid, the mean of several places within a cell of the grid is taken, so that none
    is skipped.
    """

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self._config = config

    def forward(self, planes: Tensor) -> Tensor:
        """Return (batch, channels, rows, columns) of the grid."""
        rows, columns = planes.shape[2:]
        if not self.moves((rows, columns)):
            return planes
        cells = cells_of(self._config, (rows, columns))
        down, across = (
            _interpolation(self._config, cells, count, axis).to(planes)
            for axis, count in enumerate((rows, columns))
        )
        return torch.einsum("gr,bcrk,hk->bcgh", down, planes, across)

    def moves(self, shape: tuple[int, int]) -> bool:
        """Return whether features of ``shape`` have to be interpolated."""
        config = self._config
        cells, even = cells_of(config, shape), [config.input_size / count for count in config.grid]
        strides = zip(cells.stride, even, strict=True)
        return (
            tuple(shape) != tuple(config.grid)
            or any(abs(offset) > _HAIR for offset in cells.offset)
            or any(abs(stride - plain) > _HAIR for stride, plain in strides)
        )


def _interpolation(config: CaptionerConfig, cells: Cells, count: int, axis: int) -> Tensor:
    """Return how much each of ``count`` cells counts for each cell of the grid, shape (grid, count)."""
    wanted = config.grid[axis]
    even, stride = config.input_size / wanted, cells.stride[axis]
    parts = max(1, math.ceil(even / stride - _HAIR))
    centres = (torch.arange(wanted * parts, dtype=torch.float64) + 0.5) * even / parts
    places = (count - 1) / 2 + (centres - config.input_size / 2 - cells.offset[axis]) / stride
    distance = (places.clamp(0, count - 1)[:, None] - torch.arange(count, dtype=torch.float64)).abs()
    return (1 - distance).clamp(min=0).reshape(wanted, parts, count).mean(dim=1)
