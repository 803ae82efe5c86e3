"""The exported tables: their columns, and the data dictionary that explains them row by row."""

from __future__ import annotations

from collections.abc import Iterator

from gazeapp.engine.gaze.quality import FIGURES
from gazeapp.engine.reports.columns import (
    IMAGE,
    KIND,
    LESION,
    METHOD,
    METRIC,
    MODEL,
    PRESET,
    PRIMARY,
    SETTINGS,
    TASK,
    TRANSFORM,
    VALUE_UNIT,
    flag,
    integer,
    number,
    text,
)
from gazeapp.engine.reports.dictionary_models import ATTENTION, MAPS, MODELS, RUNS, WORDS
from gazeapp.engine.reports.neglect.dictionary import LESION_WORDS, LESIONS, MASKS, OBJECTS
from gazeapp.engine.reports.neural.dictionary import ENCODING, ENCODING_MODELS, REGIONS, RESPONSES
from gazeapp.engine.reports.results.dictionary import (
    DIFFERENCES,
    FACTORIAL,
    FINDINGS,
    MEASURES,
    SCORES_BY_SUBJECT,
)
from gazeapp.engine.reports.tables import Column, Table, Value

_OUTDATED = text(
    "detection_outdated",
    "that fixations were found at other px per degree than hold now, and so by other thresholds; else empty",
)

