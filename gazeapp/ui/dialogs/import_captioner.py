"""Bring a captioner from elsewhere: what is in its files is shown before anything is kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QSpinBox, QWidget

from gazeapp.ui import theme
from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.drop_dialog import DropDialog
from gazeapp.ui.dialogs.form import PathField, add_field
from gazeapp.ui.dialogs.import_responses_fields import OpenField
from gazeapp.ui.folders import CAPTIONERS, remember_folder, there_is, why_no_folder
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.engine.models.captioner.config import CaptionerConfig
    from gazeapp.engine.models.captioner.importing.findings import Findings
    from gazeapp.ui.worker import Work

_CHECKPOINTS = "Checkpoints (*.pth *.pth.tar *.pt *.tar *.bin *.safetensors);;All files (*)"
_PICKLE = (
    "Checkpoints of torch are in Python's pickle format, which can carry code. gazeapp follows its instructions on "
    "plain data and knows no instruction that runs anything; a file that asks for more is refused."
)
_TITLES = {
    "inferred": "Found in the files",
    "assumed": "Taken for granted",
    "unchecked": "Could not be checked",
}


@dataclass(frozen=True, slots=True)
class ImportChoice:
    """What was asked for; ``checkpoint`` is a folder for a captioner of gazeapp's own format."""

    checkpoint: Path
    words: Path | None = None
    encoder_weights: Path | None = None
    heads: int = 0
    name: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into files found, and the folder with the captioner that was made of them on trial."""

    config: CaptionerConfig
    findings: Findings
    made: Path | None


class ImportCaptionerDialog(DropDialog):
    """Asks for a checkpoint and its word map, or a folder of gazeapp's own format, and shows what is in them.

    Parameters
    ----------
    parent
        The window.
    lookups
        Runs what is read of the files.
    paths
        What to begin with.
    """

    def __init__(self, parent: QWidget | None, lookups: JobRunner, paths: Sequence[Path] = ()) -> None:
        super().__init__(
            parent,
            "Import a captioner",
            "A checkpoint as the training scripts of sgrvinod and RoyalSkye write it, with its word map; or a folder "
            "with captioner.json and weights.safetensors. Files can be dropped here.",
            "Import",
        )
        self.dropped.connect(self.take)
        self.looked: Looked | None = None
        self._trouble = ""
        self._busy = False
        self.checkpoint = OpenField("Checkpoint", CAPTIONERS, _CHECKPOINTS, folder=True)
        self.words = OpenField("Word map", CAPTIONERS, "Word maps (*.json);;All files (*)")
        self.words.line.setPlaceholderText("WORDMAP_….json")
        self.encoder = OpenField("Encoder's weights", CAPTIONERS, _CHECKPOINTS)
        self.encoder.line.setPlaceholderText("those of the checkpoint")
        self.heads = QSpinBox()
        self.heads.setRange(0, 64)
        self.heads.setSpecialValueText("as the checkpoint says")
        self.name, self.domain = QLineEdit(), QLineEdit()
        self.name.setPlaceholderText("as its folder")
        self.domain.setPlaceholderText("such as COCO Captions")
        self.output = PathField("folder", "Folder")
        self.output.line.setPlaceholderText("a new folder for the captioner")
        self.look_button = QPushButton("Look into it")
        self.look_button.setAutoDefault(False)
        self.look_button.clicked.connect(self._look)
        self.pickle = label(_PICKLE, "note", wrap=True)
        self._says = label("", "muted", wrap=True)
        self.found = label("", "", wrap=True)
        self._reading = CountingLine(self._says, lookups, None)
        self._lay_out()
        self._connect()
        self.resize(720, 720)
        self._edited()
        self.take(paths)

    def choice(self) -> ImportChoice:
        """Return what was asked for."""
        output = self.output.path
        named = self.name.text().strip() or (output.name if output is not None else "")
        return ImportChoice(
            self.checkpoint.path or Path(),
            self.words.path,
            self.encoder.path,
            self.heads.value(),
            named,
            self.domain.text().strip(),
        )

    @property
    def is_own(self) -> bool:
        """Whether it is a folder of gazeapp's own format, which stays where it is."""
        path = self.checkpoint.path
        return path is not None and there_is(path) and path.is_dir()

    @Slot(object)
    def take(self, paths: Sequence[Path]) -> None:
        """Take a folder, a checkpoint, a word map, or several of them."""
        for path in paths:
            remember_folder(CAPTIONERS, path.parent)
            (self.words if path.suffix.lower() == ".json" and path.is_file() else self.checkpoint).set_path(
                path
            )

    def done(self, result: int) -> None:
        """Leave; what was made on trial is thrown away unless it is to be kept."""
        if not result:
            self._forget()
        super().done(result)

    def _lay_out(self) -> None:
        for name, field, tip in (
            (
                "Checkpoint",
                self.checkpoint,
                "The file that a training script wrote, or a captioner's folder.",
            ),
            (
                "Word map",
                self.words,
                "The words by number, which the scripts write beside their training data.",
            ),
            (
                "Encoder's weights",
                self.encoder,
                "A ResNet's weights, for checkpoints that hold the decoder alone.",
            ),
            (
                "Heads",
                self.heads,
                "Attention heads of a Transformer, where the checkpoint does not say how many.",
            ),
            ("Name", self.name, "Shown for the captioner."),
            (
                "Trained on",
                self.domain,
                "What it was trained on, in a few words; it is shown beside its results.",
            ),
            ("Folder", self.output, "Where the captioner is written, as safetensors with a description."),
        ):
            add_field(self.form, name, field, tip)
        row = QHBoxLayout()
        row.setSpacing(theme.STEP * 2)
        row.addWidget(self.look_button)
        row.addWidget(self._says, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("What was found")
        scroll.setWidget(self.found)
        self.body.addWidget(self.pickle)
        self.body.addLayout(row)
        self.body.addWidget(scroll, 1)

    def _connect(self) -> None:
        for field in (self.checkpoint, self.words, self.encoder):
            field.changed.connect(self._edited)
        self.heads.valueChanged.connect(self._edited)
        for line in (self.name, self.domain):
            line.textChanged.connect(self._edited)
        self.output.changed.connect(self._edited)
        self._reading.counted.connect(self._show)

    @Slot()
    def _edited(self) -> None:
        """Forget what was found of other files, and say what is missing."""
        self._forget()
        self._reading.ask("", None)
        self._busy, self._trouble = False, ""
        self.found.setText("")
        own = self.is_own
        for field in (self.words, self.encoder, self.heads, self.name, self.domain, self.output):
            self.form.setRowVisible(field, not own)
        path = self.checkpoint.path
        self.pickle.setVisible(not own and path is not None and path.suffix.lower() != ".safetensors")
        self._check()

    @Slot()
    def _look(self) -> None:
        self._busy = True
        self._reading.ask("Reading…", look_work(self.choice(), self.is_own))
        self._check()

    @Slot(object)
    def _show(self, state: JobState) -> None:
        self._busy = False
        self._says.setText("")
        if state.error is not None:
            self._trouble = advice(state.error)
        elif state.result is not None:
            self.looked = state.result
            self.found.setText(in_words(state.result))
        self._check()

    def _check(self) -> None:
        missing = self._missing()
        self.look_button.setEnabled(not missing and not self._busy and self.looked is None)
        look_first = "" if self.looked else "Look into it first."
        self.set_reason(missing or ("Reading…" if self._busy else "") or self._trouble or look_first)

    def _missing(self) -> str:
        """Return what has to be given before the files can be looked into."""
        path, words, output = self.checkpoint.path, self.words.path, self.output.path
        if path is None:
            return "Choose the checkpoint, or a captioner's folder."
        if not there_is(path):
            return "There is nothing at the path of the checkpoint."
        if self.is_own:
            return ""
        if words is None or not there_is(words):
            return "Choose the word map that belongs to the checkpoint."
        if self.encoder.path is not None and not there_is(self.encoder.path):
            return "There is nothing at the path of the encoder's weights."
        if output is None:
            return "Choose a folder for the captioner."
        reason = why_no_folder(output)
        if not reason and there_is(output) and any(output.iterdir()):
            return "The folder has to be empty, or not there yet."
        return reason

    def _forget(self) -> None:
        if self.looked is not None and self.looked.made is not None:
            shutil.rmtree(self.looked.made.parent, ignore_errors=True)
        self.looked = None


def look_work(choice: ImportChoice, own: bool) -> Work:
    """Return the work that looks into files; of a checkpoint it makes a captioner on trial, in a passing folder."""

    def work(_project: Any, progress: Any) -> Looked | None:
        if own:
            from gazeapp.engine.models.captioner.importing.native import check_folder

            return Looked(*check_folder(choice.checkpoint), None)
        looked = _on_trial(choice)
        if progress.cancelled and looked.made is not None:  # nobody waits for it any more
            shutil.rmtree(looked.made.parent, ignore_errors=True)
            return None
        return looked

    return work


def _on_trial(choice: ImportChoice) -> Looked:
    from gazeapp.engine.models.captioner.importing.importer import ImportSettings, import_captioner

    passing = Path(tempfile.mkdtemp(prefix="gazeapp-"))
    made = passing / "captioner"
    try:
        done = import_captioner(
            ImportSettings(
                choice.checkpoint,
                choice.words or Path(),
                made,
                choice.encoder_weights,
                choice.heads,
                choice.name,
                choice.domain,
            )
        )
    except BaseException:
        shutil.rmtree(passing, ignore_errors=True)
        raise
    return Looked(done.config, done.findings, made)


def keep_work(looked: Looked, folder: Path) -> Work:
    """Return the work that keeps a captioner in a folder and offers it among the models."""

    def work(_project: Any, _progress: Any) -> str:
        from gazeapp.engine.models.captioner.own import register

        if looked.made is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            if folder.is_dir():
                folder.rmdir()  # it is empty
            shutil.move(looked.made, folder)
            shutil.rmtree(looked.made.parent, ignore_errors=True)
        register(folder)
        return looked.config.name

    return work


def in_words(looked: Looked) -> str:
    """Return what was found as lists of sentences."""
    config = looked.config
    made_of = f"{config.encoder} with {config.decoder}, form {config.form}"
    parts = [f"{config.name}: {made_of}, {len(config.vocabulary):,} words"]
    for key, title in _TITLES.items():
        sentences = looked.findings.to_json()[key]
        parts.append("\n".join([f"{title}:", *(f"  •  {each}" for each in sentences or ["nothing"])]))
    return "\n\n".join(parts)
