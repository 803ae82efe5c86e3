"""Changes of choices, geometry and offsets as steps that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry
from gazeapp.engine.workflows.base import Progress, Summary
from gazeapp.engine.workflows.marking import (
    GeometrySettings,
    ShiftSettings,
    change_geometry,
    choose_fixations,
    shift_trials,
)
from gazeapp.ui.history import Step

Shifts = Mapping[int, tuple[float, float]]
"""Image px by trial id."""
Said = Mapping[int | None, Geometry]
"""What is said of a recording, by its id; under None the project's default."""
_Files = frozenset[tuple[Any, ...]]


def choose_step(choices: GazeChoices) -> Step:
    """Return the step that makes ``choices`` those of the project."""

    def do(project: Project, progress: Progress) -> tuple[Summary, GazeChoices]:
        before = choices_of(project)
        return choose_fixations(project, choices, progress), before

    return Step("choosing fixations", do, choose_fixations)


def shift_step(text: str, find: Callable[[Project], Shifts]) -> Step:
    """Return the step that gives trials the shifts that ``find`` returns."""

    def do(project: Project, progress: Progress) -> tuple[Summary, tuple[_Files, Shifts]]:
        summary = shift_trials(project, ShiftSettings(find(project)), progress)
        before = {trial_id: (x, y) for trial_id, (x, y) in summary.details["before"].items()}
        return summary, (_files_of_trials(project, before), before)

    def restore(project: Project, before: tuple[_Files, Shifts], progress: Progress) -> Summary:
        files, shifts = before
        _check(files == _files_of_trials(project, shifts))
        return shift_trials(project, ShiftSettings(shifts), progress)

    return Step(text, do, restore)


def geometry_step(said: Said) -> Step:
    """Return the step that says something else of recordings, of the project's default, or of both."""

    def do(project: Project, progress: Progress) -> tuple[Summary, tuple[_Files, Said]]:
        before: dict[int | None, Geometry] = {
            row.id: Geometry.of(row.geometry) for row in project.gaze.recordings() if row.id in said
        }
        if None in said:
            before[None] = default_geometry(project)
        return _say(project, said, progress), (_files(project, said), before)

    def restore(project: Project, before: tuple[_Files, Said], progress: Progress) -> Summary:
        files, earlier = before
        _check(files == _files(project, earlier))
        return _say(project, earlier, progress)

    return Step("changing screen and distance", do, restore)


def offset_of_recording(project: Project, trial_id: int) -> Shifts:
    """Return the shifts that put all trials of a recording as far off on the screen as one of them is."""
    images = {image.id: image for image in project.images.all()}
    example = project.gaze.trial(trial_id)
    found = {}
    on_screen: tuple[float, float] | None = None
    trials = [t for t in project.gaze.trials(example.recording_id) if t.image_id is not None]
    for trial in sorted(trials, key=lambda t: t.id != trial_id):
        image = images[trial.image_id or 0]
        _, _, wide, high = trial.shown or (0.0, 0.0, float(image.width), float(image.height))
        if on_screen is None:
            on_screen = example.shift[0] * wide / image.width, example.shift[1] * high / image.height
        found[trial.id] = on_screen[0] * image.width / wide, on_screen[1] * image.height / high
    return found


def _say(project: Project, said: Said, progress: Progress) -> Summary:
    """Change what is said in one transaction; the summary is that of the last change."""
    summary: Summary | None = None
    try:
        with project.transaction():
            groups = _groups(said)
            if None in said:
                # The default alone may not do for a recording of which something else is said now.
                for ids, geometry in groups:
                    for recording_id in ids:
                        project.gaze.set_geometry(recording_id, geometry.as_json())
                groups = [((), said[None])]
            for ids, geometry in groups:
                summary = change_geometry(project, GeometrySettings(geometry, ids), progress)
                if summary.cancelled:
                    raise StoppedError
    except StoppedError:
        pass
    if summary is None:
        raise GazeError("Nothing was said of any recording.")
    return summary


def _groups(said: Said) -> list[tuple[tuple[int, ...], Geometry]]:
    """Return the recordings of which the same is said, with what is said."""
    groups: dict[Geometry, list[int]] = {}
    for recording_id, geometry in said.items():
        if recording_id is not None:
            groups.setdefault(geometry, []).append(recording_id)
    return [(tuple(ids), geometry) for geometry, ids in groups.items()]


def _files(project: Project, ids: Iterable[int | None]) -> _Files:
    """Return what tells an import of a file from another import that got the same id later."""
    wanted = set(ids)
    return frozenset(
        (row.id, row.sha256, row.settings_id, row.created)
        for row in project.gaze.recordings()
        if row.id in wanted
    )


def _files_of_trials(project: Project, trials: Iterable[int]) -> _Files:
    try:
        return _files(project, {project.gaze.trial(trial_id).recording_id for trial_id in trials})
    except GazeError:  # a trial is gone
        return frozenset()


def _check(same: bool) -> None:
    if not same:
        raise GazeError(
            "This cannot be undone: a recording that it concerns was imported again since.",
            todo="Set the offset or the geometry by hand.",
        )
