"""Centre bias, other image and negatives leave their own image out; chance maps favour no place."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring.baselines import from_fixations as baselines
from gazeapp.engine.scoring.baselines.from_fixations import (
    OtherImages,
    Positions,
    centre_gaussian,
    expected_human_map,
    other_task,
    random_map,
    uniform,
)
from gazeapp.engine.scoring.metrics import pixels, sauc

NONE = Positions(np.zeros(0), np.zeros(0))


def make_images():
    rng = np.random.default_rng(0)
    return {key: Positions(*rng.beta(4, 4, (2, 30))) for key in (3, 7, 8)}


def drawn(n_images: int, n: int, seed: int = 0) -> dict[int, Positions]:
    rng = np.random.default_rng(seed)
    return {key: Positions(*rng.beta(3, 3, (2, n))) for key in range(n_images)}


def test_centre_bias_is_the_human_map_of_all_other_images_rescaled():
    images = make_images()
    found = OtherImages(images).centre_bias(7, 60, 90, 6.0)
    u = np.concatenate([images[3].u, images[8].u])
    v = np.concatenate([images[3].v, images[8].v])
    direct = human_map(u * 90, v * 60, 60, 90, 6.0)
    # Cells of 1/256 of the image move a fixation by less than 0.18 px.
    np.testing.assert_allclose(found, direct, atol=0.01 * direct.max())
    assert found.sum() == pytest.approx(1, abs=1e-4)


def test_centre_bias_does_not_see_its_own_image():
    images = make_images()
    before = OtherImages(images).centre_bias(7, 40, 40, 4.0)
    images[7] = Positions(np.array([0.01]), np.array([0.99]))
    np.testing.assert_array_equal(OtherImages(images).centre_bias(7, 40, 40, 4.0), before)


def test_negatives_are_the_other_images_fixations_at_this_size():
    images = {
        1: Positions(np.array([0.1]), np.array([0.1])),
        2: Positions(np.array([0.5, 0.99]), np.array([0.25, 0.0])),
    }
    found = OtherImages(images).pixels(1, 20, 100)
    assert found.index.tolist() == [5 * 100 + 50, 99]


def test_an_only_image_has_no_others():
    images = OtherImages({1: Positions(np.array([0.5]), np.array([0.5]))})
    assert images.centre_bias(1, 10, 10, 2.0) is None
    assert images.other_image(1, 10, 10, 2.0) is None
    assert len(images.pixels(1, 10, 10)) == 0
    nobody = OtherImages({})
    assert nobody.centre_bias(1, 10, 10, 2.0) is None
    assert len(nobody.pixels(1, 10, 10)) == 0


@pytest.mark.parametrize("limit", [10_000, 40])
def test_negatives_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch, limit: int):
    """With a limit, the same from the subset: what is kept for an image that nobody looked at."""
    monkeypatch.setattr(baselines, "MAX_NEGATIVES", limit)
    images = {**make_images(), 5: NONE, 1: Positions(np.array([0.2]), np.array([0.3]))}
    others = OtherImages(images)
    all_kept = others.pixels(99, 5000, 5000).index.tolist()
    assert len(all_kept) == min(limit, 91)
    for key, own in images.items():
        left_out = set(pixels(own.u * 5000, own.v * 5000, 5000, 5000).index.tolist())
        expected = [one for one in all_kept if one not in left_out]
        assert sorted(others.pixels(key, 5000, 5000).index.tolist()) == sorted(expected)


def test_each_fixation_is_as_likely_to_be_a_negative(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(baselines, "MAX_NEGATIVES", 60)
    images = drawn(5, 40)
    places = np.concatenate([pixels(p.u * 9999, p.v * 9999, 9999, 9999).index for p in images.values()])
    times = np.zeros(200)
    for seed in range(400):
        kept = OtherImages(images, seed).pixels(99, 9999, 9999).index
        assert len(np.unique(kept)) == 60
        times += np.isin(places, kept)
    # Binomial of 400 draws with p = 0.3: mean 120, sd 9.2; 200 of them stay within 4.5 sd.
    assert np.abs(times - 120).max() < 4.5 * 9.2
    assert np.std(times) == pytest.approx(9.2, rel=0.25)


def test_negatives_of_a_large_study_give_the_same_sauc(monkeypatch: pytest.MonkeyPatch):
    """The mean over draws is that of all negatives, and one draw is closer to it than a plain random one."""
    images, height, width = drawn(60, 100), 48, 64
    values = centre_gaussian(height, width) * (1 + np.sin(np.arange(width) / 5.0)).astype(np.float32)
    fixated = pixels(images[7].u * width, images[7].v * height, height, width)
    exact = sauc(values, fixated, OtherImages(images).pixels(7, height, width))
    everybody = OtherImages(images).pixels(7, height, width)
    monkeypatch.setattr(baselines, "MAX_NEGATIVES", 600)
    even, plain = [], []
    for seed in range(200):
        even.append(sauc(values, fixated, OtherImages(images, seed).pixels(7, height, width)))
        kept = np.random.default_rng(seed).choice(len(everybody), 590, replace=False)
        plain.append(sauc(values, fixated, baselines.Pixels(everybody.index[kept])))
    assert np.mean(even) == pytest.approx(exact, abs=4 * np.std(even) / np.sqrt(200))
    assert np.std(even) < 0.5 * np.std(plain)


def test_the_subset_does_not_depend_on_the_order_of_the_images(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(baselines, "MAX_NEGATIVES", 30)
    images = make_images()
    one, other = OtherImages(images, 4), OtherImages(dict(reversed(images.items())), 4)
    assert one.pixels(7, 99, 99).index.tolist() == other.pixels(7, 99, 99).index.tolist()
    assert one.other_image(7, 9, 9, 1.0).tolist() == other.other_image(7, 9, 9, 1.0).tolist()
    changed = OtherImages(images, 5).pixels(7, 99, 99).index.tolist()
    assert changed != one.pixels(7, 99, 99).index.tolist()


def test_one_image_costs_the_same_in_a_large_study():
    """A hundredfold study: looking at all of its fixations for each image would take 100 times as long."""
    took = {}
    for n_images in (250, 25_000):
        rng = np.random.default_rng(0)
        u = rng.random((n_images, 100))
        others = OtherImages({key: Positions(row, row) for key, row in enumerate(u)})
        fastest = np.inf
        for key in range(30):
            start = time.thread_time()
            others.pixels(key, 40, 60)
            others.centre_bias(key, 40, 60, 4.0)
            fastest = min(fastest, time.thread_time() - start)
        took[n_images] = fastest
    assert took[25_000] < 20 * took[250]


def test_every_image_serves_once_as_another_and_never_for_itself():
    n = 9
    images = {key: Positions(np.array([(key + 0.5) / n]), np.array([0.5])) for key in range(n)}
    images[20] = NONE
    pairings = set()
    for seed in range(6):
        others = OtherImages(images, seed)
        served = [int(others.other_image(key, 1, n, 0.2).argmax()) for key in range(n)]
        assert sorted(served) == list(range(n))
        assert all(key != given for key, given in enumerate(served))
        assert others.other_image(20, 1, n, 0.2) is None
        pairings.add(tuple(served))
    assert len(pairings) == 6


def test_another_image_is_its_human_map_at_this_size():
    images = {
        1: Positions(np.array([0.1]), np.array([0.2])),
        2: Positions(np.array([0.5, np.nextafter(1, 0)]), np.array([0.25, 0.9])),
    }
    found = OtherImages(images).other_image(1, 30, 40, 3.0)
    expected = human_map([20.0, np.nextafter(40, 0)], [7.5, 27.0], 30, 40, 3.0)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_the_other_task_is_the_human_map_of_the_same_image_there():
    describe = OtherImages({1: Positions(np.array([0.1, 0.6]), np.array([0.2, 0.7])), 2: NONE})
    search = OtherImages({1: Positions(np.array([0.9]), np.array([0.5]))})
    one = other_task([describe], 1, 30, 40, 3.0)
    np.testing.assert_allclose(one, human_map([4.0, 24.0], [6.0, 21.0], 30, 40, 3.0), atol=1e-8)
    both = other_task([describe, search], 1, 30, 40, 3.0)
    np.testing.assert_allclose(both, human_map([4, 24, 36], [6, 21, 15], 30, 40, 3.0), atol=1e-8)
    assert other_task([describe, search], 2, 30, 40, 3.0) is None
    assert other_task([describe], 3, 30, 40, 3.0) is None
    assert other_task([], 1, 30, 40, 3.0) is None


@pytest.mark.parametrize("shape", [(75, 100), (100, 40)])
def test_the_centre_gaussian_has_its_share_of_each_side(shape: tuple[int, int]):
    values = centre_gaussian(*shape).astype(np.float64)
    assert values.sum() == pytest.approx(1, abs=1e-5)
    middle = [size // 2 for size in shape]
    for axis, size in enumerate(shape):
        profile = values.take(middle[1 - axis], axis=1 - axis)
        place = (np.arange(size) + 0.5) / size
        expected = np.exp(-0.5 * ((place - 0.5) / 0.23) ** 2)
        np.testing.assert_allclose(profile / profile.max(), expected / expected.max(), atol=1e-5)


def test_a_random_map_favours_no_place():
    """Over many seeds the field has the same mean and variance in the corner as in the middle."""
    maps = np.stack([random_map(30, 40, 5.0, seed) for seed in range(300)])
    assert maps.shape == (300, 192, 256)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), 1, atol=1e-4)
    assert (maps.min(axis=(1, 2)) == 0).all()
    assert len({float(one[50, 50]) for one in maps}) == 300
    shapes = maps / maps.std(axis=(1, 2), keepdims=True)
    corner, middle = shapes[:, 0, 0], shapes[:, 96, 128]
    assert corner.mean() == pytest.approx(middle.mean(), abs=0.25)  # sd of the difference: 0.08
    assert corner.std() == pytest.approx(middle.std(), rel=0.25)


def test_a_random_map_has_spots_as_large_as_the_human_maps():
    """White noise blurred by a Gaussian has the autocorrelation exp(-d² / 4 sigma²)."""
    sigma_px, lag_px, cells_per_px = 24.0, 24, 0.25
    lag = int(lag_px * cells_per_px)
    found = []
    for seed in range(20):
        values = random_map(768, 1024, sigma_px, seed).astype(np.float64)
        inner = values[30:-30, 30:-30]
        found.append(np.corrcoef(inner[:, lag:].ravel(), inner[:, :-lag].ravel())[0, 1])
    assert np.mean(found) == pytest.approx(np.exp(-(lag_px**2) / (4 * sigma_px**2)), abs=0.03)


def test_a_random_map_of_one_pixel_is_uniform():
    assert random_map(1, 5000, 10.0, 0).shape == (1, 256)
    assert random_map(1, 1, 1.0, 0).sum() == pytest.approx(1)


def test_uniform_is_constant_and_sums_to_1():
    values = uniform(7, 9)
    assert values.shape == (7, 9)
    assert np.ptp(values) == 0
    assert values.sum() == pytest.approx(1)


def test_a_density_is_blurred_as_the_human_map_of_many_people():
    density = np.zeros((30, 40), np.float32)
    density[4, 35], density[20, 10] = 0.25, 0.75
    expected = human_map([35.5, 10.5], [4.5, 20.5], 30, 40, 3.0, weights=[0.25, 0.75])
    np.testing.assert_allclose(expected_human_map(density, 3.0), expected, atol=1e-7)
