import base64
import errno
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.report import ReportSettings, report


class Cancelled:
    """Progress that is cancelled after some reports."""

    def __init__(self, after):
        self.left = after

    @property
    def cancelled(self):
        return self.left <= 0

    def report(self, done, total, message):
        self.left -= 1


def test_the_report_has_the_chosen_number_of_images_with_everyones_map(study, tmp_path):
    output = tmp_path / "out" / "report.html"
    with Project.open(study()) as project:
        summary = report(project, ReportSettings(str(output), n_examples=3), SILENT)
    html = output.read_text(encoding="utf-8")
    pictures = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    # Image, people, truth and three models for each of 3 images under 2 tasks.
    assert len(pictures) == 6 * 3 * 2
    with Image.open(io.BytesIO(base64.b64decode(pictures[0]))) as picture:
        assert max(picture.size) == 320
    assert (summary.done, summary.failed, summary.cancelled) == (7, 0, False)
    assert summary.details["bytes"] == output.stat().st_size
    assert [file.name for file in output.parent.iterdir()] == ["report.html"]


def test_best_and_worst_are_those_with_the_highest_and_lowest_score(study, tmp_path):
    output = tmp_path / "report.html"
    with Project.open(study(tasks=("free",))) as project:
        report(project, ReportSettings(str(output), n_examples=2), SILENT)
        summary = [r for r in project.scores.summary() if r.metric == "nss" and r.source_kind == "model"]
        leader = max(summary, key=lambda row: row.mean)
        scores = [r for r in project.scores.all() if r.metric == "nss" and r.source == leader.source]
        best, worst = max(scores, key=lambda r: r.value), min(scores, key=lambda r: r.value)
        names = {image.id: image.name for image in project.images.all()}
    html = output.read_text(encoding="utf-8")
    shown = re.findall(
        r"<header>\s*<b>(.*?)</b>\s*<span class=\"quiet\">(.*?)</span>\s*<span>.*? ([−0-9.]+)</span>", html
    )
    assert shown == [
        (names[best.image_id], "Best", f"{best.value:.2f}"),
        (names[worst.image_id], "Worst", f"{worst.value:.2f}"),
    ]


@pytest.mark.parametrize(("n_images", "n_examples"), [(1, 6), (2, 6), (3, 2), (3, 0)])
def test_no_image_is_shown_twice(study, tmp_path, n_images, n_examples):
    output = tmp_path / "report.html"
    with Project.open(study(n_images=n_images, tasks=("free",))) as project:
        report(project, ReportSettings(str(output), n_examples=n_examples), SILENT)
    shown = re.findall(r"<header>\s*<b>(.*?)</b>", output.read_text(encoding="utf-8"))
    assert len(shown) == len(set(shown)) == min(n_images, n_examples)


def test_a_missing_image_leaves_the_rest_and_is_named(study, tmp_path):
    output = tmp_path / "report.html"
    path = study(n_images=2)
    (tmp_path / "images" / "scene-001.png").unlink()
    with Project.open(path) as project:
        summary = report(project, ReportSettings(str(output)), SILENT)
        # In this study all images have the same density, so that sAUC has a problem of its own.
        problems = [problem for problem in project.problems.all() if problem.verb == "report"]
    assert summary.failed == 2  # one image, two tasks
    assert len(problems) == 1
    sentence = (
        "The report was written without 1\u00a0picture (scene-001.png). The image file is not where it was."
    )
    assert problems[0].what == sentence
    assert problems[0].where == str(output)
    html = output.read_text(encoding="utf-8")
    assert html.count("The report was written without 1") == 1
    assert str(tmp_path) not in html
    assert "<b>scene-002.png</b>" in html


def test_many_missing_images_are_told_in_one_sentence_and_forgotten_when_they_are_back(study, tmp_path):
    path = study(n_images=6, tasks=("free",))
    (tmp_path / "images").rename(tmp_path.parent / f"{tmp_path.name}-away")
    with Project.open(path) as project:
        summary = report(project, ReportSettings(str(tmp_path / "report.html")), SILENT)
    assert summary.failed == 6
    (problem,) = summary.problems
    assert "without 6\u00a0pictures (scene-00" in problem.what
    assert " and 3 more)." in problem.what
    (tmp_path.parent / f"{tmp_path.name}-away").rename(tmp_path / "images")
    with Project.open(path) as project:
        assert report(project, ReportSettings(str(tmp_path / "report.html")), SILENT).failed == 0
        assert "report" not in {problem.verb for problem in project.problems.all()}
    assert "written without" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_cancelling_writes_nothing(study, tmp_path):
    output = tmp_path / "report.html"
    with Project.open(study()) as project:
        summary = report(project, ReportSettings(str(output)), Cancelled(2))
    assert summary.cancelled
    assert not output.exists()


@pytest.mark.parametrize(("name", "words"), [("r.pdf", "HTML so far"), ("r.txt", ".html"), ("r", ".html")])
def test_other_kinds_of_file_are_refused_with_a_sentence(study, tmp_path, name, words):
    with Project.open(study(scored=False)) as project, pytest.raises(GazeError, match=re.escape(words)):
        report(project, ReportSettings(str(tmp_path / name)), SILENT)
    assert not (tmp_path / name).exists()


def test_an_unknown_preset_is_refused(study, tmp_path):
    with Project.open(study(scored=False)) as project, pytest.raises(GazeError, match="no preset called 'x'"):
        report(project, ReportSettings(str(tmp_path / "r.html"), preset="x"), SILENT)


def test_a_place_that_cannot_be_written_gets_a_sentence(study, tmp_path):
    (tmp_path / "file").write_text("I am no folder")
    (tmp_path / "folder.html").mkdir()
    with Project.open(study(scored=False)) as project:
        with pytest.raises(GazeError, match="is a file, not a folder"):
            report(project, ReportSettings(str(tmp_path / "file" / "r.html")), SILENT)
        with pytest.raises(GazeError, match="folder of that name"):
            report(project, ReportSettings(str(tmp_path / "folder.html")), SILENT)


def test_a_full_disk_keeps_the_older_report(study, tmp_path, monkeypatch):
    output = tmp_path / "r.html"
    output.write_text("older")

    def full(path, data):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with Project.open(study(scored=False)) as project, pytest.raises(GazeError, match="disk is full"):
        report(project, ReportSettings(str(output)), SILENT)
    assert output.read_text() == "older"
    assert not [file for file in tmp_path.iterdir() if file.name.endswith(".part")]
