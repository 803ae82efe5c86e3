"""From the screen to the image and back, and visual angle, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.geometry import Geometry, ScreenToImage, Sigma, inside, pixels_per_degree
from gazeapp.engine.gaze.records import Placement

sizes = st.integers(1, 4000)


def place(transform):
    return (transform.offset_x, transform.offset_y, transform.shown_width, transform.shown_height)


def test_an_image_that_fits_is_centred_at_its_own_size():
    transform = ScreenToImage.centred(1024, 768, 800, 600)
    assert place(transform) == (112, 84, 800, 600)
    x, y = transform.apply([512, 112, 111], [384, 84, 683.5])
    assert x.tolist() == [400, 0, -1]
    assert y.tolist() == [300, 0, 599.5]


def test_an_image_that_is_too_wide_is_shrunk_with_bars_above_and_below():
    transform = ScreenToImage.centred(1000, 800, 2000, 500)
    assert place(transform) == (0, 275, 1000, 250)
    x, y = transform.apply([500, 999.5], [400, 275])
    assert x.tolist() == [1000, 1999]
    assert y.tolist() == [250, 0]


def test_an_image_that_is_too_tall_is_shrunk_with_bars_at_the_sides():
    transform = ScreenToImage.centred(1000, 800, 400, 1600)
    assert place(transform) == (400, 0, 200, 800)


@given(sizes, sizes, sizes, sizes)
def test_the_centre_of_the_screen_is_the_centre_of_the_image_and_nothing_is_distorted(sw, sh, iw, ih):
    transform = ScreenToImage.centred(sw, sh, iw, ih)
    x, y = transform.apply([sw / 2], [sh / 2])
    assert x[0] == pytest.approx(iw / 2)
    assert y[0] == pytest.approx(ih / 2)
    assert transform.shown_width / iw == pytest.approx(transform.shown_height / ih)
    assert transform.shown_width <= sw + 1e-9
    assert transform.shown_height <= sh + 1e-9


@pytest.mark.parametrize(
    ("placement", "screen_point", "image_point"),
    [
        (Placement("fill"), (512, 192), (100, 12.5)),
        (Placement("top_left", 100, 50), (110, 60), (10, 10)),
        (Placement("top_left", 100, 50, 400, 100), (300, 100), (100, 25)),
        (Placement("center", 512, 384), (512, 384), (100, 25)),
        (Placement("center", 512, 384, 400, 100), (312, 334), (0, 0)),
        (Placement("center"), (512, 384), (100, 25)),
    ],
)
def test_images_that_the_recording_places_itself(placement, screen_point, image_point):
    transform = ScreenToImage.placed(placement, (1024, 768), 200, 50)
    x, y = transform.apply(*[[value] for value in screen_point])
    assert (x[0], y[0]) == pytest.approx(image_point)


def test_positions_in_image_px_stay():
    x, y = ScreenToImage.identity(30, 20).apply([1.5, -3], [2.5, 90])
    assert (x.tolist(), y.tolist()) == ([1.5, -3], [2.5, 90])


def test_inside_goes_by_the_pixel_on_a_non_square_image():
    x = [0, 29.99, 30, -0.01, 15, 15, 15, math.nan]
    y = [0, 19.99, 10, 10, 20, -1e-9, 25, 1]
    assert inside(x, y, 30, 20).tolist() == [True, True, False, False, False, False, False, False]


def test_pixels_per_degree():
    # At 57.29 cm, one degree is 1.0000 cm; a screen of 40 cm and 1600 px has 40 px in each.
    distance = 1 / (2 * math.tan(math.radians(0.5)))
    assert pixels_per_degree(distance, 40, 1600) == pytest.approx(40)
    assert pixels_per_degree(2 * distance, 40, 1600) == pytest.approx(80)


@pytest.mark.parametrize("values", [(0, 40, 1600), (60, -1, 1600), (60, 40, math.nan)])
def test_pixels_per_degree_needs_positive_numbers(values):
    with pytest.raises(GazeError, match="above 0"):
        pixels_per_degree(*values)


def test_sigma_in_px_and_in_degrees():
    assert Sigma(24).in_pixels() == 24
    assert Sigma(24).in_pixels(0.5) == 24
    assert Sigma(1.5, "deg", 30).in_pixels() == 45
    # An image of 800 px shown 1600 px wide: a degree on the screen is half as many image px.
    assert Sigma(1, "deg", 40).in_pixels(800 / 1600) == 20


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((1, "deg"), "pixels per degree"),
        ((0,), "above 0"),
        ((math.nan,), "above 0"),
        ((1, "cm"), "px or deg"),
    ],
)
def test_a_sigma_without_sense_is_refused(values, says):
    with pytest.raises(GazeError, match=says):
        Sigma(*values)


@pytest.mark.parametrize("shown", [(0, 10), (10, -1), (math.inf, 10)])
def test_an_image_shown_without_size_is_refused(shown):
    with pytest.raises(GazeError, match="cannot have been shown"):
        ScreenToImage(0, 0, *shown, 30, 20)


def test_the_transform_takes_arrays_of_any_length():
    x, y = ScreenToImage.centred(100, 100, 10, 10).apply(np.zeros(0), np.zeros(0))
    assert len(x) == len(y) == 0


def test_a_distance_said_of_a_recording_counts_before_the_projects_px_per_degree():
    default = Geometry(px_per_deg=35.0)
    said = Geometry(screen=(1000, 800), distance_cm=60, screen_width_cm=50)
    assert said.over(default).screen_px_per_degree == pytest.approx(20.944, abs=1e-3)
    # A distance alone gives no degrees, so that those of the project stay.
    assert Geometry(distance_cm=60).over(default).screen_px_per_degree == 35.0
    assert Geometry(px_per_deg=30.0).over(said).screen_px_per_degree == 30.0
    assert default.over(said).over(Geometry(distance_cm=80)).screen_px_per_degree == 35.0
