"""Gazepoint's tables of all gaze and of fixations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, gazepoint
from gazeapp.engine.gaze.records import BROKEN_LINE, MORE_CELLS, Contents, Frame, Why
from gazeapp.engine.gaze.source import Source

HEAD = (
    "MEDIA_ID,MEDIA_NAME,CNT,TIME(2021/07/13 15:19:20.178),TIMETICK(f=10000000),"
    "FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV,USER,\n"
)
ROWS = (
    # media, name, time, x, y, start, duration, id, valid
    (0, "a.png", 0.000, 0.40, 0.50, 0.000, 0.017, 1, 1),
    (0, "a.png", 0.017, 0.41, 0.51, 0.000, 0.034, 1, 1),
    (0, "a.png", 0.033, 0.42, 0.52, 0.000, 0.050, 1, 1),
    (0, "a.png", 0.050, 0.90, 0.90, 0.000, 0.050, 1, 0),
    (0, "a.png", 0.067, 2.16, -1.42, 0.067, 0.017, 2, 1),
    (1, "b.png", 0.083, 0.10, 0.20, 0.083, 0.017, 1, 1),
    (1, "b.png", 0.100, 0.80, 0.70, 0.100, 0.017, 2, 0),
    (0, "a.png", 0.117, 0.30, 0.35, 0.117, 0.017, 1, 1),
)


def line(row: tuple[float | str, ...]) -> str:
    media, name, time, x, y, start, duration, number, valid = row
    gaze = f"{x},{y},{valid}"
    return f"{media},{name},1,{time},7,{x},{y},{start},{duration},{number},{valid},{gaze},,\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, samples: bool = False) -> Contents:
    return gazepoint.read(Source(path), ReadOptions(samples=samples))


def test_the_last_valid_row_of_a_number_counts_and_each_look_is_a_trial(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "User 1_all_gaze.csv", HEAD + "".join(map(line, ROWS))))
    assert [(t.subject, t.image, t.label) for t in contents.trials] == [
        ("User 1", "a.png", "0"),
        ("User 1", "b.png", "1"),
        ("User 1", "a.png", "0, look 2"),
    ]
    table = contents.fixations
    assert table.index.tolist() == [1, 2, 1, 2, 1]
    np.testing.assert_allclose(table.x, [0.42, 2.16, 0.10, 0.80, 0.30])
    np.testing.assert_allclose(table.y, [0.52, -1.42, 0.20, 0.70, 0.35])
    np.testing.assert_allclose(table.start_ms, [0, 67, 83, 100, 117])
    np.testing.assert_allclose(table.duration_ms, [50, 17, 17, 17, 17])
    assert table.unusable.tolist() == [0, 0, 0, Why.NOT_VALID, 0]
    assert contents.facts.frame == Frame(of="screen", unit="share")
    assert contents.facts.n_samples == len(ROWS)
    assert contents.samples is None


def test_samples_are_the_best_point_of_gaze(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "s.csv", HEAD + "".join(map(line, ROWS))), samples=True)
    assert contents.samples is not None
    first = contents.samples.part(contents.trials[0].sample_rows)
    np.testing.assert_array_equal(first.x, [0.40, 0.41, 0.42, np.nan, 2.16])
    np.testing.assert_allclose(first.t_ms, [0, 17, 33, 50, 67])
    assert contents.facts.rate_hz == pytest.approx(60, rel=0.02)


def test_a_table_of_fixations_has_no_samples(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[2] in (0.033, 0.067, 0.083)]
    contents = read(write(tmp_path / "User 1_fixations.csv", HEAD + "".join(map(line, rows))))
    assert len(contents.fixations) == 3
    assert contents.facts.n_samples == 0
    assert contents.trials[0].subject == "User 1"


def test_a_row_without_a_number_is_counted(tmp_path: Path) -> None:
    contents = read(write(tmp_path / "cut.csv", HEAD + "".join(map(line, ROWS)) + "0,a.png,1,0.2"))
    assert contents.facts.lost_rows == {BROKEN_LINE: 1}


def test_told_by_its_columns(tmp_path: Path) -> None:
    guess = gazepoint.recognise(Source(write(tmp_path / "x", HEAD + line(ROWS[0]))))
    assert guess is not None
    assert guess.confidence == pytest.approx(0.97)
    assert "FPOGX" in guess.reason


def test_decimal_commas_between_commas_are_counted_not_misread(tmp_path: Path) -> None:
    torn = line(ROWS[4]).replace("2.16", "2,16").replace("0.067", "0,067")
    contents = read(write(tmp_path / "torn.csv", HEAD + "".join(map(line, ROWS[:3])) + torn))
    assert contents.facts.lost_rows == {MORE_CELLS: 1}
    assert len(contents.fixations) == 1
    with pytest.raises(GazeError, match="decimal commas"):
        read(write(tmp_path / "all.csv", HEAD + torn))
