"""The names of map methods, and what each averages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.captioner.listing import captioner_info
from gazeapp.engine.models.captioner.methods import method_id, offered_methods, pick_attention
from gazeapp.engine.models.captioner.training.loop import demo_config
from gazeapp.engine.models.captioner.training.settings import TrainSettings
from gazeapp.engine.models.named import check_method

ATTENTION = np.random.default_rng(0).random((2, 4, 3, 64)).astype(np.float32)


def test_methods_average_what_they_name() -> None:
    np.testing.assert_allclose(pick_attention(ATTENTION, "cross-L1-H2"), ATTENTION[1, 2])
    np.testing.assert_allclose(
        pick_attention(ATTENTION, "cross-L0-H1+3"), (ATTENTION[0, 1] + ATTENTION[0, 3]) / 2, rtol=1e-6
    )
    np.testing.assert_allclose(pick_attention(ATTENTION, "cross-L1-mean"), ATTENTION[1].mean(0), rtol=1e-6)
    np.testing.assert_allclose(pick_attention(ATTENTION, "cross-mean"), ATTENTION.mean((0, 1)), rtol=1e-6)
    np.testing.assert_array_equal(pick_attention(ATTENTION[:1, :1], "alpha"), ATTENTION[0, 0])


@pytest.mark.parametrize(
    "method",
    ["", "alpha", "cross", "cross-L2-mean", "cross-L0-H4", "cross-L0-H1+1", "cross-L0-H", "cross-L0-H1,2"],
)
def test_methods_that_make_no_sense_are_refused(method: str) -> None:
    with pytest.raises(GazeError):
        pick_attention(ATTENTION, method)


def test_names_round_trip() -> None:
    assert method_id(1, (3, 0), 4) == "cross-L1-H0+3"
    assert method_id(1, (0, 1, 2, 3), 4) == "cross-L1-mean"


def test_the_default_is_offered_first() -> None:
    lstm = demo_config(TrainSettings(decoder="lstm"))
    assert offered_methods(lstm) == ("alpha", "alpha-gated")
    transformer = demo_config(TrainSettings(decoder="transformer"))
    assert offered_methods(transformer) == ("cross-L1-mean", "cross-L0-mean", "cross-mean")
    chosen = replace(transformer, default_method="cross-L0-H1+2")
    assert offered_methods(chosen) == ("cross-L0-H1+2", "cross-L1-mean", "cross-L0-mean", "cross-mean")


def of(decoder: str) -> ModelInfo:
    return captioner_info(Path("one"), demo_config(TrainSettings(decoder=decoder)))


def test_every_layer_and_any_heads_can_be_asked_for() -> None:
    for method in ("cross-L0-H0", "cross-L1-H0+2", "cross-L0-mean", "cross-mean"):
        check_method(of("transformer"), method)
    for method in ("alpha", "alpha-gated"):
        check_method(of("lstm"), method)


@pytest.mark.parametrize(
    ("decoder", "method", "sentence"),
    [
        ("transformer", "cross-L2-mean", "layers 0 to 1 with heads 0 to 3"),
        ("transformer", "cross-L0-H4", "layers 0 to 1 with heads 0 to 3"),
        ("transformer", "alpha", "Single heads"),
        ("lstm", "cross-mean", "alpha, alpha-gated"),
        ("lstm", "alpha-", "alpha, alpha-gated"),
    ],
)
def test_what_a_captioner_lacks_is_told_with_what_it_has(decoder: str, method: str, sentence: str) -> None:
    with pytest.raises(GazeError) as caught:
        check_method(of(decoder), method)
    assert sentence in caught.value.todo
