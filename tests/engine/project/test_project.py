from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.hashing import sha256_of
from gazeapp.engine.models.base import Caption, ModelInfo, Word
from gazeapp.engine.project import CeilingRow, MeasureRow, Project, ScoreRow, SubjectScoresRow, SummaryRow
from gazeapp.engine.project.prompts import set_prompt
from gazeapp.engine.project.schema import SCHEMA_VERSION
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.types import Rect


@pytest.fixture
def project(tmp_path: Path):
    with Project.create(tmp_path / "study.gaze") as created:
        yield created


def caption(rows: int = 3, columns: int = 5) -> Caption:
    rng = np.random.default_rng(0)
    maps = rng.random((2, rows, columns)).astype(np.float32)
    maps /= maps.sum(axis=(1, 2), keepdims=True)
    words = (Word("a", -0.5, False), Word("ball", -1.25, True))
    return Caption(words, maps, np.ones(2, np.float32), Rect(0, 0, 50, 30), "general", "alpha")


def with_run(project: Project) -> int:
    project.tasks.add("general")
    image = project.images.add(project.folder / "a.png", "a.png", "0" * 64, 50, 30, "photograph")
    project.runs.put_model(ModelInfo("m", "M", "captioner", methods=("alpha",)))
    settings = project.settings.put("extract", {"model": "m"})
    said = caption()
    return project.runs.put(image, "m", "general", said, said.mean_map(), settings, 0.1)


def project_with_image(project: Project) -> tuple[int, str]:
    project.tasks.add("free")
    return project.images.add(project.folder / "a.png", "a.png", "0" * 64, 50, 30, "photograph"), "free"


def test_create_refuses_to_replace_a_file(tmp_path: Path):
    path = tmp_path / "study.gaze"
    path.write_text("precious")
    with pytest.raises(GazeError, match="already"):
        Project.create(path)
    assert path.read_text() == "precious"


def test_new_project_is_sound_and_uses_the_write_ahead_log(project: Project):
    assert project.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert project.db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert project.db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    assert project.integrity_problems() == []


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\x00" + b"\x00" * 200])
def test_a_file_that_is_no_project_is_named_as_such(tmp_path: Path, content: bytes):
    path = tmp_path / "other.gaze"
    path.write_bytes(content)
    with pytest.raises(GazeError, match="no gazeapp project"):
        Project.open(path)
    assert path.read_bytes() == content


