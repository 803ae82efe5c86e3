"""Folders: a file for each image, or files for each subject."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import N_VERTICES
from gazeapp.engine.neural.responses.options import ResponseOptions, Window
from gazeapp.engine.neural.responses.reading import read_responses

MEASURED = ResponseOptions(simulated=False)
RNG = np.random.default_rng(0)


def clips(folder: Path, *names: str, n_rows: int = 6) -> np.ndarray:
    values = RNG.normal(size=(len(names), n_rows, N_VERTICES)).astype(np.float32)
    for name, one in zip(names, values, strict=True):
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, one)
    return values


def test_each_file_is_the_time_course_of_an_image(tmp_path: Path):
    values = clips(tmp_path, "a", "b", "indoor/c")
    (tmp_path / "readme.md").write_text("about")
    (tmp_path / ".hidden.npy").write_bytes(b"x")
    found = read_responses(tmp_path, MEASURED)
    assert found.images == ("a", "b", "indoor/c")
    np.testing.assert_allclose(found.values[0], values[:, 4:].mean(axis=1), atol=1e-6)
    assert found.facts["window"].startswith("4 s to the end")
    first = read_responses(tmp_path, ResponseOptions(False, window=Window(1, 1, in_rows=True)))
    np.testing.assert_array_equal(first.values[0], values[:, 0])


def test_files_that_cannot_be_used_are_told_and_the_rest_goes_on(tmp_path: Path):
    values = clips(tmp_path, "a", "d")
    (tmp_path / "b.npy").write_bytes(b"rubbish")
    np.save(tmp_path / "c.npy", values[0, :3])
    np.save(tmp_path / "e.npy", values[0, :, :100])
    np.save(tmp_path / "f.npy", values[1].T)
    found = read_responses(tmp_path, MEASURED)
    assert found.images == ("a", "d", "f")
    np.testing.assert_array_equal(found.values[0, 1], found.values[0, 2])
    said = " ".join(found.facts["cautions"])
    for words in (
        "b.npy: The file cannot be read",
        "c.npy: The time course has 3 rows",
        "e.npy: The array has 100",
    ):
        assert words in said


def test_folders_of_the_same_files_are_subjects(tmp_path: Path):
    one, two = clips(tmp_path / "anna", "a", "b"), clips(tmp_path / "ben", "a", "c")
    found = read_responses(tmp_path, MEASURED)
    assert (found.subjects, found.images) == (("anna", "ben"), ("a", "b", "c"))
    assert found.n_repeats.tolist() == [[1, 1, 0], [1, 0, 1]]
    np.testing.assert_allclose(found.values[1, 2], two[1, 4:].mean(axis=0), atol=1e-6)
    assert any("each was taken for a subject" in said for said in found.facts["cautions"])
    only = read_responses(tmp_path, ResponseOptions(False, subject="anna"))
    np.testing.assert_allclose(only.values[0], one[:, 4:].mean(axis=1), atol=1e-6)
    images = read_responses(tmp_path, ResponseOptions(False, subject="carl"))
    assert (images.subjects, images.images) == (("carl",), ("anna/a", "anna/b", "ben/a", "ben/c"))


def test_folders_that_are_called_like_subjects_are_subjects(tmp_path: Path):
    clips(tmp_path / "sub-01", "a", "b")
    clips(tmp_path / "sub-02", "c")
    found = read_responses(tmp_path, MEASURED)
    assert (found.subjects, found.images) == (("sub-01", "sub-02"), ("a", "b", "c"))
    assert not [said for said in found.facts["cautions"] if "taken for a subject" in said]


@pytest.mark.parametrize("kind", ["npz", "csv", "npy"])
def test_files_of_subjects_become_one(tmp_path: Path, kind: str):
    width = N_VERTICES if kind == "npy" else 2
    values = RNG.integers(0, 9, size=(3, 2, width)).astype(np.float32) + np.arange(width)
    for k, one in enumerate(values):
        stem = f"betas_sub-{k + 1:02d}"
        if kind == "npz":
            np.savez(tmp_path / f"{stem}.npz", Y=one, image_ids=["a", "b"], roi_names=["V1", "V2"])
        elif kind == "csv":
            rows = "".join(f"{name},{x},{y}\n" for name, (x, y) in zip("ab", one, strict=True))
            (tmp_path / f"{stem}.csv").write_text("image,V1,V2\n" + rows)
        else:
            np.save(tmp_path / f"{stem}.npy", one)
            (tmp_path / "images.txt").write_text("a\nb\n")
    found = read_responses(tmp_path, MEASURED)
    assert (found.subjects, found.images) == (("sub-01", "sub-02", "sub-03"), ("a", "b"))
    np.testing.assert_array_equal(found.values, values)
    only = read_responses(tmp_path, ResponseOptions(False, subject="sub-02"))
    np.testing.assert_array_equal(only.values, values[1:2])


def region_file(folder: Path, name: str, rois: list[str], **more: object) -> None:
    np.savez(folder / name, Y=RNG.normal(size=(2, len(rois))), image_ids=["a", "b"], roi_names=rois, **more)


def test_ceilings_of_each_file_go_to_its_subject(tmp_path: Path):
    region_file(tmp_path, "s1.npz", ["V1", "V2"], noise_ceiling=[0.5, 0.6])
    region_file(tmp_path, "s2.npz", ["V1", "V2"])
    found = read_responses(tmp_path, MEASURED)
    np.testing.assert_allclose(found.ceilings, [[0.5, 0.6], [np.nan, np.nan]], rtol=1e-6)


def test_files_that_do_not_go_together_are_told(tmp_path: Path):
    region_file(tmp_path, "s1.npz", ["V1", "V2"])
    region_file(tmp_path, "s2.npz", ["V2", "V1"])
    with pytest.raises(GazeError, match="another order of the regions"):
        read_responses(tmp_path, MEASURED)
    region_file(tmp_path, "s2.npz", ["V1", "V2"], subjects=["s1"])
    region_file(tmp_path, "s1.npz", ["V1", "V2"], subjects=["s1"])
    with pytest.raises(GazeError, match="responses of the same subject: “s1”"):
        read_responses(tmp_path, MEASURED)
    region_file(tmp_path, "s1.npz", ["V1", "V2"], meta_json=json.dumps({"simulated": True}))
    region_file(tmp_path, "s2.npz", ["V1", "V2"], meta_json=json.dumps({"simulated": False}))
    with pytest.raises(GazeError, match="Some files of the folder say that they are simulated"):
        read_responses(tmp_path)
    clips(tmp_path, "a")
    with pytest.raises(GazeError, match="holds NPY files and NPZ files"):
        read_responses(tmp_path, MEASURED)


def test_a_folder_of_which_one_file_says_that_it_is_simulated_is_simulated(tmp_path: Path):
    region_file(tmp_path, "s1.npz", ["V1", "V2"], meta_json=json.dumps({"source": "TRIBE v2"}))
    region_file(tmp_path, "s2.npz", ["V1", "V2"])
    with pytest.raises(GazeError, match="not imported as measured"):
        read_responses(tmp_path, MEASURED)
    assert read_responses(tmp_path).simulated


def test_no_responses_are_a_sentence(tmp_path: Path):
    with pytest.raises(GazeError, match="holds no responses"):
        read_responses(tmp_path, MEASURED)
    with pytest.raises(GazeError, match="no such file"):
        read_responses(tmp_path / "x.npz", MEASURED)
    (tmp_path / "x.mat").write_bytes(b"x")
    with pytest.raises(GazeError, match=r"kind “\.mat”"):
        read_responses(tmp_path / "x.mat", MEASURED)
