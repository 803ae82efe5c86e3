"""What the window does to run models: ask which, then queue the jobs."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.model_jobs import extract_work, in_a_few_words
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobRunner


class ExtractActions(QObject):
    """Connects the action that runs models with its dialog and the runner."""

    def __init__(self, window: QWidget, session: Session, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._lookups: JobRunner | None = None
        self._may = actions["study.extract"]
        actions.bind("study.extract", self.extract)

    @Slot()
    def extract(self) -> None:
        """Ask for models and tasks and run them, after the jobs that wait."""
        self.extract_with("", "")

    @Slot(str, str)
    def extract_with(self, keep: str, method: str) -> None:
        """Do the same with what runs keep and their map method chosen beforehand; empty is as it was last."""
        study = self._session.study
        if study is None or not self._may.isEnabled():
            return
        from gazeapp.ui.dialogs.extract import ExtractDialog

        if self._lookups is None:
            # What the dialog looks for, in caches and at the hub, holds up neither verbs nor what is shown.
            self._lookups = JobRunner(self, name="lookups")
        dialog = ExtractDialog(self._window, study, self._session.runner, self._lookups)
        dialog.prefer(keep, method)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choices, texts, names = dialog.choices(), dialog.texts, dialog.names
        self._lookups.cancel_all()
        dialog.deleteLater()
        for choice in choices if accepted else ():
            self._session.runner.submit(
                f"Running {in_a_few_words([names[model] for model in choice['models']])}",
                extract_work(choice, texts),
                study.path,
                uses_torch=True,
                unit="word",
                can_go_on=True,
            )

    def stop(self) -> None:
        """End the thread that looks things up."""
        if self._lookups is not None:
            self._lookups.stop()
