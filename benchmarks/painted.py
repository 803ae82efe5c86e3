"""What the benches of the window share: waiting until something has been painted."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QWidget


class Painted(QObject):
    """Counts which of the watched widgets have been painted."""

    def __init__(self, widgets: list[QWidget]) -> None:
        super().__init__()
        self._widgets = set(widgets)
        self.left: set[QObject] = set()
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.left.discard(watched)
        return False

    def time(self, action: Callable[[], None], timeout: float = 10.0) -> float:
        """Return the milliseconds from ``action`` until every widget has been painted."""
        self.left = set(self._widgets)
        start = time.perf_counter()
        action()
        while self.left:
            QCoreApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, 0)
            if time.perf_counter() - start > timeout:
                raise TimeoutError("a view was not painted")
        return (time.perf_counter() - start) * 1000.0


def wait(ready: Callable[[], bool], timeout: float = 30.0) -> None:
    end = time.perf_counter() + timeout
    while not ready():
        QCoreApplication.processEvents()
        if time.perf_counter() > end:
            raise TimeoutError("gazeapp's window did not get ready")
        time.sleep(0.001)


def settle() -> None:
    end = time.perf_counter() + 0.15
    while time.perf_counter() < end:
        QCoreApplication.processEvents()
        time.sleep(0.002)
