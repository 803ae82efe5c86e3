"""Importing while other programs write: to the project, and to the recording's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.reading import read_recording
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.project import Project
from gazeapp.engine.workflows import gaze
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.marking import choose_fixations, match_images

ROWS = "image,subject,x,y,duration_ms\na.png,s1,10,20,50\na.png,s1,30,20,300\nlate.png,s1,5,5,300\n"


@pytest.fixture
def project(tmp_path: Path):
    with Project.create(tmp_path / "study.gaze") as opened:
        opened.images.add(tmp_path / "a.png", "a.png", "a.png", 100, 80, "photograph")
        yield opened


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "fixations.csv"
    path.write_text(ROWS)
    return path


def while_reading(monkeypatch: pytest.MonkeyPatch, project: Project, act) -> None:
    """Let another program change the project once, after a file was read and before it is stored."""
    read = gaze.read_as_is
    acts = [act]

    def read_slowly(*arguments):
        found = read(*arguments)
        if acts:
            with Project.open(project.path) as other:
                acts.pop()(other)
        return found

    monkeypatch.setattr(gaze, "read_as_is", read_slowly)


def imported(project: Project, recording: Path):
    return import_gaze(project, ImportGazeSettings((str(recording),)), SILENT)


def test_two_programs_that_import_the_same_file_store_it_once(project, recording, monkeypatch):
    while_reading(monkeypatch, project, lambda other: imported(other, recording))
    summary = imported(project, recording)
    assert summary.failed == 0
    assert not summary.details["files"][0]["stored"]
    assert len(project.gaze.recordings()) == 1
    assert sum(project.gaze.counts().values()) == 2


def test_choices_that_change_while_a_file_is_read_hold_for_it(project, recording, monkeypatch):
    longer = GazeChoices(min_duration_ms=100)
    while_reading(monkeypatch, project, lambda other: choose_fixations(other, longer, SILENT))
    imported(project, recording)
    image = project.images.by_name("a.png")
    assert project.gaze.fixations(image.id, "free").x.tolist() == [30]
    assert project.gaze.dropped(project.gaze.recordings()[0].id) == {"shorter than the minimum": 1}


def test_an_image_that_comes_while_a_file_is_read_again_keeps_its_map(
    project, recording, tmp_path, monkeypatch
):
    imported(project, recording)

    def add(other: Project) -> None:
        other.images.add(tmp_path / "late.png", "late.png", "late.png", 60, 40, "photograph")
        match_images(other)

    while_reading(monkeypatch, project, add)
    reading = gaze.FileSettings(geometry=gaze.Geometry(px_per_deg=30.0))
    again = import_gaze(project, ImportGazeSettings((str(recording),), reading=reading), SILENT)
    assert again.failed == 0
    assert len(project.gaze.recordings()) == 1


@pytest.mark.parametrize("text", [ROWS + "a.png,s2,1,1,100\n", ROWS[:60]])
def test_a_file_that_changes_while_it_is_read_is_not_imported(project, recording, monkeypatch, text):
    digest = Source.sha256

    def after_a_change(source: Source) -> str:
        source.path.write_text(text)
        return digest(source)

    monkeypatch.setattr(Source, "sha256", after_a_change)
    summary = imported(project, recording)
    assert summary.failed == 1
    assert summary.problems[0].what == "The file changed while it was read."
    assert project.gaze.recordings() == []


def test_a_file_that_stays_the_same_length_but_is_written_anew_counts_as_changed(recording):
    before = Source(recording).state()
    os.utime(recording, ns=(1, before[1] + 1))
    assert Source(recording).state() != before
    assert read_recording(recording).format == "csv"


class StopAtMaps:
    """A user who cancels when human maps are made."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def report(self, done: int, total: int, message: str) -> None:
        pass

    @property
    def cancelled(self) -> bool:
        return self._project.db.conn.in_transaction


def test_what_was_read_of_a_file_that_is_not_stored_is_not_told_as_imported(project, recording):
    settings = ImportGazeSettings((str(recording),))
    summary = import_gaze(project, settings, StopAtMaps(project))
    assert summary.cancelled
    assert summary.details["files"] == []
    assert project.gaze.recordings() == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(project, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    summary = imported(project, tmp_path / "pipe.csv")
    assert "a pipe or a device" in summary.problems[0].what
