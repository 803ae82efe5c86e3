"""Many requests at once: the same answers as one by one, whatever else is asked, however short the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Caption, DescribeOptions
from gazeapp.engine.models.batches import Answer, BatchModel, Request
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.registry import load_model
from gazeapp.engine.types import ImageArray
from tests.engine.models.test_captioner import small

SHIPPED = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")
TASKS = ("general", "social")


@pytest.fixture(scope="module")
def models() -> dict[str, CaptionerModel]:
    return {name: load_model(name) for name in SHIPPED}  # type: ignore[misc]


@pytest.fixture(scope="module")
def pictures() -> list[ImageArray]:
    """Return pictures of several shapes, one of the encoder's own size."""
    scenes = [render(scene, 150) for scene in demo_scenes(5, seed=11)]
    return [
        np.ascontiguousarray(scene[: 150 - 20 * i, : 90 + 15 * i]) for i, scene in enumerate(scenes[:4])
    ] + [render(demo_scenes(1, seed=3)[0], 128)]


@pytest.fixture
def model(models: dict[str, CaptionerModel]) -> CaptionerModel:
    """Return a captioner that remembers no picture."""
    return CaptionerModel(models["vit-lstm"].network, models["vit-lstm"].info)


@pytest.fixture
def encoded(model: CaptionerModel) -> Iterator[list[int]]:
    """Count the pictures of each call of the encoder."""
    counts: list[int] = []

    def count(_module: object, inputs: tuple[Tensor]) -> None:
        counts.append(len(inputs[0]))

    hook = model.network.encoder.register_forward_pre_hook(count)
    yield counts
    hook.remove()


def both(pictures: list[ImageArray]) -> list[Request]:
    return [Request(picture, task) for picture in pictures for task in TASKS]


def one_by_one(model: CaptionerModel, requests: list[Request]) -> list[Answer]:
    found: list[Answer] = []
    for request in requests:
        try:
            found.append(model.describe(request.image, request.task, request.method, request.options))  # type: ignore[arg-type]
        except (GazeError, MemoryError) as error:
            found.append(error)
    return found


