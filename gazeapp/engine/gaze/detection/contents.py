"""Finding fixations in the samples of one trial, and in those of a whole recording."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.detection import extras, idt, ivt
from gazeapp.engine.gaze.detection.blocks import Runs, Track, durations, long_enough, means, merged, track_of
from gazeapp.engine.gaze.detection.settings import IDT, IVT, DetectionSettings, Thresholds
from gazeapp.engine.gaze.quality import LATEST_MS, sampling_period, with_sample_quality
from gazeapp.engine.gaze.records import (
    IMAGE,
    Contents,
    Eye,
    Fixations,
    Frame,
    Samples,
    Trial,
    empty_fixations,
)
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

FOUND = "Fixations were found in the samples"
"""How the note begins that says by which method and thresholds."""

_FARTHEST = 1e9
"""Positions beyond this, in whatever unit, are on no screen."""


def detect(
    samples: Samples,
    *,
    px_per_degree: float | None,
    scale: tuple[float, float] = (1.0, 1.0),
    settings: DetectionSettings | None = None,
    rate_hz: float | None = None,
) -> Fixations:
    """Return the fixations in the samples of one trial and one eye.

    Parameters
    ----------
    samples
        In any order.
    px_per_degree
        Screen px in a degree of visual angle.
    scale
        Screen px in one unit of x and of y: 1 for px, the screen size for shares.
    settings
        The method and its thresholds; the defaults when None.
    rate_hz
        Sampling rate, Hz; measured when None.

    Returns
    -------
    Fixations
        Positions are means of the samples, in the frame of these; durations are from the first to the
        last sample and one period, ms; numbers are from 1; the eye is that of the samples.

    Raises
    ------
    GazeError
        When the px in a degree are not known, or a package that the method needs is not installed.
    """
    pitch = _pitch(px_per_degree, scale)
    gaze = _ordered(samples, np.zeros(len(samples), dtype=np.int64))
    period = _period(gaze, rate_hz)
    if period is None:
        return empty_fixations()
    thresholds = (settings or DetectionSettings()).at(1000.0 / period, _noise(gaze, pitch))
    return _find(gaze, pitch, period, thresholds)[0]


def detect_contents(
    contents: Contents,
    *,
    screen: tuple[float, float] | None,
    px_per_degree: float | None,
    settings: DetectionSettings | None = None,
    average: bool = True,
) -> Contents:
    """Return a recording with the fixations that are found in its samples in place of those that it had.

    Parameters
    ----------
    contents
        With samples.
    screen
        Screen size (width, height), px; needed where positions are shares of the screen.
    px_per_degree
        Screen px in a degree of visual angle.
    settings
        The method and its thresholds; the defaults when None.
    average
        Whether to search the mean of both eyes, too, in trials where both were recorded; where only one
        has a position, that one stands for both.

    Returns
    -------
    Contents
        Fixations of each eye of a trial one after the other, in order of time; trials have the quality
        of their samples; a note says how fixations were found.

    Raises
    ------
    GazeError
        When there are no samples, or the px in a degree or the screen size are needed and not known, or
        a package that the method needs is not installed.
    """
    facts, samples = contents.facts, contents.samples
    if samples is None or not len(samples):
        raise GazeError("The recording holds no samples to find fixations in.")
    pitch = _pitch(px_per_degree, scale_of(facts.frame, screen))
    notes, fixations, trials = list(facts.notes), empty_fixations(), contents.trials
    eyes = _eyes(samples, trials, average)
    # The eye with most samples tells rate and noise for all.
    main = max(eyes, key=lambda gaze: len(gaze.trial))
    period = _period(main, facts.rate_hz)
    if period is None:
        notes.append("The recording has too few samples to find fixations in.")
        rows = [slice(0, 0)] * len(trials)
    else:
        thresholds = (settings or DetectionSettings()).at(1000.0 / period, _noise(main, pitch))
        fixations, rows, troubles = _find_all(eyes, len(trials), pitch, period, thresholds)
        notes.append(
            f"{FOUND} by {thresholds.in_words()}, at "
            f"{1000.0 / period:.4g} Hz and {px_per_degree:.4g} px per degree."
        )
        notes += troubles
        if facts.frame.of == IMAGE:
            notes.append("Samples are px of the image; each was taken as one px of the screen.")
    with_rows = [replace(trial, rows=part) for trial, part in zip(trials, rows, strict=True)]
    return Contents(
        replace(facts, notes=tuple(notes)),
        with_sample_quality(with_rows, samples, facts.rate_hz),
        fixations,
        samples,
    )


def scale_of(frame: Frame, screen: tuple[float, float] | None) -> tuple[float, float]:
    """Return the screen px in one unit of x and of y of a frame.

    Raises
    ------
    GazeError
        When positions are shares and their size in px is not known.
    """
    if frame.unit == "px":
        return 1.0, 1.0
    if frame.of == IMAGE:
        raise GazeError(
            "The samples are shares of an image, so their distances in degrees are not known.",
            todo="Export the samples in px of the screen.",
        )
    if screen is None:
        raise GazeError(
            "The samples are shares of the screen, and the file does not say how large the screen was.",
            todo="Give the screen size in px (--screen on the command line).",
        )
    return screen


@dataclass(frozen=True, slots=True)
class _Gaze:
    """Samples of one eye, and the number of the trial of each; in order of trial and time."""

    samples: Samples
    trial: IntArray


def _pitch(px_per_degree: float | None, scale: tuple[float, float]) -> tuple[float, float]:
    """Return the degrees in one unit of x and of y."""
    if px_per_degree is None:
        raise GazeError(
            "Fixations are found in samples by degrees of visual angle, and these are not known.",
            todo="Give the viewing distance and the width of the screen in cm, and its width in px.",
        )
    if not (math.isfinite(px_per_degree) and px_per_degree > 0):
        raise GazeError(f"The px in a degree of visual angle must be above 0, not {px_per_degree:g}.")
    return scale[0] / px_per_degree, scale[1] / px_per_degree


def _period(gaze: _Gaze, rate_hz: float | None) -> float | None:
    """Return the usual time between samples, ms: as measured, else as stated."""
    measured = sampling_period(gaze.samples.t_ms)
    return measured if measured or not rate_hz else 1000.0 / rate_hz


def _noise(gaze: _Gaze, pitch: tuple[float, float]) -> float:
    """Return the standard deviation of the noise in x and in y, degrees, by the usual step of gaze.

    Steps between samples are mostly noise; where it is Gaussian, their median length is
    2 sqrt(ln 2) = 1.665 standard deviations.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.hypot(np.diff(gaze.samples.x) * pitch[0], np.diff(gaze.samples.y) * pitch[1])
    steps = steps[np.isfinite(steps)]
    return float(np.median(steps)) / (2 * math.sqrt(math.log(2))) if len(steps) else 0.0


