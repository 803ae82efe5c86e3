"""Responses come into the project with their images, once, and go out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.options import Window
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.import_responses import (
    ImportResponsesSettings,
    RemoveResponsesSettings,
    import_responses,
    name_of,
    remove_responses,
)

ROIS = ["V1", "V2"]


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "set").mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (40, 30)).save(tmp_path / "set" / f"{name}.png")
    with Project.create(tmp_path / "study.gaze") as created:
        add_images(created, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        yield created


def saved(tmp_path: Path, values: np.ndarray, names: list[str], **more: object) -> str:
    np.savez(tmp_path / "betas.npz", Y=values, image_ids=names, roi_names=ROIS, **more)
    return str(tmp_path / "betas.npz")


def test_responses_land_on_their_images(project: Project, tmp_path: Path):
    values = np.arange(12.0).reshape(2, 3, 2)
    path = saved(tmp_path, values, ["c", "a", "zzz"], subjects=["x", "y"], noise_ceiling=[0.5, 1.1])
    summary = import_responses(project, ImportResponsesSettings(path, simulated=False), SILENT)
    assert (summary.done, summary.skipped, summary.failed) == (2, 0, 0)
    assert summary.details == {
        "responses": "betas",
        "simulated": False,
        "space": "regions",
        "targets": 2,
        "subjects": ["x", "y"],
        "repeats": 1,
        "ceilings": "the file",
        "images_without_response": 1,
        "responses_without_image": 1,
        "notes": ["1 image of the project has no response: “b.png”."],
    }
    stored = project.responses.read("betas")
    assert stored.images == ("a.png", "c.png")
    np.testing.assert_array_equal(stored.values, values[:, [1, 0]])
    np.testing.assert_allclose(stored.ceilings, [[0.5, 1.1]] * 2, rtol=1e-6)
    said = " ".join(problem.what for problem in project.problems.all())
    for words in ("“zzz”", "2 noise ceilings are not between 0 and 1"):
        assert words in said
    row = project.settings.get(project.responses.get("betas").settings_id)
    assert (row.verb, row.values["file"], row.values["simulated"]) == ("import responses", "betas.npz", False)


def test_what_was_left_out_of_a_table_is_among_the_notes(project: Project, tmp_path: Path):
    path = tmp_path / "betas.csv"
    path.write_text("image,V1,V2,comment\na,1,,odd\nb,2,,fine\nc,4,,odd\n")
    summary = import_responses(project, ImportResponsesSettings(str(path), simulated=False), SILENT)
    assert summary.as_json()["notes"] == [
        "1 column holds no numbers and was left out: “comment”.",
        "1 region has no value in any image, and stays empty.",
    ]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("lh.betas.func.gii", "betas"),
        ("sub-01_hemi-R_betas.mgz", "sub-01.betas"),
        ("rh.mgh", "rh"),
        ("left.npz", "left"),
    ],
)
def test_a_pair_of_surface_files_is_not_called_like_one_hemisphere(tmp_path: Path, file: str, name: str):
    assert name_of(tmp_path / file) == name
    assert name_of(tmp_path / file, " mine ") == "mine"


def test_the_same_again_is_skipped_and_others_of_the_name_are_refused(project: Project, tmp_path: Path):
    path = saved(tmp_path, np.arange(6.0).reshape(3, 2), ["a", "b", "c"])
    settings = ImportResponsesSettings(path, simulated=True)
    import_responses(project, settings, SILENT)
    again = import_responses(project, settings, SILENT)
    assert (again.done, again.skipped) == (0, 3)
    with pytest.raises(GazeError, match="other responses called “betas”"):
        import_responses(project, replace(settings, simulated=False), SILENT)
    saved(tmp_path, np.arange(6.0).reshape(3, 2) + 1, ["a", "b", "c"])
    with pytest.raises(GazeError, match="other responses called “betas”"):
        import_responses(project, settings, SILENT)
    assert import_responses(project, replace(settings, name="more"), SILENT).done == 3
    removed = remove_responses(project, RemoveResponsesSettings("betas"), SILENT)
    assert removed.done == 3
    assert [row.name for row in project.responses.all()] == ["more"]
    with pytest.raises(GazeError, match="no responses called “betas”"):
        remove_responses(project, RemoveResponsesSettings("betas"), SILENT)


def test_ceilings_are_of_the_images_that_the_project_has(project: Project, tmp_path: Path):
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", *(f"other{k}" for k in range(40))] * 3
    values = rng.normal(size=(len(names), 2))
    own = [k for k, name in enumerate(names) if name in ("a", "b", "c")]
    import_responses(
        project, ImportResponsesSettings(saved(tmp_path, values, names), simulated=False), SILENT
    )
    first = project.responses.read("betas")
    assert (first.ceiling_origin, first.n_repeats.tolist()) == ("repeats", [[3, 3, 3]])
    alone = saved(tmp_path, values[own], [names[k] for k in own])
    import_responses(project, ImportResponsesSettings(alone, "alone", simulated=False), SILENT)
    np.testing.assert_array_equal(first.ceilings, project.responses.read("alone").ceilings)


def test_time_courses_take_the_window_and_bad_files_are_told(project: Project, tmp_path: Path):
    folder = tmp_path / "clips"
    folder.mkdir()
    values = np.random.default_rng(1).normal(size=(6, 20_484)).astype(np.float32)
    np.save(folder / "a.npy", values)
    for name in ("b", "c"):
        (folder / f"{name}.npy").write_bytes(b"rubbish")
    settings = ImportResponsesSettings(str(folder), simulated=True, window=Window(2, 3, in_rows=True))
    summary = import_responses(project, settings, SILENT)
    assert (summary.done, summary.failed) == (1, 2)
    np.testing.assert_allclose(
        project.responses.read("clips").values[0, 0], values[1:3].mean(axis=0), atol=1e-6
    )
    stored = project.settings.get(project.responses.get("clips").settings_id).values
    assert stored["window"] == [2, 3, "rows"]
    assert any("2 files cannot be used (b.npy, c.npy" in problem.what for problem in summary.problems)


def test_nothing_is_stored_of_an_import_that_was_stopped(project: Project, tmp_path: Path):
    class Stop:
        cancelled = False

        def report(self, done: int, total: int, message: str) -> None:
            self.cancelled = done > 0

    path = saved(tmp_path, np.ones((3, 2)), ["a", "b", "c"])
    summary = import_responses(project, ImportResponsesSettings(path, simulated=True), Stop())
    assert (summary.cancelled, summary.done, project.responses.all()) == (True, 0, [])


def test_responses_of_other_images_are_refused(project: Project, tmp_path: Path):
    path = saved(tmp_path, np.ones((2, 2)), ["scene-1", "scene-2"])
    with pytest.raises(
        GazeError, match="No response is named like an image of the project; they are called “scene-1”"
    ):
        import_responses(project, ImportResponsesSettings(path, simulated=True), SILENT)
