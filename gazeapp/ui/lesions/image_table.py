"""The table of what a lesion of the image in hand does to each model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import (
    QHeaderView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from gazeapp.engine.models.base import Word
from gazeapp.ui import theme
from gazeapp.ui.lesions.facts import Effect
from gazeapp.ui.lesions.image_cells import (
    COLUMNS,
    PLACES,
    ImageRow,
    cell_text,
    cell_tip,
    control_text,
    said,
)
from gazeapp.ui.widgets import no_mnemonic, plain, set_up_rows

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
CONTROL_ROLE = int(Qt.ItemDataRole.UserRole) + 2
_Index = QModelIndex | QPersistentModelIndex
_ROW_HEIGHT = 38
_BEFORE = 0.35
"""Opacity of what was found for the lesion before."""


class ImageModel(QAbstractTableModel):
    """Rows of models, columns of what a lesion changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[ImageRow, ...] = ()

    def show_rows(self, rows: Sequence[ImageRow]) -> None:
        """Show these models; numbers change in place where the models stay."""
        same = [row.model for row in rows] == [row.model for row in self.rows]
        if same:
            self.rows = tuple(rows)
            if rows:
                last = self.index(len(rows) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of models."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return headings and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(column.tip)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if section < 2 else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return what a cell says."""
        row, column = self.rows[index.row()], COLUMNS[index.column()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(row, column)
        if role == CONTROL_ROLE:
            return control_text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(cell_tip(row, column))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {column.title}: {cell_text(row, column)}"
        return None


class ImageDelegate(QStyledItemDelegate):
    """Draws a model's name, captions over each other with changed words marked, and numbers over their controls."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        shades, column, area = theme.colors(), COLUMNS[index.column()], QRectF(option.rect)
        row: ImageRow = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(shades.accent_soft))
        inner = area.adjusted(8, 2, -8, -2)
        if row.is_before and column.id != "model":
            painter.setOpacity(_BEFORE)
        if column.id == "model":
            _paint_name(painter, inner, row, option.font)
        elif column.id == "caption" and row.effect is not None:
            _paint_captions(painter, inner, row.effect, option.font)
        elif column.id == "caption":
            if row.runs_on_button:
                inner.setLeft(inner.left() + 64)
            painter.setFont(option.font)
            painter.setPen(QColor(shades.muted))
            _draw(painter, inner, row.says, Qt.AlignmentFlag.AlignLeft)
        else:
            _paint_number(painter, inner, str(index.data()), str(index.data(CONTROL_ROLE)), option.font)
        painter.restore()


def _paint_name(painter: QPainter, area: QRectF, row: ImageRow, font: QFont) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(row.colour))
    painter.drawEllipse(QRectF(area.left(), area.center().y() - 4, 8, 8))
    painter.setPen(QColor(theme.colors().text))
    painter.setFont(font)
    _draw(painter, area.adjusted(18, 0, 0, 0), row.name, Qt.AlignmentFlag.AlignLeft)


def _paint_captions(painter: QPainter, area: QRectF, effect: Effect, font: QFont) -> None:
    shades = theme.colors()
    upper, lower = QRectF(area), QRectF(area)
    upper.setBottom(area.center().y())
    lower.setTop(area.center().y())
    painter.setFont(font)
    _paint_words(painter, upper, effect.before, effect.gone, shades.muted, shades.muted, struck=True)
    if not effect.gone and not effect.new:
        painter.setPen(QColor(shades.muted))
        same = "nothing is taken away" if effect.takes_nothing else "the same words"
        _draw(painter, lower, same, Qt.AlignmentFlag.AlignLeft)
        return
    _paint_words(painter, lower, effect.after, effect.new, shades.text, shades.warning, struck=False)


def _paint_words(
    painter: QPainter,
    area: QRectF,
    words: Sequence[Word],
    marked: frozenset[int],
    ink: str,
    line: str,
    *,
    struck: bool,
) -> None:
    """Draw words side by side as far as there is room, those that are marked struck through or underlined.

    Where there is no room for all, those before the first marked one are left out.
    """
    metrics = QFontMetricsF(painter.font())
    space, rest = metrics.horizontalAdvance(" "), metrics.horizontalAdvance("…")
    x, first = area.left(), 0
    if metrics.horizontalAdvance(said(words)) > area.width() and min(marked, default=0) > 1:
        first = min(marked) - 1
        painter.setPen(QColor(ink))
        _draw(painter, QRectF(x, area.top(), rest + 2, area.height()), "…")
        x += rest + space
    for place, word in enumerate(words[first:], start=first):
        wide = metrics.horizontalAdvance(word.text)
        last = place == len(words) - 1
        painter.setPen(QColor(ink))
        if x + wide + (0 if last else rest) > area.right():
            _draw(painter, QRectF(x, area.top(), max(area.right() - x, rest), area.height()), "…")
            return
        _draw(painter, QRectF(x, area.top(), wide + 2, area.height()), word.text)
        if place in marked:
            painter.setPen(QPen(QColor(line), 1.5))
            y = area.center().y() + (1 if struck else metrics.ascent() / 2 + 2)
            painter.drawLine(QRectF(x, y, wide, 0).topLeft(), QRectF(x, y, wide, 0).topRight())
        x += wide + space


def _paint_number(painter: QPainter, area: QRectF, text: str, control: str, font: QFont) -> None:
    right = Qt.AlignmentFlag.AlignRight
    painter.setFont(theme.tabular(font))
    painter.setPen(QColor(theme.colors().text))
    if not control:
        _draw(painter, area, text, right)
        return
    upper, lower = QRectF(area), QRectF(area)
    upper.setBottom(area.center().y() + 1)
    lower.setTop(area.center().y() + 1)
    _draw(painter, upper, text, right)
    painter.setFont(theme.tabular(theme.small_font(font)))
    painter.setPen(QColor(theme.colors().muted))
    _draw(painter, lower, control, right)


def _draw(
    painter: QPainter, area: QRectF, text: str, side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft
) -> None:
    text = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, area.width() + 1)
    painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), text)


class ImageTable(QTableView):
    """One line for each model; a click on one puts its pane in focus."""

    chosen = Signal(str)
    """A model was chosen."""
    run_wanted = Signal(str)
    """A model is to be run on its button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.effects = ImageModel(self)
        self.setModel(self.effects)
        self.setItemDelegate(ImageDelegate(self))
        set_up_rows(self, "What the lesion does to each model", _ROW_HEIGHT)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(48)
        for place, column in enumerate(COLUMNS):
            stretches = column.id == "caption"
            mode = QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Interactive
            header.setSectionResizeMode(place, mode)
            if column.width:
                self.setColumnWidth(place, column.width)
        self.clicked.connect(self._choose)

    def show_rows(
        self, rows: Sequence[ImageRow], focus: str | None, *, with_objects: bool, with_people: bool
    ) -> None:
        """Show these models, the one in focus marked; without what needs objects or people where there are none."""
        self.effects.show_rows(rows)
        self.setColumnHidden(PLACES["objects"], not with_objects)
        self.setColumnHidden(PLACES["nss"], not with_people)
        places = [place for place, row in enumerate(rows) if row.model == focus]
        if places:
            self.selectRow(places[0])
        else:
            self.clearSelection()
        for place, row in enumerate(rows):
            self._show_button(place, row)

    def button(self, model: str) -> QPushButton | None:
        """Return the button that runs a model, out of sight once it was run; None where it follows by itself."""
        places = [place for place, row in enumerate(self.effects.rows) if row.model == model]
        widget = self.indexWidget(self.effects.index(places[0], PLACES["caption"])) if places else None
        return widget if isinstance(widget, QPushButton) else None

    def sizeHint(self) -> QSize:
        """Return room for four models."""
        return QSize(640, self.horizontalHeader().height() + 4 * _ROW_HEIGHT)

    def _show_button(self, place: int, row: ImageRow) -> None:
        """Show the button of a model that has nothing to show; once made it stays, in or out of sight."""
        wanted = row.runs_on_button and row.effect is None
        button = self.button(row.model)
        if button is not None:
            button.setVisible(wanted)
        elif wanted:
            made = _RunButton(row.model, row.name)
            made.pressed_for.connect(self.run_wanted)
            self.setIndexWidget(self.effects.index(place, PLACES["caption"]), made)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.effects.rows[index.row()].model)


class _RunButton(QPushButton):
    """Runs one model."""

    pressed_for = Signal(str)

    def __init__(self, model: str, name: str) -> None:
        super().__init__("Run")
        self._model = model
        theme.set_role(self, "quiet")
        self.setFixedWidth(56)
        self.setToolTip(plain(f"Run {name} on this image under the lesion, as a job"))
        self.setAccessibleName(no_mnemonic(f"Run {name} under the lesion"))
        self.clicked.connect(self._press)

    def _press(self) -> None:
        self.pressed_for.emit(self._model)
