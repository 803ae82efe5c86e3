"""Neural: how well maps predict brain responses, region by region, beside how well they agree with gaze."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QSettings, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.results.neural import (
    NeuralResults,
)
from gazeapp.engine.reports.results.neural_measures import (
    P_FDR,
    NeuralAsked,
    R,
    hemisphere_of,
)
from gazeapp.engine.reports.results.neural_read import CortexValues, ImageResponses, NeuralRead
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels import neural_bar
from gazeapp.ui.panels.neural_bar import NeuralBar
from gazeapp.ui.panels.neural_corner import CORTEX, DISSOCIATION, IMAGES, PAGES, REGION, REGIONS, NeuralCorner
from gazeapp.ui.panels.neural_cortex import CortexPage, cortex_work
from gazeapp.ui.panels.neural_images import ImagesPage, images_work
from gazeapp.ui.panels.neural_pages import PartsPage, RegionsPage, dissociation_parts, region_parts
from gazeapp.ui.panels.neural_reading import read_work, settled
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import EmptyState, capital, label
from gazeapp.ui.worker import JobState

if TYPE_CHECKING:
    pass

_CORRECTION = "neural/correction"
_EMPTY, _UNPREDICTED, _OTHER_TASK, _WAITING, _BODY = range(5)
_ABOUT = (
    "Here stands how well the attention maps of models, and where people look, predict brain responses in each "
    "region of the cortex. Responses are measured ones to the same images, or simulated by a model of the brain."
)
_UNPREDICTED_TEXT = (
    "The project has responses, but nothing was predicted from maps yet. For each region and each source of maps a "
    "model learns from some of the images and is tested on the others."
)


class NeuralPanel(QWidget):
    """Five pages about one region and one source in hand, under one bar of choices.

    It follows and changes the selection: a cell chooses its source, a thumbnail its image. Findings are read on the
    reader's thread when the panel is in sight.
    """

    failed = Signal(object)
    """A :class:`JobError`: something could not be read or written."""

    def __init__(
        self,
        selection: Selection,
        session: Session,
        actions: Actions,
        loader: Loader,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._selection, self._session, self._actions = selection, session, actions
        self._study: StudyView | None = None
        self._read: NeuralRead | None = None
        self._stale = False
        self._reading = self._imaging = self._painting = 0
        self._wanted = (NeuralBar.remembered(neural_bar.RESPONSES), NeuralBar.remembered(neural_bar.ATLAS))
        self._asked = NeuralAsked(
            selection.task,
            measure=NeuralBar.remembered(neural_bar.MEASURE) or R,
            groups=NeuralBar.remembered(neural_bar.ROWS) == neural_bar.GROUPS,
            correction=str(QSettings().value(_CORRECTION, P_FDR)),
        )
        self._kept: NeuralAsked = self._asked
        self.bar = NeuralBar(actions)
        self.regions = RegionsPage(session)
        self.region = PartsPage("the region in hand", session)
        self.dissociation = PartsPage("fixations and prediction", session)
        self.cortex = CortexPage(session)
        self.images = ImagesPage(loader)
        self.corner = NeuralCorner()
        self.pages, self.take = self.corner.pages, self.corner.take
        self._lay_out()
        self._connect()
        self._show()

    @property
    def read(self) -> NeuralRead | None:
        """What was read; None while nothing was."""
        return self._read

    @property
    def results(self) -> NeuralResults | None:
        """What was found; None where nothing was."""
        return self._read.results if self._read is not None else None

    @property
    def asked(self) -> NeuralAsked:
        """What is shown."""
        return self._asked

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the responses of ``study``; None when no project is open."""
        if study is None or (self._study is not None and study.path != self._study.path):
            self._read = None
        self._study = study
        self._stale = study is not None
        self._show()
        if self.isVisible():
            self._read_findings()

    @Slot(str)
    def show_page(self, page: str) -> None:
        """Bring a page to the front."""
        self.corner.show_page(page)
        self._show_page()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what has changed since the panel was last in sight."""
        super().showEvent(event)
        self._show_page()
        self._read_findings()

    # Building

    def _lay_out(self) -> None:
        self.empty = self._empty_page(
            "No brain responses yet", _ABOUT, ("neural.import_responses", "neural.predict")
        )
        self.unpredicted = self._empty_page(
            "Nothing predicted yet", _UNPREDICTED_TEXT, ("neural.run", "neural.regions")
        )
        self.other_task = self._empty_page("Nothing under this task", "", ("neural.run",))
        waiting = label("Reading what was found…", "muted")
        waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._front = QStackedWidget()
        self._front.setObjectName("dockBody")
        self._by_name: dict[str, QWidget] = {
            REGIONS: self.regions,
            REGION: self.region,
            DISSOCIATION: self.dissociation,
            CORTEX: self.cortex,
            IMAGES: self.images,
        }
        for page in self._by_name.values():
            self._front.addWidget(page)
        self._focus: dict[str, QWidget] = {
            REGIONS: self.regions.table,
            REGION: self.region.table,
            DISSOCIATION: self.dissociation.table,
            CORTEX: self.cortex.views[0].canvas,
            IMAGES: self.images.highest,
        }
        self._stack = QStackedWidget()
        self._stack.setObjectName("dockBody")
        for page in (self.empty, self.unpredicted, self.other_task, waiting, self._front):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._stack, 1)

    def _empty_page(self, title: str, text: str, action_ids: tuple[str, ...]) -> EmptyState:
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        for k, action_id in enumerate(action_ids):
            action = self._actions[action_id]
            button = QPushButton(action.text())
            if k == 0:
                theme.set_role(button, "primary")
            follow(button, action)
            row.addWidget(button)
        return EmptyState("brain", title, text, buttons)

    def _connect(self) -> None:
        self._session.reader.changed.connect(self._job_changed)
        self._selection.changed.connect(self._follow_selection)
        self.pages.chosen.connect(self.show_page)
        self.bar.chosen.connect(self._choose)
        self.regions.chosen.connect(self._choose_cell)
        self.regions.correction_chosen.connect(self._choose_correction)
        self.cortex.region_chosen.connect(self._choose_met)
        self.cortex.wanted.connect(self._read_cortex)
        self.images.wanted.connect(self._read_images)
        self.images.image_chosen.connect(self._choose_image)
        self.images.said.connect(self.corner.say)
        for page in (self.region, self.dissociation):
            page.row_chosen.connect(self._choose_row)
        for figure in (self.regions.figure, self.region.figure, self.dissociation.figure):
            figure.picked.connect(self._choose_cell)
        self.cortex.said.connect(self.corner.say)
        self.cortex.failed.connect(self.failed)
        for page in (self.regions, self.region, self.dissociation):
            page.taking.said.connect(self.corner.say)
            page.taking.failed.connect(self.failed)
        self._images_menu = QMenu(self)
        self._images_menu.addAction("Copy images with their values", self.images.copy)
        for action_id in ("neural.run", "neural.import_responses"):
            self._actions[action_id].changed.connect(self._explain)
        for keys, step in (("Ctrl+Tab", self._show_next), ("Ctrl+Shift+Tab", self._show_previous)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(step)

    # Reading

    def _read_findings(self) -> None:
        if not self._stale or self._study is None or self._reading:
            return
        self._stale = False
        work = read_work(self._selection.preset, *self._wanted)
        self._reading = self._session.reader.submit("brain responses", work, self._study.path)

    @Slot()
    def _read_cortex(self) -> None:
        """Read what is painted on the cortex."""
        results, path = self.results, self._session.path
        if results is None or path is None or not self.cortex.sources:
            return
        work = cortex_work(results, self._asked, self.cortex.what.current, self.cortex.sources)
        self._painting = self._session.reader.submit("cortex", work, path)

    @Slot(object)
    def _read_images(self, _source: object = None) -> None:
        """Read how the region in hand responds to each image."""
        results, path = self.results, self._session.path
        if results is None or path is None or not self._asked.region:
            return
        work = images_work(results, self._asked, self.images.source)
        self._imaging = self._session.reader.submit("responses to images", work, path)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in (self._reading, self._imaging, self._painting):
            return
        is_own = self._study is not None and state.path == self._study.path
        if state.id == self._reading:
            self._reading = 0
        if state.error is not None:
            self.failed.emit(state.error)
        elif not is_own:
            pass
        elif isinstance(state.result, NeuralRead):
            self._read = state.result
            self._show()
        elif isinstance(state.result, CortexValues):
            self.cortex.show_values(state.result, self.results, self._asked)
        elif state.id == self._imaging and (state.result is None or isinstance(state.result, ImageResponses)):
            self.images.show_images(state.result, self._asked)
            self.images.mark_image(self._selection.image_id)
        if self.isVisible():
            self._read_findings()

    # Showing

    def _show(self) -> None:
        """Show what there is, or what would be here."""
        read, results = self._read, self.results
        self.setEnabled(self._study is not None)
        self._asked = settled(results, replace(self._kept, task=self._selection.task))
        self.bar.show_read(read or NeuralRead(), self._asked)
        self.bar.setVisible(read is not None and bool(read.responses))
        place = self._place()
        self._stack.setCurrentIndex(place)
        self.take.setEnabled(place == _BODY)
        self._explain()
        self._show_page()

    def _place(self) -> int:
        read, results = self._read, self.results
        if read is None:
            return _WAITING if self._study is not None and (self._stale or self._reading) else _EMPTY
        if not read.responses:
            return _EMPTY
        if results is None:
            return _UNPREDICTED
        return _BODY if self._asked.region else _OTHER_TASK

    def _show_page(self) -> None:
        """Bring the page in front up to what is asked for."""
        name = self.pages.current
        self._front.setCurrentWidget(self._by_name[name])
        self.setFocusProxy(self._focus[name])
        self._set_menu(name)
        results, asked = self.results, self._asked
        if results is None or not asked.region:
            self.regions.show_results(None, None, self._selection.display.colormap)
            return
        if not self.isVisible():  # drawn when it comes into sight
            return
        if name == REGIONS:
            self.regions.show_results(results, asked, self._selection.display.colormap)
        elif name == REGION:
            self.region.show_parts(region_parts(results, asked))
            self.region.figure.emphasise(asked.source[1])
        elif name == DISSOCIATION:
            self.dissociation.show_parts(dissociation_parts(results, asked))
        elif name == CORTEX:
            self.cortex.show_choices(results, asked)
            self._read_cortex()
        else:
            self.images.show_choices(results, asked)
            self._read_images()

    def _set_menu(self, name: str) -> None:
        page = self._by_name[name]
        own = {CORTEX: self.cortex.menu, IMAGES: self._images_menu}
        self.take.setMenu(page.taking.menu if isinstance(page, (RegionsPage, PartsPage)) else own[name])
        self.take.setEnabled(self._stack.currentIndex() == _BODY)

    @Slot()
    def _explain(self) -> None:
        """Say why what is lacking cannot be brought now."""
        task = self._selection.task
        there = self.results.tasks if self.results is not None else ()
        self.other_task.set_text(
            f"Nothing was predicted from maps under the task “{task}”. There are findings under "
            f"{' and '.join(f'“{one}”' for one in there)}."
        )
        for page, action_id in (
            (self.empty, "neural.import_responses"),
            (self.unpredicted, "neural.run"),
            (self.other_task, "neural.run"),
        ):
            reason = self._actions.reason(action_id)
            page.set_note(f"{capital(reason)}." if reason else "")

    # Choosing

    @Slot()
    def _show_next(self) -> None:
        self._step(1)

    @Slot()
    def _show_previous(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        names = list(PAGES)
        self.show_page(names[(names.index(self.pages.current) + step) % len(names)])

    def _ask(self, **changes: Any) -> None:
        self._kept = replace(self._asked, **changes)
        self._show()

    @Slot(str, str)
    def _choose(self, name: str, value: str) -> None:
        if name == neural_bar.TASK:
            self._selection.update(task=value)
        elif name in (neural_bar.RESPONSES, neural_bar.ATLAS):
            responses, atlas = self._wanted
            own = self._read.name if self._read is not None else responses
            self._wanted = (value, atlas) if name == neural_bar.RESPONSES else (own, value)
            self._stale = True
            self._read_findings()
        elif name == neural_bar.ROWS:
            self._ask(groups=value == neural_bar.GROUPS, region="")
        elif name == neural_bar.SOURCE:
            self._choose_cell(self._asked.region, *NeuralBar.source_of(value))
        else:
            self._ask(**{name: value})

    @Slot(str, str, str)
    def _choose_cell(self, region: str, kind: str, source: str) -> None:
        if (region, (kind, source)) == (self._asked.region, self._asked.source):
            return
        self._ask(region=region, source=(kind, source))
        known = self._study is not None and source in self._study.models
        if known or source == PEOPLE:
            self._selection.update(source=source)

    @Slot(str)
    def _choose_row(self, name: str) -> None:
        """Take the source of a row of the page in front."""
        sources = self.results.sources if self.results is not None else ()
        found = next((one for one in sources if one.name == name), None)
        if found is not None:
            self._choose_cell(self._asked.region, found.kind, found.id)

    @Slot(str)
    def _choose_correction(self, correction: str) -> None:
        QSettings().setValue(_CORRECTION, correction)
        self._ask(correction=correction)

    @Slot(tuple)
    def _choose_met(self, regions: tuple[str, ...]) -> None:
        """Choose the region that was met on the cortex; its group where groups are shown."""
        results = self.results
        if results is None:
            return
        names = results.regions(groups=self._asked.groups)
        bare = [one.removesuffix(f" {hemisphere_of(one)}") for one in regions]
        met = [*regions, *bare]
        if self._asked.groups:
            met += [group for group, own in results.groups.items() if set(own) & set(bare)]
        found = next((one for one in met if one in names), None)
        if found is not None and found != self._asked.region:
            self._kept = replace(self._asked, region=found)
            self._asked = settled(results, self._kept)
            self.bar.show_read(self._read or NeuralRead(), self._asked)
            self.cortex.mark(self._asked)

    @Slot(int)
    def _choose_image(self, image_id: int) -> None:
        self._selection.update(image_id=image_id)

    @Slot(object)
    def _follow_selection(self, names: frozenset[str]) -> None:
        if "preset" in names:
            self._stale = self._study is not None
            if self.isVisible():
                self._read_findings()
        if names & {"task", "colormap"}:
            self._show()
        elif "source" in names and self.results is not None and self._asked.region:
            self._follow_source(self._selection.source or "")
        if "image_id" in names:
            self.images.mark_image(self._selection.image_id)

    def _follow_source(self, source: str) -> None:
        """Take the source in hand elsewhere, where it predicts, too."""
        found = (
            next((one for one in self.results.sources if one.id == source), None) if self.results else None
        )
        if found is not None and (found.kind, found.id) != self._asked.source:
            self._kept = replace(self._asked, source=(found.kind, found.id))
            self._show()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.regions.key.update()