def test_a_foreign_database_is_no_project(tmp_path: Path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE t (a)")
    conn.close()
    with pytest.raises(GazeError, match="no gazeapp project"):
        Project.open(path)


def test_a_newer_project_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "study.gaze"
    Project.create(path).close()
    with sqlite3.connect(path) as conn:
        conn.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    conn.close()
    before = path.read_bytes()
    with pytest.raises(GazeError, match="newer gazeapp"):
        Project.open(path)
    assert path.read_bytes() == before


def test_missing_project(tmp_path: Path):
    with pytest.raises(GazeError, match="no such project"):
        Project.open(tmp_path / "none.gaze")


def test_a_failed_transaction_stores_nothing(project: Project):
    def half_a_unit() -> None:
        with project.transaction():
            project.tasks.add("general")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        half_a_unit()
    assert project.tasks.all() == []
    project.tasks.add("social")
    assert project.tasks.all() == ["social"]


def test_a_full_disk_is_a_sentence_and_keeps_what_was_there(project: Project):
    project.tasks.add("general")
    pages = project.db.execute("PRAGMA page_count").fetchone()[0]
    project.db.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    def fill() -> None:
        with project.transaction():
            for i in range(10_000):
                project.settings.put("x", {"i": i, "padding": "y" * 500})

    with pytest.raises(GazeError, match="disk is full"):
        fill()
    assert project.tasks.all() == ["general"]
    assert project.settings.all() == []
    assert project.integrity_problems() == []


def test_settings_are_stored_once_and_found_by_content(project: Project):
    first = project.settings.put("extract", {"a": 1, "b": [1, 2]})
    assert project.settings.put("extract", {"b": [1, 2], "a": 1}) == first
    assert project.settings.put("extract", {"a": 2, "b": [1, 2]}) != first
    assert project.settings.put("score", {"a": 1, "b": [1, 2]}) != first
    row = project.settings.get(first)
    assert row.values == {"a": 1, "b": [1, 2]}
    assert row.hash == settings_hash("extract", {"b": [1, 2], "a": 1})
    assert "numpy" in row.versions


def test_a_run_comes_back_as_it_was_stored(project: Project):
    run = with_run(project)
    said = caption()
    stored = project.maps.of_run(run)
    assert stored.words.shape == said.maps.shape
    # float16 keeps 11 bits.
    np.testing.assert_allclose(stored.words, said.maps, rtol=2**-10)
    np.testing.assert_allclose(stored.mean, said.mean_map(), rtol=2**-10)
    np.testing.assert_allclose(stored.words.sum(axis=(1, 2)), 1, rtol=1e-6)
    assert stored.rect == said.rect
    assert not stored.mean.flags.writeable
    assert project.runs.words(run) == said.words
    row = project.runs.get(run)
    assert (row.caption, row.log_probability) == ("a ball", -1.75)
    np.testing.assert_array_equal(project.maps.mean_of_run(run).values, stored.mean)


def test_a_map_with_a_needle_survives_storage(project: Project):
    project.tasks.add("general")
    image = project.images.add(project.folder / "a.png", "a.png", "0" * 64, 1024, 768, "photograph")
    values = np.full((768, 1024), 1e-9, np.float32)
    values[5, 7] = 1
    values /= values.sum(dtype=np.float64)
    project.maps.put_human(image, "general", values, Rect.of_image(1024, 768), project.settings.put("x", {}))
    stored = project.maps.human(image, "general")
    assert stored is not None
    assert np.unravel_index(stored.values.argmax(), stored.values.shape) == (5, 7)
    assert stored.values.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)


def test_a_map_that_is_no_density_is_refused(project: Project):
    project.tasks.add("general")
    image = project.images.add(project.folder / "a.png", "a.png", "0" * 64, 4, 4, "photograph")
    settings = project.settings.put("x", {})
    for bad in (np.nan, -1.0, np.inf):
        values = np.ones((4, 4), np.float32)
        values[1, 2] = bad
        with pytest.raises(GazeError, match="negative or not finite"):
            project.maps.put_human(image, "general", values, Rect.of_image(4, 4), settings)
    assert project.maps.human(image, "general") is None


def test_the_same_unit_cannot_be_stored_twice(project: Project):
    with_run(project)
    image = project.images.all()[0].id
    settings = project.settings.put("extract", {"model": "m"})
    assert project.runs.exists(image, "m", "general", "", "alpha", project.settings.get(settings).hash)
    assert not project.runs.exists(image, "m", "general", "", "beta", project.settings.get(settings).hash)
    said = caption()
    with pytest.raises(GazeError):
        project.runs.put(image, "m", "general", said, said.mean_map(), settings, 0.1)
    assert len(project.runs.all()) == 1


def test_the_newest_run_of_a_unit_is_the_one_that_shows(project: Project):
    with_run(project)
    image = project.images.all()[0].id
    newer = project.settings.put("extract", {"model": "m", "revision": "2"})
    said = caption()
    second = project.runs.put(image, "m", "general", said, said.mean_map(), newer, 0.1)
    assert [run.id for run in project.runs.all()] == [second]


