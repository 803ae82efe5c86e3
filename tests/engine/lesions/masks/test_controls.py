"""Controls take elsewhere exactly what the mask takes: the same values, or the same mass."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.controls import coverage, equal_mass, mass_under, mirrored, random_matched
from gazeapp.engine.types import Rect

few = settings(max_examples=60, deadline=None)

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 24, 32
WHOLE = Rect.of_image(WIDTH, HEIGHT)


def half() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH // 2] = 255
    return mask


def blob(inside: int = 255) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    near = (y - 8) ** 2 + (x - 20) ** 2 < 20
    return np.where(near, inside, 255 - inside).astype(np.uint8)


def stripe() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 10:15] = 255
    return mask


def ramp() -> np.ndarray:
    return np.tile(np.linspace(255, 0, WIDTH).astype(np.uint8), (HEIGHT, 1))


MASKS = {"half": half(), "blob": blob(), "all but a blob": blob(0), "stripe": stripe(), "ramp": ramp()}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("seed", range(20))
def test_a_matched_mask_has_the_same_values_elsewhere(name: str, seed: int):
    mask = MASKS[name]
    control = random_matched(mask, seed)
    np.testing.assert_array_equal(np.bincount(control.ravel()), np.bincount(mask.ravel()))
    own, other = mask.ravel() / 255, control.ravel() / 255
    assert own @ other <= own.sum() ** 2 / mask.size + 1e-9


@pytest.mark.parametrize("name", MASKS)
def test_a_matched_mask_is_the_mask_turned_over_and_shifted_around_the_borders(name: str):
    mask = MASKS[name]
    control = random_matched(mask, 7).tobytes()
    turned = (mask[::down, ::across] for down, across in product((1, -1), repeat=2))
    places = (
        np.roll(one, (down, across), (0, 1)).tobytes()
        for one in turned
        for down in range(HEIGHT)
        for across in range(WIDTH)
    )
    assert control in set(places)


@few
@given(arrays(np.uint8, (5, 7)))
def test_chance_is_the_mean_overlap_of_all_shifts(mask):
    """This is why there always are places with no more overlap than that."""
    own = mask.astype(np.int64)
    shared = [(own * np.roll(own, (y, x), (0, 1))).sum() for y in range(5) for x in range(7)]
    assert sum(int(one) for one in shared) == int(own.sum()) ** 2


def test_each_seed_has_its_own_place_and_keeps_it():
    places = [random_matched(blob(), seed).tobytes() for seed in range(20)]
    assert places == [random_matched(blob(), seed).tobytes() for seed in range(20)]
    assert len(set(places)) == 20


def test_over_many_seeds_every_part_of_the_image_outside_of_a_half_is_taken_alike():
    """Controls of a half shift it by a quarter to three quarters of the width: 1 right of the middle at most."""
    taken = np.mean([random_matched(half(), seed)[0] for seed in range(300)], axis=0) / 255
    shifts = np.arange(WIDTH // 4, 3 * WIDTH // 4 + 1)
    expected = np.mean([np.roll(half()[0], shift) for shift in shifts], axis=0) / 255
    np.testing.assert_allclose(taken, expected, atol=0.12)


def test_a_mask_that_has_no_better_place_gets_the_one_with_the_least_overlap():
    """Stripes of one pixel, two pixels apart, always lie on themselves or between."""
    mask = np.zeros((8, 8), np.uint8)
    mask[:, ::2] = 255
    assert not (random_matched(mask, 0) & mask).any()


@pytest.mark.parametrize("value", [0, 97, 255])
def test_a_mask_of_one_value_is_returned_as_it_is(value: int):
    mask = np.full((5, 4), value, np.uint8)
    control = random_matched(mask, 0)
    np.testing.assert_array_equal(control, mask)
    assert not np.shares_memory(control, mask)


def test_the_mirrored_mask_lies_on_the_other_side():
    np.testing.assert_array_equal(mirrored(half()), 255 - half())


@pytest.mark.parametrize("rect", [WHOLE, Rect(4.0, 3.0, 24.0, 18.0), Rect(2.3, 1.7, 27.1, 19.9)])
@pytest.mark.parametrize("name", ["blob", "stripe"])
@pytest.mark.parametrize("seed", range(8))
def test_a_mask_of_equal_mass_holds_the_same_mass_elsewhere(name: str, seed: int, rect: Rect):
    """By the very rule that models go by, to half a 255th of one cell, also where cells cut pixels."""
    mask = MASKS[name]
    values = np.random.default_rng(seed).random((6, 8)) ** 4
    control = equal_mass(values, rect, mask, seed)
    assert control is not None
    assert not (control & mask).any()
    gap = abs(mass_under(values, rect, control) - mass_under(values, rect, mask)) * values.sum()
    assert gap <= values.max() * 1.5 / 255


def test_equal_mass_is_exact_to_half_a_step_of_the_last_cell():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:8, :8] = 255
    values = RNG.random((3, 4)) + 0.5
    for seed in range(20):
        control = equal_mass(values, WHOLE, mask, seed)
        assert control is not None
        covered = coverage(control, 3, 4)
        graded = covered[(covered > 0) & (covered < 1)]
        assert len(graded) <= 1
        last = values[(covered > 0) & (covered < 1)].max(initial=values.max())
        assert abs((covered * values).sum() - values[0, 0]) <= 0.5 / 255 * last + 1e-9


def test_a_mask_of_equal_mass_is_one_region():
    from scipy.ndimage import label

    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, :4] = 255
    for seed in range(10):
        control = equal_mass(np.ones((12, 16)), WHOLE, mask, seed)
        assert control is not None
        assert label(control)[1] == 1
        assert (control > 0).sum() == mask.sum() / 255


def test_a_piece_that_holds_enough_is_preferred_to_one_that_does_not():
    """The mask is a column that parts a narrow strip from the rest."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 4:12] = 255
    for seed in range(20):
        control = equal_mass(np.ones((6, 8)), WHOLE, mask, seed)
        assert control is not None
        assert not control[:, :4].any()


