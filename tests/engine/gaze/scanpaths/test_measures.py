"""The measures of two scanpaths: worked by hand, against the published definitions, and at their edges."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths import MEASURES, Scanpath, ScanpathSettings, compare
from gazeapp.engine.gaze.scanpaths.image import substitutions
from gazeapp.engine.gaze.scanpaths.measures import DEFAULT, MULTIMATCH

WIDTH, HEIGHT = 1200.0, 800.0
"""Cells of the default grid are 100 x 100 px."""


def alike(first, second, measure, **settings):
    chosen = ScanpathSettings(measures=(measure,), **settings)
    return compare(first, [second], WIDTH, HEIGHT, chosen).score(measure)


def path(*points, subject="s", durations=None):
    return Scanpath.of(subject, [p[0] for p in points], [p[1] for p in points], durations)


def random_path(rng, n, subject="s"):
    return Scanpath.of(subject, rng.uniform(0, WIDTH, n), rng.uniform(0, HEIGHT, n), rng.uniform(80, 600, n))


@pytest.mark.parametrize("measure", DEFAULT)
@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_a_scanpath_is_identical_to_itself(measure, n):
    one = random_path(np.random.default_rng(n), n)
    assert alike(one, one, measure) == (1.0 if MEASURES[measure].higher_is_better else 0.0)


@pytest.mark.parametrize("measure", DEFAULT)
def test_measures_do_not_depend_on_which_comes_first(measure):
    rng = np.random.default_rng(1)
    one, other = random_path(rng, 7), random_path(rng, 11)
    # One place for each fixation of both, so that the places are the same whoever is the reference.
    settings = {"bandwidth": 1e-9} if "sequence" in measure else {}
    assert alike(one, other, measure, **settings) == pytest.approx(alike(other, one, measure, **settings))


def test_the_substitution_matrix_is_that_of_the_toolbox():
    found = substitutions(5, 3, 2.0)
    distance = np.array(
        [
            [math.hypot(j - jj, i - ii) for ii in range(3) for jj in range(5)]
            for i in range(3)
            for j in range(5)
        ]
    )
    # ScanMatch_CreateSubMatrix.m: abs(mat - max_sub) - (max_sub - Threshold)
    largest = distance.max()
    np.testing.assert_allclose(found, np.abs(distance - largest) - (largest - 2.0), atol=1e-12)


def test_scanmatch_by_hand():
    one = path((50, 50), (250, 50), (250, 350))
    # First cell equal (3.5), second one cell off (2.5), third without partner: 6 of 3 x 3.5.
    assert alike(one, path((90, 10), (350, 50)), "scanmatch") == pytest.approx(6 / 10.5)
    # Cells 4 apart cost more than two gaps: nothing is aligned.
    assert alike(path((50, 50)), path((450, 50)), "scanmatch") == 0.0
    assert alike(path((50, 50)), path((450, 50)), "scanmatch", threshold=5.0) == pytest.approx(0.2)


def test_scanmatch_with_durations_repeats_cells_for_each_bin():
    one = path((50, 50), (650, 50), durations=[300, 100])
    # 300 + 100 ms against 100 + 100 ms: aaab and ab, two of four are aligned.
    assert alike(one, path((50, 50), (650, 50), durations=[100, 100]), "scanmatch_duration") == 0.5
    # 149 ms are one bin, 150 ms are two, 40 ms are none.
    assert alike(one, path((50, 50), (650, 50), durations=[149, 40]), "scanmatch_duration") == 0.25
    assert alike(one, path((50, 50), (650, 50), durations=[150, 150]), "scanmatch_duration") == 0.75
    # In bins of 200 ms, half a bin counted as one: aab and aaab.
    longer = path((50, 50), (650, 50), durations=[600, 200])
    assert alike(one, longer, "scanmatch_duration", bin_ms=200) == 0.75


def test_string_edit_by_hand():
    one = path((50, 50), (250, 50), (250, 350), (50, 50))
    # One cell is replaced and one is missing: 2 edits of 4.
    assert alike(one, path((50, 50), (350, 50), (250, 350)), "string_edit") == 0.5
    assert alike(one, path((1150, 750)), "string_edit") == 0.0


def test_dtw_is_the_mean_distance_of_aligned_fixations_in_percent_of_the_diagonal():
    diagonal = math.hypot(WIDTH, HEIGHT)
    one = path((100, 100), (500, 100), (900, 700))
    moved = path((130, 140), (530, 140), (930, 740))
    assert alike(one, moved, "dtw") == pytest.approx(100 * 50 / diagonal)
    # A fixation that is made twice is aligned with itself twice: 0 of 4 steps.
    assert alike(one, path((100, 100), (500, 100), (500, 100), (900, 700)), "dtw") == 0.0


def test_the_sequence_score_counts_places_in_order():
    people = [path((100, 100), (500, 100), (900, 700), subject=str(k)) for k in range(5)]
    chosen = ScanpathSettings(measures=("sequence_score",), bandwidth=0.05)

    def score(scanpath, **settings):
        return compare(
            scanpath, people, WIDTH, HEIGHT, ScanpathSettings(**{**chosen.as_json(), **settings})
        ).score("sequence_score")

    assert score(path((110, 90), (480, 120), (880, 690))) == 1.0
    assert score(path((900, 700), (500, 100), (100, 100))) == pytest.approx(1 / 3)
    assert score(path((100, 100), (900, 700))) == pytest.approx(2 / 3)
    # Wherever it looks, a fixation counts as at the nearest place.
    assert score(path((0, 0))) == pytest.approx(1 / 3)
    # Of the first two fixations alone, both agree.
    assert score(path((110, 90), (480, 120), (110, 90), (110, 90)), max_steps=2) == 1.0
    assert score(path((110, 90), (480, 120), (110, 90), (110, 90))) == 0.5


def test_reversing_a_scanpath_changes_its_order_not_its_places():
    rng = np.random.default_rng(2)
    one = random_path(rng, 8)
    back = Scanpath.of("s", one.x[::-1], one.y[::-1], one.duration_ms[::-1])
    for measure in DEFAULT:
        both = Scanpath.of("s", back.x[::-1], back.y[::-1], back.duration_ms[::-1])
        assert alike(one, both, measure) == alike(one, one, measure)
        if MEASURES[measure].higher_is_better:
            assert alike(one, back, measure) < 1.0
        else:
            assert alike(one, back, measure) > 0.0


@pytest.mark.parametrize("measure", DEFAULT)
def test_measures_of_scanpaths_grow_with_the_image(measure):
    rng = np.random.default_rng(3)
    one, other = random_path(rng, 6), random_path(rng, 9)
    chosen = ScanpathSettings(measures=(measure,))
    small = compare(one, [other], WIDTH, HEIGHT, chosen).score(measure)
    larger = [p.rescaled((WIDTH, HEIGHT), (3 * WIDTH, 3 * HEIGHT)) for p in (one, other)]
    assert compare(larger[0], [larger[1]], 3 * WIDTH, 3 * HEIGHT, chosen).score(measure) == pytest.approx(
        small
    )


def test_fixations_beyond_the_border_count_as_on_it():
    assert alike(path((-40, 900)), path((20, 790)), "scanmatch") == 1.0
    assert alike(path((WIDTH, HEIGHT)), path((WIDTH - 1, HEIGHT - 1)), "string_edit") == 1.0


def test_unknown_durations_have_no_score_with_durations():
    one = path((50, 50), (250, 50), durations=[100, math.nan])
    assert math.isnan(alike(one, path((50, 50), durations=[100]), "scanmatch_duration"))
    assert math.isnan(
        alike(path((50, 50), durations=[-1]), path((50, 50), durations=[100]), "scanmatch_duration")
    )
    # No bin is filled: there is no string to compare.
    assert math.isnan(
        alike(path((50, 50), durations=[20]), path((50, 50), durations=[100]), "scanmatch_duration")
    )
    assert alike(one, path((50, 50)), "scanmatch") == 0.5


def test_a_scanpath_that_lasts_too_long_is_an_error_of_one_sentence():
    endless = path((50, 50), durations=[1e9], subject="Ada")
    with pytest.raises(GazeError, match="scanpath of Ada lasts"):
        alike(endless, path((50, 50), durations=[100]), "scanmatch_duration")


def test_scanpaths_without_order_or_place_are_refused():
    with pytest.raises(GazeError, match="differ in number"):
        Scanpath.of("a", [1.0, 2.0], [1.0])
    with pytest.raises(GazeError, match="without a position"):
        Scanpath.of("a", [1.0, math.nan], [1.0, 1.0])
    with pytest.raises(GazeError, match="no room"):
        compare(path((1, 1)), [path((1, 1))], 0, 10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"measures": ("scanmash",)},
        {"measures": ()},
        {"grid": (0, 8)},
        {"grid": (41, 8)},
        {"threshold": 0.0},
        {"bin_ms": -1.0},
        {"bandwidth": math.inf},
        {"max_steps": 0},
    ],
)
def test_choices_that_make_no_sense_are_sentences(wrong):
    with pytest.raises(GazeError):
        ScanpathSettings(**wrong)


def test_settings_survive_being_stored():
    settings = ScanpathSettings(measures=("dtw", "scanmatch"), grid=(5, 5), max_steps=6)
    stored = json.loads(json.dumps(settings.as_json()))
    assert ScanpathSettings.of(stored) == settings


def test_every_measure_is_explained_and_rests_on_one_of_two_scanpaths():
    assert set(DEFAULT) | set(MULTIMATCH) == set(MEASURES)
    for measure in MEASURES.values():
        assert measure.meaning.endswith(".")
        assert measure.formula
        assert MEASURES[measure.pairwise].over_people == "mean"
