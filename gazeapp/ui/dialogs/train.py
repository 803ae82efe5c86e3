"""Train a captioner, or the four of a factorial design: on what, which, with which budget, and where to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gazeapp.engine.models.captioner.training.settings import (
    DEMO_WORLD,
    TrainSettings,
    photograph_settings,
)
from gazeapp.ui import theme
from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.drop_dialog import DropDialog
from gazeapp.ui.dialogs.form import Fold, PathField, add_field, form_layout
from gazeapp.ui.dialogs.train_data import DataPart
from gazeapp.ui.dialogs.train_fields import ADVANCED, BUDGET, TrainFields
from gazeapp.ui.dialogs.train_finding import ModelFacts, model_work
from gazeapp.ui.dialogs.train_model import ModelPart
from gazeapp.ui.folders import CAPTIONS, remember_folder, why_no_folder
from gazeapp.ui.training_folder import NOTES
from gazeapp.ui.training_process import FACTORIAL, TRAIN, terminal_line, training_words
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobRunner, JobState

_SIZE = (1120, 760)
_DECIDES = (
    *("data", "encoder", "decoder", "frozen", "tasks", "input_size", "grid", "width", "state", "attention"),
    *("layers", "heads", "max_words", "device", "encoder_weights", "start_from"),
)
"""Settings that the number of weights, and what is said of the device, follow from."""
_COUNTING = "Counting the captioner's weights…"
_OF_A_TRAINING = (
    "captioner.json",
    *(f"{NOTES}/{name}" for name in ("settings.json", "state.json", "factorial.json")),
)
"""What a training that began leaves in its folder; one that could not begin leaves other notes there."""


@dataclass(frozen=True, slots=True)
class TrainChoice:
    """What to train: the command, and the settings as JSON data; ``encoders`` are the two of a factorial."""

    command: str
    values: Mapping[str, Any]
    encoders: tuple[str, ...] = ()

    @property
    def out(self) -> Path:
        """Folder to write to."""
        return Path(str(self.values["out"]))


class TrainDialog(DropDialog):
    """Asks what to train and where to; nothing is downloaded or written before it is accepted.

    Parameters
    ----------
    parent
        The window.
    lookups
        Runs what is read of captions, and the counting of weights.
    paths
        Captions to begin with.
    """

    def __init__(self, parent: QWidget | None, lookups: JobRunner, paths: Sequence[Path] = ()) -> None:
        super().__init__(
            parent,
            "Train a captioner",
            "The training runs in a process of its own, which can outlive this window. It keeps checkpoints, so that "
            "it can be stopped and go on. Captions can be dropped here.",
            "Train",
        )
        self.dropped.connect(self.take)
        self._asked: object = None
        self._waits = False
        self._facts: list[ModelFacts] = []
        self._trouble = ""
        self.data = DataPart(lookups)
        self.model = ModelPart()
        usual = asdict(photograph_settings())
        self.budget = TrainFields(BUDGET, usual, self)
        self.advanced = TrainFields(ADVANCED, usual, self)
        self.out = PathField("folder", "Folder")
        self.out.line.setPlaceholderText("a new folder for the captioner")
        self._count = label("", "muted", wrap=True)
        self._reading = CountingLine(self._count, lookups, None)
        self.copy_button = QPushButton("Copy command")
        self.copy_button.setAutoDefault(False)
        theme.set_role(self.copy_button, "quiet")
        theme.set_icon(self.copy_button, "copy")
        self.copy_button.setToolTip(
            "Copy what starts this training on a terminal, such as that of a cluster."
        )
        self.copy_button.clicked.connect(self._copy)
        self._fold = Fold("Advanced")
        self._lay_out()
        self._connect()
        self._kind = ""
        self._changed()
        room = parent.height() if parent is not None else 0
        self.resize(_SIZE[0], min(max(_SIZE[1], room * 4 // 5), 1000))
        self.take(paths)
        self.data.captions.setFocus()

    def choice(self) -> TrainChoice:
        """Return what to train."""
        values = {**asdict(TrainSettings()), **self.budget.values(), **self.advanced.values()}
        values |= self.model.values()
        values |= {
            "data": self.data.data,
            "images": str(self.data.images.path or "") if self.data.data != DEMO_WORLD else "",
            "tasks": self.data.chosen_tasks,
            "out": str(self.out.path or ""),
        }
        if not values["evaluate_every"]:
            values["patience"] = 0
        if self.model.factorial:
            return TrainChoice(FACTORIAL, {**values, "name": ""}, self.model.encoders)
        return TrainChoice(TRAIN, values)

    @Slot(object)
    def take(self, paths: Sequence[Path]) -> None:
        """Take captions that were dropped or named; a folder with nothing but pictures is for the images."""
        if paths:
            remember_folder(CAPTIONS, paths[0].parent)
            self.data.set_captions(paths[0])

    def done(self, result: int) -> None:
        """Leave; nothing is looked up any more."""
        self.data.stop()
        super().done(result)

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, theme.STEP, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(label("DATA", "section"))
        column.addWidget(self.data)
        column.addSpacing(theme.STEP)
        column.addWidget(label("CAPTIONER", "section"))
        column.addWidget(self.model)
        column.addStretch(1)
        right = QWidget()
        side = QVBoxLayout(right)
        side.setContentsMargins(0, 0, theme.STEP * 2, 0)
        side.setSpacing(theme.STEP)
        side.addWidget(label("TRAINING", "section"))
        form = form_layout()
        self.budget.lay_out(form)
        side.addLayout(form)
        where = form_layout()
        add_field(where, "Folder", self.out, "Where the captioner, its card and its checkpoints are written.")
        side.addLayout(where)
        self.advanced.lay_out(self._fold.form)
        side.addWidget(self._fold)
        side.addStretch(1)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 3)
        both.addWidget(_scrolled(left), 1)
        both.addWidget(_scrolled(right), 1)
        self.body.addLayout(both, 1)
        row = QHBoxLayout()
        row.addWidget(self._count, 1)
        row.addWidget(self.copy_button)
        self.body.addLayout(row)

    def _connect(self) -> None:
        for part in (self.data, self.model, self.budget, self.advanced, self.out):
            part.changed.connect(self._changed)
        self.data.found_changed.connect(self._changed)
        self._reading.counted.connect(self._counted)

    @Slot()
    def _changed(self) -> None:
        drawn = self.data.data == DEMO_WORLD
        kind = "demo" if drawn else "photographs"
        if kind != self._kind:
            self._kind = kind
            usual = asdict(TrainSettings() if drawn else photograph_settings())
            self.budget.set_usual(usual)
            self.advanced.set_usual(usual)
            self.model.set_usual(usual, drawn)
        values = self.choice().values
        self.data.look(values)
        self._explain_fields(values, drawn)
        self._count_weights()
        self._check()

    def _explain_fields(self, values: Mapping[str, Any], drawn: bool) -> None:
        """Disable what has no effect now, with the reason."""
        frozen = bool(values["frozen"]) and not drawn
        decoders = {"lstm", "transformer"} if self.model.factorial else {values["decoder"]}
        fixed = "The captioners of the demo world have this size as it is."
        from_other = "It is that of the captioner to go on from." if values["start_from"] else ""
        of_lstm = "" if "lstm" in decoders else "Only LSTM decoders have this."
        of_transformer = "" if "transformer" in decoders else "Only Transformer decoders have this."
        size = fixed if drawn else from_other
        for fields, name, reason in (
            (self.budget, "encoder_rate", "The encoder is frozen." if frozen else ""),
            (self.budget, "patience", "" if values["evaluate_every"] else "Nothing is evaluated on the way."),
            (
                self.advanced,
                "measure",
                "" if values["evaluate_every"] else "Nothing is evaluated on the way.",
            ),
            (self.advanced, "name", "The four have names of their own." if self.model.factorial else ""),
            (self.advanced, "n_scenes", "" if drawn else "No scenes are drawn."),
            (self.advanced, "min_count", "The demo world has its own vocabulary." if drawn else from_other),
            (self.advanced, "doubly_stochastic", of_lstm),
            (self.advanced, "state", size or of_lstm),
            (self.advanced, "attention", size or of_lstm),
            (self.advanced, "layers", size or of_transformer),
            (self.advanced, "heads", size or of_transformer),
            *(
                (self.advanced, name, size)
                for name in ("input_size", "grid", "width", "dropout", "max_words")
            ),
        ):
            fields.explain(name, reason)

    def _count_weights(self) -> None:
        """Count the weights anew when something has changed that they follow from."""
        found = self.data.found
        n_words = found.n_words if found else 0
        choices = [] if self.model.wrong or self._settings_reason() else self._each()
        asked = [{name: each[name] for name in _DECIDES} for each in choices], n_words
        if asked == self._asked:
            return
        self._asked, self._facts, self._trouble = asked, [], ""
        work = model_work(choices, n_words) if choices else None
        # Whether there is something to download is known when it has been counted.
        self._waits = bool(work) and bool(self.model.downloads)
        self._reading.ask(_COUNTING if work else "", work)

    def _each(self) -> list[Mapping[str, Any]]:
        """Return the settings of every captioner that is trained."""
        choice = self.choice()
        if not choice.encoders:
            return [choice.values]
        return [
            {**choice.values, "encoder": encoder, "decoder": decoder}
            for encoder in choice.encoders
            for decoder in ("lstm", "transformer")
        ]

    @Slot(object)
    def _counted(self, state: JobState) -> None:
        self._waits = False
        if state.error is not None:
            self._trouble = advice(state.error)
            self._count.setText("")
        elif state.result is not None:
            self._facts = state.result
            self.model.show_away(any(facts.away for facts in self._facts))
            self._count.setText(self._in_words())
        self._check()

    def _in_words(self) -> str:
        parts = [weights_in_words(self._facts)]
        away = {facts.of_encoder for facts in self._facts if facts.away}
        if away:
            parts.append(
                f"Published weights of about {size_in_words(4 * sum(away))} are not on this computer yet; they would "
                "be downloaded."
            )
        parts += dict.fromkeys(note for facts in self._facts for note in facts.notes)
        return " ".join(parts)

    def _settings_reason(self) -> str:
        values = self.choice().values
        if values["rate"] <= 0 or (values["encoder_rate"] <= 0 and not values["frozen"]):
            return "A learning rate has to be above 0."
        if values["batch"] % values["accumulate"]:
            return "The batch cannot be shared out evenly among the parts of a step."
        if values["width"] % 4 or values["width"] % values["heads"]:
            return "The width has to be a multiple of 4 and of the number of heads."
        if values["precision"] == "fp16" and values["device"] == "cpu":
            return "fp16 is for graphics cards; choose another precision."
        return ""

    def _check(self) -> None:
        reasons = (
            self.data.reason,
            self.model.reason,
            self._settings_reason(),
            self._trouble,
            next((facts.no_device for facts in self._facts if facts.no_device), ""),
            _COUNTING if self._waits else "",
            why_not_here(self.out.path),
        )
        reason = next((each for each in reasons if each), "")
        self.set_reason(reason)
        self.accept_button.setText("Train all four" if self.model.factorial else "Train")
        wrong = self.data.reason or self.model.wrong or self._settings_reason()
        self.copy_button.setEnabled(not wrong and self.out.path is not None)

    @Slot()
    def _copy(self) -> None:
        choice = self.choice()
        words = training_words(choice.command, choice.values, choice.encoders)
        QGuiApplication.clipboard().setText(terminal_line(words))


def weights_in_words(facts: Sequence[ModelFacts]) -> str:
    """Return how many weights captioners have, and what memory they take with what learning adds."""
    if not facts:
        return ""
    counts = sorted({each.parameters for each in facts})
    said = " to ".join(f"{count / 1e6:,.1f}" for count in dict.fromkeys((counts[0], counts[-1])))
    most = max(each.bytes for each in facts)
    return (
        f"{said} million weights{' each' if len(facts) > 1 else ''}; with what learning adds to them "
        f"{size_in_words(most)} of memory, and a step's activations besides."
    )


def size_in_words(number: int) -> str:
    """Return a number of bytes with its unit."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(1, round(number / 1e6))} MB"


def why_not_here(path: Path | None) -> str:
    """Return why a captioner cannot be trained into a folder; empty when it can."""
    if path is None:
        return "Choose a folder for the captioner."
    reason = why_no_folder(path)
    if reason:
        return reason
    if any((path / name).is_file() for name in _OF_A_TRAINING):
        return (
            "There is a training in that folder already. Watch it to let it go on, or choose another folder."
        )
    return ""


def _scrolled(part: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(part)
    return scroll
