"""The list of images: thumbnail, name, number of fixations, and how well the models agree with people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QAction, QActionGroup, QColor, QFont, QPainter, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.numbers import number
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.canvas.title import fitting
from gazeapp.ui.canvas.titles import metric_name
from gazeapp.ui.loader import Loader, Thumbnail
from gazeapp.ui.scene import ImageEntry
from gazeapp.ui.selection import Selection
from gazeapp.ui.theme import STEP, colors, tabular
from gazeapp.ui.widgets import label

_ENTRY = Qt.ItemDataRole.UserRole
_THUMBNAIL = QSize(56, 42)
_Index = QModelIndex | QPersistentModelIndex


class Order(Enum):
    """How the list is sorted; the value is what the box says."""

    NAME = "name"
    WORST = "worst first"
    BEST = "best first"
    FIXATIONS = "most gaze"


class ImageListModel(QAbstractListModel):
    """Images in the order and number that the list shows."""

    def __init__(self, selection: Selection, loader: Loader, parent: QWidget) -> None:
        super().__init__(parent)
        self._selection = selection
        self._loader = loader
        self._entries: list[ImageEntry] = []
        self._rows: dict[int, int] = {}
        self._widest: tuple[int, str] | None = None

    @property
    def entries(self) -> Sequence[ImageEntry]:
        """The lines in their order."""
        return self._entries

    def show_entries(self, entries: list[ImageEntry]) -> None:
        """Show these lines; the same images keep their places and what is in sight."""
        self._widest = None
        if [entry.id for entry in entries] == [entry.id for entry in self._entries]:
            self._entries = entries
            self.refresh()
            return
        self.beginResetModel()
        self._entries = entries
        self._rows = {entry.id: row for row, entry in enumerate(entries)}
        self.endResetModel()

    def row_of(self, image_id: int | None) -> int:
        """Return the line of an image, -1 when it is not shown."""
        return self._rows.get(image_id, -1) if image_id is not None else -1

    def score(self, entry: ImageEntry) -> float | None:
        """Return the score shown for an image: the focused model's, else the mean over models."""
        chosen = self._selection
        return entry.score((chosen.task, chosen.preset, chosen.metric), chosen.source)

    @property
    def widest(self) -> tuple[int, str]:
        """The largest number of fixations and the longest score: what every line has to have room for."""
        if self._widest is None:
            counts = (entry.fixations.get(self._selection.task, 0) for entry in self._entries)
            scores = (score_text(self.score(entry)) for entry in self._entries)
            self._widest = max(counts, default=0), max(scores, key=len, default="")
        return self._widest

    def refresh(self) -> None:
        """Draw all lines again, their numbers may have changed."""
        self._widest = None
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the number of lines."""
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a line says."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == _ENTRY:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._describe(entry)
        return None

    def _describe(self, entry: ImageEntry) -> str:
        chosen = self._selection
        count = entry.fixations.get(chosen.task, 0)
        parts = [entry.name, f"{count} fixation{'' if count == 1 else 's'} under “{chosen.task}”"]
        score = self.score(entry)
        if score is not None:
            name = dict(self._loader.catalogue.models).get(chosen.source or "")
            parts.append(f"{metric_name(chosen.metric)} {number(score)}, {name or 'mean over models'}")
        return "\n".join(parts)


class ImageDelegate(QStyledItemDelegate):
    """Draws a line of the list."""

    def __init__(self, model: ImageListModel, selection: Selection, loader: Loader, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._selection = selection
        self._loader = loader
        self._fonts: tuple[QFont, QFont, QFont] | None = None

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """Return the size of a line."""
        return QSize(22 * STEP, _THUMBNAIL.height() + STEP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw thumbnail, name, count and score."""
        entry: ImageEntry = index.data(_ENTRY)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._draw_background(painter, option)
        line = option.rect.adjusted(STEP, STEP // 2, -STEP, -STEP // 2)
        self._draw_thumbnail(painter, QRect(line.topLeft(), _THUMBNAIL), entry)
        line.setLeft(line.left() + _THUMBNAIL.width() + STEP)
        self._draw_text(painter, line, entry, option)
        painter.restore()

    def _draw_background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        shades = colors()
        area = QRectF(option.rect).adjusted(STEP / 2, 1, -STEP / 2, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(shades.accent_soft))
            painter.drawRoundedRect(area, 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(shades.hover))
            painter.drawRoundedRect(area, 6, 6)

    def _draw_thumbnail(self, painter: QPainter, area: QRect, entry: ImageEntry) -> None:
        thumbnail = self._loader.thumbnail(entry.id)
        if thumbnail is None:
            painter.setBrush(QColor(colors().hover))
            painter.drawRoundedRect(area, 3, 3)
            return
        if thumbnail.picture is None:
            painter.setPen(QColor(colors().warning))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "!")
            return
        size = thumbnail.picture.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        corner = area.center() - QPoint(size.width() // 2 - 1, size.height() // 2 - 1)
        painter.drawImage(QRect(corner, size), thumbnail.picture)

    def _draw_text(
        self, painter: QPainter, area: QRect, entry: ImageEntry, option: QStyleOptionViewItem
    ) -> None:
        font, bold = self._fonts_of(option.font)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        line = metrics.height() + 2
        top = area.top() + (area.height() - 2 * line) // 2
        text = option.palette.color(QPalette.ColorRole.Text)
        muted = QColor(colors().muted)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(text)
        name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(QRect(area.left(), top, area.width(), line), left, name)
        below = QRect(area.left(), top + line, area.width(), line)
        score = self._model.score(entry)
        painter.setFont(bold)
        painter.drawText(below, right, score_text(score))
        most, longest = self._model.widest
        room = below.width()
        if longest:
            room -= painter.fontMetrics().horizontalAdvance(longest) + STEP
        painter.setFont(font)
        painter.setPen(muted)
        wordings = count_wordings(most)
        wording = wordings.index(fitting(wordings, font, room) or wordings[-1])
        painter.drawText(below, left, count_wordings(entry.fixations.get(self._task, 0))[wording])

    def _fonts_of(self, font: QFont) -> tuple[QFont, QFont]:
        """Return the fonts of words and of scores; made once, since every line of every frame needs them."""
        if self._fonts is None or self._fonts[0] != font:
            usual = tabular(font)
            bold = QFont(usual)
            bold.setWeight(QFont.Weight.DemiBold)
            self._fonts = QFont(font), usual, bold
        return self._fonts[1], self._fonts[2]

    @property
    def _task(self) -> str:
        return self._selection.task


def score_text(score: float | None) -> str:
    """Return a score as the list shows it; empty when there is none."""
    return "" if score is None else number(score)


def count_wordings(count: int) -> tuple[str, ...]:
    """Return wordings of a number of fixations, the longest first; all lines take the same."""
    if not count:
        return ("no fixations", "no fix.", "0")
    return (f"{count} fixation{'' if count == 1 else 's'}", f"{count} fix.", f"{count}")


class ImagesPanel(QWidget):
    """The images of the study, to filter, sort and choose from."""

    def __init__(self, selection: Selection, loader: Loader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._loader = loader
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter images by name")
        self._order = Order.NAME
        self.order = QToolButton()
        self._set_up_order()
        self.model = ImageListModel(selection, loader, self)
        self.view = QListView()
        self.count = label("", "muted")
        self.scored_by = label("", "muted")
        self.empty = Notice("No images yet", "Drop pictures or a folder here.")
        self._stack = QStackedWidget()
        self._set_up_view()
        self._lay_out()
        self.filter.textChanged.connect(self._show)
        self.view.selectionModel().currentChanged.connect(self._choose)
        selection.changed.connect(self._follow)
        loader.listed.connect(self._show)
        loader.thumbnail_ready.connect(self._thumbnail_ready)
        self._show()

    def step(self, step: int) -> None:
        """Choose the image ``step`` lines further down."""
        target = self._loader.neighbour(self._selection.image_id, step)
        if target is not None:
            self._selection.image_id = target

    def sort(self, order: Order) -> None:
        """Sort the list."""
        self._order = order
        self._name_order()
        self._show()

    def _set_up_order(self) -> None:
        menu = QMenu(self.order)
        group = QActionGroup(menu)
        for order in Order:
            action = menu.addAction(order.value)
            action.setData(order)
            action.setCheckable(True)
            action.setChecked(order is self._order)
            group.addAction(action)
        group.triggered.connect(self._order_chosen)
        self.order.setMenu(menu)
        self._name_order()
        # The arrow is part of the text, where the theme gives it room.
        self.order.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.order.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.order.setAccessibleName("Order of the images")
        self.order.setToolTip("Order of the images; best and worst by the score of the focused model")

    def _name_order(self) -> None:
        self.order.setText(f"{self._order.value} \N{BLACK DOWN-POINTING SMALL TRIANGLE}")

    @Slot(QAction)
    def _order_chosen(self, action: QAction) -> None:
        self.sort(action.data())

    def _set_up_view(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setItemDelegate(ImageDelegate(self.model, self._selection, self._loader, view))
        view.setUniformItemSizes(True)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.verticalScrollBar().setSingleStep(2 * STEP)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setMouseTracking(True)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setAccessibleName("Images")
        view.setMinimumWidth(20 * STEP)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(STEP, 0, STEP, 0)
        row.setSpacing(STEP // 2)
        row.addWidget(self.filter, 1)
        row.addWidget(self.order)
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.empty)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(2 * STEP, 0, 2 * STEP, 0)
        bottom.addWidget(self.count)
        bottom.addStretch(1)
        bottom.addWidget(self.scored_by)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, STEP, 0, STEP)
        layout.setSpacing(STEP)
        layout.addLayout(row)
        layout.addWidget(self._stack, 1)
        layout.addLayout(bottom)

    @Slot()
    def _show(self, _what: object = None) -> None:
        """Filter and sort anew."""
        everything = self._loader.catalogue.images
        wanted = self.filter.text().strip().casefold()
        entries = [entry for entry in everything if wanted in entry.name.casefold()]
        entries = self._sorted(entries)
        with QSignalBlocker(self.view.selectionModel()):
            self.model.show_entries(entries)
        self._loader.set_order([entry.id for entry in entries])
        total = f"{len(everything)} image{'' if len(everything) == 1 else 's'}"
        self.count.setText(total if len(entries) == len(everything) else f"{len(entries)} of {total}")
        self._stack.setCurrentIndex(0 if everything else 1)
        for control in (self.filter, self.order):
            control.setEnabled(bool(everything))
        self._show_current()
        self._name_score()

    def _name_score(self) -> None:
        """Say whose score the numbers are."""
        scored = any(self.model.score(entry) is not None for entry in self.model.entries)
        metric = metric_name(self._selection.metric)
        name = dict(self._loader.catalogue.models).get(self._selection.source or "", "all models")
        self.scored_by.setText(f"{metric}, {name}" if scored else "")

    def _sorted(self, entries: list[ImageEntry]) -> list[ImageEntry]:
        order = self._order
        if order is Order.NAME:
            return entries
        if order is Order.FIXATIONS:
            task = self._selection.task
            return sorted(entries, key=lambda entry: -entry.fixations.get(task, 0))
        sign = 1.0 if order is Order.WORST else -1.0
        if self._selection.metric == "kl":
            sign = -sign  # a divergence: less is better
        return sorted(entries, key=self._score_key(sign))

    def _score_key(self, sign: float) -> Callable[[ImageEntry], tuple[bool, float]]:
        def key(entry: ImageEntry) -> tuple[bool, float]:
            score = self.model.score(entry)
            return score is None, 0.0 if score is None else sign * score

        return key

    @Slot(object)
    def _follow(self, changed: frozenset[str]) -> None:
        if changed & {"task", "metric", "preset", "source"}:
            if self._order is Order.NAME:
                self.model.refresh()
                self._name_score()
            else:
                self._show()
        if "image_id" in changed:
            self._show_current()

    @Slot(QModelIndex, QModelIndex)
    def _choose(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._selection.image_id = self.model.entries[current.row()].id

    @Slot(object)
    def _thumbnail_ready(self, thumbnail: Thumbnail) -> None:
        row = self.model.row_of(thumbnail.image_id)
        if row >= 0:
            # Changed data would have the view lay out all of its lines again, for each picture that comes.
            self.view.update(self.model.index(row))

    def _show_current(self) -> None:
        row = self.model.row_of(self._selection.image_id)
        if row < 0:
            with QSignalBlocker(self.view.selectionModel()):
                self.view.selectionModel().clear()
            self.view.viewport().update()
        elif row != self.view.currentIndex().row():
            self.view.setCurrentIndex(self.model.index(row))
            self.view.scrollTo(self.model.index(row))
