"""What every test of the window needs: no display, no settings of the user, no thread left behind."""

from __future__ import annotations

import gc
import os
import threading
from dataclasses import replace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt, QThread
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.copied import copy_study

PATIENCE_MS = 60_000
"""What a test waits for something to happen before it fails; on a busy machine seconds are not enough."""


class PatientBot(QtBot):
    """Waits as long as a busy machine may need; nothing is waited for longer than it takes to happen.

    Its mouse moves by an event to the widget itself. Moving the cursor of the screen, as QTest does, says nothing to a
    widget that the cursor is over already, or that another window of an earlier test covers.
    """

    def __init__(self, request) -> None:
        super().__init__(request)
        self._held = Qt.MouseButton.NoButton

    def mousePress(self, widget, button, *args, **options):
        QtBot.mousePress(widget, button, *args, **options)
        self._held |= button

    def mouseRelease(self, widget, button, *args, **options):
        self._held &= ~button
        QtBot.mouseRelease(widget, button, *args, **options)

    def mouseMove(self, widget, pos: QPoint) -> None:
        at = QPointF(pos)
        none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(QEvent.Type.MouseMove, at, widget.mapToGlobal(at), none, self._held, plain)
        QApplication.sendEvent(widget, event)

    def waitUntil(self, callback, *, timeout=PATIENCE_MS):
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal, *, timeout=PATIENCE_MS, **options):
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitExposed(self, widget, *, timeout=PATIENCE_MS):
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp, request):
    return PatientBot(request)


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory, monkeypatch):
    """Keep the settings and the data folder of whoever runs the tests out of them."""
    folder = tmp_path_factory.mktemp("user")
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(folder))
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    QSettings().clear()
    return folder


@pytest.fixture(autouse=True)
def no_thread_left(monkeypatch):
    """Fail a test that leaves a thread running."""
    started: list[QThread] = []
    start = QThread.start

    def remember(thread, *args):
        started.append(thread)
        start(thread, *args)

    monkeypatch.setattr(QThread, "start", remember)
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name == "live lesion":
            thread.join(30)  # what it imports may outlast its window
    running = [t.objectName() for t in started if _is_running(t)]
    left = [t.name for t in set(threading.enumerate()) - before if not t.name.startswith(("Dummy", "pytest"))]
    for thread in started:
        if _is_running(thread):
            thread.quit()
            thread.wait(30_000)
    assert not running, f"Qt threads left running: {running}"
    assert not left, f"threads left running: {left}"


def _is_running(thread: QThread) -> bool:
    try:
        return thread.isRunning()
    except RuntimeError:  # deleted with its owner, so it has ended
        return False


@pytest.fixture(autouse=True)
def garbage_on_this_thread():
    """Collect garbage here and not on a worker thread, as the application does."""
    gc.collect(1)
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def built_study(tmp_path_factory):
    """The small project, built once for all tests."""
    from tests.ui.small_study import build

    return build(tmp_path_factory.mktemp("small") / "study", tasks=("general", "social"))


@pytest.fixture
def study(tmp_path, built_study):
    """A small project of the test's own: three pictures, four models, four simulated observers, scored."""
    return replace(built_study, path=copy_study(built_study.path, tmp_path / "study"))


@pytest.fixture
def view(study):
    """The study as dialogs are given it."""
    from gazeapp.engine.project import Project
    from gazeapp.ui.study import read_study

    with Project.open(study.path) as project:
        return read_study(project)


@pytest.fixture
def lookups():
    """What runs the reading and counting of dialogs."""
    from gazeapp.ui.worker import JobRunner

    runner = JobRunner(name="lookups")
    yield runner
    runner.stop()


@pytest.fixture
def held(lookups):
    """Let nothing that is looked up end, or begin, before this is set."""
    let_go = threading.Event()
    lookups.submit("held", lambda _project, _progress: let_go.wait(PATIENCE_MS / 1000), None)
    yield let_go
    let_go.set()


@pytest.fixture
def window(qtbot):
    """The window, on its welcome page; work is stopped and threads end with the test."""
    from PySide6.QtWidgets import QApplication

    from gazeapp.ui import theme
    from gazeapp.ui.app import make_app
    from gazeapp.ui.main_window import MainWindow
    from gazeapp.ui.notifications import Notifications

    app = make_app()
    look = theme.Theme(app, "light")
    made = MainWindow(look, Notifications(app))
    made.show()
    yield made
    made.stop()
    made.close()
    QApplication.processEvents()
    shiboken6.delete(made)
    shiboken6.delete(look)


@pytest.fixture
def open_window(window, qtbot, study):
    """The window with the small project open and drawn."""
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(study.path)
    qtbot.waitUntil(lambda: window.bench.compare.scene is not None)
    return window
