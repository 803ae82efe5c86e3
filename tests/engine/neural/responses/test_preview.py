"""Before responses are imported: what was read, what matches, what is missing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.neural.records import FSAVERAGE5, N_VERTICES
from gazeapp.engine.neural.responses import preview
from gazeapp.engine.neural.responses.matching import match_images
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.preview import preview_responses

IMAGES = ("set/a.png", "set/b.png", "other/b.png", "set/scene-01.png")


def test_names_find_their_images_or_say_why_not():
    found = match_images(["a", "b", "scene_01", "a", "a.jpg", "zzzzzz"], IMAGES)
    assert [(one.name, one.image, one.n_rows, one.closest) for one in found.names] == [
        ("a", "", 2, ""),
        ("b", "", 1, ""),
        ("scene_01", "", 1, "set/scene-01.png"),
        ("a.jpg", "", 1, ""),
        ("zzzzzz", "", 1, ""),
    ]
    assert [one.why for one in found.names] == [
        "fit an image that another name fits as well",
        "fit several images",
        "are like no image of the project",
        "fit an image that another name fits as well",
        "are like no image of the project",
    ]
    assert match_images(["a", "other/b"], IMAGES).image_of == {"a": "set/a.png", "other/b": "other/b.png"}
    assert match_images(["a"], IMAGES).without == IMAGES[1:]
    said = [str(caution) for caution in found.cautions("file")]
    assert any("Did you mean “set/scene-01.png” by “scene_01”?" in one for one in said)
    assert any("1 name of the responses fits several images" in one for one in said)
    assert any("2 names of the responses are like no image" in one for one in said)
    (said,) = match_images([*IMAGES, "zzzzzz"], IMAGES).cautions("file")
    assert "1 name of the responses is like no image of the project, left out: “zzzzzz”" in str(said)


def test_thousands_of_names_are_matched_in_a_moment():
    names = [f"scene-{k:05d}" for k in range(10_000)]
    began = time.perf_counter()
    found = match_images([*names, *(f"other {k}" for k in range(5_000))], [f"{name}.png" for name in names])
    assert time.perf_counter() - began < 15
    assert len(found.image_of) == 10_000
    assert len(found.left_out) == 5_000


def test_a_preview_says_what_would_be_imported(tmp_path: Path):
    values = np.random.default_rng(0).normal(size=(2, 3, 6, N_VERTICES)).astype(np.float32)
    values[..., :10] = np.nan
    np.savez(
        tmp_path / "r.npz",
        Y=values,
        image_ids=["a", "scene-01", "strange"],
        subjects=["x", "y"],
        meta_json=json.dumps({"source": "TRIBE v2", "tr": 1.0}),
    )
    found = preview_responses(tmp_path / "r.npz", ResponseOptions(), IMAGES)
    assert found.error is None
    assert (found.form, found.space, found.n_targets) == ("NPZ file", FSAVERAGE5, N_VERTICES)
    assert (found.subjects, found.n_rows, found.n_images, found.most_repeats) == (("x", "y"), 6, 3, 1)
    assert (found.time_rows, found.simulated, found.simulated_by_file, found.source) == (
        6, True, True, "TRIBE v2",
    )  # fmt: skip
    assert (found.n_looked_at, found.n_never_known, found.n_missing) == (4, 10, 0)
    assert found.matched.image_of == {"a": "set/a.png", "scene-01": "set/scene-01.png"}
    assert found.matched.without == ("set/b.png", "other/b.png")
    said = " ".join(str(caution) for caution in found.cautions)
    for words in (
        "time courses",
        "“strange”",
        "10 vertices have no value",
        "2 images of the project have no response",
    ):
        assert words in said


def test_a_preview_tells_what_stands_in_the_way(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("image,V1\na,1\nb2,2\n")
    asked = preview_responses(path, ResponseOptions(), IMAGES)
    assert asked.simulated is None
    assert "measured or simulated" in str(asked.error)
    assert asked.matched.image_of == {"a": "set/a.png"}
    assert preview_responses(path, ResponseOptions(simulated=False), IMAGES).error is None
    nothing = preview_responses(path, ResponseOptions(simulated=False), ("q.png",))
    assert "No response is named like an image" in str(nothing.error)
    absent = preview_responses(tmp_path / "x.csv", ResponseOptions(), IMAGES)
    assert "no such file" in str(absent.error)


def test_a_window_without_rows_leaves_the_preview_of_all_else(tmp_path: Path):
    np.savez(tmp_path / "r.npz", Y=np.ones((1, 3, 2)), image_ids=["a"], roi_names=["V1", "V2"])
    found = preview_responses(tmp_path / "r.npz", ResponseOptions(simulated=True), IMAGES)
    assert "3 rows, none of them in the window from 4 s to the end" in str(found.error)
    assert (found.time_rows, found.matched.image_of) == (3, {"a": "set/a.png"})


def test_values_of_the_first_rows_alone_are_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(preview, "ROWS_LOOKED_AT", 5)
    names = [f"i{k}" for k in range(50)]
    np.savez(tmp_path / "r.npz", Y=np.ones((50, 3)), image_ids=names, roi_names=["a", "b", "c"])
    found = preview_responses(tmp_path / "r.npz", ResponseOptions(simulated=True), names)
    assert (found.n_looked_at, found.n_images) == (5, 50)
    assert any("5 responses have the same value everywhere" in caution.what for caution in found.cautions)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_are_read_until_one_can_be_used(tmp_path: Path, monkeypatch, value):
    monkeypatch.setattr(preview, "ROWS_LOOKED_AT", 5)
    names, values = [f"i{k}" for k in range(50)], np.full((50, 3), value)
    path = tmp_path / "r.npz"
    np.savez(path, Y=values, image_ids=names, roi_names=["a", "b", "c"])
    found = preview_responses(path, ResponseOptions(simulated=True), names)
    assert "None of the responses can be used" in str(found.error)
    values[30] = 1, 2, np.nan
    np.savez(path, Y=values, image_ids=names, roi_names=["a", "b", "c"])
    assert preview_responses(path, ResponseOptions(simulated=True), names).error is None
