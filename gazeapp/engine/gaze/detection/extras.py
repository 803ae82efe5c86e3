"""I2MC (Hessels et al. 2017) and REMoDNaV (Dar et al. 2021), where their packages are installed."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.detection.blocks import Runs, Track
from gazeapp.engine.gaze.detection.settings import I2MC, NAMES, Thresholds
from gazeapp.engine.types import DoubleArray, IntArray

_PAUSE_MS = 1000.0
"""Samples further apart are given to a package one after the other, so that no long pause is filled up."""

_SHORTEST_MS = 300.0
"""Stretches of samples below this are too short for either package's windows."""

_SLOWEST_HZ = {"i2mc": 60.0, "remodnav": 100.0}
_I2MC_FILTER_WINDOW = 25
_I2MC_DOWNSAMPLINGS = (2, 5, 10)
_I2MC_LARGEST_LOSS_DEG = 12.0
_REMODNAV_SMOOTHING_S = 0.019

_STILL = ("FIXA", "PURS")
"""REMoDNaV's labels between saccades. Nothing moves in an image that eyes could pursue; slow drifts, and at
1000 Hz and more still gaze, too, are labelled pursuit."""

_SEED = 0

Spans = list[tuple[int, int]]
"""First and last sample of fixations, on a regular grid."""


def find_runs(track: Track, thresholds: Thresholds) -> tuple[Runs, str]:
    """Return the runs of samples that a package calls fixations, and a note on where it failed.

    The packages want samples at regular times: each sample goes to the nearest place of a regular grid,
    places without a sample are lost data. Fixations end at lost data longer than the threshold, as with
    the other methods. A stretch of samples on which the package fails has no fixations.

    Parameters
    ----------
    track
        The samples.
    thresholds
        With the method, ``i2mc`` or ``remodnav``.

    Raises
    ------
    GazeError
        When the package is not installed, fails on all samples, or the sampling rate is too low for it.
    """
    rate = 1000.0 / track.period_ms
    slowest = _SLOWEST_HZ[thresholds.method]
    if rate < 0.99 * slowest:
        raise GazeError(
            f"{NAMES[thresholds.method]} needs samples at {slowest:g} Hz or more, not {rate:.4g} Hz.",
            todo="Choose another method, such as I-DT.",
        )
    find = _i2mc if thresholds.method == I2MC else _remodnav
    owner = np.full(len(track), -1, dtype=np.int64)
    n_found, failures, stretches = 0, [], list(_stretches(track))
    for start, stop in stretches:
        place = np.round((track.t_ms[start:stop] - track.t_ms[start]) / track.period_ms).astype(np.int64)
        x, y = (_on_grid(column[start:stop], place) for column in (track.x, track.y))
        try:
            spans = _called(find, thresholds, x, y, rate)
        except _FailedError as error:
            failures.append(str(error))
            continue
        for first, last in spans:
            owner[start:stop][(place >= first) & (place <= last)] = n_found
            n_found += 1
    return _runs_of(track, owner), _note(thresholds, failures, len(stretches))


def _note(thresholds: Thresholds, failures: list[str], n_stretches: int) -> str:
    if not failures:
        return ""
    name = NAMES[thresholds.method]
    if len(failures) == n_stretches:
        raise GazeError(
            f"{name} could not work on these samples: {failures[0]}.",
            todo="Choose another method, such as I-DT.",
        )
    return (
        f"{name} failed on {len(failures)} of {n_stretches} stretches of samples, which have no fixations: "
        f"{failures[0]}."
    )


class _FailedError(Exception):
    """A package failed on some samples."""


def _stretches(track: Track) -> Iterator[tuple[int, int]]:
    """Yield the bounds of stretches of samples of one trial without a long pause, that are long enough."""
    breaks = np.flatnonzero((np.diff(track.t_ms) > _PAUSE_MS) | (np.diff(track.series) != 0)) + 1
    for start, stop in zip(np.r_[0, breaks], np.r_[breaks, len(track)], strict=True):
        if stop > start and track.t_ms[stop - 1] - track.t_ms[start] >= _SHORTEST_MS:
            yield int(start), int(stop)


def _on_grid(column: DoubleArray, place: IntArray) -> DoubleArray:
    grid = np.full(int(place[-1]) + 1, np.nan)
    grid[place] = column
    return grid


def _runs_of(track: Track, owner: IntArray) -> Runs:
    """Return the runs of samples with one owner in one block."""
    change = np.r_[True, (np.diff(owner) != 0) | (np.diff(track.begin) != 0)] if len(owner) else owner
    first = np.flatnonzero(change)
    last = np.r_[first[1:], len(owner)] - 1
    found = owner[first] >= 0
    return Runs(first[found], last[found])


