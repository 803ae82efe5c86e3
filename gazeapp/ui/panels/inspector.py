"""The inspector: the image in hand, the maps under the cursor, and what made the map in focus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.project.rows import ImageRow, RunRow, SettingsRow
from gazeapp.engine.reports.numbers import number
from gazeapp.ui import theme
from gazeapp.ui.canvas.heat import UNIT, HeatLayer
from gazeapp.ui.lesions.facts import Effect
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import label, plain, simulated_badge

_LEAST_WIDTH = 180
_NAME_WIDTH = 72
_UNBROKEN = 11

Fact = tuple[str, str, str]
"""What it is, its value, and a tooltip that says more."""


class FactList(QWidget):
    """Names on the left, values on the right."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, _NAME_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(label(title, "section"))
        column.addLayout(self._grid)
        self.facts: tuple[Fact, ...] = ()
        self._rows: list[tuple[QLabel, QLabel]] = []

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show ``facts``; with none, the list hides."""
        self.setVisible(bool(facts))
        if tuple(facts) == self.facts:
            return
        self.facts = tuple(facts)
        for row in range(len(self._rows), len(facts)):
            self._rows.append(self._new_row(row))
        for row, pair in enumerate(self._rows):
            name, value, tip = facts[row] if row < len(facts) else ("", "", "")
            for part, text in zip(pair, (name, value), strict=True):
                part.setText(text)
                part.setToolTip(plain(tip))
                part.setVisible(row < len(facts))

    def _new_row(self, row: int) -> tuple[QLabel, QLabel]:
        left, right = label("", "muted"), label("", wrap=True)
        right.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        right.setFont(theme.tabular(right.font()))
        right.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        for column, part in enumerate((left, right)):
            part.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            self._grid.addWidget(part, row, column)
        return left, right


class InspectorPanel(QWidget):
    """Facts about what is selected; follows the selection."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.setMinimumWidth(_LEAST_WIDTH)
        self._selection = selection
        self._study: StudyView | None = None
        self._title = label("", "title", wrap=True)
        self._badge = simulated_badge()
        self._note = label("", "note", wrap=True)
        self._image = FactList("IMAGE")
        self._cursor = FactList("MAPS AT THE CURSOR")
        self._source = FactList("SOURCE")
        self._settings = FactList("SETTINGS")
        self._versions = FactList("VERSIONS")
        self._copy = QPushButton("Copy settings as JSON")
        theme.set_role(self._copy, "quiet")
        self._copy.clicked.connect(self._copy_settings)
        self._shown: SettingsRow | None = None
        self._effects: Mapping[str, Effect] = {}
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 16, 8, 16)
        column.setSpacing(theme.STEP * 2)
        column.addWidget(self._title)
        column.addWidget(self._badge)
        for part in (self._note, self._image, self._cursor, self._source, self._settings, self._versions):
            column.addWidget(part)
        column.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        selection.changed.connect(self._follow)
        self._cursor.show_facts(())
        self._fill()

    @property
    def note(self) -> str:
        """The warning in sight; empty when there is none."""
        return self._note.text()

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show facts of ``study``."""
        self._study = study
        self._fill()

    @Slot(object)
    def show_cursor(self, facts: Sequence[Fact]) -> None:
        """Show the values of the maps under the cursor."""
        self._cursor.show_facts(facts)

    def show_effects(self, effects: Mapping[str, Effect]) -> None:
        """Take what a lesion did to models, which panes show while the selection says so."""
        self._effects = dict(effects)
        if self._selection.display.lesion:
            self._fill()

    @Slot(object)
    def _follow(self, names: frozenset[str]) -> None:
        if names & {"image_id", "task", "source", "word", "lesion"}:
            self._fill()

    def _fill(self) -> None:
        study, chosen = self._study, self._selection
        image = study.images.get(chosen.image_id or -1) if study else None
        self._title.setText(image.name if image else "Nothing selected")
        self._badge.setVisible(bool(study and study.simulated))
        self._image.show_facts(image_facts(study, chosen) if study else ())
        source = chosen.source
        run = study.run_of(chosen.image_id, source, chosen.task) if study and source else None
        self._note.setText(outside_note(study, chosen))
        self._note.setVisible(bool(self._note.text()))
        effect = self._effects.get(source or "") if chosen.display.lesion else None
        facts = source_facts(study, chosen, run) if study else []
        self._source.show_facts([*facts[:1], *lesion_facts(effect, chosen), *facts[1:]])
        self._shown = study.settings.get(run.settings_id) if study and run else None
        self._settings.show_facts(settings_facts(self._shown))
        versions = self._shown.versions.items() if self._shown else ()
        self._versions.show_facts([(str(name), str(value), "") for name, value in versions])
        self._copy.setVisible(self._shown is not None)

    @Slot()
    def _copy_settings(self) -> None:
        if self._shown is not None:
            shown = {
                "verb": self._shown.verb,
                "settings": self._shown.values,
                "versions": self._shown.versions,
            }
            QGuiApplication.clipboard().setText(json.dumps(shown, indent=2))


def outside_note(study: StudyView | None, chosen: Selection) -> str:
    """Return the warning that the image is outside what the focused model was trained on, or nothing."""
    if study is None or not chosen.source or not study.is_outside_training(chosen.image_id, chosen.source):
        return ""
    name = study.source_name(chosen.source)
    return (
        f"This image is outside what {name} was trained on (drawn demo scenes). Its words and maps here say "
        "nothing about how well such a model can do."
    )


def image_facts(study: StudyView, chosen: Selection) -> list[Fact]:
    """Return facts of the image in hand."""
    image = study.images.get(chosen.image_id or -1)
    if image is None:
        return []
    origin = "drawn scene of the demo world" if image.origin == "demo-world" else image.origin
    people = len(study.subjects.get((image.id, chosen.task), ()))
    fixations = study.fixations.get((image.id, chosen.task), 0)
    return [
        ("size", f"{image.width} × {image.height} px", "Width × height, after rotation."),
        ("kind", origin, ""),
        ("task", chosen.task or "none yet", "The task that people and models were given."),
        ("people", str(people), "Subjects with a kept fixation on this image under this task."),
        ("fixations", f"{fixations:,}", "Kept fixations on this image under this task."),
        ("file", PurePath(image.path).name, f"{image.path}\nSHA-256 {image.sha256}"),
    ]


def cursor_facts(
    place: tuple[float, float] | None,
    image: ImageRow | None,
    layers: Mapping[str, HeatLayer | None],
    names: Mapping[str, str],
) -> list[Fact]:
    """Return what each map says at a place given as shares of the image's width and height."""
    if place is None or image is None:
        return []
    x, y = int(place[0] * image.width), int(place[1] * image.height)
    facts: list[Fact] = [("at", f"x {x}, y {y} px", "From the top-left corner.")]
    for source, layer in layers.items():
        if layer is not None:
            tip = f"{UNIT}; higher than {layer.percentile_at(*place):.0f} % of this map."
            value = number(layer.value_at(*place))
            facts.append((names.get(source, source), value, tip))
    return facts


