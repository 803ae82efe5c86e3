"""The fields of a training's settings: each with its unit, its effect and its way back to what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal, Slot
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
)

from gazeapp.ui.dialogs.form import NumberBox, Resettable, add_field, choice_box
from gazeapp.ui.widgets import lower_first, wrapped

_MANY = 100_000_000


@dataclass(frozen=True, slots=True)
class Info:
    """One setting of `TrainSettings`.

    Parameters
    ----------
    name, title, tip
        Its name there, what the form calls it, and what it does.
    kind
        ``int``, ``real``, ``rate`` (a small number), ``choice``, ``tick``, ``text`` or ``grid`` (rows and columns
        alike).
    low, high, step
        Bounds of a number, and what an arrow adds.
    suffix, least
        Unit, and the word for the lowest number where that is no number.
    choices
        Words and values of a choice.
    """

    name: str
    title: str
    tip: str
    kind: str = "int"
    low: float = 0
    high: float = _MANY
    step: float = 1
    suffix: str = ""
    least: str = ""
    choices: tuple[tuple[str, Any], ...] = ()


BUDGET = (
    Info(
        "steps",
        "Steps",
        "Optimiser steps. One step sees one batch of pictures, each with one caption of every task.",
        low=1,
        step=1000,
    ),
    Info("batch", "Batch", "Pictures in a step.", low=1, high=65_536, step=8, suffix=" pictures"),
    Info(
        "rate",
        "Learning rate",
        "Highest rate of the decoder and of the projection to the grid. It rises over the first steps and falls by a "
        "cosine to 2 %.",
        "rate",
    ),
    Info(
        "encoder_rate",
        "Encoder's rate",
        "Highest rate of the encoder's network; of no effect while that is frozen. Pretrained networks want about a "
        "tenth of the decoder's or less.",
        "rate",
    ),
    Info(
        "evaluate_every",
        "Evaluate every",
        "Steps between evaluations on validation pictures, which tell CIDEr-D and BLEU-4 and which step is the best.",
        step=500,
        suffix=" steps",
        least="only at the end",
    ),
    Info(
        "patience",
        "End early after",
        "So many evaluations without a better one end the training; the best step is what is kept.",
        high=1000,
        suffix=" evaluations without a better one",
        least="never",
    ),
    Info(
        "device",
        "Device",
        "Where it is computed. Automatic takes a graphics card where there is one that torch can use.",
        "choice",
        choices=(
            ("automatic", "auto"),
            ("processor", "cpu"),
            ("NVIDIA card (CUDA)", "cuda"),
            ("Apple card (MPS)", "mps"),
        ),
    ),
    Info(
        "precision",
        "Precision",
        "Kind of number that networks are computed in. 16 bits take half of the memory and less time on recent cards; "
        "weights stay at 32 bits.",
        "choice",
        choices=(("32 bits", "no"), ("16 bits, bf16", "bf16"), ("16 bits, fp16", "fp16")),
    ),
)

ADVANCED = (
    Info("name", "Name", "Shown for the captioner; empty for one made of encoder and decoder.", "text"),
    Info(
        "seed",
        "Seed",
        "Seed of weights, order and augmentation, and of the split where the captions bring none.",
        high=2**31 - 1,
    ),
    Info(
        "accumulate",
        "Parts of a step",
        "A step is computed in so many parts, one after another, where memory is short. The result is the same but "
        "for rounding, as long as dropout and batch statistics play no part.",
        low=1,
        high=1024,
    ),
    Info("warmup", "Warm-up", "Steps in which the rates rise.", step=100, suffix=" steps", least="none"),
    Info(
        "weight_decay",
        "Weight decay",
        "How much AdamW shrinks weight matrices, relative to the learning rate.",
        "real",
        high=10,
        step=0.01,
    ),
    Info(
        "doubly_stochastic",
        "Doubly stochastic term",
        "Weight of the term that asks an LSTM to attend to every cell about equally over a caption (Xu et al. 2015, "
        "eq. 14). 0 leaves it out.",
        "real",
        high=100,
        step=0.1,
    ),
    Info(
        "input_size",
        "Picture side",
        "Pictures are stretched to a square of this side.",
        low=32,
        high=2048,
        step=32,
        suffix=" px",
    ),
    Info(
        "grid",
        "Grid side",
        "Rows and columns of the grid that is attended to; maps have this resolution.",
        "grid",
        low=1,
        high=64,
        suffix=" cells",
    ),
    Info("width", "Width", "Features of a grid cell and of a word.", low=4, high=8192, step=64),
    Info("state", "LSTM's state", "Features of the LSTM's state.", low=1, high=8192, step=64),
    Info(
        "attention",
        "LSTM's attention",
        "Features of the additive attention of an LSTM.",
        low=1,
        high=8192,
        step=64,
    ),
    Info("layers", "Transformer's layers", "Layers of a Transformer decoder.", low=1, high=64),
    Info(
        "heads",
        "Transformer's heads",
        "Attention heads of each layer; they divide the width.",
        low=1,
        high=64,
    ),
    Info(
        "dropout",
        "Dropout",
        "Share of the decoder's features that training leaves out at random.",
        "real",
        high=0.95,
        step=0.05,
    ),
    Info(
        "max_words",
        "Longest caption",
        "Words after which captions are cut.",
        low=2,
        high=512,
        suffix=" words",
    ),
    Info(
        "min_count",
        "Rarest word",
        "How often a word has to occur in the training captions to be in the vocabulary; rarer ones become <unk>.",
        low=1,
        high=1_000_000,
        suffix=" times",
    ),
    Info(
        "n_scenes",
        "Drawn scenes",
        "Scenes of the demo world drawn for training; captions of photographs leave it unused.",
        low=1,
        step=1000,
    ),
    Info(
        "n_validation",
        "Validation pictures",
        "Most pictures that evaluations during the training use.",
        step=100,
    ),
    Info("n_test", "Test pictures", "Most pictures that the figures of the model card rest on.", step=100),
    Info(
        "measure",
        "Best by",
        "Which figure on validation pictures says what is better.",
        "choice",
        choices=(("CIDEr-D", "cider"), ("BLEU-4", "bleu")),
    ),
    Info(
        "checkpoint_every",
        "Checkpoint every",
        "Steps between checkpoints. A kill or a power cut loses at most so many.",
        low=1,
        step=100,
        suffix=" steps",
    ),
    Info(
        "workers",
        "Reading processes",
        "Processes that read and resize pictures beside the training.",
        high=256,
        least="none of their own",
    ),
    Info("gpus", "Graphics cards", "Cards that share each step.", low=1, high=64),
)


class RateField(QLineEdit):
    """A small positive number, such as 4e-4."""

    valueChanged = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setValidator(QDoubleValidator(0.0, 10.0, 12))
        self.textChanged.connect(self._tell)

    def value(self) -> float:
        """Return the number; 0 while there is none."""
        try:
            return float(self.text().replace(",", "."))
        except ValueError:
            return 0.0

    def setValue(self, value: float) -> None:
        """Show a number, with the point or comma of the user's language, as the other fields do."""
        self.setText(self.locale().toString(value, "g", 6))

    @Slot()
    def _tell(self) -> None:
        self.valueChanged.emit(self.value())