def _called(
    find: Callable[[Thresholds, DoubleArray, DoubleArray, float], Spans],
    thresholds: Thresholds,
    x: DoubleArray,
    y: DoubleArray,
    rate: float,
) -> Spans:
    """Call a package without its prints, log lines and warnings; whatever it raises is one error.

    I2MC draws the first centres of its clusters at random, from numpy's common generator: this is set to
    the same state before each call, and put back.
    """
    name = NAMES[thresholds.method]
    before, state = logging.root.manager.disable, np.random.get_state()
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            np.random.seed(_SEED)
            return find(thresholds, x, y, rate)
    except ImportError as error:
        raise GazeError(
            f"{name} is not installed ({error}).",
            todo="Install it with: pip install 'gazeapp[detection]', or choose I-VT or I-DT.",
        ) from error
    except Exception as error:  # whatever a package of others raises
        raise _FailedError(str(error) or type(error).__name__) from error
    finally:
        logging.disable(before)
        np.random.set_state(state)


def _i2mc(thresholds: Thresholds, x: DoubleArray, y: DoubleArray, rate: float) -> Spans:
    """Call I2MC with positions in degrees, its own defaults, and the thresholds in place of its px."""
    import I2MC as package  # noqa: N811

    window_s = 0.2
    options = {
        "xres": 1.0,
        "yres": 1.0,
        "freq": float(round(rate)),
        "missingx": math.nan,
        "missingy": math.nan,
        "maxdisp": _I2MC_LARGEST_LOSS_DEG,
        "windowtimeInterp": thresholds.max_gap_ms / 1000.0,
        "windowtime": window_s,
        # Its filter needs 25 samples in a window, and rates that can be divided.
        "downsampFilter": bool(round(window_s * round(rate)) >= _I2MC_FILTER_WINDOW),
        "downsamples": [n for n in _I2MC_DOWNSAMPLINGS if round(rate) % n == 0],
        "maxMergeDist": thresholds.merge_distance_deg,
        "maxMergeTime": thresholds.merge_gap_ms,
        "minFixDur": thresholds.min_duration_ms,
    }
    data = {"time": np.arange(len(x)) * (1000.0 / rate), "L_X": x, "L_Y": y}
    found = package.I2MC(data, options, logging=False)[0]
    if found is False:
        return []
    return [(int(a), int(b)) for a, b in zip(found["start"], found["end"], strict=True)]


def _remodnav(thresholds: Thresholds, x: DoubleArray, y: DoubleArray, rate: float) -> Spans:
    """Call REMoDNaV with positions in degrees and its own defaults.

    What follows without a break is one fixation. Lost data that end no fixation are bridged by a straight
    line for its filters, which cannot do without.
    """
    import remodnav as package

    # Its smoothing window has to be an odd number of samples, 3 or more.
    window = max(3, 2 * round((_REMODNAV_SMOOTHING_S * rate - 1) / 2) + 1)
    # It fails where data are lost within a window of either end: gaze stands still there for a while.
    padding = 2 * window
    data: NDArray[np.void] = np.zeros(len(x) + 2 * padding, dtype=[("x", np.float64), ("y", np.float64)])
    for name, column in (("x", x), ("y", y)):
        data[name] = np.pad(_bridged(column, thresholds.max_gap_ms * rate / 1000.0), padding, mode="edge")
    classifier = package.EyegazeClassifier(
        px2deg=1.0, sampling_rate=rate, min_fixation_duration=thresholds.min_duration_ms / 1000.0
    )
    smoothed = classifier.preproc(data, savgol_length=(window + 0.5) / rate)
    spans: Spans = []
    for event in classifier(smoothed):
        if event["label"] not in _STILL:
            continue
        first, last = (round(event[name] * rate) - padding for name in ("start_time", "end_time"))
        last -= 1
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans


def _bridged(grid: DoubleArray, longest: float) -> DoubleArray:
    """Return a column with losses of at most so many samples replaced by a straight line."""
    seen = np.flatnonzero(np.isfinite(grid))
    between = np.searchsorted(seen, np.arange(len(grid)))
    before, after = seen[np.maximum(between - 1, 0)], seen[np.minimum(between, len(seen) - 1)]
    short = after - before - 1 <= longest + 1e-6
    return np.where(np.isnan(grid) & short, np.interp(np.arange(len(grid)), seen, grid[seen]), grid)
