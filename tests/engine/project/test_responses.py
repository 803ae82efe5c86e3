"""Brain responses, atlases and encoding models in the project file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import (
    FSAVERAGE5,
    N_VERTICES,
    REGION_TABLE,
    Atlas,
    NeuralFinding,
    Region,
    Responses,
)
from gazeapp.engine.project import EncodingRow, EncodingUnit, Project


@pytest.fixture
def project(tmp_path: Path):
    project = Project.create(tmp_path / "study.gaze")
    for k in range(3):
        project.images.add(tmp_path / f"{k}.png", f"{k}.png", f"{k}" * 64, 40, 30, "photograph")
    project.tasks.add("look")
    yield project
    project.close()


def table(**changes) -> Responses:
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    values[1, 2] = np.nan
    base = Responses(
        values,
        ("0.png", "1.png", "2.png"),
        ("a", "b"),
        np.array([[3, 3, 1], [2, 2, 0]]),
        REGION_TABLE,
        False,
        ("V1", "V2"),
        np.array([[0.9, 0.8], [0.7, np.nan]], np.float32),
        "repeats",
        "a scanner",
        {"tr": 1.5},
    )
    return replace(base, **changes)


def test_responses_come_back_as_they_were(project: Project) -> None:
    given = table()
    id_ = project.responses.put("scan", given, project.settings.put("import responses", {"a": 1}))
    row = project.responses.get("scan")
    assert (row.id, row.subjects, row.n_images, row.targets) == (id_, ("a", "b"), 3, ("V1", "V2"))
    found = project.responses.read("scan")
    np.testing.assert_array_equal(found.values, given.values)
    np.testing.assert_array_equal(found.n_repeats, given.n_repeats)
    np.testing.assert_array_equal(found.ceilings, given.ceilings)
    assert (found.images, found.simulated, found.source, found.facts) == (
        given.images,
        False,
        "a scanner",
        {"tr": 1.5},
    )


def test_one_subject_has_only_its_own_images(project: Project) -> None:
    project.responses.put("scan", table(), project.settings.put("import responses", {}))
    found = project.responses.read("scan", "b")
    assert found.images == ("0.png", "1.png")
    np.testing.assert_array_equal(found.values, table().values[1:, :2])
    with pytest.raises(GazeError, match="no subject"):
        project.responses.read("scan", "c")


def test_images_are_known_without_their_values(project: Project) -> None:
    settings = project.settings.put("import responses", {})
    given = table()
    given.n_repeats[:, 1] = 0
    project.responses.put("scan", given, settings)
    ids = [image.id for image in project.images.all()]
    assert project.responses.image_ids("scan") == [ids[0], ids[2]]


def test_responses_of_a_strange_image_are_refused(project: Project) -> None:
    settings = project.settings.put("import responses", {})
    with pytest.raises(GazeError, match=r"lacks, such as “9\.png”"):
        project.responses.put("scan", table(images=("0.png", "1.png", "9.png")), settings)
    assert project.responses.all() == []


def test_vertices_of_a_surface_come_back(project: Project) -> None:
    values = np.random.default_rng(0).normal(size=(1, 3, N_VERTICES)).astype(np.float32)
    given = Responses(values, ("0.png", "1.png", "2.png"), ("",), np.ones((1, 3), int), FSAVERAGE5, True)
    project.responses.put("model", given, project.settings.put("import responses", {}))
    np.testing.assert_array_equal(project.responses.read("model").values, values)
    assert project.responses.get("model").simulated


def test_renaming_and_names_that_are_taken(project: Project) -> None:
    settings = project.settings.put("import responses", {})
    project.responses.put("one", table(), settings)
    project.responses.put("two", table(), settings)
    with pytest.raises(GazeError, match="already"):
        project.responses.rename("one", "two")
    for name, why in ((" ", "need a name"), ("one\nline", "line break"), ("m" * 121, "121 letters; 120 are")):
        with pytest.raises(GazeError, match=why):
            project.responses.rename("one", name)
        with pytest.raises(GazeError, match=why):
            project.responses.put(name, table(), settings)
    project.responses.rename("one", "three")
    assert [row.name for row in project.responses.all()] == ["three", "two"]


def atlas() -> Atlas:
    return Atlas(
        "mine",
        (
            Region("V1", "left", np.array([1, 5])),
            Region("V1", "right", np.array([10_300])),
            Region("V2", "left", np.array([7])),
        ),
        "by hand",
        "small",
        {"early": ("V1", "V2")},
    )


def test_atlas_comes_back_and_its_groups_can_be_changed(project: Project) -> None:
    project.atlases.put(atlas())
    found = project.atlases.get("mine")
    assert [region.id for region in found.regions] == ["V1 left", "V1 right", "V2 left"]
    np.testing.assert_array_equal(found.regions[1].vertices, [10_300])
    np.testing.assert_array_equal(found.group("early").vertices, [1, 5, 7, 10_300])
    np.testing.assert_array_equal(found.joined().regions[0].vertices, [1, 5, 10_300])
    project.atlases.set_groups("mine", {"one": ["V2"]})
    assert project.atlases.all()[0].groups == {"one": ("V2",)}
    project.atlases.remove("mine")
    with pytest.raises(GazeError, match="no atlas called"):
        project.atlases.get("mine")


def encoding(project: Project, **changes) -> EncodingRow:
    base = EncodingRow(
        0,
        "",
        "look",
        "model",
        "m",
        "mine",
        "abc",
        ("V1", "group:early"),
        (1, 2, 3),
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.ones((3, 2), np.float32),
        np.array([0, 1, 0]),
        {"left_out": 2},
        1.5,
        project.settings.put("encode", {}),
    )
    return replace(base, **changes)


def test_encoding_model_comes_back_and_goes_with_its_responses(project: Project) -> None:
    id_ = project.responses.put("scan", table(), project.settings.put("import responses", {}))
    vertices = np.linspace(0, 1, N_VERTICES).astype(np.float32)
    project.encodings.put(id_, encoding(project, inputs_hash="old"), None)
    project.encodings.put(id_, encoding(project), vertices)
    (found,) = project.encodings.rows("scan", "mine", "look")
    np.testing.assert_array_equal(found.predictions, encoding(project).predictions)
    np.testing.assert_array_equal(found.fold, [0, 1, 0])
    assert (found.regions, found.images, found.inputs_hash) == (("V1", "group:early"), (1, 2, 3), "abc")
    np.testing.assert_array_equal(project.encodings.vertex_map("scan", "", "look", "model", "m"), vertices)
    assert project.encodings.vertex_map("scan", "a", "look", "model", "m") is None
    assert project.encodings.atlases("scan") == ["mine"]
    project.responses.remove("scan")
    assert project.db.execute("SELECT count(*) FROM encodings").fetchone()[0] == 0


def test_findings_come_back_and_are_replaced(project: Project) -> None:
    id_ = project.responses.put("scan", table(), project.settings.put("import responses", {}))
    settings = project.settings.put("encode", {})
    one = NeuralFinding(
        "encoding", "look", "model", "m", "V1", "r", 0.5, 0.4, 0.6, 0.01, 0.02, 0.03, n_images=3, n_vertices=9
    )
    two = replace(one, region="early", group=True, ceiling=0.8, note="Few images.", subject="")
    unit = EncodingUnit("", "look", "encoding", "model", "m")
    project.encodings.replace_findings(id_, "mine", unit, [one], settings, "x")
    project.encodings.replace_findings(id_, "mine", unit, [one, two], settings, "y")
    first, second = project.encodings.findings("scan", "encoding", "mine", "look")
    assert np.isnan(first.ceiling)
    assert replace(first, ceiling=0.0) == replace(one, ceiling=0.0)
    assert second == two
    assert {key: made[1] for key, made in project.encodings.made_of("scan", "mine").items()} == {unit: "y"}
    assert project.encodings.findings("scan", "rsa") == []
    project.encodings.remove_findings(id_, "mine", unit)
    assert project.encodings.findings("scan") == []
