"""Which map is of which image: by the end of the name, with or without suffix and folders."""

from __future__ import annotations

import pytest

from gazeapp.engine.maps.names import match_names


def matched(images: list[str], maps: list[str]) -> dict[str, str]:
    found = match_names(images, maps)
    return {images[image]: maps[place] for image, place in found.map_of.items()}


@pytest.mark.parametrize(
    "name",
    ["a.npy", "a", "a.png", "a.PNG", "a.png.npy", "a.jpg", "deep/a.npy", "x/y/a.png", "deep\\a.tif", "/a"],
)
def test_suffixes_and_folders_above_do_not_matter(name: str):
    assert matched(["a.png", "b.png"], [name]) == {"a.png": name}


@pytest.mark.parametrize("name", ["aa.npy", "a_map.npy", "a/b.npy", "a.", ".png", "A.npy", "a.xyz"])
def test_other_names_are_strays(name: str):
    found = match_names(["a.png"], [name])
    assert (found.map_of, found.strays, found.unclear, found.rivals) == ({}, [0], [], {})


def test_a_dot_within_a_name_is_no_suffix():
    images = ["scene.1.png", "scene.2.png", "scene.png"]
    maps = ["scene.2.npy", "scene.npy", "scene.1.hdf5"]
    assert matched(images, maps) == dict(zip(["scene.2.png", "scene.png", "scene.1.png"], maps, strict=True))


def test_folders_tell_images_of_one_name_apart():
    images = ["indoor/a.png", "outdoor/a.png", "outdoor/b.png"]
    maps = ["res/outdoor/a.npy", "res/indoor/a.npy", "b.npy"]
    assert matched(images, maps) == {
        "indoor/a.png": "res/indoor/a.npy",
        "outdoor/a.png": "res/outdoor/a.npy",
        "outdoor/b.png": "b.npy",
    }


def test_a_map_that_fits_several_images_is_none_of_theirs():
    found = match_names(["indoor/a.png", "outdoor/a.png", "b.png"], ["a.npy", "b.npy"])
    assert (found.map_of, found.unclear) == ({2: 1}, [0])


def test_suffixes_tell_images_of_one_stem_apart():
    assert matched(["a.png", "a.jpg"], ["a.jpg.npy", "a.png"]) == {"a.jpg": "a.jpg.npy", "a.png": "a.png"}


def test_an_image_takes_the_map_that_is_named_most_like_it():
    found = match_names(["indoor/a.png"], ["a.npy", "indoor/a.npy"])
    assert (found.map_of, found.strays) == ({0: 1}, [0])


def test_of_equal_maps_an_image_takes_none():
    found = match_names(["a.png", "b.png"], ["a.npy", "a.png", "b.npy"])
    assert (found.map_of, found.rivals, found.strays) == ({1: 2}, {0: [0, 1]}, [])


def test_every_map_and_image_is_accounted_for():
    images = ["x/a.png", "y/a.png", "b.png", "c.png"]
    maps = ["a", "b.npy", "b.png", "x/b", "c", "q/c", "zz"]
    found = match_names(images, maps)
    rivals = [place for several in found.rivals.values() for place in several]
    told = [*found.map_of.values(), *found.strays, *found.unclear, *rivals]
    assert sorted(told) == list(range(len(maps)))
