"""What the window does to run an experiment with lesions: ask for it, then queue the jobs."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.lesion_jobs import TITLE, experiment_work
from gazeapp.ui.model_jobs import in_a_few_words
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobRunner


class LesionActions(QObject):
    """Connects the action that runs an experiment with its dialog and the runner."""

    queued = Signal()
    """An experiment waits or runs."""

    def __init__(self, window: QWidget, session: Session, selection: Selection, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._selection = selection
        self._lookups: JobRunner | None = None
        self._may = actions["study.lesion"]
        actions.bind("study.lesion", self.ask)

    @Slot()
    def ask(self) -> None:
        """Ask what to take away from which models and run it, after the jobs that wait."""
        study = self._session.study
        if study is None or not self._may.isEnabled():
            return
        from gazeapp.ui.dialogs.lesion import LesionDialog

        if self._lookups is None:
            self._lookups = JobRunner(self, name="lookups")
        dialog = LesionDialog(self._window, study, self._lookups, self._selection.image_id)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choices, names = dialog.choices() if accepted else [], dialog.names
        self._lookups.cancel_all()
        dialog.deleteLater()
        for choice in choices:
            self._session.runner.submit(
                f"{TITLE}, {in_a_few_words([names[model] for model in choice['models']])}",
                experiment_work(choice),
                study.path,
                uses_torch=True,
                unit="lesion",
                can_go_on=True,
            )
        if choices:
            self.queued.emit()

    def stop(self) -> None:
        """End the thread that looks things up."""
        if self._lookups is not None:
            self._lookups.stop()
