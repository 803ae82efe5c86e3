"""What is read about brain responses is what was stored, of the responses, atlas, region and source asked for."""

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.neural.records import BOTH, LEFT, N_VERTICES, RIGHT, Atlas, Region
from gazeapp.engine.project import Project
from gazeapp.engine.reports.results.neural_measures import NeuralAsked
from gazeapp.engine.workflows.encode_state import remember_encoded
from gazeapp.engine.workflows.neural_results import (
    painted,
    read_image_responses,
    read_neural,
    read_region_values,
    read_vertex_values,
)
from tests.copied import copy_study
from tests.ui.small_neural import (
    ATLAS,
    CEILING,
    GROUPS,
    RESPONSES,
    SOURCES,
    STRENGTH,
    build_neural,
    planted,
    put_neural,
)
from tests.ui.small_study import build

N = 6


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_neural(tmp_path_factory.mktemp("neural") / "study", N)


@pytest.fixture
def project(tmp_path, built):
    with Project.open(copy_study(built.path, tmp_path / "study")) as opened:
        yield opened


@pytest.fixture
def asked():
    return NeuralAsked("general", region="fusiform", source=("model", "cnn-lstm"))


def test_results_have_what_was_stored(project):
    read = read_neural(project, "tuebingen")
    results = read.results
    assert (read.name, read.atlases, results.atlas) == (RESPONSES, (ATLAS,), ATLAS)
    assert [(one.kind, one.id) for one in results.sources] == [*SOURCES[:5], *_controls(results)]
    assert {one.id for one in results.sources} == set(STRENGTH)
    assert results.simulated
    assert results.ceiling_origin == "correlation of two halves of the repeats"
    assert "Desikan" in results.limits or results.limits
    assert set(GROUPS) <= set(results.regions(groups=True))
    names = {one.id: one.name for one in results.sources}
    assert (names["people"], names["other_image"], names["cnn-lstm"]) == (
        "People",
        "Map of another image",
        "CNN-LSTM",
    )
    first = results.regions()[0]
    found = results.of(NeuralAsked("general"), "r", results.facts("cnn-lstm"))[first]
    assert (found.estimate, found.ceiling) == (pytest.approx(STRENGTH["cnn-lstm"]), CEILING)


def _controls(results):
    return [("control", one.id) for one in results.sources[5:]]


def test_without_responses_and_without_findings(tmp_path, project):
    bare = build(tmp_path / "bare", images=2, models=0, subjects=0, scored=False)
    with Project.open(bare.path) as other:
        assert read_neural(other, "tuebingen").responses == ()
        put_neural(other, predicted=False)
        read = read_neural(other, "tuebingen")
        assert (read.name, read.results) == (RESPONSES, None)
        assert read.row.simulated


def test_unknown_names_lead_to_what_was_used_last(project):
    read = read_neural(project, "tuebingen", "gone", "gone")
    assert (read.name, read.results.atlas) == (RESPONSES, ATLAS)


def test_changed_maps_make_findings_older(project):
    remember_encoded(project, RESPONSES, ATLAS, ("general", "social"))
    assert read_neural(project, "tuebingen").results.older == frozenset()
    run = next(run for run in project.runs.all() if run.task == "general")
    project.db.execute("DELETE FROM runs WHERE id = ?", (run.id,))
    assert read_neural(project, "tuebingen").results.older == {"general"}


def test_images_are_ranked_by_response_and_by_prediction(project):
    ids = [image.id for image in project.images.all()]
    about = (RESPONSES, ATLAS, "general", "")
    measured = read_image_responses(project, *about, "fusiform")
    assert [image for image, _, _ in measured.ranked()] == ids[::-1]
    assert measured.ranked()[0][1:] == (f"scene-{N:03}.png", N - 1)
    predicted = read_image_responses(project, *about, "fusiform", ("model", "cnn-lstm"))
    assert [image for image, _, _ in predicted.ranked()] == ids
    assert predicted.ranked()[-1][2] == -(N - 1) / 2
    assert read_image_responses(project, *about, "ventral") is None
    assert read_image_responses(project, *about, "ventral", group=True).ranked()[0][0] == ids[-1]
    assert read_image_responses(project, *about, "no such region") is None
    unknown = replace(measured, values=np.array([np.nan, 2, 1, np.nan, 5, np.nan]))
    assert [value for _, _, value in unknown.ranked()] == [5, 2, 1]


