"""What ``captioner.json`` may hold, as a JSON Schema, and holding a description against it."""

from __future__ import annotations

import re
from typing import Any

from gazeapp.engine.types import Json

FORMAT = 2
FORMS = ("gazeapp", "sgrvinod", "royalskye")
RESAMPLES = ("box", "bilinear", "bicubic")

_CHARACTERS = r"^[^\ud800-\udfff]*$"
_LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*$"
"""Half a character cannot be written to a file or shown; a control character would govern what is shown of it."""

_WIDEST = 65536
_LARGEST_SIDE = 4096
"""Sizes of layers, and sides of pictures and grids, px and cells, beyond which no captioner can be meant."""

_FARTHEST = 1_000_000
_MOST_ENTRIES = 1_000_000
_DEEPEST = 20
_LONGEST_TOLD = 40


def _whole(least: int, what: str, most: int = _WIDEST) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most, "description": what}


def _text(what: str, **more: Any) -> Json:
    return {"type": "string", "description": what, **{"pattern": _LINE, **more}}


def _texts(what: str, pattern: str) -> Json:
    items = {"type": "string", "pattern": pattern}
    return {"type": "array", "items": items, "maxItems": _MOST_ENTRIES, "description": what}


def _list(items: str, what: str, count: int, least: int, most: int) -> Json:
    each = {"type": items, "minimum": least, "maximum": most}
    return {"type": "array", "items": each, "description": what, "minItems": count, "maxItems": count}


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
        "id": _text("Identifier, such as cnn-lstm.", minLength=1),
        "name": _text("Name to show.", minLength=1),
        "encoder": _text("cnn or vit (the small ones), or the name of a timm network."),
        "decoder": _text("Kind of decoder.", enum=["lstm", "transformer"]),
        "vocabulary": _texts(
            "Every token in the order of its number; <pad> is 0, <end> is one of them.", _CHARACTERS
        ),
        "content_words": _texts("Words whose maps make the caption's map.", _CHARACTERS),
        "tasks": _texts(
            "Trained tasks; one with a token of its own is begun with it, others with <start>.", _LINE
        ),
        "form": _text("Whose arrangement of layers it has.", enum=list(FORMS)),
        "encoder_family": _text("Family of the encoder; empty for neither.", enum=["cnn", "vit", ""]),
        "input_size": _whole(1, "Side of the square picture that the encoder gets, px.", _LARGEST_SIDE),
        "resample": _text("How images are brought to that size.", enum=list(RESAMPLES)),
        "grid": _list("integer", "Rows and columns that are attended to.", 2, 1, _LARGEST_SIDE),
        "cell_offset": _list(
            "number",
            "From the picture's middle to that of the encoder's cells, down, across, px.",
            2,
            -_FARTHEST,
            _FARTHEST,
        ),
        "cell_stride": _list(
            "number",
            "From one of the encoder's cells to the next, px; 0 for an even division.",
            2,
            0,
            _FARTHEST,
        ),
        "width": _whole(1, "Features per cell."),
        "embed": _whole(0, "Features per word; 0 for as many as a cell has."),
        "state": _whole(1, "Width of the LSTM's state."),
        "attention": _whole(1, "Width of the LSTM's additive attention."),
        "layers": _whole(1, "Layers of a Transformer decoder.", 256),
        "heads": _whole(1, "Attention heads of a Transformer decoder.", 256),
        "mixing_layers": _whole(
            0, "Layers of self-attention over the cells before the decoder (form royalskye).", 256
        ),
        "head_width": _whole(0, "Features of a head; 0 for the width divided by the heads."),
        "feed": _list(
            "integer", "Features within the feed-forward parts of mixing and decoder layers.", 2, 0, _WIDEST
        ),
        "dropout": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Left out at random in training.",
        },
        "max_words": _whole(1, "Longest caption.", 10_000),
        "mean": _list(
            "number", "Mean of pixel values 0 to 255, of red, green and blue.", 3, -_FARTHEST, _FARTHEST
        ),
        "std": _list("number", "Their standard deviation.", 3, 0, _FARTHEST),
        "default_method": _text("Map method used when none is asked for; empty for the decoder's usual one."),
        "domain": _text("What it was trained on, in a few words.", pattern=_CHARACTERS),
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
    known = SCHEMA["properties"]
    unknown = [key for key in data if key not in known] if isinstance(data, dict) else []
    return mistakes(data) + [f"{_shown(key)} is not known." for key in unknown]


def mistakes(data: object) -> list[str]:
    """Return what keeps a description from being used: what is wrong with it, but for keys that are not known."""
    if not isinstance(data, dict):
        return ["It is no JSON object."]
    if data.get("format") == 1:  # one number for all colours
        data = {key: [value] * 3 if key in ("mean", "std") else value for key, value in data.items()}
    told = [f"'{key}' is missing." for key in SCHEMA["required"] if key not in data]
    for key, rule in SCHEMA["properties"].items():
        if key in data and (what := _wrong(data[key], rule)):
            told.append(f"'{key}' {what}.")
    return told


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not isinstance(value, bool)


def _wrong(value: Any, rule: Json) -> str:
    kind = rule["type"]
    if not _is(value, kind):
        return f"is to be of the type {kind}"
    if kind == "array":
        return _wrong_entries(value, rule)
    if kind == "object":
        return "is nested too deeply" if _is_deep(value) else ""
    if "enum" in rule:
        return "" if value in rule["enum"] else f"is to be one of {', '.join(map(repr, rule['enum']))}"
    if kind == "string":
        return _wrong_text(value, rule)
    return "" if rule["minimum"] <= value <= rule["maximum"] else f"is {_shown(value)}, which is out of range"


def _wrong_text(value: str, rule: Json) -> str:
    if len(value) < rule.get("minLength", 0):
        return "is empty"
    fits = re.fullmatch(rule["pattern"], value)
    return "" if fits else f"is {_shown(value)}, with something that is no character to be shown"


def _wrong_entries(values: list[Any], rule: Json) -> str:
    each = rule["items"]
    fits = [_is(value, each["type"]) for value in values]
    least, most = rule.get("minItems", 0), rule["maxItems"]
    if not least <= len(values) <= most or not all(fits):
        return f"is to have {f'{least} ' if least else ''}entries of the type {each['type']}"
    return next((f"has an entry that {what}" for value in values if (what := _wrong(value, each))), "")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inside = [list(part.values()) if isinstance(part, dict) else part for part in level]
        level = [each for part in inside for each in part if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _shown(value: Any) -> str:
    told = ascii(value)
    return told if len(told) <= _LONGEST_TOLD else f"{told[:_LONGEST_TOLD]}..."