def source_facts(study: StudyView, chosen: Selection, run: RunRow | None) -> list[Fact]:
    """Return what made the map in focus."""
    source = chosen.source
    if source is None or chosen.image_id is None:
        return []
    if source == PEOPLE:
        kind = "simulated observers" if study.simulated else "recorded"
        return [
            ("map", "human map", "Density of all kept fixations on this image under this task."),
            ("people", kind, ""),
        ]
    model = study.models.get(source)
    if model is None:
        return []
    facts = [
        ("model", model.name, ""),
        ("encoder", model.encoder, "Turns the picture into a grid of features."),
        ("decoder", model.decoder, "Turns the features into words; its attention is the map."),
        ("trained on", "drawn demo scenes" if model.domain == "demo-world" else model.domain, ""),
        ("weights", _short(model.revision), f"{model.checkpoint}\nSHA-256 or revision {model.revision}"),
    ]
    if run is not None:
        facts += [
            ("map", map_name(run, chosen.word), "The caption's map is the mean over its content words."),
            ("method", run.method, "How attention became a map."),
            ("told task", run.model_task, "The trained task that the model was given."),
            (
                "log prob.",
                "" if run.log_probability is None else f"{run.log_probability:.3g} nats".replace("-", "−"),
                "Natural logarithm of the probability that the model gave its whole caption.",
            ),
            ("took", f"{run.seconds:.2f} s" if run.seconds else "", "Time for caption and maps."),
        ]
    else:
        facts.append(
            ("map", "none", "Run the model on this image; there is none, or one of earlier settings.")
        )
    return [fact for fact in facts if fact[1]]


def lesion_facts(effect: Effect | None, chosen: Selection) -> list[Fact]:
    """Return that the map in sight is one under a lesion, where it is."""
    if effect is None or (effect.image_id, effect.task) != (chosen.image_id, chosen.task):
        return []
    kept = "live, not stored" if effect.is_live else "stored"
    what = "change under a lesion" if chosen.display.lesion == "change" else "under a lesion"
    return [("shown", f"{what} ({kept})", f"{effect.facts}. What stands below is of the intact run.")]


def map_name(run: RunRow, word: int) -> str:
    """Return which map of a run is shown: that of a word, or the caption's mean."""
    if word < 0:
        return "mean over content words" if run.caption else "the map itself"
    words = run.caption.split()
    return f"“{words[word]}”, word {word + 1}" if word < len(words) else f"word {word + 1}"


def settings_facts(row: SettingsRow | None) -> list[Fact]:
    """Return the settings of a map."""
    if row is None:
        return []
    facts = [(name.replace("_", " "), _short(value), str(value)) for name, value in row.values.items()]
    when = row.created[:16].replace("T", " ") + " UTC"
    return [*facts, ("hash", _short(row.hash), "The same settings have the same hash."), ("made", when, "")]


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{str(name).replace('_', ' ')} {_short(part)}" for name, part in value.items())
    text = json.dumps(value) if isinstance(value, list) else str(value).removeprefix("fingerprint-")
    if " " not in text and len(text) > _UNBROKEN:
        return f"{text[:_UNBROKEN]}…"
    return text if len(text) <= 80 else f"{text[:40]}…{text[-30:]}"
