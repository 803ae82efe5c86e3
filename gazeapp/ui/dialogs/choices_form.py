"""The fields of the choices: which fixations count, and how they make human maps."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QWidget

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.ui.dialogs.form import NumberBox, Resettable, add_field, choice_box, form_layout
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import lower_first

_FIELD_WIDTH = 26 * STEP
_UNBOUNDED = 0.0

_USUAL_BLUR = {"px": GazeChoices().sigma, "deg": 1.0}
_LISTS = {
    "eye": {
        "The better recorded one": "best",
        "Left": "left",
        "Right": "right",
        "The mean of both": "average",
    },
    "first_fixation": {"Use it": "keep", "Leave it out": "drop"},
    "outside": {"Leave them out": "drop", "Move them to the border": "clamp"},
    "weighting": {"All count the same": "equal", "Longer ones count more": "duration"},
    "sigma_unit": {"px of the image": "px", "degrees": "deg"},
}
_ROWS = (
    (
        "eye",
        "Eye",
        "For recordings of both eyes; each fixation counts once. The better recorded eye is the one with more "
        "positions in its recording. A trial without the chosen eye uses the one that it has.",
    ),
    (
        "first_fixation",
        "First fixation of a trial",
        "It often only continues where the gaze rested before the image came, so it draws maps to the middle and "
        "raises the score of a centre bias. It is found by its number before anything else is left out.",
    ),
    (
        "min_duration_ms",
        "Shortest",
        "Fixations under this duration, ms, are left out; ones of unknown duration stay. Common bounds are 50 to "
        "100 ms.",
    ),
    (
        "max_duration_ms",
        "Longest",
        "Fixations over this duration, ms, are left out; ones of unknown duration stay. Very long ones are often "
        "staring or lost tracking.",
    ),
    (
        "outside",
        "Outside the image",
        "Fixations beside the image. Moving them to its border keeps their number but piles weight up there.",
    ),
    (
        "weighting",
        "Weight in human maps",
        "Weights change human maps, and with them CC, SIM, KL and other metrics of maps. NSS and the AUCs count "
        "every fixation the same.",
    ),
    (
        "sigma",
        "Blur of human maps",
        "Standard deviation of the Gaussian that makes fixations a map (not its full width at half maximum). About "
        "1 degree is usual: what the fovea sees, and the error of the tracker. A wider blur raises CC and SIM of "
        "smooth maps.",
    ),
)


class ChoicesForm(QWidget):
    """Fields for :class:`GazeChoices`; ``edited`` comes when the user changes one, and not while they are filled."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, QComboBox | QDoubleSpinBox] = {
            **{name: choice_box(words) for name, words in _LISTS.items()},
            "min_duration_ms": _bound(),
            "max_duration_ms": _bound(),
            "sigma": _number(0.1, 5000.0),
        }
        self.lines: dict[str, Resettable] = {}
        form = form_layout()
        self.setLayout(form)
        for name, title, tip in _ROWS:
            field = self._blur() if name == "sigma" else self.fields[name]
            field.setMinimumSize(_FIELD_WIDTH, field.sizeHint().height())
            self.fields[name].setAccessibleName(title)
            line = Resettable(field, f"Default of {lower_first(title)}")
            line.reset.connect(partial(self._take_default, _of_row(name)))
            self.lines[name] = line
            add_field(form, title, line, tip)
        for name, field in self.fields.items():
            changed = field.activated if isinstance(field, QComboBox) else field.valueChanged
            changed.connect(self._unit_chosen if name == "sigma_unit" else self._edited)
        self.setFocusProxy(self.fields["eye"])
        self.show_choices(GazeChoices())

    def show_choices(self, choices: GazeChoices) -> None:
        """Fill the fields in."""
        self._fill(asdict(choices))
        # What a field cannot show exactly is kept while the field is not edited.
        self._given, self._given_as_shown = choices, self._values()
        self._unit, self._blurs = choices.sigma_unit, {**_USUAL_BLUR, choices.sigma_unit: choices.sigma}
        self._allow_resets()

    def choices(self) -> GazeChoices:
        """Return what the fields say.

        Raises
        ------
        GazeError
            When the bounds of the duration cross.
        """
        values = self._values().items()
        return replace(
            self._given, **{name: value for name, value in values if value != self._given_as_shown[name]}
        )

    def _values(self) -> dict[str, Any]:
        return {
            name: field.currentData() if isinstance(field, QComboBox) else field.value() or None
            for name, field in self.fields.items()
        }

    def _fill(self, values: Mapping[str, Any]) -> None:
        with ExitStack() as quiet:
            for name, value in values.items():
                field = self.fields[name]
                quiet.enter_context(QSignalBlocker(field))
                if isinstance(field, QComboBox):
                    field.setCurrentIndex(field.findData(value))
                else:
                    field.setValue(value or _UNBOUNDED)

    def _take_default(self, names: tuple[str, ...]) -> None:
        default = asdict(GazeChoices())
        self._fill({name: default[name] for name in names})
        self._unit = self._values()["sigma_unit"]
        self._edited()

    @Slot()
    def _unit_chosen(self) -> None:
        """Take the blur last used in the unit, else what is usual in it: 24 px are not 24 degrees."""
        self._blurs[self._unit] = self._values()["sigma"]
        self._unit = self._values()["sigma_unit"]
        self._fill({"sigma": self._blurs[self._unit]})
        self._edited()

    @Slot()
    def _edited(self) -> None:
        self._allow_resets()
        self.edited.emit()

    def _allow_resets(self) -> None:
        values, default = self._values(), asdict(GazeChoices())
        for name, line in self.lines.items():
            is_default = all(values[part] == default[part] for part in _of_row(name))
            line.allow_reset("It is at its default." if is_default else "")

    def _blur(self) -> QWidget:
        """Return the field of the blur with that of its unit."""
        blur = QWidget()
        row = QHBoxLayout(blur)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP)
        row.addWidget(self.fields["sigma"], 1)
        row.addWidget(self.fields["sigma_unit"], 1)
        blur.setFocusProxy(self.fields["sigma"])
        self.fields["sigma_unit"].setAccessibleName("Unit of the blur")
        return blur


def _of_row(name: str) -> tuple[str, ...]:
    """Return the choices that are made in a row."""
    return ("sigma", "sigma_unit") if name == "sigma" else (name,)


def _number(least: float, most: float) -> QDoubleSpinBox:
    box = NumberBox()
    box.setDecimals(3)
    box.setRange(least, most)
    return box


def _bound() -> QDoubleSpinBox:
    box = _number(_UNBOUNDED, 100_000)
    box.setSingleStep(10)
    box.setSuffix(" ms")
    box.setSpecialValueText("no bound")
    return box
