"""Bring an atlas in: one that lies on this computer, or files of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.drop_dialog import DropDialog
from gazeapp.ui.dialogs.import_responses_fields import OpenField
from gazeapp.ui.dialogs.import_responses_found import in_the_window
from gazeapp.ui.folders import ATLASES, LISTS, ask_for_files, ask_for_folder, remember_folder, there_is
from gazeapp.ui.widgets import label, plain
from gazeapp.ui.worker import JobRunner, JobState, Work

if TYPE_CHECKING:
    from gazeapp.engine.neural.regions.discover import FoundAtlas
    from gazeapp.engine.neural.regions.reading import ReadAtlas

_FILES = "Regions (*.annot *.label *.gii *.gii.gz *.mgz *.mgh *.csv *.tsv *.txt *.regions.json *.json);;All files (*)"
_NAMES = "Names of numbers (*.txt *.ctab *.csv *.tsv *.json);;All files (*)"
_PATHS = Qt.ItemDataRole.UserRole
_LOOKING = "Looking for atlases on this computer…"


class ImportAtlasDialog(DropDialog):
    """Asks for the files of an atlas and says what is in them.

    Parameters
    ----------
    parent
        The dialog of regions.
    path
        The project.
    lookups
        Runs what is read.
    there
        Names of the atlases that there are.
    paths
        Files to begin with.
    """

    def __init__(
        self,
        parent: QWidget | None,
        path: Path,
        lookups: JobRunner,
        there: Sequence[str],
        paths: Sequence[Path] = (),
    ) -> None:
        super().__init__(
            parent,
            "Import regions",
            "An atlas on fsaverage5, or on fsaverage, of whose 163,842 vertices a hemisphere the first 10,242 are "
            "those of fsaverage5. Nothing is downloaded. Files can be dropped here.",
            "Import",
        )
        self.dropped.connect(self.take)
        self._there, self._path, self._lookups = set(there), path, lookups
        self._paths: tuple[Path, ...] = ()
        self._folders: list[Path] = []
        self._read: ReadAtlas | None = None
        self._problem = ""
        self.found = QListWidget()
        self.found.setAccessibleName("Atlases on this computer")
        self.searched = label(_LOOKING, "muted", wrap=True)
        self.chosen = label("", wrap=True)
        self.name, self.replace = QLineEdit(), QCheckBox("Replace the atlas of that name")
        self.name.setAcceptDrops(False)
        self.name.setPlaceholderText("as the files are called")
        self.names_file = OpenField("Names of numbers", LISTS, _NAMES)
        self.names_file.line.setPlaceholderText("only where the files hold numbers alone")
        self.says = label("", "muted", wrap=True)
        self._reading = CountingLine(self.says, lookups, path)
        self._lay_out()
        self.found.currentItemChanged.connect(self._take_found)
        self.name.textChanged.connect(self._check)
        self.replace.toggled.connect(self._check)
        self.names_file.changed.connect(self._look)
        self._reading.counted.connect(self._show)
        lookups.changed.connect(self._looked_up)
        self._find_job = 0
        self._search()
        self._check()
        self.take(paths)
        self.found.setFocus()
        self.resize(760, 620)

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ImportRegionsSettings``."""
        return {
            "paths": tuple(str(path) for path in self._paths),
            "name": self.name.text().strip(),
            "names_file": str(self.names_file.path or ""),
            "replace": self.replace.isChecked(),
        }

    @Slot(object)
    def take(self, paths: Sequence[Path]) -> None:
        """Look into files of an atlas, or a folder of labels."""
        if paths:
            self._paths = tuple(paths)
            self._look()

    def _lay_out(self) -> None:
        top = QVBoxLayout()
        top.setSpacing(theme.STEP)
        top.addWidget(label("ON THIS COMPUTER", "section"))
        top.addWidget(self.found, 1)
        top.addWidget(self.searched)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.STEP)
        for words, slot in (
            ("Search a folder…", self._search_folder),
            ("Files…", self._choose_files),
            ("Folder of labels…", self._choose_folder),
        ):
            button = QPushButton(words)
            button.setAutoDefault(False)
            button.clicked.connect(slot)
            buttons.addWidget(button)
        buttons.addStretch(1)
        top.addLayout(buttons)
        self.body.insertLayout(0, top, 1)
        self.add_row("Files", self.chosen)
        self.add_row("Name", self.name, "What the study calls the atlas.")
        self.add_row("", self.replace)
        self.replace.setAccessibleName(self.replace.text())
        self.add_row(
            "Names of numbers",
            self.names_file,
            "For volumes and tables of numbers: a file with a number and a name in each line.",
        )
        self.body.addWidget(self.says)

    def _search(self) -> None:
        folders = tuple(self._folders)

        def work(_project: Any, _progress: Any) -> list[FoundAtlas]:
            from gazeapp.engine.neural.regions.discover import discover

            return discover(folders=folders)

        self.searched.setText(_LOOKING)
        self.searched.show()
        self._find_job = self._lookups.submit("atlases", work, None)

    @Slot(object)
    def _looked_up(self, state: JobState) -> None:
        if state.status not in ("done", "failed") or state.id != self._find_job:
            return  # taken out of the queue, it found nothing
        if state.error is not None:
            self.searched.setText(in_the_window(state.error))
            return
        self.found.clear()
        for one in state.result or ():
            side = "" if one.hemispheres == "both" else f", {one.hemispheres} hemisphere alone"
            item = QListWidgetItem(f"{one.title}   ·   {one.place}{side}")
            item.setData(_PATHS, one.paths)
            item.setToolTip(plain("\n".join(str(path) for path in one.paths[:4])))
            self.found.addItem(item)
        self.searched.setVisible(not self.found.count())
        self.searched.setText(
            ""
            if self.found.count()
            else "None was found in FreeSurfer's folder of subjects (SUBJECTS_DIR) or with neuropythy. Choose files, "
            "or a folder to search."
        )

    @Slot()
    def _take_found(self, item: QListWidgetItem | None = None, _before: object = None) -> None:
        if item is not None:
            self.take(item.data(_PATHS))

    @Slot()
    def _search_folder(self) -> None:
        folder = ask_for_folder(self, "Search a folder for atlases", ATLASES)
        if folder is not None:
            self._folders.append(folder)
            self._search()

    @Slot()
    def _choose_files(self) -> None:
        self.take(ask_for_files(self, "Files of an atlas", ATLASES, _FILES))

    @Slot()
    def _choose_folder(self) -> None:
        folder = ask_for_folder(self, "Folder of labels", ATLASES)
        if folder is not None:
            remember_folder(ATLASES, folder.parent)
            self.take([folder])

    @Slot()
    def _look(self) -> None:
        """Look into the files, soon."""
        self._read, self._problem = None, ""
        names = ", ".join(path.name for path in self._paths[:3])
        self.chosen.setText(f"{names}{' …' if len(self._paths) > 3 else ''}")
        self.chosen.setToolTip(plain("\n".join(str(path) for path in self._paths[:8])))
        ready = bool(self._paths) and not self._lacks_names
        self._reading.ask(
            "Reading…" if ready else "", look_work(self._paths, self.names_file.path) if ready else None
        )
        self._check()

    @Slot(object)
    def _show(self, state: JobState) -> None:
        if state.error is not None:
            self._problem = in_the_window(state.error)
            self.says.setText("")
        elif state.result is not None:
            read: ReadAtlas = state.result
            self._read = read
            n = len({region.name for region in read.atlas.regions})
            groups = f" Groups: {', '.join(read.atlas.groups)}." if read.atlas.groups else ""
            notes = " ".join(read.notes)
            words = f"{n:,} regions from {read.atlas.source}.{groups} {read.atlas.limits} {notes}"
            self.says.setText(" ".join(words.split()))
            self.name.setPlaceholderText(read.atlas.name)
        self._check()

    @Slot()
    def _check(self, _what: object = None) -> None:
        taken = self.atlas_name in self._there
        self.replace.setEnabled(taken)
        self.replace.setToolTip("" if taken else "No atlas has that name.")
        self.set_reason(self._why_not(taken))

    @property
    def atlas_name(self) -> str:
        """What the atlas will be called."""
        own = self._read.atlas.name if self._read is not None else ""
        return self.name.text().strip() or own

    @property
    def _lacks_names(self) -> bool:
        path = self.names_file.path
        return path is not None and not there_is(path)

    def _why_not(self, taken: bool) -> str:
        if not self._paths:
            return "Choose an atlas from the list, or files."
        if self._lacks_names:
            return "There is no such file of names."
        if self._problem:
            return self._problem
        if self._read is None:
            return "Reading…"
        if self.atlas_name in _reserved():
            return f"The name “{self.atlas_name}” is that of an atlas of gazeapp; give this one another."
        if taken and not self.replace.isChecked():
            return f"There is an atlas called “{self.atlas_name}”; give this one another name, or replace that one."
        return ""


def look_work(paths: Sequence[Path], names_file: Path | None) -> Work:
    """Return the work that reads an atlas and stores nothing."""

    def work(_project: Any, _progress: Any) -> ReadAtlas:
        from gazeapp.engine.neural.regions.reading import read_atlas

        return read_atlas(list(paths), "", names_file)

    return work


def _reserved() -> frozenset[str]:
    from gazeapp.engine.neural.regions.built_in import BUILT_IN
    from gazeapp.engine.workflows.regions import OWN

    return frozenset({*BUILT_IN, OWN})
