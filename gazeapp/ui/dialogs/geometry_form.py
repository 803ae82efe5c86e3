"""The fields of a geometry, which may be left open: of one recording or of several at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QWidget

from gazeapp.engine.gaze.geometry import PLACEMENTS, Geometry
from gazeapp.ui.dialogs.form import Resettable, add_field, form_layout
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import lower_first

DIFFERS = "differs"
EXPLICIT = "explicit"
_MOST = 100_000.0
_BOX_WIDTH = 12 * STEP
_ROWS = (
    ("screen", "Screen", "Size of the screen that people looked at, px. Positions are counted on it."),
    (
        "placement",
        "Image on the screen",
        "Where images lay on the screen. It decides where on the image a fixation falls.",
    ),
    ("rect", "Its place", "Left and top edge, width and height of the image as it was shown, screen px."),
    (
        "distance_cm",
        "Viewing distance",
        "From the eyes to the screen, cm. With the screen's width it tells what a degree is in px.",
    ),
    (
        "screen_width_cm",
        "Width of the screen",
        "Width of the part of the screen that lights up, cm; not its diagonal.",
    ),
    (
        "px_per_deg",
        "Px per degree",
        "Px in a degree of visual angle, where you know it directly; it takes the place of distance and width. It "
        "matters for finding fixations in samples and for a blur in degrees.",
    ),
)


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
            box.setMinimumWidth(_BOX_WIDTH)
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
    def value(self) -> float | tuple[float, ...] | None:
        """The number or the numbers; None while one that has to be given is left open."""
        values = tuple(box.value() for box in self.boxes)
        if not all(values[self._signed :]):
            return None
        return values if len(values) > 1 else values[0]

    @property
    def is_touched(self) -> bool:
        """Whether any number is given."""
        return any(box.value() for box in self.boxes)

    def setEnabled(self, enabled: bool) -> None:
        """Enable or disable each number, so that the focus moves on from one that is disabled and is not lost."""
        for box in self.boxes:
            box.setEnabled(enabled)
        super().setEnabled(enabled)

    def leave_open(self) -> None:
        """Take all numbers back, without saying so."""
        for box in self.boxes:
            with QSignalBlocker(box):
                box.setValue(0.0)

    def show_value(
        self,
        own: float | Sequence[float] | None,
        otherwise: float | Sequence[float] | None,
        differs: bool = False,
    ) -> None:
        """Show what was said, else what holds otherwise, else that it differs between recordings."""
        said, rest = _each(own), _each(otherwise)
        for place, box in enumerate(self.boxes):
            with QSignalBlocker(box):
                words = f"{rest[place]:g} {self._unit}, not said here" if rest else "not said"
                box.setSpecialValueText(box.prefix() + (DIFFERS if differs else words))
                box.setValue(said[place] if said and not differs else 0.0)


class PlacementField(QComboBox):
    """How images lay on the screen; the first entry says nothing of it."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.addItem("", "")
        for key, words in PLACEMENTS.items():
            self.addItem(words, key)
        self.activated.connect(self.edited)

    @property
    def value(self) -> str:
        """The placement; empty while it is left open."""
        return str(self.currentData())

    @property
    def is_touched(self) -> bool:
        """Whether a placement is given."""
        return bool(self.value)

    def leave_open(self) -> None:
        """Take the placement back, without saying so."""
        with QSignalBlocker(self):
            self.setCurrentIndex(0)

    def show_value(self, own: str | None, otherwise: str | None, differs: bool = False) -> None:
        """Show what was said, else what holds otherwise, else that it differs between recordings."""
        rest = f"Not said here: {lower_first(PLACEMENTS[otherwise or 'recorded'])}"
        with QSignalBlocker(self):
            self.setItemText(0, "Differs between the recordings" if differs else rest)
            self.setCurrentIndex(0 if differs else max(0, self.findData(own or "")))


class GeometryForm(QWidget):
    """Fields for :class:`Geometry`.

    ``edited`` comes with the name of what the user changed or left open, and not while fields are filled.
    """

    edited = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, NumbersField | PlacementField] = {
            "screen": NumbersField("Screen", ("w", "h"), "px"),
            "placement": PlacementField(),
            "rect": NumbersField("Place of the image", ("x", "y", "w", "h"), "px", signed=2),
            "distance_cm": NumbersField("Viewing distance", ("",), "cm", 1),
            "screen_width_cm": NumbersField("Width of the screen", ("",), "cm", 1),
            "px_per_deg": NumbersField("Px per degree", ("",), "px", 2),
        }
        self.lines: dict[str, Resettable] = {}
        form = form_layout()
        self.setLayout(form)
        for name, title, tip in _ROWS:
            field = self.fields[name]
            field.setAccessibleName(title)
            field.edited.connect(partial(self.edited.emit, name))
            line = Resettable(field, f"Leave it open: {lower_first(title)}")
            line.reset.connect(partial(self.leave_open, name))
            self.lines[name] = line
            add_field(form, title, line, tip)
        self.setFocusProxy(self.fields["screen"])

    def show_geometries(self, said: Sequence[Geometry], otherwise: Sequence[Geometry]) -> None:
        """Show what is said of each recording, with what holds for it otherwise."""
        for name, field in self.fields.items():
            own = {getattr(geometry, name) for geometry in said}
            others = {getattr(geometry, name) for geometry in otherwise}
            differs = len(own) > 1 or (own <= {None, ""} and len(others) > 1)
            field.show_value(next(iter(own), None), next(iter(others), None), differs)

    def geometry_said(self) -> Geometry:
        """Return what the fields say; a place without its size is not said yet."""
        values: dict[str, Any] = {name: field.value for name, field in self.fields.items()}
        if values["placement"] != EXPLICIT:
            values["rect"] = None
        elif values["rect"] is None:
            values["placement"] = ""
        return Geometry(**values)

    def leave_open(self, name: str) -> None:
        """Take back what is said of one thing; an explicit placement goes with its rectangle."""
        self.fields[name].leave_open()
        if name == "rect":
            self.fields["placement"].leave_open()
        self.edited.emit(name)

    def allow(self, why_not: Mapping[str, str], said: Collection[str] = ()) -> None:
        """Disable what cannot matter.

        Parameters
        ----------
        why_not
            Names of fields that are disabled, and why.
        said
            Names of what is said, where the fields do not show it because recordings differ.
        """
        explicit = self.fields["placement"].value == EXPLICIT
        of_rect = "" if explicit else "For images at a place that you give."
        for name, _, tip in _ROWS:
            field = self.fields[name]
            reason = why_not.get(name) or (of_rect if name == "rect" else "")
            field.setEnabled(not reason)
            field.setToolTip(f"{tip}\nNot now: {reason}" if reason else tip)
            can_reset = name in said or field.is_touched
            self.lines[name].allow_reset("" if can_reset else "Nothing is said of it.")


def _each(value: float | Sequence[float] | None) -> Sequence[float]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int | float) else value
