"""I-DT: gaze that stays within a small area fixates (Salvucci & Goldberg 2000)."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.gaze.detection.blocks import Runs, Track
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_FIRST_STRIDE = 64


def find_runs(track: Track, dispersion_deg: float, min_duration_ms: float) -> Runs:
    """Return the runs of samples that stay within an area.

    A window that just lasts the minimum duration moves on sample by sample until width plus height of
    the positions in it are within the threshold; then it grows for as long as they are; the next
    window starts behind it.

    Parameters
    ----------
    track
        The samples.
    dispersion_deg
        Largest width plus height, degrees.
    min_duration_ms
        Shortest run, ms, one period for its last sample included.
    """
    last = _window_ends(track, min_duration_ms)
    fits = last <= track.end
    starts = np.flatnonzero(fits)
    starts = starts[_narrow(track, starts, last[starts], dispersion_deg)]
    firsts, lasts = [], []
    k = 0
    while k < len(starts):
        first = int(starts[k])
        end = _grow(track, first, int(last[first]), int(track.end[first]), dispersion_deg)
        firsts.append(first)
        lasts.append(end)
        k = int(np.searchsorted(starts, end + 1))
    return Runs(np.array(firsts, dtype=np.int64), np.array(lasts, dtype=np.int64))


def _window_ends(track: Track, min_duration_ms: float) -> IntArray:
    """Return the last sample of the shortest window from each sample; beyond its block where none fits."""
    if not len(track):
        return np.zeros(0, dtype=np.int64)
    starts = np.unique(track.begin)
    lengths = track.t_ms[track.end[starts]] - track.t_ms[starts]
    # One clock for all blocks, with pauses between them that no window reaches over.
    offsets = np.cumsum(lengths + min_duration_ms + 1.0) - lengths
    block = np.searchsorted(starts, track.begin)
    clock = track.t_ms - track.t_ms[track.begin] + offsets[block]
    needed = max(min_duration_ms - track.period_ms, 0.0) - 1e-6 * track.period_ms
    # Where samples share a time, the search may end before the sample that it starts from.
    return np.maximum(np.searchsorted(clock, clock + needed), np.arange(len(clock)))


def _narrow(track: Track, first: IntArray, last: IntArray, limit: float) -> BoolArray:
    """Return which windows are within the limit, shape (n_windows,).

    Extremes over 1, 2, 4 ... samples are made one from the other; those of a window are the extremes
    over the two longest such stretches at its ends.
    """
    narrow = np.zeros(len(first), dtype=np.bool_)
    if not len(first):
        return narrow
    level = np.frexp(last - first + 1)[1] - 1
    high_x, low_x, high_y, low_y = track.x.copy(), track.x.copy(), track.y.copy(), track.y.copy()
    for k in range(int(level.max()) + 1):
        which = np.flatnonzero(level == k)
        a, b = first[which], last[which] - (1 << k) + 1
        width = np.maximum(high_x[a], high_x[b]) - np.minimum(low_x[a], low_x[b])
        height = np.maximum(high_y[a], high_y[b]) - np.minimum(low_y[a], low_y[b])
        narrow[which] = width + height <= limit
        step = 1 << k
        for extremes, choose in (
            (high_x, np.maximum),
            (high_y, np.maximum),
            (low_x, np.minimum),
            (low_y, np.minimum),
        ):
            extremes[:-step] = choose(extremes[:-step], extremes[step:])
    return narrow


def _grow(track: Track, first: int, last: int, end: int, limit: float) -> int:
    """Return the last sample up to which a window that is within the limit can grow."""
    bounds = [_extremes(column[first : last + 1]) for column in (track.x, track.y)]
    stride = _FIRST_STRIDE
    while last < end:
        stop = min(last + stride, end)
        spread: DoubleArray = np.zeros(stop - last)
        for k, column in enumerate((track.x, track.y)):
            ahead = column[last + 1 : stop + 1]
            high = np.maximum(np.maximum.accumulate(ahead), bounds[k][1])
            low = np.minimum(np.minimum.accumulate(ahead), bounds[k][0])
            bounds[k] = (float(low[-1]), float(high[-1]))
            spread += high - low
        if spread[-1] > limit:
            return last + int(np.searchsorted(spread, limit, side="right"))
        last, stride = stop, 2 * stride
    return last


def _extremes(values: DoubleArray) -> tuple[float, float]:
    return float(values.min()), float(values.max())
