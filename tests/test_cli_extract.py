"""The commands that let models describe images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images


def test_a_trial_says_what_the_set_would_take_and_stores_nothing(tmp_path: Path) -> None:
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    path = tmp_path / "study.gaze"
    with Project.create(path) as project:
        project.tasks.add("general")
        project.tasks.add("social")
        add_images(project, AddImagesSettings((str(tmp_path / "grey.png"),)), SILENT)
    asked = ["try", str(path), "--model", "cnn-lstm", "--mirrored", "--method", "alpha"]
    tried = CliRunner().invoke(main, [*asked, "--json"])
    assert tried.exit_code == 0, tried.output
    (model,) = json.loads(tried.stdout)["models"]
    assert model["units"] == 4  # two tasks, each on the image and on its mirror image
    assert model["bytes_per_run"] > 0
    told = CliRunner().invoke(main, asked).stdout
    assert "cnn-lstm" in told
    assert "4 missing runs" in told
    with Project.open(path) as project:
        assert not project.runs.all()
        assert not project.problems.all()


def test_a_trial_takes_the_options_of_an_extraction() -> None:
    extract, trial = ([option.name for option in main.commands[name].params] for name in ("extract", "try"))
    assert trial == extract
