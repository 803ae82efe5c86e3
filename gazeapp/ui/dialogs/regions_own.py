"""Regions that the user picked on the cortex: to rename and to delete."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.dialogs.name_list import NameList
from gazeapp.ui.widgets import label

_NONE = (
    "There is no region of your own yet. Pick one on the cortex: in the panel NEURAL, page Cortex, click or grow a "
    "region and keep it under a name."
)


class OwnRegions(QWidget):
    """The regions that the user picked, with their size."""

    renamed = Signal(str, str)
    """A region is to have another name: the old one, the new one."""
    unwanted = Signal(str)
    """A region is to be deleted: its name."""

    def __init__(self) -> None:
        super().__init__()
        self.list = NameList("Regions of your own")
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
        self.rename.clicked.connect(self.list.edit_current)
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
                self.list.add_name(name).setToolTip(_vertices(size))
            self.list.setCurrentRow(min(row, len(sizes) - 1))
        self._explain()

    @Slot()
    def _explain(self, _row: int = 0) -> None:
        name = self.list.current
        self.says.setText(f"{name}: {_vertices(self._sizes[name])} of fsaverage5." if name else _NONE)
        for button in (self.rename, self.delete):
            button.setEnabled(bool(name))
            button.setToolTip("" if name else "There is no region of your own yet.")

    @Slot(object)
    def _name_edited(self, item: QListWidgetItem) -> None:
        old, new = self.list.name_of(item), item.text().strip()
        with QSignalBlocker(self.list):
            item.setText(old)  # until it is stored
        if new and new != old:
            self.renamed.emit(old, new)

    @Slot()
    def _delete(self) -> None:
        if self.list.current:
            self.unwanted.emit(self.list.current)


def _vertices(number: int) -> str:
    return f"{number:,} {'vertex' if number == 1 else 'vertices'}"
