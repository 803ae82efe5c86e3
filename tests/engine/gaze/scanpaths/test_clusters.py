"""Mean shift against groups that are plain to see, and against scikit-learn where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.gaze.scanpaths import clusters
from gazeapp.engine.gaze.scanpaths.clusters import (
    FACTORS,
    bandwidth_of,
    labels,
    mean_shift,
    neighbour_distance,
    places_without,
)


def groups(rng, places, n, spread):
    return np.concatenate([place + rng.uniform(-spread, spread, (n, 2)) for place in np.array(places, float)])


def test_groups_further_apart_than_the_bandwidth_are_found_at_their_means():
    rng = np.random.default_rng(0)
    points = groups(rng, [(100, 100), (400, 120), (250, 500)], 20, 15)
    centres = mean_shift(points, 60.0)
    means = points.reshape(3, 20, 2).mean(axis=1)
    order = np.argsort(centres[:, 0])
    np.testing.assert_allclose(centres[order], means[[0, 2, 1]])
    found = labels(points, centres).reshape(3, 20)
    assert (found == found[:, :1]).all()
    assert len(set(found[:, 0])) == 3


def test_the_fullest_cluster_comes_first():
    rng = np.random.default_rng(1)
    points = np.concatenate([groups(rng, [(0, 0)], 5, 3), groups(rng, [(500, 0)], 25, 3)])
    assert mean_shift(points, 40.0)[0, 0] > 400


def test_a_wide_kernel_makes_one_cluster_and_none_makes_one_of_each_place():
    rng = np.random.default_rng(2)
    points = groups(rng, [(0, 0), (50, 0)], 10, 5)
    np.testing.assert_allclose(mean_shift(points, 1000.0), [points.mean(axis=0)])
    assert len(mean_shift(np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 1.0]]), 0.0)) == 2


def test_the_distance_to_neighbours_by_hand():
    # Ten points in a row, one apart: the third of ten neighbours, the point itself counted.
    points = np.column_stack([np.arange(10.0), np.zeros(10)])
    assert neighbour_distance(points) == pytest.approx((2 + 8 * 1 + 2) / 10)


def test_the_bandwidth_is_the_one_that_saccades_cross_most():
    rng = np.random.default_rng(3)
    places = np.array([(100.0, 100.0), (700.0, 100.0), (400.0, 500.0)])
    tracks = [places[rng.permutation(np.tile([0, 1, 2], 3))] + rng.normal(0, 12, (9, 2)) for _ in range(10)]
    bandwidth = bandwidth_of(tracks)

    points = np.concatenate(tracks)
    rates = []
    for factor in FACTORS:
        tried = mean_shift(points, factor * neighbour_distance(points))
        strings = [labels(track, tried) for track in tracks]
        between = sum(int((string[1:] != string[:-1]).sum()) for string in strings)
        within = sum(int((string[1:] == string[:-1]).sum()) for string in strings)
        rates.append((between - within) / len(tried))
    assert bandwidth == FACTORS[int(np.argmax(rates))] * neighbour_distance(points)
    assert len(mean_shift(points, bandwidth)) == 3


def test_scanpaths_of_one_fixation_make_no_saccade():
    # Nothing speaks for any of the factors, so that it is the first.
    tracks = [np.array([[float(k), 0.0]]) for k in range(12)]
    assert bandwidth_of(tracks) == FACTORS[0] * neighbour_distance(np.concatenate(tracks))


def test_few_fixations_are_places_of_their_own():
    for track in ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0]]):
        points = np.array(track)
        assert bandwidth_of([points]) == 0.0
        np.testing.assert_array_equal(mean_shift(points, 0.0), points)


@pytest.mark.parametrize("at_once", [1, 1_000_000])
@pytest.mark.parametrize("bandwidth", [0.0, 30.0, 120.0])
def test_places_without_somebody_are_those_of_the_others(monkeypatch, bandwidth, at_once):
    monkeypatch.setattr(clusters, "_CELLS_AT_ONCE", at_once)
    rng = np.random.default_rng(5)
    tracks = [np.round(groups(rng, rng.uniform(0, 600, (3, 2)), 3, 40)) for _ in range(5)]
    owners = [0, 1, 1, 2, 3]
    everybody, *without = places_without(tracks, owners, bandwidth)
    np.testing.assert_array_equal(everybody, mean_shift(np.concatenate(tracks), bandwidth))
    assert len(without) == 4
    for k, places in enumerate(without):
        others = np.concatenate([track for track, who in zip(tracks, owners, strict=True) if who != k])
        np.testing.assert_allclose(places, mean_shift(others, bandwidth), atol=1e-9)


def test_without_the_only_one_there_are_no_places():
    everybody, without = places_without([np.array([[1.0, 1.0], [50.0, 1.0]])], [0], 10.0)
    assert (len(everybody), len(without)) == (2, 0)


def test_clusters_are_those_of_scikit_learn():
    cluster = pytest.importorskip("sklearn.cluster")
    rng = np.random.default_rng(4)
    for n in (3, 8):
        points = np.round(groups(rng, rng.uniform(0, 800, (5, 2)), n, 70), 1)
        scale = neighbour_distance(points)
        assert scale == pytest.approx(cluster.estimate_bandwidth(points), rel=1e-12)
        for factor in FACTORS[:3]:
            theirs = cluster.MeanShift(bandwidth=factor * scale).fit(points)
            ours = mean_shift(points, factor * scale)
            np.testing.assert_allclose(ours, theirs.cluster_centers_, atol=1e-6)
            np.testing.assert_array_equal(labels(points, ours), theirs.labels_)
