"""Resampling against plain loops; intervals that are as wide as they say."""

import numpy as np
import pytest

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.neural.encoding import encode, intervals
from gazeapp.engine.neural.encoding.bootstrap import draws, resampled_z, widening
from gazeapp.engine.neural.encoding.scores import within_folds
from tests.engine.neural.encoding.made_up import study


def test_resampled_z_is_that_of_the_resampled_images():
    rng = np.random.default_rng(0)
    fold = rng.permutation(np.arange(40) % 3)
    observed = rng.normal(5, 2, (40, 4))
    predicted = observed + rng.normal(0, 2, (40, 4))
    drawn = draws(fold, 6, seed=1)
    found = resampled_z(predicted, observed, drawn)
    for b in range(6):
        rows = np.concatenate(
            [np.repeat(one.rows, np.rint(one.shares[b] * len(one.rows)).astype(int)) for one in drawn]
        )
        assert len(rows) == 40
        np.testing.assert_array_equal(np.bincount(fold[rows]), np.bincount(fold))
        expected = np.arctanh(within_folds(predicted[rows], observed[rows], fold[rows]))
        np.testing.assert_allclose(found[b], expected, atol=1e-5)


def test_the_standard_error_of_many_images_is_fishers_times_what_folds_share():
    rng = np.random.default_rng(3)
    fold = np.arange(1000) % 5
    observed = rng.normal(size=(1000, 40)).astype(np.float32)
    predicted = (0.5 * observed + rng.normal(size=(1000, 40))).astype(np.float32)
    low, high = intervals(predicted, observed, fold, 500)
    z = np.arctanh(within_folds(predicted, observed, fold))
    np.testing.assert_allclose((np.arctanh(low) + np.arctanh(high)) / 2, z, atol=1e-6)
    half = (np.arctanh(high) - np.arctanh(low)) / 2
    assert half.mean() == pytest.approx(1.96 * 1.5 / np.sqrt(1000 - 15), rel=0.03)
    assert widening(np.arange(40) % 2) == pytest.approx(np.sqrt(3))


def test_an_interval_is_none_for_targets_left_out_and_for_tiny_folds():
    features, responses = study(1, 60, 8, 0.5, 4)
    responses[2, 1] = np.nan
    responses[:, 2] = 1
    found = encode(features, responses)
    low, high = intervals(found.predictions, responses, found.fold, 100)
    for end in (low, high):
        assert np.flatnonzero(np.isnan(end)).tolist() == [1, 2]
    assert ((low < found.r) & (found.r < high))[[0, 3]].all()
    few = np.arange(60) % 11
    assert np.isnan(intervals(found.predictions, responses, few, 100)[0]).all()


def test_a_constant_prediction_has_the_interval_from_0_to_0():
    observed = np.random.default_rng(0).normal(size=(30, 1)).astype(np.float32)
    low, high = intervals(np.ones((30, 1), np.float32), observed, np.arange(30) % 5, 50)
    assert (low[0], high[0]) == (0, 0)


def test_many_targets_are_resampled_alike_and_can_be_stopped():
    features, responses = study(2, 40, 4, 0.5, 300)
    found = encode(features, responses)
    whole = intervals(found.predictions, responses, found.fold, 50, seed=3)
    alone = intervals(found.predictions[:, 280:], responses[:, 280:], found.fold, 50, seed=3)
    np.testing.assert_allclose(whole[0][280:], alone[0], atol=1e-5)
    with pytest.raises(StoppedError):
        intervals(found.predictions, responses, found.fold, 50, should_stop=lambda: True)
