"""Image names as recordings write them."""

from __future__ import annotations

import difflib

import pytest

from gazeapp.engine.gaze.image_names import ImageNames

IMAGES = ["scene-001.png", "scene-002.png", "faces/anna.JPG", "faces/bert.jpg", "places/bert.jpg", "v1.2.png"]


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("scene-001.png", "scene-001.png"),
        (" scene-001.png ", "scene-001.png"),
        ("SCENE-001.PNG", "scene-001.png"),
        ("scene-001", "scene-001.png"),
        ("scene-001.jpg", "scene-001.png"),
        ("C:\\study\\images\\Scene-002.bmp", "scene-002.png"),
        ("../images/scene-002.png", "scene-002.png"),
        ("anna", "faces/anna.JPG"),
        ("faces\\anna.jpg", "faces/anna.JPG"),
        ("places/bert.jpg", "places/bert.jpg"),
        ("v1.2", "v1.2.png"),
    ],
)
def test_names_are_found_leniently(name, image):
    found = ImageNames(IMAGES).find(name)
    assert found is not None
    assert IMAGES[found] == image


@pytest.mark.parametrize("name", ["", "  ", "scene-003.png", "bert.jpg", "bert", "scene", "v1"])
def test_names_that_mean_no_image_or_several_are_not_guessed(name):
    assert ImageNames(IMAGES).find(name) is None


def test_an_exact_name_wins_over_a_lenient_one():
    names = ["A.png", "a.png", "a.jpg"]
    assert [ImageNames(names).find(name) for name in ("A.png", "a.png", "a.jpg", "a.JPG")] == [0, 1, 2, 2]
    assert ImageNames(names).find("a") is None


@pytest.mark.parametrize(
    ("name", "closest"),
    [("scene-01.png", "scene-001.png"), ("Ana.jpg", "faces/anna.JPG"), ("zzz", ""), ("", "")],
)
def test_the_closest_name(name, closest):
    assert ImageNames(IMAGES).closest(name) == closest


def test_no_images():
    assert ImageNames([]).find("a.png") is None
    assert ImageNames([]).closest("a.png") == ""


def test_the_closest_name_is_sought_once_for_all_recordings_of_a_study(monkeypatch):
    names, sought = ImageNames(["beach_1.png", "tower.png"]), []
    search = difflib.get_close_matches

    def counted(*arguments, **options):
        sought.append(arguments[0])
        return search(*arguments, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    assert [names.closest("Beach_2.jpg"), names.closest("beach_2"), names.closest("")] == [
        "beach_1.png",
        "beach_1.png",
        "",
    ]
    assert sought == ["beach_2"]
