"""How much of a part of the image an experiment takes away."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import Segments, plain

FULL, STEPS, NEAR = "full only", "5 steps", "near full"
_STRENGTHS = {FULL: "1", STEPS: "0.2, 0.4, 0.6, 0.8, 1", NEAR: "0.8, 0.9, 0.95, 0.99, 1"}
_ABOUT_STRENGTHS = (
    "Attention that is left is normalised anew, so that a small rest of it goes a long way: much of what keys do often "
    "happens between 0.9 and 1."
)


class StrengthChoice(QWidget):
    """A line of strengths, and some to take by a click."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.line = QLineEdit(_STRENGTHS[FULL])
        self.line.setAccessibleName("Strengths, 0 to 1, separated by commas")
        self.presets = Segments("Strengths to choose from")
        self.presets.set_values(list(_STRENGTHS), FULL)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self.presets)
        row.addWidget(self.line, 1)
        for part in (self.presets, self.line):
            part.setToolTip(plain(_ABOUT_STRENGTHS))
        self.presets.chosen.connect(self._take)
        self.line.textChanged.connect(self._follow)

    @property
    def chosen(self) -> tuple[float, ...]:
        """The strengths, rising, each once; none while what stands there are not numbers from 0 to 1."""
        texts = [text for text in re.split(r"[,;\s]+", self.line.text()) if text]
        try:
            found = sorted({float(text) for text in texts})
        except ValueError:
            return ()
        return tuple(found) if all(0.0 <= one <= 1.0 for one in found) else ()

    @property
    def reason(self) -> str:
        """Why nothing can be run with what stands there; empty when it can."""
        if not self.chosen:
            return "Strengths are numbers from 0 to 1, such as 0.2, 0.6, 1."
        return "" if any(self.chosen) else "A strength of 0 takes nothing away; add one above 0."

    @Slot(str)
    def _take(self, preset: str) -> None:
        self.line.setText(_STRENGTHS[preset])

    @Slot()
    def _follow(self) -> None:
        for preset, text in _STRENGTHS.items():
            if self.line.text() == text:
                self.presets.set_current(preset)
        self.changed.emit()
