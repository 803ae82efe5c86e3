"""What importing a recording would do: each trial's image, its place on the screen, what is left out.

Pure: it needs the recording and the list of images, and stores nothing, so that a dry run, the
window's preview and the import itself say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.geometry import ScreenToImage, inside
from gazeapp.engine.gaze.match import ImageNames
from gazeapp.engine.gaze.records import (
    IMAGE_SPACE,
    OUTSIDE_IMAGE,
    UNKNOWN_EYE,
    Fixations,
    Recording,
    Trial,
    count_dropped,
)
from gazeapp.engine.types import Json

_MANY_OUTSIDE = 0.5
_NAMES_IN_A_SENTENCE = 3
_SEVERAL = 3


class KnownImage(Protocol):
    """An image of the project, as far as an import needs it; sizes in px."""

    @property
    def id(self) -> int:
        """Its number in the project."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def width(self) -> int:
        """Width, px."""

    @property
    def height(self) -> int:
        """Height, px."""


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial with what was found out about it.

    Parameters
    ----------
    trial
        As read.
    task
        The task it will stand under; empty when none is known.
    image_id
        The project's image, or None when no image has its name.
    transform
        Where the image lay on the screen; None when positions are image px or the image is unknown.
    fixations
        As read, with those outside the image marked as dropped.
    """

    trial: Trial
    task: str
    image_id: int | None
    transform: ScreenToImage | None
    fixations: Fixations


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An image name in a recording that no image of the project has; ``closest`` may be empty."""

    name: str
    closest: str
    trials: int


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to tell the user about a recording that can be imported all the same."""

    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A recording, ready to be stored.

    Parameters
    ----------
    recording
        As read.
    trials
        Its trials, each with its image.
    unmatched
        Images that the project does not hold.
    looks_like_shares
        Whether all positions are between 0 and 1 though the images are larger.
    """

    recording: Recording
    trials: tuple[PlannedTrial, ...]
    unmatched: tuple[Unmatched, ...]
    looks_like_shares: bool = False

    @property
    def dropped(self) -> dict[str, int]:
        """Fixations and rows that are not used, by reason."""
        return count_dropped([trial.fixations for trial in self.trials], self.recording.facts.lost_rows)

    @property
    def n_kept(self) -> int:
        """Fixations that are used: not left out, and on an image of the project."""
        return sum(int(trial.fixations.kept.sum()) for trial in self.trials if trial.image_id is not None)

    @property
    def n_without_image(self) -> int:
        """Fixations that are not left out, but wait for their image."""
        return sum(int(trial.fixations.kept.sum()) for trial in self.trials if trial.image_id is None)

    @property
    def tasks(self) -> list[str]:
        """The tasks that people looked under, in order of appearance."""
        return list(dict.fromkeys(trial.task for trial in self.trials))

    @property
    def images(self) -> set[int]:
        """The images that people looked at."""
        return {trial.image_id for trial in self.trials if trial.image_id is not None}

    def cautions(self) -> list[Caution]:
        """Return what the user should know, as sentences."""
        found = []
        named = [entry for entry in self.unmatched if entry.name]
        if named:
            found.append(_unknown_images(named))
        nameless = sum(entry.trials for entry in self.unmatched if not entry.name)
        if nameless:
            found.append(
                Caution(
                    f"{_counted(nameless, 'trial')} {'names' if nameless == 1 else 'name'} no image, so that "
                    "the fixations cannot be laid on one; they are stored.",
                    "Have the experiment write its image into each trial, such as '!V TRIAL_VAR image NAME', "
                    "or give the fixations as a table with a column image.",
                )
            )
        outside, kept = self.dropped.get(OUTSIDE_IMAGE, 0), self.n_kept
        if outside > _MANY_OUTSIDE * (outside + kept):
            found.append(
                Caution(
                    f"{outside} of {outside + kept} fixations lie outside their image.",
                    "Check that positions in a table are image px, and that these are the images that "
                    "were shown.",
                )
            )
        if self.looks_like_shares:
            found.append(
                Caution(
                    "All positions are between 0 and 1, so that they look like shares of the image and not like "
                    "image px; as px, all lie in its top-left corner.",
                    "Multiply x by the width and y by the height of each image, px, and import that table.",
                )
            )
        return found

    def facts(self) -> Json:
        """Return what was read, JSON-able, for the summary and for the recording's row."""
        facts = self.recording.facts
        return {
            "format": self.recording.format,
            "confidence": self.recording.confidence,
            "reason": self.recording.reason,
            "screen": None if facts.screen is None else [_short(size) for size in facts.screen],
            "space": facts.space,
            "eyes": list(facts.eyes),
            "eye_used": facts.eye_used,
            "rate_hz": facts.rate_hz,
            "trials": len(self.trials),
            "fixations": self.n_kept + self.n_without_image,
            "without_image": self.n_without_image,
            "fixations_per_eye": facts.fixations_per_eye,
            "off_screen": facts.off_screen,
            "dropped": self.dropped,
            "unmatched": [
                {"name": entry.name, "closest": entry.closest, "trials": entry.trials}
                for entry in self.unmatched
            ],
            "subjects": list(self.recording.subjects),
            "images": len(self.images),
            "notes": list(facts.notes),
        }


