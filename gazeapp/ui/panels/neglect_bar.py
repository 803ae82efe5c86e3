"""What of an experiment is shown: outcome, masks, scope, strength, and what the lesion is held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QSettings, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from gazeapp.engine.reports.neglect.words import SCOPE_NAMES
from gazeapp.engine.reports.numbers import count
from gazeapp.engine.reports.results.lesions import AGAINST, Asked, LesionResults
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.widgets import icon_button, label, plain

_KEPT = "neglect/{}"
_ALL_MASKS = "all"
_MOST_TOGETHER = 4
"""Masks that are shown together at most; of more, one pair or one is chosen."""
_BETWEEN = "\n"
_NARROWEST, _WIDEST = 9, 30


class ExperimentBar(QWidget):
    """Choices side by side; ``changed`` comes when the user makes one, which is remembered."""

    changed = Signal()

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lesions: LesionResults | None = None
        self._task = ""
        self.outcome = _box("Outcome", "What is measured. Impairments come first: more of them is worse.")
        self.masks = _box("Masks", "Which lesions are shown.")
        self.scope = _box("Scope", "Where in the models it was taken away.")
        self.strength = _box("Strength", "How much was taken away, 1 is everything.")
        self.against = _box(
            "Held against",
            "What the lesion is held against. Taking anything away costs something: matched controls, masks as large "
            "elsewhere and regions with as much attention, show what this place costs beyond that.",
        )
        self._boxes = {
            "outcome": self.outcome,
            "masks": self.masks,
            "scope": self.scope,
            "strength": self.strength,
            "against": self.against,
        }
        self._tips = {name: box.toolTip() for name, box in self._boxes.items()}
        self.facts = label("", "muted")
        self.facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.older = label("older", "badge")
        self.older.hide()
        self.run = QPushButton("Run…")
        theme.set_role(self.run, "quiet")
        theme.set_icon(self.run, "play")
        self.run.setAccessibleName(actions["study.lesion"].text())
        follow(self.run, actions["study.lesion"])
        self.take = icon_button("export", "Copy or save the table or the figure")
        self.take.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.STEP, 2, theme.STEP, 2)
        row.setSpacing(theme.STEP)
        for name, box in self._boxes.items():
            box.activated.connect(self._choose)
            box.setObjectName(name)
            row.addWidget(box)
        row.addWidget(self.facts, 1)
        for part in (self.older, self.run, self.take):
            row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    @property
    def asked(self) -> Asked | None:
        """What is asked for; None where there is nothing to choose from."""
        if self._lesions is None or self.outcome.currentIndex() < 0 or self.strength.currentIndex() < 0:
            return None
        return Asked(
            self._task,
            self.outcome.currentData(),
            self._masks,
            self.scope.currentData(),
            self.strength.currentData(),
            self.against.currentData(),
        )

    @property
    def _masks(self) -> tuple[str, ...]:
        return tuple((self.masks.currentData() or "").split(_BETWEEN))

    def show_lesions(self, lesions: LesionResults | None, task: str) -> None:
        """Offer what there is under a task; choices stay where they can."""
        self._lesions, self._task = lesions, task
        self.older.setToolTip(plain("\n".join(lesions.older)) if lesions else "")
        self._fill()

    def show_masks(self, masks: Sequence[str]) -> bool:
        """Choose these masks, or the first of them where they are not shown together; return whether all are there."""
        places = {frozenset(self.masks.itemData(k).split(_BETWEEN)): k for k in range(self.masks.count())}
        if not masks or not all(frozenset([mask]) in places for mask in masks):
            return False
        self.masks.setCurrentIndex(places.get(frozenset(masks), places[frozenset(masks[:1])]))
        self._fill()
        return True

    def explain(self, free: Mapping[str, str]) -> None:
        """Disable choices that make no difference, each with the reason, and say what is not to be chosen."""
        for name, box in self._boxes.items():
            box.setEnabled(name not in free)
            box.setToolTip(plain(free[name]) if name in free else self._tips[name])
        asked = self.asked
        if asked is None or self._lesions is None:
            self.facts.setText("")
            return
        parts = [] if self.scope.isVisibleTo(self) else [SCOPE_NAMES.get(asked.scope, asked.scope)]
        parts += [f"strength {asked.strength:g}"] if not self.strength.isVisibleTo(self) else []
        n_images = self._lesions.n_images(asked)
        parts.append(_images(n_images.values()))
        self.facts.setText("  ·  ".join(parts))
        by_mask = [f"{mask}: {count(n, 'image')}" for mask, n in n_images.items()]
        self.facts.setToolTip(plain("\n".join([self.facts.text(), *by_mask])))

    def _fill(self) -> None:
        """Fill the boxes, each by what is chosen in those before it."""
        lesions, task = self._lesions, self._task
        if lesions is None:
            for box in self._boxes.values():
                box.clear()
                box.hide()
            return
        outcomes = lesions.outcome_ids(task)
        self._offer("outcome", {one: _outcome_name(lesions, one) for one in outcomes})
        outcome = self.outcome.currentData() or ""
        for k, one in enumerate(outcomes):
            self.outcome.setItemData(k, plain(lesions.about(one).meaning), Qt.ItemDataRole.ToolTipRole)
        self._offer("masks", choices_of_masks(lesions.masks(task, outcome)))
        masks = self._masks
        scopes = lesions.scopes(task, outcome, masks)
        self._offer("scope", {one: SCOPE_NAMES.get(one, one) for one in scopes})
        strengths = lesions.common_strengths(task, outcome, self.scope.currentData() or "", masks)
        self._offer("strength", {one: f"strength {one:g}" for one in reversed(strengths)})
        against = {one: f"− {AGAINST[one]}" for one in lesions.controls(task, outcome)}
        self._offer("against", {**against, "": "as it is"})

    def _offer(self, name: str, choices: Mapping[object, str]) -> None:
        box = self._boxes[name]
        kept = box.currentData() if box.count() else None
        stored = QSettings().value(_KEPT.format(name))
        wanted = kept if kept in choices else next((one for one in choices if str(one) == str(stored)), None)
        with QSignalBlocker(box):
            box.clear()
            for value, text in choices.items():
                box.addItem(text, value)
            box.setCurrentIndex(max(box.findData(wanted), 0) if choices else -1)
        box.setVisible(len(choices) > 1)

    @Slot()
    def _choose(self, _index: int = 0) -> None:
        box = self.sender()
        if isinstance(box, QComboBox):
            QSettings().setValue(_KEPT.format(box.objectName()), str(box.currentData()))
        self._fill()
        self.changed.emit()


def _outcome_name(lesions: LesionResults, outcome: str) -> str:
    return lesions.about(outcome).name


def _images(counts: Iterable[int]) -> str:
    """Return on how many images masks were taken away; of several masks from the fewest to the most."""
    different = sorted(set(counts))
    words = "image" if different[-1] == 1 else "images"
    return f"{' to '.join(map(str, dict.fromkeys((different[0], different[-1]))))} {words}"


def choices_of_masks(masks: list[str]) -> dict[object, str]:
    """Return the masks that can be shown together or alone: all of a few, pairs of sides, and each."""
    choices: dict[object, str] = {}
    if 1 < len(masks) <= _MOST_TOGETHER:
        choices[_BETWEEN.join(masks)] = " and ".join(masks) if len(masks) == 2 else f"all {len(masks)} masks"
    for mask in masks:
        other = f"right{mask[4:]}" if mask.startswith("left") else ""
        if other in masks:
            choices.setdefault(_BETWEEN.join((mask, other)), f"{mask} and {other}")
    return {**choices, **{mask: mask for mask in masks}}


def _box(name: str, tooltip: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(plain(tooltip))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumWidth(_NARROWEST * theme.STEP)  # a narrow window cuts choices, and nothing beside them
    box.setMaximumWidth(_WIDEST * theme.STEP)
    return box
