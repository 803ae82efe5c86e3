"""What an export holds of lesions, masks and objects: all of it, exactly, whatever names users give."""

from __future__ import annotations

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.project import ObjectBox, Project
from gazeapp.engine.reports.tables import original
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.masks_import import ImportMasksSettings, import_masks
from gazeapp.engine.workflows.objects import ImportObjectsSettings, import_objects
from tests.copied import copy_study
from tests.engine.lesioned import FOUR, add_lesions

ODD = (
    "=cmd|' /C calc'!A1",
    '<b>"left", right</b>',
    "hand/left",
    "Hand/Left",
    "../up",
    "🧠 · keys · 1",
    "CON",
)
STABLE = [
    *("image", "model", "task", "method", "mask", "control", "draw", "scope", "strength", "area", "caption"),
    *("intact_caption", *OUTCOMES, "log_probability", "intact_log_probability"),
]


def rows_of(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    return float(text) if text else float("nan")


@pytest.fixture(scope="module")
def project(built_studies, tmp_path_factory):
    """A study with lesions, masks of odd names, and objects, which tests here only read."""
    built = built_studies(n_images=6, tasks=("free",), models=FOUR)
    with Project.open(copy_study(built, tmp_path_factory.mktemp("lesioned"))) as opened:
        rng = np.random.default_rng(3)
        for image in opened.images.all()[:3]:
            for name in ODD:
                opened.masks.put(name, image.id, rng.integers(0, 256, (90, 120)).astype(np.uint8), "+drawn")
            boxes = [ObjectBox("-red, ball", Rect(1.5, 2.0, 30.0, 20.25), "test")]
            opened.objects.put(image.id, boxes, "test")
        add_lesions(opened, masks=("left", ODD[0]), strengths=(1.0,), said='=1+1 "a", dog')
        yield opened


@pytest.fixture(scope="module")
def folder(project, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    export(project, ExportSettings(str(out), overlays=False), SILENT)
    return out


def test_every_lesion_is_a_row_with_every_outcome_exactly(project, folder):
    rows = rows_of(folder, "lesions.csv")
    assert list(rows[0])[: len(STABLE)] == STABLE
    names = {image.id: image.name for image in project.images.all()}
    stored = {row.id: row for row in project.lesions.all()}
    assert sorted(int(row["lesion_run"]) for row in rows) == sorted(stored)
    assert [row["image"] for row in rows] == sorted(row["image"] for row in rows)
    runs = {run.id: run for run in project.runs.all()}
    for row in rows:
        own = stored[int(row["lesion_run"])]
        assert (row["image"], row["model"], row["task"]) == (names[own.image_id], own.model, own.task)
        key = own.key
        assert (original(row["mask"]), row["control"], row["scope"]) == (key.mask, key.control, key.scope)
        assert (int(row["draw"]), float(row["strength"]), float(row["area"])) == (0, key.strength, own.area)
        assert row["caption"] == '\'=1+1 "a", dog'
        assert row["intact_caption"] == runs[own.run_id].caption
        assert number(row["log_probability"]) == sum(word.log_probability for word in own.words)
        assert number(row["intact_log_probability"]) == runs[own.run_id].log_probability
        for outcome in OUTCOMES:
            np.testing.assert_equal(number(row[outcome]), own.outcomes.get(outcome, float("nan")))


def test_scores_of_lesions_stand_beside_those_of_the_intact_map(project, folder):
    rows = {int(row["lesion_run"]): row for row in rows_of(folder, "lesions.csv")}
    long = [row for row in rows_of(folder, "scores.csv") if row["lesion"]]
    stored = project.lesions.scores("tuebingen")
    assert len(long) == len(stored) == len(rows)
    by_name = {(r["image"], r["model"], r["lesion"]): float(r["value"]) for r in long}
    intact = {
        (r["image"], r["model"]): float(r["value"])
        for r in rows_of(folder, "scores.csv")
        if not r["lesion"] and r["metric"] == "nss" and r["source_kind"] == "model"
    }
    for id_, row in rows.items():
        own, whole = stored[id_]["nss"]
        assert (row["metric_tuebingen"], number(row["score_tuebingen"])) == ("nss", own)
        assert number(row["intact_score_tuebingen"]) == whole
        assert whole == pytest.approx(intact[row["image"], row["model"]])
        assert by_name[row["image"], row["model"], row["lesion"]] == own
        assert row["metric_mit"] == row["score_mit"] == ""
    assert {(row["metric"], row["preset"], row["primary"]) for row in long} == {("nss", "tuebingen", "true")}


def test_runs_have_those_under_lesions_behind_the_intact_ones(project, folder):
    rows = rows_of(folder, "runs.csv")
    n = len(project.runs.all())
    assert all(row["lesion"] == row["lesion_run"] == "" and row["run"] for row in rows[:n])
    assert all(row["lesion"] and row["lesion_run"] and not row["run"] for row in rows[n:])
    assert len(rows) - n == len(project.lesions.all())
    assert {row["lesion"] for row in rows[n:]} >= {
        *("left · keys · 1", "left (random 1) · keys · 1", "left (equal mass 1) · keys · 1"),
        *("left (mirrored) · keys · 1", "none · keys · 1", "'=cmd|' /C calc'!A1 · keys · 1"),
    }
    # What findings call a lesion is what its runs are called.
    named = {row["lesion"] for row in rows_of(folder, "findings.csv") if row["analysis"] == "lesion_control"}
    assert named
    assert named <= {row["lesion"] for row in rows}


def test_words_and_maps_of_lesions_are_found_by_their_numbers(project, folder):
    words: dict[str, list[dict[str, str]]] = {}
    for row in rows_of(folder, "lesion_words.csv"):
        words.setdefault(row["lesion_run"], []).append(row)
    lesions = rows_of(folder, "lesions.csv")
    with np.load(folder / "lesion_maps.npz", allow_pickle=False) as maps:
        assert maps.files == ["lesion_7x7"]
        whole = maps["lesion_7x7"]
        assert (whole.dtype, whole.shape) == (np.float32, (len(lesions), 7, 7))
        for row in lesions[::5]:
            stored = project.lesions.map_of(int(row["lesion_run"]))
            assert row["map_key"] == "lesion_7x7"
            np.testing.assert_array_equal(whole[int(row["map_index"])], stored.values)
            assert tuple(float(row[name]) for name in ("x", "y", "width", "height")) == (
                0.0,
                0.0,
                120.0,
                90.0,
            )
    for row in lesions[::7]:
        own = words[row["lesion_run"]]
        assert " ".join(original(word["word"]) for word in own) == '=1+1 "a", dog'
        assert [int(word["position"]) for word in own] == [0, 1, 2]


def test_masks_of_any_name_come_back_to_the_byte(project, folder, study):
    rows = rows_of(folder, "masks.csv")
    assert len(rows) == 3 * len(ODD)
    assert len({row["file"].casefold() for row in rows}) == len(rows)
    for row in rows:
        file = (folder / row["file"]).resolve()
        assert file.is_relative_to(folder / "masks")
        image = project.images.by_name(row["image"])
        stored = project.masks.get(original(row["mask"]), image.id)
        with Image.open(file) as picture:
            assert picture.mode == "L"
            np.testing.assert_array_equal(np.asarray(picture), stored.values)
        assert (row["sha256"], float(row["area"]), original(row["origin"])) == (
            stored.sha256,
            stored.area,
            "+drawn",
        )
    with Project.open(study(n_images=6, tasks=("free",), models=FOUR)) as other:
        import_masks(other, ImportMasksSettings((str(folder / "masks"),)), SILENT)
        # One of two names that differ in case alone has a number behind its folder.
        for name in set(ODD) - {"Hand/Left"}:
            for image in project.images.all()[:3]:
                back = other.masks.get(name, image.id)
                assert back is not None, name
                assert back.sha256 == project.masks.get(name, image.id).sha256


def test_objects_can_be_read_back_from_their_table(project, folder, study):
    assert [tuple(row.values()) for row in rows_of(folder, "objects.csv")] == [
        (f"scene-00{k}.png", "'-red, ball", "1.5", "2.0", "30.0", "20.25", "test") for k in (1, 2, 3)
    ]
    with Project.open(study(n_images=6, tasks=("free",), models=FOUR)) as other:
        import_objects(other, ImportObjectsSettings((str(folder / "objects.csv"),)), SILENT)
        (box,) = other.objects.of_image(other.images.by_name("scene-002.png").id)
    assert box.rect == Rect(1.5, 2.0, 30.0, 20.25)


def test_no_cell_is_a_formula(folder):
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            for row in csv.reader(opened):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@")), (file.name, cell)


def test_what_was_written_is_named_with_its_hash(folder):
    files = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["files"]
    drawn = [name for name in files if name.startswith("figures/lesions/")]
    assert len(drawn) >= 4
    assert {"lesion_maps.npz", "lesions.csv", "masks.csv"} <= set(files)
    assert sum(name.startswith("masks/") for name in files) == 3 * len(ODD)


def test_without_lesions_the_tables_are_empty_and_there_is_no_archive(study, tmp_path):
    with Project.open(study(n_images=6, tasks=("free",), models=FOUR)) as plain:
        summary = export(plain, ExportSettings(str(tmp_path / "out"), overlays=False, figures=False), SILENT)
    rows = summary.details["rows"]
    assert {rows[f"{name}.csv"] for name in ("lesions", "lesion_words", "masks", "objects")} == {0}
    assert not (tmp_path / "out" / "lesion_maps.npz").exists()
    assert not (tmp_path / "out" / "masks").exists()


def test_an_export_says_how_far_it_is_and_stops_when_asked(project, tmp_path):
    class Watched:
        def __init__(self, stop=""):
            self.seen, self.stop = [], stop

        @property
        def cancelled(self):
            return bool(self.stop) and self.stop in self.seen[-1:][0][2] if self.seen else False

        def report(self, done, total, message):
            self.seen.append((done, total, message))

    watched = Watched()
    summary = export(project, ExportSettings(str(tmp_path / "a"), overlays=False), watched)
    assert len({total for _, total, _ in watched.seen}) == 1
    assert summary.done == watched.seen[0][1]
    assert all(one[0] <= two[0] for one, two in pairwise(watched.seen))
    stopped = export(project, ExportSettings(str(tmp_path / "b"), overlays=False), Watched("lesion_maps"))
    assert stopped.cancelled
    assert not (tmp_path / "b" / "lesion_maps.npz").exists()
