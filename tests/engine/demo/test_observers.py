"""Simulated observers: fixations converge to the density that is stated in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.demo.observers import (
    observer_weights,
    patches,
    population_density,
    population_weights,
    simulate_fixations,
)
from gazeapp.engine.demo.scenes import TASKS, make_scene, scene_seeds

SCENE = make_scene(scene_seeds("demo", 1)[0])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("shape", [(64, 64), (30, 80)])
def test_density_is_a_density(task: str, shape: tuple[int, int]) -> None:
    density = population_density(SCENE, task, *shape)
    assert density.shape == shape
    assert density.dtype == np.float32
    assert density.min() > 0
    assert float(density.sum(dtype=np.float64)) == pytest.approx(1, abs=1e-5)


def test_coarse_density_is_the_sum_of_the_fine_one() -> None:
    fine = population_density(SCENE, "social", 96, 96).astype(float)
    coarse = population_density(SCENE, "social", 12, 12)
    np.testing.assert_allclose(fine.reshape(12, 8, 12, 8).sum(axis=(1, 3)), coarse, atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_fixations_converge_to_the_density(task: str) -> None:
    counts = np.zeros((8, 8))
    for observer in range(600):
        seen = simulate_fixations(SCENE, task, observer, seed=3, width=160, height=80)
        counts += np.histogram2d(seen.y, seen.x, bins=8, range=[[0, 80], [0, 160]])[0]
    density = population_density(SCENE, task, 8, 8).astype(float)
    error = (counts - counts.sum() * density) / np.sqrt(counts.sum() * density)
    # Observers' habits make counts vary somewhat more than a Poisson count would.
    assert np.abs(error).max() < 6
    assert np.mean(error**2) < 3
    other = population_density(SCENE, TASKS[1 - TASKS.index(task)], 8, 8)
    assert np.sum((counts / counts.sum() - density) ** 2) < 0.1 * np.sum((other - density) ** 2)


@pytest.mark.parametrize("task", TASKS)
def test_observers_differ_and_average_to_the_population(task: str) -> None:
    weights = np.array([observer_weights(SCENE, task, i, seed=1) for i in range(3000)])
    expected = population_weights(SCENE, task)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    spread = weights.std(axis=0)
    assert spread.max() > 0.05
    np.testing.assert_array_less(np.abs(weights.mean(axis=0) - expected), 5 * spread / np.sqrt(3000))
    assert len(expected) == len(patches(SCENE, task))


def test_the_first_fixations_are_early_only_in_time() -> None:
    """Ordering permutes what was drawn: over all positions in the order the density is the same."""
    seen = simulate_fixations(SCENE, "social", 4, seed=3, width=512, height=512)
    assert 8 <= len(seen) <= 18
    assert np.all(np.diff(seen.start_ms) > 0)
    gaps = seen.start_ms[1:] - (seen.start_ms + seen.duration_ms)[:-1]
    assert gaps.min() > 29
    assert gaps.max() < 51
    assert seen.duration_ms.min() > 0
    assert (seen.start_ms + seen.duration_ms).max() <= 3500.2


def test_positions_are_in_the_picture_and_repeatable() -> None:
    for observer in range(60):
        seen = simulate_fixations(SCENE, "general", observer, seed=9, width=300, height=200)
        again = simulate_fixations(SCENE, "general", observer, seed=9, width=300, height=200)
        np.testing.assert_array_equal(seen.x, again.x)
        assert seen.x.min() >= 0
        assert seen.x.max() < 300
        assert seen.y.min() >= 0
        assert seen.y.max() < 200


def test_unknown_task_is_refused() -> None:
    with pytest.raises(ValueError, match="tasks"):
        population_density(SCENE, "free", 8, 8)
