"""The part of the train dialog about the data: drawn scenes, or captions that are read for a preview."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from gazeapp.engine.models.captioner.training.settings import DEMO_WORLD
from gazeapp.ui import theme
from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.form import PathField, add_field, choice_box, form_layout
from gazeapp.ui.dialogs.import_responses_fields import OpenField
from gazeapp.ui.dialogs.train_finding import CaptionReader, FoundCaptions
from gazeapp.ui.folders import CAPTIONS, there_is
from gazeapp.ui.widgets import advice, drop_widget, label
from gazeapp.ui.worker import JobRunner, JobState

_PATTERN = "Captions (*.json *.csv *.tsv *.txt *.token);;All files (*)"
_READING = "Reading the captions…"
_DEMO = "Scenes are drawn as they are needed: two tasks, general and social. It takes a processor hours, not weeks."


class DataPart(QWidget):
    """Asks what to learn from; ``changed`` comes when the choice does, ``found_changed`` when it has been read."""

    changed = Signal()
    found_changed = Signal()

    def __init__(self, lookups: JobRunner) -> None:
        super().__init__()
        self.found: FoundCaptions | None = None
        self.problem = ""
        self._values: Mapping[str, Any] = {}
        self._reader = CaptionReader()
        self.kind = choice_box(
            {"Captions of photographs": "captions", "Demo world (drawn scenes)": DEMO_WORLD}
        )
        self.captions = OpenField("Captions", CAPTIONS, _PATTERN, folder=True)
        self.captions.line.setPlaceholderText(
            "COCO or Karpathy JSON, Flickr token file, CSV; or a folder of them"
        )
        self.images = PathField("folder", "Images")
        self.images.line.setPlaceholderText("beside the captions")
        self.tasks: dict[str, QCheckBox] = {}
        self._tasks_row = QHBoxLayout()
        self._says = label("", "muted", wrap=True)
        self._notes = label("", "note", wrap=True)
        self._notes.hide()
        self._reading = CountingLine(self._says, lookups, None)
        self._reading.counted.connect(self._read)
        self._lay_out()
        self.kind.currentIndexChanged.connect(self._kind_chosen)
        self.captions.changed.connect(self._other_captions)
        self.images.changed.connect(self.changed)

    @property
    def data(self) -> str:
        """What `TrainSettings.data` is to be; empty while nothing is chosen."""
        if self.kind.currentData() == DEMO_WORLD:
            return DEMO_WORLD
        return str(self.captions.path or "")

    @property
    def chosen_tasks(self) -> tuple[str, ...]:
        """The tasks to learn; empty for all."""
        ticked = tuple(task for task, box in self.tasks.items() if box.isChecked())
        return () if len(ticked) == len(self.tasks) else ticked

    @property
    def reason(self) -> str:
        """Why nothing can be learnt from it yet; empty when something can."""
        if self.data == DEMO_WORLD:
            return ""
        path = self.captions.path
        if path is None:
            return "Choose the captions to learn from."
        if not there_is(path):
            return "There is nothing at the path of the captions."
        if self.tasks and not any(box.isChecked() for box in self.tasks.values()):
            return "Tick a task."
        return self.problem or ("" if self.found else _READING)

    def set_captions(self, path: Path) -> None:
        """Take captions that were dropped or named."""
        self.kind.setCurrentIndex(0)
        self.captions.set_path(path)

    def look(self, values: Mapping[str, Any]) -> None:
        """Read the captions for the preview, unless what decides it has not changed."""
        names = ("data", "images", "tasks", "seed", "n_validation", "n_test", "min_count")
        asked = {name: values[name] for name in names}
        if asked == self._values:
            return
        self._values = asked
        self.found, self.problem = None, ""
        self._notes.hide()
        path = self.captions.path
        if self.data == DEMO_WORLD:
            self._reading.ask(_DEMO, None)
        elif path is None or not there_is(path):
            self._reading.ask("", None)
        else:
            self._reading.ask(_READING, self._reader.work(asked))

    def stop(self) -> None:
        """Read no more."""
        self._reading.stop()

    def _lay_out(self) -> None:
        form = form_layout()
        add_field(
            form, "Learn from", self.kind, "Drawn scenes, as the captioners that ship, or your captions."
        )
        add_field(
            form,
            "Captions",
            self.captions,
            "The form is found from the content: COCO Captions, Karpathy's JSON, Flickr8k/30k, or a table of image, "
            "caption and task.",
        )
        add_field(form, "Images", self.images, "The folder that the names of pictures are relative to.")
        tasks = QWidget()
        tasks.setLayout(self._tasks_row)
        self._tasks_row.setContentsMargins(0, 0, 0, 0)
        self._tasks_row.setSpacing(theme.STEP * 2)
        add_field(form, "Tasks", tasks, "Each is told to the captioner by a token of its own.")
        self._tasks_line = tasks
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(form)
        column.addWidget(self._says)
        column.addWidget(self._notes)
        self._form = form
        self._show_tasks(())

    @Slot()
    def _kind_chosen(self) -> None:
        drawn = self.data == DEMO_WORLD
        for part in (self.captions, self.images):
            part.setEnabled(not drawn)
        self._show_tasks(())
        self.changed.emit()

    @Slot()
    def _other_captions(self) -> None:
        self._show_tasks(())
        self.changed.emit()

    @Slot(object)
    def _read(self, state: JobState) -> None:
        if state.error is not None:
            self.problem = advice(state.error)
            self._says.setText("")
        elif state.result is not None:
            found: FoundCaptions = state.result
            self.found = found
            self._says.setText(in_words(found))
            self._notes.setText("\n".join(found.notes))
            self._notes.setVisible(bool(found.notes))
            if set(found.tasks) != set(self.tasks):
                self._show_tasks(tuple(found.tasks))
        self.found_changed.emit()

    def _show_tasks(self, tasks: tuple[str, ...]) -> None:
        while self._tasks_row.count():
            drop_widget(self._tasks_row.takeAt(0))
        self.tasks = {task: QCheckBox(task) for task in tasks}
        for box in self.tasks.values():
            box.setChecked(True)
            box.toggled.connect(self.changed)
            self._tasks_row.addWidget(box)
        self._tasks_row.addStretch(1)
        self._form.setRowVisible(self._tasks_line, bool(tasks))


def in_words(found: FoundCaptions) -> str:
    """Return what captions hold, in sentences."""
    train, validation, test = found.splits
    tasks = ", ".join(f"{task} {count:,}" for task, count in found.tasks.items())
    return (
        f"{found.form}: {found.n_pictures:,} pictures with {found.n_captions:,} captions ({tasks}). "
        f"{train:,} pictures to train, {validation:,} to choose by, {test:,} to measure. "
        f"Vocabulary: {found.n_words:,} words."
    )
