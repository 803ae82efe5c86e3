"""A list of names that are changed in place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QListWidget, QListWidgetItem

_NAME = Qt.ItemDataRole.UserRole


class NameList(QListWidget):
    """A list of names, each to be edited; an entry remembers its name while another is typed."""

    def __init__(self, about: str) -> None:
        super().__init__()
        self.setAccessibleName(about)
        self.setEditTriggers(QListWidget.EditTrigger.EditKeyPressed | QListWidget.EditTrigger.DoubleClicked)

    @property
    def current(self) -> str:
        """The chosen name; empty where there is none."""
        item = self.currentItem()
        return self.name_of(item) if item is not None else ""

    def name_of(self, item: QListWidgetItem) -> str:
        """Return the name of an entry, whatever is typed there."""
        name: str = item.data(_NAME)
        return name

    def set_name(self, item: QListWidgetItem, name: str) -> None:
        """Give an entry a name."""
        item.setData(_NAME, name)
        item.setText(name)

    def add_name(self, name: str) -> QListWidgetItem:
        """Add an entry at the end."""
        item = QListWidgetItem(name)
        item.setData(_NAME, name)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self.addItem(item)
        return item

    @Slot()
    def edit_current(self) -> None:
        """Let the user type another name for the chosen entry."""
        item = self.currentItem()
        if item is not None:
            self.setFocus()
            self.editItem(item)
