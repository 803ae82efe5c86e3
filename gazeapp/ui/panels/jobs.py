"""Jobs and problems: what runs, what has run, what could not be used and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.panels.job_line import JobLine, PauseButton, ProblemLine, standing
from gazeapp.ui.widgets import EmptyState, drop_widget, icon_button, label, no_mnemonic
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.engine.project.rows import ProblemRow
    from gazeapp.ui.study import StudyView

_PROBLEMS_SHOWN = 500
_NO_PROBLEMS = "None. What cannot be used is listed here, with where it is and what to do."


def study_in_a_line(study: StudyView) -> str:
    """Return what a study holds."""
    people = len({name for names in study.subjects.values() for name in names})
    counts = (
        (len(study.images), "image"),
        (people, "observer" if study.simulated else "subject"),
        (len(study.model_ids), "model"),
        (len(study.tasks), "task"),
    )
    return "  ·  ".join(
        f"{number:,} {thing}{'' if number == 1 else 's'}" for number, thing in counts if number
    )


class JobsPanel(QWidget):
    """Jobs of this window on the left, problems of the study on the right."""

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._runner = runner
        self._lines: dict[int, JobLine] = {}
        self._problems: tuple[ProblemRow, ...] = ()
        self._jobs_column, jobs = _column()
        self._problems_column, problems = _column()
        self._problems_title = label("PROBLEMS", "section")
        self._copy: QToolButton = icon_button("copy", "Copy all problems")
        self._copy.clicked.connect(self._copy_problems)
        self._none = label(_NO_PROBLEMS, "muted", wrap=True)
        self._none.setContentsMargins(16, 8, 16, 8)
        self._problems_column.insertWidget(0, self._none)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(_titled(label("JOBS", "section"), jobs))
        split.addWidget(_titled(self._problems_title, problems, self._copy))
        split.setSizes([500, 500])
        self._stack = QStackedLayout(self)
        self._stack.addWidget(
            EmptyState(
                "clock",
                "Nothing has run yet",
                "What runs in the background is listed here, and problems too.",
            )
        )
        self._stack.addWidget(split)
        self._problems_scroll = problems
        runner.changed.connect(self.show_job)
        self.show_problems(())
        for state in runner.jobs:
            self.show_job(state)

    @property
    def problems(self) -> tuple[ProblemRow, ...]:
        """The problems in the list."""
        return self._problems

    @Slot(object)
    def show_job(self, state: JobState) -> None:
        """Show how a job stands; new ones come on top."""
        line = self._lines.get(state.id)
        if line is None:
            line = JobLine(state)
            line.pause_asked.connect(self._runner.pause_or_resume)
            line.cancelled.connect(self._runner.cancel)
            line.again_asked.connect(self._runner.run_again)
            self._lines[state.id] = line
            self._jobs_column.insertWidget(0, line)
        else:
            line.show_state(state)
        self._stack.setCurrentIndex(1)

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the problems of a study."""
        self.show_problems(study.problems if study else ())

    def show_problems(self, problems: Sequence[ProblemRow]) -> None:
        """Show ``problems``, newest first; a very long list is cut, and says so."""
        self._problems = tuple(problems)
        while self._problems_column.count() > 2:
            drop_widget(self._problems_column.takeAt(0))
        for problem in reversed(self._problems[-_PROBLEMS_SHOWN:]):
            self._problems_column.insertWidget(self._problems_column.count() - 2, ProblemLine(problem))
        hidden = len(self._problems) - _PROBLEMS_SHOWN
        self._none.setText(f"{hidden} more; copy the list to see all." if hidden > 0 else _NO_PROBLEMS)
        self._none.setVisible(hidden > 0 or not self._problems)
        self._problems_title.setText(f"PROBLEMS  {len(self._problems)}" if self._problems else "PROBLEMS")
        self._copy.setVisible(bool(self._problems))
        self._stack.setCurrentIndex(1 if self._problems or self._lines else 0)

    @Slot()
    def _copy_problems(self) -> None:
        lines = [f"{p.verb}\t{p.where}\t{p.what}\t{p.todo}" for p in self._problems]
        QGuiApplication.clipboard().setText("\n".join(lines))


