"""What of brain responses is shown: whose, under which task, with which atlas, by which measure, in which region."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QSettings, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

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
from gazeapp.engine.reports.results.neural_notes import notes
from gazeapp.engine.reports.results.neural_read import NeuralRead
from gazeapp.engine.workflows.encode_atlas import TABLE
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.panels.neural_whose import WhoseButton
from gazeapp.ui.widgets import Elided, icon_button, label, plain

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
    AGAINST: (
        "Held against",
        "The source that all others are compared with by this measure: each number is about a source and this one.",
    ),
    REGION: (
        "Region in hand",
        "Which region all pages are about. A click into the table of regions chooses one, too.",
    ),
    SOURCE: ("Source in hand", "Which source of maps all pages are about."),
}
WHOSE = (RESPONSES, SUBJECT, TASK, ATLAS, ROWS)
"""Choices behind the first button; the others stand in the bar."""
_SHORT = {MEASURE: "Measure", AGAINST: "Held against", REGION: "Region", SOURCE: "Source"}
_NARROWEST = {MEASURE: 11, REGION: 12}
_LEAST = 10
_BETWEEN = "\n"
"""Stands between kind and id of a source."""
_REMEMBERED = (RESPONSES, ATLAS, MEASURE, ROWS)
GROUPS, REGIONS = "groups", "regions"


class NeuralBar(QWidget):
    """Choices side by side; ``chosen`` carries which one was made, and its value.

    Where there is no room for all, names of lists are left out first; then lists go under the buttons.
    """

    chosen = Signal(str, str)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        self.facts = Elided()
        self.note = Elided()
        self.note.hide()
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
        for box in self.boxes.values():
            box.activated.connect(self._choose)
        self.whose = WhoseButton({name: (_ABOUT[name][0], self.boxes[name]) for name in WHOSE})
        self._lay_out()

    def _lay_out(self) -> None:
        self._first, self._choices, self._last = (_Line() for _ in range(3))
        self._first.add(self.whose)
        self._first.add(self.simulated)
        self._names: dict[str, QLabel] = {}
        for name, short in _SHORT.items():
            self._names[name] = label(short, "muted")
            self._names[name].setBuddy(self.boxes[name])
            self._choices.add(self._names[name])
            self._choices.add(self.boxes[name])
        self._last.row.addWidget(self.facts, 1)
        for part in (self.older, self.run, self.more):
            self._last.add(part)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(theme.STEP, 1, theme.STEP, 1)
        self._grid.setHorizontalSpacing(theme.STEP // 2)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(2, 1)
        self._grid.addWidget(self._first, 0, 0)
        self._grid.addWidget(self._choices, 0, 1)
        self._grid.addWidget(self._last, 0, 2)
        self._grid.addWidget(self.note, 2, 0, 1, 3)
        self._has_two = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def minimumSizeHint(self) -> QSize:
        """Return the size of two lines without names of lists."""
        ends = self._width(self._first, self._last)
        lists = self._choices.least(without=self._names.values())
        return QSize(max(ends, lists) + self._margins(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show what there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leave out the names of lists, and then take two lines, where there is no room."""
        room = self.width() - self._margins()
        ends = self._width(self._first, self._last) + self._grid.horizontalSpacing()
        has_two = ends + self._choices.least(without=self._names.values()) > room
        named = self._choices.wanted(self._names.values()) <= (room if has_two else room - ends)
        for name, text in self._names.items():
            text.setVisible(named and not self.boxes[name].isHidden())
        if has_two != self._has_two:
            self._has_two = has_two
            self._grid.removeWidget(self._choices)
            place = (1, 0, 1, 3) if has_two else (0, 1, 1, 1)
            self._grid.addWidget(self._choices, *place, Qt.AlignmentFlag.AlignLeft)

    def _width(self, *lines: _Line) -> int:
        return sum(line.least() for line in lines) + self._grid.horizontalSpacing()

    def _margins(self) -> int:
        margins = self._grid.contentsMargins()
        return margins.left() + margins.right()

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
            self.facts.say("")
            self.note.hide()
            self.older.hide()
            self.whose.show_chosen()
            self._fit()
            return
        self._offer(SUBJECT, {one: subject_name(one) for one in results.subjects}, asked.subject)
        tasks = dict.fromkeys((*results.tasks, asked.task))
        self._offer(TASK, {one: one for one in tasks}, asked.task)
        self._offer(
            ATLAS,
            {one: "regions of the table" if one == TABLE else one for one in read.atlases},
            results.atlas,
        )
        self._tell(ATLAS, f"{_ABOUT[ATLAS][1]}\n{results.limits}".rstrip())
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
        self._names[REGION].setText("Group" if asked.groups else "Region")
        self.facts.say(_facts(results, asked))
        said = notes(results, asked)
        self.note.say(" ".join(said), "\n".join(said))
        self.note.setVisible(bool(said))
        self.older.setVisible(asked.task in results.older)
        self.whose.show_chosen()
        self.updateGeometry()
        self._fit()

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
        is_there = len(choices) > (0 if always or name == RESPONSES else 1)
        if name in WHOSE:
            self.whose.offer(name, is_there)
        else:
            box.setVisible(is_there)

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


class _Line(QWidget):
    """Parts of the bar beside each other."""

    def __init__(self) -> None:
        super().__init__()
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(theme.STEP // 2)

    def add(self, part: QWidget) -> None:
        """Add a part at the end."""
        self.row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)

    def least(self, without: Collection[QWidget] = ()) -> int:
        """Return the room that the parts in sight need, px; some are left out."""
        return self._room([one.minimumSizeHint().width() for one in self._shown() if one not in without])

    def wanted(self, names: Collection[QLabel]) -> int:
        """Return the room in which no list is cut and each has its name, px."""
        shown = [one for one in self._shown() if one not in names]
        titles = [one for one in names if one.buddy() in shown]
        return self._room([min(one.sizeHint().width(), one.maximumWidth()) for one in (*shown, *titles)])

    def _shown(self) -> list[QWidget]:
        parts = (self.row.itemAt(k).widget() for k in range(self.row.count()))
        return [one for one in parts if one is not None and not one.isHidden()]

    def _room(self, widths: list[int]) -> int:
        return sum(widths) + self.row.spacing() * max(len(widths) - 1, 0)


def _told_of(row: ResponsesRow) -> str:
    """Return what responses are."""
    n_subjects = len([one for one in row.subjects if one])
    who = f", {n_subjects} subject{'' if n_subjects == 1 else 's'}" if n_subjects else ""
    source = f"\n{row.source}" if row.source else ""
    kind = "Simulated" if row.simulated else "Measured"
    return f"{kind} responses “{row.name}”: {row.n_images:,} images{who}.{source}\n{_ceilings(row)}"


def _ceilings(row: ResponsesRow) -> str:
    """Return where the noise ceilings of responses come from."""
    n, origin = len(row.subjects), row.ceiling_origin.rstrip(".")
    if n < 2:
        return f"Ceiling: {origin}." if origin else "No noise ceiling is known."
    own = f"; of a single subject: {origin}" if origin else "; of a single subject none is known"
    return f"Ceilings of regions: from how alike the {n} subjects respond{own}."


def _facts(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return on how many images numbers rest."""
    n = results.n_images(asked)
    return count(n, "image") if n else ""
