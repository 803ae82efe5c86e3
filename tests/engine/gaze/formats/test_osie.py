"""OSIE's MATLAB file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, osie
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.records import IMAGE, Why
from gazeapp.engine.gaze.source import Source

TRUTH = {
    ("1001.jpg", "s01"): ([1.2, 400.5, 799.2], [1.5, 300.0, 599.2], [120.0, 300.0, 80.0]),
    ("1001.jpg", "s02"): ([], [], []),
    ("1002.jpg", "s01"): ([-12.5], [610.0], [210.0]),
    ("1002.jpg", "s02"): ([20.0, 30.0], [40.0, np.nan], [50.0, 60.0]),
}


def cell(values: list[object]) -> np.ndarray:
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = values
    return array


def looks(x: list[float], y: list[float], duration: list[float]) -> dict[str, object]:
    return {"fix_x": [x], "fix_y": [y], "fix_duration": [duration]}


def write(path: Path, truth: dict[tuple[str, str], tuple[list[float], ...]], packed: bool = True) -> Path:
    images = []
    for image in dict.fromkeys(name for name, _ in truth):
        subjects = [looks(*columns) for (name, _), columns in truth.items() if name == image]
        images.append({"img": image, "subjects": cell(subjects)})
    savemat(path, {"fixations": cell(images)}, do_compression=packed)
    return path


@pytest.mark.parametrize("packed", [True, False])
def test_every_number_is_that_of_the_file(tmp_path: Path, packed: bool) -> None:
    path = write(tmp_path / "anything.bin", TRUTH, packed)
    recording = read_recording(path)
    assert recording.format == "osie"
    assert recording.confidence > 0.9
    assert {(trial.image, trial.subject) for trial in recording.trials} == set(TRUTH)
    for trial in recording.trials:
        table = recording.fixations_of(trial)
        x, y, duration = TRUTH[trial.image, trial.subject]
        np.testing.assert_array_equal(table.x, x)
        np.testing.assert_array_equal(table.y, y)
        np.testing.assert_array_equal(table.duration_ms, duration)
        np.testing.assert_array_equal(table.index, np.arange(1, len(x) + 1))
        assert np.isnan(table.start_ms).all()
    assert recording.facts.frame.of == IMAGE
    assert recording.facts.lost_rows == {}
    assert list(recording.fixations.unusable) == [0, 0, 0, 0, 0, Why.NO_POSITION]
    assert any("counts pixels from 1" in note for note in recording.facts.notes)


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    plain = write(tmp_path / "fixations.mat", TRUTH)
    packed = tmp_path / "fixations.mat.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(read_recording(packed).fixations) == 6


def test_one_image_of_one_subject_is_no_special_case(tmp_path: Path) -> None:
    path = write(tmp_path / "one.mat", {("a.jpg", "s01"): ([5.0], [6.0], [7.0])})
    contents = osie.read(Source(path), ReadOptions())
    assert [(t.image, t.subject, t.rows) for t in contents.trials] == [("a.jpg", "s01", slice(0, 1))]


def test_a_scanpath_with_more_x_than_y_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.mat", {**TRUTH, ("1002.jpg", "s03"): ([1.0, 2.0], [3.0], [4.0])})
    contents = osie.read(Source(path), ReadOptions())
    assert len(contents.trials) == 4
    assert contents.facts.lost_rows == {NOT_TWO_COORDINATES: 1}


def test_durations_that_do_not_fit_are_unknown(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.mat", {("a.jpg", "s01"): ([1.0, 2.0], [3.0, 4.0], [5.0])})
    assert np.isnan(osie.read(Source(path), ReadOptions()).fixations.duration_ms).all()


def test_another_cell_of_that_name_is_not_osie(tmp_path: Path) -> None:
    path = tmp_path / "other.mat"
    savemat(path, {"fixations": cell([{"a": 1.0}])})
    assert osie.recognise(Source(path)) is None
    with pytest.raises(GazeError, match="layout of OSIE"):
        osie.read(Source(path), ReadOptions())