def test_the_mean_response_is_added_to_stored_deviations(project):
    about = (RESPONSES, ATLAS, "general", "")
    row = project.encodings.rows(*about)[1]
    source = (row.kind, row.source)
    before = read_image_responses(project, *about, "fusiform", source)
    means = [1000.0 + k for k in range(len(row.regions))]
    means[row.regions.index("group:ventral")] = None
    project.encodings.put(
        project.responses.get(RESPONSES).id, replace(row, facts=row.facts | {"means": means}), None
    )
    after = read_image_responses(project, *about, "fusiform", source)
    np.testing.assert_allclose(after.values, before.values + 1000 + row.regions.index("fusiform"))
    assert read_image_responses(project, *about, "ventral", source, group=True).ranked() == []


def test_regions_are_painted_with_their_number(project, asked):
    results = read_neural(project, "tuebingen").results
    read = read_region_values(project, results, asked, [("model", "cnn-lstm"), ("human", "people")])
    names = results.regions()
    for source, values in zip(("cnn-lstm", "people"), read.values, strict=True):
        assert values.shape == (N_VERTICES,)
        for region in read.regions:
            wanted = planted(source, names.index(region.name), len(names))
            assert np.allclose(values[region.vertices], wanted)
        inside = np.unique(np.concatenate([region.vertices for region in read.regions]))
        assert np.isnan(values).sum() == N_VERTICES - len(inside)


def test_groups_are_named_where_their_number_is_painted(project, asked):
    results = read_neural(project, "tuebingen").results
    read = read_region_values(project, results, replace(asked, groups=True), [("model", "cnn-lstm")])
    assert [region.id for region in read.regions] == list(results.regions(groups=True))
    for region in read.regions:
        own = np.unique(read.values[0][region.vertices])
        assert len(own) == 1


def test_vertices_have_their_own_score_or_a_reason(project, asked):
    results = read_neural(project, "tuebingen").results
    read = read_vertex_values(project, results, asked, [("model", "vit-lstm")])
    assert np.allclose(read.values[0], STRENGTH["vit-lstm"])
    assert read.lacks == ""
    without = read_vertex_values(project, results, asked, [("control", "contrast")])
    assert without.values == ()
    assert "was not stored for Contrast energy" in without.lacks


def test_a_table_of_regions_has_no_cortex(tmp_path, asked):
    made = build(tmp_path / "table", images=3, subjects=0, scored=False)
    with Project.open(made.path) as project:
        put_neural(project, regions=["V1", "V2"], table=True)
        results = read_neural(project, "tuebingen").results
        assert results.regions() == ("V1", "V2")
        assert not results.has_groups
        read = read_region_values(project, results, asked, [("model", "cnn-lstm")])
        assert "no place on the cortex" in read.lacks


def test_painting_knows_sides_and_groups():
    left, right = np.array([1, 2]), np.array([10_300])
    atlas = Atlas("a", (Region("V1", LEFT, left), Region("V1", RIGHT, right)), groups={"early": ("V1",)})
    apart = painted(atlas, {"V1 left": 0.5})
    assert apart[left].tolist() == [0.5, 0.5]
    assert np.isnan(apart[right]).all()
    joined = painted(atlas, {"V1": 0.25})
    assert joined[[1, 2, 10_300]].tolist() == [0.25] * 3
    assert np.isfinite(painted(atlas, {"early": 1.0}, groups=True)).sum() == 3
    assert Region("V1", BOTH, left).id == "V1"
