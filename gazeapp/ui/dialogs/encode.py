"""Predict responses from maps: which responses and regions, from whose maps, and how carefully."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.neural.controls import CENTRE, OTHER_IMAGE
from gazeapp.engine.neural.controls import CONTROLS as ABOUT_CONTROLS
from gazeapp.engine.neural.records import FSAVERAGE5
from gazeapp.engine.neural.regions.built_in import DESIKAN
from gazeapp.engine.workflows.encode import CONTROLS, EncodeSettings
from gazeapp.engine.workflows.regions import JOINED, SEPARATE
from gazeapp.ui import theme
from gazeapp.ui.dialogs.encode_advanced import EncodeAdvanced
from gazeapp.ui.dialogs.encode_count import EncodeCountLine
from gazeapp.ui.dialogs.form import Fold, FormDialog, add_field, form_layout
from gazeapp.ui.dialogs.import_responses_found import in_the_window
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import Segments, capital, label, no_mnemonic, plain, simulated_badge, wrapped
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.engine.project.rows import AtlasRow, ResponsesRow

_SIZE = (1000, 660)
_MOST_HEIGHT = 960
_TABLE = "These responses are of a table's regions, so that no atlas is needed."
_NO_VERTICES = "These responses are of a table's regions, and have no vertices."
_ONE_SUBJECT = "These responses are of no more than one subject."
_NO_GAZE = "It is made of fixations, of which the study has none."
_SIDES = {"Left and right as one": JOINED, "Each by itself": SEPARATE}


class EncodeDialog(FormDialog):
    """Asks what to predict from what; what is there already and has not changed is not computed again.

    Parameters
    ----------
    parent
        The window.
    study
        The study, with responses.
    lookups
        Runs what is read to fill the dialog in and to count.
    """

    def __init__(self, parent: QWidget | None, study: StudyView, lookups: JobRunner) -> None:
        super().__init__(
            parent,
            "Predict responses from maps",
            "Encoding models learn to predict the responses of each region from maps, and are tested on images that "
            "they have not seen. It can be cancelled, and goes on where it stopped.",
            "Predict",
        )
        self._study, self._lookups = study, lookups
        self._rows = {row.name: row for row in study.responses}
        self._atlases: dict[str, AtlasRow] = {}
        self._problem = ""
        self.responses, self.atlas = QComboBox(), QComboBox()
        self.badge = simulated_badge()
        self.badge.setToolTip("A model made these responses; nobody measured them.")
        self.hemispheres = Segments("Hemispheres")
        self.about = label("", "muted", wrap=True)
        self.vertices = QCheckBox("Predict every vertex as well")
        self.subjects = QCheckBox("Each subject’s responses as well as their mean")
        self.tasks = {task: QCheckBox(no_mnemonic(task)) for task in study.tasks}
        ran = {run.model for run in study.runs}
        self.models = {
            model: QCheckBox(no_mnemonic(row.name)) for model, row in study.models.items() if model in ran
        }
        self.controls = {control: QCheckBox(capital(ABOUT_CONTROLS[control].title)) for control in CONTROLS}
        fold = Fold("Advanced")
        self.advanced = EncodeAdvanced(fold.form, asdict(EncodeSettings()))
        self.count = label("", "muted", wrap=True)
        self._count = EncodeCountLine(self.count, lookups, study.path)
        self._fill()
        self._lay_out(fold)
        self._connect(fold)
        self._find_job = lookups.submit("atlases", _atlases_of, study.path)
        self._show_responses()
        self.responses.setFocus()
        room = parent.height() if parent is not None else 0
        self.resize(_SIZE[0], max(_SIZE[1], min(room * 4 // 5, _MOST_HEIGHT)))

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``EncodeSettings``."""
        return {
            "responses": self.responses.currentData(),
            "atlas": self.atlas.currentData() or DESIKAN,
            "hemispheres": _SIDES[self.hemispheres.current],
            "tasks": _ticked(self.tasks),
            "models": _ticked(self.models),
            "controls": _ticked(self.controls),
            "vertices": self.vertices.isEnabled() and self.vertices.isChecked(),
            "subjects": self.subjects.isEnabled() and self.subjects.isChecked(),
            **self.advanced.values(),
        }

    def done(self, result: int) -> None:
        """Leave; nothing is counted any more."""
        self._count.stop()
        super().done(result)

    def _fill(self) -> None:
        for row in self._study.responses:
            self.responses.addItem(row.name, row.name)
        self.responses.setCurrentIndex(self.responses.count() - 1)
        self.hemispheres.set_values(list(_SIDES), next(iter(_SIDES)))
        for box in (*self.tasks.values(), *self.models.values(), *self.controls.values(), self.vertices):
            box.setChecked(True)
        for model, box in self.models.items():
            if self._study.models[model].kind == "truth":
                box.setToolTip(
                    "The density from which simulated fixations were drawn: how well a perfect map does."
                )
        for control, box in self.controls.items():
            lacks = control in (CENTRE, OTHER_IMAGE) and not self._study.fixations
            box.setToolTip(plain(f"{ABOUT_CONTROLS[control].about}{f' {_NO_GAZE}' if lacks else ''}"))
            box.setEnabled(not lacks)
            if lacks:
                box.setChecked(False)

    def _lay_out(self, fold: Fold) -> None:
        inside = QWidget()
        left = QVBoxLayout(inside)
        left.setContentsMargins(0, 0, theme.STEP * 2, 0)
        left.setSpacing(theme.STEP)
        form = form_layout()
        add_field(form, "Responses", _row(self.responses, self.badge), "What is predicted.")
        self.responses.setAccessibleName("Responses")
        add_field(
            form,
            "Atlas",
            self.atlas,
            "Whose regions are predicted; its groups of regions always are as well.",
        )
        add_field(
            form,
            "Hemispheres",
            self.hemispheres,
            "Whether left and right parts of a region are one region. Groups are always of both hemispheres.",
        )
        add_field(form, "", self.about)
        add_field(
            form,
            "Vertices",
            self.vertices,
            "20,484 more encoding models for each source but the controls, for the view of the cortex: no tests and "
            "no intervals, a few seconds each.",
        )
        add_field(
            form,
            "Subjects",
            self.subjects,
            "Repeats everything for each subject whose responses there are: time grows with their number.",
        )
        for box in (self.vertices, self.subjects):
            box.setAccessibleName(box.text())
        left.addWidget(label("WHAT IS PREDICTED", "section"))
        left.addLayout(form)
        left.addWidget(fold)
        left.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(theme.STEP)
        for title, boxes, note in (
            ("TASKS", self.tasks, ""),
            ("FROM THE MAPS OF", self.models, "And people, where there are fixations."),
            ("HELD AGAINST", self.controls, ""),
        ):
            right.addWidget(label(title, "section"))
            right.addWidget(_boxes(list(boxes.values()), note))
        right.addStretch(1)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 4)
        both.addWidget(_scrolled(inside, "What is predicted"), 6)
        both.addLayout(right, 5)
        self.body.addLayout(both, 1)
        self.body.addWidget(self.count)

    def _connect(self, fold: Fold) -> None:
        fold.turned.connect(self._grow, Qt.ConnectionType.QueuedConnection)
        self.responses.currentIndexChanged.connect(self._show_responses)
        self.atlas.currentIndexChanged.connect(self._show_atlas)
        self.hemispheres.chosen.connect(self._check)
        for box in (*self.tasks.values(), *self.models.values(), *self.controls.values()):
            box.toggled.connect(self._check)
        for box in (self.vertices, self.subjects):
            box.toggled.connect(self._check)
        self.advanced.changed.connect(self._check)
        self._count.refused.connect(self._check)
        self._lookups.changed.connect(self._looked_up)

    @Slot()
    def _grow(self) -> None:
        """Show as much of the folded part as the window is high; the rest is scrolled."""
        room = self.parentWidget().height() if self.parentWidget() is not None else 0
        self.resize(self.width(), max(self.height(), min(room, _MOST_HEIGHT)))

    @property
    def _row(self) -> ResponsesRow:
        return self._rows[self.responses.currentData()]

    @Slot(object)
    def _looked_up(self, state: JobState) -> None:
        if state.status not in ("done", "failed") or state.id != self._find_job:
            return  # taken out of the queue, it found nothing
        if state.error is not None:
            self._problem = in_the_window(state.error)
        else:
            self._show_atlases(state.result)
        self._check()

    def _show_atlases(self, atlases: Sequence[AtlasRow]) -> None:
        self._atlases = {row.name: row for row in atlases}
        for row in atlases:
            self.atlas.addItem(row.name, row.name)
        self._show_atlas()

    @Slot()
    def _show_atlas(self, _index: int = 0) -> None:
        row = self._atlases.get(self.atlas.currentData())
        if self._row.space != FSAVERAGE5:
            self.about.setText(_TABLE)
        elif row is not None:
            groups = f"Groups: {', '.join(row.groups)}." if row.groups else "It has no groups of regions."
            self.about.setText(f"{groups} {row.limits}".strip())
        self._check()

    @Slot()
    def _show_responses(self, _index: int = 0) -> None:
        """Offer what makes sense for the responses, and say why the rest does not."""
        row = self._row
        surface = row.space == FSAVERAGE5
        self.badge.setVisible(row.simulated)
        for part, may, why in (
            (self.atlas, surface, _TABLE),
            (self.hemispheres, surface, _TABLE),
            (self.vertices, surface, _NO_VERTICES),
            (self.advanced.rsa, surface, _NO_VERTICES),
            (self.subjects, len(row.subjects) > 1, _ONE_SUBJECT),
        ):
            _allow(part, may, why)
        self._show_atlas()

    @Slot()
    def _check(self, _what: object = None) -> None:
        reason = self._why_not()
        names = {source: self._study.source_name(source) for source in (*self.models, "people")}
        self._count.show(None if reason else self.choice(), names)
        self.set_reason(reason or self._count.problem)

    def _why_not(self) -> str:
        if self._problem:
            return self._problem
        if self._row.space == FSAVERAGE5 and not self._atlases:
            return "Looking for atlases…"
        if not _ticked(self.tasks):
            return "Choose at least one task."
        if self.models and not _ticked(self.models):
            return "Choose the maps of at least one model."
        return ""


def _atlases_of(project: Any, _progress: Any) -> list[AtlasRow]:
    from gazeapp.engine.workflows.regions import all_atlases

    return all_atlases(project)


def _ticked(boxes: Mapping[str, QCheckBox]) -> tuple[str, ...]:
    return tuple(name for name, box in boxes.items() if box.isChecked())


def _allow(part: QWidget, may: bool, why: str) -> None:
    """Enable a field with its own tooltip, or disable it with the reason."""
    if part.property("says") is None:
        part.setProperty("says", part.toolTip())
    part.setEnabled(may)
    part.setToolTip(part.property("says") if may else wrapped(why))


def _row(field: QWidget, badge: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.STEP)
    row.addWidget(field, 1)
    row.addWidget(badge)
    both.setFocusProxy(field)
    return both


def _boxes(boxes: Sequence[QCheckBox], note: str) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, theme.STEP)
    column.setSpacing(2)
    for box in boxes:
        column.addWidget(box)
    if note:
        column.addWidget(label(note, "muted", wrap=True))
    return holder


def _scrolled(inside: QWidget, name: str) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setAccessibleName(name)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inside)
    return scroll
