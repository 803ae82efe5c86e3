"""The commands about recordings: what is said stays said, and what is not imported is told so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.errors import StoppedError
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry
from gazeapp.engine.workflows.human_maps import HumanMaps


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
    assert run("choose-fixations", study).exit_code == 0
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
    assert "t.csv  (not imported)" in failed.stdout
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


def test_choices_are_told_without_options(study: Path, tmp_path: Path):
    assert run("choose-fixations", study, "--first", "drop", "--sigma", "30px").exit_code == 0
    shown = run("choose-fixations", study)
    assert shown.exit_code == 0
    assert "the first of each trial left out" in shown.stdout
    assert "blur 30 px" in shown.stdout
    assert json.loads(run("choose-fixations", study, "--json").stdout)["first_fixation"] == "drop"


def test_a_recording_is_taken_out_by_its_name(study: Path, tmp_path: Path):
    (tmp_path / "wrong.csv").write_text("image,subject,x,y\na.png,s1,1,1\n")
    assert run("import-gaze", study, tmp_path / "wrong.csv", "--task", "t").exit_code == 0
    result = run("remove-gaze", study, "strange.csv")
    assert result.exit_code == 1
    assert "wrong.csv" in result.stderr
    assert run("remove-gaze", study, "wrong.csv").exit_code == 0
    with Project.open(study) as project:
        assert "wrong.csv" not in [Path(row.file).name for row in project.gaze.recordings()]


def test_a_dry_run_says_that_nothing_is_stored(study: Path, tmp_path: Path):
    (tmp_path / "one.csv").write_text("image,subject,x,y\na.png,s1,1,1\n")
    told = run("import-gaze", study, tmp_path / "one.csv", "--task", "t", "--dry-run").stdout
    assert "dry run, nothing stored: 1 can be imported" in told


def test_a_column_mapping_is_kept_under_a_name(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gazeapp.engine.gaze.profiles.profiles_folder", lambda: tmp_path / "profiles")
    (tmp_path / "odd.csv").write_text("Bild;Wer;gx;gy\na.png;s1;10,5;20,5\n")
    words = [f"--column={what}" for what in ("image=Bild", "subject=Wer", "x=gx", "y=gy")]
    first = run("import-gaze", study, tmp_path / "odd.csv", "--task", "t", "--dry-run", "--frame", "image-px",
                *words, "--save-profile", "ours")  # fmt: skip
    assert first.exit_code == 0, first.stderr
    again = run("import-gaze", study, tmp_path / "odd.csv", "--task", "t", "--profile", "ours", "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["files"][0]["fixations"] == 1
