"""Maps of one task on fixations of another, by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations, subject_maps
from gazeapp.engine.maps.cross_task import PEOPLE, image_cross_task, nss_at
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.metrics import nss, pixels
from gazeapp.engine.types import Rect
from tests.engine.maps.task_world import apart, everybody, scene

GRID = CommonGrid(long_side=32, sigma=0.06, floor=0.0)
TASKS = ("A", "B")


def only(looked: Fixations, kept: np.ndarray) -> Fixations:
    return Fixations(looked.u[kept], looked.v[kept], looked.subject[kept])


def matrix_of(people: dict[str, Fixations], maps: dict[str, np.ndarray]) -> np.ndarray:
    """NSS of each map on all fixations of each task, by the metric itself."""
    found = np.empty((2, 2))
    for a, own in enumerate(TASKS):
        for b, task in enumerate(TASKS):
            rows, columns = maps[own].shape
            looked = people[task]
            found[a, b] = nss(maps[own], pixels(looked.u * columns, looked.v * rows, rows, columns))
    return found


def test_nss_at_fixations_is_nss():
    rng = np.random.default_rng(0)
    values, u, v = rng.random((24, 32)), rng.random(50), rng.random(50)
    expected = nss(values, pixels(u * 32, v * 24, 24, 32))
    assert nss_at(values, u, v).mean() == pytest.approx(expected)
    assert not nss_at(np.full((4, 4), 0.1), u, v).any()


@pytest.mark.parametrize("names", [everybody(4), apart(3, 5)])
def test_models_by_brute_force(names):
    people = scene(1, 0.6, names).people
    rng = np.random.default_rng(3)
    maps = {task: AttentionMap(rng.random((7, 9)), Rect(0.1, 0.0, 0.9, 1.0)) for task in TASKS}
    record = image_cross_task(people, {"m": maps}, TASKS, 64, 48, GRID)
    full = {
        task: to_image(one.values, Rect(3.2, 0.0, 28.8, 24.0), 24, 32).astype(float)
        for task, one in maps.items()
    }
    np.testing.assert_allclose(record.matrix("m"), matrix_of(people, full), rtol=1e-6)
    assert record.n_fixations.sum() == sum(len(one) for one in people.values())


def test_people_by_brute_force_when_the_same_people_did_both():
    people = scene(2, 0.5, everybody(4)).people
    record = image_cross_task(people, {}, TASKS, 64, 48, GRID)
    for a, own in enumerate(TASKS):
        for b, task in enumerate(TASKS):
            for k, name in enumerate(record.subjects):
                others = only(people[own], people[own].subject != name)
                looked = only(people[task], people[task].subject == name)
                density = subject_maps(others, 64, 48, GRID)[1].sum(axis=0)
                expected = nss(density, pixels(looked.u * 32, looked.v * 24, 24, 32))
                assert record.scores[PEOPLE][a, b, k] == pytest.approx(expected)


def test_the_other_task_s_map_loses_somebody_too_when_the_people_are_different():
    people = scene(3, 0.5, apart(3, 4)).people
    record = image_cross_task(people, {}, TASKS, 64, 48, GRID)
    maps = subject_maps(people["A"], 64, 48, GRID)[1]
    for k, name in enumerate(record.subjects):
        if name.startswith("b"):
            looked = only(people["B"], people["B"].subject == name)
            fixated = pixels(looked.u * 32, looked.v * 24, 24, 32)
            possible = [nss(maps.sum(axis=0) - maps[s], fixated) for s in range(3)]
            assert np.abs(np.array(possible) - record.scores[PEOPLE][0, 1, k]).min() < 1e-9
            assert np.isnan(record.scores[PEOPLE][:, 0, k]).all()


def test_another_metric_can_be_passed_in():
    people = scene(4, 0.5, everybody(3)).people

    def height(values: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.full(len(u), values.sum())

    record = image_cross_task(people, {}, TASKS, 64, 48, GRID, height)
    # Maps of two people with six fixations each.
    np.testing.assert_allclose(record.matrix(PEOPLE), 12.0)


def test_what_is_missing_has_no_score():
    people = scene(5, 0.5, {"A": ["p0"], "B": ["p0", "p1"]}).people
    sources = {"m": {"A": AttentionMap(np.eye(4))}}
    record = image_cross_task(people, sources, ("A", "B", "C"), 64, 48, GRID)
    found = record.matrix("m")
    assert np.isfinite(found[0, :2]).all()
    assert np.isnan(found[1:]).all()
    assert np.isnan(found[:, 2]).all()
    # One person alone under a task leaves nobody to predict them.
    assert np.isnan(record.matrix(PEOPLE)[0]).all()
    assert np.isfinite(record.matrix(PEOPLE)[1]).tolist() == [True, True, False]


def test_maps_of_the_own_task_are_better_when_the_tasks_differ():
    found = []
    for seed in range(10):
        made = scene(seed, 1.0, everybody(8))
        sources = {"true": {task: AttentionMap(one) for task, one in made.densities.items()}}
        record = image_cross_task(made.people, sources, TASKS, 64, 64, GRID, seed=seed)
        found.append([record.matrix("true"), record.matrix(PEOPLE)])
    for one in np.mean(found, axis=0):
        assert one[0, 0] > one[1, 0] + 0.5
        assert one[1, 1] > one[0, 1] + 0.5
