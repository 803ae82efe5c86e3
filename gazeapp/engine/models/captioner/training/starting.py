"""The weights that a training starts from, and a captioner that is gone on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CaptionerConfig, read_config
from gazeapp.engine.models.captioner.encoder_weights import NONE, load_encoder_weights
from gazeapp.engine.models.captioner.io import load_captioner
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.types import Json

_SHAPE = ("input_size", "grid", "width", "state", "attention", "layers", "heads", "max_words")


def known_captioner(settings: TrainSettings) -> CaptionerConfig | None:
    """Return the description of the captioner to go on from; None for a new one.

    Raises
    ------
    GazeError
        When it cannot be read, has another encoder or decoder, or was not made by gazeapp.
    """
    if not settings.start_from:
        return None
    config = read_config(Path(settings.start_from))
    theirs, ours = (config.encoder, config.decoder), (settings.encoder, settings.decoder)
    if theirs != ours:
        raise GazeError(
            f"The captioner to start from has {theirs[0]} and {theirs[1]}, not {ours[0]} and {ours[1]}.",
            where=settings.start_from,
            todo="Choose its encoder and decoder, or another captioner.",
        )
    if config.form != "gazeapp":
        raise GazeError(
            f"The captioner to start from has the form {config.form}; only gazeapp's own are trained further.",
            where=settings.start_from,
            todo="Start from a captioner that gazeapp trained.",
        )
    return config


def of_known_shape(settings: TrainSettings, known: CaptionerConfig | None) -> TrainSettings:
    """Return settings with the sizes of the captioner to go on from, which cannot be chosen anew."""
    if known is None:
        return settings
    sizes = {name: getattr(known, name) for name in _SHAPE}
    return replace(settings, **sizes)


def starting_weights(settings: TrainSettings) -> Callable[[Captioner], Json] | None:
    """Return what gives a new captioner its first weights, and says where they came from; None for random ones."""
    if settings.start_from:
        return lambda model: _go_on_from(model, Path(settings.start_from))
    if settings.encoder_weights != NONE:
        return lambda model: _start_encoder(model.encoder, settings)
    return None


def _go_on_from(model: Captioner, folder: Path) -> Json:
    known = load_captioner(folder)
    take_over(model, known)
    return {"source": folder.name, "sha256": known.config.revision}


# Any: an encoder of gazeapp's form.
def _start_encoder(encoder: Any, settings: TrainSettings) -> Json:
    start = load_encoder_weights(encoder, settings.encoder, settings.encoder_weights)
    return {} if start is None else {**asdict(start), "left_out": list(start.left_out)}


def take_over(model: Captioner, known: Captioner) -> None:
    """Give a captioner the weights of another one, whose vocabulary may lack its last entries.

    An entry that is new, the token of a new task, gets the weights of the first task that is known.
    """
    own, theirs = model.state_dict(), known.state_dict()
    model.load_state_dict({name: _grown(theirs[name], own[name].shape, known.config) for name in own})


def _grown(weights: Tensor, shape: torch.Size, known: CaptionerConfig) -> Tensor:
    """Return weights with a row for every entry of a longer vocabulary."""
    if weights.shape == shape:
        return weights
    like = weights[known.first(known.tasks[0])][None]
    return torch.cat([weights, like.expand(shape[0] - len(weights), *shape[1:])])
