"""Screen and distance: what holds for each recording, where it comes from, and what a change would do."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.records import IMAGE, Why
from gazeapp.engine.workflows.gaze_preview import PictureOf
from gazeapp.engine.workflows.geometry_preview import Example, StudyGeometry, plan_of
from gazeapp.ui.dialogs.form import FormDialog
from gazeapp.ui.dialogs.geometry_form import EXPLICIT, GeometryForm
from gazeapp.ui.dialogs.geometry_table import GeometryTable
from gazeapp.ui.dialogs.import_gaze.picture_reader import PictureRead, PictureReader
from gazeapp.ui.dialogs.import_gaze.scanpath_view import ScanpathView
from gazeapp.ui.dialogs.import_gaze.trial_drawing import drawing_of
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import advice, label, set_up_rows
from gazeapp.ui.worker import JobProgress, JobRunner, JobState

_SIZE = (1080, 680)
_PREVIEW_WIDTH = 420
_OF_THE_SCREEN = ("screen", "placement", "rect")
_NOT_ON_IMAGE = (
    "Positions of these recordings are counted on the image itself, so the screen does not move them."
)


class GeometryDialog(FormDialog):
    """Edits the geometry of the rows that are chosen; ``said`` is what differs from what the project holds.

    Parameters
    ----------
    parent
        The window.
    runner, path
        Reads the geometry and an example of each recording from this project.
    """

    def __init__(self, parent: QWidget | None, runner: JobRunner, path: Path) -> None:
        super().__init__(
            parent,
            "Screen and distance",
            "Choose recordings, or the default for all of them, and say what is not right. Nothing is read again, and "
            "Undo takes it back.",
            "Use this",
        )
        self.said: dict[int | None, Geometry] = {}
        self._study: StudyGeometry | None = None
        self._examples: dict[int, Example | None] = {}
        self._example_id: int | None = None
        self._runner, self._path = runner, path
        self._jobs: dict[int, int | None] = {}
        self.model = GeometryTable(self)
        self.table = self._make_table()
        self.geometry_form = GeometryForm()
        self.geometry_form.edited.connect(self._edited)
        self.view = ScanpathView()
        self._pictures = PictureReader(runner, self)
        self._pictures.read.connect(self._picture_read)
        self._caption = label("", "muted", wrap=True)
        self._lay_out()
        runner.changed.connect(self._job_changed)
        self._jobs[runner.submit("read geometry", _read_study, path)] = None
        self._explain()

    @property
    def chosen(self) -> list[int | None]:
        """Ids of the recordings in hand, oldest first; None among them is the project's default."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        study = self._study
        return [] if study is None else [study.recordings[row - 1].id if row else None for row in rows]

    def done(self, result: int) -> None:
        """Stop listening."""
        self._runner.changed.disconnect(self._job_changed)
        for job in self._jobs:
            self._runner.cancel(job)
        super().done(result)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        set_up_rows(table, "Recordings and their geometry", 3 * STEP + 4)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        table.setMinimumHeight(22 * STEP)
        table.selectionModel().selectionChanged.connect(self._chosen_changed)
        return table

    def _lay_out(self) -> None:
        self._note = label("", "muted", wrap=True)
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 2 * STEP, 0)
        column.addWidget(self.geometry_form)
        column.addWidget(self._note)
        column.addStretch(1)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self._caption)
        lower = QWidget()
        row = QHBoxLayout(lower)
        row.setContentsMargins(0, 2 * STEP, 0, 0)
        row.addWidget(left, 1)
        row.addWidget(right)
        self.view.setMinimumWidth(_PREVIEW_WIDTH)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(lower)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 2)
        self.body.addWidget(split, 1)
        self.resize(*_SIZE)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in self._jobs:
            return
        recording = self._jobs.pop(state.id)
        if state.error is not None:
            self._caption.setText(advice(state.error))
        elif recording is None and state.status == "done":
            self._show_study(state.result)
        elif recording is not None and state.status == "done":
            self._examples[recording] = state.result
            self._draw()

    def _show_study(self, study: StudyGeometry) -> None:
        self._study = study
        self.model.show_study(study)
        header = self.table.horizontalHeader()
        for column in range(self.model.columnCount()):
            mode = QHeaderView.ResizeMode.Stretch if column == 0 else QHeaderView.ResizeMode.ResizeToContents
            header.setSectionResizeMode(column, mode)
        self.table.selectRow(1 if len(study.recordings) == 1 else 0)
        self.table.setFocus()

    @Slot()
    def _chosen_changed(self, *_args: object) -> None:
        self._show_fields()
        self._draw()

    def _now(self, row_id: int | None) -> Geometry:
        """Return what is said of a row, edits included."""
        return self.said[row_id] if row_id in self.said else self._held(row_id)

    def _otherwise(self, row_id: int | None) -> Geometry:
        """Return what holds for a row where nothing is said of it."""
        if row_id is None or self._study is None:
            return Geometry()
        row = next(row for row in self._study.recordings if row.id == row_id)
        return row.recorded.over(self._now(None))

    def _show_fields(self) -> None:
        chosen = self.chosen
        self.geometry_form.show_geometries(
            [self._now(row_id) for row_id in chosen], [self._otherwise(row_id) for row_id in chosen]
        )
        self._enable()

    def _enable(self) -> None:
        """Disable what cannot matter for the rows in hand, and say why."""
        study, chosen = self._study, self.chosen
        rows = [row for row in study.recordings if row.id in chosen] if study is not None else []
        on_image = bool(rows) and None not in chosen and all(row.frame.of == IMAGE for row in rows)
        names = [entry.name for entry in fields(Geometry)]
        if not chosen:
            reasons = dict.fromkeys(names, "Choose a row of the table.")
        else:
            reasons = dict.fromkeys(_OF_THE_SCREEN, _NOT_ON_IMAGE) if on_image else {}
        said = [name for name in names if any(getattr(self._now(row_id), name) for row_id in chosen)]
        self.geometry_form.allow(reasons, said)
        self._note.setText(_NOT_ON_IMAGE if on_image else "")

    @Slot(str)
    def _edited(self, name: str) -> None:
        field = self.geometry_form.fields[name]
        if field.value is None and field.is_touched:
            self.set_reason("Give both the width and the height.")
        else:
            self._say(name, field.value)

    def _say(self, name: str, value: Any) -> None:
        """Say one thing of all rows in hand."""
        try:
            for row_id in self.chosen:
                geometry = self._changed(row_id, name, value)
                self.said[row_id] = geometry
                if geometry == self._held(row_id):
                    del self.said[row_id]
        except GazeError as error:
            self.set_reason(advice(error))
            return
        if name == "placement" or value is None:
            self._show_fields()
        else:
            self._enable()
        self.model.show_said(self.said)
        self._draw()

    def _held(self, row_id: int | None) -> Geometry:
        """Return what the project holds of a row."""
        if self._study is None or row_id is None:
            return self._study.default if self._study is not None else Geometry()
        return next(row.said for row in self._study.recordings if row.id == row_id)

    def _changed(self, row_id: int | None, name: str, value: Any) -> Geometry:
        now = self._now(row_id)
        if name == "placement":
            rect = (now.rect or self._place_now(row_id)) if value == EXPLICIT else None
            return replace(now, placement=value, rect=rect)
        if name == "rect" and value is None:
            return replace(now, placement="", rect=None)
        return replace(now, **{name: value})

    def _place_now(self, row_id: int | None) -> tuple[float, float, float, float]:
        """Return where the example's image lies now, to begin with when a place is to be given."""
        example = self._examples.get(self._example_id) if self._example_id is not None else None
        if example is not None and self.view.drawing is not None and self.view.drawing.image is not None:
            x, y, width, height = (round(side, 1) for side in self.view.drawing.image)
            return (x, y, width, height)
        screen = self._now(row_id).over(self._otherwise(row_id)).screen
        return (0.0, 0.0, *(screen or (1.0, 1.0)))

    def _draw(self) -> None:
        """Draw an example of the first recording in hand, or of the first one of all for the default."""
        study, chosen = self._study, self.chosen
        if study is None or not chosen or not study.recordings:
            self.view.set_drawing(None)
            self._explain()
            return
        self._example_id = next((i for i in chosen if i is not None), None) or study.recordings[0].id
        if self._example_id not in self._examples:
            if self._example_id not in self._jobs.values():
                job = self._runner.submit(
                    "read a trial", partial(_read_example, self._example_id), self._path
                )
                self._jobs[job] = self._example_id
            return
        example = self._examples[self._example_id]
        if example is None:
            self.view.set_drawing(None)
            self._caption.setText("None of its trials is on an image of the project.")
            self._explain()
            return
        holds = self._now(self._example_id).over(self._otherwise(self._example_id))
        plan = plan_of(example, holds, study.choices)
        image = example.image
        picture = PictureOf(image.name, example.file, image.width, image.height)
        self.view.set_drawing(drawing_of(plan, 0, {image.id: picture}))
        if (found := self._pictures.get(picture)) is not None:
            self.view.set_picture(found.picture, found.problem)
        used, outside = int((plan.why == Why.USED).sum()), int((plan.why == Why.OUTSIDE_IMAGE).sum())
        who = f"{example.trial.subject} on {image.name}"
        self._caption.setText(f"{who}: {used} fixations used, {outside} outside the image.")
        self._explain(plan.blocked)

    @Slot(object)
    def _picture_read(self, found: PictureRead) -> None:
        drawing = self.view.drawing
        if drawing is not None and drawing.picture == found.image:
            self.view.set_picture(found.picture, found.problem)

    def _explain(self, blocked: GazeError | None = None) -> None:
        if blocked is not None:
            self.set_reason(f"{blocked.what} Give the screen's size.")
        elif self._study is None:
            self.set_reason("Reading…")
        else:
            self.set_reason("" if self.said else "Nothing is changed.")


def _read_study(project: Any, _progress: JobProgress) -> StudyGeometry:
    from gazeapp.engine.workflows.geometry_preview import read_geometry

    return read_geometry(project)


def _read_example(recording_id: int, project: Any, _progress: JobProgress) -> Example | None:
    from gazeapp.engine.workflows.geometry_preview import read_example

    return read_example(project, recording_id)
