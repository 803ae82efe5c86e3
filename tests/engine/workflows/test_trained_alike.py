"""Models that were not trained alike are told where the effects of encoder and decoder are."""

from __future__ import annotations

from dataclasses import replace

from gazeapp.engine.project.rows import ModelRow
from gazeapp.engine.scoring.analyses.factorial import CELL, DESIGN
from gazeapp.engine.scoring.findings import FACTORIAL, Finding
from gazeapp.engine.workflows.score_findings import _with_remark
from gazeapp.engine.workflows.trained_alike import not_trained_alike

DEMO = {"training": {"data": "demo-world", "steps": 4000, "batch": 32, "seed": 1, "encoder": "cnn"}}


def row(name: str, facts: dict[str, object]) -> ModelRow:
    return ModelRow(name.lower(), name, "captioner", "cnn", "lstm", "", "", "", facts)


def test_trainings_that_differ_are_named_and_seeds_do_not_count() -> None:
    one = row("A", DEMO)
    other_seed = row("B", {"training": {**DEMO["training"], "seed": 2, "encoder": "vit"}})
    other_data = row("C", {"training": {**DEMO["training"], "data": "coco.json", "fingerprint": "ab"}})
    imported = row("D", {"training": {"imported_from": {"checkpoint": "BEST.pth.tar"}}})
    assert not_trained_alike([one, other_seed]) == ""
    assert not_trained_alike([]) == not_trained_alike([imported, row("E", {"training": "on photographs"})]) == ""
    said = not_trained_alike([one, other_seed, other_data, imported])
    assert (
        "A, B on demo-world, 4000 steps; C on coco.json, 4000 steps; how D was trained is not known" in said
    )
    assert "effects of their trainings" in said


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
