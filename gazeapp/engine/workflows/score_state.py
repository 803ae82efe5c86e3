"""Telling whether scores were made of the fixations and maps that are in use now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from gazeapp.engine.project import ProblemRow, Project
from gazeapp.engine.project.gaze import GEOMETRY
from gazeapp.engine.project.gaze_rules import choices_of
from gazeapp.engine.types import Json

_SCORED = "scored gaze"
_MAPS = " maps "
_OLDER = "older scores"


def gaze_states(project: Project) -> dict[str, str]:
    """Return a hash of what the fixations in use and their human maps follow from, for each task.

    Positions as read never change while their recording is there, so recordings, the trials' places and
    offsets, and the choices tell everything; no fixation is read. Distances count for a blur in degrees only.
    """
    choices = choices_of(project)
    shared: list[object] = [choices.as_json()]
    if choices.sigma_unit == "deg":
        default = project.settings.current(GEOMETRY)
        shared.append(None if default is None else default.values)
    geometry = "geometry" if choices.sigma_unit == "deg" else "''"
    recordings = project.db.execute(
        f"SELECT id, sha256, settings_id, created, {geometry} FROM recordings ORDER BY id"
    ).fetchall()
    start = json.dumps([*shared, recordings]).encode()
    states = {task: hashlib.sha256(start) for task in project.tasks.all()}
    for task, *rest in project.db.execute(
        "SELECT t.name, r.id, r.subject_id, r.image_id, r.offset_x, r.offset_y, r.shown_width, r.shown_height, "
        "r.shift_x, r.shift_y, r.n_kept FROM trials r JOIN tasks t ON t.id = r.task_id "
        "WHERE r.image_id IS NOT NULL AND r.n_kept > 0 ORDER BY r.id"
    ):
        states[task].update(repr(rest).encode())
    return {task: digest.hexdigest()[:16] for task, digest in states.items()}


def score_states(project: Project) -> dict[str, str]:
    """Return what the scores of each task follow from: a hash of its gaze, and one of each model's maps in use."""
    maps: dict[str, dict[str, str]] = {task: {} for task in project.tasks.all()}
    for (task, model), ids in sorted(project.runs.numbers().items()):
        maps[task][model] = hashlib.sha256(repr(ids).encode()).hexdigest()[:16]
    gaze = gaze_states(project)
    return {task: f"{gaze[task]}{_MAPS}{json.dumps(of_task)}" for task, of_task in maps.items()}


def remember_scored(project: Project, preset: str, states: Mapping[str, str]) -> None:
    """Store that tasks were scored under a preset when their gaze and maps had these states."""
    name = f"{_SCORED} {preset}"
    before = project.settings.current(name)
    known: Json = {} if before is None else before.values
    project.settings.set_current(name, {**known, **states})


def assume_scored(project: Project) -> None:
    """Take scores of which nothing is known for ones of the gaze as it is now, before it is changed.

    Whatever they were made of, they are older than what comes.
    """
    for preset, tasks in _scored_tasks(project).items():
        if project.settings.current(f"{_SCORED} {preset}") is None:
            states = gaze_states(project)
            remember_scored(project, preset, {task: states[task] for task in tasks})


def outdated_scores(project: Project) -> frozenset[tuple[str, str]]:
    """Return the (task, preset) whose scores were made of other fixations or maps than those in use now.

    Of scores that an earlier version of gazeapp made, nothing is known until a verb changes the gaze, and nothing of
    their maps. Models that were run since and were never scored make no score older.
    """
    known, now = _known_states(project), {}
    if known:
        now = score_states(project)
    return frozenset(
        (task, preset)
        for preset, states in known.items()
        for task, state in states.items()
        if _gaze_of(state) != _gaze_of(now.get(task, "")) or _changed_models(state, now.get(task, ""))
    )


def outdated_models(project: Project) -> frozenset[tuple[str, str, str]]:
    """Return the (task, preset, model) whose scores were made of other maps than those in use now."""
    known, now = _known_states(project), {}
    if known:
        now = score_states(project)
    return frozenset(
        (task, preset, model)
        for preset, states in known.items()
        for task, state in states.items()
        for model in _changed_models(state, now.get(task, ""))
    )


def _known_states(project: Project) -> dict[str, Json]:
    scored = {preset: project.settings.current(f"{_SCORED} {preset}") for preset in _scored_tasks(project)}
    return {preset: row.values for preset, row in scored.items() if row is not None}


def _gaze_of(state: str) -> str:
    return state.partition(_MAPS)[0]


def _changed_models(before: str, now: str) -> list[str]:
    """Return the models of an earlier state whose maps are others now, or gone."""
    old, new = (json.loads(state.partition(_MAPS)[2] or "{}") for state in (before, now))
    return [model for model, maps in old.items() if new.get(model) != maps]


def tell_outdated(project: Project) -> list[ProblemRow]:
    """Bring the problems about scores that are older than what they were made of up to date, and return them."""
    if not project.read_only:
        project.problems.clear(_OLDER)
    told = []
    for task, preset in sorted(outdated_scores(project)):
        what = (
            f"The scores of the task {task} under the preset {preset} are older than its maps or fixations: they were "
            "made before models were run again, or before recordings or choices changed."
        )
        todo = "Run gazeapp score again before you use them."
        if project.read_only:
            told.append(ProblemRow(0, _OLDER, task, what, todo, ""))
        else:
            told.append(project.problems.add(_OLDER, task, what, todo))
    return told


def _scored_tasks(project: Project) -> dict[str, list[str]]:
    """Return the tasks with scores, by preset."""
    found: dict[str, list[str]] = {}
    for preset, task in project.db.execute(
        "SELECT DISTINCT s.preset, t.name FROM summary s JOIN tasks t ON t.id = s.task_id"
    ):
        found.setdefault(preset, []).append(task)
    return found
