"""Changing choices, geometry and offsets of gaze that is stored: marks and maps follow, nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.match import MatchRules
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze_rules import choices_of, default_geometry
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.marking import (
    GeometrySettings,
    RemoveSettings,
    ShiftSettings,
    change_geometry,
    choose_fixations,
    remove_gaze,
    shift_trials,
)

SIZE = (200, 100)
COLUMNS = {
    "image": "image", "subject": "subject", "x": "x", "y": "y", "duration": "duration_ms", "start": "start_ms",
}  # fmt: skip
HEADER = "image,subject,x,y,start_ms,duration_ms\n"


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "study.gaze") as opened:
        for name in ("a.png", "b.png"):
            opened.images.add(tmp_path / name, name, name, *SIZE, "photograph")
        yield opened


def load(project, folder, rows, name="gaze.csv", frame=None, header=HEADER, columns=COLUMNS, **settings):
    (folder / name).write_text(header + "".join(f"{row}\n" for row in rows))
    profile = TableProfile("test", columns, frame=frame or Frame(of="screen"))
    reading = FileSettings(profile=profile, **settings)
    return import_gaze(project, ImportGazeSettings((str(folder / name),), "free", reading), SILENT)


def everything(project):
    tables = ("recordings", "trials", "fixations", "current")
    return {name: project.db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables}


def marks(project):
    rows = project.db.execute("SELECT dropped FROM fixations ORDER BY trial_id, position")
    return [row[0] for row in rows]


SCREEN = Geometry(screen=(400, 300))
# The image lies at (100, 100) of the screen, at its own size.
ROWS = [
    "a.png,s1,150,120,0,90",
    "a.png,s1,250,180,100,300",
    "a.png,s1,50,120,500,200",
    "a.png,s1,110,110,800,700",
]


def test_choices_mark_and_can_be_taken_back(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    before = everything(project)
    assert marks(project) == ["", "", "outside image", ""]
    choices = GazeChoices(first_fixation="drop", min_duration_ms=100, max_duration_ms=600, outside="clamp")
    summary = choose_fixations(project, choices, SILENT)
    assert summary.details["changed"] == 3
    assert marks(project) == ["first fixation", "", "", "longer than the maximum"]
    assert [(t.n_fixations, t.n_kept) for t in project.gaze.trials()] == [(4, 2)]
    assert project.gaze.counts() == {(1, "free"): 2}
    assert choices_of(project) == choices
    found = project.gaze.fixations(1, "free")
    assert found.x.tolist() == [150, 0]  # 50 on the screen is 50 px left of the image
    assert found.y.tolist() == [80, 20]
    choose_fixations(project, GazeChoices(), SILENT)
    after = everything(project)
    assert {name: after[name] for name in ("recordings", "trials", "fixations")} == {
        name: before[name] for name in ("recordings", "trials", "fixations")
    }


def test_human_maps_follow_the_choices(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    choose_fixations(project, GazeChoices(weighting="duration", sigma=12), SILENT)
    scale = 128 / SIZE[0]
    x, y, weights = np.array([50, 150, 10]), np.array([20, 80, 10]), [90, 300, 700]
    expected = human_map(x * scale, y * scale, 64, 128, 12 * scale, weights)
    np.testing.assert_allclose(project.maps.human(1, "free").values, expected, rtol=2e-3, atol=1e-7)
    choose_fixations(project, GazeChoices(max_duration_ms=10), SILENT)
    assert project.maps.human(1, "free") is None


def test_a_blur_in_degrees_needs_the_distance_and_changes_nothing_without(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    before = everything(project)
    with pytest.raises(GazeError, match="px per degree"):
        choose_fixations(project, GazeChoices(sigma=1, sigma_unit="deg", first_fixation="drop"), SILENT)
    assert everything(project) == before
    change_geometry(project, GeometrySettings(Geometry(px_per_deg=10)), SILENT)
    choose_fixations(project, GazeChoices(sigma=1, sigma_unit="deg"), SILENT)
    made = project.settings.get(project.maps.human(1, "free").settings_id).values
    assert made["px_per_deg"] == 10


def test_px_per_degree_follow_the_size_at_which_an_image_was_shown(project, tmp_path):
    geometry = Geometry(placement="explicit", rect=(0, 0, 400, 200), px_per_deg=30)
    choices = GazeChoices(sigma=1, sigma_unit="deg")
    project.settings.set_current("gaze choices", choices.as_json())
    load(project, tmp_path, ROWS, geometry=geometry)
    made = project.settings.get(project.maps.human(1, "free").settings_id).values
    # Shown at twice its size, a degree spans half as many px of the image.
    assert made["px_per_deg"] == pytest.approx(15)


def test_geometry_is_changed_without_the_file(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    (tmp_path / "gaze.csv").unlink()
    wanted = Geometry(placement="explicit", rect=(50, 100, 400, 200))
    change_geometry(project, GeometrySettings(wanted, (1,)), SILENT)
    found = project.gaze.fixations(1, "free")
    assert marks(project) == ["", "", "", ""]
    assert found.x.tolist() == [50, 100, 0, 30]
    assert found.y.tolist() == [10, 40, 10, 5]
    change_geometry(project, GeometrySettings(SCREEN, (1,)), SILENT)
    assert marks(project) == ["", "", "outside image", ""]


def test_the_default_geometry_holds_for_recordings_of_which_nothing_was_said(project, tmp_path):
    change_geometry(project, GeometrySettings(Geometry(screen=(400, 300))), SILENT)
    load(project, tmp_path, ROWS)
    load(project, tmp_path, ["b.png,s1,1,1,0,9"], "own.csv", geometry=Geometry(screen=(200, 100)))
    assert default_geometry(project).screen == (400, 300)
    assert project.gaze.fixations(1, "free").x.tolist()[0] == 50
    change_geometry(project, GeometrySettings(Geometry(screen=(200, 200))), SILENT)
    assert project.gaze.fixations(1, "free").x.tolist()[0] == 150
    assert project.gaze.fixations(2, "free").x.tolist() == [1]


def test_a_geometry_without_a_screen_is_refused_and_changes_nothing(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    before = everything(project)
    with pytest.raises(GazeError, match="how large the screen was"):
        change_geometry(project, GeometrySettings(Geometry(distance_cm=60), (1,)), SILENT)
    assert everything(project) == before


def test_a_shift_is_added_marks_anew_and_can_be_taken_back(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    before = everything(project)
    summary = shift_trials(project, ShiftSettings({1: (60.0, -30.0)}), SILENT)
    assert summary.details["before"] == {1: [0.0, 0.0]}
    assert marks(project) == ["outside image", "outside image", "outside image", "outside image"]
    shift_trials(project, ShiftSettings({1: (60.0, 5.0)}), SILENT)
    assert marks(project) == ["", "outside image", "", ""]
    assert project.gaze.fixations(1, "free").x.tolist() == [110, 10, 70]
    assert project.gaze.fixations(1, "free").y.tolist() == [25, 25, 15]
    shift_trials(project, ShiftSettings({1: (0.0, 0.0)}), SILENT)
    assert everything(project) == before


@pytest.mark.parametrize(
    ("frame", "x", "y"),
    [
        (Frame(of="image", unit="share"), 0.25, 0.4),
        (Frame(of="image", unit="share", y_up=True), 0.25, 0.6),
        (Frame(of="screen", unit="share"), 150 / 400, 140 / 300),
        (Frame(of="screen", centred=True, y_up=True), -50, 10),
    ],
)
def test_shares_and_upward_frames_are_stored_as_read_and_handed_out_on_the_image(
    project, tmp_path, frame, x, y
):
    load(project, tmp_path, [f"a.png,s1,{x!r},{y!r},0,100"], frame=frame, geometry=SCREEN)
    assert project.db.execute("SELECT x, y FROM fixations").fetchone() == (x, y)
    found = project.gaze.fixations(1, "free")
    assert (found.x[0], found.y[0]) == pytest.approx((50, 40))
    shift_trials(project, ShiftSettings({1: (3.0, 4.0)}), SILENT)
    found = project.gaze.fixations(1, "free")
    assert (found.x[0], found.y[0]) == pytest.approx((53, 44))
    assert marks(project) == [""]


def test_images_by_order_and_by_hand(project, tmp_path):
    header = "subject,trial,x,y\n"
    columns = {"subject": "subject", "trial": "trial", "x": "x", "y": "y"}
    rows = ["s1,1,10,10", "s1,2,20,20", "s2,1,30,30", "s2,2,40,40", "s2,3,50,50"]
    frame = Frame(of="image")
    order = MatchRules(order=("b.png", "a"))
    load(project, tmp_path, rows, header=header, columns=columns, frame=frame, match=order)
    assert project.gaze.fixations(2, "free").x.tolist() == [10, 30]
    assert project.gaze.fixations(1, "free").x.tolist() == [20, 40]
    assert [trial.image_id for trial in project.gaze.trials()] == [2, 1, 2, 1, None]
    named = ["picture one,s3,60,60,0,1", "picture two,s3,70,70,0,1"]
    rules = MatchRules(names={"picture one": "b.png", "picture two": ""})
    load(project, tmp_path, named, "named.csv", frame=frame, match=rules)
    assert project.gaze.fixations(2, "free").x.tolist() == [10, 30, 60]


def test_other_settings_read_the_file_again_in_place_of_the_older_import(project, tmp_path):
    rows = ["a.png,s1,0.5,0.5,0,100"]
    load(project, tmp_path, rows, frame=Frame(of="image"))
    again = load(project, tmp_path, rows, frame=Frame(of="image", unit="share"))
    assert (again.done, again.skipped) == (1, 0)
    assert len(project.gaze.recordings()) == 1
    assert project.gaze.fixations(1, "free").x.tolist() == [100]
    assert load(project, tmp_path, rows, frame=Frame(of="image", unit="share")).skipped == 1


def test_a_shift_survives_the_coming_of_further_images(project, tmp_path):
    load(project, tmp_path, ["a.png,s1,10,10,0,1", "late.png,s1,20,20,0,1"], frame=Frame(of="image"))
    shift_trials(project, ShiftSettings({1: (5.0, 5.0)}), SILENT)
    project.images.add(tmp_path / "late.png", "late.png", "x", *SIZE, "photograph")
    load(project, tmp_path, ["a.png,s1,10,10,0,1", "late.png,s1,20,20,0,1"], frame=Frame(of="image"))
    assert project.gaze.fixations(1, "free").x.tolist() == [15]
    assert project.gaze.fixations(3, "free").x.tolist() == [20]


def test_adding_an_image_finds_the_trials_that_wait_for_it(project, tmp_path):
    load(project, tmp_path, ["late.png,s1,20,30,0,1", "a.png,s1,1,1,0,1"], frame=Frame(of="image"))
    Image.new("RGB", SIZE, (90, 90, 90)).save(tmp_path / "late.png")
    summary = add_images(project, AddImagesSettings((str(tmp_path / "late.png"),)), SILENT)
    assert summary.details["matched_trials"] == 1
    assert project.gaze.fixations(3, "free").y.tolist() == [30]
    assert project.maps.human(3, "free") is not None


class Cancelled:
    """A user who cancels at once."""

    cancelled = True

    def report(self, done, total, message):
        pass


def test_choices_that_are_cancelled_change_nothing(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    before = everything(project)
    summary = choose_fixations(project, GazeChoices(first_fixation="drop"), Cancelled())
    assert (summary.cancelled, summary.done, summary.details["changed"]) == (True, 0, 0)
    assert change_geometry(project, GeometrySettings(Geometry(screen=(1, 1))), Cancelled()).cancelled
    assert everything(project) == before


def test_a_recording_that_is_taken_out_leaves_nothing_behind(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    before = everything(project), project.maps.human(1, "free").values
    load(project, tmp_path, ["a.png,s9,150,150,0,9", "b.png,s9,150,150,0,9"], "other.csv", geometry=SCREEN)
    assert project.gaze.subjects() == ["s1", "s9"]
    assert remove_gaze(project, RemoveSettings((2,)), SILENT).done == 1
    assert everything(project) == before[0]
    np.testing.assert_array_equal(project.maps.human(1, "free").values, before[1])
    assert project.maps.human(2, "free") is None
    assert project.gaze.subjects() == ["s1"]


def test_fixations_found_in_samples_are_told_to_be_of_another_distance(project, tmp_path):
    rows = [f"a.png,s1,{10 * k},{150 if k < 40 else 250},150" for k in range(80)]
    columns = {"image": "image", "subject": "subject", "time": "t", "x": "x", "y": "y"}
    profile = TableProfile("samples", columns, kind="samples", frame=Frame(of="screen"))
    (tmp_path / "samples.csv").write_text("image,subject,t,x,y\n" + "".join(f"{row}\n" for row in rows))

    def read(px_per_deg):
        geometry = Geometry(screen=(400, 300), px_per_deg=px_per_deg)
        settings = FileSettings(profile=profile, geometry=geometry)
        return import_gaze(
            project, ImportGazeSettings((str(tmp_path / "samples.csv"),), "free", settings), SILENT
        )

    assert read(30).failed == 0
    assert [trial.n_kept for trial in project.gaze.trials()] == [2]
    closer = GeometrySettings(Geometry(screen=(400, 300), px_per_deg=60), (1,))
    summary = change_geometry(project, closer, SILENT)
    assert "found at 30 px per degree, now there are 60" in summary.problems[0].what
    assert len(project.problems.all()) == 1
    read(60)
    assert project.problems.all() == []
    assert len(project.gaze.recordings()) == 1


def test_what_was_said_and_moved_stays_when_a_file_is_read_again(project, tmp_path):
    load(project, tmp_path, ROWS, geometry=SCREEN)
    change_geometry(project, GeometrySettings(Geometry(screen=(400, 300), distance_cm=55), (1,)), SILENT)
    shift_trials(project, ShiftSettings({1: (5.0, 7.0)}), SILENT)
    before = project.gaze.fixations(1, "free")
    rules = MatchRules(names={"a.png": "a.png"})
    again = load(project, tmp_path, ROWS, match=rules)
    assert (again.done, again.failed) == (1, 0)
    after = project.gaze.fixations(1, "free")
    assert (after.x.tolist(), after.y.tolist()) == (before.x.tolist(), before.y.tolist())
    assert project.gaze.trials()[0].shift == (5.0, 7.0)
    assert Geometry.of(project.gaze.recordings()[0].geometry).distance_cm == 55