IMAGES = Table(
    "images.csv",
    "one image of the study",
    (
        IMAGE,
        integer("width", "px", "width as displayed, after EXIF rotation"),
        integer("height", "px", "height as displayed"),
        text("origin", "demo-world for drawn scenes, else photograph"),
        text("path", "file, relative to the folder of the project"),
        text("sha256", "hash of the file"),
    ),
)
FIXATIONS = Table(
    "fixations.csv",
    "one fixation that was read, used or not; or, where the mean of both eyes is in use, one such mean",
    (
        IMAGE,
        TASK,
        text("subject", "who looked"),
        integer("recording", "", "number of the recording, see recordings.csv"),
        integer("trial", "", "number of the trial: one subject looking at one image once"),
        integer("fixation_index", "", "number of the fixation in its trial and eye, as read"),
        number(
            "x",
            "px of the image",
            "position, origin at the left edge, with the trial's shift; of a used fixation that lies outside, "
            "the image's border; empty without an image",
        ),
        number("y", "px of the image", "the same from the top edge"),
        number("x_recorded", "as recorded", "position as read, in px or shares of the screen or the image"),
        number("y_recorded", "as recorded", "position as read, in px or shares of the screen or the image"),
        number("start_ms", "ms", "begin on the tracker's clock; empty when unknown"),
        number("duration_ms", "ms", "duration; empty when unknown"),
        text(
            "eye",
            "left, right, average (of both), unknown or empty; averages that gazeapp computed are here only in "
            "trials that use them, and the fixations of the two eyes are not used there",
        ),
        flag("kept", "whether the fixation is used"),
        text("why", "why it is not used; empty when it is"),
        flag("simulated", "whether the recording is simulated"),
        text("unusable", "what the file says against it, whatever was chosen; empty for nothing"),
        number("shift_x", "px of the image", "what the user added to the trial's positions; is in x"),
        number("shift_y", "px of the image", "the same; is in y"),
    ),
)
TRIALS = Table(
    "trials.csv",
    "one subject looking at one image once",
    (
        integer("trial", "", "number of the trial"),
        integer("recording", "", "number of the recording, see recordings.csv"),
        text("subject", "who looked"),
        text("image", "name of the image, or the recorded name where the project holds no such image"),
        TASK,
        text("label", "what the recording calls the trial"),
        flag("image_known", "whether the project holds the image"),
        number("shown_x", "as recorded", "left edge of the image; empty where positions are px of the image"),
        number("shown_y", "as recorded", "top edge of the image, in the recording's own direction of y"),
        number("shown_width", "as recorded", "width at which the image was shown"),
        number("shown_height", "as recorded", "height at which it was shown; below 0 where y grows upwards"),
        number("shift_x", "px of the image", "what the user added to the positions"),
        number("shift_y", "px of the image", "what the user added to the positions"),
        text("eye", "eye whose fixations are used"),
        integer("n_fixations", "", "fixations read, of all eyes, which averages of both eyes do not add to"),
        integer("n_kept", "", "fixations used"),
    ),
)
RECORDINGS = Table(
    "recordings.csv",
    "one imported file",
    (
        integer("recording", "", "number of the recording"),
        text("file", "name of the file"),
        text("format", "format that it was read as"),
        number("confidence", "0 to 1", "how sure the format is"),
        text("task", "task of trials that name none themselves"),
        flag("simulated", "whether the recording is simulated"),
        integer("trials", "", "number of trials"),
        integer("fixations", "", "number of fixations read, as in trials.csv"),
        integer("kept", "", "number of fixations used"),
        text("sha256", "hash of the file"),
        SETTINGS,
        text("frame", "what positions as recorded are, in words"),
        text("eye", "eye in use, or several where trials differ, see trials.csv"),
        number("screen_width", "px", "width of the screen; empty when unknown, as all of the geometry"),
        number("screen_height", "px", "height of the screen"),
        text("placement", "where images lay on the screen: recorded, own size, fit, fill or explicit"),
        number("distance_cm", "cm", "from the eye to the screen"),
        number("screen_width_cm", "cm", "width of the screen"),
        number("px_per_degree", "px of the screen", "in a degree of visual angle"),
        text("geometry_source", "who said what of it: user, file or project"),
        text("detection", "how fixations were found in samples; empty when they are the file's own"),
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
_STANDS_OUT = text(
    "stands_out",
    "figures that are far from the others: abs(0.6745 (value - median) / MAD) > 3.5, and by more than a least "
    "amount; and whether trials are repeated; separated by semicolons",
)

QUALITY = Table(
    "quality.csv",
    "how good one trial is; a value is compared with those of the other trials of the task",
    (
        integer("trial", "", "number of the trial, see trials.csv"),
        integer("recording", "", "number of the recording, see recordings.csv"),
        text("subject", "who looked"),
        text("image", "name of the image, or the recorded name where the project holds no such image"),
        TASK,
        text("eye", "eye whose fixations are used"),
        *_FIGURES,
        number("shift_x", "px of the image", "what the user added to the positions"),
        number("shift_y", "px of the image", "what the user added to the positions"),
        integer(
            "same_as", "", "number of an earlier trial with the same subject, image and scanpath; else empty"
        ),
        flag(
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
        integer("recording", "", "number of the recording, see recordings.csv"),
        text("file", "name of the file"),
        text("subject", "who looked"),
        text("eye", "eye whose fixations are used, or several where trials differ"),
        integer("n_trials", "", "trials of the subject in the recording"),
        *_FIGURES,
        number("shift_px", "px of the image", "median over trials of how far positions were moved by hand"),
        integer("n_repeated", "", "trials with the same subject, image and scanpath as an earlier one"),
        integer(
            "n_again", "", "trials of images that the subject sees under the task in another recording, too"
        ),
        _STANDS_OUT,
        _OUTDATED,
    ),
)
SCORES = Table(
    "scores.csv",
    "one score of one source on one image",
    (
        IMAGE,
        MODEL,
        TASK,
        METHOD,
        LESION,
        METRIC,
        PRESET,
        number("value", VALUE_UNIT, "the score; empty where it is undefined"),
        KIND,
        SETTINGS,
        TRANSFORM,
        PRIMARY,
    ),
)
CEILINGS = Table(
    "ceilings.csv",
    "one human ceiling, or a part of one, over the images of a task",
    (
        TASK,
        METRIC,
        PRESET,
        text("estimator", "how it was estimated; the words are in docs and report"),
        number("value", VALUE_UNIT, "estimate over the images"),
        number(
            "ci_low",
            VALUE_UNIT,
            "lower end of the 95 % interval of value; interval says how it was made",
        ),
        number("ci_high", VALUE_UNIT, "upper end of the 95 % interval of value"),
        integer("n_images", "", "images that went in"),
        integer("n_subjects", "", "largest number of subjects of an image"),
        SETTINGS,
        text(
            "interval",
            "what the 95 % interval is about: images and people, or images alone (always of half_vs_half and of "
            "observers_n, which nothing is stored of without each person); empty without one",
        ),
    ),
)
SUMMARY = Table(
    "summary.csv",
    "one source by one metric over the images of a task",
    (
        MODEL,
        TASK,
        METRIC,
        PRESET,
        number("mean", VALUE_UNIT, "mean score over images"),
        number(
            "ceiling",
            VALUE_UNIT,
            "human ceiling over the same images; of metrics without percentages a reference, over those that have one",
        ),
        number("chance", VALUE_UNIT, "score of a source that knows nothing"),
        number("percent", "%", "100 (mean - chance) / (ceiling - chance); not cut off at 100"),
        number(
            "ci_low",
            "%",
            "lower end of the 95 % interval of percent; interval says how it was made",
        ),
        number("ci_high", "%", "upper end of the 95 % interval of percent"),
        KIND,
        METHOD,
        LESION,
        text("estimator", "how the ceiling was estimated"),
        integer("n_images", "", "images that went in"),
        integer("n_subjects", "", "people who looked under the task"),
        SETTINGS,
        text("interval", "how the 95 % interval was made; empty without one"),
        TRANSFORM,
        PRIMARY,
    ),
)
PROBLEMS = Table(
    "problems.csv",
    "one item that could not be used",
    (
        text("verb", "step that met it"),
        text("where", "file, image or setting"),
        text("what", "what is wrong"),
        text("todo", "what to do about it"),
        text("created", "when, UTC"),
    ),
)
DICTIONARY = Table(
    "data_dictionary.csv",
    "one column of one table",
    (
        text("table", "file"),
        text("column", "name of the column"),
        text("kind", "text, number, integer or flag (true, false)"),
        text("unit", "unit, empty for a pure number or text"),
        text("meaning", "what it holds"),
    ),
)
TABLES = (
    IMAGES, RECORDINGS, TRIALS, FIXATIONS, QUALITY, QUALITY_RECORDINGS, MODELS, RUNS, WORDS, ATTENTION, SCORES,
    SCORES_BY_SUBJECT, CEILINGS, SUMMARY, DIFFERENCES, FACTORIAL, FINDINGS, MEASURES, LESIONS, LESION_WORDS, OBJECTS,
    RESPONSES, REGIONS, ENCODING, ENCODING_MODELS, MAPS, MASKS, PROBLEMS, DICTIONARY,
)  # fmt: skip
"""All tables, in the order in which they are written and explained."""


def dictionary_rows() -> Iterator[tuple[Value, ...]]:
    """Yield the rows of the data dictionary."""
    for table in TABLES:
        for column in table.columns:
            yield table.name, column.name, column.kind, column.unit, column.meaning
