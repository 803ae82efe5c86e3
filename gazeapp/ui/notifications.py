"""Telling the user what went wrong: one manager, one quiet strip, nothing that quits the window."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

import gazeapp
from gazeapp.engine.errors import GazeError
from gazeapp.ui import theme

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell: ``level`` is ``problem`` or ``note``; the rest as in a GazeError."""

    level: str
    what: str
    where: str = ""
    todo: str = ""
    details: str = ""

    @property
    def text(self) -> str:
        """Everything, for the clipboard."""
        return "\n".join(part for part in (self.what, self.where, self.todo, self.details) if part)


def crash_folder() -> Path:
    """Return the folder of crash reports, in the user's own data folder."""
    from platformdirs import user_data_path

    return user_data_path("gazeapp", appauthor=False) / "crashes"


class Notifications(QObject):
    """Collects notices from anywhere, any thread; panels follow ``notified``.

    While installed it receives Python's uncaught exceptions, in every thread, and its warnings.
    An exception is written to a crash report and shown; the window stays open.
    """

    notified = Signal(object)

    def __init__(self, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._old: tuple[object, object, object] | None = None
        self._busy = threading.local()

    def install(self) -> None:
        """Take over the hooks of Python."""
        self._old = (sys.excepthook, threading.excepthook, warnings.showwarning)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        warnings.showwarning = self._warned

    def uninstall(self) -> None:
        """Give the hooks back."""
        if self._old is not None:
            sys.excepthook, threading.excepthook, warnings.showwarning = self._old  # type: ignore[assignment]
            self._old = None

    def note(self, what: str, *, where: str = "", todo: str = "") -> None:
        """Say something that is no problem."""
        self.notified.emit(Notice("note", what, where, todo))

    def problem(self, what: str, *, where: str = "", todo: str = "", details: str = "") -> None:
        """Say that something went wrong."""
        self.notified.emit(Notice("problem", what, where, todo, details))

    def error(self, error: BaseException) -> None:
        """Show an exception: a GazeError as its sentences, anything else with a crash report."""
        if isinstance(error, GazeError):
            self.problem(error.what, where=error.where, todo=error.todo)
            return
        trace = "".join(traceback.format_exception(error))
        _log.error("uncaught exception\n%s", trace)
        saved = self._save(trace)
        self.problem(
            f"gazeapp met an error that it did not expect ({type(error).__name__}: {error}).",
            where=str(saved) if saved else "",
            todo="Your study is safe and you can go on. Please report it with the details.",
            details=trace,
        )

    def _save(self, trace: str) -> Path | None:
        now = datetime.now(UTC)
        try:
            folder = self._folder or crash_folder()
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"crash-{now:%Y%m%d-%H%M%S-%f}.txt"
            path.write_text(
                f"gazeapp {gazeapp.__version__}, Python {sys.version}, {sys.platform}\n{now.isoformat()}\n\n{trace}",
                encoding="utf-8",
            )
        except OSError:
            _log.exception("the crash report could not be written")
            return None
        return path

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        if getattr(self._busy, "now", False):
            sys.__excepthook__(kind, error, trace)
            return
        self._busy.now = True
        try:
            self.error(error.with_traceback(trace))
        finally:
            self._busy.now = False

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and args.exc_type is not SystemExit:
            self._uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def _warned(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG002 - Python calls it with these six
        line: str | None = None,  # noqa: ARG002
    ) -> None:
        _log.warning("%s (%s, %s:%s)", message, category.__name__, filename, lineno)


class Strip(QFrame):
    """A quiet line above the panels: what, where, what to do; further notices wait behind it."""

    def __init__(self, notifications: Notifications, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAccessibleName("Message")
        self._waiting: list[Notice] = []
        self._icon = QLabel()
        self._what = _wrapped()
        self._more = _wrapped()
        theme.set_role(self._more, "muted")
        self._count = QLabel()
        theme.set_role(self._count, "muted")
        self._copy = QPushButton("Copy details")
        theme.set_role(self._copy, "quiet")
        self._copy.clicked.connect(self._copy_details)
        self._close = QToolButton()
        self._close.setToolTip("Dismiss this message")
        self._close.setAccessibleName("Dismiss this message")
        theme.set_icon(self._close, "close")
        self._close.clicked.connect(self._dismiss)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._more)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for widget in (self._count, self._copy, self._close):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()
        notifications.notified.connect(self.show_notice)

    @property
    def notice(self) -> Notice | None:
        """The notice in sight."""
        return self._waiting[0] if self._waiting else None

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Show ``notice`` now, or after those before it; the same one twice is shown once."""
        if notice in self._waiting:
            return
        self._waiting.append(notice)
        self._show()

    @Slot()
    def _dismiss(self) -> None:
        self._waiting = self._waiting[1:]
        self._show()

    @Slot()
    def _copy_details(self) -> None:
        if self.notice is not None:
            QGuiApplication.clipboard().setText(self.notice.text)

    def _show(self) -> None:
        notice = self.notice
        if notice is None:
            self.hide()
            return
        self.setProperty("level", notice.level)
        self.style().unpolish(self)
        self.style().polish(self)
        theme.set_icon(self._icon, "warning" if notice.level == "problem" else "info")
        self._what.setText(notice.what)
        self._more.setText("\n".join(part for part in (notice.where, notice.todo) if part))
        self._more.setVisible(bool(notice.where or notice.todo))
        self._copy.setVisible(notice.level == "problem")
        waiting = len(self._waiting) - 1
        self._count.setText(f"{waiting} more" if waiting else "")
        self.show()


def _wrapped() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    return label
