"""The advanced settings of running models: where, in which numbers, how words are chosen, which attention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import KEEP, Decoding
from gazeapp.engine.models.given import plain_method
from gazeapp.engine.models.vlm.loading.catalogue import known_model
from gazeapp.engine.models.vlm.methods import DEFAULT_METHOD, method_id, parse_method
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import NumberBox, add_field, choice_box
from gazeapp.ui.widgets import advice, capital, label, wrapped

_DEVICES = {
    "Automatic: a graphics card if there is one": "auto",
    "CPU": "cpu",
    "NVIDIA graphics card (CUDA)": "cuda",
    "Apple graphics (MPS)": "mps",
}
_NUMBERS = {
    "As the model's runs so far, else automatic": "auto",
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
}
_WORDS = {"All words but grammar words": "content", "Every word": "all"}
_ALL, _ONE, _RANGE = "all", "one", "range"
_LAYERS = {"All layers": _ALL, "One layer": _ONE, "A range of layers": _RANGE}
_VIEWS = {"All views together": "", "Overview only": "overview", "Details only": "detail"}
_HEADS = re.compile(r"\d+(?:\s*[,+ ]\s*\d+)*")
_MOST_LAYERS = 999


class AttentionChoice(QWidget):
    """Layers, heads and view whose attention makes a word's map in vision-language models."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.view = _choice(_LAYERS), _choice(_VIEWS)
        self.first, self.last = _layer("First layer"), _layer("Last layer")
        self._to = label("to", "muted")
        self.heads = QLineEdit()
        self.heads.setPlaceholderText("all heads")
        for field, name, tip in (
            (self.layers, "Layers", "All layers that carry attention, one, or a range; they count from 0."),
            (self.heads, "Heads", "Such as 3, 5; they count from 0. Empty means the mean over all."),
            (
                self.view,
                "View",
                "For models that see the image twice: whole at low resolution, and in parts.",
            ),
        ):
            field.setAccessibleName(name)
            field.setToolTip(wrapped(tip))
        upper, lower = QHBoxLayout(), QHBoxLayout()
        upper.addWidget(self.layers, 1)
        for part in (self.first, self._to, self.last):
            upper.addWidget(part)
        lower.addWidget(self.heads, 1)
        lower.addWidget(self.view, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (column, upper, lower):
            part.setSpacing(theme.STEP)
        column.addLayout(upper)
        column.addLayout(lower)
        self.layers.currentIndexChanged.connect(self._show)
        for box in (self.first, self.last):
            box.valueChanged.connect(self.changed)
        self.heads.textChanged.connect(self.changed)
        self.view.currentIndexChanged.connect(self.changed)
        self._show()

    @property
    def method(self) -> str:
        """The map method; empty for the default, the mean over everything."""
        which = self.layers.currentData()
        first = None if which == _ALL else self.first.value()
        last = self.last.value() if which == _RANGE else first
        made = method_id(first, last, self._numbers(), self.view.currentData())
        return "" if made == DEFAULT_METHOD else made

    @property
    def reason(self) -> str:
        """Why the choice means nothing; empty when it does."""
        which = self.layers.currentData()
        if which == _RANGE and self.last.value() < self.first.value():
            return "The last layer comes before the first."
        text = self.heads.text().strip()
        if which != _ALL and text and not _HEADS.fullmatch(text):
            return "Heads are numbers, such as 3, 5."
        numbers = self._numbers()
        return "One head is named twice." if len(set(numbers)) < len(numbers) else ""

    def why_not(self, model: str, seen: Mapping[str, Any]) -> str:
        """Return why a model lacks what is chosen, as far as its layers are known; empty when it does not.

        Parameters
        ----------
        model
            Its id.
        seen
            What the project holds of it, with ``layers`` and ``heads`` once it has run.
        """
        asked, known = parse_method(self.method or DEFAULT_METHOD), known_model(model)
        if seen.get("layers") and seen.get("heads"):
            try:
                asked.pick(tuple(seen["layers"]), seen["heads"])
            except GazeError as error:
                return advice(error)
        elif known is not None:
            if known.layers is not None and (asked.last or 0) >= known.layers:
                return f"Its layers are 0 to {known.layers - 1}."
            if known.heads is not None and max(asked.heads, default=0) >= known.heads:
                return f"Its heads are 0 to {known.heads - 1}."
        return ""

    def show_method(self, method: str) -> None:
        """Choose what a map method says; empty for all layers, heads and views."""
        asked = parse_method(method or DEFAULT_METHOD)
        which = _ALL if asked.first is None else _ONE if asked.first == asked.last else _RANGE
        self.first.setValue(asked.first or 0)
        self.last.setValue(asked.last or 0)
        self.heads.setText(", ".join(str(head) for head in asked.heads))
        take(self.view, asked.view)
        take(self.layers, which)

    def _numbers(self) -> tuple[int, ...]:
        text = "" if self.layers.currentData() == _ALL else self.heads.text().strip()
        return tuple(int(number) for number in re.findall(r"\d+", text)) if _HEADS.fullmatch(text) else ()

    @Slot()
    def _show(self) -> None:
        which = self.layers.currentData()
        for part, shown in (
            (self.first, which != _ALL),
            (self._to, which == _RANGE),
            (self.last, which == _RANGE),
            (self.heads, which != _ALL),
        ):
            part.setVisible(shown)
        self.changed.emit()


class Advanced(QObject):
    """The fields of the advanced settings, put into a form.

    Parameters
    ----------
    form
        Where the fields go.
    parent
        Who owns this.
    """

    changed = Signal()

    def __init__(self, form: QFormLayout, parent: QObject) -> None:
        super().__init__(parent)
        self.attention = AttentionChoice()
        self.method = _choice({"Each model's own": ""})
        # Any layer and heads of a captioner can be written, so many that a list of all would hide the usual ones.
        self.method.setEditable(True)
        self.method.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.keep = _choice({capital(words): value for value, words in KEEP.items()})
        self.words, self.device = _choice(_WORDS), _choice(_DEVICES)
        self.dtype, self.four_bit = _choice(_NUMBERS), QCheckBox("Pack vision-language models into 4 bits")
        self.tokens, self.seed = QSpinBox(), QSpinBox()
        self.tokens.setRange(1, 4096)
        self.tokens.setSuffix(" tokens")
        self.seed.setRange(0, 2_000_000_000)
        self.temperature, self.top_p = _share(0.0, 5.0), _share(0.01, 1.0)
        self.beams, self.normalised = QSpinBox(), QCheckBox("Rank captions by the mean over their words")
        self.beams.setRange(1, 100)
        self.beams.setSuffix(" beams")
        self.beams.setSpecialValueText("1 (greedy)")
        self.usual = QPushButton("Back to the usual settings")
        theme.set_role(self.usual, "quiet")
        self.usual.setAutoDefault(False)
        self.usual.clicked.connect(self.reset)
        self._fill(form)
        back = QHBoxLayout()
        back.addWidget(self.usual)
        back.addStretch(1)
        form.addRow("", back)
        self.forbid_four_bit("It is being found out whether this computer can.")
        self.reset()
        self._plain = self._all()
        self._listen()
        self._explain()

    @Slot()
    def reset(self) -> None:
        """Take every field back to what it usually is."""
        take(self.device, "auto")
        take(self.method, "")
        self.recall({})

    def recall(self, values: Mapping[str, Any]) -> None:
        """Choose what an earlier run was made with, so that running again does only what is missing.

        Parameters
        ----------
        values
            What the settings row of the run says; what it leaves out is as usual.
        """
        decoding = {**asdict(Decoding()), **values.get("decoding", {})}
        self.tokens.setValue(decoding["max_tokens"])
        self.temperature.setValue(decoding["temperature"])
        self.top_p.setValue(decoding["top_p"])
        self.seed.setValue(decoding["seed"])
        self.recall_beams(values)
        for box, name, usual in (
            (self.keep, "keep", ""),
            (self.dtype, "dtype", "auto"),
            (self.words, "words", "content"),
        ):
            take(box, values.get(name, usual))
        self.four_bit.setChecked(bool(values.get("four_bit")))
        self.attention.show_method(plain_method(str(values.get("method", ""))))

    def recall_beams(self, values: Mapping[str, Any]) -> None:
        """Choose how an earlier run of a captioner chose its words."""
        decoding = values.get("decoding", {})
        self.beams.setValue(decoding.get("beams", 1))
        self.normalised.setChecked(decoding.get("length_normalised", False))

    def settings(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ExtractSettings``, save the map method and decoding."""
        return {
            "device": self.device.currentData(),
            "words": self.words.currentData(),
            "keep": self.keep.currentData(),
            "dtype": self.dtype.currentData(),
            "four_bit": self.four_bit.isChecked(),
        }

    def decoding_of(self, kind: str) -> Decoding:
        """Return how models of a kind choose their words; captioners alone search with beams."""
        plain = Decoding(self.tokens.value(), self.temperature.value(), self.top_p.value(), self.seed.value())
        beams = self.beams.value()
        if kind != "captioner" or beams == 1:
            return plain
        return replace(plain, beams=beams, length_normalised=self.normalised.isChecked())

    def method_of(self, kind: str) -> str:
        """Return the map method for models of a kind; empty for their own."""
        if kind == "vlm":
            return self.attention.method
        written = self.method.currentText().strip()
        place = self.method.findText(written)
        return written if place < 0 else str(self.method.itemData(place))

    def offer_methods(self, methods: Iterable[str]) -> None:
        """Offer the map methods of captioners and runner scripts; the choice stays where it can."""
        now, written = self.method_of("captioner"), self.method.currentText()
        self.method.blockSignals(True)
        self.method.clear()
        self.method.addItem("Each model's own", "")
        for method in sorted(set(methods)):
            self.method.addItem(method, method)
        place = self.method.findData(now)
        self.method.setCurrentIndex(max(0, place))
        if place < 0:
            self.method.setEditText(written)
        self.method.blockSignals(False)

    def forbid_four_bit(self, reason: str) -> None:
        """Say why 4 bits cannot be asked for; empty when they can."""
        self.four_bit.setEnabled(not reason)
        if reason:
            self.four_bit.setChecked(False)
        self.four_bit.setToolTip(
            wrapped(
                reason
                or "Takes a quarter of the memory; changes what models say and where they attend, a little."
            )
        )

    def _fill(self, form: QFormLayout) -> None:
        for name, field, tip in (
            ("Attention", self.attention, "Whose attention makes the maps of vision-language models."),
            (
                "Method",
                self.method,
                "How captioners and runner scripts make a map of their attention. alpha-gated counts each word by how "
                "much the decoder let through its gate. Layers and heads of Transformer captioners can be written, "
                "such as cross-L0-H1+3; they count from 0.",
            ),
            (
                "Keep",
                self.keep,
                "What is stored for each word, for the word explorer; a trial says how large it is.",
            ),
            (
                "Caption's map",
                self.words,
                "Words whose maps are averaged into the caption's map. Grammar words are those that English sentences "
                "are built with, such as “the”, “of” and “is”; docs/models.md lists them. A caption of nothing else "
                "counts in full.",
            ),
            (
                "Search",
                self.beams,
                "Beginnings of a caption that captioners follow side by side, to take the caption that comes out most "
                "probable. 1 takes the most probable word each time. More take about as many times longer.",
            ),
            ("Length", self.normalised, ""),
            ("Longest caption", self.tokens, "A token is a word or a part of one."),
            (
                "Temperature",
                self.temperature,
                "0 takes the most probable word each time; above, words are drawn.",
            ),
            ("Top-p", self.top_p, "Words are drawn from the most probable ones that make up this share."),
            ("Seed", self.seed, "The same seed draws the same words again."),
            ("Device", self.device, "Where the models run; it is not part of what identifies a result."),
            (
                "Numbers",
                self.dtype,
                "Kind of number that vision-language models compute in; it changes results a little.",
            ),
            ("Memory", self.four_bit, ""),
        ):
            add_field(form, name, field, tip)

    def _listen(self) -> None:
        self.attention.changed.connect(self.changed)
        for box in (self.method, self.keep, self.words, self.device, self.dtype):
            box.currentIndexChanged.connect(self.changed)
        self.method.editTextChanged.connect(self.changed)
        for number in (self.tokens, self.temperature, self.top_p, self.seed, self.beams):
            number.valueChanged.connect(self.changed)
        for tick in (self.four_bit, self.normalised):
            tick.toggled.connect(self.changed)
        self.changed.connect(self._explain)

    def _all(self) -> dict[str, Any]:
        return {
            **self.settings(),
            **{kind: (self.method_of(kind), self.decoding_of(kind)) for kind in ("captioner", "vlm")},
        }

    @Slot()
    def _explain(self) -> None:
        """Say what has no effect now: top-p and seed while no word is drawn, going back while all is as usual."""
        changed = self._all() != self._plain
        self.usual.setEnabled(changed)
        self.usual.setToolTip("" if changed else "Everything is as usual.")
        searches = self.beams.value() > 1
        self.normalised.setEnabled(searches)
        self.normalised.setToolTip(
            wrapped(
                "A caption's score is the sum of its words' log-probabilities, under which shorter captions are at an "
                "advantage; their mean is not."
                if searches
                else "With one beam nothing is ranked, so this has no effect."
            )
        )
        draws = self.temperature.value() > 0
        for field, tip in (
            (self.top_p, "Words are drawn from the most probable ones that make up this share."),
            (self.seed, "The same seed draws the same words again."),
        ):
            field.setEnabled(draws)
            field.setToolTip(
                wrapped(tip if draws else "At temperature 0 no word is drawn, so this has no effect.")
            )


def _choice(choices: Mapping[str, Any]) -> QComboBox:
    """Return a list to choose from that is no wider than there is room, however long its words."""
    box = choice_box(choices)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _layer(name: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(0, _MOST_LAYERS)
    box.setAccessibleName(name)
    return box


def take(box: QComboBox, value: object) -> None:
    """Choose the entry that stands for ``value``, where there is one."""
    place = box.findData(value)
    box.setCurrentIndex(max(0, place))
    if place < 0 and box.isEditable() and value:
        box.setEditText(str(value))


def _share(least: float, most: float) -> QDoubleSpinBox:
    box = NumberBox()
    box.setRange(least, most)
    box.setDecimals(2)
    box.setSingleStep(0.1)
    return box
