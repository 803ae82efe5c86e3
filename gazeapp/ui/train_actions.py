"""What the window does about trainings: ask what to train, start it, watch it, stop it, take it up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QMessageBox, QPushButton, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.ui import theme
from gazeapp.ui import training_process as process
from gazeapp.ui.actions import Actions
from gazeapp.ui.drops import Drop
from gazeapp.ui.folders import CAPTIONERS, ask_for_folder, remember_folder
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.training_folder import FAILED, FINISHED, SILENT, Training, find_trainings
from gazeapp.ui.training_watch import TrainingWatch
from gazeapp.ui.widgets import no_mnemonic
from gazeapp.ui.worker import JobRunner


class TrainActions(QObject):
    """Connects the actions about trainings with their dialog, their window and the processes."""

    def __init__(self, window: QWidget, actions: Actions, notifications: Notifications) -> None:
        super().__init__(window)
        self._window = window
        self._notifications = notifications
        self._lookups: JobRunner | None = None
        self._shown: Any = None  # the window of trainings, made when first asked for: it loads what draws
        self._ended: dict[Path, str] = {}
        self.watch = TrainingWatch(self)
        self.line = QPushButton()
        theme.set_role(self.line, "quiet")
        theme.set_icon(self.line, "chart")
        self.line.setToolTip("Show the trainings")
        self.line.clicked.connect(self.show_trainings)
        self.line.hide()
        for action_id, slot in (
            ("models.train", self.train),
            ("models.watch", self.watch_folder),
            ("models.training", self.show_trainings),
        ):
            actions.bind(action_id, slot)
        self.watch.changed.connect(self._follow)

    @Slot()
    def train(self, paths: Sequence[Path] = ()) -> None:
        """Ask what to train, beginning with captions if any are given, and start it."""
        from gazeapp.ui.dialogs.train import TrainDialog

        if self._lookups is None:
            self._lookups = JobRunner(self, name="lookups")
        dialog = TrainDialog(self._parent(), self._lookups, list(paths or ()))
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choice = dialog.choice()
        self._lookups.cancel_all()
        dialog.deleteLater()
        if accepted:
            self._start(process.training_words(choice.command, choice.values, choice.encoders), choice.out)

    @Slot()
    def watch_folder(self) -> None:
        """Ask for the folder of a training, or of several, and follow it."""
        path = ask_for_folder(self._parent(), "Watch a training", CAPTIONERS)
        if path is not None:
            self.follow(path)

    def follow(self, path: Path) -> None:
        """Follow the training in a folder and show it."""
        remember_folder(CAPTIONERS, path.parent)
        self.watch.add(path)
        self.show_trainings(path)

    @Slot()
    def show_trainings(self, path: object = None) -> None:
        """Show the window of trainings, at the one in a folder if one is named."""
        from gazeapp.ui.panels.training import TrainingWindow

        if self._shown is None:
            made = TrainingWindow(self._window)
            made.train_asked.connect(self.train)
            made.watch_asked.connect(self.watch_folder)
            made.dropped.connect(self.take)
            made.stop_asked.connect(self.stop_training)
            made.go_on_asked.connect(self.go_on)
            made.removal_asked.connect(self._take_off)
            made.folder_asked.connect(self._open_folder)
            made.card_asked.connect(self._open_card)
            made.design_asked.connect(self._open_design)
            made.adding_asked.connect(self.add_to_models)
            self.watch.changed.connect(made.show_trainings)
            made.show_trainings(self.watch.trainings)
            self._shown = made
        self._shown.show()
        self._shown.raise_()
        self._shown.activateWindow()
        if isinstance(path, Path):
            self._shown.choose(path)

    def accept_drop(self, drop: Drop) -> None:
        """Follow dropped trainings, or ask what to train on captions that were dropped without anything else."""
        for path in drop.trainings:
            self.follow(path)
        others = drop.project or drop.images or drop.gaze or drop.trainings
        if drop.captions and not others:
            self.train(drop.captions)

    @Slot(object)
    def take(self, paths: Sequence[Path]) -> None:
        """Do the same with paths of which some are trainings and the others captions."""
        trainings = [path for path in paths if path.is_dir() and find_trainings(path)]
        self.accept_drop(
            Drop(trainings=trainings, captions=[path for path in paths if path not in trainings])
        )

    @Slot(object)
    def stop_training(self, training: Training) -> None:
        """Ask a training to stop after the step in hand."""
        try:
            process.ask_to_stop(training.folder)
        except GazeError as error:
            self._notifications.error(error)
        self.watch.look()

    @Slot(object)
    def go_on(self, training: Training) -> None:
        """Take a training up where it stopped, on this computer."""
        if not training.can_go_on:
            return
        try:
            words, folder = process.words_to_go_on(self.watch.root_of(training.folder), training.folder)
        except GazeError as error:
            self._notifications.error(error)
            return
        if not self.watch.is_own(training.folder) and not self._agreed(training, words):
            return
        if training.state == SILENT and not training.was_here:
            from gazeapp.engine.models.captioner.training.lock import forget_other_computers

            if not self._sure(training):
                return
            for place in (folder, training.folder):
                forget_other_computers(place)
        self._start(words, folder)

    @Slot(object)
    def add_to_models(self, training: Training) -> None:
        """Offer the captioner among the models."""
        from gazeapp.engine.models.captioner.own import register

        try:
            register(training.folder)
        except GazeError as error:
            self._notifications.error(error)
        else:
            self._notifications.note(
                f"{training.name} is offered among the models now.", where=str(training.folder)
            )

    def may_close(self) -> bool:
        """Ask what becomes of trainings that were started here; tell whether the window may close."""
        running = self.watch.started_here
        if not running:
            return True
        names = ", ".join(each.name for each in running)
        one = len(running) == 1
        box = QMessageBox(self._window)
        box.setWindowTitle("Trainings")
        box.setText(f"{names} {'is' if one else 'are'} still being trained.")
        box.setInformativeText(
            f"{'It' if one else 'They'} can go on without this window; gazeapp shows {'it' if one else 'them'} "
            "again when it is opened."
        )
        leave = box.addButton("Leave running", QMessageBox.ButtonRole.AcceptRole)
        stop = box.addButton("Stop after the step in hand", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(leave)
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        if clicked is stop:
            for each in running:
                self.stop_training(each)
        return clicked is leave or clicked is stop

    def stop(self) -> None:
        """End the threads; trainings go on."""
        self.watch.stop()
        if self._lookups is not None:
            self._lookups.stop()
        if self._shown is not None:
            self._shown.close()

    def _start(self, words: Sequence[str], folder: Path) -> None:
        try:
            pid = process.start(words, folder)
        except GazeError as error:
            self._notifications.error(error)
            return
        remember_folder(CAPTIONERS, folder.parent)
        self.watch.add(self.watch.root_of(folder), pid)
        self.show_trainings(folder)

    @Slot(object)
    def _follow(self, trainings: Sequence[Training]) -> None:
        """Say in the line at the bottom how trainings at work stand, and tell when one ends."""
        working = [each for each in trainings if each.goes_on]
        parts = []
        for each in working[:1]:
            loss = f"  ·  loss {each.curve.losses[-1]:.3f}" if len(each.curve.losses) else ""
            parts.append(f"{each.name}  ·  {each.step:,}/{each.steps:,}{loss}")
        if len(working) > 1:
            parts.append(f"{len(working) - 1} more")
        self.line.setText(no_mnemonic("  ·  ".join(parts)))
        self.line.setVisible(bool(parts))
        for each in trainings:
            before = self._ended.get(each.folder)
            self._ended[each.folder] = each.state
            if before is None or before == each.state:
                continue
            if each.state == FINISHED:
                self._notifications.note(f"{each.name} is trained.", where=str(each.folder))
            elif each.state in (FAILED, SILENT):
                self._notifications.problem(
                    f"The training of {each.name} ended before its time.",
                    where=str(each.folder),
                    todo=f"{each.message} Models › Trainings shows where it stands.".strip(),
                    details=each.errors,
                )

    def _agreed(self, training: Training, words: Sequence[str]) -> bool:
        """Show what a training that was not started from a window of this user would do; ask once."""
        return self._says_yes(
            f"{training.name} was not started from this window. To go on with it starts this command, which reads the "
            "files that it names. Start it?",
            process.terminal_line(words),
        )

    def _sure(self, training: Training) -> bool:
        return self._says_yes(
            f"{training.name} was trained by a process that is not on this computer. Two that write into one folder "
            "would spoil each other's work. Has it surely ended?"
        )

    def _says_yes(self, question: str, more: str = "") -> bool:
        box = QMessageBox(self._parent())
        box.setWindowTitle("Go on")
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)  # names and paths in it may be a stranger's
        box.setText(f"{question}\n\n{more}" if more else question)
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
        box.setDefaultButton(QMessageBox.StandardButton.No)
        answer = box.exec()
        box.deleteLater()
        return answer == QMessageBox.StandardButton.Yes

    @Slot(object)
    def _take_off(self, training: Training) -> None:
        self.watch.remove(training.folder)

    @Slot(object)
    def _open_folder(self, training: Training) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(training.folder)))

    @Slot(object)
    def _open_card(self, training: Training) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(training.folder / "MODEL_CARD.md")))

    @Slot(object)
    def _open_design(self, training: Training) -> None:
        if training.design is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(training.design)))

    def _parent(self) -> QWidget:
        shown: QWidget = (
            self._shown if self._shown is not None and self._shown.isActiveWindow() else self._window
        )
        return shown
