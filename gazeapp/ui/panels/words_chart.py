"""How much of the attention behind each word fell on the image, over the caption."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gazeapp.engine.models.base import Word
from gazeapp.engine.reports.numbers import number
from gazeapp.engine.types import FloatArray
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.theme import colors, small_font, tabular
from gazeapp.ui.widgets import plain

_WIDEST = 48.0
_GAP = 0.24
_LABEL_FROM = 30.0
_GRAMMAR_ALPHA = 90
_SHARES = (0.0, 0.5, 1.0)


class MassChart(QWidget):
    """A bar a word from 0 to 100 %, its probability as a line, and a tick for a chosen layer and head."""

    word_chosen = Signal(int)
    """A word was clicked; ``MEAN_MAP`` for the one that was chosen before."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[Word, ...] = ()
        self._mass: FloatArray | None = None
        self._cell: FloatArray | None = None
        self._cell_name = ""
        self._colour = QColor()
        self._current = MEAN_MAP
        self._hovered: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Attention on the image, word by word")

    def set_words(self, words: Sequence[Word], mass: FloatArray, colour: str) -> None:
        """Show words with the share of their attention on the image, shape (n_words,), in a model's colour."""
        self._words, self._mass = tuple(words), mass
        self._colour = QColor(colour)
        self._cell, self._hovered = None, None
        self.update()

    def set_current(self, word: int) -> None:
        """Mark a word; ``MEAN_MAP`` marks none."""
        self._current = word
        chosen = "" if word == MEAN_MAP else self.word_tip(word)
        self.setAccessibleDescription(chosen)
        self.update()

    def set_cell(self, mass: FloatArray | None, name: str = "") -> None:
        """Show the share of one layer and head as a tick over each word, shape (n_words,); None for none."""
        self._cell, self._cell_name = mass, name
        self.update()

    def bar_rect(self, word: int) -> QRectF:
        """Return where the bar of a word is drawn, widget px."""
        slot = self._slot(word)
        height = self._plot().height() * _clipped(float(self._mass[word])) if self._mass is not None else 0.0
        inner = slot.adjusted(slot.width() * _GAP / 2, 0, -slot.width() * _GAP / 2, 0)
        inner.setTop(slot.bottom() - height)
        return inner

    def word_tip(self, word: int) -> str:
        """Return what the tooltip of a word says."""
        if self._mass is None or not 0 <= word < len(self._words):
            return ""
        said = self._words[word]
        lines = [
            f"“{said.text}”: {number(100 * float(self._mass[word]), 1)} % of the attention behind this word "
            "fell on the image, the rest on text."
        ]
        if self._cell is not None:
            lines.append(f"In {self._cell_name}: {number(100 * float(self._cell[word]), 1)} %.")
        lines.append(f"The model gave the word a probability of {math.exp(said.log_probability):.2g}.")
        lines.append(
            "A content word." if said.is_content else "A grammar word: not part of the caption's mean map."
        )
        return "\n".join(lines)

    def sizeHint(self) -> QSize:
        """Return a size at which a sentence reads well."""
        return QSize(320, 120)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw axis, bars, ticks and the line of probabilities."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        self._draw_legend(painter)
        self._draw_axis(painter)
        for word in range(len(self._words)):
            self._draw_bar(painter, word)
        self._draw_probabilities(painter)
        if self.hasFocus():
            self._draw_focus(painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the word under the cursor; the chosen word again goes back to the mean."""
        word = self._word_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or word is None:
            event.ignore()
            return
        self.setFocus()
        self.word_chosen.emit(MEAN_MAP if word == self._current else word)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the word under the cursor."""
        word = self._word_at(event.position())
        if word != self._hovered:
            self._hovered = word
            self.setCursor(Qt.CursorShape.ArrowCursor if word is None else Qt.CursorShape.PointingHandCursor)
            self.update()

    def leaveEvent(self, _event: QEvent) -> None:
        """Unmark the word under the cursor."""
        self._hovered = None
        self.update()

    def event(self, event: QEvent) -> bool:
        """Show the exact values of a word as its tooltip."""
        if isinstance(event, QHelpEvent):
            word = self._word_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain("" if word is None else self.word_tip(word)), self)
            return True
        return super().event(event)

    def _draw_legend(self, painter: QPainter) -> None:
        metrics = QFontMetricsF(self._font())
        y, x = metrics.height() / 2, 0.0
        entries = [("bar", "attention on the image"), ("line", "probability")]
        if self._cell is not None:
            entries.insert(1, ("tick", self._cell_name))
        for kind, text in entries:
            room = self.width() - x - 14
            if room < metrics.horizontalAdvance("attention…"):
                break
            mark = QRectF(x, y - 4, 10, 8)
            if kind == "bar":
                painter.fillRect(mark, self._colour)
            else:
                painter.setPen(self._pen(kind))
                painter.drawLine(mark.left(), y, mark.right(), y)
            painter.setPen(QColor(colors().muted))
            fitted = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRectF(x + 14, 0, room, 2 * y), Qt.AlignmentFlag.AlignVCenter, fitted)
            x += 14 + metrics.horizontalAdvance(fitted) + 12

    def _draw_axis(self, painter: QPainter) -> None:
        plot, metrics = self._plot(), QFontMetricsF(self._font())
        for share in _SHARES:
            y = round(plot.bottom() - share * plot.height()) + 0.5
            painter.setPen(QPen(QColor(colors().line), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(colors().muted))
            box = QRectF(0, y - metrics.height() / 2, plot.left() - 6, metrics.height())
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, flags, f"{100 * share:.0f} %")

    def _draw_bar(self, painter: QPainter, word: int) -> None:
        slot, bar, marked = self._slot(word), self.bar_rect(word), word == self._current
        palette = self.palette()
        if marked or word == self._hovered:
            role = QPalette.ColorRole.Highlight if marked else QPalette.ColorRole.Midlight
            wash = QColor(palette.color(role))
            wash.setAlpha(46 if marked else 160)
            painter.fillRect(slot, wash)
        colour = QColor(self._colour)
        if not self._words[word].is_content:
            colour.setAlpha(_GRAMMAR_ALPHA)
        painter.fillRect(bar, colour)
        if self._cell is not None:
            y = slot.bottom() - slot.height() * _clipped(float(self._cell[word]))
            painter.setPen(self._pen("tick"))
            painter.drawLine(QPointF(bar.left() - 1, y), QPointF(bar.right() + 1, y))
        if slot.width() >= _LABEL_FROM:
            metrics = QFontMetricsF(self._font())
            text = metrics.elidedText(self._words[word].text, Qt.TextElideMode.ElideRight, slot.width() - 2)
            box = QRectF(slot.left(), slot.bottom() + 2, slot.width(), metrics.height())
            painter.setPen(palette.color(QPalette.ColorRole.Text) if marked else QColor(colors().muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_probabilities(self, painter: QPainter) -> None:
        points = []
        for word, said in enumerate(self._words):
            slot = self._slot(word)
            share = _clipped(math.exp(said.log_probability))
            points.append(QPointF(slot.center().x(), slot.bottom() - slot.height() * share))
        painter.setPen(self._pen("line"))
        painter.drawPolyline(points)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_lighter())
        for point in points:
            painter.drawEllipse(point, 2, 2)

    def _draw_focus(self, painter: QPainter) -> None:
        """Show that the keys step words here: around the word in hand, or under all while none is."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1.5))
        if self._current == MEAN_MAP:
            painter.drawLine(self._plot().bottomLeft(), self._plot().bottomRight())
        else:
            painter.drawRect(self._slot(self._current))

    def _pen(self, kind: str) -> QPen:
        if kind == "tick":
            return QPen(self.palette().color(QPalette.ColorRole.Text), 2)
        return QPen(_lighter(), 1)

    def _plot(self) -> QRectF:
        metrics = QFontMetricsF(self._font())
        left = metrics.horizontalAdvance("100 %") + 8
        room = QRectF(self.rect()).adjusted(left, metrics.height() * 1.6, -2, -metrics.height() / 2 - 1)
        if self._words and room.width() / len(self._words) >= _LABEL_FROM:
            room.setBottom(room.bottom() - metrics.height() / 2 - 3)
        return room

    def _slot(self, word: int) -> QRectF:
        plot = self._plot()
        wide = min(plot.width() / max(len(self._words), 1), _WIDEST)
        return QRectF(plot.left() + word * wide, plot.top(), wide, plot.height())

    def _word_at(self, position: QPointF) -> int | None:
        if not self._words:
            return None
        first = self._slot(0)
        word = math.floor((position.x() - first.left()) / first.width())
        inside = 0 <= word < len(self._words) and position.y() >= first.top()
        return word if inside else None

    def _font(self) -> QFont:
        return tabular(small_font(self.font()))


def _lighter() -> QColor:
    """Return the colour of probabilities, which step back behind the bars."""
    colour = QColor(colors().faint)
    colour.setAlpha(170)
    return colour


def _clipped(share: float) -> float:
    return min(max(share, 0.0), 1.0)
