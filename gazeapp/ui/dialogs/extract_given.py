"""Captions that people wrote, to be said by every model: the file is read beside the window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import PathLine
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.engine.workflows.extract_given import GivenCaptions

_PATTERN = "Captions (*.csv *.tsv *.json *.txt *.token);;All files (*)"


@dataclass(frozen=True)
class _Read:
    """Captions, and how many images of the study have one, by task; of another task under ``""``."""

    captions: GivenCaptions
    n_images: Mapping[str, int]


class _File(PathLine):
    """A line with the path of a caption file, and a button to choose it."""

    def __init__(self) -> None:
        super().__init__("Given captions")
        self.line.setPlaceholderText("none: models choose their words")
        self.line.setClearButtonEnabled(True)
        self._add_button("Choose…", self._choose, "Choose a file of captions")

    @Slot()
    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Captions", str(self.path or Path.home()), _PATTERN)
        if name:
            self.set_path(Path(name))


class GivenChoice(QWidget):
    """A file of captions for the models to say, and what it has for the study's images.

    Parameters
    ----------
    lookups
        Runs the reading.
    path
        The study.
    tasks
        Its tasks.
    """

    changed = Signal()

    def __init__(self, lookups: JobRunner, path: Path, tasks: Iterable[str]) -> None:
        super().__init__()
        self._lookups, self._path, self._tasks = lookups, path, tuple(tasks)
        self._job = 0
        self._read: _Read | None = None
        self.reason = ""
        """Why what is chosen cannot be run; empty when it can."""
        self.file = _File()
        self._facts = label("", "muted", wrap=True)
        self._facts.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(self.file)
        column.addWidget(self._facts)
        self.setFocusProxy(self.file)
        self.file.changed.connect(self._look)
        lookups.changed.connect(self._looked)

    @property
    def captions(self) -> GivenCaptions | None:
        """The captions, once they are read; None where none are given."""
        return None if self._read is None else self._read.captions

    def n_images(self, task: str, n_all: int) -> int:
        """Return on how many of the study's images there is something to do under a task."""
        if self._read is None:
            return n_all
        return self._read.n_images.get(task, self._read.n_images[""])

    @Slot()
    def _look(self) -> None:
        path, tasks = self.file.path, self._tasks
        self._job, self._read, self.reason = 0, None, ""
        if path is not None:
            self.reason = "The captions are being read."

            def work(project: Any, _progress: Any) -> _Read:
                from gazeapp.engine.workflows.extract_given import read_given

                captions, images = read_given(path), project.images.all()
                return _Read(captions, {task: len(captions.by_image(images, task)) for task in (*tasks, "")})

            self._job = self._lookups.submit("captions", work, self._path)
        self._tell("")

    @Slot(object)
    def _looked(self, state: JobState) -> None:
        if not state.finished or not self._job or state.id != self._job:
            return
        self._read, self.reason = state.result, "" if state.error is None else advice(state.error)
        if self._read is None:
            self.reason = self.reason or "The captions were not read."
            self._tell("")
        else:
            numbers = [f"{self._read.n_images[task]:,} under {task}" for task in self._tasks]
            more = self._read.captions.n_more
            self._tell(
                f"Images with a caption: {', '.join(numbers)}."
                + (f" {more:,} further captions of the same images are not used." if more else "")
            )

    def _tell(self, facts: str) -> None:
        self._facts.setText(facts)
        self._facts.setVisible(bool(facts))
        self.changed.emit()
