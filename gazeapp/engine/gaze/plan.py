"""What importing a recording would do: each trial's image, its place on the screen, what is left out.

Pure: it needs the recording and the list of images, and stores nothing, so that a dry run, the
window's preview and the import itself say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices, eyes_used, mark, with_average
from gazeapp.engine.gaze.geometry import Affine, Geometry, effective, inside, shown_at
from gazeapp.engine.gaze.image_names import ImageNames
from gazeapp.engine.gaze.match import (
    Found,
    KnownImage,
    Match,
    MatchRules,
    images_of,
    matches_of,
    rule_cautions,
)
from gazeapp.engine.gaze.records import (
    IMAGE,
    CodeArray,
    Eye,
    Fixations,
    Recording,
    Trial,
    Why,
    count_reasons,
)
from gazeapp.engine.gaze.trial_quality import trial_qualities
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, Json


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial with what was found out about it.

    Parameters
    ----------
    trial
        As read.
    rows
        Its rows of the plan's fixations.
    task
        The task it will stand under; empty when none is known.
    image_id
        The project's image, or None when no image has its name.
    image_name
        Its image's name as recorded, or as it stands in the list of images by order.
    affine
        Where the image lay, in units as read; None when positions are image px or the image is unknown.
    eye
        The eye whose fixations are used.
    quality
        Figures of :mod:`gazeapp.engine.gaze.quality`.
    n_recorded
        Fixations of the file, without averages of both eyes.
    """

    trial: Trial
    rows: slice
    task: str
    image_id: int | None
    image_name: str
    affine: Affine | None
    eye: Eye
    quality: Json
    n_recorded: int = 0


@dataclass(frozen=True)
class ImportPlan:
    """A recording, ready to be stored.

    Parameters
    ----------
    recording
        As read.
    geometry
        What holds for the recording: screen, place of images, distance.
    trials
        Its trials, each with its image.
    fixations
        Of all trials, averages of both eyes included.
    why
        Codes of :class:`~gazeapp.engine.gaze.records.Why`, shape (n,).
    matches
        Each image name of the recording with the image it means.
    off_screen
        Fixations in use that lie off the screen.
    cautions
        What the user should know, though the recording can be imported.
    blocked
        Why it cannot be imported as it is, when it cannot.
    """

    recording: Recording
    geometry: Geometry
    trials: tuple[PlannedTrial, ...]
    fixations: Fixations
    why: CodeArray
    matches: tuple[Match, ...]
    off_screen: int
    cautions: tuple[GazeError, ...]
    blocked: GazeError | None = None

    @property
    def dropped(self) -> dict[str, int]:
        """Fixations and rows that are not used, by reason; averages of both eyes stand for no row."""
        own = (self.fixations.eye != Eye.AVERAGE) | (self.why != Why.OTHER_EYE)
        return count_reasons(self.why[own], self.recording.facts.lost_rows)

    @property
    def n_used(self) -> int:
        """Fixations that are used: not left out, and on an image of the project."""
        return sum(self._used(trial) for trial in self.trials if trial.image_id is not None)

    @property
    def n_without_image(self) -> int:
        """Fixations that are not left out, but wait for their image."""
        return sum(self._used(trial) for trial in self.trials if trial.image_id is None)

    @property
    def tasks(self) -> list[str]:
        """The tasks that people looked under, in order of appearance."""
        return list(dict.fromkeys(trial.task for trial in self.trials))

    @property
    def images(self) -> set[int]:
        """The images that people looked at."""
        return {trial.image_id for trial in self.trials if trial.image_id is not None}

    def _used(self, trial: PlannedTrial) -> int:
        return int(np.count_nonzero(self.why[trial.rows] == Why.USED))

    def facts(self) -> Json:
        """Return what was read, JSON-able, for the summary and for the recording's row."""
        facts, screen = self.recording.facts, self.geometry.screen
        per_eye = {
            eye.word: int(n)
            for eye in (Eye.UNKNOWN, Eye.LEFT, Eye.RIGHT)
            if (n := np.count_nonzero(self.recording.fixations.eye == eye))
        }
        eyes = {trial.eye.word for trial in self.trials if trial.rows.stop > trial.rows.start}
        unmatched = [match for match in self.matches if not match.image and not match.how]
        return {
            "format": self.recording.format,
            "confidence": self.recording.confidence,
            "reason": self.recording.reason,
            "screen": None if screen is None else [_short(size) for size in screen],
            "space": facts.frame.of,
            "frame": facts.frame.in_words(),
            "eyes": list(facts.eyes),
            "eye_used": eyes.pop() if len(eyes) == 1 else ("several" if eyes else Eye.UNKNOWN.word),
            "rate_hz": facts.rate_hz,
            "samples": facts.n_samples,
            "distance_cm": self.geometry.distance_cm,
            "px_per_deg": self.geometry.screen_px_per_degree,
            "trials": len(self.trials),
            "fixations": int(np.count_nonzero(self.why == Why.USED)),
            "without_image": self.n_without_image,
            "fixations_per_eye": per_eye,
            "off_screen": self.off_screen,
            "dropped": self.dropped,
            "unmatched": [
                {"name": match.name, "closest": match.closest, "trials": match.trials} for match in unmatched
            ],
            "subjects": list(self.recording.subjects),
            "images": len(self.images),
            "notes": list(facts.notes),
        }


