"""A text means one mask on an image, or is answered with what there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.built_in import built_in
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import ImageRow, ObjectBox, Project
from gazeapp.engine.types import Rect
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.masks import (
    distinct_masks,
    free_name,
    known_specs,
    mask_for,
    mirrored_spec,
    parse_spec,
)

ROWS, COLUMNS = 6, 8
"""Cells of the maps; the image has 5 x 5 px for each."""


@pytest.fixture
def project(tmp_path: Path):
    for name, size in (("a", (40, 30)), ("b", (40, 30)), ("c", (20, 50))):
        (tmp_path / "set").mkdir(exist_ok=True)
        Image.new("RGB", size).save(tmp_path / "set" / f"{name}.png")
    with Project.create(tmp_path / "study.gaze") as created:
        add_images(created, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        yield created


def image(project: Project, name: str = "a.png") -> ImageRow:
    found = project.images.by_name(name)
    assert found is not None
    return found


def a_map(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).random((ROWS, COLUMNS)).astype(np.float32)
    return values / values.sum()


def people(project: Project, task: str, seed: int) -> None:
    project.tasks.add(task)
    one = image(project)
    project.maps.put_human(
        one.id, task, a_map(seed), one.rect, project.settings.put("human map", {"seed": seed})
    )


def run(project: Project, model: str, task: str, seed: int, method: str = "alpha") -> None:
    project.runs.put_model(ModelInfo(model, model.upper(), "captioner"))
    project.tasks.add(task)
    settings = project.settings.put("import maps", {"seed": seed, "method": method})
    project.runs.put_map(image(project).id, model, task, method, a_map(seed), image(project).rect, settings)


def highest(seed: int, n_cells: int) -> np.ndarray:
    """Return the cells that a map ranks highest."""
    values = a_map(seed)
    return values >= np.sort(values.ravel())[-n_cells]


def centres(mask: np.ndarray) -> np.ndarray:
    """Return which cells' centres are in a mask of image a."""
    return mask[2::5, 2::5] == 255


def test_the_library_stands_first_and_comes_to_the_byte(project: Project):
    drawn = np.random.default_rng(0).integers(0, 256, (30, 40)).astype(np.uint8)
    project.masks.put("left", image(project).id, drawn)
    assert np.array_equal(mask_for(project, " left ", image(project)), drawn)
    project.masks.remove("left")
    assert mask_for(project, "left", image(project)).mean() == 127.5


def test_a_mask_that_an_image_lacks_is_said_with_the_images_that_have_it(project: Project):
    project.masks.put("hand", image(project).id, np.zeros((30, 40), np.uint8))
    with pytest.raises(GazeError) as told:
        mask_for(project, "hand", image(project, "c.png"))
    assert str(told.value) == (
        "c.png: The image has no mask 'hand'. Copy it to this image, or leave the image out. It is on 'a.png'."
    )
    project.masks.add("foot")
    with pytest.raises(GazeError, match="on no image yet"):
        mask_for(project, "foot", image(project))


@pytest.mark.parametrize(("spec", "share"), [("left", 0.5), ("top 20%", 0.2), ("Right 25 %", 0.25)])
def test_sides_need_nothing(project: Project, spec: str, share: float):
    mask = mask_for(project, spec, image(project))
    assert mask.shape == (30, 40)
    assert mask.mean() / 255 == pytest.approx(share)


def test_a_side_of_nonsense_is_told_before_any_image(project: Project):
    with pytest.raises(GazeError, match="130"):
        parse_spec(project, "left 130%")
    assert parse_spec(project, "bottom 2%").kind == "built_in"
    with pytest.raises(GazeError, match=r"c\.png: .*takes no pixel"):
        mask_for(project, "left 1%", image(project, "c.png"))


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ((" left", "LEFT", "left 50%", "Left  50.0 %", "left +050%"), "left"),
        (("top 30.50 %", "TOP 30.5%"), "top 30.5%"),
        (("left 50% graded",), "left 50% graded"),
        (("left graded", "left 100% graded"), "left graded"),
        (("left soft 10%", "left 50% Soft 10.0%"), "left soft 10%"),
        (("right 100%",), "right 100%"),
        (("people 20%", "PEOPLE  20.0 %"), "people 20%"),
        (("model 20%", "Model 20 %"), "model 20%"),
        (("object Dog", "Object  dog", "object DOG"), "object Dog"),
        (("hand", " hand "), "hand"),
    ],
)
def test_texts_of_one_mask_have_one_name(project: Project, texts: tuple[str, ...], name: str):
    project.masks.add("hand")
    project.objects.put(1, [ObjectBox("Dog", Rect(0, 0, 3, 3), "drawn")], "drawn")
    assert distinct_masks(project, texts) == (name,)
    assert distinct_masks(project, [name, *texts, name]) == (name,)


@pytest.mark.parametrize(
    "text", ["LEFT", "left 50%", "Right 100% graded", "top 50% soft 010 %", "left 30.0%"]
)
def test_the_one_name_means_the_same_mask(project: Project, text: str):
    (name,) = distinct_masks(project, [text])
    assert name != text
    assert np.array_equal(built_in(name, 30, 41), built_in(text, 30, 41))


