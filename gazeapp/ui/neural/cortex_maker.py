"""Making pictures of the cortex off the GUI thread: the first drawing of a view takes tenths of a second."""

from __future__ import annotations

import contextlib
import logging
import traceback
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QObject, QRunnable, QThreadPool, Signal

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.surface.picture import Shown, compose, regions_in
from gazeapp.engine.neural.surface.scene import Scene, scene_for

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Wanted:
    """A picture that is asked for.

    Parameters
    ----------
    scene
        A scene as in :func:`gazeapp.engine.neural.surface.views.layouts`.
    width, height
        The room, px of the screen.
    shown
        What is shown.
    """

    scene: str
    width: float
    height: float
    shown: Shown


@dataclass(frozen=True, eq=False)
class Made:
    """A picture that was made, RGBA, shape (height, width, 4), and its scene; or why there is none."""

    wanted: Wanted
    scene: Scene | None = None
    picture: NDArray[np.uint8] | None = None
    error: GazeError | None = None


class Relay(QObject):
    """Brings pictures to the GUI thread; there is one, which outlives all views."""

    made = Signal(object)
    """A :class:`Made`."""
    _only: ClassVar[Relay | None] = None

    @classmethod
    def get(cls) -> Relay:
        """Return the relay; call on the GUI thread."""
        if cls._only is None:
            cls._only = cls(QCoreApplication.instance())
        return cls._only


def make(wanted: Wanted) -> None:
    """Have a picture made on another thread; the relay's ``made`` follows on the GUI thread."""
    QThreadPool.globalInstance().start(_Job(wanted, Relay.get()))


class _Job(QRunnable):
    def __init__(self, wanted: Wanted, relay: Relay) -> None:
        super().__init__()
        self._wanted, self._relay = wanted, relay

    def run(self) -> None:
        """Make the picture, and all that colouring it anew and looking up places need."""
        wanted = self._wanted
        try:
            scene = scene_for(wanted.scene, wanted.width, wanted.height)
            _ = scene.rows, scene.nearest
            regions_in(scene, wanted.shown.regions.labels).regions_at(0)
            result = Made(wanted, scene, compose(scene, wanted.shown))
        except Exception as error:  # noqa: BLE001 - the view says what is wrong in place of the picture
            result = Made(wanted, error=_sentence(error))
        with contextlib.suppress(RuntimeError):  # the program has ended
            self._relay.made.emit(result)


def _sentence(error: Exception) -> GazeError:
    if isinstance(error, GazeError):
        return error
    _log.error("drawing the cortex failed\n%s", "".join(traceback.format_exception(error)))
    return GazeError(
        f"The cortex cannot be drawn ({type(error).__name__}: {error}).", todo="Please report it."
    )
