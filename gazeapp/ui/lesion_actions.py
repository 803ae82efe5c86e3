"""What the window does to run an experiment with lesions: ask for it, then queue the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.lesion_jobs import TITLE, experiment_work
from gazeapp.ui.model_jobs import in_a_few_words
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobProgress, JobRunner

if TYPE_CHECKING:
    from gazeapp.ui.masks.session import MaskSession


class LesionActions(QObject):
    """Connects the action that runs an experiment with its dialog and the runner."""

    queued = Signal(object)
    """An experiment waits or runs: the masks that it takes away."""

    def __init__(self, window: QWidget, session: Session, selection: Selection, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._selection = selection
        self._lookups: JobRunner | None = None
        self._masks: MaskSession | None = None
        self._may = actions["study.lesion"]
        actions.bind("study.lesion", self.ask)
        actions.bind("study.remove_lesions", self.remove)

    def follow(self, masks: MaskSession) -> None:
        """Have what is drawn in this session stored before an experiment makes use of it."""
        self._masks = masks

    @Slot()
    def ask(self) -> None:
        """Ask what to take away from which models and run it, after the jobs that wait."""
        study = self._session.study
        if study is None or not self._may.isEnabled():
            return
        from gazeapp.ui.dialogs.lesion import LesionDialog

        if self._masks is not None:
            self._masks.end_stroke()

        if self._lookups is None:
            self._lookups = JobRunner(self, name="lookups")
        dialog = LesionDialog(self._window, study, self._lookups, self._selection.image_id)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choices, names = dialog.choices() if accepted else [], dialog.names
        self._lookups.cancel_all()
        dialog.deleteLater()
        for choice in choices:
            work = experiment_work(choice)
            self._session.runner.submit(
                f"{TITLE}, {in_a_few_words([names[model] for model in choice['models']])}",
                work if self._masks is None else self._masks.keeper.before(work),
                study.path,
                uses_torch=True,
                unit="lesion",
                can_go_on=True,
            )
        if choices:
            self.queued.emit(tuple(choices[0]["masks"]))

    @Slot()
    def remove(self) -> None:
        """Ask whose lesions to take out of the study, and do so; this cannot be undone."""
        study, path = self._session.study, self._session.path
        if study is None or path is None:
            return
        from gazeapp.ui.dialogs.remove import RemoveDialog

        says = (
            "Their lesions leave the study with their controls, captions and maps, and means and tests are made anew "
            "from what is left. The masks themselves and the intact captions stay."
        )
        items = {mask: f"{mask}   ·   {n:,} lesions and controls" for mask, n in study.lesions.items()}
        nouns = ("mask's lesions", "masks' lesions")
        chosen = RemoveDialog(self._window, "Remove lesions", says, items, nouns).ask()
        if not (chosen and self._session.path == path):
            return

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.remove_lesions import RemoveLesionsSettings, remove_lesions

            return remove_lesions(project, RemoveLesionsSettings(masks=chosen), progress)

        self._session.submit("Removing lesions", work)

    def stop(self) -> None:
        """End the thread that looks things up."""
        if self._lookups is not None:
            self._lookups.stop()
