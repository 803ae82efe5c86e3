"""A planned recording as rows of the project, and the offsets of an older import of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from gazeapp.engine.gaze.plan import ImportPlan, PlannedTrial
from gazeapp.engine.gaze.records import Eye, Why
from gazeapp.engine.project import Project, RecordingRow
from gazeapp.engine.project.gaze import FixationRow, NewTrial
from gazeapp.engine.types import IntArray

Shifts: TypeAlias = dict[tuple[str, str, str], tuple[float, float]]
"""Offset of a trial, image px, by its subject, label and image name."""

_STORED_TOGETHER = 20_000


def store_trials(project: Project, recording_id: int, plan: ImportPlan) -> None:
    """Store the trials and fixations of a planned recording."""
    used = (plan.why == Why.USED).astype(np.int64)
    ids = project.gaze.add_trials(recording_id, [_new_trial(trial, used) for trial in plan.trials])
    project.gaze.add_fixations(_rows(plan, ids))


def shifts_of(project: Project, recording: RecordingRow | None) -> Shifts:
    """Return the offsets that the user gave to trials of a recording."""
    if recording is None:
        return {}
    trials = project.gaze.trials(recording.id)
    return {(t.subject, t.label, t.image_name): t.shift for t in trials if t.shift != (0.0, 0.0)}


def put_back(project: Project, recording_id: int, shifts: Shifts) -> Mapping[int, tuple[float, float]]:
    """Return the offsets of an older import by the ids of the same trials of a new one."""
    if not shifts:
        return {}
    keys = {(t.subject, t.label, t.image_name): t.id for t in project.gaze.trials(recording_id)}
    return {keys[key]: shift for key, shift in shifts.items() if key in keys}


def _new_trial(planned: PlannedTrial, used: IntArray) -> NewTrial:
    trial, affine = planned.trial, planned.affine
    return NewTrial(
        subject=trial.subject,
        task=planned.task,
        image_id=planned.image_id,
        label=trial.label,
        image_name=planned.image_name,
        shown=None
        if affine is None
        else (affine.offset_x, affine.offset_y, affine.shown_width, affine.shown_height),
        placement=None if trial.placement is None else trial.placement.as_json(),
        eye=planned.eye.word,
        quality=planned.quality,
        n_fixations=planned.n_recorded,
        n_kept=int(used[planned.rows].sum()),
    )


def _rows(plan: ImportPlan, ids: Sequence[int]) -> Iterator[FixationRow]:
    """Yield the rows to store, turning columns into Python numbers a block of trials at a time."""
    table = plan.fixations
    eyes = np.array([eye.word for eye in Eye], dtype=object)
    reasons = np.array([reason.words for reason in Why], dtype=object)
    starts = np.array([trial.rows.start for trial in plan.trials], dtype=np.int64)
    sizes = np.array([trial.rows.stop - trial.rows.start for trial in plan.trials], dtype=np.int64)
    trial_ids = np.repeat(np.array(ids, dtype=np.int64), sizes)
    positions = np.arange(len(table)) - np.repeat(starts, sizes) + 1
    for start in range(0, len(table), _STORED_TOGETHER):
        part = slice(start, start + _STORED_TOGETHER)
        columns = (trial_ids, positions, table.index, table.x, table.y, table.start_ms, table.duration_ms)
        texts = (eyes[table.eye[part]], reasons[table.unusable[part]], reasons[plan.why[part]])
        for values in zip(*(column[part].tolist() for column in columns), *texts, strict=True):
            yield FixationRow(*values)
