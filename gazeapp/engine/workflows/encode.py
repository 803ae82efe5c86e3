"""Learn to predict brain responses from maps, and test how well that goes in each region."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.controls import CENTRE, CONTRAST, LUMINANCE, OTHER_IMAGE
from gazeapp.engine.neural.encoding.folds import RidgeSettings, check_number
from gazeapp.engine.neural.encoding.nested import THREADS
from gazeapp.engine.neural.features import GRID, SIGMA
from gazeapp.engine.neural.records import DIFFERENCE, ENCODING, FSAVERAGE5, PARTITION, RSA, Region, Responses
from gazeapp.engine.project import EncodingUnit, ImageRow, Project, ResponsesRow
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.sources import HUMAN, MODEL
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.encode_atlas import JOINED, SEPARATE, atlas_key, regions_hash, regions_of
from gazeapp.engine.workflows.encode_inputs import (
    CONTROL,
    PictureControls,
    Subject,
    TaskMaps,
    subject_names,
    subject_responses,
    task_maps,
)
from gazeapp.engine.workflows.encode_state import is_remembered, remember_encoded
from gazeapp.engine.workflows.encode_units import Bench, Draws, Found, is_of_itself, run_unit
from gazeapp.engine.workflows.extract_plan import chosen_tasks

VERB = "predict from maps"
FORMULAS = 1
"""Raised when a formula changes, so that numbers of different formulas are never taken for each other."""
_PERMUTATIONS, _FOR_EACH_REGION = 1000, 20
CONTROLS = (LUMINANCE, CONTRAST, CENTRE, OTHER_IMAGE)
"""Controls beside people, by the names of `gazeapp.engine.neural.controls`."""


@dataclass(frozen=True)
class EncodeSettings:
    """What to predict from what, and how.

    Parameters
    ----------
    responses
        Name of the responses; empty where the project has only one.
    atlas
        Atlas whose regions are predicted: ``desikan`` or one of the project; not used for a table of regions.
    hemispheres
        ``joined``: left and right parts of a region are one; ``separate``.
    tasks, models
        Tasks and ids of models; empty means all that have maps.
    controls
        Predictors that need no model, of `gazeapp.engine.neural.controls`; people are always among the sources where
        there are fixations.
    vertices
        Whether every vertex is predicted as well, from the maps of models and people.
    subjects
        Whether each subject's responses are predicted as well as their mean.
    partitions, rsa
        Whether variance is shared out between every two models, and every model and control; whether patterns of
        dissimilarity are compared.
    grid, sigma
        Cells along each side of an image, and standard deviation of the blur as a share of it.
    n_folds, n_inner
        Folds that are predicted, and folds within them that choose the penalty.
    n_permutations, n_bootstrap
        Permutations of tests and resamples of intervals. None: 1,000 permutations, or 20 for each region where that is
        more: with fewer, a p that is corrected over so many regions could never be below 0.05 for one region alone.
    seed
        Seed of all that is drawn.
    """

    responses: str = ""
    atlas: str = "desikan"
    hemispheres: str = JOINED
    tasks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    controls: tuple[str, ...] = CONTROLS
    vertices: bool = True
    subjects: bool = False
    partitions: bool = True
    rsa: bool = True
    grid: int = GRID
    sigma: float = SIGMA
    n_folds: int = RidgeSettings().n_folds
    n_inner: int = RidgeSettings().n_inner
    n_permutations: int | None = None
    n_bootstrap: int = 1000
    seed: int = 0

    def permutations(self, n_regions: int) -> int:
        """Return how many permutations are made where there are so many regions."""
        if self.n_permutations is not None:
            return self.n_permutations
        return max(_PERMUTATIONS, _FOR_EACH_REGION * n_regions)

    def values(self, row: ResponsesRow) -> Json:
        """Return the settings that identify a result; what tells one unit from another stands beside them."""
        values: Json = {
            "formulas": FORMULAS,
            "responses": row.name,
            "simulated": row.simulated,
            "grid": self.grid,
            "sigma": self.sigma,
            "n_folds": self.n_folds,
            "n_inner": self.n_inner,
            "penalties": list(RidgeSettings().penalties),
            "n_permutations": self.n_permutations,
            "n_bootstrap": self.n_bootstrap,
            "seed": self.seed,
        }
        return values


def encode(project: Project, settings: EncodeSettings, progress: Progress) -> Summary:
    """Predict the responses of every region from the maps of every source, and compare the sources.

    One unit is one analysis of one source, or of two, under one task: its encoding models, the difference between two,
    their shares of the variance, or its pattern of dissimilarities. Units whose maps, responses, regions and settings
    are the same as before are skipped. All sources of a task are compared on the same images: those with a response and
    a map of each.

    Returns
    -------
    Summary
        ``details`` has ``responses``, ``atlas``, ``tasks``, ``n_regions`` and ``n_images`` (by task).

    Raises
    ------
    GazeError
        If a setting makes no sense, there are no responses, or no source has maps of images with responses.
    """
    _check(settings)
    row = _chosen_responses(project, settings.responses)
    key = atlas_key(settings.atlas, settings.hemispheres, row.space)
    regions = regions_of(project, key)
    tasks = chosen_tasks(project, settings.tasks)
    progress.report(0, 0, "reading responses")
    responses = project.responses.read(row.name)
    of_name = {image.name: image for image in project.images.all()}
    images = [of_name[name] for name in responses.images]
    plans, problems = _plans(project, settings, row, responses, regions, tasks, images)
    if not plans:
        raise problems[0]
    tally = Tally(project, VERB, progress, sum(len(plan.units) for plan in plans))
    project.problems.clear(VERB, row.name)
    for error in problems:
        tally.problem(row.name, error.what, error.todo)
    values = settings.values(row)
    runner = _Runner(project, settings, row, key, tally, progress, project.settings.put(VERB, values))
    for plan in plans:
        runner.run(plan)
        if tally.cancelled:
            break
    if not tally.cancelled:
        asked = {(name, task) for task in tasks for name in subject_names(row, settings.subjects)}
        strays = _Strays(project, row, key, plans, settings_hash(VERB, values))
        with project.transaction():
            for unit, (made_with, _, _) in project.encodings.made_of(row.name, key).items():
                if strays.are(unit, made_with, asked):
                    project.encodings.remove_findings(row.id, key, unit)
        if not tally.failed:
            remember_encoded(project, row.name, key, _whole_tasks(project, row, key, plans))
    return tally.summary(
        responses=row.name,
        simulated=row.simulated,
        atlas=key,
        tasks=list(dict.fromkeys(plan.maps.task for plan in plans)),
        n_regions=len(plans[0].subject.regions.names),
        n_images={plan.maps.task: len(plan.subject.images) for plan in plans if not plan.subject.name},
    )


@dataclass(frozen=True)
class _Plan:
    """What is done with the responses of one subject, or their mean, under one task."""

    maps: TaskMaps
    subject: Subject
    units: tuple[EncodingUnit, ...]
    state: str


class _Runner:
    """Runs the units of plans and stores what they find."""

    def __init__(
        self,
        project: Project,
        settings: EncodeSettings,
        row: ResponsesRow,
        key: str,
        tally: Tally,
        progress: Progress,
        settings_id: int,
    ) -> None:
        self._project = project
        self._settings = settings
        self._progress = progress
        self._row = row
        self._key = key
        self._tally = tally
        self._settings_id = settings_id
        self._hash = settings_hash(VERB, settings.values(row))
        self._done = project.encodings.made_of(row.name, key)

    def run(self, plan: _Plan) -> None:
        """Run what is missing of a plan."""
        missing: list[tuple[EncodingUnit, str]] = []
        for unit in plan.units:
            inputs = _inputs(plan, unit, self._settings)
            if self._done.get(unit, ("", "", 0))[:2] == (self._hash, inputs):
                self._tally.skip(_name(unit))
            else:
                missing.append((unit, inputs))
        if not missing:
            return
        draws = _draws(self._settings, _n_regions(plan.subject))
        bench = Bench(plan.maps, plan.subject, _ridge(self._settings), draws, self._stop)
        ready = [(unit, inputs) for unit, inputs in missing if self._is_read(bench, unit)]
        for unit, inputs, started in self._started(bench, ready):
            try:
                with self._tally.unit(_name(unit)):
                    found, seconds = started.result()
                    self._store(plan, unit, found, inputs, seconds)
            except StoppedError:
                self._tally.should_stop()

    def _is_read(self, bench: Bench, unit: EncodingUnit) -> bool:
        """Read what a unit needs, which can only be done on this thread; tell where that cannot be read."""
        if self._tally.should_stop():
            return False
        try:
            bench.read(unit)
        except GazeError as error:
            self._tally.fail(error.where or _name(unit), error.what, error.todo, unit=_name(unit))
            return False
        return True

    def _started(
        self, bench: Bench, units: Sequence[tuple[EncodingUnit, str]]
    ) -> Iterator[tuple[EncodingUnit, str, Future[tuple[Found, float]]]]:
        """Yield unit after unit, a few of them worked on at the same time."""
        waiting: deque[tuple[EncodingUnit, str, Future[tuple[Found, float]]]] = deque()
        with (
            threadpool_limits(1, "blas"),
            ThreadPoolExecutor(THREADS, thread_name_prefix="units") as pool,
        ):
            for unit, inputs in units:
                if self._tally.should_stop():
                    break
                waiting.append((unit, inputs, pool.submit(_timed, bench, unit)))
                if len(waiting) > THREADS:
                    yield waiting.popleft()
            yield from waiting

    def _stop(self) -> bool:
        return self._progress.cancelled

    def _store(self, plan: _Plan, unit: EncodingUnit, found: Found, inputs: str, seconds: float) -> None:
        store = self._project.encodings
        with self._project.transaction():
            if found.encoding is not None:
                row = found.encoding.row(
                    unit, self._key, inputs, plan.maps.images, self._settings_id, seconds
                )
                store.put(self._row.id, row, found.encoding.vertices)
            store.replace_findings(self._row.id, self._key, unit, found.findings, self._settings_id, inputs)


def _timed(bench: Bench, unit: EncodingUnit) -> tuple[Found, float]:
    began = time.perf_counter()
    found = run_unit(bench, unit)
    return found, time.perf_counter() - began


def _check(settings: EncodeSettings) -> None:
    if settings.hemispheres not in (JOINED, SEPARATE):
        raise GazeError(
            f"“{settings.hemispheres}” is no way to take the hemispheres.",
            todo=f"Choose {JOINED} or {SEPARATE}.",
        )
    unknown = [name for name in settings.controls if name not in CONTROLS]
    if unknown:
        raise GazeError(f"There is no control “{unknown[0]}”.", todo=f"Choose among {', '.join(CONTROLS)}.")
    if settings.grid < 2 or not 0 < settings.sigma < 1:
        raise GazeError(
            "A grid needs at least 2 cells along each side, and a blur between 0 and 1 of the image's side.",
            todo="Change the grid or the blur.",
        )
    if min(settings.n_permutations or 0, settings.n_bootstrap) < 0:
        raise GazeError(
            "The numbers of permutations and resamples cannot be below 0.", todo="Give 0 to leave them out."
        )


def _chosen_responses(project: Project, name: str) -> ResponsesRow:
    if name:
        return project.responses.get(name)
    rows = project.responses.all()
    if not rows:
        raise GazeError(
            "The project has no brain responses.",
            where=str(project.path),
            todo="Import some (`gazeapp import-responses`), or let a model make them (`gazeapp predict-responses`).",
        )
    if len(rows) > 1:
        raise GazeError(
            f"The project has {len(rows)} sets of responses.",
            todo=f"Say which to predict: {', '.join(row.name for row in rows)}.",
        )
    return rows[0]


def _ridge(settings: EncodeSettings) -> RidgeSettings:
    return RidgeSettings(settings.n_folds, settings.n_inner, seed=settings.seed)


def _draws(settings: EncodeSettings, n_regions: int) -> Draws:
    n_permutations = settings.permutations(n_regions)
    return Draws(n_permutations, settings.n_bootstrap, settings.seed, settings.vertices)


def _n_regions(subject: Subject) -> int:
    return int((~subject.regions.is_group).sum())


def _plans(
    project: Project,
    settings: EncodeSettings,
    row: ResponsesRow,
    responses: Responses,
    regions: Sequence[tuple[Region, bool]],
    tasks: Sequence[str],
    images: Sequence[ImageRow],
) -> tuple[list[_Plan], list[GazeError]]:
    """Return what can be done, and why the rest cannot."""
    known = {model.id for model in project.runs.models()}
    strange = [model for model in settings.models if model not in known]
    if strange:
        raise GazeError(
            f"The project has no maps of a model “{strange[0]}”.", todo=f"It has: {', '.join(sorted(known))}."
        )
    pictures = PictureControls(project, settings.grid, settings.sigma)
    state = _responses_state(row, regions)
    plans: list[_Plan] = []
    problems: list[GazeError] = []
    for task in tasks:
        for name in subject_names(row, settings.subjects):
            try:
                whose = subject_responses(responses, name, regions, [image.name for image in images])
                own = [image for image in images if image.name in set(whose.images)]
                maps = task_maps(
                    project,
                    task,
                    own,
                    settings.models,
                    settings.controls,
                    pictures,
                    settings.grid,
                    settings.sigma,
                    settings.seed,
                )
                whose = subject_responses(responses, name, regions, [image.name for image in maps.images])
                check_number(len(whose.images), _ridge(settings))
            except GazeError as error:
                problems.append(error)
                continue
            problems.extend(_said_of(maps))
            plans.append(_Plan(maps, whose, tuple(_units(settings, row, maps, name)), state))
    return plans, problems


def _said_of(maps: TaskMaps) -> Iterator[GazeError]:
    for model in maps.misnamed:
        yield GazeError(
            f"The model “{model}” has the name of a control or of people, and is left out.",
            todo="Take its maps out (`gazeapp remove-maps`) and import them under another name.",
        )
    if maps.left_out:
        yield GazeError(
            f"{', '.join(maps.left_out)}: left out under the task “{maps.task}”, with maps of too few of the images.",
            todo="Run these models on all images that have responses.",
        )
    if maps.n_without:
        n = maps.n_without
        yield GazeError(
            f"{n} {'image with a response is' if n == 1 else 'images with responses are'} left out under the task "
            f"“{maps.task}”: not every source has a map of {'it' if n == 1 else 'them'}.",
            todo="Make the missing maps, or leave out the source that lacks them.",
        )


def _units(
    settings: EncodeSettings, row: ResponsesRow, maps: TaskMaps, subject: str
) -> Iterator[EncodingUnit]:
    """Yield what is done under one task, encoding models first: the rest makes use of them."""
    task = maps.task
    for kind, source in maps.states:
        yield EncodingUnit(subject, task, ENCODING, kind, source)
    models = [source for kind, source in maps.states if kind == MODEL]
    others = [source for kind, source in maps.states if kind in (HUMAN, CONTROL)]
    for k, model in enumerate(models):
        for against in (*models[k + 1 :], *others):
            yield EncodingUnit(subject, task, DIFFERENCE, MODEL, model, against)
    if settings.rsa and row.space == FSAVERAGE5:
        for kind, source in maps.states:
            yield EncodingUnit(subject, task, RSA, kind, source)
    if settings.partitions:
        if CENTRE in settings.controls and CENTRE not in others:
            # Nobody's fixations are needed to say how central a model's own maps are.
            others.append(CENTRE)
        for k, model in enumerate(models):
            for against in (*models[k + 1 :], *others):
                yield EncodingUnit(subject, task, PARTITION, MODEL, model, against)


def _inputs(plan: _Plan, unit: EncodingUnit, settings: EncodeSettings) -> str:
    """Return a hash of what a unit is made of."""
    states = {source: state for (_, source), state in plan.maps.states.items()}
    parts: list[object] = [plan.state, plan.subject.images, states[unit.source]]
    if unit.against:
        parts.append(unit.against if is_of_itself(unit) else states[unit.against])
    if unit.analysis == ENCODING:
        parts.append(settings.vertices)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _responses_state(row: ResponsesRow, regions: Sequence[tuple[Region, bool]]) -> str:
    return f"{row.id} {row.created} {row.settings_id} {regions_hash(regions)}"


def _whole_tasks(project: Project, row: ResponsesRow, key: str, plans: Sequence[_Plan]) -> set[str]:
    """Return the tasks of which all that is stored was looked at now, or whose state was never known."""
    planned = {unit for plan in plans for unit in plan.units}
    left = {unit.task for unit in project.encodings.made_of(row.name, key) if unit not in planned}
    return {
        plan.maps.task
        for plan in plans
        if plan.maps.task not in left or not is_remembered(project, row.name, key, plan.maps.task)
    }


class _Strays:
    """Finds what is stored of sources that are gone, of other images than the rest was compared on, or made otherwise.

    What was left out by choice stays, as long as it is of the same images and settings: numbers that cannot be compared
    must not stand side by side.
    """

    def __init__(
        self, project: Project, row: ResponsesRow, key: str, plans: Sequence[_Plan], settings_hash: str
    ) -> None:
        self._plans = {(plan.subject.name, plan.maps.task): plan for plan in plans}
        self._images = project.encodings.images(row.name, key)
        self._hash = settings_hash

    def are(self, unit: EncodingUnit, made_with: str, asked: Collection[tuple[str, str]]) -> bool:
        """Return whether a stored unit has to go.

        Parameters
        ----------
        unit, made_with
            The unit, and the hash of the settings that it was made with.
        asked
            The (subject, task) that were asked for; of those that could not be done, nothing is true any more.
        """
        about = unit.subject, unit.task
        plan = self._plans.get(about)
        if plan is None:
            return about in asked
        if unit in plan.units:
            return False
        if made_with != self._hash:
            return True
        images = tuple(image.id for image in plan.maps.images)
        sources = [source for source in (unit.source, unit.against) if source]
        return not all(
            source in plan.maps.there and self._images.get((*about, source)) == images for source in sources
        )


def _name(unit: EncodingUnit) -> str:
    what = {ENCODING: "regions", DIFFERENCE: "against", PARTITION: "shared with", RSA: "dissimilarities"}[
        unit.analysis
    ]
    parts = [unit.task, unit.source.replace("_", " ")]
    text = " · ".join(filter(None, [unit.subject, *parts]))
    return f"{text} · {what} {unit.against.replace('_', ' ')}".rstrip()
