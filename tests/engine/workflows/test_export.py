import csv
import errno
import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project import MeasureRow, Project, ScoreRow, SubjectScoresRow, SummaryRow
from gazeapp.engine.project.gaze import GEOMETRY
from gazeapp.engine.reports.tables import original
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.workflows import export as module
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.marking import (
    GeometrySettings,
    ShiftSettings,
    change_geometry,
    choose_fixations,
    shift_trials,
)

# The names that scripts rely on; columns may be added after them, never in between.
STABLE = {
    "images.csv": ["image"],
    "fixations.csv": ["image", "task", "subject"],
    "runs.csv": ["image", "model", "task", "lesion", "caption"],
    "scores.csv": ["image", "model", "task", "method", "lesion", "metric", "preset", "value"],
    "ceilings.csv": [
        *("task", "metric", "preset", "estimator", "value", "ci_low", "ci_high", "n_images", "n_subjects"),
    ],
    "summary.csv": [
        *("model", "task", "metric", "preset", "mean", "ceiling", "chance", "percent", "ci_low", "ci_high"),
    ],
    "problems.csv": ["verb", "where", "what"],
}


class CancelledAt:
    """Progress that is cancelled once a message comes."""

    def __init__(self, message):
        self._message = message
        self.cancelled = False

    def report(self, done, total, message):
        assert 0 <= done <= total
        self.cancelled = self.cancelled or self._message in message


