"""Telling whether what was found of responses was made of the maps and fixations that are in use now."""

from __future__ import annotations

import hashlib

from gazeapp.engine.project import Project
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.score_state import gaze_states

_ENCODED = "predicted responses"


def remember_encoded(project: Project, responses: str, atlas: str, tasks: tuple[str, ...]) -> None:
    """Store what the maps and fixations of tasks were like when responses were predicted from them."""
    states = _states(project)
    before = _known(project)
    before[f"{responses}\n{atlas}"] = {task: states[task] for task in tasks if task in states}
    project.settings.set_current(_ENCODED, before)


def outdated_encodings(project: Project) -> frozenset[tuple[str, str, str]]:
    """Return the (responses, atlas, task) whose findings are of other maps or fixations than those in use."""
    known = _known(project)
    if not known:
        return frozenset()
    states = _states(project)
    return frozenset(
        (*key.split("\n", 1), task)
        for key, by_task in known.items()
        for task, state in by_task.items()
        if states.get(task) != state
    )


def _known(project: Project) -> Json:
    row = project.settings.current(_ENCODED)
    return {} if row is None else dict(row.values)


def _states(project: Project) -> dict[str, str]:
    gaze = gaze_states(project)
    maps: dict[str, list[object]] = {task: [] for task in gaze}
    for (task, model), ids in sorted(project.runs.numbers().items()):
        maps[task].append((model, ids))
    return {task: hashlib.sha256(repr((gaze[task], maps[task])).encode()).hexdigest()[:16] for task in gaze}
