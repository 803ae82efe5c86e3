"""Questions before something comes onto this computer or runs here: what will happen, asked once."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.catalogue import known_model
from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.ui import theme
from gazeapp.ui.dialogs.model_offers import Agreement
from gazeapp.ui.widgets import advice, label, no_mnemonic

if TYPE_CHECKING:
    from gazeapp.engine.models.vlm.loading.survey import Download


class Question(QDialog):
    """A title, what will happen, the facts, and two buttons.

    Parameters
    ----------
    parent
        The dialog or window that asks.
    title, sentence
        The question, and what will happen.
    facts
        (name, value) of what to know first.
    yes
        What the button says that agrees.
    """

    def __init__(
        self, parent: QWidget | None, title: str, sentence: str, facts: Sequence[tuple[str, str]], yes: str
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(640)
        self.note = label("", "note", wrap=True)
        self.note.hide()
        buttons = QDialogButtonBox()
        self.yes: QPushButton = buttons.addButton(yes, QDialogButtonBox.ButtonRole.AcceptRole)
        self.no: QPushButton = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 24, 24, 24)
        self.column.setSpacing(theme.STEP * 2)
        self.column.addWidget(label(title, "title", wrap=True))
        self.column.addWidget(self.note)
        self.column.addWidget(label(sentence, wrap=True))
        self.column.addLayout(_grid(facts))
        self.column.addWidget(buttons)

    def prefer(self, button: QPushButton) -> None:
        """Let the enter key mean ``button``."""
        for each in (self.yes, self.no):
            each.setAutoDefault(each is button)
            each.setDefault(each is button)
        button.setFocus()


class CodeQuestion(Question):
    """Asks whether code from elsewhere may be installed and run; all of it can be read. Enter means no."""

    def __init__(self, parent: QWidget | None, agreement: Agreement) -> None:
        super().__init__(parent, agreement.title, agreement.sentence, agreement.facts, "I agree: it may run")
        self._agreement = agreement
        if agreement.changed:
            self.note.setText("This is not the version that you agreed to before: it has changed since.")
            self.note.show()
        self.code = QTabWidget()
        for name, text in agreement.code:
            self.code.addTab(_viewer(name, text), no_mnemonic(name))
        self.code.setMinimumHeight(200)
        self.column.insertWidget(self.column.count() - 1, self.code, 1)
        self.resize(800, 680)
        self.prefer(self.no)

    @Slot()
    def accept(self) -> None:
        """Record the consent; stay open where it cannot be recorded."""
        try:
            self._agreement.agree()
        except GazeError as error:
            self.note.setText(advice(error))
            self.note.show()
            return
        super().accept()


class DownloadQuestion(Question):
    """Asks whether to download a model: how much, from where, to where."""

    def __init__(self, parent: QWidget | None, title: str, download: Download) -> None:
        known = known_model(download.hub_id)
        facts = (
            ("Size", _size(download)),
            ("From", f"{download.endpoint}/{download.hub_id}"),
            ("Revision", download.revision),
            ("To", str(download.cache)),
            ("Free there", readable(_free(download.cache))),
            ("Licence", known.licence if known else ""),
            ("To know", known.note if known else ""),
        )
        super().__init__(
            parent,
            f"Download {title}?",
            "It goes where other programs that use the hub look for it, too. The download can be stopped, and goes on "
            "later from there.",
            [(name, value) for name, value in facts if value],
            f"Download {readable(download.bytes_left)}",
        )
        self.prefer(self.yes)
        notes = []
        if download.gated:
            notes.append("Its publisher gives it only to people who agreed to conditions there first.")
        from gazeapp.engine.models.vlm.loading.survey import check_disk

        try:
            check_disk(download)
        except GazeError as error:
            notes.append(advice(error))
            self.yes.setEnabled(False)
            self.prefer(self.no)
        self.note.setText("\n".join(notes))
        self.note.setVisible(bool(notes))
        # A layout keeps more height for wrapped words than they need.
        self.resize(self.minimumWidth(), self.column.totalHeightForWidth(self.minimumWidth()))


def _size(download: Download) -> str:
    number = len(download.files)
    text = f"{readable(download.bytes)} in {number} file{'' if number == 1 else 's'}"
    return f"{text}, of which {readable(download.here)} is here already" if download.here else text


def _free(folder: Path) -> int:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(place).free


def _grid(facts: Sequence[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(theme.STEP * 2)
    grid.setVerticalSpacing(theme.STEP)
    grid.setColumnStretch(1, 1)
    for row, (name, value) in enumerate(facts):
        shown = label(value, wrap=True)
        shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(label(name, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(shown, row, 1)
    return grid


def _viewer(name: str, text: str) -> QPlainTextEdit:
    viewer = QPlainTextEdit(text)
    viewer.setReadOnly(True)
    viewer.setTabChangesFocus(True)
    viewer.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    viewer.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    viewer.setAccessibleName(name)
    return viewer
