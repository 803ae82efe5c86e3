"""What would be here, and the button that brings it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gazeapp.ui.theme import STEP, set_role

_TEXT_WIDTH = 52 * STEP


class Notice(QFrame):
    """A sentence or two in the middle of an empty place, with a button where something can be done.

    Parameters
    ----------
    title, text, button
        What is said; an empty ``button`` hides the button.
    compact
        Whether it has to fit into a small pane.
    """

    pressed = Signal()
    also_pressed = Signal()
    """The second button was pressed."""

    def __init__(
        self,
        title: str = "",
        text: str = "",
        button: str = "",
        *,
        compact: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._text = QLabel()
        self._button, self._also = QPushButton(), QPushButton()
        set_role(self._text, "muted")
        if compact:
            font = self._title.font()
            font.setBold(True)
            self._title.setFont(font)
        else:
            set_role(self._title, "title")
        gap = STEP // 2 if compact else STEP
        layout = QVBoxLayout(self)
        layout.setContentsMargins(STEP, gap, STEP, gap)
        layout.setSpacing(gap)
        layout.addStretch(1)
        for label in (self._title, self._text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setMaximumWidth(_TEXT_WIDTH)
            # A wrapping label that is aligned by its layout is given too little height; spacers are not.
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(label, 1000)
            row.addStretch(1)
            layout.addLayout(row)
        layout.addSpacing(gap)
        for part, told in ((self._button, self.pressed), (self._also, self.also_pressed)):
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
            part.clicked.connect(told)
        layout.addStretch(1)
        self.say(title, text, button)

    @property
    def button(self) -> QPushButton:
        """The button; hidden when there is nothing to do."""
        return self._button

    @property
    def also(self) -> QPushButton:
        """The second button; hidden when there is only one thing to do, or none."""
        return self._also

    @property
    def message(self) -> str:
        """What is said, as one string."""
        return " ".join(filter(None, (self._title.text(), self._text.text())))

    def say(self, title: str, text: str = "", button: str = "", tip: str = "", also: str = "") -> None:
        """Say something else; ``tip`` is the whole story, ``also`` what a second button says."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        for part, words in ((self._button, button), (self._also, also)):
            part.setText(words)
            part.setVisible(bool(words))
        self.setToolTip(tip)
