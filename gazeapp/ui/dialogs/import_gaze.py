"""Import gaze: what was found in the files, before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.gaze.detect import FORMATS
from gazeapp.engine.workflows.base import Summary
from gazeapp.engine.workflows.gaze import DEFAULT_TASK, ImportGazeSettings, import_gaze
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import FormDialog
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import drop_widget, label
from gazeapp.ui.worker import JobRunner, JobState

_AFTER_TYPING_MS = 300


class ImportGazeDialog(FormDialog):
    """Asks how to read recordings and shows what a dry run finds in them.

    Parameters
    ----------
    reader
        Runs the dry runs; not the thread of long jobs, so that the preview does not wait for them.
    task
        Task in hand, filled in.
    """

    def __init__(
        self,
        parent: QWidget | None,
        study: StudyView,
        files: Sequence[Path],
        reader: JobRunner,
        task: str = "",
    ) -> None:
        super().__init__(
            parent,
            "Import gaze",
            f"{_many(len(files), 'file')} chosen. Below is what was found; nothing is stored until you import.",
            "Import",
        )
        self.resize(720, 640)
        self._study = study
        self._files = list(files)
        self._reader = reader
        self._job = 0
        self.summary: Summary | None = None
        self._task = QComboBox()
        self._task.setEditable(True)
        self._task.addItems(list(study.tasks) or [DEFAULT_TASK])
        self._task.setCurrentText(task or self._task.itemText(0))
        self._format = QComboBox()
        self._format.addItem("Tell by the content", "auto")
        for format_id, name in FORMATS.items():
            self._format.addItem(name[:1].upper() + name[1:], format_id)
        self._sigma = _number(24.0, 1.0, 500.0)
        self._unit = QComboBox()
        self._unit.addItem("image px", "px")
        self._unit.addItem("degrees of visual angle", "deg")
        self._px_per_deg = _number(0.0, 0.0, 500.0)
        self._px_per_deg.setSpecialValueText("not known")
        self._eye = QComboBox()
        for eye, name in (("auto", "The better recorded one"), ("left", "Left"), ("right", "Right")):
            self._eye.addItem(name, eye)
        self._pattern = QLineEdit()
        self._pattern.setPlaceholderText("as usual for the format")
        self._simulated = QCheckBox("These recordings are simulated")
        self._preview, scroll = _preview()
        self._lay_out(scroll)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(_AFTER_TYPING_MS)
        self._wait.timeout.connect(self._look)
        reader.changed.connect(self._looked)
        self._watch()
        self._look()

    def settings(self, *, dry_run: bool = False) -> ImportGazeSettings:
        """Return what the fields say."""
        in_degrees = self._unit.currentData() == "deg"
        return ImportGazeSettings(
            files=tuple(str(path) for path in self._files),
            format=self._format.currentData(),
            task=self._task.currentText().strip(),
            eye=self._eye.currentData(),
            trial_pattern=self._pattern.text().strip(),
            dry_run=dry_run,
            simulated=self._simulated.isChecked(),
            sigma=self._sigma.value(),
            sigma_unit=self._unit.currentData(),
            px_per_deg=self._px_per_deg.value() if in_degrees and self._px_per_deg.value() > 0 else None,
        )

    def _lay_out(self, scroll: QScrollArea) -> None:
        blur = QWidget()
        row = QHBoxLayout(blur)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._sigma)
        row.addWidget(self._unit, 1)
        self.add_row(
            "Task", self._task, "Task of trials that do not name one themselves; type a new one to add it."
        )
        self.add_row(
            "Blur of human maps", blur, "Standard deviation of the Gaussian that makes fixations a map."
        )
        self.add_row("Image px per degree", self._px_per_deg, "Needed when the blur is in degrees.")
        folded = self.add_folded("Advanced")
        self.add_row("Format", self._format, "How to read the files.", folded)
        self.add_row(
            "Eye", self._eye, "For files that tell the eyes apart; each fixation counts once.", folded
        )
        self.add_row(
            "Trial message", self._pattern, "Regular expression of the message that begins a trial.", folded
        )
        self.add_row("", self._simulated, "Marks them as simulated wherever they show.", folded)
        self.body.addWidget(label("WHAT WAS FOUND", "section"))
        self.body.addWidget(scroll, 1)

    def _watch(self) -> None:
        for box in (self._task, self._format, self._unit, self._eye):
            box.currentTextChanged.connect(self._changed)
        for number in (self._sigma, self._px_per_deg):
            number.valueChanged.connect(self._changed)
        self._pattern.textChanged.connect(self._changed)

    @Slot()
    def _changed(self) -> None:
        self.set_reason("Reading the files again…")
        self._wait.start()

    @Slot()
    def _look(self) -> None:
        """Start a dry run, or say what is missing for one."""
        in_degrees = self._unit.currentData() == "deg"
        self._px_per_deg.setEnabled(in_degrees)
        if in_degrees and self._px_per_deg.value() <= 0:
            self.set_reason("A blur in degrees needs the image px per degree.")
            return
        self.set_reason("Reading the files…")
        settings = self.settings(dry_run=True)
        if self._job:
            self._reader.cancel(self._job)
        self._job = self._reader.submit(
            "preview", lambda project, progress: import_gaze(project, settings, progress), self._study.path
        )

    @Slot(object)
    def _looked(self, state: JobState) -> None:
        if state.id != self._job or not state.finished:
            return
        if state.error is not None:
            self._show([found_error(state.error.where, state.error.what, state.error.todo)])
            self.set_reason("Nothing can be imported as it is.")
            return
        self.summary = state.result
        self._show(found(state.result))
        usable = sum(entry["fixations"] for entry in state.result.details["files"])
        self.set_reason("" if usable else "There is nothing to import in these files.")

    def _show(self, parts: Sequence[tuple[str, str, bool]]) -> None:
        while self._preview.count() > 1:
            drop_widget(self._preview.takeAt(0))
        for title, text, is_problem in parts:
            self._preview.insertWidget(self._preview.count() - 1, _line(title, text, is_problem))


def found(summary: Summary) -> list[tuple[str, str, bool]]:
    """Return what a dry run found: title, text and whether it is a problem, for each file."""
    parts = [(Path(entry["file"]).name, found_in_file(entry), False) for entry in summary.details["files"]]
    return parts + [found_error(p.where, p.what, p.todo) for p in summary.problems]


def found_error(where: str, what: str, todo: str) -> tuple[str, str, bool]:
    """Return a problem as a part of the preview."""
    return what, "\n".join(part for part in (where, todo) if part), True


def found_in_file(entry: dict[str, Any]) -> str:
    """Return what was found in one file, as sentences."""
    format_name = FORMATS.get(entry["format"], entry["format"])
    lines = [f"{format_name[:1].upper()}{format_name[1:]}, {entry['confidence']:.0%} sure"]
    lines.append(
        f"{_many(entry['trials'], 'trial')} of {_many(len(entry['subjects']), 'subject')} on "
        f"{_many(entry['images'], 'image')}: {_many(entry['fixations'], 'fixation')}"
    )
    if entry["eyes"]:
        rate = f" at {entry['rate_hz']:g} Hz" if entry["rate_hz"] else ""
        lines.append(f"{' and '.join(entry['eyes'])} eye recorded{rate}, {entry['eye_used']} eye used")
    dropped = {why: number for why, number in entry["dropped"].items() if number}
    if dropped:
        reasons = ", ".join(f"{number:,} {why}" for why, number in dropped.items())
        lines.append(f"Not used, but kept with the reason: {reasons}")
    return "\n".join([*lines, *entry.get("notes", [])])


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _line(title: str, text: str, is_problem: bool) -> QWidget:
    icon = QLabel()
    theme.set_icon(icon, "warning" if is_problem else "check")
    words = QVBoxLayout()
    words.setSpacing(2)
    words.addWidget(label(title, wrap=True))
    words.addWidget(label(text, "muted", wrap=True))
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(8, 4, 8, 4)
    row.setSpacing(12)
    row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
    row.addLayout(words, 1)
    return line


def _preview() -> tuple[QVBoxLayout, QScrollArea]:
    body = QWidget()
    column = QVBoxLayout(body)
    column.setContentsMargins(0, 8, 0, 8)
    column.addStretch(1)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidget(body)
    return column, scroll


def _number(value: float, least: float, most: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(least, most)
    box.setDecimals(1)
    box.setValue(value)
    return box
