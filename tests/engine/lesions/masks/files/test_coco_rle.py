"""Run lengths are those of COCO's own library, and those that do not fit are refused in words."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.coco_rle import counts_of, decode, encode, from_text, to_text

few = settings(max_examples=60, deadline=None)

HARD = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: arrays(np.uint8, size, elements=st.sampled_from([0, 255]))
)


def mask_of(height: int, width: int, *parts: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    for part in parts:
        mask[part] = 255
    return mask


def disc() -> np.ndarray:
    y, x = np.mgrid[:60, :80] + 0.5
    return np.where((y - 30) ** 2 + (x - 50) ** 2 < 400, np.uint8(255), np.uint8(0))


def noise() -> np.ndarray:
    rows = ["111101011", "101000101", "000110000", "110101001", "010111011", "001010011", "101100001"]
    return np.array([[255 * int(digit) for digit in row] for row in rows], np.uint8)


ALL = slice(None)
# Made by pycocotools 2.0, mask.encode.
VECTORS = {
    "empty": (mask_of(3, 4), "<"),
    "full": (mask_of(3, 4, (ALL, ALL)), "0<"),
    "square": (mask_of(5, 4, (slice(1, 3), slice(1, 3))), "62304"),
    "first pixel": (mask_of(2, 3, (slice(0, 1), slice(0, 1))), "015"),
    "left half": (mask_of(480, 640, (ALL, slice(0, 320))), "0PPf4PPf4"),
    "disc": (
        disc(),
        "Ri18`18J4M2M4M2N2N2O0O2N2O0O2O00000O2O00000000000001N1000001N101N2N101N2N2N3L3N3L6HRb0",
    ),
    "noise": (noise(), "021O11000011N00N10O10O111O20N1N002"),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_text_is_that_of_the_reference_library(name: str):
    mask, text = VECTORS[name]
    assert encode(mask) == {"size": list(mask.shape), "counts": text}
    np.testing.assert_array_equal(decode({"size": list(mask.shape), "counts": text}), mask)


def test_counts_go_down_the_columns_and_begin_outside():
    assert counts_of(np.array([[0, 255], [255, 255], [0, 0]], np.uint8)) == [1, 1, 1, 2, 1]
    assert counts_of(np.array([[255], [0]], np.uint8)) == [0, 1, 1]


@few
@given(HARD)
def test_every_mask_comes_back_from_text_and_from_numbers(mask):
    np.testing.assert_array_equal(decode(encode(mask)), mask)
    plain = {"size": list(mask.shape), "counts": counts_of(mask)}
    found = decode(plain)
    np.testing.assert_array_equal(found, mask)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous


@few
@given(st.lists(st.integers(0, 120_000_000), max_size=12))
def test_counts_of_any_size_come_back_from_text(counts):
    assert from_text(to_text(counts)) == counts


@few
@given(st.text(max_size=12) | st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=12))
def test_text_of_any_kind_is_a_mask_or_a_sentence(text):
    with suppress(GazeError):
        mask = decode({"size": [4, 3], "counts": text}, "here")
        np.testing.assert_array_equal(decode(encode(mask)), mask)


def test_runs_of_no_length_are_read():
    np.testing.assert_array_equal(decode({"size": [2, 1], "counts": [1, 0, 0, 1]}), [[0], [255]])


@pytest.mark.parametrize(
    ("rle", "what"),
    [
        (
            {"size": [4, 3], "counts": [5, 5]},
            "make up 10 pixels, but the mask is said to be 3 x 4 px.* are 12",
        ),
        ({"size": [3, 4], "counts": "1<"}, "make up 13 pixels"),
        ({"size": [3, 4], "counts": ""}, "make up 0 pixels"),
        ({"size": [4, 3], "counts": [13, -1]}, "whole numbers from 0 to 12"),
        ({"size": [4, 3], "counts": [10**30, 12]}, "whole numbers from 0 to 12"),
        ({"size": [4, 3], "counts": [6.0, 6.0]}, "whole numbers"),
        ({"size": [4, 3], "counts": [True, 11]}, "whole numbers"),
        ({"size": [4, 3], "counts": ["6", "6"]}, "whole numbers"),
        ({"size": [4, 3], "counts": "0P"}, "cut off"),
        ({"size": [4, 3], "counts": "0 <"}, "damaged"),
        ({"size": [4, 3], "counts": "0\u00fc"}, "damaged"),
        ({"size": [4, 3], "counts": "o" * 1000}, "damaged"),
        ({"size": [4, 3]}, "needs 'size'"),
        ({"size": 12, "counts": [12]}, "needs 'size'"),
        ({"size": [12], "counts": [12]}, "needs 'size'"),
        ({"size": [4, 3], "counts": {"0": 12}}, "needs 'size'"),
        ([4, 3], "needs 'size'"),
        ({"size": [0, 3], "counts": []}, "how many pixels"),
        ({"size": [4.0, 3.0], "counts": [12]}, "how many pixels"),
        ({"size": ["4", None], "counts": [12]}, "how many pixels"),
        ({"size": [10**9, 10**9], "counts": [10**18]}, "up to 120 megapixels"),
    ],
)
def test_what_does_not_fit_is_refused(rle: object, what: str):
    with pytest.raises(GazeError, match=what) as caught:
        decode(rle, "m.json (dog)")
    assert caught.value.where == "m.json (dog)"
    assert caught.value.todo


def test_a_graded_mask_has_no_run_lengths():
    with pytest.raises(GazeError, match=r"^dog: The mask is graded.*Export it as PNG"):
        encode(np.array([[0, 128]], np.uint8), "dog")
