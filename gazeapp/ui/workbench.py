"""The panels of an open project: compare view, images, inspector, results, and where their docks are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QByteArray, QObject, QSettings, Qt, Slot
from PySide6.QtWidgets import QMainWindow

from gazeapp.ui.actions import Actions
from gazeapp.ui.dock import Dock, TabDock
from gazeapp.ui.lesions.live import LiveLesion
from gazeapp.ui.lesions.runs import LesionRuns
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.compare import ALONE, GRID, ComparePanel
from gazeapp.ui.panels.images import ImagesPanel
from gazeapp.ui.panels.inspector import InspectorPanel, cursor_facts
from gazeapp.ui.panels.jobs import JobsPanel
from gazeapp.ui.panels.neglect import EXPERIMENT, NeglectPanel
from gazeapp.ui.panels.neural import NeuralPanel
from gazeapp.ui.panels.quality import QualityPanel
from gazeapp.ui.panels.scores import ScoresPanel
from gazeapp.ui.panels.words import WordsPanel
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.worker import JobState

STATE_VERSION = 1
_LEAST_SIDE, _LEAST_RESULTS = 208, 246
_ROOM_FOR_INSPECTOR = 1120
_TOGGLES = {
    "view.overlay": "show_overlay",
    "view.fixations": "show_fixations",
    "view.scanpath": "show_scanpath",
    "view.difference": "show_difference",
    "edit.move": "moving",
    "mask.paint": "painting",
}
_LESION = "view.lesion"
_ALONE = "view.alone"
_NEGLECT_HEIGHT, _EXPERIMENT_HEIGHT = 304, 360


class Workbench(QObject):
    """Makes the panels and places them; loading it loads what draws, so it waits for the first paint.

    The compare view goes where the window wants it; everything else is a dock of the window.
    """

    def __init__(self, window: QMainWindow, selection: Selection, session: Session, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._selection = selection
        self._session = session
        self._actions = actions
        self._layout: QByteArray | None = None
        self._on = False
        self.loader = Loader(self)
        self.compare = ComparePanel(selection, self.loader)
        self.images = ImagesPanel(selection, self.loader)
        self.inspector = InspectorPanel(selection)
        self.scores = ScoresPanel(selection, session, actions)
        self.quality = QualityPanel(selection, session, actions)
        self.words = WordsPanel(selection, self.loader)
        self.live = LiveLesion(selection, self.loader, self.compare.masks, self)
        self.runs = LesionRuns(selection, session, self.loader, self.compare.masks, self.live, self)
        self.neglect = NeglectPanel(selection, session, actions, self.compare.masks, self.live, self.runs)
        self.neural = NeuralPanel(selection, session, actions, self.loader)
        self.jobs = JobsPanel(session.runner)
        self._panels = (
            *(self.inspector, self.scores, self.neglect, self.neural),
            *(self.quality, self.words, self.jobs),
        )
        self._make_docks()
        self._connect()
        stored = QSettings().value("layout")
        if isinstance(stored, QByteArray):
            self._layout = stored
        self._place_docks()
        for dock in self.docks.values():
            dock.hide()

    def enter(self, study: StudyView) -> None:
        """Choose the first image, task and model of a study and show the panels."""
        task = study.tasks[0] if study.tasks else ""
        source = next(iter(study.model_ids), PEOPLE)
        self._selection.update(image_id=next(iter(study.images), None), task=task, source=source, word=-1)
        self.loader.open(study.path)
        self.compare.masks.open(study.path, self._session.read_only)
        self._on = True
        if self._layout is None or not self._window.restoreState(self._layout, STATE_VERSION):
            self.reset_layout()
        self.compare.setFocus()

    def show_study(self, study: StudyView) -> None:
        """Bring the panels up to a new view of the study."""
        if self._selection.task not in study.tasks:
            self._selection.update(task=study.tasks[0] if study.tasks else "")
        if self._selection.image_id not in study.images:
            self._selection.update(image_id=next(iter(study.images), None))
        for panel in self._panels:
            panel.show_study(study)

    def leave(self) -> None:
        """Put the panels away until the next project."""
        if self._on:
            self._layout = self._window.saveState(STATE_VERSION)
        self._on = False
        self._selection.update(painting=False)
        self.live.close_project()
        self.compare.masks.close_project()
        self.loader.close_project()
        for dock in self.docks.values():
            dock.hide()
        for panel in self._panels:
            panel.show_study(None)

    def close(self) -> None:
        """Remember the layout and stop reading."""
        if self._on:
            self._layout = self._window.saveState(STATE_VERSION)
        if self._layout is not None:
            QSettings().setValue("layout", self._layout)
        self.live.stop()
        self.compare.masks.close()
        self.loader.close()

    @Slot()
    def show_jobs(self) -> None:
        """Bring the list of jobs and problems to the front."""
        self.results_dock.show_page("jobs")

    @Slot()
    def show_scores(self) -> None:
        """Bring the results to the front."""
        self.results_dock.show_page("scores")
        self.scores.views.setFocus()

    @Slot()
    def show_quality(self) -> None:
        """Bring the quality of the recordings to the front."""
        self.results_dock.show_page("quality")

    @Slot()
    def show_neglect(self) -> None:
        """Bring what a lesion does to the front, with room for all models."""
        self.results_dock.show_page("neglect")
        self._give_room(_NEGLECT_HEIGHT)

    @Slot()
    @Slot(object)
    def show_experiment(self, masks: Sequence[str] = ()) -> None:
        """Bring the experiment over the whole set to the front, with room for its figure, and go to some masks."""
        self.neglect.experiment.go_to(masks)
        self.show_neglect()
        self.neglect.show_page(EXPERIMENT)
        self._give_room(_EXPERIMENT_HEIGHT)

    @Slot()
    def show_neural(self) -> None:
        """Bring how well maps predict brain responses to the front, with room for its table."""
        self.results_dock.show_page("neural")
        self._give_room(_EXPERIMENT_HEIGHT)
        self.neural.setFocus()

    def _give_room(self, height: int) -> None:
        """Let the results be as high as that, at least."""
        if self.results_dock.height() < height:
            self._window.resizeDocks([self.results_dock], [height], Qt.Orientation.Vertical)

    @Slot()
    def show_words(self) -> None:
        """Bring the words and the attention behind them to the front."""
        self.results_dock.show_page("words")
        self.words.setFocus()

    @Slot()
    def reset_layout(self) -> None:
        """Show every panel where it was at first."""
        self._place_docks()
        width, height = self._window.width(), self._window.height()
        for dock in self.docks.values():
            dock.show()
        self.inspector_dock.setVisible(width >= _ROOM_FOR_INSPECTOR)
        side = max(_LEAST_SIDE, width // 9)
        low = min(max(_LEAST_RESULTS, height // 4), height * 2 // 5)
        self._window.resizeDocks(
            [self.images_dock, self.inspector_dock], [side, side], Qt.Orientation.Horizontal
        )
        self._window.resizeDocks([self.results_dock], [low], Qt.Orientation.Vertical)

    def _make_docks(self) -> None:
        self.images_dock = Dock("images", "Images", self._window)
        self.images_dock.set_panel(self.images)
        self.inspector_dock = Dock("inspector", "Inspector", self._window)
        self.inspector_dock.set_panel(self.inspector)
        self.results_dock = TabDock("results", "Results", self._window)
        self.results_dock.add_page("scores", "Scores", self.scores, self.scores.corner)
        self.results_dock.add_page("neglect", "Neglect", self.neglect, self.neglect.corner)
        self.results_dock.add_page("neural", "Neural", self.neural, self.neural.corner)
        self.results_dock.add_page("quality", "Quality", self.quality, self.quality.corner)
        self.results_dock.add_page("words", "Words", self.words, self.words.corner)
        self.results_dock.add_page("jobs", "Jobs", self.jobs)
        self.docks: dict[str, Dock] = {
            "view.images": self.images_dock,
            "view.results": self.results_dock,
            "view.inspector": self.inspector_dock,
        }
        self._window.setDockNestingEnabled(True)

    def _place_docks(self) -> None:
        area = Qt.DockWidgetArea
        self._window.setCorner(Qt.Corner.BottomRightCorner, area.RightDockWidgetArea)
        for dock, where in (
            (self.images_dock, area.LeftDockWidgetArea),
            (self.inspector_dock, area.RightDockWidgetArea),
            (self.results_dock, area.BottomDockWidgetArea),
        ):
            dock.setFloating(False)
            self._window.addDockWidget(where, dock)

    def _connect(self) -> None:
        actions, compare = self._actions, self.compare
        for action_id, field in _TOGGLES.items():
            actions.bind(action_id, self._toggle(field))
        for action_id, dock in self.docks.items():
            actions.bind(action_id, dock.setVisible)
            dock.visibilityChanged.connect(self._show_ticks)
        actions.bind("view.previous_image", self._previous_image)
        actions.bind("view.next_image", self._next_image)
        actions.bind("view.previous_word", self._previous_word)
        actions.bind("view.next_word", self._next_word)
        actions.bind("view.scores", self.show_scores)
        actions.bind("view.quality", self.show_quality)
        actions.bind("view.words", self.show_words)
        actions.bind("view.neglect", self.show_neglect)
        actions.bind("view.neural", self.show_neural)
        actions.bind(_LESION, self._show_lesion)
        actions.bind(_ALONE, self._show_alone)
        self.live.changed.connect(self._show_effects)
        self.runs.changed.connect(self._show_effects)
        actions.bind("view.reset", self.reset_layout)
        actions["edit.move"].changed.connect(self._explain_moving)
        actions["mask.paint"].changed.connect(self._explain_painting)
        self._selection.changed.connect(self._show_ticks)
        compare.probed.connect(self._show_cursor)
        compare.extract_requested.connect(actions["study.extract"].trigger)
        compare.maps_requested.connect(actions["study.maps"].trigger)
        compare.import_requested.connect(actions["study.gaze"].trigger)
        compare.images_requested.connect(actions["study.images"].trigger)
        self._session.runner.changed.connect(self._job_changed)
        self.loader.stored.connect(self._stored)
        self._show_ticks()

    @Slot(bool)
    def _show_lesion(self, on: bool) -> None:
        self._selection.update(lesion="lesioned" if on else "")

    @Slot(bool)
    def _show_alone(self, on: bool) -> None:
        self._selection.update(layout=ALONE if on else GRID)

    @Slot()
    def _show_effects(self) -> None:
        effects = {**self.live.effects, **self.runs.effects}
        self.compare.set_effects(effects, self.live.failures)
        self.inspector.show_effects(effects)

    def _toggle(self, field: str) -> Callable[[bool], None]:
        def change(on: bool) -> None:
            self._selection.update(**{field: on})

        return change

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if state.finished and state.path is not None and state.path == self._session.path:
            self.loader.refresh()

    @Slot()
    def _stored(self) -> None:
        """Follow what another program stored; what this window's jobs store is read when they end."""
        if not self._session.runner.busy:
            self._session.refresh()

    @Slot()
    def _previous_image(self) -> None:
        self._step_image(-1)

    @Slot()
    def _next_image(self) -> None:
        self._step_image(1)

    def _step_image(self, step: int) -> None:
        target = self.loader.neighbour(self._selection.image_id, step)
        if target is not None:
            self._selection.image_id = target

    @Slot()
    def _previous_word(self) -> None:
        self.compare.step_word(-1)

    @Slot()
    def _next_word(self) -> None:
        self.compare.step_word(1)

    @Slot()
    def _show_ticks(self, _what: object = None) -> None:
        """Let the menu's ticks follow the display state and the docks."""
        for action_id, field in _TOGGLES.items():
            self._actions[action_id].setChecked(getattr(self._selection.display, field))
        self._actions[_LESION].setChecked(bool(self._selection.display.lesion))
        self._actions[_ALONE].setChecked(self._selection.display.layout == ALONE)
        for action_id, dock in self.docks.items():
            self._actions[action_id].setChecked(not dock.isHidden())

    @Slot()
    def _explain_moving(self) -> None:
        self.compare.bar.explain("moving", self._actions.reason("edit.move"))

    @Slot()
    def _explain_painting(self) -> None:
        self.compare.bar.explain("painting", self._actions.reason("mask.paint"))

    @Slot(object)
    def _show_cursor(self, place: tuple[float, float] | None) -> None:
        study, image = self._session.study, self._selection.image_id
        row = study.images.get(image) if study is not None and image is not None else None
        layers = {pane.source: pane.view.layer for pane in self.compare.panes}
        names = {source: study.source_name(source) for source in layers} if study is not None else {}
        self.inspector.show_cursor(cursor_facts(place, row, layers, names))
