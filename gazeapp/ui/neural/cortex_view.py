"""The cortex with values and regions on it: looked at, pointed at, clicked, and drawn on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gazeapp.engine.neural.records import BOTH, N_VERTICES, Region
from gazeapp.engine.neural.surface.colouring import Colouring, common_limits
from gazeapp.engine.neural.surface.figure import CortexFigure, cortex_figure
from gazeapp.engine.neural.surface.mesh import FLAT, INFLATED
from gazeapp.engine.neural.surface.picture import (
    LINE_PX,
    NO_REGIONS,
    Regions,
    Shown,
    compose,
    regions_at,
    same_regions,
    vertex_at,
)
from gazeapp.engine.neural.surface.scene import Scene, Spot
from gazeapp.engine.types import FloatArray, IntArray
from gazeapp.ui.neural.cortex_bar import CortexBar
from gazeapp.ui.neural.cortex_canvas import CortexCanvas
from gazeapp.ui.neural.cortex_drawing import LOOK, OUTLINE, OwnRegion
from gazeapp.ui.neural.cortex_maker import Made, Relay, Wanted, make
from gazeapp.ui.neural.cortex_solid import SolidCortex, why_not_solid
from gazeapp.ui.neural.cortex_strip import SCENES, CortexStrip
from gazeapp.ui.widgets import advice

_SETTLE_MS = 120
_DIMS_MS = 150
"""What takes longer than this dims the old picture."""


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
    threshold_chosen = Signal(float)
    """The user chose below which size values are hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene_name = INFLATED
        self._shown = Shown(Colouring(0.0, 1.0))
        self._label = ""
        self._picture: NDArray[np.uint8] | None = None
        self._job: Wanted | None = None
        self._spot: Spot | None = None
        self._stale = False
        self._ready_for: tuple[object, ...] = ()
        self.canvas = CortexCanvas()
        self.bar = CortexBar()
        self.strip = CortexStrip()
        self.own = OwnRegion(self.canvas, self.strip, self)
        self._solid: SolidCortex | None = None
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        self._dims = QTimer(self, singleShot=True, interval=_DIMS_MS)
        self._dims.timeout.connect(self._dim)
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
        threshold = self.strip.threshold.value()
        self._label = label
        self._shown = replace(
            self._shown, values=values, colouring=Colouring(low, high, symmetric, threshold)
        )
        self._refresh_controls()
        self._refresh()

    def set_regions(self, regions: Sequence[Region]) -> None:
        """Show the borders of regions, and name them under the cursor."""
        if not same_regions(regions, self._shown.regions.all):
            self._shown = replace(self._shown, regions=Regions(tuple(regions)))
            self._refresh_controls()
            self._refresh()

    def set_marked(self, ids: Iterable[str]) -> None:
        """Draw a strong line around the regions with these ids."""
        wanted = set(ids)
        self._mark(region for region in self._shown.regions.all if region.id in wanted)

    def set_drawn(self, vertices: IntArray) -> None:
        """Draw a strong line around a region of one's own, and around nothing else."""
        self._mark([Region("drawn", BOTH, vertices)])

    @Slot(float)
    def set_threshold(self, threshold: float) -> None:
        """Hide values that are nearer to 0 than this."""
        colouring = replace(self._shown.colouring, threshold=threshold)
        self._shown = replace(self._shown, colouring=colouring)
        self.strip.show_threshold(colouring)
        self.bar.show_scale(colouring, self._label)
        self._refresh()

    def set_scene(self, name: str) -> None:
        """Look at the cortex as ``inflated`` (four angles), ``flat``, or from one of the angles."""
        if name not in SCENES:
            raise ValueError(f"there is no scene {name!r}")
        if name != self._scene_name:
            self._scene_name = name
            self.strip.show_scene(name)
            self.own.drop_outline()
            if name != FLAT and self.own.mode == OUTLINE:
                self.own.set_mode(LOOK)
            self._ask()

    def link(self, other: CortexView) -> None:
        """Let this view and another one show the same side and part, and hide the same values, from now on."""
        for one, follower in ((self, other), (other, self)):
            one.canvas.region_changed.connect(follower.canvas.set_region)
            one.scene_chosen.connect(follower.set_scene)
            one.threshold_chosen.connect(follower.set_threshold)

    def allow_drawing(self, allowed: bool) -> None:
        """Offer the tools that grow a region around a vertex or draw around one; ``drawn`` follows."""
        for tool in (self.strip.grower, self.strip.outliner):
            tool.setVisible(allowed)
        if not allowed:
            self.own.set_mode(LOOK)

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

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self.canvas)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._pages, 1)
        middle.addWidget(self.bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(middle, 1)
        column.addWidget(self.strip)
        self._refresh_controls()

    def _connect(self) -> None:
        Relay.get().made.connect(self._arrived)
        self.canvas.pointed.connect(self._point)
        self.canvas.chosen.connect(self._choose)
        self.canvas.turned.connect(self._turn)
        self.own.drawn.connect(self._offer)
        self.own.needs_flat.connect(self._take_flat)
        self.strip.scenes.activated.connect(self._choose_scene)
        self.strip.threshold.valueChanged.connect(self._threshold_changed)
        self.strip.borders.toggled.connect(self._borders_changed)
        self.strip.solid.clicked.connect(self._show_solid)

    def _refresh_controls(self) -> None:
        """Show the controls that there is something for."""
        has_values = self._shown.values is not None
        self.bar.setVisible(has_values)
        self.bar.show_scale(self._shown.colouring, self._label)
        self.strip.show_range(self._shown.colouring, has_values)
        self.strip.borders.setVisible(bool(self._shown.regions.all))

    def _refresh(self) -> None:
        """Colour the picture anew; at once where all that takes long is done."""
        if self._solid is not None and self.strip.solid.isChecked():
            self._solid.show_values(self._shown)
        scene = self.scene
        if scene is None or self._ready_for != self._key(scene, self._shown):
            self._ask()
            return
        self._picture = compose(scene, self._shown)
        self.canvas.show_picture(scene, self._picture)
        self._point(self._spot)

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
        if self._shown.line_px != LINE_PX * ratio:
            self._shown = replace(self._shown, line_px=LINE_PX * ratio)
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
        self._picture, self._spot = made.picture, None
        self.canvas.show_picture(made.scene, made.picture)
        self.own.show_outline()
        if stale:
            self._ask()
        elif made.wanted.shown is not self._shown:
            self._refresh()

    @Slot()
    def _dim(self) -> None:
        self.canvas.set_dimmed(self.scene is not None)

    @Slot(object)
    def _point(self, spot: Spot | None) -> None:
        self._spot = spot
        text = "" if spot is None else self._words(spot)
        if text != self.strip.readout.text():
            self.strip.readout.setText(text)
            self.canvas.setAccessibleDescription(text)
            self.hovered.emit(text)

    def _words(self, spot: Spot) -> str:
        """Return what is at a spot: regions, value, vertex."""
        vertex = self._vertex(spot)
        names = ", ".join(region.id for region in self._regions(spot))
        parts = [names] if names else []
        if not names and self._shown.regions.all:
            parts.append("in no region")
        if self._shown.values is not None:
            value = float(self._shown.values[vertex])
            number = f"{value:.3f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "no value"
            parts.append(f"{self._label or 'value'} = {number}" if np.isfinite(value) else number)
        return "  ·  ".join([*parts, f"vertex {vertex:,}"])

    def _vertex(self, spot: Spot) -> int:
        """Return the vertex that is meant by a spot: one of the regions seen there."""
        scene, regions = self.scene, self._shown.regions
        return vertex_at(scene, regions, spot.row) if scene and regions.all else spot.vertex

    def _regions(self, spot: Spot) -> Sequence[Region]:
        scene = self.scene
        return regions_at(scene, self._shown.regions, spot.row) if scene and self._shown.regions.all else ()

    @Slot(object, object)
    def _choose(self, spot: Spot | None, place: QPointF) -> None:
        if self.own.mode != LOOK:
            self.own.click(None if spot is None else replace(spot, vertex=self._vertex(spot)), place)
        elif spot is not None:
            self.picked.emit(self._vertex(spot), tuple(region.id for region in self._regions(spot)))

    @Slot(object)
    def _offer(self, vertices: IntArray) -> None:
        """Mark the vertices of a region of one's own, and say which they are."""
        self.set_drawn(vertices)
        self.strip.readout.setText(f"{len(vertices):,} vertices")
        self.drawn.emit(vertices)

    def _mark(self, regions: Iterable[Region]) -> None:
        marked = tuple(regions)
        if not same_regions(marked, self._shown.marked.all):
            self._shown = replace(self._shown, marked=Regions(marked) if marked else NO_REGIONS)
            self._refresh()

    @Slot()
    def _take_flat(self) -> None:
        self._take_scene(FLAT)

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
        self.set_threshold(threshold)
        self.threshold_chosen.emit(threshold)

    @Slot(bool)
    def _borders_changed(self, outlined: bool) -> None:
        self._shown = replace(self._shown, outlined=outlined)
        self._refresh()

    @Slot(bool)
    def _show_solid(self, on: bool) -> None:
        """Show the solid body in place of the picture, or say why that cannot be."""
        if on and self._solid is None:
            if reason := why_not_solid():
                self.strip.disable_solid(reason)
                self.strip.readout.setText(reason)
                return
            self._solid = SolidCortex()
            self._pages.addWidget(self._solid.widget)
        self._pages.setCurrentIndex(1 if on else 0)
        for part in (self.strip.scenes, self.strip.borders, self.strip.grower, self.strip.outliner):
            part.setEnabled(not on)
        self._refresh()
