"""Regions that the user picked on the cortex: to rename and to delete."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import label

_NAME = Qt.ItemDataRole.UserRole
_NONE = (
    "There is no region of your own yet. Pick one on the cortex: Brain responses, page Cortex, click or grow a region "
    "there and keep it under a name."
)


class OwnRegions(QWidget):
    """The regions that the user picked, with their size."""

    renamed = Signal(str, str)
    """A region is to have another name: the old one, the new one."""
    unwanted = Signal(str)
    """A region is to be deleted: its name."""

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName("Regions of your own")
        self.list.setEditTriggers(
            QListWidget.EditTrigger.EditKeyPressed | QListWidget.EditTrigger.DoubleClicked
        )
        self.rename, self.delete = QPushButton("Rename"), QPushButton("Delete…")
        self.says = label("", "muted", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(theme.STEP)
        for button in (self.rename, self.delete):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.STEP, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(self.says)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.setFocusProxy(self.list)
        self._sizes: dict[str, int] = {}
        self.list.currentRowChanged.connect(self._explain)
        self.list.itemChanged.connect(self._name_edited)
        self.rename.clicked.connect(self._edit_name)
        self.delete.clicked.connect(self._delete)
        self.show_regions({})

    def show_regions(self, sizes: Mapping[str, int]) -> None:
        """Show regions by name, with their number of vertices."""
        if sizes and sizes == self._sizes:
            return  # a name that is being edited stays as it is
        row = max(self.list.currentRow(), 0)
        self._sizes = dict(sizes)
        with QSignalBlocker(self.list):
            self.list.clear()
            for name, size in sizes.items():
                item = QListWidgetItem(name)
                item.setData(_NAME, name)
                item.setToolTip(_vertices(size))
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                self.list.addItem(item)
            self.list.setCurrentRow(min(row, len(sizes) - 1))
        self._explain()

    @property
    def _current(self) -> str:
        item = self.list.currentItem()
        return item.data(_NAME) if item is not None else ""

    @Slot()
    def _explain(self, _row: int = 0) -> None:
        name = self._current
        self.says.setText(f"{name}: {_vertices(self._sizes[name])} of fsaverage5." if name else _NONE)
        for button in (self.rename, self.delete):
            button.setEnabled(bool(name))
            button.setToolTip("" if name else "There is no region of your own yet.")

    @Slot()
    def _edit_name(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.list.setFocus()
            self.list.editItem(item)

    @Slot(object)
    def _name_edited(self, item: QListWidgetItem) -> None:
        old, new = item.data(_NAME), item.text().strip()
        with QSignalBlocker(self.list):
            item.setText(old)  # until it is stored
        if new and new != old:
            self.renamed.emit(old, new)

    @Slot()
    def _delete(self) -> None:
        if self._current:
            self.unwanted.emit(self._current)


def _vertices(number: int) -> str:
    return f"{number:,} {'vertex' if number == 1 else 'vertices'}"
