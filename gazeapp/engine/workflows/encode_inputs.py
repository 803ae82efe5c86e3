"""What encoding models are made of: the responses of regions, and the maps of all sources on the same images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import AttentionMap, Fixations
from gazeapp.engine.models.given import free
from gazeapp.engine.neural.controls import (
    CENTRE,
    CONTRAST,
    CONTROLS,
    LUMINANCE,
    OTHER_IMAGE,
    PEOPLE,
    centre,
    other_image,
    picture_controls,
)
from gazeapp.engine.neural.features import fixation_features, map_features
from gazeapp.engine.neural.records import FSAVERAGE5, Region, Responses
from gazeapp.engine.neural.region_means import RegionValues, region_means, table_values
from gazeapp.engine.neural.responses.ceilings import subject_ceiling
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, Project, ResponsesRow, RunRow
from gazeapp.engine.scoring.densities.of_image import in_shares
from gazeapp.engine.scoring.sources import HUMAN, MODEL, TRUTH
from gazeapp.engine.types import DoubleArray, FloatArray
from gazeapp.engine.workflows.score_state import gaze_states

CONTROL = "control"
"""Kind of a source that needs no model."""
MEAN = ""
"""Stands for the mean over subjects where a subject's name stands."""
_LEAST_SHARE = 0.5
"""A source with maps of fewer of the images is left out, rather than leaving out the images."""
_PICTURE_SIDE = 512
"""Pictures are read at no more px along the longer side: controls are measured at fewer."""
_OF_VERTICES = (
    "The ceiling is the mean of those of the region's vertices; the mean over vertices is less noisy, so that its own "
    "is higher."
)

SourceKey = tuple[str, str]
"""Kind and id of a source."""


@dataclass(frozen=True)
class Subject:
    """Responses that are predicted: of one subject, or the mean over subjects.

    Parameters
    ----------
    name
        The subject; empty for the mean.
    images
        Names of the images.
    values
        Responses, shape (n_images, n_targets), float32.
    regions
        Responses of the regions and groups.
    ceilings
        Highest correlation that a perfect model can reach with each region, shape (n_regions,); NaN where unknown.
    note
        What has to be said of the ceilings.
    parts
        The regions of the surface that were asked for, each with whether it is a group; none for a table of regions.
    """

    name: str
    images: tuple[str, ...]
    values: FloatArray
    regions: RegionValues
    ceilings: DoubleArray
    note: str = ""
    parts: tuple[tuple[Region, bool], ...] = ()


@dataclass
class TaskMaps:
    """The maps of all sources on the same images under one task, read when first asked for.

    Parameters
    ----------
    task
        Task.
    images
        The images, in the order of the rows of all features.
    states
        Source -> what its features follow from, so that nothing is read where nothing changed.
    left_out
        Names of models that have maps of too few of the images.
    there
        Ids of all sources that have something under the task, whether they were asked for or not.
    misnamed
        Ids of models that are called like a control or like people.
    n_without
        Images with responses that are left out because a source has no map of them.
    """

    task: str
    images: tuple[ImageRow, ...]
    states: Mapping[SourceKey, str]
    left_out: tuple[str, ...]
    there: frozenset[str]
    misnamed: tuple[str, ...]
    n_without: int
    _readers: Mapping[SourceKey, Callable[[], DoubleArray]]
    _read: dict[SourceKey, DoubleArray] = field(default_factory=dict)

    def features(self, key: SourceKey) -> DoubleArray:
        """Return the features of a source, shape (n_images, n_features)."""
        if key not in self._read:
            self._read[key] = self._readers[key]()
        return self._read[key]


class PictureControls:
    """Luminance and contrast energy of the project's pictures, measured once for all tasks."""

    def __init__(self, project: Project, grid: int, sigma: float) -> None:
        self._project = project
        self._grid, self._sigma = grid, sigma
        self._known: dict[int, dict[str, DoubleArray]] = {}

    def features(self, name: str, images: Sequence[ImageRow]) -> DoubleArray:
        """Return one control of the images, shape (n_images, n_features)."""
        for image in images:
            if image.id not in self._known:
                pixels, _ = read_picture(self._project.images.file(image), _PICTURE_SIDE)
                found = picture_controls([pixels], self._grid, self._sigma)
                self._known[image.id] = {control: rows[0] for control, rows in found.items()}
        return np.array([self._known[image.id][name] for image in images])


