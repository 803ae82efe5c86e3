"""Ceilings are what a perfect model reaches, in simulations whose shares of signal are known."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.neural.records import REGION_TABLE, Responses
from gazeapp.engine.neural.responses.ceilings import (
    Repeats,
    mean_over_subjects,
    repeat_ceiling,
    subject_ceiling,
)

N_IMAGES, N_TARGETS = 150, 400


def correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return (a * b).sum(axis=0) / np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))


@pytest.mark.parametrize("noise", [0.5, 2.0])
@pytest.mark.parametrize("unbalanced", [False, True])
def test_repeats_tell_how_well_the_true_signal_correlates_with_their_mean(noise: float, unbalanced: bool):
    rng = np.random.default_rng(4)
    signal = rng.normal(size=(N_IMAGES, N_TARGETS))
    counts = rng.integers(1, 5, N_IMAGES) if unbalanced else np.full(N_IMAGES, 3)
    images = np.repeat(np.arange(N_IMAGES), counts)
    trials = signal[images] + rng.normal(scale=noise, size=(len(images), N_TARGETS))
    order = rng.permutation(len(images))
    found = repeat_ceiling(trials[order] + 7, images[order])
    means = np.stack([trials[images == k].mean(axis=0) for k in range(N_IMAGES)])
    # Squares, of which noise makes no smaller mean than the root would have.
    reliability = 1 / (1 + noise**2 * (1 / counts).mean())
    assert (found**2).mean() == pytest.approx(reliability, abs=0.01)
    assert found.mean() == pytest.approx(correlations(signal, means).mean(), abs=0.015)


def test_balanced_repeats_give_the_reliability_of_the_analysis_of_variance():
    rng = np.random.default_rng(5)
    trials = rng.normal(size=(20, 3, 6)) + rng.normal(size=(20, 1, 6))
    between = 3 * trials.mean(axis=1).var(axis=0, ddof=1)
    within = trials.var(axis=1, ddof=1).mean(axis=0)
    found = repeat_ceiling(trials.reshape(60, 6), np.repeat(np.arange(20), 3))
    np.testing.assert_allclose(found, np.sqrt(np.maximum(1 - within / between, 0)), rtol=1e-5)


def test_no_signal_has_a_ceiling_of_nearly_nothing():
    trials = np.random.default_rng(6).normal(size=(300, 200))
    found = repeat_ceiling(trials, np.repeat(np.arange(100), 3))
    assert np.median(found) < 0.2
    assert (found == 0).mean() > 0.3


def test_what_is_not_repeated_or_repeated_to_the_digit_has_no_ceiling():
    rows = np.random.default_rng(7).normal(size=(10, 3))
    assert np.isnan(repeat_ceiling(rows, np.arange(10))).all()
    assert np.isnan(repeat_ceiling(np.repeat(rows, 2, axis=0), np.repeat(np.arange(10), 2))).all()


def test_missing_values_leave_the_mean_over_the_others():
    rng = np.random.default_rng(8)
    trials = rng.normal(size=(2, 4, 5)) + 3
    trials[0, 1, 2] = np.nan
    trials[:, 2, 0] = np.nan
    gathered = Repeats(1, 4, 5)
    for repeat in trials:
        for image, row in enumerate(repeat):
            gathered.add(0, image, row)
    counts = (~np.isnan(trials)).sum(axis=0)
    expected = np.where(counts > 0, np.nansum(trials, axis=0) / np.maximum(counts, 1), np.nan)
    np.testing.assert_allclose(gathered.means[0], expected, rtol=1e-6)
    ceilings = gathered.ceilings()
    assert ceilings is not None
    kept = np.isfinite(trials[..., 2])
    own = repeat_ceiling(trials[..., 2][kept][:, None], np.tile(np.arange(4), (2, 1))[kept])
    assert ceilings[0, 2] == pytest.approx(own[0], rel=1e-6)


@pytest.mark.parametrize("n_subjects", [2, 8])
def test_subjects_tell_how_well_the_true_signal_correlates_with_their_mean(n_subjects: int):
    rng = np.random.default_rng(9)
    signal = rng.normal(size=(N_IMAGES, N_TARGETS))
    level = rng.normal(scale=5, size=(n_subjects, 1, N_TARGETS))
    values = signal + level + rng.normal(scale=1.5, size=(n_subjects, N_IMAGES, N_TARGETS))
    found = subject_ceiling(values)
    assert found.mean.mean() == pytest.approx(np.sqrt(1 / (1 + 1.5**2 / n_subjects)), abs=0.02)
    assert found.mean.mean() == pytest.approx(correlations(signal, values.mean(axis=0)).mean(), abs=0.02)


def test_bounds_are_those_of_leaving_each_subject_out():
    rng = np.random.default_rng(10)
    values = rng.normal(size=(4, 30, 7)) + rng.normal(size=(30, 7))
    found = subject_ceiling(values)
    lower = np.mean([correlations(values[s], np.delete(values, s, 0).mean(axis=0)) for s in range(4)], axis=0)
    upper = np.mean([correlations(values[s], values.mean(axis=0)) for s in range(4)], axis=0)
    np.testing.assert_allclose(found.lower, lower, rtol=1e-9)
    np.testing.assert_allclose(found.upper, upper, rtol=1e-9)
    assert (found.lower < found.upper).all()


def test_one_subject_has_no_ceiling_of_others():
    assert np.isnan(subject_ceiling(np.ones((1, 5, 3))).mean).all()


def test_a_subject_without_an_image_is_left_out_of_its_mean_and_no_more():
    rng = np.random.default_rng(11)
    signal = rng.normal(size=(200, 30))
    values = signal + rng.normal(scale=0.8, size=(5, 200, 30)) + 10 * np.arange(5)[:, None, None]
    values[2, :80] = np.nan
    truth = np.sqrt(1 / (1 + 0.8**2 * (80 / 4 + 120 / 5) / 200))
    assert subject_ceiling(values).mean.mean() == pytest.approx(truth, abs=0.02)
    n_repeats = np.isfinite(values).any(axis=2).astype(np.int64)
    responses = Responses(
        values.astype(np.float32), tuple(f"{k}" for k in range(200)), tuple("abcde"), n_repeats, REGION_TABLE, False,
        tuple(f"r{k}" for k in range(30)),
    )  # fmt: skip
    mean = mean_over_subjects(responses)
    assert (mean.subjects, mean.ceiling_origin) == (("",), "agreement of 5 subjects")
    assert mean.n_repeats[0, [0, 199]].tolist() == [4, 5]
    # Without levelling, the images that one subject lacks would differ from the others by half a level.
    assert correlations(mean.values[0], signal).mean() == pytest.approx(truth, abs=0.02)
