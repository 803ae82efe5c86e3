"""What stands around the optional packages, with packages of the tests' own in their place."""

from __future__ import annotations

import logging
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.detection import DetectionSettings, detect, extras
from gazeapp.engine.gaze.detection.blocks import track_of
from gazeapp.engine.gaze.records import Samples


def samples(n: int, rate: float = 200.0, begin: float = 0.0) -> Samples:
    return Samples(
        begin + np.arange(n) * 1000 / rate, np.full(n, 40.0), np.full(n, 80.0), np.zeros(n, np.int8)
    )


def package(monkeypatch, find) -> list[dict]:
    """Put a package in I2MC's place; return what it is called with."""
    calls: list[dict] = []

    def called(data, options, logging):
        calls.append({"data": data, **options})
        spans = find(data)
        if spans is False:
            return False, None, None
        return {"start": [a for a, _ in spans], "end": [b for _, b in spans]}, None, None

    monkeypatch.setitem(sys.modules, "I2MC", SimpleNamespace(I2MC=called))
    return calls


def found_in(part: Samples, **settings):
    return detect(part, px_per_degree=40, settings=DetectionSettings("i2mc", **settings))


@pytest.mark.parametrize(
    ("method", "module", "name"), [("i2mc", "I2MC", "I2MC"), ("remodnav", "remodnav", "REMoDNaV")]
)
def test_a_missing_package_says_how_to_get_it(monkeypatch, method, module, name):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(GazeError, match=rf"{name} is not installed.*pip install 'gazeapp\[detection\]'"):
        detect(samples(200), px_per_degree=40, settings=DetectionSettings(method))


def test_positions_go_in_as_degrees_on_a_regular_grid_and_come_back_as_read(monkeypatch):
    calls = package(monkeypatch, lambda data: [(0, 99), (120, 199)])
    whole = samples(200)
    holed = whole.part(np.r_[0:50, 53:200])
    found = found_in(holed)
    assert len(calls[0]["data"]["L_X"]) == 200
    assert np.flatnonzero(np.isnan(calls[0]["data"]["L_X"])).tolist() == [50, 51, 52]
    assert calls[0]["data"]["L_X"][0] == 1.0
    assert calls[0]["data"]["L_Y"][0] == 2.0
    assert found.x.tolist() == [40, 40]
    assert found.start_ms.tolist() == [0, 600]
    assert found.duration_ms.tolist() == [500, 400]


def test_its_options_fit_the_rate(monkeypatch):
    calls = package(monkeypatch, lambda data: [])
    found_in(samples(400, 300.2))
    found_in(samples(400, 60))
    assert [call["freq"] for call in calls] == [300, 60]
    assert [call["downsamples"] for call in calls] == [[2, 5, 10], [2, 5, 10]]
    assert [call["downsampFilter"] for call in calls] == [True, False]


def test_a_fixation_across_lost_data_is_two(monkeypatch):
    package(monkeypatch, lambda data: [(0, 199)])
    holed = samples(200).part(np.r_[0:80, 120:200])
    assert found_in(holed).start_ms.tolist() == [0, 600]
    assert found_in(holed, max_gap_ms=200).start_ms.tolist() == [0]


def test_trials_and_long_pauses_are_given_one_by_one(monkeypatch):
    calls = package(monkeypatch, lambda data: [])
    t = np.r_[np.arange(100) * 5.0, 500 + np.arange(100) * 5.0, 90_000 + np.arange(100) * 5.0]
    trial = np.repeat([0, 1, 1], 100)
    whole = track_of(t, np.zeros(300), np.zeros(300), trial, 5.0, 40.0)
    extras.find_runs(whole, DetectionSettings("i2mc").at(200))
    assert [len(call["data"]["L_X"]) for call in calls] == [100, 100, 100]


def test_a_failure_on_some_samples_is_noted_and_on_all_an_error(monkeypatch):
    t = np.r_[np.arange(100) * 5.0, 90_000 + np.arange(100) * 5.0]
    whole = track_of(t, np.r_[np.zeros(100), np.ones(100)], np.zeros(200), np.zeros(200, int), 5.0, 40.0)
    at = DetectionSettings("i2mc").at(200)

    def fails_on_ones(data):
        if data["L_X"][0] == 1:
            raise IndexError("no clusters")
        return [(0, 99)]

    package(monkeypatch, fails_on_ones)
    runs, note = extras.find_runs(whole, at)
    assert (runs.first.tolist(), runs.last.tolist()) == ([0], [99])
    assert note == "I2MC failed on 1 of 2 stretches of samples, which have no fixations: no clusters."

    def fails(data):
        raise IndexError("no clusters")

    package(monkeypatch, fails)
    with pytest.raises(GazeError, match="I2MC could not work on these samples: no clusters"):
        extras.find_runs(whole, at)


def test_giving_up_is_no_fixations(monkeypatch):
    package(monkeypatch, lambda data: False)
    assert len(found_in(samples(200))) == 0


def test_a_package_is_quiet_and_logging_is_as_before(monkeypatch, capsys, caplog):
    def noisy(data):
        print("clustering started")
        warnings.warn("mean of empty slice", stacklevel=1)
        logging.getLogger("package").warning("unusual")
        return []

    package(monkeypatch, noisy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found_in(samples(200))
    assert capsys.readouterr().out == ""
    assert not caplog.records
    logging.getLogger("package").warning("heard")
    assert len(caplog.records) == 1


def test_chance_is_the_same_each_time_and_that_of_others_untouched(monkeypatch):
    drawn = []
    package(monkeypatch, lambda data: drawn.append(np.random.rand()) or [])
    np.random.seed(5)
    expected = np.random.rand(2)
    np.random.seed(5)
    first = np.random.rand()
    found_in(samples(200))
    found_in(samples(200))
    assert drawn[0] == drawn[1]
    assert [first, np.random.rand()] == expected.tolist()


def test_slow_recordings_are_refused():
    with pytest.raises(GazeError, match=r"I2MC needs samples at 60 Hz or more, not 30 Hz"):
        found_in(samples(100, 30))


def test_losses_are_bridged_up_to_a_length():
    nan = np.nan
    grid = np.array([1, nan, 3, nan, nan, nan, 7])
    np.testing.assert_array_equal(extras._bridged(grid, 1), [1, 2, 3, nan, nan, nan, 7])
    np.testing.assert_array_equal(extras._bridged(grid, 3), [1, 2, 3, 4, 5, 6, 7])
