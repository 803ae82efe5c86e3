"""Captioners whose word depends on one known cell: the lesion of that cell, and only that, changes the word."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import DescribeOptions
from gazeapp.engine.models.captioner.captioner import CaptionerModel
from gazeapp.engine.types import FloatArray
from tests.engine.models.captioner.planted import HEIGHT, SIDE, TARGET, WIDTH, bright_target, cell, planted

CELLS = list(itertools.product(range(SIDE), range(SIDE)))
SCOPES = ("keys", "zero", "mean", "pixels")


def mask_of(*cells: tuple[int, int]) -> FloatArray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for each in cells:
        mask[cell(*each)] = 1.0
    return mask


def said(model: CaptionerModel, *cells: tuple[int, int], scope: str = "keys", strength: float = 1.0) -> str:
    options = DescribeOptions(lesion=Lesion(mask_of(*cells), scope, strength))
    return model.describe(bright_target(), "general", "", options).text


@pytest.mark.parametrize(
    ("decoder", "scope"),
    [*itertools.product(("lstm", "transformer"), SCOPES), ("lstm", "keys_and_start")],
)
def test_only_the_lesion_of_the_cell_that_the_word_depends_on_changes_the_word(
    decoder: str, scope: str
) -> None:
    model = planted(decoder)
    assert model.describe(bright_target(), "general").text == "bright"
    assert {each: said(model, each, scope=scope) for each in CELLS} == {
        each: "dark" if each == TARGET else "bright" for each in CELLS
    }
    others = [each for each in CELLS if each != TARGET]
    assert said(model, *others, scope=scope) == "bright"
    assert said(model, TARGET, *others[::2], scope=scope) == "dark"


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_attention_goes_from_the_cell_to_the_others_alike(decoder: str) -> None:
    model = planted(decoder)
    intact = model.describe(bright_target(), "general").maps[0]
    assert intact[TARGET] == pytest.approx(1.0, abs=1e-6)
    options = DescribeOptions(lesion=Lesion(mask_of(TARGET)))
    lesioned = model.describe(bright_target(), "general", "", options).maps[0]
    expected = np.full((SIDE, SIDE), 1 / (SIDE * SIDE - 1))
    expected[TARGET] = 0.0
    np.testing.assert_allclose(lesioned, expected, atol=1e-6)
    assert lesioned[TARGET] == 0.0


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
def test_features_are_taken_away_in_proportion_to_the_strength(decoder: str) -> None:
    """The word is about whether the cell is brighter than half: half of it taken is where it turns."""
    model = planted(decoder)
    assert said(model, TARGET, scope="zero", strength=0.4) == "bright"
    assert said(model, TARGET, scope="zero", strength=0.6) == "dark"
    assert said(model, TARGET, scope="mean", strength=0.4) == "bright"
    assert said(model, TARGET, scope="mean", strength=0.6) == "dark"


def test_what_an_lstm_starts_from_is_taken_away_by_its_own_scope_alone() -> None:
    """The state before the first word is made from all cells, whatever the words attend to."""
    model = planted("lstm", from_start=True)
    assert model.describe(bright_target(), "general").text == "bright"
    assert said(model, TARGET, scope="keys") == "bright"
    assert said(model, TARGET, scope="keys_and_start") == "dark"
    others = [each for each in CELLS if each != TARGET]
    assert said(model, *others, scope="keys_and_start") == "bright"
