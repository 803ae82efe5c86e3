"""Maps of mirrored images: made and imported beside the plain ones, in left and right only, never in a score."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import PLAIN, Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.project import Project
from gazeapp.engine.project.rows import MIRRORED
from gazeapp.engine.reports.commands import commands
from gazeapp.engine.scoring.findings import LATERALITY
from gazeapp.engine.types import ImageArray, Rect
from gazeapp.engine.workflows import extract_plan as extract_module
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.extract import extract
from gazeapp.engine.workflows.extract_plan import ExtractSettings
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
from gazeapp.engine.workflows.measure import MeasureSettings, measure
from gazeapp.engine.workflows.score import ScoreSettings, score

WIDTH, HEIGHT = 48, 36
CONTENT = (0.5, 0.25, 0.0, 0.625, -0.25, 0.375, 0.125)
"""Of each image: how much more there is to see on the right than on the left."""
HABIT = -0.25
SCORING = ScoreSettings(metrics=("nss", "cc", "ig"), sigma=4.0, n_bootstrap=200, n_splits=20)


def content_of(picture: ImageArray) -> float:
    """What the model sees: the brightness of both halves is 100 (1 -+ content)."""
    left, right = picture[:, : WIDTH // 2].mean(), picture[:, WIDTH // 2 :].mean()
    return round(float((right - left) / (right + left)), 3)


INDICES = {
    "leaning": lambda content: HABIT,
    "following": lambda content: content,
    "both": lambda content: content + HABIT,
}
"""Laterality of each model's map of a picture."""


@dataclass
class SidedModel:
    info: ModelInfo

    def describe(
        self, image: ImageArray, task: str, method: str = "", options: DescribeOptions = PLAIN
    ) -> Caption:
        if image[0, 0].tolist() == [255, 0, 0]:
            raise GazeError("Red corners on the left are beyond this model.", todo="Use another colour.")
        index = INDICES[self.info.id](content_of(image))
        maps = np.tile(np.float32([1 - index, 1 - index, 1 + index, 1 + index]), (2, 3, 1))
        maps[1, 0] *= 2
        maps /= maps.sum(axis=(1, 2), keepdims=True)
        words = (Word("a", -1.0, False), Word(f"scene {content_of(image)}", -1.0, True))
        rect = Rect.of_image(image.shape[1], image.shape[0])
        return Caption(words, maps, np.ones(2, np.float32), rect, self.info.task_for(task), method or "light")


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    infos = [ModelInfo(id, id, "captioner", tasks=("free",), methods=("light", "dark")) for id in INDICES]
    monkeypatch.setattr(extract_module, "available_models", lambda: infos)
    load = {info.id: SidedModel(info) for info in infos}
    monkeypatch.setattr(extract_module, "open_model", lambda info, wishes: load[info.id])


