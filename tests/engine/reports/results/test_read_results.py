import numpy as np
import pytest

from gazeapp.engine.project import MeasureRow, Project, ScoreRow, SummaryRow
from gazeapp.engine.reports.results.read import read_results
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR, model_colour
from gazeapp.engine.scoring.findings import Finding


@pytest.fixture
def project(study):
    """Return a project with scores, measures and findings that were put in by hand."""
    with Project.open(study(n_images=3, tasks=("free", "other"), scored=False)) as opened:
        settings_id = opened.settings.put("score", {"primary": "auc", "transform": "density"})
        models = ("cnn-lstm", "vit-lstm")
        sources = [("human", "loso"), ("baseline", "uniform"), *(("model", one) for one in models)]
        rows = [
            SummaryRow(
                *(kind, source, "free", "", lesion, metric, "tuebingen", 3, 5, 0.4 + k, 1.0, "loso", 0.0),
                *(40.0, 30.0, 50.0, settings_id, "images"),
            )
            for k, (kind, source) in enumerate(sources)
            for metric in ("nss", "auc")
            for lesion in ("", "left")
            if kind == "model" or not lesion
        ]
        opened.scores.put_summary("tuebingen", ["free"], rows, settings_id)
        for image in opened.images.all():
            scores = [
                ScoreRow(image.id, "model", one, "free", "", lesion, "nss", "tuebingen", value, settings_id)
                for one, value in (("cnn-lstm", 0.1 * image.id), ("vit-lstm", None))
                for lesion in ("", "left")
            ]
            opened.scores.put_unit(scores, [], "inputs")
        about = ("free", "model", "cnn-lstm", "", "", "gini", "")
        opened.findings.put_measures([MeasureRow(2, *about, 0.7, settings_id)])
        found = Finding("laterality", "free", "laterality", "people", estimate=0.1, kind="human")
        opened.findings.put_findings(["laterality"], "", [found], settings_id)
        yield opened


def test_results_are_those_of_the_preset_without_lesions(project):
    found = read_results(project, "tuebingen")
    assert {(row.source, row.metric) for row in found.summary} == {
        (source, metric)
        for source in ("loso", "uniform", "cnn-lstm", "vit-lstm")
        for metric in ("nss", "auc")
    }
    assert not any(row.lesion for row in found.summary)
    assert found.tasks == ("free", "other")
    assert found.simulated
    assert read_results(project, "mit").summary == ()
    # Findings that no preset enters belong to all.
    assert [one.estimate for one in read_results(project, "mit").of("laterality")] == [0.1]


def test_the_declared_metric_leads(project):
    assert read_results(project, "tuebingen").primary == "auc"


def test_sources_are_people_models_in_their_order_then_baselines(project):
    found = read_results(project, "tuebingen").sources
    assert [(one.kind, one.id) for one in found] == [
        *(("human", "loso"), ("human", "people"), ("model", "cnn-lstm"), ("model", "vit-lstm")),
        ("baseline", "uniform"),
    ]
    ids = [model.id for model in project.runs.models() if model.kind != "truth"]
    assert [one.colour for one in found] == [
        *(PEOPLE_COLOUR, PEOPLE_COLOUR, model_colour("cnn-lstm", ids), model_colour("vit-lstm", ids)),
        REFERENCE_COLOUR,
    ]
    assert (found[2].name, found[2].encoder, found[2].decoder) == ("CNN-LSTM", "cnn", "lstm")


def test_numbers_of_images_stand_in_the_order_of_the_images_with_none_for_missing(project):
    found = read_results(project, "tuebingen")
    ids = found.scores.image_ids
    assert ids == tuple(image.id for image in project.images.all())
    # One column: lesions and undefined scores are left out.
    assert list(found.scores.columns) == [("free", "nss", "model", "cnn-lstm", "")]
    np.testing.assert_allclose(
        found.scores.columns["free", "nss", "model", "cnn-lstm", ""], 0.1 * np.array(ids)
    )
    column = found.measures.columns["free", "gini", "", "model", "cnn-lstm", ""]
    np.testing.assert_array_equal(column, [0.7 if image == 2 else np.nan for image in ids])
    light = read_results(project, "tuebingen", images=False)
    assert not light.scores.columns
    assert not light.measures.columns
    assert light.summary == found.summary


def test_settings_are_named_with_the_transform(project):
    (line,) = read_results(project, "tuebingen").settings.values()
    assert line.startswith("score settings ")
    assert line.endswith("maps transformed for each metric (density)")
