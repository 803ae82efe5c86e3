"""The commands that let models describe images."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from tests.engine.models.vlm.tiny_checkpoint import save_tiny


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
    assert f"cnn-lstm on grey.png: {model['caption']}" in told
    assert "4 missing runs (none there already)" in told
    assert " kB in the project file" in told
    with Project.open(path) as project:
        assert not project.runs.all()
        assert not project.problems.all()
    made = ["extract", str(path), "--model", "cnn-lstm", "--method", "alpha"]
    assert CliRunner().invoke(main, made).exit_code == 0
    assert "2 missing runs (2 there already)" in CliRunner().invoke(main, asked).stdout


def test_a_trial_takes_the_options_of_an_extraction() -> None:
    extract, trial = ([option.name for option in main.commands[name].params] for name in ("extract", "try"))
    assert trial == extract


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project of two pictures; settings and caches are the test's own."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    stand_in = tmp_path / "uv"
    stand_in.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} "$@"\n')
    stand_in.chmod(0o700)
    monkeypatch.setattr("gazeapp.engine.runners.launch.find_uv", lambda: str(stand_in))
    (tmp_path / "set").mkdir()
    for value in (40, 90):
        Image.new("RGB", (60, 40), (value, value, value)).save(tmp_path / "set" / f"{value}.png")
    path = tmp_path / "study.gaze"
    with Project.create(path) as project:
        project.tasks.add("general")
        add_images(project, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
    return path


def test_a_runner_is_refused_in_a_script_and_asked_about_once_on_a_terminal(
    pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["extract", str(pair), "--model", "brightness"]
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 1
    assert refused.stderr.count("gazeapp runner agree brightness") == 1
    with Project.open(pair) as project:
        assert (project.runs.models(), project.problems.all()) == ([], [])
    monkeypatch.setattr("gazeapp.cli_extract._on_a_terminal", lambda: True)
    answered = CliRunner().invoke(main, asked, input="n\n")
    assert answered.exit_code == 1
    assert "nothing was installed or run" in answered.stderr
    answered = CliRunner().invoke(main, asked, input="y\n")
    assert answered.exit_code == 0, answered.output
    assert answered.output.count("Agree?") == 1
    assert "2 done" in answered.stdout
    assert "Agree?" not in CliRunner().invoke(main, asked).output


def test_a_folder_is_remembered_once_it_was_used_and_can_be_forgotten(pair: Path, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny-vl")

    def listed(*words: str) -> bool:
        result = CliRunner().invoke(main, ["models", *words])
        assert result.exit_code == 0, result.output
        return str(folder) in result.stdout

    assert not listed()
    asked = ["extract", str(pair), "--model", str(folder), "--max-tokens", "2"]
    assert CliRunner().invoke(main, asked).exit_code == 0
    assert listed()
    assert not listed("--forget", str(folder))
    assert "not on the list" in CliRunner().invoke(main, ["models", "--forget", str(folder)]).stderr
    assert listed("--add", str(folder))
    nothing = CliRunner().invoke(main, ["models", "--add", str(tmp_path / "set")])
    assert nothing.exit_code == 1