def rows_of(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


def test_the_tables_have_their_stable_columns_and_are_all_explained(study, folder):
    with Project.open(study()) as project:
        summary = export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
    explained = {(row["table"], row["column"]) for row in rows_of(folder, "data_dictionary.csv")}
    for name, count in summary.details["rows"].items():
        with (folder / name).open(encoding="utf-8", newline="") as file:
            header, *body = csv.reader(file)
        assert header[: len(STABLE.get(name, []))] == STABLE.get(name, [])
        assert {(name, column) for column in header} <= explained
        assert len(body) == count
    assert set(STABLE) <= set(summary.details["rows"])
    assert (folder / "data_dictionary.md").read_text(encoding="utf-8").startswith("# What")


def test_every_fixation_is_exported_with_why_it_is_not_used(study, folder):
    with Project.open(study()) as project:
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
        kept = {key: project.gaze.fixations(*key) for key in project.gaze.counts()}
        names = {image.id: image.name for image in project.images.all()}
    rows = rows_of(folder, "fixations.csv")
    # 4 images, 2 tasks, 5 subjects, 7 fixations, and one of a trial whose image is unknown.
    assert len(rows) == 4 * 2 * 5 * 7 + 1
    assert {row["why"] for row in rows if row["kept"] == "false"} == {"outside image", "no matching image"}
    assert {row["why"] for row in rows if row["kept"] == "true"} == {""}
    assert {row["simulated"] for row in rows} == {"true"}
    for (image, task), table in kept.items():
        own = [r for r in rows if r["kept"] == "true" and (r["image"], r["task"]) == (names[image], task)]
        own.sort(key=lambda r: (r["subject"], int(r["trial"]), int(r["fixation_index"])))
        np.testing.assert_array_equal([float(r["x"]) for r in own], table.x)
        np.testing.assert_array_equal([float(r["duration_ms"]) for r in own], table.duration_ms)
    stray = rows[-1]
    assert (stray["image"], stray["x"], stray["x_recorded"]) == ("unknown.png", "", "5.5")


def test_positions_on_a_screen_are_brought_to_the_image(study, folder):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        with project.transaction():
            project.db.execute(
                "UPDATE trials SET offset_x = 10, offset_y = 20, shown_width = 240, shown_height = 180 WHERE id = 1"
            )
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
    row = rows_of(folder, "fixations.csv")[0]
    assert float(row["x"]) == pytest.approx((float(row["x_recorded"]) - 10) / 2)
    assert float(row["y"]) == pytest.approx((float(row["y_recorded"]) - 20) / 2)


def test_shifts_and_clamped_positions_are_those_of_the_scores(study, folder):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        change_geometry(project, GeometrySettings(Geometry(distance_cm=57.0)), SILENT)
        shift_trials(project, ShiftSettings({1: (3.0, -200.0)}), SILENT)
        choose_fixations(project, GazeChoices(outside="clamp", sigma=6.0), SILENT)
        project.gaze.change_trials({2: {"shown": (10.0, 20.0, 240.0, 180.0)}})
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
        table = project.gaze.fixations(1, "free")
    rows = [row for row in rows_of(folder, "fixations.csv") if row["image"] != "unknown.png"]
    assert {row["kept"] for row in rows} == {"true"}
    rows.sort(key=lambda row: (row["subject"], int(row["trial"]), int(row["fixation_index"])))
    np.testing.assert_array_equal([float(row["x"]) for row in rows], table.x)
    np.testing.assert_array_equal([float(row["y"]) for row in rows], table.y)
    first = next(row for row in rows if row["trial"] == "1")
    assert (first["shift_x"], first["shift_y"], float(first["y"])) == ("3.0", "-200.0", 0.0)
    assert float(first["x"]) == float(first["x_recorded"]) + 3.0
    outside = next(row for row in rows if (row["trial"], row["fixation_index"]) == ("3", "7"))
    assert 119.99 < float(outside["x"]) < 120 < float(outside["x_recorded"])
    trials = {row["trial"]: row for row in rows_of(folder, "trials.csv")}
    assert [
        trials["1"][name] for name in ("subject", "image", "task", "label", "eye", "n_fixations", "n_kept")
    ] == [
        *("S01", "scene-001.png", "free", "t1", "left", "7", "7"),
    ]
    assert (trials["1"]["shift_y"], trials["1"]["shown_x"]) == ("-200.0", "")
    assert [trials["2"][f"shown_{name}"] for name in ("x", "y", "width", "height")] == [
        "10.0",
        "20.0",
        "240.0",
        "180.0",
    ]
    assert (trials["6"]["image"], trials["6"]["image_known"], trials["6"]["n_kept"]) == (
        "unknown.png",
        "false",
        "0",
    )


def test_recordings_are_exported_with_their_geometry_and_who_said_it(study, folder):
    note = "Fixations were found in the samples by I-DT (width plus height within 1 deg), at 60 Hz."
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        frame = json.dumps({"of": "screen", "unit": "px"})
        facts = json.dumps({"as_read": {"screen": [800, 600]}, "notes": ["=1+1", note]})
        project.db.execute("UPDATE recordings SET frame = ?, facts = ?", (frame, facts))
        project.gaze.set_geometry(1, Geometry(placement="fit", distance_cm=57.0).as_json())
        project.settings.set_current(GEOMETRY, Geometry(screen_width_cm=40.0, distance_cm=90.0).as_json())
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
    [row] = rows_of(folder, "recordings.csv")
    assert (row["screen_width"], row["screen_height"], row["placement"]) == ("800.0", "600.0", "fit")
    assert (row["distance_cm"], row["screen_width_cm"]) == ("57.0", "40.0")
    # 2 * 57 cm * tan(0.5 deg) is 0.99489 cm, at 20 px a cm.
    assert float(row["px_per_degree"]) == pytest.approx(19.8978, abs=1e-3)
    assert row["geometry_source"] == "screen: file; place: user; distance: user; screen width: project"
    assert (row["detection"], row["eye"], row["frame"]) == (
        note,
        "several",
        "px of the screen from the top left corner",
    )


def test_scores_and_summary_are_exact(study, folder):
    with Project.open(study()) as project:
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
        names = {image.id: image.name for image in project.images.all()}
        stored = {(names[r.image_id], r.source, r.task, r.metric): r.value for r in project.scores.all()}
        means = {(r.source, r.task, r.metric): (r.mean, r.percent) for r in project.scores.summary()}
    found = {
        (r["image"], r["model"], r["task"], r["metric"]): r["value"] for r in rows_of(folder, "scores.csv")
    }
    assert {key: float(v) if v else None for key, v in found.items()} == stored
    rows = rows_of(folder, "summary.csv")
    assert {
        (r["model"], r["task"], r["metric"]): tuple(
            float(r[c]) if r[c] else None for c in ("mean", "percent")
        )
        for r in rows
    } == means


def test_a_name_that_looks_like_a_formula_comes_back_as_text(study, folder):
    name = '=HYPERLINK("https://evil.example"),\n"x"'
    with Project.open(study(hostile=name, n_images=1, tasks=("free",), scored=False)) as project:
        export(project, ExportSettings(str(folder), overlays=True), SILENT)
    for table, column in (
        ("images.csv", "image"),
        ("runs.csv", "caption"),
        ("words.csv", "word"),
        ("maps.csv", "image"),
    ):
        values = [row[column] for row in rows_of(folder, table)]
        assert any(original(value).startswith(name) for value in values)
        assert not any(value.startswith("=") for value in values)


def test_maps_come_back_as_they_are_stored(study, folder):
    with Project.open(study(scored=False)) as project:
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
        index = rows_of(folder, "maps.csv")
        with np.load(folder / "maps.npz", allow_pickle=False) as archive:
            assert set(archive.files) == {key for r in index for key in (r["key"], r["words_key"]) if key}
            for row in index:
                image = project.images.by_name(row["image"])
                if row["kind"] == "human":
                    human = project.maps.human(image.id, row["task"])
                    np.testing.assert_array_equal(archive[row["key"]], human.values)
                    continue
                stored = project.maps.of_run(int(row["run"]))
                np.testing.assert_array_equal(archive[row["key"]], stored.mean)
                assert archive[row["key"]].shape == (int(row["rows"]), int(row["columns"]))
                if row["words_key"]:
                    np.testing.assert_array_equal(archive[row["words_key"]], stored.words)
                    assert len(stored.words) == int(row["words"])
    assert {row["kind"] for row in index} == {"human", "run"}
    assert len(index) == 4 * 2 * (1 + 3 + 1)


def test_every_map_has_a_picture_and_the_index_names_it(study, folder):
    with Project.open(study(n_images=2, tasks=("free",), scored=False)) as project:
        export(project, ExportSettings(str(folder)), SILENT)
    named = [row["overlay"] for row in rows_of(folder, "maps.csv")]
    there = {file.relative_to(folder).as_posix() for file in (folder / "overlays").iterdir()}
    assert len(named) == len(set(named))
    assert set(named) == there
    for name in named:
        with Image.open(folder / name) as picture:
            assert max(picture.size) == 384


def test_provenance_names_settings_and_hashes(study, folder):
    with Project.open(study()) as project:
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
        settings = {row.id: row.hash for row in project.settings.all()}
    facts = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert facts["simulated"] is True
    imported = next(row["values"] for row in facts["settings"] if row["verb"] == "read recording")
    assert imported["file"] == "fixations.csv"
    assert {row["settings_id"]: row["hash"] for row in facts["settings"]} == settings
    for name, entry in facts["files"].items():
        assert entry["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    used = {
        row["settings_id"] for name in ("runs.csv", "scores.csv", "maps.csv") for row in rows_of(folder, name)
    }
    assert used <= {str(number) for number in settings}


def test_the_same_project_gives_the_same_bytes_and_other_files_are_left_alone(study, folder):
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with Project.open(study(n_images=1, tasks=("free",), models=(("cnn-lstm", "CNN-LSTM"),))) as project:
        export(project, ExportSettings(str(folder)), SILENT)
        first = contents(folder)
        (folder / "scores.csv").write_text("older")
        export(project, ExportSettings(str(folder)), SILENT)
    assert contents(folder) == first
    assert first["notes.txt"] == b"mine"
    assert not [name for name in first if name.endswith(".part")]


def test_an_empty_project_gives_empty_tables(tmp_path, folder):
    with Project.create(tmp_path / "empty.gaze") as project:
        summary = export(project, ExportSettings(str(folder)), SILENT)
    assert summary.failed == 0
    assert rows_of(folder, "scores.csv") == []
    with np.load(folder / "maps.npz") as archive:
        assert archive.files == []


@pytest.mark.parametrize("message", ["runs.csv", "maps.npz", "pictures of", "data_dictionary.md"])
def test_cancelling_leaves_only_whole_files(study, folder, message):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        summary = export(project, ExportSettings(str(folder)), CancelledAt(message))
    assert summary.cancelled
    written = contents(folder)
    assert "images.csv" in written
    assert "provenance.json" not in written
    assert not [name for name in written if name.endswith(".part")]
    if "maps.npz" in written:
        with np.load(folder / "maps.npz") as archive:
            assert all(np.isfinite(archive[name]).all() for name in archive.files)


def test_a_missing_image_has_no_pictures_and_becomes_a_problem(study, tmp_path):
    path = study(n_images=2, tasks=("free",), scored=False)
    (tmp_path / "images" / "scene-002.png").unlink()
    with Project.open(path) as project:
        # Into the project's own folder: a missing image there must not be taken for a failing export.
        summary = export(project, ExportSettings(str(tmp_path)), SILENT)
        problems = project.problems.all()
    assert summary.failed == 1
    assert [problem.verb for problem in problems] == ["export"]
    assert "scene-002.png" in problems[0].where
    assert len(rows_of(tmp_path, "images.csv")) == 2
    assert {file.name[:4] for file in (tmp_path / "overlays").iterdir()} == {"0001"}


def test_a_folder_that_cannot_be_made_gets_a_sentence(study, tmp_path):
    (tmp_path / "file").write_text("I am no folder")
    with Project.open(study(scored=False)) as project:
        for place in (tmp_path / "file", tmp_path / "file" / "out"):
            with pytest.raises(GazeError, match="is a file, not a folder"):
                export(project, ExportSettings(str(place)), SILENT)


def test_a_full_disk_gets_a_sentence_and_keeps_what_was_there(study, folder, monkeypatch):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        export(project, ExportSettings(str(folder)), SILENT)
        before = contents(folder)

        def full(path, text):
            raise GazeError("The disk is full, so the file was not written.", where=str(path))

        monkeypatch.setattr(module, "_write_text", full)
        with pytest.raises(GazeError, match="disk is full"):
            export(project, ExportSettings(str(folder)), SILENT)
    assert contents(folder) == before


def test_running_out_of_space_is_told_apart(tmp_path):
    from gazeapp.engine.reports.files import replacing

    with pytest.raises(GazeError, match="disk is full"), replacing(tmp_path / "a.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(GazeError, match="cannot be written here"), replacing(tmp_path / "a.csv"):
        raise OSError(errno.EROFS, "Read-only file system")
    assert not list(tmp_path.iterdir())


def put_results(project):
    """Put one number of each kind into a project without scores."""
    settings_id = project.settings.put("score", {"primary": "nss"})
    image = project.images.all()[0].id
    summary = SummaryRow(
        *("model", "cnn-lstm", "free", "", "", "nss", "tuebingen", 1, 2, 0.7, 1.4, "loso", 0.0),
        *(50.0, 40.0, 60.0, settings_id, "images"),
    )
    scored = ScoreRow(image, "model", "cnn-lstm", "free", "", "", "nss", "tuebingen", 0.7, settings_id)
    columns = (("model", "cnn-lstm", "", "", "nss"), ("ceiling", "loso_mixture", "", "", "nss"))
    values = np.array([[0.5, np.nan], [1.25, 1.5]], dtype=np.float32)
    own = SubjectScoresRow(image, "free", ("S01", "S02"), (6, 3), columns, values, settings_id)
    project.scores.put_summary("tuebingen", ["free"], [summary], settings_id)
    project.scores.put_unit([scored], [], "inputs", own=own)
    project.findings.put_measures(
        [MeasureRow(image, "free", "human", "people", "", "", "gini", "", 0.25, settings_id)]
    )
    about = {"estimate": 0.1, "low": -0.2, "high": 0.4, "n_images": 1, "n_subjects": 2}
    effect = Finding("factorial", "free", "nss", "decoder", "transformer - lstm", p=0.5, p_holm=1.0, **about)
    pair = Finding("difference", "free", "nss", "cnn-lstm", "vit-lstm", effect=0.3, kind="model", **about)
    side = Finding("laterality", "free", "laterality", "people", note="=1+1", kind="human", **about)
    project.findings.put_findings(["factorial", "difference"], "tuebingen", [effect, pair], settings_id)
    project.findings.put_findings(["laterality"], "", [side], settings_id)


def test_what_each_person_scores_is_exported_with_peoples_own_rows(study, folder):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        put_results(project)
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
    rows = rows_of(folder, "scores_by_subject.csv")
    names = ("subject", "model", "encoder", "decoder", "value", "n_fixations", "source_kind")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("S01", "cnn-lstm", "cnn", "lstm", "0.5", "6", "model"),
        ("S02", "cnn-lstm", "cnn", "lstm", "", "3", "model"),
        ("S01", "loso_mixture", "", "", "1.25", "6", "human"),
        ("S02", "loso_mixture", "", "", "1.5", "3", "human"),
    ]
    assert {(row["image"], row["task"], row["metric"], row["preset"]) for row in rows} == {
        ("scene-001.png", "free", "nss", "tuebingen")
    }


def test_findings_and_measures_are_exported(study, folder):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        put_results(project)
        export(project, ExportSettings(str(folder), overlays=False, figures=False), SILENT)
    (pair,) = rows_of(folder, "differences.csv")
    assert [pair[name] for name in ("first", "second", "difference", "ci_low", "ci_high", "effect", "p")] == [
        *("cnn-lstm", "vit-lstm", "0.1", "-0.2", "0.4", "0.3", ""),
    ]
    (effect,) = rows_of(folder, "factorial.csv")
    assert [effect[name] for name in ("term", "against", "estimate", "p_holm")] == [
        *("decoder", "transformer - lstm", "0.1", "1.0"),
    ]
    every = rows_of(folder, "findings.csv")
    assert [(row["analysis"], row["preset"]) for row in every] == [
        *(("factorial", "tuebingen"), ("difference", "tuebingen"), ("laterality", "")),
    ]
    assert original(every[2]["note"]) == "=1+1"
    assert every[2]["note"].startswith("'")
    (measure,) = rows_of(folder, "measures.csv")
    assert [measure[name] for name in ("image", "model", "measure", "value", "source_kind")] == [
        *("scene-001.png", "people", "gini", "0.25", "human"),
    ]
    assert rows_of(folder, "summary.csv")[0]["interval"] == "images"


def test_figures_are_written_for_each_preset_and_named_in_the_provenance(study, folder):
    with Project.open(study(n_images=1, tasks=("free",), scored=False)) as project:
        put_results(project)
        export(project, ExportSettings(str(folder), overlays=False), SILENT)
    there = {file.relative_to(folder).as_posix() for file in (folder / "figures").rglob("*.svg")}
    assert {
        f"figures/tuebingen/{name}.svg" for name in ("scores_free", "differences_nss", "images_nss_free")
    } <= there
    named = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["files"]
    assert {name for name in named if name.startswith("figures/")} == there
