"""Reading what the window shows from a project; runs on the loader's thread."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.models.given import free_last, is_given
from gazeapp.engine.pictures import read_picture as decode
from gazeapp.engine.scoring.sources import shown_name
from gazeapp.engine.types import ImageArray
from gazeapp.engine.workflows.score_state import outdated_models
from gazeapp.ui.colours import source_colour
from gazeapp.ui.scene import (
    Catalogue,
    Fixations,
    ImageEntry,
    MapView,
    ModelView,
    PeopleView,
    Picture,
    SceneView,
    ScoreKey,
    Share,
    TrialView,
)
from gazeapp.ui.study import PEOPLE_BY_IMAGE

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.rows import ImageRow

_Older: TypeAlias = frozenset[tuple[str, str, str]]
"""(task, preset, model) whose scores are of other maps than those in use."""

_Array = TypeVar("_Array", bound=NDArray[Any])

READ_SIDE = 2048
"""Longest side of a picture kept for display, px."""

_SMALLEST_LEVEL = 200


def read_scene(project: Project, image_id: int, task: str) -> SceneView:
    """Read one image under one task.

    A picture that is missing or cannot be read gives a scene with an ``error`` and no picture.

    Raises
    ------
    GazeError
        The project has no such image.
    """
    row = project.images.get(image_id)
    picture: Picture | None = None
    error: GazeError | None = None
    try:
        picture = read_picture(project.images.file(row), row.width, row.height)
    except GazeError as problem:
        error = problem
    return SceneView(
        image_id=row.id,
        name=row.name,
        task=task,
        width=row.width,
        height=row.height,
        picture=picture,
        error=error,
        simulated=project.simulated,
        people=_read_people(project, row, task),
        models=_read_models(project, row, task),
    )


def read_catalogue(project: Project) -> Catalogue:
    """Read the lists of images, tasks and models, with their scores."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for (image_id, task), count in project.gaze.counts().items():
        counts[image_id][task] = count
    # A score stands over a map only if it is that map's.
    older = outdated_models(project)
    scores = _image_scores(project, older)
    ceilings = _image_ceilings(project)
    return Catalogue(
        images=tuple(
            ImageEntry(
                row.id, row.name, counts.get(row.id, {}), scores.get(row.id, {}), ceilings.get(row.id, {})
            )
            for row in project.images.all()
        ),
        tasks=tuple(project.tasks.all()),
        models=tuple((model.id, model.name) for model in project.runs.models()),
        shares=_shares(project, older),
        simulated=project.simulated,
    )


def read_picture(path: Path, width: int, height: int) -> Picture:
    """Decode an image file for display.

    Parameters
    ----------
    path
        The file.
    width, height
        Size that the project knows, px.

    Raises
    ------
    GazeError
        The file is missing or cannot be decoded.
    """
    pixels, _facts = decode(path, READ_SIDE)
    levels = [_to_qimage(pixels)]
    while max(levels[-1].width(), levels[-1].height()) >= 2 * _SMALLEST_LEVEL:
        last = levels[-1]
        levels.append(
            last.scaled(
                (last.width() + 1) // 2,
                (last.height() + 1) // 2,
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )
    return Picture(tuple(levels), width, height)


def read_thumbnail(path: Path, side: int) -> QImage:
    """Decode an image file into a picture of at most ``side`` px a side.

    Raises
    ------
    GazeError
        The file is missing or cannot be decoded.
    """
    pixels, _facts = decode(path, side)
    return _to_qimage(pixels)


def _to_qimage(pixels: ImageArray) -> QImage:
    height, width = pixels.shape[:2]
    packed = np.ascontiguousarray(pixels)
    return QImage(packed.data, width, height, width * 3, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )


def _read_people(project: Project, row: ImageRow, task: str) -> PeopleView:
    table = project.gaze.fixations(row.id, task)
    fixations = None
    if len(table):
        fixations = Fixations(
            x=_frozen(table.x),
            y=_frozen(table.y),
            duration_ms=_frozen(table.duration_ms),
            subject=tuple(str(subject) for subject in table.subject),
            trial=_frozen(table.trial_id),
            index=_frozen(table.index),
        )
    stored = project.maps.human(row.id, task)
    view = None
    if stored is not None:
        view = MapView.of(_frozen(stored.values), stored.rect, row.width, row.height)
    subjects = tuple(sorted(set(fixations.subject))) if fixations else ()
    trials = tuple(
        TrialView(trial.id, trial.subject, trial.recording_id, trial.shift)
        for trial in project.gaze.trials_of_image(row.id, task)
    )
    return PeopleView(map=view, fixations=fixations, subjects=subjects, trials=trials)


def _read_models(project: Project, row: ImageRow, task: str) -> tuple[ModelView, ...]:
    newest = {run.model: run for run in free_last(project.runs.all(image_id=row.id, task=task))}
    described = project.runs.described(row.id, task)
    views = []
    models = project.runs.models()
    ids = [model.id for model in models if model.kind != "truth"]
    for model in models:
        colour = source_colour(model.id, ids).name()
        run = newest.get(model.id)
        if run is None:
            truth, older = model.kind == "truth", model.id in described
            views.append(ModelView(model.id, model.name, colour, truth=truth, only_older=older))
            continue
        maps = project.maps.of_run(run.id)
        views.append(
            ModelView(
                id=model.id,
                name=shown_name(model.name, run.method),
                colour=colour,
                map=MapView.of(_frozen(maps.mean), maps.rect, row.width, row.height),
                words=project.runs.words(run.id),
                word_maps=_frozen(maps.words),
                outside_training=is_outside_training(model.domain, row.origin),
                truth=model.kind == "truth",
            )
        )
    return tuple(views)


def _image_scores(project: Project, older: _Older) -> dict[int, dict[ScoreKey, dict[str, float]]]:
    found: dict[int, dict[ScoreKey, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for score in project.scores.of_models():
        if (score.task, score.preset, score.source) in older:
            continue
        found[score.image_id][score.task, score.preset, score.metric][score.source] = score.value
    return found


def _image_ceilings(project: Project) -> dict[int, dict[ScoreKey, float]]:
    """Return how well people predict each other on each image, by the first estimator that there is."""
    found: dict[int, dict[ScoreKey, float]] = defaultdict(dict)
    for estimator in reversed(PEOPLE_BY_IMAGE):
        for ceiling in project.scores.ceilings_by(estimator):
            found[ceiling.image_id][ceiling.task, ceiling.preset, ceiling.metric] = ceiling.value
    return found


def _shares(project: Project, older: _Older) -> dict[ScoreKey, dict[str, Share]]:
    found: dict[ScoreKey, dict[str, Share]] = defaultdict(dict)
    for row in sorted(project.scores.summary(), key=lambda row: (not is_given(row.method), row.settings_id)):
        stale = (row.task, row.preset, row.source) in older
        if row.source_kind in ("model", "truth") and not row.lesion and row.percent is not None and not stale:
            found[row.task, row.preset, row.metric][row.source] = Share(row.percent, row.ci_low, row.ci_high)
    return found


def _frozen(array: _Array) -> _Array:
    array.flags.writeable = False
    return array
