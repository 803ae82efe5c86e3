"""Pages of findings about brain responses: all regions, one region, and fixations against prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.results.data import Figure, ResultTable
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    why_unknown,
)
from gazeapp.engine.reports.results.neural_figures import (
    bar_figure,
    difference_figure,
    dissociation_figure,
    partition_figure,
    profile_figure,
)
from gazeapp.engine.reports.results.neural_heat import (
    Heat,
    filtered,
    heat,
)
from gazeapp.engine.reports.results.neural_measures import (
    CORRECTION_MEANINGS,
    CORRECTIONS,
    MEASURES,
    NeuralAsked,
    hemisphere_of,
)
from gazeapp.engine.reports.results.neural_tables import (
    difference_table,
    dissociation_sentence,
    dissociation_table,
    is_tested,
    partition_table,
    region_table,
)
from gazeapp.ui import theme
from gazeapp.ui.panels.neural_heat import HeatKey, HeatView
from gazeapp.ui.panels.results_figure import FigureView
from gazeapp.ui.panels.results_table import ResultView
from gazeapp.ui.panels.results_taking import Taking
from gazeapp.ui.session import Session
from gazeapp.ui.widgets import Segments, label, plain

BOTH_SIDES, LEFT_SIDE, RIGHT_SIDE = "Both", "Left", "Right"
_SIDES = {LEFT_SIDE: "left", RIGHT_SIDE: "right"}


class RegionsPage(QWidget):
    """The heat table of all regions, with the region in hand beside it."""

    chosen = Signal(str, str, str)
    """A region, and kind and id of a source."""
    correction_chosen = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._heat: Heat | None = None
        self._of: tuple[NeuralResults, NeuralAsked] | None = None
        self._made: tuple[object, ...] = ()
        self._figures: dict[Callable[..., Figure | None], tuple[tuple[object, ...], Figure | None]] = {}
        self._colormap = "viridis"
        self._marking = False
        self.table = HeatView("Regions by sources")
        self.figure = FigureView("Figure of the region in hand", waits=True)
        self.key = HeatKey()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name or group")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter regions by name or group")
        self.filter.setMaximumWidth(26 * theme.STEP)
        self.sides = Segments("Which hemisphere is shown")
        self.sides.set_values([BOTH_SIDES, *_SIDES], BOTH_SIDES)
        self.correction = QComboBox()
        self.correction.setAccessibleName("How p is corrected for what is bold")
        self.correction.setProperty("role", "quiet")
        self.count = label("", "muted")
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.taking = Taking(self, self.table, self.figure, session)
        self.taking.name = "neural"
        self._lay_out()
        self.filter.textChanged.connect(self._filter)
        self.sides.chosen.connect(self._filter)
        self.correction.activated.connect(self._choose_correction)
        self.table.chosen.connect(self._choose)

    def show_results(self, results: NeuralResults | None, asked: NeuralAsked | None, colormap: str) -> None:
        """Show what was found, as it is asked for."""
        self._colormap = colormap
        if results is None or asked is None:
            self._heat, self._of, self._made = None, None, ()
            self._figures.clear()
            self.figure.show_figures([])
            self._fill()
            return
        key = (
            results,
            asked.task,
            asked.subject,
            asked.measure,
            asked.against,
            asked.groups,
            asked.correction,
            colormap,
        )
        self._of = (results, asked)
        if key != self._made:
            self._made = key
            self._heat = heat(results, asked)
            self._offer_corrections(results, asked)
            self.sides.setVisible(bool(results.hemispheres) and not asked.groups)
            self._fill()
        any_source = replace(asked, source=("", ""))  # neither is about the source in hand
        bars = self._figure(bar_figure, results, any_source)
        profile = self._figure(profile_figure, results, replace(any_source, region=""))
        self.figure.show_figures([one for one in (bars, profile) if one is not None])
        self.mark(asked)

    def _figure(
        self,
        make: Callable[[NeuralResults, NeuralAsked], Figure | None],
        results: NeuralResults,
        asked: NeuralAsked,
    ) -> Figure | None:
        """Return a figure; the one that was made last where the same is asked for again."""
        key = (results, asked)
        made = self._figures.get(make)
        if made is None or made[0] != key:
            made = self._figures[make] = (key, make(results, asked))
        return made[1]

    def mark(self, asked: NeuralAsked) -> None:
        """Make the cell of the region and source in hand the current one."""
        table = self.table.results.table
        if table is None:
            return
        row = next((k for k, one in enumerate(table.rows) if one.name == asked.region), -1)
        column = self.table.results.column_of("_".join(asked.source))
        if row >= 0 and column >= 0:
            self._marking = True
            self.table.choose(row, column)
            self._marking = False

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 4)
        top.setSpacing(theme.STEP)
        for part in (self.filter, self.sides, self.correction):
            top.addWidget(part)
        top.addWidget(self.count, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(self.key)
        split = _split(left, self.figure, (720, 360))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)

    def _offer_corrections(self, results: NeuralResults, asked: NeuralAsked) -> None:
        there = results.corrections(asked)
        self.correction.clear()
        for one in there:
            self.correction.addItem(f"bold by {CORRECTIONS[one]}" if one != "p" else "bold uncorrected", one)
        self.correction.setCurrentIndex(self.correction.findData(asked.correction))
        self.correction.setVisible(len(there) > 1)
        self.correction.setToolTip(plain(CORRECTION_MEANINGS.get(asked.correction, "")))

    @Slot()
    def _filter(self, _what: object = None) -> None:
        self._fill()
        if self._of is not None:
            self.mark(self._of[1])

    def _fill(self) -> None:
        """Show the rows that the filter leaves."""
        if self._heat is None or self._of is None:
            self.table.show_heat(None, None, None, self._colormap)
            self.key.show_heat(None, self._colormap, "", 2)
            self.count.setText("")
            return
        results, asked = self._of
        kept = filtered(self._heat, self._keeps(results, asked))
        self._marking = True
        self.table.show_heat(kept, results, asked, self._colormap)
        self._marking = False
        correction = asked.correction if is_tested(results, asked) else ""
        self.key.show_heat(self._heat, self._colormap, correction, MEASURES[asked.measure].decimals)
        n, of = len(kept.table.rows), len(self._heat.table.rows)
        kind = "groups" if asked.groups else "regions"
        self.count.setText(f"{of:,} {kind}" if n == of else f"{n:,} of {of:,} {kind}")

    def _keeps(self, results: NeuralResults, asked: NeuralAsked) -> object:
        wanted = self.filter.text().strip().casefold()
        side = "" if asked.groups else _SIDES.get(self.sides.current, "")
        members = {
            region
            for group, own in results.groups.items()
            if wanted and wanted in group.casefold()
            for region in own
        }

        def keeps(name: str) -> bool:
            if side and hemisphere_of(name) != side:
                return False
            bare = name.removesuffix(f" {hemisphere_of(name)}")
            return wanted in name.casefold() or name in members or bare in members

        return keeps

    @Slot(int, int)
    def _choose(self, row: int, column: int) -> None:
        table = self.table.results.table
        if table is None or self._marking or self._of is None:
            return
        source = self._of[1].source
        if column > 0:
            kind, _, id_ = table.columns[column - 1].id.partition("_")
            source = (kind, id_)
        self.chosen.emit(self.table.results.rows[row].name, *source)

    @Slot(int)
    def _choose_correction(self, place: int) -> None:
        self.correction_chosen.emit(str(self.correction.itemData(place)))


@dataclass(frozen=True, eq=False)
class Part:
    """One view of a page: its name, table and figure, a sentence, and what it needs where it has nothing."""

    name: str
    table: ResultTable | None
    figure: Figure | None
    needs: str
    sentence: str = ""


class PartsPage(QWidget):
    """Views of findings, one in front: a table at the left, a figure at the right, a sentence below."""

    row_chosen = Signal(str)
    """Name of the row that was chosen in the first view."""

    def __init__(self, name: str, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._parts: tuple[Part, ...] = ()
        self.table = ResultView(name)
        self.figure = FigureView(f"Figure: {name}")
        self.views = Segments(f"What is shown: {name}")
        self.sentence = label("", wrap=True)
        self.sentence.setContentsMargins(2 * theme.STEP, 4, theme.STEP, 4)
        self.taking = Taking(self, self.table, self.figure, session)
        self.taking.name = "neural"
        self._lacks = label("", "muted", wrap=True)
        self._lacks.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lacks.setContentsMargins(4 * theme.STEP, 0, 4 * theme.STEP, 0)
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 4)
        row.addWidget(self.views)
        row.addStretch(1)
        self._pages = QStackedWidget()
        self._pages.setObjectName("dockBody")
        self._pages.addWidget(_split(self.table, self.figure, (560, 440)))
        self._pages.addWidget(self._lacks)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._row)
        column.addWidget(self._pages, 1)
        column.addWidget(self.sentence)
        self.views.chosen.connect(self._draw)
        self.table.chosen.connect(self._choose_row)

    def show_parts(self, parts: Sequence[Part]) -> None:
        """Show other findings; the view in front stays where it can."""
        self._parts = tuple(parts)
        names = [part.name for part in parts]
        self.views.set_values(
            names, self.views.current if self.views.current in names else next(iter(names), "")
        )
        self._row.setVisible(len(names) > 1)
        self._draw()

    @Slot()
    def _draw(self, _what: object = None) -> None:
        part = next((one for one in self._parts if one.name == self.views.current), None)
        table, figure = (part.table, part.figure) if part is not None else (None, None)
        self._pages.setCurrentIndex(0 if table is not None or figure is not None else 1)
        self._lacks.setText(part.needs if part is not None else "")
        self.table.show_table(table)
        self.figure.show_figures([figure] if figure is not None else [])
        self.sentence.setText(part.sentence if part is not None else "")
        self.sentence.setVisible(bool(part is not None and part.sentence))

    @Slot(int, int)
    def _choose_row(self, row: int, _column: int) -> None:
        if self._parts and self.views.current == self._parts[0].name:
            self.row_chosen.emit(self.table.results.rows[row].name)


_AGAIN = "Predict responses from maps again with it chosen."


def region_parts(results: NeuralResults, asked: NeuralAsked) -> list[Part]:
    """Return the views of the region in hand: sources, their differences, what they share."""
    where = asked.region or "a region"
    return [
        Part(
            "Sources",
            region_table(results, asked),
            bar_figure(results, asked),
            f"Here stands how well each source predicts {where}.",
            why_unknown(results, asked),
        ),
        Part(
            "Differences",
            difference_table(results, asked),
            difference_figure(results, asked),
            f"Here stands which sources differ in {where} on the same images, and how sure that is. It needs two "
            f"models. {_AGAIN}",
        ),
        Part(
            "Unique and shared",
            partition_table(results, asked),
            partition_figure(results, asked),
            f"Here stands what a model predicts of {where} beyond another one or a control, and what both predict "
            f"alike. {_AGAIN}",
        ),
    ]


def dissociation_parts(results: NeuralResults, asked: NeuralAsked) -> list[Part]:
    """Return the view of fixations against prediction in the region in hand."""
    made, lacks = dissociation_table(results, asked), why_unknown(results, asked)
    return [
        Part(
            "Fixations and prediction",
            made,
            dissociation_figure(results, asked),
            lacks
            or "Here each model stands by how well its maps agree with fixations and how well they predict "
            f"{asked.region or 'a region'}: do the maps that agree with gaze also predict the brain? It needs scores "
            f"with a human ceiling under the task “{asked.task}”: score the study.",
            dissociation_sentence(results, asked) if made is not None else "",
        )
    ]


def _split(left: QWidget, right: QWidget, sizes: tuple[int, int]) -> QSplitter:
    split = QSplitter(Qt.Orientation.Horizontal)
    split.setHandleWidth(1)
    split.setChildrenCollapsible(False)
    for part, stretch in ((left, sizes[0]), (right, sizes[1])):
        split.addWidget(part)
        split.setStretchFactor(split.indexOf(part), stretch // 40)
    split.setSizes(list(sizes))
    return split
