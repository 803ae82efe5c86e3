"""labelme shapes become a mask for each label, and masks become labelme shapes that give them back exactly."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.found import FoundMask
from gazeapp.engine.lesions.masks.files.labelme import read_labelme, write_labelme

HEIGHT, WIDTH = 12, 16
HARD = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda size: arrays(np.uint8, size, elements=st.sampled_from([0, 255]))
)
CENTRES = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), axis=-1)


def shape(kind: str | None, *points: Any, label: str = "cup", **more: Any) -> dict[str, Any]:
    return {"label": label, "shape_type": kind, "points": [list(one) for one in points], "flags": {}, **more}


def file(*shapes: Any, **changes: Any) -> dict[str, Any]:
    return {
        "version": "5.2.1",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "..\\pictures\\a.jpg",
        "imageData": None,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
    } | changes


def read(*shapes: Any, **changes: Any) -> list[FoundMask]:
    return read_labelme(file(*shapes, **changes), "m.json")


def png(values: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def block(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


PART = np.array([[1, 0, 1], [0, 1, 1]], np.uint8)
PASTED = np.zeros((HEIGHT, WIDTH), np.uint8)
PASTED[4:6, 3:6] = PART * 255
FAR = ((CENTRES - (6, 5)) ** 2).sum(axis=-1)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (shape("polygon", (2, 3), (7, 3), (7, 9), (2, 9)), block(2, 3, 7, 9)),
        (shape(None, (2, 3), (7, 3), (7, 9), (2, 9)), block(2, 3, 7, 9)),
        (shape("oriented_rectangle", (2, 3), (7, 3), (7, 9), (2, 9)), block(2, 3, 7, 9)),
        (shape("rectangle", (7, 9), (2, 3)), block(2, 3, 7, 9)),
        (shape("rectangle", (1.6, 2.5), (7.4, 9.5)), block(2, 2, 7, 9)),
        (shape("rectangle", (-5, -5), (3, 40)), block(0, 0, 3, HEIGHT)),
        (shape("circle", (6, 5), (6, 8.2)), np.where(FAR <= 3.2**2, np.uint8(255), np.uint8(0))),
        (shape("mask", (3, 4), (5, 5), mask=png(PART)), PASTED),
        (shape("mask", (3.0, 4.0), (5.0, 5.0), mask=png(PART * 255)), PASTED),
        (shape("mask", (3, 4), (5, 5), mask=png(PART > 0)), PASTED),
    ],
)
def test_every_kind_of_area_is_read(one: dict[str, Any], expected: np.ndarray):
    (found,) = read(one)
    assert (found.image, found.label, found.notes) == ("../pictures/a.jpg", "cup", ())
    np.testing.assert_array_equal(found.values, expected)


def test_a_file_of_before_kinds_were_named_holds_polygons():
    old = {"label": "cup", "points": [[2, 3], [7, 3], [7, 9], [2, 9]]}
    (found,) = read(old)
    np.testing.assert_array_equal(found.values, block(2, 3, 7, 9))


def test_shapes_with_one_label_are_one_mask_and_others_are_their_own():
    first, second, third = (
        shape("rectangle", (1, 1), (3, 3)),
        shape("rectangle", (2, 2), (5, 5)),
        block(9, 9, 12, 12),
    )
    cup, hat = read(first, shape("rectangle", (9, 9), (12, 12), label="hat"), second)
    assert (cup.label, hat.label) == ("cup", "hat")
    np.testing.assert_array_equal(cup.values, block(1, 1, 3, 3) | block(2, 2, 5, 5))
    np.testing.assert_array_equal(hat.values, third)
    assert cup.notes == ("2 shapes with this label are taken together.",)


def test_points_and_lines_are_left_out_by_name():
    area = shape("rectangle", (1, 1), (3, 3))
    (found,) = read(
        area,
        shape("point", (4, 4)),
        shape("line", (1, 1), (9, 9)),
        shape("point", (5, 5)),
        shape("wave", (1, 1)),
    )
    assert found.notes == ("Shapes that are no area, left out: 2 point, 1 line, 1 wave.",)
    np.testing.assert_array_equal(found.values, block(1, 1, 3, 3))


def test_a_label_of_points_alone_is_told_and_the_others_are_read():
    bad, good = read(shape("point", (4, 4)), shape("rectangle", (1, 1), (3, 3), label="hat"))
    with pytest.raises(
        GazeError, match=r"m\.json \(cup\): What has this label is no area \(point\)\. Draw it as"
    ):
        _ = bad.values
    np.testing.assert_array_equal(good.values, block(1, 1, 3, 3))


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (shape("polygon", (1, 1), (3, 3)), "2 points encloses nothing"),
        (shape("polygon"), "0 points encloses nothing"),
        (shape("rectangle", (1, 1), (3, 3), (4, 4)), "A rectangle has 2 or 4 points; this one has 3"),
        (shape("circle", (1, 1)), "A circle has 2 points; this one has 1"),
        (shape("polygon", (1, 1), (3, 1), (3, "3")), "pairs of numbers"),
        (shape("polygon", (1, 1), (3, 1), (3,)), "pairs of numbers"),
        (shape("polygon", (1, 1), (3, 1), (3, float("nan"))), "pairs of numbers"),
        (shape("circle", (1, 1), (1e300, 1)), "pairs of numbers"),
        (shape("polygon") | {"points": {"x": 1}}, "pairs of numbers"),
        (shape("polygon") | {"points": None}, "pairs of numbers"),
        (
            shape("mask", (3, 4), (6, 5), mask=png(PART)),
            "is 3 x 2 px, but its box goes from pixel 3, 4 to pixel 6, 5",
        ),
        (shape("mask", (14, 4), (16, 5), mask=png(PART)), "out of the image, which is 16 x 12 px"),
        (shape("mask", (-1, 4), (1, 5), mask=png(PART)), "out of the image"),
        (shape("mask", (3, 4), (5, 5), mask="?"), "picture of a mask is damaged"),
        (shape("mask", (3, 4), (5, 5), mask="ä"), "picture of a mask is damaged"),
        (shape("mask", (3, 4), (5, 5), mask=png(PART)[:60]), "damaged|no PNG"),
        (shape("mask", (3, 4), (5, 5), mask=None), "no PNG"),
        (shape("mask", (3, 4), (5, 5)), "no PNG"),
        (shape("mask", (3, 4), (5, 5), mask=png(np.dstack([PART] * 3))), "not grey"),
    ],
)
def test_a_shape_that_does_not_fit_is_told(one: dict[str, Any], what: str):
    (found,) = read(one)
    with pytest.raises(GazeError, match=what) as caught:
        _ = found.values
    assert caught.value.where == "m.json (cup)"
    assert caught.value.todo


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"shapes": []}, "has no shapes"),
        ({"shapes": {"a": 1}}, "'shapes' is no list of objects"),
        ({"shapes": [3]}, "'shapes' is no list of objects"),
        ({"imageHeight": None}, "does not say how many pixels"),
        ({"imageWidth": -3}, "does not say how many pixels"),
        ({"imageWidth": True}, "does not say how many pixels"),
        ({"imageWidth": 10**8}, "120 megapixels"),
    ],
)
def test_a_file_that_is_none_is_told(changes: dict[str, Any], what: str):
    with pytest.raises(GazeError, match=what) as caught:
        read(shape("rectangle", (1, 1), (3, 3)), **changes)
    assert caught.value.where == "m.json"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(mask=HARD)
def test_what_is_written_is_read(tmp_path: Path, mask: np.ndarray):
    path = tmp_path / "m.json"
    written = [("tasse ä", mask), ("rest", 255 - mask), ("none", mask & 0)]
    write_labelme(path, "ordner/a.png", written)
    found = read_labelme(json.loads(path.read_text("utf-8")), str(path))
    assert [(one.image, one.label) for one in found] == [("ordner/a.png", label) for label, _ in written]
    for one, (_, values) in zip(found, written, strict=True):
        np.testing.assert_array_equal(one.values, values)


def kinds(tmp_path: Path, values: np.ndarray) -> list[dict[str, Any]]:
    write_labelme(tmp_path / "m.json", "a.png", [("cup", values)])
    content = json.loads((tmp_path / "m.json").read_text("utf-8"))
    assert (content["imageHeight"], content["imageWidth"]) == values.shape
    assert content["imageData"] is None
    shapes: list[dict[str, Any]] = content["shapes"]
    return shapes


def test_a_disc_is_one_polygon_and_two_blocks_are_two_of_one_group(tmp_path: Path):
    disc = np.where(FAR <= 9, np.uint8(255), np.uint8(0))
    (one,) = kinds(tmp_path, disc)
    assert (one["shape_type"], one["group_id"]) == ("polygon", None)
    both = kinds(tmp_path, block(1, 1, 3, 3) | block(9, 9, 12, 12))
    assert [each["shape_type"] for each in both] == ["polygon", "polygon"]
    assert both[0]["group_id"] == both[1]["group_id"] == 0
    assert both[0]["points"] == [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]


def test_a_mask_with_a_hole_is_a_picture_in_its_box(tmp_path: Path):
    ring = block(2, 3, 9, 10)
    ring[5, 5] = 0
    (one,) = kinds(tmp_path, ring)
    assert one["shape_type"] == "mask"
    # The box names its first and its last pixel, as labelme has it.
    assert one["points"] == [[2.0, 3.0], [8.0, 9.0]]
    picture = np.array(Image.open(io.BytesIO(base64.b64decode(one["mask"]))))
    np.testing.assert_array_equal(picture, ring[3:10, 2:9])


def test_a_very_ragged_mask_is_a_picture_and_comes_back(tmp_path: Path):
    ragged = np.zeros((160, 160), np.uint8)
    ragged[::2, ::2] = 255
    (one,) = kinds(tmp_path, ragged)
    assert one["shape_type"] == "mask"
    (found,) = read_labelme(json.loads((tmp_path / "m.json").read_text("utf-8")), "m.json")
    np.testing.assert_array_equal(found.values, ragged)


def test_what_labelme_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path):
    path = tmp_path / "m.json"
    write_labelme(path, "a.png", [("cup", PASTED)])
    before = path.read_bytes()
    with pytest.raises(GazeError, match=r"^a\.png, cup: The mask is graded.*labelme.*PNG"):
        write_labelme(path, "a.png", [("cup", PASTED // 2)])
    with pytest.raises(GazeError, match="differ in size"):
        write_labelme(path, "a.png", [("cup", PASTED), ("hat", PASTED.T)])
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["m.json"]