def pictures(folder: Path, red: int | None) -> None:
    folder.mkdir(parents=True)
    for k, content in enumerate(CONTENT):
        pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        pixels[:, : WIDTH // 2], pixels[:, WIDTH // 2 :] = 100 * (1 - content), 100 * (1 + content)
        if k == red:
            pixels[0, -1] = (255, 0, 0)
        Image.fromarray(pixels).save(folder / f"{k}.png")


def build(folder: Path, red: int | None = None) -> Project:
    """A study of seven images whose content lies on a known side, looked at by five people."""
    pictures(folder / "set", red)
    rng = np.random.default_rng(0)
    rows = ["image,subject,x,y,duration_ms"]
    for k, content in enumerate(CONTENT):
        for person in range(5):
            for _ in range(4):
                x = np.clip(rng.normal(WIDTH * (1 + content) / 2, 6), 0, WIDTH - 1)
                rows.append(f"{k}.png,p{person},{x:.2f},{rng.uniform(0, HEIGHT - 1):.2f},200")
    (folder / "looked.csv").write_text("\n".join(rows) + "\n")
    project = Project.create(folder / "study.gaze")
    add_images(project, AddImagesSettings((str(folder / "set"),)), SILENT)
    import_gaze(project, ImportGazeSettings((str(folder / "looked.csv"),), task="free"), SILENT)
    return project


@pytest.fixture
def project(tmp_path: Path):
    made = build(tmp_path / "study")
    yield made
    assert made.integrity_problems() == []
    made.close()


def run_models(project: Project, **settings: object):
    return extract(project, ExtractSettings(**settings), SILENT)


def measured(project: Project):
    return measure(project, MeasureSettings(n_bootstrap=200), SILENT)


def measures(project: Project, name: str, source: str) -> list[float]:
    return [row.value for row in project.findings.measures([name]) if row.source == source]


def finding(project: Project, name: str, source: str):
    found = [row.finding for row in project.findings.findings(LATERALITY)]
    return [one for one in found if (one.metric, one.term, one.against) == (name, source, "")]


def stored(project: Project, table: str) -> list[tuple]:
    """All rows of a table without the numbers of settings and runs, which count what else was done."""
    cursor = project.db.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    chosen = [place for place, name in enumerate(names) if name not in ("settings_id", "inputs_hash")]
    return sorted(repr([row[place] for place in chosen]) for row in cursor)


def test_a_habit_is_found_and_taken_away(project: Project):
    run_models(project, mirrored=True)
    measured(project)
    content = np.array(CONTENT)
    habit = measures(project, "laterality", "leaning")
    np.testing.assert_allclose(habit, HABIT, atol=2e-4)
    assert measures(project, "side_bias", "leaning") == habit
    assert measures(project, "laterality_corrected", "leaning") == [0.0] * 7
    assert measures(project, "side_bias", "following") == [0.0] * 7
    plain = measures(project, "laterality", "following")
    assert measures(project, "laterality_corrected", "following") == plain
    np.testing.assert_allclose(plain, content, atol=6e-3)
    # Maps are stored as float16 of 8-bit pictures.
    np.testing.assert_allclose(measures(project, "laterality", "both"), content + HABIT, atol=6e-3)
    np.testing.assert_allclose(measures(project, "laterality_corrected", "both"), content, atol=6e-3)
    np.testing.assert_allclose(measures(project, "side_bias", "both"), HABIT, atol=6e-3)


def test_what_a_study_shows_has_the_control(project: Project):
    run_models(project)
    measured(project)
    assert "mirrored" in finding(project, "laterality", "both")[0].note
    assert finding(project, "side_bias", "both") == []
    others = [row.finding for row in project.findings.findings() if row.finding.analysis != LATERALITY]
    run_models(project, mirrored=True)
    again = measured(project)
    assert (again.done, again.details["mirrored_left_out"]) == (7, 0)
    [corrected], [bias] = (finding(project, name, "both") for name in ("laterality_corrected", "side_bias"))
    assert corrected.estimate == pytest.approx(np.mean(CONTENT), abs=3e-3)
    assert bias.estimate == pytest.approx(HABIT, abs=3e-3)
    assert bias.low <= HABIT + 3e-3
    assert bias.high < 0
    assert (corrected.n_images, bias.n_images) == (7, 7)
    assert "mirrored" not in finding(project, "laterality", "both")[0].note
    # Nothing else is about mirrored images.
    assert repr(others) == repr(
        [row.finding for row in project.findings.findings() if row.finding.analysis != LATERALITY]
    )
    assert measured(project).skipped == 7


def test_maps_of_mirrored_images_change_no_score(project: Project, tmp_path: Path):
    with build(tmp_path / "other") as other:
        run_models(project, models=("both",))
        run_models(other, models=("both",), mirrored=True)
        score(project, SCORING, SILENT)
        score(other, SCORING, SILENT)
        tables = ("scores", "ceilings", "summary", "subject_scores", "findings")
        plain = {table: stored(project, table) for table in tables}
        assert len(plain["scores"]) > 100
        assert plain == {table: stored(other, table) for table in tables}
    run_models(project, models=("both",), mirrored=True)
    again = score(project, SCORING, SILENT)
    assert (again.done, again.skipped) == (0, 7), "the maps that are scored are the same"
    assert plain == {table: stored(project, table) for table in tables}


def test_models_see_the_mirrored_picture_and_maps_are_not_turned_back(project: Project):
    run_models(project, models=("following",), mirrored=True)
    for run in project.runs.all(lesion=MIRRORED):
        content = -CONTENT[int(project.images.get(run.image_id).name.split(".")[0])]
        left, right = np.hsplit(project.maps.of_run(run.id).mean, 2)
        assert (right.sum() - left.sum()) == pytest.approx(content, abs=6e-3)
        assert float(run.caption.split()[-1]) == pytest.approx(content, abs=6e-3)
        assert project.settings.get(run.settings_id).values["lesion"] == MIRRORED


def test_runs_on_mirrored_images_come_only_when_asked_for(project: Project):
    run_models(project, models=("both",), mirrored=True)
    assert {run.lesion for run in project.runs.all()} == {""}
    assert {run.lesion for run in project.runs.all(lesion=None)} == {""}
    assert len(project.runs.all(lesion=MIRRORED)) == 7


def test_running_again_goes_on_where_it_ended(project: Project):
    first = run_models(project)
    second = run_models(project, mirrored=True)
    assert (first.done, second.done, second.skipped) == (21, 21, 21)
    third = run_models(project, mirrored=True)
    assert (third.done, third.skipped) == (0, 42)


def test_one_mirrored_image_that_fails_is_told_and_the_rest_goes_on(tmp_path: Path):
    with build(tmp_path / "study", red=2) as project:
        summary = run_models(project, models=("both",), mirrored=True)
        assert (summary.done, summary.failed) == (13, 1)
        assert [problem.where for problem in summary.problems] == ["both · free · 2.png · mirrored"]
        measured(project)
        assert [one.n_images for one in finding(project, "laterality", "both")] == [7]
        assert [one.n_images for one in finding(project, "side_bias", "both")] == [6]


def test_only_maps_that_were_made_alike_are_set_against_each_other(project: Project):
    run_models(project, models=("both",), mirrored=True)
    measured(project)
    assert len(measures(project, "side_bias", "both")) == 7
    # The newer maps are those that are measured, and they are of other words.
    run_models(project, models=("both",), words="all")
    summary = measured(project)
    assert summary.details["mirrored_left_out"] == 7
    assert "7 maps of mirrored images are not used" in summary.problems[0].what
    assert measures(project, "side_bias", "both") == []
    run_models(project, models=("both",), words="all", mirrored=True)
    summary = measured(project)
    assert (summary.details["mirrored_left_out"], summary.problems) == (0, ())
    assert len(measures(project, "side_bias", "both")) == 7
    assert project.problems.all() == []


def test_methods_are_not_mixed(project: Project):
    run_models(project, models=("both",), method="light", mirrored=True)
    run_models(project, models=("both",), method="dark")
    assert measured(project).details["mirrored_left_out"] == 7


def halves(folder: Path, index: float) -> None:
    folder.mkdir()
    for k in range(len(CONTENT)):
        np.save(folder / f"{k}.npy", np.tile([1.0 - index, 1.0 + index], (3, 1)))


def test_maps_from_elsewhere_have_the_control_too(project: Project, tmp_path: Path):
    halves(tmp_path / "plain", 0.5)
    halves(tmp_path / "mirrored", 0.0)
    import_maps(project, ImportMapsSettings(str(tmp_path / "plain"), "Deep", ("free",)), SILENT)
    command = ["import-maps", str(project.path), str(tmp_path / "mirrored"), "--model", "Deep"]
    command += ["--task", "free", "--mirrored"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert len(project.runs.all(model="deep")) == len(project.runs.all(model="deep", lesion=MIRRORED)) == 7
    assert measured(project).details["mirrored_left_out"] == 0
    assert measures(project, "laterality_corrected", "deep") == pytest.approx([0.25] * 7, abs=1e-4)
    assert measures(project, "side_bias", "deep") == pytest.approx([0.25] * 7, abs=1e-4)
    again = ImportMapsSettings(str(tmp_path / "mirrored"), "Deep", ("free",), mirrored=True)
    assert import_maps(project, again, SILENT).skipped == 7


def test_maps_of_mirrored_images_alone_are_counted_and_told(project: Project, tmp_path: Path):
    halves(tmp_path / "mirrored", 0.5)
    settings = ImportMapsSettings(str(tmp_path / "mirrored"), "Deep", ("free",), mirrored=True)
    import_maps(project, settings, SILENT)
    summary = measured(project)
    assert summary.details["mirrored_left_out"] == 7
    assert measures(project, "laterality", "deep") == []
    score(project, replace(SCORING, metrics=("nss",)), SILENT)
    assert "deep" not in {row.source for row in project.scores.all()}


def test_exports_say_which_maps_are_of_mirrored_images(project: Project, tmp_path: Path):
    assert CliRunner().invoke(main, ["extract", str(project.path), "--mirrored"]).exit_code == 0
    folder = tmp_path / "out"
    export(project, ExportSettings(str(folder), overlays=True), SILENT)

    def table(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    assert [row["lesion"] for row in table("runs.csv")].count(MIRRORED) == 21
    assert {row["run"] for row in table("words.csv")} == {row["run"] for row in table("runs.csv")}
    maps = {
        row["lesion"]: row
        for row in table("maps.csv")
        if (row["image"], row["model"]) == ("3.png", "leaning")
    }
    straight, mirrored = (np.asarray(Image.open(folder / maps[key]["overlay"])) for key in ("", MIRRORED))
    # The model leans left on both; the picture under its map is the mirrored one.
    assert int(straight[0, -1].sum()) > int(straight[0, 0].sum())
    assert int(mirrored[0, -1].sum()) < int(mirrored[0, 0].sum())


def test_the_command_lines_of_a_study_have_the_control(project: Project, tmp_path: Path):
    halves(tmp_path / "m", 0.5)
    for mirrored in (False, True):
        settings = ImportMapsSettings(str(tmp_path / "m"), "Deep", ("free",), mirrored=mirrored)
        import_maps(project, settings, SILENT)
    run_models(project, models=("both",), mirrored=True)
    lines = commands(project, "tuebingen", project.settings.all(), "report.html")
    common = "gazeapp import-maps study.gaze"
    assert f"{common} MAPS --model Deep --task free" in lines
    assert f"{common} MAPS_OF_MIRRORED_IMAGES --model Deep --task free --mirrored" in lines
    assert "gazeapp extract study.gaze --model both --task free --method light --mirrored" in lines
