"""The folded part of predicting responses: the grid of maps, the folds, and how often is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QSpinBox

from gazeapp.ui.dialogs.form import NumberBox, Resettable, add_field
from gazeapp.ui.widgets import lower_first

_ENOUGH = -1
"""Stands for as many permutations as the number of regions asks for."""
_ROWS: tuple[tuple[str, str, str, str], ...] = (
    (
        "grid",
        "Grid of maps",
        " cells a side",
        "Every map is spread over the same grid, so that all models have equally many features. A finer grid keeps "
        "more detail and needs more images.",
    ),
    (
        "sigma",
        "Blur of maps",
        " of a side",
        "Standard deviation of the Gaussian around each cell, as a share of the image's side: 0.0625 is 1/16.",
    ),
    (
        "n_folds",
        "Folds",
        " folds",
        "Parts of the images; each is predicted by models that were fitted to the others.",
    ),
    (
        "n_inner",
        "Inner folds",
        " folds",
        "Parts of the images that a model is fitted to, by which the penalty of each region is chosen.",
    ),
    (
        "n_permutations",
        "Permutations",
        "",
        "Shuffles of the images behind each p; the smallest possible p is 1 / (permutations + 1), so that tests of "
        "many regions need many. Time grows with them. 0 leaves the tests out.",
    ),
    (
        "n_bootstrap",
        "Resamples",
        "",
        "Resamples of the images behind each 95 % interval. 0 leaves the intervals out.",
    ),
    ("seed", "Seed", "", "The same seed draws the same folds, permutations and resamples again."),
)
_RANGES = {
    "grid": (2, 64),
    "sigma": (0.005, 0.5),
    "n_folds": (2, 50),
    "n_inner": (2, 50),
    "n_permutations": (_ENOUGH, 100_000),
    "n_bootstrap": (0, 100_000),
    "seed": (0, 2_000_000_000),
}


class EncodeAdvanced(QObject):
    """Fields of the folded part, each with its unit, its effect and a reset.

    Parameters
    ----------
    form
        Where they stand.
    default
        Values by name, and those that ``partitions`` and ``rsa`` begin with.
    """

    changed = Signal()

    def __init__(self, form: QFormLayout, default: Mapping[str, Any]) -> None:
        super().__init__(form.parentWidget())
        self._default = {name: default[name] for name in (*_RANGES, "partitions", "rsa")}
        if self._default["n_permutations"] is None:
            self._default["n_permutations"] = _ENOUGH
        self.partitions = QCheckBox("Share variance out between two sources")
        self.rsa = QCheckBox("Compare patterns of dissimilarity (RSA)")
        add_field(
            form,
            "Also",
            self.partitions,
            "How much of the explained variance is of one model alone, of another or a control alone, and shared.",
        )
        add_field(
            form,
            "",
            self.rsa,
            "Whether images whose maps differ have responses that differ: a second view without fitted models. It "
            "needs the vertices of each region.",
        )
        self.rsa.setAccessibleName(self.rsa.text())
        self.partitions.setAccessibleName(self.partitions.text())
        self.fields: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self._lines: dict[str, Resettable] = {}
        for name, title, unit, tip in _ROWS:
            field = NumberBox() if name == "sigma" else QSpinBox()
            if isinstance(field, NumberBox):
                field.setDecimals(4)
                field.setSingleStep(0.005)
            elif name.startswith("n_") and "folds" not in unit:
                field.setSingleStep(100)
            lowest, highest = _RANGES[name]
            field.setRange(lowest, highest)  # type: ignore[arg-type]
            field.setSuffix(unit)
            field.setAccessibleName(title)
            if name == "n_permutations":
                field.setSpecialValueText("1,000, or 20 for each region if that is more")
            line = Resettable(field, f"Default of {lower_first(title)}")
            line.reset.connect(partial(self._take_default, name))
            add_field(form, title, line, tip)
            self.fields[name], self._lines[name] = field, line
            field.setValue(self._default[name])
            field.valueChanged.connect(self._edited)
        for name, box in (("partitions", self.partitions), ("rsa", self.rsa)):
            box.setChecked(self._default[name])
            box.toggled.connect(self._edited)
        self._edited()

    def values(self) -> dict[str, Any]:
        """Return the values by name."""
        found: dict[str, Any] = {name: field.value() for name, field in self.fields.items()}
        if found["n_permutations"] == _ENOUGH:
            found["n_permutations"] = None
        rsa = self.rsa.isEnabled() and self.rsa.isChecked()
        return found | {"partitions": self.partitions.isChecked(), "rsa": rsa}

    def _take_default(self, name: str) -> None:
        self.fields[name].setValue(self._default[name])

    @Slot()
    def _edited(self) -> None:
        for name, line in self._lines.items():
            line.allow_reset("It is the default." if self.fields[name].value() == self._default[name] else "")
        self.changed.emit()
