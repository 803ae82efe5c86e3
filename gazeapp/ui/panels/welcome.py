"""The page before a project is open: the demo, a new project, an old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.widgets import icon_button, label, plain

_WIDTH = 880
_CARD = QSize(280, 156)


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project opened before; ``reason`` says why it cannot be opened now."""

    path: Path
    reason: str = ""

    @classmethod
    def of(cls, path: Path) -> RecentProject:
        """Look whether ``path`` is still there."""
        return cls(path, "" if path.is_file() else "the file is not there any more")


class Card(QPushButton):
    """A large button with an icon, a title and a sentence."""

    def __init__(self, icon: str, title: str, text: str, action: QAction) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.setFixedSize(_CARD)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        picture = QLabel()
        theme.set_icon(picture, icon, 24)
        self._text = label(text, "muted", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(theme.STEP)
        for part in (picture, label(title, "title"), self._text):
            column.addWidget(part)
        column.addStretch(1)
        column.addWidget(self._bar)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._words = text
        follow(self, action)

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Show how far the work behind the card is; an empty ``text`` ends that."""
        self._text.setText(text or self._words)
        self._bar.setVisible(bool(text))
        self._bar.setRange(0, max(total, 0))
        self._bar.setValue(done)


class RecentLine(QWidget):
    """One recent project: a button to open it, or the reason why it cannot be."""

    chosen = Signal(object)
    dropped = Signal(object)

    def __init__(self, project: RecentProject) -> None:
        super().__init__()
        self.project = project
        self.button = QPushButton()
        self.button.setObjectName("recent")
        self.button.setAccessibleName(f"Open {project.path.name}")
        self.button.setEnabled(not project.reason)
        self.button.setToolTip(project.reason or plain(str(project.path)))
        self.button.clicked.connect(self._choose)
        name = label(project.path.stem)
        where = label(project.reason or _home(project.path.parent), "muted")
        where.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        name.setEnabled(not project.reason)
        inner = QHBoxLayout(self.button)
        inner.setContentsMargins(12, 0, 12, 0)
        inner.setSpacing(16)
        inner.addWidget(name)
        inner.addWidget(where, 1)
        for part in (name, where):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.button.setMinimumHeight(32)
        drop = icon_button("close", "Take out of this list")
        drop.clicked.connect(self._drop)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.button, 1)
        row.addWidget(drop)

    @Slot()
    def _choose(self) -> None:
        self.chosen.emit(self.project.path)

    @Slot()
    def _drop(self) -> None:
        self.dropped.emit(self.project.path)


class WelcomePage(QWidget):
    """Three cards, the recent projects, and where things can be dropped."""

    chosen = Signal(object)
    dropped = Signal(object)
    painted = Signal()
    """Once, when the page is in sight."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.demo = Card(
            "play",
            "Open the demo study",
            "48 drawn scenes, 12 simulated observers, four models: everything works on it.",
            actions["file.demo"],
        )
        new = Card(
            "plus", "New project", "Start from a folder of images, then add recordings.", actions["file.new"]
        )
        old = Card("folder", "Open a project", "A .gaze file made here or elsewhere.", actions["file.open"])
        self._recent = QVBoxLayout()
        self._recent.setSpacing(4)
        self._recent_title = label("RECENT", "section")
        self.lines: list[RecentLine] = []
        self._seen = False
        self._build([self.demo, new, old])
        self.show_recent(())

    def show_recent(self, projects: Sequence[RecentProject]) -> None:
        """Show the recent projects, newest first."""
        for line in self.lines:
            self._recent.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = [RecentLine(project) for project in projects]
        for line in self.lines:
            line.chosen.connect(self.chosen)
            line.dropped.connect(self.dropped)
            self._recent.addWidget(line)
        self._recent_title.setVisible(bool(self.lines))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and tell of the first time."""
        super().paintEvent(event)
        if not self._seen:
            self._seen = True
            self.painted.emit()

    def _build(self, cards: list[Card]) -> None:
        logo = QLabel()
        theme.set_icon(logo, "gazeapp", 56)
        name = label("gazeapp", "display")
        line = label("Where people look, where models attend, and how far the two agree.", "muted")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(line)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(logo)
        head.addLayout(words, 1)
        row = QGridLayout()
        row.setSpacing(16)
        for place, card in enumerate(cards):
            row.addWidget(card, 0, place)
        hint = label("Or drop a folder of images or a .gaze file anywhere in this window.", "muted")
        body = QWidget()
        body.setFixedWidth(_WIDTH)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 48, 0, 48)
        column.setSpacing(0)
        column.addStretch(2)
        column.addLayout(head)
        column.addSpacing(40)
        column.addLayout(row)
        column.addSpacing(16)
        column.addWidget(hint)
        column.addSpacing(40)
        column.addWidget(self._recent_title)
        column.addSpacing(8)
        column.addLayout(self._recent)
        column.addStretch(3)
        outer = QWidget()
        centre = QHBoxLayout(outer)
        centre.addStretch(1)
        centre.addWidget(body)
        centre.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(outer)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)


def _home(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except ValueError:
        return str(path)
