"""Predicting responses from maps: what is planted is found, and what is there is not done again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import AttentionMap
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.neural.features import map_features
from gazeapp.engine.neural.records import (
    DIFFERENCE,
    ENCODING,
    FSAVERAGE5,
    N_HEMISPHERE,
    N_VERTICES,
    PARTITION,
    REGION_TABLE,
    RSA,
    Atlas,
    Region,
    Responses,
)
from gazeapp.engine.project import EncodingUnit, Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.encode import EncodeSettings, encode
from gazeapp.engine.workflows.encode_atlas import TABLE
from gazeapp.engine.workflows.encode_state import outdated_encodings
from gazeapp.engine.workflows.remove_maps import RemoveMapsSettings, remove_maps

N_IMAGES = 60
QUICK = EncodeSettings(
    atlas="mine", controls=("luminance",), grid=5, n_permutations=199, n_bootstrap=199, n_folds=3, n_inner=3
)
SHARES = {"strong": 0.9, "weak": 0.5, "none": 0.0}


def seen(project: Project, model: str) -> np.ndarray:
    """Return the first principal direction of a model's features, one z-scored number an image."""
    maps = []
    for run in project.runs.all(task="look", model=model):
        maps.append(AttentionMap(project.maps.mean_of_run(run.id).values))
    features = map_features(maps, 5, 1 / 16)
    centred = features - features.mean(axis=0)
    first = np.linalg.svd(centred, full_matrices=False)[0][:, 0]
    return first / first.std()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with maps of two models, of which the first drives the regions."""
    folder = tmp_path_factory.mktemp("encode")
    rng = np.random.default_rng(5)
    project = Project.create(folder / "study.gaze")
    project.tasks.add("look")
    settings = project.settings.put("import maps", {})
    for model in ("a", "b"):
        project.runs.put_model(
            ModelInfo(model, model.upper(), "imported", methods=("imported",), checkpoint="")
        )
    for k in range(N_IMAGES):
        path = folder / f"{k:02d}.png"
        Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)).save(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        id_ = project.images.add(path, path.name, sha256, 32, 24, "photograph")
        for model in ("a", "b"):
            values = rng.gamma(0.5, size=(6, 6)).astype(np.float32)
            values /= values.sum()
            project.runs.put_map(
                id_, model, "look", "imported", values, project.images.get(id_).rect, settings
            )
    drive = seen(project, "a")
    project.atlases.put(atlas())
    project.responses.put(
        "scan", surface(drive, rng), project.settings.put("import responses", {"of": "scan"})
    )
    project.responses.put(
        "table", table(drive, rng), project.settings.put("import responses", {"of": "table"})
    )
    project.close()
    return project.path


def atlas() -> Atlas:
    regions = []
    for k, name in enumerate(SHARES):
        regions.append(Region(name, "left", np.arange(20 * k, 20 * k + 10)))
        regions.append(Region(name, "right", N_HEMISPHERE + np.arange(20 * k, 20 * k + 10)))
    return Atlas("mine", tuple(regions), "made", "", {"both": ("strong", "weak")})


def surface(drive: np.ndarray, rng: np.random.Generator) -> Responses:
    """Responses of two subjects; noise is common to a region's vertices, so that its mean keeps the signal share."""
    values = rng.normal(size=(2, N_IMAGES, N_VERTICES)).astype(np.float32)
    for region in atlas().regions:
        share = SHARES[region.name]
        for subject in range(2):
            noise = rng.normal(size=N_IMAGES) * np.sqrt(2)  # halves in the mean over subjects
            column = np.sqrt(share) * drive + np.sqrt(1 - share) * noise
            values[subject][:, region.vertices] = column[:, None] + 0.01 * values[subject][:, region.vertices]
    values[:, 3, 5] = np.nan
    return Responses(values, names(), ("p", "q"), np.ones((2, N_IMAGES), int), FSAVERAGE5, True)


def table(drive: np.ndarray, rng: np.random.Generator) -> Responses:
    columns = [np.sqrt(s) * drive + np.sqrt(1 - s) * rng.normal(size=N_IMAGES) for s in SHARES.values()]
    values = np.array(columns, np.float32).T[None]
    ceilings = np.array([[0.95, 0.7, np.nan]], np.float32)
    return Responses(
        values,
        names(),
        ("",),
        np.ones((1, N_IMAGES), int),
        REGION_TABLE,
        False,
        tuple(SHARES),
        ceilings,
        "given",
    )