def _column() -> tuple[QVBoxLayout, QScrollArea]:
    body = QWidget()
    column = QVBoxLayout(body)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addStretch(1)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(body)
    return column, scroll


def _titled(title: QLabel, body: QWidget, *buttons: QWidget) -> QWidget:
    page = QWidget()
    title.setMinimumHeight(theme.STEP * 3)
    row = QHBoxLayout()
    row.setContentsMargins(16, 4, 8, 0)
    row.addWidget(title, 1)
    for button in buttons:
        row.addWidget(button)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addLayout(row)
    column.addWidget(body, 1)
    return page


class StatusLine(QWidget):
    """The line at the bottom: what runs, pause and cancel, how many problems."""

    opened_jobs = Signal()
    opened_problems = Signal()

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self._runner = runner
        self._rest_text = ""
        self._dot = QLabel("●")
        self._text = QPushButton()
        self._text.setToolTip("Show the list of jobs")
        theme.set_role(self._text, "quiet")
        self._text.clicked.connect(self.opened_jobs)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(160)
        self._bar.setAccessibleName("Progress of the running job")
        self._pause = PauseButton()
        self._pause.clicked.connect(self._hold)
        self._cancel = QPushButton("Cancel")
        theme.set_role(self._cancel, "quiet")
        self._cancel.clicked.connect(self._ask)
        self._problems = QPushButton()
        theme.set_role(self._problems, "quiet")
        theme.set_icon(self._problems, "warning")
        self._problems.clicked.connect(self.opened_problems)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 12, 2)
        row.setSpacing(8)
        self.setMinimumHeight(theme.STEP * 4)  # the line keeps its height when there is nothing to say
        for widget in (self._dot, self._text, self._bar, self._pause, self._cancel):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._problems)
        self._last = QTimer(self)
        self._last.setSingleShot(True)
        self._last.setInterval(8000)
        self._last.timeout.connect(self._rest)
        runner.changed.connect(self.show_job)
        self.show_problems(0)
        self._rest()

    @property
    def text(self) -> str:
        """What the line says."""
        return self._text.text().replace("&&", "&")

    @Slot(object)
    def show_job(self, state: JobState) -> None:
        """Show the running job, or how the last one ended."""
        current = self._runner.current
        shown = current or state
        waiting = sum(not job.finished for job in self._runner.jobs) - 1
        more = f"  ·  {waiting} waiting" if waiting > 0 else ""
        self._say(f"{shown.title}  ·  {standing(shown)}{more}", running=current is not None)
        self._bar.setRange(0, max(shown.total, 0))
        self._bar.setValue(shown.done)
        self._pause.show_state(current)
        self._cancel.setEnabled(not shown.cancelling)
        if current is None and state.status != "failed":
            self._last.start()

    def show_problems(self, number: int) -> None:
        """Show how many problems the study has."""
        self._problems.setVisible(number > 0)
        self._problems.setText(f"{number} problem{'' if number == 1 else 's'}")
        self._problems.setToolTip("Show what could not be used, and why")

    def _say(self, text: str, *, running: bool) -> None:
        self._last.stop()
        shades = theme.colors()
        self._dot.setStyleSheet(f"color: {shades.accent if running else shades.faint};")
        self._dot.setVisible(running)
        self._text.setText(no_mnemonic(text))
        self._text.setVisible(bool(text))
        self._bar.setVisible(running)
        self._cancel.setVisible(running)
        if not running:
            self._pause.hide()

    def set_rest(self, text: str) -> None:
        """Say ``text`` while nothing runs."""
        self._rest_text = text
        if not self._runner.busy and not self._last.isActive():
            self._rest()

    @Slot()
    def _rest(self) -> None:
        self._say(self._rest_text, running=False)

    @Slot()
    def _ask(self) -> None:
        current = self._runner.current
        if current is not None:
            self._runner.cancel(current.id)

    @Slot()
    def _hold(self) -> None:
        current = self._runner.current
        if current is not None:
            self._runner.pause_or_resume(current.id)
