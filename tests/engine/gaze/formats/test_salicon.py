"""SALICON's MATLAB files, one per image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, salicon
from gazeapp.engine.gaze.formats.collect import UNREADABLE
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.source import Source

FIRST = [
    ([[10, 20], [12, 22], [30, 40]], [5, 21, 37], [[11, 21], [30, 40]]),
    ([[1, 1]], [3], [[640, 480]]),
]
SECOND = [([[7, 8], [9, 9]], [30, 10], [[7, 8]])]


def write(path: Path, image: str, subjects: list[tuple[list, list, list]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    gaze = np.empty((len(subjects), 1), dtype=[(n, "O") for n in ("location", "timestamp", "fixations")])
    for k, (location, timestamp, fixations) in enumerate(subjects):
        gaze[k, 0] = (np.array(location), np.array(timestamp)[:, None], np.array(fixations))
    savemat(path, {"image": image, "resolution": [480, 640], "gaze": gaze}, do_compression=True)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "set/train/a.mat", "COCO_train2014_1", FIRST)
    write(tmp_path / "set/train/b.mat", "COCO_train2014_2", SECOND)
    return tmp_path / "set"


def test_one_file_is_one_image(folder: Path) -> None:
    recording = read_recording(folder / "train/a.mat")
    assert recording.format == "salicon"
    assert [(t.image, t.subject) for t in recording.trials] == [
        ("COCO_train2014_1", "s01"),
        ("COCO_train2014_1", "s02"),
    ]
    np.testing.assert_array_equal(recording.fixations.x, [11, 30, 640])
    np.testing.assert_array_equal(recording.fixations.y, [21, 40, 480])
    assert recording.contents.samples is None
    assert any("mouse" in note for note in recording.facts.notes)


def test_a_folder_is_all_its_images_and_its_progress_is_told(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    recording = read_recording(folder, watch=lambda done, total: told.append((done, total)))
    assert [t.image for t in recording.trials] == ["COCO_train2014_1"] * 2 + ["COCO_train2014_2"]
    assert [recording.fixations_of(t).x.tolist() for t in recording.trials] == [[11, 30], [640], [7]]
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_mouse_samples_are_handed_over_when_asked_for(folder: Path) -> None:
    contents = salicon.read(Source(folder), ReadOptions(samples=True))
    assert contents.samples is not None
    last = contents.samples.part(contents.trials[2].sample_rows)
    np.testing.assert_array_equal(last.t_ms, [10, 30])
    np.testing.assert_array_equal(last.x, [9, 7])
    assert contents.facts.n_samples == 6
    assert contents.trials[0].quality["n_samples"] == 3


def test_one_bad_file_does_not_stop_the_others(folder: Path) -> None:
    (folder / "train/a.mat").write_bytes((folder / "train/a.mat").read_bytes()[:200])
    contents = salicon.read(Source(folder), ReadOptions())
    assert [t.image for t in contents.trials] == ["COCO_train2014_2"]
    assert contents.facts.lost_rows == {UNREADABLE: 1}
    assert any(note.startswith("a.mat is left out.") for note in contents.facts.notes)


def test_a_folder_without_gaze_is_a_sentence(tmp_path: Path) -> None:
    savemat(tmp_path / "x.mat", {"gaze": 3.0})
    assert salicon.recognise(Source(tmp_path)) is None
    with pytest.raises(GazeError, match="SALICON"):
        salicon.read(Source(tmp_path), ReadOptions())
