"""The line over the panes while masks are painted: which mask, how much it covers, and how the brush is."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions
from gazeapp.ui.masks.painter import MaskPainter
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.masks.toolbox import action_button
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import label, no_mnemonic, plain

_STEPS = 200
"""Positions of the slider of sizes; each is the same factor larger than the one before."""

_LONGEST_NAME = 160


class MaskBar(QWidget):
    """Shows the mask in hand and the brush, and changes both.

    Parameters
    ----------
    menu
        What can be done with masks; opened from their name.
    """

    named = Signal(str)
    """A name was typed for the mask in hand."""

    def __init__(
        self,
        actions: Actions,
        session: MaskSession,
        painter: MaskPainter,
        menu: QMenu,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._painter = painter
        self.setAccessibleName("Mask in hand")
        self.name = QToolButton()
        self.name.setMenu(menu)
        self.name.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.name.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.name.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.name.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        theme.set_icon(self.name, "fill")
        self.field = _NameField()
        self.field.hide()
        self.area = _number(
            "Share of the image that the mask covers; what is half covered counts half", "00.00 %"
        )
        self.size = _slider("Size of the brush", _STEPS, "Size of the brush ([ and ], or Ctrl and wheel)")
        self.size_value = _number("Size of the brush, image px", "0000 px")
        self.softness = _slider(
            "Softness of the brush",
            100,
            "Share of the brush's radius over which it fades; the edges of shapes fade as far (Shift+[ and Shift+])",
        )
        self.softness_value = _number("Softness of the brush, percent of its radius", "100 %")
        self.hint = _Elided()
        self._lay_out(actions)
        self.size.valueChanged.connect(self._set_size)
        self.softness.valueChanged.connect(self._set_softness)
        self.field.accepted.connect(self._accept_name)
        self.field.dropped.connect(self.stop_naming)
        painter.changed.connect(self._follow)
        session.switched.connect(self._follow)
        session.painted.connect(self._show_area)
        session.listed.connect(self._follow)
        session.told.connect(self._follow)
        self._follow()

    def minimumSizeHint(self) -> QSize:
        """Return the size at which all but the hint is whole."""
        return QSize(6 * STEP, super().minimumSizeHint().height())

    @Slot()
    def ask_name(self) -> None:
        """Let the user type another name, in place of the one that is shown."""
        self.field.setText(self._session.name)
        self.name.hide()
        self.field.show()
        self.field.setFocus()
        self.field.selectAll()

    @Slot()
    def stop_naming(self) -> None:
        """Show the name again."""
        had_focus = self.field.hasFocus()
        self.field.hide()
        self.name.show()
        if had_focus and self.parentWidget() is not None:
            self.parentWidget().setFocus()

    def _lay_out(self, actions: Actions) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP // 2)
        for widget in (self.name, self.field, self.area):
            row.addWidget(widget)
        row.addSpacing(STEP)
        for text, slider, value in (
            ("size", self.size, self.size_value),
            ("soft", self.softness, self.softness_value),
        ):
            row.addWidget(label(text, "muted"))
            row.addWidget(slider, 100)
            row.addWidget(value)
            row.addSpacing(STEP)
        for action_id in ("edit.undo", "edit.redo"):
            row.addWidget(action_button(actions, action_id))
        row.addSpacing(STEP // 2)
        row.addWidget(self.hint, 300)

    @Slot(int)
    def _set_size(self, step: int) -> None:
        self._painter.set_pen(size=float(round(self._painter.largest ** (step / _STEPS))))

    @Slot(int)
    def _set_softness(self, percent: int) -> None:
        self._painter.set_pen(softness=percent / 100.0)

    @Slot()
    def _accept_name(self) -> None:
        if self.field.isVisible():
            self.named.emit(self.field.text())

    @Slot()
    def _follow(self) -> None:
        pen, session = self._painter.pen, self._session
        shown = QFontMetrics(self.name.font()).elidedText(
            session.name, Qt.TextElideMode.ElideMiddle, _LONGEST_NAME
        )
        self.name.setText(f"{no_mnemonic(shown)} ▾")
        self.name.setToolTip(
            plain(f"Mask in hand: {session.name}\nOther masks, and what can be done with them")
        )
        self.name.setAccessibleName(f"Mask in hand: {session.name}")
        with QSignalBlocker(self.size):
            self.size.setValue(
                round(_STEPS * math.log(max(pen.size, 1.0)) / math.log(max(self._painter.largest, 2.0)))
            )
        with QSignalBlocker(self.softness):
            self.softness.setValue(round(pen.softness * 100))
        self.size_value.setText(f"{pen.size:.0f} px")
        self.softness_value.setText(f"{pen.softness:.0%}".replace("%", "\N{NO-BREAK SPACE}%"))
        trouble = session.trouble
        if trouble is not None:
            self.hint.say(f"Not stored: {trouble.what}", f"{trouble.what} {trouble.todo}", warning=True)
        elif self._painter.editor is None:
            self.hint.say("Reading the mask…", "")
        else:
            self.hint.say(self._painter.tool.hint, self._painter.tool.hint)
        self._show_area()

    @Slot()
    def _show_area(self, _box: object = None) -> None:
        editor = self._session.editor
        self.area.setText("" if editor is None else percent(editor.area))


class _NameField(QLineEdit):
    """A line to type a name into: Return takes it, Esc drops it."""

    accepted = Signal()
    dropped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Name of the mask")
        self.setToolTip("Return takes the name, Esc drops it")
        self.setMaxLength(80)
        self.setFixedWidth(_LONGEST_NAME)
        self.returnPressed.connect(self.accepted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Drop the name on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event) -> None:
        """Take the name when the user goes on with something else."""
        super().focusOutEvent(event)
        self.accepted.emit()


class _Elided(QLabel):
    """A line of text that gives way to what stands beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""
        theme.set_role(self, "muted")

    def say(self, text: str, tip: str, *, warning: bool = False) -> None:
        """Show a line; a warning has the colour of one."""
        if text == self._whole:
            return
        self._whole = text
        self.setToolTip(plain(tip))
        theme.set_role(self, "warning" if warning else "muted")
        self.style().unpolish(self)
        self.style().polish(self)
        self._fit()

    def resizeEvent(self, event) -> None:
        """Cut the line to the room that there is."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))


def percent(share: float) -> str:
    """Return a share of the image in percent, with digits that tell small masks apart."""
    return f"{100 * share:.{2 if share < 0.1 else 1}f}\N{NO-BREAK SPACE}%"


def _slider(name: str, steps: int, tip: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, steps)
    slider.setMinimumWidth(5 * STEP)
    slider.setMaximumWidth(12 * STEP)
    slider.setToolTip(plain(tip))
    slider.setAccessibleName(name)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return slider


def _number(tip: str, widest: str) -> QLabel:
    """Return a label of numbers that does not move what stands beside it."""
    made = label("")
    made.setFont(theme.tabular(made.font()))
    made.setToolTip(plain(tip))
    made.setAccessibleName(tip)
    made.setFixedWidth(QFontMetrics(made.font()).horizontalAdvance(widest) + 4)
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return made
