"""A model in a runner is a model like any other: words, maps on the right place, tasks, lesions, cancelling."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.consent import ConsentStore
from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Decoding, DescribeOptions
from gazeapp.engine.models.runner_model import KIND, RunnerModel, _word_maps, runner_info
from gazeapp.engine.models.vlm.words import split_words
from gazeapp.engine.runners.describe import Description
from gazeapp.engine.runners.script import ConsentNeededError, RunnerScript, find_scripts, read_script
from gazeapp.engine.types import ImageArray, Rect
from tests.engine.runners import scripts

WIDTH, HEIGHT = 120, 60


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have scripts run by the Python of the tests, which has numpy and pillow, so that nothing is downloaded."""
    stand_in = tmp_path / "uv"
    stand_in.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} "$@"\n')
    stand_in.chmod(0o700)
    monkeypatch.setattr("gazeapp.engine.runners.launch.find_uv", lambda: str(stand_in))


@pytest.fixture
def brightness(installed: None, consents: ConsentStore, tmp_path: Path) -> Iterator[RunnerModel]:
    script = example(tmp_path)
    script.agree(consents)
    model = RunnerModel(script, consents)
    yield model
    model.close()


def example(tmp_path: Path) -> RunnerScript:
    return next(script for script in find_scripts(tmp_path / "none")[0] if script.id == "brightness")


def dark_with_spot(x: int, y: int) -> ImageArray:
    """A dark image with one bright cell of the 12 x 12 grid, its column and row."""
    image = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    image[y * 5 : y * 5 + 5, x * 10 : x * 10 + 10] = 250
    return image


def test_the_shipped_example_looks_at_the_bright_spot(brightness: RunnerModel) -> None:
    caption = brightness.describe(dark_with_spot(9, 2), "general", options=DescribeOptions(prompt="Where?"))
    assert caption.text == "The brightest part is top right"
    assert [word.text for word in caption.words] == ["The", "brightest", "part", "is", "top", "right"]
    assert [word.is_content for word in caption.words] == [False, True, True, False, True, True]
    assert caption.maps.dtype == np.float32
    np.testing.assert_allclose(caption.maps.sum(axis=(1, 2)), 1.0, atol=1e-6)
    assert {np.unravel_index(word.argmax(), word.shape) for word in caption.maps} == {(2, 9)}
    assert caption.maps[-1].max() > 0.99
    assert caption.rect == Rect.of_image(WIDTH, HEIGHT)
    assert (caption.task, caption.method, caption.prompt) == ("general", "brightness", "Where?")
    np.testing.assert_array_equal(caption.image_mass, 1.0)
    assert caption.facts["mean_brightness"] == pytest.approx(20 + 230 / 144)


def test_decoding_values_reach_the_script(brightness: RunnerModel) -> None:
    options = DescribeOptions(decoding=Decoding(max_tokens=2))
    assert brightness.describe(dark_with_spot(1, 1), "general", options=options).text == "The brightest"


def test_a_smaller_picture_is_laid_over_the_whole_image(brightness: RunnerModel) -> None:
    whole = brightness.describe(dark_with_spot(6, 6), "general")
    half = brightness.describe(dark_with_spot(6, 6), "general", options=DescribeOptions(image_scale=0.5))
    assert half.rect == whole.rect
    assert half.facts["image_scale"] == 0.5
    assert half.maps[-1].argmax() == whole.maps[-1].argmax()


