"""Controls: luminance and contrast against closed forms, rings, and maps of another image."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural import controls


def grey(level, height=120, width=160):
    return np.full((height, width, 3), level, np.uint8)


def encoded(linear):
    """The sRGB byte of a linear value, from the standard's other direction."""
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * share).astype(np.uint8)


def test_luminance_of_one_colour_is_that_of_the_standard():
    assert controls.luminance(grey(255)) == pytest.approx(np.ones(196))
    assert controls.luminance(grey(0)) == pytest.approx(np.zeros(196))
    assert controls.luminance(grey(188)) == pytest.approx(np.full(196, 0.5029), abs=1e-4)
    red = np.zeros((50, 50, 3), np.uint8)
    red[..., 0] = 255
    assert controls.luminance(red) == pytest.approx(np.full(196, 0.2126))


def test_luminance_follows_places_in_shares_of_the_image():
    picture = grey(0, 90, 240)
    picture[:, 120:] = 255
    cells = controls.luminance(picture).reshape(14, 14)
    assert cells[:, :4].max() < 0.01
    assert cells[:, 10:].min() > 0.99
    assert cells.mean() == pytest.approx(0.5, abs=1e-6)


def test_a_picture_of_one_grey_has_no_contrast():
    assert np.abs(controls.contrast(grey(90))).max() < 1e-20


@pytest.mark.parametrize("cycles", [5, 10, 20])
def test_a_grating_has_the_energy_of_each_band_s_transfer_function(cycles):
    x = (np.arange(256) + 0.5) / 256
    amplitude = 0.2
    light = 0.5 + amplitude * np.cos(2 * np.pi * cycles * x)
    linear = ((light + 0.16) / 1.16) ** 3
    picture = np.broadcast_to(encoded(linear)[None, :, None], (256, 256, 3))
    bands = controls.contrast(np.ascontiguousarray(picture)).reshape(3, 14, 14)
    for band, scale in zip(bands, controls.SCALES, strict=True):
        passed = [np.exp(-2 * (np.pi * sd * cycles) ** 2) for sd in (scale, 2 * scale)]
        expected = (amplitude * (passed[0] - passed[1])) ** 2 / 2
        assert band[4:10, 4:10].mean() == pytest.approx(expected, rel=0.05, abs=1e-7)
    # The three scales are made for these three frequencies, finest first.
    assert bands.mean(axis=(1, 2)).argmax() == [20, 10, 5].index(cycles)


def test_equal_steps_of_lightness_have_equal_energy_in_the_dark_and_in_the_light():
    stripes = (np.arange(256) // 8 % 2)[None, :, None]
    energy = []
    for low in (0.3, 0.7):
        linear = ((low + 0.2 * stripes + 0.16) / 1.16) ** 3
        picture = np.broadcast_to(encoded(linear), (200, 256, 3))
        energy.append(controls.contrast(np.ascontiguousarray(picture)).sum())
    assert energy[0] == pytest.approx(energy[1], rel=0.06)


def test_a_large_picture_has_nearly_the_values_of_a_small_copy_and_both_controls_come_in_one_pass():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (12, 16, 3)).astype(np.uint8)
    small, large = (np.kron(coarse, np.ones((k, k, 1), np.uint8)) for k in (16, 64))
    both = controls.picture_controls(iter([small, large]))
    assert both["luminance"].shape == (2, 196)
    assert both["contrast"].shape == (2, 588)
    for table in both.values():
        assert table[1] == pytest.approx(table[0], rel=1e-6)
    assert both["contrast"][0] == pytest.approx(controls.contrast(small))


def test_rings_hold_the_mass_at_their_distance_from_the_middle():
    inner, corner = np.zeros((2, 14, 14))
    inner[6:8, 6:8] = 0.25
    corner[0, 0] = corner[13, 13] = 0.5
    mass = controls.centre(np.array([inner.ravel(), corner.ravel(), np.full(196, 1 / 196)]))
    assert mass.shape == (3, controls.N_RINGS)
    assert mass[0] == pytest.approx([1] + [0] * 6)
    assert mass[1] == pytest.approx([0] * 6 + [1])
    # Far from the corners the area of a ring is (its outer radius squared - its inner one squared) pi.
    radius = np.arange(5) / 7 * np.hypot(0.5, 0.5)
    assert mass[2][:4] == pytest.approx(np.pi * np.diff(radius**2), abs=0.02)


def test_rings_are_blind_to_direction():
    maps = np.random.default_rng(1).random((3, 14, 14))
    turned = np.rot90(maps, axes=(1, 2))
    flipped = maps[:, ::-1]
    expected = controls.centre(maps.reshape(3, 196))
    for other in (turned, flipped):
        assert controls.centre(np.ascontiguousarray(other).reshape(3, 196)) == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 3, 48])
def test_every_map_goes_to_another_image_once(n):
    given = controls.other_image(np.arange(n, dtype=float)[:, None], seed=4)[:, 0]
    assert sorted(given) == list(range(n))
    assert not (given == np.arange(n)).any()
    again = controls.other_image(np.arange(n, dtype=float)[:, None], seed=4)[:, 0]
    assert (given == again).all()


def test_what_cannot_be_measured_says_why():
    with pytest.raises(GazeError, match="3 colours"):
        controls.luminance(np.zeros((5, 5), np.uint8))
    with pytest.raises(GazeError, match="no picture"):
        controls.picture_controls([])
    with pytest.raises(GazeError, match="one image"):
        controls.other_image(np.ones((1, 4)))


def test_each_control_is_described():
    assert set(controls.CONTROLS) == {"luminance", "contrast", "people", "centre", "other_image"}
