"""How many lesions an experiment asks for, how many of them are there, and how long the rest will take."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import LesionKey, Project
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.workflows.extract_plan import Plan, what_to_run
from gazeapp.engine.workflows.lesion import VERB, LesionSettings, lesion_values
from gazeapp.engine.workflows.masks import distinct_masks

_RUNS_EACH = 2.0
"""A lesion is two passes of a model: what it says, and the intact words that it is made to say."""


@dataclass(frozen=True, slots=True)
class LesionCount:
    """What an experiment comes to.

    Parameters
    ----------
    asked, there
        Lesions that are asked for, and those of them that are there already. Controls that an image has
        no place for are among the first and never among the second.
    seconds
        Seconds that the rest takes if each lesion takes as long as this model's took before; None where one of the
        models has not run yet.
    """

    asked: int
    there: int
    seconds: float | None


def count_lesions(project: Project, settings: LesionSettings) -> LesionCount:
    """Return what an experiment with these settings comes to; nothing is stored.

    Raises
    ------
    GazeError
        If a setting makes no sense, or a model, task, image or mask is unknown.
    """
    settings = replace(settings, masks=distinct_masks(project, settings.masks))
    infos, images, _, plans = what_to_run(project, settings.intact)
    keys = {info.id: _keys(settings, info) for info in infos}
    ids = {image.id for image in images}
    asked = there = 0
    seconds: float | None = 0.0
    for plan in plans:
        own = len(keys[plan.info.id]) * len(ids)
        done = _n_there(project, plan, keys[plan.info.id], ids)
        asked, there = asked + own, there + done
        each = _seconds(project, plan.info.id)
        if each is None and own > done:
            seconds = None
        elif seconds is not None:
            seconds += (each or 0.0) * (own - done)
    return LesionCount(asked, there, seconds)


def _keys(settings: LesionSettings, info: ModelInfo) -> set[LesionKey]:
    design = settings.design(info)
    keys = {key for scope in design.scopes for mask in design.masks for key in design.keys(mask, scope)}
    return keys | {key for scope in design.scopes for key in design.nothing(scope)}


def _n_there(project: Project, plan: Plan, keys: set[LesionKey], images: set[int]) -> int:
    digest = settings_hash(VERB, lesion_values(plan))
    rows = project.db.execute(
        "SELECT DISTINCT r.image_id, l.mask, l.control, l.draw, l.scope, l.strength FROM lesion_runs l "
        "JOIN runs r ON r.id = l.run_id JOIN tasks t ON t.id = r.task_id "
        "WHERE r.model = ? AND t.name = ? AND r.method = ? AND l.settings_hash = ?",
        (plan.info.id, plan.task, plan.method, digest),
    )
    return sum(row[0] in images and LesionKey(*row[1:]) in keys for row in rows)


def _seconds(project: Project, model: str) -> float | None:
    """Return how long a lesion of a model takes, s: as its lesions took, else by its intact runs; None without any."""
    found = project.db.execute(
        "SELECT (SELECT avg(l.seconds) FROM lesion_runs l JOIN runs r ON r.id = l.run_id WHERE r.model = :model), "
        "(SELECT avg(seconds) FROM runs WHERE model = :model)",
        {"model": model},
    ).fetchone()
    if found[0] is not None:
        return float(found[0])
    return None if found[1] is None else _RUNS_EACH * float(found[1])
