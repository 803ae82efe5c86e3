"""Concentration against closed forms, across grids, and at matched numbers of fixations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations, floored, spread, subject_maps
from gazeapp.engine.maps.concentration import concentration, image_concentration
from gazeapp.engine.maps.measures import CONCENTRATION_IDS

FINE = 336


def measures(density: np.ndarray, centre: np.ndarray | None = None) -> dict[str, float]:
    return dict(zip(CONCENTRATION_IDS, concentration(density, centre), strict=True))


def attention(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[0:FINE, 0:FINE] + 0.5) / FINE
    values = np.zeros((FINE, FINE))
    for _ in range(rng.integers(2, 5)):
        u, v, size = *rng.uniform(0.15, 0.85, 2), rng.uniform(0.03, 0.1)
        values += rng.uniform(0.3, 1.0) * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * size**2))
    return values


def test_a_uniform_map():
    found = measures(np.full((20, 40), 1 / 800), np.random.default_rng(0).random((20, 40)))
    assert found["entropy_bits"] == pytest.approx(math.log2(800))
    for measure in ("entropy", "effective_area", "participation", "half_max_area"):
        assert found[measure] == pytest.approx(1.0)
    assert found["gini"] == pytest.approx(0.0, abs=1e-12)
    assert [found[f"top_{k}"] for k in (5, 10, 20)] == pytest.approx([0.05, 0.1, 0.2])
    assert (found["centre_x"], found["centre_y"]) == pytest.approx((0.5, 0.5))
    # Variance of a uniform of length L: (L**2 - 1) / 12 on cells.
    assert found["spread"] == pytest.approx(math.sqrt((399 + 1599) / 12) / 40)
    assert math.isnan(found["centre_bias_cc"])


def test_all_on_one_cell():
    density = np.zeros((20, 40))
    density[5, 30] = 1.0
    found = measures(density)
    assert found["entropy_bits"] == found["entropy"] == found["spread"] == 0.0
    for measure in ("effective_area", "participation", "half_max_area"):
        assert found[measure] == pytest.approx(1 / 800)
    assert found["gini"] == pytest.approx(799 / 800)
    assert found["top_5"] == found["top_10"] == found["top_20"] == 1.0
    assert (found["centre_x"], found["centre_y"]) == pytest.approx((30.5 / 40, 5.5 / 20))


def test_half_of_the_image():
    density = np.zeros((20, 40))
    density[:, :20] = 1 / 400
    found = measures(density)
    assert found["entropy_bits"] == pytest.approx(math.log2(400))
    for measure in ("effective_area", "participation", "gini", "half_max_area"):
        assert found[measure] == pytest.approx(0.5)
    assert [found[f"top_{k}"] for k in (5, 10, 20)] == pytest.approx([0.1, 0.2, 0.4])
    assert found["centre_x"] == pytest.approx(0.25)


def test_a_gaussian_far_from_the_border():
    n, sigma = 400, 20.0
    y, x = np.mgrid[0:n, 0:n] + 0.5
    density = np.exp(-((x - 190) ** 2 + (y - 220) ** 2) / (2 * sigma**2))
    found = measures(density / density.sum())
    # Differential entropy log2(2 pi e sigma**2); sum of squares 1 / (4 pi sigma**2); half maximum 2 pi ln 2 sigma**2.
    assert found["entropy_bits"] == pytest.approx(math.log2(2 * math.pi * math.e * sigma**2), abs=1e-6)
    assert found["participation"] == pytest.approx(4 * math.pi * sigma**2 / n**2, rel=1e-6)
    assert found["half_max_area"] == pytest.approx(2 * math.pi * math.log(2) * sigma**2 / n**2, rel=0.01)
    assert found["spread"] == pytest.approx(math.sqrt(2) * sigma / n, rel=1e-6)
    # Share of the mass within the disc that is 5 % of the image: 1 - exp(-area / (2 pi sigma**2)).
    assert found["top_5"] == pytest.approx(1 - math.exp(-0.05 * n**2 / (2 * math.pi * sigma**2)), abs=1e-3)


@pytest.mark.parametrize(
    ("values", "gini"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([1, 2, 3, 4], 0.25), ([1, 3], 0.25)]
)
def test_gini_of_known_lists(values, gini):
    density = np.array([values], dtype=float)
    assert measures(density / density.sum())["gini"] == pytest.approx(gini)


def test_gini_is_half_the_relative_mean_difference():
    p = np.random.default_rng(3).gamma(0.4, size=(6, 9))
    p /= p.sum()
    differences = np.abs(p.ravel()[:, None] - p.ravel()).mean()
    assert measures(p)["gini"] == pytest.approx(differences / (2 * p.mean()))


def test_part_of_a_cell_counts_in_the_densest_cells():
    density = np.arange(1.0, 11.0)[None] / 55
    assert measures(density)["top_5"] == pytest.approx(0.5 * 10 / 55)
    assert measures(density)["top_20"] == pytest.approx(19 / 55)


def test_correlation_with_the_centre_bias():
    rng = np.random.default_rng(0)
    density, centre = rng.random((12, 16)), rng.random((12, 16))
    expected = np.corrcoef(density.ravel(), centre.ravel())[0, 1]
    assert measures(density / density.sum(), centre)["centre_bias_cc"] == pytest.approx(expected)


def test_maps_are_measured_one_by_one():
    stack = np.random.default_rng(1).dirichlet(np.ones(48), size=(3, 2)).reshape(3, 2, 6, 8)
    found = concentration(stack, np.eye(6, 8))
    assert found.shape == (3, 2, len(CONCENTRATION_IDS))
    np.testing.assert_allclose(found[2, 1], concentration(stack[2, 1], np.eye(6, 8)))


def test_grids_of_14_and_24_of_the_same_attention_have_the_same_concentration():
    """Mean over maps within 0.3 %, each within 1 % (the half-maximum area, which hangs on one cell, 5 %)."""
    ratios = []
    for seed in range(20):
        values = attention(seed)
        found = []
        for n in (14, 24):
            side = FINE // n
            own = values.reshape(n, side, n, side).mean(axis=(1, 3))
            found.append(concentration(spread(AttentionMap(own), 1024, 768, CommonGrid()).density()))
        ratios.append(found[0] / found[1])
    kept = [measure != "centre_bias_cc" for measure in CONCENTRATION_IDS]
    ratios = np.array(ratios)[:, kept]
    limits = [0.05 if measure == "half_max_area" else 0.01 for measure in np.array(CONCENTRATION_IDS)[kept]]
    assert (np.abs(ratios.mean(axis=0) - 1) < 0.003).all()
    assert (np.abs(ratios - 1).max(axis=0) < limits).all()


def test_people_who_look_by_a_map_are_as_concentrated_as_the_map_at_matched_numbers():
    """The map is the people's own density; few fixations make both seem more concentrated than it is."""
    rng = np.random.default_rng(0)
    people, matched, raw = [], [], []
    for seed in range(40):
        values = attention(seed)
        cell = rng.choice(values.size, 40, p=values.ravel() / values.sum())
        row, column = np.divmod(cell, FINE)
        looked = Fixations(
            (column + rng.random(40)) / FINE, (row + rng.random(40)) / FINE, np.repeat(list("abcd"), 10)
        )
        record = image_concentration(looked, {"true": AttentionMap(values)}, 640, 480, seed=seed)
        people.append(record.people)
        matched.append(record.matched["true"])
        raw.append(record.raw["true"])
    kept = np.array([measure not in ("centre_bias_cc", "half_max_area") for measure in CONCENTRATION_IDS])
    people, matched, raw = (np.array(one)[:, kept] for one in (people, matched, raw))
    error = (people - matched).std(axis=0, ddof=1) / np.sqrt(len(people))
    assert (np.abs((people - matched).mean(axis=0)) < 3.5 * error).all()
    area = np.array(CONCENTRATION_IDS)[kept] == "effective_area"
    assert (raw - people).mean(axis=0)[area] > 6 * error[area]