def plan_import(
    recording: Recording,
    images: Sequence[KnownImage],
    *,
    task: str = "",
    given: Geometry | None = None,
    default: Geometry | None = None,
    choices: GazeChoices | None = None,
    rules: MatchRules | None = None,
    names: ImageNames | None = None,
    resolve: Callable[[str], str] = str,
    without: GazeError | None = None,
) -> ImportPlan:
    """Return what importing ``recording`` would store.

    Parameters
    ----------
    recording
        As read, with fixations.
    images
        The project's images.
    task
        Task of the trials that name none themselves.
    given, default
        What the user says of this recording's geometry, and what holds for the project.
    choices
        Which fixations are used.
    rules
        How trials find their images where names do not do.
    names
        :class:`ImageNames` of ``images``, when it is made already.
    resolve
        From a task's name as recorded to the task of the project that it means, or to itself.
    without
        Why there are no fixations, when they could not be found in the samples.

    Returns
    -------
    ImportPlan
        Blocked when the recording has no fixation with a position, or its images cannot be placed.
    """
    facts = recording.facts
    chosen = choices or GazeChoices()
    geometry = effective(given or Geometry(), facts, default or Geometry())
    finder = names or ImageNames([image.name for image in images])
    found = images_of(recording.trials, finder, images, rules or MatchRules())
    fixations, owner = with_average(*_in_trials(recording))
    rows = _rows(owner, len(recording.trials))
    affines, blocked = _affines(recording, found, geometry)
    # Where a file has only averages of both eyes, these were recorded.
    own = np.bincount(owner[fixations.eye != Eye.AVERAGE], minlength=len(rows)).tolist()
    recorded = [n or part.stop - part.start for n, part in zip(own, rows, strict=True)]
    usable = bool((fixations.unusable == Why.USED).any())
    on_image = on_images(fixations, owner, affines, [found[k].image for k in range(len(found))])
    eyes = eyes_used(fixations, owner, len(recording.trials), chosen.eye)
    why = mark(fixations, owner, eyes, on_image, chosen)
    known = [trial.quality for trial in recording.trials]
    qualities = trial_qualities(fixations, owner, eyes, on_image, why, known)
    tasks: dict[str, str] = {}
    planned = []
    for k, trial in enumerate(recording.trials):
        meant = resolve(trial.task or task)
        # Where the project has no such task, the file's first spelling stands for all of its own.
        meant = tasks.setdefault(meant.casefold(), meant)
        image = found[k].image
        planned.append(
            PlannedTrial(
                trial,
                rows[k],
                meant,
                None if image is None else image.id,
                found[k].name,
                None if facts.frame.is_image_px else affines[k],
                Eye(int(eyes[k])),
                qualities[k],
                recorded[k],
            )
        )
    matches = matches_of(recording.trials, found, finder, recorded)
    return ImportPlan(
        recording,
        geometry,
        tuple(planned),
        fixations,
        why,
        matches,
        _off_screen(fixations, why, recording, geometry),
        (
            *rule_cautions(recording.trials, rules or MatchRules()),
            *_cautions(recording, matches, found, why, fixations, owner),
        ),
        without or (blocked if usable else _nothing_usable(recording)),
    )


def _in_trials(recording: Recording) -> tuple[Fixations, IntArray]:
    """Return the fixations that are in a trial, and the number of the trial of each."""
    owner = recording.trial_of_rows()
    inside_trials = owner >= 0
    order = np.argsort(owner[inside_trials], kind="stable")
    if inside_trials.all() and (np.diff(owner) >= 0).all():
        return recording.fixations, owner
    return recording.fixations.part(inside_trials).part(order), owner[inside_trials][order]


