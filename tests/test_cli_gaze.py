"""The commands about recordings: what is said stays said, and what is not imported is told so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import StoppedError
from gazeapp.engine.workflows.human_maps import HumanMaps, choices_of, default_geometry


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    path = tmp_path / "study.gaze"
    assert run("new", path, "--images", tmp_path / "a.png", "--task", "free").exit_code == 0
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text("image,subject,x,y,duration_ms\na.png,s1,10,20,50\na.png,s1,30,20,300\n")
    return path


def choices(study: Path):
    with Project.open(study) as project:
        return choices_of(project)


def test_what_is_not_said_of_choices_stays_and_saying_nothing_changes_nothing(study, table):
    assert run("import-gaze", study, table, "--first", "drop").exit_code == 0
    assert run("choose-fixations", study, "--sigma", "9px").exit_code == 0
    before = choices(study)
    assert (before.first_fixation, before.sigma) == ("drop", 9.0)
    result = run("choose-fixations", study)
    assert result.exit_code != 0
    assert "Nothing is said" in result.stderr
    assert choices(study) == before


def test_what_is_not_said_of_the_screen_stays(study, table):
    assert run("import-gaze", study, table).exit_code == 0
    assert run("set-geometry", study, "--screen", 800, 600).exit_code == 0
    assert run("set-geometry", study, "--distance-cm", 60, "--screen-width-cm", 40).exit_code == 0
    assert run("set-geometry", study, "--recording", "t.csv", "--distance-cm", 70).exit_code == 0
    assert run("set-geometry", study, "--recording", "t.csv", "--screen-width-cm", 50).exit_code == 0
    assert run("set-geometry", study).exit_code != 0
    with Project.open(study) as project:
        said = default_geometry(project)
        assert (said.screen, said.distance_cm, said.screen_width_cm) == ((800, 600), 60, 40)
        assert project.gaze.recordings()[0].geometry == {"distance_cm": 70, "screen_width_cm": 50}


def test_choices_of_an_import_that_fails_do_not_stay(study, table):
    failed = run("import-gaze", study, table, "--sigma", "1deg", "--first", "drop")
    assert failed.exit_code == 1
    assert "t.csv: not imported; csv" in failed.stdout
    assert choices(study).sigma_unit == "px"
    assert run("import-gaze", study, table).exit_code == 0
    with Project.open(study) as project:
        assert sum(project.gaze.counts().values()) == 2


def test_choosing_that_was_stopped_says_so(study, table, monkeypatch):
    assert run("import-gaze", study, table).exit_code == 0

    def stop(*arguments):
        raise StoppedError

    monkeypatch.setattr(HumanMaps, "renew", stop)
    result = run("choose-fixations", study, "--first", "drop")
    assert result.exit_code == 1
    assert "stopped before the end, so nothing was changed" in result.stdout
    assert choices(study).first_fixation == "keep"


def test_a_folder_without_recordings_is_an_error(study, table, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("import-gaze", study, table, tmp_path / "empty")
    assert result.exit_code != 0
    assert "holds no recording" in result.stderr


def test_a_name_assigned_to_an_image_that_is_not_there_is_an_error(study, table):
    result = run("import-gaze", study, table, "--match", "a.png=b.png")
    assert result.exit_code == 1
    assert "holds no image 'b.png', which 'a.png' is said to mean" in result.stderr


def test_what_a_guess_took_positions_for_is_told(study, tmp_path):
    path = tmp_path / "middle.csv"
    path.write_text("pic,px,py\n" + "".join(f"a.png,{x},{-x}\n" for x in (-30, -20, 10, 25)))
    said = ("--column", "image=pic", "--column", "x=px", "--column", "y=py")
    result = run("import-gaze", study, path, *said)
    assert "positions in px of the image from the middle, y upwards" in result.stdout
