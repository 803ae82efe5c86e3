"""Looking through the trials of a recording, each on its image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Slot,
)
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.gaze.plan import ImportPlan, PlannedTrial
from gazeapp.engine.gaze.records import Contents, Why
from gazeapp.engine.workflows.gaze_preview import PictureOf
from gazeapp.ui import theme
from gazeapp.ui.dialogs.import_gaze.picture_reader import PictureRead, PictureReader
from gazeapp.ui.dialogs.import_gaze.scanpath_view import ScanpathView
from gazeapp.ui.dialogs.import_gaze.trial_drawing import TrialDrawing, drawing_of, recorded
from gazeapp.ui.widgets import icon_button, label, plain, set_up_rows
from gazeapp.ui.worker import JobRunner

_LIST_WIDTH = 240
_HEADS = ("Subject", "Image", "Used")
_AnyIndex = QModelIndex | QPersistentModelIndex


class _Trials(QAbstractTableModel):
    """The trials of a plan that fit a filter."""

    def __init__(self) -> None:
        super().__init__()
        self._trials: tuple[PlannedTrial, ...] = ()
        self._used = np.zeros(1, np.int64)
        self.numbers: Sequence[int] = ()

    def set_plan(self, plan: ImportPlan | None, words: str) -> None:
        """Show the trials of a plan."""
        self.beginResetModel()
        self._trials = () if plan is None else plan.trials
        if plan is not None:
            self._used = np.r_[0, np.cumsum(plan.why == Why.USED)]
        self.numbers = self._fitting(words)
        self.endResetModel()

    def seek(self, words: str) -> None:
        """Show only trials whose subject, image or label has all of ``words``."""
        self.beginResetModel()
        self.numbers = self._fitting(words)
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        """Return how many trials fit."""
        return 0 if parent is not None and parent.isValid() else len(self.numbers)

    def columnCount(self, parent: _AnyIndex | None = None) -> int:
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(_HEADS)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        trial = self._trials[self.numbers[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            used = int(self._used[trial.rows.stop] - self._used[trial.rows.start])
            return (trial.trial.subject, _image_of(trial), f"{used:,}")[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(_tip(trial))
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the heads of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section == 2 else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _fitting(self, words: str) -> Sequence[int]:
        wanted = words.casefold().split()
        if not wanted:
            return range(len(self._trials))
        return [k for k, trial in enumerate(self._trials) if _has(trial, wanted)]


def _image_of(trial: PlannedTrial) -> str:
    return trial.image_name or trial.trial.label or "no name"


def _has(trial: PlannedTrial, words: Sequence[str]) -> bool:
    text = f"{trial.trial.subject} {_image_of(trial)} {trial.trial.label}".casefold()
    return all(word in text for word in words)


def _tip(trial: PlannedTrial) -> str:
    lines = [f"trial {trial.trial.label}" if trial.trial.label else "trial without a label"]
    if trial.image_id is None:
        lines.append("No image of the project has this name.")
    if not trial.trial.is_real:
        lines.append("Before, between or after the trials that the file marks.")
    return "\n".join(lines)


class _Line(QLabel):
    """A line of text that is cut in its middle where there is no room; the tooltip has all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        theme.set_role(self, "muted")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_line(self, text: str) -> None:
        """Show a text."""
        self._whole = text
        self.setToolTip(plain(text))
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))


