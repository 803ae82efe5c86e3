"""Where the cells of the gallery lie: layers down and heads across, or layers alone along lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt

Cell = tuple[int, int]
"""Row (a layer's place among those that carry attention) and column (0 the mean over heads)."""

GAP = 4
"""Distance between cells, px."""

_AFTER_MEAN = 8
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


@dataclass(frozen=True)
class CellGrid:
    """Sizes are px; places are those of unscrolled cells in the viewport.

    Parameters
    ----------
    rows, columns
        How many layers there are, and how many cells each has.
    left, top
        Room of the names of rows and columns.
    wide, high
        Size of a cell.
    per_line
        Layers on a line where each has one cell and they follow each other; 0 where rows are layers.
    """

    rows: int = 0
    columns: int = 0
    left: float = 0.0
    top: float = 0.0
    wide: float = 1.0
    high: float = 1.0
    per_line: int = 0

    @property
    def width(self) -> float:
        """Width of all cells without the names."""
        columns = self.per_line or self.columns
        return columns * (self.wide + GAP) + (0 if self.per_line else _AFTER_MEAN)

    @property
    def height(self) -> float:
        """Height of all cells without the names."""
        return (math.ceil(self.rows / self.per_line) if self.per_line else self.rows) * (self.high + GAP)

    def __contains__(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self.rows and 0 <= cell[1] < self.columns

    def rect(self, cell: Cell) -> QRectF:
        """Return where a cell lies."""
        down, across = divmod(cell[0], self.per_line) if self.per_line else cell
        beside = _AFTER_MEAN if across and not self.per_line else 0
        x = self.left + across * (self.wide + GAP) + beside
        return QRectF(x, self.top + down * (self.high + GAP), self.wide, self.high)

    def within(self, area: QRectF) -> list[Cell]:
        """Return the cells of which a part lies in ``area``."""
        if self.per_line:
            return [(row, 0) for row in range(self.rows) if self.rect((row, 0)).intersects(area)]
        rows = [row for row in range(self.rows) if _meets(self._down(row), area.top(), area.bottom())]
        columns = [c for c in range(self.columns) if _meets(self._across(c), area.left(), area.right())]
        return [(row, column) for row in rows for column in columns]

    def cell_at(self, place: QPointF) -> Cell | None:
        """Return the cell at a place, the gap behind it counted with it."""
        near = QRectF(place.x() - GAP, place.y() - GAP, 2 * GAP, 2 * GAP)
        for cell in self.within(near):
            if self.rect(cell).adjusted(0, 0, GAP, GAP).contains(place):
                return cell
        return None

    def stepped(self, cell: Cell | None, key: Qt.Key) -> Cell | None:
        """Return the cell that an arrow key, Home or End leads to; None for other keys."""
        first = Qt.Key.Key_Home
        if not (self.rows and self.columns) or key not in (*_STEPS, first, Qt.Key.Key_End):
            return None
        if cell is None or cell not in self:
            return (0, 0)
        row, column = cell
        down, across = _STEPS.get(key, (0, 0))
        if self.per_line:
            row += down * self.per_line + across
            ends = {first: 0, Qt.Key.Key_End: self.rows - 1}
            return (min(max(ends.get(key, row), 0), self.rows - 1), 0)
        ends = {first: 0, Qt.Key.Key_End: self.columns - 1}
        column = min(max(ends.get(key, column + across), 0), self.columns - 1)
        return (min(max(row + down, 0), self.rows - 1), column)

    def _across(self, column: int) -> tuple[float, float]:
        box = self.rect((0, column))
        return box.left(), box.right()

    def _down(self, row: int) -> tuple[float, float]:
        box = self.rect((row, 0))
        return box.top(), box.bottom()


@dataclass(frozen=True)
class CellSizes:
    """How large small maps are.

    Parameters
    ----------
    aspect
        Width over height of the image.
    side
        Longest side that the user chose, px; None fits them into the room.
    """

    aspect: float
    side: float | None = None

    def grid(self, rows: int, columns: int, names: tuple[float, float], room: float) -> CellGrid:
        """Return the grid of maps.

        Parameters
        ----------
        rows, columns
            Layers, and cells of each.
        names
            Room of the names of rows and columns, px.
        room
            Width of the view, px.
        """
        if columns == 1:
            on_a_line = ((room - GAP) // max(rows, 1) - GAP) / min(self.aspect, 1.0)
            wide, high = self._size(self.side or min(max(on_a_line, _WRAPPED_SIDE), _LARGEST_FIT))
            per_line = max(int((room - GAP) // (wide + GAP)), 1)
            return CellGrid(rows, 1, GAP, GAP, wide, high, per_line)
        side = self.side
        if side is None:
            fitting = (room - names[0] - _AFTER_MEAN) // max(columns, 1) - GAP
            side = min(max(fitting / min(self.aspect, 1.0), _LEAST_SIDE), _LARGEST_FIT)
        return CellGrid(rows, columns, *names, *self._size(side))

    def stepped(self, grid: CellGrid, steps: int) -> CellSizes:
        """Return the sizes some steps larger or smaller than those of a grid."""
        now = max(grid.wide, grid.high)
        place = min(range(len(_SIDES)), key=lambda k: abs(_SIDES[k] - now)) + steps
        return CellSizes(self.aspect, _SIDES[min(max(place, 0), len(_SIDES) - 1)])

    def _size(self, side: float) -> tuple[float, float]:
        wide, high = (side, side / self.aspect) if self.aspect >= 1 else (side * self.aspect, side)
        return float(max(round(wide), 8)), float(max(round(high), 8))


_SIDES = (32.0, 40.0, 48.0, 64.0, 80.0, 112.0, 160.0, 224.0)
_LEAST_SIDE, _LARGEST_FIT, _WRAPPED_SIDE = 40.0, 112.0, 80.0
_NUMBER_WIDE, _NUMBER_WIDEST, _NUMBER_HIGH = 28.0, 48.0, 20.0


def number_grid(rows: int, columns: int, names: tuple[float, float], room: float) -> CellGrid:
    """Return the grid of numbers; parameters as in :meth:`CellSizes.grid`."""
    fitting = (room - names[0] - _AFTER_MEAN) // max(columns, 1) - GAP
    return CellGrid(rows, columns, *names, min(max(fitting, _NUMBER_WIDE), _NUMBER_WIDEST), _NUMBER_HIGH)


def _meets(span: tuple[float, float], low: float, high: float) -> bool:
    return span[1] > low and span[0] < high