def test_where_no_piece_holds_enough_several_are_taken():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 8:20] = 255
    values = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.75, 0.75]])
    control = equal_mass(values, WHOLE, mask, 0)
    assert control is not None
    assert (coverage(control, 1, 8) * values).sum() == pytest.approx(3.0, abs=1 / 255)
    assert control[:, :8].any()
    assert control[:, 20:].any()


def test_half_of_an_even_map_is_matched_by_the_other_half_whole():
    for seed in range(5):
        control = equal_mass(np.full((6, 8), 0.1), WHOLE, half(), seed)
        np.testing.assert_array_equal(control, 255 - half())


def test_there_is_none_where_the_rest_holds_less():
    values = np.ones((6, 8))
    values[:, :4] = 1.1
    assert equal_mass(values, WHOLE, half(), 0) is None
    assert equal_mass(values, WHOLE, np.full((HEIGHT, WIDTH), 255, np.uint8), 0) is None


def test_cells_that_the_mask_touches_a_little_are_left_alone():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[0, 0] = mask[0, 4] = 1
    for seed in range(20):
        values = np.ones((6, 8))
        values[0, :2] = 5.0
        control = equal_mass(values, WHOLE, mask, seed)
        assert control is not None
        assert not control[:4, :8].any()


def test_a_mask_on_nothing_is_matched_by_an_empty_one():
    values = np.ones((6, 8))
    values[:, :4] = 0.0
    control = equal_mass(values, WHOLE, half(), 0)
    assert control is not None
    assert not control.any()


def test_the_same_seed_gives_the_same_region():
    values = RNG.random((6, 8))
    first, again, other = (equal_mass(values, WHOLE, stripe(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.array([[1.0, -1.0]]), "negative"),
        (np.array([[np.nan]]), "no numbers"),
        (np.ones(3), "rows and columns"),
    ],
)
def test_what_has_no_mass_cannot_be_matched(values: np.ndarray, what: str):
    with pytest.raises(GazeError, match=what):
        equal_mass(values, WHOLE, half(), 0)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint8, (6, 8)),
    st.integers(1, 9),
    st.integers(1, 9),
    st.tuples(st.integers(-8, 40), st.integers(-8, 40), st.integers(1, 80), st.integers(1, 80)),
)
def test_coverage_equals_a_drawing_in_small_squares(mask, rows, columns, place):
    """Cells of 1/8 px steps times their count, on an image of 6 x 8 px, drawn in squares of 1 / (8 rows) px."""
    x, y, width, height = (value / 8 for value in place)
    covered = coverage(mask, rows, columns, Rect(x, y, width, height))
    fine = np.kron(mask / 255, np.ones((8 * rows, 8 * columns)))
    down, across = int(place[3]), int(place[2])
    for row, column in product(range(rows), range(columns)):
        top, left = place[1] * rows + row * down, place[0] * columns + column * across
        cell = fine[max(top, 0) : max(top + down, 0), max(left, 0) : max(left + across, 0)]
        assert covered[row, column] == pytest.approx(cell.mean() if cell.size else 0.0, abs=1e-9)


def test_a_whole_mask_covers_every_cell_exactly():
    assert (coverage(np.full((101, 97), 255, np.uint8), 24, 27) == 1.0).all()
    assert (coverage(np.ones((101, 97), np.float32), 24, 27) == 1.0).all()


def test_mass_under_a_mask_is_its_share_of_the_map():
    values = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert mass_under(values, WHOLE, half()) == pytest.approx(0.3)
    assert mass_under(values, WHOLE, (half() / 255).astype(np.float32)) == pytest.approx(0.3)
    assert mass_under(values, WHOLE, 255 - half()) == pytest.approx(0.7)
    # On the right half of the image the mask takes nothing.
    assert mass_under(values, Rect(16, 0, 16, 24), half()) == 0.0
    # The mask ends in the middle of the first of four cells.
    assert mass_under(values, Rect(14, 0, 16, 24), half()) == pytest.approx(0.05)


def test_where_a_map_has_no_mass_there_is_no_share():
    assert np.isnan(mass_under(np.zeros((2, 2)), WHOLE, half()))
    assert np.isnan(mass_under(np.array([[2.0, -1.0]]), WHOLE, half()))
    with pytest.raises(GazeError, match="no numbers"):
        mass_under(np.array([[np.nan]]), WHOLE, half())
