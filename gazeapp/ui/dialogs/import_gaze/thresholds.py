"""Fields for the thresholds of finding fixations, each with what is usual for the method."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from gazeapp.engine.gaze.detection import DetectionSettings
from gazeapp.engine.gaze.detection.settings import AUTO, IDT, IVT, NAMES
from gazeapp.ui.dialogs.form import NumberBox, add_field, form_layout

_UNSAID = -1.0
_BY_NOISE = "by the noise"


class _Entry(NamedTuple):
    name: str
    unit: str
    step: float
    most: float
    tip: str
    methods: tuple[str, ...] = ()


_ENTRIES = {
    "velocity_deg_s": _Entry(
        "Velocity below", "deg/s", 5, 1000, "Gaze that moves slower than this fixates.", (IVT,)
    ),
    "velocity_window_ms": _Entry(
        "Measured over",
        "ms",
        5,
        1000,
        "Time over which the velocity is measured; longer evens noise out.",
        (IVT,),
    ),
    "dispersion_deg": _Entry(
        "Area within", "deg", 0.1, 50, "Width plus height of the area in which gaze stays.", (IDT,)
    ),
    "min_duration_ms": _Entry("At least", "ms", 10, 10_000, "Shorter fixations do not count."),
    "max_gap_ms": _Entry("Gaps up to", "ms", 10, 10_000, "Lost data up to this long do not end a fixation."),
    "merge_gap_ms": _Entry(
        "Merge within", "ms", 5, 10_000, "Neighbours this close in time and in position are one; 0 for never."
    ),
    "merge_distance_deg": _Entry(
        "and within", "deg", 0.1, 50, "Neighbours this close in time and in position are one."
    ),
}


class _Field(NumberBox):
    """A number, or what is usual while nobody says one."""

    def __init__(self, entry: _Entry) -> None:
        super().__init__()
        self._usual: float | None = None
        self.setRange(_UNSAID, entry.most)
        self.setDecimals(1)
        self.setSingleStep(entry.step)
        self.setSuffix(f" {entry.unit}")
        self.setKeyboardTracking(False)

    @property
    def said(self) -> float | None:
        """The number, None while it is the usual one."""
        return self.value() if self.value() >= 0 else None

    def set_usual(self, usual: float | None, words: str = "") -> None:
        """Say what is usual: None when that is not known yet; ``words`` when it is more than a number."""
        self._usual = usual
        known = "" if usual is None else f"{usual:.3g}{self.suffix()}, "
        self.setSpecialValueText(words or f"{known}as usual")

    def stepBy(self, steps: int) -> None:
        """Step from what is usual, and not below 0."""
        if self.said is None:
            self.setValue(self._usual or 0.0)
        self.setValue(max(self.value() + steps * self.singleStep(), 0.0))


class Thresholds(QWidget):
    """The thresholds of :class:`DetectionSettings`; those that the method does not use are disabled."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._fields = {key: _Field(entry) for key, entry in _ENTRIES.items()}
        self.form = form_layout()
        self.setLayout(self.form)
        for key, field in self._fields.items():
            self.add_row(_ENTRIES[key].name, field)
            field.setAccessibleName(f"{_ENTRIES[key].name}, {_ENTRIES[key].unit}")
            field.valueChanged.connect(self.changed)

    def add_row(self, name: str, field: QWidget, row: int = -1) -> None:
        """Add a field with its name before a row; at the end by default."""
        add_field(self.form, name, field, row=row)

    def field(self, key: str) -> _Field:
        """Return the field of a threshold."""
        return self._fields[key]

    def show_settings(self, settings: DetectionSettings, rate_hz: float | None, why_not: str = "") -> None:
        """Show thresholds.

        Parameters
        ----------
        settings
            The method and its thresholds.
        rate_hz
            Sampling rate, Hz, which decides what is usual; None when it is not known.
        why_not
            Why no threshold can be changed; empty when they can.
        """
        usual = DetectionSettings(method=settings.method)
        default = DetectionSettings()
        known = None if rate_hz is None and settings.method == AUTO else usual.at(rate_hz or 1000.0)
        for key, field in self._fields.items():
            entry = _ENTRIES[key]
            value = getattr(settings, key)
            with QSignalBlocker(field):
                words = _BY_NOISE if key == "velocity_window_ms" else ""
                field.set_usual(None if known is None else getattr(known, key), words)
                field.setValue(_UNSAID if value is None or value == getattr(default, key) else value)
            of = "" if known is None else known.method
            fits = not entry.methods or not of or of in entry.methods
            field.setEnabled(fits and not why_not)
            users = "" if fits else f"Only {' and '.join(NAMES[method] for method in entry.methods)} uses it."
            field.setToolTip(" ".join(part for part in (entry.tip, users, why_not) if part))

    def settings(self, method: str) -> DetectionSettings:
        """Return what the fields say, for a method.

        Raises
        ------
        GazeError
            When a threshold makes no sense.
        """
        said = {key: field.said for key, field in self._fields.items()}
        return DetectionSettings(method, **{key: value for key, value in said.items() if value is not None})
