"""Masks named by a text, against the words of their definition."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.built_in import BUILT_IN, SIDES, built_in, mirrored_name, side_mask


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("left", range(5)),
        ("right", range(5, 10)),
        ("left 30%", range(3)),
        ("right 30 %", range(7, 10)),
        ("  Left 25%", range(2)),
        ("right 25%", range(7, 10)),
        ("left 100%", range(10)),
        ("left 5.1%", range(1)),
    ],
)
def test_a_hard_side_takes_the_columns_whose_centre_it_holds(text, columns):
    """25 % of 10 px end at 2.5 px, a column's centre: it is not on the left, and 7.5 px is on the right."""
    expected = np.zeros((4, 10), dtype=np.uint8)
    expected[:, list(columns)] = 255
    np.testing.assert_array_equal(built_in(text, 4, 10), expected)


@pytest.mark.parametrize("size", [1, 2, 7, 10, 333, 640])
@pytest.mark.parametrize("tenths", [500, 300, 333, 125, 7, 999])
def test_a_side_and_the_rest_take_every_pixel_once(size, tenths):
    share = Fraction(tenths, 1000)
    for side, other, shape in (("left", "right", (2, size)), ("top", "bottom", (size, 2))):
        counted = side_mask(side, *shape, share) // 255 + side_mask(other, *shape, 1 - share) // 255
        assert (counted == 1).all()


def test_percentages_are_taken_as_written():
    """33.3 % of 1500 px end at 499.5 px, a centre; in binary, 0.333 * 1500 lies a hair above it."""
    assert (built_in("left 33.3%", 1, 1500) == 255).sum() == 499
    assert (built_in("right 66.7%", 1, 1500) == 255).sum() == 1001


def test_top_and_bottom_are_left_and_right_turned():
    for text in ("left", "left 30%", "left graded", "left 60% graded", "left soft 10%", "right 20% soft 7%"):
        turned = text.replace("left", "top").replace("right", "bottom")
        np.testing.assert_array_equal(built_in(turned, 31, 17), built_in(text, 17, 31).T)


def test_graded_falls_from_its_border_to_the_named_share():
    x = np.arange(50) + 0.5
    np.testing.assert_allclose(built_in("left graded", 3, 50)[1], 255 * (1 - x / 50), atol=0.51)
    np.testing.assert_allclose(
        built_in("left 60% graded", 3, 50)[1], 255 * np.clip(1 - x / 30, 0, 1), atol=0.51
    )
    assert built_in("left graded", 1, 3000)[0, [0, -1]].tolist() == [255, 0]


def test_a_soft_edge_is_centred_on_the_edge():
    mask = built_in("left 30% soft 10%", 3, 200)[0]
    x = np.arange(200) + 0.5
    np.testing.assert_allclose(mask, 255 * np.clip(0.5 + (60 - x) / 20, 0, 1), atol=0.51)
    assert (mask[:50] == 255).all()
    assert not mask[70:].any()


@pytest.mark.parametrize(
    "text", ["left 30%", "left graded", "Right 60% graded", "left soft 9%", "top graded", "left"]
)
def test_the_mirrored_name_names_the_mirrored_mask(text):
    np.testing.assert_array_equal(built_in(mirrored_name(text), 12, 40), built_in(text, 12, 40)[:, ::-1])


def test_mirrored_names():
    assert mirrored_name("left 30%") == "right 30%"
    assert mirrored_name("right soft 10%") == "left soft 10%"
    assert mirrored_name("top 30%") == "top 30%"
    assert mirrored_name("my mask") is None


def test_every_example_names_a_mask():
    assert {text.split()[0] for text in BUILT_IN} >= set(SIDES)
    for text in BUILT_IN:
        mask = built_in(text, 60, 80)
        assert mask.dtype == np.uint8
        assert mask.shape == (60, 80)
        assert 0 < mask.mean() < 255


@pytest.mark.parametrize(
    "text", ["", "dog", "lefty", "left dog", "left 30", "left soft", "left graded soft 5%", "30% left"]
)
def test_other_texts_name_no_built_in_mask(text):
    assert built_in(text, 10, 10) is None


@pytest.mark.parametrize(
    "text", ["left 130%", "left 0%", "left -5%", "left 130% graded", "left soft 0%", "top 0.1%"]
)
def test_nonsense_is_a_sentence_that_repeats_it(text):
    with pytest.raises(GazeError, match=text):
        built_in(text, 10, 10)