def names() -> tuple[str, ...]:
    return tuple(f"{k:02d}.png" for k in range(N_IMAGES))


@pytest.fixture
def project(made: Path, tmp_path: Path):
    copy = tmp_path / "study.gaze"
    copy.write_bytes(made.read_bytes())
    opened = Project.open(copy)
    for image in opened.images.all():
        opened.db.execute(
            "UPDATE images SET path = ? WHERE id = ?", (str(made.parent / image.name), image.id)
        )
    yield opened
    opened.close()


def scores(
    project: Project, responses: str, source: str, atlas: str, measure: str = "r"
) -> dict[str, object]:
    return {
        one.region: one
        for one in project.encodings.findings(responses, ENCODING, atlas)
        if (one.source, one.measure) == (source, measure)
    }


def test_planted_regions_come_out_in_order_and_the_null_does_not(project: Project) -> None:
    summary = encode(project, replace(QUICK, responses="scan"), SILENT)
    assert (summary.failed, summary.problems) == (0, ())
    found = scores(project, "scan", "a", "mine")
    assert list(found) == ["strong", "weak", "none", "both"]
    assert found["strong"].estimate > found["weak"].estimate > 0.4
    # A linear drive that is among the features is found but for what the penalty costs.
    assert found["strong"].estimate == pytest.approx(np.sqrt(0.9), abs=0.06)
    assert found["strong"].p_max < 0.05
    assert found["none"].p_max > 0.05
    assert found["strong"].low < found["strong"].estimate < found["strong"].high
    other = scores(project, "scan", "b", "mine")
    assert all(one.p_max > 0.05 for one in other.values())
    assert found["both"].group
    assert found["strong"].n_vertices == 19, "the vertex without a response is left out"


def test_ceiling_of_the_mean_over_subjects_is_the_planted_one(project: Project) -> None:
    encode(project, replace(QUICK, responses="scan", partitions=False, rsa=False), SILENT)
    found = scores(project, "scan", "a", "mine")
    # Noise of the mean of two has half of each subject's variance, which was doubled.
    assert found["strong"].ceiling == pytest.approx(np.sqrt(0.9), abs=0.05)
    assert found["weak"].ceiling == pytest.approx(np.sqrt(0.5), abs=0.15)


def test_vertices_inside_a_planted_region_are_predicted(project: Project) -> None:
    encode(project, replace(QUICK, responses="scan", partitions=False, rsa=False), SILENT)
    values = project.encodings.vertex_map("scan", "", "look", "model", "a")
    assert values[:5].min() > 0.85
    assert np.isnan(values[5])
    assert abs(np.nanmean(values[1000:9000])) < 0.05
    assert project.encodings.vertex_map("scan", "", "look", "control", "luminance") is None


def test_difference_and_shares_go_to_the_model_that_drives(project: Project) -> None:
    encode(project, replace(QUICK, responses="scan"), SILENT)
    found = {one.region: one for one in project.encodings.findings("scan", DIFFERENCE) if one.against == "b"}
    assert found["strong"].estimate == pytest.approx(0.9, abs=0.25)
    assert found["strong"].p_max < 0.01 < found["none"].p_max
    parts = {
        (one.region, one.measure): one.estimate
        for one in project.encodings.findings("scan", PARTITION)
        if one.against == "b"
    }
    assert parts["strong", "unique"] > 0.7
    assert abs(parts["strong", "unique_against"]) < 0.1
    assert parts["strong", "joint"] == pytest.approx(
        parts["strong", "unique"] + parts["strong", "unique_against"] + parts["strong", "shared"], abs=1e-6
    )
    geometry = {one.region: one for one in project.encodings.findings("scan", RSA) if one.source == "a"}
    assert set(geometry) == {"strong", "weak", "none", "both"}