def task_maps(
    project: Project,
    task: str,
    images: Sequence[ImageRow],
    models: Sequence[str],
    controls: Sequence[str],
    pictures: PictureControls,
    grid: int,
    sigma: float,
    seed: int,
) -> TaskMaps:
    """Gather the maps of a task on the images that every source has.

    Parameters
    ----------
    images
        Images that have responses.
    models
        Ids of models; empty means all.
    controls
        Names of controls.

    Raises
    ------
    GazeError
        If no source has maps of these images.
    """
    ids = {image.id for image in images}
    runs: dict[str, dict[int, RunRow]] = {}
    there: set[str] = set()
    for run in free(project.runs.all(task=task, lesion="")):
        there.add(run.model)
        if run.image_id in ids and (not models or run.model in models):
            runs.setdefault(run.model, {})[run.image_id] = run
    misnamed = tuple(model for model in runs if model in CONTROLS)
    for model in misnamed:
        del runs[model]
    counts = project.gaze.counts()
    looked = {image.id for image in images if counts.get((image.id, task))}
    covered: dict[str, set[int]] = {model: set(of_image) for model, of_image in runs.items()}
    if looked:
        covered[PEOPLE] = looked
    least = _LEAST_SHARE * max((len(have) for have in covered.values()), default=0)
    left_out = tuple(source for source, have in covered.items() if len(have) < least)
    kept = {source: have for source, have in covered.items() if source not in left_out}
    common = set.intersection(*kept.values()) if kept else set()
    if not common:
        raise GazeError(
            f"Under the task “{task}” no map is of an image that has responses.",
            where=str(project.path),
            todo="Let models describe these images, import maps, or import fixations on them.",
        )
    rows = tuple(image for image in images if image.id in common)
    kinds = {model.id: TRUTH if model.kind == TRUTH else MODEL for model in project.runs.models()}
    states: dict[SourceKey, str] = {}
    readers: dict[SourceKey, Callable[[], DoubleArray]] = {}
    for model in (source for source in kept if source != PEOPLE):
        own = [runs[model][image.id] for image in rows]
        states[kinds.get(model, MODEL), model] = _digest([run.id for run in own])
        readers[kinds.get(model, MODEL), model] = _model_reader(project, rows, own, grid, sigma)
    if PEOPLE in kept:
        gaze = _digest([gaze_states(project).get(task, ""), [image.id for image in rows]])
        people = _people_reader(project, rows, task, grid, sigma)
        states[HUMAN, PEOPLE], readers[HUMAN, PEOPLE] = gaze, people
        for name, change in (
            (CENTRE, centre),
            (OTHER_IMAGE, lambda features: other_image(features, seed)),
        ):
            if name in controls:
                states[CONTROL, name] = f"{name} {gaze}"
                readers[CONTROL, name] = _changed(people, change)
    shown = _digest([image.sha256 for image in rows])
    for name in controls:
        if name not in (CENTRE, OTHER_IMAGE, PEOPLE):
            states[CONTROL, name] = f"{name} {shown}"
            readers[CONTROL, name] = _control_reader(pictures, name, rows)
    there |= {LUMINANCE, CONTRAST, *((PEOPLE, CENTRE, OTHER_IMAGE) if looked else ())}
    n_without = len(images) - len(rows)
    return TaskMaps(task, rows, states, left_out, frozenset(there), misnamed, n_without, readers)


def subject_names(row: ResponsesRow, each: bool) -> tuple[str, ...]:
    """Return whose responses are predicted: the mean over subjects, and each subject where that is wanted."""
    return (MEAN, *row.subjects) if each and len(row.subjects) > 1 else (MEAN,)


