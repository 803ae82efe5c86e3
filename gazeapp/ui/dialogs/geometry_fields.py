"""Fields of a geometry: numbers that may be left open, for one recording or for several at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QWidget

from gazeapp.engine.gaze.geometry import PLACEMENTS
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import label, no_mnemonic

DIFFERS = "differs"
_MOST = 100_000.0


class NumbersField(QWidget):
    """One number or several that belong together; 0 stands for one that is left open.

    Parameters
    ----------
    name
        What the numbers are, for screen readers.
    parts
        What each is; a single empty one for a single number.
    unit, decimals
        Unit and decimals of all.
    signed
        How many of the first numbers may be below 0, and mean 0 where it stands.
    """

    edited = Signal()

    def __init__(
        self, name: str, parts: Sequence[str], unit: str, decimals: int = 0, signed: int = 0
    ) -> None:
        super().__init__()
        self._unit = unit
        self._signed = signed
        self.boxes: list[QDoubleSpinBox] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP)
        for place, part in enumerate(parts):
            box = QDoubleSpinBox()
            box.setRange(-_MOST if place < signed else 0.0, _MOST)
            box.setDecimals(decimals)
            box.setSuffix(f" {unit}")
            box.setPrefix(f"{part} " if part else "")
            box.setAccessibleName(f"{name}, {part}" if part else name)
            box.valueChanged.connect(self.edited)
            row.addWidget(box, 1)
            self.boxes.append(box)
        self.setFocusProxy(self.boxes[0])

    @property
    def value(self) -> tuple[float, ...] | None:
        """The numbers; None while one that has to be given is left open."""
        values = tuple(box.value() for box in self.boxes)
        return values if all(values[self._signed :]) else None

    def show_value(
        self, own: Sequence[float] | None, otherwise: Sequence[float] | None, differs: bool
    ) -> None:
        """Show what was said, else what holds otherwise, else that it differs between recordings."""
        for place, box in enumerate(self.boxes):
            with QSignalBlocker(box):
                if differs:
                    box.setSpecialValueText(DIFFERS)
                elif otherwise is not None:
                    box.setSpecialValueText(f"{otherwise[place]:g} {self._unit}, not said here")
                else:
                    box.setSpecialValueText("not said")
                box.setValue(own[place] if own is not None and not differs else 0.0)


class PlacementField(QComboBox):
    """How images lay on the screen; the first entry says nothing of it."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.addItem("", "")
        for key, words in PLACEMENTS.items():
            self.addItem(no_mnemonic(words), key)
        self.activated.connect(self.edited)

    def show_value(self, own: str, otherwise: str, differs: bool) -> None:
        """Show what was said, else what holds otherwise, else that it differs between recordings."""
        words = PLACEMENTS[otherwise or "recorded"]
        rest = (
            "Differs between the recordings" if differs else f"Not said here: {words[:1].lower()}{words[1:]}"
        )
        with QSignalBlocker(self):
            self.setItemText(0, rest)
            self.setCurrentIndex(0 if differs else max(0, self.findData(own)))


def titled(text: str, tip: str, field: QWidget) -> QWidget:
    """Return the name of a field with its tooltip."""
    title = label(text, "muted")
    title.setContentsMargins(0, 6, 0, 0)
    title.setToolTip(tip)
    title.setBuddy(field)
    return title
