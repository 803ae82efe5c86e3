"""What readers of tables share, each against small cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.records import Eye, Fixations, Samples
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.gaze.tables import (
    Gatherer,
    Key,
    Rows,
    SampleGatherer,
    delimiter_of,
    eyes,
    plain,
    rows_of,
    to_numbers,
)


def source_of(folder, text):
    path = folder / "table.txt"
    path.write_bytes(text.encode())
    return Source(path)


def test_rows_tell_the_line_at_which_they_begin(tmp_path):
    # A form feed ends no line, though Python's splitlines says so.
    source = source_of(tmp_path, 'made\x0cby hand\na,b\n1,2\n"3\n3",4\n\n5,6\n')
    assert source.head_lines[1] == "a,b"
    chunks = list(rows_of(source, ",", 2, chunk=2))
    assert [rows.cells for rows in chunks] == [[["1", "2"], ["3\n3", "4"]], [["5", "6"]]]
    assert [rows.line for rows in chunks] == [3, 6]


def test_an_error_tells_its_line(tmp_path):
    source = source_of(tmp_path, "a,b\n1,2\n" + "x" * 200_000)
    with pytest.raises(GazeError) as caught:
        list(rows_of(source, ",", 1))
    assert caught.value.where.endswith("line 3")


def test_cells_that_a_row_lacks_are_empty():
    rows = Rows(1, [["1", " b "], ["2"], ["3,5", "c", "d"]])
    assert rows.column(1) == ["b", "", "c"]
    assert rows.column(None) == ["", "", ""]
    assert rows.numbers(0, decimal_comma=True).tolist() == [1.0, 2.0, 3.5]
    assert np.isnan(rows.numbers(None)).all()


@pytest.mark.parametrize(
    ("cell", "comma", "value"),
    [
        ("1.5", False, 1.5),
        (" -2 ", False, -2.0),
        ("1e3", False, 1000.0),
        ("1,5", True, 1.5),
        (",5", True, 0.5),
        ("1,5", False, math.nan),
        ("1.000,5", True, math.nan),
        (".", False, math.nan),
        ("", False, math.nan),
        ("inf", False, math.nan),
        ("1e999", False, math.nan),
        ("-", False, math.nan),
    ],
)
def test_numbers(cell, comma, value):
    for cells in ([cell], [cell, "x"]):
        assert to_numbers(cells, comma)[0] == pytest.approx(value, nan_ok=True)


def test_names_delimiters_and_eyes():
    assert [plain(name) for name in ("Fixation X [px]", "fixationX", "Zeit (µs)", "a--b")] == [
        "fixation_x_px",
        "fixation_x",
        "zeit_us",
        "a_b",
    ]
    assert [delimiter_of(line) for line in ("a;b,c;d", "a\tb", "abc")] == [";", "\t", "\t"]
    assert eyes(["L", "right ", "Both", "?", ""]).tolist() == [Eye.LEFT, Eye.RIGHT, Eye.AVERAGE, 0, 0]


def keys(letters):
    return [Key("s" if letter != "-" else "", letter.strip()) for letter in letters]


def test_fixations_are_gathered_by_trial_in_order_of_appearance():
    gatherer = Gatherer(needs_image=True)
    gatherer.add(keys("bab"), Fixations.of(np.array([1.0, 2, 3]), np.zeros(3), index=np.array([5, 1, 7])))
    gatherer.add(
        keys("-a b"), Fixations.of(np.array([4.0, 5, 6, 7]), np.zeros(4), index=np.array([1, 1, 1, 9]))
    )
    trials, table = gatherer.build()
    assert [(trial.image, table.x[trial.rows].tolist()) for trial in trials] == [
        ("b", [1.0, 3.0, 7.0]),
        ("a", [2.0, 5.0]),
    ]
    # The file's numbers where they count up in the trial (b), else 1, 2, ... (a).
    assert table.index.tolist() == [5, 7, 9, 1, 2]
    assert gatherer.lost == {"no subject": 1, "no image name": 1}


def test_rows_that_stand_in_order_are_gathered_alike():
    gatherer = Gatherer()
    gatherer.add(keys("aab"), Fixations.of(np.array([1.0, 2, 3]), np.zeros(3)))
    trials, table = gatherer.build()
    assert [table.x[trial.rows].tolist() for trial in trials] == [[1.0, 2.0], [3.0]]
    assert Gatherer().build()[0] == ()


def test_samples_are_gathered_by_trial_eye_and_time():
    gatherer = SampleGatherer()
    x = np.arange(5.0)
    eye = np.array([Eye.RIGHT, Eye.LEFT, Eye.LEFT, Eye.LEFT, Eye.LEFT], np.int8)
    gatherer.add(keys("aabaa"), Samples(np.array([0.0, 2, 0, 1, 3]), x, x, eye))
    trials, samples = gatherer.build()
    assert [samples.x[trial.sample_rows].tolist() for trial in trials] == [[3.0, 1.0, 4.0, 0.0], [2.0]]
    assert len(SampleGatherer().build()[1]) == 0
