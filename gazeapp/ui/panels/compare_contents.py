"""What stands in the panes of the compare view: pictures, maps, gaze, masks and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.ui.canvas.colourbar import MINUS_PEOPLE, ColourBar
from gazeapp.ui.canvas.gaze import GazeStyle
from gazeapp.ui.canvas.heat import Scale
from gazeapp.ui.canvas.mover import ScanpathMover
from gazeapp.ui.canvas.pane import ImagePane
from gazeapp.ui.canvas.title import fit_together
from gazeapp.ui.canvas.titles import gaze_line, model_title, people_title
from gazeapp.ui.canvas.view import FIT, Region
from gazeapp.ui.colours import density_table, difference_table, source_colour
from gazeapp.ui.lesions.cover import MaskCover
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.panels.compare_shown import ShownScene
from gazeapp.ui.scene import ONLY_OLDER, SceneView
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE

_MINUS_PEOPLE = "model −\npeople", MINUS_PEOPLE
_CHANGE = (
    "lesioned −\nintact",
    "Lesioned minus intact map, each relative to uniform: above 0 the model looks there more under the lesion",
)


class PaneContents(QObject):
    """Fills panes, which all show the same part of the image and the same place under the cursor.

    Parameters
    ----------
    panes
        The panes by source, people's first; whoever makes them changes this mapping.
    shown
        The scene.
    selection
        What is looked at, and how.
    loader
        Knows the scores in the titles.
    mover
        Says what it moves in people's pane.
    masks
        The mask that is drawn over models under the lesion.
    """

    probed = Signal(object)
    """Place under the cursor, (across, down) as shares of the image; None when the cursor leaves."""

    def __init__(
        self,
        panes: Mapping[str, ImagePane],
        shown: ShownScene,
        selection: Selection,
        loader: Loader,
        mover: ScanpathMover,
        masks: MaskSession,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panes = panes
        self._shown = shown
        self._selection = selection
        self._loader = loader
        self._mover = mover
        self._masks = masks
        self._region = FIT
        self._probe: tuple[float, float] | None = None
        self._cover: MaskCover | None = None
        self.density_bar = ColourBar("density")
        self.difference_bar = ColourBar(_MINUS_PEOPLE[0])
        mover.changed.connect(self._say_what_moves)
        masks.switched.connect(self._mask_changed)
        masks.changed.connect(self._mask_changed)

    def draw(self) -> None:
        """Bring every pane up to the scene and the selection, all but the mask."""
        scene, display = self._shown.scene, self._selection.display
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
        self.set_dimmed(False)
        self.draw_models()

    def draw_models(self) -> None:
        """Draw what a lesion may change: maps, captions, notices, titles; picture and gaze stay as they are."""
        scene = self._shown.scene
        if scene is None:
            return
        self._draw_maps()
        self._draw_captions(scene)
        self._draw_notices(scene)
        self.draw_titles()
        self.set_probe(self._probe)

    def draw_titles(self) -> None:
        """Say over each pane who is shown, with its numbers."""
        scene, chosen = self._shown.scene, self._selection
        if scene is None or PEOPLE not in self._panes:
            return
        catalogue = self._loader.catalogue
        key = (scene.task, chosen.preset, chosen.metric)
        entry = catalogue.entry(scene.image_id)
        self._panes[PEOPLE].set_title(people_title(scene, entry, key, self._mover.words))
        difference, change = self._shown.is_difference, self._shown.is_change
        for model in scene.models:
            if model.id in self._panes:
                word, why = self._shown.word(model), self._shown.why_intact(model)
                title = model_title(model, catalogue, entry, key, word, difference, change, why)
                self._panes[model.id].set_title(title)
        for source, pane in self._panes.items():
            pane.title.set_focused(source == chosen.source)
        self.fit_titles()

    def draw_mask(self) -> None:
        """Draw the mask over models under the lesion; while it is painted, the painter draws it."""
        scene = self._shown.scene
        if self._masks.is_on or scene is None:
            return
        mask = self._masks.mask
        if not self._selection.display.lesion or mask is None or self._masks.image_id != scene.image_id:
            self._cover = None
        elif self._cover is None:
            self._cover = MaskCover(mask)
        for pane in self._panes.values():
            pane.view.set_cover(self._cover)

    @Slot()
    def fit_titles(self) -> None:
        """Give all titles that are seen the most detail for which every one of them has room."""
        fit_together([pane.title for pane in self._panes.values() if not pane.isHidden()])

    def forget_place(self) -> None:
        """Show the next image whole, with nothing under the cursor."""
        self._region = FIT
        self._probe = None

    def set_region(self, region: Region) -> None:
        """Show the same part of the image in every pane."""
        self._region = region
        for pane in self._panes.values():
            pane.view.set_region(region)

    def set_probe(self, place: tuple[float, float] | None) -> None:
        """Show the same place under the cursor in every pane."""
        self._probe = place
        for pane in self._panes.values():
            pane.set_probe(place)
        self.probed.emit(place)

    def set_opacity(self, opacity: float) -> None:
        """Let maps cover pictures by this share, 0 to 1."""
        for pane in self._panes.values():
            pane.view.set_opacity(opacity)

    def set_dimmed(self, dimmed: bool) -> None:
        """Dim every pane while another scene is read."""
        for pane in self._panes.values():
            pane.view.set_dimmed(dimmed)

    def _draw_maps(self) -> None:
        display = self._selection.display
        self.difference_bar.set_title(*(_CHANGE if self._shown.is_change else _MINUS_PEOPLE))
        layers = {source: self._shown.layer(source) for source in self._panes}
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

    def _draw_captions(self, scene: SceneView) -> None:
        self._draw_gaze_line(scene)
        for model in scene.models:
            caption = self._panes[model.id].caption
            if model.map is not None and not model.words:
                caption.set_text("This map has no caption.")
            else:
                lesion = model.lesion
                marks = (lesion.new, lesion.intact) if lesion is not None else ()
                caption.set_words(model.words, self._shown.word(model), *marks)

    def _draw_gaze_line(self, scene: SceneView) -> None:
        line = self._mover.hint or gaze_line(scene, self._selection.display.subject)
        self._panes[PEOPLE].caption.set_text(line)

    def _draw_notices(self, scene: SceneView) -> None:
        if self._masks.is_on and not scene.error:
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

    @Slot()
    def _say_what_moves(self) -> None:
        scene = self._shown.scene
        if scene is not None and PEOPLE in self._panes:
            title = self._panes[PEOPLE].title
            title.set_title(replace(title.title, doing=self._mover.words))
            self._draw_gaze_line(scene)

    @Slot()
    def _mask_changed(self) -> None:
        self._cover = None
        self.draw_mask()
