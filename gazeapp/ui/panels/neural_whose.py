"""A button that says which brain responses are shown, and opens the choice of them, of subject, task and atlas."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtWidgets import QComboBox, QFormLayout, QFrame, QPushButton, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import label, no_mnemonic, plain

_LONGEST = 16
"""Characters of a name that the button shows at most."""


class WhoseButton(QPushButton):
    """Opens a small sheet with lists, each beside its name; the tooltip says what is chosen in all of them.

    Parameters
    ----------
    lists
        Id -> name and list, the responses first.
    """

    def __init__(self, lists: Mapping[str, tuple[str, QComboBox]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "quiet")
        theme.set_icon(self, "brain")
        self.setAutoDefault(False)
        self._lists = dict(lists)
        self._there: dict[str, bool] = dict.fromkeys(lists, False)
        self.sheet = QFrame(self, Qt.WindowType.Popup)
        self.sheet.setObjectName("palette")
        self.sheet.setAccessibleName("Which responses are shown, and with which regions")
        self._form = QFormLayout(self.sheet)
        self._form.setContentsMargins(2 * theme.STEP, 2 * theme.STEP, 2 * theme.STEP, 2 * theme.STEP)
        self._form.setHorizontalSpacing(2 * theme.STEP)
        self._form.setVerticalSpacing(theme.STEP)
        for name, box in self._lists.values():
            title = label(name, "muted")
            title.setBuddy(box)
            self._form.addRow(title, box)
        self.clicked.connect(self.open)

    def offer(self, id_: str, is_there: bool) -> None:
        """Show a list where there is something to choose."""
        self._there[id_] = is_there
        self._form.setRowVisible(self._lists[id_][1], is_there)
        self.sheet.adjustSize()

    def show_chosen(self) -> None:
        """Say what is chosen."""
        first = next(iter(self._lists.values()))[1].currentText()
        short = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1].rstrip()}…"
        self.setText(f"{no_mnemonic(short)} ▾")
        chosen = [
            f"{name}: {box.currentText()}" for id_, (name, box) in self._lists.items() if self._there[id_]
        ]
        self.setToolTip(plain("\n".join(("Which responses are shown, and with which regions", *chosen))))
        self.setAccessibleName(f"Responses: {first}")

    @Slot()
    def open(self) -> None:
        """Open the lists under the button."""
        self.sheet.adjustSize()
        self.sheet.move(self.mapToGlobal(QPoint(0, self.height())))
        self.sheet.show()
        next(box for id_, (_, box) in self._lists.items() if self._there[id_]).setFocus()
