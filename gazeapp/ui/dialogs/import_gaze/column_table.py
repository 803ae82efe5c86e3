"""The top of a table, with what each of its columns is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.widgets import plain, set_up_rows

ROLE_WORDS = {
    "": "not used",
    "image": "image",
    "subject": "subject",
    "x": "x",
    "y": "y",
    "task": "task",
    "trial": "trial",
    "index": "fixation number",
    "start": "begin",
    "end": "end",
    "duration": "duration",
    "eye": "eye",
    "valid": "valid or not",
    "time": "time of sample",
}
"""What a column can be, as the window says it; the empty role is none."""

_LEAST, _MOST = 104, 216
_ROW = 28
_ARROW = 44
_AnyIndex = QModelIndex | QPersistentModelIndex


class _Cells(QAbstractTableModel):
    """The first rows; columns that are not used are paler."""

    def __init__(self) -> None:
        super().__init__()
        self.header: tuple[str, ...] = ()
        self.rows: tuple[tuple[str, ...], ...] = ()
        self.roles: list[str] = []

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        """Return how many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: _AnyIndex | None = None) -> int:
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(self.header)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return row[column][:200] if column < len(row) else ""
        if role == Qt.ItemDataRole.ForegroundRole and not self.roles[column]:
            return theme.brush(theme.colors().faint)
        return None


class _Roles(_Cells):
    """One row that says what each column is, under the names that the columns have in the file."""

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        """Return the one row."""
        return 0 if parent is not None and parent.isValid() else 1

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a column is."""
        what = self.roles[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return ROLE_WORDS[what]
        if role == Qt.ItemDataRole.UserRole:
            return what
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return plain(f"{self.header[index.column()][:200]}: {ROLE_WORDS[what]}")
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the names of the columns in the file."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.header[section][:80] or "(no name)"
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(self.header[section][:1000])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: _AnyIndex) -> Qt.ItemFlag:
        """Return that each can be chosen."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable


class _Chooser(QStyledItemDelegate):
    """Draws what a column is like a closed list, and opens it."""

    chosen = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.offered: tuple[str, ...] = tuple(ROLE_WORDS)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        """Draw the closed list; columns that are used stand out."""
        shades = theme.colors()
        used = bool(index.data(Qt.ItemDataRole.UserRole))
        current = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(shades.accent if current else shades.line))
        painter.setBrush(QColor(shades.accent_soft if used else shades.raised))
        area = QRectF(option.rect).adjusted(2.5, 2.5, -2.5, -2.5)
        painter.drawRoundedRect(area, 5, 5)
        painter.setPen(QColor(shades.text if used else shades.muted))
        text = option.rect.adjusted(10, 0, -24, 0)
        words = option.fontMetrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        arrow = theme.pixmap("down", shades.muted, 12)
        painter.drawPixmap(option.rect.right() - 20, option.rect.center().y() - 5, arrow)
        painter.restore()

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: _AnyIndex) -> QWidget:
        """Return the list, which opens at once."""
        box = QComboBox(parent)
        now = index.data(Qt.ItemDataRole.UserRole)
        for role in self.offered if now in self.offered else (*self.offered, now):
            box.addItem(ROLE_WORDS[role], role)
        box.setCurrentIndex(box.findData(now))
        box.setMaxVisibleItems(len(ROLE_WORDS))
        box.setAccessibleName("What the column is")
        column = index.column()
        box.activated.connect(lambda: self._take(box, column))
        QTimer.singleShot(0, box, box.showPopup)
        return box

    def setEditorData(self, editor: QWidget, index: _AnyIndex) -> None:
        """Keep the list as it was made."""

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _AnyIndex) -> None:
        """Leave the model to whoever is told what was chosen."""

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: _AnyIndex) -> None:
        """Lay the list over its cell."""
        area: QRect = option.rect
        editor.setGeometry(area)

    def _take(self, box: QComboBox, column: int) -> None:
        role = box.currentData()
        self.closeEditor.emit(box, QStyledItemDelegate.EndEditHint.NoHint)
        self.chosen.emit(column, role)


