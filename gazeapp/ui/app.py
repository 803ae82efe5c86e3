"""Starting the window."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, QTimer, Slot
from PySide6.QtWidgets import QApplication

import gazeapp
from gazeapp.ui import theme
from gazeapp.ui.main_window import MainWindow
from gazeapp.ui.notifications import Notifications

QUIT_AFTER = "GAZEAPP_QUIT_AFTER"
"""Environment variable: quit after so many seconds, for tests of an installed or frozen gazeapp."""


_COLLECT_EVERY_MS = 1000
_SWITCH_S = 0.0005


def make_app(arguments: list[str] | None = None) -> QApplication:
    """Return the application, made if there is none yet."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(arguments or ["gazeapp"])
    app.setOrganizationName("gazeapp")
    app.setApplicationName("gazeapp")
    app.setApplicationVersion(gazeapp.__version__)
    app.setDesktopFileName("gazeapp")
    _claim_taskbar_icon()
    return app


def main(project: Path | None = None, quit_after: float | None = None) -> int:
    """Open the window and return when it closes.

    Parameters
    ----------
    project
        Project to open; None shows the welcome page.
    quit_after
        Close after so many seconds; None reads ``GAZEAPP_QUIT_AFTER``.

    Returns
    -------
    int
        Exit status.
    """
    multiprocessing.freeze_support()
    # Python-heavy work on the worker thread would hold the interpreter long enough to drop frames.
    sys.setswitchinterval(_SWITCH_S)
    app = make_app()
    collector = GarbageCollector(app)
    notifications = Notifications(app)
    notifications.install()
    look = theme.Theme(app, str(QSettings().value("theme", "system")))
    app.setWindowIcon(theme.icon("gazeapp", 64))
    window = MainWindow(look, notifications)
    if project is not None:
        window.open_at_start(project)
    window.show()
    seconds = quit_after if quit_after is not None else _seconds(os.environ.get(QUIT_AFTER, ""))
    if seconds is not None:
        QTimer.singleShot(round(seconds * 1000), window.close)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    try:
        return int(app.exec())
    finally:
        window.stop()
        notifications.uninstall()
        collector.stop()


class GarbageCollector(QObject):
    """Collects Python's cyclic garbage on the GUI thread only.

    Python collects in whichever thread happens to allocate; on the worker thread that would destroy
    windows that have become garbage, and Qt allows that on the GUI thread alone.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_COLLECT_EVERY_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def stop(self) -> None:
        """Leave collecting to Python again."""
        self._timer.stop()
        gc.enable()

    @Slot()
    def _collect(self) -> None:
        """Collect the oldest generation that is due, as Python itself would."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return


def run() -> None:
    """Open the window from a shortcut; a project may be the only argument."""
    names = sys.argv[1:2]
    sys.exit(main(Path(names[0]) if names else None))


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _claim_taskbar_icon() -> None:
    """Windows groups windows by this name; without it gazeapp would wear Python's icon."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID("gazeapp.gazeapp")
