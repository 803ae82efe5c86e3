"""Maps and fixations as predictors: closed forms, and independence of grid and proportions."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import AttentionMap, Fixations
from gazeapp.engine.neural.features import fixation_features, map_features
from gazeapp.engine.types import Rect


def looked(u, v):
    return Fixations(np.array(u), np.array(v), np.array(["s"] * len(u)))


def test_a_uniform_map_of_any_grid_has_the_same_share_in_every_cell():
    maps = [AttentionMap(np.ones(shape, np.float32)) for shape in ((7, 7), (24, 32), (1, 1), (100, 30))]
    assert map_features(maps) == pytest.approx(np.full((4, 196), 1 / 196), rel=1e-5)


def test_each_row_is_the_map_s_shares_and_a_factor_changes_nothing():
    values = np.random.default_rng(0).random((9, 12)).astype(np.float32)
    rows = map_features([AttentionMap(values), AttentionMap(4 * values)])
    assert rows.sum(axis=1) == pytest.approx([1, 1])
    assert rows[0] == pytest.approx(rows[1])


def test_a_spot_has_its_middle_and_the_common_variance_whatever_its_own_grid():
    middles = (np.arange(14) + 0.5) / 14
    for n in (9, 15, 45, 135):
        spot = np.zeros((n, n))
        spot[n // 3, n // 3 * 2] = 1.0
        row = map_features([AttentionMap(spot)], sigma=1 / 9)[0].reshape(14, 14)
        v, u = (n // 3 + 0.5) / n, (n // 3 * 2 + 0.5) / n
        assert row.sum(axis=1) @ middles == pytest.approx(v, abs=0.02)
        assert row.sum(axis=0) @ middles == pytest.approx(u, abs=0.02)
        sd = np.sqrt(row.sum(axis=1) @ (middles - row.sum(axis=1) @ middles) ** 2)
        assert sd == pytest.approx(1 / 9, rel=0.06)


def test_a_map_that_covers_half_the_image_has_its_mass_there():
    left = map_features([AttentionMap(np.ones((4, 4)), Rect(0.0, 0.0, 0.5, 1.0))])[0].reshape(14, 14)
    assert left[:, :5].sum() > 0.68
    assert left[:, 9:].sum() < 0.02


def test_people_come_into_the_space_of_maps_as_their_density_there():
    # Many fixations from a density come close to the map of that density.
    rng = np.random.default_rng(1)
    density = np.kron(rng.random((7, 7)) ** 4, np.ones((10, 10)))
    cell = rng.choice(4900, 40_000, p=(density / density.sum()).ravel())
    u, v = ((cell % 70) + rng.random(40_000)) / 70, ((cell // 70) + rng.random(40_000)) / 70
    people = fixation_features([looked(u, v)])
    assert np.abs(people - map_features([AttentionMap(density)])).sum() / 2 < 0.02


def test_all_fixations_weigh_the_same_whoever_made_them():
    two = Fixations(np.array([0.2, 0.2, 0.8]), np.array([0.5, 0.5, 0.5]), np.array(["a", "a", "b"]))
    row = fixation_features([two])[0].reshape(14, 14)
    assert row.sum() == pytest.approx(1.0)
    assert row[:, :7].sum() == pytest.approx(2 / 3, abs=1e-6)


def test_what_is_no_map_says_which_one():
    with pytest.raises(GazeError, match=r"map 2 of 2.*not numbers"):
        map_features([AttentionMap(np.ones((2, 2))), AttentionMap(np.array([[np.nan, 1.0]]))])
    with pytest.raises(GazeError, match=r"image 1 of 1.*Nobody looked"):
        fixation_features([looked([], [])])
