"""Choices that change results: which fixations are used, and how they make a human map.

Marking never deletes: each fixation keeps its position as read, and a choice that is taken back marks
it as used again.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.geometry import Sigma
from gazeapp.engine.gaze.records import CodeArray, Eye, Fixations, Why
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, Json

EYES = ("best", "left", "right", "average")
FIRST = ("keep", "drop")
OUTSIDE = ("drop", "clamp")
WEIGHTING = ("equal", "duration")


@dataclass(frozen=True)
class GazeChoices:
    """What the user chooses about fixations; one set for a project.

    Parameters
    ----------
    eye
        ``left``, ``right``, ``average`` (the mean of fixations of both eyes that overlap in time), or
        ``best``: the eye with more positions in the recording, left when equal. A trial without
        fixations of the chosen eye uses the one that it has.
    first_fixation
        ``keep`` or ``drop``: what to do with the first fixation of each trial. It is found by its
        number before anything else is left out.
    min_duration_ms, max_duration_ms
        Fixations that are shorter or longer, ms, are left out; None for no bound. Fixations of
        unknown duration stay.
    outside
        ``drop`` fixations outside their image, or ``clamp`` them to its border.
    weighting
        ``equal``, or ``duration``: what each fixation counts in a human map.
    sigma, sigma_unit
        Standard deviation of the human maps' Gaussian, in ``px`` (image px) or ``deg``.
    """

    eye: str = "best"
    first_fixation: str = "keep"
    min_duration_ms: float | None = None
    max_duration_ms: float | None = None
    outside: str = "drop"
    weighting: str = "equal"
    sigma: float = 24.0
    sigma_unit: str = "px"

    def __post_init__(self) -> None:
        known = {"eye": EYES, "first_fixation": FIRST, "outside": OUTSIDE, "weighting": WEIGHTING}
        for name, allowed in known.items():
            if getattr(self, name) not in allowed:
                raise GazeError(
                    f"'{getattr(self, name)}' is no choice for {name.replace('_', ' ')}.",
                    todo=f"Choose {', '.join(allowed[:-1])} or {allowed[-1]}.",
                )
        shortest, longest = self.min_duration_ms, self.max_duration_ms
        for bound in (shortest, longest):
            if bound is not None and not (math.isfinite(bound) and bound >= 0):
                raise GazeError(f"A bound of the duration must be 0 ms or more, not {bound}.")
        if shortest is not None and longest is not None and shortest > longest:
            raise GazeError(f"The minimum duration, {shortest:g} ms, is above the maximum, {longest:g} ms.")
        Sigma(self.sigma, self.sigma_unit, 1.0)  # says what is wrong with a sigma

    def as_json(self) -> Json:
        """Return the choices for storing."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> GazeChoices:
        """Return the choices of what :meth:`as_json` gave; what is missing has its default."""
        names = {entry.name for entry in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})

    def in_words(self) -> str:
        """Return the choices as a sentence for methods texts."""
        eye = {"best": "the better recorded eye", "average": "the mean of both eyes"}
        parts = [
            f"fixations of {eye.get(self.eye, f'the {self.eye} eye')}",
            f"the first of each trial {'kept' if self.first_fixation == 'keep' else 'left out'}",
        ]
        if self.min_duration_ms is not None:
            parts.append(f"those under {self.min_duration_ms:g} ms left out")
        if self.max_duration_ms is not None:
            parts.append(f"those over {self.max_duration_ms:g} ms left out")
        outside = "left out" if self.outside == "drop" else "moved to the image's border"
        parts.append(f"those outside the image {outside}")
        parts.append(
            "weighted by duration in human maps" if self.weighting == "duration" else "equal weights"
        )
        return ", ".join(parts)


def eyes_used(fixations: Fixations, trial: IntArray, n_trials: int, eye: str) -> CodeArray:
    """Return the eye that each trial uses.

    Parameters
    ----------
    fixations
        Of one recording.
    trial
        Number of the trial of each, shape (n,), from 0.
    n_trials
        Number of trials.
    eye
        One of :data:`EYES`.

    Returns
    -------
    numpy.ndarray
        Codes of :class:`~gazeapp.engine.gaze.records.Eye`, shape (n_trials,).
    """
    good = fixations.unusable == Why.USED
    counts = np.zeros((n_trials, len(Eye)), dtype=np.int64)
    np.add.at(counts, (trial[good], fixations.eye[good]), 1)
    totals = counts.sum(axis=0)
    order = [Eye.LEFT, Eye.RIGHT] if totals[Eye.LEFT] >= totals[Eye.RIGHT] else [Eye.RIGHT, Eye.LEFT]
    if eye == "best":
        preferred = [*order, Eye.UNKNOWN, Eye.AVERAGE]
    elif eye == "average":
        preferred = [Eye.AVERAGE, *order, Eye.UNKNOWN]
    else:
        first = Eye.of(eye)
        preferred = [first, *(other for other in order if other != first), Eye.UNKNOWN, Eye.AVERAGE]
    # The first preferred eye with a position; a trial without any takes the first one that was recorded.
    recorded = np.zeros_like(counts)
    np.add.at(recorded, (trial, fixations.eye), 1)
    rank = 2 * (counts[:, preferred] > 0) + (recorded[:, preferred] > 0)
    used: CodeArray = np.array(preferred, dtype=np.int8)[rank.argmax(axis=1)]
    return used


