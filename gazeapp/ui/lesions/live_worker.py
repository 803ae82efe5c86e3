"""The thread that runs models under lesions, and what tells it that something newer is wanted."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from gazeapp.engine.errors import GazeError
from gazeapp.ui.lesions.facts import Effect, Failure, Request

_log = logging.getLogger(__name__)
_CLOSE_S = 0.2
"""How long a window that closes waits for the model in hand."""
_LOOK_S = 1.0
"""How often the thread looks whether the program has ended without closing its window."""


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
    """Runs requests until a newer one is there: first all effects, then scores, then controls.

    `ask_to_load`, `ask` and `stop` are for the window's thread, and all signals arrive there.
    """

    loaded = Signal()
    arrived = Signal(object)
    ended = Signal(int)
    failed = Signal(object)

    def __init__(self, newest: Newest, make: Callable[[], Runs], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest = newest
        self._make = make
        self._runs: Runs | None = None
        self._asked: SimpleQueue[Request | tuple[str, ...]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask_to_load(self, models: tuple[str, ...]) -> None:
        """Have models loaded ahead, so that the first stroke does not wait for them."""
        self._put(models)

    def ask(self, request: Request) -> None:
        """Have a request run."""
        self._put(request)

    def stop(self) -> None:
        """End the thread; what it imports or runs may outlast the window, but not the program.

        Importing what runs models takes seconds and cannot be cut short. The window does not wait for it; as the
        thread is no daemon, the program does, for a thread that is torn from an import ends in a crash.
        """
        self._newest.number = -1
        self._asked.put(())
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    @property
    def _stopped(self) -> bool:
        return self._newest.number < 0

    def _put(self, what: Request | tuple[str, ...]) -> None:
        self._asked.put(what)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="live lesion")
            self._thread.start()

    def _work(self) -> None:
        while not self._stopped and threading.main_thread().is_alive():
            try:
                what = self._asked.get(timeout=_LOOK_S)
            except Empty:
                continue
            if self._stopped:
                return
            if isinstance(what, tuple):
                self._load(what)
            else:
                self._run(what)

    def _load(self, models: tuple[str, ...]) -> None:
        for model in models:
            try:
                self._ready().load(model)
            except Exception as error:  # noqa: BLE001 - a model that cannot be loaded is told in its row
                self._fail(0, model, error)
            if self._stopped:
                return
        self.loaded.emit()

    def _run(self, request: Request) -> None:
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
                    self._fail(request.number, model, error)
            if self._stopped:
                return
            self.arrived.emit(tuple(effects[model] for model in models if model in effects))
        self.ended.emit(request.number)

    def _fail(self, number: int, model: str, error: Exception) -> None:
        if not self._stopped:  # a program that ends refuses imports; nobody has to know
            self.failed.emit(Failure(number, model, _sentence(error)))

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
