from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.files import read_map
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps


@pytest.fixture
def project(tmp_path: Path):
    for name in ("a", "b", "c"):
        (tmp_path / "set").mkdir(exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "set" / f"{name}.png")
    (tmp_path / "maps").mkdir()
    with Project.create(tmp_path / "study.gaze") as created:
        add_images(created, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        yield created


def peak(row: int, column: int) -> np.ndarray:
    values = np.ones((3, 4))
    values[row, column] = 9
    return values


def test_maps_of_every_kind_land_on_their_image(project: Project, tmp_path: Path):
    folder = tmp_path / "maps"
    np.save(folder / "a.npy", peak(0, 3))
    np.savez(folder / "b.npz", anything=peak(2, 0))
    Image.fromarray((peak(1, 2) * 20).astype(np.uint8)).save(folder / "c.png")
    summary = import_maps(project, ImportMapsSettings(str(folder), "Deep Model", "general"), SILENT)
    assert (summary.done, summary.failed) == (3, 0)
    places = {}
    for run in project.runs.all(model="deep_model"):
        peak_cell = project.maps.of_run(run.id).mean.argmax()
        places[project.images.get(run.image_id).name] = np.unravel_index(peak_cell, (3, 4))
    assert places == {"a.png": (0, 3), "b.png": (2, 0), "c.png": (1, 2)}
    again = import_maps(project, ImportMapsSettings(str(folder), "Deep Model", "general"), SILENT)
    assert (again.done, again.skipped) == (0, 3)


def test_bad_maps_are_told_one_by_one(project: Project, tmp_path: Path):
    folder = tmp_path / "maps"
    np.save(folder / "a.npy", peak(0, 0))
    np.save(folder / "b.npy", peak(0, 0) - 5)
    (folder / "c.npy").write_bytes(b"rubbish")
    summary = import_maps(project, ImportMapsSettings(str(folder), "M", "general"), SILENT)
    assert (summary.done, summary.failed) == (1, 2)


def test_a_task_is_the_one_that_is_there_or_told_as_new(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    project.tasks.add("free")
    same = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", "Free "), SILENT)
    assert (project.tasks.all(), same.problems, same.details["new_tasks"]) == (["free"], (), [])
    slip = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", "fre"), SILENT)
    assert (slip.failed, slip.details["new_tasks"]) == (0, ["fre"])
    assert [problem.what for problem in slip.problems] == ["Task 'fre' is new; the project had: free."]
    with pytest.raises(GazeError, match="no such folder"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "nowhere"), "M", "other"), SILENT)
    assert project.tasks.all() == ["free", "fre"]


def test_map_files_without_an_image_are_counted_and_told(project: Project, tmp_path: Path):
    folder = tmp_path / "maps"
    for name in ("a", "zzz"):
        np.save(folder / f"{name}.npy", peak(0, 0))
    (folder / "notes.txt").write_text("no map")
    summary = import_maps(project, ImportMapsSettings(str(folder), "M", "general"), SILENT)
    assert (summary.done, summary.failed) == (1, 0)
    assert (summary.details["images_without_map"], summary.details["maps_without_image"]) == (2, 1)
    assert [problem.what for problem in project.problems.all()] == [
        "1 map file is named like no image of the project and left out: 'zzz.npy'."
    ]
    (folder / "zzz.npy").unlink()
    import_maps(project, ImportMapsSettings(str(folder), "M", "general"), SILENT)
    assert project.problems.all() == []


def test_no_map_is_named_like_an_image(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "zzz.npy", peak(0, 0))
    with pytest.raises(GazeError, match="named like"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", "general"), SILENT)


def test_pickled_arrays_are_never_unpickled(tmp_path: Path):
    path = tmp_path / "evil.npy"
    np.save(path, np.array([{"run": "me"}], dtype=object), allow_pickle=True)
    with pytest.raises(GazeError, match="cannot be read"):
        read_map(path)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.ones((2, 2, 2)), "shape"),
        (np.zeros((2, 2)), "zero everywhere"),
        (np.array([[1.0, np.nan]]), "not finite"),
        (np.array([["a"]]), "real numbers"),
    ],
)
def test_arrays_that_are_no_map(tmp_path: Path, values: np.ndarray, told: str):
    path = tmp_path / "bad.npy"
    np.save(path, values)
    with pytest.raises(GazeError, match=told):
        read_map(path)


def test_a_read_map_sums_to_one(tmp_path: Path):
    np.save(tmp_path / "m.npy", peak(1, 1) * 1e6)
    values = read_map(tmp_path / "m.npy")
    assert values.sum() == pytest.approx(1, abs=1e-6)
    assert values[1, 1] == pytest.approx(9 / 20, rel=1e-6)


def test_imported_maps_never_take_the_place_of_a_model(project: Project, tmp_path: Path):
    project.runs.put_model(ModelInfo("cnn-lstm", "CNN-LSTM", "captioner", encoder="cnn"))
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    with pytest.raises(GazeError, match="another model called CNN-LSTM"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "CNN-LSTM", "general"), SILENT)
    assert project.runs.models()[0].encoder == "cnn"


def test_a_known_truth_stands_last_under_its_own_name(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    folder = str(tmp_path / "maps")
    import_maps(
        project, ImportMapsSettings(folder, "True density (simulated)", "general", kind="truth"), SILENT
    )
    import_maps(project, ImportMapsSettings(folder, "Deep", "general"), SILENT)
    assert [(model.id, model.kind) for model in project.runs.models()] == [
        ("deep", "imported"),
        ("true_density", "truth"),
    ]
