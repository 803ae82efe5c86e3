"""Lesions of an image that a model describes at once: what is stored is what one after the other stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.batches import Answer, Fitted, Request
from gazeapp.engine.project import Project
from gazeapp.engine.types import ImageArray
from gazeapp.engine.workflows import extract_plan, lesion_answers
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.images import AddImagesSettings, add_images
from gazeapp.engine.workflows.lesion import LesionSettings, lesion
from tests.engine.workflows.test_lesion import ALL_CONTROLS, HEIGHT, INFOS, WIDTH, Planted

SETTINGS = LesionSettings(
    models=("one",), masks=("left", "right"), strengths=(0.5, 1.0), controls=ALL_CONTROLS, n_random=2
)


class BatchPlanted(Planted):
    """The planted model, for several requests at once; the third lesion of a batch is one too many if it is so told."""

    batch = 8

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        self.asked: list[int] = []
        self.short = False

    def fit(self, image: ImageArray) -> Fitted:
        return Fitted(image, image.shape[1], image.shape[0])

    def describe_many(self, requests: Sequence[Request]) -> list[Answer]:
        self.asked.append(len(requests))
        return [self._answer(i, request) for i, request in enumerate(requests)]

    def _answer(self, i: int, request: Request) -> Answer:
        if self.short and i == 2 and not request.options.forced:
            return MemoryError()
        image = request.image.picture if isinstance(request.image, Fitted) else request.image
        try:
            return self.describe(image, request.task, request.method, request.options)
        except GazeError as error:
            return error


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> dict[str, Planted]:
    """Return what a model's id loads; it describes batches unless another one is put there."""
    models: dict[str, Planted] = {}
    monkeypatch.setattr(extract_plan, "available_models", lambda: INFOS)
    monkeypatch.setattr(
        extract_plan, "open_model", lambda info, _wishes: models.setdefault(info.id, BatchPlanted(info))
    )
    return models


@pytest.fixture
def projects(tmp_path: Path, loaded: dict[str, Planted]) -> Iterator[tuple[Project, Project]]:
    """Return two projects of the same images."""
    rng = np.random.default_rng(5)
    for k in range(2):
        noise = rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{k}.png")
    with Project.create(tmp_path / "one.gaze") as one, Project.create(tmp_path / "other.gaze") as other:
        for project in (one, other):
            project.tasks.add("general")
            add_images(project, AddImagesSettings((str(tmp_path),)), SILENT)
        yield one, other


def stored(project: Project) -> list[tuple[object, ...]]:
    return sorted(
        (row.run_id, str(row.key), row.caption, row.area, tuple(sorted(row.outcomes.items())))
        for row in project.lesions.all()
    )


def plain(loaded: dict[str, Planted]) -> Planted:
    loaded["one"] = Planted(INFOS[0])
    return loaded["one"]


def test_what_is_stored_is_what_one_after_the_other_stores(
    projects: tuple[Project, Project], loaded: dict[str, Planted]
) -> None:
    at_once, one_by_one = projects
    done = lesion(at_once, SETTINGS, SILENT)
    model = loaded["one"]
    assert isinstance(model, BatchPlanted)
    other = plain(loaded)
    expected = lesion(one_by_one, SETTINGS, SILENT)
    assert (done.done, done.failed, done.skipped) == (expected.done, expected.failed, expected.skipped)
    assert repr(stored(at_once)) == repr(stored(one_by_one))
    assert len({row.caption for row in at_once.lesions.all()}) == 2, "some lesions change the caption"
    assert model.calls == other.calls, "nothing is described that is not stored"
    # The intact images, then for each image its lesions, eight at a time, and again where the caption changed.
    assert model.asked[0] == 2
    assert max(model.asked) == 8
    assert sum(model.asked) == model.calls
    assert len(model.asked) < model.calls / 3


def test_masks_that_are_held_at_once_are_limited_by_their_pixels(
    projects: tuple[Project, Project], loaded: dict[str, Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesion_answers, "_MASK_PIXELS", 3 * HEIGHT * WIDTH)
    lesion(projects[0], SETTINGS, SILENT)
    model = loaded["one"]
    assert isinstance(model, BatchPlanted)
    assert max(model.asked) == 3


def test_short_memory_fails_its_lesion_only(
    projects: tuple[Project, Project], loaded: dict[str, Planted]
) -> None:
    at_once, one_by_one = projects
    short = BatchPlanted(INFOS[0])
    settings = LesionSettings(models=("one",), controls=())
    lesion(at_once, settings, SILENT)
    settings = LesionSettings(models=("one",), controls=("mirrored", "random"), strengths=(0.25,))
    short.short, loaded["one"] = True, short
    done = lesion(at_once, settings, SILENT)
    assert (done.failed, len(done.problems)) == (2, 2)
    assert {problem.what for problem in done.problems} == {"There was not enough memory."}
    short.short = False
    again = lesion(at_once, settings, SILENT)
    assert (again.done, again.failed, again.problems) == (2, 0, ())
    plain(loaded)
    lesion(one_by_one, LesionSettings(models=("one",), controls=()), SILENT)
    lesion(one_by_one, settings, SILENT)
    assert repr(stored(at_once)) == repr(stored(one_by_one))


def test_seconds_are_shared_by_lesions_that_were_described_together(
    projects: tuple[Project, Project], loaded: dict[str, Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = BatchPlanted(INFOS[0])
    loaded["one"] = model
    answer = model.describe_many

    def slow(requests: Sequence[Request]) -> list[Answer]:
        import time

        time.sleep(0.4)
        return answer(requests)

    monkeypatch.setattr(model, "describe_many", slow)
    lesion(projects[0], LesionSettings(models=("one",), controls=("mirrored", "random")), SILENT)
    seconds = [row.seconds for row in projects[0].lesions.all()]
    assert len(seconds) == 12
    assert min(seconds) >= 0.05
    assert max(seconds) < 0.4
