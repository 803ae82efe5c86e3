"""The cortex with values and regions on it: looked at, pointed at, clicked, and drawn on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gazeapp.engine.neural.records import BOTH, N_VERTICES, Region
from gazeapp.engine.neural.regions.picking import grow, inside
from gazeapp.engine.neural.surface.colouring import Colouring, common_limits
from gazeapp.engine.neural.surface.figure import CortexFigure, cortex_figure
from gazeapp.engine.neural.surface.mesh import FLAT, INFLATED
from gazeapp.engine.neural.surface.picture import NO_REGIONS, Regions, Shown, compose, regions_at
from gazeapp.engine.neural.surface.scene import Scene, Spot, Tile
from gazeapp.engine.neural.surface.views import ANGLES
from gazeapp.engine.types import FloatArray, IntArray
from gazeapp.ui import theme
from gazeapp.ui.neural.cortex_bar import CortexBar
from gazeapp.ui.neural.cortex_canvas import CortexCanvas
from gazeapp.ui.neural.cortex_maker import Made, Relay, Wanted, make
from gazeapp.ui.widgets import advice, capital, icon_button, label, wrapped

SCENES = (INFLATED, FLAT, *ANGLES)
LOOK, GROW, OUTLINE = "look", "grow", "outline"
"""What a click does: choose a region, grow a region of one's own, or set a corner around one."""

_SETTLE_MS = 120
_DIMS_MS = 150
"""What takes longer than this dims the old picture."""
_NAMES = {INFLATED: "Four angles", FLAT: "Flat"}
_GROW_MM = 10.0


