"""Information gain of maps as they are, and log-likelihoods of densities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.densities.information import bits_at, information_gain, log_likelihood
from gazeapp.engine.scoring.metrics import pixels
from gazeapp.engine.scoring.presets import MIT, TUEBINGEN

DATA = Path(__file__).parents[3] / "data" / "scoring"
EXPECTED = json.loads((DATA / "information.json").read_text())


def case(name):
    """Return a map, its fixated pixels and a centred Gaussian with a sd of a quarter of each side."""
    with np.load(DATA / "maps.npz") as stored:
        values, x, y = (stored[f"{name}/{part}"] for part in ("map", "x", "y"))
    height, width = values.shape
    rows, columns = (
        np.exp(-0.5 * ((np.arange(side) - (side - 1) / 2) / (0.25 * side)) ** 2) for side in (height, width)
    )
    base = np.outer(rows, columns)
    return values, pixels(x, y, height, width), base / base.sum()


@pytest.mark.parametrize("name", EXPECTED)
def test_other_programs_give_the_same(name):
    values, fixated, base = case(name)
    expected = EXPECTED[name]
    found = information_gain(values, base, fixated)
    assert found == pytest.approx(expected["tuebingen"]["gain"], abs=1e-9)
    assert found == pytest.approx(expected["numpy"]["gain"], abs=1e-9)
    found = information_gain(values, base, fixated, minimum=1e-20)
    assert found == pytest.approx(expected["tuebingen"]["gain_minimum_1e-20"], abs=1e-9)
    found = log_likelihood(values, fixated)
    assert found == pytest.approx(expected["tuebingen"]["likelihood"], abs=1e-9)
    assert found == pytest.approx(expected["numpy"]["likelihood"], abs=1e-9)
    gain = expected["mit"]["gain"]
    expected_mit = np.nan if gain is None else gain
    found = information_gain(values, base, fixated, MIT)
    assert found == pytest.approx(expected_mit, abs=1e-9, nan_ok=True)


def test_without_fixations_there_is_no_value():
    values, _, base = case("smooth")
    nowhere = pixels([], [], *values.shape)
    assert np.isnan(information_gain(values, base, nowhere))
    assert np.isnan(information_gain(values, base, nowhere, MIT))
    assert np.isnan(log_likelihood(values, nowhere))


def test_a_zero_under_a_fixation():
    values = np.ones((4, 5))
    values[1, 2] = 0.0
    there, uniform = pixels([2.5], [1.5], 4, 5), np.ones((4, 5))
    assert information_gain(values, uniform, there) == -np.inf
    expected = np.log2(1e-20 / 19.0) - np.log2(1 / 20)
    assert information_gain(values, uniform, there, minimum=1e-20) == pytest.approx(expected, rel=1e-12)
    tilted = np.arange(1.0, 21.0).reshape(4, 5)
    found = information_gain(values, tilted, there, MIT)
    expected = np.log2(2.0**-52) - np.log2(7 / 190 + 2.0**-52)
    assert found == pytest.approx(expected, rel=1e-12)


def test_negative_values_and_zeros_follow_the_rule_of_sim_and_kl():
    values = np.array([[-1.0, 0.0], [1.0, 2.0]])
    there = pixels([1.5], [1.5], 2, 2)
    assert log_likelihood(values, there) == pytest.approx(np.log2(4 * 3 / 6))
    assert log_likelihood(np.zeros((2, 2)), there) == 0.0
    assert log_likelihood(np.full((2, 2), 7.0), there) == pytest.approx(0.0, abs=1e-12)


def test_a_map_with_nan_is_an_error():
    with pytest.raises(GazeError, match="not numbers"):
        information_gain(np.full((2, 2), np.nan), np.ones((2, 2)), pixels([1], [1], 2, 2), TUEBINGEN)


def test_bits_are_read_off_the_cell_of_each_fixation():
    density = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], dtype=np.float32)
    found = bits_at(density, [0.0, 0.34, 0.999999, 1 / 3], [0.0, 0.4999, 0.5, 0.75])
    assert found.tolist() == [0.0, 1.0, 5.0, 4.0]
    assert len(bits_at(density, [], [])) == 0
