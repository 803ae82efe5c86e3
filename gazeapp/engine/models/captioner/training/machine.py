"""What a training runs on: one device, or several that share the work, in 32 bits or fewer.

Accelerate does what is more than one device in 32 bits; that one needs nothing around it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.models.environment import best_device
from gazeapp.engine.types import Json

AGAIN = "Train again in another folder with a lower rate, or with precision no."
_MOST_SKIPPED = 40
"""Steps left out in a row that end a training in fp16: half of them halve its scale from 2^16 to below 1."""


def process_count() -> int:
    """Return how many processes share this training, as their launcher told them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def process_number() -> int:
    """Return which of them this one is; number 0 measures and writes."""
    return int(os.environ.get("RANK", "0"))


class Machine:
    """The devices of a training.

    Parameters
    ----------
    settings
        Settings of the training.

    Raises
    ------
    GazeError
        When the device is not there, or cannot compute with that precision.
    """

    def __init__(self, settings: TrainSettings) -> None:
        # Any: Accelerate is typed only in part.
        self._accelerator: Any = None
        self._scaler: Any = None
        self._skipped = 0
        self.processes, self.number = process_count(), process_number()
        if self.processes > 1 or settings.precision != "no":
            self._accelerator = _accelerator(settings)
            self._scaler = self._accelerator.scaler
            self.device = self._accelerator.device
        else:
            self.device = torch.device(best_device(settings.device))
        if settings.batch % (self.processes * settings.accumulate):
            raise GazeError(
                f"A step's {settings.batch} pictures cannot be shared out evenly among {self.processes} "
                f"process(es) and {settings.accumulate} part(s).",
                todo="Choose a batch that their product divides.",
            )

    @property
    def leads(self) -> bool:
        """Whether this is the process that measures and writes."""
        return self.number == 0

    def share(self, batch: int) -> slice:
        """Return which of a step's pictures are this process's."""
        own = batch // self.processes
        return slice(self.number * own, (self.number + 1) * own)

    def prepared(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[Any, Any]:
        """Return model and optimiser as a step is to use them."""
        if self._accelerator is None:
            return model, optimiser
        prepared: tuple[Any, Any] = self._accelerator.prepare(model, optimiser)
        return prepared

    @contextmanager
    def part(self, model: nn.Module, last: bool) -> Iterator[None]:
        """Compute one part of a step; processes tell one another their gradients after the last one."""
        alone = self._accelerator is None or last
        with nullcontext() if alone else self._accelerator.no_sync(model):
            yield

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of ``loss``."""
        if self._accelerator is None:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            self._accelerator.backward(loss)

    def clip(self, weights: list[nn.Parameter], norm: float) -> None:
        """Shorten the gradient to ``norm`` if it is longer."""
        if self._accelerator is None:
            torch.nn.utils.clip_grad_norm_(weights, norm)
        else:
            self._accelerator.clip_grad_norm_(weights, norm)

    def total(self, *values: float) -> list[float]:
        """Return the sums of values over all processes."""
        if self.processes == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float32 if self.device.type == "mps" else torch.float64)
        summed: list[float] = self._accelerator.reduce(told.to(self.device), "sum").tolist()
        return summed

    def check_loss(self, loss: float, step: int) -> None:
        """Raise `GazeError` when a loss is no number, and nothing would mend it."""
        if not math.isfinite(loss) and not self.scales:
            raise GazeError(
                f"The loss is no longer a number at step {step + 1}.",
                todo=AGAIN,
            )

    def check_skipped(self, step: int) -> None:
        """Raise `GazeError` when fp16 has left out so many steps in a row that no scale would mend it."""
        if not self.scales:
            return
        self._skipped = self._skipped + 1 if self._accelerator.optimizer_step_was_skipped else 0
        if self._skipped >= _MOST_SKIPPED:
            raise GazeError(
                f"{self._skipped} steps in a row up to step {step + 1} gave no numbers in fp16 and were left out.",
                todo=AGAIN,
            )

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, as 16 bits of fp16 need; steps with an overflow are left out then."""
        return self._scaler is not None

    def scaler_state(self) -> Json:
        """Return the state of the scaling; empty without one."""
        return dict(self._scaler.state_dict()) if self.scales else {}

    def load_scaler_state(self, state: Json) -> None:
        """Take up the scaling where it was."""
        if self.scales and state:
            self._scaler.load_state_dict(state)

    def wait(self) -> None:
        """Wait for the other processes."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()

    def words(self) -> str:
        """Return what it is, for the model card."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        if self.device.type == "cpu":
            name = f"CPU, {torch.get_num_threads()} thread(s)"
        return name if self.processes == 1 else f"{self.processes} x {name}"


def _accelerator(settings: TrainSettings) -> Any:
    device = best_device(settings.device)
    if settings.precision == "fp16" and device == "cpu":
        raise GazeError(
            "fp16 is for graphics cards; a processor cannot train with it.", todo="Use precision no or bf16."
        )
    if settings.precision == "bf16" and device == "cuda" and not torch.cuda.is_bf16_supported():
        raise GazeError("This graphics card has no bf16.", todo="Use precision fp16 or no.")
    from accelerate import Accelerator

    return Accelerator(mixed_precision=settings.precision, cpu=device == "cpu")
