import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.pairs import differences, holm, sign_flip


@pytest.mark.parametrize("shift", [0.0, 0.6, -2.0])
def test_few_images_give_the_exact_p_of_scipys_permutation_test(shift):
    column = np.random.default_rng(5).normal(shift, 1, 9)
    oracle = stats.permutation_test(
        (column,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flip(column) == pytest.approx(oracle.pvalue, abs=1e-12)


def test_many_images_agree_with_the_t_test_where_differences_are_normal():
    column = np.random.default_rng(8).normal(0.2, 1, 200)
    assert sign_flip(column, 20_000) == pytest.approx(stats.ttest_1samp(column, 0).pvalue, abs=0.01)


def test_without_a_difference_p_is_uniform():
    rng = np.random.default_rng(2)
    p = [sign_flip(rng.normal(0, 1, 25), 400, seed) for seed in range(400)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_p_is_never_0_and_equal_scores_give_1():
    assert sign_flip(np.full(100, 3.0), 1000) == pytest.approx(1 / 1001)
    assert sign_flip(np.zeros(100), 1000) == 1


def test_holm_is_that_of_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_pairs_use_the_images_that_both_have():
    rng = np.random.default_rng(1)
    base = rng.normal(1, 1, 80)
    columns = {"a": base + 0.5 + rng.normal(0, 0.1, 80), "b": base, "c": base - 0.5}
    columns["c"][:30] = np.nan
    first, second, third = differences(columns)
    assert [(d.first, d.second, d.n_images) for d in (first, second, third)] == [
        ("a", "b", 80),
        ("a", "c", 50),
        ("b", "c", 50),
    ]
    error = (columns["a"] - base).std() / np.sqrt(80)
    assert first.low == pytest.approx(first.mean - 1.96 * error, abs=0.2 * error)
    assert first.high == pytest.approx(first.mean + 1.96 * error, abs=0.2 * error)
    # A constant difference has no spread, however much the images differ.
    assert (third.low, third.mean, third.high) == pytest.approx((0.5, 0.5, 0.5))
    assert first.p == pytest.approx(1 / 10_001)
    assert first.p_holm == pytest.approx(3 / 10_001)


def test_one_image_has_a_difference_but_no_interval():
    (only,) = differences({"a": np.array([2.0]), "b": np.array([1.0])})
    assert (only.mean, only.p) == (1, 1)
    assert np.isnan(only.low)
    assert differences({"a": np.array([np.nan]), "b": np.array([1.0])}) == []
