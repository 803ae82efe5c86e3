"""SMI BeGaze's events: the old text and the newer table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, smi
from gazeapp.engine.gaze.records import BROKEN_LINE, Contents, Eye, Why
from gazeapp.engine.gaze.source import Source

HEAD = """[BeGaze]
Converted from:\tC:\\study\\S07.idf
Version:\tBeGaze 3.5.90
Sample Rate:\t120
Subject:\tS07
Stimulus:\tfallback.png

Table Header for Fixations:
Event Type,Trial,Number,Start,End,Duration,Location X,Location Y,Dispersion X,Dispersion Y,AOI hit,Image

Table Header for Blinks:
Event Type,Trial,Number,Start,End,Duration

"""
EVENTS = """UserEvent,1,1,1000000,# Message: "quoted, and with a comma
UserEvent,1,2,1000500,# Message: beach 2.jpg
Fixation L,1,1,1100000,1341786,241786,951.83,791.40,47,48,-,-
Fixation R,1,1,1100000,1341786,241786,950.00,790.00,47,48,-,-
Blink L,1,1,1400000,1500000,100000
Fixation L,1,2,1600000,1800000,200000,-4.29,-32.67,47,48,-,-
Fixation R,1,2,1600000,1800000,200000,-,-,47,48,-,-
UserEvent,2,3,2000000,# Message: UE-mouseclick left x=964 y=427
Fixation L,2,1,2100000,2200500,100500,10.5,20.5,47,48,-,-
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path) -> Contents:
    return smi.read(Source(path), ReadOptions())


def test_old_text(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "events.txt", HEAD + EVENTS))
    assert [(t.label, t.subject, t.image) for t in contents.trials] == [
        ("1", "S07", "beach 2.jpg"),
        ("2", "S07", "fallback.png"),
    ]
    table = contents.fixations
    assert table.index.tolist() == [1, 1, 2, 2, 1]
    assert table.eye.tolist() == [Eye.LEFT, Eye.RIGHT, Eye.LEFT, Eye.RIGHT, Eye.LEFT]
    assert table.unusable.tolist() == [0, 0, 0, Why.NO_POSITION, 0]
    np.testing.assert_allclose(table.start_ms, [1100, 1100, 1600, 1600, 2100])
    np.testing.assert_allclose(table.duration_ms, [241.786, 241.786, 200, 200, 100.5])
    np.testing.assert_allclose(table.x[[0, 1, 2, 4]], [951.83, 950, -4.29, 10.5])
    assert contents.facts.rate_hz == 120
    assert contents.facts.eyes == ("left", "right")
    assert contents.facts.lost_rows == {}


def test_a_file_cut_short_counts_its_last_line(tmp_path: Path) -> None:
    cut = write(tmp_path / "cut.txt", HEAD + EVENTS + "Fixation R,2,1,21000")
    assert read(cut).facts.lost_rows == {BROKEN_LINE: 1}
    assert read(write(tmp_path / "cut2.txt", HEAD + EVENTS + "Fixa")).facts.lost_rows == {BROKEN_LINE: 1}


def test_no_fixation_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="no fixation"):
        read(write(tmp_path / "none.txt", HEAD))
    with pytest.raises(GazeError, match="None of the 1 lines"):
        read(write(tmp_path / "bad.txt", HEAD + "Fixation L,1,1,x,y\n"))


NEW_COLUMNS = (
    "Trial",
    "Stimulus",
    "Participant",
    "Category",
    "Eye L/R",
    "Index",
    "Event Start Trial Time [ms]",
    "Event End Trial Time [ms]",
    "Event Duration [ms]",
    "Fixation Position X [px]",
    "Fixation Position Y [px]",
    "AOI Name",
)
NEW = (
    "\t".join(NEW_COLUMNS)
    + """
Trial001\tbeach.jpg\tP01\tFixation\tRight\t1\t10,5\t110,5\t100,0\t512,25\t384,5\t-
Trial001\tbeach.jpg\tP01\tSaccade\tRight\t1\t110,5\t130\t19,5\t-\t-\t-
Trial001\tbeach.jpg\tP01\tVisual Intake\tLeft\t1\t12\t112\t100\t-3\t1300\t-
Trial002\tstreet.jpg\tP02\tFixation\tRight\t1\t5\t205\t200\t-\t-\t-
"""
)


def test_new_table(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "new.txt", NEW))
    assert [(t.label, t.subject, t.image) for t in contents.trials] == [
        ("Trial001", "P01", "beach.jpg"),
        ("Trial002", "P02", "street.jpg"),
    ]
    table = contents.fixations
    np.testing.assert_allclose(table.x, [512.25, -3, np.nan])
    np.testing.assert_allclose(table.start_ms, [10.5, 12, 5])
    assert table.eye.tolist() == [Eye.RIGHT, Eye.LEFT, Eye.RIGHT]
    assert table.unusable.tolist() == [0, 0, Why.NO_POSITION]


def test_told_by_titles_and_columns(tmp_path: Path) -> None:
    for text in (HEAD + EVENTS, NEW):
        guess = smi.recognise(Source(write(tmp_path / "any.bin", text)))
        assert guess is not None
        assert guess.confidence >= 0.95
    assert smi.recognise(Source(write(tmp_path / "other.txt", "a,b\n1,2\n"))) is None
