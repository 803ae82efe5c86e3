"""What scoring says of a whole study: differences against the centre bias, and how many people a number is of."""

import numpy as np
import pytest

from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.reports.brief import brief_results, results_in_lines
from gazeapp.engine.reports.dataset import model_data
from gazeapp.engine.reports.results.read import read_results
from gazeapp.engine.reports.scores import current_summary, task_scores, with_pairs
from gazeapp.engine.reports.sentences import key_results
from gazeapp.engine.scoring.findings import DIFFERENCE, OBSERVERS
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.score import ScoreSettings, score
from tests.engine.conftest import SIGMA


@pytest.fixture
def project(study):
    models = (("cnn-lstm", "CNN-LSTM"), ("vit-lstm", "ViT-LSTM"))
    with Project.open(study(n_images=6, n_subjects=4, tasks=("general",), models=models)) as opened:
        yield opened


def test_findings_of_the_centre_bias_and_of_observers_are_those_of_the_summary_and_of_all_people(project):
    """One study, because making it takes the time: every part is about other findings."""
    rows = {
        row.source: row
        for row in project.scores.summary("tuebingen")
        if row.metric == "nss" and not row.lesion
    }
    found = [row.finding for row in project.findings.findings(DIFFERENCE)]
    above = [one for one in found if one.against == "centre_bias" and one.metric == "nss"]
    raw = {one.term: one for one in above if one.unit != "%"}
    percent = {one.term: one for one in above if one.unit == "%"}
    assert set(raw) == set(percent) == {"cnn-lstm", "vit-lstm"}
    for model, one in percent.items():
        assert one.estimate == pytest.approx(rows[model].percent - rows["centre_bias"].percent, rel=1e-9)
        assert one.low < one.estimate < one.high
        assert one.p == raw[model].p
    for family in (raw, percent):
        small, large = sorted(family.values(), key=lambda one: one.p)
        assert small.p_holm == pytest.approx(min(1.0, 2 * small.p))
        assert large.p_holm == pytest.approx(max(small.p_holm, large.p))

    curve = [row.finding for row in project.findings.findings(OBSERVERS)]
    # Each of 4 people is predicted from 1, 2 and 3 others.
    assert {one.term for one in curve} == {"1", "2", "3"}
    assert {one.n_subjects for one in curve} == {4}


GIVEN = "raw@given"
SETTINGS = ScoreSettings(sigma=SIGMA, n_splits=10, n_bootstrap=200, threads=1)


def along_given_captions(path, models):
    """Describe every image along given captions, too, with maps of other shapes, and score the study again."""
    with Project.open(path) as project:
        rng = np.random.default_rng(3)
        for number, model in enumerate(models):
            values = {"model": model, "task": "general", "method": GIVEN, "given": "digest"}
            settings_id = project.settings.put("extract", values)
            for image in project.images.all():
                maps = rng.dirichlet(np.full(49, 0.3 + number), 1).reshape(1, 7, 7).astype(np.float32)
                said = Caption(
                    *((Word("man", -1.0, True),), maps, np.ones(1, np.float32), image.rect, "general"), GIVEN
                )
                project.runs.put(image.id, model, "general", said, said.mean_map(), settings_id, 0.1)
        score(project, SETTINGS, SILENT)


def rows_of(path):
    with Project.open(path) as project:
        return [row.finding for row in project.findings.findings()]


def test_maps_along_given_captions_are_compared_with_one_another_only(study):
    models = (("cnn-lstm", "CNN-LSTM"), ("vit-lstm", "ViT-LSTM"))
    path = study(n_images=6, n_subjects=4, tasks=("general",), models=models)
    before = rows_of(path)
    along_given_captions(path, ["cnn-lstm", "vit-lstm"])
    now = rows_of(path)
    # What was found of free maps is as it was, corrected p included.
    assert [one for one in now if "@given" not in one.term + one.against] == before
    pairs = {(one.term, one.against) for one in now if one.analysis == DIFFERENCE and one.metric == "nss"}
    first, second = "cnn-lstm (raw@given)", "vit-lstm (raw@given)"
    assert pairs == {
        *(("cnn-lstm", "vit-lstm"), ("cnn-lstm", "centre_bias"), ("vit-lstm", "centre_bias")),
        *((first, second), (first, "centre_bias"), (second, "centre_bias")),
    }
    with Project.open(path) as project:
        results = read_results(project, "tuebingen", images=False)
        names = [one.name for one in results.sources if one.kind == "model"]
        assert names == ["CNN-LSTM", "CNN-LSTM · given captions", "ViT-LSTM", "ViT-LSTM · given captions"]
        assert results.source("cnn-lstm").method == "raw"
        assert results.source(first).name == "CNN-LSTM · given captions"


def test_a_model_with_maps_along_given_captions_alone_is_never_shown_as_free(study):
    models = (("cnn-lstm", "CNN-LSTM"),)
    path = study(n_images=6, n_subjects=4, tasks=("general",), models=models)
    with Project.open(path) as project:
        project.runs.put_model(ModelInfo("vit-lstm", "ViT-LSTM", "captioner"))
    along_given_captions(path, ["vit-lstm"])
    with Project.open(path) as project:
        lines = results_in_lines(brief_results(project, "tuebingen", ["general"]))
        assert sum("ViT-LSTM" in line for line in lines) == 1
        assert any(line.strip().startswith("ViT-LSTM · given captions ") for line in lines)
        data = model_data(project)
        (table,) = task_scores(current_summary(project, "tuebingen"), ["general"], data)
        assert [row.name for row in table.rows if row.kind == "model"] == [
            "CNN-LSTM",
            "ViT-LSTM · given captions",
        ]
        # One of each kind: neither is the best of several.
        assert not any(cell.best for row in table.rows for cell in row.cells if cell is not None)
        found = [row.finding for row in project.findings.findings(DIFFERENCE)]
        assert {one.against for one in found} == {"centre_bias"}
        (told,) = key_results([with_pairs(table, found, "nss")], "nss")
        assert not any("CNN-LSTM" in text and "ViT-LSTM" in text for text in told.sentences)
        assert any(text.startswith("ViT-LSTM · given captions reaches ") for text in told.sentences)
