"""Places of an image that people looked at: mean-shift clusters of their fixations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.types import DoubleArray, IntArray

NEIGHBOURS = 0.3
"""Share of the fixations that are neighbours where the bandwidth is found in the data."""

FACTORS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Multiples of that bandwidth that are tried."""

_MOST_STEPS = 300
_STANDSTILL = 1e-3


def mean_shift(points: DoubleArray, bandwidth: float) -> DoubleArray:
    """Return the centres of clusters by mean shift with a flat kernel (Comaniciu & Meer 2002).

    From each point, the mean of all points within ``bandwidth`` is taken again and again until it moves
    less than a thousandth of that. Ends are taken by the number of points around them, most first, and
    those within ``bandwidth`` of one that is taken are dropped. These are the rules of scikit-learn's
    ``MeanShift``.

    Parameters
    ----------
    points
        Positions, shape (n, 2).
    bandwidth
        Radius of the kernel, in the unit of the positions; 0: each distinct position is a centre.

    Returns
    -------
    numpy.ndarray
        Shape (n_clusters, 2), the fullest first.
    """
    if not bandwidth > 0:
        return np.unique(points, axis=0)
    ends, counts = _climbed(points, bandwidth)
    # Of ends at the same place one is enough; equal counts are ordered by position.
    ends, index = np.unique(ends, axis=0, return_index=True)
    order = np.lexsort((ends[:, 1], ends[:, 0], counts[index]))[::-1]
    ends = ends[order]
    near = _squared(ends, ends) <= bandwidth**2
    open_ = np.ones(len(ends), dtype=bool)
    taken = []
    for k in range(len(ends)):
        if open_[k]:
            open_[near[k]] = False
            taken.append(k)
    return ends[taken]


def labels(points: DoubleArray, centres: DoubleArray) -> IntArray:
    """Return the number of the nearest centre of each point, shape (n,)."""
    nearest: IntArray = _squared(points, centres).argmin(axis=1).astype(np.int64)
    return nearest


def neighbour_distance(points: DoubleArray) -> float:
    """Return the mean over points of the distance to their 30th of 100 neighbours, themselves counted.

    What scikit-learn's ``estimate_bandwidth`` gives; 0 with fewer than 7 points, whose only neighbour in
    this sense is the point itself.
    """
    n = max(1, int(len(points) * NEIGHBOURS))
    distances = np.sqrt(np.partition(_squared(points, points), n - 1, axis=1)[:, n - 1])
    return float(distances.mean())


def centres_of(tracks: Sequence[DoubleArray], bandwidth: float | None) -> DoubleArray:
    """Return the centres of the clusters of an image's fixations.

    Parameters
    ----------
    tracks
        Positions of each scanpath's fixations, each of shape (n, 2), at least one fixation in all.
    bandwidth
        Radius of the kernel, px. None: that of the multiples :data:`FACTORS` of
        :func:`neighbour_distance` with the largest (N_between - N_within) / N_clusters, N_between and
        N_within the saccades that end in another or in the same cluster (the rule of the authors of the
        sequence score, github.com/cvlab-stonybrook/Scanpath_Prediction, issue 24).
    """
    points = np.concatenate(list(tracks))
    if bandwidth is not None:
        return mean_shift(points, bandwidth)
    scale = neighbour_distance(points)
    if not scale > 0:
        return mean_shift(points, 0.0)
    tried = [mean_shift(points, factor * scale) for factor in FACTORS]
    starts = np.cumsum([len(track) for track in tracks])[:-1]
    return max(tried, key=lambda centres: _separation(labels(points, centres), starts, len(centres)))


def _climbed(points: DoubleArray, bandwidth: float) -> tuple[DoubleArray, IntArray]:
    """Return where the mean shift from each point ends, and the points around that place before it."""
    ends, counts = points.copy(), np.zeros(len(points), dtype=np.int64)
    moving = np.arange(len(points))
    for _ in range(_MOST_STEPS):
        near = _squared(ends[moving], points) <= bandwidth**2
        counts[moving] = near.sum(axis=1)
        means = (near @ points) / counts[moving, None]
        moved = np.sqrt(((means - ends[moving]) ** 2).sum(axis=1))
        ends[moving] = means
        moving = moving[moved > _STANDSTILL * bandwidth]
        if not len(moving):
            break
    return ends, counts


def _separation(label: IntArray, starts: IntArray, n_clusters: int) -> float:
    """Return (saccades between clusters - saccades within one) / clusters."""
    saccade = np.ones(max(len(label) - 1, 0), dtype=bool)
    saccade[starts[(starts > 0) & (starts <= len(saccade))] - 1] = False
    between = label[1:] != label[:-1]
    return float((between & saccade).sum() - (~between & saccade).sum()) / n_clusters


def _squared(first: DoubleArray, second: DoubleArray) -> DoubleArray:
    """Return squared distances of all pairs, shape (n_first, n_second)."""
    dx = first[:, 0, None] - second[:, 0]
    dy = first[:, 1, None] - second[:, 1]
    squared: DoubleArray = dx * dx + dy * dy
    return squared