Field = QSpinBox | QDoubleSpinBox | QComboBox | QCheckBox | QLineEdit


class TrainFields(QObject):
    """Fields of settings by name; ``changed`` comes when the user, or a reset, changes one."""

    changed = Signal()

    def __init__(self, infos: tuple[Info, ...], usual: Mapping[str, Any], parent: QObject) -> None:
        super().__init__(parent)
        self._infos = {info.name: info for info in infos}
        self._usual = dict(usual)
        self.fields: dict[str, Field] = {}
        self.lines: dict[str, Resettable] = {}
        for info in infos:
            self._make(info)
        self._fill(self._usual)

    def lay_out(self, form: QFormLayout) -> None:
        """Put all fields into a form."""
        for name, info in self._infos.items():
            add_field(form, info.title, self.lines[name], info.tip)
            self.fields[name].setAccessibleName(info.title)

    def values(self) -> dict[str, Any]:
        """Return what the fields say, as `TrainSettings` has it."""
        return {name: self._value(name) for name in self.fields}

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Fill fields in."""
        self._fill(values)

    def set_usual(self, usual: Mapping[str, Any]) -> None:
        """Take other values as usual; fields that were as usual become so."""
        moved = {name: usual[name] for name in self.fields if self._value(name) == self._usual[name]}
        self._usual = dict(usual)
        self._fill(moved)

    def explain(self, name: str, reason: str) -> None:
        """Disable a field and say why it has no effect now; enable it with an empty reason."""
        line = self.lines[name]
        line.setEnabled(not reason)
        line.setToolTip(wrapped(reason or self._infos[name].tip))

    def _make(self, info: Info) -> None:
        field = _field(info)
        self.fields[info.name] = field
        line = Resettable(field, f"Usual value of {lower_first(info.title)}")
        line.reset.connect(partial(self._reset, info.name))
        self.lines[info.name] = line
        if isinstance(field, QComboBox):
            field.currentIndexChanged.connect(self._edited)
        elif isinstance(field, QCheckBox):
            field.toggled.connect(self._edited)
        elif isinstance(field, RateField) or not isinstance(field, QLineEdit):
            field.valueChanged.connect(self._edited)
        else:
            field.textChanged.connect(self._edited)

    def _reset(self, name: str) -> None:
        self._fill({name: self._usual[name]})
        self.changed.emit()

    @Slot()
    def _edited(self) -> None:
        self._allow_resets()
        self.changed.emit()

    def _allow_resets(self) -> None:
        for name, line in self.lines.items():
            line.allow_reset("It is as usual." if self._value(name) == self._usual.get(name) else "")

    def _value(self, name: str) -> Any:
        field, info = self.fields[name], self._infos[name]
        if isinstance(field, QComboBox):
            return field.currentData()
        if isinstance(field, QCheckBox):
            return field.isChecked()
        if isinstance(field, RateField) or not isinstance(field, QLineEdit):
            value = field.value()
            return (value, value) if info.kind == "grid" else value
        return field.text().strip()

    def _fill(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            field = self.fields.get(name)
            if field is None:
                continue
            with QSignalBlocker(field):
                if isinstance(field, QComboBox):
                    field.setCurrentIndex(max(0, field.findData(value)))
                elif isinstance(field, QCheckBox):
                    field.setChecked(bool(value))
                elif isinstance(field, RateField) or not isinstance(field, QLineEdit):
                    field.setValue(value[0] if isinstance(value, (tuple, list)) else value)
                else:
                    field.setText(str(value))
        self._allow_resets()


def _field(info: Info) -> Field:
    if info.kind == "choice":
        return choice_box(dict(info.choices))
    if info.kind == "tick":
        return QCheckBox()
    if info.kind == "text":
        return QLineEdit()
    if info.kind == "rate":
        return RateField()
    box: QSpinBox | QDoubleSpinBox
    if info.kind == "real":
        box = NumberBox()
        box.setDecimals(4)
        box.setRange(info.low, info.high)
        box.setSingleStep(info.step)
    else:
        box = QSpinBox()
        box.setRange(int(info.low), int(info.high))
        box.setSingleStep(int(info.step))
        box.setGroupSeparatorShown(True)
    box.setSuffix(info.suffix)
    box.setSpecialValueText(info.least)
    return box
