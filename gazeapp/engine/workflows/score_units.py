"""What is scored together: one image, under each of its tasks, with everything that its numbers follow from."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Sigma
from gazeapp.engine.project import FixationTable, ImageRow, Project, RunRow, StoredMap
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.ceilings.gold import TaskGold
from gazeapp.engine.scoring.densities.of_image import Densities
from gazeapp.engine.scoring.image import ImageJob, Rules
from gazeapp.engine.scoring.sources import MODEL, TRUTH, Source, SourceMap
from gazeapp.engine.types import DoubleArray, FloatArray
from gazeapp.engine.workflows.human_maps import HumanMaps, weights_of

TRUE_DENSITY = "true_density"


@dataclass(frozen=True)
class ScorePlan:
    """Settings with everything that was left open filled in.

    ``rules`` hold but for sigma, which is that of each image where it is in degrees.
    """

    rules: Rules
    choices: GazeChoices
    sigma: float
    sigma_unit: str
    px_per_deg: float | None
    n_bootstrap: int
    primary: str
    settings_id: int
    hash: str


@dataclass(frozen=True)
class TaskPeople:
    """Everybody who looked under one task, and the maps to score.

    Parameters
    ----------
    task
        Name of the task.
    tables
        Kept fixations by image id.
    sigma_px
        Standard deviation of each image's human map, image px.
    others
        Fixations of all images.
    digest
        Hash of all fixations.
    n_subjects
        People in all.
    runs
        Maps to score by image id, whose order is that of the sources.
    runs_digest
        Hash of which maps there are.
    n_unseen
        Images that belong to the task and have no fixations under it.
    """

    task: str
    tables: Mapping[int, FixationTable]
    sigma_px: Mapping[int, float]
    others: OtherImages
    digest: str
    n_subjects: int
    runs: Mapping[int, Sequence[RunRow]]
    runs_digest: str
    n_unseen: int


@dataclass(frozen=True)
class Unit:
    """One image under one task: what is stored together."""

    image: ImageRow
    people: TaskPeople
    rules: Rules
    inputs_hash: str

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.people.task

    @property
    def name(self) -> str:
        """What the unit is called in progress and problems."""
        return f"{self.task} · {self.image.name}"


def task_people(project: Project, plan: ScorePlan, task: str, images: Mapping[int, ImageRow]) -> TaskPeople:
    """Read everybody's fixations under a task, and which maps there are."""
    project.tasks.id_of(task)
    counts = project.gaze.counts()
    looked = sorted(image_id for image_id, name in counts if name == task)
    tables = {image_id: project.gaze.fixations(image_id, task) for image_id in looked}
    digest = hashlib.sha256()
    positions = {}
    for image_id, table in tables.items():
        digest.update(f"{image_id}:".encode() + table.x.tobytes() + table.y.tobytes())
        digest.update("\0".join(table.subject.tolist()).encode())
        image = images[image_id]
        positions[image_id] = Positions(table.x / image.width, table.y / image.height)
    subjects = {str(name) for table in tables.values() for name in np.unique(table.subject)}
    runs: dict[int, list[RunRow]] = {}
    for run in newest(project.runs.all(task=task, lesion=None)):
        runs.setdefault(run.image_id, []).append(run)
    ids = [run.id for image_id in looked for run in runs.get(image_id, [])]
    return TaskPeople(
        task,
        tables,
        _sigma_px(project, plan, task, looked),
        OtherImages(positions, plan.rules.seed),
        digest.hexdigest(),
        len(subjects),
        runs,
        hashlib.sha256(repr(ids).encode()).hexdigest(),
        _n_unseen(project, task, set(images).difference(looked), {image_id for image_id, _ in counts}, runs),
    )


def _n_unseen(
    project: Project, task: str, rest: Collection[int], seen: Collection[int], runs: Collection[int]
) -> int:
    """Return how many of the images without fixations under a task belong to it.

    An image that was looked at under other tasks alone may never have been meant for this one. It belongs to the
    task where it has a trial or a model's map under it; an image that nobody looked at under any task does, too.
    """
    return sum(
        image_id not in seen or image_id in runs or bool(project.gaze.trials_of_image(image_id, task))
        for image_id in rest
    )


def newest(runs: Sequence[RunRow]) -> list[RunRow]:
    """Return the runs without those that a newer one of the same image, task, model, method and lesion replaced."""
    last = {
        (run.image_id, run.task, run.model, run.method, run.lesion): run.id
        for run in sorted(runs, key=lambda run: run.id)
    }
    kept = set(last.values())
    return [run for run in runs if run.id in kept]


def subject_numbers(groups: Sequence[TaskPeople]) -> dict[str, int]:
    """Return a number for each subject, the same under every task."""
    names = {
        str(name)
        for people in groups
        for table in people.tables.values()
        for name in np.unique(table.subject)
    }
    return {name: number for number, name in enumerate(sorted(names))}


