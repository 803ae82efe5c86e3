"""Tobii Studio's exports: fixations, all data, and the log of events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, tobii_studio
from gazeapp.engine.gaze.records import BROKEN_LINE, Contents, Eye, Why
from gazeapp.engine.gaze.source import Source

PREAMBLE = """Data properties:

Recording date: 27/09/2011
Subject: P7
Recording: Rec 9
Screen resolution: 1280 x 1024

Filter settings:

Eye: Average
Fixation radius: 35

"""
FIXATIONS = """FixationIndex\tTimestamp\tFixationDuration\tMappedFixationPointX\tMappedFixationPointY\t
12\t26\t633\t513\t518\t
13\t659\t849\t-1\t527\t
15\t1508\t350\t1469\t-559\t
"""
ALL_COLUMNS = (
    "Timestamp",
    "Number",
    "GazePointXLeft",
    "GazePointYLeft",
    "ValidityLeft",
    "GazePointXRight",
    "GazePointYRight",
    "ValidityRight",
    "FixationIndex",
    "Event",
    "EventKey",
    "StimuliName",
    "MediaWidth",
    "MediaHeight",
    "MediaPosX",
    "MediaPosY",
    "MappedFixationPointX",
    "MappedFixationPointY",
    "FixationDuration",
    "",
)
ALL_DATA = (
    "\t".join(ALL_COLUMNS)
    + """
0\t\t\t\t\t\t\t\t\tScreenRecStarted\t8192\t\t\t\t\t\t\t\t\t
100\t1\t510\t400\t0\t520\t402\t0\t1\t\t\ta.png\t800\t600\t240\t212\t275\t190\t50\t
117\t2\t510\t400\t0\t-1\t-1\t4\t1\t\t\ta.png\t800\t600\t240\t212\t275\t190\t50\t
133\t3\t-1280\t-1024\t4\t-1280\t-1024\t4\t\t\t\ta.png\t800\t600\t240\t212\t\t\t\t
150\t4\t610\t300\t1\t620\t302\t0\t2\t\t\ta.png\t800\t600\t240\t212\t375\t90\t17\t
"""
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, samples: bool = False) -> Contents:
    return tobii_studio.read(Source(path), ReadOptions(samples=samples))


def test_fixations_keep_their_numbers_and_positions_off_the_screen(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "f.tsv", PREAMBLE + FIXATIONS))
    (trial,) = contents.trials
    assert (trial.subject, trial.image, trial.label) == ("P7", "", "Rec 9")
    table = contents.fixations
    assert table.index.tolist() == [12, 13, 15]
    assert table.x.tolist() == [513, -1, 1469]
    assert table.y.tolist() == [518, 527, -559]
    assert table.start_ms.tolist() == [26, 659, 1508]
    assert table.duration_ms.tolist() == [633, 849, 350]
    assert set(table.eye.tolist()) == {Eye.AVERAGE}
    assert contents.facts.screen == (1280.0, 1024.0)
    assert contents.facts.eyes == ("average",)


def test_a_line_cut_short_is_counted_or_has_no_position(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "f.tsv", PREAMBLE + FIXATIONS + "16\t1900\t100\t6"))
    assert contents.fixations.unusable.tolist() == [0, 0, 0, Why.NO_POSITION]
    assert read(write(tmp_path / "g.tsv", PREAMBLE + FIXATIONS + "16")).facts.lost_rows == {BROKEN_LINE: 1}


def test_equal_numbers_in_a_table_of_fixations_are_two_fixations(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "f.tsv", PREAMBLE + FIXATIONS + "12\t9000\t80\t1\t2\t\n"))
    assert len(contents.fixations) == 4


def test_all_data_has_each_fixation_once_and_puts_it_on_the_screen(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "a.tsv", PREAMBLE + ALL_DATA))
    (trial,) = contents.trials
    assert trial.image == "a.png"
    assert trial.placement is not None
    assert (trial.placement.x, trial.placement.width) == (240, 800)
    assert contents.fixations.x.tolist() == [275 + 240, 375 + 240]
    assert contents.fixations.y.tolist() == [190 + 212, 90 + 212]
    assert contents.fixations.start_ms.tolist() == [100, 150]
    assert contents.fixations.duration_ms.tolist() == [50, 17]
    assert contents.samples is None
    assert "Rows of events such as clicks, which hold no gaze: 1." in contents.facts.notes


def test_samples_of_all_data_are_lost_at_sentinels(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "a.tsv", PREAMBLE + ALL_DATA), samples=True)
    samples = contents.samples
    assert samples is not None
    assert len(samples) == 8 == contents.facts.n_samples
    left, right = (samples.part(samples.eye == eye) for eye in (Eye.LEFT, Eye.RIGHT))
    np.testing.assert_array_equal(left.x, [510, 510, np.nan, 610])
    np.testing.assert_array_equal(right.x, [520, np.nan, np.nan, 620])
    assert left.t_ms.tolist() == [100, 117, 133, 150]


def test_a_log_of_events_is_refused_with_what_to_take(tmp_path: Path) -> None:
    text = (
        PREAMBLE
        + "Timestamp\tEvent\tEventKey\tData1\tData2\tDescriptor\t\n0\tScreenRecStarted\t8192\t0\t0\t\t\n"
    )
    path = write(tmp_path / "Event-Data.tsv", text)
    guess = tobii_studio.recognise(Source(path))
    assert guess is not None
    assert guess.confidence > 0.9
    with pytest.raises(GazeError, match="Fixation-Data"):
        read(path)


def test_told_by_preamble_and_columns(tmp_path: Path) -> None:
    guess = tobii_studio.recognise(Source(write(tmp_path / "x", PREAMBLE + FIXATIONS)))
    assert guess is not None
    assert guess.confidence == pytest.approx(0.97)
    assert (
        tobii_studio.recognise(Source(write(tmp_path / "y", "Timestamp\tEvent\tEventKey\n1\t2\t3\n"))) is None
    )
