"""Scores: every source against the human ceiling, every image behind the means, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QSettings, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.results.data import HUMAN, ResultTable
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.folders import FIGURES, TABLES, ask_where_to_save
from gazeapp.ui.panels.results_figure import FigureView
from gazeapp.ui.panels.results_reading import ReadResults, draw_work, figure_work, read_work, table_work
from gazeapp.ui.panels.results_table import ResultView, SourceRow, as_text
from gazeapp.ui.panels.results_views import SCORES, VIEWS, Shown, View
from gazeapp.ui.panels.score_table import (
    BY_METRIC,
    BY_TASK,
    facts_line,
    preset_names,
    score_table,
    spelled_out,
)
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import EmptyState, Segments, capital, icon_button, label, plain
from gazeapp.ui.worker import JobState

_VIEW, _GROUPING = "scores/view", "scores/grouping"
_VIEWS_WIDTH, _VIEW_HEIGHT = 112, 24
_DRAWN_AT_ONCE = 4000
"""Scores of images up to which figures are made at once; more of them on the reader's thread."""
_FIGURES = "Vector graphics (*.svg);;PDF (*.pdf);;Pictures, 300 dpi (*.png)"


class ScoresPanel(QWidget):
    """Views of the results: a table at the left, a figure at the right.

    It follows and changes the selection: a cell chooses its source and metric, a point its image. Results are
    read on the reader's thread when the panel is in sight.
    """

    failed = Signal(object)
    """A :class:`JobError`: something could not be read or written."""

    def __init__(
        self, selection: Selection, session: Session, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._selection = selection
        self._session = session
        self._actions = actions
        self._study: StudyView | None = None
        self._read: ReadResults | None = None
        self._stale = False
        self._reading = self._drawing = self._saving = 0
        self._measures: dict[str, str] = {}
        self._shown = Shown()
        self._line = ""
        self.table = ResultView("Results")
        self.figure = FigureView("Figure of the results")
        self._make_corner()
        self._make_views()
        self._make_pages()
        self._connect()
        self._fill()

    @property
    def view(self) -> View:
        """The view in front."""
        return VIEWS[max(self.views.currentRow(), 0)]

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the scores of ``study``; None when no project is open."""
        if study is None or (self._study is not None and study.path != self._study.path):
            self._read = None
        self._study = study
        self._stale = study is not None
        self._fill()
        if self.isVisible():
            self._read_results()

    @Slot()
    def show_view(self, view_id: str) -> None:
        """Bring a view to the front."""
        self.views.setCurrentRow([view.id for view in VIEWS].index(view_id))

    def showEvent(self, event: QShowEvent) -> None:
        """Read what has changed since the panel was last in sight."""
        super().showEvent(event)
        self._read_results()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Cut the line of facts to the room that it has."""
        if event.type() == QEvent.Type.Resize and watched is self._facts:
            self._fit_line()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._mute_views()

    def _make_corner(self) -> None:
        self._facts = label("", "muted")
        self._facts.setMinimumWidth(5 * theme.STEP)
        self._facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._facts.installEventFilter(self)
        self.older = label("older than the fixations", "badge")
        self.older.setToolTip(
            plain(
                "Which fixations are in use, or where they lie, has changed since these scores were made. "
                "Score the study again to renew them."
            )
        )
        self.grouping = Segments("What stands across the table")
        stored = str(QSettings().value(_GROUPING, BY_TASK))
        self.grouping.set_values([BY_TASK, BY_METRIC], stored if stored == BY_METRIC else BY_TASK)
        self.grouping.setToolTip("One task with metrics across, or one metric with tasks across")
        self.choice = QComboBox()
        self.choice.setAccessibleName("Metric or measure")
        self.choice.setToolTip("Metric or measure that is shown")
        self._presets = QComboBox()
        self._presets.setToolTip("The conventions of the metrics; numbers of different ones do not compare.")
        self._presets.setAccessibleName("Metric conventions")
        for box in (self.choice, self._presets):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.take = icon_button("export", "Copy or save the table or the figure")
        self.take.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.take.setMenu(self._make_menu())
        self.corner = QWidget()
        row = QHBoxLayout(self.corner)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self._facts, 1)
        row.addWidget(self.older, 0, Qt.AlignmentFlag.AlignVCenter)
        for control in (self.grouping, self.choice, self._presets, self.take):
            row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self._menu_actions: dict[str, QAction] = {}
        for name, text, slot in (
            ("copy", "Copy table", self.copy_table),
            ("origin", "Copy where this number came from", self.copy_origin),
            ("table", "Save table…", self.save_table),
            ("figure", "Save figure…", self.save_figure),
        ):
            action = menu.addAction(text)
            action.triggered.connect(slot)
            self._menu_actions[name] = action
        menu.aboutToShow.connect(self._explain_menu)
        return menu

    def _make_views(self) -> None:
        self.views = QListWidget()
        self.views.setObjectName("views")
        self.views.setAccessibleName("What is shown of the results")
        self.views.setFixedWidth(_VIEWS_WIDTH)
        self.views.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.views.setUniformItemSizes(True)
        for view in VIEWS:
            item = QListWidgetItem(view.name)
            item.setToolTip(plain(view.about))
            item.setSizeHint(QSize(_VIEWS_WIDTH - 4, _VIEW_HEIGHT))
            self.views.addItem(item)
        stored = str(QSettings().value(_VIEW, SCORES))
        ids = [view.id for view in VIEWS]
        self.views.setCurrentRow(ids.index(stored) if stored in ids else 0)

    def _make_pages(self) -> None:
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.tables = QComboBox()
        self.tables.setAccessibleName("Which table is shown")
        self.tables.setProperty("role", "quiet")
        self.tables.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._table_row = QWidget()
        row = QHBoxLayout(self._table_row)
        row.setContentsMargins(theme.STEP, 2, 0, 2)
        row.addWidget(self.tables)
        row.addStretch(1)
        column.addWidget(self._table_row)
        column.addWidget(self.table, 1)
        self._split.addWidget(left)
        self._split.addWidget(self.figure)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        self._split.setSizes([660, 360])
        self._pages = QStackedWidget()
        self._pages.setObjectName("dockBody")
        self._pages.addWidget(self._split)
        self._words: dict[str, EmptyState] = {}
        body = QWidget()
        columns = QHBoxLayout(body)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(0)
        columns.addWidget(self.views)
        columns.addWidget(self._pages, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty_page("No scores yet", _ABOUT_SCORES))
        self._stack.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    def _empty_page(self, title: str, text: str) -> EmptyState:
        button = QPushButton("Score the study…")
        theme.set_role(button, "primary")
        follow(button, self._actions["study.score"])
        page = EmptyState("chart", title, text, button)
        self._words[title] = page
        return page

    def _connect(self) -> None:
        self._session.reader.changed.connect(self._job_changed)
        self._selection.changed.connect(self._follow_selection)
        self._actions["study.score"].changed.connect(self._explain_empty)
        self.views.currentRowChanged.connect(self._choose_view)
        self.grouping.chosen.connect(self._choose_grouping)
        self.choice.activated.connect(self._choose_metric)
        self._presets.activated.connect(self._choose_preset)
        self.tables.activated.connect(self._show_table)
        self.table.chosen.connect(self._choose_cell)
        self.table.menu_asked.connect(self._table_menu)
        self.table.folded_changed.connect(self._fill_figures)
        self.figure.chosen.connect(self._choose_image)
        self.figure.menu_asked.connect(self._figure_menu)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy_table)
        for keys, step in (("Ctrl+Tab", 1), ("Ctrl+Shift+Tab", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._next_view if step > 0 else self._previous_view)

    # Reading

    def _read_results(self) -> None:
        if not self._stale or self._study is None:
            return
        self._stale = False
        work = read_work(self._selection.preset)
        self._reading = self._session.reader.submit("results", work, self._study.path)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in (self._reading, self._drawing, self._saving):
            return
        if state.error is not None:
            self.failed.emit(state.error)
        elif state.id == self._saving:
            self._say(f"Written: {state.result}")
        elif state.id == self._drawing:
            self.figure.show_figures(state.result)
        elif self._study is not None and state.path == self._study.path:
            self._read = state.result
            self._fill()

    # Showing

    def _fill(self) -> None:
        """Show what there is of the view in front."""
        study, chosen = self._study, self._selection
        presets = preset_names(study)
        known = bool(presets) or (self._read is not None and bool(self._read.results.findings))
        self._stack.setCurrentIndex(1 if known else 0)
        if study is not None and presets and chosen.preset not in presets:
            chosen.update(preset=next(iter(presets)))  # which comes back here
            return
        self._fill_corner(presets if known else {})
        self._mute_views()
        if study is None or not known:
            self._show(Shown())
            return
        if self.view.id == SCORES:
            self._show(Shown((self._score_table(study),)))
            self._fill_figures()
        elif self._read is not None:
            self._show(self.view.build(self._read.results, chosen.task, self._metric()))
        else:
            self._show(Shown())
        self._mark()

    def _fill_corner(self, presets: dict[str, str]) -> None:
        study, chosen, is_scores = self._study, self._selection, self.view.id == SCORES
        self.older.setVisible(study is not None and (chosen.task, chosen.preset) in study.older_scores)
        for part in (self._facts, self.take):
            part.setVisible(bool(presets))
        self._presets.setVisible(bool(presets))
        self.grouping.setVisible(bool(presets) and is_scores and study is not None and len(study.tasks) > 1)
        with QSignalBlocker(self._presets):
            self._presets.clear()
            for preset, name in presets.items():
                self._presets.addItem(name, preset)
            self._presets.setCurrentIndex(max(self._presets.findData(chosen.preset), 0))
        self._presets.setEnabled(len(presets) > 1)
        choices = self._choices()
        self.choice.clear()
        for metric, name in choices.items():
            self.choice.addItem(name, metric)
        self.choice.setCurrentIndex(max(self.choice.findData(self._metric()), 0))
        self.choice.setVisible(len(choices) > 1)
        self._write_facts(presets)

    def _write_facts(self, presets: dict[str, str]) -> None:
        study, chosen = self._study, self._selection
        if study is None or not presets:
            self._line = ""
        elif self.view.id == SCORES:
            task = "" if self.grouping.current == BY_METRIC else chosen.task
            self._line, estimators = facts_line(study, task, chosen.preset)
            self._facts.setToolTip(plain(f"{self._line}\n{estimators}"))
        else:
            self._line = self.view.about
            self._facts.setToolTip(plain(self._line))
        self._fit_line()

    def _choices(self) -> dict[str, str]:
        if self._read is None:
            return {}
        return self.view.choices(self._read.results, self._selection.task)

    def _metric(self) -> str:
        """Return the metric or measure of the view in front."""
        choices = self._choices()
        wanted = self._measures.get(self.view.id, self._selection.metric)
        for one in (wanted, self._selection.metric):
            if one in choices or not choices:
                return one
        primary = self._read.results.primary if self._read is not None else ""
        return primary if primary in choices else next(iter(choices))

    def _score_table(self, study: StudyView) -> ResultTable:
        chosen = self._selection
        if self.grouping.current == BY_METRIC and len(study.tasks) > 1:
            return score_table(study, chosen.preset, metric=self._metric())
        return score_table(study, chosen.preset, task=chosen.task)

    @Slot()
    def _fill_figures(self) -> None:
        """Draw the scores of images: at once where they are few, else off this thread."""
        read, chosen = self._read, self._selection
        if read is None or self.view.id != SCORES:
            return
        self._drawing = 0
        draw = draw_work(read, chosen.task, self._metric(), baselines=not self.table.folded)
        if len(read.results.scores.image_ids) * len(read.results.sources) <= _DRAWN_AT_ONCE:
            self.figure.show_figures(draw(None, None))
        else:
            self._drawing = self._session.reader.submit("figures", draw, None)

    def _show(self, shown: Shown) -> None:
        """Show tables and figures, or say what the view needs."""
        self._shown = shown
        is_empty = shown.is_empty and self._read is not None
        self._pages.setCurrentWidget(self._page_of(self.view) if is_empty else self._split)
        before = self.tables.currentData()
        self.tables.clear()
        for table in shown.tables:
            self.tables.addItem(table.title, table.id)
        self.tables.setCurrentIndex(max(self.tables.findData(before), 0) if shown.tables else -1)
        self._table_row.setVisible(len(shown.tables) > 1)
        self._show_table()
        if self.view.id != SCORES:
            self._drawing = 0
            self.figure.show_figures(shown.figures)
        self.figure.setVisible(bool(shown.figures) or self.view.id == SCORES)
        self.take.setEnabled(not is_empty)

    def _page_of(self, view: View) -> EmptyState:
        """Return what stands where a view has nothing to show yet."""
        if view.name not in self._words:
            self._pages.addWidget(self._empty_page(view.name, f"{view.about} {view.needs}"))
            self._explain_empty()
        return self._words[view.name]

    @Slot()
    def _show_table(self, _place: int = 0) -> None:
        place = self.tables.currentIndex()
        self.table.show_table(self._shown.tables[place] if place >= 0 else None)
        self.figure.mark_image(self._selection.image_id)

    @Slot()
    def _explain_empty(self) -> None:
        reason = self._actions.reason("study.score")
        for page in self._words.values():
            page.set_note(f"{capital(reason)}." if reason else "")

    @Slot()
    def _mute_views(self) -> None:
        """Show the names of views that have nothing yet in a quiet colour."""
        shades = theme.colors()
        for k, view in enumerate(VIEWS):
            found = self._read is not None and any(self._read.results.of(name) for name in view.analyses)
            quiet = view.id != SCORES and not found
            self.views.item(k).setForeground(QColor(shades.muted if quiet else shades.text))

    def _fit_line(self) -> None:
        metrics = self._facts.fontMetrics()
        self._facts.setText(metrics.elidedText(self._line, Qt.TextElideMode.ElideRight, self._facts.width()))

    def _say(self, text: str) -> None:
        """Say what was done where the facts stand, until the view changes."""
        self._line = text
        self._fit_line()

    # Choosing

    @Slot(object)
    def _follow_selection(self, names: frozenset[str]) -> None:
        if "preset" in names:
            self._stale = self._study is not None
            self._read = None
            if self.isVisible():
                self._read_results()
        if names & {"task", "preset", "metric"}:
            self._fill()
        elif "source" in names:
            self._mark()
        if "image_id" in names:
            self.figure.mark_image(self._selection.image_id)

    def _mark(self) -> None:
        """Make the cell of the source and metric in hand the current one."""
        chosen, table = self._selection, self.table.results.table
        self.figure.emphasise(chosen.source or "")
        if self.view.id != SCORES or table is None:
            return
        row = next(
            (k for k, one in enumerate(self.table.results.rows) if _source_of(one) == chosen.source), -1
        )
        column = self.table.results.column_of(chosen.metric if table.id == "by_task" else chosen.task)
        if row >= 0 and column >= 0:
            self.table.choose(row, column)

    @Slot(int, int)
    def _choose_cell(self, row: int, column: int) -> None:
        table, one = self.table.results.table, self.table.results.rows[row]
        if table is None or self._study is None:
            return
        source = _source_of(one) or self._source_called(one.name)
        changes: dict[str, str] = {}
        if source == PEOPLE or source in self._study.models:
            changes["source"] = source
        if self.view.id == SCORES and column > 0:
            changes["metric" if table.id == "by_task" else "task"] = table.columns[column - 1].id
        self._selection.update(**changes)
        self.figure.emphasise(source)

    def _source_called(self, name: str) -> str:
        sources = self._read.results.sources if self._read is not None else ()
        found = next((source for source in sources if source.name == name), None)
        return "" if found is None else PEOPLE if found.kind == HUMAN else found.id

    @Slot(int, str)
    def _choose_image(self, image_id: int, source: str) -> None:
        known = self._study is not None and (source in self._study.models or source == PEOPLE)
        self._selection.update(image_id=image_id, **({"source": source} if known else {}))

    @Slot(int)
    def _choose_view(self, _row: int) -> None:
        QSettings().setValue(_VIEW, self.view.id)
        self._fill()

    @Slot()
    def _next_view(self) -> None:
        self.views.setCurrentRow((self.views.currentRow() + 1) % len(VIEWS))

    @Slot()
    def _previous_view(self) -> None:
        self.views.setCurrentRow((self.views.currentRow() - 1) % len(VIEWS))

    @Slot(str)
    def _choose_grouping(self, grouping: str) -> None:
        QSettings().setValue(_GROUPING, grouping)
        self._fill()

    @Slot(int)
    def _choose_metric(self, index: int) -> None:
        metric = str(self.choice.itemData(index))
        self._measures[self.view.id] = metric
        if metric in scored(self._read):
            self._selection.metric = metric
        self._fill()

    @Slot(int)
    def _choose_preset(self, index: int) -> None:
        self._selection.preset = str(self._presets.itemData(index))

    # Taking along

    @Slot()
    def copy_table(self) -> None:
        """Put the selected cells, or the whole table, on the clipboard."""
        table = self.table.results.table
        if table is None:
            return
        text = self.table.selected_text()
        if not text:
            whole = spelled_out(table) if self.view.id == SCORES else table
            text = as_text(whole, whole.rows)
        QGuiApplication.clipboard().setText(text)
        lines = text.count("\n") - 1
        self._say(f"{lines} {'row' if lines == 1 else 'rows'} copied")

    @Slot()
    def copy_origin(self) -> None:
        """Put what the current number says of itself on the clipboard."""
        text = self.table.currentIndex().data(Qt.ItemDataRole.ToolTipRole)
        QGuiApplication.clipboard().setText(str(text or ""))

    @Slot()
    def save_table(self, path: Path | None = None) -> None:
        """Ask for a file and write the table that is shown into it."""
        table = self.table.results.table
        if table is None:
            return
        whole = spelled_out(table) if self.view.id == SCORES else table
        path = path or self._ask("Save table", TABLES, "Tables (*.csv)", f"{self._file_name(table.id)}.csv")
        if path:
            self._save(path, table_work(whole, path))

    @Slot()
    def save_figure(self, path: Path | None = None) -> None:
        """Ask for a file and write the figure that is shown into it, as its name ends."""
        figure = self.figure.figure
        if figure is None:
            return
        path = path or self._ask("Save figure", FIGURES, _FIGURES, f"{self._file_name(figure.id)}.svg")
        if path:
            self._save(path, figure_work(figure, path))

    def _ask(self, title: str, kind: str, pattern: str, name: str) -> Path | None:
        folder = self._study.path.parent if self._study is not None else None
        return ask_where_to_save(self, title, kind, pattern, name, folder)

    def _save(self, path: Path, work: Callable[[Any, Any], str]) -> None:
        self._saving = self._session.reader.submit(f"Writing {path.name}", work, None)

    def _file_name(self, what: str) -> str:
        study, chosen = self._study, self._selection
        parts = [study.path.stem if study is not None else "", self.view.id, what, chosen.task]
        words = "_".join(part for k, part in enumerate(parts) if part and part not in parts[:k])
        return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in words)

    @Slot()
    def _explain_menu(self) -> None:
        """Enable what there is something for."""
        has_table = self.table.results.table is not None
        self._menu_actions["copy"].setEnabled(has_table)
        self._menu_actions["table"].setEnabled(has_table)
        self._menu_actions["origin"].setEnabled(self.table.currentIndex().isValid())
        self._menu_actions["figure"].setEnabled(self.figure.figure is not None)

    @Slot(QPoint)
    def _table_menu(self, place: QPoint) -> None:
        index = self.table.indexAt(place)
        if index.isValid() and not self.table.selectionModel().isSelected(index):
            self.table.setCurrentIndex(index)
        self.take.menu().popup(self.table.viewport().mapToGlobal(place))

    @Slot(QPoint)
    def _figure_menu(self, place: QPoint) -> None:
        self.take.menu().popup(self.figure.mapToGlobal(place))


_ABOUT_SCORES = (
    "Here each model is compared with people: means over images, as a share of what people's own agreement "
    "allows, with intervals."
)


def scored(read: ReadResults | None) -> set[str]:
    """Return the metrics that the study has been scored with."""
    return {row.metric for row in read.results.summary} if read is not None else set()


def _source_of(row: Any) -> str:
    return row.source if isinstance(row, SourceRow) else ""
