"""A mask file is known by what is in it, and what is none is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files import checks
from gazeapp.engine.lesions.masks.files.coco import write_coco
from gazeapp.engine.lesions.masks.files.coco_rle import encode
from gazeapp.engine.lesions.masks.files.labelme import write_labelme
from gazeapp.engine.lesions.masks.files.png import write_png
from gazeapp.engine.lesions.masks.files.reading import read_masks

MASK = np.where(np.random.default_rng(0).random((7, 9)) < 0.4, np.uint8(255), np.uint8(0))


@pytest.mark.parametrize("name", ["mask.png", "mask.json", "mask", "mask.txt"])
def test_the_format_follows_from_the_content(tmp_path: Path, name: str):
    path = tmp_path / name
    write_png(path, MASK)
    (grey,) = read_masks(path)
    write_coco(path, [("a.jpg", "cup", MASK)])
    (coco,) = read_masks(path)
    write_labelme(path, "a.jpg", [("cup", MASK)])
    (labelme,) = read_masks(path)
    path.write_text("\ufeff\n  " + json.dumps(encode(MASK)), "utf-8")
    (rle,) = read_masks(path)
    for one in (grey, coco, labelme, rle):
        np.testing.assert_array_equal(one.values, MASK)
    assert [(one.image, one.label) for one in (grey, rle)] == [("", "")] * 2
    assert [(one.image, one.label) for one in (coco, labelme)] == [("a.jpg", "cup")] * 2


def test_values_may_be_changed_without_changing_the_file_s(tmp_path: Path):
    write_png(tmp_path / "m.png", MASK)
    (found,) = read_masks(tmp_path / "m.png")
    found.values[:] = 7
    np.testing.assert_array_equal(found.values, MASK)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no mask file"),
        (b"GIF89a", "no mask file"),
        (b"\xff\xd8\xff\xe0", "no mask file"),
        (b"\x89PNG\r\n\x1a\n", "damaged|no PNG"),
        (b"[1, 2]", "an object with images or shapes is needed"),
        (b"{", "no JSON, or is cut off"),
        (b'{"shapes": [\n{"label":', r"cut off \(line 2\)"),
        (b'{"a": "\xff"}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"{}", "holds no masks"),
        (b'{"images": []}', "holds no masks"),
        (b'{"annotations": []}', "'images' is no list"),
        (b'{"shapes": null}', "'shapes' is no list"),
    ],
)
def test_what_is_no_mask_file_is_told(tmp_path: Path, content: bytes, what: str):
    path = tmp_path / "m.json"
    path.write_bytes(content)
    with pytest.raises(GazeError, match=what) as caught:
        read_masks(path)
    assert caught.value.where == str(path)
    assert caught.value.todo


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(GazeError, match="cannot be read"):
            read_masks(path)


def test_a_file_that_is_too_large_is_told_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "m.json"
    write_coco(path, [("a.jpg", "cup", MASK)])
    monkeypatch.setattr(checks, "_LARGEST", 10)
    with pytest.raises(GazeError, match="larger than 1 GiB"):
        read_masks(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
SHAPE = st.fixed_dictionaries(
    {},
    optional={
        "label": JSON,
        "points": JSON | st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=2), max_size=5),
        "shape_type": JSON | st.sampled_from(["polygon", "circle", "rectangle", "mask"]),
        "mask": JSON,
    },
)
REGION = st.fixed_dictionaries(
    {"image_id": st.integers(0, 2)},
    optional={
        "category_id": st.integers(0, 2),
        "segmentation": JSON
        | st.lists(st.lists(st.floats(-9, 9), max_size=8), max_size=3)
        | st.fixed_dictionaries(
            {"size": JSON | st.just([3, 2]), "counts": JSON | st.lists(st.integers(0, 6))}
        ),
    },
)
PICTURE = st.fixed_dictionaries(
    {"id": st.integers(0, 2)}, optional={"height": JSON | st.just(3), "width": st.just(2), "file_name": JSON}
)
FILES = (
    st.fixed_dictionaries({"shapes": st.lists(SHAPE), "imageHeight": st.just(5), "imageWidth": st.just(4)})
    | st.fixed_dictionaries({"images": st.lists(PICTURE), "annotations": st.lists(REGION)})
    | st.dictionaries(
        st.sampled_from(["shapes", "images", "annotations", "categories", "size", "counts"]), JSON
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(content=FILES)
def test_json_of_any_shape_is_masks_or_sentences(tmp_path: Path, content: object):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(content), "utf-8")
    try:
        found = read_masks(path)
    except GazeError:
        return
    for one in found:
        assert isinstance(one.image + one.label, str)
        try:
            values = one.values
        except GazeError:
            continue
        assert values.dtype == np.uint8
        assert values.ndim == 2
