"""The demo study on disk: complete, labelled as simulated, the same each time."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.demo.scenes import scene_seeds
from gazeapp.engine.demo.world import (
    COLUMNS,
    DemoStudy,
    demo_scenes,
    is_demo_image,
    write_demo_study,
    write_simulated_responses,
)
from gazeapp.engine.neural.regions.built_in import DESIKAN, built_in_atlas


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


def test_simulated_responses_are_of_the_pictures_and_say_what_they_are(study: DemoStudy) -> None:
    with np.load(study.responses, allow_pickle=False) as stored:
        values, names = stored["Y"], stored["image_ids"]
        meta = json.loads(str(stored["meta_json"]))
    assert values.shape == (4, 3, 20_484)
    assert list(names) == [path.name for path in study.images]
    assert (meta["simulated"], meta["seed"]) == (True, 2)
    used = np.concatenate([region.vertices for region in built_in_atlas(DESIKAN).regions])
    assert np.isfinite(values[..., used]).all()
    assert np.isnan(np.delete(values, used, axis=2)).all(), "the medial wall has no response"
    with study.responses_truth.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 34 * 3
    both = {row["region"]: float(row["signal_share"]) for row in rows if row["hemisphere"] == "both"}
    assert both["pericalcarine"] > both["fusiform"] > both["superiorparietal"] > both["precentral"] == 0


def test_the_drives_are_the_pictures_and_where_people_look(study: DemoStudy, tmp_path: Path) -> None:
    """Another picture in place of one changes what is driven by contrast, and nothing else."""
    shutil.copytree(study.folder / "images", tmp_path / "images")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)).save(
        tmp_path / "images" / "scene-001.png"
    )
    changed, _ = write_simulated_responses(tmp_path, demo_scenes(3, seed=2), 2)
    with np.load(study.responses) as one, np.load(changed) as other:
        differs = ~np.isclose(one["Y"], other["Y"], equal_nan=True).all(axis=(0, 1))
    driven = {region.id for region in built_in_atlas(DESIKAN).regions if differs[region.vertices].any()}
    names = ("pericalcarine", "lateraloccipital", "lingual", "cuneus")
    assert driven == {f"{name} {hemisphere}" for name in names for hemisphere in ("left", "right")}


def test_same_seed_same_files(study: DemoStudy, tmp_path: Path) -> None:
    again = write_demo_study(tmp_path, n_scenes=3, n_observers=4, seed=2)
    names = (
        "truth.json",
        "fixations_general.csv",
        "fixations_social.csv",
        "objects.csv",
        "responses.npz",
        "responses_truth.csv",
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
