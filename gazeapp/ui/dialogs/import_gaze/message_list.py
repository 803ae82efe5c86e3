"""The messages of a recording, each with what it does by the rules for trials."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from gazeapp.engine.gaze.trial_rules import PreviewRow
from gazeapp.ui import theme
from gazeapp.ui.widgets import plain, set_up_rows

ROLE_COLOURS = {"start": "#009E73", "end": "#CC79A7", "image": "#0072B2"}
"""Colours that colour-blind eyes tell apart; the words say the same."""

_WORDS = {"start": "starts a trial", "end": "ends a trial", "image": "names an image", "other": ""}
_HEADS = ("What it does", "Message", "Found in it")
_AnyIndex = QModelIndex | QPersistentModelIndex


class _Messages(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[PreviewRow] = []

    def set_rows(self, rows: Sequence[PreviewRow]) -> None:
        """Show messages."""
        same = len(rows) == len(self.rows)
        if not same:
            self.beginResetModel()
        self.rows = list(rows)
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(_HEADS) - 1))

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        """Return how many messages there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: _AnyIndex | None = None) -> int:
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(_HEADS)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (_WORDS[row.role], row.message[:300], _found(row))[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(row.message[:1000])
        if role == Qt.ItemDataRole.ForegroundRole and row.role == "other":
            return theme.brush(theme.colors().muted)
        if role == Qt.ItemDataRole.UserRole:
            return row.role
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the heads of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None


def _found(row: PreviewRow) -> str:
    """Return the label of the trial and the name of the image in a message."""
    parts = [f"trial {row.found}" if row.role == "start" and row.found else "", row.image]
    return " · ".join(part for part in parts if part)


class _RoleDelegate(QStyledItemDelegate):
    """Draws a bar in the colour of what a message does before its cells."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        """Draw a cell."""
        super().paint(painter, option, index)
        colour = ROLE_COLOURS.get(index.data(Qt.ItemDataRole.UserRole))
        if index.column() == 0 and colour:
            area: QRect = option.rect
            painter.fillRect(QRect(area.left(), area.top() + 3, 4, area.height() - 6), QColor(colour))


class MessageList(QTableView):
    """A table of messages; the current one is what buttons beside it are about."""

    def __init__(self) -> None:
        super().__init__()
        self._model = _Messages()
        self.setModel(self._model)
        self.setItemDelegate(_RoleDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        set_up_rows(self, "Messages", 26)
        head = self.horizontalHeader()
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        head.resizeSection(0, 136)
        head.resizeSection(2, 176)

    @property
    def message(self) -> str:
        """The current message; empty when there is none."""
        row = self.currentIndex().row()
        return self._model.rows[row].message if 0 <= row < len(self._model.rows) else ""

    @property
    def rows(self) -> list[PreviewRow]:
        """What is shown."""
        return list(self._model.rows)

    def set_rows(self, rows: Sequence[PreviewRow]) -> None:
        """Show messages; the current one stays where it is while their number stays the same."""
        self._model.set_rows(rows)

    def sizeHint(self) -> QSize:
        """Return a size that shows some messages."""
        return QSize(560, 240)
