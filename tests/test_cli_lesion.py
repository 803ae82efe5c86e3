"""The command that takes parts of images away."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    for k in range(2):
        picture = rng.integers(0, 255, (32, 48, 3)).astype(np.uint8)
        Image.fromarray(picture).resize((192, 128)).save(tmp_path / f"{k}.png")
    with Project.create(tmp_path / "study.gaze") as project:
        project.tasks.add("general")
        add_images(project, AddImagesSettings((str(tmp_path),)), SILENT)
    return tmp_path / "study.gaze"


def lesion(study: Path, *options: str):
    return CliRunner().invoke(main, ["lesion", str(study), "--model", "cnn-lstm", *options])


def test_a_lesion_is_done_once_and_told(study):
    first = lesion(study, "--mask", "left", "--control", "mirrored", "--control", "none")
    assert first.exit_code == 0, first.output
    assert "lesion: 6 done" in first.stdout
    assert "Loss of the intact caption" in first.stdout
    assert "left · keys · 1" in first.stdout
    assert "no evidence about photographs" in first.stderr
    again = lesion(study, "--mask", "left", "--control", "mirrored", "--control", "none")
    assert "lesion: 0 done, 6 there already" in again.stdout


def test_scripts_get_json_and_a_mask_may_be_a_file(study, tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[:, :9] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / "stripe.png")
    done = lesion(
        study,
        "--mask",
        str(tmp_path / "masks" / "stripe.png"),
        "--control",
        "off",
        "--strength",
        "0.5",
        "--json",
    )
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert (summary["verb"], summary["done"], summary["failed"]) == ("lesion", 2, 0)
    assert any("stripe · keys · 0.5" in line for line in summary["results"])
    with Project.open(study) as project:
        assert [row.area for row in project.lesions.all()] == pytest.approx([0.3, 0.3], abs=0.01)


def test_a_mask_has_one_name_and_no_control_that_is_itself(study, tmp_path):
    Image.fromarray(np.full((128, 192), 90, np.uint8)).save(tmp_path / "haze.png")
    done = lesion(
        study,
        "--mask",
        str(tmp_path / "haze.png"),
        "--mask",
        "LEFT 50%",
        "--control",
        "random",
        "--strength",
        "0.5",
    )
    assert done.exit_code == 0, done.output
    assert "lesion: 6 done" in done.stdout
    assert "2 random controls do not exist" in done.stdout
    assert "left · keys · 0.5" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--mask", "sideways"), 1, "no mask 'sideways'"),
        (("--mask", "gone.png"), 1, "no such mask file"),
        (("--scope", "text"), 1, "does not offer the lesion scope 'text'"),
        (("--strength", "2"), 2, "is not in the range"),
        (("--image", "9.png"), 1, "no image '9.png'"),
        (("--control", "placebo"), 2, "is not one of"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(study, options, code, said):
    told = lesion(study, *options)
    assert told.exit_code == code
    assert said in told.output
    assert "Traceback" not in told.output
