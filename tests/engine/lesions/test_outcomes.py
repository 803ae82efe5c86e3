"""Outcomes against values that follow from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazeapp.engine.lesions.outcomes import (
    OUTCOMES,
    Described,
    changed_words,
    map_change,
    objects_lost,
    outcomes,
    words_changed,
)
from gazeapp.engine.types import Rect

WHOLE = Rect(0, 0, 40, 20)
_WORDS = st.lists(st.sampled_from(["a", "ball", "dog", "red", "on"]), max_size=7)


def a_map(*rows: str) -> np.ndarray:
    values = np.array([[float(cell) for cell in row.split()] for row in rows], np.float32)
    return values / values.sum()


def described(caption: str, values: np.ndarray, rect: Rect = WHOLE, image_mass: float = 1.0) -> Described:
    return Described(caption.split(), values, rect, image_mass)


def recursive_distance(one: tuple[str, ...], two: tuple[str, ...]) -> int:
    """The definition of the edit distance, without a table."""
    if not one or not two:
        return len(one) + len(two)
    return min(
        recursive_distance(one[1:], two[1:]) + (one[0] != two[0]),
        recursive_distance(one[1:], two) + 1,
        recursive_distance(one, two[1:]) + 1,
    )


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [
        ("a red ball", "a red ball", 0.0),
        ("a red ball", "a blue ball", 1 / 3),
        ("a red ball", "a ball", 1 / 3),
        ("a ball", "a big red ball", 1 / 2),
        ("a ball", "", 1.0),
        ("A ball.", "a ball", 0.0),
        ("", "", 0.0),
    ],
)
def test_words_changed(before, after, share):
    assert words_changed(before.split(), after.split()) == pytest.approx(share, abs=1e-12)


@given(_WORDS, _WORDS)
def test_words_changed_is_the_edit_distance(before, after):
    expected = recursive_distance(tuple(before), tuple(after)) / max(len(before), len(after), 1)
    assert words_changed(before, after) == pytest.approx(expected, abs=1e-12)


@given(_WORDS, _WORDS)
def test_what_is_not_marked_is_the_same_on_both_sides(before, after):
    gone, new = changed_words(before, after)
    kept = [word for i, word in enumerate(before) if i not in gone]
    assert kept == [word for i, word in enumerate(after) if i not in new]
    assert max(len(gone), len(new)) <= recursive_distance(tuple(before), tuple(after))


def test_marks_of_a_replaced_word():
    assert changed_words(["a", "man", "holds", "a", "ball"], ["a", "man", "holds", "a", "dog"]) == ({4}, {4})


def test_outcomes_of_a_left_half_that_is_taken_away():
    mask = np.zeros((20, 40), np.uint8)
    mask[:, :20] = 255
    intact = described("a red ball", a_map("3 1", "3 1"))
    lesioned = described("a ball", a_map("0 1", "0 1"))
    found = outcomes(intact, lesioned, mask, -1.0, -4.0, 3)
    assert found["log_probability_drop"] == pytest.approx(1.0)
    assert found["words_changed"] == pytest.approx(1 / 3)
    assert found["mass_in_mask"] == pytest.approx(0.75)
    assert found["mass_in_mask_lesioned"] == 0.0
    assert found["mass_removed"] == pytest.approx(0.75)
    assert found["laterality"] == 1.0
    assert found["laterality_shift"] == pytest.approx(1.0 - (0.25 - 0.75))
    # Densities (3/4, 1/4) and (0, 1), each halved over two rows, which adds the same bit to every entropy.
    mixed = -(3 / 8) * math.log2(3 / 8) - (5 / 8) * math.log2(5 / 8)
    own = (-(3 / 4) * math.log2(3 / 4) - (1 / 4) * math.log2(1 / 4)) / 2
    assert found["map_change"] == pytest.approx(mixed - own, abs=1e-6)
    assert "image_mass_change" not in found
    assert set(found) <= set(OUTCOMES)


def test_nothing_changes_nothing():
    one = described("a ball", a_map("1 2", "3 4"))
    found = outcomes(one, one, np.zeros((20, 40), np.uint8), -2.0, -2.0, 2)
    changes = {name: value for name, value in found.items() if name != "laterality"}
    assert set(changes.values()) == {0.0}


def test_attention_that_leaves_the_image_is_told():
    intact = described("a ball", a_map("1 1"), image_mass=0.5)
    lesioned = described("a ball", a_map("1 1"), image_mass=0.125)
    found = outcomes(intact, lesioned, np.zeros((20, 40), np.uint8), -1.0, -1.0, 1)
    assert found["image_mass_change"] == -0.375


def test_maps_on_other_grids_are_compared_on_the_image():
    fine = np.repeat(np.repeat(a_map("1 0", "1 0"), 8, axis=0), 8, axis=1) / 64
    same = map_change(described("", fine), described("", fine[:, :].copy()), 20, 40)
    coarse = map_change(described("", fine), described("", np.repeat(fine, 2, axis=1) / 2), 20, 40)
    opposite = map_change(described("", fine), described("", np.repeat(fine[:, ::-1], 2, axis=1) / 2), 20, 40)
    assert same == 0.0
    assert coarse < 0.01
    assert opposite > 0.9


def test_objects_that_are_named_no_more():
    covered = {"ball": (1.0, 1.0), "dog": (0.0, 0.1), "tree": (0.6, 0.6), "man": (0.0, 1.0)}
    lost = objects_lost({"ball", "dog", "tree", "man"}, {"dog", "house"}, covered)
    assert lost["objects_lost"] == pytest.approx(3 / 4)
    assert lost["objects_lost_inside"] == 1.0
    assert lost["objects_lost_outside"] == 0.0
    assert all(math.isnan(value) for value in objects_lost(set(), {"dog"}, covered).values())
