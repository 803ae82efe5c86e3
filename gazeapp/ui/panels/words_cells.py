"""Layers and heads of the word in hand: the gallery, and the map of one of them large."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.types import FloatArray, Rect
from gazeapp.ui import theme
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.panels.words_gallery import MAPS, MASS, HeadGallery
from gazeapp.ui.panels.words_grid import Cell
from gazeapp.ui.panels.words_line import CutLine
from gazeapp.ui.panels.words_preview import CellPreview
from gazeapp.ui.panels.words_reading import CellMaps, RunWords, cell_method, cell_name
from gazeapp.ui.scene import ModelView, SceneView
from gazeapp.ui.selection import DisplayState
from gazeapp.ui.widgets import Segments, capital

_KEPT = {
    "": "Kept: shares on the image, no maps.",
    "layers": "Kept: the mean over each layer's heads.",
    "heads": "",
}


class CellsView(QSplitter):
    """Gallery and large map, with the controls that say how they are drawn."""

    cell_chosen = Signal(object)
    """The chosen :data:`~gazeapp.ui.panels.words_grid.Cell`, or None."""
    heads_wanted = Signal()
    """The user wants runs that keep the map of each layer and head."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._run: RunWords | None = None
        self._word = MEAN_MAP
        self._scene: SceneView | None = None
        self._maps: CellMaps | None = None
        self._display = DisplayState()
        self._what = MAPS
        self._cell: Cell | None = None
        self.gallery = HeadGallery()
        self.preview = CellPreview()
        self.nothing = Notice(compact=True)
        self.kept = CutLine("What this run kept")
        self.what = Segments("What the gallery shows")
        self.what.set_values([MAPS, MASS], MAPS)
        self.over = _toggle("Picture", "Draw the maps over the dimmed picture, or alone")
        self.shared = _toggle("One scale", "One colour scale for all maps of the word, or one for each map")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(self._make_page())
        self.setChildrenCollapsible(False)
        for part, share in ((self._stack, 5), (self.preview, 2)):
            self.addWidget(part)
            self.setStretchFactor(self.count() - 1, share)
        self.setSizes([500, 300])
        self.preview.setContentsMargins(theme.STEP, 0, 0, 0)
        self.gallery.chosen.connect(self.choose_cell)
        self.what.chosen.connect(self.show_what)
        self.over.toggled.connect(self._look)
        self.shared.toggled.connect(self._look)

    @property
    def cell(self) -> Cell | None:
        """The chosen layer and head."""
        return self._cell

    def show_run(self, run: RunWords) -> None:
        """Say what a run kept; its words follow. A chosen layer and head stays where the layers are the same."""
        if self._run is None or _shape(self._run) != _shape(run):
            self._cell = None
            self.gallery.set_cell(None)
        self._run, self._scene = run, None
        self._stack.setCurrentIndex(int(run.head_mass is not None))
        if run.head_mass is None:
            self.nothing.say(
                "No layers and heads here",
                f"{run.name} gives one map a word. Vision-language models show each of their layers and heads.",
            )
        self.kept.show_line(_KEPT[run.kept])
        self._kept_row.setVisible(run.kept != "heads")
        maps = bool(run.kept)
        self.what.set_current(self._what if maps else MASS)
        for control in (self.what, self.over, self.shared):
            control.setEnabled(maps)
        why = "" if maps else "\nNot now: this run kept no maps by layer."
        self.what.setToolTip(
            f"Maps of layers and heads, or how much of their attention fell on the image{why}"
        )

    def show_word(self, word: int, scene: SceneView, maps: CellMaps | None) -> None:
        """Show a word of the run on the image in hand; ``maps`` is None where none were kept."""
        run = self._run
        if run is None:
            return
        self._word, self._scene, self._maps = word, scene, maps
        mass = run.cell_mass(word)
        if mass is not None and run.head_mass is not None:
            self.gallery.set_image(scene.picture, scene.width, scene.height, run.rect)
            self.gallery.show_word(run.layers, mass, float(run.head_mass.max()), maps)
        self.gallery.set_waiting(False)
        self._look()
        self.gallery.set_cell(self._cell)

    def set_display(self, display: DisplayState) -> None:
        """Draw maps with the colour map and the opacity of the window."""
        if (display.colormap, display.opacity) != (self._display.colormap, self._display.opacity):
            self._display = display
            self._look()

    @Slot(str)
    def show_what(self, what: str) -> None:
        """Show maps in the gallery, or how much of the attention fell on the image."""
        self._what = what
        self.what.set_current(what)
        self._look()

    @Slot(object)
    def choose_cell(self, cell: Cell | None) -> None:
        """Show the map of a layer and head large; None shows the word's own map again."""
        if self._scene is None:
            return  # what is drawn still belongs to another run
        self._cell = cell
        self.gallery.set_cell(cell)
        self._show_large()
        self.cell_chosen.emit(cell)

    def _make_page(self) -> QWidget:
        again = QPushButton("Keep heads…")
        again.setToolTip("Run models again and keep the map of each layer and head")
        theme.set_role(again, "quiet")
        again.clicked.connect(self.heads_wanted)
        self._kept_row = QWidget()
        row = QHBoxLayout(self._kept_row)
        row.setContentsMargins(theme.STEP, 0, 0, 0)
        row.addWidget(self.kept, 1)
        row.addWidget(again)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.STEP // 2, 0, 0, 0)
        column.setSpacing(theme.STEP // 2)
        column.addWidget(self._kept_row)
        column.addWidget(self.gallery, 1)
        return page

    @Slot()
    def _look(self, *_args: object) -> None:
        if self._scene is None:
            return
        what = self._what if self._maps is not None else MASS
        self.gallery.set_look(
            what, shared=self.shared.isChecked(), over=self.over.isChecked(), colormap=self._display.colormap
        )
        self._show_large()

    def _show_large(self) -> None:
        run, scene = self._run, self._scene
        if run is None or scene is None:
            return
        size = (scene.width, scene.height)
        self.preview.set_picture(scene.picture, *size)
        values = self._cell_map()
        if values is not None and self._cell is not None:
            layer, column = run.layers[self._cell[0]], self._cell[1]
            name, method = capital(cell_name(layer, column)), cell_method(layer, column)
            self.preview.show_map(name, method, values, run.rect, size)
        else:
            word = "Mean map" if self._word == MEAN_MAP else f"“{run.words[self._word].text}”"
            self.preview.show_map(word, "", *self._word_map(run, scene), size)
        top = self._maps.top if values is not None and self._maps and self.shared.isChecked() else None
        self.preview.set_colours(self._display.colormap, top, self._display.opacity)

    def _cell_map(self) -> FloatArray | None:
        if self._cell is None or self._maps is None or self._cell[1] >= self._maps.density.shape[1]:
            return None
        found: FloatArray = self._maps.density[self._cell]
        return found

    def _word_map(self, run: RunWords, scene: SceneView) -> tuple[FloatArray | None, Rect]:
        """Return the map that the run stored for the word in hand, and the part of the image that it covers."""
        model: ModelView | None = next((one for one in scene.models if one.id == run.model), None)
        if model is None or model.map is None or scene.task != run.task:
            return None, run.rect
        if self._word == MEAN_MAP or model.word_maps is None or self._word >= len(model.word_maps):
            return model.map.values, model.map.rect
        return model.word_maps[self._word], model.map.rect


def _shape(run: RunWords) -> tuple[tuple[int, ...], int]:
    return run.layers, 0 if run.head_mass is None else run.head_mass.shape[2]


def _toggle(text: str, tip: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setCheckable(True)
    made.setChecked(True)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    return made
