"""Take a part of every image away from models, and measure what that does to their captions and maps."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.base import Decoding, Model, ModelInfo
from gazeapp.engine.models.lesioning import check_scope, default_scope
from gazeapp.engine.models.named import check_consent, close_model
from gazeapp.engine.project import ImageRow, MadeOf, Project, RunRow
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.reports.neglect.words import lesion_name
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Stage, Summary, Tally, WorkClock
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings, Plan, chosen_models, load_for, what_to_run
from gazeapp.engine.workflows.lesion_cuts import (
    EQUAL_MASS,
    MIRRORED,
    NOTHING,
    RANDOM,
    Cut,
    Design,
    cuts_of,
    nothing_of,
)
from gazeapp.engine.workflows.lesion_findings import assess
from gazeapp.engine.workflows.lesion_subject import Changed, LesionSubject
from gazeapp.engine.workflows.masks import NotOnImageError, distinct_masks, mask_for

VERB = "lesion"
FORMULAS = 1
"""Raised when an outcome's formula changes, so that numbers of different formulas are never taken for each other."""
_ABSENT = "absent"
_STORED_EVERY = 0.5
"""Seconds of work that are stored at once, at most one unit more: what a kill may cost."""


def lesion_values(plan: Plan) -> Json:
    """Return the settings that lesions are stored under; what tells one from another stands beside them."""
    return {**plan.values, "formulas": FORMULAS}


@dataclass(frozen=True)
class LesionSettings:
    """What to take away, from which models, on which images.

    Parameters
    ----------
    masks
        Masks: built-in ones (``left``), those of the library by name, or made of data (``people 20%``).
    models, tasks, method, words, device, decoding, dtype, four_bit
        As for `gazeapp.engine.workflows.extract_plan.ExtractSettings`; intact runs are made where there are none.
    images
        Names of images; empty means all.
    scopes
        Where in the model the mask takes away, of `gazeapp.engine.lesions.lesion.SCOPES`; empty means each model's own
        default.
    strengths
        How much is taken away, each 0 to 1.
    controls
        What the lesion is held against, of `gazeapp.engine.workflows.lesion_cuts.CONTROLS`.
    n_random
        Draws of the random controls.
    seed
        Seed of the random controls.
    """

    masks: tuple[str, ...] = ("left", "right")
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    strengths: tuple[float, ...] = (1.0,)
    controls: tuple[str, ...] = (MIRRORED, RANDOM, EQUAL_MASS, NOTHING)
    n_random: int = 1
    seed: int = 0
    method: str = ""
    words: str = "content"
    device: str = "auto"
    decoding: Decoding = field(default_factory=Decoding)
    dtype: str = "auto"
    four_bit: bool = False

    @property
    def intact(self) -> ExtractSettings:
        """The settings of the intact runs."""
        return ExtractSettings(
            models=self.models,
            tasks=self.tasks,
            method=self.method,
            words=self.words,
            device=self.device,
            decoding=self.decoding,
            dtype=self.dtype,
            four_bit=self.four_bit,
            images=self.images,
        )

    def design(self, info: ModelInfo) -> Design:
        """Return what is varied on each image with one model.

        Raises
        ------
        GazeError
            If a setting makes no sense, or nothing can be taken away from the model.
        """
        scopes = self.scopes or (default_scope(info),)
        return Design(
            tuple(dict.fromkeys(self.masks)),
            tuple(dict.fromkeys(self.controls)),
            self.n_random,
            tuple(dict.fromkeys(scopes)),
            tuple(dict.fromkeys(self.strengths)),
            self.seed,
        )


def lesion(project: Project, settings: LesionSettings, progress: Progress) -> Summary:
    """Describe every image without each of the masks, and store what that changed.

    One unit is (image, model, task, mask or control, scope, strength). Units that were done with the same mask, run and
    settings are skipped, so that running it again after a stop goes on where it ended. At the end maps under lesions
    are scored against people where the study is scored, and the findings about the whole study are made.

    Returns
    -------
    Summary
        ``details`` has the ``models`` and ``tasks``, ``without_equal_mass``: units that do not exist because what lies
        outside the mask has less attention than the mask, ``without_random``: those of masks that have no other place,
        such as those with one value everywhere, ``images_without_mask``: by mask, images left out because they do not
        have it, and ``outside_training`` as extraction has it.

    Raises
    ------
    ConsentNeededError
        If one of the models is a runner script that the user has not agreed to.
    GazeError
        If a setting makes no sense, or a model, task, image or mask is unknown.
    """
    started = time.perf_counter()
    for info in chosen_models(settings.models):
        check_consent(info)
        settings.design(info)
    settings = replace(settings, masks=distinct_masks(project, settings.masks))
    before = extract(project, settings.intact, Stage(progress, "intact captions"))
    infos, images, tasks, plans = what_to_run(project, settings.intact)
    work = _Experiment(project, settings, infos, images, plans, Stage(progress, "lesions"))
    if not before.cancelled:
        work.run()
    if not work.tally.should_stop():
        work.tell_absent()
        assess(project, Stage(progress, "what lesions changed"))
        work.tally.should_stop()
    done = work.tally.summary(
        models=[info.id for info in infos],
        tasks=list(tasks),
        without_equal_mass=work.without[EQUAL_MASS],
        without_random=work.without[RANDOM],
        images_without_mask={mask: len(ids) for mask, ids in work.absent.items() if ids},
        outside_training=before.details["outside_training"],
    )
    return replace(
        done,
        problems=(*before.problems, *done.problems),
        skipped=done.skipped - work.without.total(),
        failed=before.failed + done.failed,
        seconds=time.perf_counter() - started,
    )


