"""Earth mover's distance where the answer is known without a solver."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import wasserstein_distance

from gazeapp.engine.scoring.emd import block_side, block_sums, distance
from gazeapp.engine.scoring.metrics import emd
from gazeapp.engine.scoring.presets import MIT

ROWS, COLUMNS = np.mgrid[:6, :8]
grids = hnp.arrays(np.float64, (6, 8), elements=st.integers(0, 9).map(float)).filter(lambda a: a.sum() > 0)
quick = settings(deadline=None, max_examples=25)


def test_blocks_are_summed_and_those_at_the_border_cut_off():
    values = np.arange(20.0).reshape(4, 5)
    assert block_sums(values, 2).tolist() == [
        [0 + 1 + 5 + 6, 2 + 3 + 7 + 8, 4 + 9],
        [10 + 11 + 15 + 16, 12 + 13 + 17 + 18, 14 + 19],
    ]
    assert [block_side(768, 1024), block_side(48, 64), block_side(3, 5), block_side(17, 9)] == [64, 4, 1, 2]


def test_everything_to_one_cell_is_the_mean_distance_to_it():
    rng = np.random.default_rng(0)
    for power in (1, 4, 12):
        masses, one = rng.random((6, 8)) ** power, np.zeros((6, 8))
        one[2, 5] = 3.0
        expected = (masses * np.hypot(ROWS - 2, COLUMNS - 5)).sum() / masses.sum()
        assert distance(masses, one) == pytest.approx(expected, abs=1e-9)


@given(first=grids, second=grids)
@quick
def test_along_a_line_it_is_the_distance_of_the_quantiles(first, second):
    a, b = first.reshape(1, -1), second.reshape(1, -1)
    places = np.arange(a.size)
    expected = wasserstein_distance(places, places, a[0], b[0])
    assert distance(a, b) == pytest.approx(expected, abs=1e-9)


@given(first=grids, second=grids, third=grids)
@quick
def test_it_is_a_distance(first, second, third):
    there = distance(first, second)
    assert there == pytest.approx(distance(second, first), abs=1e-9)
    assert distance(first, first * 3) == pytest.approx(0.0, abs=1e-12)
    assert there <= distance(first, third) + distance(third, second) + 1e-9
    # It cannot be less than the way of the centre of mass.
    ways = [
        (place * first).sum() / first.sum() - (place * second).sum() / second.sum()
        for place in (ROWS, COLUMNS)
    ]
    assert there >= math.hypot(*ways) - 1e-9


def test_a_moved_map_in_percent_of_the_longer_side():
    for scale in (1, 4):
        values, moved = np.zeros((12 * scale, 16 * scale)), np.zeros((12 * scale, 16 * scale))
        values[2 * scale, 3 * scale] = moved[5 * scale, 7 * scale] = 1.0
        # 3 cells down and 4 to the right are 5 of 16.
        assert emd(values, moved) == pytest.approx(100 * 5 / 16)
        assert emd(values, moved, MIT) == pytest.approx(100 * 5 / 16)


def test_maps_without_mass_or_with_negative_values():
    values, zeros = np.random.default_rng(0).random((12, 16)), np.zeros((12, 16))
    assert emd(values, zeros) == pytest.approx(emd(values, np.ones((12, 16))), abs=1e-9)
    assert emd(values - 0.3, values) == pytest.approx(emd(values - values.min(), values), abs=1e-9)
    assert math.isnan(emd(values, zeros, MIT))
    assert math.isnan(emd(values - 0.3, values, MIT))
