"""The exported tables about models: their runs, words, attention and maps."""

from __future__ import annotations

from gazeapp.engine.reports.columns import (
    IMAGE,
    METHOD,
    MODEL,
    RUN_LESION,
    SETTINGS,
    TASK,
    flag,
    integer,
    number,
    text,
)
from gazeapp.engine.reports.tables import Table

MODELS = Table(
    "models.csv",
    "one model whose maps are in the project",
    (
        text("model", "id of the model"),
        text("name", "name to show"),
        text("kind", "captioner, vlm, runner (in a program of its own), imported or truth"),
        text("encoder", "family of the encoder"),
        text("decoder", "family of the decoder"),
        text("checkpoint", "name of the weights on the hub, or of their folder"),
        text("revision", "hash of the weights, or the hub's revision"),
        text("domain", "what it was trained on"),
        text(
            "family", "how it lays images out; empty but for vision-language models, as the columns behind it"
        ),
        integer("parameters", "", "numbers that the model consists of"),
        text(
            "layers", "numbers of the layers that carry attention to the image, from 0, separated by spaces"
        ),
        integer("heads", "", "heads in each of them"),
    ),
)
RUNS = Table(
    "runs.csv",
    "one model describing one image under one task",
    (
        IMAGE,
        MODEL,
        TASK,
        RUN_LESION,
        text("caption", "what the model said; empty for maps made elsewhere"),
        METHOD,
        text("model_task", "task that the model was given in its place, where it does not know the task"),
        number("log_probability", "nats", "log-probability of the caption"),
        number("seconds", "s", "time taken"),
        integer("run", "", "number of the run; empty for runs under lesions"),
        SETTINGS,
        text("prompt", "what the model was asked, word for word; empty for models that read no prompt"),
        integer(
            "n_tokens", "", "tokens that the model wrote; empty for captioners, as are the columns behind it"
        ),
        flag(
            "ended", "whether the model ended the caption itself; false where it reached the longest length"
        ),
        text("dtype", "kind of number that the model computed in"),
        text("device", "what it ran on"),
        number(
            "image_scale",
            "0 to 1",
            "share of its width and height at which the image was described; below 1 where memory was short",
        ),
        integer("n_image_tokens", "", "tokens that stand for the image"),
        number(
            "image_mass",
            "0 to 1",
            "mean over words of the share of attention that fell on tokens that show a part of the image, in all views",
        ),
        integer(
            "n_prompt_tokens", "", "length of what the model read before it wrote, image tokens included"
        ),
        text(
            "decoding",
            "how words were chosen: greedy, 3 beams, or 3 beams, length-normalised of captioners; given captions where "
            "the model was made to say them; a sentence of models that write tokens; empty where it is not known",
        ),
        integer("lesion_run", "", "number of the lesion run, see lesions.csv; empty for others"),
    ),
)
WORDS = Table(
    "words.csv",
    "one word of a caption",
    (
        integer("run", "", "number of the run, see runs.csv"),
        integer("position", "", "place in the caption, from 0; row of the run's word maps"),
        text("word", "the word"),
        flag("content", "whether it is a content word (noun, adjective, verb)"),
        number("log_probability", "nats", "log-probability that the model gave it"),
        number(
            "image_mass",
            "0 to 1",
            "share of its attention, in the layers and heads of the map method, that fell on tokens that show a part "
            "of the image, in all views; the rest fell on text, on tokens that end rows, and on padding",
        ),
        text(
            "tokens",
            "positions of its tokens in the caption, from 0, separated by spaces; empty for captioners",
        ),
    ),
)
ATTENTION = Table(
    "attention.csv",
    "one head of one layer in one run of a vision-language model",
    (
        integer("run", "", "number of the run, see runs.csv"),
        integer(
            "layer", "", "the model's own number of the layer, from 0; layers without attention are left out"
        ),
        integer("head", "", "number of the head, from 0"),
        number(
            "image_mass",
            "0 to 1",
            "share of attention that fell on tokens that show a part of the image, mean over words",
        ),
    ),
)
MAPS = Table(
    "maps.csv",
    "one map of maps.npz",
    (
        text("key", "array in maps.npz, shape (rows, columns), float32, sums to 1; row 0 is the top"),
        text(
            "words_key", "array with a map for each word, shape (words, rows, columns); empty without words"
        ),
        text("kind", "human or run"),
        IMAGE,
        TASK,
        text("model", "id of the model; empty for people"),
        METHOD,
        RUN_LESION,
        integer("run", "", "number of the run, see runs.csv; empty for people"),
        integer("rows", "", "rows of the grid"),
        integer("columns", "", "columns of the grid"),
        integer("words", "", "number of word maps"),
        number("x", "px of the image", "left edge of the rectangle that the map covers"),
        number("y", "px of the image", "top edge of that rectangle"),
        number("width", "px of the image", "width of that rectangle"),
        number("height", "px of the image", "height of that rectangle"),
        text("overlay", "picture of the image with this map, if written"),
        SETTINGS,
        text(
            "mass_key",
            "array in attention.npz, shape (words, layers, heads): share of each word's attention that fell on the "
            "image; empty where it is not known",
        ),
        text(
            "layer_maps_key",
            "array in attention.npz, shape (words, layers, heads or 1, rows, columns), each map summing to the share "
            "of attention on the image; empty where it was not kept",
        ),
        text("layers", "numbers of the layers in both, from 0, separated by spaces"),
    ),
)
