"""Layers by heads: a small map, or a share of attention, for each; drawn as one picture."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from gazeapp.engine.reports.numbers import number
from gazeapp.engine.types import FloatArray, Rect
from gazeapp.ui.canvas.heat import UNIT
from gazeapp.ui.colours import CANVAS, density_table, opaque, paint_table
from gazeapp.ui.panels.words_grid import GAP, Cell, CellGrid, CellSizes, number_grid
from gazeapp.ui.panels.words_reading import MEAN_OF_HEADS, CellMaps, cell_method, cell_name
from gazeapp.ui.scene import Picture
from gazeapp.ui.theme import colors, small_font, tabular
from gazeapp.ui.widgets import plain

MAPS, MASS = "Maps", "Mass"
"""What the cells show."""

_Box = tuple[Cell, QRectF]

_NUMBER_FROM = 60
_BAR = 3
_PLATE, _ON_PLATE = QColor(0, 0, 0, 140), QColor(255, 255, 255)
_DIM = 0.5
_WAITING = 0.4


class HeadGallery(QAbstractScrollArea):
    """Rows are layers by the model's own numbers, columns their mean and their heads.

    Names of rows and columns stay in sight while the cells scroll. Only cells in sight are drawn, each from one
    picture that holds all maps.
    """

    chosen = Signal(object)
    """A :data:`~gazeapp.ui.panels.words_grid.Cell` was clicked or stepped to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: tuple[int, ...] = ()
        self._mass: FloatArray | None = None
        self._mass_top = 1.0
        self._maps: CellMaps | None = None
        self._place = (0.0, 0.0, 1.0, 1.0)
        self._sizes = CellSizes(4 / 3)
        self._grid = CellGrid()
        self._picture: Picture | None = None
        self._what = MASS
        self._shared = True
        self._over = True
        self._colormap = "viridis"
        self._cell: Cell | None = None
        self._waiting = False
        self._drawn: QImage | None = None
        self._ground: QImage | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Attention by layer and head")
        self.setMinimumSize(160, 96)

    @property
    def cell(self) -> Cell | None:
        """The chosen cell."""
        return self._cell

    @property
    def grid(self) -> CellGrid:
        """Where the cells lie before they are scrolled."""
        return self._grid

    def show_word(
        self, layers: tuple[int, ...], mass: FloatArray, mass_top: float, maps: CellMaps | None
    ) -> None:
        """Show a word.

        Parameters
        ----------
        layers
            The model's own numbers of the layers.
        mass
            Share of attention on the image, shape (n_layers, 1 + n_heads), the mean over heads first.
        mass_top
            Share at which its colours end.
        maps
            Maps of the same cells; None where they were not kept or are still being read.
        """
        self._layers, self._mass, self._maps = layers, mass, maps
        self._mass_top = max(mass_top, 1e-3)
        self._drawn = None
        self._measure()

    def set_image(self, picture: Picture | None, width: int, height: int, rect: Rect) -> None:
        """Say on which image of ``width`` x ``height`` px maps lie, and which part ``rect`` of it they cover."""
        place = (rect.x / width, rect.y / height, rect.width / width, rect.height / height)
        if (picture, place) != (self._picture, self._place):
            self._picture, self._place = picture, place
            self._sizes = CellSizes(width / height, self._sizes.side)
            self._measure()

    def set_look(self, what: str, *, shared: bool, over: bool, colormap: str) -> None:
        """Say how cells are drawn.

        Parameters
        ----------
        what
            ``MAPS`` or ``MASS``.
        shared
            Whether all maps share one scale; else each has its own.
        over
            Whether maps lie over the dimmed picture; else they stand alone.
        colormap
            Name of the colour map.
        """
        self._what, self._shared, self._over, self._colormap = what, shared, over, colormap
        self._drawn = self._ground = None
        self._measure()

    def set_cell(self, cell: Cell | None) -> None:
        """Mark a cell and bring it into sight."""
        self._cell = cell
        if cell is not None and cell in self._grid:
            box, area = self.cell_rect(cell), self._area()
            for bar, before, behind in (
                (self.horizontalScrollBar(), box.left() - area.left(), box.right() - area.right()),
                (self.verticalScrollBar(), box.top() - area.top(), box.bottom() - area.bottom()),
            ):
                bar.setValue(round(bar.value() + min(before, 0) + max(behind, 0)))
            self.setAccessibleDescription(self.cell_tip(cell))
        self.viewport().update()

    def set_waiting(self, waiting: bool) -> None:
        """Dim the cells while those of another word are being read."""
        if waiting != self._waiting:
            self._waiting = waiting
            self.viewport().update()

    def zoom(self, steps: int) -> None:
        """Make the small maps larger or smaller."""
        self._sizes = self._sizes.stepped(self._grid, steps)
        self._measure()

    def cell_rect(self, cell: Cell) -> QRectF:
        """Return where a cell is drawn, viewport px."""
        return self._grid.rect(cell).translated(-self._scrolled())

    def cell_tip(self, cell: Cell) -> str:
        """Return what the tooltip of a cell says."""
        row, column = cell
        if self._mass is None:
            return ""
        layer = self._layers[row]
        name = cell_name(layer, column)
        share = number(100 * float(self._mass[row, column]), 1)
        lines = [f"{name[:1].upper()}{name[1:]}: {share} % of its attention fell on the image."]
        if self._maps is not None and column < self._maps.tops.shape[1]:
            top = number(float(self._maps.tops[row, column]), 1)
            lines.append(f"Its map reaches {top} {UNIT} (99.5 % of it lies below).")
        lines.append(f"Map method: {cell_method(layer, column)}")
        return "\n".join(lines)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the cells in sight and the names of rows and columns."""
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), self.palette().color(QPalette.ColorRole.Base))
        if self._mass is None:
            return
        painter.setFont(self._font())
        painter.save()
        painter.setClipRect(self._area().adjusted(-2, -2, 0, 0))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(_WAITING if self._waiting else 1.0)
        painter.translate(-self._scrolled())
        cells = self._grid.within(self._area().translated(self._scrolled()))
        boxes = [(cell, self._grid.rect(cell)) for cell in cells]
        if self._what == MAPS and self._maps is not None:
            self._draw_maps(painter, boxes, self._maps)
            self._draw_shares(painter, boxes)
        else:
            self._draw_mass(painter, boxes)
        self._mark(painter)
        painter.restore()
        if not self._grid.per_line:
            self._draw_names(painter)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Fit the small maps to the width, unless the user has chosen their size."""
        self._measure()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the cell under the cursor."""
        cell = self._cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self.chosen.emit(cell)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl, make the small maps larger or smaller."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self.zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move among the cells and change their size."""
        key = Qt.Key(event.key())
        cell = self._grid.stepped(self._cell, key)
        if cell is not None:
            self.chosen.emit(cell)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(-1 if key == Qt.Key.Key_Minus else 1)
        else:
            event.ignore()

    def viewportEvent(self, event: QEvent) -> bool:
        """Show exact values as tooltips."""
        if isinstance(event, QHelpEvent):
            cell = self._cell_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain("" if cell is None else self.cell_tip(cell)), self)
            return True
        return super().viewportEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Measure anew when the font changes."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._measure()

    def scrollContentsBy(self, _across: int, _down: int) -> None:
        """Draw anew: names stay where they are while cells move."""
        self.viewport().update()

    def _draw_maps(self, painter: QPainter, boxes: list[_Box], maps: CellMaps) -> None:
        if self._ground is None:
            self._ground = self._make_ground()
        if self._drawn is None:
            self._drawn = self._make_maps(maps)
        rows, columns = maps.density.shape[2:]
        across, down, wide, high = self._place
        across, wide = across * self._grid.wide, wide * self._grid.wide
        down, high = down * self._grid.high, high * self._grid.high
        for (row, column), box in boxes:
            x, y = box.x(), box.y()
            painter.drawImage(QPointF(x, y), self._ground)
            source = QRectF(column * columns, row * rows, columns, rows)
            painter.drawImage(QRectF(x + across, y + down, wide, high), self._drawn, source)

    def _draw_shares(self, painter: QPainter, boxes: list[_Box]) -> None:
        """Draw how much attention fell on the image: a bar along the lower edge, with a number where there is room."""
        wide, foot = self._grid.wide, self._grid.high - _BAR
        whole = [QRectF(box.x(), box.y() + foot, wide, _BAR) for _cell, box in boxes]
        parts = [QRectF(box.x(), box.y() + foot, wide * self._share(cell), _BAR) for cell, box in boxes]
        painter.setPen(Qt.PenStyle.NoPen)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        for bars, colour in ((whole, _PLATE), (parts, accent)):
            painter.setBrush(colour)
            painter.drawRects(bars)
        if wide < _NUMBER_FROM:
            return
        for cell, box in boxes:
            number_at = QPointF(box.x(), box.y() + foot)
            self._draw_plate(painter, f"{100 * self._share(cell):.0f} %", number_at, above=True)
            if self._grid.per_line:
                self._draw_plate(painter, f"L{self._layers[cell[0]]}", box.topLeft(), above=False)

    def _draw_plate(self, painter: QPainter, text: str, corner: QPointF, *, above: bool) -> None:
        metrics = painter.fontMetrics()
        plate = QRectF(corner.x(), corner.y(), metrics.horizontalAdvance(text) + 6, metrics.height())
        if above:
            plate.moveBottom(corner.y())
        painter.fillRect(plate, _PLATE)
        painter.setPen(_ON_PLATE)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_mass(self, painter: QPainter, boxes: list[_Box]) -> None:
        table = density_table(self._colormap)
        for cell, box in boxes:
            share = self._share(cell)
            red, green, blue = table[round(255 * min(share / self._mass_top, 1.0)), :3].tolist()
            painter.fillRect(box, QColor(red, green, blue))
            light = 0.3 * red + 0.59 * green + 0.11 * blue
            painter.setPen(QColor(0, 0, 0) if light > 140 else _ON_PLATE)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{100 * share:.0f}")

    def _draw_names(self, painter: QPainter) -> None:
        left, top = self._grid.left, self._grid.top
        size = self.viewport().size()
        base = self.palette().color(QPalette.ColorRole.Base)
        painter.fillRect(QRectF(0, 0, size.width(), top - 2), base)
        painter.fillRect(QRectF(0, 0, left - 2, size.height()), base)
        strong, quiet = self.palette().color(QPalette.ColorRole.Text), QColor(colors().muted)
        chosen = self._cell or (-1, -1)
        painter.setClipRect(QRectF(left - 2, 0, size.width(), top))
        for column in range(self._grid.columns):
            box = self.cell_rect((0, column))
            painter.setPen(strong if column == chosen[1] else quiet)
            place = QRectF(box.left() - GAP, 0, box.width() + 2 * GAP, top - 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._column_name(column))
        painter.setClipRect(QRectF(0, top - 2, left, size.height()))
        for row in range(self._grid.rows):
            box = self.cell_rect((row, 0))
            painter.setPen(strong if row == chosen[0] else quiet)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, box.top(), left - 6, box.height()), flags, f"L{self._layers[row]}")
        painter.setClipping(False)

    def _mark(self, painter: QPainter) -> None:
        if self._cell is None or self._cell not in self._grid:
            return
        colour = self.palette().color(QPalette.ColorRole.Highlight)
        painter.setPen(QPen(colour, 2.0 if self.hasFocus() else 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self._grid.rect(self._cell).adjusted(-1.5, -1.5, 1.5, 1.5))

    def _make_ground(self) -> QImage:
        """Return what lies under each map: the dimmed picture, or the canvas alone."""
        ratio = self.devicePixelRatioF()
        size = (max(round(self._grid.wide * ratio), 1), max(round(self._grid.high * ratio), 1))
        ground = QImage(*size, QImage.Format.Format_RGB32)
        ground.fill(CANVAS)
        if self._over and self._picture is not None:
            painter = QPainter(ground)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(_DIM)
            level = self._picture.level_for(size[0] / self._picture.width)
            painter.drawImage(QRectF(0, 0, *size), level)
            painter.end()
        ground.setDevicePixelRatio(ratio)
        return ground

    def _make_maps(self, maps: CellMaps) -> QImage:
        """Return all maps side by side at their own resolution, coloured."""
        places = maps.shared if self._shared else maps.own
        layers, cells, rows, columns = places.shape
        table = density_table(self._colormap)
        sheet = np.ascontiguousarray(places.transpose(0, 2, 1, 3)).reshape(layers * rows, cells * columns)
        return paint_table(sheet, table if self._over else opaque(table))

    def _cell_at(self, position: QPointF) -> Cell | None:
        return self._grid.cell_at(position + self._scrolled()) if self._area().contains(position) else None

    def _share(self, cell: Cell) -> float:
        return 0.0 if self._mass is None else min(max(float(self._mass[cell]), 0.0), 1.0)

    def _area(self) -> QRectF:
        """Return the part of the viewport where cells are seen."""
        return QRectF(self.viewport().rect()).adjusted(self._grid.left, self._grid.top, 0, 0)

    def _scrolled(self) -> QPointF:
        return QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _column_name(self, column: int) -> str:
        return "mean" if column == MEAN_OF_HEADS else f"H{column - 1}"

    def _measure(self) -> None:
        """Place the cells, and bring the scroll bars up to them."""
        self._ground = None
        self._grid = self._new_grid()
        area = self._area()
        for bar, whole, seen, step in (
            (self.horizontalScrollBar(), self._grid.width, area.width(), self._grid.wide + GAP),
            (self.verticalScrollBar(), self._grid.height, area.height(), self._grid.high + GAP),
        ):
            bar.setRange(0, max(round(whole - seen), 0))
            bar.setPageStep(max(round(seen), 1))
            bar.setSingleStep(round(step))
        self.viewport().update()

    def _new_grid(self) -> CellGrid:
        if self._mass is None:
            return CellGrid()
        metrics = QFontMetricsF(self._font())
        widest = max(metrics.horizontalAdvance(f"L{layer}") for layer in self._layers)
        names = (widest + 12, metrics.height() + 6)
        # Room for the scroll bar is always kept: else its coming and going would change the size of the cells.
        room = self.width() - self.verticalScrollBar().sizeHint().width()
        if self._what == MAPS and self._maps is not None:
            return self._sizes.grid(*self._maps.density.shape[:2], names, room)
        return number_grid(*self._mass.shape, names, room)

    def _font(self) -> QFont:
        return tabular(small_font(self.font()))
