"""The exported tables: their columns, and the data dictionary that explains them."""

from __future__ import annotations

from collections.abc import Iterator

from gazeapp.engine.gaze.quality import FIGURES
from gazeapp.engine.reports.tables import Column, Table, Value


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", "", meaning)


def _number(name: str, unit: str, meaning: str) -> Column:
    return Column(name, "number", unit, meaning)


def _integer(name: str, unit: str, meaning: str) -> Column:
    return Column(name, "integer", unit, meaning)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, "flag", "", meaning)


_IMAGE = _text("image", "name of the image")
_TASK = _text("task", "what people and models were asked to do")
_MODEL = _text("model", "id of the model, or of the baseline, truth or human source that source_kind says")
_KIND = _text(
    "source_kind", "model, baseline, human, or truth (the density that simulated observers were drawn from)"
)
_METHOD = _text("method", "map method; empty for sources that have none")
_LESION = _text("lesion", "attention that was taken away; empty for none")
_METRIC = _text("metric", "nss, auc, auc_judd, auc_borji, sauc, cc, spearman, sim, kl or emd")
_PRESET = _text("preset", "named set of metric conventions")
_SETTINGS = _integer("settings_id", "", "row of provenance.json, settings, that made this row")
_OUTDATED = _text(
    "detection_outdated",
    "that fixations were found at other px per degree than hold now, and so by other thresholds; else empty",
)
_VALUE_UNIT = "that of the metric"

IMAGES = Table(
    "images.csv",
    "one image of the study",
    (
        _IMAGE,
        _integer("width", "px", "width as displayed, after EXIF rotation"),
        _integer("height", "px", "height as displayed"),
        _text("origin", "demo-world for drawn scenes, else photograph"),
        _text("path", "file, relative to the folder of the project"),
        _text("sha256", "hash of the file"),
    ),
)
FIXATIONS = Table(
    "fixations.csv",
    "one fixation that was read, used or not; or, where the mean of both eyes is in use, one such mean",
    (
        _IMAGE,
        _TASK,
        _text("subject", "who looked"),
        _integer("recording", "", "number of the recording, see recordings.csv"),
        _integer("trial", "", "number of the trial: one subject looking at one image once"),
        _integer("fixation_index", "", "number of the fixation in its trial and eye, as read"),
        _number(
            "x",
            "px of the image",
            "position, origin at the left edge, with the trial's shift; of a used fixation that lies outside, "
            "the image's border; empty without an image",
        ),
        _number("y", "px of the image", "the same from the top edge"),
        _number("x_recorded", "as recorded", "position as read, in px or shares of the screen or the image"),
        _number("y_recorded", "as recorded", "position as read, in px or shares of the screen or the image"),
        _number("start_ms", "ms", "begin on the tracker's clock; empty when unknown"),
        _number("duration_ms", "ms", "duration; empty when unknown"),
        _text(
            "eye",
            "left, right, average (of both), unknown or empty; averages that gazeapp computed are here only in "
            "trials that use them, and the fixations of the two eyes are not used there",
        ),
        _flag("kept", "whether the fixation is used"),
        _text("why", "why it is not used; empty when it is"),
        _flag("simulated", "whether the recording is simulated"),
        _text("unusable", "what the file says against it, whatever was chosen; empty for nothing"),
        _number("shift_x", "px of the image", "what the user added to the trial's positions; is in x"),
        _number("shift_y", "px of the image", "the same; is in y"),
    ),
)
TRIALS = Table(
    "trials.csv",
    "one subject looking at one image once",
    (
        _integer("trial", "", "number of the trial"),
        _integer("recording", "", "number of the recording, see recordings.csv"),
        _text("subject", "who looked"),
        _text("image", "name of the image, or the recorded name where the project holds no such image"),
        _TASK,
        _text("label", "what the recording calls the trial"),
        _flag("image_known", "whether the project holds the image"),
        _number(
            "shown_x", "as recorded", "left edge of the image; empty where positions are px of the image"
        ),
        _number("shown_y", "as recorded", "top edge of the image, in the recording's own direction of y"),
        _number("shown_width", "as recorded", "width at which the image was shown"),
        _number("shown_height", "as recorded", "height at which it was shown; below 0 where y grows upwards"),
        _number("shift_x", "px of the image", "what the user added to the positions"),
        _number("shift_y", "px of the image", "what the user added to the positions"),
        _text("eye", "eye whose fixations are used"),
        _integer("n_fixations", "", "fixations read, of all eyes, which averages of both eyes do not add to"),
        _integer("n_kept", "", "fixations used"),
    ),
)
RECORDINGS = Table(
    "recordings.csv",
    "one imported file",
    (
        _integer("recording", "", "number of the recording"),
        _text("file", "name of the file"),
        _text("format", "format that it was read as"),
        _number("confidence", "0 to 1", "how sure the format is"),
        _text("task", "task of trials that name none themselves"),
        _flag("simulated", "whether the recording is simulated"),
        _integer("trials", "", "number of trials"),
        _integer("fixations", "", "number of fixations read, as in trials.csv"),
        _integer("kept", "", "number of fixations used"),
        _text("sha256", "hash of the file"),
        _SETTINGS,
        _text("frame", "what positions as recorded are, in words"),
        _text("eye", "eye in use, or several where trials differ, see trials.csv"),
        _number("screen_width", "px", "width of the screen; empty when unknown, as all of the geometry"),
        _number("screen_height", "px", "height of the screen"),
        _text("placement", "where images lay on the screen: recorded, own size, fit, fill or explicit"),
        _number("distance_cm", "cm", "from the eye to the screen"),
        _number("screen_width_cm", "cm", "width of the screen"),
        _number("px_per_degree", "px of the screen", "in a degree of visual angle"),
        _text("geometry_source", "who said what of it: user, file or project"),
        _text("detection", "how fixations were found in samples; empty when they are the file's own"),
        _OUTDATED,
    ),
)
_COUNTS = frozenset({"n_recorded", "n_fixations", "n_duplicates", "n_samples", "gaps"})
_FIGURES = tuple(
    Column(
        key,
        "integer" if key in _COUNTS else "number",
        "0 to 1" if figure.unit == "share" else figure.unit,
        f"{figure.tooltip[:1].lower()}{figure.tooltip[1:].rstrip('.')}; empty when not known",
    )
    for key, figure in FIGURES.items()
)
_STANDS_OUT = _text(
    "stands_out",
    "figures that are far from the others: abs(0.6745 (value - median) / MAD) > 3.5, and by more than a least "
    "amount; and whether trials are repeated; separated by semicolons",
)

