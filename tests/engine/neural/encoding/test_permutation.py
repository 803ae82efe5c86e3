"""The permutation test beside a plain one, and how often it is wrong."""

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.encoding import RidgeSettings, encode, permutation_test
from gazeapp.engine.neural.encoding.permutation import false_discovery, largest_statistic
from tests.engine.neural.encoding.made_up import study

FEW = RidgeSettings(n_folds=3, n_inner=2, penalties=(1.0, 100.0, 10_000.0))


def test_it_is_that_of_encoding_every_permutation_anew():
    features, responses = study(1, 40, 6, np.linspace(0, 0.6, 9), 9)
    found = permutation_test(features, responses, FEW, 60, seed=5)
    rng = np.random.default_rng([5, 40])
    null = np.array([encode(features, responses[rng.permutation(40)], FEW).r for _ in range(60)])
    r = encode(features, responses, FEW).r
    p = (1 + (null >= r).sum(axis=0)) / 61
    np.testing.assert_allclose(found.p, p)
    np.testing.assert_allclose(found.p_fdr, stats.false_discovery_control(p))
    np.testing.assert_allclose(found.p_max, (1 + (null.max(axis=1)[:, None] >= r).sum(axis=0)) / 61)
    assert len(np.unique(p)) > 4


def test_parts_of_many_targets_are_tested_as_if_they_were_one(monkeypatch):
    features, responses = study(2, 30, 4, 0.1, 40)
    responses[:, 16:32] = np.nan
    responses[:, 35] = np.nan
    whole = permutation_test(features, responses, FEW, 20)
    told = []
    monkeypatch.setattr("gazeapp.engine.neural.encoding.nested.CHUNK", 16)
    monkeypatch.setattr("gazeapp.engine.neural.encoding.permutation.CHUNK", 16)
    parts = permutation_test(features, responses, FEW, 20, told=lambda *one: told.append(one))
    for name in ("p", "p_fdr", "p_max"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name))
    assert told[-1][:2] == (40, 40)
    assert [done for done, *_ in told] == sorted({done for done, *_ in told})


def test_planted_targets_are_found_and_those_left_out_have_no_p():
    features, responses = study(3, 80, 6, np.repeat([0.6, 0.0], 10), 20)
    responses[0, 15] = np.nan
    responses[:, 16] = 2.0
    found = permutation_test(features, responses, n_permutations=199)
    assert (found.p[:10] == 1 / 200).all()
    assert (found.p_max[:10] == 1 / 200).all()
    # The smallest p of 18 tests in order, corrected: ten of them are as small.
    np.testing.assert_allclose(found.p_fdr[:10], 18 / 10 / 200)
    for values in (found.p, found.p_fdr, found.p_max):
        assert np.flatnonzero(np.isnan(values)).tolist() == [15, 16]
    known = np.delete(np.arange(20), [15, 16])
    assert (found.p_max[known] >= found.p[known]).all()
    assert (found.p_fdr[known] >= found.p[known]).all()


def test_targets_that_chance_reaches_keep_their_p_and_the_others_go_on():
    features, responses = study(5, 60, 6, np.repeat([0.5, 0.1, 0.0], 8), 24)
    responses[0, 23] = np.nan
    few = permutation_test(features, responses, FEW, 100)
    all_ = permutation_test(features, responses, FEW, 400, first=400)
    found = permutation_test(features, responses, FEW, 400, first=100)
    reached = few.p * 101 - 1
    settled = reached >= 10
    assert 4 < settled.sum() < 18
    np.testing.assert_array_equal(found.p[settled], few.p[settled])
    np.testing.assert_array_equal(found.p[~settled], all_.p[~settled])
    np.testing.assert_allclose(found.p_fdr, false_discovery(found.p))
    # The largest over all targets is known of the first permutations alone.
    np.testing.assert_array_equal(found.p_max, few.p_max)
    assert found.p[:8].min() == 1 / 401
    assert found.p_max[:8].min() == 1 / 101


def test_where_all_permutations_are_first_nothing_changes():
    features, responses = study(6, 40, 6, 0.2, 12)
    one = permutation_test(features, responses, FEW, 80)
    for first in (80, 81, 1000):
        two = permutation_test(features, responses, FEW, 80, first=first)
        for name in ("p", "p_fdr", "p_max"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_parts_of_many_targets_go_on_by_themselves(monkeypatch):
    features, responses = study(7, 30, 4, np.repeat([0.0, 0.7], 20), 40)
    whole = permutation_test(features, responses, FEW, 120, first=40)
    monkeypatch.setattr("gazeapp.engine.neural.encoding.nested.CHUNK", 16)
    monkeypatch.setattr("gazeapp.engine.neural.encoding.permutation.CHUNK", 16)
    parts = permutation_test(features, responses, FEW, 120, first=40)
    for name in ("p", "p_fdr", "p_max"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name))


def test_going_on_where_p_is_small_keeps_what_a_test_promises():
    p, n = [], 150
    for seed in range(n):
        features, responses = study(seed, 21, 3, 0.0, 12)
        p.append(permutation_test(features, responses, FEW, 199, seed, first=99).p)
    p = np.array(p)
    # Of 100 tries a p below 0.05 has at most 4 that reach it, so that these targets have all gone on to 200.
    for level in (0.05, 0.01):
        wrong = int((p <= level).sum())
        assert stats.binomtest(wrong, p.size, level).pvalue > 0.01, level
    assert p.min() < 1 / 100


def test_corrections_are_those_of_worked_examples():
    np.testing.assert_allclose(
        false_discovery(np.array([0.01, np.nan, 0.03, 0.04])), [0.03, np.nan, 0.04, 0.04]
    )
    assert np.isnan(false_discovery(np.full(3, np.nan))).all()
    # Of four permutations' largest values two reach 0.3, all reach 0.1, none reaches 0.9.
    found = largest_statistic(np.array([0.3, 0.1, 0.9]), np.array([0.4, 0.2, 0.1, 0.3]))
    np.testing.assert_allclose(found, [3 / 5, 1, 1 / 5])


def test_without_signal_5_percent_are_below_5_percent():
    low, families, fdr = 0, 0, 0
    for seed in range(60):
        features, responses = study(seed, 24, 5, 0.0, 8)
        found = permutation_test(features, responses, FEW, 99, seed)
        low += int((found.p <= 0.05).sum())
        families += bool((found.p_max <= 0.05).any())
        fdr += bool((found.p_fdr <= 0.05).any())
    assert stats.binomtest(low, 480, 0.05).pvalue > 0.01
    for wrong in (families, fdr):
        assert stats.binomtest(wrong, 60, 0.05).pvalue > 0.01


def test_it_stops_and_refuses_like_encoding():
    features, responses = study(4, 30, 4, 0.1, 5)
    with pytest.raises(GazeError, match="too few"):
        permutation_test(features[:9], responses[:9])
    asked = []
    with pytest.raises(StoppedError):
        permutation_test(
            features, responses, FEW, 1000, should_stop=lambda: len(asked) > 4 or bool(asked.append(1))
        )
