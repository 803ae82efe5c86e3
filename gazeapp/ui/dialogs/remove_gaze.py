"""Remove recordings: which ones to take out of the study."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from gazeapp.ui.dialogs.form import FormDialog

_ID = Qt.ItemDataRole.UserRole


class RemoveGazeDialog(FormDialog):
    """Asks which recordings to take out; ``chosen`` holds their ids.

    Parameters
    ----------
    parent
        The window.
    recordings
        File names by id.
    """

    def __init__(self, parent: QWidget | None, recordings: Mapping[int, str]) -> None:
        super().__init__(
            parent,
            "Remove recordings",
            "Their trials, fixations and offsets leave the study; the files themselves stay where they are and can "
            "be imported again. This cannot be undone.",
            "Remove",
        )
        self.resize(640, 480)
        self._list = QListWidget()
        self._list.setAccessibleName("Recordings")
        self._list.setSpacing(2)
        for number, file in recordings.items():
            item = QListWidgetItem(file)
            item.setData(_ID, number)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self._list.addItem(item)
        self._list.itemChanged.connect(self._explain)
        self.body.addWidget(self._list, 1)
        self._list.setFocus()
        self._explain()

    @property
    def chosen(self) -> tuple[int, ...]:
        """Ids of the recordings that are ticked."""
        items = (self._list.item(row) for row in range(self._list.count()))
        return tuple(item.data(_ID) for item in items if item.checkState() == Qt.CheckState.Checked)

    @Slot()
    def _explain(self) -> None:
        n = len(self.chosen)
        self.accept_button.setText(f"Remove {n} recording{'' if n == 1 else 's'}" if n else "Remove")
        self.set_reason("" if n else "Tick the recordings to remove.")
