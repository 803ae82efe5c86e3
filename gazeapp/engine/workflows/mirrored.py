"""Which run on the mirrored image belongs to a run on the image itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gazeapp.engine.models.given import free
from gazeapp.engine.project import Project, RunRow
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.types import Json

_OF_THE_FILE = ("lesion", "file_sha256", "values_sha256")
"""Settings in which a run on the mirrored image differs from its twin."""


def mirrored_runs(
    project: Project, runs: Mapping[int, Sequence[RunRow]]
) -> tuple[dict[int, list[RunRow]], int]:
    """Return the runs on the mirrored images that were made as those on the images, and how many others there are.

    A difference of two maps says something about the picture only where nothing but the picture differs: so the
    model and its weights, the task, the method and the words are the same.

    Parameters
    ----------
    project
        The project.
    runs
        Runs on the images themselves, by image id. Of several under one model and task the last counts, whose map
        is the one that is measured.

    Returns
    -------
    tuple
        Runs on the mirrored image by image id, at most one for each (model, task); and the number of runs on
        mirrored images that belong to no run.
    """
    made: dict[int, tuple[str, str]] = {}

    def how(run: RunRow) -> tuple[str, str]:
        if run.settings_id not in made:
            row = project.settings.get(run.settings_id)
            made[run.settings_id] = row.verb, repr(_shared(row.values))
        return made[run.settings_id]

    twins: dict[int, list[RunRow]] = {}
    left_out = 0
    measured = {image_id: {(run.model, run.task): run for run in own} for image_id, own in runs.items()}
    for run in free(project.runs.all(lesion=MIRRORED)):
        own = measured.get(run.image_id, {}).get((run.model, run.task))
        if own is not None and own.method == run.method and how(own) == how(run):
            twins.setdefault(run.image_id, []).append(run)
        else:
            left_out += 1
    return twins, left_out


def _shared(values: Json) -> list[tuple[str, object]]:
    return sorted((name, value) for name, value in values.items() if name not in _OF_THE_FILE)
