"""Draws with replacement against what they are drawn from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.scoring.statistics.resampling import drawn_people, resampled_means


def test_resampled_means_are_means_of_draws_with_replacement():
    # Powers of 5 let each resample's counts be read off its mean.
    n = 4
    table = (5.0 ** np.arange(n))[:, None]
    means = resampled_means(table, 200, seed=0)[:, 0] * n
    digits = np.stack([(np.round(means) // 5**k) % 5 for k in range(n)], axis=1)
    assert (digits.sum(axis=1) == n).all()
    assert 0.6 < digits.var() < 0.9  # binomial: n * 1/n * (1 - 1/n) = 0.75


def test_many_images_are_resampled_in_parts():
    table = np.random.default_rng(4).random((3000, 1))
    means = resampled_means(table, 3000, seed=0)[:, 0]
    assert means.shape == (3000,)
    assert means.std() == pytest.approx(table.std() / math.sqrt(3000), rel=0.06)
    assert len(np.unique(means)) == 3000


def test_a_column_has_the_same_means_in_whatever_company_it_comes():
    table = np.random.default_rng(6).random((40, 5))
    alone = resampled_means(table[:, 3:4], 300, seed=8)[:, 0]
    together = resampled_means(table, 300, seed=8)
    np.testing.assert_array_equal(together[:, 3], alone)
    # Twice the same column, and all of them again.
    np.testing.assert_array_equal(resampled_means(table[:, [3, 3, 0]], 300, seed=8), together[:, [3, 3, 0]])
    assert not np.array_equal(resampled_means(table, 300, seed=9), together)


def test_more_columns_than_are_kept_are_resampled_alike():
    table = np.random.default_rng(7).random((12, 300))
    counts = np.random.default_rng([5, 12, 0]).integers(0, 12, (50, 12))
    for _ in range(2):
        np.testing.assert_allclose(resampled_means(table, 50, seed=5), table[counts].mean(axis=1))


def test_people_are_drawn_with_replacement():
    drawn = drawn_people(8, 4000, seed=0)
    assert (drawn.sum(axis=1) == 8).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(8), abs=0.06)
    assert drawn.var() == pytest.approx(1 - 1 / 8, rel=0.03)