class CortexView(QWidget):
    """Both hemispheres with a value for each vertex, the borders of regions, a colour bar and a line of what is there.

    The picture is the one of :func:`gazeapp.engine.neural.surface.picture.compose`, pixel for pixel.
    """

    picked = Signal(int, tuple)
    """Vertex that was clicked, and the ids of the regions seen there."""
    hovered = Signal(str)
    """What is under the cursor, in words; empty beside the cortex."""
    drawn = Signal(object)
    """Vertices of a region that was grown or drawn around, ascending, int64."""
    scene_chosen = Signal(str)
    """The user chose how the cortex is looked at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene_name = INFLATED
        self._shown = Shown(Colouring(0.0, 1.0))
        self._label = ""
        self._picture: NDArray[np.uint8] | None = None
        self._job: Wanted | None = None
        self._stale = False
        self._ready_for: tuple[object, ...] = ()
        self._mode = LOOK
        self._corners: list[QPointF] = []
        self._corner_tile: Tile | None = None
        self.canvas = CortexCanvas()
        self.bar = CortexBar()
        self.readout = label("", "muted")
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        self._dims = QTimer(self, singleShot=True, interval=_DIMS_MS)
        self._dims.timeout.connect(self._dim)
        self._make_controls()
        self._lay_out()
        self._connect()

    @property
    def scene(self) -> Scene | None:
        """What is seen at each pixel of the picture; None before the first one."""
        return self.canvas.scene

    @property
    def picture(self) -> NDArray[np.uint8] | None:
        """The picture that is shown, RGBA, shape (height, width, 4)."""
        return self._picture

    @property
    def shown(self) -> Shown:
        """What is shown."""
        return self._shown

    def set_values(
        self,
        values: FloatArray | None,
        limits: tuple[float, float] | None = None,
        label: str = "",
        symmetric: bool = False,
    ) -> None:
        """Show values.

        Parameters
        ----------
        values
            Of the vertices, shape (20,484,), NaN where there is none; None shows the folds alone.
        limits
            Values of the first and the last colour; found from the values where not given. Views that are to be
            compared need the same.
        label
            What the values are, with their unit, such as ``r``.
        symmetric
            Whether values are signed and 0 lies in the middle of the colours.
        """
        if values is not None and values.shape != (N_VERTICES,):
            raise ValueError(f"values of shape {values.shape} on {N_VERTICES} vertices")
        values = None if values is None else np.asarray(values, dtype=np.float32)
        low, high = limits or common_limits([] if values is None else [values], symmetric)
        threshold = self.threshold.value()
        self._label = label
        self._shown = replace(
            self._shown, values=values, colouring=Colouring(low, high, symmetric, threshold)
        )
        self._refresh_controls()
        self._refresh()

    def set_regions(self, regions: Sequence[Region]) -> None:
        """Show the borders of regions, and name them under the cursor."""
        if tuple(regions) != self._shown.regions.all:
            self._shown = replace(self._shown, regions=Regions(tuple(regions)))
            self._refresh_controls()
            self._refresh()

    def set_marked(self, ids: Iterable[str]) -> None:
        """Draw a strong line around the regions with these ids."""
        wanted = set(ids)
        self._mark(region for region in self._shown.regions.all if region.id in wanted)

    def set_scene(self, name: str) -> None:
        """Look at the cortex as ``inflated`` (four angles), ``flat``, or from one of the angles."""
        if name not in SCENES:
            raise ValueError(f"there is no scene {name!r}")
        if name != self._scene_name:
            self._scene_name = name
            with QSignalBlocker(self.scenes):
                self.scenes.setCurrentIndex(SCENES.index(name))
            self._drop_outline()
            if name != FLAT and self._mode == OUTLINE:
                self._set_mode(LOOK)
            self._ask()

    def link(self, other: CortexView) -> None:
        """Let this view and another one look from the same side and at the same part from now on."""
        for one, follower in ((self, other), (other, self)):
            one.canvas.region_changed.connect(follower.canvas.set_region)
            one.scene_chosen.connect(follower.set_scene)

    def allow_drawing(self, allowed: bool) -> None:
        """Offer the tools that grow a region around a vertex or draw around one; ``drawn`` follows."""
        for tool in (self.grower, self.outliner):
            tool.setVisible(allowed)
        if not allowed:
            self._set_mode(LOOK)

    def figure(
        self, title: str = "", size: tuple[int, int] = (1600, 900), simulated: bool = False
    ) -> CortexFigure:
        """Return what is shown as a figure; see :func:`gazeapp.engine.neural.surface.figure.cortex_figure`."""
        bar = self._label or "value" if self._shown.values is not None else ""
        return cortex_figure(self._shown, bar, title, self._scene_name, size, simulated)

    def showEvent(self, event: QShowEvent) -> None:
        """Have the picture made for the room there is."""
        super().showEvent(event)
        self._settle.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have the picture made anew when the size has settled; until then the old one is scaled."""
        super().resizeEvent(event)
        self._settle.start()

    def _make_controls(self) -> None:
        self.scenes = QComboBox()
        self.scenes.addItems([_NAMES.get(name, capital(name)) for name in SCENES])
        theme.set_role(self.scenes, "quiet")
        self.scenes.setAccessibleName("How the cortex is looked at")
        self.scenes.setToolTip("How the cortex is looked at; arrow keys change it, + and − zoom, 0 fits")
        self.threshold = QDoubleSpinBox()
        self.threshold.setDecimals(2)
        self.threshold.setSingleStep(0.01)
        self.threshold.setPrefix("hide below ")
        self.threshold.setAccessibleName("Hide values nearer to 0 than this")
        self.threshold.setToolTip("Where values are nearer to 0 than this the folds are shown")
        self.borders = icon_button("polygon", "Show the borders of regions")
        self.borders.setCheckable(True)
        self.borders.setChecked(True)
        self.grower = icon_button("brush", "Grow a region around the vertex that is clicked")
        self.outliner = icon_button("path", "Draw around a region on the flat cortex")
        self.outliner.setToolTip(
            wrapped(
                "Draw around a region on the flat cortex: click corners; a double click or Enter ends, Escape cancels"
            )
        )
        self.reach = QDoubleSpinBox()
        self.reach.setRange(0.0, 60.0)
        self.reach.setDecimals(0)
        self.reach.setValue(_GROW_MM)
        self.reach.setSuffix(" mm")
        self.reach.setAccessibleName("Reach of a region that is grown")
        self.reach.setToolTip(
            "How far along the white surface a region reaches from the vertex that is clicked"
        )
        for tool in (self.grower, self.outliner):
            tool.setCheckable(True)
            tool.hide()
        self.reach.hide()

    def _lay_out(self) -> None:
        self.readout.setMinimumWidth(5 * theme.STEP)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self.bar)
        strip = QHBoxLayout()
        strip.setContentsMargins(theme.STEP, 2, theme.STEP, 2)
        strip.setSpacing(theme.STEP)
        strip.addWidget(self.scenes)
        strip.addWidget(self.readout, 1)
        for part in (self.reach, self.grower, self.outliner, self.threshold, self.borders):
            strip.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(middle, 1)
        column.addLayout(strip)
        self._refresh_controls()

    def _connect(self) -> None:
        Relay.get().made.connect(self._arrived)
        self.canvas.pointed.connect(self._point)
        self.canvas.chosen.connect(self._choose)
        self.canvas.turned.connect(self._turn)
        self.canvas.finished.connect(self._finish_outline)
        self.canvas.cancelled.connect(self._drop_outline)
        self.scenes.activated.connect(self._choose_scene)
        self.threshold.valueChanged.connect(self._threshold_changed)
        self.borders.toggled.connect(self._borders_changed)
        self.grower.clicked.connect(self._toggle_grow)
        self.outliner.clicked.connect(self._toggle_outline)

    def _refresh_controls(self) -> None:
        """Show the controls that there is something for."""
        has_values = self._shown.values is not None
        self.bar.setVisible(has_values)
        self.bar.show_scale(self._shown.colouring, self._label)
        self.threshold.setVisible(has_values)
        colouring = self._shown.colouring
        with QSignalBlocker(self.threshold):
            self.threshold.setMaximum(max(abs(colouring.low), abs(colouring.high), self.threshold.value()))
        self.borders.setVisible(bool(self._shown.regions.all))

    def _refresh(self) -> None:
        """Colour the picture anew; at once where all that takes long is done."""
        scene = self.scene
        if scene is None or self._ready_for != self._key(scene, self._shown):
            self._ask()
            return
        self._picture = compose(scene, self._shown)
        self.canvas.show_picture(scene, self._picture)

    def _key(self, scene: Scene, shown: Shown) -> tuple[object, ...]:
        """Return what colouring needs to be ready for."""
        return scene, shown.regions, shown.marked

    @Slot()
    def _ask(self) -> None:
        """Have the picture made on another thread; one at a time."""
        if not self.isVisible():
            return
        if self._job is not None:
            self._stale = True
            return
        ratio = self.canvas.devicePixelRatioF()
        width, height = self.canvas.width() * ratio, self.canvas.height() * ratio
        self._job = Wanted(self._scene_name, width, height, self._shown)
        self._dims.start()
        make(self._job)

    @Slot(object)
    def _arrived(self, made: Made) -> None:
        """Show the picture that was made, and go on with what is wanted by now."""
        if made.wanted is not self._job:
            return
        self._job = None
        self._dims.stop()
        stale, self._stale = self._stale, False
        if made.error is not None:
            self.canvas.show_message(advice(made.error))
            return
        if stale and made.wanted.scene != self._scene_name:
            self._ask()
            return
        assert made.scene is not None
        assert made.picture is not None
        self._ready_for = self._key(made.scene, made.wanted.shown)
        self._picture = made.picture
        self.canvas.show_picture(made.scene, made.picture)
        if stale:
            self._ask()
        elif made.wanted.shown is not self._shown:
            self._refresh()

    @Slot()
    def _dim(self) -> None:
        self.canvas.set_dimmed(self.scene is not None)

    @Slot(object)
    def _point(self, spot: Spot | None) -> None:
        text = "" if spot is None else self._words(spot)
        if text != self.readout.text():
            self.readout.setText(text)
            self.canvas.setAccessibleDescription(text)
            self.hovered.emit(text)

    def _words(self, spot: Spot) -> str:
        """Return what is at a spot: regions, value, vertex."""
        names = ", ".join(region.id for region in self._regions(spot))
        parts = [names] if names else []
        if not names and self._shown.regions.all:
            parts.append("in no region")
        if self._shown.values is not None:
            value = float(self._shown.values[spot.vertex])
            number = f"{value:.3f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "no value"
            parts.append(f"{self._label or 'value'} = {number}" if np.isfinite(value) else number)
        return "  ·  ".join([*parts, f"vertex {spot.vertex:,}"])

    def _regions(self, spot: Spot) -> Sequence[Region]:
        scene = self.scene
        return regions_at(scene, self._shown.regions, spot.row) if scene and self._shown.regions.all else ()

    @Slot(object, object)
    def _choose(self, spot: Spot | None, place: QPointF) -> None:
        if self._mode == OUTLINE:
            self._add_corner(place)
        elif spot is None:
            return
        elif self._mode == GROW:
            self._offer(grow(spot.vertex, mm=self.reach.value()))
        else:
            self.picked.emit(spot.vertex, tuple(region.id for region in self._regions(spot)))

    def _add_corner(self, place: QPointF) -> None:
        scene = self.scene
        if scene is None:
            return
        tile = next((tile for tile in scene.tiles if tile.holds(place.x(), place.y())), None)
        if self._corner_tile is None:
            self._corner_tile = tile
        if tile is None or tile is not self._corner_tile:
            return
        self._corners.append(place)
        self.canvas.set_outline(tuple(self._corners))

    @Slot()
    def _finish_outline(self) -> None:
        scene, tile, corners = self.scene, self._corner_tile, self._corners
        if scene is None or tile is None or len(corners) < 3:
            return
        polygon = [scene.mesh_place(tile, corner.x(), corner.y()) for corner in corners]
        self._drop_outline()
        vertices = inside(polygon, tile.view.hemisphere)
        if len(vertices):
            self._offer(vertices)
        else:
            self.readout.setText("No vertex lies inside this outline.")

    @Slot()
    def _drop_outline(self) -> None:
        self._corners, self._corner_tile = [], None
        self.canvas.set_outline(())

    def _offer(self, vertices: IntArray) -> None:
        """Mark the vertices of a region of one's own, and say which they are."""
        self._mark([Region("drawn", BOTH, vertices)])
        self.readout.setText(f"{len(vertices):,} vertices")
        self.drawn.emit(vertices)

    def _mark(self, regions: Iterable[Region]) -> None:
        marked = tuple(regions)
        if marked != self._shown.marked.all:
            self._shown = replace(self._shown, marked=Regions(marked) if marked else NO_REGIONS)
            self._refresh()

    def _set_mode(self, mode: str) -> None:
        self._mode = mode
        self._drop_outline()
        self.grower.setChecked(mode == GROW)
        self.outliner.setChecked(mode == OUTLINE)
        self.reach.setVisible(mode == GROW)
        self.canvas.draws_outline = mode == OUTLINE
        self.canvas.setCursor(Qt.CursorShape.ArrowCursor if mode == LOOK else Qt.CursorShape.CrossCursor)
        if mode == OUTLINE:
            self._take_scene(FLAT)

    @Slot(bool)
    def _toggle_grow(self, on: bool) -> None:
        self._set_mode(GROW if on else LOOK)

    @Slot(bool)
    def _toggle_outline(self, on: bool) -> None:
        self._set_mode(OUTLINE if on else LOOK)

    @Slot(int)
    def _choose_scene(self, place: int) -> None:
        self._take_scene(SCENES[place])

    @Slot(int)
    def _turn(self, step: int) -> None:
        self._take_scene(SCENES[(SCENES.index(self._scene_name) + step) % len(SCENES)])

    def _take_scene(self, name: str) -> None:
        """Change the scene as the user's choice, which linked views follow."""
        if name != self._scene_name:
            self.set_scene(name)
            self.scene_chosen.emit(name)

    @Slot(float)
    def _threshold_changed(self, threshold: float) -> None:
        colouring = replace(self._shown.colouring, threshold=threshold)
        self._shown = replace(self._shown, colouring=colouring)
        self.bar.show_scale(colouring, self._label)
        self._refresh()

    @Slot(bool)
    def _borders_changed(self, outlined: bool) -> None:
        self._shown = replace(self._shown, outlined=outlined)
        self._refresh()
