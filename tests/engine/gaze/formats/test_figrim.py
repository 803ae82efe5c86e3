"""FIGRIM's MATLAB file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, figrim
from gazeapp.engine.gaze.formats.collect import NOT_TWO_COORDINATES
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.source import Source

NOTHING = np.zeros((0, 0))
IMAGES = {
    "zebra.jpg": [
        {"enc": [[1.0, 2.0], [500.5, 600.5]], "rec": [[3.0, 4.0]], "rec2": NOTHING},
        {"enc": NOTHING, "rec": NOTHING, "rec2": NOTHING},
    ],
    "alley.jpg": [
        {"enc": [[-5.0, 1001.0]], "rec": NOTHING, "rec2": [[9.0, 8.0], [7.0, 6.0]]},
        {"enc": [[10.0, 11.0]], "rec": NOTHING, "rec2": NOTHING},
    ],
}


def write(path: Path, images: dict[str, list[dict[str, object]]]) -> Path:
    table = np.empty((1, len(images)), dtype=[("filename", "O"), ("category", "O"), ("userdata", "O")])
    for k, (name, subjects) in enumerate(images.items()):
        users = np.empty((1, len(subjects)), dtype=[("trial", "O"), ("fixations", "O")])
        for n, fixations in enumerate(subjects):
            users[0, n] = (n, fixations)
        table[0, k] = (name, "street", users)
    savemat(path, {"allImages": table}, do_compression=True)
    return path


def test_looks_are_trials_with_a_task_of_their_own(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "f.mat", IMAGES))
    assert recording.format == "figrim"
    found = {
        (t.image, t.subject, t.label, t.task): np.column_stack(
            [recording.fixations_of(t).x, recording.fixations_of(t).y]
        ).tolist()
        for t in recording.trials
    }
    assert found == {
        ("zebra.jpg", "s01", "enc", "memory: first look"): [[1, 2], [500.5, 600.5]],
        ("zebra.jpg", "s01", "rec", "memory: first repeat"): [[3, 4]],
        ("alley.jpg", "s01", "enc", "memory: first look"): [[-5, 1001]],
        ("alley.jpg", "s01", "rec2", "memory: second repeat"): [[9, 8], [7, 6]],
        ("alley.jpg", "s02", "enc", "memory: first look"): [[10, 11]],
    }
    assert recording.facts.lost_rows == {}
    assert np.isnan(recording.fixations.duration_ms).all()


def test_positions_of_one_column_are_counted(tmp_path: Path) -> None:
    odd = {"enc": [[1.0], [2.0]], "rec": NOTHING, "rec2": NOTHING}
    contents = figrim.read(Source(write(tmp_path / "f.mat", {**IMAGES, "c.jpg": [odd]})), ReadOptions())
    assert contents.facts.lost_rows == {NOT_TWO_COORDINATES: 1}


def test_other_variables_are_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "f.mat", {"allImages": 1.0})
    assert figrim.recognise(Source(tmp_path / "f.mat")) is None
    with pytest.raises(GazeError, match="FIGRIM"):
        figrim.read(Source(tmp_path / "f.mat"), ReadOptions())
