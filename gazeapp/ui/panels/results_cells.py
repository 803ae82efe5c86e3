"""How cells of a table of results are drawn: a score over its share of the ceiling, a number over its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gazeapp.engine.project import SummaryRow
from gazeapp.engine.reports import numbers
from gazeapp.engine.reports.results.data import Cell, Row
from gazeapp.engine.scoring.sources import BASELINE, HUMAN, TRUTH
from gazeapp.ui import theme

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 2
CELL_ROLE = int(Qt.ItemDataRole.UserRole) + 3
SCALE_ROLE = int(Qt.ItemDataRole.UserRole) + 4

GROUP = "group"
"""Kind of the row that heads the baselines."""
CEILING = "ceiling"
"""Kind of the row of what people's own agreement allows."""

_QUIET = frozenset({HUMAN, TRUTH, BASELINE, GROUP})
_LOWER_BOUND = ("100 %, lower bound", "lower bound")
_MOST_PERCENT = 125.0
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class ShareCell(Cell):
    """A score, and its share of the ceiling in percent with the ends of its 95 % interval.

    ``low`` and ``high`` of the score itself stay empty. A ``reference`` stands where a metric has no ceiling:
    half of the people scored against the other half. ``lower_bound`` marks a ceiling that a good model can
    pass. ``row`` is what the project stores.
    """

    percent: float | None = None
    percent_low: float | None = None
    percent_high: float | None = None
    reference: bool = False
    lower_bound: bool = False
    row: SummaryRow | None = None


