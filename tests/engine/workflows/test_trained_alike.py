"""Models that were not trained alike are told where the effects of encoder and decoder are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gazeapp.engine.models.captioner.training.settings import photograph_settings
from gazeapp.engine.project.rows import ModelRow
from gazeapp.engine.scoring.analyses.factorial import CELL, DESIGN
from gazeapp.engine.scoring.findings import FACTORIAL, Finding
from gazeapp.engine.workflows.score_findings import _with_remark
from gazeapp.engine.workflows.trained_alike import not_trained_alike

DEMO = {"training": {"data": "demo-world", "steps": 4000, "batch": 32, "seed": 1, "encoder": "cnn"}}


def row(name: str, facts: dict[str, object], decoder: str = "lstm") -> ModelRow:
    return ModelRow(name.lower(), name, "captioner", "cnn", decoder, "", "", "", facts)


def of(name: str, decoder: str = "lstm", **changes: Any) -> ModelRow:
    """A model of photographs, as its file tells of it."""
    settings = {**photograph_settings(data="/somewhere/coco.json").to_json(), "decoder": decoder, **changes}
    told = {**settings, "fingerprint": "ab" * 32, "steps_done": 100_000, **changes}
    return row(name, {"training": told}, decoder)


def test_trainings_that_differ_are_named_and_seeds_do_not_count() -> None:
    one = row("A", DEMO)
    other_seed = row("B", {"training": {**DEMO["training"], "seed": 2, "encoder": "vit"}})
    other_data = row("C", {"training": {**DEMO["training"], "data": "coco.json", "fingerprint": "ab"}})
    imported = row("D", {"training": {"imported_from": {"checkpoint": "BEST.pth.tar"}}})
    assert not_trained_alike([one, other_seed]) == ""
    assert (
        not_trained_alike([]) == not_trained_alike([imported, row("E", {"training": "on photographs"})]) == ""
    )
    said = not_trained_alike([one, other_seed, other_data, imported])
    assert "(data: A and B have demo-world, C has coco.json; how D was trained is not known)" in said
    assert "effects of their trainings" in said


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"frozen": False}, "(frozen: A has yes, B has no)"),
        ({"rate": 1e-3}, "(rate: A has 0.0004, B has 0.001)"),
        ({"grid": [7, 7]}, "(grid: A has 14, 14, B has 7, 7)"),
        ({"input_size": 384}, "(input size: A has 224, B has 384)"),
        ({"encoder_weights": "none"}, "(encoder weights: A has timm, B has none)"),
        ({"start_from": "before"}, "(start from: A has anew, B has a captioner)"),
        ({"patience": 2}, "(patience: A has 5, B has 2)"),
        ({"steps_done": 35_000}, "(steps done: A has 100000, B has 35000)"),
        (
            {"fingerprint": "cd" * 32},
            "(captions, vocabulary or split: A has abababababab, B has cdcdcdcdcdcd)",
        ),
        ({"max_words": 20}, "(max words: A has 40, B has 20)"),
    ],
)
def test_every_setting_that_a_factorial_design_shares_is_compared(changes: dict[str, Any], says: str) -> None:
    assert says in not_trained_alike([of("A", encoder="resnet101"), of("B", encoder="vit_base", **changes)])


def test_what_belongs_to_a_decoder_or_an_encoder_may_differ_between_them() -> None:
    lstm, transformer = of("A"), of("B", "transformer", state=0, attention=0, doubly_stochastic=0.0, layers=6)
    assert not_trained_alike([lstm, transformer]) == ""
    assert "(state: A has 512, C has 256)" in not_trained_alike([lstm, of("C", state=256), transformer])
    weights = [{"source": f"timm {i}", "sha256": str(i) * 64} for i in range(2)]
    of_each = [of(f"E{i}", encoder=f"e{i}", origin=weights[i]) for i in range(2)]
    assert not_trained_alike(of_each) == ""
    again = of("E2", encoder="e1", origin=weights[0])
    assert "encoder start: E1 has timm 1 (SHA-256 111111111111), E2 has timm 0" in not_trained_alike(
        [*of_each, again]
    )


def test_the_first_differences_are_named_and_the_others_counted() -> None:
    other = of("B", data="flickr.json", fingerprint="cd" * 32, rate=1.0, batch=1, warmup=1, dropout=0.0)
    said = not_trained_alike([of("A"), other])
    assert said.startswith(
        "The models were not all trained alike (data: A has coco.json, B has flickr.json; batch: A has 64, B has 1; "
        "rate: A has 0.0004, B has 1; 2 other settings), so"
    )


def test_the_sentence_stands_with_the_remark_on_the_design_or_is_one() -> None:
    cell = Finding(FACTORIAL, "general", "nss", CELL, unit="z", n_images=5)
    own = replace(cell, term=DESIGN, note="One cell is empty.")
    assert _with_remark([], "Not alike.") == []
    assert _with_remark([cell], "") == [cell]
    assert _with_remark([own, cell], "Not alike.") == [
        replace(own, note="One cell is empty. Not alike."),
        cell,
    ]
    assert _with_remark([cell], "Not alike.") == [replace(cell, term=DESIGN, note="Not alike."), cell]
