"""What a script says about an image is checked before anybody believes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError
from gazeapp.engine.runners.describe import Description, describe
from gazeapp.engine.runners.process import RunnerProcess
from gazeapp.engine.runners.script import read_script
from gazeapp.engine.types import Rect
from tests.engine.runners import scripts
from tests.engine.runners.conftest import Started

WIDTH, HEIGHT = 60, 40

COPIES = (
    scripts.HEAD.format(dependencies="", actions='["describe"]')
    + """
import json, shutil
from gazeapp_runner import serve


def describe(request, progress):
    asked = json.loads(request.values["prompt"])
    shutil.copy(request.image, asked["seen"])
    if asked["arrays"]:
        shutil.copy(asked["arrays"], request.folder / "arrays.npz")
    facts = {"method": request.values["method"], "decoding": request.values["decoding"]}
    return {**asked["values"], "facts": facts}


serve(describe=describe)
"""
)
"""Answers with the arrays and values that the prompt names, so that it needs no numpy."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunnerProcess]:
    """One process for all answers, so that a refused one is seen to do no harm to the next."""
    folder = tmp_path_factory.mktemp("describing")
    script = read_script(scripts.write(folder, COPIES))
    consents = ConsentStore(folder / "consents.json")
    script.agree(consents)
    with RunnerProcess(script, consents) as process:
        yield process


def good() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {
        "log_probabilities": np.array([-0.5, -0.25, -1.0], np.float32),
        "attention": rng.random((3, 4, 6)).astype(np.float16),
        "image_mass": np.array([0.5, 1.0, 0.0]),
        "rect": np.array([-3, 0, 66, 40]),
    }


def ask(
    process: RunnerProcess, tmp_path: Path, arrays: dict[str, Any] | Path | None, **values: Any
) -> Description:
    path = arrays if isinstance(arrays, Path) else tmp_path / "given.npz"
    if isinstance(arrays, dict):
        np.savez(path, **arrays)
    asked = {
        "arrays": str(path) if arrays is not None else "",
        "values": {"tokens": ["A", " red", " ball"], **values},
        "seen": str(tmp_path / "seen.png"),
    }
    image = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    np.save(tmp_path / "image.npy", image)
    return describe(
        process, image, prompt=json.dumps(asked), decoding={"max_tokens": 7, "seed": 3}, method="raw"
    )


def test_a_good_answer_comes_back_as_it_was_given(process: RunnerProcess, tmp_path: Path) -> None:
    given = good()
    description = ask(process, tmp_path, given)
    assert description.tokens == ("A", " red", " ball")
    np.testing.assert_array_equal(description.attention, given["attention"].astype(np.float64))
    np.testing.assert_array_equal(description.log_probabilities, [-0.5, -0.25, -1.0])
    np.testing.assert_array_equal(description.image_mass, [0.5, 1.0, 0.0])
    assert description.rect == Rect(-3.0, 0.0, 66.0, 40.0)
    assert description.facts == {"method": "raw", "decoding": {"max_tokens": 7, "seed": 3}}
    seen = np.asarray(Image.open(tmp_path / "seen.png"))
    np.testing.assert_array_equal(seen, np.load(tmp_path / "image.npy"))


def test_what_half_precision_rounds_is_taken_and_cut(process: RunnerProcess, tmp_path: Path) -> None:
    description = ask(
        process,
        tmp_path,
        {
            **good(),
            "image_mass": np.array([1.0005, 1, 1]),
            "log_probabilities": np.array([0.0005, 0, 0]),
        },
    )
    assert description.image_mass.max() == 1.0
    assert description.log_probabilities.max() == 0.0


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"attention": np.ones((2, 4, 6))}, "shape"),
        ({"attention": np.ones((3, 24))}, "shape"),
        ({"attention": np.ones((3, 0, 6))}, "no cells"),
        ({"attention": np.full((3, 4, 6), -0.1)}, "0 or more"),
        ({"attention": np.full((3, 4, 6), np.nan)}, "no numbers"),
        ({"attention": np.empty((3, 4, 6), dtype=object)}, "real numbers"),
        ({"image_mass": np.array([0.5, 1.1, 0.0])}, "between 0 and 1"),
        ({"image_mass": np.array([0.5, -0.1, 0.0])}, "between 0 and 1"),
        ({"image_mass": np.ones(4)}, "shape"),
        ({"log_probabilities": np.array([-1.0, 0.7, 0.0])}, "0 or less"),
        ({"rect": np.array([0, 0, 0, 40])}, "no size"),
        ({"rect": np.array([60, 0, 60, 40])}, "outside the image"),
        ({"rect": np.array([0, -40, 60, 40])}, "outside the image"),
        ({"rect": np.array([0, 0, 60])}, "shape"),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused(
    process: RunnerProcess, tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    with pytest.raises(GazeError, match=why) as caught:
        ask(process, tmp_path, {**good(), **changed})
    assert "cannot be used" in caught.value.what
    assert process.pid is not None


@pytest.mark.parametrize("tokens", [None, [], "A ball", ["A", 3, " ball"], [" ", "\n", " "]])
def test_tokens_that_are_no_caption_are_refused(process: RunnerProcess, tmp_path: Path, tokens: Any) -> None:
    with pytest.raises(GazeError, match="'tokens'"):
        ask(process, tmp_path, good(), tokens=tokens)


def test_an_answer_without_arrays_is_refused(process: RunnerProcess, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="cannot be read"):
        ask(process, tmp_path, None)


def test_a_script_is_not_asked_for_what_it_does_not_offer(agreed: Started, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="cannot be asked to describe"):
        ask(agreed(scripts.SERVED), tmp_path, good())
