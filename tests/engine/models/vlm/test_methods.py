from __future__ import annotations

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.methods import DEFAULT_METHOD, Selection, method_id, parse_method

HYBRID = (3, 7, 11, 15)
"""Layers that carry attention in a model where every fourth one does."""


@pytest.mark.parametrize(
    ("method", "selection"),
    [
        ("attention", Selection()),
        ("attention-L14", Selection(14, 14)),
        ("attention-L0", Selection(0, 0)),
        ("attention-L8..15", Selection(8, 15)),
        ("attention-L14-H3+5", Selection(14, 14, (3, 5))),
        ("attention-L8..15-H0", Selection(8, 15, (0,))),
        ("attention@overview", Selection(view="overview")),
        ("attention-L2..3-H1+0+2@detail", Selection(2, 3, (1, 0, 2), "detail")),
    ],
)
def test_a_method_s_name_says_what_it_averages_and_back(method: str, selection: Selection) -> None:
    assert parse_method(method) == selection
    assert method_id(selection.first, selection.last, selection.heads, selection.view) == method


def test_a_range_of_one_layer_is_that_layer() -> None:
    assert parse_method("attention-L4..4") == parse_method("attention-L4")
    assert method_id(4, 4) == method_id(4) == "attention-L4"
    assert method_id() == DEFAULT_METHOD


@pytest.mark.parametrize(
    "method",
    [
        "",
        "Attention",
        "attention-",
        "attention-L",
        "attention-L-1",
        "attention-L1.5",
        "attention-L5..3",
        "attention-L1...3",
        "attention-H3",
        "attention-L1-H",
        "attention-L1-H3,5",
        "attention-L1-H3+",
        "attention@",
        "attention@Overview",
        "attention@detail-L3",
        "attention-L3 ",
        "attention-L3\n",
        "rollout",
    ],
)
def test_names_that_make_no_sense_are_refused(method: str) -> None:
    with pytest.raises(GazeError, match="is no map method"):
        parse_method(method)


@pytest.mark.parametrize(
    ("method", "positions", "heads"),
    [
        ("attention", (0, 1, 2, 3), (0, 1, 2, 3)),
        ("attention-L7", (1,), (0, 1, 2, 3)),
        ("attention-L0..15", (0, 1, 2, 3), (0, 1, 2, 3)),
        ("attention-L4..14", (1, 2), (0, 1, 2, 3)),
        ("attention-L15-H3+1", (3,), (3, 1)),
    ],
)
def test_layers_carry_the_model_s_own_numbers(
    method: str, positions: tuple[int, ...], heads: tuple[int, ...]
) -> None:
    assert parse_method(method).pick(HYBRID, 4) == (positions, heads)


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("attention-L5", "layer 5"),
        ("attention-L16", "layer 16"),
        ("attention-L4..6", "the layers 4 to 6"),
        ("attention-L7..155", "the layers 7 to 155"),
    ],
)
def test_layers_without_attention_are_refused_with_those_that_have_it(method: str, asked: str) -> None:
    with pytest.raises(GazeError, match=f"no attention to the image in {asked}") as caught:
        parse_method(method).pick(HYBRID, 4)
    assert "3, 7, 11, 15" in str(caught.value.todo)


@pytest.mark.parametrize("method", ["attention-L7-H4", "attention-L7-H1+1", "attention-L7-H0+12"])
def test_heads_that_are_not_there_or_named_twice_are_refused(method: str) -> None:
    with pytest.raises(GazeError, match="head") as caught:
        parse_method(method).pick(HYBRID, 4)
    assert "0 to 3" in str(caught.value.todo)


def test_heads_without_layers_have_no_name() -> None:
    with pytest.raises(ValueError, match="heads need layers"):
        method_id(heads=(1,))
