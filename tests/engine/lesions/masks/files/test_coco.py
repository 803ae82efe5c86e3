"""COCO annotations become a mask for each image and category, and masks become COCO annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.coco import read_coco, write_coco
from gazeapp.engine.lesions.masks.files.coco_rle import encode
from gazeapp.engine.lesions.masks.files.found import FoundMask

SQUARE = [1, 1, 3, 1, 3, 4, 1, 4]
"""A polygon of 2 x 3 px from pixel (1, 1)."""

HARD = st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(
    lambda size: arrays(np.uint8, size, elements=st.sampled_from([0, 255]))
)


def square() -> np.ndarray:
    mask = np.zeros((5, 6), np.uint8)
    mask[1:4, 1:3] = 255
    return mask


def corner() -> np.ndarray:
    mask = np.zeros((5, 6), np.uint8)
    mask[4, 5] = 255
    return mask


def file(*annotations: Any, **changes: Any) -> dict[str, Any]:
    """Return a COCO file of one image of 6 x 5 px with annotations."""
    return {
        "images": [{"id": 7, "file_name": "val/a.jpg", "height": 5, "width": 6}],
        "categories": [{"id": 18, "name": "dog"}],
        "annotations": [
            {"id": k, "image_id": 7, "category_id": 18} | one for k, one in enumerate(annotations)
        ],
    } | changes


def read(*annotations: Any, **changes: Any) -> list[FoundMask]:
    return read_coco(file(*annotations, **changes), "c.json")


@pytest.mark.parametrize(
    "segmentation",
    [
        encode(square()),
        {"size": [5, 6], "counts": [6, 3, 2, 3, 16]},
        [SQUARE],
        [[1, 1, 3, 1, 3, 2, 1, 2], [1, 2, 3, 2, 3, 4, 1, 4]],
        [[0.6, 0.6, 2.6, 0.6, 2.6, 3.6, 0.6, 3.6]],
    ],
    ids=["text", "numbers", "polygon", "two polygons", "polygon between pixels"],
)
def test_every_kind_of_region_is_read(segmentation: Any):
    (found,) = read({"segmentation": segmentation})
    assert (found.image, found.label, found.notes) == ("val/a.jpg", "dog", ())
    np.testing.assert_array_equal(found.values, square())


def test_regions_of_one_category_on_one_image_are_one_mask():
    (found,) = read({"segmentation": [SQUARE]}, {"segmentation": encode(corner())}, {"bbox": [0, 0, 1, 1]})
    np.testing.assert_array_equal(found.values, square() | corner())
    assert found.notes == (
        "2 regions with this label are taken together.",
        "Regions without an outline, left out: 1.",
    )


def test_images_and_categories_are_kept_apart():
    images = [{"id": k, "file_name": f"{k}.jpg", "height": 5, "width": 6} for k in (1, 2)]
    rows = [(1, 18), (2, 18), (1, 3), (1, 18)]
    annotations = [{"image_id": i, "category_id": c, "segmentation": [SQUARE]} for i, c in rows]
    found = read_coco(file(images=images) | {"annotations": annotations}, "c.json")
    # A category that the file does not name is called by its number.
    assert [(one.image, one.label) for one in found] == [("1.jpg", "dog"), ("2.jpg", "dog"), ("1.jpg", "3")]


def test_without_categories_there_is_no_label():
    content = file({"segmentation": [SQUARE]})
    del content["categories"], content["annotations"][0]["category_id"]
    (found,) = read_coco(content, "c.json")
    assert found.label == ""


def test_the_size_of_run_lengths_does_where_the_image_has_none():
    (found,) = read({"segmentation": encode(square())}, images=[{"id": 7, "file_name": "sub\\a.jpg"}])
    assert found.image == "sub/a.jpg"
    np.testing.assert_array_equal(found.values, square())


@pytest.mark.parametrize(
    ("segmentation", "what"),
    [
        (encode(np.zeros((6, 5), np.uint8)), r"The run-length mask is 5 x 6 px, its image 6 x 5 px"),
        ({"size": [5, 6], "counts": [6, 3]}, "make up 9 pixels"),
        ({"size": [5, 6], "counts": "~~"}, "damaged"),
        ([[1, 1, 3, 1]], "2 points encloses nothing"),
        ([[1, 1, 3, 1, 3]], "neither run lengths nor a list of polygons"),
        (SQUARE, "neither run lengths nor a list of polygons"),
        ("5 6", "neither run lengths nor a list of polygons"),
        ([[1, 1, 3, 1, 3, None]], "pairs of numbers"),
        ([[1, 1, 3, 1, 3, float("nan")]], "pairs of numbers"),
        ([[1, 1, 3, 1, 3, float("inf")]], "pairs of numbers"),
        ([[1, 1, 3, 1, 3, 10**400]], "pairs of numbers"),
        ([[1, 1, 3, 1, 3, True]], "pairs of numbers"),
        ([], "no outline"),
        (None, "no outline"),
    ],
)
def test_a_region_that_does_not_fit_is_told_and_the_others_are_read(segmentation: Any, what: str):
    bad, good = read({"segmentation": segmentation}, {"segmentation": [SQUARE], "category_id": 2})
    with pytest.raises(GazeError, match=what) as caught:
        _ = bad.values
    assert caught.value.where == "c.json (val/a.jpg, dog)"
    assert caught.value.todo
    np.testing.assert_array_equal(good.values, square())


def test_a_region_of_an_image_that_is_not_listed_is_told_and_the_others_are_read():
    bad, good = read({"segmentation": [SQUARE], "image_id": 8}, {"segmentation": [SQUARE]})
    assert bad.image == ""
    with pytest.raises(GazeError, match=r"c\.json \(image 8, dog\): .*does not list"):
        _ = bad.values
    np.testing.assert_array_equal(good.values, square())


def test_polygons_need_the_size_of_their_image():
    (found,) = read({"segmentation": [SQUARE]}, images=[{"id": 7, "file_name": "a.jpg"}])
    with pytest.raises(GazeError, match="does not say how many pixels"):
        _ = found.values
    (found,) = read({"segmentation": [SQUARE]}, images=[{"id": 7, "height": 10**6, "width": 10**6}])
    with pytest.raises(GazeError, match="120 megapixels"):
        _ = found.values


def test_an_outline_of_millions_of_crossings_is_refused_at_once():
    zigzag = [value for k in range(3000) for value in (k / 1000, 0, k / 1000, 9000)]
    (found,) = read({"segmentation": [zigzag]}, images=[{"id": 7, "height": 10_000, "width": 10_000}])
    with pytest.raises(GazeError, match="millions of times"):
        _ = found.values


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"images": None}, "'images' is no list of objects"),
        ({"images": ["a.jpg"]}, "'images' is no list of objects"),
        ({"annotations": {"1": {}}}, "'annotations' is no list of objects"),
        ({"categories": 3}, "'categories' is no list of objects"),
        ({"images": [{"file_name": "a.jpg"}]}, "id of the image"),
        ({"images": [{"id": [1]}]}, "id of the image"),
        ({"categories": [{"name": "dog"}]}, "id of the category"),
        ({"annotations": [{"segmentation": [SQUARE]}]}, "id of the image"),
        ({"annotations": [{"image_id": 7, "category_id": None}]}, "id of the category"),
        ({"images": [{"id": 1}, {"id": 1}]}, "Two images have the id 1"),
    ],
)
def test_lists_that_are_none_are_told(changes: dict[str, Any], what: str):
    with pytest.raises(GazeError, match=what) as caught:
        read({"segmentation": [SQUARE]}, **changes)
    assert caught.value.where == "c.json"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(masks=st.lists(HARD, min_size=1, max_size=4))
def test_what_is_written_is_read(tmp_path: Path, masks: list[np.ndarray]):
    path = tmp_path / "c.json"
    written = [(f"bilder/ä {k // 2}.png", f"Löwe {k % 2}", masks[k // 2 * 2]) for k in range(len(masks))]
    write_coco(path, written)
    found = read_coco(json.loads(path.read_text("utf-8")), str(path))
    assert [(one.image, one.label) for one in found] == [(image, label) for image, label, _ in written]
    for one, (_, _, values) in zip(found, written, strict=True):
        np.testing.assert_array_equal(one.values, values)


def test_a_written_file_has_the_fields_of_coco(tmp_path: Path):
    write_coco(
        tmp_path / "c.json", [("a.jpg", "dog", square()), ("a.jpg", "none", np.zeros((5, 6), np.uint8))]
    )
    content = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert content["images"] == [{"id": 1, "file_name": "a.jpg", "height": 5, "width": 6}]
    assert content["categories"] == [{"id": 1, "name": "dog"}, {"id": 2, "name": "none"}]
    full, empty = content["annotations"]
    assert full == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "segmentation": {"size": [5, 6], "counts": encode(square())["counts"]},
        "area": 6,
        "bbox": [1, 1, 2, 3],
        "iscrowd": 0,
    }
    assert (empty["area"], empty["bbox"]) == (0, [0, 0, 0, 0])


def test_what_coco_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path):
    path = tmp_path / "c.json"
    write_coco(path, [("a.jpg", "dog", square())])
    before = path.read_bytes()
    with pytest.raises(GazeError, match=r"^a\.jpg, soft: The mask is graded.*PNG"):
        write_coco(path, [("a.jpg", "dog", square()), ("a.jpg", "soft", square() // 2)])
    with pytest.raises(GazeError, match="differ in size"):
        write_coco(path, [("a.jpg", "dog", square()), ("a.jpg", "cat", square().T)])
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["c.json"]
