"""The whole of `gazeapp train`, with a few steps and scenes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.demo.scenes import captions, make_scene, scene_seeds
from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.demo_world import LONGEST_CAPTION
from gazeapp.engine.models.captioner.training.loop import train
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.models.registry import available_models, load_model

QUICK = TrainSettings(encoder="vit", decoder="transformer", steps=3, batch=2, n_validation=3, n_test=4)


class Quiet:
    cancelled = False

    def report(self, done: int, total: int, message: str) -> None:
        assert 0 < done <= total
        assert message.startswith("loss")


def test_a_trained_captioner_is_written_with_its_card_and_can_be_used(tmp_path: Path) -> None:
    settings = replace(QUICK, out=str(tmp_path / "mine"))
    written = train(settings, Quiet())
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "captioner.json",
        "weights.safetensors",
        "MODEL_CARD.md",
        "training",
    }
    assert written.figures["n_test"] == 4
    assert written.training["steps"] == 3
    assert written.default_method.startswith("cross-L")
    card = (tmp_path / "mine" / "MODEL_CARD.md").read_text("utf-8")
    assert (
        "--encoder vit --decoder transformer --steps 3 --batch 2 --seed 1 --set n_validation=3 --set n_test=4 -o"
        in card
    )
    assert written.revision in card
    info = {info.revision: info for info in available_models([tmp_path])}[written.revision]
    picture = np.zeros((20, 30, 3), np.uint8)
    for method in info.methods:
        assert load_model(info.id, "cpu", [tmp_path]).describe(picture, "general", method).method == method


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"out": ""}, "nowhere to write"),
        ({"data": "nowhere/captions.json"}, "cannot be read"),
        ({"decoder": "gru"}, "decoder is one of lstm, transformer"),
        ({"steps": 0}, "steps is greater than 0"),
        ({"rate": float("nan")}, "rate is greater than 0"),
        ({"dropout": 1.0}, "less than 1"),
        ({"width": 130}, "no multiple"),
        ({"accumulate": 3}, "equal parts"),
        ({"patience": 2}, "evaluate_every is 0"),
        ({"precision": "fp16"}, "for graphics cards"),
        ({"tasks": ("social",)}, "both its tasks"),
        ({"max_words": 20}, "do not fit into 20 words"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(GazeError, match=message):
        train(replace(QUICK, **{"out": str(tmp_path / "mine"), **change}), Quiet())  # type: ignore[arg-type]


def test_the_longest_captions_of_the_demo_world_just_fit(tmp_path: Path) -> None:
    scenes = [captions(make_scene(seed)) for seed in scene_seeds("train", 1000)]
    lengths = {len(truth.words) for scene in scenes for truth in scene.values()}
    assert max(lengths) == LONGEST_CAPTION
    settings = replace(QUICK, batch=16, steps=2, max_words=LONGEST_CAPTION, out=str(tmp_path / "mine"))
    assert train(settings, Quiet()).max_words == LONGEST_CAPTION
