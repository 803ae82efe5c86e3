"""What is recorded of a model, in the words of a reader: size, training, and figures on held-out scenes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gazeapp.engine.models.given import is_given, plain_method
from gazeapp.engine.reports.content import AttentionRow, AttentionTable
from gazeapp.engine.reports.numbers import listed, number
from gazeapp.engine.reports.plain import flat, plain
from gazeapp.engine.reports.vlm_facts import vlm_method_name
from gazeapp.engine.types import Json

_FIGURES, _TRAINING, _ATTENTION = "figures", "training", "attention"
_SHARES = {
    "exact": "Test captions said word for word",
    "token_accuracy": "Next word right, given the true words",
}
_NAMES = {
    "grid": "Grid of a map, cells",
    "steps": "Training steps",
    "batch": "Scenes in a step",
    "n_scenes": "Training scenes",
    "n_validation": "Validation scenes",
    "n_test": "Test scenes",
    "rate": "Highest learning rate",
    "warmup": "Steps of warm-up",
    "weight_decay": "Weight decay",
    "last_loss": "Last loss",
    "seconds": "Training time, s",
    "seed": "Seed of the training",
}
_ELSEWHERE = ("data", "encoder", "decoder")
"""Facts of the training that the table of models has."""

_PLACES = {
    "objects": "the object, at its colour and noun (general captions)",
    "targets": "what is looked at, pointed to or held, at its words (social)",
    "people": "the person, at sex and shirt (social)",
    "heads": "people’s heads, map of the caption (social)",
    "heads_general": "people’s heads, map of the caption (general)",
}
_HEADS = re.compile(r"cross-L(\d+)-(?:mean|H([\d+]+))")


def fact_rows(facts: Json) -> Iterator[tuple[str, str]]:
    """Yield what is recorded of a model as (name, text), but for where it attends."""
    training, figures = (_group(facts, name) for name in (_TRAINING, _FIGURES))
    groups = [name for name in (_TRAINING, _FIGURES) if isinstance(facts.get(name), Mapping)]
    rest = {name: value for name, value in facts.items() if name not in groups}
    rest |= {name: value for name, value in training.items() if name not in _ELSEWHERE}
    rest |= {name: value for name, value in figures.items() if name != _ATTENTION}
    order = [*_NAMES, *_SHARES]
    for name in sorted(rest, key=lambda name: order.index(name) if name in order else len(order)):
        if name in _SHARES and isinstance(rest[name], Mapping):
            yield _SHARES[name], ", ".join(f"{task} {_percent(v)} %" for task, v in rest[name].items())
        elif name in _NAMES:
            yield _NAMES[name], plain(rest[name])
        else:
            yield from flat({name: rest[name]})


def attention_tables(facts: Json) -> tuple[AttentionTable, ...]:
    """Return how much of a model's attention falls where it should, one table a map method."""
    found = []
    for method, places in _group(_group(facts, _FIGURES), _ATTENTION).items():
        known = [place for place in _PLACES if place in places]
        ordered = [*known, *(place for place in places if place not in _PLACES)]
        rows = [_attention(place, places[place]) for place in ordered if isinstance(places[place], Mapping)]
        found.append(AttentionTable(method_name(method), tuple(rows)))
    return tuple(found)


def method_name(method: str) -> str:
    """Return a map method in words; those of runners as they are."""
    if is_given(method):
        return f"{method_name(plain_method(method))}, along given captions"
    if method == "alpha":
        return "soft attention"
    if method == "alpha-gated":
        return "soft attention, words weighted by their gates"
    if method == "cross-mean":
        return "cross-attention, all heads of all layers"
    match = _HEADS.fullmatch(method)
    if match is None:
        return vlm_method_name(method) or method
    heads = (match[2] or "").split("+")
    which = f"head{'s' if len(heads) > 1 else ''} {listed(heads)}" if match[2] else "all heads"
    return f"cross-attention, {which} of layer {match[1]} (from 0)"


def _attention(place: str, values: Mapping[str, Any]) -> AttentionRow:
    return AttentionRow(
        _PLACES.get(place, place.replace("_", " ")),
        *(_percent(values[key]) if key in values else "–" for key in ("share", "area")),
        *(number(values[key], 2) if key in values else "–" for key in ("ratio", "shuffled")),
    )


def _group(facts: Json, name: str) -> Json:
    value = facts.get(name)
    return dict(value) if isinstance(value, Mapping) else {}


def _percent(share: Any) -> str:
    return number(100.0 * float(share), 1)
