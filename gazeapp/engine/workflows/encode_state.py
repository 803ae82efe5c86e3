"""Telling whether what was found of responses was made of the maps, fixations and regions that are in use now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gazeapp.engine.project import Project
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.encode_atlas import regions_state
from gazeapp.engine.workflows.score_state import gaze_states

_ENCODED = "predicted responses"
_BREAK = "\n"
"""Between the names of responses and of an atlas."""


def remember_encoded(project: Project, responses: str, atlas: str, tasks: Iterable[str]) -> None:
    """Store what the maps, fixations and regions of tasks were like when responses were predicted from them."""
    states, regions = _states(project), regions_state(project, atlas)
    before, key = _known(project), f"{responses}{_BREAK}{atlas}"
    told = {task: _with_regions(states[task], regions) for task in tasks if task in states}
    # Other tasks keep what they were made of.
    before[key] = {**before.get(key, {}), **told}
    project.settings.set_current(_ENCODED, before)


def is_remembered(project: Project, responses: str, atlas: str, task: str) -> bool:
    """Return whether it is known what the findings of a task were made of."""
    return task in _known(project).get(f"{responses}{_BREAK}{atlas}", {})


def outdated_encodings(project: Project) -> frozenset[tuple[str, str, str]]:
    """Return the (responses, atlas, task) whose findings are of other maps, fixations or regions than those in use."""
    known = _known(project)
    if not known:
        return frozenset()
    states = _states(project)
    found = set()
    for key, by_task in known.items():
        responses, atlas = key.split(_BREAK, 1)
        regions = regions_state(project, atlas)
        for task, state in by_task.items():
            if task not in states or state != _with_regions(states[task], regions):
                found.add((responses, atlas, task))
    return frozenset(found)


def _known(project: Project) -> Json:
    row = project.settings.current(_ENCODED)
    return {} if row is None else dict(row.values)


def _states(project: Project) -> dict[str, str]:
    gaze = gaze_states(project)
    maps: dict[str, list[object]] = {task: [] for task in gaze}
    for (task, model), ids in sorted(project.runs.numbers().items()):
        maps[task].append((model, ids))
    return {task: hashlib.sha256(repr((gaze[task], maps[task])).encode()).hexdigest()[:16] for task in gaze}


def _with_regions(state: str, regions: str) -> str:
    return f"{state} {regions}"