def test_pixels_can_be_taken_away_and_attention_cannot(brightness: RunnerModel) -> None:
    image = dark_with_spot(9, 2)
    image[40:45, 10:20] = 120
    right = np.zeros((HEIGHT, WIDTH), np.float32)
    right[:, WIDTH // 2 :] = 1.0
    blanked = brightness.describe(image, "general", options=DescribeOptions(lesion=Lesion(right, "pixels")))
    assert blanked.text == "The brightest part is bottom left"
    with pytest.raises(GazeError, match="'keys': it runs in a program of its own"):
        brightness.describe(image, "general", options=DescribeOptions(lesion=Lesion(right, "keys")))
    blurred = brightness.describe(image, "general", options=DescribeOptions(lesion=Lesion(right, "blur")))
    assert not np.array_equal(blurred.maps, blanked.maps)  # the spot shines through
    with pytest.raises(GazeError, match="cannot be made to say given words"):
        brightness.describe(image, "general", options=DescribeOptions(forced=(1,)))
    nothing = Lesion(np.zeros((HEIGHT, WIDTH), np.float32), "keys")
    assert brightness.describe(image, "general", options=DescribeOptions(lesion=nothing)).text.endswith(
        "top right"
    )


def test_the_scripts_own_complaint_reaches_the_user(brightness: RunnerModel) -> None:
    with pytest.raises(GazeError, match="smaller than 12 px"):
        brightness.describe(np.zeros((5, 5, 3), np.uint8), "general")


def test_an_unknown_method_is_refused_before_anything_starts(brightness: RunnerModel) -> None:
    with pytest.raises(GazeError, match="no map method 'rollout'"):
        brightness.describe(dark_with_spot(0, 0), "general", "rollout")


def test_it_stops_when_the_user_wants_to_and_asks_for_consent_first(
    installed: None, consents: ConsentStore, tmp_path: Path
) -> None:
    script = example(tmp_path)
    model = RunnerModel(script, consents)
    with pytest.raises(ConsentNeededError):
        model.describe(dark_with_spot(0, 0), "general")
    script.agree(consents)
    with pytest.raises(StoppedError):
        model.describe(dark_with_spot(0, 0), "general", options=DescribeOptions(should_stop=lambda: True))


def test_what_is_stored_about_it_says_which_script_it_was(tmp_path: Path, consents: ConsentStore) -> None:
    script = example(tmp_path)
    info = runner_info(script)
    assert (info.id, info.kind, info.revision) == ("runner-brightness", KIND, script.sha256)
    assert read_script(Path(info.checkpoint)) == script
    assert info.default_method == "brightness"
    assert info.facts["dependencies"] == ["numpy>=2", "pillow>=11"]
    with pytest.raises(GazeError, match="does not describe"):
        RunnerModel(read_script(scripts.write(tmp_path, scripts.SERVED)), consents)


def test_a_words_map_is_the_mean_of_its_speaking_tokens_weighted_by_mass() -> None:
    tokens = ("A", " do", "g", ".")
    description = Description(
        tokens=tokens,
        log_probabilities=np.array([-1.0, -2.0, -3.0, -4.0]),
        # The unit of attention is the script's own: each token's is brought to its mass first.
        attention=np.array([[[1, 1]], [[30, 10]], [[0, 2]], [[0, 0]]], np.float64),
        image_mass=np.array([0.2, 0.8, 0.4, 0.0]),
        rect=Rect(0, 0, 2, 1),
        facts={},
    )
    _, words = split_words(range(4), lambda ids: "".join(tokens[i] for i in ids))
    assert [word.tokens for word in words] == [(0,), (1, 2, 3)]
    maps, mass = _word_maps(description, words)
    # dog: tokens " do" (0.6, 0.2) and "g" (0, 0.4), the full stop is silent.
    np.testing.assert_allclose(mass, [0.2, 0.6], rtol=1e-6)
    np.testing.assert_allclose(maps, [[[0.5, 0.5]], [[0.5, 0.5]]], rtol=1e-6)

    silent = replace(description, attention=description.attention * 0)
    with pytest.raises(GazeError, match="no attention"):
        _word_maps(silent, words)


def test_listing_and_asking_need_no_torch() -> None:
    code = (
        "import sys, gazeapp.engine.models.runner_model; print(*({'torch', 'transformers'} & {*sys.modules}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stdout.split() == []
