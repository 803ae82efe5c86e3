"""Add a model to the list: one of the hub, a folder, or a runner script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import FormDialog
from gazeapp.ui.dialogs.model_offers import AWAY, Offer
from gazeapp.ui.folders import MODELS, ask_for_file, ask_for_folder
from gazeapp.ui.widgets import advice
from gazeapp.ui.worker import JobProgress, JobRunner, JobState

_ADDED = "models/added"


def added_models() -> list[str]:
    """Return the scripts and revisions that the user added to the list."""
    stored = QSettings().value(_ADDED)
    if isinstance(stored, str):  # a list of one comes back as a string
        return [stored]
    return [str(name) for name in stored] if isinstance(stored, list) else []


def add_to_list(name: str) -> None:
    """Remember a script, or a revision of a model, that the user added to the list."""
    if name not in added_models():
        QSettings().setValue(_ADDED, [*added_models(), name])


def take_off_list(offer: Offer) -> None:
    """Forget what the user added to the list; files and consents stay.

    Raises
    ------
    GazeError
        If the list of folders cannot be written.
    """
    if offer.folder:
        from gazeapp.engine.models.captioner.own import take_off

        take_off(Path(offer.folder))
    elif Path(offer.name).is_dir() or offer.name not in added_models():
        from gazeapp.engine.models.vlm.loading.folders import ModelFolders

        ModelFolders().remove(Path(offer.name))
    else:
        QSettings().setValue(_ADDED, [name for name in added_models() if name != offer.name])


class AddModelDialog(FormDialog):
    """Asks for a name or a place; ``offer`` is the model that was found there, ``captioners`` are all that were.

    Parameters
    ----------
    parent
        The dialog that asks.
    runner
        Where it is looked up, off the GUI thread.
    """

    def __init__(self, parent: QWidget | None, runner: JobRunner) -> None:
        super().__init__(
            parent,
            "Add a model",
            "The name of a model of the hub, such as organisation/name or organisation/name@revision, a folder with "
            "a model's files or with captioners, or a runner script; a folder or script can be dropped here. Nothing "
            "is downloaded and nothing of it is run yet.",
            "Add",
        )
        self.offer: Offer | None = None
        self.captioners: tuple[Offer, ...] = ()
        self._runner = runner
        self._job = 0
        self.line = QLineEdit()
        self.line.setPlaceholderText("organisation/name, folder, or script.py")
        self.line.textChanged.connect(self._check)
        row = QHBoxLayout()
        row.setSpacing(theme.STEP)
        row.addWidget(self.line, 1)
        for text, slot in (("Folder…", self._choose_folder), ("Script…", self._choose_script)):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(slot)
            row.addWidget(button)
        place = QWidget()
        row.setContentsMargins(0, 0, 0, 0)
        place.setLayout(row)
        place.setFocusProxy(self.line)
        self.add_row("Model", place)
        self.setAcceptDrops(True)
        runner.changed.connect(self._looked)
        self.line.setFocus()
        self._check()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a folder or a file."""
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Write the path of what is dropped into the line."""
        self.line.setText(_dropped(event))
        event.acceptProposedAction()

    @Slot()
    def accept(self) -> None:
        """Look the model up; the dialog closes when it is found."""
        name = self.line.text().strip()

        def work(_project: Any, _progress: JobProgress) -> Offer | tuple[Offer, ...]:
            from gazeapp.ui.dialogs.model_finding import look_up, put_captioners_on_list, remember

            captioners = put_captioners_on_list(name)
            if captioners:
                return captioners
            offer = look_up(name)
            if offer.group != AWAY and Path(offer.name).is_dir():
                remember(offer.name)
            return offer

        self.set_reason("Looking for it…")
        self._job = self._runner.submit("look up", work, None)

    @Slot(object)
    def _looked(self, state: JobState) -> None:
        if state.id != self._job or not state.finished:
            return
        if state.error is not None:
            self.set_reason(advice(state.error))
            return
        found: Offer | tuple[Offer, ...] | None = state.result
        if found is None:
            return
        if isinstance(found, tuple):
            self.captioners, self.offer = found, found[0]
            super().accept()
            return
        self.offer = offer = found
        listed = offer.group != AWAY and not Path(offer.name).is_dir()
        if listed:
            add_to_list(offer.name)
        super().accept()

    @Slot()
    def _check(self) -> None:
        self.set_reason("" if self.line.text().strip() else "Say which model.")

    @Slot()
    def _choose_folder(self) -> None:
        folder = ask_for_folder(self, "Folder of a model", MODELS)
        if folder is not None:
            self.line.setText(str(folder))

    @Slot()
    def _choose_script(self) -> None:
        file = ask_for_file(self, "Runner script", MODELS, "Runner scripts (*.py)")
        if file is not None:
            self.line.setText(str(file))


def _dropped(event: QDropEvent) -> str:
    """Return the path of the first thing that is dropped; empty for what is on no disk."""
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    return urls[0].toLocalFile() if urls else ""
