"""The list of files at the left of the import dialog."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.dialogs.import_gaze.entries import BAD, CAUTION, GOOD, READING, Entry
from gazeapp.ui.drops import gaze_filter
from gazeapp.ui.folders import GAZE, ask_for_files
from gazeapp.ui.theme import STEP, colors

_ENTRY = Qt.ItemDataRole.UserRole
_ICONS = {READING: "clock", BAD: "warning", CAUTION: "info", GOOD: "check"}
_WORDS = {
    READING: "being read",
    BAD: "cannot be imported as it is",
    CAUTION: "can be imported; there is something to know",
    GOOD: "can be imported",
}
_Index = QModelIndex | QPersistentModelIndex


class FileModel(QAbstractListModel):
    """The files in their order."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def add(self, entries: Sequence[Entry]) -> None:
        """Put files at the end."""
        begin = len(self.entries)
        self.beginInsertRows(QModelIndex(), begin, begin + len(entries) - 1)
        self.entries.extend(entries)
        self.endInsertRows()

    def remove(self, row: int) -> None:
        """Take a file out."""
        self.beginRemoveRows(QModelIndex(), row, row)
        del self.entries[row]
        self.endRemoveRows()

    def tell(self, entry: Entry) -> None:
        """Draw a file again."""
        if entry in self.entries:
            index = self.index(self.entries.index(entry))
            self.dataChanged.emit(index, index)

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the number of files."""
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a line says."""
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == _ENTRY:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            lines = [entry.file, _WORDS[entry.state], entry.format_in_words(), entry.counts_in_words()]
            return "\n".join(line for line in lines if line)
        return None


class _Delegate(QStyledItemDelegate):
    """Draws a file: what state it is in, its name, its format, what is in it."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """Return the size of a line."""
        return QSize(24 * STEP, 3 * _line_height(option.font) + 2 * STEP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a file."""
        entry: Entry = index.data(_ENTRY)
        shades = colors()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(STEP / 2, 1, -STEP / 2, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(shades.accent_soft if selected else shades.hover))
            painter.drawRoundedRect(area, 6, 6)
        state = entry.state
        alarming = state == BAD
        height = _line_height(option.font)
        top, left = option.rect.top() + STEP, option.rect.left() + 2 * STEP
        tint = shades.warning if alarming else shades.accent if state == GOOD else shades.muted
        painter.drawPixmap(left, top + (height - 16) // 2, theme.pixmap(_ICONS[state], tint))
        text = option.rect.adjusted(5 * STEP, STEP, -STEP, 0)
        lines = [
            (entry.name, shades.text),
            (entry.format_in_words(), shades.muted),
            (entry.counts_in_words(), shades.warning if alarming else shades.muted),
        ]
        for number, (words, color) in enumerate(line for line in lines if line[0]):
            painter.setFont(option.font if number == 0 else _small(option.font))
            painter.setPen(QColor(color))
            line = text.translated(0, number * height)
            line.setHeight(height)
            side = Qt.TextElideMode.ElideRight if number else Qt.TextElideMode.ElideMiddle
            shown = QFontMetrics(painter.font()).elidedText(words, side, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()


class FileList(QWidget):
    """The files with buttons to add some and to take some out.

    ``chosen`` brings the entry in sight (None without files), ``added`` paths, ``removed`` an entry.
    """

    chosen = Signal(object)
    added = Signal(list)
    removed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.model = FileModel(self)
        self.view = QListView()
        self.view.setAccessibleName("Files to import")
        self.view.setModel(self.model)
        self.view.setItemDelegate(_Delegate(self.view))
        self.view.setMouseTracking(True)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setUniformItemSizes(True)
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        add, self._remove = _button("Add files…", "plus"), _button("Remove", "close")
        add.setToolTip("Add recordings (Ctrl+O); they can also be dropped anywhere on this window.")
        self._remove.setToolTip("Take this file out of the list (Delete); the file itself stays.")
        add.clicked.connect(self.ask)
        self._remove.clicked.connect(self.remove_current)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Open), self).activated.connect(self.ask)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.view)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove_current)
        buttons = QHBoxLayout()
        buttons.setSpacing(STEP)
        buttons.addWidget(add)
        buttons.addWidget(self._remove)
        buttons.addStretch(1)
        self.setMinimumWidth(30 * STEP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        column.addWidget(self.view, 1)
        column.addLayout(buttons)

    @property
    def entries(self) -> list[Entry]:
        """All files, in order."""
        return self.model.entries

    @property
    def current(self) -> Entry | None:
        """The file in sight."""
        return self.view.currentIndex().data(_ENTRY) if self.view.currentIndex().isValid() else None

    def add(self, entries: Sequence[Entry]) -> None:
        """Put files at the end; the first of them comes into sight when none is."""
        if not entries:
            return
        first = len(self.entries)
        self.model.add(entries)
        if self.current is None:
            self.view.setCurrentIndex(self.model.index(first))

    def tell(self, entry: Entry) -> None:
        """Draw a file again."""
        self.model.tell(entry)

    @Slot()
    def ask(self) -> None:
        """Ask for files to add."""
        files = ask_for_files(self, "Add recordings", GAZE, gaze_filter())
        if files:
            self.added.emit(files)

    @Slot()
    def remove_current(self) -> None:
        """Take the file in sight out of the list."""
        entry = self.current
        if entry is not None:
            self.model.remove(self.entries.index(entry))
            self.removed.emit(entry)

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        self._remove.setEnabled(index.isValid())
        self.chosen.emit(index.data(_ENTRY) if index.isValid() else None)


def _button(text: str, icon: str) -> QPushButton:
    button = QPushButton(text)
    theme.set_icon(button, icon)
    theme.set_role(button, "quiet")
    button.setAutoDefault(False)
    return button


def _small(font: QFont) -> QFont:
    made = theme.tabular(font)
    if made.pixelSize() > 0:
        made.setPixelSize(made.pixelSize() - 1)
    else:
        made.setPointSizeF(made.pointSizeF() - 0.75)
    return made


def _line_height(font: QFont) -> int:
    return QFontMetrics(font).height() + 2
