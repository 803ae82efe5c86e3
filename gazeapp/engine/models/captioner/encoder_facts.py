"""What is to be known about an encoder before a captioner is built on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import RESAMPLES, CaptionerConfig
from gazeapp.engine.models.captioner.encoder_cells import measure_cells
from gazeapp.engine.models.captioner.encoder_geometry import Cells, planes_of
from gazeapp.engine.models.captioner.encoders import timm_network
from gazeapp.engine.models.environment import ensure_torchvision

SMALL = ("cnn", "vit")
"""The small encoders, made here: their cells lie where the grid has them."""

_SMALL_CNN_STRIDE = 16
_LARGEST_SIDE = 64
"""Largest side of a grid that is proposed."""

_CNN = frozenset({
    "byobnet", "convmixer", "convnext", "cspnet", "densenet", "dla", "dpn", "efficientnet", "fasternet", "ghostnet",
    "hardcorenas", "hgnet", "hrnet", "inception_next", "inception_resnet_v2", "inception_v3", "inception_v4",
    "lcnetv2", "mobilenetv3", "nasnet", "nfnet", "pnasnet", "rdnet", "regnet", "repghost", "repvit", "res2net",
    "resnest", "resnet", "resnetv2", "rexnet", "selecsls", "senet", "sknet", "starnet", "tresnet", "vgg", "vovnet",
    "xception", "xception_aligned",
})  # fmt: skip
_VIT = frozenset({
    "beit", "cait", "crossvit", "davit", "deit", "eva", "gcvit", "hiera", "mvitv2", "naflexvit", "nest", "pit",
    "swin_transformer", "swin_transformer_v2", "tnt", "twins", "vision_transformer", "vision_transformer_relpos",
    "vision_transformer_sam", "volo", "xcit",
})  # fmt: skip
"""timm's modules of convolutional networks and of vision Transformers; those that mix both are in neither."""


def encoder_family(name: str) -> str:
    """Return ``cnn`` or ``vit`` for an encoder's name; empty where it is neither, or timm does not know it."""
    if name in SMALL:
        return name
    ensure_torchvision()
    import timm

    if not timm.is_model(name):
        return ""
    module = timm.models.model_entrypoint(name).__module__.rpartition(".")[2]
    return "cnn" if module in _CNN else "vit" if module in _VIT else ""


def with_encoder_facts(config: CaptionerConfig) -> CaptionerConfig:
    """Return a description with everything that follows from its encoder's name, input size and grid.

    These are the family, the normalisation and resampling that the encoder's published weights were trained with, and
    where its cells lie (evenly over the picture where its layers do not show it, with strides of 0). No weights are
    read; a network is laid out without memory for them.

    Raises
    ------
    GazeError
        When timm knows no such network, it cannot read pictures of that size, or it gives no grid of features.
    """
    if config.encoder in SMALL:
        _check_small(config)
        return replace(config, encoder_family=config.encoder)
    network = _laid_out(config)
    cells = (measure_cells(network, config.input_size) or Cells()).rounded()
    known = network.pretrained_cfg
    way = known.get("interpolation", "")
    return replace(
        config,
        encoder_family=encoder_family(config.encoder),
        mean=tuple(255.0 * value for value in known["mean"]),
        std=tuple(255.0 * value for value in known["std"]),
        resample=way if way in RESAMPLES else "bilinear",
        cell_offset=cells.offset,
        cell_stride=cells.stride,
    )


def _check_small(config: CaptionerConfig) -> None:
    """Raise `GazeError` unless one of the small encoders can divide the pictures, so that its cells fill them."""
    size, (rows, columns) = config.input_size, config.grid
    if config.encoder == "cnn" and size % _SMALL_CNN_STRIDE:
        around = size - size % _SMALL_CNN_STRIDE
        raise GazeError(
            f"The small encoder cnn cannot read pictures of {size} px: {_SMALL_CNN_STRIDE} does not divide them.",
            todo=f"Use a multiple of {_SMALL_CNN_STRIDE}, such as {max(around, _SMALL_CNN_STRIDE)} px.",
        )
    if config.encoder == "vit" and (rows != columns or size % rows):
        sides = [str(side) for side in range(1, min(size, _LARGEST_SIDE) + 1) if size % side == 0]
        raise GazeError(
            f"The small encoder vit cannot divide pictures of {size} px into {rows} x {columns} patches.",
            todo=f"Use a grid with as many rows as columns whose number divides the size: {', '.join(sides)}.",
        )


def _laid_out(config: CaptionerConfig) -> Any:
    """Return a network on the ``meta`` device that gives a grid of features for pictures of the size, or raise."""
    size = config.input_size
    try:
        with torch.device("meta"):
            network = timm_network(config.encoder, size, config.grid)
        with torch.device("meta"), torch.inference_mode():
            planes = planes_of(network, network.eval().forward_features(torch.zeros(1, 3, size, size)))
    except GazeError:
        raise
    except (
        Exception
    ) as error:  # timm's networks fail at a size in any way there is, from assertions to divisions by 0
        raise GazeError(
            f"{config.encoder} cannot read pictures of {size} px: {str(error).partition(chr(10))[0]}",
            todo="Use another size, such as 224, or another encoder.",
        ) from error
    if planes.shape[1] != network.num_features:
        raise GazeError(
            f"{config.encoder} gives {planes.shape[1]} features a cell where timm says {network.num_features}.",
            todo="Use another encoder.",
        )
    return network