def test_runs_under_different_settings_are_never_mixed(project: Project):
    """A prompt that was changed halfway: the images that have runs of the old one only are left behind, and counted."""
    project.tasks.add("general")
    images = [
        project.images.add(project.folder / name, name, digit * 64, 8, 8, "photograph")
        for name, digit in (("a.png", "1"), ("b.png", "2"), ("c.png", "3"))
    ]
    project.runs.put_model(ModelInfo("m", "M", "vlm"))
    said = caption()

    def run(image: int, **values: str) -> int:
        settings = project.settings.put("extract", {"model": "m", **values})
        return project.runs.put(image, "m", "general", said, said.mean_map(), settings, 0.1)

    first = [run(image, prompt="old") for image in images]
    assert [row.id for row in project.runs.all()] == first
    assert project.runs.left_behind() == []
    second = run(images[0], prompt="new")
    assert [row.id for row in project.runs.all()] == [second]
    assert project.runs.left_behind() == [("m", "general", "alpha", 2)]
    assert [row.image_id for row in project.runs.all()] == images[:1]
    assert [project.runs.described(image, "general") for image in images] == [frozenset({"m"})] * 3
    assert project.runs.described(images[0], "social") == frozenset()
    # What is kept beside the maps does not make another way; the newer of two runs made alike counts.
    third = run(images[0], prompt="new", keep="heads")
    fourth = run(images[1], prompt="new")
    assert [row.id for row in project.runs.all()] == [third, fourth]
    assert project.runs.left_behind() == [("m", "general", "alpha", 1)]
    # The prompt of now decides, also when a task goes back to one that it had before.
    set_prompt(project, "general", "old")
    assert [row.id for row in project.runs.all()] == first
    assert project.runs.left_behind() == []
    set_prompt(project, "general", "never run")
    assert [row.id for row in project.runs.all()] == [third, fourth]
    assert [row.id for row in project.runs.all(image_id=images[1])] == [fourth]
    assert project.runs.all(image_id=images[2]) == []
    assert project.runs.numbers() == {("general", "m"): [third, fourth]}
    # Maps made elsewhere are imported in parts; each part's settings name its own files.
    for image, part in zip(images[:2], ("1", "2"), strict=True):
        settings = project.settings.put("import maps", {"part": part})
        project.runs.put_map(image, "m", "general", "imported", said.mean_map(), said.rect, settings)
    assert [row.image_id for row in project.runs.all() if row.method == "imported"] == images[:2]


def test_a_moved_image_is_found_by_its_content(project: Project):
    path = project.folder / "a.png"
    path.write_bytes(b"picture")
    project.images.add(path, "a.png", sha256_of(path), 1, 1, "photograph")
    image = project.images.all()[0]
    assert project.images.file(image) == path
    moved = project.folder / "deep" / "down" / "renamed.png"
    moved.parent.mkdir(parents=True)
    path.rename(moved)
    (project.folder / "decoy.png").write_bytes(b"another")
    assert project.images.file(image) == moved
    moved.unlink()
    with pytest.raises(GazeError, match="not where it was"):
        project.images.file(image)


def test_a_file_put_in_an_images_place_is_not_taken_for_it(project: Project):
    path = project.folder / "a.png"
    path.write_bytes(b"picture")
    project.images.add(path, "a.png", sha256_of(path), 1, 1, "photograph")
    image = project.images.all()[0]
    assert project.images.file(image) == path
    path.write_bytes(b"another picture")
    with pytest.raises(GazeError, match="has changed"):
        project.images.file(image)
    (project.folder / "kept.png").write_bytes(b"picture")
    assert project.images.file(image) == project.folder / "kept.png"


def test_a_copied_project_finds_its_images_where_they_stayed(tmp_path: Path):
    (tmp_path / "set").mkdir()
    picture = tmp_path / "set" / "a.png"
    picture.write_bytes(b"picture")
    with Project.create(tmp_path / "study.gaze") as project:
        project.images.add(picture, "a.png", sha256_of(picture), 1, 1, "photograph")
    (tmp_path / "far" / "away").mkdir(parents=True)
    copy = tmp_path / "far" / "away" / "study.gaze"
    copy.write_bytes((tmp_path / "study.gaze").read_bytes())
    with Project.open(copy) as project:
        assert project.images.file(project.images.all()[0]) == picture


def test_of_two_programs_that_create_one_project_the_second_is_told(tmp_path: Path, monkeypatch):
    path = tmp_path / "study.gaze"
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: False if self == path else real(self))
    with Project.create(path) as project:
        project.tasks.add("first")
    with pytest.raises(GazeError):
        Project.create(path)
    with Project.open(path) as project:
        assert project.tasks.all() == ["first"]
    assert [file.name for file in tmp_path.iterdir()] == ["study.gaze"]


