"""Taking a model's maps, or lesions, out of a project, with everything that was computed from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.project.project import Project

_REFER_TO_TASKS = (
    *("trials", "runs", "maps", "scores", "ceilings", "people_parts", "subject_scores", "measures"),
    *("summary", "findings"),
)


@dataclass(frozen=True)
class Removed:
    """How many rows of each kind are gone: maps without words, scores, measures, findings about the study."""

    maps: int
    scores: int
    measures: int
    findings: int


def remove_maps_of(
    project: Project, model: str, tasks: Collection[str], comparisons: Collection[str], kept: str
) -> Removed:
    """Remove the runs of a model under some tasks, with their words, maps, scores and measures.

    Findings compare the models of a task, so those of these tasks, and those over tasks, go with the first score
    or measure. What is left of the tasks' scores counts as made of other inputs: the numbers of new maps may
    be stored under the numbers of old ones.

    Parameters
    ----------
    project
        The project; call it within a transaction.
    model
        Id of the model, as in ``runs`` and in the sources of scores.
    tasks
        Names of the tasks.
    comparisons
        Verbs whose findings are about models.
    kept
        Analysis of these verbs that is about people alone.
    """
    key = {"model": model, "tasks": json.dumps([project.tasks.id_of(task) for task in tasks])}
    names = json.dumps(list(tasks))
    mine = "task_id IN (SELECT value FROM json_each(:tasks))"
    settings = [
        row[0]
        for row in project.db.execute(
            f"SELECT DISTINCT settings_id FROM runs WHERE model = :model AND {mine}", key
        )
    ]
    n_maps = project.db.execute(f"DELETE FROM runs WHERE model = :model AND {mine}", key).rowcount
    if not n_maps:
        return Removed(0, 0, 0, 0)
    for settings_id in settings:
        project.db.execute(
            "DELETE FROM settings WHERE id = :id AND NOT EXISTS (SELECT 1 FROM runs WHERE settings_id = :id) "
            "AND NOT EXISTS (SELECT 1 FROM maps WHERE settings_id = :id) "
            "AND NOT EXISTS (SELECT 1 FROM current WHERE settings_id = :id)",
            {"id": settings_id},
        )
    source = "source_kind IN ('model', 'truth') AND source = :model"
    n_scores = project.db.execute(f"DELETE FROM scores WHERE {source} AND {mine}", key).rowcount
    project.db.execute(f"DELETE FROM summary WHERE {source} AND {mine}", key)
    n_measures = project.db.execute(
        f"DELETE FROM measures WHERE {source} AND ({mine} OR against IN (SELECT value FROM json_each(:names)))",
        {**key, "names": names},
    ).rowcount
    # Whose maps are left still says what it said; that the study has changed is noticed by its numbers of runs.
    project.db.execute(
        f"DELETE FROM neural_findings WHERE {mine} AND ((kind IN ('model', 'truth') AND source = :model) "
        "OR against = :model)",
        key,
    )
    project.db.execute(
        f"DELETE FROM encodings WHERE {mine} AND kind IN ('model', 'truth') AND source = :model", key
    )
    n_findings = 0
    if n_scores or n_measures:
        n_findings = project.db.execute(
            f"DELETE FROM findings WHERE ({mine} OR task_id IS NULL) AND analysis <> :kept AND settings_id IN "
            "(SELECT id FROM settings WHERE verb IN (SELECT value FROM json_each(:verbs)))",
            {**key, "kept": kept, "verbs": json.dumps(list(comparisons))},
        ).rowcount
    project.db.execute(f"UPDATE scores SET inputs_hash = '' WHERE {mine}", key)
    for table in ("people_parts", "subject_scores"):
        _remove_columns(project, table, key)
    return Removed(n_maps, n_scores, n_measures, n_findings)


def remove_lesions_of(
    project: Project,
    masks: Collection[str],
    models: Collection[str],
    tasks: Collection[str],
    images: Collection[int],
) -> dict[str, int]:
    """Remove lesions with their controls and scores, and return how many by mask.

    Those that take nothing away, counted under an empty name, go as well where nothing else is left of their intact
    run.

    Parameters
    ----------
    project
        The project; call it within a transaction.
    masks, models, tasks, images
        Names of masks, ids of models, names of tasks and ids of images that all have to agree; empty means any.
    """
    chosen = {
        name: json.dumps(list(several)) if several else None
        for name, several in (("masks", masks), ("models", models), ("tasks", tasks), ("images", images))
    }
    rows = project.db.execute(
        "SELECT l.id, l.run_id, CASE l.control WHEN 'none' THEN '' ELSE l.mask END AS own FROM lesion_runs l "
        "JOIN runs r ON r.id = l.run_id JOIN tasks t ON t.id = r.task_id "
        "WHERE (:masks IS NULL OR own IN (SELECT value FROM json_each(:masks))) "
        "AND (:models IS NULL OR r.model IN (SELECT value FROM json_each(:models))) "
        "AND (:tasks IS NULL OR t.name IN (SELECT value FROM json_each(:tasks))) "
        "AND (:images IS NULL OR r.image_id IN (SELECT value FROM json_each(:images))) ORDER BY l.id",
        chosen,
    ).fetchall()
    for row in rows:
        project.db.execute("DELETE FROM lesion_runs WHERE id = ?", (row[0],))
    removed = Counter(row[2] for row in rows)
    for run_id in {row[1] for row in rows}:
        alone = project.db.execute(
            "DELETE FROM lesion_runs WHERE run_id = :run AND control = 'none' AND NOT EXISTS "
            "(SELECT 1 FROM lesion_runs WHERE run_id = :run AND control <> 'none')",
            {"run": run_id},
        ).rowcount
        removed += Counter({"": alone})
    return dict(removed)


def remove_unused_settings(project: Project, verb: str) -> None:
    """Remove the settings of a verb that nothing about lesions refers to any more."""
    project.db.execute(
        "DELETE FROM settings WHERE verb = ? AND id NOT IN (SELECT settings_id FROM lesion_runs "
        "UNION SELECT settings_id FROM findings UNION SELECT settings_id FROM current)",
        (verb,),
    )


def remove_model_without_maps(project: Project, model: str) -> bool:
    """Remove a model that has no run left, and return whether it had none."""
    return (
        project.db.execute(
            "DELETE FROM models WHERE id = :model AND NOT EXISTS (SELECT 1 FROM runs WHERE model = :model)",
            {"model": model},
        ).rowcount
        > 0
    )


def remove_unused_task(project: Project, task: str) -> bool:
    """Remove a task that nothing refers to, unless it is the only one; return whether it went."""
    key = {"id": project.tasks.id_of(task), "name": task}
    used = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE task_id = :id)" for table in _REFER_TO_TASKS)
    return (
        project.db.execute(
            f"DELETE FROM tasks WHERE id = :id AND (SELECT count(*) FROM tasks) > 1 AND NOT ({used} "
            "OR EXISTS (SELECT 1 FROM recordings WHERE task = :name))",
            key,
        ).rowcount
        > 0
    )


def _remove_columns(project: Project, table: str, key: dict[str, str]) -> None:
    """Take a model's numbers out of the numbers that are stored by person."""
    rows = project.db.execute(
        f"SELECT image_id, task_id, settings_hash FROM {table} "
        "WHERE task_id IN (SELECT value FROM json_each(:tasks))",
        key,
    ).fetchall()
    where = "image_id = ? AND task_id = ? AND settings_hash = ?"
    for row in rows:
        keys, data = project.db.execute(f"SELECT columns, data FROM {table} WHERE {where}", row).fetchone()
        columns = json.loads(keys)
        kept = [k for k, column in enumerate(columns) if not _is_of(column, key["model"])]
        if not kept:
            project.db.execute(f"DELETE FROM {table} WHERE {where}", row)
        elif len(kept) < len(columns):
            values = np.frombuffer(data, dtype="<f4").reshape(len(columns), -1)[kept]
            project.db.execute(
                f"UPDATE {table} SET columns = ?, data = ? WHERE {where}",
                (json.dumps([columns[k] for k in kept]), values.tobytes(), *row),
            )


def _is_of(column: list[str], model: str) -> bool:
    return column[0] in ("model", "truth") and column[1] == model
