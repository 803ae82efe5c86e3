"""The window: the welcome page, or the panels of an open project around the compare view."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.action_table import FILE
from gazeapp.ui.actions import Actions
from gazeapp.ui.dialogs.palette import Entry, Palette, entries_of
from gazeapp.ui.extract_actions import ExtractActions
from gazeapp.ui.gaze_actions import GazeActions
from gazeapp.ui.history import History
from gazeapp.ui.import_captioner_actions import ImportCaptionerActions
from gazeapp.ui.job_actions import JobActions
from gazeapp.ui.lesion_actions import LesionActions
from gazeapp.ui.mask_actions import MaskActions
from gazeapp.ui.neural_actions import NeuralActions
from gazeapp.ui.notifications import Notifications, Strip, crash_folder
from gazeapp.ui.panels.jobs import StatusLine, study_in_a_line
from gazeapp.ui.panels.welcome import RecentProject, WelcomePage
from gazeapp.ui.predict_actions import PredictActions
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session, forget, recent
from gazeapp.ui.study_actions import StudyActions
from gazeapp.ui.topbar import TopBar
from gazeapp.ui.train_actions import TrainActions
from gazeapp.ui.widgets import capital, label, no_mnemonic, plain
from gazeapp.ui.worker import JobError, JobState

if TYPE_CHECKING:
    from gazeapp.ui.study import StudyView
    from gazeapp.ui.workbench import Workbench

_SIZE = (1280, 800)
_LEAST_SIZE = (960, 600)


class MainWindow(QMainWindow):
    """gazeapp's window."""

    def __init__(self, look: theme.Theme, notifications: Notifications) -> None:
        super().__init__()
        self.setObjectName("gazeapp")
        self.setWindowTitle("gazeapp")
        self.setAcceptDrops(True)
        self.setMinimumSize(*_LEAST_SIZE)
        self._look = look
        self._closing = False
        self._bench: Workbench | None = None
        self.notifications = notifications
        self.selection = Selection(self)
        self.session = Session(notifications, self)
        self.actions_ = Actions(self)
        self.study_actions = StudyActions(self, self.session, self.selection, self.actions_, notifications)
        self.history = History(self.session, self.actions_, notifications, self)
        self.extract_actions = ExtractActions(self, self.session, self.actions_)
        self.lesion_actions = LesionActions(self, self.session, self.selection, self.actions_)
        self.predict_actions = PredictActions(self, self.session, self.actions_)
        self.neural_actions = NeuralActions(self, self.session, self.actions_, notifications)
        self.train_actions = TrainActions(self, self.actions_, notifications)
        self.import_captioner_actions = ImportCaptionerActions(self, self.actions_, notifications)
        self.job_actions = JobActions(self.session.runner, self.actions_, self)
        self.gaze_actions = GazeActions(self, self.session, self.selection, self.actions_, self.history)
        self.mask_actions = MaskActions(
            self, self.session, self.selection, self.actions_, self.history, notifications
        )
        self._make_centre()
        self.top = TopBar(self, self.actions_)
        self.addToolBar(self.top)
        self.status = StatusLine(self.session.runner)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addPermanentWidget(self.status, 1)
        self.statusBar().addPermanentWidget(self.train_actions.line)
        self._menus = self.actions_.fill(self.menuBar())
        self._recent_menu = QMenu("Open recent", self)
        self._menus[FILE].insertMenu(self.actions_["file.demo"], self._recent_menu)
        self._connect()
        self.resize(*_SIZE)
        geometry = QSettings().value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self._leave_project()

    @property
    def bench(self) -> Workbench:
        """The panels of a project, made when first asked for."""
        if self._bench is None:
            from gazeapp.ui.workbench import Workbench

            self._bench = Workbench(self, self.selection, self.session, self.actions_)
            self.pages.addWidget(self._bench.compare)
            self._bench.loader.failed.connect(self.notifications.error)
            self._bench.scores.failed.connect(self._tell_failed)
            self._bench.neglect.experiment.failed.connect(self._tell_failed)
            self._bench.neural.failed.connect(self._tell_failed)
            self.lesion_actions.queued.connect(self._bench.show_experiment)
            self.neural_actions.ready.connect(self._bench.show_neural)
            self._bench.words.extract_requested.connect(self.extract_actions.extract_with)
            self.gaze_actions.follow(self._bench.compare.mover)
            self.mask_actions.follow(self._bench.compare)
            self.lesion_actions.follow(self._bench.compare.masks)
        return self._bench

    def open_at_start(self, path: Path) -> None:
        """Open a project without showing the welcome page first."""
        self._opening.setText(f"Opening {path.stem}…")
        self.pages.setCurrentWidget(self._opening)
        self.session.open(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files from anywhere."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Do what the dropped files ask for."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        if paths:
            drop = self.study_actions.accept_drop(paths)
            self.neural_actions.accept_drop(drop)
            self.train_actions.accept_drop(drop)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close; while work runs, ask it to stop, and close when the unit in hand is stored."""
        runner = self.session.runner
        if runner.busy:
            self._closing = True
            runner.cancel_all()
            self.notifications.note(
                "gazeapp closes as soon as the unit in hand is stored.",
                todo="Nothing that is finished is lost.",
            )
            event.ignore()
            return
        if not self.mask_actions.finish():
            self._closing = False  # the end of a job later on must not close it in the user's place
            event.ignore()
            return
        if not self.train_actions.may_close():
            self._closing = False
            event.ignore()
            return
        QSettings().setValue("geometry", self.saveGeometry())
        self.stop()
        event.accept()

    def stop(self) -> None:
        """End all threads, each after the unit in hand."""
        self.session.stop()
        self.extract_actions.stop()
        self.lesion_actions.stop()
        self.predict_actions.stop()
        self.train_actions.stop()
        self.import_captioner_actions.stop()
        self.neural_actions.stop()
        if self._bench is not None:
            self._bench.close()

    def _make_centre(self) -> None:
        self.strip = Strip(self.notifications)
        self.welcome = WelcomePage(self.actions_)
        self.pages = QStackedWidget()
        self.pages.setObjectName("pages")
        self.pages.addWidget(self.welcome)
        self._opening = label("", "muted")
        self._opening.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages.addWidget(self._opening)
        centre = QWidget()
        centre.setObjectName("page")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(centre)

    def _connect(self) -> None:
        actions, session = self.actions_, self.session
        for action_id, slot in (
            ("view.next_task", self._next_task),
            ("theme.system", partial(self._set_theme, "system")),
            ("theme.light", partial(self._set_theme, "light")),
            ("theme.dark", partial(self._set_theme, "dark")),
            ("work.jobs", self._show_jobs),
            ("work.problems", self._show_jobs),
            ("work.cancel", self._cancel_current),
            ("file.quit", self.close),
            ("help.palette", self._open_palette),
            ("help.shortcuts", self._show_shortcuts),
            ("help.about", self._show_about),
            ("help.crashes", self._show_crashes),
        ):
            actions.bind(action_id, slot)
        session.opened.connect(self._enter_project)
        session.closed.connect(self._leave_project)
        session.refreshed.connect(self._show_study)
        session.failed_to_open.connect(self._opening_failed)
        session.runner.changed.connect(self._job_changed)
        session.runner.idle.connect(self._work_ended)
        self.selection.changed.connect(self._follow_selection)
        self.top.tasks.chosen.connect(self._choose_task)
        self.welcome.chosen.connect(session.open)
        self.welcome.dropped.connect(self._forget)
        self.welcome.painted.connect(self._make_bench_soon)
        self.status.opened_jobs.connect(self._show_jobs)
        self.status.opened_problems.connect(self._show_jobs)
        self._recent_menu.aboutToShow.connect(self._fill_recent_menu)
        actions[f"theme.{self._look.mode}"].setChecked(True)
        actions.set_reason("work.cancel", "nothing is running")

    @Slot()
    def _make_bench_soon(self) -> None:
        QTimer.singleShot(0, self._make_bench)

    @Slot()
    def _make_bench(self) -> None:
        """Load what draws while the user looks at the welcome page."""
        if not self.session.stopped:
            _ = self.bench

    @Slot(object)
    def _tell_failed(self, error: JobError) -> None:
        self.notifications.problem(error.what, where=error.where, todo=error.todo, details=error.details)

    @Slot()
    def _work_ended(self) -> None:
        self.actions_.set_reason("work.cancel", "nothing is running")
        if self._closing:
            self.close()

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished:
            self.actions_.set_reason("work.cancel", "")
        if state.id == self.study_actions.demo_job and not state.finished:
            text = state.message or "Building the demo study"
            self.welcome.demo.show_progress(capital(text), state.done, state.total)
        elif state.finished and self.study_actions.demo_job in (0, state.id):
            self.welcome.demo.show_progress("", 0, 0)

    @Slot(object)
    def _enter_project(self, study: StudyView) -> None:
        self.top.show()
        self.pages.setCurrentWidget(self.bench.compare)
        self.bench.enter(study)
        self.setWindowTitle(f"{study.path.stem} – gazeapp")

    @Slot()
    def _leave_project(self) -> None:
        if self._bench is not None:
            self._bench.leave()
        self.selection.update(image_id=None, task="", source=None)
        self.top.hide()
        self.setWindowTitle("gazeapp")
        self.pages.setCurrentWidget(self.welcome)
        self.status.show_problems(0)
        self.status.set_rest("")
        self._show_recent()

    @Slot(object)
    def _show_study(self, study: StudyView) -> None:
        self.bench.show_study(study)
        self.top.show_study(study, self.selection.task)
        self.status.show_problems(len(study.problems))
        self.status.set_rest(study_in_a_line(study))

    @Slot()
    def _show_recent(self, *_args: object) -> None:
        self.welcome.show_recent([RecentProject.of(path) for path in recent()])

    @Slot()
    def _opening_failed(self, *_args: object) -> None:
        if self.session.path is None:
            self.pages.setCurrentWidget(self.welcome)
        self._show_recent()

    @Slot(object)
    def _forget(self, path: Path) -> None:
        forget(path)
        self._show_recent()

    @Slot()
    def _fill_recent_menu(self) -> None:
        self._recent_menu.clear()
        for path in recent():
            action = QAction(no_mnemonic(path.stem), self._recent_menu)
            action.setToolTip(plain(str(path)))
            action.setEnabled(path.is_file())
            action.triggered.connect(partial(self.session.open, path))
            self._recent_menu.addAction(action)

    @Slot(str)
    def _choose_task(self, task: str) -> None:
        self.selection.task = task

    @Slot(object)
    def _follow_selection(self, names: frozenset[str]) -> None:
        if "task" in names:
            self.top.tasks.set_current(self.selection.task)

    @Slot()
    def _next_task(self) -> None:
        tasks = self.top.tasks.values
        if tasks:
            place = tasks.index(self.selection.task) if self.selection.task in tasks else -1
            self.selection.task = tasks[(place + 1) % len(tasks)]

    @Slot()
    def _show_jobs(self) -> None:
        self.bench.show_jobs()

    @Slot()
    def _cancel_current(self) -> None:
        current = self.session.runner.current
        if current is not None:
            self.session.runner.cancel(current.id)

    @Slot()
    def _open_palette(self) -> None:
        palette = Palette(self)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        study = self.session.study
        places = [
            Entry(f"Task  ›  {task}", "", partial(self._choose_task, task)) for task in self.top.tasks.values
        ]
        places += [
            Entry(f"Image  ›  {row.name}", "", partial(self.selection.update, image_id=row.id))
            for row in (study.images.values() if study is not None else ())
        ]
        palette.open_with([*entries_of(self.actions_), *(places if study is not None else ())])

    @Slot()
    def _show_shortcuts(self) -> None:
        from gazeapp.ui.dialogs.help import ShortcutsDialog

        ShortcutsDialog(self, self.actions_).exec()

    @Slot()
    def _show_about(self) -> None:
        from gazeapp.ui.dialogs.help import AboutDialog

        AboutDialog(self).exec()

    @Slot()
    def _show_crashes(self) -> None:
        folder = crash_folder()
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _set_theme(self, mode: str, _on: bool = True) -> None:
        self._look.set_mode(mode)
        QSettings().setValue("theme", mode)
