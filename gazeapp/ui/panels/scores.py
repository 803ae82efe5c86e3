"""Scores: every source against the human ceiling, every image behind the means, and what follows from them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.results.data import Figure, Results, ResultTable, Row
from gazeapp.engine.scoring.sources import HUMAN
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.panels.results_corner import BY_METRIC, ResultsCorner
from gazeapp.ui.panels.results_figure import FigureView
from gazeapp.ui.panels.results_list import ViewList
from gazeapp.ui.panels.results_reading import images_work, read_work, score_work, view_work
from gazeapp.ui.panels.results_table import ResultView, SourceRow
from gazeapp.ui.panels.results_taking import Taking
from gazeapp.ui.panels.results_views import SCORES, VIEWS, ImageScores, Shown, View
from gazeapp.ui.panels.score_table import OF_TASK, facts_line, preset_names, score_table
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import EmptyState, capital
from gazeapp.ui.worker import JobState

_KEPT = 24
"""Metrics and tasks whose scores of images are kept at most."""
_DRAWN_AT_ONCE = 4000
"""Scores of images up to which figures are made at once; more of them on the reader's thread."""


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
        self._read: Results | None = None
        self._images: dict[tuple[str, str], ImageScores] = {}
        self._stale = False
        self._reading = self._drawing = self._wanting = 0
        self._choosing = False
        self._measures: dict[str, str] = {}
        self._declared: tuple[Path, str, str] | None = None
        self._shown = Shown()
        self._dots: tuple[Figure, ...] = ()
        self.table = ResultView("Results")
        self.figure = FigureView("Figure of the results")
        self.corner = ResultsCorner()
        self.taking = Taking(self, self.table, self.figure, session)
        self.corner.set_menu(self.taking.menu)
        self.views = ViewList()
        self._make_pages()
        self._connect()
        self._fill()

    @property
    def view(self) -> View:
        """The view in front."""
        return self.views.view

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the scores of ``study``; None when no project is open."""
        if study is None or (self._study is not None and study.path != self._study.path):
            self._forget()
        self._study = study
        self._stale = study is not None
        self.figure.mark_image(self._selection.image_id)
        self._fill()
        if self.isVisible():
            self._read_results()

    @Slot()
    def show_view(self, view_id: str) -> None:
        """Bring a view to the front."""
        self.views.show_view(view_id)

    def showEvent(self, event: QShowEvent) -> None:
        """Read what has changed since the panel was last in sight."""
        super().showEvent(event)
        self._read_results()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.views.mute(self._read)

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
        self._words: dict[str, tuple[EmptyState, str]] = {}
        body = QWidget()
        columns = QHBoxLayout(body)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(0)
        columns.addWidget(self.views)
        columns.addWidget(self._pages, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty_page("No scores yet", _ABOUT_SCORES, VIEWS[0].action))
        self._stack.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    def _empty_page(self, title: str, text: str, action_id: str) -> EmptyState:
        action = self._actions[action_id]
        button = QPushButton(action.text())
        theme.set_role(button, "primary")
        follow(button, action)
        page = EmptyState("chart", title, text, button)
        self._words[title] = page, action_id
        return page

    def _connect(self) -> None:
        self._session.reader.changed.connect(self._job_changed)
        self._selection.changed.connect(self._follow_selection)
        for action_id in {view.action for view in VIEWS}:
            self._actions[action_id].changed.connect(self._explain_empty)
        self.views.chosen.connect(self._fill)
        self.corner.grouping_chosen.connect(self._fill)
        self.corner.metric_chosen.connect(self._choose_metric)
        self.corner.preset_chosen.connect(self._choose_preset)
        self.taking.said.connect(self.corner.say)
        self.taking.failed.connect(self.failed)
        self.tables.activated.connect(self._show_table)
        self.table.chosen.connect(self._choose_cell)
        self.table.folded_changed.connect(self._refill)
        self.figure.chosen.connect(self._choose_image)
        for keys, step in (("Ctrl+Tab", self.views.show_next), ("Ctrl+Shift+Tab", self.views.show_previous)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(step)

    # Reading

    def _read_results(self) -> None:
        if not self._stale or self._study is None:
            return
        self._stale = False
        work = read_work(self._selection.preset)
        self._reading = self._session.reader.submit("results", work, self._study.path)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        wanted = (self._reading, self._wanting, self._drawing)
        if not state.finished or state.id not in wanted or self._study is None:
            return
        if state.error is not None:
            self.failed.emit(state.error)
        elif state.id == self._drawing:
            self._show(state.result)
        elif state.path != self._study.path:
            return
        elif state.id == self._wanting:
            self._keep(state.result)
            self._build(self._study)
        else:
            self._read = state.result
            self._images.clear()
            self._fill()

    def _forget(self) -> None:
        """Let go of what was read of another project or under other conventions."""
        self._read, self._dots, self._declared = None, (), None
        self._images.clear()

    def _keep(self, images: ImageScores) -> None:
        """Keep scores of images for when they are drawn again; of many metrics only the last ones."""
        while len(self._images) >= _KEPT:
            del self._images[next(iter(self._images))]
        self._images[images.task, images.metric] = images

    # Showing

    @Slot()
    def _fill(self, _what: object = None) -> None:
        """Show what there is of the view in front."""
        study, chosen = self._study, self._selection
        self._drawing = 0
        presets = preset_names(study)
        known = bool(presets) or (self._read is not None and bool(self._read.findings))
        self._stack.setCurrentIndex(1 if known else 0)
        if study is not None and presets and chosen.preset not in presets:
            chosen.update(preset=next(iter(presets)))  # which comes back here
            return
        if study is not None and self._lead_with_primary(study):
            return
        self.corner.setEnabled(known)
        self._fill_corner(presets)
        self.views.mute(self._read)
        if study is None or not known:
            self._show(Shown())
            return
        self._build(study)

    def _lead_with_primary(self, study: StudyView) -> bool:
        """Choose the declared metric where scores are new; return whether that has filled the panel.

        What is chosen after that stays until other scores, or other conventions, declare another metric.
        """
        declared = (study.path, self._selection.preset, study.primary(self._selection.preset))
        if declared == self._declared:
            return False
        self._declared = declared
        self._measures.clear()
        metric = declared[-1] or self._selection.metric
        is_other = metric != self._selection.metric
        self._selection.update(metric=metric)
        return is_other

    @property
    def _primary(self) -> str:
        """The metric that was declared for the scores in sight; empty where none was."""
        return self._declared[-1] if self._declared is not None else ""

    def _fill_corner(self, presets: dict[str, str]) -> None:
        study, chosen, corner = self._study, self._selection, self.corner
        several = study is not None and len(study.tasks) > 1
        corner.older.setVisible(study is not None and (chosen.task, chosen.preset) in study.older_scores)
        corner.grouping.setVisible(bool(presets) and self.view.id == SCORES and several)
        corner.show_presets(presets, chosen.preset)
        corner.show_choices(self._choices() if presets else {}, self._metric(), self._primary)
        if study is None or not presets:
            corner.say("")
        elif self.view.id == SCORES:
            line, estimators = facts_line(study, "" if self._is_by_metric else chosen.task, chosen.preset)
            corner.say(line, f"{line}\n{estimators}")

    @property
    def _is_by_metric(self) -> bool:
        return (
            self.corner.grouping.current == BY_METRIC
            and self._study is not None
            and len(self._study.tasks) > 1
        )

    def _choices(self) -> dict[str, str]:
        if self._read is None:
            return {}
        return self.view.choices(self._read, self._selection.task)

    def _metric(self) -> str:
        """Return the metric or measure of the view in front."""
        choices = self._choices()
        wanted = self._measures.get(self.view.id, self._selection.metric)
        for one in (wanted, self._selection.metric):
            if one in choices or not choices:
                return one
        primary = self._read.primary if self._read is not None else ""
        return primary if primary in choices else next(iter(choices))

    def _score_table(self, study: StudyView) -> ResultTable:
        chosen = self._selection
        if self._is_by_metric:
            return score_table(study, chosen.preset, metric=self._metric())
        return score_table(study, chosen.preset, task=chosen.task)

    def _build(self, study: StudyView) -> None:
        """Make tables and figures: at once where there are few images, else off this thread."""
        read, task, choice = self._read, self._selection.task, self._metric()
        self._drawing = self._wanting = 0
        if self.view.id == SCORES:
            table = self._score_table(study)
            if not table.rows:
                self._show(
                    Shown((table,))
                )  # a figure of other tasks beside it would pass for one of this task
                return
            images = self._images.get((task, choice))
            if read is None or images is None:
                self._show(Shown((table,), self._dots))  # the figure stays until the new one is there
                if read is not None:
                    work = images_work(read.preset, task, choice)
                    self._wanting = self._session.reader.submit("scores of images", work, study.path)
                return
            draw = score_work(read, images, table, baselines=not self.table.folded)
        elif read is None:
            self._show(Shown())
            return
        else:
            draw = view_work(read, self.view, task, choice)
        if len(study.images) * len(read.sources) <= _DRAWN_AT_ONCE:
            self._show(draw(None, None))
        else:
            self._drawing = self._session.reader.submit("drawing", draw, None)

    @Slot()
    def _refill(self) -> None:
        """Draw baselines or leave them out, as the table does."""
        if self._study is not None and self.view.id == SCORES:
            self._build(self._study)

    def _show(self, shown: Shown) -> None:
        """Show tables and figures, or say what the view needs."""
        self._shown = shown
        if self.view.id == SCORES:
            self._dots = shown.figures
        is_empty = shown.is_empty and self._read is not None
        self._pages.setCurrentWidget(self._page_of(self.view) if is_empty else self._split)
        self._explain_empty()
        before = self.tables.currentData()
        self.tables.clear()
        for table in shown.tables:
            self.tables.addItem(table.title, table.id)
        self.tables.setCurrentIndex(max(self.tables.findData(before), 0) if shown.tables else -1)
        self._table_row.setVisible(len(shown.tables) > 1)
        self._show_table()
        self.figure.show_figures(shown.figures)
        self.figure.setVisible(bool(shown.figures) or self.view.id == SCORES)
        self.corner.take.setEnabled(not is_empty)
        self._mark()

    def _page_of(self, view: View) -> EmptyState:
        """Return what stands where a view has nothing to show yet."""
        if view.name not in self._words:
            self._pages.addWidget(self._empty_page(view.name, f"{view.about} {view.needs}", view.action))
        return self._words[view.name][0]

    @Slot()
    def _show_table(self, _place: int = 0) -> None:
        place = self.tables.currentIndex()
        table = self._shown.tables[place] if place >= 0 else None
        has_metrics = table is not None and table.id == OF_TASK
        self.table.show_table(table, self._primary if has_metrics else "")
        if self.view.id != SCORES:
            self.corner.say(
                self.view.about, f"{self.view.about}\n{table.note if table is not None else ''}".rstrip()
            )

    @Slot()
    def _explain_empty(self) -> None:
        for title, (page, action_id) in self._words.items():
            reason = self._actions.reason(action_id)
            lacking = self._lacking() if title == VIEWS[0].name else ""
            page.set_note(
                " ".join(part for part in (lacking, f"{capital(reason)}." if reason else "") if part)
            )

    def _lacking(self) -> str:
        """Return why the task has no scores."""
        if self._study is None:
            return ""
        return facts_line(self._study, self._selection.task, self._selection.preset)[0]

    # Choosing

    @Slot(object)
    def _follow_selection(self, names: frozenset[str]) -> None:
        if "preset" in names:
            self._stale = self._study is not None
            self._forget()
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
        if self.view.id != SCORES or table is None or self._choosing:
            return
        row = next(
            (k for k, one in enumerate(self.table.results.rows) if _source_of(one) == chosen.source), -1
        )
        column = self.table.results.column_of(chosen.metric if table.id == OF_TASK else chosen.task)
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
            changes["metric" if table.id == OF_TASK else "task"] = table.columns[column - 1].id
        self._choosing = True  # the cell stays the current one, also where its source has no pane
        self._selection.update(**changes)
        self._choosing = False
        self.figure.emphasise(source)

    def _source_called(self, name: str) -> str:
        sources = self._read.sources if self._read is not None else ()
        found = next((source for source in sources if source.name == name), None)
        return "" if found is None else PEOPLE if found.kind == HUMAN else found.id

    @Slot(int, str)
    def _choose_image(self, image_id: int, source: str) -> None:
        known = self._study is not None and (source in self._study.models or source == PEOPLE)
        self._selection.update(image_id=image_id, **({"source": source} if known else {}))

    @Slot(str)
    def _choose_metric(self, choice: str) -> None:
        self._measures[self.view.id] = choice
        if self._read is not None and any(row.metric == choice for row in self._read.summary):
            self._selection.metric = choice
        self._fill()

    @Slot(str)
    def _choose_preset(self, preset: str) -> None:
        self._selection.preset = preset


_ABOUT_SCORES = (
    "Here each model is compared with people: means over images, as a share of what people's own agreement "
    "allows, with intervals."
)


def _source_of(row: Row) -> str:
    return row.source if isinstance(row, SourceRow) else ""
