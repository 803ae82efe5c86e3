"""Regions of the cortex: the atlases there are, their groups of regions, and the regions of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.dialogs.import_responses_found import in_the_window
from gazeapp.ui.dialogs.regions_groups import GroupsEditor
from gazeapp.ui.dialogs.regions_import import ImportAtlasDialog
from gazeapp.ui.dialogs.regions_own import OwnRegions
from gazeapp.ui.widgets import label
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.engine.neural.records import Atlas

_SIZE = (1000, 680)
_SAVE_MS = 400
"""Time after the last change of a group until groups are stored."""
_KEY = Qt.ItemDataRole.UserRole
_SENTENCE = (
    "Responses are predicted region by region. Groups, such as early visual cortex, are predicted as one region each; "
    "what is changed here is stored at once, and counts from the next prediction on."
)


@dataclass(frozen=True)
class _Read:
    """The atlases, the names of those of the project itself, and of those for which groups are known."""

    atlases: Mapping[str, Atlas]
    stored: frozenset[str]
    preset: frozenset[str]


class RegionsDialog(QDialog):
    """Shows atlases and lets the user change what is the user's own.

    Parameters
    ----------
    parent
        The window.
    path
        The project.
    lookups
        Runs what is read and stored.
    paths
        Files of an atlas to import.
    """

    def __init__(
        self, parent: QWidget | None, path: Path, lookups: JobRunner, paths: Sequence[Path] = ()
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Regions of the cortex")
        self._path, self._lookups = path, lookups
        self._read = _Read({}, frozenset(), frozenset())
        self._jobs: dict[int, str] = {}
        self._wanted = ""
        self._unsaved = ""
        self.has_changed = False
        self.list = QListWidget()
        self.list.setAccessibleName("Atlases")
        self.add, self.remove = QPushButton("Import…"), QPushButton("Remove…")
        self.title, self.about = label("", "title"), label("Reading…", "muted", wrap=True)
        self.trouble = label("", "note", wrap=True)
        self.groups, self.own = GroupsEditor(), OwnRegions()
        self.tabs = QTabWidget()
        self._saving = QTimer(self)
        self._saving.setSingleShot(True)
        self._saving.setInterval(_SAVE_MS)
        self._lay_out()
        self._connect()
        self._look()
        self.resize(*_SIZE)
        if paths:
            QTimer.singleShot(0, partial(self.import_atlas, list(paths)))

    def done(self, result: int) -> None:
        """Leave, after what was changed last is on its way into the project."""
        self._save_groups()
        super().done(result)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.STEP)
        left.addWidget(label("ATLASES", "section"))
        left.addWidget(self.list, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.STEP)
        for button in (self.add, self.remove):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        left.addLayout(buttons)
        self.remove.setEnabled(False)
        self.groups.setEnabled(False)
        self.tabs.setAccessibleName("Groups and regions of the atlas")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(self.groups, "Groups")
        self.tabs.addTab(self.own, "Regions")
        self.tabs.setTabVisible(1, False)
        right = QVBoxLayout()
        right.setSpacing(theme.STEP)
        for widget in (self.title, self.about):
            right.addWidget(widget)
        right.addWidget(self.tabs, 1)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 3)
        both.addLayout(left, 2)
        both.addLayout(right, 5)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        # The return key ends the naming of a group, and not all of it.
        close.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        last = QHBoxLayout()
        last.addWidget(self.trouble, 1)
        last.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.trouble.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(theme.STEP * 2)
        column.addWidget(label("Regions of the cortex", "title"))
        column.addWidget(label(_SENTENCE, "muted", wrap=True))
        column.addLayout(both, 1)
        column.addLayout(last)

    def _connect(self) -> None:
        self._lookups.changed.connect(self._job_changed)
        self.list.currentItemChanged.connect(self._choose)
        self.add.clicked.connect(self._import)
        self.remove.clicked.connect(self.remove_atlas)
        self.groups.changed.connect(self._groups_changed)
        self.groups.preset_wanted.connect(self._take_preset)
        self.own.renamed.connect(self._rename_own)
        self.own.unwanted.connect(self._delete_own)
        self._saving.timeout.connect(self._save_groups)

    # Reading and storing

    def _look(self) -> None:
        self._jobs[self._lookups.submit("regions", _read_atlases, self._path)] = "read"

    def _change(self, work: Callable[[Any, Any], Any]) -> None:
        """Store a change and read the atlases again."""
        self.has_changed = True
        self._say("")
        self._jobs[self._lookups.submit("change regions", work, self._path)] = "change"

    def _say(self, text: str) -> None:
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in self._jobs:
            return
        kind = self._jobs.pop(state.id)
        if state.error is not None:
            self._say(in_the_window(state.error))
        elif kind == "read" and state.result is not None:
            self._show(state.result)
        if kind == "change":
            problems = getattr(state.result, "failed", 0)
            if problems:
                self._say("That could not be stored.")
            if "change" not in self._jobs.values():
                self._look()

    def _show(self, read: _Read) -> None:
        self._read = read
        current = self._wanted if self._wanted in read.atlases else self._name
        self._wanted = ""
        self.list.blockSignals(True)
        self.list.clear()
        for name, atlas in read.atlases.items():
            n = len({region.name for region in atlas.regions})
            item = QListWidgetItem(f"{name}   ·   {n:,} {'region' if n == 1 else 'regions'}")
            item.setData(_KEY, name)
            self.list.addItem(item)
        names = list(read.atlases)
        self.list.setCurrentRow(names.index(current) if current in names else 0)
        self.list.blockSignals(False)
        if not self._unsaved:  # else what the user is changing would be lost from sight
            self._show_atlas()

    @property
    def _name(self) -> str:
        item = self.list.currentItem()
        return item.data(_KEY) if item is not None else ""

    # One atlas

    @Slot()
    def _choose(self, _item: object = None, _before: object = None) -> None:
        self._save_groups()
        self.groups.show_groups({}, (), has_preset=False)
        self._show_atlas()
        self.tabs.setCurrentIndex(1 if self._name == _own_name() else 0)

    def _show_atlas(self) -> None:
        name = self._name
        atlas = self._read.atlases.get(name)
        if atlas is None:
            return
        is_own = name == _own_name()
        names = tuple(dict.fromkeys(region.name for region in atlas.regions))
        self.title.setText("Regions of your own" if is_own else name)
        self.about.setText(" ".join(f"Source: {atlas.source}. {atlas.limits}".split()))
        self.groups.show_groups(atlas.groups, names, has_preset=name in self._read.preset)
        self.groups.setEnabled(bool(names))
        sizes: dict[str, int] = {}
        for region in atlas.regions:
            sizes[region.name] = sizes.get(region.name, 0) + len(region.vertices)
        self.tabs.setTabVisible(1, is_own)
        if is_own:
            self.own.show_regions(sizes)
        removable = name in self._read.stored and name not in _built_in() and not is_own
        self.remove.setEnabled(removable)
        always = "Delete its regions one by one." if is_own else "This atlas is always there."
        self.remove.setToolTip("" if removable else always)

    @Slot()
    def _import(self) -> None:
        self.import_atlas()

    def import_atlas(self, paths: Sequence[Path] = ()) -> None:
        """Ask for the files of an atlas, and bring it in."""
        self._save_groups()
        dialog = ImportAtlasDialog(self, self._path, self._lookups, list(self._read.stored), paths)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        choice, name = dialog.choice(), dialog.atlas_name
        dialog.deleteLater()
        if not accepted:
            return

        def work(project: Any, progress: Any) -> Any:
            from gazeapp.engine.workflows.regions import ImportRegionsSettings, import_atlas

            return import_atlas(project, ImportRegionsSettings(**choice), progress)

        self._wanted = name
        self._change(work)

    @Slot()
    def remove_atlas(self) -> None:
        """Take the chosen atlas out of the project, once the user is sure."""
        name = self._name
        says = "Its regions and groups leave the study. What was predicted with it stays."
        if not self.sure(f"Remove the atlas “{name}”?", says, "Remove"):
            return
        self._forget_changes()

        def work(project: Any, progress: Any) -> Any:
            from gazeapp.engine.workflows.regions import RemoveRegionsSettings, remove_atlas

            return remove_atlas(project, RemoveRegionsSettings(name), progress)

        self._change(work)

    # Groups

    @Slot()
    def _groups_changed(self) -> None:
        self._unsaved = self._unsaved or self._name
        self._saving.start()

    @Slot()
    def _save_groups(self) -> None:
        self._saving.stop()
        name, self._unsaved = self._unsaved, ""
        if not name:
            return
        groups = self.groups.groups

        def work(project: Any, _progress: Any) -> None:
            from gazeapp.engine.workflows.regions import set_groups

            set_groups(project, name, groups)

        self._change(work)

    def _forget_changes(self) -> None:
        self._saving.stop()
        self._unsaved = ""

    @Slot()
    def _take_preset(self) -> None:
        name = self._name
        says = "All groups of this atlas go, and those that are known for it are back."
        if not self.sure("Go back to the preset groups?", says, "Go back"):
            return
        self._forget_changes()

        def work(project: Any, progress: Any) -> Any:
            from gazeapp.engine.workflows.regions import GroupRegionsSettings, group_regions

            return group_regions(project, GroupRegionsSettings(name, presets=True), progress)

        self._change(work)

    # Regions of the user's own

    @Slot(str, str)
    def _rename_own(self, old: str, new: str) -> None:
        self._save_groups()

        def work(project: Any, _progress: Any) -> None:
            from gazeapp.engine.workflows.regions import rename_own_region

            rename_own_region(project, old, new)

        self._change(work)

    @Slot(str)
    def _delete_own(self, name: str) -> None:
        says = "It leaves the groups that it is in as well. What was predicted with it stays."
        if not self.sure(f"Delete your region “{name}”?", says, "Delete"):
            return
        self._save_groups()

        def work(project: Any, _progress: Any) -> None:
            from gazeapp.engine.workflows.regions import remove_own_region

            remove_own_region(project, name)

        self._change(work)

    def sure(self, question: str, says: str, button: str) -> bool:
        """Ask whether to do what cannot be undone."""
        box = QMessageBox(self)
        box.setWindowTitle(button)
        box.setText(question)
        box.setInformativeText(f"{says} This cannot be undone.")
        do = box.addButton(button, QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.exec()
        return box.clickedButton() is do


def _read_atlases(project: Any, _progress: Any) -> _Read:
    """Read all atlases with their regions; that of the user's own regions is among them while it has none."""
    from gazeapp.engine.neural.records import Atlas
    from gazeapp.engine.neural.regions.groups import preset_for
    from gazeapp.engine.workflows.regions import OWN, all_atlases, atlas_for

    atlases = {row.name: atlas_for(project, row.name) for row in all_atlases(project)}
    atlases.setdefault(OWN, Atlas(OWN, (), source="picked on the cortex"))
    known = {
        name for name, one in atlases.items() if preset_for(region.name for region in one.regions) is not None
    }
    return _Read(atlases, frozenset(row.name for row in project.atlases.all()), frozenset(known))


def _built_in() -> tuple[str, ...]:
    from gazeapp.engine.neural.regions.built_in import BUILT_IN

    return BUILT_IN


def _own_name() -> str:
    from gazeapp.engine.workflows.regions import OWN

    return OWN
