"""Findings about lesions where a model was run by a second map method."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.models.base import Caption, Word
from gazeapp.engine.project import Project
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.results.lesion_tables import model_table
from gazeapp.engine.reports.results.lesions import Asked
from gazeapp.engine.scoring.analyses.neglect import neglect_findings
from gazeapp.engine.scoring.findings import LESION, LESION_FACTORIAL, Finding
from gazeapp.engine.workflows.lesion_findings import lesion_outcomes
from gazeapp.engine.workflows.lesion_results import read_lesions
from tests.copied import copy_study
from tests.engine.lesioned import FOUR, add_lesions

STUDY = {"n_images": 7, "tasks": ("free",), "models": FOUR}
DESIGN = {model: tuple(model.split("-")) for model, _ in FOUR}
TWICE = "cnn-transformer"
OTHER = {"raw": "other", "other": "raw"}


@pytest.fixture
def project(built_studies, tmp_path):
    with Project.open(copy_study(built_studies(**STUDY), tmp_path)) as opened:
        yield opened


def add_method(project: Project, method: str, n_images: int) -> None:
    """Store runs of one model by another method, on the first images, and lesions of all runs."""
    for run in project.runs.all(model=TWICE)[:n_images]:
        stored = project.maps.mean_of_run(run.id)
        word = (Word("ball", -0.5, True),)
        said = Caption(word, stored.values[None], np.ones(1), stored.rect, run.task, method)
        project.runs.put(run.image_id, TWICE, run.task, said, stored.values, run.settings_id, 0.1)
    add_lesions(project, strengths=(1.0,))


def findings(project: Project, analysis: str) -> list[Finding]:
    return [row.finding for row in project.findings.findings(analysis)]


def has_the_design_without(project: Project, method: str) -> None:
    """Check effects of the design against those of a study in which the method was never used."""
    note = f"Of several map methods of a model one takes part: {TWICE} ({OTHER[method]})."
    rows = [row for row in project.lesions.all() if (row.model, row.method) != (TWICE, method)]
    expected = [
        replace(one, note=f"{one.note} {note}".strip())
        for outcome in OUTCOMES
        for one in neglect_findings(lesion_outcomes(rows, "free", outcome), DESIGN)
        if one.analysis == LESION_FACTORIAL
    ]
    assert {one.term for one in expected} >= {"cell", "decoder", "decoder:lesion", "encoder:decoder:lesion"}
    found = [one for one in findings(project, LESION_FACTORIAL) if one.metric in OUTCOMES]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_a_second_method_on_one_image_leaves_the_design_as_it_was(project):
    add_method(project, "other", 1)
    has_the_design_without(project, "other")
    terms = {one.term for one in findings(project, LESION)}
    assert terms == {*(model for model, _ in FOUR if model != TWICE), f"{TWICE} (raw)", f"{TWICE} (other)"}


def test_of_equally_many_lesions_the_newest_method_takes_part(project):
    add_method(project, "other", 7)
    rows = project.lesions.all(model=TWICE)
    assert Counter(row.method for row in rows).most_common(1)[0][1] == len(rows) / 2
    newest = max(rows, key=lambda row: row.id)
    has_the_design_without(project, OTHER[newest.method])


def test_both_methods_are_named_coloured_and_in_place_wherever_they_are_shown(project):
    add_method(project, "other", 7)
    lesions = read_lesions(project, "tuebingen")
    asked = Asked("free", "log_probability_drop", ("left",), "keys", 1.0)
    names = ["CNN-LSTM", "CNN-Transformer · other", "CNN-Transformer · raw", "ViT-LSTM", "ViT-Transformer"]
    rows = model_table(lesions, asked).rows
    assert [row.name for row in rows] == [f"{name} · left" for name in names]
    assert len({row.colour for row in rows}) == 4
    assert rows[1].colour == rows[2].colour != ""
    neglect = gather(project, "tuebingen", "r.html").neglect
    table = next(table for table in neglect.tables if table.id == "lesion_control")
    assert [row.name for row in table.rows] == [
        f"{name}, {mask}" for name in names for mask in ("left", "right")
    ]
    assert all(row.colour for row in table.rows)
    ticks = [name for _, name in neglect.figures[0].axes[0].x_ticks if name]
    assert ticks == [row.name for row in table.rows]
