"""The images to which a region responds most and least, measured or predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QImage,
    QKeySequence,
    QPainter,
    QPixmap,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListView,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.numbers import count, number
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    shown_sources,
)
from gazeapp.engine.reports.results.neural_measures import (
    NeuralAsked,
)
from gazeapp.engine.reports.results.neural_read import ImageResponses
from gazeapp.engine.reports.tables import neutral
from gazeapp.engine.workflows.encode_atlas import TABLE
from gazeapp.ui import theme
from gazeapp.ui.loader import Loader, Thumbnail
from gazeapp.ui.widgets import capital, label, plain

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

MOST = 24
"""Images of each end that are shown at most, of many; of few, a third."""
_THUMBNAIL = QSize(144, 108)
_GAP, _LEAST = 12, 32
_WIDEST = "−00.000"
"""A value that has its place under the smallest thumbnail."""
_ID = int(Qt.ItemDataRole.UserRole)
_OBSERVED = "responses"


def images_work(
    results: NeuralResults, asked: NeuralAsked, source: tuple[str, str] | None
) -> Callable[[Any, Any], ImageResponses | None]:
    """Return the work of reading how a region responds to each image, or what a source predicts."""

    def work(project: Project, _progress: Any) -> ImageResponses | None:
        from gazeapp.engine.workflows.neural_results import read_image_responses

        return read_image_responses(
            project,
            results.responses,
            results.atlas,
            asked.task,
            asked.subject,
            asked.region,
            source,
            group=asked.groups,
        )

    return work


class ImagesPage(QWidget):
    """Two rows of thumbnails: the highest and the lowest responses of the region in hand."""

    image_chosen = Signal(int)
    wanted = Signal(object)
    """Kind and id of the source whose predictions are asked for; None for the responses themselves."""
    said = Signal(str)
    """What was done, in a few words."""

    def __init__(self, loader: Loader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._loader = loader
        self._shown: ImageResponses | None = None
        self._region = ""
        self._is_table = False
        self.what = QComboBox()
        self.what.setAccessibleName("Responses, or what a source predicts")
        self.what.setToolTip("Responses as they are, or what maps predict of images that were held out")
        self.what.setMaximumWidth(40 * theme.STEP)
        self.about = label("", "muted")
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.highest, self.lowest = _Gallery("Highest"), _Gallery("Lowest")
        self._titles = [label("", "section"), label("", "section")]
        top = QHBoxLayout()
        top.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 4)
        top.setSpacing(theme.STEP)
        top.addWidget(self.what)
        top.addWidget(self.about, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        for title, gallery in zip(self._titles, self.galleries, strict=True):
            title.setContentsMargins(2 * theme.STEP, 4, 0, 0)
            column.addWidget(title)
            column.addWidget(gallery, 1)
            gallery.chosen.connect(self.image_chosen)
        self.what.activated.connect(self._choose)
        loader.thumbnail_ready.connect(self._thumbnail_ready)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self)
        copy.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy.activated.connect(self.copy)

    @property
    def galleries(self) -> tuple[_Gallery, _Gallery]:
        """The row of the highest and that of the lowest."""
        return self.highest, self.lowest

    @property
    def source(self) -> tuple[str, str] | None:
        """Kind and id of the source whose predictions are shown; None for the responses themselves."""
        data = self.what.currentData()
        return None if data in (None, _OBSERVED) else tuple(data)

    def show_choices(self, results: NeuralResults | None, asked: NeuralAsked | None) -> None:
        """Offer the responses and the predictions of each source."""
        before = self.what.currentData()
        self.what.clear()
        if results is None or asked is None:
            self.show_images(None, None)
            return
        self._is_table = results.atlas == TABLE
        kind = "Simulated responses" if results.simulated else "Responses"
        self.what.addItem(kind, _OBSERVED)
        for source in shown_sources(results, asked):
            self.what.addItem(f"Predicted by {source.name}", [source.kind, source.id])
        self.what.setCurrentIndex(max(self.what.findData(before), 0))

    def show_images(self, images: ImageResponses | None, asked: NeuralAsked | None) -> None:
        """Show the images of a region; None where nothing is stored of it."""
        self._shown, self._region = images, asked.region if asked is not None else ""
        ranked = images.ranked() if images is not None else []
        n = min(MOST, max(len(ranked) // 3, 1), len(ranked) // 2)
        is_alone = len(ranked) == 1
        ends = (ranked if is_alone else ranked[:n], ranked[::-1][:n])
        digits = max(_decimals([value for _, _, value in end]) for end in ends)
        for gallery, end in zip(self.galleries, ends, strict=True):
            gallery.show_images(end, digits, self._loader)
        for title, name in zip(self._titles, ("HIGHEST", "LOWEST"), strict=True):
            title.setText(f"{name} {n}" if n else "")
        if is_alone:
            self._titles[0].setText("THE ONLY IMAGE")
        for part in (self._titles[1], self.lowest):
            part.setVisible(not is_alone)
        self._say_about("" if asked is None else self._about(asked, len(ranked)))

    def _about(self, asked: NeuralAsked, n: int) -> str:
        """Return what the numbers are."""
        if not n:
            return f"Nothing is stored of single images for {asked.region}."
        parts = ("regions" if asked.groups else "") if self._is_table else "vertices"
        what = "mean response" if parts else "response"
        said = what if self.source is None else f"predicted {what}"
        over = f" over its {parts}" if parts else ""
        held_out = "" if self.source is None else ", each image held out"
        return (
            f"{capital(said)} of {asked.region}{over}, in the unit of the responses{held_out}; {count(n, 'image')}. "
            "A click goes to the image."
        )

    def _say_about(self, words: str) -> None:
        self.about.setText(words)
        self.about.setToolTip(plain(words))

    def mark_image(self, image_id: int | None) -> None:
        """Mark the image in hand where it is among them."""
        for gallery in self.galleries:
            gallery.mark(image_id)

    @Slot()
    def copy(self) -> None:
        """Put all images with their values on the clipboard, the highest first, as lines with tabs."""
        if self._shown is None:
            return
        lines = [f"image\t{neutral(self._region)}"]
        lines += [f"{neutral(name)}\t{value:.10g}" for _, name, value in self._shown.ranked()]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
        self.said.emit(f"{count(len(lines) - 1, 'image')} copied")

    @Slot(int)
    def _choose(self, _place: int) -> None:
        self.wanted.emit(self.source)

    @Slot(object)
    def _thumbnail_ready(self, thumbnail: Thumbnail) -> None:
        for gallery in self.galleries:
            gallery.show_thumbnail(thumbnail)


class _Gallery(QListWidget):
    """A row of thumbnails with their values that wraps where there is room."""

    chosen = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[int, int] = {}
        self._marking = False
        self.setAccessibleName(f"{name} responses")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setIconSize(_THUMBNAIL)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(5 * theme.STEP)
        self.setViewportMargins(theme.STEP, 0, 0, 0)
        self.currentItemChanged.connect(self._chosen)

    def show_images(self, ranked: Sequence[tuple[int, str, float]], digits: int, loader: Loader) -> None:
        """Show (image id, name, value) in order, values with so many decimals."""
        self._marking = True
        self._rows = {}
        self.clear()
        for image_id, name, value in ranked:
            item = QListWidgetItem(number(value, digits))
            item.setFont(theme.tabular(self.font()))
            item.setData(_ID, image_id)
            item.setToolTip(plain(f"{name}: {number(value, digits + 2)}"))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {number(value, digits)}")
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
            item.setIcon(_icon(None))
            self._rows[image_id] = self.count()
            self.addItem(item)
            thumbnail = loader.thumbnail(image_id)
            if thumbnail is not None:
                self.show_thumbnail(thumbnail)
        self._marking = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let whole rows of thumbnails fill the height, so that none is cut."""
        super().resizeEvent(event)
        foot = self.fontMetrics().height() + _GAP
        room = max(self.height() // max(self.height() // (_THUMBNAIL.height() + foot), 1) - foot, _LEAST)
        height = min(room, _THUMBNAIL.height())
        width = height * _THUMBNAIL.width() // _THUMBNAIL.height()
        self.setIconSize(QSize(width, height))
        words = theme.tabular(self.font())
        least = QFontMetrics(words).horizontalAdvance(_WIDEST)
        self.setGridSize(QSize(max(width + _GAP, least + 2 * _GAP), height + foot))

    def show_thumbnail(self, thumbnail: Thumbnail) -> None:
        """Show the picture of an image that is among them."""
        item = self.item(self._rows.get(thumbnail.image_id, -1))
        if item is not None:
            item.setIcon(_icon(thumbnail.picture))
            if thumbnail.error:
                item.setToolTip(plain(f"{item.toolTip()}\n{thumbnail.error}"))

    def mark(self, image_id: int | None) -> None:
        """Make an image the current one without saying so."""
        self._marking = True
        item = self.item(self._rows.get(image_id, -1)) if image_id is not None else None
        self.setCurrentItem(item)
        if item is None:
            self.clearSelection()
        self._marking = False

    @Slot()
    def _chosen(self, _what: object = None, _before: object = None) -> None:
        item = self.currentItem()
        if item is not None and not self._marking:
            self.chosen.emit(int(item.data(_ID)))


def _decimals(values: Sequence[float]) -> int:
    """Return how many decimals tell most of these values apart."""
    spread = max(values, default=0.0) - min(values, default=0.0)
    return int(np.clip(2 - np.floor(np.log10(spread)), 0, 5)) if spread > 0 else 3


def _icon(picture: QImage | None) -> QIcon:
    """Return a thumbnail in the middle of its room; an empty plate while it is being read."""
    room = QPixmap(_THUMBNAIL)
    room.fill(Qt.GlobalColor.transparent)
    painter = QPainter(room)
    if picture is None:
        painter.fillRect(room.rect(), QColor(theme.colors().hover))
    else:
        size = picture.size().scaled(_THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        x, y = (_THUMBNAIL.width() - size.width()) // 2, (_THUMBNAIL.height() - size.height()) // 2
        painter.drawImage(room.rect().adjusted(x, y, -x, -y), picture)
    painter.end()
    made = QIcon(room)
    made.addPixmap(room, QIcon.Mode.Selected)
    return made
