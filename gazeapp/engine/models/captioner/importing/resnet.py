"""The ResNet of a checkpoint: which one it is, and its weights by timm's names."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.findings import Findings

_BY_DEPTHS: dict[tuple[bool, tuple[int, ...]], str] = {
    (True, (3, 4, 6, 3)): "resnet50",
    (True, (3, 4, 23, 3)): "resnet101",
    (True, (3, 8, 36, 3)): "resnet152",
    (False, (2, 2, 2, 2)): "resnet18",
    (False, (3, 4, 6, 3)): "resnet34",
}
"""Networks by whether their blocks have three convolutions, and by the blocks of their four stages."""

_STAGES = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
"""Names of a ResNet's children, by their numbers in a sequence of all but its head."""

_BLOCK = re.compile(r"layer([1-4])\.(\d{1,6})\.")
_CHANNELS = "cnn1.weight"
"""A layer that only RoyalSkye's attention to channels has."""


def timm_weights(
    encoder: dict[str, Tensor], where: str, findings: Findings
) -> tuple[str, int, dict[str, Tensor]]:
    """Return the ResNet's name in timm, its features, and its weights by timm's names.

    Parameters
    ----------
    encoder
        Weights by the checkpoint's names (``resnet.4.0.conv1.weight``) or torchvision's (``layer1.0.conv1.weight``).
    where
        The file, for what is told of it.
    findings
        Gets what was found out.

    Raises
    ------
    GazeError
        When it is none of the ResNets that are known, or has layers beside.
    """
    check_pixels(encoder, where)
    weights = {_timm_name(name): tensor for name, tensor in encoder.items()}
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
    blocks = [(int(match[1]), int(match[2])) for name in weights if (match := _BLOCK.match(name))]
    depths = tuple(
        1 + max((block for stage, block in blocks if stage == n), default=-1) for n in (1, 2, 3, 4)
    )
    bottleneck = "layer1.0.conv3.weight" in weights
    network = _BY_DEPTHS.get((bottleneck, depths))
    if network is None:
        raise GazeError(
            "The encoder is no ResNet-18, -34, -50, -101 or -152 by the names of its layers, so it cannot be used.",
            where=where,
            todo="If it was saved apart, give its weights with --encoder-weights.",
        )
    for name in [name for name in weights if name.endswith("running_var")]:
        # Torch before 0.4.1 did not count batches; the count is not used to run.
        weights.setdefault(name.replace("running_var", "num_batches_tracked"), torch.tensor(0))
    features = weights.get(
        "layer4.0.bn3.weight" if bottleneck else "layer4.0.bn2.weight", torch.empty(0)
    ).numel()
    findings.inferred.append(
        f"Encoder: {network}, from the {' + '.join(map(str, depths))} blocks of its stages; {features} features a cell."
    )
    return network, features, weights


def check_pixels(encoder: dict[str, Tensor], where: str) -> None:
    """Refuse an encoder whose features are made for attention to channels.

    Raises
    ------
    GazeError
        When it is one.
    """
    if _CHANNELS in encoder:
        raise by_channel(where)


def by_channel(where: str) -> GazeError:
    """Return the error for a decoder that attends to channels."""
    return GazeError(
        "This Transformer attends to feature channels (ByChannel), not to places: it has no map over the image.",
        where=where,
        todo="Use a checkpoint that was trained with attention_method ByPixel.",
    )


def _timm_name(name: str) -> str:
    bare = name.removeprefix("resnet.")
    number, _, rest = bare.partition(".")
    return f"{_STAGES[number]}.{rest}" if number in _STAGES else bare
