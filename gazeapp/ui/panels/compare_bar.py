"""The line of controls over the compare view: which layers are drawn, and how."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QIcon, QPixmap, QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QSlider, QToolButton, QWidget

from gazeapp.ui.colours import DENSITY_MAPS, density_table, opaque, paint_table
from gazeapp.ui.selection import Selection
from gazeapp.ui.theme import STEP, set_icon

ALL_OBSERVERS = "all observers"

_TOGGLES = (
    ("show_overlay", "Maps", "layers", "Show or hide the maps (Space)"),
    ("shared_scale", "Shared scale", "scale", "One colour scale for all panes; off: each map has its own"),
    ("show_fixations", "Fixations", "gaze", "Show fixations, larger for longer ones (F)"),
    ("show_scanpath", "Scanpath", "path", "Join each observer's fixations in their order (S)"),
    ("moving", "Move", "move", "Move a scanpath to where it belongs (M)"),
    ("painting", "Mask", "brush", "Paint a mask: which part of the image is taken away from the models (B)"),
    ("show_difference", "Difference", "difference", "Show each model's map minus people's map (D)"),
)


class CompareBar(QWidget):
    """Shows and changes the display state of a selection; icons alone where there is no room for words."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._widths: tuple[int, int] | None = None
        self.toggles = {name: _toggle(name, text, icon, tip) for name, text, icon, tip in _TOGGLES}
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setMinimumWidth(6 * STEP)
        self.opacity.setMaximumWidth(12 * STEP)
        self.opacity.setToolTip("Opacity of the maps, in percent")
        self.opacity.setAccessibleName("Opacity of the maps, percent")
        self.colormap = QComboBox()
        self.colormap.setIconSize(QSize(40, 10))
        self.colormap.setToolTip("Colour map of the density maps")
        self.colormap.setAccessibleName("Colour map of the density maps")
        for name in DENSITY_MAPS:
            self.colormap.addItem(_swatch(name), name)
        self.subject = QComboBox()
        self.subject.setToolTip("Whose fixations and scanpath are shown")
        self.subject.setAccessibleName("Observer whose fixations are shown")
        self.subject.setMinimumContentsLength(10)
        self.set_subjects(())
        for control in (self.opacity, self.colormap, self.subject):
            # A click must not take the keyboard away from the panes.
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        self.opacity.valueChanged.connect(self._set_opacity)
        self.colormap.currentTextChanged.connect(self._set_colormap)
        self.subject.activated.connect(self._set_subject)
        for button in self.toggles.values():
            button.toggled.connect(self._set_toggles)
        selection.changed.connect(self._follow)
        self._follow()

    def set_subjects(self, subjects: Sequence[str]) -> None:
        """Offer these observers, and all of them together."""
        if [self.subject.itemData(place) for place in range(self.subject.count())] == ["", *subjects]:
            return
        with QSignalBlocker(self.subject):
            self.subject.clear()
            self.subject.addItem(ALL_OBSERVERS, "")
            for name in subjects:
                self.subject.addItem(name, name)
        self._widths = None
        self.subject.setEnabled(bool(subjects))
        self._follow_subject()

    def explain(self, name: str, reason: str) -> None:
        """Disable a toggle for a reason, or enable it with an empty one."""
        button = self.toggles[name]
        tip = next(tip for field, _, _, tip in _TOGGLES if field == name)
        button.setEnabled(not reason)
        button.setToolTip(f"{tip}\nNot now: {reason}" if reason else tip)

    def minimumSizeHint(self) -> QSize:
        """Return the size without words."""
        return QSize(self._measured()[0], super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write the words out where there is room for all of them."""
        super().resizeEvent(event)
        self._write_words(self.width() >= self._measured()[1])

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._widths = None

    def _measured(self) -> tuple[int, int]:
        """Return the least widths without and with words, px."""
        if self._widths is None:
            written = self._written
            widths = []
            for words in (False, True):
                self._write_words(words)
                self._row.invalidate()
                widths.append(self._row.minimumSize().width())
            self._write_words(written)
            self._widths = widths[0], widths[1]
        return self._widths

    @property
    def _written(self) -> bool:
        return self.toggles["show_overlay"].toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly

    def _write_words(self, written: bool) -> None:
        style = Qt.ToolButtonStyle
        for button in self.toggles.values():
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if written else style.ToolButtonIconOnly)

    def _lay_out(self) -> None:
        self._row = layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP // 2)
        layout.addWidget(self.toggles["show_overlay"])
        layout.addWidget(self.opacity, 100)
        layout.addSpacing(STEP // 2)
        layout.addWidget(self.colormap)
        layout.addWidget(self.toggles["shared_scale"])
        layout.addWidget(self.toggles["show_difference"])
        layout.addWidget(_divider())
        layout.addWidget(self.toggles["show_fixations"])
        layout.addWidget(self.toggles["show_scanpath"])
        layout.addWidget(self.toggles["moving"])
        layout.addWidget(self.subject)
        layout.addWidget(self.toggles["painting"])
        layout.addStretch(1)

    def _set_opacity(self, percent: int) -> None:
        self._selection.update(opacity=percent / 100.0)

    def _set_colormap(self, name: str) -> None:
        self._selection.update(colormap=name)

    def _set_subject(self, index: int) -> None:
        self._selection.update(subject=self.subject.itemData(index))

    def _set_toggles(self) -> None:
        self._selection.update(**{name: button.isChecked() for name, button in self.toggles.items()})

    def _follow(self, _changed: object = None) -> None:
        display = self._selection.display
        for name, button in self.toggles.items():
            with QSignalBlocker(button):
                button.setChecked(getattr(display, name))
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(display.opacity * 100))
        with QSignalBlocker(self.colormap):
            if self.colormap.findText(display.colormap) < 0:
                self.colormap.addItem(_swatch(display.colormap), display.colormap)
            self.colormap.setCurrentText(display.colormap)
        self._follow_subject()

    def _follow_subject(self) -> None:
        with QSignalBlocker(self.subject):
            self.subject.setCurrentIndex(max(self.subject.findData(self._selection.display.subject), 0))


def _toggle(name: str, text: str, icon: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setCheckable(True)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    set_icon(button, icon)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button


def _divider() -> QFrame:
    line = QFrame()
    line.setFixedSize(STEP, 2 * STEP)
    return line


def _swatch(name: str) -> QIcon:
    row = np.linspace(0, 255, 40).astype(np.uint8)[None, :].repeat(10, axis=0)
    return QIcon(QPixmap.fromImage(paint_table(row, opaque(density_table(name)))))
