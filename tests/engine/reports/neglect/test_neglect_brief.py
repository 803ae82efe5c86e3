"""What a terminal shows of lesions: columns, words for what is missing, and only what was asked for."""

from __future__ import annotations

import pytest

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.reports.neglect.brief import lesions_in_lines
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, Finding

DROP = "log_probability_drop"
HEAD = "Loss of the intact caption (nats per token{}; mean over images, 95 % interval, p corrected):"


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "study.gaze") as opened:
        for task in ("free", "search"):
            opened.tasks.add(task)
        opened.runs.put_model(ModelInfo("cnn-lstm", "CNN-LSTM", "captioner"))
        opened.runs.put_model(ModelInfo("vit", "Vision Transformer with a decoder", "captioner"))
        yield opened


def told(project: Project, masks: tuple[str, ...], *findings: Finding) -> list[str]:
    settings = project.settings.put("lesion", {"seed": 0})
    project.findings.put_findings((LESION, LESION_CONTROL), "", list(findings), settings)
    return lesions_in_lines(project, masks)


def net(term: str, lesion: str, estimate: float, task: str = "free", **more: float) -> Finding:
    of = {"unit": "nats per token", "kind": "model", "lesion": lesion, "n_images": 12, **more}
    return Finding(LESION_CONTROL, task, DROP, term, "controls", estimate, **of)


def test_columns_stand_below_each_other_and_what_is_missing_leaves_no_gap(project):
    lines = told(
        project,
        ("left", "the man at the counter"),
        net("cnn-lstm", "left · keys · 1", 2.1234, p=0.02, p_holm=0.033, n_images=1),
        net("cnn-lstm", "left · keys · 0.5", 7.0, low=6.0, high=8.0),
        net("vit", "the man at the counter · keys · 1", -0.5, low=-1.25, high=0.25, p=0.1, p_holm=0.0001),
        net("vit (rollout)", "left · keys · 1", 12.0),
    )
    assert lines == [
        HEAD.format(", lesion minus matched controls"),
        "  free",
        "    CNN-LSTM                                     left · keys · 1                     2.12                 "
        "p 0.033    (1 image)",
        "    Vision Transformer with a decoder            the man at the counter · keys · 1  -0.50  [-1.25, 0.25]  "
        "p < 0.001  (12 images)",
        "    Vision Transformer with a decoder · rollout  left · keys · 1                    12.00                 "
        "           (12 images)",
    ]


def test_columns_that_no_row_has_are_left_out(project):
    (_, _, line) = told(project, ("left",), net("cnn-lstm", "left · keys · 1", 2.1234, n_images=1))
    assert line == "    CNN-LSTM  left · keys · 1  2.12  (1 image)"


def test_a_task_without_these_masks_has_no_heading_and_no_masks_no_lines(project):
    findings = (
        net("cnn-lstm", "left · keys · 1", 1.0),
        net("cnn-lstm", "right · keys · 1", 1.0, "search"),
    )
    assert [line.strip() for line in told(project, ("right",), *findings)[1:-1]] == ["search"]
    assert told(project, ("top",), *findings) == []


def test_a_mask_with_a_dot_in_its_name_is_told_apart(project):
    findings = (net("cnn-lstm", "left · half · keys · 1", 1.0), net("cnn-lstm", "left · keys · 1", 2.0))
    (line,) = told(project, ("left · half",), *findings)[2:]
    assert line == "    CNN-LSTM  left · half · keys · 1  1.00  (12 images)"


def test_masks_without_controls_are_told_as_they_are(project):
    raw = Finding(
        LESION, "free", DROP, "cnn-lstm", "", 3.0, kind="model", lesion="top · keys · 1", n_images=7
    )
    lines = told(project, ("top",), raw, net("cnn-lstm", "left · keys · 1", 2.0))
    assert lines == [HEAD.format(""), "  free", "    CNN-LSTM  top · keys · 1  3.00  (7 images)"]
