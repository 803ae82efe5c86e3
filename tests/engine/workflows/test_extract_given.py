"""Runs along captions that people wrote."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Decoding
from gazeapp.engine.models.given import free, free_last, given_method, is_given, plain_method
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_given import GivenCaptions, read_given
from gazeapp.engine.workflows.extract_plan import ExtractSettings, like_run
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.lesion import LesionSettings, lesion
from gazeapp.engine.workflows.measure import MeasureSettings, forget_measured, measure

MODELS = ("cnn-lstm", "vit-transformer")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a study of three scenes and two tasks."""
    (tmp_path / "set").mkdir()
    for i, scene in enumerate(demo_scenes(3, seed=5)):
        Image.fromarray(render(scene, 64)).save(tmp_path / "set" / f"scene-{i}.png")
    made = tmp_path / "study.gaze"
    with Project.create(made) as project:
        for task in ("general", "social"):
            project.tasks.add(task)
        add_images(project, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
    return made


def table(folder: Path, *rows: tuple[str, ...], header: tuple[str, ...] = ("image", "caption")) -> Path:
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return folder / "captions.csv"


def settings(file: Path, **more: object) -> ExtractSettings:
    return ExtractSettings(models=MODELS, given=read_given(file), **more)  # type: ignore[arg-type]


def test_the_mark_of_a_method_comes_off_again() -> None:
    for method in ("alpha", "cross-L0-H1+2"):
        assert is_given(given_method(method))
        assert not is_given(method)
        assert plain_method(given_method(method)) == plain_method(method) == method


def test_runs_along_given_captions_stand_beside_free_ones(path: Path, tmp_path: Path) -> None:
    """All models have maps along the same words; a model's own caption given back has the maps that it had."""
    with Project.open(path) as project:
        extract(project, ExtractSettings(models=MODELS), SILENT)
        free = project.runs.all(model="cnn-lstm")
        names = {image.id: image.name for image in project.images.all()}
        file = table(
            tmp_path,
            *((names[run.image_id], run.caption, run.task) for run in free),
            header=("image", "caption", "task"),
        )
        summary = extract(project, settings(file), SILENT)
        assert (summary.done, summary.skipped, summary.failed) == (12, 0, 0)
        assert summary.details["without_caption"] == summary.details["unknown_words"] == {}
        runs = {(run.model, run.task, run.image_id, run.method): run for run in project.runs.all()}
        assert len(runs) == 24
        for run in free:
            along = runs["cnn-lstm", run.task, run.image_id, "alpha@given"]
            assert (along.caption, along.log_probability) == (run.caption, run.log_probability)
            mine, its = project.maps.of_run(along.id), project.maps.of_run(run.id)
            np.testing.assert_array_equal(mine.mean, its.mean)
            np.testing.assert_array_equal(mine.words, its.words)
            other = [
                one
                for key, one in runs.items()
                if key[:3] == ("vit-transformer", run.task, run.image_id) and is_given(key[3])
            ]
            assert [word.text for word in project.runs.words(other[0].id)] == run.caption.split()
        again = extract(project, settings(file), SILENT)
        assert (again.done, again.skipped) == (0, 12)


def test_images_without_a_caption_are_counted_and_left_out(path: Path, tmp_path: Path) -> None:
    file = table(
        tmp_path,
        ("SCENE-0.png", "a zebra and a man", "general"),
        ("sub/scene-1.jpg", "a man", "general"),
        ("scene-1.png", "another", "general"),
        ("scene-2.png", "a woman", "social"),
        ("elsewhere.png", "a dog", "social"),
        header=("image", "caption", "task"),
    )
    with Project.open(path) as project:
        summary = extract(project, settings(file), SILENT)
        assert (summary.done, summary.skipped, summary.failed) == (6, 0, 0)
        assert summary.details["without_caption"] == {"general": 1, "social": 2}
        assert summary.details["unknown_words"] == {model: {"zebra": 1} for model in MODELS}
        told = {(run.task, run.caption) for run in project.runs.all()}
        assert told == {("general", "a zebra and a man"), ("general", "a man"), ("social", "a woman")}
        run = project.runs.all(model="cnn-lstm", task="general")[0]
        assert [word.text for word in project.runs.words(run.id)] == ["a", "and", "a", "man"]


def test_a_file_without_tasks_is_given_under_every_task(path: Path, tmp_path: Path) -> None:
    file = table(tmp_path, ("scene-0.png", "a man"), ("scene-0.png", "a woman"), ("scene-1.png", "a dog"))
    with Project.open(path) as project:
        summary = extract(project, settings(file), SILENT)
        assert summary.done == 8
        assert summary.details["captions_not_used"] == 1
        assert {(run.task, run.caption) for run in project.runs.all()} == {
            (task, text) for task in ("general", "social") for text in ("a man", "a dog")
        }


def test_other_captions_make_other_runs_and_only_the_newest_count(path: Path, tmp_path: Path) -> None:
    with Project.open(path) as project:
        rows = [(f"scene-{i}.png", "a man") for i in range(3)]
        extract(project, settings(table(tmp_path, *rows)), SILENT)
        changed = settings(table(tmp_path, ("scene-0.png", "a dog"), *rows[1:]))
        summary = extract(project, changed, SILENT)
        assert (summary.done, summary.skipped) == (12, 0)
        assert [run.caption for run in project.runs.all(model="cnn-lstm", task="social")] == [
            "a dog",
            "a man",
            "a man",
        ]
        # Which image comes first in the file is no difference, nor are other images of the project.
        turned = settings(table(tmp_path, *rows[:0:-1], ("scene-0.png", "a dog")))
        assert extract(project, replace(turned, images=("scene-1.png",)), SILENT).skipped == 4


def test_the_settings_of_a_run_along_given_captions_make_no_other_run(path: Path, tmp_path: Path) -> None:
    file = table(tmp_path, *((f"scene-{i}.png", f"a {'man' if i else 'dog'}") for i in range(3)))
    with Project.open(path) as project:
        extract(project, settings(file), SILENT)
        for run in project.runs.all():
            like = like_run(project, run.id)
            assert like.method == plain_method(run.method)
            found = extract(project, like, SILENT)
            assert (found.done, found.skipped) == (0, 3)


def test_lesions_and_masks_are_of_captions_that_models_choose(path: Path, tmp_path: Path) -> None:
    with Project.open(path) as project:
        extract(project, settings(table(tmp_path, ("scene-0.png", "a man"))), SILENT)
        with pytest.raises(GazeError, match="along given captions") as caught:
            lesion(project, LesionSettings(models=("cnn-lstm",), method="alpha@given"), SILENT)
        assert "method alpha for captions of its own" in caught.value.todo


def test_measures_are_of_captions_that_models_chose(path: Path, tmp_path: Path) -> None:
    """Later runs along given captions change no number, also on the images that have one."""

    def measured(project: Project) -> list[object]:
        measure(project, MeasureSettings(n_bootstrap=20), SILENT)
        return sorted(
            (row.image_id, row.task, row.source, row.measure, row.against, row.value)
            for row in project.findings.measures()
        )

    with Project.open(path) as project:
        extract(project, ExtractSettings(models=MODELS), SILENT)
        before = measured(project)
        assert before
        extract(project, settings(table(tmp_path, ("scene-0.png", "a dog and a cup"))), SILENT)
        forget_measured(project)
        assert measured(project) == before


def test_runs_along_given_captions_are_left_out_or_come_first() -> None:
    runs = [SimpleNamespace(method=method) for method in ("alpha@given", "alpha", "x@given", "alpha-gated")]
    assert [run.method for run in free(runs)] == ["alpha", "alpha-gated"]
    assert [run.method for run in free_last(runs)] == ["alpha@given", "x@given", "alpha", "alpha-gated"]


def test_beams_are_another_way_and_one_beam_is_the_plain_one(path: Path) -> None:
    with Project.open(path) as project:
        plain = ExtractSettings(models=("cnn-lstm",), tasks=("general",))
        extract(project, plain, SILENT)
        one = replace(plain, decoding=Decoding(beams=1, length_normalised=True, temperature=0.5))
        assert extract(project, one, SILENT).done == 0
        three = replace(plain, decoding=Decoding(beams=3))
        assert extract(project, three, SILENT).done == 3
        run = project.runs.all()[0]
        assert project.settings.get(run.settings_id).values["decoding"] == {"beams": 3}
        assert extract(project, like_run(project, run.id), SILENT).done == 0


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("else.png", "a man")], "None of the images has a caption"),
        ([("scene-0.png", "...")], "holds no captions"),
    ],
)
def test_files_that_give_nothing_are_refused(
    path: Path, tmp_path: Path, rows: list[tuple[str, str]], sentence: str
) -> None:
    with Project.open(path) as project, pytest.raises(GazeError, match=sentence):
        extract(project, settings(table(tmp_path, *rows)), SILENT)


def test_a_tasks_digest_is_of_its_own_captions() -> None:
    one = GivenCaptions({"general": {"a": "x", "b": "y"}, "social": {"a": "z"}})
    other = GivenCaptions({"General": {"b": "y", "a": "x"}, "social": {"a": "changed"}})
    assert one.digest("general") == other.digest("general")
    assert one.digest("social") != other.digest("social")


def test_the_terminal_tells_what_was_not_said(path: Path, tmp_path: Path) -> None:
    file = table(tmp_path, ("scene-0.png", "a zebra and a man"), ("scene-0.png", "a man"))
    asked = ["extract", str(path), "--model", "cnn-lstm", "--task", "general", "--captions", str(file)]
    told = CliRunner().invoke(main, asked)
    assert told.exit_code == 0, told.output
    assert "2 images have no given caption under general" in told.stderr
    assert "cnn-lstm does not know the words zebra (1)" in told.stderr
    assert "1 further captions were not used" in told.stderr
    beams = CliRunner().invoke(main, [*asked[:6], "--beams", "2", "--json"])
    assert json.loads(beams.stdout)["done"] == 3
