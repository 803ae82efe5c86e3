"""The exported tables about lesions: what they did, the masks, and the objects on the images."""

from __future__ import annotations

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.reports.columns import (
    IMAGE,
    METHOD,
    SETTINGS,
    TASK,
    VALUE_UNIT,
    flag,
    integer,
    number,
    text,
)
from gazeapp.engine.reports.tables import Column, Table
from gazeapp.engine.scoring.presets import PRESETS

_MODEL = text("model", "id of the model")
_LESION_RUN = integer("lesion_run", "", "number of the lesion run")


def _of_preset(preset: str) -> tuple[Column, ...]:
    under = f"under the {preset} conventions"
    return (
        text(
            f"metric_{preset}", f"metric that maps under lesions were scored by {under}; empty without scores"
        ),
        number(f"score_{preset}", VALUE_UNIT, "score of the map under the lesion"),
        number(f"intact_score_{preset}", VALUE_UNIT, "score of the intact map, made in the same way"),
    )


LESIONS = Table(
    "lesions.csv",
    "one model describing one image without a part of it, or with a control of that",
    (
        IMAGE,
        _MODEL,
        TASK,
        METHOD,
        text("mask", "the mask: one of masks.csv, or one that follows from its name or from data"),
        text(
            "control",
            "empty for the lesion itself; else its control: mirrored, random, equal_mass, none or flipped",
        ),
        integer("draw", "", "number of the draw of a control that is drawn, from 0"),
        text(
            "scope",
            "where in the model it was taken away: keys, text, readout, zero, mean, pixels, blur or keys_and_start",
        ),
        number("strength", "0 to 1", "how much was taken away where the mask is full"),
        number("area", "0 to 1", "share of the image that this mask, or its control, covers"),
        text("caption", "what the model said"),
        text("intact_caption", "what it said of the whole image"),
        *(
            number(
                facts.id,
                facts.unit,
                f"{facts.meaning} Empty where it is undefined.",
            )
            for facts in OUTCOMES.values()
        ),
        number("log_probability", "nats", "log-probability of the caption under the lesion"),
        number("intact_log_probability", "nats", "log-probability of the intact caption without a lesion"),
        *(column for preset in sorted(PRESETS) for column in _of_preset(preset)),
        text("lesion", "all of it in one name, as in runs.csv and scores.csv"),
        _LESION_RUN,
        integer("run", "", "number of the intact run beside it, see runs.csv"),
        text("map_key", "array in lesion_maps.npz that has its map, shape (maps, rows, columns), float32"),
        integer(
            "map_index", "", "place of its map in that array, from 0; the map sums to 1, row 0 is the top"
        ),
        number("x", "px of the image", "left edge of the rectangle that the map covers"),
        number("y", "px of the image", "top edge of that rectangle"),
        number("width", "px of the image", "width of that rectangle"),
        number("height", "px of the image", "height of that rectangle"),
        number("seconds", "s", "time taken"),
        SETTINGS,
    ),
)
LESION_WORDS = Table(
    "lesion_words.csv",
    "one word of a caption under a lesion",
    (
        integer("lesion_run", "", "number of the lesion run, see lesions.csv"),
        integer("position", "", "place in the caption, from 0"),
        text("word", "the word"),
        flag("content", "whether it is a content word (noun, adjective, verb)"),
        number("log_probability", "nats", "log-probability that the model gave it under the lesion"),
    ),
)
MASKS = Table(
    "masks.csv",
    "one mask of the library on one image",
    (
        text("mask", "name of the mask"),
        IMAGE,
        number("area", "0 to 1", "share of the image that is taken away, graded pixels in part"),
        text("sha256", "hash of its size and values"),
        text("origin", "where it comes from"),
        text(
            "file", "grey PNG of the image's size: 0 is kept, 255 taken away, between in part (value / 255)"
        ),
        text("created", "when a mask of this name was first made, UTC"),
    ),
)
OBJECTS = Table(
    "objects.csv",
    "one object on an image, as a box",
    (
        IMAGE,
        text("label", "what it is"),
        number("x", "px of the image", "left edge"),
        number("y", "px of the image", "top edge"),
        number("width", "px of the image", "width"),
        number("height", "px of the image", "height"),
        text("origin", "where it comes from"),
    ),
)
