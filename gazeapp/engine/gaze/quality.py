"""How good recordings are: figures of trials and of recordings, repeated scanpaths, and outliers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.gaze.records import Fixations, Samples, Trial
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, Json

GAP_MS = 75.0
"""Gaze that is lost for longer than this counts as a gap: blinks are longer, dropped samples shorter."""

_LONG_STEP = 1.5
"""Steps in time above this many usual ones have samples missing between."""

_SHORTEST_STEP_MS = 1e-3
"""Samples closer in time than this are one sample that was written twice: no tracker has a rate of 1 MHz."""

_FEWEST = 5
"""Among fewer values than this, none is called an outlier."""

LATEST_MS = 1e15
"""Times beyond this are no times of any clock."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure of quality is called and means.

    Parameters
    ----------
    name
        Head of its column.
    unit
        Unit of the value: empty for counts, ``share`` for 0 to 1.
    tooltip
        How it is computed, as sentences.
    least
        Smallest distance from the median that is worth marking as an outlier, in the unit.
    """

    name: str
    unit: str
    tooltip: str
    least: float = 0.0


FIGURES: dict[str, Figure] = {
    "n_recorded": Figure(
        "Fixations recorded", "", "Fixations of the eye in use, whether they are used or left out.", 3.0
    ),
    "n_fixations": Figure("Fixations used", "", "Fixations that are not left out.", 3.0),
    "share_unusable": Figure(
        "Share unusable",
        "share",
        "Of the recorded fixations, those without a position, marked as not valid in the file, or not on "
        "the surface.",
        0.05,
    ),
    "share_outside": Figure(
        "Share outside",
        "share",
        "Of the recorded fixations, those with a usable position that is not on the image.",
        0.05,
    ),
    "median_duration_ms": Figure(
        "Median duration",
        "ms",
        "Median duration of the fixations used; of a recording, the median over its trials.",
        20.0,
    ),
    "n_duplicates": Figure(
        "Duplicates",
        "",
        "Fixations with the eye, position, begin and duration of another one of the trial. Those without "
        "a begin are not compared.",
    ),
    "n_samples": Figure(
        "Samples", "", "Samples in the file, lost ones included; of the better recorded eye."
    ),
    "share_lost": Figure(
        "Share lost",
        "share",
        "Of the samples that the rate makes expect, those without a position or without a row; of "
        "the better recorded eye.",
        0.05,
    ),
    "rate_hz": Figure(
        "Rate",
        "Hz",
        "Sampling rate as measured: 1000 over the mean step in time, without steps above 1.5 times the median.",
        1.0,
    ),
    "gaps": Figure("Gaps", "", "Times that gaze was lost for longer than 75 ms.", 1.0),
    "longest_gap_ms": Figure("Longest gap", "ms", "The longest time without gaze.", GAP_MS),
}
"""The figures by the key that they have in tables of quality; texts for tooltips and exports."""


def sample_quality(t_ms: DoubleArray, x: DoubleArray, y: DoubleArray, rate_hz: float | None = None) -> Json:
    """Return what the samples of a trial say about its quality.

    Where time runs backwards, the samples of another eye begin: figures are over all eyes.

    Parameters
    ----------
    t_ms
        Times of the samples, shape (n,), ms; ascending within an eye.
    x, y
        Positions in any frame, shape (n,); NaN where gaze was lost.
    rate_hz
        The rate that the file states, Hz; used when there are too few samples to measure it.

    Returns
    -------
    dict
        ``n_samples``, ``share_lost``, ``rate_hz``, ``gaps``, ``longest_gap_ms``, as in :data:`FIGURES`;
        the share is None without samples, the rate when neither measured nor stated.
    """
    timed = np.abs(t_ms) < LATEST_MS
    times = np.asarray(t_ms, dtype=np.float64)[timed]
    seen = (np.isfinite(x) & np.isfinite(y))[timed]
    n = len(timed)
    steps = np.diff(times)
    period, long = _period(steps)
    if period is None and rate_hz is not None and rate_hz > 0:
        period, long = 1000.0 / rate_hz, _LONG_STEP * 1000.0 / rate_hz
    absent = int(np.sum(np.round(steps[steps > long] / period) - 1)) if period is not None else 0
    gaps, longest = _gaps(times, seen, period or 0.0, long)
    return {
        "n_samples": n,
        "share_lost": 1.0 - int(seen.sum()) / (n + absent) if n else None,
        "rate_hz": None if period is None else 1000.0 / period,
        "gaps": gaps,
        "longest_gap_ms": longest,
    }


def sampling_period(t_ms: DoubleArray) -> float | None:
    """Return the usual time between samples, ms; None when there are too few.

    It is the mean step without those above 1.5 times the median, so that times rounded to ms (16, 17, 17;
    or 0, 1, 0, 1 at 2000 Hz) give the true period, and jumps between blocks do not count.
    """
    return _period(np.diff(t_ms[np.abs(t_ms) < LATEST_MS]))[0]


def _period(steps: DoubleArray) -> tuple[float | None, float]:
    """Return the usual step, and the length from which a step is longer than usual, ms."""
    onward = steps[steps > _SHORTEST_STEP_MS]
    if not len(onward):
        return None, np.inf
    long = _LONG_STEP * float(np.median(onward))
    return float(np.mean(steps[(steps >= 0) & (steps <= long)])), long


def _gaps(times: DoubleArray, seen: BoolArray, period: float, long: float) -> tuple[int, float]:
    """Return the number of gaps longer than :data:`GAP_MS`, and the longest time without gaze, ms."""
    if not len(times):
        return 0, 0.0
    starts = np.flatnonzero(np.r_[True, np.diff(times) < 0])
    ends = np.r_[starts[1:], len(times)] - 1
    # A sample is seen one period before the first and one after the last, so that loss there counts, too.
    all_times = np.concatenate([times[seen], times[starts] - period, times[ends] + period])
    series = np.repeat(np.arange(len(starts)), ends - starts + 1)[seen]
    all_series = np.concatenate([series, np.arange(len(starts)), np.arange(len(starts))])
    order = np.lexsort((all_times, all_series))
    same = np.diff(all_series[order]) == 0
    steps = np.diff(all_times[order])[same]
    lost = steps[steps > long] - period
    return int(np.count_nonzero(lost > GAP_MS)), float(lost.max()) if len(lost) else 0.0


def with_sample_quality(
    trials: Sequence[Trial], samples: Samples, rate_hz: float | None = None
) -> tuple[Trial, ...]:
    """Return the trials with the quality of their samples, those of the eye that lost fewer.

    Trials without samples, or whose share lost is known already, stay as they are.
    """
    return tuple(_with_quality(trial, samples.part(trial.sample_rows), rate_hz) for trial in trials)


def _with_quality(trial: Trial, samples: Samples, rate_hz: float | None) -> Trial:
    if not len(samples) or trial.quality.get("share_lost") is not None:
        return trial
    parts = (samples.part(samples.eye == eye) for eye in np.unique(samples.eye))
    found = [sample_quality(part.t_ms, part.x, part.y, rate_hz) for part in parts]
    return replace(trial, quality={**trial.quality, **min(found, key=lambda one: one["share_lost"])})


def summarise(trials: Sequence[Json]) -> Json:
    """Return the figures of a recording, from those of its trials.

    Counts are sums; shares are means weighted by what they are shares of; the rate and the median
    duration are medians over trials; the longest gap is the longest of all. Keys that no trial has are
    left out.
    """
    found: Json = {"n_trials": len(trials)}
    for key in ("n_recorded", "n_fixations", "n_duplicates", "n_samples", "gaps"):
        values = _values(trials, key)
        if len(values):
            found[key] = int(values.sum())
    for key, weight in (
        ("share_unusable", "n_recorded"),
        ("share_outside", "n_recorded"),
        ("share_lost", "n_samples"),
    ):
        pairs = [(t[key], t.get(weight) or 0) for t in trials if t.get(key) is not None]
        weights = sum(weight for _, weight in pairs)
        if weights:
            found[key] = float(sum(value * weight for value, weight in pairs) / weights)
    for key in ("median_duration_ms", "rate_hz"):
        values = _values(trials, key)
        if len(values):
            found[key] = float(np.median(values))
    values = _values(trials, "longest_gap_ms")
    if len(values):
        found["longest_gap_ms"] = float(values.max())
    return found


def _values(trials: Sequence[Json], key: str) -> DoubleArray:
    return np.array([trial[key] for trial in trials if trial.get(key) is not None], dtype=np.float64)


def scanpath_digests(fixations: Fixations, trial: IntArray, n_trials: int) -> list[str]:
    """Return a digest of the positions and durations of each trial's fixations; empty for none.

    Begins do not count, so that a trial that was exported twice with different clocks is the same.

    Parameters
    ----------
    fixations
        Those of a trial together.
    trial
        Number of the trial of each, shape (n,), not falling.
    n_trials
        Number of trials.
    """
    table = np.column_stack([fixations.x, fixations.y, fixations.duration_ms, fixations.eye])
    bounds = np.searchsorted(trial, np.arange(n_trials + 1))
    return [
        hashlib.sha256(table[start:stop].tobytes()).hexdigest() if stop > start else ""
        for start, stop in pairwise(bounds.tolist())
    ]


def repeated_trials(subjects: Sequence[str], images: Sequence[str], digests: Sequence[str]) -> IntArray:
    """Return for each trial the number of the earlier one that it repeats, -1 for none, shape (n,).

    Trials repeat each other when subject, image and scanpath are the same, in whatever recordings they
    are: a file that was loaded twice, or a trial that was exported into two files.

    Parameters
    ----------
    subjects, images, digests
        Of each trial; digests from :func:`scanpath_digests`.
    """
    first: dict[tuple[str, str, str], int] = {}
    found = np.full(len(digests), -1, dtype=np.int64)
    for k, key in enumerate(zip(subjects, images, digests, strict=True)):
        if key[2] and first.setdefault(key, k) != k:
            found[k] = first[key]
    return found


def outliers(values: ArrayLike, k: float = 3.5, least: float = 0.0) -> BoolArray:
    """Return which values are far from the others, by the modified z score (Iglewicz & Hoaglin 1993).

    z = 0.6745 (value - median) / MAD, MAD being the median absolute deviation from the median; outliers
    have abs(z) > k. Where MAD is 0, because more than half of the values are the same, the mean absolute
    deviation times 1.2533 stands for MAD / 0.6745. Fewer than 5 values have no outliers.

    Parameters
    ----------
    values
        Shape (n,); NaN values are no outliers and do not count.
    k
        How far is far, in modified z.
    least
        Values closer to the median than this are no outliers, whatever their z; in the values' unit.
    """
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    if np.count_nonzero(finite) < _FEWEST:
        return np.zeros(array.shape, dtype=np.bool_)
    away = np.abs(array - np.median(array[finite]))
    mad = float(np.median(away[finite]))
    spread = mad / 0.6745 if mad > 0 else 1.2533 * float(np.mean(away[finite]))
    far: BoolArray = finite & (away > k * spread) & (away >= least)
    return far
