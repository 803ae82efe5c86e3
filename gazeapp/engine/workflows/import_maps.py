"""Bring in maps that were made elsewhere, one for each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.files import MapFiles, MapPlace, Values
from gazeapp.engine.maps.names import Matches, match_names
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.gaze import new_task_cautions

VERB = "import maps"
METHOD = "imported"
TRUTH = "truth"
TRUE_DENSITY = "true_density"
"""Id under which a known density is kept and scored, whatever name it is shown with."""
_NAMES_IN_A_SENTENCE = 3


@dataclass(frozen=True)
class ImportMapsSettings:
    """Which maps to bring in, and as whose.

    Parameters
    ----------
    folder
        Folder with one map file for each image, or one HDF5 or NPZ file with an array for each; named like the
        images (:func:`~gazeapp.engine.maps.names.match_names`).
    model
        Name of the model that made them.
    tasks
        Tasks that they belong to, at least one: a model that takes no task has one map for all. A name that
        differs from a task of the project in case or outer space only is that task.
    kind
        ``imported``, or ``truth`` for the density that simulated observers were drawn from.
    values
        ``saliency``, numbers of at least 0, or ``log_density``, natural logarithms of a density.
    mirrored
        Whether the model saw each image left-right mirrored; the maps are as it made them, not turned back.
    """

    folder: str
    model: str
    tasks: tuple[str, ...]
    kind: str = "imported"
    values: Values = "saliency"
    mirrored: bool = False


def import_maps(project: Project, settings: ImportMapsSettings, progress: Progress) -> Summary:
    """Store the map of each image, once for each task; the maps cover the whole image.

    One unit is an image. An image that has the same map under all of the tasks is skipped; one that has it
    under some gets the others.

    Returns
    -------
    Summary
        ``details`` has ``model`` (its id), ``images_without_map``, ``maps_without_image`` and ``unclear_maps``
        (numbers; unclear is what fits several images, or shares its image with another map), and ``new_tasks``.

    Raises
    ------
    GazeError
        If the folder or file does not exist or cannot be opened, no map is named like an image, or no task is
        given.
    """
    if not settings.tasks:
        raise GazeError("The maps need a task.", todo="Say under which task they are to be scored.")
    images = project.images.all()
    with MapFiles(Path(settings.folder)) as maps:
        matches = match_names([image.name for image in images], [place.name for place in maps.places])
        if not (matches.map_of or matches.unclear or matches.rivals or maps.damaged):
            raise GazeError(
                "No map is named like an image of the project.",
                where=settings.folder,
                todo="Name each map like its image, for example scene-001.npy for scene-001.png.",
            )
        before = project.tasks.all()
        tasks = list(dict.fromkeys(project.tasks.resolve(task) for task in settings.tasks))
        new_tasks = [task for task in tasks if task not in before]
        model_id = _put_model(project, settings)
        for task in tasks:
            project.tasks.add(task)
        tally = Tally(project, VERB, progress, len(matches.map_of) + len(maps.damaged))
        project.problems.clear(VERB, settings.folder)
        for caution in [*new_task_cautions(new_tasks, before), *_cautions(matches, images, maps.places)]:
            tally.problem(settings.folder, caution.what, caution.todo)
        for error in maps.damaged:
            tally.fail(error.where, error.what, error.todo, unit=error.where)
        for place, image in enumerate(images):
            if place not in matches.map_of:
                continue
            if tally.should_stop():
                break
            _import(
                project, settings, model_id, tasks, image, maps, maps.places[matches.map_of[place]], tally
            )
    return tally.summary(
        model=model_id,
        images_without_map=len(images) - len(matches.map_of),
        maps_without_image=len(matches.strays),
        unclear_maps=len(matches.unclear) + sum(len(several) for several in matches.rivals.values()),
        new_tasks=new_tasks,
    )


def _import(
    project: Project,
    settings: ImportMapsSettings,
    model_id: str,
    tasks: Sequence[str],
    image: ImageRow,
    maps: MapFiles,
    place: MapPlace,
    tally: Tally,
) -> None:
    """Store one image's map under the tasks that do not have it."""
    try:
        digest = maps.digest(place)
    except GazeError as error:
        tally.fail(error.where or image.name, error.what, error.todo, unit=image.name)
        return
    lesion = MIRRORED if settings.mirrored else ""
    missing: list[Json] = []
    for task in tasks:
        values: Json = {"model": model_id, "task": task, "kind": settings.kind}
        values["values_sha256" if place.key else "file_sha256"] = digest
        # Only what differs from the plain case is said, so that plain maps keep the hash that they had.
        if settings.values != "saliency":
            values["values"] = settings.values
        if lesion:
            values["lesion"] = lesion
        if not project.runs.exists(image.id, model_id, task, lesion, METHOD, settings_hash(VERB, values)):
            missing.append(values)
    if not missing:
        tally.skip(image.name)
        return
    with tally.unit(image.name):
        grid = maps.read(place, settings.values)
        with project.transaction():
            for values in missing:
                settings_id = project.settings.put(VERB, values)
                project.runs.put_map(
                    image.id, model_id, values["task"], METHOD, grid, image.rect, settings_id, lesion
                )


def _put_model(project: Project, settings: ImportMapsSettings) -> str:
    """Store whose maps they are and return the id."""
    model_id = TRUE_DENSITY if settings.kind == TRUTH else _identifier(settings.model)
    _check_free(project, model_id, settings)
    project.runs.put_model(
        ModelInfo(model_id, settings.model, settings.kind, methods=(METHOD,), checkpoint="")
    )
    return model_id


def _identifier(name: str) -> str:
    words = name.lower().split()
    if not words:
        raise GazeError("The model needs a name.", todo="Say whose maps they are, for example DeepGaze.")
    return "_".join(words)


def _check_free(project: Project, model_id: str, settings: ImportMapsSettings) -> None:
    taken = {model.id: model for model in project.runs.models()}.get(model_id)
    if taken is not None and taken.kind != settings.kind:
        raise GazeError(
            f"The project holds another model called {taken.name}.",
            todo="Give the imported maps another name.",
        )


def _cautions(
    matches: Matches, images: Sequence[ImageRow], places: Sequence[MapPlace]
) -> Iterator[GazeError]:
    """Yield what is said of maps that were left out."""
    if matches.strays:
        yield GazeError(
            f"{_count(len(matches.strays), 'map is', 'maps are')} named like no image of the project and left "
            f"out: {_some([places[k].name for k in matches.strays])}.",
            todo="Name each map like its image, or add these images, and import the maps again.",
        )
    if matches.unclear:
        yield GazeError(
            f"{_count(len(matches.unclear), 'map is', 'maps are')} named like several images and left out: "
            f"{_some([places[k].name for k in matches.unclear])}.",
            todo="Put the maps into folders that are called like those of the images.",
        )
    if matches.rivals:
        yield GazeError(
            f"{_count(len(matches.rivals), 'image has', 'images have')} more than one map and got none: "
            f"{_some([images[k].name for k in matches.rivals])}.",
            todo="Keep one map for each image, for example by importing a folder of one kind of file.",
        )


def _count(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}"


def _some(names: Sequence[str]) -> str:
    """Return the first few names as part of a sentence."""
    more = len(names) - _NAMES_IN_A_SENTENCE
    quoted = ", ".join(f"'{name}'" for name in names[:_NAMES_IN_A_SENTENCE])
    return f"{quoted} and {more} more" if more > 0 else quoted
