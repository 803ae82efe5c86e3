"""The gallery: best and worst images, with everyone's map side by side on one colour scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gazeapp.engine.models.given import free_last, is_given
from gazeapp.engine.project import ImageRow, Project, RunRow, ScoreRow
from gazeapp.engine.reports import pictures
from gazeapp.engine.reports.content import Gallery, GalleryRow, ModelData, Picture, TaskScores
from gazeapp.engine.reports.dataset import TRUTH
from gazeapp.engine.reports.numbers import count
from gazeapp.engine.reports.scores import higher_is_better
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR
from gazeapp.engine.scoring.sources import shown_name
from gazeapp.engine.types import FloatArray, ImageArray

SIDE = 320
"""Longer side of a picture, px."""
PEOPLE = ""
"""Key of people's map; no model has an empty id."""


@dataclass(frozen=True)
class Choice:
    """An image chosen for the gallery of one task, and how it stands for the leading model."""

    image_id: int
    standing: str
    score: float


@dataclass(frozen=True)
class Plan:
    """What the gallery of one task will show: the leading model and its chosen images."""

    task: str
    model: ModelData
    method: str
    metric: str
    choices: tuple[Choice, ...]
    scores: dict[tuple[int, str], float]


def plan_galleries(
    tasks: Sequence[TaskScores],
    scores: Sequence[ScoreRow],
    models: Sequence[ModelData],
    metric: str,
    n_examples: int,
) -> tuple[Plan, ...]:
    """Choose the images of each task's gallery: best and worst of the model that scores highest.

    Parameters
    ----------
    tasks
        Score tables.
    scores
        Scores of one preset, without lesions.
    models
        Models of the project.
    metric
        The metric that images are ranked by.
    n_examples
        Images for each task: half of them the best ones, half the worst.
    """
    found = []
    for task in tasks:
        own = [
            row for row in scores if row.task == task.task and row.metric == metric and row.value is not None
        ]
        leader = _leader(own, models, metric)
        if leader is None or n_examples < 1:
            continue
        model, method = leader
        ranked = [
            (row.value, row.image_id)
            for row in own
            if (row.source, row.method) == (model.id, method) and row.value is not None
        ]
        ranked.sort(key=lambda pair: (-pair[0] if higher_is_better(metric) else pair[0], pair[1]))
        values = {
            (row.image_id, TRUTH if row.source_kind == TRUTH else row.source): row.value
            for row in free_last(own)
            if row.value is not None
        }
        found.append(Plan(task.task, model, method, metric, tuple(_choices(ranked, n_examples)), values))
    return tuple(found)


def gallery_row(project: Project, plan: Plan, choice: Choice, models: Sequence[ModelData]) -> GalleryRow:
    """Return the pictures of one chosen image.

    Raises
    ------
    GazeError
        If the image's file is missing or damaged.
    """
    image = project.images.get(choice.image_id)
    picture = pictures.thumbnail(project.images.file(image), SIDE)
    runs = _runs(project, plan, image, models)
    maps = _maps(project, plan.task, image, picture, runs)
    high = pictures.shared_scale(list(maps.values())) if maps else 1.0
    shown = [_photograph(project, plan.task, image, picture)]
    if PEOPLE in maps:
        pixels = pictures.overlay(picture, maps[PEOPLE], high)
        shown.append(_panel("People", PEOPLE_COLOUR, pixels, "human map", None))
    for model in sorted(models, key=lambda model: model.kind != TRUTH):
        if model.id in maps:
            pixels = pictures.overlay(picture, maps[model.id], high)
            shown.append(_model_panel(plan, image, model, pixels, runs[model.id]))
    return GalleryRow(image.name, choice.standing, choice.score, tuple(shown), high)


def gallery(plan: Plan, rows: Sequence[GalleryRow]) -> Gallery:
    """Return a finished gallery."""
    return Gallery(plan.task, shown_name(plan.model.name, plan.method), plan.metric, tuple(rows))


def _leader(
    rows: Sequence[ScoreRow], models: Sequence[ModelData], metric: str
) -> tuple[ModelData, str] | None:
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.source_kind == "model" and row.value is not None:
            values.setdefault((row.source, row.method), []).append(row.value)
    by_id = {model.id: model for model in models}
    own = [key for key in values if key[0] in by_id]
    # Maps along words of the model's own lead, where there are any.
    keys = [key for key in own if not is_given(key[1])] or own
    ranked = [(sum(values[key]) / len(values[key]), key) for key in keys]
    if not ranked:
        return None
    _, (source, method) = (max if higher_is_better(metric) else min)(ranked)
    return by_id[source], method


def _choices(ranked: list[tuple[float, int]], n_examples: int) -> Iterator[Choice]:
    n_best = min((n_examples + 1) // 2, (len(ranked) + 1) // 2)
    n_worst = min(n_examples - n_best, len(ranked) - n_best)
    for place, (value, image_id) in enumerate(ranked[:n_best], start=1):
        yield Choice(image_id, "Best" if place == 1 else f"Best, no. {place}", value)
    for place, (value, image_id) in enumerate(reversed(ranked[len(ranked) - n_worst :]), start=1):
        yield Choice(image_id, "Worst" if place == 1 else f"Worst, no. {place}", value)


def _runs(project: Project, plan: Plan, image: ImageRow, models: Sequence[ModelData]) -> dict[str, RunRow]:
    """Return one run for each model: by the leader's method where the model has it, else its newest free one."""
    found: dict[str, RunRow] = {}
    for model in models:
        own = project.runs.all(image_id=image.id, model=model.id, task=plan.task)
        if own:
            found[model.id] = next((run for run in own if run.method == plan.method), free_last(own)[-1])
    return found


def _maps(
    project: Project, task: str, image: ImageRow, picture: ImageArray, runs: dict[str, RunRow]
) -> dict[str, FloatArray]:
    """Return the maps at the picture's size, people's under ``PEOPLE``."""
    height, width = picture.shape[:2]
    found: dict[str, FloatArray] = {}
    human = project.maps.human(image.id, task)
    if human is not None:
        found[PEOPLE] = pictures.times_uniform(human.values, human.rect, image.rect, height, width)
    for model, run in runs.items():
        stored = project.maps.mean_of_run(run.id)
        found[model] = pictures.times_uniform(stored.values, stored.rect, image.rect, height, width)
    return found


def _photograph(project: Project, task: str, image: ImageRow, picture: ImageArray) -> Picture:
    table = project.gaze.fixations(image.id, task)
    if not len(table):
        return _panel("Image", REFERENCE_COLOUR, picture, "no fixations", None)
    pixels = pictures.with_fixations(picture, table.x, table.y, image.rect)
    people = count(len(set(table.subject)), "subject")
    return _panel("Image", REFERENCE_COLOUR, pixels, f"{count(len(table), 'fixation')} of {people}", None)


def _model_panel(plan: Plan, image: ImageRow, model: ModelData, pixels: ImageArray, run: RunRow) -> Picture:
    if model.kind == TRUTH:
        score = plan.scores.get((image.id, TRUTH))
        return _panel("Truth", model.colour, pixels, run.caption or "density behind the fixations", score)
    score = plan.scores.get((image.id, model.id))
    name = shown_name(model.name, run.method)
    return _panel(name, model.colour, pixels, run.caption, score, is_model=True)


def _panel(
    title: str, colour: str, pixels: ImageArray, caption: str, score: float | None, *, is_model: bool = False
) -> Picture:
    height, width = pixels.shape[:2]
    return Picture(title, colour, pictures.jpeg(pixels), width, height, caption, score, is_model)
