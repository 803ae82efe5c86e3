"""Bring in maps that were made elsewhere, one file for each image."""

from __future__ import annotations

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

METHOD = "imported"
TRUTH = "truth"
TRUE_DENSITY = "true_density"
"""Id under which a known density is kept and scored, whatever name it is shown with."""


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
        Task that they belong to.
    kind
        ``imported``, or ``truth`` for the density that simulated observers were drawn from.
    """

    folder: str
    model: str
    task: str
    kind: str = "imported"


def import_maps(project: Project, settings: ImportMapsSettings, progress: Progress) -> Summary:
    """Store one map for each image whose file is in the folder; the maps cover the whole image.

    Raises
    ------
    GazeError
        If the folder does not exist or none of its files is named like an image.
    """
    project.tasks.add(settings.task)
    pairs = _pairs(project, Path(settings.folder))
    model_id = TRUE_DENSITY if settings.kind == TRUTH else _identifier(settings.model)
    _check_free(project, model_id, settings)
    info = ModelInfo(model_id, settings.model, settings.kind, methods=(METHOD,), checkpoint="")
    project.runs.put_model(info)
    tally = Tally(project, "import maps", progress, len(pairs))
    for image, path in pairs:
        if tally.should_stop():
            break
        values: Json = {
            "model": model_id,
            "task": settings.task,
            "kind": settings.kind,
            "file_sha256": sha256_of(path),
        }
        if project.runs.exists(
            image.id, model_id, settings.task, "", METHOD, settings_hash("import maps", values)
        ):
            tally.skip(image.name)
            continue
        with tally.unit(image.name):
            grid = read_map(path)
            with project.transaction():
                settings_id = project.settings.put("import maps", values)
                project.runs.put_map(image.id, model_id, settings.task, METHOD, grid, image.rect, settings_id)
    return tally.summary(model=model_id, images_without_map=len(project.images.all()) - len(pairs))


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


def _pairs(project: Project, folder: Path) -> list[tuple[ImageRow, Path]]:
    if not folder.is_dir():
        raise GazeError("There is no such folder.", where=str(folder), todo="Check the path.")
    files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in MAP_SUFFIXES}
    pairs = [
        (image, files[Path(image.name).stem])
        for image in project.images.all()
        if Path(image.name).stem in files
    ]
    if not pairs:
        raise GazeError(
            "No map file is named like an image of the project.",
            where=str(folder),
            todo="Name each map like its image, for example scene-001.npy for scene-001.png.",
        )
    return pairs
