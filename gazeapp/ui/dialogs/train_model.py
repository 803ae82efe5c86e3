"""The part of the train dialog about the captioner: encoder, decoder, what they start from, or all four."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.config import CONFIG_NAME, read_config
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import PathField, add_field, choice_box, form_layout
from gazeapp.ui.dialogs.import_responses_fields import OpenField
from gazeapp.ui.folders import CAPTIONERS, there_is
from gazeapp.ui.widgets import advice

_CNNS = ("resnet101", "resnet50", "convnext_base", "cnn")
_VITS = ("vit_base_patch16_224", "vit_small_patch16_224", "deit_base_patch16_224", "vit")
_SMALL = ("cnn", "vit")
_WEIGHTS = {"Pretrained (timm)": "timm", "From a file": "file", "None: from chance": "none"}
_FILES = "Weights (*.safetensors)"


class ModelPart(QWidget):
    """Asks which captioner, or which pair of encoders for all four; ``changed`` comes with every choice."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.what = choice_box({"One captioner": "one", "All four: two encoders by two decoders": "four"})
        self.encoder = _encoders((*_CNNS[:-1], *_VITS[:-1], *_SMALL), "Encoder")
        self.second = _encoders(_VITS, "Second encoder")
        self.decoder = choice_box({"LSTM": "lstm", "Transformer": "transformer"})
        self.weights = choice_box(_WEIGHTS)
        self.weights_file = OpenField("Encoder's weights", CAPTIONERS, _FILES)
        self.frozen = QCheckBox("Frozen: only the projection to the grid and the decoder learn")
        self.download = QCheckBox("Download what is not on this computer yet")
        self.download.setChecked(False)
        self.start_from = PathField("folder", "Go on from")
        self.start_from.line.setPlaceholderText("a new captioner")
        self._away = False
        self._origin_wrong = ""
        self._lay_out()
        for box in (self.what, self.decoder, self.weights):
            box.currentIndexChanged.connect(self._changed)
        for names in (self.encoder, self.second):
            names.editTextChanged.connect(self._changed)
        for tick in (self.frozen, self.download):
            tick.toggled.connect(self._changed)
        self.weights_file.changed.connect(self._changed)
        self.start_from.changed.connect(self._other_origin)
        self._explain()

    @property
    def factorial(self) -> bool:
        """Whether all four are trained."""
        return self.what.currentData() == "four"

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that are trained with."""
        first, second = self.encoder.currentText().strip(), self.second.currentText().strip()
        return (first, second) if self.factorial else (first,)

    @property
    def downloads(self) -> tuple[str, ...]:
        """The encoders whose weights may have to be downloaded."""
        if self.weights.currentData() != "timm" or self._goes_on:
            return ()
        return tuple(name for name in self.encoders if name not in _SMALL)

    @property
    def wrong(self) -> str:
        """Why there is no such captioner; empty when there is."""
        if not all(self.encoders):
            return "Name the encoder."
        if self.factorial and self.encoders[0] == self.encoders[1]:
            return "Name two different encoders."
        origin = self.start_from.path
        if self._goes_on and origin is not None and not there_is(origin / CONFIG_NAME):
            return "The folder to go on from holds no captioner."
        if self._goes_on and self._origin_wrong:
            return self._origin_wrong
        path = self.weights_file.path
        if self.weights.currentData() == "file" and not (path is not None and there_is(path)):
            return "Choose the file with the encoder's weights."
        if self.frozen.isChecked() and self._from_chance and not self._goes_on:
            return "A frozen encoder that starts from chance sees nothing; let it learn, or give it weights."
        return ""

    @property
    def reason(self) -> str:
        """Why such a captioner cannot be trained yet; empty when it can."""
        if not self.wrong and self.downloads and self._away and not self.download.isChecked():
            return "Tick that the encoder's weights may be downloaded, or take them from a file."
        return self.wrong

    def show_away(self, away: bool) -> None:
        """Ask whether weights may be downloaded, if some are not on this computer."""
        self._away = away
        self._explain()

    def values(self) -> dict[str, Any]:
        """Return what was chosen, as `TrainSettings` has it."""
        weights = self.weights.currentData()
        if weights == "file":
            weights = str(self.weights_file.path or "")
        elif all(name in _SMALL for name in self.encoders):
            weights = "none"
        return {
            "encoder": self.encoders[0],
            "decoder": self.decoder.currentData(),
            "encoder_weights": weights,
            "frozen": self.frozen.isChecked(),
            "start_from": "" if self.factorial else str(self.start_from.path or ""),
        }

    def set_usual(self, usual: Mapping[str, Any], drawn: bool) -> None:
        """Take the encoders that are usual for the data."""
        self.encoder.setEditText(usual["encoder"])
        self.second.setEditText("vit" if drawn else _VITS[0])
        self.weights.setCurrentIndex(max(0, self.weights.findData(usual["encoder_weights"])))
        self.frozen.setChecked(bool(usual["frozen"]))

    @property
    def _goes_on(self) -> bool:
        return self.start_from.path is not None and not self.factorial

    @property
    def _from_chance(self) -> bool:
        return self.weights.currentData() == "none" or any(name in _SMALL for name in self.encoders)

    def _lay_out(self) -> None:
        form = form_layout()
        for name, field, tip in (
            (
                "Train",
                self.what,
                "All four: each encoder with each decoder, on the same data, vocabulary, split, seed and budget; "
                "at the end it is checked that nothing else differs.",
            ),
            (
                "Encoder",
                self.encoder,
                "cnn and vit are the small ones of the demo; any other is the name of a timm network.",
            ),
            ("Second encoder", self.second, "The other one of the design, usually a ViT."),
            ("Decoder", self.decoder, "What speaks: an LSTM with soft attention, or a Transformer."),
            (
                "Encoder's weights",
                self.weights,
                "What the encoder starts from. Pretrained weights come from timm's collection on the hub.",
            ),
            ("File", self.weights_file, "Weights of that network as safetensors."),
            ("", self.download, "Nothing is downloaded without this tick."),
            (
                "",
                self.frozen,
                "Keeps the encoder's network as it is: quicker, takes less memory, and its features are those of its "
                "own training. Fine-tuned, it learns at the encoder's rate.",
            ),
            (
                "Go on from",
                self.start_from,
                "Folder of a captioner to fine-tune, for a task for instance; its vocabulary and size are kept.",
            ),
        ):
            add_field(form, name, field, tip)
        for tick in (self.download, self.frozen):
            tick.setAccessibleName(tick.text())
        self._form = form
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(form)

    @Slot()
    def _other_origin(self) -> None:
        """Take encoder and decoder from the captioner to go on from; it cannot change them."""
        self._origin_wrong = ""
        path = self.start_from.path
        if path is not None and there_is(path / CONFIG_NAME):
            try:
                config = read_config(path)
            except GazeError as error:
                self._origin_wrong = advice(error)
            else:
                self.encoder.setEditText(config.encoder)
                self.decoder.setCurrentIndex(self.decoder.findData(config.decoder))
                if config.form != "gazeapp":
                    self._origin_wrong = "Only captioners that gazeapp trained can be trained further."
        self._changed()

    @Slot()
    def _changed(self) -> None:
        self._explain()
        self.changed.emit()

    def _explain(self) -> None:
        small = all(name in _SMALL for name in self.encoders)
        goes_on = self._goes_on
        self._form.setRowVisible(self.second, self.factorial)
        self._form.setRowVisible(self.decoder, not self.factorial)
        self._form.setRowVisible(self.start_from, not self.factorial)
        self._form.setRowVisible(self.weights_file, self.weights.currentData() == "file")
        self._form.setRowVisible(self.download, bool(self.downloads) and self._away)
        for box in (self.encoder, self.decoder):
            box.setEnabled(not goes_on)
        self.weights.setEnabled(not small and not goes_on)
        self.weights.setToolTip(
            "The small encoders have no published weights."
            if small
            else "They are those of the captioner to go on from."
            if goes_on
            else "What the encoder starts from. Pretrained weights come from timm's collection on the hub."
        )


def _encoders(names: tuple[str, ...], title: str) -> QComboBox:
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.addItems(list(names))
    box.setAccessibleName(title)
    return box
