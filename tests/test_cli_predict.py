"""The command that predicts responses: options reach the script, nobody is passed over, and a yes is asked once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from tests.engine.runners.tribe_world import TribeWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TribeWorld:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return TribeWorld(tmp_path / "world", monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    for value in (40, 90):
        Image.new("RGB", (60, 40), (value, value, value)).save(tmp_path / "set" / f"{value}.png")
    path = tmp_path / "study.gaze"
    with Project.create(path) as made:
        add_images(made, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
    return path


def predict(project: Path, *words: str, said: str = "") -> Result:
    return CliRunner().invoke(main, ["predict-responses", str(project), *words], input=said)


def test_without_a_yes_it_is_refused_and_on_a_terminal_it_is_asked_about_once(
    world: TribeWorld, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = predict(project)
    assert refused.exit_code == 1
    assert "gazeapp runner agree tribe" in refused.stderr
    monkeypatch.setattr("gazeapp.cli_predict._on_a_terminal", lambda: True)
    no = predict(project, said="n\n")
    assert no.exit_code == 1
    assert "nothing was installed or run" in no.stderr
    assert ConsentStore().all() == ()
    assert not world.calls("load")
    yes = predict(project, said="y\n")
    assert yes.exit_code == 0, yes.output
    assert "not for commercial use" in yes.stderr
    assert "2 done" in yes.stdout
    again = predict(project)
    assert "Agree?" not in again.output
    assert "0 done, 2 there already" in again.stdout


def test_options_reach_the_script_and_the_project(world: TribeWorld, project: Path, tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["runner", "agree", "tribe", "--yes"]).exit_code == 0
    kept = tmp_path / "kept"
    asked = [
        "--name",
        "Short",
        "--clip-seconds",
        "6",
        "--fps",
        "5",
        "--from",
        "1",
        "--to",
        "3",
        "--whole-picture",
    ]
    result = predict(project, *asked, "--image", "90.png", "--device", "cpu", "--folder", str(kept), "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["done"], summary["responses"], summary["runner"]) == (1, "Short", "tribe")
    assert summary["facts"]["window"] == [1.0, 3.0]
    (film,) = world.calls("film")
    assert (film["seconds"], film["fps"]) == (6.0, 5)
    assert film["size"][0] == film["size"][1]
    assert world.calls("load")[0]["device"] == "cpu"
    assert list((kept / "rows").iterdir())
    with Project.open(project) as opened:
        (row,) = opened.responses.all()
        assert (row.name, row.simulated, row.n_images) == ("Short", True, 1)
        assert opened.responses.read("Short").images == ("90.png",)


def test_numbers_that_do_not_go_together_are_a_sentence(world: TribeWorld, project: Path) -> None:
    result = predict(project, "--from", "9.5")
    assert result.exit_code == 1
    assert "last at least 1 s" in result.stderr


def test_it_is_no_model_that_describes_images(world: TribeWorld, project: Path) -> None:
    listed = CliRunner().invoke(main, ["models"])
    assert "brightness" in listed.stdout
    assert "tribe" not in listed.stdout
    result = CliRunner().invoke(main, ["extract", str(project), "--model", "tribe"])
    assert result.exit_code == 1
    assert "There is no model called 'tribe'" in result.stderr
