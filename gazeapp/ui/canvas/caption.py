"""A caption as words that can be clicked and stepped through, each with its own map."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gazeapp.engine.models.base import Word
from gazeapp.ui.theme import colors

_PAD = 4.0
_GAP = 1.0
_SCROLL_MARK = 5
_MEAN = "mean"

MEAN_MAP = -1
"""The word that stands for the caption's mean map."""


class CaptionView(QWidget):
    """Words that wrap; the one whose map is shown is marked. Plain text where there are no words."""

    word_chosen = Signal(int)
    """A word was clicked or stepped to; ``MEAN_MAP`` for the mean over words."""
    focused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[Word, ...] = ()
        self._text = ""
        self._current = MEAN_MAP
        self._hovered: int | None = None
        self._new: frozenset[int] = frozenset()
        self._intact = ""
        self._boxes: list[QRectF] = []
        self._scroll = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_lines(2)

    @property
    def current(self) -> int:
        """The marked word, ``MEAN_MAP`` for the mean."""
        return self._current

    def set_words(
        self,
        words: Sequence[Word],
        current: int = MEAN_MAP,
        new: frozenset[int] = frozenset(),
        intact: str = "",
    ) -> None:
        """Show a caption with one word marked, and words that are ``new`` against the ``intact`` caption underlined."""
        self._words, self._text = tuple(words), ""
        self._new, self._intact = new, intact
        self._hovered = None
        self._scroll = 0
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._lay_out()
        self.set_current(current)

    def set_text(self, text: str) -> None:
        """Show a plain sentence in place of words."""
        self._words, self._text = (), text
        self._boxes = []
        self._scroll = 0
        self._describe()
        self.update()

    def set_current(self, index: int) -> None:
        """Mark a word; out of range marks the mean."""
        self._current = index if 0 <= index < len(self._words) else MEAN_MAP
        self._describe()
        self._show_current()
        self.update()

    def set_lines(self, lines: int) -> None:
        """Give room for this many lines."""
        self.setFixedHeight(self.height_of(lines))

    def height_of(self, lines: int) -> int:
        """Return the height of this many lines, px."""
        return math.ceil(lines * self._line_height() + _PAD)

    def lines_within(self, height: float) -> int:
        """Return how many lines have room in a height, px."""
        return max(int((height - _PAD) // self._line_height()), 0)

    def lines_needed(self, width: int) -> int:
        """Return how many lines the words take at a width, px."""
        if not self._words:
            return 1
        boxes = self._flow(width)
        return 1 + round((boxes[-1].top() - boxes[0].top()) / self._line_height())

    def word_rect(self, index: int) -> QRectF:
        """Return where a word is drawn, widget px; ``MEAN_MAP`` gives the mean's mark."""
        return self._boxes[index + 1].translated(0, -self._scroll * self._line_height())

    def sizeHint(self) -> QSize:
        """Return the present height."""
        return QSize(200, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the words, the marked one on the accent colour, grammar words paler."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._text:
            painter.setPen(QColor(colors().muted))
            area = QRectF(self.rect()).adjusted(0, _PAD, 0, 0)
            painter.drawText(area, int(Qt.TextFlag.TextWordWrap), self._text)
            return
        for index in range(-1, len(self._words) if self._words else -1):
            self._draw_word(painter, index)
        self._draw_scroll_mark(painter)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Wrap the words anew."""
        self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the word under the cursor; the marked word again goes back to the mean."""
        index = self._word_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or index is None:
            event.ignore()
            return
        self.word_chosen.emit(MEAN_MAP if index == self._current else index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the word under the cursor."""
        index = self._word_at(event.position())
        if index != self._hovered:
            self._hovered = index
            pointing = Qt.CursorShape.ArrowCursor if index is None else Qt.CursorShape.PointingHandCursor
            self.setCursor(pointing)
            self.update()

    def leaveEvent(self, _event: QEvent) -> None:
        """Unmark the word under the cursor."""
        self._hovered = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll a caption that is longer than its room."""
        hidden = self._hidden_lines()
        step = -1 if event.angleDelta().y() > 0 else 1
        self._scroll = min(max(self._scroll + step, 0), hidden)
        event.setAccepted(hidden > 0)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step through the words."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._words:
            event.ignore()
            return
        self.word_chosen.emit(stepped(self._current, step, len(self._words)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Say that this caption has the keyboard."""
        super().focusInEvent(event)
        self.focused.emit()

    def event(self, event: QEvent) -> bool:
        """Show a word's probability as its tooltip."""
        if isinstance(event, QHelpEvent):
            index = self._word_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if index is None else self.word_tip(index), self)
            return True
        return super().event(event)

    def word_tip(self, index: int) -> str:
        """Return what the tooltip of a word says."""
        if index == MEAN_MAP:
            about = "Mean map over the caption's content words"
            return f"{about}\nWithout the lesion: “{self._intact}”" if self._intact else about
        word = self._words[index]
        kind = "content word" if word.is_content else "grammar word, not part of the mean map"
        about = f"“{word.text}”: probability {math.exp(word.log_probability):.2g}, {kind}"
        if not self._intact:
            return about
        new = "new under the lesion; " if index in self._new else ""
        return f"{about}\n{new}without the lesion: “{self._intact}”"

    def changeEvent(self, event: QEvent) -> None:
        """Wrap anew when the font changes."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._lay_out()

    def _draw_word(self, painter: QPainter, index: int) -> None:
        box = self.word_rect(index)
        if box.top() < -1 or box.top() >= self.height() - _PAD:
            return
        roles = QPalette.ColorRole
        palette = self.palette()
        marked = index == self._current
        mean = index == MEAN_MAP
        if marked and not mean:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(roles.Highlight))
            painter.drawRoundedRect(box, 4, 4)
        elif index == self._hovered or mean:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(roles.Midlight))
            painter.drawRoundedRect(box, 4, 4)
        if marked and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(palette.color(roles.Highlight), 1.5))
            painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), 5, 5)
        plain = not marked if mean else not (marked or self._words[index].is_content)
        if plain:
            painter.setPen(QColor(colors().muted))
        else:
            painter.setPen(palette.color(roles.HighlightedText if marked and not mean else roles.Text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._label(index))
        if index in self._new:
            painter.setPen(QPen(QColor(colors().warning), 2))
            line = box.adjusted(_PAD, 0, -_PAD, -1)
            painter.drawLine(line.bottomLeft(), line.bottomRight())

    def _draw_scroll_mark(self, painter: QPainter) -> None:
        """Show that there are more lines, and where the visible ones are among them."""
        hidden = self._hidden_lines()
        if not hidden:
            return
        visible = max(self.lines_within(self.height()), 1)
        room = self.height() - _PAD
        length = room * visible / (visible + hidden)
        top = _PAD + (room - length) * self._scroll / hidden
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors().faint))
        painter.drawRoundedRect(QRectF(self.width() - 3, top, 3, length - 2), 1.5, 1.5)

    def _label(self, index: int) -> str:
        return _MEAN if index == MEAN_MAP else self._words[index].text

    def _lay_out(self) -> None:
        self._boxes = self._flow(self.width()) if self._words else []
        self._scroll = min(self._scroll, self._hidden_lines())

    def _flow(self, width: int) -> list[QRectF]:
        metrics = QFontMetricsF(self.font())
        height = self._line_height()
        boxes = []
        x, y = 0.0, _PAD
        for index in range(-1, len(self._words)):
            wide = metrics.horizontalAdvance(self._label(index)) + 2 * _PAD
            if x > 0 and x + wide > width - _SCROLL_MARK:
                x, y = 0.0, y + height
            boxes.append(QRectF(x, y, wide, height - 2))
            x += wide + (_GAP if index >= 0 else 4 * _GAP)
        return boxes

    def _line_height(self) -> float:
        return round(QFontMetricsF(self.font()).height()) + 4.0

    def _word_at(self, position: QPointF) -> int | None:
        for index in range(-1, len(self._boxes) - 1):
            if self.word_rect(index).adjusted(0, -1, _GAP, 1).contains(position):
                return index
        return None

    def _hidden_lines(self) -> int:
        if not self._boxes:
            return 0
        room = self.lines_within(self.height())
        lines = 1 + round((self._boxes[-1].top() - self._boxes[0].top()) / self._line_height())
        return max(lines - room, 0)

    def _show_current(self) -> None:
        if not self._boxes:
            return
        line = round((self._boxes[self._current + 1].top() - _PAD) / self._line_height())
        room = max(self.lines_within(self.height()), 1)
        self._scroll = min(max(self._scroll, line - room + 1), line)

    def _describe(self) -> None:
        if self._text:
            self.setAccessibleDescription(self._text)
            return
        caption = " ".join(word.text for word in self._words)
        mean = self._current == MEAN_MAP
        shown = "the mean map" if mean else f"the word “{self._words[self._current].text}”"
        lesion = f" Without the lesion: {self._intact}." if self._intact else ""
        self.setAccessibleDescription(f"{caption}. Shown: {shown}.{lesion}")


def stepped(current: int, step: int, count: int) -> int:
    """Return the word ``step`` further among ``count``, stopping at the mean and at the last word."""
    return min(max(current + step, MEAN_MAP), count - 1)