def _eyes(samples: Samples, trials: tuple[Trial, ...], average: bool) -> list[_Gaze]:
    """Return the samples of each eye that lie in trials, and the mean of both eyes where it is wanted."""
    owner = np.full(len(samples), -1, dtype=np.int64)
    for number, trial in enumerate(trials):
        owner[trial.sample_rows] = number
    eyes = {}
    for code in np.unique(samples.eye):
        rows = np.flatnonzero((samples.eye == code) & (owner >= 0))
        eyes[Eye(int(code))] = _ordered(samples.part(rows), owner[rows])
    if average and Eye.LEFT in eyes and Eye.RIGHT in eyes and Eye.AVERAGE not in eyes:
        eyes[Eye.AVERAGE] = _both(eyes[Eye.LEFT], eyes[Eye.RIGHT])
    return list(eyes.values())


def _ordered(samples: Samples, trial: IntArray) -> _Gaze:
    """Return samples of one eye that have a time, in order of trial and time."""
    timed = np.abs(samples.t_ms) < LATEST_MS
    if not timed.all():
        samples, trial = samples.part(timed), trial[timed]
    step, onward = np.diff(samples.t_ms), np.diff(trial)
    if np.any((onward < 0) | ((onward == 0) & (step < 0))):
        order = np.lexsort((samples.t_ms, trial))
        samples, trial = samples.part(order), trial[order]
    return _Gaze(samples, trial)


