"""Importing recordings into a project: whole files, counted losses, human maps that follow."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.gaze.cautions import in_words
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.match import MatchRules
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.human_maps import display_map
from gazeapp.engine.workflows.marking import choose_fixations, match_images

DATA = Path(__file__).parents[2] / "data" / "gaze"
WIDE, TALL = (640, 480), (300, 1000)
PER_FILE = {
    "file", "format", "confidence", "screen", "eyes", "eye_used", "rate_hz", "trials", "fixations",
    "fixations_per_eye", "dropped", "unmatched", "subjects", "stored",
}  # fmt: skip


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "study.gaze") as opened:
        for name, (width, height) in (("wide.png", WIDE), ("tall.png", TALL)):
            opened.images.add(tmp_path / name, name, name, width, height, "photograph")
        yield opened


def table(folder, rows, name="fixations.csv", header="image,subject,x,y"):
    path = folder / name
    path.write_text(f"{header}\n" + "".join(f"{row}\n" for row in rows))
    return str(path)


def run(project, *files, progress=SILENT, task="", choices=None, dry_run=False, simulated=False, **reading):
    settings = ImportGazeSettings(
        files=tuple(map(str, files)),
        task=task,
        reading=FileSettings(**reading),
        choices=choices,
        simulated=simulated,
        dry_run=dry_run,
    )
    return import_gaze(project, settings, progress)


def everything(project):
    """All that an import writes."""
    tables = ("recordings", "trials", "fixations", "subjects", "tasks", "maps", "settings", "problems")
    return {name: project.db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def test_a_table_is_stored_as_read_and_reported(project, tmp_path):
    file = table(
        tmp_path,
        [
            "wide.png,s1,10.5,20.5",
            "wide.png,s1,700,20",
            "wide.png,s2,30,40",
            "tall.png,s1,250.25,990",
            "tall.png,s1,,",
        ],
    )
    summary = run(project, file, task="free")
    entry = summary.details["files"][0]
    assert entry.keys() >= PER_FILE
    assert (summary.done, summary.skipped, summary.failed) == (1, 0, 0)
    assert (entry["trials"], entry["fixations"], entry["stored"]) == (3, 3, True)
    assert entry["dropped"] == {"no position": 1, "outside image": 1}
    assert entry["fixations_per_eye"] == {"unknown": 5}
    assert entry["subjects"] == ["s1", "s2"]
    json.dumps(summary.as_json(), allow_nan=False)

    wide = project.gaze.fixations(project.images.by_name("wide.png").id, "free")
    assert wide.x.tolist() == [10.5, 30.0]
    assert wide.y.tolist() == [20.5, 40.0]
    assert wide.subject.tolist() == ["s1", "s2"]
    assert np.isnan(wide.duration_ms).all()
    tall = project.gaze.fixations(project.images.by_name("tall.png").id, "free")
    assert (tall.x.tolist(), tall.y.tolist()) == ([250.25], [990.0])
    assert [(trial.n_fixations, trial.n_kept) for trial in project.gaze.trials()] == [(2, 1), (1, 1), (2, 1)]
    stored = project.db.execute(
        "SELECT x, y, dropped FROM fixations WHERE dropped != '' ORDER BY x"
    ).fetchall()
    assert stored == [(None, None, "no position"), (700.0, 20.0, "outside image")]
    assert not project.simulated
    assert project.problems.all() == []


def test_the_human_map_is_that_of_all_recordings_of_the_image(project, tmp_path):
    first = table(tmp_path, ["wide.png,s1,100,50", "wide.png,s1,-5,50"], "one.csv")
    second = table(tmp_path, ["wide.png,s2,600,400"], "two.csv")
    run(project, first, second, task="free", choices=GazeChoices(sigma=30))
    image = project.images.by_name("wide.png")
    stored = project.maps.human(image.id, "free")
    assert stored.values.shape == (96, 128)
    assert stored.rect == image.rect
    np.testing.assert_allclose(
        stored.values, human_map([20, 120], [10, 80], 96, 128, 6.0), rtol=2e-3, atol=1e-8
    )
    values = project.settings.get(stored.settings_id).values
    assert (values["sigma"], values["sigma_unit"]) == (30, "px")
    assert project.maps.human(project.images.by_name("tall.png").id, "free") is None


def test_sigma_in_degrees_is_that_many_px(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,100,50"])
    choices = GazeChoices(sigma=1.5, sigma_unit="deg")
    run(project, file, task="free", choices=choices, geometry=Geometry(px_per_deg=20))
    stored = project.maps.human(project.images.by_name("wide.png").id, "free")
    np.testing.assert_allclose(stored.values, human_map([20], [10], 96, 128, 6.0), rtol=2e-3, atol=1e-8)
    other = table(tmp_path, ["wide.png,s2,100,50"], "other.csv")
    summary = run(project, other, task="free")
    assert "px per degree, which are not known" in summary.problems[0].what
    assert len(project.gaze.recordings()) == 1


@pytest.mark.parametrize(
    ("height", "width", "shape"), [(1000, 300, (128, 38)), (90, 120, (90, 120)), (1, 5000, (1, 128))]
)
def test_display_maps_keep_the_shape_of_the_image(height, width, shape):
    result = display_map([width * 0.87], [height * 0.13], height, width, 20.0)
    assert result.shape == shape
    row, column = np.unravel_index(result.argmax(), shape)
    assert (row, column) == (int(shape[0] * 0.13), int(shape[1] * 0.87))


def test_eyelink_positions_are_stored_on_the_screen_and_handed_out_on_the_image(project):
    summary = run(project, DATA / "two_trials_binocular.asc")
    entry = summary.details["files"][0]
    assert (entry["format"], entry["screen"], entry["rate_hz"]) == ("eyelink-asc", [1024, 768], 500.0)
    assert (entry["eyes"], entry["eye_used"]) == (["left", "right"], "left")
    assert entry["fixations_per_eye"] == {"left": 5, "right": 4}
    assert entry["dropped"] == {"other eye": 4, "outside image": 1}
    assert entry["fixations"] == 4
    assert entry["off_screen"] == 1
    assert project.tasks.all() == ["general"]
    # wide.png, 640 x 480, lies with its centre on the screen's: 192 px from the left, 144 from the top.
    wide = project.gaze.fixations(project.images.by_name("wide.png").id, "general")
    assert wide.x.tolist() == [512 - 192, 400 - 192]
    assert wide.y.tolist() == [384 - 144, 300 - 144]
    assert wide.index.tolist() == [1, 2]
    assert wide.start_ms.tolist() == [2004, 2232]
    # tall.png, 300 x 1000, was shown at its own size, reaching beyond the screen at both ends.
    tall = project.gaze.fixations(project.images.by_name("tall.png").id, "general")
    assert tall.x.tolist() == [512 - 362, 500 - 362]
    assert tall.y.tolist() == [100 + 116, 700 + 116]
    raw = project.db.execute("SELECT x, y FROM fixations WHERE dropped = 'outside image'").fetchall()
    assert raw == [(-20.5, 300.0)]


def test_what_was_read_is_told_in_words(project, tmp_path):
    entry = run(project, DATA / "two_trials_binocular.asc").details["files"][0]
    assert in_words(entry) == (
        "eyelink-asc (confidence 1.00); 2 trials of 1 subject on 2 images; 4 fixations kept; left out: "
        "other eye 4, outside image 1; read per eye: left 5, right 4, left used; screen 1024 x 768 px; "
        "500 Hz; 1 off the screen. Trials were found by the preset 'experiment-builder': Experiment Builder, "
        "TRIALID to TRIAL_RESULT."
    )
    plain = run(project, table(tmp_path, ["wide.png,s1,1,1"]), task="free").details["files"][0]
    assert in_words(plain) == (
        "csv (confidence 1.00); 1 trial of 1 subject on 1 image; 1 fixation kept; none left out."
    )


def test_the_other_eye_can_be_asked_for(project):
    entry = run(project, DATA / "two_trials_binocular.asc", choices=GazeChoices(eye="right")).details[
        "files"
    ][0]
    assert (entry["eye_used"], entry["fixations"], entry["dropped"]) == ("right", 4, {"other eye": 5})


def test_the_same_file_is_skipped_and_may_come_again_under_another_task(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,10,20"])
    moved = shutil.copy(file, tmp_path / "renamed.csv")
    first = run(project, file, task="free").details["files"][0]
    again = run(project, file, moved, task="free")
    assert (again.done, again.skipped) == (0, 2)
    assert again.details["files"][0] == {**first, "stored": False, "there_already": True}
    assert run(project, file).skipped == 1
    assert run(project, file, task="search").done == 1
    assert project.gaze.counts() == {(1, "free"): 1, (1, "search"): 1}


def test_a_dry_run_says_the_same_and_stores_nothing(project, tmp_path):
    good = table(tmp_path, ["wide.png,s1,10,20", "wide.png,s1,900,20", "wyde.png,s1,10,20"])
    bad = table(tmp_path, ["1,2,3,4"], "bad.csv", header="a,b,c,d")
    before = everything(project)
    dry = run(project, good, bad, task="free", dry_run=True)
    assert everything(project) == before
    real = run(project, good, bad, task="free")
    assert (dry.done, dry.failed) == (real.done, real.failed) == (1, 1)
    assert [{**entry, "stored": True} for entry in dry.details["files"]] == real.details["files"]
    assert [(p.where, p.what, p.todo) for p in dry.problems] == [
        (p.where, p.what, p.todo) for p in real.problems
    ]
    assert len(real.problems) == 2
    again = run(project, good, task="free", dry_run=True).details["files"]
    assert again == [{**dry.details["files"][0], "there_already": True}]


def test_unknown_images_are_stored_counted_and_named_with_the_closest(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,10,20", "wyde.png,s1,10,20", "wyde.png,s2,10,20", "zzz.png,s1,1,1"])
    summary = run(project, file, task="free")
    assert summary.details["files"][0]["unmatched"] == [
        {"name": "wyde.png", "closest": "wide.png", "trials": 2},
        {"name": "zzz.png", "closest": "", "trials": 1},
    ]
    assert summary.details["files"][0]["fixations"] == 4
    problem = project.problems.all()[0]
    assert (
        "3 trials show images that the project does not hold: 'wyde.png' (closest: 'wide.png')"
        in problem.what
    )
    assert [(t.image_name, t.image_id) for t in project.gaze.trials()] == [
        ("wide.png", 1), ("wyde.png", None), ("wyde.png", None), ("zzz.png", None),
    ]  # fmt: skip


def test_images_that_are_added_later_are_matched_by_importing_again(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,10,20", "late.png,s2,5,6", "late.png,s2,50,6"])
    run(project, file, task="free")
    project.images.add(tmp_path / "late.png", "late.png", "x", 40, 30, "photograph")
    summary = run(project, file, task="free")
    assert (summary.done, summary.skipped) == (0, 1)
    entry = summary.details["files"][0]
    assert (entry["fixations"], entry["without_image"], entry["unmatched"]) == (2, 0, [])
    assert len(project.gaze.recordings()) == 1
    assert project.gaze.counts() == {(1, "free"): 1, (3, "free"): 1}
    assert project.maps.human(3, "free") is not None
    assert project.problems.all() == []
    assert run(project, file, task="free").skipped == 1


def test_a_name_that_was_said_to_mean_no_image_stays_without_one(project, tmp_path):
    file = table(tmp_path, ["tall.png,s1,1,1", "wide.png,s1,2,2"])
    rules = MatchRules({"tall.png": ""})
    for _ in range(2):
        summary = run(project, file, task="free", match=rules)
        assert summary.problems == ()
        assert [trial.image_id is None for trial in project.gaze.trials()] == [True, False]
    assert match_images(project) == 0


def test_trials_that_name_no_image_are_stored_and_told(project, tmp_path):
    file = tmp_path / "plain.asc"
    file.write_text(
        "** CONVERTED FROM x.edf\nMSG\t1 DISPLAY_COORDS 0 0 1023 767\nMSG\t5 TRIALID 1\n"
        "START\t10 \tLEFT\tEVENTS\nEVENTS\tGAZE\tLEFT\tRATE\t500.00\nEFIX L   12\t40\t30\t  5.0\t  6.0\t  9\n"
    )
    summary = run(project, file)
    assert summary.done == 1
    assert summary.details["files"][0]["unmatched"] == [{"name": "", "closest": "", "trials": 1}]
    assert "1 trial names no image" in project.problems.all()[0].what
    assert project.gaze.trials()[0].n_kept == 1


def test_screen_positions_need_a_screen(project, tmp_path):
    text = (DATA / "two_trials_binocular.asc").read_text().replace("_COORDS", "_NOTHING")
    file = tmp_path / "no_screen.asc"
    file.write_text(text.replace("CENTER wide.png 512 384", "CENTER wide.png"))
    summary = run(project, file)
    assert summary.failed == 1
    assert "how large the screen was" in summary.problems[0].what
    assert run(project, file, geometry=Geometry(screen=(1024, 768))).done == 1
    assert project.gaze.fixations(1, "general").x.tolist() == [320, 208]


def test_a_bad_file_is_a_problem_and_the_others_go_on(project, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    good = table(tmp_path, ["wide.png,s1,10,20"])
    nothing = table(tmp_path, ["wide.png,s1,.,.", "wide.png,s1,,"], "lost.csv")
    summary = run(project, tmp_path / "missing.csv", empty, nothing, good, task="free")
    assert (summary.done, summary.failed) == (1, 3)
    assert [problem.what for problem in summary.problems] == [
        "The file cannot be read: No such file or directory.",
        "The file is empty.",
        "The recording has no fixation that can be used. Left out: no position: 2.",
    ]
    assert len(project.problems.all()) == 3
    assert project.gaze.counts() == {(1, "free"): 1}
    empty.write_text("image,subject,x,y\nwide.png,s9,1,2\n")
    run(project, empty, task="free")
    assert len(project.problems.all()) == 2


def test_most_fixations_outside_their_image_is_told(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,10,20", "wide.png,s1,900,20", "wide.png,s1,901,20"])
    assert "2 of 3 fixations lie outside their image" in run(project, file, task="free").problems[0].what


def shares_told(summary):
    return [problem.todo for problem in summary.problems if "shares of the image" in problem.what]


def test_positions_between_0_and_1_are_stored_and_told(project, tmp_path):
    rows = ["wide.png,s1,0.25,0.5", "wide.png,s1,0,1", "tall.png,s1,0.75,0.1", "tall.png,s1,,"]
    summary = run(project, table(tmp_path, rows), task="free")
    assert len(shares_told(summary)) == 1
    assert "positions are shares" in shares_told(summary)[0]
    assert project.gaze.counts() == {(1, "free"): 2, (2, "free"): 1}


@pytest.mark.parametrize(
    "rows",
    [
        ["wide.png,s1,0.25,0.5", "wide.png,s1,0,1"],
        ["wide.png,s1,0.25,0.5", "wide.png,s1,0,1", "tall.png,s1,0.75,1.5"],
        ["dot.png,s1,0.25,0.5", "dot.png,s1,0,0.9", "dot.png,s1,0.75,0.1"],
        ["other.png,s1,0.25,0.5", "other.png,s1,0,0.9", "other.png,s1,0.75,0.1"],
    ],
    ids=["few", "one beyond 1", "an image of one pixel", "no known image"],
)
def test_positions_that_need_not_be_shares(project, tmp_path, rows):
    project.images.add(tmp_path / "dot.png", "dot.png", "x", 1, 1, "photograph")
    assert shares_told(run(project, table(tmp_path, rows), task="free")) == []


def test_fixations_without_an_image_are_not_called_kept(project, tmp_path):
    mixed = run(
        project, table(tmp_path, ["wide.png,s1,1,1", "late.png,s1,1,1", "late.png,s1,2,2"]), task="free"
    )
    assert "1 fixation kept; 2 fixations read, on no image of the project yet;" in in_words(
        mixed.details["files"][0]
    )
    none = run(project, table(tmp_path, ["late.png,s2,1,1"], "none.csv"), task="free").details["files"][0]
    assert "on 0 images; 1 fixation read, on no image of the project yet;" in in_words(none)
    assert "kept" not in in_words(none)
    assert (none["fixations"], none["without_image"]) == (1, 1)


def test_a_file_that_cannot_be_stored_whole_is_not_stored_at_all(project, tmp_path, monkeypatch):
    file = table(tmp_path, ["wide.png,s1,10,20", "tall.png,s1,10,20"])
    before = everything(project)

    def fail(*arguments, **settings):
        raise RuntimeError("power cut")

    monkeypatch.setattr(project.maps, "put_human", fail)
    with pytest.raises(RuntimeError):
        run(project, file, task="free")
    assert everything(project) == before


class StopAfter:
    """A user who cancels once ``n`` units are finished."""

    def __init__(self, n):
        self._n = n
        self.cancelled = False
        self.seen = []

    def report(self, done, total, message):
        self.seen.append((done, total))
        self.cancelled = done >= self._n


def test_cancelling_stops_between_files(project, tmp_path):
    files = [table(tmp_path, [f"wide.png,s{k},10,20"], f"{k}.csv") for k in range(3)]
    progress = StopAfter(1)
    summary = run(project, *files, progress=progress, task="free")
    assert summary.cancelled
    assert summary.done == 1
    assert progress.seen == [(0, 3), (1, 3)]
    assert run(project, *files, task="free").done == 2


@pytest.mark.parametrize(("tasks", "stored"), [([], "free"), (["look"], "look")])
def test_a_recording_without_task_takes_the_only_one(project, tmp_path, tasks, stored):
    for task in tasks:
        project.tasks.add(task)
    run(project, table(tmp_path, ["wide.png,s1,10,20"]))
    assert project.gaze.counts() == {(1, stored): 1}


def test_a_recording_without_task_is_refused_where_there_are_several(project, tmp_path):
    project.tasks.add("general")
    project.tasks.add("social")
    summary = run(project, table(tmp_path, ["wide.png,s1,10,20"]))
    assert summary.failed == 1
    assert "general, social" in summary.problems[0].todo


def test_tasks_in_the_file_are_kept(project, tmp_path):
    rows = ["wide.png,s1,10,20,social", "wide.png,s1,11,21,general", "wide.png,s2,12,22,"]
    run(project, table(tmp_path, rows, header="image,subject,x,y,task"), task="free")
    assert project.gaze.counts() == {(1, "social"): 1, (1, "general"): 1, (1, "free"): 1}


def test_a_task_that_differs_in_case_or_outer_space_is_the_same(project, tmp_path):
    project.tasks.add("free")
    file = table(tmp_path, ["wide.png,s1,10,20"])
    summary = run(project, file, task=" Free ")
    assert (project.tasks.all(), summary.problems, summary.details["new_tasks"]) == (["free"], (), [])
    assert run(project, file, task="FREE").skipped == 1
    named = table(tmp_path, ["wide.png,s2,10,20,FREE"], "named.csv", "image,subject,x,y,task")
    assert run(project, named).problems == ()
    assert project.gaze.counts() == {(1, "free"): 2}


def test_one_file_s_spellings_of_a_new_task_are_one_task(project, tmp_path):
    rows = ["wide.png,s1,10,20,Look", "wide.png,s2,10,20,look"]
    summary = run(project, table(tmp_path, rows, header="image,subject,x,y,task"))
    assert project.gaze.counts() == {(1, "Look"): 2}
    # The first tasks of a project are no slip.
    assert (summary.details["new_tasks"], summary.problems) == (["Look"], ())


def test_a_new_task_beside_others_is_told(project, tmp_path):
    for task in ("free", "social"):
        project.tasks.add(task)
    file = table(tmp_path, ["wide.png,s1,10,20"])
    dry = run(project, file, task="fre", dry_run=True)
    assert project.tasks.all() == ["free", "social"]
    summary = run(project, file, task="fre")
    assert summary.failed == 0
    assert dry.details["new_tasks"] == summary.details["new_tasks"] == ["fre"]
    assert (
        [problem.what for problem in dry.problems]
        == [problem.what for problem in summary.problems]
        == ["Task 'fre' is new; the project had: free, social."]
    )
    assert "import again under the right name" in summary.problems[0].todo


def test_simulated_recordings_are_marked(project, tmp_path):
    run(project, table(tmp_path, ["wide.png,s1,10,20"]), task="free", simulated=True)
    assert project.simulated
    assert project.gaze.recordings()[0].simulated


def test_the_files_own_numbers_are_kept_where_they_count_up(project, tmp_path):
    header = "image,subject,x,y,fixation_index"
    up = table(tmp_path, ["wide.png,a,1,1,4", "wide.png,a,2,2,7"], "up.csv", header)
    twice = table(tmp_path, ["wide.png,b,3,3,1", "wide.png,b,4,4,1"], "twice.csv", header)
    run(project, up, twice, task="free")
    found = project.gaze.fixations(1, "free")
    assert found.index.tolist() == [4, 7, 1, 2]
    assert found.x.tolist() == [1, 2, 3, 4]


def test_many_fixations_lose_none(project, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, WIDE[0], 4000), rng.uniform(0, WIDE[1], 4000)
    rows = [f"wide.png,s{k % 20},{float(x[k])!r},{float(y[k])!r}" for k in range(4000)]
    summary = run(project, table(tmp_path, rows), task="free")
    assert (summary.details["trials"], summary.details["fixations"]) == (20, 4000)
    stored = project.gaze.fixations(1, "free")
    np.testing.assert_array_equal(np.sort(stored.x), np.sort(x))
    np.testing.assert_array_equal(np.sort(stored.y), np.sort(y))


def test_the_same_scanpaths_in_another_file_are_told(project, tmp_path):
    rows = ["wide.png,s1,10,20", "tall.png,s1,10,20", "tall.png,s2,1,1"]
    first = table(tmp_path, rows, "first.csv")
    second = table(tmp_path, [f"{row}.5" for row in rows], "second.csv")
    dry = run(project, first, second, task="free", dry_run=True)
    real = run(project, first, second, task="free")
    for summary in (dry, real):
        assert [problem.what for problem in summary.problems] == [
            "3 scanpaths of 2 subjects are on images and under a task that the same subjects have in 'first.csv' "
            "already; both count."
        ]
    other = table(tmp_path, ["wide.png,s3,1,1"], "third.csv")
    assert run(project, other, task="free").problems == ()
    assert run(project, table(tmp_path, ["wide.png,s1,1,1"], "fourth.csv"), task="other").failed == 0


def test_an_import_that_is_read_otherwise_says_that_it_replaces_the_older_one(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,10,20", "wyde.png,s1,10,20"])
    assert not run(project, file, task="free").details["files"][0]["replaces"]
    rules = MatchRules(names={"wyde.png": "wide.png"})
    again = run(project, file, task="free", match=rules)
    assert again.details["files"][0]["replaces"]
    assert not again.problems
    assert len(project.gaze.recordings()) == 1
    assert run(project, file, task="free", match=rules).details["files"][0]["there_already"]


def test_a_file_that_is_there_is_told_as_it_stands_now(project, tmp_path):
    file = table(tmp_path, ["wide.png,s1,10,20", "wide.png,s1,11,20"])
    run(project, file, task="free")
    choose_fixations(project, GazeChoices(first_fixation="drop"), SILENT)
    entry = run(project, file, task="free").details["files"][0]
    assert (entry["fixations"], entry["dropped"]) == (1, {"first fixation": 1})


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (MatchRules(names={"strange.png": "wide.png"}), "No trial names the image 'strange.png'"),
        (
            MatchRules(order=("wide.png", "tall.png", "wide.png")),
            "The list names 3 images, but s1 has 2 trials",
        ),
    ],
)
def test_rules_that_do_not_fit_are_told(project, tmp_path, rules, told):
    file = table(tmp_path, ["wide.png,s1,10,20", "tall.png,s1,10,20"])
    assert told in run(project, file, task="free", match=rules).problems[0].what


@pytest.mark.parametrize(
    "rules", [MatchRules(names={"a": "typo.png"}), MatchRules(order=("wide.png", "typo.png"))]
)
def test_rules_that_name_no_image_of_the_project_change_nothing(project, tmp_path, rules):
    file = table(tmp_path, ["wide.png,s1,10,20"])
    run(project, file, task="free")
    summary = run(project, file, task="free", match=rules)
    assert summary.failed == 1
    assert "The project holds no image 'typo.png'" in summary.problems[0].what
    assert project.gaze.counts() == {(1, "free"): 1}
