"""Counting before choosing, and telling that scores were made of other fixations."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.marking import (
    NO_IMAGE,
    GeometrySettings,
    ShiftSettings,
    change_geometry,
    choose_fixations,
    count_marks,
    shift_trials,
)
from gazeapp.engine.workflows.score import ScoreSettings, score
from gazeapp.engine.workflows.score_state import gaze_states, outdated_scores

SIZE = (200, 100)
COLUMNS = {"image": "image", "subject": "subject", "x": "x", "y": "y", "duration": "d", "start": "t"}


@pytest.fixture
def project(tmp_path):
    rng = np.random.default_rng(3)
    rows = [
        f"{image}.png,s{subject},{x:.1f},{y:.1f},{100 * place},{duration}"
        for image in "ab"
        for subject in range(4)
        for place, (x, y, duration) in enumerate(
            zip(rng.uniform(20, 180, 5), rng.uniform(20, 80, 5), [80, 150, 90, 200, 300], strict=True)
        )
    ]
    rows += ["a.png,s9,500,50,0,200", "late.png,s1,10,10,0,200"]
    with Project.create(tmp_path / "study.gaze") as opened:
        for name in ("a.png", "b.png"):
            opened.images.add(tmp_path / name, name, name, *SIZE, "photograph")
        (tmp_path / "gaze.csv").write_text("image,subject,x,y,t,d\n" + "\n".join(rows) + "\n")
        reading = FileSettings(profile=TableProfile("test", COLUMNS, frame=Frame(of="image")))
        import_gaze(opened, ImportGazeSettings((str(tmp_path / "gaze.csv"),), "free", reading), SILENT)
        yield opened


def test_marks_are_counted_as_they_would_be_made_and_nothing_is_stored(project):
    before = list(project.db.iterdump())
    choices = GazeChoices(first_fixation="drop", min_duration_ms=100)
    # 8 trials of five: first ones out (80 ms), then the 90 ms ones; one trial off its image has its only
    # fixation first; the image of one is not there, and its only fixation is first, too.
    counts = {"": 24, "first fixation": 10, "shorter than the minimum": 8}
    assert count_marks(project, choices) == counts
    assert count_marks(project, GazeChoices()) == {"": 40, "outside image": 1, NO_IMAGE: 1}
    assert list(project.db.iterdump()) == before
    choose_fixations(project, choices, SILENT)
    stored = dict(project.db.execute("SELECT dropped, count(*) FROM fixations GROUP BY dropped").fetchall())
    assert stored == counts


def test_scores_are_older_after_each_change_of_the_gaze_and_not_once_it_is_taken_back(project):
    assert outdated_scores(project) == frozenset()
    score(project, ScoreSettings(n_splits=2, n_bootstrap=10, threads=1), SILENT)
    assert outdated_scores(project) == frozenset()
    older = frozenset({("free", "tuebingen")})
    changes = (
        (choose_fixations, GazeChoices(min_duration_ms=100), GazeChoices()),
        (choose_fixations, GazeChoices(weighting="duration"), GazeChoices()),
        (shift_trials, ShiftSettings({1: (3.0, 0.0)}), ShiftSettings({1: (0.0, 0.0)})),
    )
    for verb, there, back in changes:
        verb(project, there, SILENT)
        assert outdated_scores(project) == older
        verb(project, back, SILENT)
        assert outdated_scores(project) == frozenset()
    shift_trials(project, ShiftSettings({1: (3.0, 0.0)}), SILENT)
    score(project, ScoreSettings(n_splits=2, n_bootstrap=10, threads=1), SILENT)
    assert outdated_scores(project) == frozenset()


def test_scores_of_which_nothing_is_known_are_older_once_the_gaze_changes(project):
    score(project, ScoreSettings(n_splits=2, n_bootstrap=10, threads=1), SILENT)
    project.db.execute("DELETE FROM current WHERE name LIKE 'scored%'")
    assert outdated_scores(project) == frozenset()
    shift_trials(project, ShiftSettings({1: (3.0, 0.0)}), SILENT)
    assert outdated_scores(project) == frozenset({("free", "tuebingen")})


def test_the_distance_counts_only_for_a_blur_in_degrees(project):
    before = gaze_states(project)
    change_geometry(project, GeometrySettings(Geometry(px_per_deg=20)), SILENT)
    assert gaze_states(project) == before
    choose_fixations(project, GazeChoices(sigma=1, sigma_unit="deg"), SILENT)
    before = gaze_states(project)
    change_geometry(project, GeometrySettings(Geometry(px_per_deg=30)), SILENT)
    assert gaze_states(project) != before
