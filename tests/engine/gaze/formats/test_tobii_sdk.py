"""Samples of Tobii's SDK, old and new column names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.gaze.formats import ReadOptions, tobii_sdk
from gazeapp.engine.gaze.records import Eye, Frame
from gazeapp.engine.gaze.source import Source


def test_old_names_lose_gaze_where_it_is_not_valid(tmp_path: Path) -> None:
    head = "Time\tLGazePos2dx\tLGazePos2dy\tLValidity\tRGazePos2dx\tRGazePos2dy\tRValidity\tRelTimestamp\n"
    lines = [
        "2619771723\t-1.0\t-1.0\t4\t0.5\t0.25\t0\t0.0",
        "2619775056\t0.25\t0.75\t0\t0.5\t0.25\t4\t3.3",
        "2619778389\t1.25\t-0.5\t0\t-1.0\t-1.0\t0\t6.7",
    ]
    path = tmp_path / "p1_1.tsv"
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    guess = tobii_sdk.recognise(Source(path))
    assert guess is not None
    assert guess.confidence == pytest.approx(0.95)
    contents = tobii_sdk.read(Source(path), ReadOptions())
    assert contents.facts.frame == Frame(of="screen", unit="share")
    assert len(contents.fixations) == 0
    samples = contents.samples
    assert samples is not None
    left, right = (samples.part(samples.eye == eye) for eye in (Eye.LEFT, Eye.RIGHT))
    np.testing.assert_array_equal(left.x, [np.nan, 0.25, 1.25])
    np.testing.assert_array_equal(right.y, [0.25, np.nan, np.nan])
    np.testing.assert_allclose(left.t_ms, [2619771.723, 2619775.056, 2619778.389])
    (trial,) = contents.trials
    assert (trial.subject, trial.sample_rows) == ("p1_1", slice(0, 6))
    assert trial.quality["share_lost"] == pytest.approx(1 / 3)  # of the better recorded eye, the left
    assert contents.facts.rate_hz == pytest.approx(300, abs=0.1)


def test_new_names(tmp_path: Path) -> None:
    names = [f"{eye}_gaze_point_{what}" for eye in ("left", "right") for what in
             ("on_display_area_x", "on_display_area_y", "validity")]  # fmt: skip
    path = tmp_path / "rec.csv"
    lines = [",".join(["device_time_stamp", *names]), "1000,0.1,0.2,1,nan,nan,0", "5000,0.3,0.4,0,0.5,0.6,1"]
    path.write_text("\n".join(lines), encoding="utf-8")
    samples = tobii_sdk.read(Source(path), ReadOptions()).samples
    assert samples is not None
    np.testing.assert_array_equal(samples.x, [0.1, np.nan, np.nan, 0.5])
    assert samples.t_ms.tolist() == [1, 5, 1, 5]
