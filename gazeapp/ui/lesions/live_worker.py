"""The thread that runs models under lesions, and what tells it that something newer is wanted."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.ui.lesions.facts import Effect, Failure, Request

_log = logging.getLogger(__name__)


class Runs(Protocol):
    """What runs the models on the worker's thread; see `gazeapp.ui.lesions.captioners.Captioners`."""

    def load(self, model_id: str) -> Any:
        """Load a model."""

    def effect(self, request: Request, model_id: str) -> Effect:
        """Return what a lesion does."""

    def scored(self, request: Request, effect: Effect) -> Effect:
        """Return it with scores."""

    def controlled(self, request: Request, effect: Effect, is_wanted: Callable[[], bool]) -> Effect:
        """Return it with controls; as it is as soon as it is wanted no more."""


@dataclass
class Newest:
    """Number of the request that counts; the window writes it, the worker reads it between models."""

    number: int = 0


class LesionWorker(QObject):
    """Runs requests until a newer one is there: first all effects, then scores, then controls."""

    loaded = Signal()
    arrived = Signal(object)
    ended = Signal(int)
    failed = Signal(object)

    def __init__(self, newest: Newest, make: Callable[[], Runs]) -> None:
        super().__init__()
        self._newest = newest
        self._make = make
        self._runs: Runs | None = None

    @Slot(object)
    def load(self, models: tuple[str, ...]) -> None:
        """Load models ahead, so that the first stroke does not wait for them."""
        for model in models:
            if self._newest.number < 0:
                return
            try:
                self._ready().load(model)
            except Exception as error:  # noqa: BLE001 - a model that cannot be loaded is told in its row
                self.failed.emit(Failure(0, model, _sentence(error)))
        self.loaded.emit()

    @Slot(object)
    def run(self, request: Request) -> None:
        """Do one request, unless it is overtaken.

        The effect on the first model is told at once, those on the others together: what the window draws in between
        would hold them up.
        """
        effects: dict[str, Effect] = {}
        first, rest = request.models[:1], request.models[1:]
        steps: list[tuple[tuple[str, ...], Callable[[str], Effect]]] = [
            (models, lambda model: self._ready().effect(request, model)) for models in (first, rest)
        ]
        if request.fixations is not None:
            steps.append((request.models, lambda model: self._ready().scored(request, effects[model])))
        if request.with_controls:
            steps += [
                (
                    (model,),
                    lambda model: self._ready().controlled(
                        request, effects[model], lambda: request.number == self._newest.number
                    ),
                )
                for model in request.models
            ]
        failed: set[str] = set()
        for models, step in steps:
            for model in models:
                if request.number != self._newest.number:
                    return
                if model in failed:
                    continue
                try:
                    effects[model] = step(model)
                except Exception as error:  # noqa: BLE001 - the others go on; the row says what is wrong
                    failed.add(model)
                    effects.pop(model, None)
                    self.failed.emit(Failure(request.number, model, _sentence(error)))
            self.arrived.emit(tuple(effects[model] for model in models if model in effects))
        self.ended.emit(request.number)

    def _ready(self) -> Runs:
        if self._runs is None:
            self._runs = self._make()
        return self._runs


def _sentence(error: Exception) -> GazeError:
    if isinstance(error, GazeError):
        return error
    _log.error("a lesion failed\n%s", "".join(traceback.format_exception(error)))
    return GazeError(
        f"gazeapp met an error that it did not expect ({type(error).__name__}: {error}).",
        todo="Nothing stored is lost. Please report it.",
    )
