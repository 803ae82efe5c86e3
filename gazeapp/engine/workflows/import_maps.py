"""Bring in maps that were made elsewhere, one file for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.maps.files import MAP_SUFFIXES, read_map
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import ImageRow, Project
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
        Folder with one map file for each image, named like the image up to the suffix.
    model
        Name of the model that made them.
    task
        Task that they belong to; a name that differs from a task of the project in case or outer space
        only is that task.
    kind
        ``imported``, or ``truth`` for the density that simulated observers were drawn from.
    """

    folder: str
    model: str
    task: str
    kind: str = "imported"


def import_maps(project: Project, settings: ImportMapsSettings, progress: Progress) -> Summary:
    """Store one map for each image whose file is in the folder; the maps cover the whole image.

    Returns
    -------
    Summary
        ``details`` has ``model`` (its id), ``images_without_map`` and ``maps_without_image`` (numbers),
        and ``new_tasks``.

    Raises
    ------
    GazeError
        If the folder does not exist or none of its files is named like an image.
    """
    before, task = project.tasks.all(), project.tasks.resolve(settings.task)
    pairs, strays = _pairs(project, Path(settings.folder))
    model_id = TRUE_DENSITY if settings.kind == TRUTH else _identifier(settings.model)
    _check_free(project, model_id, settings)
    info = ModelInfo(model_id, settings.model, settings.kind, methods=(METHOD,), checkpoint="")
    project.tasks.add(task)
    project.runs.put_model(info)
    tally = Tally(project, VERB, progress, len(pairs))
    new_tasks = [task] if task not in before else []
    project.problems.clear(VERB, settings.folder)
    for caution in [*new_task_cautions(new_tasks, before), *_stray_cautions(strays)]:
        tally.problem(settings.folder, caution.what, caution.todo)
    for image, path in pairs:
        if tally.should_stop():
            break
        values: Json = {
            "model": model_id,
            "task": task,
            "kind": settings.kind,
            "file_sha256": sha256_of(path),
        }
        if project.runs.exists(image.id, model_id, task, "", METHOD, settings_hash(VERB, values)):
            tally.skip(image.name)
            continue
        with tally.unit(image.name):
            grid = read_map(path)
            with project.transaction():
                settings_id = project.settings.put(VERB, values)
                project.runs.put_map(image.id, model_id, task, METHOD, grid, image.rect, settings_id)
    return tally.summary(
        model=model_id,
        images_without_map=len(project.images.all()) - len(pairs),
        maps_without_image=len(strays),
        new_tasks=new_tasks,
    )


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


def _stray_cautions(strays: Sequence[Path]) -> list[GazeError]:
    if not strays:
        return []
    names = ", ".join(f"'{path.name}'" for path in strays[:_NAMES_IN_A_SENTENCE])
    more = len(strays) - _NAMES_IN_A_SENTENCE
    files = "1 map file is" if len(strays) == 1 else f"{len(strays)} map files are"
    return [
        GazeError(
            f"{files} named like no image of the project and left out: {names}"
            f"{f' and {more} more' if more > 0 else ''}.",
            todo="Name each map like its image, or add these images, and import the folder again.",
        )
    ]


def _pairs(project: Project, folder: Path) -> tuple[list[tuple[ImageRow, Path]], list[Path]]:
    """Return each image with its map file, and the map files that are named like no image."""
    if not folder.is_dir():
        raise GazeError("There is no such folder.", where=str(folder), todo="Check the path.")
    files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in MAP_SUFFIXES}
    images = {image: Path(image.name).stem for image in project.images.all()}
    pairs = [(image, files[stem]) for image, stem in images.items() if stem in files]
    if not pairs:
        raise GazeError(
            "No map file is named like an image of the project.",
            where=str(folder),
            todo="Name each map like its image, for example scene-001.npy for scene-001.png.",
        )
    return pairs, [path for stem, path in files.items() if stem not in images.values()]
