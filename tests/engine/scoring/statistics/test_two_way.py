"""Percent of ceiling and its bootstrap against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.scoring.statistics.two_way import share_of_ceiling


def first(means):
    return means[..., 0]


def test_percent_is_the_ratio_of_means_above_chance_not_the_mean_of_ratios():
    found = share_of_ceiling([0.6, 0.9], np.array([[0.7], [1.0]]), first, 0.5)
    assert found.percent == pytest.approx(100 * (0.75 - 0.5) / (0.85 - 0.5))
    assert (found.mean, found.ceiling, found.n_images) == (0.75, 0.85, 2)


def test_a_source_that_is_its_ceiling_scores_100_without_doubt():
    values = np.random.default_rng(0).random(30)
    found = share_of_ceiling(values, values[:, None], first, 0.0)
    assert (found.percent, found.low, found.high) == pytest.approx((100, 100, 100))


def test_nothing_is_clipped_at_100_or_at_0():
    ones = np.ones((20, 1))
    assert share_of_ceiling(np.full(20, 1.3), ones, first, 0.0).percent == pytest.approx(130)
    assert share_of_ceiling(np.full(20, -0.2), ones, first, 0.0).percent == pytest.approx(-20)


def test_images_without_a_value_are_left_out_of_both_sides():
    scores = [1.0, np.nan, 3.0, 5.0]
    parts = np.array([[2.0], [100.0], [2.0], [np.nan]])
    found = share_of_ceiling(scores, parts, first, 0.0)
    assert (found.n_images, found.mean, found.ceiling, found.percent) == (2, 2.0, 2.0, pytest.approx(100))


def test_without_images_or_without_a_ceiling_above_chance_there_is_no_percentage():
    assert share_of_ceiling([np.nan], np.ones((1, 1)), first, 0.0).n_images == 0
    found = share_of_ceiling([0.2, 0.3], np.full((2, 1), 0.4), first, 0.5)
    assert math.isnan(found.percent)
    assert math.isnan(found.low)
    assert found.mean == 0.25


@pytest.mark.parametrize(("mean", "clear"), [(0.515, False), (0.525, True)])
def test_a_ceiling_that_may_be_chance_gives_no_percentage(mean, clear):
    # 100 images, sd 0.1: the lower end of the mean's 95 % interval is 0.0196 below the mean.
    values = np.random.default_rng(5).normal(size=100)
    values = mean + 0.1 * (values - values.mean()) / values.std()
    found = share_of_ceiling(np.full(100, 0.4), values[:, None], first, 0.5)
    assert (found.n_images, found.mean, found.ceiling) == (100, pytest.approx(0.4), pytest.approx(mean))
    expected = 100 * (0.4 - 0.5) / (mean - 0.5) if clear else math.nan
    assert found.percent == pytest.approx(expected, nan_ok=True)
    assert math.isfinite(found.low) == math.isfinite(found.high) == clear


def test_one_image_has_no_interval():
    found = share_of_ceiling([0.5], np.ones((1, 1)), first, 0.0)
    assert found.percent == pytest.approx(50)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_the_interval_of_a_mean_has_the_width_of_the_normal_one():
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    found = share_of_ceiling(values, np.ones((400, 1)), first, 0.0, n_bootstrap=20_000)
    half = 1.96 * 100 * values.std() / math.sqrt(400)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.04)
    assert (found.low + found.high) / 2 == pytest.approx(100 * values.mean(), abs=0.1 * half)


def test_numerator_and_denominator_are_resampled_together():
    # A source that is always half of its ceiling has no uncertainty in their ratio.
    values = np.random.default_rng(2).random(50)
    found = share_of_ceiling(values / 2, values[:, None], first, 0.0)
    assert (found.low, found.high) == pytest.approx((50, 50))


def test_the_seed_decides_the_interval():
    values = np.random.default_rng(3).random(25)
    ones = np.ones((25, 1))
    one, same, other = (share_of_ceiling(values, ones, first, 0.0, 500, seed) for seed in (1, 1, 2))
    assert one == same
    assert one.low != other.low
