"""Change with the task: against closed forms, brute force, and people whose densities are known."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations, floored, spread, subject_maps
from gazeapp.engine.maps.differentiation import (
    PeopleChange,
    corrected_change,
    correlation,
    excess,
    image_differentiation,
    jsd,
)
from tests.engine.maps.task_world import GRID, apart, everybody, scene

PAIR = ("A", "B")


def change(people: dict[str, Fixations], n_splits: int = 20, seed: int = 0) -> PeopleChange:
    return image_differentiation(people, {}, PAIR, 100, 100, GRID, n_splits, seed).people[PAIR]


def test_divergence_of_known_densities():
    even, left = np.full((1, 4), 0.25), np.array([[0.5, 0.5, 0.0, 0.0]])
    right = left[:, ::-1]
    assert jsd(left, right) == pytest.approx(1.0)
    assert jsd(left, left) == 0.0
    # H((3/8, 3/8, 1/8, 1/8)) - (1 + 2) / 2
    mixed = -2 * (0.375 * math.log2(0.375) + 0.125 * math.log2(0.125))
    assert jsd(even, left) == pytest.approx(mixed - 1.5)


def test_the_root_of_the_divergence_is_a_distance():
    rng = np.random.default_rng(0)
    for _ in range(50):
        p, q, r = rng.dirichlet(np.full(12, 0.3), size=3).reshape(3, 3, 4)
        assert jsd(p, q) == pytest.approx(float(jsd(q, p)))
        assert math.sqrt(jsd(p, r)) <= math.sqrt(jsd(p, q)) + math.sqrt(jsd(q, r)) + 1e-12


def test_a_constant_map_has_no_correlation():
    assert math.isnan(correlation(np.full((4, 5), 0.1), np.eye(4, 5)))
    assert correlation(np.eye(4), 3 - 2 * np.eye(4)) == pytest.approx(-1.0)


def test_models_maps_are_compared_as_they_are():
    rng = np.random.default_rng(1)
    maps = {task: AttentionMap(rng.random((14, 14))) for task in ("A", "B", "C")}
    record = image_differentiation({}, {"m": maps, "one": {"B": maps["B"]}}, ("A", "B", "C"), 640, 480)
    assert list(record.sources["m"]) == [("A", "B"), ("A", "C"), ("B", "C")]
    assert record.sources["one"] == {}
    assert record.people == {}
    for first, second in combinations("ABC", 2):
        p, q = (spread(maps[task], 640, 480, CommonGrid()).density() for task in (first, second))
        found = record.sources["m"][first, second]
        assert found.cc == pytest.approx(np.corrcoef(p.ravel(), q.ravel())[0, 1])
        assert found.jsd == pytest.approx(float(jsd(p, q)))


def test_the_same_map_under_both_tasks_does_not_change():
    own = AttentionMap(np.random.default_rng(2).random((14, 14)))
    found = image_differentiation({}, {"m": {"A": own, "B": own}}, PAIR, 64, 64).sources["m"][PAIR]
    assert found.cc == pytest.approx(1.0)
    assert found.jsd == 0.0


def test_people_s_correlations_by_brute_force():
    people = scene(1, 0.5, everybody(5)).people
    found = change(people)
    maps = {task: subject_maps(people[task], 100, 100, GRID)[1].reshape(5, -1) for task in PAIR}
    a, b = (maps[task] - maps[task].mean(axis=1, keepdims=True) for task in PAIR)
    total = (a.sum(axis=0), b.sum(axis=0))
    assert found.parts[0] == pytest.approx(np.corrcoef(*total)[0, 1])
    norm = np.linalg.norm(total[0]) * np.linalg.norm(total[1])
    pairs = [a[s] @ b[t] for s in range(5) for t in range(5) if s != t]
    # 25 pairs of people, as if all were of different ones; everybody made as many fixations.
    assert found.parts[1] == pytest.approx(25 * np.mean(pairs) / norm)
    densities = [floored(maps[task].sum(axis=0).reshape(24, 24), GRID.floor) for task in PAIR]
    assert found.jsd == pytest.approx(float(jsd(*densities)))


def test_halves_by_brute_force():
    """With two people in each half of four, there are three halvings; 400 random ones have their mean."""
    people = scene(2, 0.5, everybody(4)).people
    found = change(people, n_splits=400)
    maps = {task: subject_maps(people[task], 100, 100, GRID)[1].reshape(4, -1) for task in PAIR}
    halvings = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]

    def cc(first: str, one: tuple[int, int], second: str, other: tuple[int, int]) -> float:
        return np.corrcoef(maps[first][list(one)].sum(axis=0), maps[second][list(other)].sum(axis=0))[0, 1]

    expected = [np.mean([cc(task, *half[:1], task, half[1]) for half in halvings]) for task in PAIR]
    np.testing.assert_allclose(found.parts[3:5], expected, atol=0.02)
    assert found.parts[5:].tolist() == [2.0, 2.0]


def by_hand(people: dict[str, Fixations], chosen: set[str]) -> float:
    """Return the change above noise of some people, fixation by fixation."""
    points = [
        (
            task,
            name,
            subject_maps(Fixations(*(np.array([value]) for value in (u, v, name))), 100, 100, GRID)[1],
        )
        for task, own in people.items()
        for u, v, name in zip(own.u, own.v, own.subject, strict=True)
    ]
    points = [(task, name, one.ravel() - one.mean()) for task, name, one in points]

    def covariance(first: str, second: str) -> float:
        return np.mean(
            [
                p @ q
                for (task, name, p), (other_task, other, q) in product(points, points)
                if (task, other_task) == (first, second) and name != other and {name, other} <= chosen
            ]
        )

    variance = [np.square(np.mean([p for task, _, p in points if task == own], axis=0)).sum() for own in PAIR]
    return ((covariance("A", "A") + covariance("B", "B")) / 2 - covariance("A", "B")) / np.mean(variance)


def test_the_change_above_noise_by_hand():
    people = scene(
        2, 0.7, {"A": ["p0", "p1", "p2", "q0"], "B": ["p0", "p1", "p2", "r0", "r1"]}, each=3
    ).people
    found = change(people)
    everyone = {"p0", "p1", "p2", "q0", "r0", "r1"}
    assert found.excess == pytest.approx(by_hand(people, everyone))
    assert excess(found.maps).tolist() == [pytest.approx(found.excess)]
    some = np.isin(found.maps.names, ["p0", "p1", "r1"])
    assert excess(found.maps, some[None])[0] == pytest.approx(by_hand(people, {"p0", "p1", "r1"}))
    assert math.isnan(excess(found.maps, np.isin(found.maps.names, ["p0"])[None])[0])


def test_the_change_above_noise_in_halves():
    people = scene(2, 0.5, everybody(4), each=3).people
    found = change(people)
    expected = [by_hand(people, {f"p{k}" for k in pair}) for pair in combinations(range(4), 2)]
    assert found.halves.shape == (20, 2)
    for value in found.halves.ravel():
        assert np.abs(np.array(expected) - value).min() < 1e-9


def test_nobody_is_compared_with_themselves_across_the_tasks():
    """People who do under both tasks what nobody else does agree with themselves only."""
    corners = {"p0": (0.1, 0.1), "p1": (0.9, 0.1), "p2": (0.1, 0.9), "p3": (0.9, 0.9), "p4": (0.5, 0.5)}
    places = np.array(list(corners.values()))
    looked = Fixations(places[:, 0], places[:, 1], np.array(list(corners)))
    found = change({"A": looked, "B": looked})
    assert found.parts[0] == pytest.approx(1.0)
    assert found.parts[1] < 0
    assert abs(found.excess) < 0.02


def test_different_people_keep_all_pairs():
    found = change(scene(3, 0.5, apart(6, 4)).people)
    assert found.parts[0] == found.parts[1]
    assert found.maps.people() == [*(f"a{k}" for k in range(6)), *(f"b{k}" for k in range(4))]
    assert found.parts[5:].tolist() == [2.0, 2.0]


def test_some_did_both_tasks_and_some_one():
    names = {"A": ["p0", "p1", "p2", "q0", "q1"], "B": ["p0", "p1", "p2", "r0", "r1", "r2"]}
    found = change(scene(4, 0.2, names).people)
    # Halves of one of three and one of two; of one of three and one of three.
    assert found.parts[5:].tolist() == [5 / 2, 6 / 2]
    assert len(found.without) == 8


def test_without_a_person_is_the_image_on_which_they_never_were():
    people = scene(5, 0.3, everybody(6)).people
    found = change(people, seed=9)
    kept = {
        task: Fixations(*(column[own.subject != "p2"] for column in (own.u, own.v, own.subject)))
        for task, own in people.items()
    }
    np.testing.assert_allclose(found.without[2], change(kept, seed=9).parts)


def test_few_people_have_a_plain_change_only():
    three = change(scene(6, 0.3, everybody(3)).people)
    assert np.isfinite(three.parts[:3]).all()
    assert np.isnan(three.parts[3:]).all()
    assert not len(three.halves)
    one = change(scene(6, 0.3, everybody(1)).people)
    assert np.isfinite(one.parts[0])
    assert np.isnan(one.parts[1:]).all()
    assert np.isnan(one.without).all()


def test_a_task_that_nobody_did_is_left_out():
    looked = scene(7, 0.3, everybody(4)).people["A"]
    nobody = Fixations(np.zeros(0), np.zeros(0), np.zeros(0, dtype=str))
    assert image_differentiation({"A": looked, "B": nobody}, {}, PAIR, 64, 64).people == {}
    assert image_differentiation({"A": looked}, {}, PAIR, 64, 64).people == {}


def study(
    share: float, names: dict[str, list[str]], first: int, n_images: int = 40
) -> tuple[np.ndarray, float]:
    """Return the mean parts of a study and the true change."""
    scenes = [scene(first + k, share, names) for k in range(n_images)]
    parts = np.array([change(one.people, seed=k).parts for k, one in enumerate(scenes)])
    return parts.mean(axis=0), 1 - float(np.mean([one.true_cc() for one in scenes]))


@pytest.mark.parametrize("names", [everybody(8), apart(9, 6)])
def test_the_same_density_under_both_tasks_is_no_change_once_noise_is_taken_out(names):
    parts, _ = study(0.0, names, 100)
    assert 1 - parts[0] > 0.15
    assert corrected_change(parts) == pytest.approx(0.0, abs=0.03)
    assert parts[2] == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("names", [everybody(8), apart(9, 6)])
def test_the_true_change_is_recovered(names):
    parts, true = study(0.5, names, 200)
    assert 1 - parts[0] > true + 0.1
    assert corrected_change(parts) == pytest.approx(true, abs=0.045)
    assert parts[2] > 0.1


def test_halves_that_do_not_agree_give_no_corrected_change():
    parts = np.array([0.1, 0.1, 0.0, -0.05, 0.2, 2.0, 2.0])
    assert math.isnan(corrected_change(parts))


def test_the_correction_by_hand():
    parts = np.array([0.5, 0.48, 0.3, 0.6, 0.4, 2.0, 2.2])
    first, second = 2 * 0.6 / 1.6, 2.2 * 0.4 / (1 + 1.2 * 0.4)
    assert corrected_change(parts) == pytest.approx(1 - 0.48 / math.sqrt(first * second))
