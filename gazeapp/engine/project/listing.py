"""Whole tables read in one pass, for reports and exports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gazeapp.engine.project.gaze import X_IMAGE, Y_IMAGE
from gazeapp.engine.project.project import Project
from gazeapp.engine.project.rows import MIRRORED, RunRow

NO_IMAGE = "no matching image"
"""Why a fixation that was read well is not used: its trial's image is not in the project."""


@dataclass(frozen=True, slots=True)
class FixationRow:
    """One fixation, kept or not.

    ``x``, ``y`` are image px (None without an image), with the trial's ``shift_x``, ``shift_y`` added; those
    of a kept fixation beyond the image's edge are on its last pixel, as in scores. ``x_recorded``,
    ``y_recorded`` are as read; ``unusable`` is what the file says against it, ``why`` why it is not kept,
    both empty for nothing.
    """

    recording_id: int
    trial_id: int
    subject: str
    image: str
    task: str
    index: int
    x: float | None
    y: float | None
    x_recorded: float | None
    y_recorded: float | None
    start_ms: float | None
    duration_ms: float | None
    eye: str
    why: str
    unusable: str
    shift_x: float
    shift_y: float


@dataclass(frozen=True, slots=True)
class WordRow:
    """One word of a run."""

    run_id: int
    position: int
    text: str
    is_content: bool
    log_probability: float
    image_mass: float


def fixations(project: Project) -> Iterator[FixationRow]:
    """Yield every fixation of the project, dropped ones too, by recording, trial and position.

    Averages of both eyes are among them where they are the eye in use, as everywhere.
    """
    rows = project.db.execute(
        f"SELECT r.recording_id, r.id, s.name, coalesce(i.name, r.image_name), coalesce(t.name, ''), f.number, "
        f"CASE WHEN i.id IS NULL THEN NULL ELSE {X_IMAGE} END, CASE WHEN i.id IS NULL THEN NULL ELSE {Y_IMAGE} END, "
        "f.x, f.y, f.start_ms, f.duration_ms, f.eye, "
        "CASE WHEN f.dropped = '' AND i.id IS NULL THEN ? ELSE f.dropped END, f.unusable, r.shift_x, r.shift_y, "
        "i.width, i.height FROM fixations f JOIN trials r ON r.id = f.trial_id JOIN subjects s ON s.id = r.subject_id "
        "LEFT JOIN tasks t ON t.id = r.task_id LEFT JOIN images i ON i.id = r.image_id "
        "WHERE NOT (f.eye = 'average' AND f.dropped = 'other eye') ORDER BY r.recording_id, r.id, f.position",
        (NO_IMAGE,),
    )
    for *columns, width, height in rows:
        row = FixationRow(*columns)
        if row.x is None or row.y is None or row.why:
            yield row
        else:
            yield replace(row, x=_on_image(row.x, width), y=_on_image(row.y, height))


def _on_image(value: float, size: int) -> float:
    return min(max(value, 0.0), math.nextafter(size, 0.0))


def dropped(project: Project) -> dict[int, dict[str, int]]:
    """Return how many fixations of each recording are not used, by reason."""
    rows = project.db.execute(
        "SELECT r.recording_id, CASE WHEN f.dropped = '' THEN ? ELSE f.dropped END AS why, count(*) "
        "FROM fixations f JOIN trials r ON r.id = f.trial_id "
        "WHERE (f.dropped != '' OR r.image_id IS NULL) AND NOT (f.eye = 'average' AND f.dropped = 'other eye') "
        "GROUP BY r.recording_id, why ORDER BY r.recording_id, why",
        (NO_IMAGE,),
    )
    found: dict[int, dict[str, int]] = {}
    for recording, why, n in rows:
        found.setdefault(recording, {})[why] = n
    return found


def any_used_from_screen(project: Project) -> bool:
    """Return whether any used fixation was recorded in screen px and brought to its image."""
    found = project.db.execute(
        "SELECT 1 FROM trials r JOIN fixations f ON f.trial_id = r.id "
        "WHERE r.image_id IS NOT NULL AND r.shown_width IS NOT NULL AND f.dropped = '' LIMIT 1"
    )
    return found.fetchone() is not None


class TrialQualityRow(NamedTuple):
    """What is known of the quality of one trial; ``quality`` is JSON as it is stored."""

    trial_id: int
    recording_id: int
    subject_id: int
    image_id: int | None
    task_id: int | None
    image_name: str
    eye: str
    shift_x: float
    shift_y: float
    n_fixations: int
    n_kept: int
    quality: str


def trial_qualities(project: Project, at_once: int = 2000) -> Iterator[list[TrialQualityRow]]:
    """Yield the quality of every trial, by recording and trial, some rows at a time.

    ``n_kept`` is 0 where the project does not hold the image.
    """
    rows = project.db.execute(
        "SELECT id, recording_id, subject_id, image_id, task_id, image_name, eye, shift_x, shift_y, n_fixations, "
        "CASE WHEN image_id IS NULL THEN 0 ELSE n_kept END, quality FROM trials ORDER BY recording_id, id"
    )
    while some := rows.fetchmany(at_once):
        yield [TrialQualityRow(*row) for row in some]


class ScanpathPoint(NamedTuple):
    """One fixation as it was recorded, of whatever eye, used or not."""

    trial_id: int
    x: float | None
    y: float | None
    duration_ms: float | None
    eye: str


def scanpaths(project: Project, trial_ids: Sequence[int], at_once: int = 500) -> Iterator[ScanpathPoint]:
    """Yield the fixations of some trials as recorded, in the order of ``trial_ids``, which ascends."""
    for start in range(0, len(trial_ids), at_once):
        some = trial_ids[start : start + at_once]
        rows = project.db.execute(
            "SELECT trial_id, x, y, duration_ms, eye FROM fixations "
            f"WHERE trial_id IN ({','.join('?' * len(some))}) ORDER BY trial_id, position",
            tuple(some),
        )
        yield from map(ScanpathPoint._make, rows)


def words(project: Project) -> Iterator[WordRow]:
    """Yield the words of every run, by run and position."""
    rows = project.db.execute(
        "SELECT run_id, position, text, is_content, log_probability, image_mass FROM words ORDER BY run_id, position"
    )
    for run_id, position, text, is_content, log_probability, mass in rows:
        yield WordRow(run_id, position, text, bool(is_content), log_probability, mass)


def every_run(project: Project) -> list[RunRow]:
    """Return the newest runs on the images under any lesion or none, then those on the mirrored images."""
    return [*project.runs.all(lesion=None), *project.runs.all(lesion=MIRRORED)]


@dataclass(frozen=True, slots=True)
class HumanMapRow:
    """Which image and task a human map belongs to, and the settings that made it."""

    image_id: int
    task: str
    task_id: int
    settings_id: int


def human_maps(project: Project) -> list[HumanMapRow]:
    """Return which human maps are in the project, by image name and task."""
    rows = project.db.execute(
        "SELECT m.image_id, t.name, t.id, m.settings_id FROM maps m JOIN tasks t ON t.id = m.task_id "
        "JOIN images i ON i.id = m.image_id WHERE m.kind = 'human' ORDER BY i.name, t.id"
    )
    return [HumanMapRow(*row) for row in rows]
