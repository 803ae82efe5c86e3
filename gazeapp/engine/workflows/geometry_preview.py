"""What another geometry would make of recordings that are stored, before it is applied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices, mark
from gazeapp.engine.gaze.geometry import Affine, Geometry, shown_at
from gazeapp.engine.gaze.plan import ImportPlan, PlannedTrial, on_images
from gazeapp.engine.gaze.records import Contents, Eye, Facts, Fixations, Frame, Placement, Recording, Trial
from gazeapp.engine.project import ImageRow, Project, RecordingRow, TrialRow
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry, geometry_of
from gazeapp.engine.workflows.marking import as_read


@dataclass(frozen=True)
class RecordingGeometry:
    """What is known of a recording's geometry: what the user said of it, and what its file says."""

    id: int
    file: str
    said: Geometry
    recorded: Geometry
    frame: Frame

    def holds(self, default: Geometry) -> Geometry:
        """Return what holds when this is the project's default."""
        return self.said.over(self.recorded.over(default))


@dataclass(frozen=True)
class StudyGeometry:
    """The project's default geometry, that of its recordings, and the choices of fixations."""

    default: Geometry
    recordings: tuple[RecordingGeometry, ...]
    choices: GazeChoices


@dataclass(frozen=True)
class Example:
    """A trial of a recording with its image, that one's file as last known, and all its fixations as read."""

    recording: RecordingRow
    trial: TrialRow
    image: ImageRow
    file: Path
    fixations: Fixations

    @property
    def frame(self) -> Frame:
        """Coordinate frame of the positions."""
        return Frame(**self.recording.frame)


def read_geometry(project: Project) -> StudyGeometry:
    """Return what is known of the geometry of all recordings."""
    nothing = Geometry()
    rows = tuple(
        RecordingGeometry(
            row.id,
            row.file,
            Geometry.of(row.geometry),
            geometry_of(replace(row, geometry={}), nothing),
            Frame(**row.frame),
        )
        for row in project.gaze.recordings()
    )
    return StudyGeometry(default_geometry(project), rows, choices_of(project))


def read_example(project: Project, recording_id: int) -> Example | None:
    """Return the recording's trial with the most fixations on an image of the project, None without any."""
    trials = [trial for trial in project.gaze.trials(recording_id) if trial.image_id is not None]
    if not trials:
        return None
    trial = max(trials, key=lambda entry: entry.n_fixations)
    recording = next(row for row in project.gaze.recordings() if row.id == recording_id)
    image = project.images.get(trial.image_id or 0)
    try:
        file = project.images.file(image)
    except GazeError:  # where it was, for whoever opens it to say what is wrong
        file = project.folder / image.path
    fixations, _ = as_read(project.gaze.stored_fixations(recording_id, trial.id), [trial])
    return Example(recording, trial, image, file, fixations)


def plan_of(example: Example, geometry: Geometry, choices: GazeChoices) -> ImportPlan:
    """Return how a stored trial lies under ``geometry``, as a plan of this trial alone; nothing is stored.

    Where the image cannot be placed, the plan's ``blocked`` says why. Offsets by hand are left aside.
    """
    trial, image, frame = example.trial, example.image, example.frame
    affine, blocked = None, None
    try:
        placement = Placement.of(trial.placement) if trial.placement else None
        place = shown_at(geometry, placement, frame, image.width, image.height)
        affine = place.in_frame(frame, geometry.screen)
    except GazeError as error:
        blocked = GazeError(error.what, where=example.recording.file, todo=error.todo)
    fixations = example.fixations
    owner = np.zeros(len(fixations), dtype=np.int64)
    known = Affine(0.0, 0.0, image.width, image.height) if frame.is_image_px else affine
    on_image = on_images(fixations, owner, [known], [image])
    eye = Eye.of(trial.eye)
    why = mark(fixations, owner, np.array([eye], dtype=np.int8), on_image, choices)
    rows = slice(0, len(fixations))
    read = Trial(trial.label, trial.subject, trial.image_name, trial.task, rows)
    row = example.recording
    contents = Contents(Facts(frame=frame), (read,), fixations)
    planned = PlannedTrial(
        trial=read,
        rows=rows,
        task=trial.task,
        image_id=image.id,
        image_name=trial.image_name,
        affine=affine,
        eye=eye,
        quality=trial.quality,
    )
    return ImportPlan(
        recording=Recording(Path(row.file), row.sha256, row.format, row.confidence, "", contents),
        geometry=geometry,
        trials=(planned,),
        fixations=fixations,
        why=why,
        matches=(),
        off_screen=0,
        cautions=(),
        blocked=blocked,
    )
