"""Running models on the image in hand that are too large to follow the mask: as jobs, on a button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.given import free
from gazeapp.engine.models.lesioning import check_scope
from gazeapp.engine.project.rows import ModelRow
from gazeapp.ui.lesions.facts import Effect, StoredQuestion
from gazeapp.ui.lesions.live import LiveLesion
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobState, Work

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.workflows.extract_plan import ExtractSettings
    from gazeapp.ui.job_control import JobProgress


@dataclass(frozen=True)
class _Lesion:
    """What the effects in hand belong to."""

    image_id: int | None
    task: str
    scope: str
    strength: float


class LesionRuns(QObject):
    """Submits lesions of single images and reads what they did; forgets it when the lesion changes.

    Parameters
    ----------
    selection, session, loader
        The image and task in hand, the runner of jobs, the reader of the project.
    masks
        The mask; it is taken from the project, where each step is stored.
    live
        Scope and strength.
    """

    changed = Signal()

    def __init__(
        self,
        selection: Selection,
        session: Session,
        loader: Loader,
        masks: MaskSession,
        live: LiveLesion,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._selection = selection
        self._session = session
        self._loader = loader
        self._masks = masks
        self._live = live
        self._lesion = self._in_hand()
        self._jobs: dict[int, StoredQuestion] = {}
        self._stored: dict[str, StoredQuestion] = {}
        self._effects: dict[str, Effect] = {}
        self._troubles: dict[str, GazeError] = {}
        session.runner.changed.connect(self._job_changed)
        loader.answered.connect(self._answered)
        loader.listed.connect(self._ask)
        live.changed.connect(self._follow)
        selection.changed.connect(self._follow)
        masks.changed.connect(self._forget)
        masks.switched.connect(self._forget)

    @property
    def effects(self) -> Mapping[str, Effect]:
        """What was found for the lesion in hand, by model."""
        return self._effects

    @property
    def troubles(self) -> Mapping[str, GazeError]:
        """Why models could not be run."""
        return self._troubles

    def is_running(self, model: str) -> bool:
        """Whether a job of this model waits or runs."""
        return any(one.model == model for one in (*self._jobs.values(), *self._stored.values()))

    def run(self, row: ModelRow, image_name: str) -> None:
        """Run a model on the image in hand under the lesion."""
        image_id = self._selection.image_id
        if image_id is None or self.is_running(row.id):
            return
        live, task = self._live, self._selection.task
        try:
            check_scope(info_of(row), live.scope)
        except GazeError as error:
            self._troubles[row.id] = error
            self.changed.emit()
            return
        self._masks.end_stroke()
        question = StoredQuestion(image_id, task, row.id, self._masks.name, live.scope, live.strength)
        job = self._session.submit(
            f"Lesion of {image_name} for {row.name}",
            self._masks.keeper.before(_work(question, image_name)),
            uses_torch=True,
        )
        self._troubles.pop(row.id, None)
        self._jobs[job] = question
        self.changed.emit()

    def _in_hand(self) -> _Lesion:
        chosen, live = self._selection, self._live
        return _Lesion(chosen.image_id, chosen.task, live.scope, live.strength)

    @Slot()
    def _follow(self, _changed: object = None) -> None:
        if self._in_hand() != self._lesion:
            self._lesion = self._in_hand()
            self._forget()

    @Slot()
    def _forget(self) -> None:
        """Let go of what belongs to another mask; jobs that run on it are not waited for any more."""
        held: tuple[dict[Any, Any], ...] = (self._effects, self._troubles, self._jobs, self._stored)
        if any(held):
            for each in held:
                each.clear()
            self.changed.emit()

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in self._jobs:
            return
        question = self._jobs.pop(state.id)
        if state.error is not None:
            self._troubles[question.model] = GazeError(state.error.what, todo=state.error.todo)
        elif problems := getattr(state.result, "problems", ()):
            self._troubles[question.model] = GazeError(problems[0].what, todo=problems[0].todo)
        elif state.status == "done":
            self._stored[question.model] = question
            self._ask()
        self.changed.emit()

    @Slot()
    def _ask(self, _catalogue: object = None) -> None:
        """Have what a job stored read, one after another; a project that changes drops what it was asked."""
        for question in list(self._stored.values())[:1]:
            self._loader.ask(question)

    @Slot(object, object)
    def _answered(self, question: object, answer: object) -> None:
        if not isinstance(question, StoredQuestion) or self._stored.get(question.model) != question:
            return
        del self._stored[question.model]
        if isinstance(answer, Effect):
            self._effects[question.model] = answer
        self._ask()
        self.changed.emit()


def info_of(row: ModelRow) -> ModelInfo:
    """Return what is known of a model of the study."""
    return ModelInfo(row.id, row.name, row.kind, encoder=row.encoder, decoder=row.decoder, facts=row.facts)


def _work(question: StoredQuestion, image_name: str) -> Work:
    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.lesion import LesionSettings, lesion

        like = _like_the_study(project, question)
        settings = LesionSettings(
            models=(question.model,),
            tasks=(question.task,),
            masks=(question.mask,),
            scopes=(question.scope,),
            strengths=(question.strength,),
            controls=(),
            images=(image_name,),
            method=like.method,
            words=like.words,
            decoding=like.decoding,
            dtype=like.dtype,
            four_bit=like.four_bit,
        )
        return lesion(project, settings, progress)

    return work


def _like_the_study(project: Project, question: StoredQuestion) -> ExtractSettings:
    """Return how the study ran a model: on this image, else on others; as usual where it did not.

    A lesion beside an intact run of other settings would hide the runs of the study, of which one way counts.
    """
    from gazeapp.engine.workflows.extract_plan import ExtractSettings, like_run

    runs = project.runs.all(model=question.model, task=question.task)
    runs = runs or project.runs.all(model=question.model)
    runs = free(runs)
    here = [run for run in runs if run.image_id == question.image_id] or runs
    return like_run(project, max(run.id for run in here)) if here else ExtractSettings()
