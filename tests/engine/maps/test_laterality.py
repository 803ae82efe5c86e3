"""Left and right against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap, Fixations
from gazeapp.engine.maps.laterality import (
    corrected_for_side,
    image_laterality,
    laterality,
    people_laterality,
)
from gazeapp.engine.types import Rect


def test_all_left_all_right_and_even():
    assert laterality(AttentionMap(np.array([[1.0, 0.0]])))[0] == -1.0
    assert laterality(AttentionMap(np.array([[0.0, 2.0]])))[0] == 1.0
    assert laterality(AttentionMap(np.ones((5, 8)))) == pytest.approx((0.0, 0.0))


def test_the_middle_column_of_an_odd_width_counts_for_neither_half():
    index, mean_x = laterality(AttentionMap(np.array([[1.0, 100.0, 3.0]])))
    assert index == pytest.approx((3 - 1) / (3 + 1))
    assert mean_x == pytest.approx((-2 / 3 * 1 + 2 / 3 * 3) / 104)


def test_brute_force_on_a_random_map():
    values = np.random.default_rng(0).random((9, 14))
    left, right = values[:, :7].sum(), values[:, 7:].sum()
    position = 2 * (np.arange(14) + 0.5) / 14 - 1
    assert laterality(AttentionMap(values)) == pytest.approx(
        ((right - left) / (right + left), (values.sum(axis=0) * position).sum() / values.sum())
    )


def test_halves_are_those_of_the_image_not_of_the_map():
    # The map covers the right three quarters: columns of 0.25..0.5, 0.5..0.75 and 0.75..1.
    own = AttentionMap(np.array([[1.0, 2.0, 4.0]]), Rect(0.25, 0.0, 0.75, 1.0))
    assert laterality(own)[0] == pytest.approx((6 - 1) / 7)
    # A column of 1/3..2/3 lies across the middle.
    across = AttentionMap(np.array([[5.0, 1.0]]), Rect(1 / 3, 0.0, 2 / 3, 1.0))
    assert laterality(across)[0] == 1.0


def test_what_lies_beyond_the_image_does_not_count():
    own = AttentionMap(np.array([[1.0, 9.0]]), Rect(0.25, 0.0, 1.5, 1.0))
    # The first column is 0.25..1, across the middle; the second is outside.
    index, mean_x = laterality(own)
    assert math.isnan(index)
    assert mean_x == pytest.approx(2 * 0.625 - 1)


def test_a_map_of_zeros_is_even_and_negatives_are_lifted():
    assert laterality(AttentionMap(np.zeros((4, 4))))[0] == 0.0
    assert laterality(AttentionMap(np.array([[-1.0, 1.0]])))[0] == 1.0


def test_mirroring_a_map_changes_the_sign():
    values = np.random.default_rng(1).random((7, 13))
    straight, mirrored = laterality(AttentionMap(values)), laterality(AttentionMap(values[:, ::-1]))
    np.testing.assert_allclose(straight, [-one for one in mirrored])


def test_content_and_side_bias_are_told_apart():
    """A map that is picture times habit: the picture mirrors, the habit stays."""
    picture = np.array([[1.0, 3.0]])
    assert corrected_for_side(0.5, -0.5) == (0.5, 0.0)
    assert corrected_for_side(0.3, 0.3) == (0.0, pytest.approx(0.3))
    # Adding a side to what people look at: LI = content + side.
    content, side = 0.4, -0.25
    assert corrected_for_side(side + content, side - content) == pytest.approx((content, side))
    record = image_laterality(
        None,
        {"m": AttentionMap(picture), "habit": AttentionMap(picture), "plain": AttentionMap(picture)},
        {"m": AttentionMap(picture[:, ::-1]), "habit": AttentionMap(picture)},
    )
    assert record.sources["m"]["laterality_corrected"] == record.sources["m"]["laterality"] == 0.5
    assert record.sources["habit"]["laterality_corrected"] == 0.0
    assert record.sources["habit"]["side_bias"] == 0.5
    assert "laterality_corrected" not in record.sources["plain"]


def test_people_by_number_and_by_time():
    looked = Fixations(
        np.array([0.1, 0.2, 0.9, 0.5]),
        np.full(4, 0.5),
        np.array(["a", "b", "b", "a"]),
        np.array([100.0, 100.0, 600.0, 1000.0]),
    )
    together, without = people_laterality(looked)
    assert together["laterality"] == pytest.approx((1 - 2) / 3)
    assert together["laterality_dwell"] == pytest.approx((600 - 200) / 800)
    assert together["mean_x"] == pytest.approx((-0.8 - 0.6 + 0.8 + 0.0) / 4)
    np.testing.assert_allclose(without["laterality"], [0.0, -1.0])
    np.testing.assert_allclose(without["laterality_dwell"], [500 / 700, -1.0])
    np.testing.assert_allclose(without["mean_x"], [0.1, -0.4])


def test_an_unknown_duration_counts_as_the_mean_of_the_others():
    looked = Fixations(
        np.array([0.1, 0.9, 0.8]),
        np.full(3, 0.5),
        np.array(["a", "a", "b"]),
        np.array([100.0, np.nan, 300.0]),
    )
    assert people_laterality(looked)[0]["laterality_dwell"] == pytest.approx((500 - 100) / 600)
    nothing = Fixations(looked.u, looked.v, looked.subject)
    assert math.isnan(people_laterality(nothing)[0]["laterality_dwell"])
    assert people_laterality(nothing)[0]["laterality"] == pytest.approx(1 / 3)


def test_without_the_only_person_there_is_nothing():
    together, without = people_laterality(Fixations(np.array([0.7]), np.array([0.5]), np.array(["a"])))
    assert together["laterality"] == 1.0
    assert math.isnan(without["laterality"][0])
    assert math.isnan(without["mean_x"][0])


def test_nobody_looked():
    record = image_laterality(None, {"m": AttentionMap(np.ones((2, 2)))})
    assert not record.people
    assert record.subjects == ()
    assert record.sources["m"]["laterality"] == 0.0
