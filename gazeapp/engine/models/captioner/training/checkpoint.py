"""Checkpoints: all that a training needs to go on as if it had never been stopped, without a pickle.

Tensors lie in a safetensors file whose name has the step; ``state.json`` names it and holds the rest. It is replaced
last and in one go, so that a training killed at any moment has either the checkpoint before or the new one, whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.io import largest_weight
from gazeapp.engine.models.captioner.training.machine import AGAIN
from gazeapp.engine.models.captioner.training.material import Unreadable
from gazeapp.engine.models.captioner.training.records import NOTES
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import Json

STATE = "state.json"
_MODEL, _BEST, _OPTIMISER, _LOSSES = "model.", "best.", "optimiser.", "losses"


@dataclass(slots=True)
class Standing:
    """How far a training is, without model and optimiser.

    Parameters
    ----------
    step
        Steps that are done.
    losses
        The loss of every step.
    seconds
        Time it took so far, s.
    best, best_loss, best_step, best_weights
        The best value on validation pictures, the loss beside it, the step that had them, and the weights then.
    since_best
        Evaluations since then.
    evaluations
        Lines of the history with figures on validation pictures.
    scaler
        State of the loss's scaling in fp16.
    ended
        Whether nothing is left to do.
    origin
        Where the weights that it started from came from; empty for random ones.
    unreadable
        Names of pictures that could not be read so far, by what they are for.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best: float | None = None
    best_loss: float = 0.0
    best_step: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    since_best: int = 0
    evaluations: list[Json] = field(default_factory=list)
    scaler: Json = field(default_factory=dict)
    ended: bool = False
    origin: Json = field(default_factory=dict)
    unreadable: Unreadable = field(default_factory=dict)


_IN_JSON = (
    "step", "seconds", "best", "best_loss", "best_step", "since_best", "evaluations", "scaler", "ended", "origin",
    "unreadable",
)  # fmt: skip


class Checkpoints:
    """The checkpoint in the folder of a captioner.

    Parameters
    ----------
    folder
        Folder of the captioner.
    identity
        What a training must have in common with the checkpoint to go on from it: its settings by name, and
        ``fingerprint`` of what it learns from.
    """

    def __init__(self, folder: Path, identity: Json) -> None:
        self._folder = folder / NOTES
        self._identity: Json = json.loads(json.dumps(identity))

    def save(self, standing: Standing, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Write a checkpoint; the one before goes when the new one is whole.

        Raises
        ------
        GazeError
            When the disk is full or the folder cannot be written; the checkpoint before stays as it was.
        """
        from safetensors.torch import save

        tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
        tensors |= {_BEST + name: tensor for name, tensor in standing.best_weights.items()}
        tensors |= {_OPTIMISER + name: tensor for name, tensor in _optimiser_state(model, optimiser).items()}
        tensors[_LOSSES] = torch.tensor(standing.losses, dtype=torch.float64)
        path = self._folder / f"state-{standing.step}.safetensors"
        with replacing(path) as partial:
            partial.write_bytes(save({name: _plain(tensor) for name, tensor in tensors.items()}))
        facts = {key: getattr(standing, key) for key in _IN_JSON}
        with replacing(self._folder / STATE) as partial:
            partial.write_text(
                json.dumps({"tensors": path.name, "training": self._identity, **facts}, indent=1) + "\n",
                "utf-8",
            )
        for older in self._folder.glob("state-*.safetensors"):
            if older != path:
                older.unlink(missing_ok=True)

    def facts(self) -> Json:
        """Return what the checkpoint says, without its tensors; empty when there is none.

        Raises
        ------
        GazeError
            When the folder holds another training.
        """
        path = self._folder / STATE
        if not path.exists():
            return {}
        try:
            facts: Json = json.loads(path.read_text("utf-8"))
            theirs: Json = facts["training"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, error) from error
        self._check_same(theirs)
        return facts

    def load(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> Standing | None:
        """Take up a training where its checkpoint has it; None when there is none.

        Raises
        ------
        GazeError
            When the checkpoint is damaged, or of another training.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        facts = self.facts()
        if not facts:
            return None
        path = self._folder / str(facts["tensors"])
        try:
            tensors = load_file(path)
            model.load_state_dict(_under(_MODEL, tensors))
            _load_optimiser(model, optimiser, _under(_OPTIMISER, tensors))
            values = {key: facts[key] for key in _IN_JSON}
        except (OSError, SafetensorError, RuntimeError, KeyError) as error:
            raise _damaged(path, error) from error
        return Standing(**values, losses=tensors[_LOSSES].tolist(), best_weights=_under(_BEST, tensors))

    def _check_same(self, theirs: Json) -> None:
        differing = [
            f"{key} was {theirs.get(key)!r} and is to be {self._identity.get(key)!r}"
            for key in sorted({*self._identity, *theirs})
            if self._identity.get(key) != theirs.get(key)
        ]
        if differing:
            raise GazeError(
                f"The folder holds a training with other settings: {'; '.join(differing)}.",
                where=str(self._folder.parent),
                todo="Choose another folder, or the settings of before to go on with it.",
            )


def check_weights(model: nn.Module, step: int, largest: float) -> None:
    """Raise `GazeError` when weights after ``step`` steps are no numbers, or greater than ``largest``."""
    if not largest_weight(model) <= largest:
        raise GazeError(
            f"The weights are no longer numbers that can be used after step {step}: they have grown out of bounds.",
            todo=AGAIN,
        )


def _optimiser_state(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    names: dict[Tensor, str] = {weights: name for name, weights in model.named_parameters()}
    return {
        f"{names[weights]}.{key}": value
        for weights, state in optimiser.state.items()
        for key, value in state.items()
    }


def _load_optimiser(model: nn.Module, optimiser: torch.optim.Optimizer, stored: Mapping[str, Tensor]) -> None:
    weights_of = dict(model.named_parameters())
    for name, value in stored.items():
        of, _, key = name.rpartition(".")
        weights = weights_of[of]
        # The moments lie in memory as the weights do, so that steps are computed in the same way.
        optimiser.state[weights][key] = (
            value.clone() if key == "step" else torch.empty_like(weights).copy_(value)
        )


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _damaged(path: Path, error: Exception) -> GazeError:
    return GazeError(
        f"The checkpoint cannot be read: {error}.",
        where=str(path),
        todo="Copy the folder again, or train in another folder.",
    )
