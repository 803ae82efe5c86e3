"""Looking into files off the GUI thread: one after another, the one in sight first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.workflows.gaze import ImportGazeSettings
from gazeapp.engine.workflows.gaze_preview import Preview, look_at
from gazeapp.ui.worker import JobProgress, JobRunner, JobState


@dataclass(frozen=True, slots=True)
class Wish:
    """A file to look into, and how."""

    file: str
    settings: ImportGazeSettings
    before: Preview | None = None
    default: Geometry | None = None


class _StopError(Exception):
    """The preview is not wanted any more."""


class Previewer(QObject):
    """Makes previews on a runner's thread.

    ``found`` brings a file and its preview, ``reading`` a file and the share of it that was read.
    A wish takes the place of an earlier one for the same file; what was found for that one is dropped.

    Parameters
    ----------
    runner
        Thread that reads.
    project
        Where the files would be imported.
    """

    found = Signal(str, object)
    reading = Signal(str, float)

    def __init__(self, runner: JobRunner, project: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._project = project
        self._wishes: dict[str, Wish] = {}
        self._current: Wish | None = None
        self._job = 0
        self._box: list[Preview] = []
        runner.changed.connect(self._changed)

    @property
    def waiting(self) -> set[str]:
        """The files that are being read or wait for it."""
        return {*self._wishes, *([self._current.file] if self._current else [])}

    def want(self, wish: Wish, *, first: bool = False) -> None:
        """Ask for a preview; ``first`` puts it before all others, also before the one in hand."""
        current = self._current
        self._wishes.pop(wish.file, None)
        self._wishes = {wish.file: wish, **self._wishes} if first else {**self._wishes, wish.file: wish}
        if current is None:
            self._next()
        elif current.file == wish.file or first:
            if current.file not in self._wishes:
                self._wishes[current.file] = current
            self._drop_current()
            self._next()

    def advance(self, file: str) -> None:
        """Let a file that waits come next; the one in hand is finished first."""
        if file in self._wishes:
            wish = self._wishes.pop(file)
            self._wishes = {file: wish, **self._wishes}

    def forget(self, file: str) -> None:
        """Take a file out."""
        self._wishes.pop(file, None)
        if self._current is not None and self._current.file == file:
            self._drop_current()
            self._next()

    def stop(self) -> None:
        """Make no more previews."""
        self._wishes.clear()
        self._drop_current()

    def _drop_current(self) -> None:
        if self._job:
            self._runner.cancel(self._job)
        self._job, self._current = 0, None

    def _next(self) -> None:
        if not self._wishes or self._runner.stopped:
            return
        file = next(iter(self._wishes))
        wish = self._current = self._wishes.pop(file)
        # The runner keeps what jobs return; a preview can be large, so it goes another way.
        box = self._box = []

        def work(project: Any, progress: JobProgress) -> None:
            try:
                box.append(_preview(project, wish, progress))
            except _StopError:
                return

        self._job = self._runner.submit(f"Reading {Path(file).name}", work, self._project)

    @Slot(object)
    def _changed(self, state: JobState) -> None:
        wish = self._current
        if wish is None or state.id != self._job:
            return
        if not state.finished:
            if state.total > 0:
                self.reading.emit(wish.file, state.done / state.total)
            return
        box, self._box = self._box, []
        self._job, self._current = 0, None
        self._next()
        if box:
            self.found.emit(wish.file, box[0])
        elif state.error is not None:
            error = state.error
            problem = GazeError(error.what, where=error.where, todo=error.todo)
            self.found.emit(wish.file, Preview(wish.file, wish.settings.of(wish.file), error=problem))


def _preview(project: Any, wish: Wish, progress: JobProgress) -> Preview:
    name = Path(wish.file).name

    def watch(read: int, size: int) -> None:
        if progress.cancelled:
            raise _StopError
        progress.report(min(read, size), max(size, 1), name)

    return look_at(project, wish.settings, wish.file, watch, wish.before, wish.default)
