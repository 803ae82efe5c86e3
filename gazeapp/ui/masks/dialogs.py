"""Bringing masks in and writing them out: which files, in what form, and what may be replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import FormDialog, PathField
from gazeapp.ui.folders import MASKS, ask_for_file, last_folder, there_is, why_no_path
from gazeapp.ui.widgets import no_mnemonic

_FILES = "Masks (*.png *.json);;All files (*)"
_PLACINGS = (
    ("leave them out and say so", "refuse"),
    ("stretch them to the image", "fraction"),
    ("keep their pixels, from the top left", "pixel"),
)
_FORMATS = (
    ("PNG: grey pictures, graded masks too", "png"),
    ("COCO: run lengths of hard masks, one JSON file", "coco"),
    ("labelme: polygons of hard masks, a JSON file each", "labelme"),
)


class ImportMasksDialog(FormDialog):
    """Asks for a folder or file of masks, and what happens to those that do not fit."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(
            parent,
            "Import masks",
            "PNG pictures that are named like their images, COCO annotations (run lengths or polygons), or labelme "
            "files. A PNG of any other name is put on the image in hand, in the mask in hand if no name is given.",
            "Import",
        )
        self.place = PathField("folder", "Folder or file of masks")
        self.name = QLineEdit()
        self.name.setPlaceholderText("as the files or their folder say")
        self.placing = _combo(_PLACINGS)
        self.replace = QCheckBox("Replace other masks of the same name")
        self.add_row("Masks", self._with_file_button(), "A folder is searched with its subfolders.")
        self.add_row("Name", self.name, "Name in the library for all of them.")
        self.add_row(
            "Other sizes", self.placing, "What happens with a mask made on an image of another size."
        )
        self.add_row(
            "", self.replace, "Else an image that has another mask of the name keeps it, and it is listed."
        )
        self.body.addStretch(1)
        self.place.changed.connect(self._check)
        self._check()

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ImportMasksSettings``."""
        return {
            "files": (str(self.place.path or ""),),
            "name": self.name.text().strip(),
            "placing": self.placing.currentData(),
            "replace": self.replace.isChecked(),
        }

    def _with_file_button(self) -> QWidget:
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        file = QPushButton("File…")
        file.setAutoDefault(False)
        file.clicked.connect(self._choose_file)
        row.addWidget(self.place, 1)
        row.addWidget(file)
        both.setFocusProxy(self.place)
        return both

    @Slot()
    def _choose_file(self) -> None:
        path = ask_for_file(self, "Import masks", MASKS, _FILES, last_folder(MASKS))
        if path is not None:
            self.place.set_path(path)

    @Slot()
    def _check(self) -> None:
        place = self.place.path
        if place is None:
            self.set_reason("Choose a folder or a file of masks.")
        else:
            self.set_reason("" if there_is(place) else "There is no such folder or file.")


class ExportMasksDialog(FormDialog):
    """Asks which masks to write, in what form, and where."""

    def __init__(self, parent: QWidget | None, name: str, count: int, start: Path) -> None:
        super().__init__(
            parent,
            "Export masks",
            "Importing the folder again gives the same masks under the same names.",
            "Export",
        )
        of_all = [(f"all {count} masks of the library", ())] if count > 1 else []
        self.masks = _combo([(f"“{no_mnemonic(name)}” on all its images", (name,)), *of_all])
        self.format = _combo(_FORMATS)
        self.folder = PathField("folder", "Folder")
        self.folder.set_path(start)
        self.replace = QCheckBox("Replace other files of the same names")
        self.add_row("Masks", self.masks)
        self.add_row(
            "Format",
            self.format,
            "Graded masks fit into PNG alone; else they are listed as left out.",
        )
        self.add_row("Folder", self.folder, "Made if it is missing.")
        self.add_row("", self.replace, "Else files that are there stay, and it is listed.")
        self.body.addStretch(1)
        self.folder.changed.connect(self._check)
        self._check()

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ExportMasksSettings``."""
        return {
            "folder": str(self.folder.path or ""),
            "names": tuple(self.masks.currentData()),
            "format": self.format.currentData(),
            "replace": self.replace.isChecked(),
        }

    @Slot()
    def _check(self) -> None:
        place = self.folder.path
        if place is None:
            self.set_reason("Choose a folder.")
        else:
            reason = why_no_path(place) or ("That is a file; choose a folder." if place.is_file() else "")
            self.set_reason(reason)


def _combo(choices: Any) -> QComboBox:
    combo = QComboBox()
    for text, value in choices:
        combo.addItem(text, value)
    return combo
