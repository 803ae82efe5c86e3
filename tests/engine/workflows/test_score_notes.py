"""What a user is told of scores that are missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.score import ScoreSettings, score
from tests.engine.workflows import stand_in

HOW = ScoreSettings(metrics=("nss",), n_splits=5, n_bootstrap=20, threads=1)


def test_maps_under_a_task_that_nobody_looked_under_are_told_once(
    study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two prompts against the same people: the second is scored once the recordings stand under it, too."""
    stand_in.install(monkeypatch)
    path = study(n_images=3, tasks=("free",), scored=False)
    gaze = path.parent / "gaze.csv"
    lines = [f"scene-00{k}.png,S{s},{30 + 9 * k},{40 + 5 * s}" for k in (1, 2, 3) for s in (1, 2)]
    gaze.write_text("\n".join(["image,subject,x,y", *lines]) + "\n")

    def told(project: Project, settings: ScoreSettings = HOW) -> list[tuple[str, str]]:
        found = [(p.where, p.what) for p in score(project, settings, SILENT).problems if "No gaze" in p.what]
        assert found == [(p.where, p.what) for p in project.problems.all() if "No gaze" in p.what]
        return found

    with Project.open(path) as project:
        assert import_gaze(project, ImportGazeSettings((str(gaze),), task="free"), SILENT).done == 1
        project.tasks.add("asked")
        project.tasks.add("never run")
        assert told(project) == []
        extract(project, ExtractSettings(tasks=("asked",), models=("bright",)), SILENT)
        expected = "No gaze was imported under the task asked, so the maps of its 3 images are not scored."
        assert told(project) == [("asked", expected)]
        assert told(project) == [("asked", expected)]
        assert import_gaze(project, ImportGazeSettings((str(gaze),), task="asked"), SILENT).done == 1
        assert told(project) == []
        rows = {(row.task, row.source) for row in project.scores.summary() if row.metric == "nss"}
        assert {("free", "cnn-lstm"), ("asked", "bright")} <= rows