class _RoleRow(QTableView):
    """The row of closed lists; Enter, space and a click open one."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the list of the current column."""
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Down, Qt.Key.Key_F4)
        if event.key() in keys and self.currentIndex().isValid():
            self.edit(self.currentIndex())
            event.accept()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """Return the height of the names and of one row."""
        return QSize(super().sizeHint().width(), self.horizontalHeader().sizeHint().height() + _ROW + 8)

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height that the style gives the names."""
        super().showEvent(event)
        self.updateGeometry()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Begin with the first column."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.model().columnCount():
            self.setCurrentIndex(self.model().index(0, 0))


class ColumnTable(QWidget):
    """The first rows of a table, under a row of lists that say what each column is."""

    chosen = Signal(int, str)
    """The user says what a column is: its number and a key of :data:`ROLE_WORDS`."""

    def __init__(self) -> None:
        super().__init__()
        self._roles, self._cells = _Roles(), _Cells()
        self.top, self.body = _RoleRow(), QTableView()
        self._chooser = _Chooser(self.top)
        self._chooser.chosen.connect(self.chosen)
        self.top.setModel(self._roles)
        self.body.setModel(self._cells)
        self.top.setItemDelegate(self._chooser)
        for view, name in ((self.top, "What the columns are"), (self.body, "First rows of the file")):
            set_up_rows(view, name, _ROW)
            view.setFrameShape(QFrame.Shape.NoFrame)
            view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
            view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
            view.setVerticalScrollBarPolicy(
                Qt.ScrollBarPolicy.ScrollBarAlwaysOff
                if view is self.top
                else Qt.ScrollBarPolicy.ScrollBarAlwaysOn
            )
        self.top.verticalHeader().setDefaultSectionSize(_ROW + 4)
        self.top.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.top.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # The same margin at the right keeps both rows of columns in step.
        self.top.setViewportMargins(0, 0, self.body.verticalScrollBar().sizeHint().width(), 0)
        self.body.horizontalHeader().hide()
        self.body.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.top.clicked.connect(self.top.edit)
        self.top.horizontalHeader().sectionResized.connect(self._resized)
        self.top.horizontalScrollBar().valueChanged.connect(self.body.horizontalScrollBar().setValue)
        self.body.horizontalScrollBar().valueChanged.connect(self.top.horizontalScrollBar().setValue)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addWidget(self.body, 1)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns in the file."""
        return self._roles.header

    @property
    def roles(self) -> list[str]:
        """What each column is; empty for those that are not used."""
        return list(self._roles.roles)

    def set_offered(self, roles: Sequence[str]) -> None:
        """Say what columns can be; being none always is possible."""
        self._chooser.offered = ("", *roles)

    def set_table(
        self, header: tuple[str, ...], rows: tuple[tuple[str, ...], ...], columns: Mapping[str, str]
    ) -> None:
        """Show the top of a table.

        Parameters
        ----------
        header
            Names of the columns.
        rows
            Cells of the first rows.
        columns
            Name of the column by what it is.
        """
        by_name = {name: role for role, name in columns.items()}
        roles = []
        for name in header:
            # Of columns with one name the first is meant.
            roles.append(by_name.pop(name, ""))
        fresh = header != self._roles.header
        for model in (self._roles, self._cells):
            model.beginResetModel()
            model.header, model.rows, model.roles = header, rows, roles
            model.endResetModel()
        if fresh:
            self._fit()

    def _fit(self) -> None:
        """Make columns as wide as what is in them, within bounds."""
        metrics = self.fontMetrics()
        for number, name in enumerate(self._roles.header):
            texts = [name, *(row[number] for row in self._cells.rows[:8] if number < len(row))]
            width = max(metrics.horizontalAdvance(text[:40]) for text in texts) + 28
            role = ROLE_WORDS[self._roles.roles[number]]
            width = max(width, metrics.horizontalAdvance(role) + _ARROW)
            self.top.setColumnWidth(number, min(max(width, _LEAST), _MOST))

    @Slot(int, int, int)
    def _resized(self, column: int, _old: int, new: int) -> None:
        self.body.setColumnWidth(column, new)
