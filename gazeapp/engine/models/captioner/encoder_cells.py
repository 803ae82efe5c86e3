"""Measuring where the cells of a network's features lie, by letting it carry coordinates instead of features.

Convolutions and pooling become the mean of what they look at, whatever else changes numbers (normalisation,
activations, attention, gates) lets them through, and the network is given pictures that hold every pixel's own row and
column. What comes out of a cell is then the place that its receptive field is centred on, whatever branches and
shortcuts lead there; where two of them are centred differently, as in ResNets that halve by averaging beside a strided
convolution, it is their mean. Planes of coordinates grow evenly, so each step is carried out without borders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.encoder_geometry import Cells, planes_of

_UNEVEN = 0.02
"""Shares of a cell by which measured places may leave the even spacing."""
_WEIGHS = re.compile(
    r"Attention|Attn|XCA|SEModule|SqueezeExcite|SqueezeExcitation|Eca|Cbam|GatherExcite|GlobalContext|GLU|Glu"
)
"""Names of attention and gates, which weigh what is there by what is in all of the picture."""
_CHANGES = re.compile(r"Norm|Act|GELU|ReLU|ReLu|SiLU|Swish|Mish|Sigmoid|Tanh|Hard|Drop")
"""Names of layers that change numbers one by one."""


def measure_cells(network: Any, input_size: int) -> Cells | None:
    """Return where the cells of a timm network's features lie; None where its layers do not show it.

    Parameters
    ----------
    network
        A timm network that is used for nothing else: its layers are replaced. No weight plays a part, so it may have
        been made on torch's ``meta`` device, without memory for them.
    input_size
        Side of the pictures, px.

    Raises
    ------
    GazeError
        When its features lie on no grid.
    """
    _carry_coordinates(network)
    place = torch.arange(float(input_size), dtype=torch.float64) + 0.5
    down = place[:, None].expand(input_size, input_size)
    pictures = torch.stack([torch.ones_like(down), down, down.T])[:, None].expand(3, 3, -1, -1)
    try:
        with torch.inference_mode():
            planes = planes_of(network, network.eval().forward_features(pictures))
    except GazeError:
        raise
    except (RuntimeError, TypeError, ValueError, AttributeError, IndexError, AssertionError):
        return None  # a layer that these stand-ins do not fit
    ones, rows, columns = planes.double().mean(dim=1)
    down_there, across_there = _evenly((rows / ones).mean(dim=1)), _evenly((columns / ones).mean(dim=0))
    if down_there is None or across_there is None:
        return None
    (y, row_stride), (x, column_stride) = down_there, across_there
    # Networks that mix places in ways that are none of the above come out with cells that overlap nearly all.
    if not 0.6 < row_stride * len(rows) / input_size < 1.4:
        return None
    return Cells((y - input_size / 2, x - input_size / 2), (row_stride, column_stride))


def _evenly(places: Tensor) -> tuple[float, float] | None:
    """Return the middle of places and the distance between them, px; None where they are not evenly spaced."""
    count = len(places)
    if count < 2 or not bool(places.isfinite().all()):
        return None
    numbers = torch.arange(count, dtype=places.dtype) - (count - 1) / 2
    stride = float((numbers * places).sum() / (numbers * numbers).sum())
    middle = float(places.mean())
    away = (places - middle - stride * numbers).abs().max()
    return (middle, stride) if stride > 0 and float(away) < _UNEVEN * stride else None


def _carry_coordinates(network: nn.Module) -> None:
    from timm.layers.blur_pool import BlurPool2d

    for layer in network.modules():
        for name, weights in layer.named_parameters(recurse=False):
            # One number stands for all of a tensor's: what is added to features, such as a place code, adds nothing.
            setattr(layer, name, nn.Parameter(torch.zeros((), dtype=torch.float64).expand(weights.shape)))
        for name, values in layer.named_buffers(recurse=False):
            setattr(layer, name, torch.zeros((), dtype=values.dtype).expand(values.shape))
    for layer in network.modules():
        stand_in: Callable[..., Tensor] | None = None
        if isinstance(layer, nn.Conv2d):
            stand_in = partial(_convolved, layer)
        elif isinstance(layer, nn.MaxPool2d | nn.AvgPool2d | BlurPool2d):
            stand_in = partial(_moved, layer)
        elif isinstance(layer, nn.Linear):
            stand_in = partial(_mixed, layer)
        elif _lets_through(layer):
            stand_in = _unchanged
        if stand_in is not None:
            layer.forward = stand_in


def _lets_through(layer: nn.Module) -> bool:
    """Return whether a layer changes numbers and not places."""
    name = type(layer).__name__
    if _WEIGHS.search(name):
        return "Split" not in name and "Downsample" not in name
    inside = any(isinstance(part, nn.Conv2d | nn.Linear) for part in layer.modules())
    return bool(_CHANGES.search(name)) and not inside


def _unchanged(values: Tensor, *_: Any, **__: Any) -> Tensor:
    return values


def _mixed(layer: nn.Linear, values: Tensor) -> Tensor:
    return values.mean(dim=-1, keepdim=True).expand(*values.shape[:-1], layer.out_features)


def _convolved(layer: nn.Conv2d, planes: Tensor) -> Tensor:
    moved = _moved(layer, planes.mean(dim=1, keepdim=True))
    return moved.expand(-1, layer.out_channels, -1, -1).contiguous()  # networks add to it in place


def _moved(layer: nn.Module, planes: Tensor) -> Tensor:
    """Return planes of coordinates at the places that a layer's outputs are centred on."""
    for axis in (0, 1):
        planes = _moved_along(layer, planes, axis)
    return planes


