"""Captioners on disk: a folder with ``captioner.json`` and ``weights.safetensors``."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CONFIG_NAME, CaptionerConfig, read_config
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.replacing import replacing

WEIGHTS_NAME = "weights.safetensors"
LARGEST_STORED = float(torch.finfo(torch.float16).max)
"""Weights beyond it would come back from disk as infinite."""


def save_captioner(
    folder: Path, model: Captioner, config: CaptionerConfig, *, exact: bool = False
) -> CaptionerConfig:
    """Write a captioner's weights as float16, and its description with their SHA-256.

    Parameters
    ----------
    folder
        Where to write; made if need be.
    model, config
        The network, and the description to store, which may hold more than ``model.config``.
    exact
        Whether the weights are written as they are, not as float16.

    Returns
    -------
    CaptionerConfig
        The description as written.

    Raises
    ------
    GazeError
        When the folder cannot be written, or the disk is full.
    """
    from safetensors.torch import save

    weights = model.state_dict()
    kept = {name: _plain(tensor) if exact else _stored(tensor) for name, tensor in weights.items()}
    data = save(kept)
    written = replace(config, revision=hashlib.sha256(data).hexdigest())
    text = json.dumps(written.to_json(), indent=1) + "\n"
    # Both are whole before either takes its place: one without the other is no captioner.
    with replacing(folder / CONFIG_NAME) as description:
        description.write_text(text, "utf-8")
        with replacing(folder / WEIGHTS_NAME) as partial:
            partial.write_bytes(data)
    return written


def wanted_tensors(config: CaptionerConfig) -> dict[str, torch.Tensor]:
    """Return the tensors of a captioner by name, on the ``meta`` device: shapes and kinds, without numbers."""
    with torch.device("meta"):
        tensors: dict[str, torch.Tensor] = Captioner(config).state_dict()
    return tensors


def load_captioner(folder: Path, device: str = "cpu") -> Captioner:
    """Read a captioner, ready to use, computing in float32.

    Raises
    ------
    GazeError
        When the files are missing, damaged, or do not belong together.
    """
    from safetensors.torch import load

    config = read_config(folder)
    path = folder / WEIGHTS_NAME
    mend = "Copy the captioner's folder again, or train it again."
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GazeError(f"The weights could not be read: {error}.", where=str(path), todo=mend) from error
    if config.revision and hashlib.sha256(data).hexdigest() != config.revision:
        raise GazeError(
            "The weights are not those that captioner.json speaks of.", where=str(path), todo=mend
        )
    model = Captioner(config)
    try:
        model.load_state_dict({name: _used(tensor) for name, tensor in load(data).items()})
    except (RuntimeError, ValueError) as error:
        raise GazeError(
            f"The weights do not fit the description: {error}", where=str(path), todo=mend
        ) from error
    return model.to(device).eval()


def through_storage(model: Captioner) -> Captioner:
    """Return a copy with the weights as they come back from disk, so that figures are of what ships."""
    copy = Captioner(model.config)
    copy.load_state_dict({name: _used(_stored(tensor)) for name, tensor in model.state_dict().items()})
    return copy.eval()


def largest_weight(model: torch.nn.Module) -> float:
    """Return the greatest absolute value among weights and buffers; infinite when one is infinite or no number."""
    largest = 0.0
    for tensor in model.state_dict().values():
        if tensor.is_floating_point() and tensor.numel():
            value = float(tensor.detach().abs().max())
            largest = max(largest, value if math.isfinite(value) else math.inf)
    return largest


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().contiguous()


def _stored(tensor: torch.Tensor) -> torch.Tensor:
    plain = _plain(tensor)
    return plain.half() if plain.is_floating_point() else plain


def _used(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