def test_texts_of_one_model_have_one_name(project: Project):
    project.runs.put_model(ModelInfo("model", "The One", "captioner"))
    texts = ("model model 20%", "model The One 20.0 %", "MODEL the one 20%")
    assert distinct_masks(project, texts) == ("model model 20%",)


def test_where_people_looked_most(project: Project):
    people(project, "free", 1)
    mask = mask_for(project, "people 20%", image(project))
    assert (mask == 255).sum() == 240
    assert set(np.unique(mask)) == {0, 255}
    # Between the centres of cells a map is interpolated, so the very highest cells are in, the lowest are not.
    assert centres(mask)[highest(1, 3)].all()
    assert not centres(mask)[~highest(1, 24)].any()
    people(project, "social", 2)
    with pytest.raises(GazeError, match=r"several tasks\. Say under which: free, social"):
        mask_for(project, "people 20%", image(project))
    assert np.array_equal(mask_for(project, "people 20%", image(project), task="free"), mask)
    other = mask_for(project, "people 20%", image(project), task="social")
    assert centres(other)[highest(2, 3)].all()
    with pytest.raises(GazeError, match=r"b\.png: There is no human map of this image under the task free"):
        mask_for(project, "people 20%", image(project, "b.png"), task="free")
    with pytest.raises(GazeError, match="asks for 0 %"):
        mask_for(project, "people 0%", image(project))


def test_where_a_model_attended_most(project: Project):
    run(project, "cnn-lstm", "free", 3)
    run(project, "vit", "free", 4)
    own = mask_for(project, "model cnn-lstm 10%", image(project), "free")
    assert (own == 255).sum() == 120
    assert centres(own)[highest(3, 2)].all()
    assert np.array_equal(mask_for(project, "model CNN-LSTM 10 %", image(project)), own)
    assert np.array_equal(mask_for(project, "model 10%", image(project), "free", model="cnn-lstm"), own)
    vit = mask_for(project, "model 10%", image(project), "free", model="vit")
    assert centres(vit)[highest(4, 2)].all()
    run(project, "cnn-lstm", "free", 5, "rollout")
    assert centres(mask_for(project, "model cnn-lstm 10%", image(project)))[highest(5, 2)].all()
    assert np.array_equal(mask_for(project, "model cnn-lstm 10%", image(project), method="alpha"), own)
    with pytest.raises(GazeError, match="does not say of which model"):
        mask_for(project, "model 10%", image(project))
    with pytest.raises(GazeError, match=r"no model 'cnn-lst'\. Did you mean 'cnn-lstm'"):
        mask_for(project, "model cnn-lst 10%", image(project))
    with pytest.raises(GazeError, match=r"no map of vit on this image under the task social"):
        mask_for(project, "model vit 10%", image(project), "social")


def test_boxes_of_one_label_together(project: Project):
    boxes = [
        ObjectBox("Dog", Rect(0, 0, 10, 10)),
        ObjectBox("Dog", Rect(5, 5, 10, 10)),
        ObjectBox("cat", Rect(30, 0, 5, 5)),
    ]
    project.objects.put(image(project).id, boxes, "drawn")
    mask = mask_for(project, "object dog", image(project))
    assert (mask == 255).sum() == 100 + 100 - 25
    assert parse_spec(project, "object dog").name == "Dog"
    with pytest.raises(GazeError, match=r"No object of the project is called 'dig'\. Did you mean"):
        mask_for(project, "object dig", image(project))
    with pytest.raises(GazeError, match=r"b\.png: No object called 'cat' is known on this image"):
        mask_for(project, "object cat", image(project, "b.png"))


@pytest.mark.parametrize(
    "spec", ["", "lefft", "people", "people 20", "model", "object", "left 30% soft", "20%"]
)
def test_what_means_no_mask_is_told_with_what_there_is(project: Project, spec: str):
    project.masks.put("left hand", image(project).id, np.zeros((30, 40), np.uint8))
    with pytest.raises(GazeError) as told:
        mask_for(project, spec, image(project))
    assert told.value.what == f"There is no mask '{spec}'."
    assert "The library has 'left hand'." in told.value.todo
    assert ("Did you mean 'left'" in told.value.todo) == (spec == "lefft")


def test_every_known_text_means_a_mask(project: Project):
    people(project, "free", 1)
    run(project, "cnn-lstm", "free", 3)
    project.masks.put("hand", image(project).id, np.zeros((30, 40), np.uint8))
    project.objects.put(image(project).id, [ObjectBox("dog", Rect(0, 0, 10, 10))], "drawn")
    known = known_specs(project)
    assert {one.kind for one in known} == {"library", "built_in", "model", "object"}
    for one in known:
        assert mask_for(project, one.spec, image(project), "free").shape == (30, 40)
        assert parse_spec(project, one.spec).kind == one.kind


def test_names_that_mean_a_mask_are_not_free(project: Project):
    assert free_name(" left hand ") == "left hand"
    assert free_name("people") == "people"
    for taken in ("left", "Top 30%", "people 20%", "model x 3%", "object dog"):
        with pytest.raises(GazeError, match="means a mask that needs no drawing"):
            free_name(taken)
    with pytest.raises(GazeError, match="name that can be read"):
        free_name("  ")


def test_mirrored_texts():
    assert [mirrored_spec(one) for one in ("left 30%", "right soft 5%", "people 20%", "hand")] == [
        "right 30%",
        "left soft 5%",
        None,
        None,
    ]
