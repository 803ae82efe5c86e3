"""Figures of quality against recordings whose losses, gaps and outliers are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.gaze.quality import (
    FIGURES,
    outliers,
    repeated_trials,
    sample_quality,
    sampling_period,
    scanpath_digests,
    summarise,
    with_sample_quality,
)
from gazeapp.engine.gaze.records import Eye, Fixations, Samples, Trial

nan = math.nan


def of(t, lost=(), rate_hz=None):
    t = np.asarray(t, dtype=np.float64)
    x = np.ones(len(t))
    x[list(lost)] = nan
    return sample_quality(t, x, np.ones(len(t)), rate_hz)


def test_a_whole_recording():
    assert of(np.arange(500) * 2.0) == {
        "n_samples": 500, "share_lost": 0.0, "rate_hz": 500.0, "gaps": 0, "longest_gap_ms": 0.0,
    }  # fmt: skip


def test_samples_without_position_are_lost():
    found = of(np.arange(1000), lost=range(300, 400))
    assert found["share_lost"] == pytest.approx(0.1)
    assert (found["gaps"], found["longest_gap_ms"]) == (1, 100)


def test_rows_that_are_missing_are_lost_too():
    t = np.r_[np.arange(400.0), np.arange(500.0, 1000.0)]
    found = of(t)
    assert found["n_samples"] == 900
    assert found["share_lost"] == pytest.approx(0.1)
    assert (found["gaps"], found["longest_gap_ms"]) == (1, 100)


def test_losses_next_to_missing_rows_are_one_gap():
    t = np.r_[np.arange(400.0), np.arange(450.0, 1000.0)]
    found = of(t, lost=range(400, 440))
    assert (found["gaps"], found["longest_gap_ms"]) == (1, 90)


def test_only_losses_over_75_ms_are_gaps():
    assert of(np.arange(1000), lost=range(100, 175))["gaps"] == 0
    assert of(np.arange(1000), lost=range(100, 176))["gaps"] == 1
    assert of(np.arange(1000), lost=[*range(100, 200), *range(300, 400), *range(500, 510)])["gaps"] == 2


def test_losses_at_the_ends_count():
    found = of(np.arange(1000), lost=[*range(100), *range(800, 1000)])
    assert (found["gaps"], found["longest_gap_ms"]) == (2, 200)


def test_a_recording_that_is_all_lost():
    found = of(np.arange(1000), lost=range(1000))
    assert (found["share_lost"], found["gaps"], found["longest_gap_ms"]) == (1.0, 1, 1000)


def test_two_eyes_one_after_the_other():
    t = np.arange(1000.0)
    found = of(np.r_[t, t], lost=range(950, 1100))
    assert found["share_lost"] == pytest.approx(150 / 2000)
    assert (found["gaps"], found["longest_gap_ms"]) == (1, 100)  # 50 ms in the one, 100 ms in the other


@pytest.mark.parametrize(
    ("t", "rate"),
    [
        (np.round(np.arange(300) * 1000 / 60), 60),
        (np.floor(np.arange(300) / 2), 2000),
        (np.arange(300) * 3.351 + np.random.default_rng(0).normal(0, 0.1, 300), 1000 / 3.351),
        (np.r_[np.arange(100), 5000 + np.arange(100), 90_000 + np.arange(100)] * 4.0, 250),
    ],
    ids=["60 Hz in whole ms", "2000 Hz in whole ms", "jitter", "jumps of the clock"],
)
def test_the_rate_is_measured(t, rate):
    found = of(t)
    assert found["rate_hz"] == pytest.approx(rate, rel=0.01)
    assert sampling_period(t) == pytest.approx(1000 / rate, rel=0.01)


def test_rounding_and_jitter_are_no_loss():
    assert of(np.round(np.arange(300) * 1000 / 60))["share_lost"] == 0
    assert of(np.floor(np.arange(300) / 2))["share_lost"] == 0


def test_too_few_samples_to_measure():
    assert of([]) == {"n_samples": 0, "share_lost": None, "rate_hz": None, "gaps": 0, "longest_gap_ms": 0.0}
    assert of([5])["rate_hz"] is None
    assert of([5, 5, 5])["rate_hz"] is None
    assert of([0, 1e-300])["rate_hz"] is None
    assert of([5], rate_hz=250)["rate_hz"] == 250
    assert of([5], rate_hz=250)["share_lost"] == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.one_of(st.floats(), st.integers(-5, 50).map(float))] * 3), max_size=30))
def test_any_samples_make_figures_that_can_be_stored(rows):
    t, x, y = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    with np.errstate(all="raise"):
        found = sample_quality(t, x, y)
    json.dumps(found, allow_nan=False)
    assert found["share_lost"] is None or 0 <= found["share_lost"] <= 1
    assert found["longest_gap_ms"] >= 0


def test_trials_get_the_figures_of_their_better_eye():
    t = np.arange(100.0)
    x = np.ones(200)
    x[:50] = nan
    eye = np.repeat([Eye.LEFT, Eye.RIGHT], 100).astype(np.int8)
    samples = Samples(np.r_[t, t], x, np.ones(200), eye)
    told = Trial("told", "s01", sample_rows=slice(0, 200), quality={"share_lost": 0.3})
    trials = with_sample_quality(
        [Trial("a", "s01", sample_rows=slice(0, 200), quality={"own": 1}), Trial("none", "s01"), told],
        samples,
    )
    assert trials[0].quality["own"] == 1
    assert trials[0].quality["share_lost"] == 0
    assert trials[0].quality["n_samples"] == 100
    assert trials[1].quality == {}
    assert trials[2].quality == {"share_lost": 0.3}


def test_a_recording_is_summed_up():
    trials = [
        {"n_recorded": 10, "n_fixations": 8, "share_outside": 0.1, "share_unusable": 0.0, "n_samples": 100,
         "share_lost": 0.5, "gaps": 2, "longest_gap_ms": 90.0, "median_duration_ms": 200.0, "n_duplicates": 1},
        {"n_recorded": 30, "n_fixations": 30, "share_outside": 0.5, "share_unusable": 0.2, "n_samples": 300,
         "share_lost": 0.1, "gaps": 1, "longest_gap_ms": 300.0, "median_duration_ms": 260.0, "n_duplicates": 0},
        {"n_recorded": 0, "n_fixations": 0, "share_outside": None, "share_unusable": None, "n_duplicates": 0,
         "median_duration_ms": None},
    ]  # fmt: skip
    assert summarise(trials) == {
        "n_trials": 3, "n_recorded": 40, "n_fixations": 38, "n_duplicates": 1, "n_samples": 400, "gaps": 3,
        "share_unusable": pytest.approx(0.15), "share_outside": pytest.approx(0.4),
        "share_lost": pytest.approx(0.2), "median_duration_ms": 230.0, "longest_gap_ms": 300.0,
    }  # fmt: skip
    assert summarise([]) == {"n_trials": 0}


def test_every_figure_has_its_words():
    made = set(summarise([])) | set(of([1, 2]))
    assert made - {"n_trials"} <= set(FIGURES)
    assert all(figure.name and figure.tooltip.endswith(".") for figure in FIGURES.values())


def test_scanpaths_that_are_stored_twice_are_found():
    x = np.array([1.0, 2, 3, 1, 2, 3, 1, 2, 3])
    fixations = Fixations.of(x, x, duration_ms=np.full(9, 100.0), start_ms=np.arange(9.0))
    trial = np.array([0, 0, 0, 1, 1, 1, 3, 3, 3])
    digests = scanpath_digests(fixations, trial, 4)
    assert digests[0] == digests[1] == digests[3] != ""
    assert digests[2] == ""
    repeated = repeated_trials(["a", "a", "a", "b"], ["i", "i", "i", "i"], digests)
    assert repeated.tolist() == [-1, 0, -1, -1]
    longer = Fixations.of(x, x, duration_ms=np.r_[100.0, 100, 101, np.full(6, 100.0)])
    assert scanpath_digests(longer, trial, 4)[0] != digests[0]


def test_outliers_by_the_modified_z():
    # Median 3, median absolute deviation 1: 3.5 / 0.6745 = 5.19 is the bound.
    values = [1, 2, 3, 4, 5, 3, 2, 4, 8.1, 8.3, -2.3]
    array = np.array([*values[:8], 3, 3, 3])
    assert not outliers(array).any()
    assert np.median(np.abs(array - 3)) == 1
    for value, far in ((8.1, False), (8.3, True), (-2.1, False), (-2.3, True)):
        assert outliers(np.r_[array, value, 3, 2, 4])[11] == far


def test_outliers_where_most_are_the_same():
    # Mean absolute deviation 1 / 20 over 20 values: 3.5 * 1.2533 / 20 = 0.219 is the bound.
    assert np.flatnonzero(outliers([0.0] * 19 + [1.0])).tolist() == [19]
    assert not outliers([7.0] * 10).any()
    assert not outliers([0.0] * 19 + [0.01], least=0.05).any()


def test_few_values_have_no_outliers_and_missing_ones_are_none():
    assert not outliers([1, 1, 1, 900]).any()
    found = outliers([1, 2, nan, 1, 2, 900, math.inf])
    assert found.tolist() == [False, False, False, False, False, True, False]
    assert outliers([]).shape == (0,)
