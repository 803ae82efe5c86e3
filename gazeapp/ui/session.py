"""The project that the window has open: its lock, its background work, its view of the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLockFile, QObject, QSettings, Signal, Slot

from gazeapp.ui.notifications import Notifications
from gazeapp.ui.worker import JobProgress, JobRunner, JobState, Work

if TYPE_CHECKING:
    from gazeapp.ui.study import StudyView

_RECENT = "recent"
_RECENT_LENGTH = 12


class Session(QObject):
    """Opens and closes projects and keeps the panels' view of the study up to date.

    ``opened`` and ``closed`` tell which project is in the window, ``refreshed`` brings a new
    :class:`StudyView` of it. Verbs go to ``runner``, one after another; reading goes to a second
    thread, so that a long verb never holds up what is shown.
    """

    opened = Signal(object)
    closed = Signal()
    refreshed = Signal(object)
    failed_to_open = Signal(object, object)

    def __init__(self, notifications: Notifications, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runner = JobRunner(self)
        self.reader = JobRunner(self, name="reader")
        self._notifications = notifications
        self._lock: QLockFile | None = None
        self._opening: Path | None = None
        self._wanted_read = 0
        self.path: Path | None = None
        self.study: StudyView | None = None
        self.read_only = ""
        self.runner.changed.connect(self._job_changed)
        self.reader.changed.connect(self._read)

    @property
    def stopped(self) -> bool:
        """Whether the threads have ended."""
        return self.runner.stopped

    @property
    def name(self) -> str:
        """File name of the open project."""
        return self.path.name if self.path else ""

    def open(self, path: Path) -> None:
        """Open a project; its study arrives with ``opened`` and ``refreshed``, or a problem is shown."""
        self._opening = Path(path).resolve()
        self._wanted_read = self.reader.submit("open", _read_work, self._opening)

    def refresh(self) -> None:
        """Read the study again, unless another one is being opened."""
        if self.path is not None and self._opening is None:
            self._wanted_read = self.reader.submit("read", _read_work, self.path)

    def close(self) -> None:
        """Close the project; work that runs on it goes on."""
        if self.path is None:
            return
        self._unlock()
        self.path, self.study, self.read_only, self._opening = None, None, "", None
        self.closed.emit()

    def submit(self, title: str, work: Work, *, uses_torch: bool = False) -> int:
        """Queue a verb on the open project."""
        if self.path is None:
            raise RuntimeError("no project is open")
        return self.runner.submit(title, work, self.path, uses_torch=uses_torch)

    def stop(self) -> None:
        """Stop both threads, each after the unit in hand, and free the lock."""
        self.runner.stop()
        self.reader.stop()
        self._unlock()

    @Slot(object)
    def _read(self, state: JobState) -> None:
        if not state.finished or state.id != self._wanted_read:
            return
        if state.error is not None:
            self._failed(state)
            return
        study: StudyView = state.result
        if self._opening is not None and state.path == self._opening:
            self._opening = None
            self._enter(state.path, study)
        if self.path is not None and state.path == self.path:
            self.study = study
            self.refreshed.emit(study)

    def _failed(self, state: JobState) -> None:
        error = state.error
        if error is None:
            return
        self._notifications.problem(error.what, where=error.where, todo=error.todo, details=error.details)
        if self._opening is not None:
            self.failed_to_open.emit(self._opening, error)
            self._opening = None
            self.refresh()

    def _enter(self, path: Path, study: StudyView) -> None:
        self._unlock()
        self.path, self.study = path, study
        self.read_only = self._take_lock(path)
        remember(path)
        self.opened.emit(study)
        if self.read_only:
            self._notifications.note(
                f"This project is open for looking only: {self.read_only}.",
                todo="Nothing can be added or changed from this window.",
            )

    def _take_lock(self, path: Path) -> str:
        lock = QLockFile(f"{path}.lock")
        if lock.tryLock(0):
            self._lock = lock
            return ""
        if lock.error() == QLockFile.LockError.LockFailedError:
            pid, host, _ = lock.getLockInfo()
            return f"another gazeapp has it open (process {pid} on {host})"
        return "its folder cannot be written"

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if state.finished and state.path is not None and state.path == self.path:
            self.refresh()


def _read_work(project: Any, _progress: JobProgress) -> StudyView:
    from gazeapp.ui.study import read_study

    return read_study(project)


def recent() -> list[Path]:
    """Return the projects opened lately, newest first, also those that are gone."""
    stored = QSettings().value(_RECENT)
    if isinstance(stored, str):  # a list of one comes back as a string
        return [Path(stored)]
    return [Path(name) for name in stored] if isinstance(stored, list) else []


def remember(path: Path) -> None:
    """Put a project at the top of the recent ones."""
    rest = [p for p in recent() if p != path]
    QSettings().setValue(_RECENT, [str(p) for p in [path, *rest]][:_RECENT_LENGTH])


def forget(path: Path) -> None:
    """Take a project out of the recent ones."""
    QSettings().setValue(_RECENT, [str(p) for p in recent() if p != path])
