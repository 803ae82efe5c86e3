"""Small parts that several panels share."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import fill
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayoutItem,
    QPushButton,
    QSizePolicy,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme

if TYPE_CHECKING:
    from gazeapp.engine.errors import GazeError
    from gazeapp.ui.worker import JobError

_SIDE_BY_SIDE = 5
_EMPTY_WIDTH = 440
_TIP_WIDTH = 60
_FEWEST_CHARACTERS = 8
"""Characters below which a line that was cut says nothing."""


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label of plain text in a style role (``title``, ``muted``, ``section`` ...)."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        theme.set_role(made, role)
    return made


class Elided(QLabel):
    """A line that takes the room that others leave; what has no place is cut at its end and stands in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.set_role(self, "muted")
        self._whole = ""

    @property
    def whole(self) -> str:
        """All that is said."""
        return self._whole

    def say(self, words: str, tip: str = "") -> None:
        """Say something; the tooltip has ``tip``, or the same words."""
        self._whole = words
        self.setAccessibleName(words)
        self.setToolTip(plain(tip or words))
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return the height of a line, and no width."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the line to the room that there is."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        fits = metrics.horizontalAdvance(self._whole) <= self.width()
        has_room = fits or self.width() >= metrics.horizontalAdvance("X" * _FEWEST_CHARACTERS)
        cut = metrics.elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        self.setText(cut if has_room else "")


def keep_room(words: QLabel, lines: int = 1) -> None:
    """Let a label keep the height of so many lines while it is hidden or says less, so that nothing moves."""
    said = words.text()
    words.ensurePolished()
    words.setText("\n".join("X" * lines))
    words.setMinimumHeight(words.heightForWidth(_EMPTY_WIDTH))
    words.setText(said)
    if lines > 1:  # one line stays in the middle, as in a note of which the box can be seen
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
    policy = words.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    words.setSizePolicy(policy)


def wrapped(text: str) -> str:
    """Return ``text`` for a tooltip in lines that can be read; Qt leaves plain text on one, however long."""
    return "\n".join(
        fill(line, _TIP_WIDTH, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
    )


def plain(text: str) -> str:
    """Return ``text`` for a tooltip, wrapped, so that names of files are never taken for markup."""
    text = wrapped(text)
    return f"<span style='white-space: pre-wrap'>{escape(text)}</span>" if Qt.mightBeRichText(text) else text


def no_mnemonic(text: str) -> str:
    """Return ``text`` for a button or menu, where a single ``&`` would underline the next letter."""
    return text.replace("&", "&&")


def capital(text: str) -> str:
    """Return ``text`` with a capital first letter."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return ``text`` with a small first letter, for the middle of a sentence."""
    return text[:1].lower() + text[1:]


def advice(problem: GazeError | JobError) -> str:
    """Return what is wrong and what can be done, where it is plain which file or setting is meant."""
    return f"{problem.what} {problem.todo}".strip()


def simulated_badge() -> QLabel:
    """Return the badge of everything that is simulated."""
    badge = label("simulated", "badge")
    badge.setToolTip("The observers are simulated: their fixations were drawn from a known density.")
    badge.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
    return badge


def icon_button(name: str, tooltip: str) -> QToolButton:
    """Return a flat button with an icon; the tooltip is its accessible name too."""
    button = QToolButton()
    theme.set_icon(button, name)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    return button


def set_up_rows(table: QTableView, name: str, row_height: int) -> None:
    """Show the rows of a table without a grid and numbers, one line each, and let the tab key leave it."""
    table.setAccessibleName(name)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(row_height)
    table.horizontalHeader().setHighlightSections(False)


def drop_widget(item: QLayoutItem | None) -> None:
    """Do away with the widget of an item taken out of a layout; out of sight at once."""
    widget = item.widget() if item is not None else None
    if widget is not None:
        widget.hide()
        widget.deleteLater()


class EmptyState(QWidget):
    """Says what would be here, and holds the button that brings it, or several."""

    def __init__(self, icon: str, title: str, text: str, button: QWidget | None = None) -> None:
        super().__init__()
        picture = QLabel()
        theme.set_icon(picture, icon, 32)
        self._title = label(title, "title")
        self._text = label(text, "muted", wrap=True)
        self._note = label("", "muted", wrap=True)
        self._note.hide()
        # A wrapped label knows its height only at a given width.
        body = QWidget()
        body.setFixedWidth(_EMPTY_WIDTH)
        column = QVBoxLayout(body)
        column.setSpacing(theme.STEP)
        column.addStretch(1)
        for widget in (picture, self._title):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._text)
        if button is not None:
            column.addSpacing(theme.STEP)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._note)
        column.addStretch(1)
        for words in (self._text, self._note):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(body)

    def set_text(self, text: str) -> None:
        """Say something else of what would be here."""
        self._text.setText(text)

    def set_note(self, text: str) -> None:
        """Say why the button cannot be used now; empty when it can."""
        self._note.setText(text)
        self._note.setVisible(bool(text))


class Segments(QFrame):
    """A few choices side by side, one of them taken; many choices become a list to open."""

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("segments")
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(self._clicked)
        self._box = QComboBox()
        self._box.setAccessibleName(name)
        self._box.activated.connect(self._clicked)
        self._values: list[str] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, 2, 2, 2)
        self._row.setSpacing(2)
        self._row.addWidget(self._box)

    @property
    def values(self) -> list[str]:
        """The choices, in order."""
        return list(self._values)

    @property
    def current(self) -> str:
        """The choice taken; empty when there is none."""
        number = self._box.currentIndex()
        return self._values[number] if 0 <= number < len(self._values) else ""

    def set_values(self, values: Sequence[str], current: str = "") -> None:
        """Offer ``values`` and take ``current``."""
        if list(values) != self._values:
            self._values = list(values)
            self._box.clear()
            self._box.addItems(self._values)
            self._rebuild()
        self.set_current(current)

    def set_current(self, value: str) -> None:
        """Take ``value`` without saying so."""
        if value not in self._values:
            return
        number = self._values.index(value)
        self._box.setCurrentIndex(number)
        if button := self._group.button(number):
            button.setChecked(True)

    def _rebuild(self) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        few = len(self._values) <= _SIDE_BY_SIDE
        self._box.setVisible(not few)
        for number, value in enumerate(self._values if few else ()):
            button = QPushButton(no_mnemonic(value))
            button.setCheckable(True)
            theme.set_role(button, "segment")
            self._group.addButton(button, number)
            self._row.addWidget(button)

    @Slot(int)
    def _clicked(self, number: int) -> None:
        self.set_current(self._values[number])
        self.chosen.emit(self._values[number])


def place_now(*widgets: QWidget) -> None:
    """Give what lies in ``widgets``, outer ones first, its place at once.

    New widgets in a layout are else drawn once in the corner, before the layout has had its turn.
    """
    for widget in widgets:
        layout = widget.layout()
        if layout is not None:
            layout.activate()
