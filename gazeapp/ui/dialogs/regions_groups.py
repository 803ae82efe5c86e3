"""Groups of an atlas's regions, to change in place: which there are, and which regions are in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.dialogs.name_list import NameList
from gazeapp.ui.widgets import label

_NEW = "new group"


class GroupsEditor(QWidget):
    """A list of groups beside the regions of the atlas, those of the chosen group ticked."""

    changed = Signal()
    """Groups were changed by the user; see ``groups``."""
    preset_wanted = Signal()
    """The groups that are known for the atlas are to be back."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[str, list[str]] = {}
        self._regions: tuple[str, ...] = ()
        self.list, self.regions = NameList("Groups of regions"), QListWidget()
        self.find = QLineEdit()
        self.note = label("", "note", wrap=True)
        self.add, self.rename, self.delete, self.preset = (
            QPushButton(words) for words in ("Add", "Rename", "Delete", "Back to preset")
        )
        self._lay_out()
        self._connect()
        self.show_groups({}, (), has_preset=False)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups that have regions, in order."""
        return {name: tuple(members) for name, members in self._groups.items() if members}

    def show_groups(
        self, groups: Mapping[str, Sequence[str]], regions: Sequence[str], *, has_preset: bool
    ) -> None:
        """Show the groups of an atlas with these regions; a group that has none yet stays where all others do."""
        self._explain_preset(has_preset)
        fresh = {name: tuple(members) for name, members in groups.items()}
        if fresh and (fresh, tuple(regions)) == (self.groups, self._regions):
            return
        current = self.list.current
        self._groups = {name: list(members) for name, members in groups.items()}
        self._regions = tuple(regions)
        self._say("")
        with QSignalBlocker(self.regions):
            self.regions.clear()
            for name in self._regions:
                item = QListWidgetItem(name)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Unchecked)
                self.regions.addItem(item)
        self._show_list(current)
        self._filter(self.find.text())

    def _explain_preset(self, has_preset: bool) -> None:
        self.preset.setEnabled(has_preset)
        self.preset.setToolTip(
            "The groups that are known for this atlas, in place of all that it has."
            if has_preset
            else "No groups are known for this atlas."
        )

    def _lay_out(self) -> None:
        self.regions.setAccessibleName("Regions of the group")
        self.find.setPlaceholderText("Find a region")
        self.find.setAccessibleName("Find a region")
        self.find.setClearButtonEnabled(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.STEP)
        for button in (self.add, self.rename, self.delete):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.preset.setAutoDefault(False)
        left = QVBoxLayout()
        left.setSpacing(theme.STEP)
        left.addWidget(self.list, 1)
        left.addLayout(buttons)
        left.addWidget(self.preset, 0, Qt.AlignmentFlag.AlignLeft)
        right = QVBoxLayout()
        right.setSpacing(theme.STEP)
        right.addWidget(self.find)
        right.addWidget(self.regions, 1)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 2)
        both.addLayout(left, 1)
        both.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.STEP, 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(both, 1)
        column.addWidget(self.note)
        self.setFocusProxy(self.list)

    def _connect(self) -> None:
        self.list.currentRowChanged.connect(self._show_members)
        self.list.itemChanged.connect(self._renamed)
        self.regions.itemChanged.connect(self._ticked)
        self.find.textChanged.connect(self._filter)
        self.add.clicked.connect(self.add_group)
        self.rename.clicked.connect(self.list.edit_current)
        self.delete.clicked.connect(self.delete_group)
        self.preset.clicked.connect(self.preset_wanted)

    def _show_list(self, current: str) -> None:
        with QSignalBlocker(self.list):
            self.list.clear()
            for name in self._groups:
                self.list.add_name(name)
            names = list(self._groups)
            self.list.setCurrentRow(names.index(current) if current in names else 0 if names else -1)
        self._show_members()

    @Slot()
    def _show_members(self, _row: int = 0) -> None:
        current = self.list.current
        members = set(self._groups.get(current, ()))
        with QSignalBlocker(self.regions):
            for k, name in enumerate(self._regions):
                self.regions.item(k).setCheckState(
                    Qt.CheckState.Checked if name in members else Qt.CheckState.Unchecked
                )
        for part in (self.regions, self.rename, self.delete):
            part.setEnabled(bool(current))
            part.setToolTip("" if current else "Add a group, or choose one.")

    @Slot(object)
    def _ticked(self, _item: QListWidgetItem) -> None:
        members = self._groups[self.list.current]
        members[:] = [
            name
            for k, name in enumerate(self._regions)
            if self.regions.item(k).checkState() == Qt.CheckState.Checked
        ]
        self._say(
            "" if members else f"“{self.list.current}” has no regions; it is kept once it has at least one."
        )
        self.changed.emit()

    @Slot()
    def add_group(self) -> None:
        """Add a group to name and fill."""
        names = {*self._groups, *self._regions}
        number = 1
        while (name := _NEW if number == 1 else f"{_NEW} {number}") in names:
            number += 1
        self._groups[name] = []
        self._show_list(name)
        self._say("Name it, and tick its regions.")
        self.list.edit_current()

    @Slot()
    def delete_group(self) -> None:
        """Take the chosen group away."""
        row = self.list.currentRow()
        if self._groups.pop(self.list.current, None) is not None:
            names = list(self._groups)
            self._show_list(names[min(row, len(names) - 1)] if names else "")
            self._say("")
            self.changed.emit()

    @Slot(object)
    def _renamed(self, item: QListWidgetItem) -> None:
        old, new = self.list.name_of(item), item.text().strip()
        why = self._why_not_named(old, new)
        if why:
            self._say(why)
            with QSignalBlocker(self.list):
                item.setText(old)
            return
        if new != old:
            self._groups = {new if name == old else name: own for name, own in self._groups.items()}
            with QSignalBlocker(self.list):
                self.list.set_name(item, new)
            self._say("" if self._groups[new] else "Tick its regions.")
            self.changed.emit()

    def _why_not_named(self, old: str, new: str) -> str:
        if not new:
            return "A group needs a name."
        if new != old and new in self._groups:
            return f"There is a group “{new}” already."
        return f"“{new}” is a region; give the group another name." if new in self._regions else ""

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))

    @Slot(str)
    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        for k in range(self.regions.count()):
            self.regions.item(k).setHidden(wanted not in self._regions[k].casefold())
