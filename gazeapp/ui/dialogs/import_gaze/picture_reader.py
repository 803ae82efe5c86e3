"""Pictures of images for the import dialog, read off the window's thread."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.workflows.gaze_preview import PictureOf
from gazeapp.ui.reading import read_picture
from gazeapp.ui.scene import Picture
from gazeapp.ui.widgets import advice
from gazeapp.ui.worker import JobProgress, JobRunner

_KEPT = 12


@dataclass(frozen=True, slots=True)
class PictureRead:
    """A picture, or the reason why there is none."""

    image: PictureOf
    picture: Picture | None
    problem: str = ""


class PictureReader(QObject):
    """Reads the picture that was asked for last, and keeps some for when they are asked for again.

    Parameters
    ----------
    runner
        Reads them; one that reads recordings too makes pictures wait for these.
    """

    read = Signal(object)
    """A :class:`PictureRead`, also of a picture that was asked for earlier."""

    def __init__(self, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._kept: OrderedDict[PictureOf, PictureRead] = OrderedDict()
        self._asked: dict[PictureOf, int] = {}
        self.read.connect(self._keep)

    def get(self, image: PictureOf) -> PictureRead | None:
        """Return a picture that is at hand; else None, and ``read`` follows."""
        if image in self._kept:
            self._kept.move_to_end(image)
            return self._kept[image]
        for other, job in self._asked.items():
            if other != image:
                self._runner.cancel(job)
        if image not in self._asked and not self._runner.stopped:

            def work(_project: Any, _progress: JobProgress) -> None:
                # The runner keeps what a job returns for as long as it lives; pictures are too big for that.
                found = _read(image)
                with suppress(RuntimeError):  # the dialog may be gone by now
                    self.read.emit(found)

            self._asked = {image: self._runner.submit("read a picture", work, None)}
        return None

    @Slot(object)
    def _keep(self, found: PictureRead) -> None:
        self._asked.pop(found.image, None)
        self._kept[found.image] = found
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _read(image: PictureOf) -> PictureRead:
    try:
        return PictureRead(image, read_picture(image.path, image.width, image.height))
    except GazeError as error:
        return PictureRead(image, None, advice(error))