def check_same(ours: list[Answer], expected: list[Answer]) -> None:
    assert len(ours) == len(expected)
    for one, other in zip(ours, expected, strict=True):
        if not isinstance(other, Caption):
            assert type(one) is type(other)
            assert str(one) == str(other)
            continue
        assert isinstance(one, Caption)
        assert (one.text, one.task, one.method, one.facts) == (
            other.text,
            other.task,
            other.method,
            other.facts,
        )
        assert one.rect == other.rect
        np.testing.assert_allclose(one.maps, other.maps, rtol=0, atol=1e-6)
        scores = [[word.log_probability for word in caption.words] for caption in (one, other)]
        np.testing.assert_allclose(*scores, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_batch_says_what_single_requests_say(
    models: dict[str, CaptionerModel], pictures: list[ImageArray], name: str
) -> None:
    model = models[name]
    assert isinstance(model, BatchModel)
    requests = both(pictures)
    expected = one_by_one(model, requests)
    assert len({answer.text for answer in expected if isinstance(answer, Caption)}) > 3
    check_same(model.describe_many(requests), expected)
    fitted = [Request(model.fit(request.image), request.task) for request in requests]  # type: ignore[arg-type]
    check_same(model.describe_many(fitted), expected)
    assert model.describe_many([]) == []


@pytest.mark.parametrize("name", ["cnn-lstm", "vit-transformer"])
def test_lesions_given_words_beams_and_mistakes_in_one_batch(
    models: dict[str, CaptionerModel], pictures: list[ImageArray], name: str
) -> None:
    model = models[name]
    first, second = pictures[:2]
    half = np.zeros(first.shape[:2], np.float32)
    half[:, : half.shape[1] // 2] = 1.0
    own = tuple(model.describe(second, "social").facts["tokens"])
    left, weaker = Lesion(half, "keys"), Lesion(half, "mean", 0.6)
    asked = [
        DescribeOptions(),
        DescribeOptions(lesion=left),
        DescribeOptions(lesion=weaker),
        DescribeOptions(lesion=Lesion(half, "pixels")),
        DescribeOptions(lesion=left, forced=own),
        DescribeOptions(forced=own[:3]),
        DescribeOptions(lesion=Lesion(np.zeros_like(half), "keys")),
        DescribeOptions(lesion=Lesion(np.ones_like(half), "keys")),  # takes all of the image
        DescribeOptions(lesion=Lesion(half[1:], "keys")),  # of another size
        DescribeOptions(lesion=Lesion(half, "readout")),  # not of captioners
        DescribeOptions(forced=(10**6,)),
    ]
    requests = [Request(first, task, "", options) for options in asked for task in TASKS]
    requests += [Request(second, "general", "light"), Request(second, "general")]
    expected = one_by_one(model, requests)
    assert sum(isinstance(answer, GazeError) for answer in expected) == 9
    check_same(model.describe_many(requests), expected)


def test_each_picture_is_encoded_once_for_all_its_tasks(
    model: CaptionerModel, pictures: list[ImageArray], encoded: list[int]
) -> None:
    model.describe_many([*both(pictures), *both(pictures[:2])])
    assert encoded == [5]
    model.describe_many(both(pictures[3:]))
    assert encoded == [5], "known from before"


def test_a_task_that_is_not_told_from_another_is_decoded_once(
    model: CaptionerModel, pictures: list[ImageArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    say = model.network.say
    monkeypatch.setattr(
        model.network, "say", lambda features, *more: rows.append(len(features)) or say(features, *more)
    )
    one, other, third = model.describe_many(
        [Request(pictures[0], task) for task in ("general", "free viewing", "social")]
    )
    assert rows == [2]
    assert isinstance(one, Caption)
    assert isinstance(other, Caption)
    assert isinstance(third, Caption)
    assert (one.text, one.task, one.maps.tobytes()) == (other.text, other.task, other.maps.tobytes())


def short(error: Callable[[], BaseException], most: int, model: CaptionerModel, calls: list[int]) -> Any:
    """Return a `say` that has memory for so many sequences."""
    say = model.network.say

    def limited(features: Tensor, *more: Any) -> Any:
        calls.append(len(features))
        if len(features) > most:
            raise error()
        return say(features, *more)

    return limited


@pytest.mark.parametrize(
    "error",
    [
        MemoryError,
        torch.OutOfMemoryError,
        lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    ],
)
def test_short_memory_halves_the_batch(
    model: CaptionerModel,
    pictures: list[ImageArray],
    monkeypatch: pytest.MonkeyPatch,
    encoded: list[int],
    error: Callable[[], BaseException],
) -> None:
    requests = both(pictures)
    expected = model.describe_many(requests)
    calls: list[int] = []
    monkeypatch.setattr(model.network, "say", short(error, 3, model, calls))
    check_same(model.describe_many(requests), expected)
    assert calls == [10, 5, 2, 3, 5, 2, 3]
    assert encoded == [5], "what was encoded before memory ran out is not encoded again"
    monkeypatch.setattr(model.network, "say", short(error, 0, model, calls))
    assert [type(answer) for answer in model.describe_many(requests[:3])] == [MemoryError] * 3
    with pytest.raises(MemoryError):
        model.describe(pictures[0], "general")


def test_other_errors_of_the_network_are_not_taken_for_short_memory(
    model: CaptionerModel, pictures: list[ImageArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    monkeypatch.setattr(model.network, "say", short(lambda: error, 0, model, []))
    with pytest.raises(RuntimeError, match="shapes"):
        model.describe_many(both(pictures))


def test_pixels_that_changed_in_place_are_seen_anew(
    model: CaptionerModel, pictures: list[ImageArray]
) -> None:
    changing = pictures[0].copy()
    model.describe(changing, "general")
    changing[:] = pictures[0][::-1]
    ours = model.describe(changing, "general")
    fresh = CaptionerModel(model.network, model.info).describe(pictures[0][::-1], "general")
    assert ours.maps.tobytes() == fresh.maps.tobytes()


def test_a_lesion_of_the_picture_needs_the_picture(model: CaptionerModel, pictures: list[ImageArray]) -> None:
    lesion = Lesion(np.eye(*pictures[0].shape[:2], dtype=np.float32), "pixels")
    request = Request(model.fit(pictures[0]), "general", "", DescribeOptions(lesion=lesion))
    with pytest.raises(ValueError, match="image itself"):
        model.describe_many([request])


def test_how_many_images_at_once_follows_from_size_and_device(model: CaptionerModel) -> None:
    assert model.batch == 16
    config = small("cnn", "lstm")
    with torch.device("meta"):
        elsewhere = Captioner(config)
    assert CaptionerModel(elsewhere, captioner_info(Path("here"), config)).batch == 32
    model.network.more = torch.nn.Linear(3000, 2000, device="cpu")
    try:
        assert CaptionerModel(model.network, model.info).batch == 4
    finally:
        del model.network.more
