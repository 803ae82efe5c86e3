"""A dialog that looks into files, which can be dropped on it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.form import FormDialog


class DropDialog(FormDialog):
    """Takes files anywhere, and leaves off reading when it is left; ``_reading`` reads them."""

    dropped = Signal(object)
    """Files were dropped: their paths."""

    _reading: CountingLine

    def __init__(self, parent: QWidget | None, title: str, sentence: str, accept: str) -> None:
        super().__init__(parent, title, sentence, accept)
        self.setAcceptDrops(True)

    def done(self, result: int) -> None:
        """Leave; nothing is read any more."""
        self._reading.stop()
        super().done(result)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell which files were dropped."""
        self.dropped.emit([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()
