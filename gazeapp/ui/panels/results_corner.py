"""What stands in the title of the scores panel: what the numbers rest on, what is shown, what can be taken."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSettings, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import Segments, icon_button, label, plain

BY_TASK, BY_METRIC = "By task", "By metric"
"""Whether a table is of one task, with metrics across, or of one metric, with tasks across."""

PRIMARY_MARK = " ★"
PRIMARY = "★ The primary metric, which was declared when the study was scored."
"""What marks the metric that results are led by, and what it says."""

_GROUPING = "scores/grouping"


_CHOICE = "Metric or measure that is shown"


class ResultsCorner(QWidget):
    """A line of facts and the controls of the scores panel."""

    grouping_chosen = Signal(str)
    metric_chosen = Signal(str)
    """A metric, measure or pair of tasks."""
    preset_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = ""
        self.facts = label("", "muted")
        self.facts.setMinimumWidth(5 * theme.STEP)
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.facts.installEventFilter(self)
        self.older = label("older than maps or fixations", "badge")
        self.older.setToolTip(
            plain(
                "Models were run again, or which fixations are in use or where they lie has changed, since these "
                "scores were made. "
                "Score the study again to renew them."
            )
        )
        self.grouping = Segments("What stands across the table")
        stored = str(QSettings().value(_GROUPING, BY_TASK))
        self.grouping.set_values([BY_TASK, BY_METRIC], stored if stored == BY_METRIC else BY_TASK)
        self.grouping.setToolTip("One task with metrics across, or one metric with tasks across")
        self.grouping.chosen.connect(self._choose_grouping)
        self.choice = _box("Metric or measure", _CHOICE)
        self.choice.activated.connect(self._choose_metric)
        self.presets = _box(
            "Metric conventions", "The conventions of the metrics; numbers of different ones do not compare."
        )
        self.presets.activated.connect(self._choose_preset)
        self.take = icon_button("export", "Copy or save the table or the figure")
        self.take.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self.facts, 1)
        for control in (self.older, self.grouping, self.choice, self.presets, self.take):
            row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)

    def set_menu(self, menu: QMenu) -> None:
        """Let the button at the right open a menu."""
        self.take.setMenu(menu)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Cut the line of facts to the room that it has."""
        if event.type() == QEvent.Type.Resize and watched is self.facts:
            self._fit_line()
        return super().eventFilter(watched, event)

    def say(self, line: str, tooltip: str = "") -> None:
        """Say something in one line; what does not fit stands in the tooltip."""
        self._line = line
        self.facts.setToolTip(plain(tooltip or line))
        self._fit_line()

    def show_choices(self, choices: Mapping[str, str], current: str, primary: str = "") -> None:
        """Offer metrics or measures, id to name, with a mark at the primary one; a single one is no choice."""
        with QSignalBlocker(self.choice):
            _fill(self.choice, choices, current)
            place = self.choice.findData(primary) if primary else -1
            if place >= 0:
                self.choice.setItemText(place, choices[primary] + PRIMARY_MARK)
                self.choice.setItemData(place, plain(PRIMARY), Qt.ItemDataRole.ToolTipRole)
        about = f"{_CHOICE}\n{PRIMARY}" if place >= 0 else _CHOICE
        self.choice.setToolTip(plain(about))
        self.choice.setVisible(len(choices) > 1)

    def show_presets(self, presets: Mapping[str, str], current: str) -> None:
        """Offer conventions, id to name."""
        with QSignalBlocker(self.presets):
            _fill(self.presets, presets, current)
        self.presets.setEnabled(len(presets) > 1)
        self.presets.setVisible(bool(presets))

    def _fit_line(self) -> None:
        metrics = self.facts.fontMetrics()
        self.facts.setText(metrics.elidedText(self._line, Qt.TextElideMode.ElideRight, self.facts.width()))

    @Slot(str)
    def _choose_grouping(self, grouping: str) -> None:
        QSettings().setValue(_GROUPING, grouping)
        self.grouping_chosen.emit(grouping)

    @Slot(int)
    def _choose_metric(self, index: int) -> None:
        self.metric_chosen.emit(str(self.choice.itemData(index)))

    @Slot(int)
    def _choose_preset(self, index: int) -> None:
        self.preset_chosen.emit(str(self.presets.itemData(index)))


class TakeMenu(QMenu):
    """Copy or save what is shown."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.copy = self._add("Copy table")
        self.origin = self._add("Copy where this number came from")
        self.picture = self._add("Copy figure")
        self.addSeparator()
        self.table = self._add("Save table…")
        self.figure = self._add("Save figure…")

    def _add(self, text: str) -> QAction:
        action = QAction(text, self)
        self.addAction(action)
        return action


def _box(name: str, tooltip: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(plain(tooltip))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box


def _fill(box: QComboBox, choices: Mapping[str, str], current: str) -> None:
    box.clear()
    for value, name in choices.items():
        box.addItem(name, value)
    if choices:
        box.setCurrentIndex(max(box.findData(current), 0))
