"""What a job stores about a lesion is what following the mask shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.ui.lesions.captioners import Captioners
from gazeapp.ui.lesions.facts import Request, StoredQuestion, SubjectQuestion
from gazeapp.ui.lesions.runs import _work
from tests.ui.small_study import HEIGHT, TASK, WIDTH, build


def test_the_stored_effect_is_the_live_one(tmp_path) -> None:
    model = "vit-transformer"
    study = build(tmp_path, images=1, models=0)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[10:80, 30:101] = 255
    with Project.open(study.path) as project:
        image = project.images.get(study.images[0])
        project.masks.put("hand", image.id, mask, "drawn")
        question = StoredQuestion(image.id, TASK, model, "hand", "zero", 0.75)
        assert question.read(project) is None
        summary = _work(question, image.name)(project, SILENT)
        assert not summary.problems
        stored = question.read(project)
        subject = SubjectQuestion(image.id, TASK).read(project)
    live = Captioners().effect(Request(1, subject, mask, "zero", 0.75, (model,)), model)
    assert [word.text for word in stored.after] == [word.text for word in live.after]
    assert [word.text for word in stored.before] == [word.text for word in live.before]
    assert (stored.gone, stored.new, stored.name) == (live.gone, live.new, live.name)
    assert stored.facts == live.facts
    for name in ("log_probability_drop", "words_changed", "map_change", "mass_in_mask", "laterality_before"):
        assert stored.numbers[name] == pytest.approx(live.numbers[name], abs=1e-3)
    np.testing.assert_allclose(stored.map.layer.texture, live.map.layer.texture, atol=0.02)
    np.testing.assert_allclose(stored.change.texture, live.change.texture, atol=0.02)


def test_a_lesion_belongs_to_the_runs_of_the_study_and_hides_none(tmp_path) -> None:
    model = "vit-transformer"
    study = build(tmp_path, images=2, models=0)
    asked = ExtractSettings((model,), (TASK,), method="cross-mean", words="all")
    with Project.open(study.path) as project:
        first, second = (project.images.get(image) for image in study.images)
        extract(project, replace(asked, images=(first.name,)), SILENT)
        for image in (first, second):  # the second has no run yet: its own is made like that of the first
            question = StoredQuestion(image.id, TASK, model, "left", "keys", 1.0)
            assert not _work(question, image.name)(project, SILENT).problems
        assert project.runs.left_behind() == []
        assert len({run.settings_id for run in project.runs.all()}) == 1
        assert len(project.runs.all()) == 2
        assert {row.run_id for row in project.lesions.all()} == {run.id for run in project.runs.all()}
