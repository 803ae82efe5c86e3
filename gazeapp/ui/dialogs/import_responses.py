"""Bring in brain responses: where they are, whether they were measured, and which image each of them is of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.naming import check_name
from gazeapp.ui import theme
from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.drop_dialog import DropDialog
from gazeapp.ui.dialogs.form import Fold, add_field, choice_box, form_layout
from gazeapp.ui.dialogs.import_responses_fields import OpenField, OriginChoice, WindowChoice
from gazeapp.ui.dialogs.import_responses_found import FoundPart, in_the_window
from gazeapp.ui.folders import LISTS, RESPONSES, remember_folder, there_is
from gazeapp.ui.study import StudyView
from gazeapp.ui.worker import JobRunner, JobState, Work

if TYPE_CHECKING:
    from gazeapp.engine.neural.responses.preview import ResponsesPreview

_SIZE = (1120, 640)
_FILES = "Brain responses (*.npz *.npy *.gii *.gii.gz *.mgh *.mgz *.csv *.csv.gz *.tsv *.tsv.gz *.txt);;All files (*)"
_LISTS = "Lists of images (*.csv *.tsv *.txt *.json);;All files (*)"
_HEMISPHERES = {"Both are needed": "", "The left alone will do": "left", "The right alone will do": "right"}
_AXES = {"As the file says, else time": "", "Time": "time", "Repeats": "repeats"}
_FROM_IT = "named like the file"


class ImportResponsesDialog(DropDialog):
    """Asks for brain responses and shows what is in their file before anything is stored.

    Parameters
    ----------
    parent
        The window.
    study
        The study whose images they are of.
    lookups
        Runs what is read of the file.
    paths
        What to begin with: a file, a folder, or the files of both hemispheres.
    """

    def __init__(
        self, parent: QWidget | None, study: StudyView, lookups: JobRunner, paths: Sequence[Path] = ()
    ) -> None:
        super().__init__(
            parent,
            "Import brain responses",
            "Responses of the cortex to the study's images: 20,484 vertices of fsaverage5, or a table of regions. "
            "Files can be dropped here. Of a pair of hemispheres one file is enough: the other is found beside it.",
            "Import",
        )
        self.dropped.connect(self.take)
        self._study = study
        self._preview: ResponsesPreview | None = None
        self._trouble = ""
        self.place = OpenField("Responses", RESPONSES, _FILES, folder=True)
        self.name = QLineEdit()
        self.name.setPlaceholderText(_FROM_IT)
        self.origin = OriginChoice()
        self.images_list = OpenField("List of images", LISTS, _LISTS)
        self.images_list.line.setPlaceholderText("found beside the file, where one is needed")
        self.window_ = WindowChoice()
        self.subject = QLineEdit()
        for line in (self.name, self.subject):
            line.setAcceptDrops(False)
        self.subject.setPlaceholderText("as the file says")
        self.hemisphere, self.middle = choice_box(_HEMISPHERES), choice_box(_AXES)
        self.found = FoundPart()
        self._reading = CountingLine(self.found.matched, lookups, study.path)
        self._lay_out()
        self._connect()
        self.window_.allow(False)
        self.resize(*_SIZE)
        self._read()
        self.take(paths)
        (self.origin if paths else self.place).setFocus()

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ImportResponsesSettings``."""
        has_time = self.window_.may_be_used
        return {
            "path": str(self.place.path or ""),
            "name": self.name.text().strip(),
            "simulated": self.origin.chosen,
            "images_list": str(self.images_list.path or ""),
            "window": self.window_.window if has_time else None,
            "tr": self.window_.seconds if has_time else None,
            "subject": self.subject.text().strip(),
            "hemisphere": self.hemisphere.currentData(),
            "middle": self.middle.currentData(),
        }

    @Slot(object)
    def take(self, paths: Sequence[Path]) -> None:
        """Read a file, a folder, or a pair of files, of which the first finds the other."""
        if paths:
            remember_folder(RESPONSES, paths[0].parent)
            self.place.set_path(paths[0])

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.STEP * 2)
        form = form_layout()
        left.addLayout(form)
        add_field(
            form, "Responses", self.place, "A file, one of a pair of files, or a folder of time courses."
        )
        add_field(
            form,
            "Origin",
            self.origin,
            "It is shown with every number that comes of them. Simulated: any model made them, such as TRIBE.",
        )
        add_field(form, "Name", self.name, "What the study calls them.")
        add_field(
            form,
            "List of images",
            self.images_list,
            "Names the image of each row, for files that cannot: NPY, GIFTI and MGH. One name in a line, or a column "
            "called image.",
        )
        add_field(
            form,
            "Window",
            self.window_,
            "Part of each time course that is averaged. From 4 s on a model that looks back 4 s sees the still alone. "
            "Nothing is shifted for the haemodynamic lag: choose a later window for measured time courses.",
        )
        add_field(
            form,
            "Rows are apart",
            self.window_.rows_apart,
            "Time between two rows of a time course (the repetition time). It tells which rows are in a window of "
            "seconds.",
        )
        fold = Fold("Advanced")
        fold.turned.connect(self.make_room, Qt.ConnectionType.QueuedConnection)
        for name, field, tip in (
            (
                "Subject",
                self.subject,
                "Whose they are, where the file does not say; of several, the only one read.",
            ),
            ("Hemispheres", self.hemisphere, "Whether one may be missing; its vertices have no values then."),
            ("Middle axis", self.middle, "What lies between images and targets in an array of three axes."),
        ):
            add_field(fold.form, name, field, tip)
        left.addWidget(fold)
        left.addWidget(self.found.warned, 1)
        left.addStretch(0)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 4)
        both.addLayout(left, 5)
        both.addWidget(self.found, 5)
        self.body.addLayout(both, 1)

    def _connect(self) -> None:
        self.place.changed.connect(self._other_file)
        for part in (self.origin, self.images_list, self.window_):
            part.changed.connect(self._read)
        self.name.textChanged.connect(self._check)
        self.subject.textChanged.connect(self._read)
        for box in (self.hemisphere, self.middle):
            box.activated.connect(self._read)
        self._reading.counted.connect(self._show)

    @Slot()
    def _other_file(self) -> None:
        """Forget what was said of another file, of which it may not be true."""
        self.origin.clear()
        self.window_.allow(False)
        self._read()

    @Slot()
    def _read(self, _what: object = None) -> None:
        """Look into the file, soon."""
        self._preview, self._trouble = None, ""
        path = self.place.path
        ready = path is not None and there_is(path) and not self._lacks_list
        if not ready:
            self.found.show_found(None)
        self._reading.ask("Reading…" if ready else "", preview_work(self.choice()) if ready else None)
        self._check()

    @Slot(object)
    def _show(self, state: JobState) -> None:
        if state.error is not None:
            self._trouble = in_the_window(state.error)
        elif state.result is not None:
            found: ResponsesPreview = state.result
            self._preview = found
            self.found.show_found(found)
            if found.form:
                self.origin.show_file(found.simulated_by_file)
                self.window_.allow(bool(found.time_rows))
        self._check()

    @Slot()
    def _check(self) -> None:
        self.set_reason(self._why_not())

    def _why_not(self) -> str:
        """Return what is missing or wrong; empty when nothing is."""
        path, found = self.place.path, self._preview
        if path is None:
            return "Choose a file or a folder of responses, or drop it here."
        if not there_is(path):
            return "There is no such file or folder."
        if self._lacks_list:
            return "There is no such list of images."
        if self._trouble:
            return self._trouble
        if found is None:
            return "Reading…"
        if found.form and found.matched.image_of and found.simulated is None:
            return "Say whether they were measured or simulated: it is shown with every number that comes of them."
        if found.error is not None:
            return in_the_window(found.error)
        name = self._name_of(path)
        try:
            check_name(name)
        except GazeError as error:
            return in_the_window(error)
        if name in {row.name for row in self._study.responses}:
            return f"The study holds responses called “{name}” already; give these another name."
        return ""

    @property
    def _lacks_list(self) -> bool:
        path = self.images_list.path
        return path is not None and not there_is(path)

    def _name_of(self, path: Path) -> str:
        from gazeapp.engine.workflows.import_responses import name_of

        return name_of(path, self.name.text())


def preview_work(choice: dict[str, Any]) -> Work:
    """Return the work that looks into a file; ``choice`` are arguments of ``ImportResponsesSettings``."""

    def work(project: Any, _progress: Any) -> ResponsesPreview:
        from gazeapp.engine.neural.responses.preview import preview_responses
        from gazeapp.engine.workflows.import_responses import ImportResponsesSettings

        settings = ImportResponsesSettings(**choice)
        names = [image.name for image in project.images.all()]
        return preview_responses(Path(settings.path), settings.options, names)

    return work
