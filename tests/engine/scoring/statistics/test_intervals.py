"""Two-way intervals against the analysis of variance, and against studies whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.statistics.intervals import (
    People,
    degrees_of_freedom,
    t_quantile,
    variance_of_cells,
)
from gazeapp.engine.scoring.statistics.two_way import (
    IMAGES,
    IMAGES_AND_PEOPLE,
    LeftOutRows,
    TwoWay,
    percent_of,
    share_of_ceiling,
    side_by_side,
)
from tests.engine.scoring.people_world import layers, means_and_left_out


def first(means):
    return means[..., 0]


def two_way_anova(values: np.ndarray) -> tuple[float, float, float, float, float]:
    """Return mean squares / (n m) of images, people and the rest, the variance of the mean, and its df."""
    n, m = values.shape
    over_images, over_people = values.mean(axis=1), values.mean(axis=0)
    rest = values - over_images[:, None] - over_people + values.mean()
    parts = over_images.var(ddof=1) / n, over_people.var(ddof=1) / m
    both = (rest**2).sum() / ((n - 1) * (m - 1)) / (n * m)
    total = sum(parts) - both
    df = total**2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1) + both**2 / ((n - 1) * (m - 1)))
    return *parts, both, total, df


@pytest.mark.parametrize("sd", [(1, 1, 1), (0.2, 1, 0.5), (1, 0.5, 2)])
def test_the_interval_of_a_mean_is_that_of_a_two_way_random_layout(sd):
    values = layers(np.random.default_rng(3), 40, 12, sd, mean=5.0)
    scores, left_out = means_and_left_out(values[:, :, None])
    found = TwoWay(scores, left_out, 20_000).interval(first)
    *_, variance, df = two_way_anova(values)
    assert found.estimate == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, df) * math.sqrt(variance), rel=0.03)
    assert (found.low + found.high) / 2 == pytest.approx(found.estimate, abs=0.1 * (found.high - found.low))
    assert (found.n_images, found.n_subjects, found.method) == (40, 12, IMAGES_AND_PEOPLE)


def test_what_varies_by_image_and_person_is_the_interaction_mean_square():
    values = layers(np.random.default_rng(0), 9, 5, (1, 2, 3))
    scores, left_out = means_and_left_out(values[:, :, None])
    changes = (left_out.table[:, 0] - scores[left_out.image, 0]) / 9
    found = variance_of_cells(left_out.image, left_out.subject, changes)
    assert found == (pytest.approx(two_way_anova(values)[2]), 8 * 4)


def test_where_everybody_looked_at_one_image_all_variance_over_people_is_of_both():
    # 30 images of 4 people each, who looked at nothing else: the images are all that can be resampled.
    rng = np.random.default_rng(1)
    values = layers(rng, 30, 4, (1, 0, 2))
    scores, left_out = means_and_left_out(values[:, :, None])
    nested = LeftOutRows(left_out.image, np.arange(120), left_out.table)
    both, alone = (TwoWay(scores, rows, 4000).interval(first) for rows in (nested, None))
    assert (both.low, both.high) == pytest.approx((alone.low, alone.high))
    assert both.n_subjects == 120


def test_people_who_differ_only_by_image_are_not_counted_twice():
    # Over studies without habits the interval over images is right, and people should add next to nothing.
    widths = []
    for seed in range(40):
        values = layers(np.random.default_rng([seed, 2]), 30, 10, (1, 0, 1.5))
        scores, left_out = means_and_left_out(values[:, :, None])
        both, alone = (TwoWay(scores, rows, 1000).interval(first) for rows in (left_out, None))
        widths.append((both.high - both.low) / (alone.high - alone.low))
    assert min(widths) > 0.98
    assert 1 < np.mean(widths) < 1.08


def test_people_never_make_a_number_surer_than_images_alone_do():
    # Of 6 images t is large; people bring degrees of freedom.
    shorter = 0
    for seed in range(30):
        values = layers(np.random.default_rng([seed, 8]), 6, 12, (1, 0.6, 1))
        scores, left_out = means_and_left_out(values[:, :, None])
        both, alone = (TwoWay(scores, rows, 4000).interval(first) for rows in (left_out, None))
        # The same length in t and variance; draws of images alone have other tails.
        assert both.high - both.low > 0.97 * (alone.high - alone.low)
        *_, variance, df = two_way_anova(values)
        over_images = scores.var(ddof=1) / 6
        shorter += stats.t.ppf(0.975, df) * math.sqrt(variance) < stats.t.ppf(0.975, 5) * math.sqrt(
            over_images
        )
    assert shorter > 5


def test_images_that_do_not_differ_leave_the_variance_over_people():
    people = np.random.default_rng(4).normal(5, 1, 10)
    scores, left_out = means_and_left_out(np.tile(people, (20, 1))[:, :, None])
    found = TwoWay(scores, left_out, 20_000).interval(first)
    expected = 2 * stats.t.ppf(0.975, 9) * people.std(ddof=1) / math.sqrt(10)
    assert found.high - found.low == pytest.approx(expected, rel=0.03)


def test_a_constant_has_an_interval_without_length():
    scores, left_out = means_and_left_out(np.full((8, 4, 1), 2.0))
    found = TwoWay(scores, left_out, 200).interval(first)
    assert (found.estimate, found.low, found.high) == (2, 2, 2)


@pytest.mark.parametrize(("n", "given"), [(1, False), (5, False), (6, True)])
def test_an_interval_needs_six_images(n, given):
    scores, left_out = means_and_left_out(layers(np.random.default_rng(5), n, 5, (1, 1, 1))[:, :, None])
    found = TwoWay(scores, left_out, 500).interval(first)
    assert found.estimate == pytest.approx(scores.mean())
    assert math.isfinite(found.low) == math.isfinite(found.high) == given
    assert found.method == (IMAGES_AND_PEOPLE if given else "")
    assert bool(found.note) != given


@pytest.mark.parametrize(("m", "about"), [(2, IMAGES), (3, IMAGES_AND_PEOPLE)])
def test_two_people_do_not_tell_how_people_differ(m, about):
    scores, left_out = means_and_left_out(layers(np.random.default_rng(6), 12, m, (1, 1, 1))[:, :, None])
    found = TwoWay(scores, left_out, 500).interval(first)
    assert found.method == about
    assert (found == TwoWay(scores, None, 500).interval(first)) == (about == IMAGES)


def test_two_people_and_three_images_get_no_absurd_interval():
    # The ceiling of these images is hardly above 0, so their ratio could be anything.
    values = np.array([[[0.6, 0.02], [0.5, 0.01]], [[0.7, 0.4], [0.4, 0.03]], [[0.2, 0.05], [0.9, 0.01]]])
    table, left_out = means_and_left_out(values)
    found = share_of_ceiling(table[:, 0], table[:, 1:], first, 0.0, 2000, left_out=left_out)
    assert found.percent > 500
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert (found.n_subjects, found.method) == (0, "")


def test_a_number_that_many_resamples_lack_has_no_interval():
    scores = np.arange(10.0)[:, None]
    study = TwoWay(scores, None, 2000)
    often = study.interval(lambda m: np.where(m[..., 0] > 3.0, m[..., 0], np.nan))
    never = study.interval(lambda m: np.where(m[..., 0] > -1.0, m[..., 0], np.nan))
    assert math.isnan(often.low)
    assert often.estimate == 4.5
    assert math.isfinite(never.low)


def test_the_degrees_of_freedom_of_few_people_are_theirs():
    nobody = People(np.zeros(5), 0.0, 0.0, 100)
    assert degrees_of_freedom(1.0, 40, nobody) == 39
    only = People(np.ones(5), 1.0, 0.0, 100)
    assert degrees_of_freedom(1e-9, 40, only) == pytest.approx(4)
    # Satterthwaite: (1 + 1)**2 / (1 / 39 + 1 / 4).
    assert degrees_of_freedom(1.0, 40, only) == pytest.approx(4 / (1 / 39 + 1 / 4))
    assert t_quantile(4) == pytest.approx(stats.t.ppf(0.975, 4))
    assert t_quantile(np.inf) == pytest.approx(stats.norm.ppf(0.975))


def test_the_jackknife_of_pairs_of_people_is_held_to_the_variance_over_images():
    people = People(np.ones(8), 4.0, 1.65, 100)
    assert people.net == pytest.approx(2.35)
    # 1.5 times the variance over images plus its standard error, 1 + 0.1: both are divided by it, at most by 2.
    assert people.without_overstatement(1.0, 201).net == pytest.approx(2.35 / 1.5)
    assert people.without_overstatement(0.1, 201).net == pytest.approx(2.35 / 2)
    assert people.without_overstatement(1.6, 201) == people


def test_the_jackknife_overstates_numbers_that_depend_on_pairs_of_people():
    # Mean of z_s z_t over pairs of 12 people on 400 images: its variance, 1 / 66 on one image, is that of
    # image and person at once; the jackknife makes it about twice as large (Efron & Stein 1981).
    rng = np.random.default_rng(7)
    z = rng.normal(size=(400, 12))

    def pairs(rows: np.ndarray) -> np.ndarray:
        k = rows.shape[-1]
        return (rows.sum(axis=-1) ** 2 - (rows**2).sum(axis=-1)) / (k * (k - 1))

    without = np.stack([pairs(np.delete(z, s, axis=1)) for s in range(12)], axis=1)
    image, subject = np.divmod(np.arange(400 * 12), 12)
    changes = (without - pairs(z)[:, None]).ravel() / 400
    cells, _ = variance_of_cells(image, subject, changes)
    truth = 1 / 66 / 400
    assert cells == pytest.approx(2 * truth, rel=0.25)
    found = TwoWay(pairs(z)[:, None], LeftOutRows(image, subject, without.reshape(-1, 1)), 4000).interval(
        first
    )
    assert found.high - found.low < 1.15 * 2 * 1.96 * math.sqrt(truth)


def test_percent_is_missing_where_the_ceiling_is_chance():
    found = percent_of([0.75, 0.75], [1.0, 0.5], 0.5)
    np.testing.assert_array_equal(found, [50, np.nan])


def test_tables_side_by_side_lose_a_person_from_all_that_they_are_in():
    # Person 1 is in both tables; 2 is in the first alone, 3 in the second alone.
    tables = [np.array([[1.0], [2.0]]), np.array([[10.0, 20.0], [30.0, 40.0]])]
    left_out = [
        LeftOutRows(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([[1.1], [1.2], [2.1]])),
        LeftOutRows(np.array([1, 0]), np.array([3, 1]), np.array([[33.0, 43.0], [11.0, 21.0]])),
    ]
    table, rows = side_by_side(tables, left_out)
    np.testing.assert_array_equal(table, [[1, 10, 20], [2, 30, 40]])
    found = {(i, s): tuple(row) for i, s, row in zip(rows.image, rows.subject, rows.table, strict=True)}
    assert found == {
        (0, 1): (1.1, 11, 21),
        (0, 2): (1.2, 10, 20),
        (1, 1): (2.1, 30, 40),
        (1, 3): (2, 33, 43),
    }
    assert side_by_side(tables, [left_out[0], None])[1] is None


def held(seeds: int, n: int, m: int, sd: tuple[float, float, float], n_bootstrap: int = 500) -> float:
    """Return the share of studies whose interval of a mean holds the truth."""
    count = 0
    for seed in range(seeds):
        values = layers(np.random.default_rng([seed, n, m]), n, m, sd, mean=5.0)
        scores, left_out = means_and_left_out(values[:, :, None])
        found = TwoWay(scores, left_out, n_bootstrap).interval(first)
        count += found.low <= 5.0 <= found.high
    return count / seeds


def test_intervals_hold_the_truth_at_about_their_nominal_rate():
    assert 0.90 < held(200, 24, 8, (1, 1, 1)) < 0.99


@pytest.mark.simulation
@pytest.mark.parametrize(("n", "m"), [(24, 6), (24, 12), (60, 15), (60, 6)])
@pytest.mark.parametrize(
    "sd", [(1, 1, 1), (1, 0, 1), (0, 1, 1), (1, 0.3, 3), (0, 0, 1), (1, 0, 0)], ids=lambda sd: str(sd)
)
def test_intervals_of_a_mean_hold_the_truth_at_their_nominal_rate(n, m, sd):
    # Where people have nothing in common over images, what noise adds can only lengthen the interval.
    highest = 0.99 if sd[1] < 0.5 else 0.975
    assert 0.92 <= held(1000, n, m, sd, 1000) <= highest


def held_of_some(
    seeds: int, n: int, m: int, share: float, sd: tuple[float, float, float], n_bootstrap: int
) -> float:
    """Return the same where each person looked at a random share of the images, at least 3 at each."""
    count = 0
    for seed in range(seeds):
        rng = np.random.default_rng([seed, n, m])
        values = layers(rng, n, m, sd, mean=5.0)
        order = rng.random((n, m))
        looked = (order < share) | (order.argsort(axis=1).argsort(axis=1) < 3)
        number, total = looked.sum(axis=1), (values * looked).sum(axis=1)
        image, subject = np.nonzero(looked)
        without = (total[image] - values[image, subject]) / (number[image] - 1)
        rows = LeftOutRows(image, subject, without[:, None])
        found = TwoWay((total / number)[:, None], rows, n_bootstrap).interval(first)
        count += found.low <= 5.0 <= found.high
    return count / seeds


def test_intervals_hold_the_truth_where_people_looked_at_some_of_the_images():
    assert 0.90 < held_of_some(150, 30, 12, 0.7, (1, 1, 1), 500) < 0.99


@pytest.mark.simulation
@pytest.mark.parametrize(("n", "m", "share"), [(30, 12, 0.7), (30, 30, 0.3), (60, 100, 0.08)])
@pytest.mark.parametrize("sd", [(1, 1, 1), (1, 0, 1), (0, 1, 1), (0.3, 0.3, 1)], ids=lambda sd: str(sd))
def test_intervals_hold_at_their_nominal_rate_where_people_looked_at_some_of_the_images(n, m, share, sd):
    assert 0.92 <= held_of_some(600, n, m, share, sd, 600) <= 0.985


def ratio_study(seed: int, n: int, m: int, skew: float, habits: float) -> tuple[np.ndarray, LeftOutRows]:
    """Return scores and ceilings of images of very different size; the ratio of their means is 1/2."""
    rng = np.random.default_rng([seed, n, m])
    size = np.exp(rng.normal(0, skew, (n, 1)))
    shared = rng.normal(0, habits, (1, m))
    ceiling = size * (2 + shared + rng.normal(0, 0.5, (n, m)))
    own = rng.normal(0, 0.3, (n, 1)) + rng.normal(0, habits, (1, m)) + rng.normal(0, 0.5, (n, m))
    return means_and_left_out(np.stack([size * (1 + 0.5 * shared + own), ceiling], axis=2))


def ratios_held(seeds: int, n: int, m: int, skew: float, habits: float, n_bootstrap: int) -> float:
    count = 0
    for seed in range(seeds):
        table, left_out = ratio_study(seed, n, m, skew, habits)
        found = share_of_ceiling(table[:, 0], table[:, 1:], first, 0.0, n_bootstrap, left_out=left_out)
        count += found.low <= 50 <= found.high
    return count / seeds


def test_intervals_of_a_ratio_hold_the_truth_at_about_their_nominal_rate():
    assert 0.90 < ratios_held(150, 24, 12, 0.6, 0.3, 500) < 0.99


@pytest.mark.simulation
@pytest.mark.parametrize(("n", "m"), [(12, 6), (24, 6), (24, 12), (60, 15)])
@pytest.mark.parametrize(("skew", "habits"), [(0.6, 0.0), (0.6, 0.3), (1.0, 0.0), (1.0, 0.3)])
def test_intervals_of_a_ratio_hold_the_truth_at_their_nominal_rate(n, m, skew, habits):
    assert 0.92 <= ratios_held(1000, n, m, skew, habits, 1000) <= 0.98