class _Experiment:
    """One call of the verb: what its parts share."""

    def __init__(
        self,
        project: Project,
        settings: LesionSettings,
        infos: list[ModelInfo],
        images: list[ImageRow],
        plans: list[Plan],
        progress: Progress,
    ) -> None:
        self.without: Counter[str] = Counter()
        self.absent: defaultdict[str, set[int]] = defaultdict(set)
        self._project = project
        self._settings = settings
        self._infos = infos
        self._images = images
        self._plans = plans
        self._progress = progress
        self._waiting: list[tuple[LesionSubject, Cut, Changed]] = []
        self._stored = time.perf_counter()
        n_each = {info.id: settings.design(info).n_cuts() for info in infos}
        total = sum(n_each[plan.info.id] for plan in plans) * len(images)
        self.tally = Tally(project, VERB, progress, total)

    def run(self) -> None:
        """Do everything that is missing, model by model."""
        try:
            for info in self._infos:
                self._run_model(info, [plan for plan in self._plans if plan.info.id == info.id])
                if self.tally.cancelled:
                    return
        finally:
            self._store()

    def _run_model(self, info: ModelInfo, plans: list[Plan]) -> None:
        design = self._offered(info, len(plans))
        loaded = _Loaded(self._project, info, self._settings)
        try:
            for image in self._images:
                for plan in plans:
                    if design is None or self.tally.should_stop():
                        return
                    self._run_image(loaded, design, plan, image)
        except StoppedError:
            self.tally.should_stop()
        finally:
            loaded.close()

    def _offered(self, info: ModelInfo, n_plans: int) -> Design | None:
        """Return what is varied, without the scopes that the model does not offer, each of which is told once."""
        design = self._settings.design(info)
        offered = []
        for scope in design.scopes:
            unit = f"{info.name} · {scope}"
            self._project.problems.clear(VERB, unit)
            try:
                check_scope(info, scope)
            except GazeError as error:
                n = replace(design, scopes=(scope,)).n_cuts() * n_plans * len(self._images)
                self._fail(unit, info.name, error, n)
            else:
                offered.append(scope)
        return replace(design, scopes=tuple(offered)) if offered else None

    def _run_image(self, loaded: _Loaded, design: Design, plan: Plan, image: ImageRow) -> None:
        """Do what is missing of one image under one task."""
        place = f"{plan.info.name} · {plan.task} · {image.name}"
        run = self._run_of(plan, image)
        if run is None:
            # Why there is no intact run was told when it was tried.
            self._count_failures(place, design.n_cuts())
            return
        digest = settings_hash(VERB, lesion_values(plan))
        objects = self._project.objects.sha256(image.id)
        missing = []
        for cut in self._cuts(design, plan, image, run):
            name = f"{place} · {lesion_name(cut.key)}"
            made_of = MadeOf(cut.digest, cut.base, objects)
            if self._project.lesions.exists(run.id, cut.key, made_of, digest):
                self._project.problems.clear(VERB, name)
                self.tally.skip(name)
            else:
                missing.append((name, cut))
        self._do(loaded, plan, image, run, missing)

    def _cuts(self, design: Design, plan: Plan, image: ImageRow, run: RunRow) -> Iterator[Cut]:
        """Yield the lesions of an image; a mask that it does not have is told, and the others go on."""
        own = self._project.maps.mean_of_run(run.id)
        for mask in design.masks:
            unit = f"{image.name} · {mask}"
            self._project.problems.clear(VERB, unit)
            keys = [key for scope in design.scopes for key in design.keys(mask, scope)]
            try:
                values = mask_for(self._project, mask, image, plan.task, plan.info.id)
            except NotOnImageError:
                self.absent[mask].add(image.id)
                self._leave_out(unit, Counter({_ABSENT: len(keys)}))
                continue
            except GazeError as error:
                self._fail(unit, image.name, error, len(keys))
                continue
            found = list(cuts_of(design, keys, image, values, own))
            without = Counter(key.control for key in keys) - Counter(cut.key.control for cut in found)
            self._leave_out(unit, without)
            yield from found
        yield from nothing_of([key for scope in design.scopes for key in design.nothing(scope)], image)

    def _leave_out(self, unit: str, without: Counter[str]) -> None:
        """Count units that do not exist."""
        self.without += without
        for _ in range(without.total()):
            self.tally.skip(unit)

    def tell_absent(self) -> None:
        """Tell which masks none of the images has, so that nothing was done with them."""
        for mask in self._settings.masks:
            self._project.problems.clear(VERB, mask)
            if len(self.absent[mask]) == len(self._images):
                what = f"None of the images has the mask '{mask}'."
                self.tally.fail(
                    mask, what, "Draw it, copy it to them, or import boxes of objects.", unit=mask
                )

    def _fail(self, unit: str, where: str, error: GazeError, n_units: int) -> None:
        """Count units that cannot be done for one reason, which is told once."""
        self.tally.problem(error.where or where, error.what, error.todo, unit=unit)
        self._count_failures(unit, n_units)

    def _count_failures(self, unit: str, n_units: int) -> None:
        for _ in range(n_units):
            self.tally.count_failure(unit)

    def _do(
        self, loaded: _Loaded, plan: Plan, image: ImageRow, run: RunRow, missing: Sequence[tuple[str, Cut]]
    ) -> None:
        subject: LesionSubject | None = None
        told: set[str] = set()
        for k, (name, cut) in enumerate(missing):
            if self.tally.should_stop():
                return
            try:
                if subject is None:
                    model, how = loaded.get(self._progress), self._settings.intact
                    settings_id = self._project.settings.put(VERB, lesion_values(plan))
                    subject = LesionSubject.read(self._project, how, model, plan, image, run, settings_id)
                later = [one for _, one in missing[k + 1 :]]
                changed = subject.take_away(cut, WorkClock(self._progress), later)
            except (GazeError, MemoryError) as error:
                self._refuse(name, image, error, told)
                continue
            with self.tally.unit(name):
                self._waiting.append((subject, cut, changed))
                if time.perf_counter() - self._stored > _STORED_EVERY:
                    self._store()

    def _refuse(self, name: str, image: ImageRow, error: GazeError | MemoryError, told: set[str]) -> None:
        """Count a unit that cannot be done; what holds for several lesions of an image is told once."""
        if not isinstance(error, GazeError):
            error = GazeError(
                "There was not enough memory.", todo="Close other programs or use smaller images."
            )
        if error.where == str(self._project.path):
            raise error  # nothing could be stored
        if error.what in told:
            self._project.problems.clear(VERB, name)
            self.tally.count_failure(name)
        else:
            told.add(error.what)
            self.tally.fail(error.where or image.name, error.what, error.todo, unit=name)

    def _store(self) -> None:
        """Store what waits, all or nothing."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            with self._project.transaction():
                for subject, cut, changed in waiting:
                    self._project.lesions.put(
                        subject.run.id,
                        cut.key,
                        MadeOf(cut.digest, cut.base, subject.objects_sha256),
                        changed.area,
                        changed.caption,
                        changed.mean,
                        changed.outcomes,
                        changed.seconds,
                        subject.settings_id,
                    )
        self._stored = time.perf_counter()

    def _run_of(self, plan: Plan, image: ImageRow) -> RunRow | None:
        """Return the intact run of an image that was made in the plan's way; of several the newest."""
        row = self._project.db.execute(
            "SELECT max(r.id) FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.image_id = ? AND r.model = ? AND "
            "t.name = ? AND r.lesion = '' AND r.method = ? AND r.settings_hash IN "
            f"({', '.join('?' * (1 + len(plan.richer)))})",
            (image.id, plan.info.id, plan.task, plan.method, plan.hash, *plan.richer),
        ).fetchone()
        return self._project.runs.get(row[0]) if row[0] is not None else None


class _Loaded:
    """A model that is loaded when it is first needed."""

    def __init__(self, project: Project, info: ModelInfo, settings: LesionSettings) -> None:
        self._project, self._info, self._settings = project, info, settings
        self._model: Model | None = None
        self._error: GazeError | None = None

    def get(self, progress: Progress) -> Model:
        """Return the model; an error in loading it is the same one each time."""
        if self._error is not None:
            raise self._error
        if self._model is None:
            progress.report(0, 0, f"loading {self._info.name}")
            try:
                self._model = load_for(self._project, self._info, self._settings.intact)
            except GazeError as error:
                self._error = error
                raise
        return self._model

    def close(self) -> None:
        """Give back what the model holds."""
        if self._model is not None:
            close_model(self._model)
