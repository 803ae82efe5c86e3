"""Fixation reports of Data Viewer: whichever columns the user chose."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.records import Eye, Frame, Why

COLUMNS = (
    "RECORDING_SESSION_LABEL", "TRIAL_INDEX", "EYE_USED", "CURRENT_FIX_INDEX", "CURRENT_FIX_X",
    "CURRENT_FIX_Y", "CURRENT_FIX_START", "CURRENT_FIX_END", "CURRENT_FIX_DURATION",
    "CURRENT_FIX_INTEREST_AREA_LABEL", "image",
)  # fmt: skip
ROWS = (
    ("s01", "1", "RIGHT", "1", "512,30", "384,00", "-40", "210", "252", ".", "a.jpg"),
    ("s01", "1", "RIGHT", "2", "892,10", "-12,5", "260", "460", "202", "face", "a.jpg"),
    ("s01", "1", "RIGHT", "3", ".", ".", "500", "600", "102", ".", "a.jpg"),
    ("s01", "2", "LEFT", "1", "1500", "20", "10", "110", "102", ".", "UNDEFINED"),
)


def write(folder, columns=COLUMNS, rows=ROWS, delimiter="\t", encoding="utf-8"):
    path = folder / "report.xls"
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    lines = [delimiter.join(row) for row in (columns, *quoted)]
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


def without(*names):
    kept = [place for place, name in enumerate(COLUMNS) if name not in names]
    return [COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in ROWS]


@pytest.mark.parametrize("delimiter", ["\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_report_with_decimal_commas(tmp_path, delimiter, encoding):
    recording = read_recording(write(tmp_path, delimiter=delimiter, encoding=encoding))
    assert (recording.format, recording.confidence) == ("data-viewer", 0.95)
    assert recording.facts.frame == Frame(of="screen", unit="px")
    assert [(t.subject, t.label, t.image) for t in recording.trials] == [
        ("s01", "1", "a.jpg"),
        ("s01", "2", ""),
    ]
    table = recording.fixations_of(recording.trials[0])
    assert table.index.tolist() == [1, 2, 3]
    assert table.x[:2].tolist() == [512.3, 892.1]
    assert table.y[:2].tolist() == [384.0, -12.5]
    assert table.start_ms.tolist() == [-40.0, 260.0, 500.0]
    # The report's own duration, which counts the last sample, not end - start.
    assert table.duration_ms.tolist() == [252.0, 202.0, 102.0]
    assert table.unusable.tolist() == [0, 0, Why.NO_POSITION]
    assert recording.facts.eyes == ("left", "right")
    assert recording.fixations.eye.tolist() == [Eye.RIGHT] * 3 + [Eye.LEFT]
    assert recording.facts.lost_rows == {}


def test_only_label_and_position_are_needed(tmp_path):
    keep = {"RECORDING_SESSION_LABEL", "CURRENT_FIX_X", "CURRENT_FIX_Y"}
    recording = read_recording(write(tmp_path, *without(*(set(COLUMNS) - keep))))
    (trial,) = recording.trials
    assert (trial.subject, trial.image, trial.label) == ("s01", "", "")
    assert recording.fixations.index.tolist() == [1, 2, 3, 4]
    assert math.isnan(recording.fixations.duration_ms[0])
    assert "No column names images" in recording.facts.notes[0]


def test_without_a_label_the_file_names_the_subject(tmp_path):
    recording = read_recording(write(tmp_path, *without("RECORDING_SESSION_LABEL", "CURRENT_FIX_DURATION")))
    assert recording.subjects == ("report",)
    assert recording.fixations.duration_ms.tolist() == [250.0, 200.0, 100.0, 100.0]


def test_a_variable_of_any_name_whose_cells_are_image_files_names_the_image(tmp_path):
    columns = ["hintergrund" if name == "image" else name for name in COLUMNS]
    recording = read_recording(write(tmp_path, columns))
    assert recording.trials[0].image == "a.jpg"
    assert "'hintergrund'" in recording.facts.notes[0]


def test_a_report_without_positions_says_what_to_add(tmp_path):
    with pytest.raises(GazeError, match="no column CURRENT_FIX_Y") as caught:
        read_recording(write(tmp_path, *without("CURRENT_FIX_Y")))
    assert "Data Viewer" in caught.value.todo


def test_another_table_is_no_fixation_report(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("image,subject,x,y\na,s,1,2\n")
    assert read_recording(path).format == "csv"
    with pytest.raises(GazeError, match="no fixation report"):
        read_recording(path, "data-viewer")


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(len(COLUMNS))), st.integers(0, 400))
def test_shuffled_columns_and_cut_files(tmp_path_factory, order, cut):
    columns, rows = [COLUMNS[place] for place in order], [[row[place] for place in order] for row in ROWS]
    path = write(tmp_path_factory.mktemp("report"), columns, rows)
    whole = read_recording(path, "data-viewer")
    assert whole.fixations.x[[0, 1, 3]].tolist() == [512.3, 892.1, 1500.0]
    path.write_bytes(path.read_bytes()[:cut])
    part = _outcome(path)
    if isinstance(part, GazeError):
        assert str(path) in part.where
    else:
        assert len(part.fixations) + sum(part.facts.lost_rows.values()) <= len(ROWS)


def _outcome(path):
    try:
        return read_recording(path, "data-viewer")
    except GazeError as error:
        return error
