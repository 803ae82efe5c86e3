"""What the window does with brain responses and regions: ask what is needed, then queue the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.ui.drops import Drop
    from gazeapp.ui.job_control import JobProgress
    from gazeapp.ui.worker import Work


class NeuralActions(QObject):
    """Connects the actions about brain responses and regions with their dialogs and the runner."""

    ready = Signal()
    """Responses were imported, or predicted from maps: there is something new to look at."""

    def __init__(
        self, window: QWidget, session: Session, actions: Actions, notifications: Notifications
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._notifications = notifications
        self._lookups: JobRunner | None = None
        self._awaited: set[int] = set()
        self._actions = actions
        for action_id, slot in (
            ("neural.import_responses", self.import_responses),
            ("neural.regions", self.regions),
            ("neural.run", self.encode),
            ("neural.remove_responses", self.remove_responses),
        ):
            actions.bind(action_id, slot)
        session.runner.changed.connect(self._job_changed)

    @Slot()
    def import_responses(self, paths: Sequence[Path] = ()) -> None:
        """Ask for brain responses, show what is in them, and import them."""
        study = self._session.study
        if study is None or not self._actions["neural.import_responses"].isEnabled():
            return
        from gazeapp.ui.dialogs.import_responses import ImportResponsesDialog

        lookups = self._looking_up()
        dialog = ImportResponsesDialog(self._window, study, lookups, list(paths or ()))
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choice = dialog.choice() if accepted else {}
        lookups.cancel_all()
        dialog.deleteLater()
        if accepted:
            self._queue("Importing responses", import_work(choice), study.path, unit="image")

    @Slot()
    def encode(self) -> None:
        """Ask what to predict from what, and predict it."""
        study = self._session.study
        if study is None or not self._actions["neural.run"].isEnabled():
            return
        from gazeapp.ui.dialogs.encode import EncodeDialog

        lookups = self._looking_up()
        dialog = EncodeDialog(self._window, study, lookups)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choice = dialog.choice()
        lookups.cancel_all()
        dialog.deleteLater()
        if accepted:
            title = f"Predicting {choice['responses']} from maps"
            self._queue(title, encode_work(choice), study.path, unit="analysis", can_go_on=True)

    @Slot()
    def regions(self, paths: Sequence[Path] = ()) -> None:
        """Show the atlases, their groups and the regions of the user's own; ``paths`` are those of one to import."""
        study = self._session.study
        if study is None or not self._actions["neural.regions"].isEnabled():
            return
        from gazeapp.ui.dialogs.regions import RegionsDialog

        lookups = self._looking_up()
        dialog = RegionsDialog(self._window, study.path, lookups, list(paths or ()))
        dialog.exec()
        dialog.deleteLater()
        if not dialog.has_changed:
            return
        if lookups.busy:  # what was changed last is still being stored
            lookups.idle.connect(self._session.refresh, Qt.ConnectionType.SingleShotConnection)
        else:
            self._session.refresh()

    @Slot()
    def remove_responses(self) -> None:
        """Ask which responses to take out of the study, and do so; this cannot be undone."""
        study, path = self._session.study, self._session.path
        if study is None or path is None:
            return
        from gazeapp.ui.dialogs.remove import RemoveDialog

        says = (
            "They leave the study with all that was found of them. Their files, the maps and the regions of the "
            "cortex stay."
        )
        items = {
            row.name: f"{row.name}   ·   {row.n_images:,} {'image' if row.n_images == 1 else 'images'}, "
            f"{'simulated' if row.simulated else 'measured'}"
            for row in study.responses
        }
        nouns = ("set of responses", "sets of responses")
        chosen = RemoveDialog(self._window, "Remove brain responses", says, items, nouns).ask()
        if chosen and self._session.path == path:
            self._session.submit("Removing responses", remove_work(chosen))

    def accept_drop(self, drop: Drop) -> None:
        """Ask about responses, and about an atlas, that were dropped on the window without anything else."""
        if drop.project is not None or drop.images or drop.gaze:
            return
        for action_id, paths, ask in (
            ("neural.import_responses", drop.responses, self.import_responses),
            ("neural.regions", drop.regions, self.regions),
        ):
            reason = self._actions.reason(action_id)
            if paths and reason:
                self._notifications.note("What was dropped cannot be added now.", todo=f"Reason: {reason}.")
            elif paths:
                ask(paths)

    def stop(self) -> None:
        """End the thread that looks things up."""
        if self._lookups is not None:
            self._lookups.stop()

    def _looking_up(self) -> JobRunner:
        if self._lookups is None:
            self._lookups = JobRunner(self, name="lookups")
        return self._lookups

    def _queue(self, title: str, work: Work, path: Path, **more: Any) -> None:
        self._awaited.add(self._session.runner.submit(title, work, path, **more))

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if state.finished and state.id in self._awaited:
            self._awaited.discard(state.id)
            if state.status == "done" and state.path == self._session.path:
                self.ready.emit()


def import_work(choice: Mapping[str, Any]) -> Work:
    """Return the work that imports responses; ``choice`` are arguments of ``ImportResponsesSettings``."""

    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.import_responses import ImportResponsesSettings, import_responses

        return import_responses(project, ImportResponsesSettings(**choice), progress)

    return work


def encode_work(choice: Mapping[str, Any]) -> Work:
    """Return the work that predicts responses from maps; ``choice`` are arguments of ``EncodeSettings``."""

    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.encode import EncodeSettings, encode

        return encode(project, EncodeSettings(**choice), progress)

    return work


def remove_work(names: Sequence[str]) -> Work:
    """Return the work that takes responses out, by their names."""

    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.import_responses import RemoveResponsesSettings, remove_responses

        summary = None
        for name in names:
            summary = remove_responses(project, RemoveResponsesSettings(name), progress)
        return summary

    return work