def _moved_along(layer: Any, planes: Tensor, axis: int) -> Tensor:
    size = planes.shape[2 + axis]
    centre, stride, count = _outputs(layer, axis, size)
    middle = max(0, size // 2 - 1)
    at = planes.narrow(2 + axis, middle, 1)
    growth = planes.narrow(2 + axis, middle + 1, 1) - at if size > 1 else torch.zeros_like(at)
    numbers = centre + stride * torch.arange(count, dtype=planes.dtype) - middle
    return at + growth * (numbers[:, None] if axis == 0 else numbers)


def _outputs(layer: Any, axis: int, size: int) -> tuple[float, int, int]:
    """Return which place of its input a layer's output 0 is centred on along an axis, its stride, and its outputs."""

    def of(name: str) -> int:
        value = getattr(layer, name, 1)
        return int(value[axis] if isinstance(value, tuple | list) else value)

    from timm.layers.blur_pool import BlurPool2d
    from timm.layers.padding import get_same_padding

    stride = of("stride")
    if isinstance(layer, BlurPool2d):
        around: Any = layer.padding
        before, after = around[2 * (1 - axis)], around[2 * (1 - axis) + 1]
        return (
            (layer.filt_size - 1) / 2 - before,
            stride,
            (size + before + after - layer.filt_size) // stride + 1,
        )
    kernel, dilation = of("kernel_size"), of("dilation")
    reach = (kernel - 1) * dilation
    if type(layer).__name__.endswith("Same"):  # timm's padding that depends on the picture's size
        padding = int(get_same_padding(size, kernel, stride, dilation))
        return reach / 2 - padding // 2, stride, -(-size // stride)
    if isinstance(layer.padding, str):
        padding = reach if layer.padding == "same" else 0
        return reach / 2 - padding // 2, stride, (size + padding - reach - 1) // stride + 1
    before = of("padding")
    room = size + 2 * before - reach - 1
    count = room // stride + 1
    # Rounding up adds an output where something is left over, unless it would begin beyond the picture.
    if getattr(layer, "ceil_mode", False) and room % stride and count * stride < size + before:
        count += 1
    return reach / 2 - before, stride, count
