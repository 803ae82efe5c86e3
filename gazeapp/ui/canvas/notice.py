"""What would be here, and the button that brings it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from gazeapp.ui.theme import STEP, set_role


class Notice(QFrame):
    """A sentence or two in the middle of an empty place, with a button where something can be done."""

    pressed = Signal()

    def __init__(self, title: str, text: str = "", button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel(title)
        self._text = QLabel(text)
        self._button = QPushButton(button)
        set_role(self._title, "title")
        set_role(self._text, "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * STEP, 2 * STEP, 2 * STEP, 2 * STEP)
        layout.setSpacing(STEP)
        layout.addStretch(1)
        for label in (self._title, self._text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextFormat(Qt.TextFormat.PlainText)
            layout.addWidget(label)
        self._text.setMaximumWidth(52 * STEP)
        layout.setAlignment(self._text, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(STEP)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self._button.clicked.connect(self.pressed)
        self.say(title, text, button)

    @property
    def button(self) -> QPushButton:
        """The button; hidden when there is nothing to do."""
        return self._button

    @property
    def message(self) -> str:
        """What is said, as one string."""
        return " ".join(filter(None, (self._title.text(), self._text.text())))

    def say(self, title: str, text: str = "", button: str = "") -> None:
        """Say something else."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._button.setText(button)
        self._button.setVisible(bool(button))
