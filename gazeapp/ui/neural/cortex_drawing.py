"""Regions of one's own: grown around the vertex that is clicked, or drawn around on the flat cortex."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Qt, Signal, Slot

from gazeapp.engine.neural.surface.mesh import FLAT
from gazeapp.engine.neural.surface.scene import Spot
from gazeapp.engine.neural.surface.views import View
from gazeapp.ui.neural.cortex_canvas import CortexCanvas
from gazeapp.ui.neural.cortex_strip import CortexStrip

LOOK, GROW, OUTLINE = "look", "grow", "outline"
"""What a click does: choose a region, grow a region of one's own, or set a corner around one."""


class OwnRegion(QObject):
    """Turns clicks on the canvas into the vertices of a region, in the mode that the strip's buttons choose."""

    drawn = Signal(object)
    """Vertices, ascending, int64."""
    needs_flat = Signal()
    """An outline is to be drawn, which takes the flat cortex."""

    def __init__(self, canvas: CortexCanvas, strip: CortexStrip, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._strip = canvas, strip
        self._corners: list[tuple[float, float]] = []
        self._on: View | None = None
        self.mode = LOOK
        canvas.finished.connect(self._finish)
        canvas.cancelled.connect(self.drop_outline)
        strip.grower.clicked.connect(self._toggle_grow)
        strip.outliner.clicked.connect(self._toggle_outline)

    def set_mode(self, mode: str) -> None:
        """Let clicks do something else."""
        self.mode = mode
        self.drop_outline()
        self._strip.grower.setChecked(mode == GROW)
        self._strip.outliner.setChecked(mode == OUTLINE)
        self._strip.reach.setVisible(mode == GROW)
        self._canvas.draws_outline = mode == OUTLINE
        look = Qt.CursorShape.ArrowCursor if mode == LOOK else Qt.CursorShape.CrossCursor
        self._canvas.setCursor(look)
        if mode == OUTLINE:
            self.needs_flat.emit()

    def click(self, spot: Spot | None, place: QPointF) -> None:
        """Take a click at a spot, at ``place`` of the picture, px."""
        if self.mode == OUTLINE:
            self._add_corner(place)
        elif spot is not None:
            from gazeapp.engine.neural.regions.picking import (
                grow,
            )  # imports scipy, for which no start should wait

            self.drawn.emit(grow(spot.vertex, mm=self._strip.reach.value()))

    @Slot()
    def drop_outline(self) -> None:
        """Forget the corners that were set."""
        self._corners, self._on = [], None
        self._canvas.set_outline(())

    def show_outline(self) -> None:
        """Show the corners where they lie in the picture of now: they are places of the mesh, mm."""
        scene = self._canvas.scene
        tile = next((one for one in scene.tiles if one.view == self._on), None) if scene is not None else None
        if scene is not None and tile is not None:
            places = [QPointF(*scene.picture_place(tile, *corner)) for corner in self._corners]
            self._canvas.set_outline(tuple(places))

    def _add_corner(self, place: QPointF) -> None:
        scene = self._canvas.scene
        if scene is None:
            return
        tile = next((tile for tile in scene.tiles if tile.holds(place.x(), place.y())), None)
        if tile is None or tile.view.surface != FLAT:
            return  # beside the cortex, or the flat one is still being drawn
        self._on = self._on or tile.view
        # An outline stays on the hemisphere on which it was begun.
        if tile.view == self._on:
            self._corners.append(scene.mesh_place(tile, place.x(), place.y()))
            self.show_outline()

    @Slot()
    def _finish(self) -> None:
        corners, on = self._corners, self._on
        if on is None or len(corners) < 3:
            return
        from gazeapp.engine.neural.regions.picking import inside

        self.drop_outline()
        vertices = inside(corners, on.hemisphere)
        if len(vertices):
            self.drawn.emit(vertices)
        else:
            self._strip.readout.setText("No vertex lies inside this outline.")

    @Slot(bool)
    def _toggle_grow(self, on: bool) -> None:
        self.set_mode(GROW if on else LOOK)

    @Slot(bool)
    def _toggle_outline(self, on: bool) -> None:
        self.set_mode(OUTLINE if on else LOOK)
