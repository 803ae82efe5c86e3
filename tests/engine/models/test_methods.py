"""The names of map methods, and what each averages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.methods import method_id, offered_methods, pick_attention
from gazeapp.engine.models.captioner.training.loop import demo_config
from gazeapp.engine.models.captioner.training.settings import TrainSettings

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
