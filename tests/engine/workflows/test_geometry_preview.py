"""A stored trial is drawn as it is stored, and as it would be stored under another geometry."""

from __future__ import annotations

import pytest

from gazeapp.engine.gaze.geometry import Affine, Geometry
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Frame, Why
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.geometry_preview import plan_of, read_example, read_geometry
from gazeapp.engine.workflows.marking import GeometrySettings, change_geometry

# On the image of 200 x 100 px in the middle of the screen: (50, 20), (150, 80); the last one lies beside it.
ROWS = [(150, 120), (250, 180), (50, 120)]
SCREEN = Geometry(screen=(400, 300))
FRAMES = {
    "px": (Frame(of="screen"), lambda x, y: (x, y)),
    "share": (Frame(of="screen", unit="share"), lambda x, y: (x / 400, y / 300)),
    "upwards from the middle": (Frame(of="screen", centred=True, y_up=True), lambda x, y: (x - 200, 150 - y)),
    "image": (Frame(of="image"), lambda x, y: (x - 100, y - 100)),
}


def load(project, folder, frame, read_as):
    project.images.add(folder / "a.png", "a.png", "a", 200, 100, "photograph")
    rows = [f"a.png,s1,{x!r},{y!r}" for x, y in (read_as(*row) for row in ROWS)]
    (folder / "gaze.csv").write_text("image,subject,x,y\n" + "\n".join(rows) + "\n")
    profile = TableProfile("t", {name: name for name in ("image", "subject", "x", "y")}, frame=frame)
    reading = FileSettings(profile=profile, geometry=SCREEN)
    import_gaze(project, ImportGazeSettings((str(folder / "gaze.csv"),), "free", reading), SILENT)


def stored(project):
    words = project.db.execute("SELECT dropped FROM fixations ORDER BY position").fetchall()
    return [Why.of(row[0]) for row in words], project.gaze.trial(1).shown


@pytest.mark.parametrize("name", FRAMES)
def test_a_plan_is_what_is_stored_then(tmp_path, name):
    with Project.create(tmp_path / "study.gaze") as project:
        load(project, tmp_path, *FRAMES[name])
        study, example = read_geometry(project), read_example(project, 1)
        row = study.recordings[0]
        assert (row.said, row.recorded, study.default) == (SCREEN, Geometry(), Geometry())
        for said in (SCREEN, Geometry(screen=(400, 300), placement="fill"), Geometry(screen=(300, 300))):
            plan = plan_of(example, said, study.choices)
            change_geometry(project, GeometrySettings(said, (1,)), SILENT)
            why, shown = stored(project)
            assert plan.why.tolist() == why
            assert plan.blocked is None
            if shown is not None:
                assert plan.trials[0].affine == Affine(*shown)


def test_what_cannot_be_placed_says_why(tmp_path):
    with Project.create(tmp_path / "study.gaze") as project:
        load(project, tmp_path, *FRAMES["px"])
        plan = plan_of(read_example(project, 1), Geometry(), read_geometry(project).choices)
        assert "how large the screen was" in plan.blocked.what
        assert plan.trials[0].affine is None


def test_a_recording_without_an_image_has_no_example(tmp_path):
    with Project.create(tmp_path / "study.gaze") as project:
        load(project, tmp_path, *FRAMES["px"])
        project.db.execute("UPDATE trials SET image_id = NULL")
        assert read_example(project, 1) is None
