"""The demo study on disk: complete, labelled as simulated, the same each time."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.demo.scenes import scene_seeds
from gazeapp.engine.demo.world import COLUMNS, DemoStudy, demo_scenes, is_demo_image, write_demo_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> DemoStudy:
    return write_demo_study(tmp_path_factory.mktemp("demo"), n_scenes=3, n_observers=4, seed=2)


def test_pictures_and_maps(study: DemoStudy) -> None:
    assert [path.name for path in study.images] == ["scene-001.png", "scene-002.png", "scene-003.png"]
    for path in study.images:
        with Image.open(path) as image:
            assert image.size == (512, 512)
        for task in ("general", "social"):
            density = np.load(study.folder / "true_density" / task / f"{path.stem}.npy", allow_pickle=False)
            assert density.shape == (128, 128)
            assert float(density.sum(dtype=np.float64)) == pytest.approx(1, abs=1e-5)
    assert set(study.densities) == {(t, p.stem) for t in ("general", "social") for p in study.images}


def test_fixation_tables(study: DemoStudy) -> None:
    for task in ("general", "social"):
        with study.fixations[task].open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert tuple(rows[0]) == COLUMNS
        assert {row["subject"] for row in rows} == {f"sim-{i:02d}" for i in range(1, 5)}
        assert {row["image"] for row in rows} == {path.name for path in study.images}
        assert all(row["task"] == task for row in rows)
        assert all(0 <= float(row[axis]) < 512 for row in rows for axis in "xy")
        firsts = [row for row in rows if row["fixation_index"] == "1"]
        assert len(firsts) == 12


def test_truth_says_simulated(study: DemoStudy) -> None:
    truth = json.loads(study.truth.read_text("utf-8"))
    assert truth["simulated"] is True
    assert truth["seed"] == 2
    assert [scene["image"] for scene in truth["scenes"]] == [path.name for path in study.images]
    scene = demo_scenes(3, seed=2)[1]
    assert truth["scenes"][1]["seed"] == scene.seed
    assert len(truth["scenes"][1]["boxes"]) == len(scene.boxes)


def test_the_table_of_objects_has_every_box_of_the_truth(study: DemoStudy) -> None:
    truth = json.loads(study.truth.read_text("utf-8"))
    with study.objects.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for scene in truth["scenes"]:
        here = [row for row in rows if row["image"] == scene["image"]]
        held = [person["held"]["category"] for person in scene["people"] if person["held"]]
        nouns = [one["category"] for one in scene["objects"]] + [one["sex"] for one in scene["people"]] + held
        assert [row["label"] for row in here] == nouns
        for row, (left, top, right, bottom) in zip(here, scene["boxes"], strict=True):
            expected = (left, top, right - left, bottom - top)
            for column, value in zip(("x", "y", "width", "height"), expected, strict=True):
                assert float(row[column]) == pytest.approx(value * 512, abs=0.006)


def test_same_seed_same_files(study: DemoStudy, tmp_path: Path) -> None:
    again = write_demo_study(tmp_path, n_scenes=3, n_observers=4, seed=2)
    names = (
        "truth.json",
        "fixations_general.csv",
        "fixations_social.csv",
        "objects.csv",
        "images/scene-002.png",
    )
    for name in names:
        assert (again.folder / name).read_bytes() == (study.folder / name).read_bytes()


def test_demo_scenes_are_never_training_scenes() -> None:
    demo = {scene.seed for scene in demo_scenes(48, seed=0)}
    for split in ("train", "validation", "test"):
        assert demo.isdisjoint(scene_seeds(split, 1_000_000))
    with pytest.raises(ValueError, match="1 to 1000"):
        demo_scenes(0)


def test_drawn_pictures_are_recognised(study: DemoStudy, tmp_path: Path) -> None:
    assert is_demo_image(study.images[0])
    plain = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(plain)
    assert not is_demo_image(plain)
    assert not is_demo_image(study.truth)
    assert not is_demo_image(tmp_path / "missing.png")
