"""People and every model on the image in hand, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QMargins, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.ui.canvas.arrange import PaneGrid
from gazeapp.ui.canvas.caption import MEAN_MAP, stepped
from gazeapp.ui.canvas.colourbar import MINUS_PEOPLE, ColourBar
from gazeapp.ui.canvas.gaze import GazeStyle
from gazeapp.ui.canvas.heat import HeatLayer, Scale
from gazeapp.ui.canvas.layers import SceneLayers
from gazeapp.ui.canvas.mover import ScanpathMover
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.canvas.pane import ImagePane
from gazeapp.ui.canvas.title import fit_together
from gazeapp.ui.canvas.titles import gaze_line, model_title, people_title
from gazeapp.ui.canvas.view import FIT, ZOOM_STEP, Region
from gazeapp.ui.colours import density_table, difference_table, source_colour
from gazeapp.ui.lesions.cover import MaskCover
from gazeapp.ui.lesions.facts import Effect, lesioned_scene
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.painter import MaskPainter
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.panels.compare_bar import CompareBar
from gazeapp.ui.scene import ONLY_OLDER, ModelView, SceneView
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import place_now

# A scene that was read ahead or is small arrives sooner than this, and then nothing dims.
_DIM_AFTER_MS = 120
_GAP = 2 * STEP
GRID, ALONE = "grid", "one"
"""How panes are arranged: side by side, or the one in focus alone."""
_MINUS_PEOPLE = "model −\npeople", MINUS_PEOPLE
_CHANGE = (
    "lesioned −\nintact",
    "Lesioned minus intact map, each relative to uniform: above 0 the model looks there more under the lesion",
)
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
        self._scene: SceneView | None = None
        self._region = FIT
        self._probe: tuple[float, float] | None = None
        self._layers: SceneLayers | None = None
        self._read: SceneView | None = None
        self._effects: Mapping[str, Effect] = {}
        self._without: dict[str, str] = {}
        self._cover: MaskCover | None = None
        self._panes: dict[str, ImagePane] = {}
        self._placeholder: Notice | None = None
        self.bar = CompareBar(selection)
        self.mover = ScanpathMover(self)
        self.masks = MaskSession(selection, loader, self)
        self.painter = MaskPainter(self.masks, self)
        self.density_bar = ColourBar("density")
        self.difference_bar = ColourBar(_MINUS_PEOPLE[0])
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
        self.mover.changed.connect(self._say_what_moves)
        self.mover.left.connect(self._stop_moving)
        self.painter.left.connect(self._stop_painting)
        self.masks.switched.connect(self._mask_changed)
        self.masks.changed.connect(self._mask_changed)
        self._show_empty()
        self._request()

    @property
    def panes(self) -> tuple[ImagePane, ...]:
        """The panes in their order: people, then the models."""
        return tuple(self._panes.values())

    @property
    def scene(self) -> SceneView | None:
        """The scene that is drawn."""
        return self._scene

    def pane(self, source: str) -> ImagePane:
        """Return the pane of ``people`` or of a model."""
        return self._panes[source]

    def set_effects(
        self, effects: Mapping[str, Effect], failures: Mapping[str, GazeError] | None = None
    ) -> None:
        """Take what a lesion did to models, and why it did nothing to others.

        It is shown while ``lesion`` of the display state says so.
        """
        without = {model: error.what for model, error in (failures or {}).items()}
        shown = {model: effect.map for model, effect in self._effects.items()}
        same = shown.keys() == effects.keys() and all(shown[one] is effects[one].map for one in shown)
        told = without == self._without
        self._effects, self._without = dict(effects), without
        if not same:
            self._show_lesion()
        elif not told:
            self._draw_titles()

    def fit(self) -> None:
        """Show the whole image in every pane."""
        self._set_region(FIT)

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
        if self._scene is None:
            return
        model = self._model(self._selection.source)
        if model is None:
            # With people in focus, words are stepped in the first model that has a caption.
            model = next((model for model in self._scene.models if model.words), None)
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
        elif self._scene is None:
            return
        elif changed == {"lesion"}:
            self._show_lesion()
        elif changed == {"opacity"}:
            for pane in self._panes.values():
                pane.view.set_opacity(self._selection.display.opacity)
        else:
            if "lesion" in changed:
                self._show_lesion()
            if changed & {"layout", "source", "moving"}:
                self._grid.forget_lines()
                self._arrange()
            self._draw()

    @Slot(object)
    def _listed(self, _catalogue: object) -> None:
        if self._selection.image_id is None or self._scene is None:
            self._show_empty()
        if self._scene is not None:
            self._draw_titles()
        self._request()

    @Slot(object)
    def _loaded(self, scene: SceneView) -> None:
        if (scene.image_id, scene.task) != (self._selection.image_id, self._selection.task):
            return
        self._dim_timer.stop()
        if scene is self._read:
            self._set_dimmed(False)
            return
        if self._scene is None or self._scene.image_id != scene.image_id:
            self._region = FIT
            self._probe = None
        self._read = scene
        self._scene = scene = self._under_lesion(scene)
        self._layers = SceneLayers(scene)
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
            self._scene = self._read = None
            self._dim_timer.stop()
            self._show_empty()
            return
        if self._scene is None:
            self._show_empty()
        if not self._loader.is_ready(image_id, self._selection.task):
            self._dim_timer.start()
        self._loader.request(image_id, self._selection.task)

    def _dim(self) -> None:
        self._set_dimmed(True)

    def _set_dimmed(self, dimmed: bool) -> None:
        for pane in self._panes.values():
            pane.view.set_dimmed(dimmed)

    @Slot(object)
    def _failed(self, _error: object) -> None:
        """Go back to what was shown: the window says what went wrong."""
        self._dim_timer.stop()
        self._set_dimmed(False)
        if self._scene is None and self._selection.image_id is not None:
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
        panes = {}
        for source in sources:
            panes[source] = self._panes.get(source) or self._new_pane(source)
        self._panes = panes
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
        pane.view.region_changed.connect(self._set_region)
        pane.view.probed.connect(self._set_probe)
        pane.title.resized.connect(self._fit_titles)
        return pane

    def _set_region(self, region: Region) -> None:
        self._region = region
        for pane in self._panes.values():
            pane.view.set_region(region)

    def _set_probe(self, place: tuple[float, float] | None) -> None:
        self._probe = place
        for pane in self._panes.values():
            pane.set_probe(place)
        self.probed.emit(place)

    def _draw(self) -> None:
        """Bring every pane up to the scene and the selection."""
        scene, display = self._scene, self._selection.display
        if scene is None:
            return
        colour = source_colour(PEOPLE, ()).name()
        for source, pane in self._panes.items():
            # Over a model's map, people's fixations are dots that leave the map in sight.
            style = GazeStyle(
                display.show_fixations, display.show_scanpath, display.subject, colour, dots=source != PEOPLE
            )
            pane.view.set_picture(scene.picture, scene.width, scene.height)
            pane.view.set_region(self._region)
            pane.view.set_fixations(scene.people.fixations, style)
            pane.view.set_opacity(display.opacity)
            pane.view.set_overlay(display.show_overlay)
        self._set_dimmed(False)
        self._draw_maps()
        self._draw_captions(scene)
        self._draw_notices(scene)
        self._draw_titles()
        self._set_probe(self._probe)
        self.mover.show(self._panes[PEOPLE].view, scene, display.subject, display.moving)
        self.painter.show([pane.view for pane in self.panes], scene.image_id, self.masks.is_on)
        self._show_mask()

    def _show_tools(self) -> None:
        for tools in self._tools:
            tools.setVisible(self._selection.display.painting)
        self._arrange()

    def _under_lesion(self, scene: SceneView) -> SceneView:
        return lesioned_scene(scene, self._effects) if self._selection.display.lesion else scene

    @Slot()
    def _mask_changed(self) -> None:
        self._cover = None
        self._show_mask()

    def _show_mask(self) -> None:
        """Draw the mask over models under the lesion; while it is painted, the painter draws it."""
        if self.masks.is_on or self._scene is None:
            return
        mask = self.masks.mask
        if not self._selection.display.lesion or mask is None or self.masks.image_id != self._scene.image_id:
            self._cover = None
        elif self._cover is None:
            self._cover = MaskCover(mask)
        for pane in self.panes:
            pane.view.set_cover(self._cover)

    def _show_lesion(self) -> None:
        """Show models with or without the lesion; picture and gaze stay as they are."""
        if self._read is None or self._scene is None:
            return
        scene = self._under_lesion(self._read)
        if scene is not self._scene:
            self._scene = scene
            self._layers = SceneLayers(scene)
        self._draw_maps()
        self._draw_captions(scene)
        self._draw_notices(scene)
        self._draw_titles()
        self._set_probe(self._probe)
        self._show_mask()
        self._arrange()  # captions may be longer

    @property
    def _is_change(self) -> bool:
        return self._selection.display.lesion == "change"

    def _draw_maps(self) -> None:
        display = self._selection.display
        self.difference_bar.set_title(*(_CHANGE if self._is_change else _MINUS_PEOPLE))
        layers = {source: self._layer(source) for source in self._panes}
        bars = {False: self.density_bar, True: self.difference_bar}
        tables = {False: density_table(display.colormap), True: difference_table()}
        shared: dict[bool, Scale] = {}
        for signed, bar in bars.items():
            tops = [layer.top for layer in layers.values() if layer is not None and layer.signed == signed]
            shared[signed] = Scale(max(tops, default=2.0), signed)
            bar.set_scale(tables[signed], shared[signed])
            bar.setVisible(display.shared_scale and bool(tops))
        for source, layer in layers.items():
            pane = self._panes[source]
            signed = layer is not None and layer.signed
            own = shared[signed] if display.shared_scale or layer is None else Scale(layer.top, signed)
            pane.set_layer(layer, tables[signed], own)
            pane.bar.setVisible(not display.shared_scale and layer is not None)

    def _layer(self, source: str) -> HeatLayer | None:
        """Return the map that a pane shows: people's, a mean, a word's, or a difference."""
        if self._layers is None:
            return None
        model = self._model(source)
        if model is None:
            return self._layers.people
        difference = self._selection.display.show_difference and not self._is_change
        return self._layers.of_model(model, self._word(model), difference, self._is_change)

    def _draw_captions(self, scene: SceneView) -> None:
        self._panes[PEOPLE].caption.set_text(
            self.mover.hint or gaze_line(scene, self._selection.display.subject)
        )
        for model in scene.models:
            caption = self._panes[model.id].caption
            if model.map is not None and not model.words:
                caption.set_text("This map has no caption.")
            else:
                lesion = model.lesion
                marks = (lesion.new, lesion.intact) if lesion is not None else ()
                caption.set_words(model.words, self._word(model), *marks)

    def _draw_notices(self, scene: SceneView) -> None:
        if self.masks.is_on and not scene.error:
            for pane in self._panes.values():  # the picture is painted on, whatever is missing over it
                pane.hide_notice()
            return
        for model in scene.models:
            pane = self._panes[model.id]
            if scene.error or model.map is not None:
                pane.hide_notice()
            elif model.only_older:
                pane.show_notice("Another kind of map only", ONLY_OLDER, "Run models…")
            else:
                under = f" under “{scene.task}”" if scene.task else ""
                pane.show_notice("No map yet", f"Not run{under}.", "Run models…")
        people = self._panes[PEOPLE]
        if scene.error:
            people.show_notice("The picture cannot be shown", scene.error.what, tip=str(scene.error))
        elif scene.people.fixations is None and scene.people.map is None:
            under = f" under “{scene.task}”" if scene.task else ""
            people.show_notice("No fixations yet", f"None on this image{under}.", "Import recordings…")
        else:
            people.hide_notice()

    def _draw_titles(self) -> None:
        scene, chosen = self._scene, self._selection
        if scene is None or PEOPLE not in self._panes:
            return
        catalogue = self._loader.catalogue
        key = (scene.task, chosen.preset, chosen.metric)
        entry = catalogue.entry(scene.image_id)
        self._panes[PEOPLE].set_title(people_title(scene, entry, key, self.mover.words))
        for model in scene.models:
            if model.id in self._panes:
                word = self._word(model)
                difference = chosen.display.show_difference and not self._is_change
                is_left = bool(chosen.display.lesion) and model.lesion is None and model.map is not None
                why = self._without.get(model.id, "") if is_left else ""
                title = model_title(model, catalogue, entry, key, word, difference, self._is_change, why)
                self._panes[model.id].set_title(title)
        for source, pane in self._panes.items():
            pane.title.set_focused(source == chosen.source)
        self._fit_titles()

    @Slot()
    def _say_what_moves(self) -> None:
        people, scene = self._panes.get(PEOPLE), self._scene
        if people is not None and scene is not None:
            people.title.set_title(replace(people.title.title, doing=self.mover.words))
            people.caption.set_text(self.mover.hint or gaze_line(scene, self._selection.display.subject))

    @Slot()
    def _stop_moving(self) -> None:
        self._selection.update(moving=False)

    @Slot()
    def _stop_painting(self) -> None:
        self._selection.update(painting=False)

    @Slot()
    def _fit_titles(self) -> None:
        fit_together([pane.title for pane in self._panes.values() if not pane.isHidden()])

    def _model(self, source: str | None) -> ModelView | None:
        if self._scene is None:
            return None
        return next((model for model in self._scene.models if model.id == source), None)

    def _word(self, model: ModelView) -> int:
        word = self._selection.word
        return word if model.id == self._selection.source and 0 <= word < len(model.words) else MEAN_MAP

    def _arrange(self) -> None:
        if self._scene is None or not self._panes:
            return
        alone = self._alone()
        shown = self.panes if alone is None else (alone,)
        for pane in self.panes:
            pane.setVisible(pane in shown)
        placeholder = self._placeholder if alone is None else None
        if self._placeholder is not None:
            self._placeholder.setVisible(alone is None)
        self._grid.arrange(shown, placeholder, self._room(), self._scene.width / self._scene.height)

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
