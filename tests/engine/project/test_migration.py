"""Projects of the first version: opened as they were, told apart when they cannot be written, never half-made."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project import Project, schema
from gazeapp.engine.project import project as module
from gazeapp.engine.project.gaze_rules import choices_of, geometry_of
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.marking import GeometrySettings, change_geometry, choose_fixations

IMPORT = {"files": ["a.asc"], "format": "auto", "task": "free", "eye": "left", "trial_pattern": ""}
IMPORT |= {"simulated": False, "sigma": 0.5, "sigma_unit": "deg", "px_per_deg": 30.0, "screen": None}
MADE = {"sigma": 0.5, "sigma_unit": "deg", "px_per_deg": 30.0, "long_side": 128, "weights": "none"}

RECORDINGS = [
    # Both eyes on a screen of 800 x 600, images in its middle; and a table in image px.
    (1, "a.asc", "eyelink-asc", {"space": "screen", "screen": [800, 600], "rate_hz": 500.0}, 0),
    (2, "b.csv", "csv", {"space": "image"}, 1),
]
TRIALS = [
    (1, 1, 1, 1, "1", "one.png", (350.0, 260.0, 100.0, 80.0)),
    (2, 1, 1, 2, "2", "two.png", (280.0, 180.0, 240.0, 240.0)),
    (3, 2, 2, 1, "", "one.png", None),
    (4, 2, 2, None, "", "gone.png", None),
]
FIXATIONS = [
    # Trial, position, x, y, start, duration, eye, why it was dropped.
    (1, 1, 360.0, 270.0, 10.0, 200.0, "left", ""),
    (1, 2, 361.0, 271.0, 10.0, 201.0, "right", "other eye"),
    (1, 3, 900.0, 270.0, 250.0, 150.0, "left", "outside image"),
    (1, 4, None, 270.0, 420.0, 90.0, "left", "no position"),
    (1, 5, 449.0, 339.0, 600.0, 300.0, "left", ""),
    (2, 1, 400.0, 300.0, 10.0, 222.0, "left", ""),
    (3, 1, 12.5, 80.5, None, None, "", "outside image"),
    (3, 2, 99.5, 0.0, None, None, "", ""),
    (4, 1, 7.0, 8.0, 1.0, 2.0, "", ""),
]


@pytest.fixture
def old(tmp_path):
    """Return the path of a project as the first version wrote it."""
    path = tmp_path / "study.gaze"
    conn = sqlite3.connect(path)
    conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    conn.executescript(f"BEGIN; {schema.MIGRATIONS[0]} PRAGMA user_version = 1; COMMIT;")
    conn.execute("PRAGMA journal_mode = WAL")
    for number, (verb, values) in enumerate(
        (("import gaze", IMPORT), ("human map", MADE), ("score", {"sigma": 15.0, "sigma_unit": "px"})),
        start=1,
    ):
        row = (number, verb, json.dumps(values), "{}", f"hash{number}", "2026-11-20T10:00:00")
        conn.execute("INSERT INTO settings VALUES (?, ?, ?, ?, ?, ?)", row)
    sizes = [(1, "one.png", 100, 80), (2, "two.png", 120, 120)]
    conn.executemany(
        "INSERT INTO images (id, name, path, place, sha256, width, height) VALUES (?, ?, ?, '', 'cd', ?, ?)",
        [(number, name, name, width, height) for number, name, width, height in sizes],
    )
    conn.execute("INSERT INTO tasks VALUES (1, 'free')")
    conn.execute("INSERT INTO subjects VALUES (1, 'ann'), (2, 'bob')")
    conn.executemany(
        "INSERT INTO recordings VALUES (?, ?, ?, ?, 1.0, 'free', ?, ?, 1, '2026-11-20T10:00:00')",
        [(n, file, "ab" * 32, kind, json.dumps(facts), sim) for n, file, kind, facts, sim in RECORDINGS],
    )
    conn.executemany(
        "INSERT INTO trials VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
        [(*row[:6], *(row[6] or (None,) * 4)) for row in TRIALS],
    )
    conn.executemany("INSERT INTO fixations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", FIXATIONS)
    conn.execute(
        "INSERT INTO maps (kind, image_id, task_id, row_count, column_count, x, y, width, height, peak, data, "
        "settings_id) VALUES ('human', 1, 1, 1, 2, 0, 0, 100, 80, 0.75, ?, 2)",
        (np.array([1 / 3, 1.0], dtype="<f2").tobytes(),),
    )
    conn.execute(
        "INSERT INTO scores VALUES (1, 'baseline', 'uniform', 1, '', '', 'nss', 'tuebingen', 0.25, 3, 'hash3', 'in')"
    )
    conn.execute(
        "INSERT INTO summary VALUES ('baseline', 'uniform', 1, '', '', 'nss', 'tuebingen', 1, 2, 0.25, 1.5, "
        "'loso', 0, 17.0, NULL, NULL, 3, 'hash3')"
    )
    conn.commit()
    conn.close()
    return path


def version_of(path):
    conn = sqlite3.connect(path)
    found = conn.execute("PRAGMA user_version").fetchone()[0]
    conn.close()
    return found


def test_a_project_of_the_first_version_holds_the_same_as_before(old):
    with Project.open(old) as project:
        assert project.integrity_problems() == []
        stored = [project.gaze.stored_fixations(number) for number in (1, 2)]
        rows = [
            (
                *(int(table.trial_id[k]), int(table.position[k]), table.x[k], table.y[k], table.start_ms[k]),
                *(table.duration_ms[k], table.eye[k], table.dropped[k]),
            )
            for table in stored
            for k in range(len(table))
        ]
        expected = [tuple(np.nan if value is None else value for value in row) for row in FIXATIONS]
        for found, wanted in zip(rows, expected, strict=True):
            np.testing.assert_array_equal(np.array(found[2:6], float), np.array(wanted[2:6], float))
            assert found[:2] + found[6:] == wanted[:2] + wanted[6:]
        assert [table.number.tolist() for table in stored] == [[1, 2, 3, 4, 5, 1], [1, 2, 1]]
        assert [table.unusable.tolist() for table in stored] == [
            ["", "", "", "no position", "", ""],
            ["", "", ""],
        ]
        trials = project.gaze.trials()
        assert [(t.n_fixations, t.n_kept) for t in trials] == [(5, 2), (1, 1), (2, 1), (1, 1)]
        assert [t.shown for t in trials] == [row[6] for row in TRIALS]
        assert [t.eye for t in trials] == ["left", "left", "", ""]
        assert {t.shift for t in trials} == {(0.0, 0.0)}
        table = project.gaze.fixations(1, "free")
        # (360 - 350) * 100 / 100 and so on; bob's are image px already.
        assert table.x.tolist() == [10.0, 99.0, 99.5]
        assert table.y.tolist() == [10.0, 79.0, 0.0]
        assert project.gaze.fixations(2, "free").x.tolist() == [60.0]
        shown = project.maps.human(1, "free")
        np.testing.assert_allclose(shown.values, [[0.25, 0.75]], atol=1e-3)
        assert [(row.metric, row.value) for row in project.scores.all()] == [("nss", 0.25)]
        assert [row.percent for row in project.scores.summary()] == [17.0]
        assert [row.simulated for row in project.gaze.recordings()] == [False, True]
    assert version_of(old) == schema.SCHEMA_VERSION


def test_its_choices_and_geometry_are_those_of_its_import(old):
    with Project.open(old) as project:
        # 0.5 degrees at 30 image px: the human maps of the first version had 15 px.
        assert choices_of(project) == GazeChoices(eye="left", sigma=15.0)
        first, second = project.gaze.recordings()
        assert geometry_of(first, Geometry()).screen == (800, 600)
        assert (first.frame["of"], second.frame["of"]) == ("screen", "image")


def test_marking_and_placing_it_anew_changes_nothing(old):
    with Project.open(old) as project:
        before = [project.gaze.stored_fixations(number).dropped.tolist() for number in (1, 2)]
        shown = [trial.shown for trial in project.gaze.trials()]
        assert choose_fixations(project, choices_of(project), SILENT).details["changed"] == 0
        change_geometry(project, GeometrySettings(Geometry(distance_cm=60.0)), SILENT)
        assert [project.gaze.stored_fixations(number).dropped.tolist() for number in (1, 2)] == before
        assert [trial.shown for trial in project.gaze.trials()] == shown
        choose_fixations(project, GazeChoices(eye="right"), SILENT)
        assert project.gaze.fixations(1, "free").x.tolist() == [11.0, 99.5]


def test_one_that_cannot_be_written_says_what_to_do(old, monkeypatch):
    # Like a folder on a read-only share; asking the system would not do where tests run as root.
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    with pytest.raises(GazeError, match="made by an older gazeapp") as caught:
        Project.open(old)
    assert "Copy" in caught.value.todo
    monkeypatch.undo()
    assert version_of(old) == 1


def test_a_migration_that_fails_leaves_the_file_as_it_was(old, monkeypatch):
    broken = (schema.MIGRATIONS[0], schema.MIGRATIONS[1] + "INSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(module, "MIGRATIONS", broken)
    with pytest.raises(GazeError):
        Project.open(old)
    assert version_of(old) == 1
    monkeypatch.undo()
    with Project.open(old) as project:
        assert project.gaze.counts() == {(1, "free"): 3, (2, "free"): 1}


def test_two_programs_may_open_it_at_the_same_moment(old, monkeypatch):
    honest = module._migrate

    def second(conn, version):
        monkeypatch.undo()
        Project.open(old).close()
        honest(conn, version)

    monkeypatch.setattr(module, "_migrate", second)
    with Project.open(old) as project:
        assert project.integrity_problems() == []
        assert len(project.gaze.stored_fixations(1)) == 6


def test_a_migration_that_is_killed_leaves_the_file_as_it_was(old):
    # The process ends with everything done but the last word.
    code = (
        "import os, sqlite3, sys; conn = sqlite3.connect(sys.argv[1]); "
        "conn.executescript('BEGIN; ' + sys.stdin.read()); os._exit(9)"
    )
    steps = schema.MIGRATIONS[1] + "PRAGMA user_version = 2;"
    killed = subprocess.run([sys.executable, "-c", code, str(old)], input=steps, text=True, check=False)
    assert killed.returncode == 9
    assert version_of(old) == 1
    with Project.open(old) as project:
        assert project.integrity_problems() == []
        assert len(project.gaze.stored_fixations(1)) == 6
