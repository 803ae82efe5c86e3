"""MIT1003's samples, one MATLAB file per subject and image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ReadOptions, mit1003
from gazeapp.engine.gaze.formats.collect import UNREADABLE
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.source import Source

LONG = "i" + "0123456789" * 7


def write(path: Path, positions: list[list[float]], image: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"eyeData": np.array(positions, dtype=float)}
    content = {"DATA": data} if image is None else {"DATA": data, "imgName": image}
    # MATLAB cuts names of variables to 63 characters; scipy to 31, unless asked.
    savemat(path, {path.stem[:63]: content}, long_field_names=True)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "DATA/ajs/i1.mat", [[100, 200], [-1, -1], [102, 203]], "i1.jpeg")
    write(tmp_path / "DATA/ajs" / f"{LONG}.mat", [[5, 6]])
    write(tmp_path / "DATA/hp/i1.mat", [[1024, 700], [1030, 10]], "i1.jpeg")
    return tmp_path / "DATA"


def test_samples_stand_by_subject_and_image(folder: Path) -> None:
    recording = read_recording(folder)
    assert recording.format == "mit1003"
    assert [(t.subject, t.image) for t in recording.trials] == [
        ("ajs", f"{LONG}.jpeg"),
        ("ajs", "i1.jpeg"),
        ("hp", "i1.jpeg"),
    ]
    samples = recording.contents.samples
    assert samples is not None
    second = samples.part(recording.trials[1].sample_rows)
    np.testing.assert_allclose(second.t_ms, [0, 1000 / 240, 2000 / 240])
    np.testing.assert_array_equal(second.x, [100, np.nan, 102])
    np.testing.assert_array_equal(second.y, [200, np.nan, 203])
    assert recording.trials[1].quality["share_lost"] == pytest.approx(1 / 3)
    assert samples.part(recording.trials[2].sample_rows).x.tolist() == [1024, 1030]
    assert (recording.facts.rate_hz, recording.facts.n_samples) == (240.0, 6)
    assert len(recording.fixations) == 0


def test_a_folder_full_of_images_beside_the_data_does_not_hide_them(folder: Path) -> None:
    (folder.parent / "ALLSTIMULI").mkdir()
    for k in range(600):
        (folder.parent / "ALLSTIMULI" / f"i{k}.jpeg").touch()
    assert len(read_recording(folder.parent).trials) == 3


def test_one_file_is_one_trial_of_the_subject_of_its_folder(folder: Path) -> None:
    recording = read_recording(folder / "hp/i1.mat")
    assert [(t.subject, t.image) for t in recording.trials] == [("hp", "i1.jpeg")]


def test_a_bad_file_is_counted_and_named(folder: Path) -> None:
    (folder / "hp/i1.mat").write_bytes(b"nothing")
    contents = mit1003.read(Source(folder), ReadOptions())
    assert len(contents.trials) == 2
    assert contents.facts.lost_rows == {UNREADABLE: 1}


def test_a_structure_without_eye_data_is_a_sentence(tmp_path: Path) -> None:
    savemat(tmp_path / "x.mat", {"x": {"DATA": 1.0}})
    assert mit1003.recognise(Source(tmp_path / "x.mat")) is None
    with pytest.raises(GazeError, match="eye data"):
        mit1003.read(Source(tmp_path / "x.mat"), ReadOptions())
