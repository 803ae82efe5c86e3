"""The centre bias of the other images: closed forms, brute force, and cost."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.scoring.ceilings.centre import BANDWIDTHS, UNIFORM_SHARES, CentreDensity
from gazeapp.engine.scoring.ceilings.people import ImageFixations


def image(u, v, width: float = 80, height: float = 60) -> ImageFixations:
    return ImageFixations(np.asarray(u), np.asarray(v), np.repeat("a", len(u)), width, height)


def gaussian_images(n_images: int, n: int, sd: float, seed: int = 0) -> dict[int, ImageFixations]:
    rng = np.random.default_rng(seed)
    return {k: image(*np.clip(rng.normal(0.5, sd, (2, n)), 0, 0.999)) for k in range(n_images)}


def test_it_is_a_density_above_0_everywhere():
    centre = CentreDensity(gaussian_images(6, 30, 0.05))
    density = centre.density(0, 80, 60)
    assert density.shape == (192, 256)
    assert density.mean() == pytest.approx(1, abs=1e-5)
    assert density.min() >= UNIFORM_SHARES[0] * 0.99


def test_people_who_look_alike_everywhere_are_predicted_almost_as_well_as_by_the_truth():
    sd = 0.1
    images = gaussian_images(40, 60, sd)
    centre = CentreDensity(images)
    cells = (np.arange(256) + 0.5) / 256
    profile = np.exp(-0.5 * ((cells - 0.5) / sd) ** 2)
    profile /= profile.mean()
    losses = []
    for key, one in images.items():
        density = centre.density(key, 1, 1)
        rows, columns = (one.v * 256).astype(int), (one.u * 256).astype(int)
        truth = np.log2(profile[rows] * profile[columns]).mean()
        losses.append(truth - np.log2(density[rows, columns]).mean())
    assert 0 < np.mean(losses) < 0.04  # Of 2.6 bits.


def test_the_parameters_are_those_that_a_loop_over_left_out_images_finds():
    images = gaussian_images(5, 20, 0.08) | {5: image([0.1, 0.9], [0.1, 0.8])}
    centre = CentreDensity(images)
    bins = (np.arange(256) + 0.5) / 256
    totals = np.zeros((6, len(BANDWIDTHS), len(UNIFORM_SHARES)))
    for key, one in images.items():
        for b, width in enumerate(BANDWIDTHS):
            kernels = np.exp(-0.5 * ((bins[:, None] - bins) / width) ** 2)
            kernels /= kernels.mean(axis=0)
            rows, columns = (one.v * 256).astype(int), (one.u * 256).astype(int)
            density = np.zeros(len(rows))
            n = 0
            for other_key, other in images.items():
                if other_key != key:
                    down, across = (other.v * 256).astype(int), (other.u * 256).astype(int)
                    density += (kernels[np.ix_(rows, down)] * kernels[np.ix_(columns, across)]).sum(axis=1)
                    n += len(down)
            for e, share in enumerate(UNIFORM_SHARES):
                totals[key, b, e] = np.log2((1 - share) * density / n + share).mean()
    for key in images:
        best = np.unravel_index(np.argmax(totals.sum(axis=0) - totals[key]), totals.shape[1:])
        assert centre.parameters(key) == (BANDWIDTHS[best[0]], UNIFORM_SHARES[best[1]])


def test_nothing_of_an_image_is_in_its_own_centre_bias():
    images = gaussian_images(4, 30, 0.1)
    moved = images | {2: image([0.01] * 30, [0.01] * 30)}
    np.testing.assert_array_equal(
        CentreDensity(images).density(2, 80, 60), CentreDensity(moved).density(2, 80, 60)
    )


def test_people_who_look_anywhere_leave_it_uniform():
    rng = np.random.default_rng(0)
    centre = CentreDensity({k: image(*rng.random((2, 10))) for k in range(10)})
    assert centre.density(0, 80, 60).std() < 0.3


@pytest.mark.parametrize("images", [{}, {7: image([0.5], [0.5])}])
def test_without_other_images_it_is_uniform(images):
    centre = CentreDensity(images)
    assert (centre.density(7, 80, 60) == 1).all()
    assert centre.parameters(7)[1] == 1


def test_an_image_without_fixations_of_its_own_has_the_centre_bias_of_all():
    images = gaussian_images(4, 30, 0.1)
    with_it = CentreDensity(images | {9: image([], [])})
    np.testing.assert_array_equal(with_it.density(9, 80, 60), CentreDensity(images).density(9, 80, 60))


def test_images_of_other_sizes_share_their_positions():
    images = {0: image([0.2] * 9, [0.8] * 9, 10, 100), 1: image([0.2] * 9, [0.8] * 9, 100, 10)}
    density = CentreDensity(images).density(1, 100, 10)
    row, column = np.unravel_index(np.argmax(density), density.shape)
    assert ((row + 0.5) / density.shape[0], (column + 0.5) / density.shape[1]) == pytest.approx(
        (0.8, 0.2), abs=0.03
    )