QUALITY = Table(
    "quality.csv",
    "how good one trial is; a value is compared with those of the other trials of the task",
    (
        _integer("trial", "", "number of the trial, see trials.csv"),
        _integer("recording", "", "number of the recording, see recordings.csv"),
        _text("subject", "who looked"),
        _text("image", "name of the image, or the recorded name where the project holds no such image"),
        _TASK,
        _text("eye", "eye whose fixations are used"),
        *_FIGURES,
        _number("shift_x", "px of the image", "what the user added to the positions"),
        _number("shift_y", "px of the image", "what the user added to the positions"),
        _integer(
            "same_as", "", "number of an earlier trial with the same subject, image and scanpath; else empty"
        ),
        _flag(
            "also_elsewhere",
            "whether the subject looks at the image under the task in another recording, too",
        ),
        _STANDS_OUT,
    ),
)
QUALITY_RECORDINGS = Table(
    "quality_recordings.csv",
    "how good one subject's trials in one recording are; a value is compared with those of the other rows, "
    "counts as means over trials",
    (
        _integer("recording", "", "number of the recording, see recordings.csv"),
        _text("file", "name of the file"),
        _text("subject", "who looked"),
        _text("eye", "eye whose fixations are used, or several where trials differ"),
        _integer("n_trials", "", "trials of the subject in the recording"),
        *_FIGURES,
        _number("shift_px", "px of the image", "median over trials of how far positions were moved by hand"),
        _integer("n_repeated", "", "trials with the same subject, image and scanpath as an earlier one"),
        _integer(
            "n_again", "", "trials of images that the subject sees under the task in another recording, too"
        ),
        _STANDS_OUT,
        _OUTDATED,
    ),
)
RUNS = Table(
    "runs.csv",
    "one model describing one image under one task",
    (
        _IMAGE,
        _MODEL,
        _TASK,
        _LESION,
        _text("caption", "what the model said; empty for maps made elsewhere"),
        _METHOD,
        _text("model_task", "task that the model was given in its place, where it does not know the task"),
        _number("log_probability", "nats", "log-probability of the caption"),
        _number("seconds", "s", "time taken"),
        _integer("run", "", "number of the run"),
        _SETTINGS,
    ),
)
WORDS = Table(
    "words.csv",
    "one word of a caption",
    (
        _integer("run", "", "number of the run, see runs.csv"),
        _integer("position", "", "place in the caption, from 0; row of the run's word maps"),
        _text("word", "the word"),
        _flag("content", "whether it is a content word (noun, adjective, verb)"),
        _number("log_probability", "nats", "log-probability that the model gave it"),
        _number("image_mass", "0 to 1", "share of its attention that fell on the image at all"),
    ),
)
SCORES = Table(
    "scores.csv",
    "one score of one source on one image",
    (
        _IMAGE,
        _MODEL,
        _TASK,
        _METHOD,
        _LESION,
        _METRIC,
        _PRESET,
        _number("value", _VALUE_UNIT, "the score; empty where it is undefined"),
        _KIND,
        _SETTINGS,
    ),
)
CEILINGS = Table(
    "ceilings.csv",
    "one human ceiling, or a part of one, over the images of a task",
    (
        _TASK,
        _METRIC,
        _PRESET,
        _text("estimator", "how it was estimated; the words are in docs and report"),
        _number("value", _VALUE_UNIT, "estimate over the images"),
        _number(
            "ci_low", _VALUE_UNIT, "lower end of the 95 % interval, bootstrap over images; people as they are"
        ),
        _number("ci_high", _VALUE_UNIT, "upper end of the 95 % interval"),
        _integer("n_images", "", "images that went in"),
        _integer("n_subjects", "", "largest number of subjects of an image"),
        _SETTINGS,
    ),
)
SUMMARY = Table(
    "summary.csv",
    "one source by one metric over the images of a task",
    (
        _MODEL,
        _TASK,
        _METRIC,
        _PRESET,
        _number("mean", _VALUE_UNIT, "mean score over images"),
        _number(
            "ceiling",
            _VALUE_UNIT,
            "human ceiling over the same images, or a reference where percent is empty",
        ),
        _number("chance", _VALUE_UNIT, "score of a source that knows nothing"),
        _number("percent", "%", "100 (mean - chance) / (ceiling - chance); not cut off at 100"),
        _number(
            "ci_low",
            "%",
            "lower end of the 95 % interval of percent, bootstrap over images and jackknife over people",
        ),
        _number("ci_high", "%", "upper end of the 95 % interval of percent"),
        _KIND,
        _METHOD,
        _LESION,
        _text("estimator", "how the ceiling was estimated"),
        _integer("n_images", "", "images that went in"),
        _integer("n_subjects", "", "subjects behind the ceiling"),
        _SETTINGS,
    ),
)
MODELS = Table(
    "models.csv",
    "one model whose maps are in the project",
    (
        _text("model", "id of the model"),
        _text("name", "name to show"),
        _text("kind", "captioner, vlm, imported or truth"),
        _text("encoder", "family of the encoder"),
        _text("decoder", "family of the decoder"),
        _text("checkpoint", "where the weights are"),
        _text("revision", "hash of the weights, or the hub's revision"),
        _text("domain", "what it was trained on"),
    ),
)
PROBLEMS = Table(
    "problems.csv",
    "one item that could not be used",
    (
        _text("verb", "step that met it"),
        _text("where", "file, image or setting"),
        _text("what", "what is wrong"),
        _text("todo", "what to do about it"),
        _text("created", "when, UTC"),
    ),
)
MAPS = Table(
    "maps.csv",
    "one map of maps.npz",
    (
        _text("key", "array in maps.npz, shape (rows, columns), float32, sums to 1; row 0 is the top"),
        _text(
            "words_key", "array with a map for each word, shape (words, rows, columns); empty without words"
        ),
        _text("kind", "human or run"),
        _IMAGE,
        _TASK,
        _text("model", "id of the model; empty for people"),
        _METHOD,
        _LESION,
        _integer("run", "", "number of the run, see runs.csv; empty for people"),
        _integer("rows", "", "rows of the grid"),
        _integer("columns", "", "columns of the grid"),
        _integer("words", "", "number of word maps"),
        _number("x", "px of the image", "left edge of the rectangle that the map covers"),
        _number("y", "px of the image", "top edge of that rectangle"),
        _number("width", "px of the image", "width of that rectangle"),
        _number("height", "px of the image", "height of that rectangle"),
        _text("overlay", "picture of the image with this map, if written"),
        _SETTINGS,
    ),
)
DICTIONARY = Table(
    "data_dictionary.csv",
    "one column of one table",
    (
        _text("table", "file"),
        _text("column", "name of the column"),
        _text("kind", "text, number, integer or flag (true, false)"),
        _text("unit", "unit, empty for a pure number or text"),
        _text("meaning", "what it holds"),
    ),
)
TABLES = (
    IMAGES, RECORDINGS, TRIALS, FIXATIONS, QUALITY, QUALITY_RECORDINGS, MODELS, RUNS, WORDS, SCORES,
    CEILINGS, SUMMARY, MAPS, PROBLEMS, DICTIONARY,
)  # fmt: skip
"""All tables, in the order in which they are written and explained."""


