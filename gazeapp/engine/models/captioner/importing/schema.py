"""What ``captioner.json`` may hold, as a JSON Schema, and holding a description against it."""

from __future__ import annotations

from typing import Any

from gazeapp.engine.models.captioner.config import FORMAT, FORMS, RESAMPLES
from gazeapp.engine.types import Json


def _whole(least: int, what: str) -> Json:
    return {"type": "integer", "minimum": least, "description": what}


def _text(what: str, **more: Any) -> Json:
    return {"type": "string", "description": what, **more}


def _list(items: str, what: str, count: int = 0) -> Json:
    exact = {"minItems": count, "maxItems": count} if count else {}
    return {"type": "array", "items": {"type": items}, "description": what, **exact}


SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "captioner.json of gazeapp",
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "name", "encoder", "decoder", "vocabulary", "content_words", "tasks"],
    "properties": {
        "format": {
            "type": "integer",
            "minimum": 1,
            "maximum": FORMAT,
            "description": "Version of this description.",
        },
        "id": _text("Identifier, such as cnn-lstm."),
        "name": _text("Name to show."),
        "encoder": _text("cnn or vit (the small ones), or the name of a timm network."),
        "decoder": _text("Kind of decoder.", enum=["lstm", "transformer"]),
        "vocabulary": _list(
            "string", "Every token in the order of its number; <pad> is 0, <end> is one of them."
        ),
        "content_words": _list("string", "Words whose maps make the caption's map."),
        "tasks": _list(
            "string", "Trained tasks; one with a token of its own is begun with it, others with <start>."
        ),
        "form": _text("Whose arrangement of layers it has.", enum=list(FORMS)),
        "encoder_family": _text("Family of the encoder; empty for neither.", enum=["cnn", "vit", ""]),
        "input_size": _whole(1, "Side of the square picture that the encoder gets, px."),
        "resample": _text("How images are brought to that size.", enum=list(RESAMPLES)),
        "grid": _list("integer", "Rows and columns that are attended to.", 2),
        "cell_offset": _list(
            "number", "From the picture's middle to that of the encoder's cells, down, across, px.", 2
        ),
        "cell_stride": _list(
            "number", "From one of the encoder's cells to the next, px; 0 for an even division.", 2
        ),
        "width": _whole(1, "Features per cell."),
        "embed": _whole(0, "Features per word; 0 for as many as a cell has."),
        "state": _whole(1, "Width of the LSTM's state."),
        "attention": _whole(1, "Width of the LSTM's additive attention."),
        "layers": _whole(1, "Layers of a Transformer decoder."),
        "heads": _whole(1, "Attention heads of a Transformer decoder."),
        "mixing_layers": _whole(
            0, "Layers of self-attention over the cells before the decoder (form royalskye)."
        ),
        "head_width": _whole(0, "Features of a head; 0 for the width divided by the heads."),
        "feed": _list("integer", "Features within the feed-forward parts of mixing and decoder layers.", 2),
        "dropout": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Left out at random in training.",
        },
        "max_words": _whole(1, "Longest caption."),
        "mean": _list("number", "Mean of pixel values 0 to 255, of red, green and blue.", 3),
        "std": _list("number", "Their standard deviation.", 3),
        "default_method": _text("Map method used when none is asked for; empty for the decoder's usual one."),
        "domain": _text("What it was trained on, in a few words."),
        "revision": _text("SHA-256 of weights.safetensors; empty before there is one."),
        "training": {"type": "object", "description": "Training settings, or where it was imported from."},
        "figures": {"type": "object", "description": "Held-out figures."},
    },
}
"""Subset of JSON Schema that `violations` knows: types, ranges, choices, and lists of one type."""

_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,), "number": (int, float), "string": (str,), "array": (list,), "object": (dict,),
}  # fmt: skip


def violations(data: object) -> list[str]:
    """Return what is wrong with a description, one sentence for each key; none when it is as it should be."""
    if not isinstance(data, dict):
        return ["It is no JSON object."]
    known = SCHEMA["properties"]
    if data.get("format") == 1:  # one number for all colours
        data = {key: [value] * 3 if key in ("mean", "std") else value for key, value in data.items()}
    told = [f"'{key}' is missing." for key in SCHEMA["required"] if key not in data]
    told += [f"'{key}' is not known." for key in data if key not in known]
    for key, rule in known.items():
        if key in data and (what := _wrong(data[key], rule)):
            told.append(f"'{key}' {what}.")
    return told


def _wrong(value: Any, rule: Json) -> str:
    kind = rule["type"]
    if kind == "array" and isinstance(value, list):
        return _wrong_entries(value, rule)
    if not isinstance(value, _TYPES[kind]) or isinstance(value, bool):
        return f"is to be of the type {kind}"
    if "enum" in rule and value not in rule["enum"]:
        return f"is to be one of {', '.join(map(repr, rule['enum']))}"
    if kind in ("integer", "number"):
        least, most = rule.get("minimum", value), rule.get("maximum", value)
        return "" if least <= value <= most else f"is {value}, which is out of range"
    return ""


def _wrong_entries(values: list[Any], rule: Json) -> str:
    kind, count = rule["items"]["type"], rule.get("minItems", len(values))
    fits = [isinstance(value, _TYPES[kind]) and not isinstance(value, bool) for value in values]
    if len(values) == count and all(fits):
        return ""
    return f"is to have {f'{count} ' if 'minItems' in rule else ''}entries of the type {kind}"