def _rows(owner: IntArray, n_trials: int) -> list[slice]:
    bounds = np.searchsorted(owner, np.arange(n_trials + 1))
    return [slice(a, b) for a, b in pairwise(bounds.tolist())]


def _affines(
    recording: Recording, found: Sequence[Found], geometry: Geometry
) -> tuple[list[Affine | None], GazeError | None]:
    """Return where each trial's image lay in units as read; and why that cannot be told, if it cannot."""
    frame = recording.facts.frame
    affines: list[Affine | None] = []
    blocked: GazeError | None = None
    known: dict[object, Affine] = {}
    for trial, match in zip(recording.trials, found, strict=True):
        image = match.image
        if image is None:
            affines.append(None)
            continue
        key = (image.width, image.height, trial.placement)
        try:
            if key not in known:
                shown = shown_at(geometry, trial.placement, frame, image.width, image.height)
                known[key] = shown.in_frame(frame, geometry.screen)
            affines.append(known[key])
        except GazeError as error:
            blocked = blocked or GazeError(error.what, where=str(recording.path), todo=error.todo)
            affines.append(None)
    return affines, blocked


def on_images(
    fixations: Fixations,
    owner: IntArray,
    affines: Sequence[Affine | None],
    images: Sequence[KnownImage | None],
    shifts: DoubleArray | None = None,
) -> BoolArray:
    """Return which fixations lie on their image; True where the image or its place is unknown.

    Parameters
    ----------
    fixations
        As read, shape (n,).
    owner
        Number of the trial of each, shape (n,).
    affines, images
        Where each trial's image lay, and the image.
    shifts
        What is added to the positions of each trial, image px, shape (n_trials, 2).
    """
    table = np.full((len(images), 6), np.nan)
    for k, (affine, image) in enumerate(zip(affines, images, strict=True)):
        if image is not None and affine is not None:
            table[k] = (
                affine.offset_x,
                affine.offset_y,
                image.width / affine.shown_width,
                image.height / affine.shown_height,
                image.width,
                image.height,
            )
    x, y = fixations.x, fixations.y
    left, top, across, down, width, height = (table[owner, column] for column in range(6))
    moved = np.zeros((len(images), 2)) if shifts is None else shifts
    xs = (x - left) * across + moved[owner, 0]
    ys = (y - top) * down + moved[owner, 1]
    known: BoolArray = np.isfinite(width)
    result: BoolArray = ~known | inside(xs, ys, width, height)
    return result


def _off_screen(fixations: Fixations, why: CodeArray, recording: Recording, geometry: Geometry) -> int:
    frame, screen = recording.facts.frame, geometry.screen
    if frame.of == IMAGE or (screen is None and frame.unit == "px"):
        return 0
    width, height = (1.0, 1.0) if frame.unit == "share" or screen is None else screen
    left, top = (-width / 2, -height / 2) if frame.centred else (0.0, 0.0)
    off = (fixations.x < left) | (fixations.y < top)
    off |= (fixations.x >= left + width) | (fixations.y >= top + height)
    used = ~np.isin(why, (Why.OTHER_EYE, Why.NO_POSITION, Why.NOT_VALID, Why.NOT_ON_SURFACE))
    return int(np.count_nonzero(off & used))


def _nothing_usable(recording: Recording) -> GazeError:
    if recording.contents.samples is not None and not len(recording.fixations):
        return GazeError(
            f"No fixation was found in the {len(recording.contents.samples):,} samples of the recording.",
            where=str(recording.path),
            todo="Try another method or other thresholds, and check the viewing distance and the screen.",
        )
    reasons = count_reasons(recording.fixations.unusable, recording.facts.lost_rows)
    why = ", ".join(f"{reason}: {n}" for reason, n in reasons.items())
    return GazeError(
        "The recording has no fixation that can be used." + (f" Left out: {why}." if why else ""),
        where=str(recording.path),
        todo="Look at the file, and export the recording again.",
    )


def _cautions(
    recording: Recording,
    matches: Sequence[Match],
    found: Sequence[Found],
    why: CodeArray,
    fixations: Fixations,
    owner: IntArray,
) -> list[GazeError]:
    from gazeapp.engine.gaze.cautions import cautions_of

    sizes = np.array(
        [(0, 0) if match.image is None else (match.image.width, match.image.height) for match in found],
        dtype=np.float64,
    ).reshape(-1, 2)
    return cautions_of(recording, matches, why, fixations, sizes[owner])


def _short(size: float) -> float:
    return int(size) if float(size).is_integer() else size
