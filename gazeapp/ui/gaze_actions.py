"""What can be changed about gaze that is in the project: choices, geometry, offsets; all of it can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.history import History, Step
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobProgress

if TYPE_CHECKING:
    from gazeapp.ui.canvas.mover import Move, ScanpathMover

_NEEDS = ("study.choices", "study.geometry", "study.remove_gaze", "edit.move")
_OFFSETS = ("edit.reset_offset", "edit.offset_recording")


class GazeActions(QObject):
    """Connects the actions that change imported gaze to dialogs, the compare view and the history."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        selection: Selection,
        actions: Actions,
        history: History,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._selection = selection
        self._actions = actions
        self._history = history
        self._mover: ScanpathMover | None = None
        self._moves: set[Step] = set()
        for action_id, slot in (
            ("study.choices", self.choose_fixations),
            ("study.geometry", self.change_geometry),
            ("study.remove_gaze", self.remove_gaze),
            ("edit.reset_offset", self.reset_offset),
            ("edit.offset_recording", self.offset_recording),
        ):
            actions.bind(action_id, slot)
        history.ended.connect(self._ended)
        session.refreshed.connect(self._explain)
        session.closed.connect(self._explain)
        self._explain()

    def follow(self, mover: ScanpathMover) -> None:
        """Store what is moved in the compare view."""
        self._mover = mover
        mover.kept.connect(self._store)
        mover.changed.connect(self._explain_offsets)
        self._explain_offsets()

    @Slot()
    def choose_fixations(self) -> None:
        """Ask which fixations count and how they make maps, and mark them anew."""
        study, path = self._session.study, self._session.path
        if study is None or path is None:
            return
        from gazeapp.ui.dialogs.gaze_choices import GazeChoicesDialog
        from gazeapp.ui.gaze_steps import choose_step

        dialog = GazeChoicesDialog(self._window, study.choices, self._session.reader, path)
        if dialog.exec() == QDialog.DialogCode.Accepted and self._session.path == path:
            self._history.do(choose_step(dialog.choices))
        dialog.deleteLater()

    @Slot()
    def change_geometry(self) -> None:
        """Ask for screen, place of images and distance, and place the fixations anew."""
        path = self._session.path
        if path is None:
            return
        from gazeapp.ui.dialogs.geometry import GeometryDialog
        from gazeapp.ui.gaze_steps import geometry_step

        dialog = GeometryDialog(self._window, self._session.reader, path)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        if accepted and dialog.said and self._session.path == path:
            self._history.do(geometry_step(dict(dialog.said)))
        dialog.deleteLater()

    @Slot()
    def remove_gaze(self) -> None:
        """Ask which recordings to take out of the study, and do so; this cannot be undone."""
        study, path = self._session.study, self._session.path
        if study is None or path is None:
            return
        from gazeapp.ui.dialogs.remove import RemoveDialog

        says = (
            "Their trials, fixations and offsets leave the study; the files themselves stay where they are and can be "
            "imported again."
        )
        nouns = ("recording", "recordings")
        chosen = RemoveDialog(self._window, "Remove recordings", says, study.recordings, nouns).ask()
        if not (chosen and self._session.path == path):
            return

        def work(project: Any, progress: JobProgress) -> Any:
            from gazeapp.engine.workflows.marking import RemoveSettings, remove_gaze

            return remove_gaze(project, RemoveSettings(chosen), progress)

        self._session.submit("Removing recordings", work)

    @Slot()
    def reset_offset(self) -> None:
        """Put scanpaths back where they were recorded."""
        from gazeapp.ui.gaze_steps import shift_step

        if self._mover is None:
            return
        self._mover.drop()
        trials = self._mover.shifted
        if trials:
            shifts = {trial.id: (0.0, 0.0) for trial in trials}
            who = trials[0].subject if len(trials) == 1 else f"{len(trials)} scanpaths"
            self._history.do(shift_step(f"resetting the offset of {who}", lambda _project: shifts))

    @Slot()
    def offset_recording(self) -> None:
        """Give all trials of a recording the offset of the one in hand."""
        from gazeapp.ui.gaze_steps import offset_of_recording, shift_step

        if self._mover is None or self._mover.trial is None:
            return
        self._mover.keep()
        trial = self._mover.trial

        def find(project: Any) -> Any:
            return offset_of_recording(project, trial.id)

        self._history.do(shift_step(f"giving the recording the offset of {trial.subject}", find))

    @Slot(object)
    def _store(self, move: Move) -> None:
        from gazeapp.ui.gaze_steps import shift_step

        if self._session.path is None or self._session.read_only:
            return
        shifts = {move.trial.id: move.shift}
        step = shift_step(f"moving the scanpath of {move.trial.subject}", lambda _project: shifts)
        self._moves.add(step)
        self._history.do(step)

    @Slot(object)
    def _ended(self, step: Step) -> None:
        if step in self._moves and self._mover is not None:
            self._moves.discard(step)
            self._mover.stored()

    @Slot()
    def _explain(self, _study: object = None) -> None:
        """Enable what can be done now; say why the rest cannot."""
        study = self._session.study
        reason = self._session.read_only
        if study is None:
            reason = "open a project first"
        elif not study.recordings:
            reason = "no gaze has been imported yet"
        for action_id in _NEEDS:
            self._actions.set_reason(action_id, reason)
        if reason:
            self._selection.update(moving=False)
        self._explain_offsets()

    @Slot()
    def _explain_offsets(self) -> None:
        reason = self._actions.reason("edit.move")
        mover = self._mover
        reset = offset = reason
        if not reason and (mover is None or not mover.shifted):
            reset = "no scanpath in hand has an offset"
        if not reason and (mover is None or mover.trial is None):
            offset = "choose an observer first, or click a scanpath while scanpaths are moved"
        for action_id, why in zip(_OFFSETS, (reset, offset), strict=True):
            if self._actions.reason(action_id) != why:
                self._actions.set_reason(action_id, why)
