"""What of brain responses is shown: whose, under which task, with which atlas, by which measure, in which region."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSettings, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.reports.numbers import count
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    shown_sources,
)
from gazeapp.engine.reports.results.neural_measures import (
    MEASURES,
    NeuralAsked,
    subject_name,
)
from gazeapp.engine.reports.results.neural_read import NeuralRead
from gazeapp.engine.workflows.encode_atlas import TABLE
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.widgets import icon_button, label, plain

RESPONSES, SUBJECT, TASK, ATLAS, ROWS, MEASURE, AGAINST, REGION, SOURCE = (
    "responses",
    "subject",
    "task",
    "atlas",
    "rows",
    "measure",
    "against",
    "region",
    "source",
)
_KEPT = "neural/{}"
_ABOUT = {
    RESPONSES: ("Responses", "Which brain responses are predicted."),
    SUBJECT: ("Subject", "Whose responses are predicted."),
    TASK: ("Task", "Under which task maps were made."),
    ATLAS: ("Atlas", "Which atlas the regions are of."),
    ROWS: ("Regions or groups", "Whether single regions are shown, or groups of them."),
    MEASURE: ("Measure", "Which number is shown."),
    AGAINST: ("Held against", "Which source others are compared with."),
    REGION: (
        "Region in hand",
        "Which region all pages are about. A click into the table of regions chooses one, too.",
    ),
    SOURCE: ("Source in hand", "Which source of maps all pages are about."),
}
_NARROWEST = {RESPONSES: 12, MEASURE: 10, AGAINST: 10, REGION: 12}
_LEAST = 8
_BETWEEN = "\n"
"""Stands between kind and id of a source."""
_REMEMBERED = (RESPONSES, ATLAS, MEASURE, ROWS)
GROUPS, REGIONS = "groups", "regions"


class NeuralBar(QWidget):
    """Choices side by side; ``chosen`` carries which one was made, and its value."""

    chosen = Signal(str, str)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said = ""
        self.boxes = {name: _box(name) for name in _ABOUT}
        self.simulated = label("simulated", "badge")
        self.older = label("older than maps or fixations", "badge")
        self.older.setToolTip(
            plain(
                "Models were run again, or which fixations are in use has changed, since responses were predicted. "
                "Predict them again to renew these numbers."
            )
        )
        for badge in (self.simulated, self.older):
            badge.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
            badge.hide()
        self.facts = label("", "muted")
        self.facts.installEventFilter(self)
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.run = QPushButton("Predict…")
        theme.set_role(self.run, "quiet")
        theme.set_icon(self.run, "play")
        self.run.setAccessibleName(actions["neural.run"].text())
        follow(self.run, actions["neural.run"])
        self.more = icon_button("plus", "Bring in responses or regions")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        menu.setToolTipsVisible(True)
        for action_id in ("neural.import_responses", "neural.predict", "neural.regions"):
            menu.addAction(actions[action_id])
        self.more.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.STEP, 2, theme.STEP, 2)
        row.setSpacing(theme.STEP // 2)
        for name, box in self.boxes.items():
            box.activated.connect(self._choose)
            row.addWidget(box)
            if name == RESPONSES:
                row.addWidget(self.simulated, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.facts, 1)
        for part in (self.older, self.run, self.more):
            row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave out the number of images where there is no room for it."""
        if event.type() == QEvent.Type.Resize and watched is self.facts:
            self._fit_facts()
        return super().eventFilter(watched, event)

    def _fit_facts(self) -> None:
        has_room = self.facts.fontMetrics().horizontalAdvance(self._said) <= self.facts.width()
        self.facts.setText(self._said if has_room else "")
        self.facts.setToolTip(plain(self._said))

    @staticmethod
    def remembered(name: str) -> str:
        """Return what was chosen last; empty where nothing was."""
        return str(QSettings().value(_KEPT.format(name), ""))

    @staticmethod
    def source_of(value: str) -> tuple[str, str]:
        """Return kind and id of a source that was chosen."""
        kind, _, id_ = value.partition(_BETWEEN)
        return kind, id_

    def show_read(self, read: NeuralRead, asked: NeuralAsked) -> None:
        """Offer what there is, with what is asked for chosen."""
        results = read.results
        row = read.row
        self._offer(RESPONSES, {one.name: one.name for one in read.responses}, read.name)
        self.simulated.setVisible(row is not None and row.simulated)
        if row is not None:
            self.simulated.setToolTip(
                plain(f"These responses are simulated: {row.source or 'a model made them'}.")
            )
            self._tell(RESPONSES, _told_of(row))
        if results is None:
            for name in self.boxes:
                if name != RESPONSES:
                    self._offer(name, {}, "")
            self._said = ""
            self._fit_facts()
            self.older.hide()
            return
        self._offer(SUBJECT, {one: subject_name(one) for one in results.subjects}, asked.subject)
        tasks = dict.fromkeys((*results.tasks, asked.task))
        self._offer(TASK, {one: one for one in tasks}, asked.task)
        self._offer(
            ATLAS,
            {one: "regions of the table" if one == TABLE else one for one in read.atlases},
            results.atlas,
        )
        self._tell(ATLAS, results.limits)
        rows = {REGIONS: "regions", GROUPS: "groups"} if results.has_groups else {}
        self._offer(ROWS, rows, GROUPS if asked.groups else REGIONS)
        measures = results.measures(asked.task, asked.subject)
        self._offer(MEASURE, {one.id: one.name for one in measures}, asked.measure)
        for k, one in enumerate(measures):
            self.boxes[MEASURE].setItemData(k, plain(one.meaning), Qt.ItemDataRole.ToolTipRole)
        if asked.measure in MEASURES:
            self._tell(MEASURE, MEASURES[asked.measure].meaning)
        against = {one: results.facts(one).name for one in results.held_against(asked)}
        self._offer(AGAINST, against, asked.against, always=True)
        names = results.regions(groups=asked.groups) if measures else ()
        self._offer(REGION, {one: one for one in names}, asked.region, always=True)
        sources = shown_sources(results, asked) if measures else []
        chosen = _BETWEEN.join(asked.source)
        self._offer(
            SOURCE, {_BETWEEN.join((one.kind, one.id)): one.name for one in sources}, chosen, always=True
        )
        self._said = _facts(results, asked)
        self._fit_facts()
        self.older.setVisible(asked.task in results.older)

    def _offer(self, name: str, choices: Mapping[str, str], current: str, *, always: bool = False) -> None:
        box = self.boxes[name]
        with QSignalBlocker(box):
            if [box.itemData(k) for k in range(box.count())] != list(choices):
                box.clear()
                for value, text in choices.items():
                    box.addItem(text, value)
            place = box.findData(current)
            box.setCurrentIndex(place)
        self._tell(name, _ABOUT[name][1])
        box.setVisible(len(choices) > (0 if always or name == RESPONSES else 1))

    def _tell(self, name: str, about: str) -> None:
        """Say in the tooltip of a box what is chosen, for which it may have no room, and what that is."""
        box = self.boxes[name]
        box.setToolTip(plain(f"{_ABOUT[name][0]}: {box.currentText()}\n{about}".rstrip()))

    @Slot()
    def _choose(self, _index: int = 0) -> None:
        box = self.sender()
        if isinstance(box, QComboBox):
            name, value = box.objectName(), str(box.currentData())
            if name in _REMEMBERED:
                QSettings().setValue(_KEPT.format(name), value)
            self.chosen.emit(name, value)


def _box(name: str) -> QComboBox:
    title, about = _ABOUT[name]
    box = QComboBox()
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setToolTip(plain(about))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumContentsLength(_NARROWEST.get(name, _LEAST))
    box.setMaximumWidth(28 * theme.STEP)
    box.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    box.setMaxVisibleItems(24)
    return box


def _told_of(row: ResponsesRow) -> str:
    """Return what responses are."""
    n_subjects = len([one for one in row.subjects if one])
    who = f", {n_subjects} subject{'' if n_subjects == 1 else 's'}" if n_subjects else ""
    source = f"\n{row.source}" if row.source else ""
    kind = "Simulated" if row.simulated else "Measured"
    ceiling = row.ceiling_origin
    return f"{kind} responses “{row.name}”: {row.n_images:,} images{who}.{source}" + (
        f"\nCeiling: {ceiling}" if ceiling else "\nNo noise ceiling is known."
    )


def _facts(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return on how many images numbers rest."""
    n = results.n_images(asked)
    return count(n, "image") if n else ""