class TrialBrowser(QWidget):
    """A list of trials beside the one that is chosen, drawn on its image.

    Parameters
    ----------
    runner
        Reads the pictures.
    compares
        Whether it stands beside other fields: it has no list of trials, and the other eye is not drawn.
    """

    def __init__(self, runner: JobRunner, *, compares: bool = False) -> None:
        super().__init__()
        self._plan: ImportPlan | None = None
        self._images: Mapping[int, PictureOf] = {}
        self._own: Contents | None = None
        self._number = -1
        self._pictures = PictureReader(runner, self)
        self._pictures.read.connect(self._picture_read)
        self.view = ScanpathView()
        self._model = _Trials()
        self._list = QTableView()
        self._find = QLineEdit()
        self._place = label("", "title")
        self._who = _Line()
        self._detail = label("", "muted", wrap=True)
        self._back = icon_button("previous", "Previous trial (left key in the picture)")
        self._next = icon_button("next", "Next trial (right key in the picture)")
        self._other_eye = QCheckBox("Other eye, too")
        self._other_eye.setVisible(not compares)
        self._has_list = not compares
        self._zoom = QCheckBox("Image only")
        self._zoom.setToolTip("Enlarge the image; what lies beside it becomes a triangle at the edge.")
        self._lay_out()
        self._back.clicked.connect(lambda: self.step(-1))
        self._next.clicked.connect(lambda: self.step(1))
        self._other_eye.toggled.connect(self._draw)
        self._zoom.toggled.connect(self.view.set_image_only)
        self._find.textChanged.connect(self._seek)
        self.view.stepped.connect(self.step)
        self.view.picked.connect(self._describe)

    @property
    def number(self) -> int:
        """Place of the chosen trial in the plan; -1 when there is none."""
        return self._number

    @property
    def detail(self) -> str:
        """What the line under the picture says."""
        return self._detail.text()

    def show_plan(
        self,
        plan: ImportPlan | None,
        images: Mapping[int, PictureOf],
        own: Contents | None = None,
        *,
        stay: bool = False,
    ) -> None:
        """Show the trials of a plan.

        Parameters
        ----------
        plan
            What importing the recording would store.
        images
            Images of the project by their id.
        own
            The tracker's own fixations, to compare with.
        stay
            Keep the trial that is shown; else the first with an image is.
        """
        self._plan, self._images, self._own = plan, images, own
        self._model.set_plan(plan, self._find.text())
        trials = plan.trials if plan else ()
        if not (stay and 0 <= self._number < len(trials)):
            with_image = (k for k, trial in enumerate(trials) if trial.image_id is not None)
            self._number = next(with_image, 0 if trials else -1)
        has_other = plan is not None and bool((plan.why == Why.OTHER_EYE).any())
        self._other_eye.setEnabled(has_other)
        self._other_eye.setToolTip(
            "Draw the fixations of the eye that is not used, as rings."
            if has_other
            else "The recording has fixations of one eye only."
        )
        self._select()
        self._draw()

    def go_to(self, number: int) -> None:
        """Show a trial."""
        if self._plan is not None and 0 <= number < len(self._plan.trials) and number != self._number:
            self._number = number
            self._select()
            self._draw()

    @Slot(int)
    def step(self, by: int) -> None:
        """Show the trial that many places further in the list."""
        numbers = self._model.numbers
        if numbers:
            row = numbers.index(self._number) + by if self._number in numbers else 0
            self.go_to(numbers[min(max(row, 0), len(numbers) - 1)])

    def _lay_out(self) -> None:
        self._list.setModel(self._model)
        self._list.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        set_up_rows(self._list, "Trials", 28)
        self._list.setFont(theme.tabular(self._list.font()))
        head = self._list.horizontalHeader()
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        head.resizeSection(0, 64)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        head.setMinimumSectionSize(40)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.selectionModel().currentRowChanged.connect(self._chosen)
        self._find.setPlaceholderText("Find a subject or an image")
        self._find.setAccessibleName("Find a subject or an image")
        self._find.setClearButtonEnabled(True)
        side = QWidget()
        side.setMinimumWidth(_LIST_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(theme.STEP * 2, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(self._find)
        column.addWidget(self._list, 1)
        top = QHBoxLayout()
        top.setSpacing(theme.STEP)
        for widget in (self._back, self._next, self._place):
            top.addWidget(widget)
        top.addWidget(self._who, 1)
        top.addWidget(self._zoom)
        top.addWidget(self._other_eye)
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, theme.STEP * 2 if self._has_list else 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        self._detail.setMinimumHeight(self._detail.fontMetrics().lineSpacing() * 2)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._detail)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(main)
        split.addWidget(side)
        side.setVisible(self._has_list)
        split.setStretchFactor(0, 1)
        split.setSizes([10 * _LIST_WIDTH, _LIST_WIDTH])
        split.setChildrenCollapsible(False)
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(split)

    def _select(self) -> None:
        """Mark the trial that is shown in the list."""
        with QSignalBlocker(self._list.selectionModel()):
            if self._number in self._model.numbers:
                self._list.selectRow(self._model.numbers.index(self._number))
            else:
                self._list.clearSelection()
        self._list.viewport().update()

    @Slot()
    def _draw(self) -> None:
        plan = self._plan
        self._back.setEnabled(self._number > 0)
        self._next.setEnabled(plan is not None and self._number < len(plan.trials) - 1)
        if plan is None or self._number < 0:
            self._place.setText("No trial")
            self._who.show_line("")
            self.view.set_drawing(None)
            self._describe(-1)
            return
        trial = plan.trials[self._number]
        self._place.setText(f"Trial {self._number + 1:,} of {len(plan.trials):,}")
        named = (trial.trial.subject, trial.image_name, trial.task)
        self._who.show_line(" · ".join(part for part in named if part))
        drawing = drawing_of(
            plan, self._number, self._images, other_eye=self._other_eye.isChecked(), own=self._own
        )
        self.view.set_drawing(drawing)
        if drawing.picture is not None:
            found = self._pictures.get(drawing.picture)
            if found is not None:
                self._picture_read(found)
        self._describe(-1)

    @Slot(object)
    def _picture_read(self, found: PictureRead) -> None:
        drawing = self.view.drawing
        if drawing is not None and drawing.picture == found.image:
            self.view.set_picture(found.picture, found.problem)

    @Slot(int)
    def _describe(self, pick: int) -> None:
        """Say in the line under the picture what is pointed at, else what is drawn."""
        drawing = self.view.drawing
        if self._plan is None or drawing is None:
            self._detail.setText("")
        elif 0 <= pick < len(drawing.scanpath):
            self._detail.setText(" · ".join(drawing.scanpath.lines(pick)))
        else:
            self._detail.setText(summary_of(self._plan, self._number, drawing))

    @Slot()
    def _chosen(self) -> None:
        row = self._list.currentIndex().row()
        if 0 <= row < len(self._model.numbers):
            self.go_to(self._model.numbers[row])

    @Slot(str)
    def _seek(self, words: str) -> None:
        self._model.seek(words)
        self._select()


def summary_of(plan: ImportPlan, number: int, drawing: TrialDrawing) -> str:
    """Return what is drawn of a trial and what is left out of it, as sentences."""
    trial = plan.trials[number]
    counts = Counter(Why(code) for code in recorded(plan, number)[1].tolist())
    used = counts.pop(Why.USED, 0)
    words = [f"{used:,} {'fixation' if used == 1 else 'fixations'} used."]
    if counts:
        reasons = ", ".join(f"{n:,} {why.words}" for why, n in sorted(counts.items()))
        words.append(f"Left out: {reasons}.")
    if drawing.other is not None:
        words.append(f"Diamonds are the tracker's own {len(drawing.other):,} fixations.")
    if trial.image_id is None:
        words.append("No image of the project matches: match it on the page Images.")
    elif drawing.image is None:
        words.append("Where the image lay is not known: see the page Screen and distance.")
    return " ".join(words)
