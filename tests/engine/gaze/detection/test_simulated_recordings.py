"""I-VT and I-DT on recordings with known fixations, at the rates that trackers have; tolerances as documented."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.gaze.detection import DetectionSettings, detect
from gazeapp.engine.gaze.detection.compare import matches
from gazeapp.engine.gaze.records import Fixations
from tests.engine.gaze.simulated import PX_PER_DEGREE, Truth, simulate

RATES = (30, 60, 250, 1000)
SEEDS = (0, 1, 2)

EDGE_MS = {"ivt": 5.0, "idt": 11.0}
"""How far begin and end may be off on top of two periods, ms (95 % of the fixations)."""


def found_in(truth: Truth, method: str) -> Fixations:
    return detect(truth.samples, px_per_degree=PX_PER_DEGREE, settings=DetectionSettings(method))


def true_fixations(truth: Truth) -> Fixations:
    return Fixations.of(truth.x, truth.y, start_ms=truth.onset, duration_ms=truth.duration)


def check(truth: Truth, found: Fixations, period: float, edge_ms: float, position_deg: float) -> None:
    true = true_fixations(truth)
    one, two = matches(true, found)
    assert len(one) >= 0.98 * len(true)
    assert len(two) >= 0.98 * len(found)
    a, b = true.part(one), found.part(two)
    begins = np.abs(b.start_ms - a.start_ms)
    ends = np.abs(b.start_ms + b.duration_ms - a.start_ms - a.duration_ms)
    assert np.percentile(begins, 95) <= 2 * period + edge_ms
    assert np.percentile(ends, 95) <= 2 * period + edge_ms
    away = np.hypot(b.x - a.x, b.y - a.y) / PX_PER_DEGREE
    assert np.percentile(away, 95) <= position_deg
    last_seen = found.start_ms + found.duration_ms - period
    for begin, end in truth.blinks:
        assert not np.any((found.start_ms < begin) & (last_seen > end)), "a fixation spans a blink"


@pytest.mark.parametrize("method", ["ivt", "idt"])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", SEEDS)
def test_fixations_are_found_where_they_are(method: str, rate: float, seed: int):
    truth = simulate(rate, seed=seed)
    check(truth, found_in(truth, method), 1000 / rate, EDGE_MS[method], 0.1)


@pytest.mark.parametrize("rate", [30, 60, 250, 1000])
def test_the_automatic_choice_holds_with_noise_of_a_tenth_of_a_degree(rate: float):
    truth = simulate(rate, seed=7, noise_deg=0.1)
    check(truth, found_in(truth, "auto"), 1000 / rate, 11.0, 0.12)


@pytest.mark.parametrize("rate", [250, 1000])
def test_velocity_holds_with_noise_of_three_tenths_of_a_degree(rate: float):
    truth = simulate(rate, seed=3, noise_deg=0.3)
    check(truth, found_in(truth, "ivt"), 1000 / rate, 5.0, 0.12)


@pytest.mark.parametrize(("method", "rate"), [("idt", 60), ("ivt", 300)])
def test_times_need_not_be_regular(method: str, rate: float):
    truth = simulate(rate, seed=5, jitter=0.1)
    check(truth, found_in(truth, method), 1000 / rate, EDGE_MS[method], 0.1)


def test_times_at_2000_hz_may_be_cut_to_milliseconds():
    truth = simulate(2000, seed=4)
    samples = truth.samples
    cut = type(samples)(np.floor(samples.t_ms), samples.x, samples.y, samples.eye)
    whole = found_in(truth, "ivt")
    rounded = detect(cut, px_per_degree=PX_PER_DEGREE, settings=DetectionSettings("ivt"))
    assert len(rounded) == len(whole) == len(truth.x)
    assert np.max(np.abs(rounded.start_ms - whole.start_ms)) <= 2


def test_lost_samples_here_and_there_end_no_fixation():
    truth = simulate(250, seed=6)
    samples = truth.samples
    lost = np.random.default_rng(0).random(len(samples)) < 0.05
    x = np.where(lost, np.nan, samples.x)
    holed = type(samples)(samples.t_ms, x, samples.y, samples.eye)
    gone = samples.part(~lost)
    for part in (holed, gone):
        found = detect(part, px_per_degree=PX_PER_DEGREE, settings=DetectionSettings("ivt"))
        check(truth, found, 4.0, 5.0, 0.1)


@pytest.mark.parametrize("method", ["i2mc", "remodnav"])
@pytest.mark.parametrize("rate", [120, 300])
def test_the_optional_packages_find_them_too(method: str, rate: float):
    pytest.importorskip({"i2mc": "I2MC", "remodnav": "remodnav"}[method])
    truth = simulate(rate, seed=2, noise_deg=0.1, n_fixations=40)
    true, found = true_fixations(truth), found_in(truth, method)
    one, two = matches(true, found)
    assert len(one) >= 0.95 * len(true)
    assert len(two) >= 0.9 * len(found)
    assert np.median(np.abs(found.start_ms[two] - true.start_ms[one])) <= 25