class ResultDelegate(QStyledItemDelegate):
    """Draws names with the colour of their source, and numbers with what they are measured against."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        shades = theme.colors()
        row: Row = index.data(ROW_ROLE)
        cell: Cell | None = index.data(CELL_ROLE)
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(shades.accent_soft if selected else shades.hover))
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 5, 5)
        ink = QColor(shades.muted if row.kind in _QUIET else shades.text)
        if cell is None:
            self._paint_name(painter, area, row, ink, option)
        elif isinstance(cell, ShareCell):
            _paint_share(painter, area, row, cell, ink, option.font)
        else:
            alignment = Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole))
            _paint_number(painter, area, row, cell, ink, option.font, alignment, index.data(SCALE_ROLE))
        painter.restore()

    def _paint_name(
        self, painter: QPainter, area: QRectF, row: Row, ink: QColor, option: QStyleOptionViewItem
    ) -> None:
        left = 16.0
        if row.kind == GROUP:
            folded = bool(getattr(option.widget, "folded", False))
            picture = theme.pixmap("next" if folded else "down", theme.colors().muted, 12)
            painter.drawPixmap(QPointF(area.left() + 14, area.center().y() - 6), picture)
            left = 34.0
        elif row.colour:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(row.colour if row.kind != BASELINE else theme.colors().faint))
            painter.drawEllipse(QRectF(area.left() + 16, area.center().y() - 4, 8, 8))
            left = 34.0
        painter.setPen(ink)
        painter.setFont(option.font)
        room = area.adjusted(left, 0, -4, 0)
        # Names of models and masks begin alike; their ends tell them apart.
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideMiddle, int(room.width()))
        _draw(painter, room, name, Qt.AlignmentFlag.AlignLeft)


def _paint_share(
    painter: QPainter, area: QRectF, row: Row, cell: ShareCell, ink: QColor, font: QFont
) -> None:
    inner = area.adjusted(10, 3, -10, -3)
    upper, lower = QRectF(inner), QRectF(inner)
    upper.setBottom(inner.center().y() + 1)
    lower.setTop(inner.center().y() + 2)
    painter.setFont(theme.tabular(font))
    muted = QColor(theme.colors().muted)
    painter.setPen(muted if cell.reference else ink)
    _draw(painter, upper, cell.text, Qt.AlignmentFlag.AlignRight)
    if cell.percent is None:
        return
    painter.setFont(_small(font))
    painter.setPen(muted)
    if cell.lower_bound and row.kind == CEILING:
        _draw(painter, lower, _fitting(_LOWER_BOUND, painter, lower.width()), Qt.AlignmentFlag.AlignRight)
        return
    _draw(painter, lower, numbers.percent(cell.percent), Qt.AlignmentFlag.AlignRight)
    lower.setRight(lower.right() - painter.fontMetrics().horizontalAdvance("000 % "))
    _paint_bar(painter, lower, cell, QColor(row.colour if row.kind not in _QUIET else theme.colors().faint))


def _paint_bar(painter: QPainter, inner: QRectF, cell: ShareCell, colour: QColor) -> None:
    """Draw the share of the ceiling; the full width is 125 %, the tick is the ceiling."""
    shades = theme.colors()
    y = inner.center().y()

    def place(percent: float) -> float:
        return inner.left() + inner.width() * min(max(percent, 0.0), _MOST_PERCENT) / _MOST_PERCENT

    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(shades.hover))
    painter.drawRoundedRect(QRectF(inner.left(), y - 2, inner.width(), 4), 2, 2)
    painter.setBrush(colour)
    if cell.percent is not None and cell.percent > 0:
        painter.drawRoundedRect(QRectF(inner.left(), y - 2, place(cell.percent) - inner.left(), 4), 2, 2)
    painter.setPen(QPen(QColor(shades.muted), 1))
    painter.drawLine(int(place(100)), int(y - 5), int(place(100)), int(y + 4))
    if cell.percent_low is not None and cell.percent_high is not None:
        painter.setPen(QPen(QColor(shades.text), 1.2))
        painter.drawLine(int(place(cell.percent_low)), int(y), int(place(cell.percent_high)), int(y))


def _paint_number(
    painter: QPainter,
    area: QRectF,
    row: Row,
    cell: Cell,
    ink: QColor,
    font: QFont,
    side: Qt.AlignmentFlag,
    scale: tuple[float, float] | None,
) -> None:
    """Draw a text; under a number with an interval where it lies in those of its column, with a tick at 0."""
    inner = area.adjusted(8, 2, -10, -2)
    painter.setFont(theme.tabular(font))
    painter.setPen(ink)
    horizontal = side & Qt.AlignmentFlag.AlignHorizontal_Mask
    if scale is None or cell.value is None or cell.low is None or cell.high is None:
        _draw(painter, inner, cell.text, horizontal)
        return
    upper, lower = QRectF(inner), QRectF(inner)
    upper.setBottom(inner.bottom() - 9)
    lower.setTop(inner.bottom() - 8)
    _draw(painter, upper, cell.text, horizontal)
    upper.setRight(upper.right() - painter.fontMetrics().horizontalAdvance(f"{cell.text}  "))
    painter.setFont(_small(font))
    painter.setPen(QColor(theme.colors().muted))
    ends = ends_text(cell)
    if painter.fontMetrics().horizontalAdvance(ends) <= upper.width():
        painter.drawText(upper, int(horizontal | Qt.AlignmentFlag.AlignVCenter), ends)
    low, high = scale
    y = lower.center().y()

    def place(value: float) -> float:
        return lower.left() + lower.width() * (min(max(value, low), high) - low) / (high - low)

    shades = theme.colors()
    painter.setPen(QPen(QColor(shades.line), 1))
    painter.drawLine(QPointF(lower.left(), y), QPointF(lower.right(), y))
    if low <= 0.0 <= high:
        painter.setPen(QPen(QColor(shades.muted), 1))
        painter.drawLine(QPointF(place(0.0), y - 4), QPointF(place(0.0), y + 4))
    colour = QColor(row.colour or shades.accent) if row.kind != BASELINE else QColor(shades.faint)
    painter.setPen(QPen(colour, 2))
    painter.drawLine(QPointF(place(cell.low), y), QPointF(place(cell.high), y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(place(cell.value), y), 3, 3)


def interval_scale(cells: Sequence[Cell]) -> tuple[float, float] | None:
    """Return the range of the intervals of ``cells``, with 0 in it where that is not far; None without any."""
    ends = [end for cell in cells for end in (cell.low, cell.high) if end is not None and math.isfinite(end)]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    span = high - low
    if low - span <= 0.0 <= high + span:
        low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if high > low else None


def ends_text(cell: Cell) -> str:
    """Return the interval of a number with its decimals, such as ``[0.20, 0.42]``."""
    return numbers.interval(
        cell.low, cell.high, len(cell.text.partition(".")[2].rstrip(" %\N{NO-BREAK SPACE}"))
    )


def _draw(painter: QPainter, room: QRectF, text: str, side: Qt.AlignmentFlag) -> None:
    fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, int(side | Qt.AlignmentFlag.AlignVCenter), fitted)


def _small(font: QFont) -> QFont:
    small = theme.tabular(font)
    small.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    return small


def _fitting(wordings: Sequence[str], painter: QPainter, room: float) -> str:
    """Return the first wording that fits into ``room`` px, else the last."""
    metrics = painter.fontMetrics()
    return next((text for text in wordings if metrics.horizontalAdvance(text) <= room), wordings[-1])