def test_what_is_there_is_not_done_again_and_new_maps_are_noticed(project: Project) -> None:
    first = encode(project, replace(QUICK, responses="scan", vertices=False), SILENT)
    again = encode(project, replace(QUICK, responses="scan", vertices=False), SILENT)
    assert (again.done, again.skipped) == (0, first.done)
    assert outdated_encodings(project) == frozenset()
    image = project.images.all()[0]
    values = np.full((6, 6), 1 / 36, np.float32)
    project.db.execute("DELETE FROM runs WHERE image_id = ? AND model = 'b'", (image.id,))
    settings = project.settings.put("import maps", {})
    project.runs.put_map(image.id, "b", "look", "imported", values, image.rect, settings)
    assert outdated_encodings(project) == {("scan", "mine", "look")}
    third = encode(project, replace(QUICK, responses="scan", vertices=False), SILENT)
    of_b = {unit for unit in project.encodings.made_of("scan", "mine") if "b" in (unit.source, unit.against)}
    assert third.done == len(of_b)
    assert outdated_encodings(project) == frozenset()


def maps_of(project: Project, model: str, task: str = "look", seed: int = 9, n: int = N_IMAGES) -> None:
    """Give a model other maps of the first images under a task."""
    rng = np.random.default_rng(seed)
    project.tasks.add(task)
    settings = project.settings.put("import maps", {"seed": seed})
    for image in project.images.all()[:n]:
        values = rng.gamma(0.5, size=(6, 6)).astype(np.float32)
        project.runs.put_map(image.id, model, task, "imported", values / values.sum(), image.rect, settings)


SHORT = replace(QUICK, responses="table", controls=(), n_permutations=0, n_bootstrap=0)


def stored(project: Project, responses: str = "table", atlas: str = TABLE) -> set[tuple[str, str, str, str]]:
    units = project.encodings.made_of(responses, atlas)
    return {(unit.task, unit.analysis, unit.source, unit.against) for unit in units}


def test_maps_in_the_place_of_removed_ones_are_other_maps(project: Project) -> None:
    encode(project, SHORT, SILENT)
    before = scores(project, "table", "b", TABLE)["strong"].estimate
    project.db.execute("DELETE FROM runs WHERE model = 'b'")
    assert outdated_encodings(project) == {("table", TABLE, "look")}
    maps_of(project, "b")
    assert outdated_encodings(project) == {("table", TABLE, "look")}
    assert encode(project, SHORT, SILENT).done == 3
    assert scores(project, "table", "b", TABLE)["strong"].estimate != before


def test_what_is_stored_of_a_model_goes_with_its_maps(project: Project) -> None:
    maps_of(project, "a", "other")
    maps_of(project, "b", "other", seed=10)
    encode(project, SHORT, SILENT)
    both = {("encoding", "a", ""), ("encoding", "b", ""), ("difference", "a", "b"), ("partition", "a", "b")}
    assert stored(project) == {(task, *unit) for task in ("look", "other") for unit in both}
    project.db.execute("DELETE FROM runs WHERE model = 'b' AND task_id = ?", (project.tasks.id_of("other"),))
    encode(project, SHORT, SILENT)
    assert {unit[1:] for unit in stored(project) if unit[0] == "other"} == {("encoding", "a", "")}
    assert [row.source for row in project.encodings.rows("table", TABLE, "other")] == ["a"]
    assert {unit[1:] for unit in stored(project) if unit[0] == "look"} == both
    project.db.execute("DELETE FROM runs WHERE task_id = ?", (project.tasks.id_of("other"),))
    encode(project, SHORT, SILENT)
    assert not [unit for unit in stored(project) if unit[0] == "other"]


def test_removing_maps_takes_what_was_found_of_them(project: Project) -> None:
    encode(project, SHORT, SILENT)
    remove_maps(project, RemoveMapsSettings("b"), SILENT)
    assert stored(project) == {("look", "encoding", "a", "")}
    assert outdated_encodings(project) == {("table", TABLE, "look")}