@pytest.mark.parametrize("typed", ["free", "Free", " FREE "])
def test_a_task_is_known_in_any_case(project: Project, typed: str):
    project.tasks.add("free")
    assert project.tasks.resolve(typed) == "free"
    assert project.tasks.resolve(" Other ") == "Other"


def test_the_folder_can_move_as_a_whole(tmp_path: Path):
    old = tmp_path / "old"
    (old / "images").mkdir(parents=True)
    (old / "images" / "a.png").write_bytes(b"x")
    with Project.create(old / "study.gaze") as project:
        project.images.add(
            old / "images" / "a.png", "a.png", sha256_of(old / "images" / "a.png"), 1, 1, "photograph"
        )
    old.rename(tmp_path / "new")
    with Project.open(tmp_path / "new" / "study.gaze") as project:
        assert (
            project.images.file(project.images.all()[0]) == (tmp_path / "new" / "images" / "a.png").resolve()
        )


def test_one_thread_reads_while_another_writes(project: Project):
    seen: list[int] = []
    failures: list[GazeError] = []

    def read() -> None:
        try:
            with Project.open(project.path) as other:
                seen.extend(len(other.tasks.all()) for _ in range(20))
        except GazeError as error:
            failures.append(error)

    with project.transaction():
        project.tasks.add("general")
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert failures == []
    assert seen == [0] * 20
    assert project.tasks.all() == ["general"]


def test_problems_are_kept_once_and_forgotten_by_unit(project: Project):
    project.problems.add("extract", "/place/a.png", "Damaged.", "Copy it.", unit="a.png")
    project.problems.add("extract", "/place/a.png", "Damaged.", "Copy it again.", unit="a.png")
    project.problems.add("score", "b.png", "No fixations.")
    assert [(p.verb, p.todo) for p in project.problems.all()] == [
        ("extract", "Copy it again."),
        ("score", ""),
    ]
    project.problems.clear("extract", "a.png")
    assert [p.verb for p in project.problems.all()] == ["score"]


