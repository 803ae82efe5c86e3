"""What every page of the import dialog does: show a file, and say what the user changed about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui.theme import STEP


class Page(QWidget):
    """A page; ``changed`` comes when the user changes something on it, and not while it is filled."""

    changed = Signal()
    title = ""
    """What its tab is called."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter in a field of the page from starting the import."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show what was found in a file, None while it is being read, and how it is to be read."""

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return ``settings`` with what this page says.

        Raises
        ------
        GazeError
            When what the page says makes no sense.
        """
        return settings

    def applies(self, preview: Preview | None) -> bool:
        """Return whether the page is of use for the file."""
        return preview is not None

    def scrolled_column(self) -> QVBoxLayout:
        """Fill the page with a column that scrolls where it does not fit, and return the column."""
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 2 * STEP, STEP, STEP)
        column.setSpacing(2 * STEP)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        return column