def _sigma_px(project: Project, plan: ScorePlan, task: str, image_ids: Sequence[int]) -> dict[int, float]:
    """Return the standard deviation of the human maps of a task's images, image px, by image id."""
    if plan.sigma_unit == "px" or plan.px_per_deg is not None:
        one = Sigma(plan.sigma, plan.sigma_unit, plan.px_per_deg).in_pixels()
        return dict.fromkeys(image_ids, one)
    made = HumanMaps(project)
    return {
        image_id: Sigma(plan.sigma, "deg", made.px_per_degree(image_id, task)).in_pixels()
        for image_id in image_ids
    }


def units_of(
    plan: ScorePlan, image: ImageRow, groups: Sequence[TaskPeople], all_tasks: Sequence[TaskPeople]
) -> list[Unit]:
    """Return the units of one image: one for each of the tasks that people looked at it under."""
    return [
        Unit(
            image,
            people,
            replace(plan.rules, sigma_px=people.sigma_px[image.id]),
            _inputs_hash(plan, people, image.id, all_tasks),
        )
        for people in groups
        if image.id in people.tables
    ]


def _inputs_hash(plan: ScorePlan, people: TaskPeople, image_id: int, all_tasks: Sequence[TaskPeople]) -> str:
    """Return a hash of what a unit's numbers depend on beside the settings."""
    digest = hashlib.sha256(people.digest.encode())
    if plan.rules.needs_conversions:
        # Conversions are fitted on the maps of all images.
        digest.update(people.runs_digest.encode())
    digest.update(repr([run.id for run in people.runs.get(image_id, [])]).encode())
    if plan.sigma_unit == "deg":
        digest.update(repr(people.sigma_px[image_id]).encode())
    weights = weights_in(plan, people, image_id)
    if weights is not None:
        digest.update(weights.tobytes())
    for other in all_tasks:
        if other.task != people.task and image_id in other.tables:
            table = other.tables[image_id]
            digest.update(other.task.encode() + table.x.tobytes() + table.y.tobytes())
    return digest.hexdigest()[:16]


def weights_in(plan: ScorePlan, people: TaskPeople, image_id: int) -> DoubleArray | None:
    """Return what each fixation counts in human maps, shape (n,), or None when the project weighs none.

    Where durations are equal or unknown, weights are 1, so that all images of the task are scored alike.
    """
    if plan.choices.weighting == "equal":
        return None
    table = people.tables[image_id]
    weights = weights_of(table, plan.choices)
    return np.ones(len(table)) if weights is None else weights


def job_of(
    project: Project,
    plan: ScorePlan,
    unit: Unit,
    all_tasks: Sequence[TaskPeople],
    kinds: Mapping[str, str],
    densities: Densities | None,
    gold: TaskGold | None,
    spectral: FloatArray | None,
    shared: dict[Source, list[SourceMap]],
) -> ImageJob:
    """Read an image's maps and put together what is needed to score it under one task.

    ``shared`` collects the image's maps over tasks: one that is equal to that of an earlier task gets its
    name, so that both are made ready once.
    """
    image, people = unit.image, unit.people
    table = people.tables[image.id]
    return ImageJob(
        image.id,
        image.width,
        image.height,
        table.x,
        table.y,
        table.subject,
        tuple(_maps(project, people, image, kinds, shared)),
        people.others,
        other_tasks=tuple(other.others for other in all_tasks if other.task != people.task),
        spectral=spectral,
        seed=zlib.crc32(f"{image.sha256}/{people.task}".encode()),
        image_seed=image_seed(image),
        weights=weights_in(plan, people, image.id),
        densities=densities,
        gold=gold,
    )


def _maps(
    project: Project,
    people: TaskPeople,
    image: ImageRow,
    kinds: Mapping[str, str],
    shared: dict[Source, list[SourceMap]],
) -> Iterator[SourceMap]:
    for run in people.runs.get(image.id, []):
        stored = project.maps.mean_of_run(run.id)
        source = source_of(run, kinds[run.model])
        before = shared.setdefault(source, [])
        twin = next((one for one in before if _equal(one, stored)), None)
        if twin is None:
            twin = SourceMap(source, stored.values, stored.rect, f"{source!r} {len(before)}")
            before.append(twin)
        yield twin


def _equal(one: SourceMap, stored: StoredMap) -> bool:
    return one.rect == stored.rect and np.array_equal(one.values, stored.values)


def source_of(run: RunRow, kind: str) -> Source:
    """Return whose map a run's is."""
    if kind == TRUTH:
        return Source(TRUTH, TRUE_DENSITY, run.method, run.lesion)
    return Source(MODEL, run.model, run.method, run.lesion)


def image_seed(image: ImageRow) -> int:
    """Return the seed of an image's random map, the same under every task and in every project."""
    return zlib.crc32(image.sha256.encode())
