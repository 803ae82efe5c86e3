"""From positions as read to the image: every frame against positions worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.geometry import Geometry, ScreenToImage, effective, shown_at
from gazeapp.engine.gaze.records import Facts, Frame, Placement

SCREEN = (1000.0, 500.0)
IMAGE = (400, 200)  # shown at half its size, its corner at (100, 50) of the screen
SHOWN = ScreenToImage(100.0, 50.0, 200.0, 100.0, *IMAGE)


def to_image(frame, x, y, shown=SHOWN, screen=SCREEN):
    affine = shown.in_frame(frame, screen)
    return (
        (x - affine.offset_x) * shown.image_width / affine.shown_width,
        (y - affine.offset_y) * shown.image_height / affine.shown_height,
    )


@pytest.mark.parametrize(
    ("frame", "x", "y"),
    [
        (Frame(), 150, 125),
        (Frame(y_up=True), 150, 375),
        (Frame(centred=True), -350, -125),
        (Frame(centred=True, y_up=True), -350, 125),
        (Frame(unit="share"), 0.15, 0.25),
        (Frame(unit="share", y_up=True), 0.15, 0.75),
        (Frame(unit="share", centred=True, y_up=True), -0.35, 0.25),
    ],
)
def test_one_point_of_the_screen_in_every_frame(frame, x, y):
    # (150, 125) on the screen is 50 px right of and 75 px below the image's corner, at half size.
    assert to_image(frame, x, y) == pytest.approx((100, 150))


@pytest.mark.parametrize(
    ("frame", "x", "y"),
    [
        (Frame(of="image"), 100, 150),
        (Frame(of="image", unit="share"), 0.25, 0.75),
        (Frame(of="image", unit="share", y_up=True), 0.25, 0.25),
        (Frame(of="image", centred=True, y_up=True), -100, -50),
    ],
)
def test_one_point_of_the_image_in_every_frame(frame, x, y):
    shown = shown_at(Geometry(), None, frame, *IMAGE)
    assert to_image(frame, x, y, shown, None) == pytest.approx((100, 150))


@pytest.mark.parametrize(
    ("geometry", "placement", "rectangle"),
    [
        (Geometry(screen=SCREEN), None, (300, 150, 400, 200)),
        (Geometry(screen=SCREEN, placement="own size"), None, (300, 150, 400, 200)),
        (Geometry(screen=SCREEN, placement="fit"), None, (0, 0, 1000, 500)),
        (Geometry(screen=(1000, 1000), placement="fit"), None, (0, 250, 1000, 500)),
        (Geometry(screen=(200, 200)), None, (0, 50, 200, 100)),
        (Geometry(screen=(200, 200), placement="own size"), None, (-100, 0, 400, 200)),
        (Geometry(screen=(300, 900), placement="fill"), None, (0, 0, 300, 900)),
        (Geometry(placement="explicit", rect=(1, 2, 30, 40)), None, (1, 2, 30, 40)),
        (Geometry(screen=SCREEN), Placement("top_left", 10, 20, 80, 40), (10, 20, 80, 40)),
        (Geometry(), Placement("center", 500, 250), (300, 150, 400, 200)),
        (Geometry(screen=SCREEN, placement="fit"), Placement("top_left", 10, 20), (0, 0, 1000, 500)),
    ],
)
def test_where_an_image_lay(geometry, placement, rectangle):
    shown = shown_at(geometry, placement, Frame(), *IMAGE)
    assert (shown.offset_x, shown.offset_y, shown.shown_width, shown.shown_height) == rectangle


def test_a_screen_that_is_needed_is_asked_for():
    with pytest.raises(GazeError, match="how large the screen was"):
        shown_at(Geometry(), None, Frame(), *IMAGE)
    with pytest.raises(GazeError, match="how large the screen was"):
        SHOWN.in_frame(Frame(unit="share"), None)


def test_what_the_user_says_goes_before_the_file_and_the_file_before_the_default():
    facts = Facts(screen=(800, 600), distance_cm=60)
    default = Geometry(screen=(1, 1), distance_cm=1, screen_width_cm=40, placement="fit")
    found = effective(Geometry(distance_cm=70), facts, default)
    assert found == Geometry((800, 600), "fit", None, 70, 40)


def test_a_place_that_is_said_takes_no_rectangle_of_the_default():
    default = Geometry(placement="explicit", rect=(1, 2, 3, 4))
    assert Geometry(placement="fit").over(default) == Geometry(placement="fit")
    assert Geometry(distance_cm=5).over(default).rect == (1, 2, 3, 4)


def test_px_per_degree_by_the_formula_and_when_it_is_known_directly():
    geometry = Geometry(screen=(1920, 1080), distance_cm=60, screen_width_cm=53)
    assert geometry.screen_px_per_degree == pytest.approx(2 * 60 * np.tan(np.pi / 360) * 1920 / 53)
    assert Geometry(px_per_deg=35).screen_px_per_degree == 35
    assert Geometry(screen=(1920, 1080), distance_cm=60).screen_px_per_degree is None


@pytest.mark.parametrize(
    "values",
    [
        {"placement": "somewhere"},
        {"placement": "explicit"},
        {"rect": (0, 0, 0, 5), "placement": "explicit"},
        {"screen": (0, 5)},
        {"distance_cm": float("nan")},
    ],
)
def test_a_geometry_that_makes_no_sense_is_refused(values):
    with pytest.raises(GazeError):
        Geometry(**values)


def test_geometry_and_placement_survive_being_stored():
    geometry = Geometry((800, 600), "explicit", (1, 2, 3, 4), 60, 40, 30)
    assert Geometry.of(geometry.as_json()) == geometry
    assert Geometry.of({}) == Geometry()
    stored = Placement("center", 5, 6).as_json()
    assert Placement.of(stored).as_json() == stored
