"""One pane of the compare view: title, image with map and gaze, caption."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from gazeapp.engine.reports.numbers import number
from gazeapp.ui.canvas.caption import CaptionView
from gazeapp.ui.canvas.colourbar import ColourBar
from gazeapp.ui.canvas.heat import UNIT, HeatLayer, Scale
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.canvas.title import Title, TitleBar
from gazeapp.ui.canvas.view import ImageView
from gazeapp.ui.theme import STEP


class ImagePane(QWidget):
    """People or one model on the image in hand.

    Parameters
    ----------
    source
        ``people`` or a model's id.
    """

    focus_wanted = Signal(str)
    """The pane was clicked: its source."""
    room_wanted = Signal(str)
    """The title was clicked twice, for the pane to have all the room or to give it back: its source."""
    word_chosen = Signal(str, int)
    """A word of this pane's caption was chosen: source and word, -1 for the mean map."""
    action_wanted = Signal(str)
    """The button of the pane's notice was pressed: its source."""

    def __init__(self, source: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self.title = TitleBar()
        self.view = ImageView()
        self.bar = ColourBar()
        self.caption = CaptionView()
        self.notice = Notice(compact=True, parent=self.view)
        self.notice.setAutoFillBackground(True)
        self.notice.hide()
        self.bar.hide()
        row = QHBoxLayout()
        row.setSpacing(STEP // 2)
        row.addWidget(self.view, 1)
        row.addWidget(self.bar)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.title)
        self._column.addLayout(row, 1)
        self._column.addWidget(self.caption)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.title.clicked.connect(self._want_focus)
        self.title.clicked_twice.connect(self._want_room)
        self.view.clicked.connect(self._want_focus)
        self.caption.focused.connect(self._want_focus)
        self.caption.word_chosen.connect(self._choose_word)
        self.notice.pressed.connect(self._want_action)

    def set_title(self, title: Title) -> None:
        """Say who is shown."""
        self.title.set_title(title)
        self.setAccessibleName(title.name)
        self.caption.setAccessibleName(f"Caption of {title.name}")
        self.view.setAccessibleName(f"Map of {title.name}")

    def set_layer(self, layer: HeatLayer | None, table: NDArray[np.uint8], scale: Scale) -> None:
        """Draw a map in the colours of ``table`` (256, 4), which span ``scale``."""
        if layer is None:
            self.view.set_layer(None)
            return
        self.view.set_layer(layer, layer.table_for(table, scale))
        self.bar.set_scale(table, scale)

    def set_probe(self, place: tuple[float, float] | None) -> None:
        """Show the crosshair and the map's value at (across, down), or neither."""
        layer = self.view.layer
        self.view.set_probe(place)
        if place is None or layer is None:
            self.title.set_readout(())
            return
        value = number(layer.value_at(*place))
        percentile = ordinal(round(layer.percentile_at(*place)))
        self.title.set_readout(
            (
                f"{value} {UNIT}, {percentile} percentile",
                f"{value} {UNIT}, {percentile}",
                f"{value} ×, {percentile}",
                f"{value} ×",
            )
        )

    def show_notice(self, title: str, text: str = "", button: str = "", tip: str = "") -> None:
        """Say in the middle of the image what is missing."""
        self.notice.say(title, text, button, tip)
        self.notice.setGeometry(self.view.rect())
        self.notice.show()

    def hide_notice(self) -> None:
        """Take the notice away."""
        self.notice.hide()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the pane as a picture."""
        menu = QMenu(self)
        menu.addAction("Copy this pane as a picture", self.copy_picture)
        menu.exec(event.globalPos())

    def copy_picture(self) -> None:
        """Put the pane on the clipboard as it is drawn."""
        QGuiApplication.clipboard().setImage(self.grab().toImage())

    def resizeEvent(self, _event: object) -> None:
        """Keep the notice over the image."""
        self._column.activate()
        self.notice.setGeometry(self.view.rect())

    def _want_focus(self) -> None:
        self.focus_wanted.emit(self.source)

    def _want_room(self) -> None:
        self.room_wanted.emit(self.source)

    def _choose_word(self, word: int) -> None:
        self.word_chosen.emit(self.source, word)

    def _want_action(self) -> None:
        self.action_wanted.emit(self.source)


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``97th`` ..."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
