"""Storing masks as they are drawn, on a thread of its own, so that a stroke is in the project when it has ended."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import MaskArray

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.ui.job_control import JobProgress
    from gazeapp.ui.worker import Work

_AGAIN_S = 1.0
"""How long to wait before something that could not be stored is tried again."""

_BUSY_MS = 2_000
"""How long to wait for another program that writes; longer would hold up the closing of the window."""

_CLOSE_S = 5.0
_IDLE_S = 5.0
"""How long the project is kept open when there is nothing to store."""

Change = Callable[["Project"], object]
"""Changes masks of a project; called on the keeper's thread."""


@dataclass(frozen=True, slots=True)
class MaskKey:
    """A mask of an image: project file, name in the library, image."""

    path: Path
    name: str
    image_id: int


@dataclass(eq=False)
class _Job:
    """A change of a library; or a mask to be stored, whose ``values`` are exchanged for newer ones until it is."""

    path: Path
    title: str = ""
    change: Change | None = None
    key: MaskKey | None = None
    values: MaskArray | None = None
    origin: str = ""


class MaskKeeper(QObject):
    """Stores masks in the order in which they were drawn; of each mask of an image the newest state.

    What cannot be stored stays in memory and is tried again every second until it can, also after the project was
    closed in the window. Methods are for the GUI thread, and all signals arrive there.
    """

    stored = Signal(object)
    """A mask is in the project as it was last drawn: its :class:`MaskKey`."""
    done = Signal(str)
    """A change of the library was made: its title."""
    failed = Signal(object, bool)
    """A :class:`GazeError`, and whether it is tried again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._rest_until = 0.0
        self._failures = 0
        self._n_asked = 0
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._project: Project | None = None

    def put(self, key: MaskKey, values: MaskArray, origin: str) -> None:
        """Store a mask; ``values`` (height, width) must not change any more."""
        with self._state:
            self._n_asked += 1
            # A change of the library that was asked for in between has to find what was drawn before it.
            since = takewhile(lambda job: job.change is None, reversed(self._jobs))
            job = next((job for job in since if job.key == key), None)
            if job is None:
                job = _Job(key.path, key=key)
                self._jobs.append(job)
            job.values, job.origin = values, origin
        self._wake()

    def change(self, path: Path, title: str, change: Change) -> None:
        """Change the library after everything that was asked for before."""
        with self._state:
            self._n_asked += 1
            self._jobs.append(_Job(path, title, change))
        self._wake()

    def waiting(self, key: MaskKey) -> MaskArray | None:
        """Return a mask that is not stored yet; None when it is, or was never drawn."""
        with self._state:
            return next((job.values for job in reversed(self._jobs) if job.key == key), None)

    @property
    def unsaved(self) -> tuple[MaskKey, ...]:
        """The masks that are in memory only."""
        with self._state:
            return tuple(dict.fromkeys(job.key for job in self._jobs if job.key is not None))

    @property
    def n_asked(self) -> int:
        """How often something was to be stored or changed; tells whether there is more than before."""
        with self._state:
            return self._n_asked

    def wait(self, seconds: float) -> bool:
        """Wait until everything is stored, but not longer than this; return whether it is."""
        with self._state:
            return self._state.wait_for(lambda: not self._jobs, seconds)

    def finish(self) -> bool:
        """Try once to store what waits, now; return whether everything is stored."""
        with self._state:
            before = self._failures
            self._rest_until = 0.0
            self._state.notify_all()
            self._state.wait_for(lambda: not self._jobs or self._failures > before, _CLOSE_S)
            return not self._jobs

    def before(self, work: Work) -> Work:
        """Return work that begins with storing what waits, and fails where that cannot be stored."""

        def stored_first(project: Any, progress: JobProgress) -> Any:
            if not self.finish():
                raise GazeError(
                    "What was drawn last is not stored yet, and would be left out.",
                    todo="Run it again once the masks can be stored.",
                )
            return work(project, progress)

        return stored_first

    def close(self) -> None:
        """Store what waits as far as that is possible, and end the thread."""
        if self._thread is None:
            return
        self.finish()
        with self._state:
            self._stopped = True
            self._state.notify_all()
        self._thread.join()
        self._thread = None

    def _wake(self) -> None:
        with self._state:
            self._state.notify_all()
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="mask keeper", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopped:
            job = self._next()
            if job is not None:
                values = job.values
                self._conclude(job, values, self._do(job, values))
            elif not self._jobs:
                self._let_go()
        self._let_go()

    def _next(self) -> _Job | None:
        """Wait for something to do; return None when it is time to look at what else there is."""
        with self._state:
            rest = max(self._rest_until - time.monotonic(), 0.0) if self._jobs else _IDLE_S
            self._state.wait_for(lambda: self._stopped or self._is_due(), rest)
            return self._jobs[0] if self._is_due() and not self._stopped else None

    def _is_due(self) -> bool:
        return bool(self._jobs) and time.monotonic() >= self._rest_until

    def _conclude(self, job: _Job, values: MaskArray | None, error: Exception | None) -> None:
        again, newer = error is not None and (self._project is None or _may_pass(error)), False
        with self._state:
            if again:
                self._failures += 1
                self._rest_until = time.monotonic() + _AGAIN_S
            else:
                self._rest_until = 0.0
                # A newer state of the same mask that came meanwhile is stored next.
                newer = job.values is not values
                if not newer:
                    self._jobs.popleft()
            self._state.notify_all()
        if error is not None:
            self._let_go()
            self.failed.emit(_sentence(error, job.path), again)
        elif job.key is not None and not newer:
            self.stored.emit(job.key)
        elif job.key is None:
            self.done.emit(job.title)

    def _do(self, job: _Job, values: MaskArray | None) -> Exception | None:
        try:
            project = self._open(job.path)
            if job.change is not None:
                job.change(project)
            elif job.key is not None and values is not None:
                project.masks.put(job.key.name, job.key.image_id, values, job.origin)
        except Exception as error:  # noqa: BLE001 - whatever happens, what was drawn stays in memory
            return error
        return None

    def _open(self, path: Path) -> Project:
        from gazeapp.engine.project import Project

        if self._project is not None and self._project.path != path:
            self._let_go()
        if self._project is None:
            self._project = Project.open(path)
            self._project.db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return self._project

    def _let_go(self) -> None:
        if self._project is not None:
            self._project.close()
            self._project = None


def _may_pass(error: Exception) -> bool:
    """Return whether trying again may help: the disk or the file is at fault, not what is asked for."""
    kinds = (sqlite3.Error, OSError, MemoryError)
    return isinstance(error, kinds) or isinstance(error.__cause__, kinds)


def _sentence(error: Exception, path: Path) -> GazeError:
    if isinstance(error, GazeError):
        return error
    if isinstance(error, sqlite3.Error):
        from gazeapp.engine.project.project import explain

        return explain(error, path)
    return GazeError(
        f"gazeapp met an error that it did not expect ({type(error).__name__}: {error}).", where=str(path)
    )
