"""What the user should know about a recording before it is imported, and its facts in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import IMAGE, CodeArray, Eye, Fixations, Recording, Why
from gazeapp.engine.types import DoubleArray, Json

_MANY_OUTSIDE = 0.5
_NAMES_IN_A_SENTENCE = 3
_SEVERAL = 3


class MatchedName(Protocol):
    """An image name of a recording, with the image that it means; empty strings for none."""

    @property
    def name(self) -> str:
        """As recorded."""

    @property
    def image(self) -> str:
        """The project's image."""

    @property
    def how(self) -> str:
        """How the image was found, or that the user said there is none."""

    @property
    def closest(self) -> str:
        """The most similar name."""

    @property
    def trials(self) -> int:
        """Trials with this name."""


def cautions_of(
    recording: Recording,
    matches: Sequence[MatchedName],
    why: CodeArray,
    fixations: Fixations,
    sizes: DoubleArray,
) -> list[GazeError]:
    """Return what the user should know, as sentences.

    Parameters
    ----------
    recording
        As read.
    matches
        Its image names.
    why
        Why each fixation is not used, shape (n,).
    fixations
        All of them.
    sizes
        Width and height of the image of each, px, shape (n, 2); 0 where it is unknown.
    """
    found = []
    # A name that the user said means no image is no surprise.
    named = [match for match in matches if match.name and not match.image and not match.how]
    if named:
        found.append(unknown_images(named))
    nameless = sum(match.trials for match in matches if not match.name and not match.image)
    if nameless:
        found.append(
            GazeError(
                f"{counted(nameless, 'trial')} {'names' if nameless == 1 else 'name'} no image, so that "
                "the fixations cannot be laid on one; they wait for it.",
                todo="Give the images in the order in which they were shown, or name the message or column that "
                "holds the image (on the command line --order, --image-pattern, --column image=NAME).",
            )
        )
    shown = sizes[:, 0] > 0
    outside = int(np.count_nonzero(shown & (why == Why.OUTSIDE_IMAGE)))
    used = int(np.count_nonzero(shown & (why == Why.USED)))
    if outside > _MANY_OUTSIDE * (outside + used):
        found.append(
            GazeError(
                f"{outside} of {outside + used} fixations lie outside their image.",
                todo="Check what the positions are (px of the image or of the screen), the screen's size, the image's "
                "place on it, and that these images were shown.",
            )
        )
    if _look_like_shares(recording, why, fixations, sizes):
        found.append(
            GazeError(
                "All positions are between 0 and 1, so that they look like shares of the image and not like "
                "image px; as px, all lie in its top-left corner.",
                todo="Say in the column mapping that positions are shares, and import the table so.",
            )
        )
    return found


def _look_like_shares(recording: Recording, why: CodeArray, fixations: Fixations, sizes: DoubleArray) -> bool:
    """Return whether several fixations on larger images all have x and y between 0 and 1."""
    frame = recording.facts.frame
    if frame.of != IMAGE or frame.unit != "px":
        return False
    rows = (why == Why.USED) & (sizes > 1).all(axis=1)
    x, y = fixations.x[rows], fixations.y[rows]
    return len(x) >= _SEVERAL and bool(((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)).all())


def unknown_images(named: Sequence[MatchedName]) -> GazeError:
    """Return what to say of image names that no image of the project has."""
    shown = [
        f"'{entry.name}'" + (f" (closest: '{entry.closest}')" if entry.closest else "")
        for entry in named[:_NAMES_IN_A_SENTENCE]
    ]
    more = len(named) - len(shown)
    trials = sum(entry.trials for entry in named)
    return GazeError(
        f"{counted(trials, 'trial')} {'shows an image' if trials == 1 else 'show images'} that the project "
        f"does not hold: {', '.join(shown)}{f' and {more} more' if more else ''}. Their fixations wait for the images.",
        todo="Add these images, or say which image each name means (on the command line --match NAME=IMAGE).",
    )


def in_words(facts: Json) -> str:
    """Return the facts of an import plan as one paragraph."""
    lines = in_lines(facts)
    n_notes = len(facts["notes"])
    told, notes = (lines[:-n_notes], lines[-n_notes:]) if n_notes else (lines, [])
    return " ".join([f"{'; '.join(told)}.", *notes])


def in_lines(facts: Json) -> list[str]:
    """Return the facts of an import plan as lines: what it is, what is used, how it was recorded, notes."""
    dropped = ", ".join(f"{reason} {n}" for reason, n in facts["dropped"].items())
    per_eye = ", ".join(
        f"{eye} {n}" for eye, n in facts["fixations_per_eye"].items() if eye != Eye.UNKNOWN.word
    )
    # Imports of an earlier gazeapp did not count these.
    waiting = facts.get("without_image", 0)
    kept = facts["fixations"] - waiting
    what = [
        f"{facts['format']} (confidence {facts['confidence']:.2f})",
        f"{counted(facts['trials'], 'trial')} of {counted(len(facts['subjects']), 'subject')} "
        f"on {counted(facts['images'], 'image')}",
    ]
    used = [
        f"{counted(kept, 'fixation')} kept" if kept or not waiting else "",
        f"{counted(waiting, 'fixation')} read, on no image of the project yet" if waiting else "",
        f"left out: {dropped}" if dropped else "none left out",
    ]
    how = [
        f"read per eye: {per_eye}, {facts['eye_used']} used" if per_eye else "",
        f"positions in {facts['frame']}" if _frame_was_said(facts) else "",
        "screen {} x {} px".format(*facts["screen"]) if facts["screen"] else "",
        f"{facts['rate_hz']:g} Hz" if facts["rate_hz"] else "",
        f"{facts['off_screen']} off the screen" if facts["off_screen"] else "",
    ]
    lines = ["; ".join(part for part in parts if part) for parts in (what, used, how)]
    return [*(line for line in lines if line), *facts["notes"]]


def _frame_was_said(facts: Json) -> bool:
    """Return whether a column mapping says what positions are: guessed or said, it may be wrong."""
    return "frame" in facts and str(facts.get("reason", "")).startswith("column mapping")


def counted(n: int, thing: str) -> str:
    """Return a number with its noun."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
