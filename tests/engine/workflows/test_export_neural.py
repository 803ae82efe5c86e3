"""What an export holds of brain responses: every number exactly, arrays and surfaces that come back."""

from __future__ import annotations

import csv
import json
import math

import nibabel
import numpy as np
import pytest

from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT, Atlas, Region
from gazeapp.engine.project import Project
from gazeapp.engine.reports.tables import original
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from tests.copied import copy_study
from tests.ui.small_neural import ATLAS, CEILING, GROUPS, RESPONSES, SOURCES, STRENGTH, put_neural
from tests.ui.small_study import build

N = 4
RAMP = np.arange(2 * N_HEMISPHERE, dtype=np.float32) / 1e5
STABLE = [
    *(
        "responses",
        "atlas",
        "simulated",
        "subject",
        "task",
        "analysis",
        "kind",
        "source",
        "against",
        "region",
    ),
    *("group", "measure", "estimate", "ci_low", "ci_high", "p", "p_fdr", "p_max", "ceiling", "n_images"),
    *("n_vertices", "note"),
]
NUMBERS = ("estimate", "ci_low", "ci_high", "p", "p_fdr", "p_max", "ceiling")


def rows_of(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A study with findings, a map of vertices of one model that tells vertices apart, and an atlas of its own."""
    made = build(tmp_path_factory.mktemp("neural") / "study", images=N, subjects=0, scored=False)
    with Project.open(made.path) as opened:
        put_neural(opened)
        opened.db.execute(
            "UPDATE encodings SET vertices = ? WHERE source = 'cnn-lstm'", (RAMP.astype("<f4").tobytes(),)
        )
        regions = (Region("=V1", LEFT, np.arange(3)), Region("=V1", RIGHT, np.arange(20_000, 20_005)))
        opened.atlases.put(Atlas("+mine", regions, groups={"@early": ("=V1",), "b": ("=V1",)}))
        yield opened


@pytest.fixture(scope="module")
def folder(project, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    export(project, ExportSettings(str(out), overlays=False, figures=False), SILENT)
    return out


def test_every_finding_is_a_row_exactly(project, folder):
    rows = rows_of(folder, "encoding.csv")
    assert list(rows[0])[: len(STABLE)] == STABLE
    found = project.encodings.findings(RESPONSES)
    assert len(rows) == len(found)
    for row, one in zip(rows, found, strict=True):
        assert [row[name] for name in ("analysis", "source", "against", "region", "measure")] == [
            *(one.analysis, one.source, one.against, one.region, one.measure)
        ]
        exact = (one.estimate, one.low, one.high, one.p, one.p_fdr, one.p_max, one.ceiling)
        for name, value in zip(NUMBERS, exact, strict=True):
            assert (row[name] == "") if math.isnan(value) else (float(row[name]) == value)
    first = next(row for row in rows if (row["source"], row["measure"]) == ("cnn-transformer", "r"))
    assert float(first["estimate"]) == STRENGTH["cnn-transformer"]
    assert (float(first["ceiling"]), first["simulated"], first["atlas"]) == (CEILING, "true", ATLAS)
    assert {row["region"] for row in rows if row["group"] == "true"} == set(GROUPS)
    used = {row["settings_id"] for row in rows}
    settings = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["settings"]
    assert used <= {str(row["settings_id"]) for row in settings}


def test_responses_and_regions_are_listed_with_text_that_is_no_formula(folder):
    (row,) = rows_of(folder, "responses.csv")
    assert (row["responses"], row["simulated"], row["n_targets"], row["n_images"]) == (
        *(RESPONSES, "true", "20484", str(N)),
    )
    regions = rows_of(folder, "regions.csv")
    assert sum(row["atlas"] == ATLAS for row in regions) == 68
    own = [
        {name: original(text) for name, text in row.items()} for row in regions if row["atlas"] == "'+mine"
    ]
    assert [tuple(row.values()) for row in own] == [
        ("+mine", "=V1", "left", "3", "@early; b", ""),
        ("+mine", "=V1", "right", "5", "@early; b", ""),
    ]
    assert own[0]["region"] == "=V1"


def test_regions_of_a_table_have_the_atlas_that_findings_name(tmp_path):
    made = build(tmp_path / "table", images=N, subjects=0, scored=False)
    with Project.open(made.path) as opened:
        put_neural(opened, regions=["V1", "V2"], table=True)
        export(opened, ExportSettings(str(tmp_path / "out"), overlays=False, figures=False), SILENT)
    keys = ("responses", "atlas", "region")
    regions = {tuple(row[key] for key in keys) for row in rows_of(tmp_path / "out", "regions.csv")}
    assert regions == {(RESPONSES, "table", "V1"), (RESPONSES, "table", "V2")}
    assert regions == {tuple(row[key] for key in keys) for row in rows_of(tmp_path / "out", "encoding.csv")}


def test_predictions_come_back_with_what_was_observed(project, folder):
    models = rows_of(folder, "encoding_models.csv")
    assert [(row["kind"], row["source"]) for row in models] == list(SOURCES)
    names = [image.name for image in project.images.all()]
    with np.load(folder / "encoding_predictions.npz", allow_pickle=False) as arrays:
        assert len(arrays.files) == 6 * len(SOURCES)
        for row, stored in zip(models, project.encodings.rows(RESPONSES, ATLAS, "general"), strict=True):
            key = row["key"]
            np.testing.assert_array_equal(arrays[f"{key}_predictions"], stored.predictions)
            np.testing.assert_array_equal(arrays[f"{key}_observed"], stored.observed)
            np.testing.assert_array_equal(arrays[f"{key}_means"], stored.means)
            np.testing.assert_array_equal(arrays[f"{key}_fold"], stored.fold)
            assert tuple(arrays[f"{key}_regions"]) == stored.regions
            assert list(arrays[f"{key}_images"]) == names
            assert (row["n_images"], row["n_regions"], row["n_folds"]) == (str(N), "36", "3")


def test_scores_of_vertices_come_back_from_the_archive_and_from_surface_files(folder):
    models = {row["source"]: row for row in rows_of(folder, "encoding_models.csv")}
    own = models["cnn-lstm"]
    with np.load(folder / "vertex_scores.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays[own["vertex_key"]], RAMP)
        assert set(arrays.files) == {row["vertex_key"] for row in models.values()} - {""}
        np.testing.assert_allclose(arrays[models["people"]["vertex_key"]], STRENGTH["people"])
    for side, structure, half in (
        ("left", "CortexLeft", RAMP[:N_HEMISPHERE]),
        ("right", "CortexRight", RAMP[N_HEMISPHERE:]),
    ):
        surface = nibabel.load(folder / own[f"{side}_file"])
        np.testing.assert_array_equal(surface.darrays[0].data, half)
        assert surface.meta["AnatomicalStructurePrimary"] == structure
    assert models["contrast"]["vertex_key"] == ""


def test_everything_that_was_written_is_named_with_its_hash_and_again_the_same(project, folder, tmp_path):
    files = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["files"]
    assert {"encoding.csv", "encoding_predictions.npz", "vertex_scores.npz"} <= set(files)
    surfaces = [name for name in files if name.startswith("cortex/")]
    assert len(surfaces) == 2 * 5
    export(project, ExportSettings(str(tmp_path / "again"), overlays=False, figures=False), SILENT)
    again = json.loads((tmp_path / "again" / "provenance.json").read_text(encoding="utf-8"))["files"]
    assert again == files


def test_figures_are_drawn_for_each_set_of_responses_and_counted(project, tmp_path):
    class Watched:
        cancelled = False

        def __init__(self):
            self.totals = set()

        def report(self, done, total, message):
            assert 0 <= done <= total
            self.totals.add(total)

    watched = Watched()
    summary = export(project, ExportSettings(str(tmp_path / "out"), overlays=False), watched)
    assert watched.totals == {summary.done}
    folder = tmp_path / "out" / "figures" / "neural" / "simulated-2-regions"
    drawn = {file.name for file in folder.iterdir()}
    assert {"neural_regions_general.svg", "neural_r_general.svg", "cortex_general_people.png"} <= drawn
    assert (folder / "cortex_general_people.png").read_bytes()[:4] == b"\x89PNG"


def test_no_name_of_responses_leads_out_of_the_folder_of_figures(tmp_path):
    made = build(tmp_path / "odd", images=N, subjects=0, scored=False)
    with Project.open(made.path) as opened:
        put_neural(opened, regions=["V1", "V2"], table=True)
        opened.responses.rename(RESPONSES, "..")
        export(opened, ExportSettings(str(tmp_path / "out"), overlays=False), SILENT)
    figures = tmp_path / "out" / "figures"
    assert {folder.name for folder in (figures / "neural").iterdir()} == {"responses"}
    assert not list(figures.glob("*.svg"))


def test_without_responses_tables_are_empty_and_there_are_no_archives(tmp_path):
    made = build(tmp_path / "plain", images=2, subjects=0, scored=False)
    with Project.open(copy_study(made.path, tmp_path / "study")) as opened:
        summary = export(opened, ExportSettings(str(tmp_path / "out"), overlays=False, figures=False), SILENT)
    rows = summary.details["rows"]
    assert {
        rows[name] for name in ("responses.csv", "regions.csv", "encoding.csv", "encoding_models.csv")
    } == {0}
    for name in ("encoding_predictions.npz", "vertex_scores.npz", "cortex"):
        assert not (tmp_path / "out" / name).exists()
