"""Changing what holds for imported gaze: choices, geometry, offsets, images that came later.

Nothing is read from the recordings' files again and nothing is deleted: positions stay as read, and the
reason why a fixation is not used is found anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.gaze.choices import GazeChoices, eyes_used, mark
from gazeapp.engine.gaze.geometry import Affine, Geometry, shown_at
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.gaze.match import find_image
from gazeapp.engine.gaze.plan import on_images
from gazeapp.engine.gaze.records import CodeArray, Eye, Fixations, Frame, Placement, Why
from gazeapp.engine.gaze.trial_quality import trial_qualities
from gazeapp.engine.project import ImageRow, Project, RecordingRow, TrialRow
from gazeapp.engine.project.gaze import CHOICES, GEOMETRY, StoredFixations
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry, geometry_of, outdated_detection
from gazeapp.engine.types import BoolArray, IntArray, Json
from gazeapp.engine.workflows.base import SILENT, Progress, Summary, Tally
from gazeapp.engine.workflows.human_maps import HumanMaps
from gazeapp.engine.workflows.score_state import assume_scored

REMOVE_VERB = "remove gaze"
CHOOSE_VERB, GEOMETRY_VERB, SHIFT_VERB = "choose fixations", "change geometry", "shift trials"
NO_IMAGE = "image not in the project"
"""Why a fixation is not used that nothing speaks against but that its trial has no image."""


@dataclass(frozen=True)
class GeometrySettings:
    """What to say of screen, place of the images and distance.

    Parameters
    ----------
    geometry
        What is said; what it leaves open is left to the file and the project's default.
    recordings
        Ids of the recordings that it is said of; empty: it becomes the project's default.
    keep
        Whether what it leaves open stays as it was said before.
    """

    geometry: Geometry
    recordings: tuple[int, ...] = ()
    keep: bool = False

    def after(self, before: Geometry) -> Geometry:
        """Return what holds after ``before`` was said."""
        return self.geometry.over(before) if self.keep else self.geometry


@dataclass(frozen=True)
class ShiftSettings:
    """What to add to the positions of trials.

    Parameters
    ----------
    shifts
        x and y, image px, by trial id; they take the place of the trial's earlier shift.
    """

    shifts: Mapping[int, tuple[float, float]] = field(default_factory=dict)


def choose_fixations(project: Project, choices: GazeChoices, progress: Progress) -> Summary:
    """Make ``choices`` those of the project, and mark every fixation anew in one transaction.

    Returns
    -------
    Summary
        One unit is a recording; ``details["changed"]`` counts fixations whose mark changed. Cancelled,
        nothing is changed.

    Raises
    ------
    GazeError
        When sigma is in degrees and a recording's px per degree are not known; nothing is changed then.
    """
    recordings = project.gaze.recordings()
    tally = Tally(project, CHOOSE_VERB, progress, len(recordings))
    before, changed = choices_of(project), 0
    with _all_or_nothing(project, tally):
        assume_scored(project)
        project.settings.set_current(CHOICES, choices.as_json())
        marker = Marker(project)
        for recording in recordings:
            if tally.should_stop():
                raise StoppedError
            with tally.unit(recording.file):
                changed += marker.mark(recording)
        marker.finish(project.gaze.counts() if _maps_differ(before, choices) else (), progress)
    return tally.summary(changed=0 if tally.cancelled else changed)


def count_marks(project: Project, choices: GazeChoices) -> dict[str, int]:
    """Return how many fixations ``choices`` would use and leave out; nothing is stored.

    Returns
    -------
    dict
        Number of fixations by the reason why they are not used; under ``""`` those that are used.
    """
    marker, counts = Marker(project, choices), Counter[str]()
    for recording in project.gaze.recordings():
        counts.update(marker.count(recording))
    return dict(counts)


def _maps_differ(one: GazeChoices, other: GazeChoices) -> bool:
    """Return whether human maps differ under two choices though the same fixations are used."""
    names = ("sigma", "sigma_unit", "weighting", "outside")
    return any(getattr(one, name) != getattr(other, name) for name in names)


@contextmanager
def _all_or_nothing(project: Project, tally: Tally) -> Iterator[None]:
    """Group the changes of a verb; when the user cancels, none of them is stored."""
    try:
        with project.transaction():
            yield
    except StoppedError:
        tally.cancelled = True
        tally.done = 0


def change_geometry(project: Project, settings: GeometrySettings, progress: Progress) -> Summary:
    """Change screen, place of images or distance of recordings, or the project's default, in one transaction.

    Returns
    -------
    Summary
        One unit is a recording; ``details["changed"]`` counts fixations whose mark changed. That fixations
        were found in samples for another geometry is a problem of their recording.

    Raises
    ------
    GazeError
        When a recording's images cannot be placed any more; nothing is changed then.
    """
    recordings = project.gaze.recordings()
    concerned = [row for row in recordings if not settings.recordings or row.id in settings.recordings]
    tally = Tally(project, GEOMETRY_VERB, progress, len(concerned))
    changed, ids = 0, {entry.id for entry in concerned}
    with _all_or_nothing(project, tally):
        assume_scored(project)
        if settings.recordings:
            for row in concerned:
                said = settings.after(Geometry.of(row.geometry))
                project.gaze.set_geometry(row.id, said.as_json())
        else:
            project.settings.set_current(GEOMETRY, settings.after(default_geometry(project)).as_json())
        marker = Marker(project)
        for row in project.gaze.recordings():
            if tally.should_stop():
                raise StoppedError
            if row.id in ids:
                changed += marker.place(row)
                tally.done += 1
                progress.report(tally.done, len(concerned), row.file)
        marker.finish(progress=progress)
    default = default_geometry(project)
    for row in project.gaze.recordings():
        if row.id in ids and not tally.cancelled:
            project.problems.clear(GEOMETRY_VERB, row.file)
            if outdated := outdated_detection(row, default):
                tally.problem(row.file, outdated, unit=row.file)
    return tally.summary(changed=0 if tally.cancelled else changed)


@dataclass(frozen=True)
class RemoveSettings:
    """Ids of the recordings to take out of the project."""

    recordings: tuple[int, ...]


def remove_gaze(project: Project, settings: RemoveSettings, progress: Progress) -> Summary:
    """Take recordings out of the project, with their trials, fixations and offsets; their files stay.

    The human maps of the images that they concern are made anew in the same transaction.
    """
    recordings = [row for row in project.gaze.recordings() if row.id in settings.recordings]
    tally = Tally(project, REMOVE_VERB, progress, len(recordings))
    assume_scored(project)
    with _all_or_nothing(project, tally):
        touched: set[tuple[int, str]] = set()
        for row in recordings:
            touched |= project.gaze.looked_at(row.id)
            project.gaze.remove_recording(row.id)
            project.problems.clear(GEOMETRY_VERB, row.file)
            tally.done += 1
        Marker(project).finish(touched, progress)
    return tally.summary()


def shift_trials(project: Project, settings: ShiftSettings, progress: Progress) -> Summary:
    """Set what is added to the positions of trials, and mark their fixations anew, in one transaction.

    Returns
    -------
    Summary
        ``details["before"]`` holds the shifts that were replaced, by trial id, to take it back.
    """
    tally = Tally(project, SHIFT_VERB, progress, len(settings.shifts))
    with project.transaction():
        assume_scored(project)
        rows = {trial_id: project.gaze.trial(trial_id) for trial_id in settings.shifts}
        marker = Marker(project)
        marker.shift(settings.shifts)
        tally.done = len(rows)
        marker.finish(
            {(row.image_id, row.task) for row in rows.values() if row.image_id is not None and row.task}
        )
    return tally.summary(before={trial_id: list(row.shift) for trial_id, row in rows.items()})


def match_images(project: Project, recordings: Sequence[RecordingRow] | None = None) -> int:
    """Give trials without an image the one that has come into the project since; return how many.

    Parameters
    ----------
    project
        The project.
    recordings
        The recordings to look at; all when not given.
    """
    images = project.images.all()
    names = ImageNames([image.name for image in images])
    found = 0
    with project.transaction():
        marker = Marker(project)
        for recording in project.gaze.recordings() if recordings is None else recordings:
            found += marker.match(recording, names, images)
        if found:
            marker.finish()
    return found


class Marker:
    """Marks stored fixations anew, and gathers whose human maps to renew.

    Parameters
    ----------
    project
        The project.
    choices
        Which fixations are used; the project's own when not given.
    images
        The project's images by id, when they were read already.
    """

    def __init__(
        self,
        project: Project,
        choices: GazeChoices | None = None,
        images: Mapping[int, ImageRow] | None = None,
    ) -> None:
        self._project = project
        self._choices = choices_of(project) if choices is None else choices
        self._default = default_geometry(project)
        self._images = {image.id: image for image in project.images.all()} if images is None else images
        self._touched: set[tuple[int, str]] = set()

    def mark(self, recording: RecordingRow) -> int:
        """Find anew why each fixation of a recording is not used; return how many changed."""
        trials = self._project.gaze.trials(recording.id)
        stored = self._project.gaze.stored_fixations(recording.id)
        table, owner = as_read(stored, trials)
        return self._mark(trials, stored, eyes_used(table, owner, len(trials), self._choices.eye))

    def count(self, recording: RecordingRow) -> Counter[str]:
        """Return how many fixations of a recording would be used and left out, by reason; store nothing."""
        trials = self._project.gaze.trials(recording.id)
        table, owner = as_read(self._project.gaze.stored_fixations(recording.id), trials)
        eyes = eyes_used(table, owner, len(trials), self._choices.eye)
        _, why = self._why(trials, table, owner, eyes)
        # Averages of both eyes that are not used were not read either.
        read = (table.eye != Eye.AVERAGE) | (why != Why.OTHER_EYE)
        why, owner = why[read], owner[read]
        counts = Counter(
            {reason.words: int((why == reason).sum()) for reason in Why if (why == reason).any()}
        )
        unplaced = np.array([trial.image_id is None for trial in trials], dtype=bool)
        if waiting := int((unplaced[owner] & (why == Why.USED)).sum()):
            counts[""] -= waiting
            counts[NO_IMAGE] = waiting
        return counts

    def shift(self, shifts: Mapping[int, tuple[float, float]]) -> None:
        """Set what is added to the positions of trials, by their id, and mark their fixations anew."""
        self._project.gaze.change_trials(
            {trial_id: {"shift": (float(x), float(y))} for trial_id, (x, y) in shifts.items()}
        )
        self.mark_trials(list(shifts))

    def mark_trials(self, ids: Sequence[int]) -> None:
        """Find anew why each fixation of some trials is not used, with the eye that they use already."""
        for trial_id in ids:
            trial = self._project.gaze.trial(trial_id)
            stored = self._project.gaze.stored_fixations(trial.recording_id, trial_id)
            self._mark([trial], stored, np.array([Eye.of(trial.eye)], dtype=np.int8))

    def _mark(self, trials: Sequence[TrialRow], stored: StoredFixations, eyes: CodeArray) -> int:
        project = self._project
        table, owner = as_read(stored, trials)
        on_image, why = self._why(trials, table, owner, eyes)
        words = np.array([reason.words for reason in Why], dtype=object)[why]
        changed = np.flatnonzero(words != stored.dropped)
        project.gaze.mark(
            zip(
                stored.trial_id[changed].tolist(),
                stored.position[changed].tolist(),
                words[changed].tolist(),
                strict=True,
            )
        )
        qualities = trial_qualities(table, owner, eyes, on_image, why, [t.quality for t in trials])
        rows: dict[int, Json] = {}
        for trial, eye, quality in zip(trials, eyes, qualities, strict=True):
            word = Eye(int(eye)).word
            if word != trial.eye or quality != trial.quality:
                rows[trial.id] = {"eye": word, "quality": quality}
        project.gaze.change_trials(rows)
        self._touch(trials[k] for k in set(owner[changed].tolist()))
        return len(changed)

    def _why(
        self, trials: Sequence[TrialRow], table: Fixations, owner: IntArray, eyes: CodeArray
    ) -> tuple[BoolArray, CodeArray]:
        """Return which fixations lie on their image, and why each is not used."""
        images = [self._images.get(trial.image_id or 0) for trial in trials]
        on_image = on_images(
            table,
            owner,
            [_affine(trial, image) for trial, image in zip(trials, images, strict=True)],
            images,
            np.array([trial.shift for trial in trials], dtype=np.float64).reshape(-1, 2),
        )
        return on_image, mark(table, owner, eyes, on_image, self._choices)

    def place(self, recording: RecordingRow) -> int:
        """Find anew where a recording's images lay, and mark its fixations; return how many changed."""
        geometry = geometry_of(recording, self._default)
        frame = Frame(**recording.frame)
        moved: dict[int, Json] = {}
        trials = self._project.gaze.trials(recording.id)
        for trial in trials:
            image = self._images.get(trial.image_id or 0)
            if image is None:
                continue
            shown = self._shown(recording, trial, image, geometry, frame)
            if shown != trial.shown:
                moved[trial.id] = {"shown": shown}
        self._project.gaze.change_trials(moved)
        # Positions that stay in use move on the image all the same; so does a sigma in degrees.
        self._touch(trials)
        return self.mark(recording)

    def match(self, recording: RecordingRow, names: ImageNames, images: Sequence[ImageRow]) -> int:
        """Give trials without an image the one that has come into the project since; return how many."""
        geometry, frame = geometry_of(recording, self._default), Frame(**recording.frame)
        found: dict[int, Json] = {}
        known: dict[tuple[str, str], int | None] = {}
        no_image = self._no_image(recording)
        for trial in self._project.gaze.trials(recording.id):
            key = (trial.image_name, "" if trial.image_name else trial.label)
            if trial.image_id is not None or trial.image_name in no_image:
                continue
            if key not in known:
                known[key] = find_image(names, *key)[0]
            place = known[key]
            if place is not None:
                image = images[place]
                shown = self._shown(recording, trial, image, geometry, frame)
                found[trial.id] = {"image_id": image.id, "shown": shown}
        if found:
            self._project.gaze.change_trials(found)
            self._touch(self._project.gaze.trial(trial_id) for trial_id in found)
            self.mark(recording)
        return len(found)

    def _no_image(self, recording: RecordingRow) -> set[str]:
        """Return the names of which the user said at import that they mean no image."""
        names = self._project.settings.get(recording.settings_id).values.get("match", {}).get("names", {})
        return {name for name, image in names.items() if not image}

    def finish(self, also: Iterable[tuple[int, str]] = (), progress: Progress = SILENT) -> None:
        """Renew the human maps that the changes concern, and ``also`` those of further (image id, task)."""
        HumanMaps(self._project, self._images).renew(self._touched | set(also), progress)

    def _shown(
        self, recording: RecordingRow, trial: TrialRow, image: ImageRow, geometry: Geometry, frame: Frame
    ) -> tuple[float, float, float, float] | None:
        placement = Placement.of(trial.placement) if trial.placement else None
        try:
            place = shown_at(geometry, placement, frame, image.width, image.height)
            affine = place.in_frame(frame, geometry.screen)
        except GazeError as error:
            raise GazeError(error.what, where=recording.file, todo=error.todo) from error
        if frame.is_image_px:
            return None
        return (affine.offset_x, affine.offset_y, affine.shown_width, affine.shown_height)

    def _touch(self, trials: Iterable[TrialRow]) -> None:
        self._touched |= {
            (trial.image_id, trial.task) for trial in trials if trial.image_id is not None and trial.task
        }


def _affine(trial: TrialRow, image: ImageRow | None) -> Affine | None:
    if trial.shown is not None:
        return Affine(*trial.shown)
    return None if image is None else Affine(0.0, 0.0, image.width, image.height)


def as_read(stored: StoredFixations, trials: Sequence[TrialRow]) -> tuple[Fixations, IntArray]:
    """Return stored fixations as they were read, and the place of each one's trial among ``trials``."""
    eyes = {eye.word: int(eye) for eye in Eye}
    reasons = {reason.words: int(reason) for reason in Why}
    table = Fixations(
        stored.number,
        stored.x,
        stored.y,
        stored.start_ms,
        stored.duration_ms,
        np.array([eyes.get(word, 0) for word in stored.eye], dtype=np.int8),
        np.array([reasons.get(words, int(Why.NOT_VALID)) for words in stored.unusable], dtype=np.int8),
    )
    ids = np.array([trial.id for trial in trials], dtype=np.int64)
    return table, np.searchsorted(ids, stored.trial_id).astype(np.int64)
