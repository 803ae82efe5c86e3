"""Maps from elsewhere become runs of a model: matched by name, for one task or several, once."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazeapp.cli import main
from gazeapp.engine.errors import GazeError
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
    summary = import_maps(project, ImportMapsSettings(str(folder), "Deep Model", ("general",)), SILENT)
    assert (summary.done, summary.failed) == (3, 0)
    places = {}
    for run in project.runs.all(model="deep_model"):
        peak_cell = project.maps.of_run(run.id).mean.argmax()
        places[project.images.get(run.image_id).name] = np.unravel_index(peak_cell, (3, 4))
    assert places == {"a.png": (0, 3), "b.png": (2, 0), "c.png": (1, 2)}
    again = import_maps(project, ImportMapsSettings(str(folder), "Deep Model", ("general",)), SILENT)
    assert (again.done, again.skipped) == (0, 3)


def test_bad_maps_are_told_one_by_one(project: Project, tmp_path: Path):
    folder = tmp_path / "maps"
    np.save(folder / "a.npy", peak(0, 0))
    np.save(folder / "b.npy", peak(0, 0) - 5)
    (folder / "c.npy").write_bytes(b"rubbish")
    summary = import_maps(project, ImportMapsSettings(str(folder), "M", ("general",)), SILENT)
    assert (summary.done, summary.failed) == (1, 2)


def test_a_task_is_the_one_that_is_there_or_told_as_new(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    project.tasks.add("free")
    same = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("Free ",)), SILENT)
    assert (project.tasks.all(), same.problems, same.details["new_tasks"]) == (["free"], (), [])
    slip = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("fre",)), SILENT)
    assert (slip.failed, slip.details["new_tasks"]) == (0, ["fre"])
    assert [problem.what for problem in slip.problems] == ["Task 'fre' is new; the project had: free."]
    with pytest.raises(GazeError, match="no such folder"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "nowhere"), "M", ("other",)), SILENT)
    assert project.tasks.all() == ["free", "fre"]


def test_map_files_without_an_image_are_counted_and_told(project: Project, tmp_path: Path):
    folder = tmp_path / "maps"
    for name in ("a", "zzz"):
        np.save(folder / f"{name}.npy", peak(0, 0))
    (folder / "notes.txt").write_text("no map")
    summary = import_maps(project, ImportMapsSettings(str(folder), "M", ("general",)), SILENT)
    assert (summary.done, summary.failed) == (1, 0)
    assert (summary.details["images_without_map"], summary.details["maps_without_image"]) == (2, 1)
    assert [problem.what for problem in project.problems.all()] == [
        "1 map is named like no image of the project and left out: 'zzz.npy'."
    ]
    (folder / "zzz.npy").unlink()
    import_maps(project, ImportMapsSettings(str(folder), "M", ("general",)), SILENT)
    assert project.problems.all() == []


def test_no_map_is_named_like_an_image(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "zzz.npy", peak(0, 0))
    with pytest.raises(GazeError, match="named like"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",)), SILENT)


def test_imported_maps_never_take_the_place_of_a_model(project: Project, tmp_path: Path):
    project.runs.put_model(ModelInfo("cnn-lstm", "CNN-LSTM", "captioner", encoder="cnn"))
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    with pytest.raises(GazeError, match="another model called CNN-LSTM"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "CNN-LSTM", ("general",)), SILENT)
    assert project.runs.models()[0].encoder == "cnn"


def test_a_known_truth_stands_last_under_its_own_name(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    folder = str(tmp_path / "maps")
    import_maps(
        project, ImportMapsSettings(folder, "True density (simulated)", ("general",), kind="truth"), SILENT
    )
    import_maps(project, ImportMapsSettings(folder, "Deep", ("general",)), SILENT)
    assert [(model.id, model.kind) for model in project.runs.models()] == [
        ("deep", "imported"),
        ("true_density", "truth"),
    ]


def stored(project: Project, task: str) -> dict[str, np.ndarray]:
    return {
        project.images.get(run.image_id).name: project.maps.of_run(run.id).mean
        for run in project.runs.all(task=task)
    }


def test_one_file_of_maps_serves_several_tasks_with_the_same_numbers(project: Project, tmp_path: Path):
    values = np.random.default_rng(0).random((3, 7, 9))
    with h5py.File(tmp_path / "deep.hdf5", "w") as file:
        for name, one in zip(("stim/a.png", "stim/b.png", "stim/zzz.png"), values, strict=True):
            file.create_dataset(name, data=one)
    settings = ImportMapsSettings(str(tmp_path / "deep.hdf5"), "Deep", ("describe", "search", "describe "))
    summary = import_maps(project, settings, SILENT)
    assert (summary.done, summary.failed, summary.details["maps_without_image"]) == (2, 0, 1)
    assert project.tasks.all() == ["describe", "search"]
    one, other = stored(project, "describe"), stored(project, "search")
    assert sorted(one) == sorted(other) == ["a.png", "b.png"]
    for name, expected in zip(("a.png", "b.png"), values, strict=False):
        np.testing.assert_array_equal(one[name], other[name])
        np.testing.assert_allclose(one[name], expected / expected.sum(), rtol=2e-3)


def test_what_is_there_is_skipped_and_what_is_missing_is_added(project: Project, tmp_path: Path):
    """A file that grew and a further task bring only what is new."""
    path = tmp_path / "deep.h5"

    def imported(*tasks: str) -> tuple[int, int, int]:
        summary = import_maps(project, ImportMapsSettings(str(path), "Deep", tasks), SILENT)
        return summary.done, summary.skipped, len(project.runs.all())

    with h5py.File(path, "w") as file:
        file["a"] = peak(0, 0)
    assert imported("describe") == (1, 0, 1)
    assert imported("describe") == (0, 1, 1)
    with h5py.File(path, "a") as file:
        file["b"] = peak(1, 1)
    assert imported("describe") == (1, 1, 2)
    assert imported("describe", "search") == (2, 0, 4)
    assert imported("search", "describe") == (0, 2, 4)
    with h5py.File(path, "a") as file:
        file["b"][...] = peak(2, 2)
    assert imported("describe", "search") == (1, 1, 4)
    assert stored(project, "search")["b.png"].argmax() == 10


def test_log_densities_are_told_and_read_when_said(project: Project, tmp_path: Path):
    for name in ("a", "b"):
        np.save(tmp_path / "maps" / f"{name}.npy", np.log(peak(0, 3) / 20) - 50)
    plain = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",)), SILENT)
    assert (plain.done, plain.failed) == (0, 2)
    assert "--log-density" in plain.problems[0].todo
    logs = ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",), values="log_density")
    assert import_maps(project, logs, SILENT).done == 2
    np.testing.assert_allclose(stored(project, "general")["a.png"], peak(0, 3) / 20, rtol=1e-3)
    assert project.problems.all() == []


def test_one_bad_dataset_or_file_does_not_stop_the_others(project: Project, tmp_path: Path):
    with h5py.File(tmp_path / "maps" / "deep.h5", "w") as file:
        file["a"], file["b"], file["c"] = peak(0, 0), np.zeros((2, 2)), peak(1, 1)
    (tmp_path / "maps" / "worse.h5").write_bytes(b"rubbish")
    settings = ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",))
    summary = import_maps(project, settings, SILENT)
    assert (summary.done, summary.failed) == (2, 2)
    assert sorted(stored(project, "general")) == ["a.png", "c.png"]
    (tmp_path / "maps" / "worse.h5").unlink()
    with h5py.File(tmp_path / "maps" / "deep.h5", "a") as file:
        file["b"][...] = 1
    again = import_maps(project, settings, SILENT)
    assert (again.done, again.skipped, again.failed) == (1, 2, 0)


def test_a_file_that_went_away_is_one_failure(project: Project, tmp_path: Path):
    for name in ("a", "b"):
        np.save(tmp_path / "maps" / f"{name}.npy", peak(0, 0))

    class Removing:
        cancelled = False

        def report(self, done: int, total: int, message: str) -> None:
            (tmp_path / "maps" / "b.npy").unlink(missing_ok=True)

    summary = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",)), Removing())
    assert (summary.done, summary.failed) == (1, 1)
    assert "cannot be read" in summary.problems[0].what


def test_maps_that_could_be_of_several_are_left_out_and_told(project: Project, tmp_path: Path):
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / "maps" / name, peak(0, 0))
    Image.new("L", (4, 3), 9).save(tmp_path / "maps" / "a.png")
    summary = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",)), SILENT)
    assert (summary.done, summary.details["unclear_maps"], summary.details["images_without_map"]) == (1, 2, 2)
    assert [problem.what for problem in summary.problems] == [
        "1 image has more than one map and got none: 'a.png'."
    ]


def test_maps_need_a_task(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    with pytest.raises(GazeError, match="need a task"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ()), SILENT)
    assert project.runs.models() == []


def test_the_command_takes_a_file_several_tasks_and_log_densities(project: Project, tmp_path: Path):
    np.savez(tmp_path / "deep.npz", **{"a.png": np.log(peak(0, 3) / 20), "b.png": np.log(peak(2, 0) / 20)})
    arguments = ["import-maps", str(project.path), str(tmp_path / "deep.npz"), "--model", "Deep"]
    without_task = CliRunner().invoke(main, arguments)
    assert without_task.exit_code == 2
    assert CliRunner().invoke(main, [*arguments, "--task", "describe"]).exit_code == 1
    found = CliRunner().invoke(
        main, [*arguments, "--task", "describe", "--task", "search", "--log-density", "--json"]
    )
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["done"] == 2
    np.testing.assert_allclose(stored(project, "search")["b.png"], peak(2, 0) / 20, rtol=1e-3)


def test_names_that_differ_in_case_or_spaces_only_are_no_two_models(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))
    import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "Deep Model", ("free",)), SILENT)
    with pytest.raises(GazeError, match="differs from it only in case or spaces"):
        import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "deep  model", ("free",)), SILENT)
    assert [model.name for model in project.runs.models()] == ["Deep Model"]
    assert len(project.runs.all()) == 1


def architecture(project: Project) -> list[tuple[str, str, str]]:
    return [(model.id, model.encoder, model.decoder) for model in project.runs.models()]


def test_the_architecture_is_kept_with_the_model_and_can_be_said_later(project: Project, tmp_path: Path):
    np.save(tmp_path / "maps" / "a.npy", peak(0, 0))

    def imported(**said: str) -> tuple[str, ...]:
        done = import_maps(
            project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("free",), **said), SILENT
        )
        return tuple(problem.what for problem in done.problems if "Task" not in problem.what)

    assert imported() == ()
    assert imported(encoder="resnet", decoder="lstm") == (
        "M now has the encoder resnet and the decoder lstm; before, its architecture was not known.",
    )
    assert architecture(project) == [("m", "resnet", "lstm")]
    assert imported() == ()
    assert imported(encoder="resnet", decoder="lstm") == ()
    assert imported(encoder="vit", decoder="lstm") == (
        "M now has the encoder vit and the decoder lstm; before, its architecture was resnet and lstm.",
    )
    assert architecture(project) == [("m", "vit", "lstm")]
    with pytest.raises(GazeError, match="only one of them"):
        imported(encoder="vit")


def test_a_failed_import_leaves_no_model_and_no_task(project: Project, tmp_path: Path):
    for name in ("a", "b", "c"):
        np.save(tmp_path / "maps" / f"{name}.npy", peak(0, 0) - 5)
    summary = import_maps(project, ImportMapsSettings(str(tmp_path / "maps"), "M", ("fre",)), SILENT)
    assert (summary.done, summary.failed, summary.details["new_tasks"]) == (0, 3, [])
    assert (project.runs.models(), project.tasks.all()) == ([], [])


def test_one_mistake_of_many_maps_is_told_once(project: Project, tmp_path: Path):
    for name in ("a", "b"):
        np.save(tmp_path / "maps" / f"{name}.npy", np.where(peak(0, 0) > 1, np.nan, 1.0))
    np.save(tmp_path / "maps" / "c.npy", np.zeros((2, 2)))
    settings = ImportMapsSettings(str(tmp_path / "maps"), "M", ("general",))
    summary = import_maps(project, settings, SILENT)
    told = [problem.what for problem in summary.problems]
    assert (summary.failed, len(told)) == (3, 2)
    assert told[0].startswith("2 maps cannot be used ('a.png', 'b.png'), for one reason: ")
    assert "log" not in summary.problems[0].todo
    assert [problem.what for problem in project.problems.all()] == told
    for name in ("a", "b", "c"):
        np.save(tmp_path / "maps" / f"{name}.npy", peak(0, 0))
    assert import_maps(project, settings, SILENT).failed == 0
    assert project.problems.all() == []
