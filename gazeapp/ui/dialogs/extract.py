"""Run models: which ones, under which tasks, with which text, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Decoding
from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.models.given import plain_method
from gazeapp.ui import theme
from gazeapp.ui.dialogs.add_model import AddModelDialog, add_to_list, added_models, take_off_list
from gazeapp.ui.dialogs.consent import CodeQuestion, DownloadQuestion
from gazeapp.ui.dialogs.extract_advanced import Advanced, take
from gazeapp.ui.dialogs.extract_count import CountLine
from gazeapp.ui.dialogs.extract_given import GivenChoice
from gazeapp.ui.dialogs.extract_trial import TrialStrip
from gazeapp.ui.dialogs.form import Fold, FormDialog, add_field
from gazeapp.ui.dialogs.model_list import ModelList
from gazeapp.ui.dialogs.model_offers import (
    AWAY,
    CAPTIONERS,
    HERE,
    RUNNERS,
    Found,
    Offer,
    captioner_offer,
)
from gazeapp.ui.dialogs.prompts import TaskList, TaskPrompts, read_prompts
from gazeapp.ui.model_jobs import download_work
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobRunner, JobState

_LOOKING = "Looking for models on this computer…"


class ExtractDialog(FormDialog):
    """Asks which models to run; what is there already is not computed again.

    Parameters
    ----------
    parent
        The window.
    study
        The study that they run on.
    jobs
        Runs trials and downloads.
    lookups
        Runs what is read to fill the dialog in.
    """

    def __init__(self, parent: QWidget | None, study: StudyView, jobs: JobRunner, lookups: JobRunner) -> None:
        super().__init__(
            parent,
            "Run models",
            "Each model describes every image; each word it says has a map of where it attended. "
            "Images that a model has done are skipped.",
            "Run",
        )
        self._study, self._jobs, self._lookups = study, jobs, lookups
        self._problem = ""
        self._wanted: dict[int, Offer] = {}
        self._downloads: dict[int, Offer] = {}
        self.list = ModelList(_ran(study))
        self.tasks_list = TaskList(study.tasks)
        self.mirrored = QCheckBox("Also describe the mirrored images")
        self.mirrored.setToolTip(
            "For left and right: tells a habit of looking at one side from what the pictures\nshow there. It takes "
            "as long again."
        )
        self.note = label("", "note", wrap=True)
        self.trouble = label("", "note", wrap=True)
        self.trouble.hide()
        self.trial = TrialStrip(jobs, study.path)
        self._count = CountLine(self.trial.count, lookups, study.path)
        self._fold = Fold("Advanced")
        self.given = GivenChoice(lookups, study.path, study.tasks)
        add_field(
            self._fold.form,
            "Given captions",
            self.given,
            "A file of captions that the models are made to say instead of their own, so that all are compared on the "
            "same words: a table with the columns image and caption, or COCO captions. Their maps stand beside those "
            "of the models' own captions.",
        )
        self.advanced = Advanced(self._fold.form, self)
        self._lay_out(self._fold)
        self._connect()
        self._show_captioners()
        self._recall()
        for group in (HERE, RUNNERS, AWAY):
            self.list.show_group(group, (), _LOOKING if group == HERE else " ")
        self._prompts_job = lookups.submit("prompts", lambda project, _p: read_prompts(project), study.path)
        self._find_job = 0
        self._find()
        self._check()
        room = parent.height() if parent is not None else 0
        self.resize(1120, min(max(720, room * 4 // 5), 1000))
        next(iter(self.models.values()), self.accept_button).setFocus()

    @property
    def models(self) -> dict[str, QCheckBox]:
        """The box of each model by its name."""
        return self.list.boxes

    @property
    def tasks(self) -> dict[str, QCheckBox]:
        """The box of each task of the study."""
        return self.tasks_list.boxes

    @property
    def texts(self) -> dict[str, str]:
        """The text of each task that is run."""
        return self.tasks_list.texts

    def choices(self) -> list[dict[str, Any]]:
        """Return the settings as arguments of ``ExtractSettings``: one for all, or one for each way to run them."""
        alike: dict[tuple[str, Decoding], list[str]] = {}
        for offer in self.list.chosen:
            how = self.advanced.method_of(offer.kind), self.advanced.decoding_of(offer.kind)
            alike.setdefault(how, []).append(offer.name)
        common = {
            "tasks": self.tasks_list.chosen,
            "mirrored": self.mirrored.isChecked(),
            "given": self.given.captions,
            **self.advanced.settings(),
        }
        return [
            {"models": tuple(names), "method": method, "decoding": decoding, **common}
            for (method, decoding), names in alike.items()
        ]

    @property
    def names(self) -> dict[str, str]:
        """Names to show of all models, by what they are called in settings and by what runs are filed under."""
        offers = self.list.offers.values()
        return {key: offer.title for offer in offers for key in (offer.name, offer.id) if key}

    def prefer(self, keep: str, method: str) -> None:
        """Choose beforehand what runs keep and their map method; what is empty stays as it was."""
        if keep:
            take(self.advanced.keep, keep)
        if method:
            self.advanced.attention.show_method(plain_method(method))
        if keep or method:
            self._fold.open()

    def done(self, result: int) -> None:
        """Leave; a trial ends with the dialog, a download goes on."""
        self.trial.stop()
        self._count.stop()
        super().done(result)

    def _lay_out(self, fold: Fold) -> None:
        add = QPushButton("Add a model…")
        theme.set_role(add, "quiet")
        theme.set_icon(add, "plus")
        add.setAutoDefault(False)
        add.clicked.connect(self._add_model)
        head = QHBoxLayout()
        head.addWidget(label("MODELS", "section"), 1)
        head.addWidget(add)
        left = QVBoxLayout()
        left.setSpacing(theme.STEP)
        left.addLayout(head)
        left.addWidget(self.list, 1)
        left.addWidget(self.trouble)
        settings = QWidget()
        right = QVBoxLayout(settings)
        right.setContentsMargins(0, 0, theme.STEP * 2, 0)
        right.setSpacing(theme.STEP)
        title = label("TASKS, IN THE WORDS THAT MODELS READ", "section")
        title.setMinimumHeight(add.sizeHint().height())
        right.addWidget(title)
        for part in (self.tasks_list, self.mirrored, fold, self.note):
            right.addWidget(part)
        right.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(settings)
        both = QHBoxLayout()
        both.setSpacing(theme.STEP * 3)
        both.addLayout(left, 1)
        both.addWidget(scroll, 1)
        self.body.addLayout(both, 1)
        self.body.addWidget(self.trial)

    def _connect(self) -> None:
        self.list.changed.connect(self._check)
        self.list.download_asked.connect(self._ask_size)
        self.list.agreement_asked.connect(self._ask_consent)
        self.list.removal_asked.connect(self._take_off)
        self.tasks_list.changed.connect(self._check)
        self.mirrored.toggled.connect(self._check)
        self.advanced.changed.connect(self._check)
        self.given.changed.connect(self._check)
        self.trial.asked.connect(self._try)
        self.trial.ended.connect(self._check)
        self._jobs.changed.connect(self._job_changed)
        self._lookups.changed.connect(self._looked_up)

    def _show_captioners(self) -> None:
        from gazeapp.engine.models.registry import available_models

        try:
            offers = [captioner_offer(info) for info in available_models()]
            self.list.show_group(CAPTIONERS, offers)
            self.advanced.offer_methods(method for offer in offers for method in offer.methods)
        except GazeError as error:
            self._problem = advice(error)

    def _recall(self) -> None:
        """Choose what the newest run was made with, of a vision-language model if there is one."""
        study = self._study
        made: dict[bool, Mapping[str, Any]] = {}
        for run in sorted(study.runs, key=lambda run: run.id):
            row, model = study.settings.get(run.settings_id), study.models.get(run.model)
            if row is not None and row.verb == "extract" and model is not None:
                made[model.kind == "vlm"] = row.values
        if True in made:
            self.advanced.recall(made[True])
        elif made:
            take(self.advanced.words, made[False].get("words"))
        if False in made:
            self.advanced.recall_beams(made[False])

    def _find(self) -> None:
        added, ran = added_models(), tuple(self._study.models.values())

        def work(_project: Any, _progress: Any) -> Found:
            from gazeapp.ui.dialogs.model_finding import find_offers

            return find_offers(added, ran)

        self._find_job = self._lookups.submit("models", work, None)

    @Slot(object)
    def _looked_up(self, state: JobState) -> None:
        if not state.finished:
            return
        if state.id == self._find_job:
            self._show_found(state)
        elif state.id == self._prompts_job and state.result is not None:
            prompts: Mapping[str, TaskPrompts] = state.result
            self.tasks_list.show_prompts(prompts)
        elif state.id in self._wanted:
            self._ask_download(self._wanted.pop(state.id), state)

    def _show_found(self, state: JobState) -> None:
        found: Found = state.result or Found(())
        problems = [advice(error) for error in found.problems]
        if state.error is not None:
            problems.append(advice(state.error))
        for group in (HERE, RUNNERS, AWAY):
            self.list.show_group(group, [offer for offer in found.offers if offer.group == group])
        self._tell(problems)
        self.advanced.forbid_four_bit(found.no_four_bit)
        self.advanced.offer_methods(
            method for offer in self.list.offers.values() if offer.kind != "vlm" for method in offer.methods
        )
        self._check()

    @Slot()
    def _add_model(self) -> None:
        dialog = AddModelDialog(self, self._lookups)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        offer, captioners = dialog.offer, dialog.captioners
        dialog.deleteLater()
        if not accepted or offer is None:
            return
        if captioners:
            for one in captioners:
                self.list.tick_when_shown(one.name)
            self._show_captioners()
            self._check()
            return
        if offer.group == AWAY:
            away = [other for other in self.list.offers.values() if other.group == AWAY]
            if offer.name not in self.list.offers:
                self.list.show_group(AWAY, [offer, *away])
            self._ask_size(offer)
            return
        self.list.tick_when_shown(offer.name)
        self._find()

    @Slot(object)
    def _take_off(self, offer: Offer) -> None:
        try:
            take_off_list(offer)
        except GazeError as error:
            self._tell([advice(error)])
            return
        if offer.folder:
            self._show_captioners()
        self._find()

    @Slot(object)
    def _ask_consent(self, offer: Offer) -> None:
        if offer.asks is None:
            return
        question = CodeQuestion(self, offer.asks)
        if question.exec() == QDialog.DialogCode.Accepted:
            self.list.tick_when_shown(offer.name)
            self._find()
        question.deleteLater()

    @Slot(object)
    def _ask_size(self, offer: Offer) -> None:
        """Ask the hub what a download would bring; the question comes when it has answered."""
        name = offer.name

        def work(_project: Any, _progress: Any) -> Any:
            from gazeapp.engine.models.vlm.loading.survey import survey

            return survey(name)

        self.list.set_busy(name, "Asking the hub…")
        self._wanted[self._lookups.submit("survey", work, None)] = offer

    def _ask_download(self, offer: Offer, state: JobState) -> None:
        self.list.set_busy(offer.name, "")
        if state.error is not None:
            self._tell([f"{offer.title}: {advice(state.error)}"])
            return
        if state.result is None:
            return
        question = DownloadQuestion(self, offer.title, state.result)
        if question.exec() == QDialog.DialogCode.Accepted:
            job = self._jobs.submit(
                f"Downloading {offer.title}",
                download_work(offer.name),
                None,
                unit="piece",
                can_pause=False,
                can_go_on=True,
            )
            self._downloads[job] = offer
            self.list.set_busy(offer.name, "Waiting…")
        question.deleteLater()

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if state.id in self._downloads:
            self._show_download(state)

    def _show_download(self, state: JobState) -> None:
        offer = self._downloads[state.id]
        if not state.finished:
            share = f" {state.done * 100 // state.total} %" if state.total else "…"
            self.list.set_busy(offer.name, f"Downloading{share}" if state.begun else "Waiting…")
            return
        del self._downloads[state.id]
        self.list.set_busy(offer.name, "")
        if state.error is not None:
            self._tell([f"{offer.title}: {advice(state.error)}"])
        elif state.status == "done":
            if "@" in offer.name:
                add_to_list(offer.name)
            self.list.tick_when_shown(offer.name)
            self._find()

    def _tell(self, problems: Sequence[str]) -> None:
        """Say under the list what could not be read or reached; nothing for none."""
        self.trouble.setText("\n".join(problems))
        self.trouble.setVisible(bool(problems))

    @Slot()
    def _try(self) -> None:
        self.trial.start(self.choices(), self.names)
        self._check()

    @Slot()
    def _check(self) -> None:
        chosen, tasks = self.list.chosen, self.tasks_list.chosen
        images = self._study.images.values()
        outside = [o.title for o in chosen if any(is_outside_training(o.domain, i.origin) for i in images)]
        self.note.setText(
            f"Some images are outside what {', '.join(outside)} {'was' if len(outside) == 1 else 'were'} "
            "trained on (drawn demo scenes). They run, but their words and maps there say nothing about how "
            "well such models can do."
        )
        self.note.setVisible(bool(outside))
        mirrored = self.mirrored.isChecked()
        n_described = sum(self.given.n_images(task, len(images)) for task in tasks)
        units = n_described * len(chosen) * (2 if mirrored else 1)
        reason = self._why_not(chosen)
        known = tuple(task for task in tasks if task in self._study.tasks)
        self._count.show(
            f"{self._images(len(images))}{' and their mirror images' if mirrored else ''} × "
            f"{_count(len(chosen), 'model')} × {_count(len(tasks), 'task')}",
            units,
            [{**choice, "tasks": known} for choice in self.choices()] if known and not reason else [],
            self.texts,
        )
        new_task = (
            "" if set(tasks) <= set(self._study.tasks) else "A new task has to be in the project first."
        )
        self.trial.follow(self.choices(), reason or new_task)
        self.set_reason(reason)

    def _images(self, number: int) -> str:
        return _count(number, "image") if self.given.captions is None else "images with a given caption"

    def _why_not(self, chosen: tuple[Offer, ...]) -> str:
        if self._problem:
            return self._problem
        if not chosen:
            return "Choose at least one model."
        method = self.advanced.method_of(CAPTIONERS)
        lacking = [o.title for o in chosen if o.kind != "vlm" and method and not o.has_method(method)]
        if lacking:
            return f"{', '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} no map method '{method}'."
        reason = self.tasks_list.reason or self.given.reason or self.advanced.attention.reason
        return reason or next((why for offer in chosen if (why := self._lacks(offer))), "")

    def _lacks(self, offer: Offer) -> str:
        """Return why a model has not the layers or heads that are chosen; empty when it has, or nobody knows."""
        row = self._study.models.get(offer.id)
        why = (
            self.advanced.attention.why_not(offer.id, row.facts if row else {}) if offer.kind == "vlm" else ""
        )
        return f"{offer.title}: {why}" if why else ""


def _ran(study: StudyView) -> set[str]:
    """Return the models that described images of the study; maps made elsewhere and a known truth are none."""
    return {run.model for run in study.runs if study.models[run.model].kind in ("captioner", "vlm", "runner")}


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
