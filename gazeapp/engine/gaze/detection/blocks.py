"""Samples as blocks without gaps, and what all methods do with the runs of samples that they find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.gaze.detection.settings import Thresholds
from gazeapp.engine.types import DoubleArray, IntArray

_FARTHEST_DEG = 1e6
"""Positions beyond this are on no screen; they count as lost."""


@dataclass(frozen=True, slots=True)
class Track:
    """The samples of one eye that have a position, in blocks without gaps.

    Parameters
    ----------
    rows
        Which of the samples given these are, shape (n,).
    t_ms
        Times, shape (n,), ms; ascending within a block.
    x, y
        Positions, shape (n,), degrees from anywhere.
    series
        Number of the trial of each, shape (n,).
    begin, end
        First and last sample of the block of each, shape (n,).
    period_ms
        Usual time between samples, ms.
    """

    rows: IntArray
    t_ms: DoubleArray
    x: DoubleArray
    y: DoubleArray
    series: IntArray
    begin: IntArray
    end: IntArray
    period_ms: float

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of samples of a :class:`Track`, each within a block, in order and apart.

    Parameters
    ----------
    first, last
        First and last sample of each, shape (n_runs,); indices into the track.
    """

    first: IntArray
    last: IntArray

    def __len__(self) -> int:
        return len(self.first)


def track_of(
    t_ms: DoubleArray,
    x_deg: DoubleArray,
    y_deg: DoubleArray,
    series: IntArray,
    period_ms: float,
    max_gap_ms: float,
) -> Track:
    """Return the samples with a position, divided into blocks.

    A block ends where the next sample with a position belongs to another series, or comes so late that
    more than ``max_gap_ms`` (and more than half a period, which is jitter) are lost between.

    Parameters
    ----------
    t_ms
        Times, shape (n,), ms; ascending within a series.
    x_deg, y_deg
        Positions, shape (n,), degrees; NaN where gaze was lost.
    series
        Number of the trial of each, shape (n,); those of a trial together.
    period_ms
        Usual time between samples, ms.
    max_gap_ms
        Longest loss within a block, ms.
    """
    rows = np.flatnonzero((np.abs(x_deg) < _FARTHEST_DEG) & (np.abs(y_deg) < _FARTHEST_DEG))
    times, owner = t_ms[rows], series[rows]
    # A hair more than the bound, for times that are no exact multiples of a period.
    late = np.diff(times) > period_ms + max(max_gap_ms, 0.5 * period_ms) + 1e-6 * period_ms
    starts = np.flatnonzero(np.r_[len(rows) > 0, late | (np.diff(owner) != 0)])
    sizes = np.diff(np.r_[starts, len(rows)])
    return Track(
        rows,
        times,
        x_deg[rows],
        y_deg[rows],
        owner,
        np.repeat(starts, sizes),
        np.repeat(starts + sizes - 1, sizes),
        period_ms,
    )


def means(values: DoubleArray, runs: Runs) -> DoubleArray:
    """Return the mean of a column of the track over each run, shape (n_runs,)."""
    if not len(runs):
        return np.zeros(0)
    # Sums from the start of a run to its end; the sums in between are passed over.
    bounds = np.column_stack([runs.first, runs.last + 1]).ravel()
    padded = np.append(values, 0.0)
    sums: DoubleArray = np.add.reduceat(padded, bounds)[::2]
    return sums / (runs.last - runs.first + 1)


def durations(track: Track, runs: Runs) -> DoubleArray:
    """Return how long each run lasts, shape (n_runs,), ms: from first to last sample, and one period."""
    lasted: DoubleArray = track.t_ms[runs.last] - track.t_ms[runs.first] + track.period_ms
    return lasted


def merged(track: Track, runs: Runs, thresholds: Thresholds) -> Runs:
    """Return the runs with neighbours joined that are close in time and position and in one block.

    The distance is that of the mean positions of the two neighbours as found; a chain of neighbours
    that are close becomes one run.
    """
    if thresholds.merge_gap_ms <= 0 or len(runs) < 2:
        return runs
    x, y = means(track.x, runs), means(track.y, runs)
    pause = track.t_ms[runs.first[1:]] - track.t_ms[runs.last[:-1]] - track.period_ms
    close = (
        (pause <= thresholds.merge_gap_ms)
        & (np.hypot(np.diff(x), np.diff(y)) <= thresholds.merge_distance_deg)
        & (track.begin[runs.first[1:]] == track.begin[runs.first[:-1]])
    )
    return Runs(runs.first[np.r_[True, ~close]], runs.last[np.r_[~close, True]])


def long_enough(track: Track, runs: Runs, min_duration_ms: float) -> Runs:
    """Return the runs that last at least so long, ms."""
    # Times such as 16.67 ms do not add up exactly.
    keep = durations(track, runs) >= min_duration_ms - 1e-6 * track.period_ms
    return Runs(runs.first[keep], runs.last[keep])
