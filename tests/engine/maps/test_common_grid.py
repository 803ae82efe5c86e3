"""Maps of any origin on one grid at one blur."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import (
    AttentionMap,
    CommonGrid,
    Fixations,
    floored,
    spread,
    subject_maps,
)
from gazeapp.engine.types import Rect

GRID = CommonGrid()
FINE = 336


def attention(seed: int) -> np.ndarray:
    """A smooth map with two to four blobs at ``FINE`` x ``FINE``."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[0:FINE, 0:FINE] + 0.5) / FINE
    values = np.zeros((FINE, FINE))
    for _ in range(rng.integers(2, 5)):
        u, v, size = *rng.uniform(0.15, 0.85, 2), rng.uniform(0.03, 0.1)
        values += rng.uniform(0.3, 1.0) * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * size**2))
    return values


def pooled(values: np.ndarray, n: int) -> np.ndarray:
    side = FINE // n
    return values.reshape(n, side, n, side).mean(axis=(1, 3))


def moments(density: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = density.shape
    u, v = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    x, y = density.sum(axis=0) @ u, density.sum(axis=1) @ v
    return x, y, density.sum(axis=0) @ (u - x) ** 2, density.sum(axis=1) @ (v - y) ** 2


def test_the_longer_side_has_the_cells_of_the_grid():
    assert GRID.shape(1024, 768) == (48, 64)
    assert GRID.shape(30, 60) == (64, 32)
    assert GRID.shape(5000, 1) == (1, 64)


@pytest.mark.parametrize("n", [8, 14, 24, 48, 112])
def test_a_map_of_one_cell_has_the_common_blur_whatever_its_own_grid(n):
    values = np.zeros((n, n))
    values[n // 2, n // 2] = 3.0
    x, y, across, down = moments(spread(AttentionMap(values), 100, 100, CommonGrid(floor=0.0)).density())
    # Attention within the cell lies anywhere in it, which adds the variance of its width; its middle has none.
    inside = min(64 / n, 1.0) ** 2 / 12 if n > 64 else (64 / n) ** 2 / 12
    np.testing.assert_allclose([across + inside, down + inside], 16.0, rtol=0.02)
    np.testing.assert_allclose([x, y], 64 * (n // 2 + 0.5) / n, atol=0.1)


def test_people_s_fixation_has_the_same_blur_as_a_map_s_cell():
    looked = Fixations(np.array([0.53]), np.array([0.47]), np.array(["a"]))
    (own,) = subject_maps(looked, 100, 100, CommonGrid())[1]
    x, y, across, down = moments(own)
    np.testing.assert_allclose([x, y, across, down], [0.53 * 64, 0.47 * 64, 16, 16], rtol=1e-3)


@pytest.mark.parametrize("size", [(640, 640), (1024, 768), (600, 900)])
def test_grids_of_14_and_24_of_the_same_attention_become_the_same_map(size):
    for seed in range(8):
        values = attention(seed)
        coarse, fine, full = (
            spread(AttentionMap(own), *size, GRID).density()
            for own in (pooled(values, 14), pooled(values, 24), values)
        )
        assert np.corrcoef(coarse.ravel(), fine.ravel())[0, 1] > 0.999
        assert np.abs(coarse - fine).sum() / 2 < 0.012
        assert np.abs(coarse - full).sum() / 2 < 0.015


def test_without_the_blur_they_would_differ():
    values = attention(3)
    sharp = CommonGrid(sigma=0.001)
    coarse, fine = (spread(AttentionMap(pooled(values, n)), 640, 640, sharp).density() for n in (14, 24))
    assert np.abs(coarse - fine).sum() / 2 > 0.045


def test_a_grid_coarser_than_the_blur_is_told():
    assert spread(AttentionMap(np.ones((7, 7))), 64, 64, GRID).too_coarse
    assert not spread(AttentionMap(np.ones((14, 14))), 64, 64, GRID).too_coarse
    assert spread(AttentionMap(np.ones((14, 3))), 64, 64, GRID).too_coarse


def test_a_map_over_part_of_the_image_stays_there():
    values = np.ones((4, 4))
    density = spread(AttentionMap(values, Rect(0.5, 0.0, 0.5, 1.0)), 64, 64, CommonGrid(sigma=0.01)).density()
    assert density[:, 33:].sum() > 0.96
    assert density[:, 33:].std() < 1e-3 * density.max()


def test_a_map_that_reaches_beyond_the_image_counts_inside_only():
    values = np.array([[1.0, 5.0]])
    density = spread(AttentionMap(values, Rect(0.0, 0.0, 2.0, 1.0)), 64, 64, GRID).density()
    drawn = spread(AttentionMap(values, Rect(0.0, 0.0, 2.0, 1.0)), 64, 64, GRID).drawn(50, 3, (0,))
    assert density.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(drawn.sum(axis=(1, 2)), 1.0)


def test_zeros_and_constants_are_uniform_and_negatives_are_lifted():
    for values in (np.zeros((5, 5)), np.full((9, 9), 0.3), np.full((3, 3), -2.0)):
        density = spread(AttentionMap(values), 64, 48, GRID).density()
        np.testing.assert_allclose(density, 1 / density.size, rtol=1e-6)
    lifted = spread(AttentionMap(np.array([[-1.0, 1.0]])), 64, 64, GRID).density()
    np.testing.assert_array_equal(
        lifted, spread(AttentionMap(np.array([[0.0, 2.0]])), 64, 64, GRID).density()
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_is_an_error(bad):
    with pytest.raises(GazeError, match="not numbers"):
        spread(AttentionMap(np.array([[1.0, bad]])), 64, 64, GRID)


def test_an_empty_map_and_a_fixation_outside_are_errors():
    with pytest.raises(GazeError, match="rows and columns"):
        spread(AttentionMap(np.zeros((0, 3))), 64, 64, GRID)
    with pytest.raises(GazeError, match="outside the image"):
        Fixations(np.array([1.0]), np.array([0.5]), np.array(["a"]))
    with pytest.raises(GazeError, match="outside the image"):
        Fixations(np.array([np.nan]), np.array([0.5]), np.array(["a"]))


@pytest.mark.parametrize("n", [14, 24, 112])
def test_the_mean_over_draws_is_the_map(n):
    one = spread(AttentionMap(pooled(attention(5), n)), 640, 480, CommonGrid(floor=0.0))
    drawn = one.drawn(2000, 200, (1, 2))
    np.testing.assert_allclose(drawn.sum(axis=(1, 2)), 1.0)
    assert np.abs(drawn.mean(axis=0) - one.density()).sum() / 2 < 0.01
    assert np.abs(drawn[0] - one.density()).sum() / 2 > 0.01


def test_draws_come_from_their_seed():
    one = spread(AttentionMap(attention(1)), 640, 480, GRID)
    np.testing.assert_array_equal(one.drawn(20, 2, (7,)), one.drawn(20, 2, (7,)))
    assert not np.array_equal(one.drawn(20, 2, (7,)), one.drawn(20, 2, (8,)))


def test_each_subject_s_map_sums_to_their_fixations():
    rng = np.random.default_rng(0)
    looked = Fixations(rng.random(40), rng.random(40), rng.choice(["b", "a", "c"], 40))
    names, maps = subject_maps(looked, 100, 80, GRID)
    assert names == ["a", "b", "c"]
    np.testing.assert_allclose(
        maps.sum(axis=(1, 2)), [(looked.subject == name).sum() for name in names], rtol=1e-6
    )


def test_no_cell_is_below_the_floor():
    values = np.zeros((4, 8))
    values[0, 0] = 1.0
    density = floored(values, 0.01)
    assert density.sum() == pytest.approx(1.0)
    assert density.min() == pytest.approx(0.01 / 32, rel=0.02)
