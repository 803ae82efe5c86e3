"""The experiment over the whole set: what lesions did to models, held against controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.results.lesions import Asked, LesionResults
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.lesion_jobs import is_experiment
from gazeapp.ui.panels.neglect_bar import ExperimentBar
from gazeapp.ui.panels.neglect_views import VIEWS, ExperimentView, Prepared, prepared
from gazeapp.ui.panels.results_figure import FigureView
from gazeapp.ui.panels.results_table import ResultView
from gazeapp.ui.panels.results_taking import Taking
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import EmptyState, capital, label, plain
from gazeapp.ui.worker import JobState, duration

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

_ABOUT = (
    "An experiment takes parts of every image away from every model and holds what that does against controls: the "
    "mirrored mask, as much area elsewhere, as much attention elsewhere."
)
_VIEW = "neglect/view"
_WIDTH, _HEIGHT = 104, 24
_PAGE_OF_NONE, _PAGE_OF_VIEWS, _PAGE_OF_WAITING = range(3)
_AGAIN_MS = 4000
"""How often results are read while an experiment runs, at most."""
_SHARE = 10
"""Times as long as it takes to read them that pass at least before they are read again."""


class ExperimentPage(QWidget):
    """Views of an experiment: a table at the left, a figure at the right, a sentence above them.

    It follows and changes the selection: a click on a dot goes to its image. Results are read on the reader's thread
    when the page is in sight.
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
        self._lesions: LesionResults | None = None
        self._prepared: dict[tuple[str, Asked], Prepared] = {}
        """Id of a view and what was asked for -> what it shows of these results."""
        self._stale = False
        self._reading = 0
        self._to_show: tuple[str, ...] = ()
        self._ended = False
        """Whether an experiment has ended since what is shown was read."""
        self.bar = ExperimentBar(actions)
        self.table = ResultView("What lesions did")
        self.figure = FigureView("Figure of what lesions did", joins=False)
        self.sentence = label("", wrap=True)
        self.status = label("", "note", wrap=True)
        self.views = _views()
        self.taking = Taking(self, self.table, self.figure, session)
        self.taking.name = "experiment"
        self.bar.take.setMenu(self.taking.menu)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._read_again)
        self._lay_out()
        self._connect()
        self._show()

    @property
    def view(self) -> ExperimentView:
        """The view in front."""
        return VIEWS[max(self.views.currentRow(), 0)]

    @property
    def lesions(self) -> LesionResults | None:
        """What was read; None while nothing was."""
        return self._lesions

    def show_study(self, study: StudyView | None) -> None:
        """Show the experiment of ``study``; None when no project is open."""
        if study is None or (self._study is not None and study.path != self._study.path):
            self._lesions, self._prepared = None, {}
        self._study = study
        self._stale = study is not None
        self.figure.mark_image(self._selection.image_id)
        self._show()
        if self.isVisible():
            self._read()

    def go_to(self, masks: Sequence[str]) -> None:
        """Show these masks as soon as there is something to show of them, unless others are chosen before."""
        self._to_show = tuple(masks)
        self._show()

    def show_view(self, view_id: str) -> None:
        """Bring a view to the front."""
        ids = [view.id for view in VIEWS]
        self.views.setCurrentRow(ids.index(view_id) if view_id in ids else 0)

    def showEvent(self, event: QShowEvent) -> None:
        """Read what has changed since the page was last in sight."""
        super().showEvent(event)
        self._read()

    def _lay_out(self) -> None:
        button = QPushButton("Run an experiment…")
        theme.set_role(button, "primary")
        follow(button, self._actions["study.lesion"])
        self.empty = EmptyState("half-left", "No experiment yet", _ABOUT, button)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (self.table, self.figure):
            split.addWidget(part)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        split.setSizes([320, 480])
        self._pages = QStackedWidget()
        self._pages.setObjectName("dockBody")
        self._pages.addWidget(split)
        self._lacks = label("", "muted", wrap=True)
        self._lacks.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages.addWidget(self._lacks)
        for words in (self.sentence, self.status):
            words.setContentsMargins(theme.STEP, 0, theme.STEP, 2)
            words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.sentence)
        right.addWidget(self._pages, 1)
        columns = QHBoxLayout()
        columns.setSpacing(0)
        columns.addWidget(self.views)
        columns.addLayout(right, 1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.status)
        column.addLayout(columns, 1)
        self.waiting = label("Reading what lesions did…", "muted")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        for page in (self.empty, body, self.waiting):
            self._stack.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    def _connect(self) -> None:
        self._session.reader.changed.connect(self._read_changed)
        self._session.runner.changed.connect(self._job_changed)
        self._selection.changed.connect(self._follow_selection)
        self._actions["study.lesion"].changed.connect(self._explain)
        self.bar.changed.connect(self._chosen)
        self.views.currentRowChanged.connect(self._choose_view)
        self.figure.chosen.connect(self._choose_image)
        self.taking.said.connect(self._say)
        for keys, step in (("Ctrl+Tab", 1), ("Ctrl+Shift+Tab", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(self._step, step))
        self.taking.failed.connect(self.failed)

    # Reading

    def _read(self) -> None:
        if not self._stale or self._study is None or self._reading:
            return
        self._stale = False
        work = lesions_work(self._selection.preset, self.view, self.bar.asked)
        self._reading = self._session.reader.submit("experiment", work, self._study.path)

    @Slot()
    def _read_again(self) -> None:
        """Read what an experiment that runs has stored so far."""
        self._stale = self._study is not None
        if self.isVisible():
            self._read()

    @Slot(object)
    def _read_changed(self, state: JobState) -> None:
        if not state.finished or state.id != self._reading:
            return
        self._reading = 0
        self._again.setInterval(max(_AGAIN_MS, int(_SHARE * 1000 * state.seconds)))
        if self._study is not None and state.path == self._study.path:
            if state.error is not None:
                self.failed.emit(state.error)
            else:
                self._lesions, self._prepared = state.result
                self._ended = False
            self._show()
        if self.isVisible():
            self._read()

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not is_experiment(state) or self._study is None or state.path != self._study.path:
            return
        self._ended = self._ended or state.finished
        self._explain()
        if state.begun and not self._again.isActive():
            self._again.start()

    # Showing

    def _show(self) -> None:
        """Show what there is, or what would be here."""
        lesions = self._lesions
        self.setEnabled(self._study is not None)
        is_there = lesions is not None and bool(lesions.of_tasks)
        self._stack.setCurrentIndex(_PAGE_OF_VIEWS if is_there else self._page_without())
        self.bar.show_lesions(lesions, self._selection.task)
        if self._to_show and self.bar.show_masks(self._to_show):
            self._to_show = ()
        self._explain()
        self._draw()

    def _page_without(self) -> int:
        """Return which page is shown without lesions: whether there are any is known once they were read."""
        waits = self._lesions is None and self._study is not None and (self._stale or self._reading != 0)
        return _PAGE_OF_WAITING if waits else _PAGE_OF_NONE

    @Slot()
    def _draw(self) -> None:
        """Draw the view in front."""
        lesions, asked, view = self._lesions, self.bar.asked, self.view
        shown = Prepared()
        if lesions is not None and asked is not None:
            known = self._prepared.get((view.id, asked))
            shown = self._prepared[view.id, asked] = known or prepared(view, lesions, asked)
        figure, table, sentence = shown.figure, shown.table, shown.sentence
        is_empty = figure is None and table is None
        self._lacks.setText(f"{view.about} {view.needs}" if asked is not None else self._no_task())
        self._pages.setCurrentIndex(1 if is_empty else 0)
        self.table.show_table(table)
        self.figure.show_figures([figure] if figure is not None else [])
        self.figure.emphasise("")
        self.figure.mark_image(self._selection.image_id)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.bar.take.setEnabled(not is_empty)
        self.bar.explain(view.free)

    def _no_task(self) -> str:
        return f"The experiment has no lesion under the task “{self._selection.task}” yet."

    @Slot()
    def _explain(self) -> None:
        """Say what runs, what is older than what it was made of, and why nothing can be run."""
        running = next((job for job in self._session.runner.jobs if is_experiment(job) and job.begun), None)
        older = self._lesions.older if self._lesions is not None and not self._ended else ()
        said = _progress(running) if running is not None else " ".join(older)
        self.status.setText(said)
        self.status.setVisible(bool(said))
        self.bar.older.setVisible(bool(older) and running is None)
        reason = self._actions.reason("study.lesion")
        self.empty.set_note(said if running is not None or older else f"{capital(reason)}." if reason else "")

    @Slot(str)
    def _say(self, words: str) -> None:
        self.bar.facts.setText(words)

    # Choosing

    @Slot(object)
    def _follow_selection(self, names: frozenset[str]) -> None:
        if "preset" in names:
            self._stale = self._study is not None
            if self.isVisible():
                self._read()
        if "task" in names:
            self._show()
        if "image_id" in names:
            self.figure.mark_image(self._selection.image_id)

    @Slot()
    def _chosen(self) -> None:
        self._to_show = ()
        self._draw()

    def _step(self, step: int) -> None:
        self.views.setCurrentRow((self.views.currentRow() + step) % len(VIEWS))

    @Slot(int)
    def _choose_view(self, _row: int) -> None:
        QSettings().setValue(_VIEW, self.view.id)
        self._draw()

    @Slot(int, str)
    def _choose_image(self, image_id: int, source: str) -> None:
        known = self._study is not None and source in self._study.models
        self._selection.update(image_id=image_id, **({"source": source} if known else {}))


def lesions_work(
    preset: str, view: ExperimentView, asked: Asked | None
) -> Callable[[Any, Any], tuple[LesionResults, dict[tuple[str, Asked], Prepared]]]:
    """Return the work of reading what lesions did, and of preparing the view in front as long as it is asked for."""

    def work(project: Project, _progress: Any) -> tuple[LesionResults, dict[tuple[str, Asked], Prepared]]:
        from gazeapp.engine.workflows.lesion_results import read_lesions

        lesions = read_lesions(project, preset)
        is_there = asked is not None and set(asked.masks) <= set(lesions.masks(asked.task, asked.outcome))
        return lesions, {(view.id, asked): prepared(view, lesions, asked)} if asked and is_there else {}

    return work


def _progress(job: JobState) -> str:
    """Return how far an experiment is."""
    waits = "is paused" if job.status == "paused" else "is running"
    if not job.total:
        return f"The experiment {waits}: {job.message or 'getting ready'}."
    stage = job.message.partition(" · ")[0] or "lesions"
    left = f", {duration(job.seconds_left)} left" if job.seconds_left is not None else ""
    return (
        f"The experiment {waits}: {job.done:,} of {job.total:,} {stage}{left}. Dots show what is there so far; means "
        "and tests are made when it ends."
    )


def _views() -> QListWidget:
    """Return the list of views; the one that was in front is in front again."""
    views = QListWidget()
    views.setAccessibleName("What is shown of the experiment")
    views.setFixedWidth(_WIDTH)
    views.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    views.setUniformItemSizes(True)
    for view in VIEWS:
        item = QListWidgetItem(view.name)
        item.setToolTip(plain(view.about))
        item.setSizeHint(QSize(_WIDTH - 4, _HEIGHT))
        views.addItem(item)
    ids = [view.id for view in VIEWS]
    stored = str(QSettings().value(_VIEW, ids[0]))
    views.setCurrentRow(ids.index(stored) if stored in ids else 0)
    return views
