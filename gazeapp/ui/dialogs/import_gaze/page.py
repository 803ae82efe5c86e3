"""What every page of the import dialog does: show a file, and say what the user changed about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview


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
