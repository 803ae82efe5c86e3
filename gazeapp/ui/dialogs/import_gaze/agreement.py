"""How far fixations found in samples agree with the tracker's own, over all trials of a recording."""

from __future__ import annotations

import math

import numpy as np

from gazeapp.engine.gaze.detection import Agreement, compare_fixations
from gazeapp.engine.gaze.plan import ImportPlan
from gazeapp.engine.gaze.records import Contents, Fixations, Why
from gazeapp.engine.types import IntArray
from gazeapp.ui.dialogs.import_gaze.trial_drawing import trackers_own

_APART_MS = 1e10
"""Between trials, so that none of one overlaps any of another, whatever their clocks."""


def agreement_of(plan: ImportPlan, own: Contents) -> Agreement:
    """Return how far two sets of fixations agree, trial by trial, figures pooled over trials.

    Parameters
    ----------
    plan
        With fixations found in the samples; those of each trial's eye count.
    own
        The tracker's own fixations, of the same trials.
    """
    found, numbers = _pooled(
        [plan.fixations.part(trial.rows).part(plan.why[trial.rows] != Why.OTHER_EYE) for trial in plan.trials]
    )
    theirs, owners = _pooled([trackers_own(own, k, trial.eye)[0] for k, trial in enumerate(plan.trials)])
    starts = np.concatenate([found.start_ms, theirs.start_ms])
    first = float(np.nanmin(starts)) if np.isfinite(starts).any() else 0.0
    return compare_fixations(_apart(found, numbers, first), _apart(theirs, owners, first))


def _pooled(parts: list[Fixations]) -> tuple[Fixations, IntArray]:
    """Return fixations of trials one after the other, and the number of the trial of each."""
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in Fixations.__slots__)
    return Fixations(*columns), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _apart(fixations: Fixations, trial: IntArray, first: float) -> Fixations:
    columns = {name: getattr(fixations, name) for name in Fixations.__slots__}
    columns["start_ms"] = fixations.start_ms - first + trial * _APART_MS
    return Fixations(**columns)


def in_words(agreement: Agreement, unit: str) -> list[str]:
    """Return the figures, a line each; ``unit`` is that of positions."""
    lines = [
        f"{agreement.n_b:,} of the tracker, {agreement.n_a:,} found here",
        f"{agreement.n_matched:,} pairs overlap in time",
    ]
    if math.isfinite(agreement.share_matched):
        lines[1] += f": {agreement.share_matched:.0%} agree"
    for name, value, of in (
        ("begins", agreement.onset_ms, "ms"),
        ("durations", agreement.duration_ms, "ms"),
        ("positions", agreement.distance, unit),
    ):
        if math.isfinite(value):
            lines.append(f"{name} differ by {_short(value)} {of}")
    return lines


def _short(value: float) -> str:
    """Return a number with two or three digits that mean something."""
    return f"{value:.{0 if value >= 10 else 1 if value >= 1 else 2}f}"
