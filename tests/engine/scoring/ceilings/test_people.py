"""Kernels on people's fixations: closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gazeapp.engine.scoring.ceilings.people import (
    NARROWEST,
    ImageFixations,
    People,
    all_others,
    draws,
    halves,
    local_widths,
    pilot_sums,
    predicted,
)


def some_people(n_subjects: int = 4, n_fixations: int = 5, seed: int = 0) -> People:
    rng = np.random.default_rng(seed)
    n = n_subjects * n_fixations
    names = np.repeat([f"p{k}" for k in range(n_subjects)], n_fixations)
    return People(ImageFixations(rng.random(n), rng.random(n), names, 80, 60))


def cut_gaussian(at: float, centre: float, width: float, extent: float) -> float:
    """A Gaussian with the mass that is cut off at both ends of [0, extent] put back evenly."""
    return norm.pdf(at, centre, width) / (norm.cdf(extent, centre, width) - norm.cdf(0, centre, width))


def test_lengths_are_shares_of_the_longer_side():
    people = People(ImageFixations(np.array([0.5]), np.array([0.5]), np.array(["a"]), 30, 60))
    assert (people.extent_x, people.extent_y) == (0.5, 1.0)
    assert (people.x[0], people.y[0]) == (0.25, 0.5)
    assert people.shape == (256, 128)
    assert people.cells[0] == 128 * 128 + 64


@pytest.mark.parametrize(("u", "v"), [(0.5, 0.5), (0.01, 0.5), (0.0, 0.999)])
@pytest.mark.parametrize("width", [0.02, 0.3])
def test_one_kernel_has_its_mass_inside_the_image(u, v, width):
    people = People(ImageFixations(np.array([u]), np.array([v]), np.array(["a"]), 80, 60))
    density = people.on_cells(np.array([0]), np.array([width]))
    assert density.dtype == np.float32
    assert density.mean() == pytest.approx(1, abs=1e-5)
    centres = (np.arange(256) + 0.5) / 256
    rows = np.array([cut_gaussian(y, v * 0.75, width, 0.75) for y in centres[:192]])
    columns = np.array([cut_gaussian(x, u, width, 1.0) for x in centres])
    np.testing.assert_allclose(density, 0.75 * np.outer(rows, columns), rtol=0.02, atol=1e-5)


def test_predictions_are_what_a_loop_finds():
    people = some_people()
    predicts = all_others(len(people))
    widths = np.random.default_rng(1).uniform(0.05, 0.2, (len(people), len(people.x)))
    found = predicted(people, predicts, widths, np.arange(len(people.x)))
    for i, of in enumerate(people.owner):
        kernels = [
            0.75
            * cut_gaussian(people.x[i], people.x[j], widths[of, j], 1.0)
            * cut_gaussian(people.y[i], people.y[j], widths[of, j], 0.75)
            for j in range(len(people.x))
            if people.owner[j] != of
        ]
        assert found[i] == pytest.approx(np.mean(kernels), rel=1e-9)


def test_local_widths_are_what_a_loop_finds():
    people, bandwidth = some_people(), 0.1
    predicts = halves(len(people), np.random.default_rng(0))[0]
    found = local_widths(people, predicts, pilot_sums(people, bandwidth), bandwidth, 0.5)
    for s in range(len(people)):
        among = [j for j, owner in enumerate(people.owner) if predicts[s, owner]]
        pilots = np.array(
            [
                sum(
                    cut_gaussian(people.x[j], people.x[k], bandwidth, 1.0)
                    * cut_gaussian(people.y[j], people.y[k], bandwidth, 0.75)
                    for k in among
                )
                for j in among
            ]
        )
        typical = np.exp(np.log(pilots).mean())
        np.testing.assert_allclose(found[s, among], bandwidth * np.sqrt(typical / pilots), rtol=1e-9)


def test_kernels_are_no_narrower_than_a_cell():
    people = some_people()
    for alpha in (0.0, 0.5):
        widths = local_widths(people, all_others(4), pilot_sums(people, 1e-3), 1e-3, alpha)
        assert widths.min() == NARROWEST


def test_blocks_of_pairs_change_nothing(monkeypatch):
    people = some_people()
    widths = np.full((4, 20), 0.1)
    whole = predicted(people, all_others(4), widths, np.arange(20)), pilot_sums(people, 0.1)
    monkeypatch.setattr("gazeapp.engine.scoring.ceilings.people._PAIRS", 45)
    parted = predicted(people, all_others(4), widths, np.arange(20)), pilot_sums(people, 0.1)
    for one, other in zip(whole, parted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 6, 7, 15])
def test_halves_share_out_all_others(n):
    first, second = halves(n, np.random.default_rng(n))
    assert not (first & second).any()
    np.testing.assert_array_equal(first | second, all_others(n))
    assert set(first.sum(axis=1)) == {n // 2}
    assert set(second.sum(axis=1)) == {(n - 1) // 2}


def test_groups_of_others_are_disjoint_and_random():
    groups = draws(9, 3, 5, np.random.default_rng(0))
    assert len(groups) == 2  # Of 8 others there are two groups of 3.
    assert not (groups[0] & groups[1]).any()
    for group in groups:
        assert set(group.sum(axis=1)) == {3}
        assert not group.diagonal().any()
    counts = sum(draws(5, 1, 1, np.random.default_rng(k))[0].astype(int) for k in range(400))
    assert counts[~np.eye(5, dtype=bool)].min() > 60  # 100 expected of each other.
