"""Try models on one image: how long, how much memory, how much room in the project file. Nothing is stored."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.models.base import Caption, ModelInfo
from gazeapp.engine.models.batches import BatchModel, Request
from gazeapp.engine.models.environment import forget_peak_memory, peak_memory
from gazeapp.engine.models.named import close_model
from gazeapp.engine.models.vlm.loading.plan import Wishes
from gazeapp.engine.models.vlm.opening import VLM, plan_for
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.types import ImageArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally, WorkClock
from gazeapp.engine.workflows.extract_plan import ExtractSettings, Plan, load_for, options_for, what_to_run

_SQLITE = 1.15
"""What rows and indices add to the bytes of maps."""


def trial(project: Project, settings: ExtractSettings, progress: Progress) -> Summary:
    """Describe one image with each model, and estimate what the whole extraction takes.

    The image is the middle one of those that are missing, by their number of pixels.

    Returns
    -------
    Summary
        ``details["models"]`` has for each model: ``model``, ``image`` (its name), ``units`` (still missing), ``there``
        (already in the project), ``load_seconds``, ``seconds_per_image``, ``estimate_seconds``, ``peak_memory_mb``,
        ``bytes_per_run``, ``estimate_bytes``, ``caption`` and ``plan`` (how it was loaded, as sentences).

    Raises
    ------
    GazeError
        If a model or task is unknown, or the project has no images or tasks.
    """
    infos, images, _, plans = what_to_run(project, settings)
    tally = Tally(project, "trial", progress, len(infos), store=False)
    found: list[Json] = []
    for info in infos:
        own = [plan for plan in plans if plan.info.id == info.id]
        asked = [(plan, image) for plan in own for image in images if plan.is_for(image)]
        units = [(plan, image) for plan, image in asked if not plan.is_done(project, image)]
        if not units:
            tally.skip(info.name)
            continue
        if tally.should_stop():
            break
        try:
            with tally.unit(info.name):
                tried = _try_model(project, info, units, settings, progress)
                found.append({**tried, "there": len(asked) - len(units)})
        except StoppedError:
            tally.should_stop()
            break
    return tally.summary(models=found)


def _try_model(
    project: Project,
    info: ModelInfo,
    units: list[tuple[Plan, ImageRow]],
    settings: ExtractSettings,
    progress: Progress,
) -> Json:
    plan, image = sorted(units, key=lambda unit: unit[1].width * unit[1].height)[len(units) // 2]
    sentences: tuple[str, ...] = ()
    if info.kind == VLM:
        sentences = plan_for(info, Wishes(settings.device, settings.dtype, settings.four_bit))[1].sentences
    progress.report(0, 0, f"loading {info.name}")
    started = time.perf_counter()
    model = load_for(project, info, settings)
    loaded = time.perf_counter()
    try:
        pixels, _ = read_picture(project.images.file(image))
        forget_peak_memory()
        progress.report(0, 0, f"{info.name} describes {image.name}")
        # The first description also sets things up once (kernels, buffers): the second is what each image takes.
        seconds = float("inf")
        for _ in range(2):
            clock = WorkClock(progress)
            options = options_for(plan, image, settings, clock.should_stop)
            caption = model.describe(pixels, plan.task, plan.method, options)
            seconds = min(seconds, clock.seconds)
        if isinstance(model, BatchModel):
            own = [one for one, of in units if of is image]
            seconds = _seconds_in_batch(model, pixels, own, WorkClock(progress))
        peak = peak_memory()
    finally:
        close_model(model)
    size = _bytes_of(caption)
    return {
        "model": info.id,
        "image": image.name,
        "units": len(units),
        "load_seconds": round(loaded - started, 2),
        "seconds_per_image": round(seconds, 3),
        "estimate_seconds": round(seconds * len(units) + loaded - started, 1),
        "peak_memory_mb": round(peak / 1e6),
        "bytes_per_run": size,
        "estimate_bytes": size * len(units),
        "caption": caption.text,
        "plan": list(sentences),
    }


def _seconds_in_batch(model: BatchModel, pixels: ImageArray, plans: list[Plan], clock: WorkClock) -> float:
    """Return the seconds of a description among as many as extraction asks for at once.

    The pictures are the image moved by a few pixels, so that what the model sees is new to it each time.
    """
    fitted = model.fit(pixels)
    requests = [
        Request(replace(fitted, picture=np.roll(fitted.picture, k, axis=1)), plan.task, plan.method)
        for k in range(1, model.batch + 1)
        for plan in plans
    ]
    begun = clock.seconds
    model.describe_many(requests)
    return (clock.seconds - begun) / len(requests)


def _bytes_of(caption: Caption) -> int:
    """Return about how many bytes a caption takes in the project file."""
    cells = caption.maps[0].size if len(caption.words) else 0
    size = 2 * cells * (len(caption.words) + 1) + 200 * len(caption.words)
    if caption.detail is not None:
        size += caption.detail.image_mass.nbytes
        size += caption.detail.maps.nbytes if caption.detail.maps is not None else 0
    return round(size * _SQLITE)