def test_a_killed_writer_leaves_a_sound_file(tmp_path: Path):
    path = tmp_path / "study.gaze"
    Project.create(path).close()
    script = textwrap.dedent(
        """
        import os, signal, sys
        from gazeapp.engine.project import Project
        with Project.open(sys.argv[1]) as project:
            project.tasks.add("stored")
            project.db.conn.execute("BEGIN IMMEDIATE")
            for i in range(200):
                project.db.conn.execute("INSERT INTO tasks (name) VALUES (?)", (f"lost {i}",))
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert result.returncode != 0
    with Project.open(path) as project:
        assert project.integrity_problems() == []
        assert project.tasks.all() == ["stored"]


def test_unknown_task_names_the_known_ones(project: Project):
    project.tasks.add("general")
    with pytest.raises(GazeError, match="general"):
        project.tasks.id_of("genral")


def test_text_is_data_never_sql(project: Project):
    name = "x'); DROP TABLE images; --"
    project.tasks.add(name)
    assert project.tasks.all() == [name]
    assert project.images.all() == []


def test_a_folder_that_cannot_be_written_still_opens_for_reading(project: Project, monkeypatch):
    project.tasks.add("general")
    project.close()
    monkeypatch.setattr("gazeapp.engine.project.project.os.access", lambda path, mode: False)
    with Project.open(project.path) as opened:
        assert opened.read_only
        assert opened.tasks.all() == ["general"]
        with pytest.raises(GazeError, match="cannot be written"):
            opened.tasks.add("social")


def damaged(tmp_path: Path) -> Path:
    """A project whose first page is whole and whose data are not, as a failing disk leaves it."""
    path = tmp_path / "study.gaze"
    with Project.create(path) as project:
        for i in range(300):
            project.settings.put("x", {"i": i, "padding": "y" * 300})
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    return path


def test_a_damaged_project_is_a_sentence_wherever_it_shows(tmp_path: Path):
    path = damaged(tmp_path)
    before = path.read_bytes()

    def use() -> None:
        with Project.open(path) as project:
            project.settings.all()
            project.images.all()

    with pytest.raises(GazeError, match="damaged"):
        use()
    assert path.read_bytes() == before


def test_a_project_of_another_layout_is_a_sentence(tmp_path: Path):
    path = tmp_path / "study.gaze"

    def use() -> None:
        with Project.open(path) as project:
            project.images.all()

    with Project.create(path) as project:
        project.db.execute("ALTER TABLE images RENAME COLUMN origin TO source")
    with pytest.raises(GazeError, match="not laid out"):
        use()


def test_findings_replace_those_of_their_analysis_only(project):
    settings = project.settings.put("score", {"a": 1})
    project.tasks.add("free")
    project.findings.put_findings(
        ["factorial", "difference"],
        "tuebingen",
        [
            Finding(
                "factorial", "free", "nss", "decoder", estimate=0.5, low=0.1, high=0.9, p=0.01, n_images=4
            ),
            Finding(
                "difference",
                "",
                "nss",
                "a",
                "b",
                estimate=-0.25,
                unit="sd",
                n_images=4,
                note="one",
                kind="model",
            ),
        ],
        settings,
    )
    project.findings.put_findings(
        ["difference"], "mit", [Finding("difference", "free", "cc", "c", "d")], settings
    )
    project.findings.put_findings(
        ["factorial"], "tuebingen", [Finding("factorial", "free", "nss", "encoder", estimate=2.0)], settings
    )
    rows = [(row.preset, row.finding) for row in project.findings.findings()]
    assert [(preset, one.analysis, one.term) for preset, one in rows] == [
        ("tuebingen", "difference", "a"),
        ("mit", "difference", "c"),
        ("tuebingen", "factorial", "encoder"),
    ]
    one = rows[0][1]
    assert (one.task, one.estimate, one.unit, one.note, one.kind) == ("", -0.25, "sd", "one", "model")
    assert np.isnan([one.low, one.high, one.p, one.p_holm, one.effect]).all()
    assert [row.finding.term for row in project.findings.findings("difference", "mit")] == ["c"]


def test_measures_keep_one_value_each(project):
    image_id, task = project_with_image(project)
    first, second = (project.settings.put("measure", {"a": k}) for k in (1, 2))
    row = MeasureRow(image_id, task, "model", "m", "mean", "", "entropy", "", 0.5, first)
    project.findings.put_measures([row, replace(row, measure="gini", value=float("nan"))])
    project.findings.put_measures([replace(row, value=0.75, settings_id=second)])
    assert [(one.measure, one.value) for one in project.findings.measures()] == [
        ("entropy", 0.75),
        ("gini", None),
    ]
    assert [one.measure for one in project.findings.measures(["gini"])] == ["gini"]
    project.findings.keep_measures(second)
    assert [one.measure for one in project.findings.measures()] == ["entropy"]


def test_scores_of_each_person_come_back(project):
    image_id, task = project_with_image(project)
    settings = project.settings.put("score", {"a": 1})
    score = ScoreRow(image_id, "model", "m", task, "mean", "", "nss", "tuebingen", 1.5, settings)
    own = SubjectScoresRow(
        image_id,
        task,
        ("ann", "bob"),
        (3, 4),
        (("model", "m", "mean", "", "nss"), ("ceiling", "loso", "", "", "nss")),
        np.array([[1.0, np.nan], [2.0, 3.0]], np.float32),
        settings,
    )
    project.scores.put_unit([score], [], "inputs", own=own)
    assert list(project.scores.subject_scores("tuebingen")) == []
    project.scores.put_summary("tuebingen", [task], [], settings)
    summary = SummaryRow(
        "model", "m", task, "mean", "", "nss", "tuebingen", 1, 2, *[None] * 2, "", *[None] * 4, settings
    )
    project.scores.put_summary("tuebingen", [task], [replace(summary, interval="bca")], settings)
    assert project.scores.summary()[0].interval == "bca"
    (found,) = project.scores.subject_scores("tuebingen")
    assert (found.subjects, found.n_fixations, found.columns) == (own.subjects, own.n_fixations, own.columns)
    np.testing.assert_array_equal(found.values, own.values)


def test_what_images_score_by_one_metric_is_that_of_the_settings_of_the_summary(project):
    image_id, task = project_with_image(project)
    older, newer = (project.settings.put("score", {"a": k}) for k in (1, 2))
    for settings, value in ((older, 1.5), (newer, 2.5)):
        score = ScoreRow(image_id, "model", "m", task, "mean", "", "nss", "tuebingen", value, settings)
        others = [
            replace(score, metric="cc"),
            replace(score, lesion="left half"),
            replace(score, source="mute", value=float("nan")),
        ]
        ceiling = CeilingRow(image_id, task, "nss", "tuebingen", "loso", value + 1, 4, settings)
        project.scores.put_unit([score, *others], [ceiling, replace(ceiling, metric="cc")], "inputs")
    assert list(project.scores.of_metric("tuebingen", task, "nss")) == []
    assert list(project.scores.ceilings_of_metric("tuebingen", task, "nss")) == []
    both = [score for score in project.scores.of_models() if score.metric == "nss"]
    assert [score.value for score in both] == [1.5, 2.5]  # newest last, while there is no summary
    assert len(list(project.scores.ceilings_by("loso"))) == 4
    summary = SummaryRow(
        "model", "m", task, "mean", "", "nss", "tuebingen", 1, 2, *[None] * 2, "", *[None] * 4, newer
    )
    project.scores.put_summary("tuebingen", [task], [summary], newer)
    assert list(project.scores.of_metric("tuebingen", task, "nss")) == [(image_id, "model", "m", "mean", 2.5)]
    assert list(project.scores.ceilings_of_metric("tuebingen", task, "nss")) == [(image_id, "loso", 3.5)]
    shown = [(*key, source, value) for *key, source, value in project.scores.of_models()]
    assert shown == [(image_id, task, "tuebingen", metric, "m", 2.5) for metric in ("nss", "cc")]
    assert [(c.metric, c.value) for c in project.scores.ceilings_by("loso")] == [("nss", 3.5), ("cc", 3.5)]
    assert list(project.scores.ceilings_by("split_half")) == []
    assert list(project.scores.of_metric("mit", task, "nss")) == []
    assert list(project.scores.of_metric("tuebingen", "another task", "nss")) == []


_OUTSIDE = """
import sys
from gazeapp.engine.project import Project
with Project.open(sys.argv[1]) as project:
    project.tasks.add(sys.argv[2])
"""


def test_a_command_outside_leaves_the_log_of_an_open_project_alone(project: Project):
    """A second connection of this program must not drop the locks of the first.

    Else the program outside takes itself for the last one, and deletes the log that this one writes to.
    """
    second = Project.open(project.path)
    project.tasks.add("first")
    wal = project.path.with_name(project.path.name + "-wal")
    before = wal.stat().st_ino
    third = Project.open(project.path)
    third.close()
    subprocess.run([sys.executable, "-c", _OUTSIDE, str(project.path), "outside"], check=True, timeout=60)
    assert wal.stat().st_ino == before
    project.tasks.add("last")
    assert project.tasks.all() == second.tasks.all() == ["first", "outside", "last"]
    second.close()
    project.close()
    with Project.open(project.path) as again:
        assert again.tasks.all() == ["first", "outside", "last"]
        assert again.integrity_problems() == []


def test_numbers_of_runs_are_never_given_again(tmp_path):
    from gazeapp.engine.models.base import ModelInfo

    with Project.create(tmp_path / "study.gaze") as project:
        project.tasks.add("look")
        image = project.images.add(tmp_path / "a.png", "a.png", "0" * 64, 40, 30, "photograph")
        project.runs.put_model(ModelInfo("m", "M", "imported", methods=("imported",), checkpoint=""))
        settings = project.settings.put("import maps", {})
        values, rect = np.ones((2, 2), np.float32), project.images.get(image).rect
        first = project.runs.put_map(image, "m", "look", "imported", values, rect, settings)
        project.db.execute("DELETE FROM runs")
        again = project.runs.put_map(image, "m", "look", "imported", values, rect, settings)
        assert again > first
