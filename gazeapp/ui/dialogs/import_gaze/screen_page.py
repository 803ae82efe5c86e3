"""Screen and distance: how large the screen was, where the images lay on it, what a degree is in px."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.gaze.geometry import PLACEMENTS, Geometry, effective
from gazeapp.engine.gaze.records import IMAGE, Facts
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import label

_EXPLICIT = "explicit"
_PX, _CM = (0.0, 100_000.0, 0), (0.0, 10_000.0, 1)
_INTRO = "What you leave empty is taken from the file, then from the project's default."
_TAKES = "; it takes the viewing distance, and the screen's width in cm and in px."
_TIPS = {
    "screen": "Size of the screen that people looked at, px. Positions are counted on it.",
    "placement": "Where the image lay on the screen. It decides where on the image a fixation falls.",
    "rect": "Left edge, top edge, width and height of the image as it was shown, screen px.",
    "distance": "From the eyes to the screen, cm. With the screen's width it tells what a degree is in px.",
    "width": "Width of the part of the screen that lights up, cm; not its diagonal.",
    "degree": "Px in a degree of visual angle, where you know it directly. It takes the place of distance and "
    "width.",
}


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
        self._screen = [_number(*_PX), _number(*_PX)]
        self._placement = QComboBox()
        self._placement.addItem("", "")
        for key, words in PLACEMENTS.items():
            self._placement.addItem(words, key)
        self._rect = [_number(-100_000.0, 100_000.0, 0), _number(-100_000.0, 100_000.0, 0)]
        self._rect += [_number(*_PX), _number(*_PX)]
        self._distance, self._width, self._degree = _number(*_CM), _number(*_CM), _number(0.0, 1000.0, 2)
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
        for box in self._numbers():
            box.valueChanged.connect(self._edited)
        self._placement.activated.connect(self._edited)
        self.setFocusProxy(self._screen[0])
        self._lay_out()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show what the user said of a file, with what holds otherwise in its place."""
        self._preview = preview
        geometry, rest = settings.geometry, self._otherwise()
        with ExitStack() as quiet:
            for widget in (*self._numbers(), self._placement):
                quiet.enter_context(QSignalBlocker(widget))
            for box, own, other in zip(
                self._screen, geometry.screen or (None, None), rest.screen or (None, None), strict=True
            ):
                _fill(box, own, other, "px")
            self._placement.setItemText(
                0, f"Not said here: {_lower(PLACEMENTS[rest.placement or 'recorded'])}"
            )
            self._placement.setCurrentIndex(max(0, self._placement.findData(geometry.placement)))
            shown = geometry.rect or (0.0, 0.0, 0.0, 0.0)
            for box, value in zip(self._rect, shown, strict=True):
                _fill(box, value, None, "px")
            _fill(self._distance, geometry.distance_cm, rest.distance_cm, "cm")
            _fill(self._width, geometry.screen_width_cm, rest.screen_width_cm, "cm")
            _fill(self._degree, geometry.px_per_deg, rest.px_per_deg, "px")
        self._explain()

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with the geometry typed here."""
        return replace(settings, geometry=self._geometry())

    def _geometry(self) -> Geometry:
        placement = self._placement.currentData()
        rect = tuple(box.value() for box in self._rect)
        screen = tuple(box.value() for box in self._screen)
        if placement == _EXPLICIT and not (rect[2] > 0 and rect[3] > 0):
            placement = ""  # until its size is typed
        return Geometry(
            screen=(screen[0], screen[1]) if all(screen) else None,
            placement=placement,
            rect=(rect[0], rect[1], rect[2], rect[3]) if placement == _EXPLICIT else None,
            distance_cm=self._distance.value() or None,
            screen_width_cm=self._width.value() or None,
            px_per_deg=self._degree.value() or None,
        )

    def _facts(self) -> Facts:
        preview = self._preview
        recording = preview.read or (preview.plan.recording if preview.plan else None) if preview else None
        return recording.facts if recording is not None else Facts()

    def _project_default(self) -> Geometry:
        return self.default or (self._preview.default if self._preview is not None else Geometry())

    def _otherwise(self) -> Geometry:
        """Return what holds for a file of which nothing is said."""
        return effective(Geometry(), self._facts(), self._project_default())

    @Slot()
    def _edited(self) -> None:
        self._explain()
        self.changed.emit()

    @Slot()
    def _make_default(self) -> None:
        self.default = self._geometry().over(self._project_default())
        self._explain()
        self.default_changed.emit()

    @Slot()
    def _keep_default(self) -> None:
        self.default = None
        self._explain()
        self.default_changed.emit()

    def _explain(self) -> None:
        """Say what holds, what is missing, and what cannot matter."""
        said = self._geometry()
        holds = effective(said, self._facts(), self._project_default())
        on_image = (
            self._facts().frame.of == IMAGE and self._preview is not None and self._preview.read is not None
        )
        why = "Positions in this file are counted on the image itself, so the screen does not move them."
        for key, widgets in self._of_the_screen().items():
            for widget in widgets:
                widget.setEnabled(not on_image)
                widget.setToolTip(why if on_image else _TIPS[key])
        self.setFocusProxy(self._degree if on_image else self._screen[0])
        explicit = self._placement.currentData() == _EXPLICIT
        for box in self._rect:
            box.setEnabled(explicit and not on_image)
            box.setToolTip(_TIPS["rect"] if explicit else "For images at a place that you give.")
        if explicit and not on_image and said.placement != _EXPLICIT:
            note = "Give the width and the height at which the image was shown."
        elif any(box.value() for box in self._screen) and said.screen is None:
            note = "Give both the width and the height of the screen."
        elif not on_image and holds.screen is None:
            note = "The file does not say how large the screen was. Give its width and height in px."
        else:
            note = ""
        self._intro.setText(why if on_image else _INTRO)
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

    def _of_the_screen(self) -> dict[str, Sequence[QWidget]]:
        """Return what says nothing of positions that are counted on the image itself."""
        return {
            "screen": self._screen,
            "placement": [self._placement],
            "distance": [self._distance],
            "width": [self._width],
        }

    def _numbers(self) -> Iterable[QDoubleSpinBox]:
        return (*self._screen, *self._rect, self._distance, self._width, self._degree)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(2 * STEP)
        form.setVerticalSpacing(STEP)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        rows = (
            ("Screen", "screen", _side_by_side(self._screen, ("Screen width", "Screen height"), "×")),
            ("Image on the screen", "placement", self._placement),
            ("Its place", "rect", _side_by_side(self._rect, ("Left", "Top", "Width", "Height"), "")),
            ("Viewing distance", "distance", self._distance),
            ("Width of the screen", "width", self._width),
            ("Px per degree", "degree", self._degree),
        )
        for name, key, field in rows:
            title = label(name, "muted")
            title.setContentsMargins(0, 6, 0, 0)
            title.setToolTip(_TIPS[key])
            field.setToolTip(_TIPS[key])
            if not field.accessibleName():
                field.setAccessibleName(name)
            form.addRow(title, field)
        buttons = QHBoxLayout()
        buttons.addWidget(self._makes_default)
        buttons.addWidget(self._keeps_default)
        buttons.addStretch(1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 2 * STEP, STEP, STEP)
        column.setSpacing(2 * STEP)
        column.addWidget(self._intro)
        column.addWidget(self._note)
        column.addLayout(form)
        column.addWidget(self._result)
        column.addSpacing(STEP)
        column.addWidget(self._default)
        column.addLayout(buttons)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)


def _number(least: float, most: float, decimals: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(least, most)
    box.setDecimals(decimals)
    box.setMinimumWidth(15 * STEP)
    box.setKeyboardTracking(True)
    return box


def _fill(box: QDoubleSpinBox, own: float | None, other: float | None, unit: str) -> None:
    """Put in what the user said, or say what holds otherwise."""
    box.setSuffix(f" {unit}")
    if box.minimum() == 0:
        box.setSpecialValueText(f"{other:g} {unit}, not said here" if other else "not said")
    if abs(box.value() - (own or 0.0)) > 1e-9:
        box.setValue(own or 0.0)


def _side_by_side(boxes: list[QDoubleSpinBox], names: tuple[str, ...], between: str) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(STEP)
    for number, (box, name) in enumerate(zip(boxes, names, strict=True)):
        box.setAccessibleName(name)
        if between and number:
            row.addWidget(label(between, "muted"))
        if not between:
            row.addWidget(label(name.lower(), "muted"))
        row.addWidget(box)
    return line


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _in_words(geometry: Geometry) -> str:
    parts = [
        "screen {:g} × {:g} px".format(*geometry.screen) if geometry.screen else "",
        _lower(PLACEMENTS[geometry.placement]) if geometry.placement else "",
        f"{geometry.distance_cm:g} cm away" if geometry.distance_cm else "",
        f"screen {geometry.screen_width_cm:g} cm wide" if geometry.screen_width_cm else "",
        f"{geometry.px_per_deg:g} px per degree" if geometry.px_per_deg else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing is set"
