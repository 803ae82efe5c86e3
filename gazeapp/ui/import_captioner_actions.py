"""What the window does to bring captioners from elsewhere: show what is in their files, then keep them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.worker import JobRunner, JobState


class ImportCaptionerActions(QObject):
    """Connects the action that imports captioners with its dialog."""

    def __init__(self, window: QWidget, actions: Actions, notifications: Notifications) -> None:
        super().__init__(window)
        self._window = window
        self._notifications = notifications
        self._lookups: JobRunner | None = None
        self._kept: dict[int, Path] = {}
        actions.bind("models.import_captioner", self.ask)

    @Slot()
    def ask(self, paths: Sequence[Path] = ()) -> None:
        """Ask for a captioner, show what is in its files, and keep it."""
        from gazeapp.ui.dialogs.import_captioner import ImportCaptionerDialog, keep_work

        if self._lookups is None:
            self._lookups = JobRunner(self, name="lookups")
            self._lookups.changed.connect(self._job_changed)
        dialog = ImportCaptionerDialog(self._window, self._lookups, list(paths or ()))
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        looked, own = dialog.looked, dialog.is_own
        folder = dialog.checkpoint.path if own else dialog.output.path
        dialog.deleteLater()
        if accepted and looked is not None and folder is not None:
            job = self._lookups.submit("keep", keep_work(looked, folder), None)
            self._kept[job] = folder

    def stop(self) -> None:
        """End the thread that reads and keeps."""
        if self._lookups is not None:
            self._lookups.stop()

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in self._kept:
            return
        folder = self._kept.pop(state.id)
        if state.error is not None:
            error = state.error
            self._notifications.problem(error.what, where=error.where, todo=error.todo, details=error.details)
        elif state.status == "done":
            self._notifications.note(f"{state.result} is offered among the models now.", where=str(folder))
