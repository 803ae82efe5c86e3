"""Fixations of a whole recording: eyes, trials, frames, what is not known, and damaged samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.detection import DetectionSettings, detect, detect_contents
from gazeapp.engine.gaze.records import Contents, Eye, Facts, Frame, Samples, Trial, Why, empty_fixations
from tests.engine.gaze.simulated import simulate

nan = math.nan


def still(places, eye=Eye.UNKNOWN, begin=0.0, each_ms=300, period=4.0, jump_ms=0.0) -> Samples:
    """Return samples that stay at places one after the other, without movement between."""
    n = int(each_ms / period)
    x = np.repeat([float(place[0]) for place in places], n)
    y = np.repeat([float(place[1]) for place in places], n)
    t = begin + np.arange(len(x)) * period + np.repeat(np.arange(len(places)) * jump_ms, n)
    return Samples(t, x, y, np.full(len(x), eye, np.int8))


def join(*parts: Samples) -> Samples:
    return Samples(*(np.concatenate([getattr(p, name) for p in parts]) for name in Samples.__slots__))


def recording(*trials: Samples, frame: Frame | None = None, **facts) -> Contents:
    bounds = np.cumsum([0, *(len(part) for part in trials)]).tolist()
    named = tuple(
        Trial(f"t{k}", "s01", f"{k}.png", sample_rows=slice(bounds[k], bounds[k + 1]))
        for k in range(len(trials))
    )
    return Contents(Facts(frame=frame or Frame(), **facts), named, empty_fixations(), join(*trials))


def found_in(contents: Contents, **settings) -> Contents:
    return detect_contents(
        contents, screen=(1000, 500), px_per_degree=40, settings=DetectionSettings(**settings)
    )


def test_positions_times_and_numbers():
    found = detect(still([(100, 200), (300, 200)], Eye.RIGHT, begin=1000), px_per_degree=40)
    assert found.x.tolist() == [100, 300]
    assert found.y.tolist() == [200, 200]
    assert found.start_ms.tolist() == pytest.approx([1000, 1300], abs=12)
    assert found.duration_ms.tolist() == pytest.approx([300, 300], abs=24)
    assert found.index.tolist() == [1, 2]
    assert found.eye.tolist() == [Eye.RIGHT] * 2
    assert found.unusable.tolist() == [Why.USED] * 2


def test_duration_is_from_first_to_last_sample_and_one_period():
    found = detect(still([(100, 200)]), px_per_degree=40)
    assert found.duration_ms.tolist() == [300]


def test_each_trial_has_its_own_fixations():
    contents = found_in(recording(still([(100, 100)]), still([(100, 100), (500, 100)], begin=300.0)))
    assert [trial.rows for trial in contents.trials] == [slice(0, 1), slice(1, 3)]
    assert contents.fixations.index.tolist() == [1, 1, 2]
    # The first place of the second trial goes on where the first trial ended, and is a fixation of its own.
    assert contents.fixations.start_ms[:2].tolist() == [0, 300]


def test_trials_without_samples_have_no_fixations():
    contents = recording(still([(100, 100)]))
    contents = replace(contents, trials=(Trial("empty", "s01"), *contents.trials, Trial("end", "s01")))
    found = found_in(contents)
    assert [trial.rows for trial in found.trials] == [slice(0, 0), slice(0, 1), slice(1, 1)]
    assert "share_lost" not in found.trials[0].quality
    assert found.trials[1].quality["rate_hz"] == pytest.approx(250)


def test_both_eyes_and_their_mean():
    left, right = still([(100, 100)], Eye.LEFT), still([(110, 104)], Eye.RIGHT)
    found = found_in(recording(join(left, right)))
    fixations = found.fixations
    assert fixations.eye.tolist() == [Eye.LEFT, Eye.RIGHT, Eye.AVERAGE]
    assert fixations.x.tolist() == [100, 110, 105]
    assert fixations.y.tolist() == [100, 104, 102]
    assert fixations.index.tolist() == [1, 1, 1]
    assert found.trials[0].rows == slice(0, 3)


def test_without_the_mean():
    both = join(still([(100, 100)], Eye.LEFT), still([(110, 104)], Eye.RIGHT))
    found = detect_contents(recording(both), screen=None, px_per_degree=40, average=False)
    assert found.fixations.eye.tolist() == [Eye.LEFT, Eye.RIGHT]


def test_where_one_eye_is_lost_the_other_stands_for_both():
    left, right = still([(100, 100)], Eye.LEFT), still([(104, 100)], Eye.RIGHT)
    seen = np.arange(len(left)) < 30
    left = replace(left, x=np.where(seen, left.x, nan))
    found = found_in(recording(join(left, right)))
    mean = found.fixations.part(found.fixations.eye == Eye.AVERAGE)
    assert mean.duration_ms.tolist() == [300]
    assert mean.x[0] == pytest.approx((30 * 102 + 45 * 104) / 75)


def test_a_trial_of_one_eye_has_no_mean():
    both = join(still([(100, 100)], Eye.LEFT), still([(110, 104)], Eye.RIGHT))
    found = found_in(recording(both, still([(100, 100)], Eye.LEFT, begin=1000)))
    assert found.fixations.eye[found.trials[1].rows].tolist() == [Eye.LEFT]


def test_samples_out_of_order_are_put_in_order():
    samples = still([(100, 100), (300, 100)])
    shuffled = samples.part(np.random.default_rng(0).permutation(len(samples)))
    one, two = found_in(recording(samples)).fixations, found_in(recording(shuffled)).fixations
    assert one.start_ms.tolist() == two.start_ms.tolist()
    assert one.x.tolist() == two.x.tolist()


def test_shares_of_the_screen_become_degrees_by_its_size():
    truth = simulate(250, seed=1, n_fixations=20)
    samples = truth.samples
    shares = replace(samples, x=samples.x / 1280, y=samples.y / 1024)
    frame = Frame(unit="share")
    in_px = detect_contents(recording(samples), screen=None, px_per_degree=35)
    in_shares = detect_contents(recording(shares, frame=frame), screen=(1280, 1024), px_per_degree=35)
    assert len(in_px.fixations) == 20
    assert in_shares.fixations.start_ms.tolist() == in_px.fixations.start_ms.tolist()
    np.testing.assert_allclose(in_shares.fixations.x * 1280, in_px.fixations.x)
    np.testing.assert_allclose(in_shares.fixations.y * 1024, in_px.fixations.y)


def test_what_has_to_be_known_is_asked_for():
    contents = recording(still([(100, 100)]))
    with pytest.raises(GazeError, match="viewing distance and the width of the screen"):
        detect_contents(contents, screen=(1000, 500), px_per_degree=None)
    with pytest.raises(GazeError, match="must be above 0, not -3"):
        detect_contents(contents, screen=(1000, 500), px_per_degree=-3)
    with pytest.raises(GazeError, match="how large the screen was"):
        detect_contents(replace(contents, facts=Facts(Frame(unit="share"))), screen=None, px_per_degree=40)
    facts = Facts(Frame(of="image", unit="share"))
    with pytest.raises(GazeError, match="shares of an image"):
        detect_contents(replace(contents, facts=facts), screen=(1000, 500), px_per_degree=40)
    with pytest.raises(GazeError, match="no samples"):
        detect_contents(replace(contents, samples=None), screen=None, px_per_degree=40)


def test_the_note_says_how():
    note = found_in(recording(still([(100, 100)]))).facts.notes[-1]
    assert note == (
        "Fixations were found in the samples by I-VT (velocity below 30 deg/s over 20 ms, at least 60 ms, "
        "ended by lost data over 40 ms, merged when within 75 ms and 0.5 deg), at 250 Hz and 40 px per degree."
    )


def test_px_of_the_image_are_told_to_be_taken_as_px_of_the_screen():
    notes = found_in(recording(still([(100, 100)]), frame=Frame(of="image"))).facts.notes
    assert notes[-1] == "Samples are px of the image; each was taken as one px of the screen."


@pytest.mark.parametrize(("period", "name"), [(5.0, "I-VT"), (5.02, "I-VT"), (8.0, "I-DT"), (33.3, "I-DT")])
def test_the_rate_chooses_the_method(period: float, name: str):
    assert name in found_in(recording(still([(100, 100)], period=period))).facts.notes[-1]


def test_too_few_samples_are_told():
    found = found_in(recording(still([(100, 100)], each_ms=4)))
    assert len(found.fixations) == 0
    assert found.facts.notes == ("The recording has too few samples to find fixations in.",)


def test_fixations_that_were_there_are_replaced():
    first = found_in(recording(still([(100, 100), (300, 100)])))
    again = found_in(first)
    assert len(again.fixations) == 2
    assert again.trials[0].rows == slice(0, 2)


def test_bad_settings_are_sentences():
    with pytest.raises(GazeError, match="'saccades' is no method"):
        DetectionSettings("saccades")
    with pytest.raises(GazeError, match="velocity threshold must be above 0"):
        DetectionSettings(velocity_deg_s=0)
    with pytest.raises(GazeError, match="window of the velocity"):
        DetectionSettings(velocity_window_ms=nan)
    with pytest.raises(GazeError, match="minimum duration of a fixation must be 0 ms or more"):
        DetectionSettings(min_duration_ms=-1)


def test_settings_survive_storing():
    chosen = DetectionSettings("idt", dispersion_deg=2, max_gap_ms=75)
    assert DetectionSettings.of(chosen.as_json()) == chosen


numbers = st.one_of(
    st.floats(-2000, 2000), st.just(nan), st.sampled_from([math.inf, -math.inf, 1e308, -1e308, 0.0])
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers, numbers, st.integers(0, 2)), max_size=40),
    st.sampled_from(["auto", "ivt", "idt"]),
    st.integers(0, 40),
)
def test_any_samples_end_in_fixations_or_a_sentence(rows, method, cut):
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    samples = Samples(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.int8))
    try:
        found = found_in(
            recording(samples.part(slice(0, cut)), samples.part(slice(cut, None))), method=method
        )
    except GazeError:
        return
    assert np.isfinite(found.fixations.x).all()
    assert np.isfinite(found.fixations.start_ms).all()
    assert (found.fixations.duration_ms >= 0).all()
