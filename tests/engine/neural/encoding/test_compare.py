"""Differences between two models, and how often the test is wrong."""

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.neural.encoding import compare, encode
from tests.engine.neural.encoding.made_up import study


@pytest.fixture(scope="module")
def compared():
    """The features that made the responses against others, over 30 targets with signal and 10 without."""
    features, responses = study(1, 150, 10, np.repeat([0.75, 0.0], [30, 10]), 40)
    responses[4, 35] = np.nan
    others = np.random.default_rng(5).normal(size=(150, 10))
    first, second = encode(features, responses), encode(others, responses)
    return responses, first, second, compare(first.predictions, second.predictions, responses, first.fold)


def test_the_better_model_is_found_and_the_difference_is_that_of_r(compared):
    _, first, second, found = compared
    np.testing.assert_allclose(found.difference, first.r - second.r, atol=1e-4)
    assert (found.low[:30] > 0).all()
    assert (found.p_max[:30] < 0.05).all()
    assert (found.p_fdr[:30] < 0.05).all()
    assert (found.p_max[36:] > 0.05).all()


def test_the_interval_leaves_out_0_where_p_is_below_5_percent(compared):
    found = compared[-1]
    known = np.isfinite(found.p)
    assert np.flatnonzero(~known).tolist() == [35]
    outside = (found.low > 0) | (found.high < 0)
    np.testing.assert_array_equal(outside[known], found.p[known] < 0.05)
    assert outside.any()
    assert not outside[known].all()
    assert (found.p_max[known] >= found.p[known] - 1e-3).all()
    assert np.isnan([found.difference[35], found.low[35], found.p_fdr[35], found.p_max[35]]).all()


def test_exchanged_models_differ_as_much_the_other_way(compared):
    responses, first, second, found = compared
    other = compare(second.predictions, first.predictions, responses, first.fold)
    np.testing.assert_allclose(other.difference, -found.difference)
    np.testing.assert_allclose(other.low, -found.high)
    np.testing.assert_allclose(other.p_max, found.p_max)


def test_a_model_does_not_differ_from_itself(compared):
    responses, first, _, _ = compared
    same = compare(first.predictions, first.predictions, responses, first.fold)
    known = np.isfinite(first.r)
    for values, expected in (
        (same.difference, 0),
        (same.low, 0),
        (same.p, 1),
        (same.p_fdr, 1),
        (same.p_max, 1),
    ):
        np.testing.assert_array_equal(values[known], expected)


def test_tiny_folds_have_a_difference_and_no_test():
    rng = np.random.default_rng(0)
    a, b, y = rng.normal(size=(3, 25, 2)).astype(np.float32)
    found = compare(a, b, y, np.arange(25) % 5)
    assert np.isfinite(found.difference).all()
    for values in (found.low, found.high, found.p, found.p_fdr, found.p_max):
        assert np.isnan(values).all()


def test_it_stops(compared):
    responses, first, second, _ = compared
    with pytest.raises(StoppedError):
        compare(first.predictions, second.predictions, responses, first.fold, should_stop=lambda: True)


def test_models_that_are_equally_good_differ_in_at_most_5_percent():
    low, families = 0, 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 1])
        responses = study(seed, 60, 8, 0.6, 6)[1]
        first, second = (encode(rng.normal(size=(60, 8)), responses) for _ in range(2))
        found = compare(first.predictions, second.predictions, responses, first.fold, 200)
        low += int((found.p < 0.05).sum())
        families += bool((found.p_max < 0.05).any())
    assert low / 240 < 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 240)
    assert stats.binomtest(families, 40, 0.05, "greater").pvalue > 0.01
