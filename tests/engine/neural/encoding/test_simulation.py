"""Hundreds of simulated studies: tests are wrong as often as they say, and intervals hold the truth."""

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.neural.encoding import RidgeSettings, compare, encode, intervals, permutation_test
from gazeapp.engine.neural.encoding.scores import fisher_z

pytestmark = pytest.mark.simulation

FEW = RidgeSettings(penalties=tuple(np.logspace(0, 5, 6)))


def test_permutation_tests_are_wrong_in_5_percent_before_and_after_each_correction():
    low, families, fdr = 0, 0, 0
    for seed in range(400):
        rng = np.random.default_rng([seed, 7])
        features = rng.normal(size=(40, 12))
        # Neighbouring regions respond alike.
        responses = rng.normal(size=(40, 20)) + rng.normal(size=(40, 5)).repeat(4, axis=1)
        found = permutation_test(features, responses.astype(np.float32), FEW, 99, seed)
        low += int((found.p <= 0.05).sum())
        families += bool((found.p_max <= 0.05).any())
        fdr += bool((found.p_fdr <= 0.05).any())
    assert 0.04 < low / 8000 < 0.06
    for wrong in (families, fdr):
        assert stats.binomtest(wrong, 400, 0.05, "greater").pvalue > 0.001
    assert stats.binomtest(families, 400, 0.05).pvalue > 0.001


def test_among_targets_called_different_from_chance_5_percent_are_not():
    false, called = 0, 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 8])
        features = rng.normal(size=(60, 8))
        responses = rng.normal(size=(60, 20))
        responses[:, :10] += features @ rng.normal(size=(8, 10)) * 0.5
        found = permutation_test(features, responses.astype(np.float32), FEW, 499, seed)
        below = found.p_fdr <= 0.05
        false += below[10:].sum() / max(1, below.sum())
        called += below[:10].mean()
    assert false / 60 < 0.05
    assert called / 60 > 0.8


def signal(rng, features, share, n_targets):
    weights = rng.normal(size=(features.shape[1], n_targets))
    return features @ weights * np.sqrt(share / (1 - share) / (weights**2).sum(axis=0))


@pytest.mark.parametrize(("n", "p"), [(60, 20), (100, 30), (200, 196)])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_intervals_hold_the_mean_of_such_studies(n, p, share):
    scale = np.arange(1, p + 1.0) ** -0.5  # neighbouring parts of maps go together
    weights = np.random.default_rng([n, p]).normal(size=(p, 20))
    weights *= np.sqrt(share / (1 - share) / ((weights * scale[:, None]) ** 2).sum(axis=0))
    z, low, high = [], [], []
    for seed in range(100):
        rng = np.random.default_rng([seed, n, p])
        features = rng.normal(size=(n, p)) * scale
        responses = (features @ weights + rng.normal(size=(n, 20))).astype(np.float32)
        found = encode(features, responses)
        ends = intervals(found.predictions, responses, found.fold, 400, seed)
        for values, more in zip((z, low, high), (fisher_z(found.r), *ends), strict=True):
            values.append(more)
    # What such studies find of a target on average.
    truth = np.tanh(np.mean(z, axis=0))
    held = ((low <= truth) & (truth <= high)).mean()
    assert 0.935 < held < 0.995, (truth.mean(), held)


@pytest.mark.parametrize(("n", "p"), [(60, 20), (200, 196)])
@pytest.mark.parametrize(("share", "alike"), [(0.0, False), (0.5, False), (0.5, True)])
def test_models_that_are_equally_good_differ_in_at_most_5_percent(n, p, share, alike):
    low, families = 0, 0
    for seed in range(60):
        rng = np.random.default_rng([seed, n, p, 1])
        if alike:  # two noisy views of what drives the responses
            source = rng.normal(size=(n, p))
            first, second = (source + 0.7 * rng.normal(size=(n, p)) for _ in range(2))
            responses = signal(rng, source, share, 20)
        else:  # each of the two drives half of the responses' variance
            first, second = rng.normal(size=(2, n, p))
            responses = signal(rng, np.hstack([first, second]), share, 20)
        responses = (responses + rng.normal(size=(n, 20))).astype(np.float32)
        a, b = encode(first, responses), encode(second, responses)
        found = compare(a.predictions, b.predictions, responses, a.fold, 400, seed)
        low += int((found.p < 0.05).sum())
        families += bool((found.p_max < 0.05).any())
    # Targets of a study share their features, so that 1,200 tests are fewer.
    assert low / 1200 < 0.065
    assert stats.binomtest(families, 60, 0.05, "greater").pvalue > 0.001


def test_flipping_signs_of_squared_errors_would_be_wrong_far_more_often():
    rejected = []
    for seed in range(60):
        rng = np.random.default_rng([seed, 2])
        first, second = rng.normal(size=(2, 100, 30))
        responses = signal(rng, np.hstack([first, second]), 0.6, 20) + rng.normal(size=(100, 20))
        responses = responses.astype(np.float32)
        a, b = (encode(features, responses).predictions for features in (first, second))
        difference = (responses - a) ** 2 - (responses - b) ** 2
        signs = rng.choice([-1.0, 1.0], (499, 100))
        more = np.abs(signs @ difference) >= np.abs(difference.sum(axis=0))
        rejected.extend((1 + more.sum(axis=0)) / 500 < 0.05)
    assert np.mean(rejected) > 0.1