def mark(
    fixations: Fixations,
    trial: IntArray,
    eye_of_trial: CodeArray,
    on_image: BoolArray,
    choices: GazeChoices,
) -> CodeArray:
    """Return why each fixation is not used.

    The first reason of this order counts: the other eye, the first fixation of its trial, unusable as
    read, too short or too long, outside the image.

    Parameters
    ----------
    fixations
        Of one recording.
    trial
        Number of the trial of each, shape (n,).
    eye_of_trial
        The eye that each trial uses (:func:`eyes_used`), shape (n_trials,).
    on_image
        Whether each lies on its image, shape (n,); True where the image is unknown.
    choices
        What the user chose.

    Returns
    -------
    numpy.ndarray
        Codes of :class:`~gazeapp.engine.gaze.records.Why`, shape (n,).
    """
    why = np.zeros(len(fixations), dtype=np.int8)
    if choices.outside == "drop":
        why[~on_image] = Why.OUTSIDE_IMAGE
    duration = fixations.duration_ms
    if choices.max_duration_ms is not None:
        why[duration > choices.max_duration_ms] = Why.TOO_LONG
    if choices.min_duration_ms is not None:
        why[duration < choices.min_duration_ms] = Why.TOO_SHORT
    why = np.where(fixations.unusable != Why.USED, fixations.unusable, why)
    other = fixations.eye != eye_of_trial[trial]
    if choices.first_fixation == "drop":
        own = np.flatnonzero(~other)
        lowest = np.full(len(eye_of_trial), np.iinfo(np.int64).max)
        np.minimum.at(lowest, trial[own], fixations.index[own])
        first = own[fixations.index[own] == lowest[trial[own]]]
        why[first] = Why.FIRST_FIXATION
    why[other] = Why.OTHER_EYE
    return why


def with_average(fixations: Fixations, trial: IntArray) -> tuple[Fixations, IntArray]:
    """Return fixations with those of both eyes averaged added, and the trial of each.

    In each trial, a left and a right fixation belong together when each overlaps the other in time
    longer than any other does. Their average has the mean position, the earlier begin, and lasts to
    the later end. A fixation without a partner stands for both eyes as it is, so that the averaged
    scanpath has no holes. Trials in which only one eye was recorded, or with averages already, get none.

    Parameters
    ----------
    fixations
        Of one recording; those of a trial together.
    trial
        Number of the trial of each, shape (n,), not falling.

    Returns
    -------
    tuple
        Fixations with codes ``AVERAGE`` behind the others of their trial, and the trial of each.
    """
    both = np.isin(fixations.eye, (Eye.LEFT, Eye.RIGHT))
    if not (both.any() and (fixations.eye == Eye.LEFT).any() and (fixations.eye == Eye.RIGHT).any()):
        return fixations, trial
    parts, owners = [fixations], [trial]
    bounds = np.flatnonzero(np.r_[True, trial[1:] != trial[:-1], True])
    for start, stop in pairwise(bounds.tolist()):
        part = fixations.part(slice(start, stop))
        left, right = part.part(part.eye == Eye.LEFT), part.part(part.eye == Eye.RIGHT)
        if len(left) and len(right) and not (part.eye == Eye.AVERAGE).any():
            averaged = _averaged(left, right)
            parts.append(averaged)
            owners.append(np.full(len(averaged), trial[start]))
    names = Fixations.__slots__
    merged = Fixations(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return merged.part(order), owner[order]


def _averaged(left: Fixations, right: Fixations) -> Fixations:
    pairs = _pairs(left, right)
    rows = []
    for a, b in pairs:
        one, two = left.part(slice(a, a + 1)), right.part(slice(b, b + 1))
        bare = np.isnan([one.x[0], two.x[0]])
        x, y = ((float(getattr(one, axis)[0]), float(getattr(two, axis)[0])) for axis in "xy")
        begin = min(one.start_ms[0], two.start_ms[0])
        end = max(one.start_ms[0] + one.duration_ms[0], two.start_ms[0] + two.duration_ms[0])
        # An eye without a position adds none to the mean.
        if bare.any():
            seen = int(np.flatnonzero(~bare)[0]) if not bare.all() else 0
            rows.append(
                (x[seen], y[seen], begin, end - begin, int((left, right)[seen].unusable[(a, b)[seen]]))
            )
        else:
            why = max(int(one.unusable[0]), int(two.unusable[0]))
            rows.append((sum(x) / 2, sum(y) / 2, begin, end - begin, why))
    for table, taken in ((left, {a for a, _ in pairs}), (right, {b for _, b in pairs})):
        rows += [
            (table.x[k], table.y[k], table.start_ms[k], table.duration_ms[k], int(table.unusable[k]))
            for k in range(len(table))
            if k not in taken
        ]
    columns: DoubleArray = np.array(sorted(rows, key=lambda row: row[2]), dtype=np.float64)
    return Fixations.of(
        columns[:, 0],
        columns[:, 1],
        start_ms=columns[:, 2],
        duration_ms=columns[:, 3],
        eye=Eye.AVERAGE,
        unusable=columns[:, 4].astype(np.int8),
    )


def _pairs(left: Fixations, right: Fixations) -> list[tuple[int, int]]:
    """Return rows of left and right fixations that overlap each other the longest."""
    ends = [table.start_ms + table.duration_ms for table in (left, right)]
    shared = np.minimum(ends[0][:, None], ends[1][None, :])
    shared = shared - np.maximum(left.start_ms[:, None], right.start_ms[None, :])
    shared = np.where(np.isfinite(shared) & (shared > 0), shared, 0.0)
    best_right, best_left = shared.argmax(axis=1), shared.argmax(axis=0)
    return [(a, int(b)) for a, b in enumerate(best_right) if shared[a, b] > 0 and best_left[b] == a]
