"""Screen and distance: how large the screen was, where the images lay on it, what a degree is in px."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from gazeapp.engine.gaze.geometry import PLACEMENTS, Geometry, effective
from gazeapp.engine.gaze.records import IMAGE, Facts
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui.dialogs.geometry_form import EXPLICIT, GeometryForm
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import keep_room, label, lower_first

_INTRO = "What you leave empty is taken from the file, then from the project's default."
_TAKES = "; it takes the viewing distance, and the screen's width in cm and in px."
_ON_IMAGE = "Positions in this file are counted on the image itself, so the screen does not move them."
_OF_THE_SCREEN = ("screen", "placement", "rect", "distance_cm", "screen_width_cm")


class ScreenPage(Page):
    """What the user says of screen, place of the images and distance; what is left open is the file's.

    ``default_changed`` comes when the project's default is to become another one, or is not any more.
    """

    default_changed = Signal()
    title = "Screen and distance"

    def __init__(self) -> None:
        super().__init__()
        self.default: Geometry | None = None
        self._preview: Preview | None = None
        self.form = GeometryForm()
        self.form.edited.connect(self._edited)
        self._intro = label(_INTRO, "muted", wrap=True)
        self._note = label("", "note", wrap=True)
        self._result = label("", wrap=True)
        self._makes_default = QPushButton("Make this the project's default")
        self._makes_default.setToolTip(
            "What a recording's file does not say and you do not say of it is then taken from here: for the other "
            "files of this import, for later ones, and for recordings that the project holds."
        )
        self._keeps_default = QPushButton("Keep the default as it was")
        self._default = label("", "muted", wrap=True)
        for button, slot in (
            (self._makes_default, self._make_default),
            (self._keeps_default, self._keep_default),
        ):
            button.setAutoDefault(False)
            button.clicked.connect(slot)
        self._lay_out()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show what the user said of a file, with what holds otherwise in its place."""
        self._preview = preview
        otherwise = effective(Geometry(), self._facts(), self._project_default())
        self.form.show_geometries([settings.geometry], [otherwise])
        self._explain()

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with the geometry typed here."""
        return replace(settings, geometry=self.form.geometry_said())

    def _facts(self) -> Facts:
        preview = self._preview
        recording = preview.read or (preview.plan.recording if preview.plan else None) if preview else None
        return recording.facts if recording is not None else Facts()

    def _project_default(self) -> Geometry:
        return self.default or (self._preview.default if self._preview is not None else Geometry())

    @Slot()
    def _edited(self) -> None:
        self._explain()
        self.changed.emit()

    @Slot()
    def _make_default(self) -> None:
        self.default = self.form.geometry_said().over(self._project_default())
        self._explain()
        self.default_changed.emit()

    @Slot()
    def _keep_default(self) -> None:
        self.default = None
        self._explain()
        self.default_changed.emit()

    def _explain(self) -> None:
        """Say what holds, what is missing, and what cannot matter."""
        said = self.form.geometry_said()
        holds = effective(said, self._facts(), self._project_default())
        on_image = (
            self._facts().frame.of == IMAGE and self._preview is not None and self._preview.read is not None
        )
        self.form.allow(dict.fromkeys(_OF_THE_SCREEN, _ON_IMAGE) if on_image else {})
        placement, screen = self.form.fields["placement"], self.form.fields["screen"]
        self.setFocusProxy(self.form.fields["px_per_deg"] if on_image else screen)
        if placement.value == EXPLICIT and not on_image and said.placement != EXPLICIT:
            note = "Give the width and the height at which the image was shown."
        elif screen.is_touched and said.screen is None:
            note = "Give both the width and the height of the screen."
        elif not on_image and holds.screen is None:
            note = "The file does not say how large the screen was. Give its width and height in px."
        else:
            note = ""
        self._intro.setText(_ON_IMAGE if on_image else _INTRO)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        degree = holds.screen_px_per_degree
        unit = "image px" if on_image else "screen px"
        self._result.setText(
            f"A degree of visual angle is {degree:.2f} {unit}."
            if degree
            else "What a degree of visual angle is in px is not known. It is needed for finding fixations in samples "
            "and for a blur in degrees" + (", in px of the image." if on_image else _TAKES)
        )
        self._makes_default.setEnabled(said != Geometry())
        self._keeps_default.setVisible(self.default is not None)
        self._default.setText(
            f"The import makes this the project's default: {_in_words(self.default)}."
            if self.default is not None
            else f"The project's default: {_in_words(self._project_default())}."
        )

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._makes_default)
        buttons.addWidget(self._keeps_default)
        buttons.addStretch(1)
        keep_room(self._note)
        keep_room(self._result, 2)
        column = self.scrolled_column()
        column.addWidget(self._intro)
        column.addWidget(self._note)
        column.addWidget(self.form, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._result)
        column.addSpacing(STEP)
        column.addWidget(self._default)
        column.addLayout(buttons)
        column.addStretch(1)


def _in_words(geometry: Geometry) -> str:
    parts = [
        "screen {:g} × {:g} px".format(*geometry.screen) if geometry.screen else "",
        lower_first(PLACEMENTS[geometry.placement]) if geometry.placement else "",
        f"{geometry.distance_cm:g} cm away" if geometry.distance_cm else "",
        f"screen {geometry.screen_width_cm:g} cm wide" if geometry.screen_width_cm else "",
        f"{geometry.px_per_deg:g} px per degree" if geometry.px_per_deg else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing is set"
