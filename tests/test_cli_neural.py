"""The commands about brain responses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (40, 30)).save(tmp_path / "set" / f"{name}.png")
    assert gazeapp("new", tmp_path / "s.gaze", "--images", tmp_path / "set").exit_code == 0
    (tmp_path / "betas.csv").write_text("image,V1,V2\na,1,2\nb,3,4\n")
    return tmp_path / "s.gaze"


def gazeapp(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_responses_are_imported_listed_and_removed(study: Path, tmp_path: Path):
    path = tmp_path / "betas.csv"
    assert "gazeapp import-responses" in gazeapp("responses", study).output
    asked = gazeapp("import-responses", study, path)
    assert asked.exit_code == 1
    assert "--measured or --simulated" in asked.output
    done = gazeapp("import-responses", study, path, "--measured", "--name", "fMRI", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["done"] == 2
    assert (
        gazeapp("responses", study).stdout
        == "fMRI  measured  2 images  2 regions  no subject named  no ceilings\n"
    )
    listed = json.loads(gazeapp("responses", study, "--json").stdout)
    assert [(one["name"], one["simulated"], one["targets"]) for one in listed] == [("fMRI", False, 2)]
    removed = gazeapp("remove-responses", study, "--name", "fMRI")
    assert (removed.exit_code, "to 2 images are removed" in removed.output) == (0, True)
    assert gazeapp("remove-responses", study, "--name", "fMRI").exit_code == 1


def test_a_dry_run_tells_what_matches_and_stores_nothing(study: Path, tmp_path: Path):
    (tmp_path / "betas.csv").write_text("image,V1,V2\na,1,2\nBB,3,4\n")
    told = gazeapp("import-responses", study, tmp_path / "betas.csv", "--simulated", "--dry-run")
    assert told.exit_code == 0
    assert "a -> a.png" in told.stdout
    assert "1 of 2 names match an image" in told.stdout
    as_json = gazeapp("import-responses", study, tmp_path / "betas.csv", "--dry-run", "--json")
    assert as_json.exit_code == 1
    found = json.loads(as_json.stdout)
    assert (found["matched"][0]["image"], found["simulated"]) == ("a.png", None)
    assert "measured or simulated" in found["error"]
    with Project.open(study) as project:
        assert project.responses.all() == []


def test_one_image_and_one_region_are_said_so(study: Path, tmp_path: Path):
    (tmp_path / "one.csv").write_text("image,V1\na,1\n")
    gazeapp("import-responses", study, tmp_path / "one.csv", "--measured", "--name", "fMRI")
    listed = gazeapp("responses", study).stdout
    assert listed == "fMRI  measured  1 image  1 region  no subject named  no ceilings\n"


def test_windows_are_seconds_or_rows(study: Path, tmp_path: Path):
    values = np.random.default_rng(0).normal(size=(2, 8, 2))
    np.savez(tmp_path / "r.npz", Y=values, image_ids=["a", "b"], roi_names=["V1", "V2"])
    for name, words, rows in (
        ("s", ("--window", "2:6", "--tr", "2"), slice(1, 3)),
        ("r", ("--rows", "3:4"), slice(2, 4)),
        ("d", (), slice(4, 8)),
    ):
        done = gazeapp("import-responses", study, tmp_path / "r.npz", "--simulated", "--name", name, *words)
        assert done.exit_code == 0, done.output
        with Project.open(study) as project:
            found = project.responses.read(name).values[0]
        np.testing.assert_allclose(found, values[:, rows].mean(axis=1), rtol=1e-5)
    done = gazeapp("import-responses", study, tmp_path / "r.npz", "--simulated", "--name", "m", "--repeats")
    assert done.exit_code == 0
    both = gazeapp("import-responses", study, tmp_path / "r.npz", "--window", "1:2", "--rows", "1:2")
    assert (both.exit_code, "not both" in both.output) == (2, True)
    wrong = gazeapp("import-responses", study, tmp_path / "r.npz", "--window", "x")
    assert (wrong.exit_code, "no window of time" in wrong.output) == (1, True)


def test_what_is_written_like_a_file_and_is_none_is_told_as_one(study: Path, tmp_path: Path):
    gazeapp("import-responses", study, tmp_path / "betas.csv", "--measured", "--name", "fMRI")
    for words, sentence in (
        (("--responses", "nothere.npz"), "no file or folder “nothere.npz”, and the project has no responses"),
        (("--responses", "not/here"), "no file or folder “not/here”, and the project has no responses"),
        (("--atlas", "nothere.annot"), "no file or folder “nothere.annot”, and the project has no atlas"),
    ):
        done = gazeapp("neural", study, *words)
        assert (done.exit_code, sentence in done.output) == (1, True), done.output
    done = gazeapp("neural", study, "--responses", "other")
    assert (done.exit_code, "file or folder" in done.output) == (1, False)
