"""Masks made of a text, copied to other images, mirrored: exactly, and never over one that was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import ObjectBox, Project
from gazeapp.engine.types import MaskArray, Rect
from gazeapp.engine.workflows.base import SILENT, Summary
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.masks_change import (
    CopyMaskSettings,
    MakeMaskSettings,
    MirrorMaskSettings,
    copy_mask,
    make_mask,
    mirror_mask,
)

SIZES = {"a.png": (8, 6), "b.png": (8, 6), "large.png": (16, 12), "small.png": (4, 3)}


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "set").mkdir()
    for name, size in SIZES.items():
        Image.new("RGB", size).save(tmp_path / "set" / name)
    with Project.create(tmp_path / "study.gaze") as created:
        add_images(created, AddImagesSettings((str(tmp_path / "set"),)), SILENT)
        yield created


def drawn() -> MaskArray:
    mask = np.zeros((6, 8), np.uint8)
    mask[4:, 6:] = 255
    mask[0, 5] = 90
    return mask


def put(project: Project, name: str, image: str, values: MaskArray) -> None:
    found = project.images.by_name(image)
    assert found is not None
    project.masks.put(name, found.id, values)


def get(project: Project, name: str, image: str) -> MaskArray | None:
    found = project.images.by_name(image)
    assert found is not None
    stored = project.masks.get(name, found.id)
    return None if stored is None else stored.values


def copy(project: Project, *images: str, **more: object) -> Summary:
    settings = CopyMaskSettings("hand", "a", images, **more)  # type: ignore[arg-type]
    return copy_mask(project, settings, SILENT)


def test_a_copy_by_fraction_is_stretched(project: Project):
    put(project, "hand", "a.png", drawn())
    summary = copy(project)
    assert (summary.done, summary.failed, summary.details["mask"]) == (3, 0, "hand")
    assert np.array_equal(get(project, "hand", "b.png"), drawn())
    assert np.array_equal(get(project, "hand", "large.png"), np.kron(drawn(), np.ones((2, 2), np.uint8)))
    expected = np.zeros((3, 4), np.uint8)
    expected[2, 3] = 255
    expected[0, 2] = round(90 / 4)
    assert np.array_equal(get(project, "hand", "small.png"), expected)
    assert copy(project).skipped == 3


def test_a_copy_by_pixel_keeps_its_pixels(project: Project):
    put(project, "hand", "a.png", drawn())
    summary = copy(project, "large.png", "small.png", placing="pixel")
    large = get(project, "hand", "large.png")
    assert large is not None
    assert np.array_equal(large[:6, :8], drawn())
    assert large.sum() == drawn().sum()
    # What was drawn lies beyond the small image.
    assert (summary.done, summary.failed) == (1, 1)
    assert "Nothing is left of the mask" in summary.problems[0].what
    assert get(project, "hand", "small.png") is None
    assert get(project, "hand", "b.png") is None


def test_a_copy_can_be_kept_to_images_of_one_size(project: Project):
    put(project, "hand", "a.png", drawn())
    summary = copy(project, placing="refuse")
    assert (summary.done, summary.failed) == (1, 2)
    assert {problem.where for problem in summary.problems} == {"large.png", "small.png"}


def test_a_copy_never_takes_the_place_of_another_mask(project: Project):
    put(project, "hand", "a.png", drawn())
    put(project, "hand", "b.png", drawn()[::-1])
    summary = copy(project, "b.png")
    assert (summary.done, summary.failed) == (0, 1)
    assert "another mask 'hand' already" in summary.problems[0].what
    assert np.array_equal(get(project, "hand", "b.png"), drawn()[::-1])
    assert copy(project, "b.png", replace=True).done == 1
    assert np.array_equal(get(project, "hand", "b.png"), drawn())
    assert project.problems.all() == []


def test_a_mask_is_mirrored_where_it_is(project: Project):
    put(project, "hand", "a.png", drawn())
    put(project, "hand", "b.png", drawn()[::-1])
    summary = mirror_mask(project, MirrorMaskSettings("hand", "other hand"), SILENT)
    assert (summary.done, summary.failed) == (2, 0)
    assert np.array_equal(get(project, "other hand", "a.png"), drawn()[:, ::-1])
    assert np.array_equal(get(project, "other hand", "b.png"), drawn()[::-1, ::-1])
    back = mirror_mask(project, MirrorMaskSettings("other hand", "hand", ("a.png",)), SILENT)
    assert (back.done, back.skipped) == (0, 1)
    missing = mirror_mask(project, MirrorMaskSettings("hand", "third hand", ("large",)), SILENT)
    assert (missing.done, missing.failed) == (0, 1)


def test_a_text_becomes_a_mask_that_stays(project: Project):
    for image in project.images.all()[:2]:
        project.objects.put(image.id, [ObjectBox("dog", Rect(1, 1, 2, 3))], "x")
    summary = make_mask(project, MakeMaskSettings("object dog", "the dog"), SILENT)
    assert (summary.done, summary.failed) == (2, 2)
    expected = np.zeros((6, 8), np.uint8)
    expected[1:4, 1:3] = 255
    assert np.array_equal(get(project, "the dog", "a.png"), expected)
    image = project.images.by_name("a.png")
    assert image is not None
    project.objects.put(image.id, [], "x")
    assert np.array_equal(get(project, "the dog", "a.png"), expected)
    stored = project.masks.get("the dog", image.id)
    assert stored is not None
    assert stored.origin == "made from 'object dog'"
    only = make_mask(project, MakeMaskSettings("left", "first half", images=("small",)), SILENT)
    assert only.done == 1
    assert [one.n_images for one in project.masks.library()] == [2, 1]


def test_what_makes_no_sense_is_told_before_anything_is_stored(project: Project):
    with pytest.raises(GazeError, match="no mask 'hand'"):
        copy(project)
    put(project, "hand", "a.png", drawn())
    with pytest.raises(GazeError, match=r"no image 'smal'\. Did you mean 'small\.png'"):
        copy(project, "smal")
    with pytest.raises(GazeError, match="by 'magic'"):
        copy(project, placing="magic")
    with pytest.raises(GazeError, match="needs a name of its own"):
        mirror_mask(project, MirrorMaskSettings("hand", " hand "), SILENT)
    with pytest.raises(GazeError, match=r"No image has a mask 'foot'\. The masks of the library are: hand"):
        mirror_mask(project, MirrorMaskSettings("foot", "other"), SILENT)
    with pytest.raises(GazeError, match="means a mask that needs no drawing"):
        mirror_mask(project, MirrorMaskSettings("hand", "left"), SILENT)
    with pytest.raises(GazeError, match="There is no mask 'ledt'"):
        make_mask(project, MakeMaskSettings("ledt", "other"), SILENT)
    assert [one.name for one in project.masks.library()] == ["hand"]
