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
        return replace(config, encoder_family=config.encoder)
    with torch.device("meta"):
        network = timm_network(config.encoder, config.input_size, config.grid)
        _check_features(network, config)
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


def _check_features(network: Any, config: CaptionerConfig) -> None:
    """Raise `GazeError` unless a network on the ``meta`` device gives a grid of features for pictures of the size."""
    size = config.input_size
    try:
        with torch.inference_mode():
            planes = planes_of(
                network, network.eval().forward_features(torch.zeros(1, 3, size, size, device="meta"))
            )
    except GazeError:
        raise
    except (RuntimeError, ValueError, AssertionError) as error:
        raise GazeError(
            f"{config.encoder} cannot read pictures of {size} px: {str(error).partition(chr(10))[0]}",
            todo="Use another size, such as 224, or another encoder.",
        ) from error
    if planes.shape[1] != network.num_features:
        raise GazeError(
            f"{config.encoder} gives {planes.shape[1]} features a cell where timm says {network.num_features}.",
            todo="Use another encoder.",
        )
