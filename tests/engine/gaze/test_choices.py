"""Choices about fixations: what is marked, why, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices, eyes_used, mark, with_average
from gazeapp.engine.gaze.records import Eye, Fixations, Why


def fixations(rows, eye=None):
    """Rows of (index, x, y, start, duration)."""
    index, x, y, start, duration = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    codes = np.zeros(len(rows), np.int8) if eye is None else np.array(eye, dtype=np.int8)
    return Fixations.of(x, y, index=index.astype(int), start_ms=start, duration_ms=duration, eye=codes)


SCANPATH = [
    (1, 10, 10, 0, 150),
    (2, np.nan, 5, 200, 300),
    (3, 20, 20, 600, 40),
    (4, 900, 20, 700, 250),
    (5, 30, 30, 1000, 2500),
]
ON_IMAGE = np.array([True, False, True, False, True])


def marked(choices, on_image=ON_IMAGE, rows=SCANPATH, trial=None):
    table = fixations(rows)
    owner = np.zeros(len(rows), int) if trial is None else np.array(trial)
    eyes = np.zeros(owner.max() + 1, np.int8)
    return [Why(code) for code in mark(table, owner, eyes, on_image, choices)]


def test_by_default_only_what_has_no_place_on_the_image_is_left_out():
    assert marked(GazeChoices()) == [
        Why.USED, Why.NO_POSITION, Why.USED, Why.OUTSIDE_IMAGE, Why.USED,
    ]  # fmt: skip


def test_bounds_of_duration_are_inclusive_and_unknown_durations_stay():
    rows = [
        (1, 1, 1, 0, 100),
        (2, 1, 1, 0, 99.9),
        (3, 1, 1, 0, 500),
        (4, 1, 1, 0, 500.1),
        (5, 1, 1, 0, np.nan),
    ]
    found = marked(GazeChoices(min_duration_ms=100, max_duration_ms=500), np.ones(5, bool), rows)
    assert found == [Why.USED, Why.TOO_SHORT, Why.USED, Why.TOO_LONG, Why.USED]


def test_the_first_fixation_is_found_before_anything_else_is_left_out():
    rows = [(1, 999, 1, 0, 100), (2, 1, 1, 200, 100), (3, 1, 1, 400, 100)]
    on_image = np.array([False, True, True])
    # The one outside is the first; the one after it, the first on the image, stays.
    assert marked(GazeChoices(first_fixation="drop"), on_image, rows) == [
        Why.FIRST_FIXATION, Why.USED, Why.USED,
    ]  # fmt: skip


def test_the_first_fixation_is_the_one_with_the_lowest_number_in_each_trial():
    rows = [(4, 1, 1, 0, 1), (3, 1, 1, 0, 1), (1, 1, 1, 0, 1), (2, 1, 1, 0, 1)]
    found = marked(GazeChoices(first_fixation="drop"), np.ones(4, bool), rows, [0, 0, 1, 1])
    assert found == [Why.USED, Why.FIRST_FIXATION, Why.FIRST_FIXATION, Why.USED]


def test_clamped_fixations_outside_stay():
    assert Why.OUTSIDE_IMAGE not in marked(GazeChoices(outside="clamp"))


@pytest.mark.parametrize(
    ("eye", "used"),
    [("best", [Eye.RIGHT, Eye.LEFT]), ("left", [Eye.LEFT, Eye.LEFT]), ("right", [Eye.RIGHT, Eye.LEFT])],
)
def test_the_eye_in_use(eye, used):
    # Trial 0: one left, three right. Trial 1: one left only.
    table = fixations([(1, 1, 1, 0, 9)] * 5, [Eye.LEFT, Eye.RIGHT, Eye.RIGHT, Eye.RIGHT, Eye.LEFT])
    assert eyes_used(table, np.array([0, 0, 0, 0, 1]), 2, eye).tolist() == used


def test_the_left_eye_is_used_when_both_are_as_good():
    table = fixations([(1, 1, 1, 0, 9)] * 2, [Eye.RIGHT, Eye.LEFT])
    assert eyes_used(table, np.zeros(2, int), 1, "best").tolist() == [Eye.LEFT]


def test_an_eye_without_positions_is_not_used():
    table = fixations([(1, np.nan, 1, 0, 9), (1, 2, 2, 0, 9)], [Eye.LEFT, Eye.RIGHT])
    assert eyes_used(table, np.zeros(2, int), 1, "left").tolist() == [Eye.RIGHT]


def test_a_trial_without_any_position_uses_the_eye_that_was_recorded():
    rows = Fixations.of([np.nan, np.nan], [1, 1], eye=[Eye.UNKNOWN, Eye.RIGHT], unusable=Why.NO_POSITION)
    trial = np.array([0, 1])
    used = eyes_used(rows, trial, 2, "best")
    assert used.tolist() == [Eye.UNKNOWN, Eye.RIGHT]
    assert mark(rows, trial, used, np.zeros(2, bool), GazeChoices()).tolist() == [Why.NO_POSITION] * 2


def test_fixations_of_both_eyes_that_overlap_are_averaged():
    table = fixations(
        [(1, 100, 50, 0, 200), (2, 300, 80, 250, 200), (1, 110, 54, 10, 220), (2, 500, 90, 600, 100)],
        [Eye.LEFT, Eye.LEFT, Eye.RIGHT, Eye.RIGHT],
    )
    both, owner = with_average(table, np.zeros(4, int))
    average = both.part(both.eye == Eye.AVERAGE)
    assert len(both) == len(owner) == 7
    assert average.x.tolist() == [105, 300, 500]
    assert average.y.tolist() == [52, 80, 90]
    assert average.start_ms.tolist() == [0, 250, 600]
    assert average.duration_ms.tolist() == [230, 200, 100]
    assert average.index.tolist() == [1, 2, 3]
    assert np.array_equal(both.part(slice(0, 4)).x, table.x)


def test_an_eye_without_a_position_adds_nothing_to_the_average():
    table = fixations([(1, np.nan, np.nan, 0, 200), (1, 40, 50, 0, 200)], [Eye.LEFT, Eye.RIGHT])
    both, _ = with_average(table, np.zeros(2, int))
    average = both.part(both.eye == Eye.AVERAGE)
    assert (average.x[0], average.y[0], average.unusable[0]) == (40, 50, Why.USED)


def test_recordings_of_one_eye_get_no_average():
    table = fixations([(1, 1, 1, 0, 9)] * 2, [Eye.LEFT, Eye.LEFT])
    assert with_average(table, np.zeros(2, int))[0] is table


def test_averages_stay_in_their_trial():
    table = fixations([(1, k, k, 0, 9) for k in range(4)], [Eye.LEFT, Eye.RIGHT, Eye.LEFT, Eye.RIGHT])
    both, owner = with_average(table, np.array([0, 0, 1, 1]))
    assert owner.tolist() == [0, 0, 0, 1, 1, 1]
    assert both.x[both.eye == Eye.AVERAGE].tolist() == [0.5, 2.5]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_choice_that_is_taken_back_leaves_no_trace(data):
    n = data.draw(st.integers(1, 20))
    numbers = st.floats(-100, 2000)
    rows = [
        (k + 1, data.draw(numbers), data.draw(numbers), 10 * k, data.draw(st.floats(0, 900)))
        for k in range(n)
    ]
    table, owner = fixations(rows), np.sort(np.array([data.draw(st.integers(0, 3)) for _ in range(n)]))
    on_image = np.array([data.draw(st.booleans()) for _ in range(n)])
    eyes = np.zeros(4, np.int8)
    before = mark(table, owner, eyes, on_image, GazeChoices())
    mark(
        table, owner, eyes, on_image, GazeChoices(first_fixation="drop", min_duration_ms=200, outside="clamp")
    )
    assert np.array_equal(before, mark(table, owner, eyes, on_image, GazeChoices()))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"eye": "third"}, "no choice for eye"),
        ({"min_duration_ms": -1}, "0 ms or more"),
        ({"min_duration_ms": 500, "max_duration_ms": 100}, "above the maximum"),
        ({"sigma": 0}, "above 0"),
        ({"sigma_unit": "cm"}, "px or deg"),
    ],
)
def test_choices_that_make_no_sense_are_refused(values, words):
    with pytest.raises(GazeError, match=words):
        GazeChoices(**values)


def test_choices_survive_being_stored():
    choices = GazeChoices(eye="average", first_fixation="drop", min_duration_ms=80, weighting="duration")
    assert GazeChoices.of(choices.as_json()) == choices
    assert GazeChoices.of({"of a later version": 1}) == GazeChoices()
