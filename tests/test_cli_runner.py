"""The commands about runners: nothing is installed before a yes, and a lab can try its script on a picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli_runner import runner_command
from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and caches of the test's own; scripts run by the Python of the tests, so that nothing is downloaded."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    stand_in = tmp_path / "uv"
    stand_in.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} "$@"\n')
    stand_in.chmod(0o700)
    monkeypatch.setattr("gazeapp.engine.runners.launch.find_uv", lambda: str(stand_in))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = np.full((60, 120, 3), 20, np.uint8)
    image[50:55, 100:110] = 250
    path = tmp_path / "a.png"
    Image.fromarray(image).save(path)
    return path


def run(*words: object, said: str = "") -> Result:
    return CliRunner().invoke(runner_command, [str(word) for word in words], input=said)


def test_the_example_is_tried_after_a_yes_and_never_asked_about_again(picture: Path) -> None:
    first = run("try", "brightness", picture, said="y\n")
    assert first.exit_code == 0
    assert "Agree? [y/N]" in first.output
    assert "The brightest part is bottom right" in first.stdout
    assert "most at (105, 52) px" in first.stdout
    second = run("try", "brightness", picture, "--max-tokens", 2, "--json")
    assert "Agree?" not in second.output
    told = json.loads(second.stdout)
    assert told["caption"] == "The brightest"
    assert told["grid"] == [12, 12]
    assert told["words"][1]["peak"] == [105.0, 52.5]


@pytest.mark.parametrize("said", ["n\n", "\n"])
def test_without_a_yes_nothing_runs(picture: Path, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gazeapp.engine.runners.launch.start", lambda *_: pytest.fail("it was started"))
    result = run("try", "brightness", picture, said=said)
    assert isinstance(result.exception, GazeError)
    assert "nothing was installed" in result.exception.what
    assert ConsentStore().all() == ()
    # An input that has ended is no yes either.
    assert run("agree", "brightness").exit_code == 1
    assert ConsentStore().all() == ()


def test_agreeing_is_shown_listed_and_taken_back() -> None:
    assert json.loads(run("list", "--json").stdout)[0]["agreed"] is False
    agreed = run("agree", "brightness", "--yes")
    assert "numpy>=2 and pillow>=11" in agreed.output
    assert "SHA-256" in agreed.output
    assert "agreed to" in run("list").stdout
    assert json.loads(run("list", "--json").stdout)[0]["agreed"] is True
    assert "asks again" in run("forget", "brightness").stdout
    assert "had not agreed" in run("forget", "brightness").stdout
    assert json.loads(run("list", "--json").stdout)[0]["agreed"] is False


def test_a_file_that_is_no_script_is_told_beside_the_list(tmp_path: Path) -> None:
    own = tmp_path / "home" / "gazeapp" / "runners"
    own.mkdir(parents=True)
    (own / "notes.py").write_text("print()")
    listed = run("list")
    assert listed.exit_code == 0
    assert "brightness" in listed.stdout
    assert "no runner script" in listed.stderr


def test_what_the_script_complains_about_is_said(tmp_path: Path) -> None:
    Image.new("RGB", (5, 5)).save(tmp_path / "small.png")
    result = run("try", "brightness", tmp_path / "small.png", "--yes")
    assert isinstance(result.exception, GazeError)
    assert "smaller than 12 px" in result.exception.what