def _find_all(
    eyes: list[_Gaze], n_trials: int, pitch: tuple[float, float], period: float, thresholds: Thresholds
) -> tuple[Fixations, list[slice], list[str]]:
    """Return the fixations of all eyes by trial, eye and time, the rows of each trial, and notes."""
    found = [_find(gaze, pitch, period, thresholds) for gaze in eyes]
    trial_of = np.concatenate([trial for _, trial, _ in found])
    table = Fixations(
        *(np.concatenate([getattr(part, name) for part, _, _ in found]) for name in Fixations.__slots__)
    )
    order = np.argsort(trial_of, kind="stable")
    bounds = np.searchsorted(trial_of[order], np.arange(n_trials + 1)).tolist()
    notes = list(dict.fromkeys(note for _, _, note in found if note))
    return table.part(order), [slice(bounds[k], bounds[k + 1]) for k in range(n_trials)], notes


def _both(left: _Gaze, right: _Gaze) -> _Gaze:
    """Return the mean of both eyes at the times of either, in the trials that have both."""
    shared = np.intersect1d(left.trial, right.trial)
    trial = np.concatenate([left.trial, right.trial])
    both = Samples(
        *(
            np.concatenate([getattr(left.samples, name), getattr(right.samples, name)])
            for name in Samples.__slots__
        )
    )
    keep = np.isin(trial, shared)
    order = np.flatnonzero(keep)
    order = order[np.lexsort((both.t_ms[order], trial[order]))]
    both, trial = both.part(order), trial[order]
    first = np.flatnonzero(np.r_[len(order) > 0, (np.diff(trial) != 0) | (np.diff(both.t_ms) != 0)])
    seen = (np.abs(both.x) < _FARTHEST) & (np.abs(both.y) < _FARTHEST)
    n_seen = np.add.reduceat(seen.astype(np.float64), first) if len(first) else np.zeros(0)
    x, y = (_mean_of_seen(column, seen, first, n_seen) for column in (both.x, both.y))
    code = np.full(len(first), Eye.AVERAGE, dtype=np.int8)
    return _Gaze(Samples(both.t_ms[first], x, y, code), trial[first])


def _mean_of_seen(column: DoubleArray, seen: BoolArray, first: IntArray, n_seen: DoubleArray) -> DoubleArray:
    if not len(first):
        return np.zeros(0)
    sums = np.add.reduceat(np.where(seen, column, 0.0), first)
    return np.where(n_seen > 0, sums / np.maximum(n_seen, 1), np.nan)


def _find(
    gaze: _Gaze, pitch: tuple[float, float], period: float, thresholds: Thresholds
) -> tuple[Fixations, IntArray, str]:
    """Return the fixations of one eye in order of trial and time, the trial of each, and a note."""
    samples = gaze.samples
    track = track_of(
        samples.t_ms, samples.x * pitch[0], samples.y * pitch[1], gaze.trial, period, thresholds.max_gap_ms
    )
    runs, note = _runs(track, thresholds)
    runs = long_enough(track, merged(track, runs, thresholds), thresholds.min_duration_ms)
    trial = gaze.trial[track.rows[runs.first]]
    begins = np.flatnonzero(np.r_[len(trial) > 0, np.diff(trial) != 0])
    counted = np.arange(len(trial)) - np.repeat(begins, np.diff(np.r_[begins, len(trial)])) + 1
    fixations = Fixations.of(
        means(samples.x[track.rows], runs),
        means(samples.y[track.rows], runs),
        index=counted,
        start_ms=track.t_ms[runs.first],
        duration_ms=durations(track, runs),
        eye=samples.eye[track.rows[runs.first]],
    )
    return fixations, trial, note


def _runs(track: Track, thresholds: Thresholds) -> tuple[Runs, str]:
    if thresholds.method == IVT:
        return ivt.find_runs(track, thresholds.velocity_deg_s, thresholds.velocity_window_ms), ""
    if thresholds.method == IDT:
        return idt.find_runs(track, thresholds.dispersion_deg, thresholds.min_duration_ms), ""
    return extras.find_runs(track, thresholds)
