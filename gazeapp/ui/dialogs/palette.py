"""The command palette: type a few letters, press Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.action_table import infos
from gazeapp.ui.actions import Actions

_SHOWN = 60
_ROW = 28


@dataclass(frozen=True)
class Entry:
    """One line of the palette; ``reason`` says why it cannot be used now."""

    text: str
    hint: str
    run: Callable[[], None]
    reason: str = ""


def entries_of(actions: Actions) -> list[Entry]:
    """Return one entry an action, with its menu and keys."""
    made = []
    for info in infos():
        if info.id == "help.palette":
            continue
        keys = actions.keys(info.id)
        text = f"{info.menu.replace('&', '')}  ›  {info.text}"
        made.append(Entry(text, keys, actions[info.id].trigger, actions.reason(info.id)))
    return made


def matches(query: str, text: str) -> bool:
    """Return whether every word of ``query`` is part of ``text``, in any case and order."""
    low = text.lower()
    return all(part in low for part in query.lower().split())


class Palette(QFrame):
    """A popup with a line to type in and the actions that match."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._window = parent
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        self._entries: list[Entry] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type what to do, or the name of an image")
        self.field.setAccessibleName("Search commands")
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._run_item)

    def open_with(self, entries: Sequence[Entry]) -> None:
        """Show the palette over the top of its window."""
        self._entries = list(entries)
        self.field.clear()
        self._filter("")
        parent = self._window
        width = min(600, parent.width() - 64)
        self.resize(width, min(420, parent.height() - 128))
        self.move(parent.mapToGlobal(QPoint((parent.width() - width) // 2, 64)))
        self.show()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let arrows and Enter in the line work on the list."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._step(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run_item(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _step(self, step: int) -> None:
        count = self.list.topLevelItemCount()
        if count:
            row = (self.list.indexOfTopLevelItem(self.list.currentItem()) + step) % count
            self._choose(row)

    @Slot(str)
    def _filter(self, query: str) -> None:
        self.list.clear()
        shades = theme.colors()
        for entry in [e for e in self._entries if matches(query, e.text)][:_SHOWN]:
            item = QTreeWidgetItem([entry.text, entry.reason or entry.hint])
            item.setData(0, Qt.ItemDataRole.UserRole, self._entries.index(entry))
            item.setSizeHint(0, QSize(0, _ROW))
            for column in (0, 1):
                if column == 1 or entry.reason:
                    item.setForeground(column, theme.brush(shades.faint if entry.reason else shades.muted))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.list.addTopLevelItem(item)
        self._choose(0)

    def _choose(self, row: int) -> None:
        item = self.list.topLevelItem(row)
        if item is not None:
            self.list.setCurrentItem(item)

    @Slot(QTreeWidgetItem)
    def _run_item(self, item: QTreeWidgetItem | None, _column: int = 0) -> None:
        if item is None:
            return
        entry = self._entries[item.data(0, Qt.ItemDataRole.UserRole)]
        if entry.reason:
            return
        self.close()
        entry.run()
