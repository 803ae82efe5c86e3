"""All keys on one sheet, and what this gazeapp is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

import gazeapp
from gazeapp.ui import theme
from gazeapp.ui.action_table import BRAIN, EDIT, FILE, HELP, MASK, MODELS, STUDY, VIEW, infos
from gazeapp.ui.actions import Actions
from gazeapp.ui.widgets import label

IN_THE_PANES = (
    ("1 … 9", "Focus a pane"),
    ("0 or double click", "Show the whole image"),
    ("Esc", "Back to the caption's mean map"),
    ("Wheel", "Zoom all panes at the cursor"),
    ("Drag", "Move the image in all panes"),
    ("Space and drag", "Move it while painting"),
    ("Ctrl and wheel", "Size of the brush"),
    ("Arrows, Return, Esc", "Nudge, keep, put back a scanpath"),
)


_COLUMNS = ((FILE, EDIT, STUDY, MODELS, BRAIN), (MASK,), (VIEW, HELP))
_HIGHEST = 640


class ShortcutsDialog(QDialog):
    """Every action that has a key, by menu; scrolls where the screen is low."""

    def __init__(self, parent: QWidget | None, actions: Actions) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        sheets = QWidget()
        columns = QHBoxLayout(sheets)
        columns.setContentsMargins(0, 0, 16, 0)
        columns.setSpacing(24)
        for menus in _COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(16)
            for menu in menus:
                column.addLayout(_sheet(menu.replace("&", "").upper(), _keys_of(menu, actions)))
            if menus == _COLUMNS[-1]:
                column.addLayout(_sheet("IN THE PANES", IN_THE_PANES))
            column.addStretch(1)
            columns.addLayout(column)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(sheets)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 24, 8, 16)
        whole.setSpacing(16)
        whole.addWidget(label("Keyboard shortcuts", "title"))
        whole.addWidget(scroll, 1)
        whole.addWidget(_close(self))
        room = sheets.sizeHint()
        rest = self.sizeHint().height() - scroll.sizeHint().height()
        bar = scroll.verticalScrollBar().sizeHint().width()
        self.resize(room.width() + bar + 32, min(room.height() + rest + 2, _HIGHEST))


class AboutDialog(QDialog):
    """Version and libraries."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        from gazeapp.engine.project.settings import versions

        self.setWindowTitle("About gazeapp")
        logo = QLabel()
        theme.set_icon(logo, "gazeapp", 56)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(logo)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label("gazeapp", "display"))
        words.addWidget(label(f"version {gazeapp.__version__}", "muted"))
        head.addLayout(words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 32, 32, 16)
        column.setSpacing(24)
        column.addLayout(head)
        text = label(
            "Where people look, where vision-language models attend, and how far the two agree.", wrap=True
        )
        text.setMinimumWidth(360)
        column.addWidget(text)
        rows = [(str(value), str(name)) for name, value in versions().items() if name != "gazeapp"]
        column.addLayout(_sheet("LIBRARIES", rows, keys=False))
        column.addWidget(_close(self))


def _keys_of(menu: str, actions: Actions) -> list[tuple[str, str]]:
    return [
        (actions.keys(info.id), info.text.rstrip("…"))
        for info in infos()
        if info.menu == menu and info.shortcuts
    ]


def _sheet(title: str, rows: Sequence[tuple[str, str]], *, keys: bool = True) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    grid.addWidget(label(title, "section"), 0, 0, 1, 2)
    for row, (key, text) in enumerate(rows, start=1):
        grid.addWidget(label(text), row, 0)
        grid.addWidget(label(key, "key" if keys else "muted"), row, 1, Qt.AlignmentFlag.AlignRight)
    grid.setRowStretch(len(rows) + 1, 1)
    return grid


def _close(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    return buttons
