"""What predicting responses from maps would take in, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.encoding.folds import RidgeSettings, check_number
from gazeapp.engine.neural.encoding.nested import THREADS
from gazeapp.engine.neural.records import FSAVERAGE5
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.encode import EncodeSettings
from gazeapp.engine.workflows.encode_inputs import PictureControls, subject_names, task_maps
from gazeapp.engine.workflows.extract_plan import chosen_tasks
from gazeapp.engine.workflows.regions import atlas_for, region_list

_BESIDES_MODELS = 1.7
"""All of the time beside that of encoding models, with partitions and patterns; measured on 10 sources of 48 images."""


@dataclass(frozen=True)
class EncodingCount:
    """What would be predicted from what.

    Parameters
    ----------
    n_regions, n_groups
        Regions, and groups of them.
    n_subjects
        Whose responses are predicted; their mean counts as one.
    images, sources
        Task -> number of images that every source has, and of sources; only tasks that have any.
    left_out
        Task -> sources with maps of too few images; only tasks that have any.
    whys
        Why the other tasks have none, or cannot be predicted.
    seconds
        About how long all of it takes, as long as what was predicted before; None where nothing was.
    """

    n_regions: int
    n_groups: int
    n_subjects: int
    images: Mapping[str, int]
    sources: Mapping[str, int]
    left_out: Mapping[str, tuple[str, ...]]
    whys: tuple[GazeError, ...]
    seconds: float | None


def count_encoding(project: Project, settings: EncodeSettings) -> EncodingCount:
    """Count the images, regions and sources of an encoding; no map, picture or response is read.

    Images that lack the response of one of several subjects are counted as well.

    Parameters
    ----------
    settings
        As for `gazeapp.engine.workflows.encode.encode`, with the name of the responses.

    Raises
    ------
    GazeError
        If there are no such responses, or no such atlas.
    """
    row = project.responses.get(settings.responses)
    listed = []
    if row.space == FSAVERAGE5:
        listed = region_list(atlas_for(project, settings.atlas), settings.hemispheres)
    n_groups = sum(group for _, group in listed)
    n_regions = len(listed) - n_groups if row.space == FSAVERAGE5 else row.n_targets
    responding = set(project.responses.image_ids(row.name))
    images = [image for image in project.images.all() if image.id in responding]
    pictures = PictureControls(project, settings.grid, settings.sigma)
    shared: dict[str, int] = {}
    sources: dict[str, int] = {}
    left_out: dict[str, tuple[str, ...]] = {}
    whys: list[GazeError] = []
    for task in chosen_tasks(project, settings.tasks):
        try:
            maps = task_maps(
                *(project, task, images, settings.models, settings.controls, pictures),
                *(settings.grid, settings.sigma, settings.seed),
            )
            check_number(len(maps.images), RidgeSettings(settings.n_folds, settings.n_inner))
        except GazeError as error:
            whys.append(error)
            continue
        shared[task], sources[task] = len(maps.images), len(maps.states)
        if maps.left_out:
            left_out[task] = maps.left_out
    n_subjects = len(subject_names(row, settings.subjects))
    pace = project.encodings.pace()
    cells = n_subjects * (n_regions + n_groups) * sum(n * sources[task] for task, n in shared.items())
    seconds = None if pace is None else pace * cells * _BESIDES_MODELS / THREADS
    return EncodingCount(n_regions, n_groups, n_subjects, shared, sources, left_out, tuple(whys), seconds)
