"""How panes are arranged in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QWidget

from gazeapp.ui.canvas.pane import ImagePane

_LINES_LEAST = 2


def best_columns(
    count: int, width: float, height: float, aspect: float, chrome: float, gaps: tuple[float, float]
) -> int:
    """Return the number of columns that makes the pictures largest.

    Parameters
    ----------
    count
        Number of panes.
    width, height
        Room for all of them, px.
    aspect
        Width of a picture by its height.
    chrome
        Height of a pane that is no picture, px.
    gaps
        Room between columns and between rows, px.
    """

    def picture_width(columns: int) -> float:
        rows = math.ceil(count / columns)
        cell = (width - (columns - 1) * gaps[0]) / columns
        high = (height - (rows - 1) * gaps[1]) / rows - chrome
        return min(cell, high * aspect)

    return max(range(1, count + 1), key=lambda columns: (round(picture_width(columns)), -columns))


class PaneGrid(QWidget):
    """Panes in as many columns as make their pictures largest.

    Parameters
    ----------
    across, down
        Room between columns and between rows, px.
    """

    def __init__(self, across: int, down: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gaps = across, down
        self._lines = _LINES_LEAST
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(across)
        self._grid.setVerticalSpacing(down)

    def forget_lines(self) -> None:
        """Let captions have fewer lines again: the room has changed."""
        self._lines = _LINES_LEAST

    def arrange(
        self, panes: Sequence[ImagePane], placeholder: QWidget | None, room: QSize, aspect: float
    ) -> None:
        """Place the panes, and what stands for those that are missing.

        Parameters
        ----------
        panes
            At least one, in their order.
        placeholder
            Stands after them, or None.
        room
            Room for all of them, px.
        aspect
            Width of a picture by its height.
        """
        tiles: list[QWidget] = [*panes, *([placeholder] if placeholder is not None else [])]
        title, caption = panes[0].title, panes[0].caption
        chrome = title.height() + caption.height_of(_LINES_LEAST)
        columns = best_columns(len(tiles), room.width(), room.height(), aspect, chrome, self._gaps)
        rows = math.ceil(len(tiles) / columns)
        self._place(tiles, columns, rows)
        width = (room.width() - (columns - 1) * self._gaps[0]) / columns
        height = (room.height() - (rows - 1) * self._gaps[1]) / rows
        self._fit_captions(panes, math.floor(width), height - title.height() - width / aspect)

    def _place(self, tiles: Sequence[QWidget], columns: int, rows: int) -> None:
        for place, tile in enumerate(tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
        for column in range(max(self._grid.columnCount(), columns)):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for row in range(max(self._grid.rowCount(), rows)):
            self._grid.setRowStretch(row, 1 if row < rows else 0)

    def _fit_captions(self, panes: Sequence[ImagePane], width: int, spare: float) -> None:
        """Give all captions the same room, more lines only where that makes no picture smaller.

        Room only grows while stepping through images: a layout that breathes is a jump.
        """
        captions = [pane.caption for pane in panes]
        needed = max(caption.lines_needed(width) for caption in captions)
        most = max(captions[0].lines_within(spare), _LINES_LEAST)
        self._lines = min(max(self._lines, needed), most)
        for caption in captions:
            caption.set_lines(self._lines)
