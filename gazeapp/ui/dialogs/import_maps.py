"""Bring in maps that were made elsewhere: where they are, whose they are, and what their numbers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import FormDialog, PathField
from gazeapp.ui.folders import MAPS, ask_for_file, last_folder, there_is
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import label, no_mnemonic

_FILES = "Maps of many images (*.h5 *.hdf5 *.npz);;All files (*)"


class ImportMapsDialog(FormDialog):
    """Asks for a folder or file of maps, the model that made them, and their tasks."""

    def __init__(self, parent: QWidget | None, study: StudyView) -> None:
        super().__init__(
            parent,
            "Import maps",
            "Maps of a model that was run elsewhere, one for each image and named like it: a folder of PNG or NPY "
            "files, or one HDF5 or NPZ file. They are scored like those of any other model.",
            "Import",
        )
        self.tasks: dict[str, QCheckBox] = {}
        self.place = PathField("folder", "Folder or file of maps")
        self.model, self.encoder, self.decoder = QLineEdit(), QLineEdit(), QLineEdit()
        self.log_density = QCheckBox("They are natural logarithms of a density")
        self.mirrored = QCheckBox("The model saw each image mirrored left to right")
        self.add_row("Maps", self._make_place(), "A folder with one file for each image, or one file of all.")
        self.add_row(
            "Model", self.model, "Name of the model; maps of a name that is there are added to its own."
        )
        self.add_row("Tasks", self._make_tasks(study), "Each map is scored under each of these.")
        folded = self.add_folded("Advanced")
        self.add_row(
            "Encoder",
            self.encoder,
            "What the model is built of: models that cross two encoders with two decoders enter Architecture.",
            folded,
        )
        self.add_row("Decoder", self.decoder, "Goes with the encoder: both, or none.", folded)
        self.add_row("Numbers", self.log_density, "Else they are saliency: numbers of at least 0.", folded)
        self.add_row(
            "Control",
            self.mirrored,
            "Maps as the model made them, not turned back; they enter the comparison of sides only.",
            folded,
        )
        self.body.addStretch(1)
        self.place.changed.connect(self._check)
        for line in (self.model, self.encoder, self.decoder):
            line.textChanged.connect(self._check)
        self._check()

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ImportMapsSettings``."""
        return {
            "folder": str(self.place.path or ""),
            "model": self.model.text().strip(),
            "tasks": tuple(task for task, box in self.tasks.items() if box.isChecked()),
            "values": "log_density" if self.log_density.isChecked() else "saliency",
            "mirrored": self.mirrored.isChecked(),
            "encoder": self.encoder.text().strip(),
            "decoder": self.decoder.text().strip(),
        }

    def _make_place(self) -> QWidget:
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

    def _make_tasks(self, study: StudyView) -> QWidget:
        boxes = QWidget()
        column = QVBoxLayout(boxes)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for task in study.tasks:
            box = QCheckBox(no_mnemonic(task))
            box.setChecked(True)
            box.toggled.connect(self._check)
            self.tasks[task] = box
            column.addWidget(box)
        if len(study.tasks) > 1:
            column.addWidget(label("A model that takes no task has one map for all of them.", "muted"))
        return boxes

    @Slot()
    def _choose_file(self) -> None:
        path = ask_for_file(self, "Import maps", MAPS, _FILES, self.place.path or last_folder(MAPS))
        if path is not None:
            self.place.set_path(path)

    @Slot()
    def _check(self) -> None:
        self.set_reason(self._why_not(self.place.path, self.choice()))

    def _why_not(self, place: Path | None, chosen: dict[str, Any]) -> str:
        """Return what is missing yet; empty when nothing is."""
        if place is None:
            return "Choose a folder or a file of maps."
        if not there_is(place):
            return "There is no such folder or file."
        if not chosen["model"]:
            return "Name the model that made them."
        if not chosen["tasks"]:
            return "Choose at least one task."
        if bool(chosen["encoder"]) != bool(chosen["decoder"]):
            return "Name both encoder and decoder, or none."
        return ""
