"""Permuted task labels: against every permutation by hand, and 5 % where the task changes nothing."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest

from gazeapp.engine.maps.differentiation import PeopleMaps, image_differentiation
from gazeapp.engine.maps.task_labels import label_permutation
from tests.engine.maps.task_world import GRID, SIDE, apart, everybody, scene

PAIR = ("A", "B")


def people_maps(seed: int, share: float, names: dict[str, list[str]], **more) -> PeopleMaps:
    people = scene(seed, share, names, **more).people
    return image_differentiation(people, {}, PAIR, 100, 100, GRID, 2, 0).people[PAIR].maps


def change(maps: PeopleMaps, first: np.ndarray) -> float:
    a, b = first.astype(float), (~first).astype(float)
    gram = maps.gram
    return 1 - (a @ gram @ b) / math.sqrt((a @ gram @ a) * (b @ gram @ b))


def test_swapping_the_maps_of_people_by_every_pattern():
    images = [people_maps(seed, 0.25, everybody(4)) for seed in range(3)]
    totals = []
    for coins in product([False, True], repeat=4):
        totals.append(sum(change(maps, maps.first ^ np.array([*coins, *coins])) for maps in images))
    expected = np.mean(np.array(totals) >= totals[0] - 1e-9)
    assert label_permutation(images, 4000)[0] == pytest.approx(expected, abs=0.03)


def test_moving_people_between_the_tasks_by_every_choice():
    images = [people_maps(seed, 0.2, apart(3, 4)) for seed in range(2)]
    totals = []
    for chosen in combinations(range(7), 3):
        first = np.isin(np.arange(7), chosen)
        totals.append(sum(change(maps, first) for maps in images))
    expected = np.mean(np.array(totals) >= totals[0] - 1e-9)
    assert label_permutation(images, 4000)[0] == pytest.approx(expected, abs=0.03)


def test_one_image_s_p_is_that_of_the_image_alone():
    images = [people_maps(seed, 0.3, everybody(5)) for seed in range(3)]
    together, each = label_permutation(images, 1000)
    alone = [label_permutation([one], 1000)[0] for one in images]
    np.testing.assert_allclose(each, alone, atol=0.06)
    assert together <= max(each)


@pytest.mark.parametrize("names", [everybody(8), apart(8, 6)])
def test_a_real_change_is_found(names):
    images = [people_maps(seed, 0.6, names) for seed in range(6)]
    assert label_permutation(images, 999)[0] < 0.015


def test_p_is_never_0_and_comes_from_its_seed():
    images = [people_maps(seed, 0.1, everybody(6)) for seed in range(4)]
    p, each = label_permutation(images, 200, seed=3)
    assert p == label_permutation(images, 200, seed=3)[0]
    assert (each >= 1 / 201).all()


def test_without_images_there_is_no_p():
    assert math.isnan(label_permutation([])[0])


@pytest.mark.parametrize("names", [everybody(8), apart(8, 7)])
def test_under_the_null_p_is_small_as_often_as_it_says(names):
    p = [
        label_permutation([people_maps(97 * study + k, 0.0, names, each=3) for k in range(3)], 200)[0]
        for study in range(60)
    ]
    # Of 60, 3 are expected below 0.05 (at most 9 with probability 0.999) and 30 below 0.5 (18 to 42).
    assert sum(one <= 0.05 for one in p) <= 9
    assert 18 <= sum(one <= 0.5 for one in p) <= 42


def habits(seed: int, names: dict[str, list[str]]) -> dict[str, np.ndarray]:
    """Places that each person likes to look at on all images."""
    rng = np.random.default_rng([seed, 5])
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    own = {}
    for name in sorted({*names["A"], *names["B"]}):
        u, v = rng.uniform(0.15, 0.85, 2)
        density = np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 0.1**2))
        own[name] = density / density.sum()
    return own


@pytest.mark.simulation
@pytest.mark.parametrize("with_habits", [False, True])
@pytest.mark.parametrize("names", [everybody(6), everybody(12), apart(8, 8), apart(9, 5)])
def test_five_percent_under_the_null_also_with_habits(names, with_habits):
    """200 studies of 8 images; 10 expected, 18 or fewer with probability 0.99."""
    p = []
    for study in range(200):
        own = habits(study, names) if with_habits else None
        images = [people_maps(1000 * study + k, 0.0, names, each=3, habits=own) for k in range(8)]
        p.append(label_permutation(images, 400, seed=study)[0])
    assert sum(one <= 0.05 for one in p) <= 18
    assert 80 <= sum(one <= 0.5 for one in p) <= 120
