"""Correlation within folds and R squared on numbers that can be checked by hand."""

import numpy as np
import pytest

from gazeapp.engine.neural.encoding.nested import encode
from gazeapp.engine.neural.encoding.scores import variance_explained, within_folds
from tests.engine.neural.encoding.made_up import study

FOLD = np.array([0, 0, 0, 0, 1, 1, 1, 1])
OBSERVED = np.array([[1.0, 2, 3, 4, 9, 8, 7, 6]]).T


def column(*values):
    return np.array(values, dtype=float)[:, None]


def test_r_is_the_fisher_average_of_the_folds_correlations():
    predicted = column(1, 2, 3, 0, 5, 5, 4, 1)
    each = [np.corrcoef(predicted[rows, 0], OBSERVED[rows, 0])[0, 1] for rows in (slice(4), slice(4, 8))]
    expected = np.tanh(np.mean(np.arctanh(each)))
    assert within_folds(predicted, OBSERVED, FOLD)[0] == pytest.approx(expected, abs=1e-12)
    # Levels and scales of folds do not matter.
    moved = predicted * np.where(FOLD == 0, 3, 0.1)[:, None] + FOLD[:, None] * 100
    assert within_folds(moved, OBSERVED, FOLD)[0] == pytest.approx(expected, abs=1e-12)


def test_perfect_and_reversed_predictions_are_1_and_minus_1():
    assert within_folds(OBSERVED, OBSERVED, FOLD)[0] == pytest.approx(1, abs=1e-6)
    assert within_folds(-OBSERVED, OBSERVED, FOLD)[0] == pytest.approx(-1, abs=1e-6)
    assert variance_explained(OBSERVED, OBSERVED, FOLD)[0] == 1


def test_r_squared_of_the_training_mean_is_0_and_of_worse_predictions_negative():
    mean = np.where(FOLD == 0, OBSERVED[4:].mean(), OBSERVED[:4].mean())[:, None]
    assert variance_explained(mean, OBSERVED, FOLD)[0] == 0
    worse = 2 * mean - OBSERVED.mean()
    errors, deviations = ((worse - OBSERVED) ** 2).sum(), ((mean - OBSERVED) ** 2).sum()
    assert variance_explained(worse, OBSERVED, FOLD)[0] == pytest.approx(1 - errors / deviations)
    assert errors > deviations


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_prediction_has_an_r_of_0_and_a_constant_target_has_none(dtype):
    assert within_folds(np.full((8, 1), 1 / 3, dtype), OBSERVED, FOLD)[0] == 0
    assert np.isnan(within_folds(OBSERVED, np.full((8, 1), 1 / 3, dtype), FOLD)[0])
    # A difference in the last digit is none.
    flat = np.full((8, 1), 1000, dtype)
    flat[1] = np.nextafter(flat[1], dtype(2000))
    assert flat[1] > flat[0]
    assert within_folds(flat, OBSERVED, FOLD)[0] == 0
    # Constant in one fold alone.
    half = column(1, 2, 3, 0, 7, 7, 7, 7)
    r = within_folds(half, OBSERVED, FOLD)[0]
    assert r == pytest.approx(np.tanh(np.arctanh(np.corrcoef(half[:4, 0], OBSERVED[:4, 0])[0, 1]) / 2))
    assert np.isnan(within_folds(OBSERVED, half, FOLD)[0])


def test_numbers_that_are_none_give_none():
    unknown = OBSERVED.copy()
    unknown[2] = np.nan
    assert np.isnan(within_folds(unknown, OBSERVED, FOLD)[0])
    assert np.isnan(within_folds(OBSERVED, unknown, FOLD)[0])


def test_without_signal_the_pooled_correlation_is_biased_and_that_within_folds_is_not():
    features, responses = study(4, 100, 20, 0.0, 1500)
    found = encode(features, responses)
    pooled = [np.corrcoef(a, b)[0, 1] for a, b in zip(found.predictions.T, responses.T, strict=True)]
    # Targets share the features and so are not wholly independent of each other; three errors of the mean.
    error = np.std(found.r) / np.sqrt(1500)
    assert abs(found.r.mean()) < 3 * error
    assert np.mean(pooled) < -0.05 < -6 * error
