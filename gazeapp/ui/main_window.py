"""The window: images on the left, the compare view in the middle, the inspector on the right, results below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QUrl, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.actions import FILE, Actions, follow
from gazeapp.ui.dialogs.palette import Entry, Palette, entries_of
from gazeapp.ui.dock import Dock, TabDock
from gazeapp.ui.loader import Loader
from gazeapp.ui.notifications import Notifications, Strip, crash_folder
from gazeapp.ui.panels.compare import ComparePanel
from gazeapp.ui.panels.images import ImagesPanel
from gazeapp.ui.panels.inspector import InspectorPanel, cursor_facts
from gazeapp.ui.panels.jobs import JobsPanel, StatusLine, study_in_a_line
from gazeapp.ui.panels.scores import ScoresPanel
from gazeapp.ui.panels.welcome import RecentProject, WelcomePage
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session, forget, recent
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.study_actions import StudyActions
from gazeapp.ui.widgets import Segments, label, simulated_badge
from gazeapp.ui.worker import JobState

_STATE_VERSION = 1
_TOGGLES = {
    "view.overlay": "show_overlay",
    "view.fixations": "show_fixations",
    "view.scanpath": "show_scanpath",
    "view.difference": "show_difference",
}


class MainWindow(QMainWindow):
    """gazeapp's window."""

    def __init__(self, look: theme.Theme, notifications: Notifications) -> None:
        super().__init__()
        self.setObjectName("gazeapp")
        self.setWindowTitle("gazeapp")
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 600)
        self._look = look
        self._closing = False
        self.notifications = notifications
        self.selection = Selection(self)
        self.session = Session(notifications, self)
        self.loader = Loader(self)
        self.actions_ = Actions(self)
        self.study_actions = StudyActions(self, self.session, self.selection, self.actions_, notifications)
        self._make_centre()
        self._make_docks()
        self._make_top()
        self._make_status()
        self._make_menus()
        self._connect()
        self.resize(1280, 800)
        self._layout: QByteArray | None = None
        self._place_docks()
        self._restore_layout()
        self._leave_project()

    def _make_centre(self) -> None:
        self.strip = Strip(self.notifications)
        self.welcome = WelcomePage(self.actions_)
        self.compare = ComparePanel(self.selection, self.loader)
        self.pages = QStackedWidget()
        self.pages.setObjectName("pages")
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.compare)
        centre = QWidget()
        centre.setObjectName("page")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(centre)

    def _make_docks(self) -> None:
        self.images = ImagesPanel(self.selection, self.loader)
        self.inspector = InspectorPanel(self.selection)
        self.scores = ScoresPanel(self.selection, self.actions_)
        self.jobs = JobsPanel(self.session.runner)
        self.images_dock = Dock("images", "Images", self)
        self.images_dock.set_panel(self.images)
        self.inspector_dock = Dock("inspector", "Inspector", self)
        self.inspector_dock.set_panel(self.inspector)
        self.results_dock = TabDock("results", "Results", self)
        self.results_dock.add_page("scores", "Scores", self.scores)
        self.results_dock.add_page("jobs", "Jobs", self.jobs)
        self._docks = {
            "view.images": self.images_dock,
            "view.results": self.results_dock,
            "view.inspector": self.inspector_dock,
        }
        self.setDockNestingEnabled(True)

    def _make_top(self) -> None:
        self._name = label("", "title")
        self._badge = simulated_badge()
        self._task_label = label("task", "muted")
        self.tasks = Segments("Task")
        self._search = QPushButton()
        theme.set_role(self._search, "quiet")
        theme.set_icon(self._search, "search")
        follow(self._search, self.actions_["help.palette"])
        keys = self.actions_["help.palette"].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        self._search.setText(f"Commands  {keys}")
        home = QPushButton()
        home.setAccessibleName("Close project")
        theme.set_role(home, "quiet")
        theme.set_icon(home, "gazeapp", 20)
        home.setIconSize(QSize(20, 20))
        follow(home, self.actions_["file.close"])
        body = QWidget()
        body.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        for widget in (home, self._name, self._badge):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._task_label)
        row.addWidget(self.tasks)
        row.addStretch(1)
        row.addWidget(self._search)
        self.top = QToolBar("Top bar", self)
        self.top.setObjectName("top")
        self.top.setMovable(False)
        self.top.toggleViewAction().setEnabled(False)
        self.top.addWidget(body)
        self.addToolBar(self.top)

    def _make_status(self) -> None:
        self.status = StatusLine(self.session.runner)
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.addPermanentWidget(self.status, 1)

    def _make_menus(self) -> None:
        menus = self.actions_.fill(self.menuBar())
        self._recent_menu = QMenu("Open recent", self)
        menus[FILE].insertMenu(self.actions_["file.demo"], self._recent_menu)
        self._recent_menu.aboutToShow.connect(self._fill_recent_menu)

    def _connect(self) -> None:
        actions, session = self.actions_, self.session
        for action_id, field in _TOGGLES.items():
            actions.bind(action_id, self._toggle(field))
        for action_id, dock in self._docks.items():
            actions.bind(action_id, dock.setVisible)
            dock.visibilityChanged.connect(self._show_toggles)
        actions.add_view_keys(self.compare, self.images)
        actions.bind("view.previous_image", self._previous_image)
        actions.bind("view.next_image", self._next_image)
        actions.bind("view.previous_word", self._previous_word)
        actions.bind("view.next_word", self._next_word)
        actions.bind("view.next_task", self._next_task)
        actions.bind("view.reset", self._reset_layout)
        actions.bind("theme.system", self._theme_system)
        actions.bind("theme.light", self._theme_light)
        actions.bind("theme.dark", self._theme_dark)
        actions.bind("work.jobs", self._show_jobs)
        actions.bind("work.problems", self._show_jobs)
        actions.bind("work.cancel", self._cancel_current)
        actions.bind("file.quit", self.close)
        actions.bind("help.palette", self._open_palette)
        actions.bind("help.shortcuts", self._show_shortcuts)
        actions.bind("help.about", self._show_about)
        actions.bind("help.crashes", self._show_crashes)
        session.opened.connect(self._enter_project)
        session.closed.connect(self._leave_project)
        session.refreshed.connect(self._show_study)
        session.failed_to_open.connect(self._show_recent)
        session.runner.changed.connect(self._job_changed)
        session.runner.idle.connect(self._work_ended)
        self.selection.changed.connect(self._show_toggles)
        self.loader.failed.connect(self.notifications.error)
        self.tasks.chosen.connect(self._choose_task)
        self.welcome.chosen.connect(session.open)
        self.welcome.dropped.connect(self._forget)
        self.compare.probed.connect(self._show_cursor)
        self.compare.extract_requested.connect(actions["study.extract"].trigger)
        self.compare.import_requested.connect(actions["study.gaze"].trigger)
        self.compare.images_requested.connect(actions["study.images"].trigger)
        self.status.opened_jobs.connect(self._show_jobs)
        self.status.opened_problems.connect(self._show_jobs)
        self._look.changed.connect(self._theme_changed)
        actions[f"theme.{self._look.mode}"].setChecked(True)
        actions.set_reason("work.cancel", "nothing is running")

    def _toggle(self, field: str) -> Callable[[bool], None]:
        def change(on: bool) -> None:
            self.selection.update(**{field: on})

        return change

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files from anywhere."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Do what the dropped files ask for."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        if paths:
            self.study_actions.accept_drop(paths)

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
        settings = QSettings()
        settings.setValue("geometry", self.saveGeometry())
        if self.session.path is not None:
            self._layout = self.saveState(_STATE_VERSION)
        if self._layout is not None:
            settings.setValue("layout", self._layout)
        self.session.stop()
        self.loader.close()
        event.accept()

    @Slot()
    def _work_ended(self) -> None:
        self.actions_.set_reason("work.cancel", "nothing is running")
        if self._closing:
            self.close()

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished:
            self.actions_.set_reason("work.cancel", "")
        if state.finished and state.path is not None and state.path == self.session.path:
            self.loader.refresh()
        if state.id == self.study_actions.demo_job and not state.finished:
            text = state.message or "Building the demo study"
            self.welcome.demo.show_progress(f"{text[:1].upper()}{text[1:]}", state.done, state.total)
        elif state.finished and self.study_actions.demo_job in (0, state.id):
            self.welcome.demo.show_progress("", 0, 0)

    @Slot(object)
    def _enter_project(self, study: StudyView) -> None:
        task = study.tasks[0] if study.tasks else ""
        image = next(iter(study.images), None)
        source = next(iter(study.model_ids), PEOPLE)
        self.selection.update(image_id=image, task=task, source=source, word=-1)
        self.loader.open(study.path)
        self.pages.setCurrentWidget(self.compare)
        if self._layout is None or not self.restoreState(self._layout, _STATE_VERSION):
            self._reset_layout()
        self.top.show()
        self.setWindowTitle(f"{study.path.stem} – gazeapp")
        self._name.setText(study.path.stem)
        self._name.setToolTip(str(study.path))
        self.compare.setFocus()

    @Slot()
    def _leave_project(self) -> None:
        if self.pages.currentWidget() is self.compare:
            self._layout = self.saveState(_STATE_VERSION)
        self.loader.close_project()
        self.selection.update(image_id=None, task="", source=None)
        for dock in self._docks.values():
            dock.hide()
        self.top.hide()
        self.setWindowTitle("gazeapp")
        self.pages.setCurrentWidget(self.welcome)
        for panel in (self.inspector, self.scores, self.jobs):
            panel.show_study(None)
        self.status.show_problems(0)
        self.status.set_rest("")
        self._show_recent()

    @Slot(object)
    def _show_study(self, study: StudyView) -> None:
        if self.selection.task not in study.tasks:
            self.selection.update(task=study.tasks[0] if study.tasks else "")
        if self.selection.image_id not in study.images:
            self.selection.update(image_id=next(iter(study.images), None))
        self._badge.setVisible(study.simulated)
        self.tasks.set_values(study.tasks, self.selection.task)
        for widget in (self.tasks, self._task_label):
            widget.setVisible(bool(study.tasks))
        for panel in (self.inspector, self.scores, self.jobs):
            panel.show_study(study)
        self.status.show_problems(len(study.problems))
        self.status.set_rest(study_in_a_line(study))

    @Slot()
    def _show_recent(self, *_args: object) -> None:
        self.welcome.show_recent([RecentProject.of(path) for path in recent()])

    @Slot(object)
    def _forget(self, path: Path) -> None:
        forget(path)
        self._show_recent()

    @Slot()
    def _fill_recent_menu(self) -> None:
        self._recent_menu.clear()
        for path in recent():
            action = QAction(path.stem, self._recent_menu)
            action.setToolTip(str(path))
            action.setData(path)
            action.setEnabled(path.is_file())
            action.triggered.connect(self._open_recent)
            self._recent_menu.addAction(action)

    @Slot()
    def _open_recent(self) -> None:
        sender = self.sender()
        if isinstance(sender, QAction):
            self.session.open(sender.data())

    @Slot(str)
    def _choose_task(self, task: str) -> None:
        self.selection.task = task

    @Slot()
    def _next_task(self) -> None:
        tasks = self.tasks.values
        if tasks:
            place = tasks.index(self.selection.task) if self.selection.task in tasks else -1
            self.selection.task = tasks[(place + 1) % len(tasks)]

    @Slot(object)
    def _show_cursor(self, place: tuple[float, float] | None) -> None:
        study, image = self.session.study, self.selection.image_id
        row = study.images.get(image) if study is not None and image is not None else None
        layers = {pane.source: pane.view.layer for pane in self.compare.panes}
        names = {source: study.source_name(source) for source in layers} if study is not None else {}
        self.inspector.show_cursor(cursor_facts(place, row, layers, names))

    @Slot()
    def _previous_image(self) -> None:
        self._step_image(-1)

    @Slot()
    def _next_image(self) -> None:
        self._step_image(1)

    def _step_image(self, step: int) -> None:
        target = self.loader.neighbour(self.selection.image_id, step)
        if target is not None:
            self.selection.image_id = target

    @Slot()
    def _previous_word(self) -> None:
        self.compare.step_word(-1)

    @Slot()
    def _next_word(self) -> None:
        self.compare.step_word(1)

    @Slot()
    def _show_toggles(self, _what: object = None) -> None:
        """Let the menu's ticks follow the display state and the docks."""
        for action_id, field in _TOGGLES.items():
            self.actions_[action_id].setChecked(getattr(self.selection.display, field))
        for action_id, dock in self._docks.items():
            self.actions_[action_id].setChecked(not dock.isHidden())
        self.tasks.set_current(self.selection.task)

    @Slot()
    def _show_jobs(self) -> None:
        self.results_dock.show_page("jobs")

    @Slot()
    def _cancel_current(self) -> None:
        current = self.session.runner.current
        if current is not None:
            self.session.runner.cancel(current.id)

    @Slot()
    def _open_palette(self) -> None:
        palette = Palette(self)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        images = self.session.study.images.values() if self.session.study else ()
        go = [
            Entry(f"Image  ›  {row.name}", "", partial(self.selection.update, image_id=row.id))
            for row in images
        ]
        tasks = [
            Entry(f"Task  ›  {task}", "", partial(self._choose_task, task)) for task in self.tasks.values
        ]
        palette.open_with([*entries_of(self.actions_), *tasks, *go])

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

    @Slot()
    def _theme_system(self) -> None:
        self._set_theme("system")

    @Slot()
    def _theme_light(self) -> None:
        self._set_theme("light")

    @Slot()
    def _theme_dark(self) -> None:
        self._set_theme("dark")

    def _set_theme(self, mode: str) -> None:
        self._look.set_mode(mode)
        QSettings().setValue("theme", mode)

    @Slot()
    def _theme_changed(self) -> None:
        self.scores.plot.redraw()

    @Slot()
    def _reset_layout(self) -> None:
        """Show every panel where it was at first."""
        self._place_docks()
        if self.session.path is None:
            return
        for dock in self._docks.values():
            dock.show()
        side, low = max(236, self.width() // 9), max(272, self.height() * 3 // 10)
        self.resizeDocks([self.images_dock, self.inspector_dock], [side, side], Qt.Orientation.Horizontal)
        self.resizeDocks([self.results_dock], [low], Qt.Orientation.Vertical)

    def _place_docks(self) -> None:
        area = Qt.DockWidgetArea
        self.setCorner(Qt.Corner.BottomRightCorner, area.RightDockWidgetArea)
        for dock, where in (
            (self.images_dock, area.LeftDockWidgetArea),
            (self.inspector_dock, area.RightDockWidgetArea),
            (self.results_dock, area.BottomDockWidgetArea),
        ):
            dock.setFloating(False)
            self.addDockWidget(where, dock)

    def _restore_layout(self) -> None:
        settings = QSettings()
        geometry, layout = settings.value("geometry"), settings.value("layout")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self._layout = layout
