"""Effect sizes against their definition and the noncentral t distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.statistics.effects import effect_size


def test_an_effect_is_the_mean_in_standard_deviations():
    assert effect_size(np.array([1.0, 2.0, 3.0])).value == pytest.approx(2)
    assert effect_size(np.array([np.nan, 1.0, 2.0, 3.0])) == effect_size(np.array([1.0, 2.0, 3.0]))
    assert effect_size(-np.array([1.0, 2.0, 3.0])).value == pytest.approx(-2)


@pytest.mark.parametrize("shift", [0.0, 0.4, -1.5])
def test_at_its_ends_the_observed_effect_is_at_the_2_5_percent_tails(shift):
    column = np.random.default_rng(0).normal(shift, 1, 30)
    found = effect_size(column)
    t = found.value * math.sqrt(30)
    assert t == pytest.approx(stats.ttest_1samp(column, 0).statistic)
    assert stats.nct.cdf(t, 29, found.low * math.sqrt(30)) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(t, 29, found.high * math.sqrt(30)) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize("column", [[], [1.0], [2.0, 2.0, 2.0], [0.0, 0.0], [0.1 + 0.2, 0.3, 0.3]])
def test_without_spread_there_is_no_effect_size(column):
    found = effect_size(np.array(column, dtype=np.float64))
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_intervals_hold_the_true_effect_at_their_nominal_rate():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(500):
        found = effect_size(rng.normal(0.5, 1, 20))
        held += found.low <= 0.5 <= found.high
    assert stats.binomtest(held, 500, 0.95).pvalue > 0.001
