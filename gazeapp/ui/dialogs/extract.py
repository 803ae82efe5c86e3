"""Run models: which ones, under which tasks, on what device."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.ui.dialogs.form import FormDialog
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import advice, label, no_mnemonic, plain

_DEVICES = {
    "auto": "Automatic: a graphics card if there is one",
    "cpu": "CPU",
    "cuda": "NVIDIA graphics card (CUDA)",
    "mps": "Apple graphics (MPS)",
}
_WORDS = {"content": "Nouns, adjectives and verbs", "all": "Every word"}


class ExtractDialog(FormDialog):
    """Asks which models to run; what is there already is not computed again."""

    def __init__(self, parent: QWidget | None, study: StudyView) -> None:
        super().__init__(
            parent,
            "Run models",
            "Each model describes every image; each word it says has a map of where it attended. "
            "Images that a model has done are skipped.",
            "Run",
        )
        self._study = study
        self.models: dict[str, QCheckBox] = {}
        self.tasks: dict[str, QCheckBox] = {}
        self._count = label("", "muted")
        self._note = label("", "note", wrap=True)
        infos, self._problem = _available()
        self.add_row("Models", self._make_models(infos), "Models that can be run here.")
        self.add_row("Tasks", self._make_tasks(), "Each task gives its own captions and maps.")
        self._mirrored = QCheckBox("Also describe the mirrored images")
        self._mirrored.toggled.connect(self._check)
        self.add_row(
            "Control",
            self._mirrored,
            "For left and right: tells a habit of looking at one side from what the pictures show there. It takes as "
            "long again.",
        )
        self._device = _choice(_DEVICES)
        self._words = _choice(_WORDS)
        self._method = QComboBox()
        self._method.addItem("Each model's own default", "")
        for method in sorted({method for info in infos for method in info.methods}):
            self._method.addItem(method, method)
        folded = self.add_folded("Advanced")
        self.add_row("Device", self._device, "Where the models run; the results are the same.", folded)
        self.add_row("Map method", self._method, "How attention becomes a map.", folded)
        self.add_row(
            "Caption's map", self._words, "Words whose maps are averaged into the caption's map.", folded
        )
        self.body.addWidget(self._note)
        self.body.addWidget(self._count)
        self.body.addStretch(1)
        self._infos = infos
        self._check()

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ExtractSettings``."""
        return {
            "models": tuple(m for m, box in self.models.items() if box.isChecked()),
            "tasks": tuple(t for t, box in self.tasks.items() if box.isChecked()),
            "method": self._method.currentData(),
            "device": self._device.currentData(),
            "words": self._words.currentData(),
            "mirrored": self._mirrored.isChecked(),
        }

    def _make_models(self, infos: list[ModelInfo]) -> QWidget:
        boxes = QWidget()
        grid = QGridLayout(boxes)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, info in enumerate(infos):
            box = QCheckBox(no_mnemonic(info.name))
            box.setChecked(True)
            box.setToolTip(plain(f"{info.checkpoint}\nMap methods: {', '.join(info.methods)}"))
            box.toggled.connect(self._check)
            self.models[info.id] = box
            grid.addWidget(box, row, 0)
            grid.addWidget(label(_needs(info), "muted"), row, 1)
        return boxes

    def _make_tasks(self) -> QWidget:
        boxes, column = _column()
        for task in self._study.tasks:
            box = QCheckBox(no_mnemonic(task))
            box.setChecked(True)
            box.toggled.connect(self._check)
            self.tasks[task] = box
            column.addWidget(box)
        return boxes

    @Slot()
    def _check(self) -> None:
        chosen = self.choice()
        images = self._study.images.values()
        outside = [
            info.name
            for info in self._infos
            if info.id in chosen["models"] and info.domain and any(i.origin != info.domain for i in images)
        ]
        self._note.setText(
            f"Some images are outside what {', '.join(outside)} {'was' if len(outside) == 1 else 'were'} "
            "trained on (drawn demo scenes). They run, but their words and maps there say nothing about how "
            "well such models can do."
        )
        self._note.setVisible(bool(outside))
        sides = 2 if chosen["mirrored"] else 1
        units = len(images) * len(chosen["models"]) * len(chosen["tasks"]) * sides
        self._count.setText(
            f"{len(images)} images{' and their mirror images' if chosen['mirrored'] else ''} × "
            f"{len(chosen['models'])} models × {len(chosen['tasks'])} tasks = {units:,} maps"
        )
        reason = self._problem
        if not reason and not chosen["models"]:
            reason = "Choose at least one model."
        elif not reason and not chosen["tasks"]:
            reason = "Choose at least one task."
        self.set_reason(reason)


def _available() -> tuple[list[ModelInfo], str]:
    from gazeapp.engine.models.registry import available_models

    try:
        infos = list(available_models())
    except GazeError as error:
        return [], advice(error)
    return infos, "" if infos else "No model can be run here; train one with `gazeapp train`."


def _needs(info: ModelInfo) -> str:
    trained = "drawn demo scenes" if info.domain == "demo-world" else info.domain
    where = "any computer" if info.kind == "captioner" else info.checkpoint
    return "  ·  ".join(part for part in (f"trained on {trained}" if trained else "", where) if part)


def _choice(values: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for value, name in values.items():
        box.addItem(name, value)
    return box


def _column() -> tuple[QWidget, QVBoxLayout]:
    boxes = QWidget()
    column = QVBoxLayout(boxes)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    return boxes, column
