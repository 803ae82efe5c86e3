"""A new project: which images, which tasks, where the file goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from gazeapp.ui.dialogs.form import FormDialog, PathField, why_not_writable
from gazeapp.ui.drops import PROJECT_SUFFIX
from gazeapp.ui.folders import there_is


class NewProjectDialog(FormDialog):
    """Asks what a new project starts with; everything but the file may be added later."""

    def __init__(self, parent: QWidget | None, images: Sequence[Path] = ()) -> None:
        super().__init__(
            parent,
            "New project",
            "A project is one small file. Images stay where they are; recordings are added afterwards.",
            "Create project",
        )
        self._dropped = list(images)
        self._own_place = False
        self._images = PathField("folder", "Folder of images")
        self._tasks = QLineEdit("free")
        self._place = PathField("save", "Project file", "gazeapp projects (*.gaze)")
        self.add_row("Images", self._images, "Searched with its subfolders; the pictures are not copied.")
        self.add_row(
            "Tasks", self._tasks, "What people and models were asked to do; separate several with commas."
        )
        self.add_row("Project file", self._place, "A new .gaze file.")
        self._images.changed.connect(self._images_changed)
        self._tasks.textChanged.connect(self._check)
        self._place.changed.connect(self._check)
        self._place.line.textEdited.connect(self._placed)
        if self._dropped:
            self._images.set_path(self._dropped[0])
        self._check()

    @property
    def path(self) -> Path:
        """Where the project file goes."""
        return self._place.path or Path()

    @property
    def images(self) -> list[Path]:
        """Folders and pictures to add."""
        chosen = self._images.path
        rest = self._dropped[1:] if self._dropped and chosen == self._dropped[0] else []
        return [*([chosen] if chosen else []), *rest]

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in order, each once."""
        names = [name.strip() for name in self._tasks.text().split(",")]
        return list(dict.fromkeys(name for name in names if name))

    @Slot()
    def _images_changed(self) -> None:
        chosen = self._images.path
        if chosen is not None and there_is(chosen) and not self._own_place:
            folder = chosen if chosen.is_dir() else chosen.parent
            self._place.set_path(folder.parent / f"{folder.name}{PROJECT_SUFFIX}")
        self._check()

    @Slot()
    def _placed(self) -> None:
        self._own_place = True

    @Slot()
    def _check(self) -> None:
        chosen, place = self._images.path, self._place.path
        reason = why_not_writable(place, PROJECT_SUFFIX)
        if chosen is not None and not there_is(chosen):
            reason = "There is no such folder of images."
        elif place is not None and there_is(place):
            reason = "There is a file of that name already; choose another name."
        elif not self.tasks:
            reason = "Name at least one task, for example: free."
        self.set_reason(reason)
