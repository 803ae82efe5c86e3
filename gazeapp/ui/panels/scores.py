"""Scores: every source against the human ceiling, and every image behind the means."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    QSortFilterProxyModel,
    Qt,
    Slot,
)
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedLayout,
    QTableView,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.panels.score_plot import ScorePlot
from gazeapp.ui.panels.score_table import SORT_ROLE, ScoreDelegate, ScoreTable, facts_line, preset_names
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import EmptyState, capital, label, plain

_ROW_HEIGHT = 36
_SOURCE_WIDTH = 152
_METRIC_WIDTH = 84


class ScoresPanel(QWidget):
    """The table of scores of the task in hand, with the values of each image beside it.

    It follows and changes the selection: a cell chooses its source and metric, a point its image.
    """

    def __init__(self, selection: Selection, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._selection = selection
        self._study: StudyView | None = None
        self.model = ScoreTable(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(SORT_ROLE)
        self.table = self._make_table()
        self.table.viewport().installEventFilter(self)
        self.plot = ScorePlot(selection)
        self._facts = label("", "muted")
        self._facts.setMinimumWidth(80)
        self._facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._facts.installEventFilter(self)
        self._line = ""
        self._presets = QComboBox()
        self._presets.setToolTip("The conventions of the metrics; numbers of different ones do not compare.")
        self._presets.setAccessibleName("Metric conventions")
        self._presets.activated.connect(self._choose_preset)
        self.older = label("older than the fixations", "badge")
        self.older.setToolTip(
            "Which fixations are in use, or where they lie, has changed since these scores were made. "
            "Score the study again to renew them."
        )
        self.corner = QWidget()
        top = QHBoxLayout(self.corner)
        top.setContentsMargins(16, 0, 8, 0)
        top.addWidget(self._facts, 1)
        top.addWidget(self.older, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self._presets)
        self._stack = QStackedLayout(self)
        self._actions = actions
        self._empty = self._make_empty(actions)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._make_full())
        selection.changed.connect(self._follow_selection)
        self.table.selectionModel().currentChanged.connect(self._choose_cell)

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the scores of ``study``; None when no project is open."""
        self._study = study
        self._fill()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._sorted)
        table.setAccessibleName("Scores")
        table.setItemDelegate(ScoreDelegate(table))
        table.setSortingEnabled(True)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setMouseTracking(True)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._menu)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setDefaultSectionSize(_METRIC_WIDTH)
        header.setMinimumHeight(28)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        return table

    def _make_empty(self, actions: Actions) -> EmptyState:
        button = QPushButton("Score the study")
        theme.set_role(button, "primary")
        follow(button, actions["study.score"])
        actions["study.score"].changed.connect(self._explain_empty)
        return EmptyState(
            "chart",
            "No scores yet",
            "Here each model is compared with people: means over images, as a share of what people's own "
            "agreement allows, with intervals.",
            button,
        )

    @Slot()
    def _explain_empty(self) -> None:
        reason = self._actions.reason("study.score")
        self._empty.set_note(f"{capital(reason)}." if reason else "")

    def _make_full(self) -> QWidget:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.plot)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([720, 380])
        return split

    def _fill(self) -> None:
        study, chosen = self._study, self._selection
        presets = preset_names(study)
        self.older.setVisible(study is not None and (chosen.task, chosen.preset) in study.older_scores)
        self._stack.setCurrentIndex(1 if presets else 0)
        for part in (self._facts, self._presets):
            part.setVisible(bool(presets))
        if study is None or not presets:
            self.model.show_rows(None, "", "")
            self.plot.show_study(None)
            return
        if chosen.preset not in presets:
            chosen.update(preset=next(iter(presets)))
        self._presets.clear()
        for preset, name in presets.items():
            self._presets.addItem(name, preset)
        self._presets.setCurrentIndex(list(presets).index(chosen.preset))
        self._presets.setEnabled(len(presets) > 1)
        self.model.show_rows(study, chosen.task, chosen.preset)
        self._fit_columns()
        self._fit_rows()
        self._line, estimators = facts_line(study, chosen.task, chosen.preset)
        self._fit_line()
        self._facts.setToolTip(plain(f"{self._line}\n{estimators}"))
        self.plot.show_study(study)
        self._mark()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the metrics the width and the rows the height that is there."""
        if event.type() == QEvent.Type.Resize and watched is self._facts:
            self._fit_line()
        elif event.type() == QEvent.Type.Resize:
            self._fit_columns()
            self._fit_rows()
        return super().eventFilter(watched, event)

    def _fit_columns(self) -> None:
        metrics = self.model.columnCount() - 1
        if metrics < 1:
            return
        self.table.setColumnWidth(0, _SOURCE_WIDTH)
        room = (self.table.viewport().width() - _SOURCE_WIDTH) // metrics
        for column in range(1, metrics + 1):
            self.table.setColumnWidth(column, min(max(room, _METRIC_WIDTH), 2 * _METRIC_WIDTH))

    def _fit_line(self) -> None:
        room = self._facts.width()
        metrics = self._facts.fontMetrics()
        self._facts.setText(metrics.elidedText(self._line, Qt.TextElideMode.ElideRight, room))

    def _fit_rows(self) -> None:
        """Let whole rows fill the height, so that none is cut."""
        room = self.table.viewport().height()
        whole = max(room // _ROW_HEIGHT, 1)
        more = self.model.rowCount() > whole
        self.table.verticalHeader().setDefaultSectionSize(
            max(room // whole, _ROW_HEIGHT) if more else _ROW_HEIGHT
        )

    @Slot(object)
    def _follow_selection(self, names: frozenset[str]) -> None:
        if names & {"task", "preset"}:
            self._fill()
        elif names & {"source", "metric"}:
            self._mark()

    def _mark(self) -> None:
        row = self.model.row_of(self._selection.source)
        column = self.model.column_of(self._selection.metric)
        if row < 0 or column < 0:
            return
        index = self._sorted.mapFromSource(self.model.index(row, column))
        chosen = self.table.selectionModel()
        if index != chosen.currentIndex():
            chosen.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    @Slot(QModelIndex, QModelIndex)
    def _choose_cell(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not index.isValid():
            return
        where = self._sorted.mapToSource(index)
        source, metric = self.model.source_at(where.row()), self.model.metric_at(where.column())
        changes: dict[str, str] = {"metric": metric} if metric else {}
        if source and self.model.can_be_focused(where.row()):
            changes["source"] = source
        self._selection.update(**changes)
        self.plot.set_source(source)

    @Slot(int)
    def _choose_preset(self, index: int) -> None:
        self._selection.preset = str(self._presets.itemData(index))

    @Slot(QPoint)
    def _menu(self, place: QPoint) -> None:
        index = self.table.indexAt(place)
        if not index.isValid():
            return
        menu = QMenu(self)
        copy = QAction("Copy where this number came from", menu)
        copy.triggered.connect(self._copy_current)
        menu.addAction(copy)
        self.table.setCurrentIndex(index)
        menu.exec(self.table.viewport().mapToGlobal(place))

    @Slot()
    def _copy_current(self) -> None:
        text = self.table.currentIndex().data(Qt.ItemDataRole.ToolTipRole)
        QGuiApplication.clipboard().setText(str(text or ""))
