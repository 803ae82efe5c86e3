"""The map that suits each metric, made from a fitted conversion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.conversion import Conversion, Form
from gazeapp.engine.scoring.conversion_transforms import KIND_OF, transformed
from gazeapp.engine.scoring.metrics import HumanTarget, PreparedMap, auc, cc, pixels, score_map
from gazeapp.engine.types import Rect

HEIGHT, WIDTH = 60, 80
RISING = Conversion((0.0, 0.25, 1.0), (0.0, 1.0, 3.0), 0.0, Form(), 10)


def values():
    smooth = gaussian_filter(np.random.default_rng(0).random((HEIGHT, WIDTH)), 4.0)
    return ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def centre():
    along = -0.5 * np.linspace(-2, 2, 128) ** 2
    density = np.exp(np.add.outer(along[:96], along)) + 0.1
    return np.log2(density / density.mean()).astype(np.float32)


def test_the_density_is_the_conversions():
    found = transformed(values(), RISING, centre(), "density", 5.0)
    phi = np.interp(values(), RISING.nodes, RISING.heights)
    density = np.exp(phi) / np.exp(phi).mean() * 0.999 + 0.001
    assert found == pytest.approx(density / density.sum(), rel=1e-4)
    assert found.dtype == np.float32


def test_a_rising_conversion_without_centre_bias_keeps_auc():
    rng = np.random.default_rng(1)
    fixated = pixels(rng.random(50) * WIDTH, rng.random(50) * HEIGHT, HEIGHT, WIDTH)
    found = transformed(values(), RISING, centre(), "density", 5.0)
    assert auc(found, fixated) == pytest.approx(auc(values(), fixated), abs=1e-3)


def test_the_ratio_is_the_density_over_the_centre_bias():
    by_centre = Conversion((0.0, 0.25, 1.0), (0.0, 1.0, 3.0), 1.0, Form(blur=0.02), 10)
    density, ratio = (transformed(values(), by_centre, centre(), kind, 5.0) for kind in ("density", "ratio"))
    at_pixels = to_image(centre(), Rect.of_image(WIDTH, HEIGHT), HEIGHT, WIDTH)
    assert ratio == pytest.approx(density * density.size / 2.0**at_pixels, rel=1e-4)


def test_blurred_is_the_density_as_a_human_map_shows_it():
    density, blurred = (transformed(values(), RISING, centre(), kind, 3.0) for kind in ("density", "blurred"))
    assert blurred.sum() == pytest.approx(1.0, abs=1e-5)
    middle = gaussian_filter(density.astype(np.float64), 3.0, truncate=6.0)[25:35, 30:50]
    assert blurred[25:35, 30:50] == pytest.approx(middle, rel=2e-3)


def test_the_blurred_density_is_the_best_for_correlation():
    rng = np.random.default_rng(2)
    truth = transformed(values(), RISING, centre(), "density", 5.0).astype(np.float64)
    places = rng.choice(truth.size, 20_000, p=truth.ravel() / truth.sum())
    counts = np.bincount(places, minlength=truth.size).reshape(truth.shape).astype(float)
    human = gaussian_filter(counts, 5.0, mode="constant")
    blurred = cc(transformed(values(), RISING, centre(), "blurred", 5.0), human)
    assert blurred > cc(truth, human) + 0.02
    assert blurred > cc(values(), human) + 0.02


def test_every_metric_of_maps_has_its_kind():
    human, nowhere = HumanTarget(values()), pixels([3.0], [4.0], HEIGHT, WIDTH)
    found = score_map(PreparedMap(values()), nowhere, nowhere, human, metrics=list(KIND_OF))
    assert set(found) == set(KIND_OF)
