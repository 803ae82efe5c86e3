"""A lesion minus its controls, and the relabelling test, against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gazeapp.engine.scoring.analyses.neglect_controls import net_of_controls, relabelling_p
from gazeapp.engine.scoring.statistics.pairs import sign_flip

NAN = float("nan")


def by_hand(places: list[float], n_random: int) -> float:
    """Return the first of an image's places minus the mean of the means of the two kinds behind it."""
    kinds = [places[1 : 1 + n_random], places[1 + n_random :]]
    return places[0] - float(np.mean([np.mean(kind) for kind in kinds if kind]))


def ways_by_hand(places: list[float], n_random: int) -> list[float]:
    return [by_hand(places[k:] + places[:k], n_random) for k in range(len(places))]


def test_draws_are_averaged_then_kinds_whatever_an_image_has():
    lesion = np.array([5.0, 5, 5, 5, NAN, 5])
    random = [np.array([1.0, 1, NAN, NAN, 1, NAN]), np.array([3.0, NAN, 3, NAN, 1, NAN])]
    mass = np.array([4.0, 2, NAN, 3, 1, NAN])
    net = net_of_controls(lesion, random, [mass])
    assert net.values == pytest.approx([5 - 3, 5 - 1.5, 5 - 3, 5 - 3, NAN, NAN], nan_ok=True)
    assert net.alone.tolist() == [False, False, True, True, False, False]
    assert net.relabelled is not None
    assert not np.isfinite(net.relabelled[4:]).any()


def aligned(table: np.ndarray, n_random: int) -> np.ndarray:
    """Return the table with kinds of controls that differ by 0 on average, three images stretched by sqrt(3)."""
    table = table.copy()
    kinds = [table[:, 1 : 1 + n_random], table[:, 1 + n_random :]]
    if all(kind.size for kind in kinds):
        means = np.column_stack([kind.mean(axis=1) for kind in kinds])
        middle, apart = means.mean(axis=1), means[:, 1] - means[:, 0]
        apart = (apart - apart.mean()) * np.sqrt(3)
        for k, kind in enumerate(kinds):
            kind += (middle + (k - 0.5) * apart - means[:, k])[:, None]
    return table


@pytest.mark.parametrize(("n_random", "n_mass"), [(1, 1), (2, 1), (4, 3), (0, 3), (3, 0)])
def test_every_place_is_called_the_lesion_in_turn(n_random, n_mass):
    table = np.random.default_rng(n_random).normal(0, 1, (3, 1 + n_random + n_mass))
    net = net_of_controls(table[:, 0], list(table[:, 1 : 1 + n_random].T), list(table[:, 1 + n_random :].T))
    assert net.relabelled is not None
    ways = [ways_by_hand(list(row), n_random) for row in aligned(table, n_random)]
    assert net.relabelled == pytest.approx(np.array(ways))
    assert net.values == pytest.approx([by_hand(list(row), n_random) for row in table])
    assert net.values == pytest.approx(net.relabelled[:, 0])
    # Whatever the places do, no name is better than another.
    assert net.relabelled.mean(axis=1) == pytest.approx(np.zeros(3), abs=1e-12)


def test_missing_places_take_no_part():
    random = [np.array([NAN, 7.0, NAN]), np.array([7.0, 1.0, 3.0])]
    net = net_of_controls(np.array([2.0, 2.0, 2.0]), random, [np.array([1.0, NAN, NAN])])
    assert net.relabelled is not None
    for own, places, n_random in zip(
        net.relabelled, ([2.0, 7, 1], [2.0, 7, 1], [2.0, 3]), (1, 2, 1), strict=True
    ):
        assert own[np.isfinite(own)] == pytest.approx(ways_by_hand(places, n_random))


def test_p_is_that_of_all_ways_enumerated():
    numbers = np.random.default_rng(4)
    lesion, random, mass = numbers.gamma(1, 2, 5), numbers.gamma(1, 1, (2, 5)), numbers.gamma(1, 1, 5)
    net = net_of_controls(lesion, list(random), [mass])
    assert net.relabelled is not None
    sums = np.array([sum(chosen) for chosen in product(*net.relabelled)])
    exact = np.mean(np.abs(sums) >= abs(net.values.sum()) - 1e-9)
    assert 0.01 < exact < 0.6
    assert relabelling_p(net.values, net.relabelled, 40_000) == pytest.approx(exact, abs=0.01)


def test_with_one_control_it_is_the_sign_flip_test():
    column = np.random.default_rng(8).normal(0.4, 1, 30)
    both = np.column_stack([column, -column])
    assert relabelling_p(column, both, 40_000) == pytest.approx(sign_flip(column, 40_000), abs=0.012)
    assert net_of_controls(column, [np.zeros(30)]).relabelled is None


def test_missing_images_change_nothing_and_nothing_has_no_p():
    numbers = np.random.default_rng(1)
    lesion, random = numbers.normal(0.5, 1, 9), [numbers.normal(0, 1, 9), numbers.normal(0, 1, 9)]
    short = net_of_controls(lesion, random)
    longer = net_of_controls(np.append(lesion, NAN), [np.append(one, 1.0) for one in random])
    assert short.relabelled is not None
    assert longer.relabelled is not None
    p = relabelling_p(short.values, short.relabelled, 500)
    assert relabelling_p(longer.values, longer.relabelled, 500) == p
    assert np.isnan(relabelling_p(np.array([NAN]), np.array([[NAN, NAN]]), 100))


def test_equal_outcomes_everywhere_give_1():
    same = np.full(10, 0.3)
    net = net_of_controls(same, [same, same], [same])
    assert net.relabelled is not None
    assert net.values == pytest.approx(np.zeros(10))
    assert relabelling_p(net.values, net.relabelled, 200) == 1


def test_skewed_outcomes_keep_5_percent_where_sign_flips_do_not():
    """Outcomes that are near 0 but for a few images, the lesion like its ten controls, 12 images."""
    numbers = np.random.default_rng(0)
    own, flips, n = 0, 0, 400
    for seed in range(n):
        often = numbers.beta(0.5, 3, (12, 1))
        table = numbers.gamma(0.5, 4 * np.repeat(often, 11, axis=1))
        net = net_of_controls(table[:, 0], list(table[:, 1:].T))
        assert net.relabelled is not None
        own += relabelling_p(net.values, net.relabelled, 199, seed) <= 0.05
        flips += sign_flip(net.values, 199, seed) <= 0.05
    # 20 expected, 34 and more in one of 1,000; sign flips find 12 % in 4,000 studies.
    assert 8 <= own <= 33
    assert flips > own + 10


def test_kinds_of_controls_that_differ_cost_no_power():
    """Masks of equal attention do more harm than random ones, and the lesion more than their mean."""
    numbers = np.random.default_rng(2)
    found, n = {0.0: 0, 0.6: 0}, 200
    for seed in range(n):
        for effect in found:
            of_image = numbers.normal(0, 1, 20)
            lesion, random, mass = (of_image + numbers.normal(mean, 0.7, 20) for mean in (1 + effect, 0, 2))
            net = net_of_controls(lesion, [random], [mass])
            assert net.relabelled is not None
            found[effect] += relabelling_p(net.values, net.relabelled, 199, seed) <= 0.05
    # d_z is 0.6 / (0.7 sqrt(1.5)) = 0.7, which t tests of 20 images find in 84 %.
    assert 2 <= found[0.0] <= 20
    assert found[0.6] / n > 0.74
