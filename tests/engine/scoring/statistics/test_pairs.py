import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.findings import DIFFERENCE
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import (
    differences,
    holm,
    percent_differences,
    sign_flip,
    sign_flips,
)
from gazeapp.engine.scoring.statistics.scored import HeldAgainst, Scored
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows
from tests.engine.scoring.people_world import layers, means_and_left_out


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
    # A test without a p is none of the tests that are corrected for.
    assert holm([0.01, np.nan, 0.03]) == pytest.approx([0.02, np.nan, 0.03], nan_ok=True)


def test_columns_are_tested_as_if_each_were_alone_and_missing_images_change_nothing():
    table = np.random.default_rng(3).normal(0.3, 1, (40, 3))
    table[:32, 1] = np.nan
    table[5:, 2] = np.nan
    table[:, 2] += 2
    first, second, third = sign_flips(table, 20_000)
    assert first == pytest.approx(stats.ttest_1samp(table[:, 0], 0).pvalue, abs=0.01)
    for p, column in ((second, table[32:, 1]), (third, table[:5, 2])):
        assert p == pytest.approx(sign_flip(column), abs=1e-12)
    assert np.isnan(sign_flips(np.full((3, 1), np.nan))[0])
    # Random patterns are of all images, those of a column are some of them.
    assert sign_flips(table[:, :2], 100)[0] == sign_flips(table[:, :1], 100)[0]


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


def people_scores(n: int = 30, m: int = 10) -> tuple[np.ndarray, np.ndarray, LeftOutRows]:
    """Return two sources' scores and a ceiling of each image and person, their means, and those without one."""
    rng = np.random.default_rng(4)
    common = layers(rng, n, m, (1, 0.5, 0.5), mean=4)
    own = [common + layers(rng, n, m, (0.2, 0.3, 0.2), mean=mean) for mean in (0.0, -0.5)]
    values = np.stack([*own, common + 2], axis=2)
    table, left_out = means_and_left_out(values)
    return values, table, left_out


def test_the_interval_of_a_difference_is_about_images_and_people():
    values, table, left_out = people_scores()
    (found,) = differences({"a": table[:, 0], "b": table[:, 1]}, 20_000, left_out=left_out.columns([0, 1]))
    paired = values[:, :, 0] - values[:, :, 1]
    over_images, over_people = paired.mean(axis=1), paired.mean(axis=0)
    rest = paired - over_images[:, None] - over_people + paired.mean()
    parts = [over_images.var(ddof=1) / 30, over_people.var(ddof=1) / 10, (rest**2).sum() / (29 * 9 * 300)]
    variance = parts[0] + parts[1] - parts[2]
    df = variance**2 / (parts[0] ** 2 / 29 + parts[1] ** 2 / 9 + parts[2] ** 2 / (29 * 9))
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, df) * variance**0.5, rel=0.03)
    assert found.n_subjects == 10
    (alone,) = differences({"a": table[:, 0], "b": table[:, 1]}, 20_000)
    assert alone.n_subjects == 0
    assert alone.high - alone.low < 0.8 * (found.high - found.low)
    assert (alone.mean, alone.p, alone.effect) == (found.mean, found.p, found.effect)


def test_differences_in_percent_are_those_of_the_percentages():
    _, table, left_out = people_scores()
    scores = {"a": table[:, 0], "b": table[:, 1]}
    held = HeldAgainst(table[:, 2:], lambda m: m[..., 0], 0.0)
    (found,) = percent_differences(Scored(scores, held, left_out), 2000)
    assert found.mean == pytest.approx(100 * (table[:, 0] - table[:, 1]).mean() / table[:, 2].mean())
    assert found.low < found.mean < found.high
    (plain,) = differences(scores, 2000)
    assert (found.p, found.effect) == (plain.p, plain.effect)
    # Images without a part of the ceiling are left out; a ceiling at chance gives nothing.
    fewer = HeldAgainst(np.where(np.arange(30) < 4, np.nan, table[:, 2])[:, None], held.ceiling, 0.0)
    (found,) = percent_differences(Scored(scores, fewer), 200)
    assert found.n_images == 26
    assert found.mean == pytest.approx(100 * (table[4:, 0] - table[4:, 1]).mean() / table[4:, 2].mean())
    assert percent_differences(Scored(scores, HeldAgainst(table[:, 2:], held.ceiling, 50.0)), 200) == []
    assert percent_differences(Scored(scores), 200) == []


def test_a_difference_becomes_a_finding():
    _, table, _ = people_scores()
    (found,) = differences({"a": table[:, 0], "b": table[:, 1]}, 500)
    finding = found.finding("describe", "nss")
    assert (finding.analysis, finding.task, finding.metric) == (DIFFERENCE, "describe", "nss")
    assert (finding.term, finding.against, finding.kind) == ("a", "b", "model")
    assert (finding.estimate, finding.low, finding.high) == (found.mean, found.low, found.high)
    assert (finding.p, finding.p_holm, finding.n_images) == (found.p, found.p_holm, 30)
    assert finding.effect == effect_size(table[:, 0] - table[:, 1]).value


def test_few_images_have_no_interval_but_a_test():
    columns = {"a": np.arange(5.0) + 1, "b": np.zeros(5)}
    (found,) = differences(columns)
    assert np.isnan(found.low)
    assert found.p == pytest.approx(2 / 32)


@pytest.mark.simulation
@pytest.mark.parametrize("n", [8, 25, 60])
def test_without_a_difference_5_percent_of_the_tests_are_below_5_percent(n):
    # Differences of heavy tails, of different spread from image to image.
    rng = np.random.default_rng(n)
    low = 0
    for seed in range(2000):
        column = rng.standard_t(4, n) * rng.uniform(0.2, 2, n)
        low += sign_flip(column, 1000, seed) < 0.05
    assert stats.binomtest(low, 2000, 0.05).pvalue > 0.001


def test_a_difference_over_few_images_says_why_it_has_no_interval():
    table = np.random.default_rng(4).normal(1, 0.2, (6, 2))
    scores = {"a": table[:, 0] + 0.5, "b": table[:, 1]}
    held = HeldAgainst(np.full((6, 1), 3.0), lambda means: means[..., 0], 0.0)
    for n, note in ((6, ""), (5, "There is no interval over fewer than 6 images.")):
        some = {name: column[:n] for name, column in scores.items()}
        (plain,) = differences(some, 200)
        (percent,) = percent_differences(Scored(some, HeldAgainst(held.parts[:n], held.ceiling, 0.0)), 200)
        for one in (plain, percent):
            assert one.finding("t", "nss").note == note
            assert np.isfinite(one.low) == (note == "")
