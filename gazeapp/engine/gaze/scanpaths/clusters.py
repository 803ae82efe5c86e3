"""Places of an image that people looked at: mean-shift clusters of their fixations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

NEIGHBOURS = 0.3
"""Share of the fixations that are neighbours where the bandwidth is found in the data."""

FACTORS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Multiples of that bandwidth that are tried."""

_CELLS_AT_ONCE = 1_000_000
_PLACES_AT_ONCE = 128
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
    return mean_shifts(points, np.ones((1, len(points)), dtype=bool), bandwidth)[0]


def mean_shifts(points: DoubleArray, members: BoolArray, bandwidth: float) -> list[DoubleArray]:
    """Return the centres of :func:`mean_shift` for several selections of the points.

    Parameters
    ----------
    points
        Positions, shape (n, 2).
    members
        Which points belong to each selection, shape (n_selections, n).
    bandwidth
        Radius of the kernel.
    """
    if not bandwidth > 0:
        return [np.unique(points[member], axis=0) for member in members]
    at_once = max(1, _CELLS_AT_ONCE // max(1, len(points)) ** 2)
    found = []
    for start in range(0, len(members), at_once):
        chunk = members[start : start + at_once]
        selection, ends, counts = _climbed(points, chunk, bandwidth)
        for k in range(len(chunk)):
            own = selection == k
            found.append(_apart(ends[own], counts[own], bandwidth))
    return found


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


def bandwidth_of(tracks: Sequence[DoubleArray]) -> float:
    """Return the radius of the kernel that an image's fixations ask for, in the unit of the positions.

    Of the multiples :data:`FACTORS` of :func:`neighbour_distance` that with the largest (N_between -
    N_within) / N_clusters, N_between and N_within the saccades that end in another or in the same cluster
    (the rule of the authors of the sequence score, github.com/cvlab-stonybrook/Scanpath_Prediction, issue
    24). 0 with fewer than 7 fixations.

    Parameters
    ----------
    tracks
        Positions of each scanpath's fixations, each of shape (n, 2), at least one fixation in all.
    """
    points = np.concatenate(list(tracks))
    scale = neighbour_distance(points)
    if not scale > 0:
        return 0.0
    starts = np.cumsum([len(track) for track in tracks])[:-1]

    def separation(factor: float) -> float:
        centres = mean_shift(points, factor * scale)
        return _separation(labels(points, centres), starts, len(centres))

    return scale * max(FACTORS, key=separation)


def places_without(
    tracks: Sequence[DoubleArray], owners: Sequence[int], bandwidth: float
) -> list[DoubleArray]:
    """Return the centres of everybody's fixations, then those without each owner in turn.

    Parameters
    ----------
    tracks
        Positions of each scanpath's fixations, each of shape (n, 2).
    owners
        Whose each scanpath is, from 0.
    bandwidth
        Radius of the kernel.
    """
    points = np.concatenate(list(tracks))
    owner = np.repeat(owners, [len(track) for track in tracks])
    everybody = np.ones((1, len(points)), dtype=bool)
    others = owner != np.arange(max(owners) + 1)[:, None]
    return mean_shifts(points, np.concatenate([everybody, others]), bandwidth)


def _climbed(
    points: DoubleArray, members: BoolArray, bandwidth: float
) -> tuple[IntArray, DoubleArray, IntArray]:
    """Return where the mean shift from all points ends: selection, place, points around it before."""
    by_x = np.argsort(points[:, 0], kind="stable")
    points, members = points[by_x], members[:, by_x]
    found = []
    selection, index = np.nonzero(members)
    places = points[index]
    for step in range(_MOST_STEPS):
        means, count = _means_around(places, selection, points, members, bandwidth)
        moved = ((means - places) ** 2).sum(axis=1) > (_STANDSTILL * bandwidth) ** 2
        if step == _MOST_STEPS - 1:
            moved[:] = False
        found.append((selection[~moved], means[~moved], count[~moved]))
        if not moved.any():
            break
        # Most starts soon have the same points around them, and from there on the same way.
        selection, places = _distinct(selection[moved], means[moved])
    selections, ends, counts = zip(*found, strict=True)
    return np.concatenate(selections), np.concatenate(ends), np.concatenate(counts)


def _means_around(
    places: DoubleArray, selection: IntArray, points: DoubleArray, members: BoolArray, bandwidth: float
) -> tuple[DoubleArray, IntArray]:
    """Return the mean of the selection's points within the bandwidth of each place, and their number.

    Places are taken from left to right, some at a time, so that only points of a strip are looked at.
    ``points`` are ordered by x.
    """
    means, count = np.empty_like(places), np.empty(len(places), dtype=np.int64)
    order = np.argsort(places[:, 0], kind="stable")
    for start in range(0, len(order), _PLACES_AT_ONCE):
        own = order[start : start + _PLACES_AT_ONCE]
        # A little wider than needed: no point is lost by rounding.
        ends = places[own[0], 0] - 1.01 * bandwidth, places[own[-1], 0] + 1.01 * bandwidth
        low, high = np.searchsorted(points[:, 0], ends)
        near = _squared(places[own], points[low:high]) <= bandwidth**2
        near &= members[selection[own], low:high]
        count[own] = near.sum(axis=1)
        means[own] = (near @ points[low:high]) / count[own, None]
    return means, count


def _distinct(selection: IntArray, places: DoubleArray) -> tuple[IntArray, DoubleArray]:
    """Return each distinct place of each selection once."""
    order = np.lexsort((places[:, 1], places[:, 0], selection))
    selection, places = selection[order], places[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (selection[1:] != selection[:-1]) | (places[1:] != places[:-1]).any(axis=1)
    return selection[new], places[new]


def _apart(ends: DoubleArray, counts: IntArray, bandwidth: float) -> DoubleArray:
    """Return the ends that are further than the bandwidth from every fuller one."""
    # Equal counts are ordered by position.
    ends = ends[np.lexsort((ends[:, 1], ends[:, 0], counts))[::-1]]
    taken = []
    while len(ends):
        taken.append(ends[0])
        ends = ends[_squared(ends[:1], ends)[0] > bandwidth**2]
    return np.array(taken).reshape(-1, 2)


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
