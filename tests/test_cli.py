"""The command line as a script sees it: exit codes, what goes to which stream, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.project import Project
from gazeapp.engine.project.schema import SCHEMA_VERSION


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (80, 60), (90, 90, 90)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def study(tmp_path: Path, pictures: Path) -> Path:
    path = tmp_path / "study.gaze"
    assert run("new", path, "--images", pictures, "--task", "free").exit_code == 0
    return path


def test_new_makes_a_project_with_its_images_and_tasks(study: Path):
    with Project.open(study) as project:
        assert [image.name for image in project.images.all()] == ["a.png", "b.png"]
        assert project.tasks.all() == ["free"]


def test_new_leaves_nothing_behind_when_there_are_no_pictures(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    result = run("new", tmp_path / "study.gaze", "--images", tmp_path / "empty")
    assert result.exit_code == 1
    assert "No pictures" in result.stderr
    assert list(tmp_path.glob("study.gaze*")) == []


def test_new_never_replaces_a_project(study: Path, pictures: Path):
    before = study.read_bytes()
    result = run("new", study, "--images", pictures)
    assert result.exit_code == 1
    assert "already" in result.stderr
    assert study.read_bytes() == before


def test_some_failed_is_exit_code_one_with_the_failures_on_stderr(study: Path, tmp_path: Path):
    (tmp_path / "more").mkdir()
    Image.new("RGB", (5, 5)).save(tmp_path / "more" / "c.png")
    (tmp_path / "more" / "broken.png").write_bytes(b"rubbish")
    result = run("add-images", study, tmp_path / "more", "--json")
    assert result.exit_code == 1
    assert "broken.png" in result.stderr
    summary = json.loads(result.stdout)
    assert (summary["done"], summary["failed"]) == (1, 1)
    assert "broken.png" in summary["problems"][0]["where"]


@pytest.mark.parametrize(
    "words",
    [
        ["new"],
        ["extract", "x.gaze", "--device", "abacus"],
        ["score", "x.gaze", "--preset", "none"],
        ["score", "x.gaze", "--metric"],
        ["import-gaze", "x.gaze", "f.csv", "--sigma", "wide"],
        ["import-gaze", "x.gaze", "f.csv", "--sigma", "-3px"],
        ["--nonsense"],
        ["frobnicate"],
        ["frobnicate", "x.gaze"],
    ],
)
def test_wrong_usage_is_exit_code_two(words: list[str]):
    assert run(*words).exit_code == 2


@pytest.mark.parametrize("command", ["extract", "score"])
def test_a_missing_project_is_a_sentence(tmp_path: Path, command: str):
    result = run(command, tmp_path / "none.gaze")
    assert result.exit_code == 1
    assert "no such project" in result.stderr
    assert "Traceback" not in result.output


def test_a_newer_project_is_a_sentence(study: Path):
    with Project.open(study) as project:
        project.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    result = run("score", study)
    assert result.exit_code == 1
    assert "newer gazeapp" in result.stderr


def test_dry_run_tells_and_stores_nothing(study: Path, tmp_path: Path):
    table = tmp_path / "gaze.csv"
    table.write_text("image,subject,x,y\na.png,s1,10,20\na.png,s1,30,40\nzzz.png,s1,1,1\na.png,s2,-5,20\n")
    result = run("import-gaze", study, table, "--task", "free", "--dry-run", "--json")
    told = json.loads(result.stdout)["files"][0]
    assert told["format"] == "csv"
    assert told["fixations"] == 3
    assert told["dropped"] == {"outside image": 1}
    assert [entry["name"] for entry in told["unmatched"]] == ["zzz.png"]
    with Project.open(study) as project:
        assert project.gaze.recordings() == []
        assert project.problems.all() == []


def test_from_fixations_to_scores_report_and_tables(study: Path, tmp_path: Path):
    lines = ["image,subject,x,y"]
    for i, subject in enumerate(("s1", "s2", "s3", "s4", "s5")):
        for image in ("a.png", "b.png"):
            lines += [f"{image},{subject},{20 + 3 * i},{15 + 2 * i}", f"{image},{subject},{50 - i},{40 + i}"]
    table = tmp_path / "gaze.csv"
    table.write_text("\n".join(lines) + "\n")
    assert run("import-gaze", study, table, "--task", "free", "--sigma", "6px").exit_code == 0
    (tmp_path / "maps").mkdir()
    for name in ("a", "b"):
        Image.new("L", (8, 6), 100).save(tmp_path / "maps" / f"{name}.png")
    assert run("import-maps", study, tmp_path / "maps", "--model", "Flat", "--task", "free").exit_code == 0
    scored = run("score", study, "--json")
    assert scored.exit_code == 0, scored.output
    with Project.open(study) as project:
        found = {(row.source, row.metric): row.mean for row in project.scores.summary("tuebingen")}
    assert found["flat", "nss"] == pytest.approx(0)
    assert found["flat", "auc"] == pytest.approx(0.5)
    assert found["uniform", "nss"] == pytest.approx(0)
    report = tmp_path / "report.html"
    assert run("report", study, "-o", report).exit_code == 0
    assert "Flat" in report.read_text("utf-8")
    assert run("export", study, "-o", tmp_path / "tables").exit_code == 0
    assert (tmp_path / "tables" / "scores.csv").is_file()
    again = json.loads(run("score", study, "--json").stdout)
    assert again["done"] == 0
    assert run("score", study, "--metric", "auc_judd", "--metric", "emd").exit_code == 0
    with Project.open(study) as project:
        assert {row.metric for row in project.scores.summary("tuebingen")} == {"auc_judd", "emd"}
    unknown = run("score", study, "--metric", "dtw")
    assert unknown.exit_code == 1
    assert "Choose from: nss, auc, auc_judd" in unknown.stderr


def test_models_lists_the_four_that_ship():
    listed = json.loads(run("models", "--json").stdout)
    assert {"cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer"} <= {model["id"] for model in listed}


def test_a_mistyped_command_names_the_close_one():
    result = run("extarct", "x.gaze")
    assert result.exit_code == 2
    assert "Did you mean 'extract'" in result.stderr


def test_a_window_without_a_display_is_a_sentence(study: Path, monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("gazeapp.display.sys.platform", "linux")
    result = run(study)
    assert result.exit_code == 1
    assert "no display answers" in result.stderr


def test_a_demo_where_a_file_is_is_a_sentence(tmp_path: Path):
    place = tmp_path / "file"
    place.touch()
    result = run("demo", place, "--no-window")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_an_unknown_task_or_device_is_refused(study: Path):
    result = run("extract", study, "--model", "cnn-lstm", "--task", "fre")
    assert result.exit_code == 1
    assert "Its tasks are: free" in result.stderr
    with Project.open(study) as project:
        assert project.tasks.all() == ["free"]
