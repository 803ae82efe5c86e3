"""A line of a dialog that says what is asked for, and a moment later what of it is there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QLabel

from gazeapp.ui.worker import JobRunner, JobState, Work

_WAIT_MS = 200
"""Time without a change after which it is counted: nobody needs the counts between two keys."""


class CountingLine(QObject):
    """Counts on another thread what was asked for last.

    Parameters
    ----------
    label
        Where it stands.
    lookups
        Runs the counting.
    path
        The project; None where none is needed.
    """

    counted = Signal(object)
    """What was asked for last was counted: the finished :class:`JobState`."""

    def __init__(self, label: QLabel, lookups: JobRunner, path: Path | None) -> None:
        super().__init__(label)
        self._label, self._lookups, self._path = label, lookups, path
        self._work: Work | None = None
        self._job = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT_MS)
        self._timer.timeout.connect(self._count)
        lookups.changed.connect(self._job_changed)

    def ask(self, text: str, work: Work | None) -> None:
        """Show a text, and run ``work`` when nothing else is asked for in a moment; None counts nothing."""
        self.stop()
        self._work = work
        self._label.setText(text)
        if work is not None:
            self._timer.start()

    def stop(self) -> None:
        """Count no more."""
        self._timer.stop()
        self._lookups.cancel(self._job)
        self._job = 0

    @Slot()
    def _count(self) -> None:
        if self._work is not None and not self._lookups.stopped:
            self._job = self._lookups.submit("count", self._work, self._path)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if state.id == self._job and state.finished:
            self._job = 0
            self.counted.emit(state)
