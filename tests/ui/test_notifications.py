"""What goes wrong is told, saved, and never ends the window."""

import sys
import threading
import warnings

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from gazeapp.engine.errors import GazeError
from gazeapp.ui.notifications import Notice, Notifications, Strip


@pytest.fixture
def notifications(qapp, tmp_path):
    made = Notifications(folder=tmp_path / "crashes")
    hooks = (sys.excepthook, threading.excepthook, warnings.showwarning)
    made.install()
    yield made
    made.uninstall()
    assert (sys.excepthook, threading.excepthook, warnings.showwarning) == hooks


@pytest.fixture
def strip(notifications, qtbot):
    made = Strip(notifications)
    qtbot.addWidget(made)
    return made


def test_an_uncaught_exception_is_shown_and_saved(strip, tmp_path):
    try:
        raise ValueError("boom <b>")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert strip.isVisibleTo(None)
    assert "ValueError: boom <b>" in strip.notice.what
    (report,) = (tmp_path / "crashes").iterdir()
    assert "raise ValueError" in report.read_text()
    assert str(report) == strip.notice.where


def test_an_exception_in_a_thread_reaches_the_strip(strip, qtbot):
    def fail():
        raise RuntimeError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: strip.notice is not None)
    assert "in a thread" in strip.notice.what


def test_an_exception_in_a_slot_reaches_the_strip(strip):
    class Sender(QObject):
        go = Signal()

    def fail():
        raise RuntimeError("in a slot")

    sender = Sender()
    sender.go.connect(fail)
    sender.go.emit()
    assert "in a slot" in strip.notice.what


def test_an_error_for_the_user_keeps_its_sentences_and_leaves_no_crash_report(notifications, strip, tmp_path):
    notifications.error(GazeError("No such image.", where="b.png", todo="Add it."))
    assert strip.notice == Notice("problem", "No such image.", "b.png", "Add it.")
    assert not (tmp_path / "crashes").exists()


def test_a_crash_report_that_cannot_be_written_is_no_second_crash(notifications, strip, tmp_path):
    (tmp_path / "crashes").write_text("a file in the way")
    notifications.error(ValueError("boom"))
    assert "boom" in strip.notice.what
    assert strip.notice.where == ""


def test_notices_queue_and_the_same_one_shows_once(notifications, strip):
    for what in ("first", "second", "first"):
        notifications.problem(what)
    assert strip.notice.what == "first"
    strip._dismiss()
    assert strip.notice.what == "second"
    strip._dismiss()
    assert strip.notice is None
    assert not strip.isVisibleTo(None)


def test_details_can_be_copied(notifications, strip):
    notifications.problem("What.", where="Where.", todo="Do this.", details="Trace.")
    strip._copy_details()
    assert QGuiApplication.clipboard().text() == "What.\nWhere.\nDo this.\nTrace."


def test_a_warning_disturbs_nobody(strip):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning("old", UserWarning, "f.py", 1)
    assert strip.notice is None