def test_a_part_of_a_study_says_nothing_of_the_rest(project: Project) -> None:
    maps_of(project, "a", "other")
    maps_of(project, "b", "other", seed=10)
    encode(project, SHORT, SILENT)
    for task in ("look", "other"):
        project.db.execute("DELETE FROM runs WHERE model = 'b' AND task_id = ?", (project.tasks.id_of(task),))
        maps_of(project, "b", task, seed=11)
    everything = {("table", TABLE, "look"), ("table", TABLE, "other")}
    assert outdated_encodings(project) == everything
    encode(project, replace(SHORT, models=("a",)), SILENT)
    assert outdated_encodings(project) == everything
    encode(project, replace(SHORT, tasks=("look",)), SILENT)
    assert outdated_encodings(project) == {("table", TABLE, "other")}
    encode(project, SHORT, SILENT)
    assert outdated_encodings(project) == frozenset()


def test_numbers_of_different_images_never_stand_side_by_side(project: Project) -> None:
    project.runs.put_model(ModelInfo("c", "C", "imported", methods=("imported",), checkpoint=""))
    maps_of(project, "c", n=40)
    encode(project, SHORT, SILENT)
    assert {len(row.images) for row in project.encodings.rows("table", TABLE, "look")} == {40}
    encode(project, replace(SHORT, models=("a", "b")), SILENT)
    rows = project.encodings.rows("table", TABLE, "look")
    assert {(row.source, len(row.images)) for row in rows} == {("a", 60), ("b", 60)}
    assert not [unit for unit in stored(project) if "c" in unit]


def test_numbers_of_different_settings_never_stand_side_by_side(project: Project) -> None:
    encode(project, SHORT, SILENT)
    encode(project, replace(SHORT, models=("a",), seed=1), SILENT)
    assert stored(project) == {("look", "encoding", "a", "")}


def test_other_regions_or_groups_make_findings_outdated(project: Project) -> None:
    chosen = replace(SHORT, responses="scan", vertices=False, rsa=False, partitions=False)
    encode(project, chosen, SILENT)
    assert outdated_encodings(project) == frozenset()
    project.atlases.set_groups("mine", {"both": ("strong",)})
    assert outdated_encodings(project) == {("scan", "mine", "look")}
    encode(project, chosen, SILENT)
    assert outdated_encodings(project) == frozenset()
    project.atlases.remove("mine")
    assert outdated_encodings(project) == {("scan", "mine", "look")}


def test_a_model_that_is_called_like_a_control_is_left_out(project: Project) -> None:
    project.runs.put_model(
        ModelInfo("luminance", "Luminance", "imported", methods=("imported",), checkpoint="")
    )
    maps_of(project, "luminance")
    summary = encode(project, replace(QUICK, responses="table", partitions=False), SILENT)
    assert "“luminance” has the name of a control" in summary.problems[0].what
    kinds = {row.kind for row in project.encodings.rows("table", TABLE, "look") if row.source == "luminance"}
    assert kinds == {"control"}


def test_stopping_keeps_what_is_done_and_the_rest_gives_the_same_numbers(project: Project) -> None:
    class Impatient:
        n = 0

        def report(self, done: int, total: int, message: str) -> None:
            self.n = done

        @property
        def cancelled(self) -> bool:
            return self.n >= 2

    chosen = replace(QUICK, responses="scan", vertices=False)
    stopped = encode(project, chosen, Impatient())
    assert stopped.cancelled
    assert 2 <= stopped.done < 8
    rest = encode(project, chosen, SILENT)
    assert rest.skipped == stopped.done
    after = project.encodings.findings("scan")
    project.db.execute("DELETE FROM neural_findings")
    encode(project, chosen, SILENT)

    def numbers(findings):
        return sorted(repr(one) for one in findings)

    assert numbers(after) == numbers(project.encodings.findings("scan"))


def test_a_table_of_regions_has_its_own_regions_and_ceilings(project: Project) -> None:
    summary = encode(project, replace(QUICK, responses="table"), SILENT)
    assert summary.details["atlas"] == TABLE
    found = scores(project, "table", "a", TABLE)
    assert list(found) == list(SHARES)
    assert [found[name].ceiling for name in ("strong", "weak")] == pytest.approx([0.95, 0.7])
    assert np.isnan(found["none"].ceiling)
    assert project.encodings.findings("table", RSA) == []


