"""Rank correlation over images: value, interval and test against scipy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.statistics.rank_correlation import rank_correlation


@pytest.mark.parametrize("levels", [4, 1000])
def test_the_correlation_is_scipy_s_also_with_ties(levels):
    rng = np.random.default_rng(levels)
    first = rng.integers(0, levels, 40).astype(float)
    second = first + rng.integers(0, levels, 40)
    assert rank_correlation(first, second, 10).rho == pytest.approx(stats.spearmanr(first, second).statistic)


def test_the_interval_is_that_of_resampled_images_ranked_anew():
    rng = np.random.default_rng(1)
    first = rng.normal(size=30)
    second = first + rng.normal(size=30)
    found = rank_correlation(first, second, 4000)
    drawn = rng.integers(0, 30, (4000, 30))
    ranks = [stats.rankdata(column[drawn], axis=1) for column in (first, second)]
    a, b = (stats.zscore(one, axis=1) for one in ranks)
    expected = np.percentile((a * b).mean(axis=1), [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx(expected, abs=0.03)


def test_few_images_have_the_p_of_all_permutations():
    first, second = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 1.0, 4.0, 3.0, 5.0])
    exact = stats.permutation_test(
        (second,),
        lambda one: stats.spearmanr(first, one).statistic,
        permutation_type="pairings",
        n_resamples=np.inf,
    )
    found = rank_correlation(first, second, 5000)
    assert found.p == pytest.approx(exact.pvalue, abs=0.02)
    assert math.isnan(found.low)


def test_p_is_uniform_when_the_columns_have_nothing_to_do_with_each_other():
    rng = np.random.default_rng(2)
    p = [rank_correlation(*rng.normal(size=(2, 15)), 200, seed).p for seed in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_images_without_both_numbers_are_left_out():
    first, second = np.array([1.0, np.nan, 3, 4, 2, 9, 7, 5]), np.array([2.0, 1, 3, np.nan, 5, 8, 9, 4])
    found = rank_correlation(first, second, 200)
    assert found.n_images == 6
    assert found.rho == pytest.approx(stats.spearmanr(first, second, nan_policy="omit").statistic)
    assert found.low < found.rho < found.high


@pytest.mark.parametrize(
    ("first", "second"), [([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]), ([1.0, 2.0], [2.0, 1.0]), ([], [])]
)
def test_constant_columns_and_single_images_have_none(first, second):
    found = rank_correlation(np.array(first), np.array(second), 50)
    assert math.isnan(found.rho)
    assert math.isnan(found.p)


@pytest.mark.filterwarnings("error")
def test_a_resample_that_leaves_out_all_that_differs_has_no_interval_and_is_no_warning():
    odd_one_out = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = [rank_correlation(odd_one_out, odd_one_out, 1, seed) for seed in range(20)]
    assert all(one.rho == pytest.approx(1.0) for one in found)
    # One resample of six images leaves a given one out with a probability of (5 / 6) ** 6 = 0.33.
    assert 1 <= sum(math.isnan(one.low) for one in found) < 20
