"""What the window does to have brain responses predicted: ask how, then queue the job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobRunner

if TYPE_CHECKING:
    from gazeapp.ui.job_control import JobProgress
    from gazeapp.ui.worker import Work


class PredictActions(QObject):
    """Connects the action that predicts responses with its dialog and the runner."""

    def __init__(self, window: QWidget, session: Session, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._lookups: JobRunner | None = None
        self._may = actions["neural.predict"]
        actions.bind("neural.predict", self.ask)

    @Slot()
    def ask(self) -> None:
        """Ask how to predict responses and do it, after the jobs that wait."""
        study = self._session.study
        if study is None or not self._may.isEnabled():
            return
        from gazeapp.ui.dialogs.predict_responses import PredictResponsesDialog

        if self._lookups is None:
            self._lookups = JobRunner(self, name="lookups")
        dialog = PredictResponsesDialog(self._window, study, self._lookups)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choice = dialog.choice()
        self._lookups.cancel_all()
        dialog.deleteLater()
        if accepted:
            self._session.runner.submit(
                f"Simulating responses, {choice['name']}",
                prediction_work(choice),
                study.path,
                unit="lot of images",
                can_go_on=True,
            )

    def stop(self) -> None:
        """End the thread that looks things up."""
        if self._lookups is not None:
            self._lookups.stop()


def prediction_work(choice: Mapping[str, Any]) -> Work:
    """Return the work that predicts responses; ``choice`` are arguments of ``PredictResponsesSettings``."""

    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.predict_responses import PredictResponsesSettings, predict_responses

        return predict_responses(project, PredictResponsesSettings(**choice), progress)

    return work
