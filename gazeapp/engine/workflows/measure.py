"""Measure what maps are like: how concentrated, on which side, how much they change with the task."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations
from gazeapp.engine.maps.concentration import ConcentrationRecord, image_concentration
from gazeapp.engine.maps.cross_task import CrossTaskRecord, image_cross_task
from gazeapp.engine.maps.differentiation import DifferentiationRecord, image_differentiation
from gazeapp.engine.maps.laterality import LateralityRecord, image_laterality
from gazeapp.engine.maps.measures import CONCENTRATION_IDS
from gazeapp.engine.models.given import free
from gazeapp.engine.project import ImageRow, MeasureRow, Project, RunRow
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.analyses.maps import (
    MATCHED,
    PEOPLE,
    Resampling,
    concentration_findings,
    laterality_findings,
)
from gazeapp.engine.scoring.analyses.tasks import cross_task_findings, differentiation_findings
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.densities.of_image import in_shares
from gazeapp.engine.scoring.findings import (
    CONCENTRATION,
    CROSS_TASK,
    DIFFERENTIATION,
    LATERALITY,
    Finding,
)
from gazeapp.engine.scoring.sources import HUMAN, MODEL, TRUTH
from gazeapp.engine.types import DoubleArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.mirrored import mirrored_runs

VERB = "measure maps"
FORMULAS = 1
"""Raised when a formula changes, so that numbers of different formulas are never taken for each other."""
ANALYSES = (CONCENTRATION, LATERALITY, DIFFERENTIATION, CROSS_TASK)
_DONE = "measured maps"
_MIRRORED_MAPS = "maps of mirrored images"


@dataclass(frozen=True)
class MeasureSettings:
    """How maps are measured.

    Parameters
    ----------
    long_side, sigma, floor
        The common grid: cells along the longer side, standard deviation of the blur as a share of it, and
        least density of a cell in parts of the uniform density.
    n_bootstrap
        Resamples for intervals, and most permutations of tests.
    seed
        Seed of all that is drawn.
    threads
        Images measured at the same time; not part of what identifies a result.
    """

    long_side: int = CommonGrid().long_side
    sigma: float = CommonGrid().sigma
    floor: float = CommonGrid().floor
    n_bootstrap: int = 10_000
    seed: int = 0
    threads: int = 2

    @property
    def grid(self) -> CommonGrid:
        """The common grid."""
        return CommonGrid(self.long_side, self.sigma, self.floor)


@dataclass(frozen=True)
class _Image:
    """An image with its fixations by task, and its maps by source and task; ``mirrored`` are of the mirrored image."""

    row: ImageRow
    tasks: tuple[str, ...]
    people: Mapping[str, Fixations]
    maps: Mapping[str, Mapping[str, AttentionMap]]
    mirrored: Mapping[str, Mapping[str, AttentionMap]]
    others: Mapping[str, OtherImages]

    def centre(self, task: str, grid: CommonGrid) -> DoubleArray | None:
        """Return where people looked in the other images of a task, on the common grid."""
        rows, columns = grid.shape(self.row.width, self.row.height)
        sigma = grid.sigma * max(rows, columns)
        density = self.others[task].centre_bias(self.row.id, rows, columns, sigma)
        return None if density is None else density.astype(np.float64)

    def of_task(self, task: str) -> dict[str, AttentionMap]:
        """Return the maps under one task, by source."""
        return _of_task(self.maps, task)

    def mirrored_of_task(self, task: str) -> dict[str, AttentionMap]:
        """Return the maps of the mirrored image under one task, by source."""
        return _of_task(self.mirrored, task)


@dataclass
class _Records:
    """What the images of a study are like, one entry for each."""

    concentration: dict[str, list[ConcentrationRecord]] = field(default_factory=dict)
    laterality: dict[str, list[LateralityRecord]] = field(default_factory=dict)
    differentiation: list[DifferentiationRecord] = field(default_factory=list)
    cross_task: list[CrossTaskRecord] = field(default_factory=list)

    def add(self, one: _Measured) -> None:
        """Take in the records of an image."""
        for task, record in one.concentration.items():
            self.concentration.setdefault(task, []).append(record)
        for task, side in one.laterality.items():
            self.laterality.setdefault(task, []).append(side)
        if one.differentiation is not None and one.cross_task is not None:
            self.differentiation.append(one.differentiation)
            self.cross_task.append(one.cross_task)

    def findings(self, tasks: Sequence[str], kinds: Mapping[str, str], how: Resampling) -> Iterator[Finding]:
        """Yield what the study shows."""
        for task in tasks:
            if task in self.concentration:
                yield from concentration_findings(self.concentration[task], task, kinds, how)
            if task in self.laterality:
                yield from laterality_findings(self.laterality[task], task, kinds, how)
        if self.differentiation:
            yield from differentiation_findings(self.differentiation, tasks, kinds, how)
        if self.cross_task:
            yield from cross_task_findings(self.cross_task, "nss", kinds, how)


@dataclass(frozen=True)
class _Measured:
    """The records of one image."""

    concentration: dict[str, ConcentrationRecord]
    laterality: dict[str, LateralityRecord]
    differentiation: DifferentiationRecord | None
    cross_task: CrossTaskRecord | None


def measure(project: Project, settings: MeasureSettings, progress: Progress) -> Summary:
    """Measure all maps of models and people, image by image, then what they show over images.

    One unit is an image under all its tasks. Nothing is done again while the fixations, the maps and the
    settings are the same; maps of lesioned models are left out. Maps of mirrored images enter laterality only.

    Returns
    -------
    Summary
        ``details`` has the ``tasks``, and how many maps of mirrored images are ``mirrored_left_out``, because no
        map of the image itself was made alike.

    Raises
    ------
    GazeError
        If the project has neither maps nor fixations.
    """
    tasks = tuple(project.tasks.all())
    runs = _runs(project)
    twins, left_out = mirrored_runs(project, runs)
    kinds = {model.id: TRUTH if model.kind == TRUTH else MODEL for model in project.runs.models()}
    counts = project.gaze.counts()
    images = [
        image
        for image in project.images.all()
        if image.id in runs or any(counts.get((image.id, task)) for task in tasks)
    ]
    if not images:
        raise GazeError(
            "The project has neither maps nor fixations, so there is nothing to measure.",
            where=str(project.path),
            todo="Import recordings, or let a model describe the images.",
        )
    values: Json = {"formulas": FORMULAS, **asdict(settings)}
    del values["threads"]
    settings_id, digest = project.settings.put(VERB, values), settings_hash(VERB, values)
    tally = Tally(project, VERB, progress, len(images))
    before = project.settings.current(_DONE)
    state = {"inputs": _inputs(project, runs, twins), "settings": digest}
    _tell_left_out(project, tally, left_out)
    if before is not None and before.values == state:
        for image in images:
            tally.skip(image.name)
        return tally.summary(tasks=list(tasks), mirrored_left_out=left_out)
    records = _Records()
    for read, one in _measured(project, settings, images, runs, twins, _others(project, tasks), tally):
        with tally.unit(read.row.name):
            measured = one.result()
            with project.transaction():
                # A number whose maps are gone must not stay behind.
                project.findings.remove_measures(read.row.id, settings_id)
                project.findings.put_measures(_rows(read, measured, kinds, settings_id))
            records.add(measured)
    if not tally.cancelled:
        progress.report(len(images), len(images), "intervals and tests over images")
        found = records.findings(tasks, kinds, Resampling(settings.n_bootstrap, settings.seed))
        with project.transaction():
            project.findings.keep_measures(settings_id)
            project.findings.put_findings(ANALYSES, "", found, settings_id)
            if not tally.failed:
                project.settings.set_current(_DONE, state)
    return tally.summary(tasks=list(tasks), mirrored_left_out=left_out)


def forget_measured(project: Project) -> None:
    """Let the next call measure again, whatever the last one saw: maps that were removed."""
    project.settings.forget_current(_DONE)


def _runs(project: Project) -> dict[int, list[RunRow]]:
    runs: dict[int, list[RunRow]] = {}
    for run in free(project.runs.all(lesion="")):
        runs.setdefault(run.image_id, []).append(run)
    return runs


def _tell_left_out(project: Project, tally: Tally, left_out: int) -> None:
    project.problems.clear(VERB, _MIRRORED_MAPS)
    if left_out:
        maps = "1 map of a mirrored image is" if left_out == 1 else f"{left_out} maps of mirrored images are"
        tally.problem(
            _MIRRORED_MAPS,
            f"{maps} not used: the image itself has no map that was made with the same settings.",
            "Run the model on the images and on the mirrored images with the same settings.",
        )


def _inputs(
    project: Project, runs: Mapping[int, Sequence[RunRow]], twins: Mapping[int, Sequence[RunRow]]
) -> str:
    """Return a hash of the fixations and maps of a project."""
    digest = hashlib.sha256()
    for (image_id, task), n in sorted(project.gaze.counts().items()):
        if n:
            table = project.gaze.fixations(image_id, task)
            digest.update(f"{image_id} {task}".encode() + table.x.tobytes() + table.y.tobytes())
            digest.update(table.duration_ms.tobytes() + "\0".join(table.subject.tolist()).encode())
    for by_image in (runs, twins):
        digest.update(repr([(key, [run.id for run in by_image[key]]) for key in sorted(by_image)]).encode())
    return digest.hexdigest()[:16]


def _measured(
    project: Project,
    settings: MeasureSettings,
    images: Sequence[ImageRow],
    runs: Mapping[int, Sequence[RunRow]],
    twins: Mapping[int, Sequence[RunRow]],
    others: Mapping[str, OtherImages],
    tally: Tally,
) -> Iterator[tuple[_Image, Future[_Measured]]]:
    """Yield image after image, measured on a few threads; this one reads."""
    threads = max(1, settings.threads)
    running: deque[tuple[_Image, Future[_Measured]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="measure") as pool:
        for row in images:
            if tally.should_stop():
                break
            image = _read(project, row, runs.get(row.id, []), twins.get(row.id, []), others)
            running.append((image, pool.submit(_measure, image, settings)))
            if len(running) > threads:
                yield running.popleft()
        yield from running


def _others(project: Project, tasks: Sequence[str]) -> dict[str, OtherImages]:
    """Return where people looked in the images of each task."""
    sizes = {image.id: image for image in project.images.all()}
    looked: dict[str, dict[int, Positions]] = {task: {} for task in tasks}
    for (image_id, task), n in project.gaze.counts().items():
        if n:
            table, image = project.gaze.fixations(image_id, task), sizes[image_id]
            looked[task][image_id] = Positions(table.x / image.width, table.y / image.height)
    return {task: OtherImages(positions) for task, positions in looked.items()}


def _read(
    project: Project,
    row: ImageRow,
    runs: Sequence[RunRow],
    twins: Sequence[RunRow],
    others: Mapping[str, OtherImages],
) -> _Image:
    tasks = tuple(others)
    people = {}
    for task in tasks:
        table = project.gaze.fixations(row.id, task)
        if len(table):
            u, v = table.x / row.width, table.y / row.height
            people[task] = Fixations(u, v, table.subject, table.duration_ms)
    return _Image(row, tasks, people, _maps(project, row, runs), _maps(project, row, twins), others)


def _maps(project: Project, row: ImageRow, runs: Sequence[RunRow]) -> dict[str, dict[str, AttentionMap]]:
    """Read the maps of an image, by source and task."""
    maps: dict[str, dict[str, AttentionMap]] = {}
    for run in runs:
        stored = project.maps.mean_of_run(run.id)
        rect = in_shares(stored.rect, row.width, row.height)
        maps.setdefault(run.model, {})[run.task] = AttentionMap(stored.values, rect)
    return maps


def _of_task(maps: Mapping[str, Mapping[str, AttentionMap]], task: str) -> dict[str, AttentionMap]:
    return {source: by_task[task] for source, by_task in maps.items() if task in by_task}


def _measure(image: _Image, settings: MeasureSettings) -> _Measured:
    row, grid = image.row, settings.grid
    seed = zlib.crc32(row.sha256.encode()) ^ settings.seed
    concentration = {
        task: image_concentration(
            image.people.get(task),
            image.of_task(task),
            row.width,
            row.height,
            grid,
            image.centre(task, grid),
            seed=seed,
        )
        for task in image.tasks
    }
    laterality = {
        task: image_laterality(image.people.get(task), image.of_task(task), image.mirrored_of_task(task))
        for task in image.tasks
    }
    if len(image.tasks) < 2:
        return _Measured(concentration, laterality, None, None)
    parts = (image.people, image.maps, image.tasks, row.width, row.height)
    return _Measured(
        concentration,
        laterality,
        image_differentiation(*parts, grid=grid, seed=seed),
        image_cross_task(*parts, seed=seed),
    )


def _rows(
    image: _Image, found: _Measured, kinds: Mapping[str, str], settings_id: int
) -> Iterator[MeasureRow]:
    """Yield the numbers of an image as they are stored."""

    def row(source: str, task: str, measure: str, value: float, against: str = "") -> MeasureRow:
        kind = HUMAN if source == PEOPLE else kinds.get(source, MODEL)
        return MeasureRow(image.row.id, task, kind, source, "", "", measure, against, value, settings_id)

    for task, record in found.concentration.items():
        tables = {(PEOPLE, ""): record.people} if record.n_fixations else {}
        tables |= {(source, ""): values for source, values in record.raw.items()}
        if record.n_fixations:
            tables |= {(source, MATCHED): values for source, values in record.matched.items()}
        for (source, ending), values in tables.items():
            for measure, value in zip(CONCENTRATION_IDS, values.tolist(), strict=True):
                yield row(source, task, measure + ending, value)
    for task, side in found.laterality.items():
        for source, measures in {PEOPLE: side.people, **side.sources}.items():
            for measure, value in measures.items():
                yield row(source, task, measure, value)
    if found.differentiation is not None:
        for (first, second), change in found.differentiation.people.items():
            yield row(PEOPLE, first, "task_d", 1.0 - change.parts[0], second)
            yield row(PEOPLE, first, "task_d_excess", change.excess, second)
            yield row(PEOPLE, first, "task_jsd", change.jsd, second)
        for source, pairs in found.differentiation.sources.items():
            for (first, second), differs in pairs.items():
                yield row(source, first, "task_d", 1.0 - differs.cc, second)
                yield row(source, first, "task_jsd", differs.jsd, second)
