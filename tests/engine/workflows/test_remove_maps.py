"""Removing maps takes everything that was computed from them, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.project import Project
from gazeapp.engine.reports import tidy
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.evaluate import evaluate
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
from gazeapp.engine.workflows.remove_maps import RemoveMapsSettings, remove_maps
from gazeapp.engine.workflows.score import ScoreSettings

NAMES = ("a", "b", "c", "d")
MODELS = ("One", "Two")
SCORING = ScoreSettings(metrics=("nss", "cc"), n_splits=5, n_bootstrap=50)


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "set").mkdir()
    rng = np.random.default_rng(3)
    lines = ["image,subject,x,y"]
    for name in NAMES:
        Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).save(tmp_path / "set" / f"{name}.png")
        for person in range(5):
            lines += [f"{name}.png,p{person},{x:.1f},{y:.1f}" for x, y in rng.uniform(2, 28, (4, 2))]
    (tmp_path / "gaze.csv").write_text("\n".join(lines) + "\n")
    with Project.create(tmp_path / "study.gaze") as made:
        add_images(made, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        for task in ("free", "search"):
            (tmp_path / f"{task}.csv").write_text("\n".join(lines) + "\n")
            settings = ImportGazeSettings(
                (str(tmp_path / f"{task}.csv"),), task=task, choices=GazeChoices(sigma=4.0)
            )
            import_gaze(made, settings, SILENT)
        for model in MODELS:
            maps(made, tmp_path, model, ("free", "search"), seed=len(model) + ord(model[0]))
        yield made
        assert made.integrity_problems() == []


def maps(project: Project, folder: Path, model: str, tasks: tuple[str, ...], seed: int) -> None:
    place = folder / f"{model}{seed}"
    place.mkdir()
    for k, name in enumerate(NAMES):
        np.save(place / f"{name}.npy", np.random.default_rng([seed, k]).random((6, 8)))
    import_maps(project, ImportMapsSettings(str(place), model, tasks), SILENT)


def counted(project: Project, table: str, where: str = "1") -> int:
    return int(project.db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


def exported(project: Project) -> list[tuple]:
    """Return every row of every table but dictionary, settings and problems."""
    return [
        (table.name, *row)
        for table, rows in tidy.tables(project)
        for row in rows
        if table.name not in ("dictionary.csv", "problems.csv")
    ]


def numbers(project: Project, settings: ScoreSettings = SCORING) -> dict[tuple, float | None]:
    evaluate(project, settings, SILENT)
    return {(row.task, row.source, row.metric): row.mean for row in project.scores.summary()}


def test_nothing_of_removed_maps_is_left_and_all_else_is(project: Project):
    before = numbers(project)
    others = "source <> 'one'"
    kept = {table: counted(project, table, others) for table in ("scores", "measures", "summary")}
    n_scores = counted(project, "scores", "source = 'one'")
    done = remove_maps(project, RemoveMapsSettings("one"), SILENT)
    assert (done.done, done.details["maps"], done.details["scores"]) == (8, 8, n_scores)
    assert done.details["model_removed"]
    assert done.details["tasks_removed"] == []
    assert not any("one" in row for row in exported(project))
    assert {table: counted(project, table, others) for table in kept} == kept
    assert counted(project, "maps", "kind = 'run'") == len(project.runs.all()) == 8
    assert [model.id for model in project.runs.models()] == ["two"]
    assert counted(project, "settings", 'json LIKE \'%"model": "one"%\'') == 0
    assert project.findings.findings("difference") == []
    after = numbers(project)
    assert after == {key: value for key, value in before.items() if key[1] != "one"}


def test_one_task_goes_alone_and_the_other_keeps_its_numbers(project: Project):
    before = numbers(project)
    done = remove_maps(project, RemoveMapsSettings("One", "search"), SILENT)
    assert (done.done, done.details["model_removed"], done.details["tasks"]) == (4, False, ["search"])
    left = {(row.task, row.source, row.metric): row.mean for row in project.scores.summary()}
    assert left == {key: value for key, value in before.items() if key[:2] != ("search", "one")}
    against = [row for row in project.findings.measures() if row.source == "one" and row.against == "search"]
    assert against == []
    for own in project.scores.subject_scores("tuebingen"):
        assert ("one" in {column[1] for column in own.columns}) == (own.task == "free")
        assert own.values.shape == (len(own.columns), len(own.subjects))


def test_maps_in_the_place_of_removed_ones_are_scored_and_measured(project: Project, tmp_path: Path):
    before = numbers(project)
    ids = {run.id for run in project.runs.all(model="two")}
    remove_maps(project, RemoveMapsSettings("two"), SILENT)
    maps(project, tmp_path, "Two", ("free", "search"), seed=77)
    assert not {run.id for run in project.runs.all(model="two")} & ids
    after = numbers(project)
    assert after.keys() == before.keys()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {key for key in after if key[1] == "two"}
    assert any(row.source == "two" for row in project.findings.measures())


def test_a_slip_of_the_task_is_undone(project: Project, tmp_path: Path):
    maps(project, tmp_path, "Three", ("serach",), seed=5)
    assert project.tasks.all() == ["free", "search", "serach"]
    slip = "Task 'serach' is new; the project had: free, search."
    assert slip in [problem.what for problem in project.problems.all()]
    done = remove_maps(project, RemoveMapsSettings("three", "serach"), SILENT)
    assert done.details["tasks_removed"] == ["serach"]
    assert slip not in [problem.what for problem in project.problems.all()]
    assert project.tasks.all() == ["free", "search"]
    assert done.details["said"] == (
        "4 maps of Three removed under 'serach'. The model is no longer in the project. "
        "Nothing else belonged to 'serach': the task is removed."
    )


def test_comparisons_stay_where_the_model_was_never_scored(project: Project, tmp_path: Path):
    numbers(project)
    n_findings = counted(project, "findings")
    maps(project, tmp_path, "Three", ("free",), seed=5)
    done = remove_maps(project, RemoveMapsSettings("three"), SILENT)
    assert (done.details["findings"], counted(project, "findings")) == (0, n_findings)
    assert n_findings > 0


def test_what_is_not_there_is_named(project: Project, tmp_path: Path):
    with pytest.raises(GazeError, match="no model 'Four'") as told:
        remove_maps(project, RemoveMapsSettings("Four"), SILENT)
    assert told.value.todo == "Its models are: one and two."
    project.tasks.add("draw")
    with pytest.raises(GazeError, match="One has no maps under the task 'draw'"):
        remove_maps(project, RemoveMapsSettings("one", "draw"), SILENT)
    with pytest.raises(GazeError, match="no task 'dance'"):
        remove_maps(project, RemoveMapsSettings("one", "dance"), SILENT)


def test_a_removal_that_fails_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch):
    numbers(project)
    before = exported(project)

    def full(*_: object) -> bool:
        raise GazeError("The disk is full.")

    monkeypatch.setattr("gazeapp.engine.workflows.remove_maps.remove_model_without_maps", full)
    with pytest.raises(GazeError, match="full"):
        remove_maps(project, RemoveMapsSettings("one"), SILENT)
    assert exported(project) == before


def test_the_command_says_what_went(project: Project):
    result = CliRunner().invoke(main, ["remove-maps", str(project.path), "--model", "One", "--task", "free"])
    assert (result.exit_code, result.stdout) == (0, "4 maps of One removed under 'free'.\n")
    result = CliRunner().invoke(main, ["remove-maps", str(project.path), "--model", "one", "--json"])
    assert json.loads(result.stdout)["model_removed"] is True