def dictionary_rows() -> Iterator[tuple[Value, ...]]:
    """Yield the rows of the data dictionary."""
    for table in TABLES:
        for column in table.columns:
            yield table.name, column.name, column.kind, column.unit, column.meaning


def dictionary_text() -> str:
    """Return the data dictionary as Markdown; docs/exports.md is this text."""
    parts = [_INTRODUCTION]
    for table in TABLES:
        parts.append(
            f"## {table.name}\n\nA row is {table.row}.\n\n| column | kind | unit | meaning |\n|---|---|---|---|\n"
        )
        parts += [f"| `{c.name}` | {c.kind} | {c.unit} | {c.meaning} |\n" for c in table.columns]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


_INTRODUCTION = """# What `gazeapp export` writes

`gazeapp export study.gaze -o DIR` writes the tables below, `maps.npz`, a folder `overlays` and
`provenance.json` into `DIR`. Files of these names are replaced one by one, each in one step; other files
in the folder are not touched.

**Tables** are UTF-8 CSV with commas, a header line and `\\n` line ends, always in the same order of rows.
Numbers have as many digits as give exactly the same number back. A missing value is an empty cell.
Flags are `true` or `false`. New columns may be added at the end of a table; names do not change.

**Text never becomes a formula.** A text cell whose first character is one of `=` `+` `-` `@` (or their
wide forms), a tab, a line break or an apostrophe gets an apostrophe in front of it. Numbers are left as
they are. To get the text back, take off one leading apostrophe, in Python
`text.removeprefix("'")`, in R `sub("^'", "", text)`.

**Both eyes.** A fixation counts as read once, with the eye that it is of. The mean of both eyes, which gazeapp
computes, is no fixation that was read: its rows stand in fixations.csv (eye `average`) only in trials that
use it, and the fixations of the left and the right eye are `other eye` there. So in every trial the rows with
another eye than `average` are trials.csv's `n_fixations`, the rows that are kept its `n_kept` and
quality.csv's `n_fixations`, and the rows of the eye in use quality.csv's `n_recorded`. Averages that a file
itself has count as read in trials that hold nothing else.

**maps.npz** holds the maps on the models' own grids; open it with
`numpy.load("maps.npz", allow_pickle=False)`. Each array is named in `maps.csv`, with the rectangle of the
image that it covers: `run_N_mean` (rows, columns) is the map of the whole caption of run N, `run_N_words`
(words, rows, columns) has one map for each word in the order of `words.csv`, `human_I_T` is the human map
of image number I under task number T. All are float32, row 0 is the top, and every map sums to 1.

**overlays** holds each image with each map on it as PNG, the longer side 384 px, colour map viridis.
All maps of one image and task share one scale, from 0 to the 99.5th percentile of their values.

**provenance.json** holds the project's name, whether its recordings are simulated, every settings row
(verb, values, versions of the libraries, hash; files are named without their folders), the versions that
wrote the export, one fingerprint of all images and recordings, and the SHA-256 of every table and of
`maps.npz`.

"""
