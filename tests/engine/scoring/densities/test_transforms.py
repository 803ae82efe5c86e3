"""The map that suits each metric, made from a fitted conversion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gazeapp.engine.scoring.densities.conversion import Conversion, Form
from gazeapp.engine.scoring.densities.transforms import KIND_OF, transformed
from gazeapp.engine.scoring.metrics import HumanTarget, PreparedMap, auc, cc, pixels, score_map

HEIGHT, WIDTH = 60, 80
RISING = Conversion((0.0, 0.25, 1.0), (0.0, 1.0, 3.0), 0.0, Form(), 10)


def values():
    smooth = gaussian_filter(np.random.default_rng(0).random((HEIGHT, WIDTH)), 4.0)
    return ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def centre():
    along = -0.5 * np.linspace(-2, 2, WIDTH) ** 2
    density = np.exp(np.add.outer(along[:HEIGHT], along)) + 0.1
    return np.log2(density / density.mean()).astype(np.float32)


def log2_density():
    return RISING.log2_density(values(), np.zeros((HEIGHT, WIDTH), np.float32))


def test_the_density_is_the_one_that_was_given():
    found = transformed(log2_density(), centre(), "density", HEIGHT, WIDTH, 5.0)
    assert found == pytest.approx(2.0 ** log2_density(), rel=1e-5)
    twice = transformed(log2_density(), centre(), "density", 2 * HEIGHT, 2 * WIDTH, 5.0)
    assert twice.mean() == pytest.approx(found.mean(), rel=1e-3)
    assert twice[1:-1:2, 0] == pytest.approx(0.75 * found[:-1, 0] + 0.25 * found[1:, 0], rel=1e-4)
    assert twice.dtype == np.float32


def test_a_rising_conversion_without_centre_bias_keeps_auc():
    rng = np.random.default_rng(1)
    fixated = pixels(rng.random(50) * WIDTH, rng.random(50) * HEIGHT, HEIGHT, WIDTH)
    found = transformed(log2_density(), centre(), "density", HEIGHT, WIDTH, 5.0)
    assert auc(found, fixated) == pytest.approx(auc(values(), fixated), abs=1e-3)


def test_the_ratio_is_the_density_over_the_centre_bias():
    ratio = transformed(log2_density(), centre(), "ratio", HEIGHT, WIDTH, 5.0)
    assert ratio == pytest.approx(2.0 ** log2_density() / 2.0 ** centre(), rel=1e-5)


def test_blurred_is_the_density_as_a_human_map_shows_it():
    blurred = transformed(log2_density(), centre(), "blurred", HEIGHT, WIDTH, 3.0)
    assert blurred.mean() == pytest.approx(1.0, abs=1e-5)
    middle = gaussian_filter(2.0 ** log2_density().astype(np.float64), 3.0, truncate=6.0)[25:35, 30:50]
    assert blurred[25:35, 30:50] == pytest.approx(middle, rel=2e-3)
    large = transformed(log2_density(), centre(), "blurred", 4 * HEIGHT, 4 * WIDTH, 12.0)
    assert large[102:138:4, 122:198:4] == pytest.approx(blurred[25:34, 30:49], rel=0.02)


def test_the_blurred_density_is_the_best_for_correlation():
    rng = np.random.default_rng(2)
    truth = 2.0 ** log2_density().astype(np.float64)
    places = rng.choice(truth.size, 20_000, p=truth.ravel() / truth.sum())
    counts = np.bincount(places, minlength=truth.size).reshape(truth.shape).astype(float)
    human = gaussian_filter(counts, 5.0, mode="constant")
    blurred = cc(transformed(log2_density(), centre(), "blurred", HEIGHT, WIDTH, 5.0), human)
    assert blurred > cc(truth, human) + 0.02
    assert blurred > cc(values(), human) + 0.02


def test_every_metric_of_maps_has_its_kind():
    human, nowhere = HumanTarget(values()), pixels([3.0], [4.0], HEIGHT, WIDTH)
    found = score_map(PreparedMap(values()), nowhere, nowhere, human, metrics=list(KIND_OF))
    assert set(found) == set(KIND_OF)
