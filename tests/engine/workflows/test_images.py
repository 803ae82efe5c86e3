from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images


@pytest.fixture
def project(tmp_path: Path):
    with Project.create(tmp_path / "study.gaze") as created:
        yield created


def picture(path: Path, width: int = 8, height: int = 6) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (width, height, 9)).save(path)
    return path


def add(project: Project, *paths: Path):
    return add_images(project, AddImagesSettings(tuple(str(path) for path in paths)), SILENT)


def test_a_folder_is_read_with_its_subfolders(project: Project, tmp_path: Path):
    picture(tmp_path / "set" / "b.png", 8, 6)
    picture(tmp_path / "set" / "sub" / "a.JPG", 10, 4)
    (tmp_path / "set" / "notes.txt").write_text("no picture")
    (tmp_path / "set" / "._b.png").write_bytes(b"left by a Mac")
    summary = add(project, tmp_path / "set")
    assert (summary.done, summary.failed) == (2, 0)
    found = {image.name: (image.width, image.height, image.origin) for image in project.images.all()}
    assert found == {"b.png": (8, 6, "photograph"), "sub/a.JPG": (10, 4, "photograph")}
    assert all(project.images.file(image).is_file() for image in project.images.all())


def test_adding_again_skips(project: Project, tmp_path: Path):
    picture(tmp_path / "set" / "a.png")
    add(project, tmp_path / "set")
    summary = add(project, tmp_path / "set")
    assert (summary.done, summary.skipped) == (0, 1)


def test_bad_pictures_are_told_and_the_rest_goes_on(project: Project, tmp_path: Path):
    folder = tmp_path / "set"
    picture(folder / "good.png")
    (folder / "empty.png").write_bytes(b"")
    noise = np.random.default_rng(0).integers(0, 255, (99, 99, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:900])
    Image.new("1", (20_000, 20_000)).save(folder / "giant.png")
    summary = add(project, folder)
    assert (summary.done, summary.failed) == (1, 3)
    assert [image.name for image in project.images.all()] == ["good.png"]
    told = {Path(problem.where).name: problem for problem in project.problems.all()}
    assert set(told) == {"empty.png", "cut.jpg", "giant.png"}
    assert all(problem.what and problem.todo for problem in told.values())


def test_a_mended_picture_loses_its_problem(project: Project, tmp_path: Path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    add(project, folder)
    assert len(project.problems.all()) == 1
    picture(folder / "a.png")
    add(project, folder)
    assert project.problems.all() == []


def test_two_files_of_one_name_are_not_mixed_up(project: Project, tmp_path: Path):
    first, second = picture(tmp_path / "1" / "a.png"), picture(tmp_path / "2" / "a.png", 9, 9)
    summary = add(project, first, second)
    assert (summary.done, summary.failed) == (1, 1)
    assert "name" in project.problems.all()[0].what


def test_a_folder_without_pictures(project: Project, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(GazeError, match="No pictures"):
        add(project, tmp_path / "empty")


def test_a_path_that_does_not_exist(project: Project, tmp_path: Path):
    with pytest.raises(GazeError, match="no such file"):
        add(project, tmp_path / "none")


def test_cancelling_stops_after_the_unit_in_hand(project: Project, tmp_path: Path):
    for i in range(5):
        picture(tmp_path / "set" / f"{i}.png")

    class StopAfterTwo:
        cancelled = False

        def report(self, done: int, total: int, message: str) -> None:
            self.cancelled = done >= 2

    summary = add_images(project, AddImagesSettings((str(tmp_path / "set"),)), StopAfterTwo())
    assert (summary.done, summary.cancelled) == (2, True)
    assert len(project.images.all()) == 2
