"""Neglect experiment: which parts of which images are taken away from which models, how, and against what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Decoding, ModelInfo
from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.models.given import is_given
from gazeapp.engine.reports.neglect.words import CONTROL_NAMES
from gazeapp.engine.workflows.lesion_cuts import CONTROLS, EQUAL_MASS, MIRRORED, NOTHING, RANDOM, Design
from gazeapp.ui import theme
from gazeapp.ui.dialogs.extract_advanced import Advanced, take
from gazeapp.ui.dialogs.form import Fold, FormDialog, add_field
from gazeapp.ui.dialogs.lesion_count import LesionCountLine
from gazeapp.ui.dialogs.lesion_masks import MaskChoice
from gazeapp.ui.dialogs.lesion_scopes import ScopeChoice
from gazeapp.ui.dialogs.lesion_strengths import StrengthChoice
from gazeapp.ui.dialogs.model_list import ModelList
from gazeapp.ui.dialogs.model_offers import CAPTIONERS, HERE, RUNNERS, Offer, captioner_offer
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import Segments, advice, capital, label, no_mnemonic, plain
from gazeapp.ui.worker import JobRunner, JobState

if TYPE_CHECKING:
    from gazeapp.engine.workflows.masks import KnownSpec
    from gazeapp.ui.dialogs.model_offers import Found

THIS = "This image"
_USUAL = (RANDOM, EQUAL_MASS, MIRRORED, NOTHING)
_LOOKING = "Looking for models on this computer…"


@dataclass(frozen=True)
class _Here:
    """What was looked up: models besides the captioners, facts about them by name, and masks of the project."""

    found: Found
    infos: Mapping[str, ModelInfo]
    specs: tuple[KnownSpec, ...]


class LesionDialog(FormDialog):
    """Asks what to take away from which models; lesions that are there already are not made again.

    Parameters
    ----------
    parent
        The window.
    study
        The study whose images are shown to models.
    lookups
        Runs what is read to fill the dialog in and to count.
    image_id
        The image in hand, for a trial on it alone.
    """

    def __init__(
        self, parent: QWidget | None, study: StudyView, lookups: JobRunner, image_id: int | None = None
    ) -> None:
        super().__init__(
            parent,
            "Neglect experiment",
            "Parts of every image are taken away from every model; what that does to its words and its map is held "
            "against the intact run and against controls. It can be paused, and goes on where it stopped.",
            "Run",
        )
        self._study, self._lookups = study, lookups
        self._image = study.images.get(image_id) if image_id is not None else None
        self._infos: dict[str, ModelInfo] = {}
        self._problem = ""
        self.list = ModelList({run.model for run in study.runs})
        self.masks = MaskChoice()
        self.scopes = ScopeChoice()
        self.tasks = {task: QCheckBox(no_mnemonic(task)) for task in study.tasks}
        self.strengths = StrengthChoice()
        self.controls = {control: QCheckBox(capital(name)) for control, name in CONTROL_NAMES.items()}
        self.images = Segments("Which images")
        self.draws, self.seed = QSpinBox(), QSpinBox()
        self.note = label("", "note", wrap=True)
        self.trouble = label("", "note", wrap=True)
        self.count = label("", "muted", wrap=True)
        self._count = LesionCountLine(self.count, lookups, study.path)
        fold = Fold("Advanced")
        self.advanced = Advanced(fold.form, self)
        fold.form.setRowVisible(self.advanced.keep, False)
        self._fill(fold)
        self._lay_out(fold)
        self._show_captioners()
        self._recall()
        self._connect()
        self._find_job = self._find()
        self._check()
        room = parent.height() if parent is not None else 0
        self.resize(1120, min(max(720, room * 4 // 5), 1000))

    @property
    def names(self) -> dict[str, str]:
        """Names to show of models, by what they are called in settings."""
        return {offer.name: offer.title for offer in self.list.offers.values()}

    def choices(self) -> list[dict[str, Any]]:
        """Return arguments of ``LesionSettings``: for all models, or one for each method and choice of scopes."""
        groups: dict[tuple[str, Decoding, tuple[str, ...]], list[str]] = {}
        for offer in self.list.chosen:
            info = self._infos.get(offer.name)
            scopes = self.scopes.of(info) if info is not None else self.scopes.chosen
            how = self.advanced.method_of(offer.kind), self.advanced.decoding_of(offer.kind), scopes
            groups.setdefault(how, []).append(offer.name)
        settings = self.advanced.settings()
        del settings["keep"]
        common = {
            "tasks": tuple(task for task, box in self.tasks.items() if box.isChecked()),
            "masks": self.masks.chosen,
            "strengths": self.strengths.chosen,
            "controls": tuple(control for control, box in self.controls.items() if box.isChecked()),
            "n_random": self.draws.value(),
            "images": self._image_names(),
            **settings,
            "seed": self.seed.value(),
        }
        return [
            {"models": tuple(names), "method": method, "decoding": decoding, "scopes": scopes, **common}
            for (method, decoding, scopes), names in groups.items()
        ]

    def done(self, result: int) -> None:
        """Leave; nothing is counted any more."""
        self._count.stop()
        super().done(result)

    def _fill(self, fold: Fold) -> None:
        for box in self.tasks.values():
            box.setChecked(True)
        for control, box in self.controls.items():
            box.setChecked(control in _USUAL)
            box.setToolTip(plain(CONTROLS[control]))
        every = f"All {_count(len(self._study.images), 'image')}"
        self.images.set_values([every, THIS] if self._image is not None else [every], every)
        if self._image is not None:
            self.images.setToolTip(f"{THIS}: {self._image.name}, to try it out")
        self.draws.setRange(1, 99)
        self.seed.setRange(0, 2_000_000_000)
        add_field(
            fold.form,
            "Draws",
            self.draws,
            "Masks of each random control on each image. More of them tell better what chance does, and take longer.",
            row=0,
        )
        add_field(
            fold.form, "Seed of the controls", self.seed, "The same seed draws the same masks again.", row=1
        )

    def _lay_out(self, fold: Fold) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.STEP)
        left.addWidget(label("MODELS", "section"))
        left.addWidget(self.list, 1)
        left.addWidget(self.trouble)
        left.addWidget(label("HELD AGAINST", "section"))
        controls = QVBoxLayout()
        controls.setSpacing(2)
        for box in self.controls.values():
            controls.addWidget(box)
        left.addLayout(controls)
        left.addWidget(label("TASKS", "section"))
        tasks = QHBoxLayout()
        tasks.setSpacing(2 * theme.STEP)
        for box in self.tasks.values():
            tasks.addWidget(box)
        tasks.addStretch(1)
        left.addLayout(tasks)
        left.addWidget(label("IMAGES", "section"))
        images = QHBoxLayout()
        images.addWidget(self.images)
        images.addStretch(1)
        left.addLayout(images)
        settings = QWidget()
        right = QVBoxLayout(settings)
        right.setContentsMargins(0, 0, theme.STEP * 2, 0)
        right.setSpacing(theme.STEP)
        right.addWidget(label("WHAT IS TAKEN AWAY", "section"))
        right.addWidget(self.masks)
        right.addSpacing(theme.STEP)
        right.addWidget(label("HOW MUCH OF IT, 0 TO 1", "section"))
        right.addWidget(self.strengths)
        right.addSpacing(theme.STEP)
        right.addWidget(label("WHERE IN THE MODELS", "section"))
        right.addWidget(self.scopes)
        right.addWidget(fold)
        right.addWidget(self.note)
        right.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(settings)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 3)
        both.addLayout(left, 4)
        both.addWidget(scroll, 5)
        self.body.addLayout(both, 1)
        self.body.addWidget(self.count)
        self.trouble.hide()
        self.note.hide()

    def _connect(self) -> None:
        self.list.changed.connect(self._check)
        for part in (self.masks, self.scopes, self.strengths, self.advanced):
            part.changed.connect(self._check)
        for box in (*self.tasks.values(), *self.controls.values()):
            box.toggled.connect(self._check)
        for number in (self.draws, self.seed):
            number.valueChanged.connect(self._check)
        self.images.chosen.connect(self._check)
        self._count.refused.connect(self._check)
        self._lookups.changed.connect(self._looked_up)

    def _show_captioners(self) -> None:
        from gazeapp.engine.models.registry import available_models

        try:
            infos = available_models()
        except GazeError as error:
            self._problem = advice(error)
            return
        self._infos.update({info.id: info for info in infos})
        self.list.show_group(CAPTIONERS, [_to_choose(captioner_offer(info)) for info in infos])
        self.advanced.offer_methods(method for info in infos for method in info.methods)

    def _recall(self) -> None:
        """Choose what the newest intact runs were made with, so that those are not made again."""
        methods: dict[str, str] = {}
        for run in sorted(self._study.runs, key=lambda run: run.id):
            row, model = self._study.settings.get(run.settings_id), self._study.models.get(run.model)
            if row is None or row.verb != "extract" or model is None or is_given(run.method):
                continue
            if model.kind == "vlm":
                self.advanced.recall(row.values)
            else:
                take(self.advanced.words, row.values.get("words"))
                self.advanced.recall_beams(row.values)
                methods[run.model] = run.method
        own = all(
            name in self._infos and self._infos[name].default_method == m for name, m in methods.items()
        )
        if not own and len(set(methods.values())) == 1:
            take(self.advanced.method, next(iter(methods.values())))

    def _find(self) -> int:
        ran = tuple(self._study.models.values())

        def work(project: Any, _progress: Any) -> _Here:
            from gazeapp.engine.workflows.masks import known_specs
            from gazeapp.ui.dialogs.add_model import added_models
            from gazeapp.ui.dialogs.model_finding import find_offers

            found = find_offers(added_models(), ran)
            return _Here(found, _facts_of(found.offers), known_specs(project))

        self.list.show_group(HERE, (), _LOOKING)
        return self._lookups.submit("models and masks", work, self._study.path)

    @Slot(object)
    def _looked_up(self, state: JobState) -> None:
        if not state.finished or state.id != self._find_job:
            return
        if state.error is not None:
            self.trouble.setText(advice(state.error))
            self.trouble.show()
        here: _Here | None = state.result
        offers = here.found.offers if here is not None else ()
        self._infos.update(here.infos if here is not None else {})
        for group in (HERE, RUNNERS):
            own = [_to_choose(offer) for offer in offers if offer.group == group]
            self.list.show_group(group, own, "" if own else "None; Run models brings them here.")
        if here is not None:
            self.masks.show_known(here.specs, len(self._study.images))
            self.advanced.forbid_four_bit(here.found.no_four_bit)
        self._check()

    @Slot()
    def _check(self, _what: object = None) -> None:
        chosen = self.list.chosen
        self.scopes.show_models([self._infos[offer.name] for offer in chosen if offer.name in self._infos])
        images = [self._image] if self._is_one and self._image else list(self._study.images.values())
        outside = [o.title for o in chosen if any(is_outside_training(o.domain, i.origin) for i in images)]
        self.note.setText(
            f"Some images are outside what {', '.join(outside)} {'was' if len(outside) == 1 else 'were'} trained on "
            "(drawn demo scenes): what a lesion does there says nothing about such models at their best."
        )
        self.note.setVisible(bool(outside))
        reason = self._why_not(chosen)
        choices = [] if reason else self.choices()
        self._count.show(self._product(choices, len(images)), choices)
        self.set_reason(reason or self._count.problem)

    def _product(self, choices: Sequence[Mapping[str, Any]], n_images: int) -> str:
        """Return what is multiplied, in words."""
        if not choices:
            return ""
        lesions = [
            Design(
                choice["masks"],
                choice["controls"],
                choice["n_random"],
                choice["scopes"],
                choice["strengths"],
                choice["seed"],
            ).n_cuts()
            for choice in choices
        ]
        n_tasks = len(choices[0]["tasks"])
        parts = [
            f"{_count(len(choice['models']), 'model')} × {_count(n, 'lesion')} with controls"
            for choice, n in zip(choices, lesions, strict=True)
        ]
        total = sum(len(c["models"]) * n for c, n in zip(choices, lesions, strict=True)) * n_images * n_tasks
        how = parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"
        return f"{_count(n_images, 'image')} × {_count(n_tasks, 'task')} × {how} = {total:,}"

    def _why_not(self, chosen: Sequence[Offer]) -> str:
        if self._problem:
            return self._problem
        if not chosen:
            return "Choose at least one model."
        if not self.masks.chosen:
            return "Choose at least one mask."
        if not any(box.isChecked() for box in self.tasks.values()):
            return "Choose at least one task."
        if not self.scopes.chosen:
            return "Choose where in the models it is taken away."
        lacking = [o.title for o in chosen if (info := self._infos.get(o.name)) and not self.scopes.of(info)]
        if lacking:
            return f"Nothing can be taken away from {', '.join(lacking)} in any of the ways that are chosen."
        return self.strengths.reason

    @property
    def _is_one(self) -> bool:
        return self.images.current == THIS

    def _image_names(self) -> tuple[str, ...]:
        return (self._image.name,) if self._is_one and self._image is not None else ()


def _to_choose(offer: Offer) -> Offer:
    """Return an offer as it stands in this list: what has to be agreed to is asked where models are run first."""
    if offer.asks is None:
        return replace(offer, added=False)
    return replace(
        offer, added=False, asks=None, why_not="Run models asks for your agreement to its code first."
    )


def _facts_of(offers: Sequence[Offer]) -> dict[str, ModelInfo]:
    """Return name -> facts of the models that can run here; those of which nothing can be read are left out."""
    from gazeapp.engine.workflows.extract_plan import chosen_models

    found = {}
    for offer in offers:
        if offer.may_run and offer.group in (HERE, RUNNERS):
            try:
                found[offer.name] = chosen_models((offer.name,))[0]
            except GazeError:
                continue  # what is wrong with it is told when it is run
    return found


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