def plan_import(
    recording: Recording,
    images: Sequence[KnownImage],
    task: str = "",
    screen: tuple[float, float] | None = None,
    names: ImageNames | None = None,
    resolve: Callable[[str], str] = str,
) -> ImportPlan:
    """Return what importing ``recording`` would store.

    Parameters
    ----------
    recording
        As read.
    images
        The project's images.
    task
        Task of the trials that name none themselves.
    screen
        Screen size (width, height), px, for a recording that does not say it.
    names
        :class:`ImageNames` of ``images``, when it is made already.
    resolve
        From a task's name as recorded to the task of the project that it means, or to itself.

    Raises
    ------
    GazeError
        When the recording has no fixation to use, or the screen size is needed and unknown.
    """
    if not recording.n_kept:
        why = ", ".join(f"{reason}: {n}" for reason, n in recording.dropped.items())
        raise GazeError(
            "The recording has no fixation that can be used." + (f" Left out: {why}." if why else ""),
            where=str(recording.path),
            todo="Look at the file, and export the recording again.",
        )
    finder = names or ImageNames([image.name for image in images])
    size = recording.facts.screen or screen
    planned = []
    shown = []
    tasks: dict[str, str] = {}
    unknown: Counter[str] = Counter()
    for trial in recording.trials:
        place = find_image(finder, trial.image, trial.label)
        image = None if place is None else images[place]
        meant = resolve(trial.task or task)
        # Where the project has no such task, the file's first spelling stands for all of its own.
        meant = tasks.setdefault(meant.casefold(), meant)
        planned.append(_plan_trial(trial, image, meant, recording, size))
        if image is not None:
            shown.append((trial.fixations, image))
        elif len(trial.fixations):
            unknown[trial.image] += 1
    unmatched = tuple(Unmatched(name, finder.closest(name), count) for name, count in unknown.items())
    shares = recording.facts.space == IMAGE_SPACE and _look_like_shares(shown)
    return ImportPlan(recording, tuple(planned), unmatched, shares)


def in_words(facts: Json) -> str:
    """Return what :meth:`ImportPlan.facts` says, as sentences for a terminal or a window."""
    dropped = ", ".join(f"{reason} {n}" for reason, n in facts["dropped"].items())
    per_eye = ", ".join(f"{eye} {n}" for eye, n in facts["fixations_per_eye"].items() if eye != UNKNOWN_EYE)
    # Imports of an earlier gazeapp did not count these.
    waiting = facts.get("without_image", 0)
    kept = facts["fixations"] - waiting
    parts = [
        f"{facts['format']} (confidence {facts['confidence']:.2f})",
        f"{_counted(facts['trials'], 'trial')} of {_counted(len(facts['subjects']), 'subject')} "
        f"on {_counted(facts['images'], 'image')}",
        f"{_counted(kept, 'fixation')} kept" if kept or not waiting else "",
        f"{_counted(waiting, 'fixation')} read, on no image of the project yet" if waiting else "",
        f"left out: {dropped}" if dropped else "none left out",
        f"read per eye: {per_eye}, {facts['eye_used']} used" if per_eye else "",
        "screen {} x {} px".format(*facts["screen"]) if facts["screen"] else "",
        f"{facts['rate_hz']:g} Hz" if facts["rate_hz"] else "",
        f"{facts['off_screen']} off the screen" if facts["off_screen"] else "",
    ]
    return " ".join([f"{'; '.join(part for part in parts if part)}.", *facts["notes"]])


def find_image(finder: ImageNames, image: str, label: str) -> int | None:
    """Return the place of a trial's image in the list, by image name, else by a label that is no number."""
    if image:
        return finder.find(image)
    return None if label.isdigit() else finder.find(label)


def _plan_trial(
    trial: Trial,
    image: KnownImage | None,
    task: str,
    recording: Recording,
    screen: tuple[float, float] | None,
) -> PlannedTrial:
    if image is None:
        return PlannedTrial(trial, task, None, None, trial.fixations)
    if recording.facts.space == IMAGE_SPACE:
        transform = ScreenToImage.identity(image.width, image.height)
    elif screen is None:
        raise GazeError(
            "The file does not say how large the screen was, so its fixations cannot be laid on the images.",
            where=str(recording.path),
            todo="Give the screen size in px.",
        )
    elif trial.placement is not None:
        transform = ScreenToImage.placed(trial.placement, screen, image.width, image.height)
    else:
        transform = ScreenToImage.centred(*screen, image.width, image.height)
    table = trial.fixations
    on_image = inside(*transform.apply(table.x, table.y), image.width, image.height)
    dropped = np.where(table.kept & ~on_image, OUTSIDE_IMAGE, table.why_dropped)
    stored = None if recording.facts.space == IMAGE_SPACE else transform
    return PlannedTrial(trial, task, image.id, stored, replace(table, why_dropped=dropped))


def _look_like_shares(shown: Sequence[tuple[Fixations, KnownImage]]) -> bool:
    """Return whether several fixations on larger images all have x and y between 0 and 1."""
    on_larger = [table for table, image in shown if image.width > 1 and image.height > 1]
    x, y = (
        np.concatenate([getattr(table, axis)[table.kept] for table in on_larger] or [np.zeros(0)])
        for axis in "xy"
    )
    return len(x) >= _SEVERAL and bool(((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)).all())


def _unknown_images(named: Sequence[Unmatched]) -> Caution:
    shown = [
        f"'{entry.name}'" + (f" (closest: '{entry.closest}')" if entry.closest else "")
        for entry in named[:_NAMES_IN_A_SENTENCE]
    ]
    more = len(named) - len(shown)
    trials = sum(entry.trials for entry in named)
    return Caution(
        f"{_counted(trials, 'trial')} {'shows an image' if trials == 1 else 'show images'} that the project "
        f"does not hold: {', '.join(shown)}{f' and {more} more' if more else ''}. The fixations are stored.",
        "Add these images, or rename them as the recording does, and import the file again.",
    )


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def _short(size: float) -> float:
    return int(size) if float(size).is_integer() else size
