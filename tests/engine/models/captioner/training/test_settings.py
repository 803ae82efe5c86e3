"""What settings a training takes: each is refused in a sentence, or makes a captioner that computes."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.network import Captioner
from gazeapp.engine.models.captioner.training.fitting import make_optimiser, schedule
from gazeapp.engine.models.captioner.training.loop import demo_config, make_material
from gazeapp.engine.models.captioner.training.settings import TrainSettings, checked
from tests.engine.models.captioner.training.tiny import tiny

NAN, INF = float("nan"), float("inf")
VALUES: dict[str, tuple[Any, ...]] = {
    "encoder": ("cnn", "vit"),
    "decoder": ("lstm", "transformer"),
    "grid": ((4, 4), (8, 8), (5, 5), (3, 5), (1, 1), (0, 0), (-1, 4), (200, 200)),
    "input_size": (32, 48, 33, 100, 7, 1, 0),
    "width": (16, 4, 20, 12, 1, 0, -4),
    "heads": (1, 2, 3, 5, 0),
    "layers": (1, 0),
    "state": (8, 1, 0),
    "attention": (8, 1, 0),
    "dropout": (0.0, 0.99, 1.0, NAN, -0.1),
    "rate": (1e-3, 1e6, NAN, INF, 0.0, -1.0),
    "encoder_rate": (1e-3, NAN, INF),
    "warmup": (0, 1, -1),
    "weight_decay": (0.0, NAN, INF),
    "doubly_stochastic": (0.0, NAN, INF),
    "steps": (1, 0, 2**70),
    "batch": (4, 3, 0),
    "accumulate": (1, 2, 8),
    "seed": (0, -1, 2**63, 2**63 - 1),
    "max_words": (1, 12, 0),
}


def computes(settings: TrainSettings) -> None:
    """Do with settings what a step does first."""
    config = demo_config(settings)
    torch.manual_seed(settings.seed)
    model = Captioner(config)
    make_optimiser(model, settings)
    assert 0 < schedule(0, settings) <= 1
    side, (rows, columns) = settings.input_size, settings.grid
    features = model.eval().encoder(torch.zeros(1, 3, side, side))
    assert features.shape == (1, rows * columns, settings.width)


def test_any_settings_are_refused_in_a_sentence_or_make_a_captioner() -> None:
    rng = random.Random(8)
    refused = made = 0
    for _ in range(200):
        names = rng.sample(sorted(VALUES), rng.choice((1, 1, 2, 4)))
        changes = {name: rng.choice(VALUES[name]) for name in names}
        try:
            computes(checked(tiny(out="new", **changes)))
            made += 1
        except GazeError:
            refused += 1
    assert min(refused, made) > 40


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"input_size": 33, "grid": (5, 5)},
            r"33 px into 5 x 5 patches\. .*divides the size: 1, 3, 11, 33\.",
        ),
        ({"input_size": 60, "grid": (3, 5)}, "60 px into 3 x 5 patches"),
        ({"encoder": "cnn", "input_size": 100}, "pictures of 100 px: 16 does not divide them.*such as 96 px"),
        ({"encoder": "cnn", "input_size": 7}, "such as 16 px"),
        ({"grid": (0, 0)}, "0 x 0 cells"),
        ({"grid": (33, 33)}, "33 x 33 cells does not fit pictures of 32 px"),
        ({"rate": INF}, "rate is too large: inf"),
        ({"seed": 2**63}, "seed is too large"),
    ],
)
def test_what_could_only_fail_later_is_refused_at_once(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(GazeError, match=says):
        demo_config(checked(tiny(out="new", **changes)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_test": 0}, "validation and test splits"),
        ({"n_validation": 0}, "validation and test splits"),
        ({"decoder": "transformer", "max_words": 12}, "do not fit into 12 words.*21 or more"),
    ],
)
def test_the_demo_world_needs_scenes_to_measure_on_and_room_for_its_captions(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(GazeError, match=says):
        make_material(tiny(out="new", **changes))


@pytest.mark.parametrize(
    ("encoder", "says"),
    [
        ("coat_tiny", "several sets of features"),
        ("test_vit", "cannot read pictures of 33 px: .*divisible"),
        ("gcvit_xxtiny", "cannot read pictures of 33 px"),
    ],
)
def test_networks_of_timm_that_cannot_read_such_pictures_are_told(encoder: str, says: str) -> None:
    with pytest.raises(GazeError, match=says):
        demo_config(tiny(encoder=encoder, input_size=33))


def test_no_warm_up_is_the_highest_rate_at_once() -> None:
    none, one = checked(tiny(out="new", warmup=0)), tiny(warmup=1)
    assert schedule(0, none) == 1.0
    assert [schedule(step, none) for step in range(6)] == [schedule(step, one) for step in range(6)]
