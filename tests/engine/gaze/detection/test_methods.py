"""Velocities, windows and runs against hand-made tracks and slow, plain versions of the methods."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.gaze.detection import DetectionSettings, idt, ivt
from gazeapp.engine.gaze.detection.blocks import Runs, Track, durations, long_enough, means, merged, track_of
from gazeapp.engine.gaze.detection.settings import window_ms


def track(t, x, y=None, series=None, period=1.0, max_gap=0.0) -> Track:
    t, x = np.asarray(t, float), np.asarray(x, float)
    y = np.zeros(len(t)) if y is None else np.asarray(y, float)
    series = np.zeros(len(t), np.int64) if series is None else np.asarray(series, np.int64)
    return track_of(t, x, y, series, period, max_gap)


def runs(*pairs: tuple[int, int]) -> Runs:
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Runs(table[:, 0], table[:, 1])


def pairs_of(found: Runs) -> list[tuple[int, int]]:
    return list(zip(found.first.tolist(), found.last.tolist(), strict=True))


def test_blocks_end_at_lost_data_and_at_trials():
    nan = math.nan
    found = track(np.arange(8), [1, 1, nan, nan, 1, 1, 1, 1], series=[0, 0, 0, 0, 0, 0, 1, 1])
    assert found.rows.tolist() == [0, 1, 4, 5, 6, 7]
    assert found.begin.tolist() == [0, 0, 2, 2, 4, 4]
    assert found.end.tolist() == [1, 1, 3, 3, 5, 5]


def test_losses_up_to_the_bound_end_no_block():
    t = [0, 10, 40, 50, 90, 100]  # 20 ms and 30 ms are lost
    assert track(t, np.zeros(6), period=10, max_gap=20).begin.tolist() == [0, 0, 0, 0, 4, 4]
    assert track(t, np.zeros(6), period=10, max_gap=30).begin.tolist() == [0] * 6


def test_a_bound_of_zero_forgives_jitter_but_no_lost_sample():
    t = [0, 9, 21, 30, 50]
    assert track(t, np.zeros(5), period=10).begin.tolist() == [0, 0, 0, 0, 4]


def test_velocity_of_even_motion_is_exact_at_any_rate_and_with_uneven_times():
    t = np.sort(np.random.default_rng(0).uniform(0, 1000, 200))
    moving = track(t, 0.03 * t, 0.04 * t, period=5, max_gap=100)
    for window in (5, 20, 200):
        np.testing.assert_allclose(ivt.velocities(moving, window), 50.0)


def test_velocity_is_between_means_of_half_windows():
    x = [0, 0, 0, 1, 1, 1]  # a jump of one degree at 100 Hz
    step = track(np.arange(6) * 10.0, x, period=10)
    # One sample a side: only the step itself. Two a side: half the jump one step away from it.
    np.testing.assert_allclose(ivt.velocities(step, 20), [0, 0, 100, 0, 0])
    np.testing.assert_allclose(ivt.velocities(step, 40), [0, 25, 50, 25, 0])


def test_velocity_between_blocks_is_infinite_and_of_a_repeated_sample_zero():
    found = ivt.velocities(track([0, 1, 1, 2, 50, 51], [0, 0, 0, 0, 0, 0]), 2)
    assert found.tolist() == [0, 0, 0, math.inf, 0]


def test_velocity_keeps_its_precision_in_a_long_recording_late_on_the_clock():
    t = 1.7e12 + np.arange(500_000.0)
    x = 0.01 * (t - t[0])  # 10 degrees per second
    np.testing.assert_allclose(ivt.velocities(track(t, x), 20), 10.0, rtol=1e-3)


def test_slow_steps_join_samples():
    x = [0, 0, 0, 9, 18, 18, 18, 27]
    assert pairs_of(ivt.find_runs(track(np.arange(8) * 10.0, x, period=10), 30, 20)) == [(0, 2), (4, 6)]


def slow_idt(t, x, y, limit, least, period) -> list[tuple[int, int]]:
    """The method as its authors wrote it, for one block."""

    def spread(a: int, b: int) -> float:
        return max(x[a : b + 1]) - min(x[a : b + 1]) + max(y[a : b + 1]) - min(y[a : b + 1])

    found, first = [], 0
    while first < len(t):
        last = first
        while last < len(t) and t[last] - t[first] + period < least - 1e-9:
            last += 1
        if last >= len(t):
            break
        if spread(first, last) > limit:
            first += 1
            continue
        while last + 1 < len(t) and spread(first, last + 1) <= limit:
            last += 1
        found.append((first, last))
        first = last + 1
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([30, 100, 205]), st.floats(0.2, 3))
def test_dispersion_is_as_the_plain_version(seed: int, least: float, limit: float):
    random = np.random.default_rng(seed)
    n = 400
    t = np.cumsum(random.choice([9.0, 10.0, 11.0], n))
    x = np.repeat(random.normal(0, 2, 40), 10) + random.normal(0, 0.1, n)
    y = np.repeat(random.normal(0, 2, 20), 20) + random.normal(0, 0.1, n)
    found = idt.find_runs(track(t, x, y, period=10, max_gap=50), limit, least)
    assert pairs_of(found) == slow_idt(t, x, y, limit, least, 10)


def test_dispersion_windows_stay_within_their_block():
    t = np.arange(60) * 10.0
    series = np.repeat([0, 1], 30)
    found = idt.find_runs(track(t, np.zeros(60), series=series, period=10), 1.0, 100)
    assert pairs_of(found) == [(0, 29), (30, 59)]
    assert len(idt.find_runs(track(t[:9], np.zeros(9), period=10), 1.0, 100)) == 0


def test_a_window_holds_its_first_sample_where_times_repeat():
    t = [0, 0, 0, 10, 20, 20, 30]
    assert pairs_of(idt.find_runs(track(t, np.zeros(7), period=10), 1.0, 0)) == [(0, 6)]


def test_a_long_still_recording_is_one_fixation():
    n = 200_000
    found = idt.find_runs(track(np.arange(n), np.zeros(n)), 1.0, 100)
    assert pairs_of(found) == [(0, n - 1)]


def test_neighbours_merge_when_close_in_time_and_place():
    t = np.arange(12) * 10.0
    x = [0, 0, 0, 5, 0.2, 0.2, 5, 5, 5, 0.4, 0.4, 0.4]
    at = DetectionSettings("ivt", merge_gap_ms=20, merge_distance_deg=0.3).at(100)
    whole = track(t, x, period=10)
    # 10 ms and 0.2 degrees apart: one. 30 ms apart: two.
    assert pairs_of(merged(whole, runs((0, 2), (4, 5), (9, 11)), at)) == [(0, 5), (9, 11)]
    far = DetectionSettings("ivt", merge_gap_ms=20, merge_distance_deg=0.1).at(100)
    assert len(merged(whole, runs((0, 2), (4, 5), (9, 11)), far)) == 3
    never = DetectionSettings("ivt", merge_gap_ms=0).at(100)
    assert len(merged(whole, runs((0, 2), (4, 5)), never)) == 2


def test_nothing_merges_across_lost_data():
    t = np.r_[np.arange(5) * 10.0, 100 + np.arange(5) * 10.0]
    at = DetectionSettings("ivt", merge_gap_ms=500, merge_distance_deg=1).at(100)
    assert len(merged(track(t, np.zeros(10), period=10, max_gap=40), runs((0, 4), (5, 9)), at)) == 2
    assert len(merged(track(t, np.zeros(10), period=10, max_gap=60), runs((0, 4), (5, 9)), at)) == 1


def test_means_and_durations():
    whole = track(np.arange(6) * 4.0, [1, 2, 3, 4, 5, 60], period=4)
    chosen = runs((0, 2), (3, 3), (4, 5))
    assert means(whole.x, chosen).tolist() == [2, 4, 32.5]
    assert durations(whole, chosen).tolist() == [12, 4, 8]
    assert pairs_of(long_enough(whole, chosen, 8)) == [(0, 2), (4, 5)]


def test_a_duration_of_rounded_periods_is_long_enough():
    t = np.arange(4) * (1000 / 60)
    assert len(long_enough(track(t, np.zeros(4), period=1000 / 60), runs((0, 2)), 50)) == 1


@pytest.mark.parametrize(
    ("rate", "noise", "window"),
    [
        (1000, 0.0, 20),
        (250, 0.0, 20),
        (60, 0.0, 2000 / 60),
        (1000, 5.0, 40),
        (250, 5.0, 40),
        (30, 5.0, 2000 / 30),
    ],
)
def test_the_window_of_the_velocity_follows_the_noise(rate: float, noise: float, window: float):
    assert window_ms(rate, noise, 30.0) == pytest.approx(window)


def test_the_window_is_just_long_enough():
    # 0.1 deg at 250 Hz: 2 samples a side make 12.5 deg/s, 3 make 6.8; a quarter of 30 is 7.5.
    assert window_ms(250, 0.1, 30.0) == pytest.approx(24)
