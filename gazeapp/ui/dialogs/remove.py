"""Take something out of the study: which of what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QWidget

from gazeapp.ui.dialogs.form import FormDialog

_KEY = Qt.ItemDataRole.UserRole


class RemoveDialog(FormDialog):
    """Asks what to take out; ``chosen`` holds its keys.

    Parameters
    ----------
    parent
        The window.
    title
        What is done, such as ``Remove recordings``.
    says
        What goes with them, as sentences.
    items
        What there is: a text to show by key.
    nouns
        What one and what several of them are called.
    """

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        says: str,
        items: Mapping[Any, str],
        nouns: tuple[str, str],
    ) -> None:
        super().__init__(parent, title, f"{says} This cannot be undone.", "Remove")
        self.resize(640, 480)
        self._one, self._several = nouns
        self._list = QListWidget()
        self._list.setAccessibleName(self._several.capitalize())
        self._list.setSpacing(2)
        for key, text in items.items():
            item = QListWidgetItem(text)
            item.setData(_KEY, key)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self._list.addItem(item)
        self._list.itemChanged.connect(self._explain)
        self.body.addWidget(self._list, 1)
        self._list.setFocus()
        self._explain()

    def ask(self) -> tuple[Any, ...]:
        """Show the dialog, let it go, and return the keys of what is to be removed; none where that was cancelled."""
        accepted = self.exec() == QDialog.DialogCode.Accepted
        self.deleteLater()
        return self.chosen if accepted else ()

    @property
    def chosen(self) -> tuple[Any, ...]:
        """Keys of what is ticked."""
        items = (self._list.item(row) for row in range(self._list.count()))
        return tuple(item.data(_KEY) for item in items if item.checkState() == Qt.CheckState.Checked)

    @Slot()
    def _explain(self) -> None:
        n = len(self.chosen)
        self.accept_button.setText(f"Remove {n} {self._one if n == 1 else self._several}" if n else "Remove")
        self.set_reason("" if n else f"Tick the {self._several} to remove.")
