"""People and every model on the image in hand, side by side."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QMargins, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.ui.canvas.arrange import PaneGrid
from gazeapp.ui.canvas.caption import MEAN_MAP, stepped
from gazeapp.ui.canvas.mover import ScanpathMover
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.canvas.pane import ImagePane
from gazeapp.ui.canvas.view import FIT, ZOOM_STEP
from gazeapp.ui.lesions.facts import Effect
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.painter import MaskPainter
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.panels.compare_bar import CompareBar
from gazeapp.ui.panels.compare_contents import PaneContents
from gazeapp.ui.panels.compare_shown import ShownScene
from gazeapp.ui.scene import SceneView
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import place_now

# A scene that was read ahead or is small arrives sooner than this, and then nothing dims.
_DIM_AFTER_MS = 120
_GAP = 2 * STEP
GRID, ALONE = "grid", "one"
"""How panes are arranged: side by side, or the one in focus alone."""
_MARGINS = QMargins(_GAP, STEP, STEP, STEP)


class ComparePanel(QWidget):
    """A grid of panes that show the same part of the same image.

    Parameters
    ----------
    selection
        What is looked at, and how.
    loader
        Reads images and maps.
    """

    extract_requested = Signal()
    """The user wants attention maps made."""
    maps_requested = Signal()
    """The user has maps that were made elsewhere."""
    import_requested = Signal()
    """The user wants recordings imported."""
    images_requested = Signal()
    """The user wants images added."""
    probed = Signal(object)
    """Place under the cursor, (across, down) as shares of the image; None when the cursor leaves."""

    def __init__(self, selection: Selection, loader: Loader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._loader = loader
        self._shown = ShownScene(selection)
        self._panes: dict[str, ImagePane] = {}
        self._placeholder: Notice | None = None
        self.bar = CompareBar(selection)
        self.mover = ScanpathMover(self)
        self.masks = MaskSession(selection, loader, self)
        self.painter = MaskPainter(self.masks, self)
        self._contents = PaneContents(
            self._panes, self._shown, selection, loader, self.mover, self.masks, parent=self
        )
        self.density_bar = self._contents.density_bar
        self.difference_bar = self._contents.difference_bar
        self.empty = Notice()
        self._grid = PaneGrid(_GAP, STEP)
        self._stack = QStackedWidget()
        self._tools: tuple[QWidget, ...] = ()
        self._dim_timer = QTimer(self, singleShot=True, interval=_DIM_AFTER_MS)
        self._lay_out()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Compare people and models")
        self._dim_timer.timeout.connect(self._dim)
        self.empty.pressed.connect(self.images_requested)
        selection.changed.connect(self._selection_changed)
        loader.loaded.connect(self._loaded)
        loader.listed.connect(self._listed)
        loader.failed.connect(self._failed)
        self.mover.left.connect(self._stop_moving)
        self.painter.left.connect(self._stop_painting)
        self._contents.probed.connect(self.probed)
        self._show_empty()
        self._request()

    @property
    def panes(self) -> tuple[ImagePane, ...]:
        """The panes in their order: people, then the models."""
        return tuple(self._panes.values())

    @property
    def scene(self) -> SceneView | None:
        """The scene that is drawn."""
        return self._shown.scene

    def pane(self, source: str) -> ImagePane:
        """Return the pane of ``people`` or of a model."""
        return self._panes[source]

    def set_effects(
        self, effects: Mapping[str, Effect], failures: Mapping[str, GazeError] | None = None
    ) -> None:
        """Take what a lesion did to models, and why it did nothing to others.

        It is shown while ``lesion`` of the display state says so.
        """
        other_maps = self._shown.set_effects(effects)
        other_reasons = self._shown.set_failures(failures or {})
        if other_maps:
            self._show_lesion()
        elif other_reasons:
            self._contents.draw_titles()

    def fit(self) -> None:
        """Show the whole image in every pane."""
        self._contents.set_region(FIT)

    def zoom(self, factor: float) -> None:
        """Zoom every pane around its middle."""
        for pane in self.panes[:1]:  # the others follow
            pane.view.zoom_by(factor)

    def add_tools(self, line: QWidget, box: QWidget) -> None:
        """Show these while masks are painted: one over the panes, one on their left."""
        self._tools = line, box
        self._column.insertWidget(1, line)
        self._row.insertWidget(0, box)
        self._show_tools()

    def step_word(self, step: int) -> None:
        """Show the map of the word `step` places further in the focused caption."""
        scene = self.scene
        if scene is None:
            return
        model = self._shown.model(self._selection.source)
        if model is None:
            # With people in focus, words are stepped in the first model that has a caption.
            model = next((model for model in scene.models if model.words), None)
        if model is not None and model.words:
            current = self._selection.word if model.id == self._selection.source else MEAN_MAP
            self._selection.update(source=model.id, word=stepped(current, step, len(model.words)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step words and images, choose panes, and switch layers."""
        plain = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
        if self.painter.key(event):
            return
        if event.modifiers() & ~plain or not (self.mover.key(event) or self._act(Qt.Key(event.key()))):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """While masks are painted, Space switches maps only when it has moved no image."""
        if self.painter.key_released(event):
            self._act(Qt.Key(event.key()))
        super().keyReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the panes so that the pictures are as large as they can be."""
        super().resizeEvent(event)
        self._grid.forget_lines()
        self._arrange()

    def _lay_out(self) -> None:
        bars = QVBoxLayout()
        bars.setSpacing(2 * STEP)
        bars.addWidget(self.density_bar, 1)
        bars.addWidget(self.difference_bar, 1)
        page = QWidget()
        self._row = row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_GAP)
        row.addWidget(self._grid, 1)
        row.addLayout(bars)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(page)
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGINS)
        layout.setSpacing(STEP)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)

    def _act(self, key: Qt.Key) -> bool:
        """Do what a key stands for; return whether it stands for anything here."""
        display = self._selection.display
        toggles = {
            Qt.Key.Key_Space: "show_overlay",
            Qt.Key.Key_F: "show_fixations",
            Qt.Key.Key_S: "show_scanpath",
            Qt.Key.Key_D: "show_difference",
        }
        if key in toggles:
            self._selection.update(**{toggles[key]: not getattr(display, toggles[key])})
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.step_word(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._step_image(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Z or (key == Qt.Key.Key_Escape and display.layout == ALONE):
            self._selection.update(layout=GRID if display.layout == ALONE else ALONE)
        elif key == Qt.Key.Key_Escape:
            self._selection.word = MEAN_MAP
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(1 / ZOOM_STEP if key == Qt.Key.Key_Minus else ZOOM_STEP)
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and key - Qt.Key.Key_1 < len(self._panes):
            self._focus(list(self._panes)[key - Qt.Key.Key_1])
        else:
            return False
        return True

    def _step_image(self, step: int) -> None:
        target = self._loader.neighbour(self._selection.image_id, step)
        if target is not None:
            self._selection.image_id = target

    def _focus(self, source: str) -> None:
        self._selection.source = source

    def _give_room(self, source: str) -> None:
        """Show a pane alone, or all again."""
        is_alone = self._selection.display.layout == ALONE
        self._selection.update(source=source, layout=GRID if is_alone else ALONE)

    def _choose_word(self, source: str, word: int) -> None:
        self._selection.update(source=source, word=word)

    def _want_action(self, source: str) -> None:
        (self.import_requested if source == PEOPLE else self.extract_requested).emit()

    @Slot(object)
    def _selection_changed(self, changed: frozenset[str]) -> None:
        if "moving" in changed and self._selection.display.moving:
            self.setFocus()  # for the arrow keys
        if "painting" in changed:
            self._loader.hold(self._selection.display.painting)
            self._show_tools()
            if self._selection.display.painting:
                self.setFocus()
        if changed & {"image_id", "task"}:
            self._request()
        elif self.scene is None:
            return
        elif changed == {"lesion"}:
            self._show_lesion()
        elif changed == {"opacity"}:
            self._contents.set_opacity(self._selection.display.opacity)
        else:
            if "lesion" in changed:
                self._show_lesion()
            if changed & {"layout", "source", "moving"}:
                self._grid.forget_lines()
                self._arrange()
            self._draw()

    @Slot(object)
    def _listed(self, _catalogue: object) -> None:
        if self._selection.image_id is None or self.scene is None:
            self._show_empty()
        self._contents.draw_titles()
        self._request()

    @Slot(object)
    def _loaded(self, scene: SceneView) -> None:
        if (scene.image_id, scene.task) != (self._selection.image_id, self._selection.task):
            return
        self._dim_timer.stop()
        if self._shown.is_of(scene):
            self._contents.set_dimmed(False)
            return
        if self.scene is None or self.scene.image_id != scene.image_id:
            self._contents.forget_place()
        scene = self._shown.take(scene)
        self._rebuild(scene)
        self.bar.set_subjects(scene.people.subjects)
        self._stack.setCurrentIndex(1)
        self.bar.setEnabled(True)
        self._draw()
        self._arrange()
        place_now(self, self._stack, self._stack.widget(1), self._grid)

    def _request(self) -> None:
        image_id = self._selection.image_id
        if image_id is None:
            self._shown.clear()
            self._dim_timer.stop()
            self._show_empty()
            return
        if self.scene is None:
            self._show_empty()
        if not self._loader.is_ready(image_id, self._selection.task):
            self._dim_timer.start()
        self._loader.request(image_id, self._selection.task)

    @Slot()
    def _dim(self) -> None:
        self._contents.set_dimmed(True)

    @Slot(object)
    def _failed(self, _error: object) -> None:
        """Go back to what was shown: the window says what went wrong."""
        self._dim_timer.stop()
        self._contents.set_dimmed(False)
        if self.scene is None and self._selection.image_id is not None:
            self.empty.say("The image cannot be shown", "What went wrong stands above.")

    def _show_empty(self) -> None:
        if self._selection.image_id is not None:
            self.empty.say("Reading the image…", "People's map and the models' maps come with it.")
        elif self._loader.catalogue.images:
            self.empty.say("No image is chosen", "Choose one in the list of images, or press the down key.")
        else:
            self.empty.say(
                "No images yet",
                "People's maps and the models' maps appear here, side by side on each image. "
                "Drop pictures or a folder anywhere in this window to begin.",
                "Add images…",
            )
        self._stack.setCurrentIndex(0)
        self.bar.setEnabled(False)

    def _rebuild(self, scene: SceneView) -> None:
        """Make a pane for people and for each model, keeping those that are there."""
        sources = [PEOPLE, *(model.id for model in scene.models)]
        if sources == list(self._panes):
            return
        for source in [source for source in self._panes if source not in sources]:
            gone = self._panes.pop(source)
            gone.hide()
            gone.deleteLater()
        for source in sources:  # taken out and put in again, so that their order is that of the sources
            self._panes[source] = self._panes.pop(source, None) or self._new_pane(source)
        if self._placeholder is not None:
            self._placeholder.deleteLater()
            self._placeholder = None
        if not scene.models:
            self._placeholder = Notice()
            self._placeholder.say(
                "No attention maps yet",
                "Each model describes the image; every word it says has a map of where it looked.",
                "Run models…",
                also="Import maps…",
            )
            self._placeholder.pressed.connect(self.extract_requested)
            self._placeholder.also_pressed.connect(self.maps_requested)

    def _new_pane(self, source: str) -> ImagePane:
        pane = ImagePane(source, self._grid)
        pane.focus_wanted.connect(self._focus)
        pane.room_wanted.connect(self._give_room)
        pane.word_chosen.connect(self._choose_word)
        pane.action_wanted.connect(self._want_action)
        pane.view.region_changed.connect(self._contents.set_region)
        pane.view.probed.connect(self._contents.set_probe)
        pane.title.resized.connect(self._contents.fit_titles)
        return pane

    def _draw(self) -> None:
        """Bring every pane up to the scene and the selection."""
        scene, display = self.scene, self._selection.display
        if scene is None:
            return
        self._contents.draw()
        self.mover.show(self._panes[PEOPLE].view, scene, display.subject, display.moving)
        self.painter.show([pane.view for pane in self.panes], scene.image_id, self.masks.is_on)
        self._contents.draw_mask()

    def _show_tools(self) -> None:
        for tools in self._tools:
            tools.setVisible(self._selection.display.painting)
        self._arrange()

    def _show_lesion(self) -> None:
        """Show models with or without the lesion; picture and gaze stay as they are."""
        self._shown.follow_lesion()
        self._contents.draw_models()
        self._contents.draw_mask()
        self._arrange()  # captions may be longer

    @Slot()
    def _stop_moving(self) -> None:
        self._selection.update(moving=False)

    @Slot()
    def _stop_painting(self) -> None:
        self._selection.update(painting=False)

    def _arrange(self) -> None:
        if self.scene is None or not self._panes:
            return
        alone = self._alone()
        shown = self.panes if alone is None else (alone,)
        for pane in self.panes:
            pane.setVisible(pane in shown)
        placeholder = self._placeholder if alone is None else None
        if self._placeholder is not None:
            self._placeholder.setVisible(alone is None)
        self._grid.arrange(shown, placeholder, self._room(), self.scene.width / self.scene.height)

    def _alone(self) -> ImagePane | None:
        """Return the pane that has all the room; None where all are side by side."""
        display, source = self._selection.display, self._selection.source
        if display.layout != ALONE:
            return None
        first = self._panes[PEOPLE]  # a scanpath is moved there
        return first if display.moving else self._panes.get(source or "", first)

    def _room(self) -> QSize:
        """Return the room for panes; the layout may not have been done yet, so it is reckoned here."""
        area = self.rect().marginsRemoved(_MARGINS)
        bars = [bar for bar in (self.density_bar, self.difference_bar) if not bar.isHidden()]
        beside = bars[0].width() + _GAP if bars else 0
        over = self.bar.sizeHint().height() + STEP
        if self._tools and not self._tools[0].isHidden():
            line, box = self._tools
            beside += box.width() + _GAP
            over += line.sizeHint().height() + STEP
        return QSize(area.width() - beside, area.height() - over)
