"""Checking a captioner that somebody wrote in gazeapp's own format."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CONFIG_NAME, CaptionerConfig, read_description
from gazeapp.engine.models.captioner.importing.findings import Findings
from gazeapp.engine.models.captioner.importing.weights import check_fit, check_numbers, read_safetensors
from gazeapp.engine.models.captioner.io import WEIGHTS_NAME, load_captioner, wanted_tensors
from gazeapp.engine.models.captioner.schema import violations

_MOST_TOLD = 5


def check_folder(folder: Path) -> tuple[CaptionerConfig, Findings]:
    """Check a captioner's folder: its description, its weights against it, and that it runs.

    A description without the weights' SHA-256 is given it, because runs are known by it.

    Returns
    -------
    config
        The description.
    findings
        What was found.

    Raises
    ------
    GazeError
        When something is wrong; it names the keys or tensors.
    """
    path = folder / CONFIG_NAME
    config = _description(path)
    weights = read_safetensors(folder / WEIGHTS_NAME)
    _check_weights(config, weights, folder / WEIGHTS_NAME)
    check_numbers(weights, str(folder / WEIGHTS_NAME))
    findings = Findings(
        inferred=[
            f"{len(weights)} tensors with {sum(map(torch.numel, weights.values())):,} numbers fit the description."
        ]
    )
    if not config.revision:
        config = replace(config, revision=hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest())
        _write(path, config)
        findings.inferred.append(f"{CONFIG_NAME} got the SHA-256 of the weights, by which runs are known.")
    findings.inferred.append(_tried(folder, config))
    if not config.domain:
        findings.unchecked.append("What it was trained on: 'domain' is empty.")
    if config.encoder not in ("cnn", "vit") and not config.encoder_family:
        findings.unchecked.append(
            "Whether its encoder is a CNN or a ViT: 'encoder_family' is empty, so it takes no part "
            "in comparisons of encoders."
        )
    return config, findings


def _description(path: Path) -> CaptionerConfig:
    data = read_description(path.parent)
    wrong = violations(data)
    if wrong:
        more = f" And {len(wrong) - _MOST_TOLD} more." if len(wrong) > _MOST_TOLD else ""
        raise GazeError(
            f"The description is not as it should be: {' '.join(wrong[:_MOST_TOLD])}{more}",
            where=str(path),
            todo="docs/captioner_format.md lists every key.",
        )
    return CaptionerConfig.from_json(data, where=str(path))


def _check_weights(config: CaptionerConfig, weights: dict[str, Tensor], path: Path) -> None:
    wanted = wanted_tensors(config)
    missing, unknown = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    wrong = [f"{name} is missing, {tuple(wanted[name].shape)}" for name in missing]
    wrong += [f"{name} belongs to no layer" for name in unknown]
    wrong += check_fit(weights, wanted)
    if wrong:
        more = f"; and {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        raise GazeError(
            f"The weights do not fit the description: {'; '.join(wrong[:_MOST_TOLD])}{more}.",
            where=str(path),
            todo="docs/captioner_format.md lists every tensor with its shape.",
        )


def _write(path: Path, config: CaptionerConfig) -> None:
    try:
        path.write_text(json.dumps(config.to_json(), indent=1) + "\n", "utf-8")
    except OSError as error:
        raise GazeError(
            f"The weights' SHA-256 could not be written into the description: {error.strerror or error}.",
            where=str(path),
            todo="Copy the folder to where you may write.",
        ) from error


def _tried(folder: Path, config: CaptionerConfig) -> str:
    """Describe a grey picture, and return what that showed."""
    network = load_captioner(folder)
    grey = torch.full((1, config.input_size, config.input_size, 3), 128, dtype=torch.uint8).numpy()
    first = torch.tensor([config.first(config.tasks[0] if config.tasks else "")])
    with torch.inference_mode():
        said = network.say(network.encoder(network.normalise(grey)), first)
    total = said.attention[0].sum(axis=-1)
    if not (abs(total - 1) < 1e-3).all():
        raise GazeError("Its attention does not sum to one over the grid.", where=str(folder))
    return f"It runs: {len(said.tokens[0])} words on a grey picture, attention sums to one over the grid for each."
