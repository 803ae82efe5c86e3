"""Run models on images: captions and attention maps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Model, ModelInfo
from gazeapp.engine.models.registry import available_models, load_model
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.types import ImageArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally


@dataclass(frozen=True)
class ExtractSettings:
    """What to extract.

    Parameters
    ----------
    models
        Model ids; empty means every model that can be run here.
    tasks
        Task names; empty means every task of the project.
    method
        Map method; empty means each model's default.
    words
        Words whose maps make the caption's map: ``content`` or ``all``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; not part of what identifies a result.
    mirrored
        Whether models also describe each image left-right mirrored: the control that tells a habit of looking at
        one side from what the pictures show there. Maps stay as they are on the mirrored image.
    """

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    method: str = ""
    words: str = "content"
    device: str = "auto"
    mirrored: bool = False


@dataclass(frozen=True)
class _Plan:
    """One model under one task, on images as they are or mirrored: what its runs are filed under."""

    info: ModelInfo
    task: str
    method: str
    lesion: str
    values: Json
    hash: str

    def is_done(self, project: Project, image: ImageRow) -> bool:
        """Return whether its run on an image is in the project."""
        return project.runs.exists(image.id, self.info.id, self.task, self.lesion, self.method, self.hash)

    def name(self, image: ImageRow) -> str:
        """Return what its unit on an image is called in progress and problems."""
        parts = (self.info.name, self.task, image.name, "mirrored" if self.lesion == MIRRORED else "")
        return " · ".join(part for part in parts if part)


def extract(project: Project, settings: ExtractSettings, progress: Progress) -> Summary:
    """Describe every image with every chosen model under every chosen task.

    One unit is (image or mirrored image, model, task, method); units in the project are skipped, so running it again
    after a stop goes on where it ended.

    Raises
    ------
    GazeError
        If a model or task is unknown, or the project has no images or tasks.
    """
    infos = _chosen_models(settings.models)
    images = project.images.all()
    if not images:
        raise GazeError("The project has no images yet.", where=str(project.path), todo="Add images first.")
    tasks = _tasks(project, settings.tasks)
    sides = ("", MIRRORED) if settings.mirrored else ("",)
    plans = [_plan(info, task, side, settings) for info in infos for task in tasks for side in sides]
    tally = Tally(project, "extract", progress, len(images) * len(plans))
    for info in infos:
        own = [plan for plan in plans if plan.info.id == info.id]
        _extract_model(project, info, own, images, settings, tally)
        if tally.cancelled:
            break
    outside = _outside_domain(infos, images)
    return tally.summary(models=[info.id for info in infos], tasks=list(tasks), outside_training=outside)


def _extract_model(
    project: Project,
    info: ModelInfo,
    plans: list[_Plan],
    images: list[ImageRow],
    settings: ExtractSettings,
    tally: Tally,
) -> None:
    model: Model | None = None
    for image in images:
        missing = [plan for plan in plans if not plan.is_done(project, image)]
        for _ in range(len(plans) - len(missing)):
            tally.skip(f"{info.name} · {image.name}")
        if not missing:
            continue
        if tally.should_stop():
            return
        if model is None:
            model = load_model(info.id, settings.device)
            project.runs.put_model(info)
        pixels: ImageArray | None = None
        for plan in missing:
            if tally.should_stop():
                return
            with tally.unit(plan.name(image)):
                if pixels is None:
                    pixels, _ = read_picture(project.images.file(image))
                _extract_unit(project, model, plan, image, pixels, settings.words)


def _extract_unit(
    project: Project, model: Model, plan: _Plan, image: ImageRow, pixels: ImageArray, words: str
) -> None:
    started = time.perf_counter()
    shown = np.ascontiguousarray(pixels[:, ::-1]) if plan.lesion == MIRRORED else pixels
    caption = model.describe(shown, plan.task, plan.method)
    mean = caption.mean_map(words)
    seconds = time.perf_counter() - started
    with project.transaction():
        if plan.is_done(project, image):
            return  # another program was faster
        settings_id = project.settings.put("extract", plan.values)
        project.runs.put(image.id, plan.info.id, plan.task, caption, mean, settings_id, seconds, plan.lesion)


def _plan(info: ModelInfo, task: str, lesion: str, settings: ExtractSettings) -> _Plan:
    method = settings.method or info.default_method
    if method not in info.methods:
        raise GazeError(
            f"{info.name} has no map method '{method}'.", todo=f"It offers: {', '.join(info.methods)}."
        )
    values: Json = {
        "model": info.id,
        "revision": info.revision,
        "task": task,
        "model_task": info.task_for(task),
        "method": method,
        "words": settings.words,
    }
    # Only what differs from the plain case is said, so that plain runs keep the hash that they had.
    if lesion:
        values["lesion"] = lesion
    return _Plan(info, task, method, lesion, values, settings_hash("extract", values))


def _chosen_models(ids: tuple[str, ...]) -> list[ModelInfo]:
    known = {info.id: info for info in available_models()}
    unknown = [model for model in ids if model not in known]
    if unknown:
        todo = f"Those that can be run are: {', '.join(known)}."
        raise GazeError(f"There is no model called {', '.join(unknown)}.", todo=todo)
    return [known[model] for model in ids] if ids else list(known.values())


def _tasks(project: Project, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tasks to run: those asked for, else all of the project.

    A project without tasks takes the names as they are; one with tasks knows no others, so that a
    slip of the hand is told and not run.
    """
    known = tuple(project.tasks.all())
    if not known and not asked:
        raise GazeError(
            "The project has no task yet.",
            where=str(project.path),
            todo="Name one, for example with `gazeapp extract --task general`.",
        )
    tasks = tuple(project.tasks.resolve(name) for name in asked) or known
    for task in tasks:
        if known:
            project.tasks.id_of(task)
        else:
            project.tasks.add(task)
    return tasks


def _outside_domain(infos: list[ModelInfo], images: list[ImageRow]) -> Json:
    """Count the images that are outside what each model was trained on."""
    return {
        info.id: count
        for info in infos
        if info.domain and (count := sum(image.origin != info.domain for image in images))
    }