def test_how_central_maps_are_needs_nobodys_fixations(project: Project) -> None:
    encode(project, replace(SHORT, controls=("centre",)), SILENT)
    found = [one for one in project.encodings.findings("table", PARTITION) if one.against == "centre"]
    assert {(one.source, one.measure) for one in found} == {
        (source, part) for source in "ab" for part in ("unique", "unique_against", "shared", "joint")
    }
    assert "centre" not in {row.source for row in project.encodings.rows("table", TABLE, "look")}


def test_each_subject_is_predicted_by_itself_where_that_is_wanted(project: Project) -> None:
    chosen = replace(QUICK, responses="scan", subjects=True, vertices=False, partitions=False, rsa=False)
    encode(project, chosen, SILENT)
    found = project.encodings.findings("scan", ENCODING)
    assert {one.subject for one in found} == {"", "p", "q"}
    units = project.encodings.made_of("scan", "mine")
    assert EncodingUnit("q", "look", DIFFERENCE, "model", "a", "b") in units


def test_images_without_a_map_of_each_source_are_left_out_and_told(project: Project) -> None:
    image = project.images.all()[7]
    project.db.execute("DELETE FROM runs WHERE image_id = ? AND model = 'b'", (image.id,))
    summary = encode(project, replace(QUICK, responses="table"), SILENT)
    assert summary.details["n_images"] == {"look": N_IMAGES - 1}
    assert "1 image with a response is left out" in summary.problems[0].what


def test_a_model_with_few_maps_is_left_out_rather_than_the_images(project: Project) -> None:
    ids = [image.id for image in project.images.all()[:50]]
    project.db.execute(f"DELETE FROM runs WHERE model = 'b' AND image_id IN ({', '.join(map(str, ids))})")
    summary = encode(project, replace(QUICK, responses="table"), SILENT)
    assert summary.details["n_images"] == {"look": N_IMAGES}
    assert "b: left out" in summary.problems[0].what


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"responses": "nobody"}, "no responses called “nobody”"),
        ({"responses": ""}, "2 sets of responses"),
        ({"atlas": "nowhere"}, "nowhere"),
        ({"models": ("z",)}, "no maps of a model “z”"),
        ({"controls": ("noise",)}, "no control “noise”"),
        ({"hemispheres": "front"}, "“front”"),
        ({"grid": 1}, "at least 2 cells"),
    ],
)
def test_settings_that_make_no_sense_are_a_sentence(project: Project, change: dict, sentence: str) -> None:
    with pytest.raises(GazeError, match=sentence):
        encode(project, replace(QUICK, **{"responses": "scan", **change}), SILENT)


def test_a_picture_that_is_gone_costs_its_controls_and_nothing_else(project: Project, made: Path) -> None:
    image = project.images.all()[0]
    project.db.execute("UPDATE images SET sha256 = 'x' WHERE id = ?", (image.id,))
    summary = encode(project, replace(QUICK, responses="table", partitions=False), SILENT)
    assert summary.failed == 3, "its scores, and those of each model held against it"
    assert "changed since it was added" in summary.problems[0].what
    assert set(scores(project, "table", "a", TABLE)) == set(SHARES)


def test_there_are_permutations_enough_for_one_region_among_many() -> None:
    assert EncodeSettings().permutations(34) == 1000
    # The smallest p is 1 / (3600 + 1); Benjamini and Hochberg multiply it by 180 for one region alone.
    assert 180 / (EncodeSettings().permutations(180) + 1) < 0.05
    assert EncodeSettings(n_permutations=99).permutations(180) == 99


def test_too_few_images_for_the_folds_and_constant_maps_are_sentences(project: Project) -> None:
    with pytest.raises(GazeError, match="60 images are too few for 30 folds"):
        encode(project, replace(QUICK, responses="table", n_folds=30), SILENT)
    project.db.execute("DELETE FROM runs WHERE model = 'b'")
    settings = project.settings.put("import maps", {"flat": True})
    for image in project.images.all():
        flat = np.full((6, 6), 1 / 36, np.float32)
        project.runs.put_map(image.id, "b", "look", "imported", flat, image.rect, settings)
    summary = encode(project, replace(QUICK, responses="table"), SILENT)
    problems = [problem.what for problem in summary.problems]
    assert any("same" in what or "varies" in what or "constant" in what for what in problems), problems
    assert scores(project, "table", "a", TABLE)
