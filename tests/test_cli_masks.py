"""Masks and objects in a terminal: lists, exit codes, JSON, sentences instead of tracebacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for name, size in (("a", (8, 6)), ("b", (16, 12))):
        Image.new("RGB", size).save(tmp_path / "pictures" / f"{name}.png")
    path = tmp_path / "study.gaze"
    assert run("new", path, "--images", tmp_path / "pictures", "--task", "free").exit_code == 0
    return path


@pytest.fixture
def hand(tmp_path: Path) -> Path:
    folder = tmp_path / "hand"
    folder.mkdir()
    values = np.zeros((6, 8), np.uint8)
    values[:, :2] = 255
    Image.fromarray(values).save(folder / "a.png")
    return folder


def library(study: Path) -> dict[str, list[str]]:
    listed = json.loads(run("masks", study, "--json").stdout)
    return {one["name"]: one["images"] for one in listed["library"]}


def test_masks_come_in_are_copied_mirrored_renamed_and_removed(study: Path, hand: Path):
    assert run("import-masks", study, hand).exit_code == 0
    assert library(study) == {"hand": ["a.png"]}
    assert run("copy-mask", study, "hand", "--from", "a").exit_code == 0
    assert run("mirror-mask", study, "hand", "other hand", "--image", "b.png").exit_code == 0
    assert library(study) == {"hand": ["a.png", "b.png"], "other hand": ["b.png"]}
    with Project.open(study) as project:
        image = project.images.by_name("b.png")
        assert image is not None
        mask = project.masks.get("other hand", image.id)
        assert mask is not None
        assert mask.values.sum(axis=0).astype(bool).tolist() == [False] * 12 + [True] * 4
    assert run("rename-mask", study, "other hand", "right hand").exit_code == 0
    assert run("make-mask", study, "top 50%", "--name", "upper half", "--image", "a").exit_code == 0
    assert run("remove-mask", study, "hand", "--image", "a").exit_code == 0
    assert library(study) == {"hand": ["b.png"], "right hand": ["b.png"], "upper half": ["a.png"]}
    removed = run("remove-mask", study, "hand", "--json")
    assert json.loads(removed.stdout)["done"] == 1
    assert set(library(study)) == {"right hand", "upper half"}


@pytest.mark.parametrize("form", ["png", "coco", "labelme"])
def test_masks_leave_and_come_back(study: Path, hand: Path, tmp_path: Path, form: str):
    run("import-masks", study, hand)
    written = run("export-masks", study, "-o", tmp_path / "out", "--format", form, "--mask", "hand", "--json")
    assert written.exit_code == 0
    assert [Path(file).exists() for file in json.loads(written.stdout)["files"]] == [True]
    back = run("import-masks", study, tmp_path / "out", "--json")
    assert (back.exit_code, json.loads(back.stdout)["skipped"]) == (0, 1)


def test_what_did_not_fit_is_told_on_stderr_with_exit_code_one(study: Path, hand: Path):
    Image.fromarray(np.full((5, 5), 255, np.uint8)).save(hand / "b.png")
    result = run("import-masks", study, hand, "--name", "left hand", "--json")
    assert result.exit_code == 1
    assert (json.loads(result.stdout)["done"], json.loads(result.stdout)["failed"]) == (1, 1)
    assert "b.png" in result.stderr
    assert "5 x 5 px, the image 16 x 12 px" in result.stderr
    assert run("import-masks", study, hand, "--name", "left hand", "--placing", "fraction").exit_code == 0
    assert library(study) == {"left hand": ["a.png", "b.png"]}


def test_boxes_become_masks(study: Path, tmp_path: Path):
    (tmp_path / "boxes.csv").write_text("image,label,x,y,width,height\na.png,dog,1,1,2,3\n")
    result = run("import-objects", study, tmp_path / "boxes.csv", "--origin", "by hand", "--json")
    assert (result.exit_code, json.loads(result.stdout)["labels"]) == (0, ["dog"])
    with Project.open(study) as project:
        assert [one.origin for one in project.objects.of_image(1)] == ["by hand"]
    assert "object dog" in run("masks", study).stdout
    assert run("make-mask", study, "object dog", "--name", "the dog", "--image", "a.png").exit_code == 0
    # The other image has no dog.
    assert run("make-mask", study, "object dog", "--name", "the dog").exit_code == 1


def test_the_list_says_what_can_be_written(study: Path, hand: Path):
    assert "The library is empty" in run("masks", study).stdout
    run("import-masks", study, hand)
    said = run("masks", study).stdout
    assert "hand" in said
    assert "On 1 image, 25.0 % of each on average." in said
    assert "left graded" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["import-masks", "nowhere"], "There is no such file or folder."),
        (["import-objects", "nowhere"], "There is no such file or folder."),
        (["export-masks", "-o", "out"], "There are no masks to write."),
        (["make-mask", "lefft", "--name", "x"], "There is no mask 'lefft'. Did you mean 'left'"),
        (["make-mask", "left 130%", "--name", "x"], "asks for 130 %"),
        (["make-mask", "left", "--name", "right"], "means a mask that needs no drawing"),
        (["copy-mask", "hand", "--from", "zzz"], "The project has no image 'zzz'."),
        (["mirror-mask", "hand", "other"], "No image has a mask 'hand'."),
        (["rename-mask", "hand", "other"], "There is no mask 'hand'."),
        (["remove-mask", "hand"], "The library has no mask 'hand'."),
    ],
)
def test_slips_are_a_sentence(study: Path, words: list[str], sentence: str):
    result = run(words[0], study, *words[1:])
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["import-masks", "x.gaze"],
        ["import-masks", "x.gaze", "f", "--placing", "magic"],
        ["export-masks", "x.gaze", "-o", "d", "--format", "svg"],
        ["make-mask", "x.gaze", "left"],
        ["copy-mask", "x.gaze", "hand"],
    ],
)
def test_wrong_usage_is_exit_code_two(words: list[str]):
    assert run(*words).exit_code == 2
