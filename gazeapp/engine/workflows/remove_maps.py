"""Take the maps of a model out of a project."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import ModelRow, Project
from gazeapp.engine.project.removal import remove_maps_of, remove_model_without_maps, remove_unused_task
from gazeapp.engine.reports.numbers import listed
from gazeapp.engine.scoring.findings import OBSERVERS
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.import_maps import VERB as IMPORT
from gazeapp.engine.workflows.import_maps import task_unit
from gazeapp.engine.workflows.measure import VERB as MEASURE
from gazeapp.engine.workflows.measure import forget_measured
from gazeapp.engine.workflows.score_summary import VERB as SCORE

VERB = "remove maps"


@dataclass(frozen=True)
class RemoveMapsSettings:
    """Whose maps to take out.

    Parameters
    ----------
    model
        Id of the model, or its name.
    task
        Task whose maps go; empty means all.
    """

    model: str
    task: str = ""


def remove_maps(project: Project, settings: RemoveMapsSettings, progress: Progress) -> Summary:
    """Remove a model's maps and captions, and the scores and measures of them, in one transaction.

    Comparisons between the models of these tasks are removed as well, until the study is scored again; the scores
    of other models stay. A model without a map left goes, and so does a task that nothing refers to, if there
    are others. One unit is a map.

    Returns
    -------
    Summary
        ``details`` has the ``model`` (its id), its ``tasks``, the numbers of removed ``maps``, ``scores``,
        ``measures`` and ``findings``, ``model_removed``, ``tasks_removed``, and all of it in words, ``said``.

    Raises
    ------
    GazeError
        If there is no such model or task, or the model has no maps under the task.
    """
    model = _model(project, settings.model)
    tasks = _tasks(project, model, settings.task)
    tally = Tally(project, VERB, progress, 0)
    with project.transaction():
        removed = remove_maps_of(project, model.id, tasks, (SCORE, MEASURE), OBSERVERS)
        forget_measured(project)
        model_gone = remove_model_without_maps(project, model.id)
        tasks_gone = [task for task in tasks if remove_unused_task(project, task)]
        for task in tasks_gone:
            project.problems.clear(IMPORT, task_unit(task))
    tally.done = removed.maps
    said = [f"{_count(removed.maps, 'map')} of {model.name} removed{_under(tasks)}"]
    if removed.scores or removed.measures:
        said.append(
            f"with {_count(removed.scores, 'score')} and {_count(removed.measures, 'measure')}. Comparisons between "
            "models are removed, too: score the study again"
        )
    text = f"{', '.join(said)}."
    if model_gone:
        text += " The model is no longer in the project."
    if tasks_gone:
        text += (
            f" Nothing else belonged to {listed([repr(task) for task in tasks_gone])}: "
            f"the {'task is' if len(tasks_gone) == 1 else 'tasks are'} removed."
        )
    return tally.summary(
        model=model.id,
        tasks=tasks,
        maps=removed.maps,
        scores=removed.scores,
        measures=removed.measures,
        findings=removed.findings,
        model_removed=model_gone,
        tasks_removed=tasks_gone,
        said=text,
    )


def _model(project: Project, word: str) -> ModelRow:
    models = project.runs.models()
    found = next((model for model in models if model.id == word), None)
    found = found or next((model for model in models if model.name == word), None)
    if found is None:
        known = listed([model.id for model in models]) if models else "none yet"
        raise GazeError(f"The project has no model '{word}'.", todo=f"Its models are: {known}.")
    return found


def _tasks(project: Project, model: ModelRow, task: str) -> list[str]:
    """Return the tasks that the model's maps are taken out of."""
    tasks = [
        row[0]
        for row in project.db.execute(
            "SELECT DISTINCT t.name FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.model = ? ORDER BY t.id",
            (model.id,),
        )
    ]
    if not task:
        return tasks
    project.tasks.id_of(task)
    if task not in tasks:
        raise GazeError(
            f"{model.name} has no maps under the task '{task}'.",
            todo=f"It has maps under: {listed(tasks) if tasks else 'no task'}.",
        )
    return [task]


def _under(tasks: list[str]) -> str:
    return f" under {listed([repr(task) for task in tasks])}" if tasks else ""


def _count(n: int, one: str) -> str:
    return f"{n} {one if n == 1 else one + 's'}"
