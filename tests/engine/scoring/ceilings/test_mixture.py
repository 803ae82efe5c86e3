"""The mixture's parameters: likelihoods by hand, recovered truth, nothing of the image that is scored."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.scoring.ceilings import mixture as gold_mixture
from gazeapp.engine.scoring.ceilings.mixture import (
    ALPHAS,
    BANDWIDTHS,
    GRID,
    SHARES,
    Mixture,
    Tables,
    likelihoods,
)
from gazeapp.engine.scoring.ceilings.people import (
    ImageFixations,
    People,
    all_others,
    local_widths,
    pilot_sums,
    predicted,
)
from tests.engine.scoring.gold_world import World, known_looks


def random_people(n_subjects: int = 4, n_fixations: int = 5) -> People:
    rng = np.random.default_rng(0)
    names = np.repeat([f"p{k}" for k in range(n_subjects)], n_fixations)
    return People(ImageFixations(*rng.random((2, len(names))), names, 80, 60))


def test_all_shares_are_mixtures():
    np.testing.assert_allclose(SHARES.sum(axis=1), 1)
    assert SHARES.min() == 0
    assert SHARES[:, 2].min() > 0  # Nothing is ever impossible.


def test_the_table_holds_the_mean_log_likelihoods():
    people, rng = random_people(), np.random.default_rng(1)
    centre = rng.uniform(0.5, 2, len(people.x))
    table = likelihoods(people, centre, rng)
    assert table.shape == GRID
    for k, a, w in [(0, 0, 3), (5, 1, 17), (11, 1, 34), (7, 0, 20)]:
        widths = local_widths(
            people, all_others(4), pilot_sums(people, BANDWIDTHS[k]), BANDWIDTHS[k], ALPHAS[a]
        )
        density = predicted(people, all_others(4), widths, np.arange(len(people.x)))
        expected = np.log2(SHARES[w] @ [density, centre, np.ones(len(density))]).mean()
        assert table[k, a, w] == pytest.approx(expected, abs=1e-5)


def test_of_many_fixations_a_random_part_is_predicted_from_all(monkeypatch):
    people = random_people(10, 30)
    whole = likelihoods(people, np.ones(300), np.random.default_rng(0))
    monkeypatch.setattr(gold_mixture, "MOST_TARGETS", 150)
    part = likelihoods(people, np.ones(300), np.random.default_rng(0))
    assert 0 < np.abs(part - whole)[4:].max() < 0.2


@pytest.mark.parametrize(
    ("world", "likeliest"),
    [
        (World(8, (10, 10), (2, 4), (0.03, 0.03), 1e4), "kernels"),
        (World(8, (10, 10), (1, 1), (0.03, 0.03), 1e4, centre=0.999), "centre"),
    ],
)
def test_what_people_do_is_recovered(world, likeliest):
    rng = np.random.default_rng(3)
    tables = {}
    cells = (np.arange(256) + 0.5) / 256
    profile = np.exp(-0.5 * ((cells - 0.5) / 0.2) ** 2)
    profile /= profile.mean()
    for key in range(6):
        people = People(known_looks(rng, world).looks)
        at = profile[people.cells // 256] * profile[people.cells % 256]
        tables[key] = likelihoods(people, at, rng)
    found = Tables(tables).best(0)
    assert found.n_images == 5
    assert not found.own_table
    assert getattr(found, likeliest) > 0.9
    assert found.uniform < 0.05
    if likeliest == "kernels":
        # Silverman's rule for a Gaussian in the plane, of the 70 fixations of about 3 blobs.
        assert found.bandwidth == pytest.approx(0.03 * (70 / 3) ** (-1 / 6), rel=0.35)


def test_an_image_does_not_choose_its_own_parameters():
    rng = np.random.default_rng(0)
    tables = {key: rng.normal(size=GRID).astype(np.float32) for key in range(4)}
    before = Tables(tables).best(2)
    tables[2] = tables[2] * 0 + 1
    tables[2][3, 1, 4] = 100
    after = Tables(tables).best(2)
    assert before == after
    total = sum(tables[key].astype(np.float64) for key in (0, 1, 3))
    bandwidth, alpha, share = np.unravel_index(total.argmax(), GRID)
    assert (after.bandwidth, after.alpha) == (BANDWIDTHS[bandwidth], ALPHAS[alpha])
    assert (after.kernels, after.centre, after.uniform) == tuple(SHARES[share])
    elsewhere = Tables(tables).best(0)
    assert (elsewhere.bandwidth, elsewhere.alpha) == (BANDWIDTHS[3], ALPHAS[1])
    assert (elsewhere.kernels, elsewhere.centre, elsewhere.uniform) == tuple(SHARES[4])


def test_a_lonely_image_chooses_for_itself_and_says_so():
    table = np.zeros(GRID, dtype=np.float32)
    table[2, 0, 1] = 1
    tables = Tables({5: table})
    assert tables.best(5).own_table
    assert tables.best(5).bandwidth == BANDWIDTHS[2]
    assert not tables.best(6).own_table
    assert Tables({}).best(5) is None


def test_fewer_people_have_wider_kernels():
    mixture = Mixture(0.04, 0.5, 0.8, 0.15, 0.05)
    fewer = mixture.from_fewer(64.0)
    assert fewer.bandwidth == pytest.approx(0.08)
    assert (fewer.alpha, fewer.kernels, fewer.centre, fewer.uniform) == (0.5, 0.8, 0.15, 0.05)
