"""A mask file that is named where a mask is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.mask_of_file import take_in


@pytest.fixture
def project(tmp_path: Path):
    for name, size in (("a", (40, 20)), ("b", (80, 40))):
        Image.fromarray(np.full((*size[::-1], 3), 90, np.uint8)).save(tmp_path / f"{name}.png")
    with Project.create(tmp_path / "study.gaze") as opened:
        add_images(opened, AddImagesSettings((str(tmp_path),)), SILENT)
        yield opened


def a_file(folder: Path, name: str, value: int = 255, size: tuple[int, int] = (40, 20)) -> Path:
    mask = np.zeros(size[::-1], np.uint8)
    mask[:, :10] = value
    path = folder / "masks" / name
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)
    return path


def test_what_is_no_file_stays_as_it_is(project):
    assert take_in(project, "left 30%", project.images.all()) == "left 30%"
    assert project.masks.library() == []


def test_a_picture_is_the_mask_of_all_images(project, tmp_path):
    path = a_file(tmp_path, "stripe.png")
    assert take_in(project, str(path), project.images.all()) == "stripe"
    assert take_in(project, str(path), project.images.all()) == "stripe"
    for image in project.images.all():
        found = project.masks.get("stripe", image.id).values
        assert (found[:, : image.width // 4] == 255).all()
        assert not found[:, image.width // 4 :].any()
    a_file(tmp_path, "stripe.png", value=100)
    with pytest.raises(GazeError, match="another mask 'stripe'"):
        take_in(project, str(path), project.images.all())


def test_a_picture_named_like_an_image_is_its_mask_alone(project, tmp_path):
    assert take_in(project, str(a_file(tmp_path, "a.png")), project.images.all()) == "a"
    assert project.masks.images("a") == [project.images.by_name("a.png").id]


@pytest.mark.parametrize("size", [(41, 20), (20, 10), (13, 7), (400, 201)])
def test_a_picture_of_the_same_proportions_is_scaled(project, tmp_path, size):
    name = take_in(project, str(a_file(tmp_path, "stripe.png", size=size)), project.images.all())
    assert len(project.masks.images(name)) == 2
    for image in project.images.all():
        stored = project.masks.get(name, image.id)
        assert stored.area == pytest.approx(10 / size[0], abs=1 / image.width)
        assert stored.origin == f"from stripe.png, scaled from {size[0]} x {size[1]} px"


@pytest.mark.parametrize("size", [(20, 40), (40, 40), (44, 20), (12, 7)])
def test_a_picture_of_other_proportions_is_refused_and_nothing_is_stored(project, tmp_path, size):
    path = a_file(tmp_path, "stripe.png", size=size)
    said = rf"mask is {size[0]} x {size[1]} px, the image a\.png 40 x 20 px"
    with pytest.raises(GazeError, match=said):
        take_in(project, str(path), project.images.all())
    assert project.masks.library() == []


def test_files_that_name_an_image_have_its_size(project, tmp_path):
    with pytest.raises(GazeError, match="mask is 80 x 40 px, the image 40 x 20 px"):
        take_in(project, str(a_file(tmp_path, "a.png", size=(80, 40))), project.images.all())
    shape = {"label": "x", "points": [[0, 0], [5, 10]], "shape_type": "rectangle"}
    path = tmp_path / "boxes.json"
    path.write_text(
        json.dumps(
            {"version": "5", "imagePath": "b.png", "imageHeight": 20, "imageWidth": 40, "shapes": [shape]}
        )
    )
    with pytest.raises(GazeError, match="mask is 40 x 20 px, the image 80 x 40 px"):
        take_in(project, str(path), project.images.all())
    assert project.masks.library() == []


def test_files_that_name_their_images(project, tmp_path):
    shape = {
        "label": "x",
        "points": [[0, 0], [10, 20]],
        "shape_type": "rectangle",
        "group_id": None,
        "flags": {},
    }
    path = tmp_path / "boxes.json"
    path.write_text(
        json.dumps(
            {"version": "5", "imagePath": "b.png", "imageHeight": 40, "imageWidth": 80, "shapes": [shape]}
        )
    )
    assert take_in(project, str(path), project.images.all()) == "boxes"
    assert project.masks.get("boxes", project.images.by_name("b.png").id).values.sum() == 255 * 200


def test_a_missing_or_broken_file_is_a_sentence(project, tmp_path):
    with pytest.raises(GazeError, match="no such mask file"):
        take_in(project, str(tmp_path / "gone.png"), project.images.all())
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(GazeError):
        take_in(project, str(broken), project.images.all())
    with pytest.raises(GazeError, match="means a mask that needs no drawing"):
        take_in(project, str(a_file(tmp_path, "left.png")), project.images.all())