def subject_responses(
    responses: Responses, name: str, regions: Sequence[tuple[Region, bool]], images: Sequence[str]
) -> Subject:
    """Return what is predicted of one subject or of their mean, on those of the images that have it.

    The mean is taken over images that all subjects saw, so that no difference between subjects becomes one between
    images.

    Parameters
    ----------
    responses
        Responses with all subjects.
    name
        The subject; empty for the mean.
    regions
        Regions of the surface, each with whether it is a group; not used for a table of regions.
    images
        Names of the images to keep, in the order of the rows to return.

    Raises
    ------
    GazeError
        If no image has a response of every subject, or none of the one asked for.
    """
    wanted = {image: k for k, image in enumerate(responses.images)}
    rows = [wanted[image] for image in images if image in wanted]
    whose = [responses.subjects.index(name)] if name else list(range(len(responses.subjects)))
    known = (responses.n_repeats[np.ix_(whose, rows)] > 0).min(axis=0)
    kept = [row for row, has in zip(rows, known, strict=True) if has]
    if not kept:
        who = f"the subject “{name}” has a response" if name else "every subject has a response"
        raise GazeError(
            f"There is no image with maps to which {who}.",
            todo="Import responses to these images, or predict each subject by itself.",
        )
    each = responses.values[np.ix_(whose, kept)]
    mean = each[0] if len(whose) == 1 else each.mean(axis=0, dtype=np.float64).astype(np.float32)
    found = _of_regions(responses, mean, regions)
    ceilings, note = _ceilings(responses, whose, each, found, regions)
    return Subject(
        name, tuple(responses.images[row] for row in kept), mean, found, ceilings, note, tuple(regions)
    )


def _of_regions(
    responses: Responses, values: FloatArray, regions: Sequence[tuple[Region, bool]]
) -> RegionValues:
    if responses.space == FSAVERAGE5:
        return region_means(values, regions)
    return table_values(values, responses.targets)


def _ceilings(
    responses: Responses,
    whose: Sequence[int],
    each: FloatArray,
    found: RegionValues,
    regions: Sequence[tuple[Region, bool]],
) -> tuple[DoubleArray, str]:
    if len(whose) > 1:
        by_subject = np.stack([_of_regions(responses, values, regions).values for values in each])
        return subject_ceiling(by_subject).mean, ""
    if responses.ceilings is None:
        return np.full(len(found.names), np.nan), ""
    own = responses.ceilings[whose[0]].astype(np.float64)
    if responses.space != FSAVERAGE5:
        return own, ""
    means = [own[region.vertices][np.isfinite(own[region.vertices])] for region, _ in regions]
    return np.array([values.mean() if len(values) else np.nan for values in means]), _OF_VERTICES


def _model_reader(
    project: Project, images: Sequence[ImageRow], runs: Sequence[RunRow], grid: int, sigma: float
) -> Callable[[], DoubleArray]:
    def read() -> DoubleArray:
        maps = []
        for image, run in zip(images, runs, strict=True):
            stored = project.maps.mean_of_run(run.id)
            maps.append(AttentionMap(stored.values, in_shares(stored.rect, image.width, image.height)))
        return map_features(maps, grid, sigma)

    return read


def _people_reader(
    project: Project, images: Sequence[ImageRow], task: str, grid: int, sigma: float
) -> Callable[[], DoubleArray]:
    def read() -> DoubleArray:
        looked = []
        for image in images:
            table = project.gaze.fixations(image.id, task)
            looked.append(Fixations(table.x / image.width, table.y / image.height, table.subject))
        return fixation_features(looked, grid, sigma)

    return read


def _control_reader(
    pictures: PictureControls, name: str, images: Sequence[ImageRow]
) -> Callable[[], DoubleArray]:
    return lambda: pictures.features(name, images)


def _changed(
    read: Callable[[], DoubleArray], change: Callable[[DoubleArray], DoubleArray]
) -> Callable[[], DoubleArray]:
    return lambda: change(read())


def _digest(values: Sequence[object]) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]
