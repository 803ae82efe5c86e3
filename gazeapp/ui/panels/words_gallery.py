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
from gazeapp.ui.panels.words_reading import MEAN_OF_HEADS, CellMaps, cell_method, cell_name
from gazeapp.ui.scene import Picture
from gazeapp.ui.theme import colors, small_font, tabular
from gazeapp.ui.widgets import plain

MAPS, MASS = "Maps", "Mass"
"""What the cells show."""

Cell = tuple[int, int]
"""Row (a layer's place among those that carry attention) and column (0 the mean over heads)."""

_GAP = 4
_AFTER_MEAN = 8
_SIDES = (32, 40, 48, 64, 80, 112, 160, 224)
"""Longest side of a small map, px, by steps of zoom."""
_FIRST_SIDE, _LARGEST_FIT, _WRAPPED_SIDE = 40, 112, 80.0
_NUMBER_FROM = 60
_MASS_CELL = (28, 48, 20)
_BAR = 3
_DIM = 0.5
_WAITING = 0.4


class HeadGallery(QAbstractScrollArea):
    """Rows are layers by the model's own numbers, columns their mean and their heads.

    Names of rows and columns stay in sight while the cells scroll. Only cells in sight are drawn, each from one
    picture that holds all maps.
    """

    chosen = Signal(object)
    """A :data:`Cell` was clicked or stepped to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: tuple[int, ...] = ()
        self._mass: FloatArray | None = None
        self._mass_top = 1.0
        self._maps: CellMaps | None = None
        self._place = (0.0, 0.0, 1.0, 1.0)
        self._aspect = 4 / 3
        self._picture: Picture | None = None
        self._what = MASS
        self._shared = True
        self._over = True
        self._colormap = "viridis"
        self._side: int | None = None
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
    def columns(self) -> int:
        """How many columns there are: the mean and the heads, or the mean alone where heads were not kept."""
        if self._what == MAPS and self._maps is not None:
            return self._maps.density.shape[1]
        return 0 if self._mass is None else self._mass.shape[1]

    @property
    def rows(self) -> int:
        """How many layers there are."""
        return len(self._layers)

    @property
    def wrapped(self) -> bool:
        """Whether there is one map a layer, so that layers follow each other along lines."""
        return self._what == MAPS and self._maps is not None and self._maps.density.shape[1] == 1

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
            self._picture, self._place, self._aspect = picture, place, width / height
            self._ground = None
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
        if cell is not None and cell[1] < self.columns and cell[0] < self.rows:
            box = self.cell_rect(cell)
            area = self._cells_area()
            bars = (self.horizontalScrollBar(), self.verticalScrollBar())
            spans = ((box.left(), box.right(), area.left(), area.right()),)
            spans += ((box.top(), box.bottom(), area.top(), area.bottom()),)
            for bar, (low, high, start, end) in zip(bars, spans, strict=True):
                bar.setValue(round(bar.value() + min(low - start, 0) + max(high - end, 0)))
            self.setAccessibleDescription(self.cell_tip(cell))
        self.viewport().update()

    def set_waiting(self, waiting: bool) -> None:
        """Dim the cells while those of another word are being read."""
        if waiting != self._waiting:
            self._waiting = waiting
            self.viewport().update()

    def zoom(self, steps: int) -> None:
        """Make the small maps larger or smaller."""
        side = self._side_in_use()
        place = min(range(len(_SIDES)), key=lambda k: abs(_SIDES[k] - side))
        self._side = _SIDES[min(max(place + steps, 0), len(_SIDES) - 1)]
        self._ground = None
        self._measure()

    def cell_rect(self, cell: Cell) -> QRectF:
        """Return where a cell is drawn, viewport px."""
        wide, high = self._cell_size()
        left, top = self._margins()
        row, column = cell
        if self.wrapped:
            row, column = divmod(row, self._per_line())
            x = left + column * (wide + _GAP)
            y = top + row * (high + _GAP) - self.verticalScrollBar().value()
            return QRectF(x, y, wide, high)
        x = left + column * (wide + _GAP) + (_AFTER_MEAN if column > MEAN_OF_HEADS else 0)
        y = top + row * (high + _GAP)
        return QRectF(
            x - self.horizontalScrollBar().value(), y - self.verticalScrollBar().value(), wide, high
        )

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
        if self._mass is None or not self.rows:
            return
        painter.setFont(self._font())
        painter.save()
        painter.setClipRect(self._cells_area().adjusted(-2, -2, 0, 0))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(_WAITING if self._waiting else 1.0)
        draw = self._draw_map if self._what == MAPS and self._maps is not None else self._draw_mass
        for cell in self._in_sight():
            draw(painter, cell, self.cell_rect(cell))
        self._mark(painter)
        painter.restore()
        if not self.wrapped:
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
        keys = Qt.Key
        key = Qt.Key(event.key())
        moves = {keys.Key_Left: (0, -1), keys.Key_Right: (0, 1), keys.Key_Up: (-1, 0), keys.Key_Down: (1, 0)}
        if key in (keys.Key_Plus, keys.Key_Equal, keys.Key_Minus):
            self.zoom(-1 if key == keys.Key_Minus else 1)
        elif (key in moves or key in (keys.Key_Home, keys.Key_End)) and self.rows and self.columns:
            self.chosen.emit(self._moved(key, moves.get(key)))
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

    def _moved(self, key: Qt.Key, move: Cell | None) -> Cell:
        if self._cell is None:
            return (0, 0)
        row, column = self._cell
        if self.wrapped:
            place = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: self.rows - 1}.get(key, row)
            place += 0 if move is None else move[0] * self._per_line() + move[1]
            return (min(max(place, 0), self.rows - 1), 0)
        if move is None:
            return (row, 0 if key == Qt.Key.Key_Home else self.columns - 1)
        row = min(max(row + move[0], 0), self.rows - 1)
        return (row, min(max(column + move[1], 0), self.columns - 1))

    def _draw_map(self, painter: QPainter, cell: Cell, box: QRectF) -> None:
        if self._maps is None:
            return
        if self._ground is None:
            self._ground = self._make_ground(box)
        if self._drawn is None:
            self._drawn = self._make_maps(self._maps)
        rows, columns = self._maps.density.shape[2:]
        across, down, wide, high = self._place
        target = QRectF(
            box.left() + across * box.width(),
            box.top() + down * box.height(),
            wide * box.width(),
            high * box.height(),
        )
        painter.drawImage(box.topLeft(), self._ground)
        painter.drawImage(target, self._drawn, QRectF(cell[1] * columns, cell[0] * rows, columns, rows))
        self._draw_share(painter, cell, box)

    def _draw_share(self, painter: QPainter, cell: Cell, box: QRectF) -> None:
        """Draw how much attention fell on the image: a bar along the lower edge, with a number where there is room."""
        share = self._share(cell)
        foot = QRectF(box.left(), box.bottom() - _BAR, box.width(), _BAR)
        painter.fillRect(foot, QColor(0, 0, 0, 150))
        painter.fillRect(QRectF(foot.left(), foot.top(), foot.width() * share, _BAR), QColor(255, 255, 255))
        if box.width() >= _NUMBER_FROM:
            self._draw_plate(painter, f"{100 * share:.0f} %", foot.topLeft(), above=True)
        if self.wrapped:
            self._draw_plate(painter, f"L{self._layers[cell[0]]}", box.topLeft(), above=False)

    def _draw_plate(self, painter: QPainter, text: str, corner: QPointF, *, above: bool) -> None:
        metrics = QFontMetricsF(self._font())
        plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 6, metrics.height())
        if above:
            plate.moveBottomLeft(corner)
        else:
            plate.moveTopLeft(corner)
        painter.fillRect(plate, QColor(0, 0, 0, 120))
        painter.setPen(QColor(255, 255, 255))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_mass(self, painter: QPainter, cell: Cell, box: QRectF) -> None:
        share = self._share(cell)
        place = round(255 * min(share / self._mass_top, 1.0))
        red, green, blue = (int(c) for c in density_table(self._colormap)[place, :3])
        painter.fillRect(box, QColor(red, green, blue))
        light = 0.3 * red + 0.59 * green + 0.11 * blue
        painter.setPen(QColor(0, 0, 0) if light > 140 else QColor(255, 255, 255))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{100 * share:.0f}")

    def _draw_names(self, painter: QPainter) -> None:
        left, top = self._margins()
        size = self.viewport().size()
        base = self.palette().color(QPalette.ColorRole.Base)
        painter.fillRect(QRectF(0, 0, size.width(), top - 2), base)
        painter.fillRect(QRectF(0, 0, left - 2, size.height()), base)
        strong, quiet = self.palette().color(QPalette.ColorRole.Text), QColor(colors().muted)
        chosen = self._cell or (-1, -1)
        painter.setClipRect(QRectF(left - 2, 0, size.width(), top))
        for column in range(self.columns):
            box = self.cell_rect((0, column))
            painter.setPen(strong if column == chosen[1] else quiet)
            place = QRectF(box.left() - _GAP, 0, box.width() + 2 * _GAP, top - 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._column_name(column))
        painter.setClipRect(QRectF(0, top - 2, left, size.height()))
        for row in range(self.rows):
            box = self.cell_rect((row, 0))
            painter.setPen(strong if row == chosen[0] else quiet)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, box.top(), left - 6, box.height()), flags, f"L{self._layers[row]}")
        painter.setClipping(False)

    def _mark(self, painter: QPainter) -> None:
        if self._cell is None or self._cell[1] >= self.columns or self._cell[0] >= self.rows:
            return
        colour = self.palette().color(QPalette.ColorRole.Highlight)
        painter.setPen(QPen(colour, 2.0 if self.hasFocus() else 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.cell_rect(self._cell).adjusted(-1.5, -1.5, 1.5, 1.5))

    def _make_ground(self, box: QRectF) -> QImage:
        """Return what lies under each map: the dimmed picture, or the canvas alone."""
        ratio = self.devicePixelRatioF()
        size = (max(round(box.width() * ratio), 1), max(round(box.height() * ratio), 1))
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

    def _in_sight(self) -> list[Cell]:
        area = self._cells_area()
        if self.wrapped:
            return [(r, 0) for r in range(self.rows) if self._spans(self.cell_rect((r, 0)), area, down=True)]
        rows = [r for r in range(self.rows) if self._spans(self.cell_rect((r, 0)), area, down=True)]
        columns = [c for c in range(self.columns) if self._spans(self.cell_rect((0, c)), area, down=False)]
        return [(row, column) for row in rows for column in columns]

    @staticmethod
    def _spans(box: QRectF, area: QRectF, *, down: bool) -> bool:
        if down:
            return box.bottom() > area.top() and box.top() < area.bottom()
        return box.right() > area.left() and box.left() < area.right()

    def _cell_at(self, position: QPointF) -> Cell | None:
        if not self._cells_area().contains(position):
            return None
        for cell in self._in_sight():
            if self.cell_rect(cell).adjusted(0, 0, _GAP, _GAP).contains(position):
                return cell
        return None

    def _share(self, cell: Cell) -> float:
        return 0.0 if self._mass is None else min(max(float(self._mass[cell]), 0.0), 1.0)

    def _cells_area(self) -> QRectF:
        left, top = self._margins()
        return QRectF(self.viewport().rect()).adjusted(left, top, 0, 0)

    def _margins(self) -> tuple[float, float]:
        """Return the room of the rows' and the columns' names, px."""
        if self.wrapped:
            return _GAP, _GAP
        metrics = QFontMetricsF(self._font())
        widest = max((metrics.horizontalAdvance(f"L{layer}") for layer in self._layers), default=0.0)
        return widest + 12, metrics.height() + 6

    def _cell_size(self) -> tuple[float, float]:
        if self._what != MAPS or self._maps is None:
            least, most, high = _MASS_CELL
            wide = self._room_of_a_column()
            return float(round(min(max(wide, least), most))), float(high)
        side = self._side_in_use()
        wide, high = (side, side / self._aspect) if self._aspect >= 1 else (side * self._aspect, side)
        return float(max(round(wide), 8)), float(max(round(high), 8))

    def _side_in_use(self) -> float:
        if self._side is not None:
            return self._side
        if self.wrapped:
            return _WRAPPED_SIDE
        wide = self._room_of_a_column()
        return min(max(wide / min(self._aspect, 1.0), _FIRST_SIDE), _LARGEST_FIT)

    def _room_of_a_column(self) -> float:
        # Room for the scroll bar is always kept: else its coming and going would change the size of the cells.
        bar = self.verticalScrollBar().sizeHint().width()
        room = self.width() - self._margins()[0] - _AFTER_MEAN - bar
        return room // max(self.columns, 1) - _GAP

    def _per_line(self) -> int:
        """Return how many cells a line holds where layers follow each other along lines."""
        bar = self.verticalScrollBar().sizeHint().width()
        room = self.width() - self._margins()[0] - bar
        return max(int(room // (self._cell_size()[0] + _GAP)), 1)

    def _column_name(self, column: int) -> str:
        return "mean" if column == MEAN_OF_HEADS else f"H{column - 1}"

    def _measure(self) -> None:
        """Bring the scroll bars up to the size of all cells."""
        self._ground = None
        wide, high = self._cell_size()
        area = self._cells_area()
        columns, rows, apart = self.columns, self.rows, _AFTER_MEAN
        if self.wrapped:
            columns, rows, apart = 1, -(-rows // self._per_line()), 0
        total = (columns * (wide + _GAP) + apart, rows * (high + _GAP))
        for bar, whole, seen, step in (
            (self.horizontalScrollBar(), total[0], area.width(), wide + _GAP),
            (self.verticalScrollBar(), total[1], area.height(), high + _GAP),
        ):
            bar.setRange(0, max(round(whole - seen), 0))
            bar.setPageStep(max(round(seen), 1))
            bar.setSingleStep(round(step))
        self.viewport().update()

    def _font(self) -> QFont:
        return tabular(small_font(self.font()))
