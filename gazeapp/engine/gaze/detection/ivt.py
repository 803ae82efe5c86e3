"""I-VT: gaze that moves slower than a threshold fixates (Salvucci & Goldberg 2000)."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.gaze.detection.blocks import Runs, Track
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray


def velocities(track: Track, window_ms: float) -> DoubleArray:
    """Return the speed of gaze between each sample and the next, shape (n - 1,), degrees per second.

    It is the distance between the mean position of the samples in the half window before and that of
    those in the half window after, over the difference of their mean times. A half window holds
    max(1, round(window / (2 period))) samples and ends where the block does. With one sample this is
    the speed from sample to sample. Between blocks it is infinite.

    Parameters
    ----------
    track
        The samples.
    window_ms
        The whole window, ms.
    """
    n = len(track)
    if n < 2:
        return np.zeros(0)
    half = max(1, round(window_ms / (2 * track.period_ms)))
    here = np.arange(n - 1)
    before = np.maximum(here - half + 1, track.begin[:-1])
    after = np.minimum(here + half, track.end[:-1])
    same = here < track.end[:-1]
    # Times from the start of the block keep the sums small.
    since = track.t_ms - track.t_ms[track.begin]
    dt, dx, dy = (_change(column, before, here, after, same) for column in (since, track.x, track.y))
    with np.errstate(divide="ignore", invalid="ignore"):
        speed: DoubleArray = 1000.0 * np.hypot(dx, dy) / dt
    # Samples at the same time are one sample that was written twice.
    return np.where(same, np.where(dt > 0, speed, 0.0), np.inf)


def _change(
    column: DoubleArray, before: IntArray, here: IntArray, after: IntArray, same: BoolArray
) -> DoubleArray:
    """Return the mean over (here, after] less the mean over [before, here]."""
    sums = np.concatenate([[0.0], np.cumsum(column - column[0])])
    middle = sums[1:-1]
    ahead = (sums[after + 1] - middle) / np.where(same, after - here, 1)
    behind = (middle - sums[before]) / (here - before + 1)
    change: DoubleArray = ahead - behind
    return change


def find_runs(track: Track, velocity_deg_s: float, window_ms: float) -> Runs:
    """Return the runs of samples between which gaze is slower than a threshold.

    Parameters
    ----------
    track
        The samples.
    velocity_deg_s
        The threshold, degrees per second.
    window_ms
        The time over which velocity is measured, ms.
    """
    slow = velocities(track, window_ms) < velocity_deg_s
    edges = np.diff(np.concatenate([[False], slow, [False]]).astype(np.int8))
    # A slow step joins its sample to the next one.
    return Runs(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1))