def test_without_each_person():
    rng = np.random.default_rng(0)
    looked = Fixations(rng.random(30), rng.random(30), rng.choice(["x", "y", "z"], 30))
    record = image_concentration(looked, {}, 64, 48)
    assert record.subjects == ("x", "y", "z")
    kept = looked.subject != "y"
    others = Fixations(looked.u[kept], looked.v[kept], looked.subject[kept])
    _, maps = subject_maps(others, 64, 48, CommonGrid())
    expected = concentration(floored(maps.sum(axis=0), CommonGrid().floor))
    np.testing.assert_allclose(record.people_without[1], expected, rtol=1e-9)
    assert record.n_fixations == 30


def test_one_person_and_nobody():
    alone = Fixations(np.array([0.2, 0.3]), np.array([0.5, 0.5]), np.array(["a", "a"]))
    assert np.isnan(image_concentration(alone, {}, 64, 48).people_without).all()
    nobody = Fixations(np.zeros(0), np.zeros(0), np.zeros(0, dtype=str))
    for people in (None, nobody):
        record = image_concentration(people, {"m": AttentionMap(np.eye(14))}, 64, 48)
        assert np.isnan(record.people).all()
        assert np.isnan(record.matched["m"]).all()
        assert np.isfinite(record.raw["m"][:-1]).all()
        assert not record.n_fixations


def test_a_coarse_source_is_named():
    sources = {"coarse": AttentionMap(np.eye(6)), "fine": AttentionMap(np.eye(16))}
    assert image_concentration(None, sources, 64, 64).too_coarse == {"coarse"}
