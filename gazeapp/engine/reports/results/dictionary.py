"""The exported tables of results: their columns, and what they hold."""

from __future__ import annotations

from gazeapp.engine.reports.columns import (
    IMAGE,
    KIND,
    LESION,
    METHOD,
    METRIC,
    MODEL,
    PRESET,
    SETTINGS,
    TASK,
    VALUE_UNIT,
    integer,
    number,
    text,
)
from gazeapp.engine.reports.tables import Table

_LOW = "lower end of the 95 % interval; empty without one"
_HIGH = "upper end of the 95 % interval"
_UNIT = text("unit", "unit of the estimate and its interval; empty for that of the metric, or a pure number")
_TASK = text("task", "what people and models were asked to do; empty for a number about several tasks")
_P = number("p", "", "two-sided p of the test; empty without one")
_P_HOLM = number("p_holm", "", "the same, corrected for the tests of its family by the method of Holm")
_EFFECT = number(
    "effect",
    "",
    "effect size d_z: mean of the paired differences / their standard deviation over images; empty where it does "
    "not apply",
)
_N = (
    integer("n_images", "", "images that it rests on"),
    integer("n_subjects", "", "subjects that it rests on; 0 where people do not enter"),
)
_MEASURE = text(
    "metric", "id of the metric or measure; data_dictionary.md lists those of measures with their words"
)

SCORES_BY_SUBJECT = Table(
    "scores_by_subject.csv",
    "one score of one source by the fixations of one subject on one image",
    (
        IMAGE,
        text("subject", "whose fixations are scored"),
        TASK,
        text(
            "model",
            "id of the model, or of the baseline or truth that source_kind says; for people, the way they were "
            "predicted: loso_mixture, loso_extrapolated or all_mixture",
        ),
        text("encoder", "family of the model's encoder; empty for other sources"),
        text("decoder", "family of the model's decoder; empty for other sources"),
        METRIC,
        number("value", VALUE_UNIT, "the score; empty where it is undefined"),
        integer("n_fixations", "", "fixations of the subject on the image"),
        PRESET,
        text(
            "source_kind",
            "model, baseline, truth, or human: the subject's fixations on what the other subjects predict",
        ),
        METHOD,
        LESION,
        SETTINGS,
    ),
)
DIFFERENCES = Table(
    "differences.csv",
    "the difference of two sources on the same images",
    (
        TASK,
        METRIC,
        PRESET,
        text("first", "id of the first source"),
        text("second", "id of the second source"),
        number("difference", "see unit", "mean over images of first - second"),
        number("ci_low", "see unit", _LOW),
        number("ci_high", "see unit", _HIGH),
        _UNIT,
        _EFFECT,
        _P,
        _P_HOLM,
        *_N,
        text("note", "what is to be known of it"),
        SETTINGS,
    ),
)
FACTORIAL = Table(
    "factorial.csv",
    "one effect of the encoder x decoder design, or one mean of its cells",
    (
        _TASK,
        METRIC,
        PRESET,
        text(
            "term",
            "encoder, decoder or encoder:decoder for an effect; with :task behind it how the effect changes between "
            "two tasks; cell for the mean of a cell; design for a remark without a number",
        ),
        text(
            "against",
            "the levels, as first - second: vit - cnn; of an interaction those of each factor, with a colon between "
            "spaces: vit - cnn : transformer - lstm; of a cell its encoder and decoder: cnn : lstm",
        ),
        number("estimate", "see unit", "the effect, or the mean of the cell"),
        number("ci_low", "see unit", _LOW),
        number("ci_high", "see unit", _HIGH),
        _UNIT,
        _EFFECT,
        _P,
        _P_HOLM,
        *_N,
        text("note", "what is to be known of it"),
        SETTINGS,
    ),
)
FINDINGS = Table(
    "findings.csv",
    "one number about the whole study, of any analysis",
    (
        text(
            "analysis",
            "difference, factorial, model_task, observers, concentration, laterality, differentiation, cross_task, "
            "scanpath, lesion, lesion_control, lesion_side, lesion_dose or lesion_factorial (docs/methods/neglect.md)",
        ),
        _TASK,
        _MEASURE,
        text("preset", "named set of metric conventions; empty where they do not enter"),
        text(
            "term",
            "what it is about: the id of a source, two models as first - second, an effect or cell as in "
            "factorial.csv, the number of other people (observers), people, or other_images (chance of scanpaths)",
        ),
        text(
            "against",
            "what it is compared with: the id of another source, people, another task, two tasks as first - second "
            "(model_task), levels as in factorial.csv, a control of a lesion or its other side; empty where it stands "
            "alone",
        ),
        number("estimate", "see unit", "the number"),
        number("ci_low", "see unit", _LOW),
        number("ci_high", "see unit", _HIGH),
        _UNIT,
        _EFFECT,
        _P,
        _P_HOLM,
        *_N,
        text("source_kind", "model, baseline, human or truth for a source in term; else empty"),
        text("note", "what is to be known of it"),
        SETTINGS,
        text(
            "lesion",
            "the lesion that it is about, as mask · scope · strength; without strength where it is about all "
            "strengths; empty for none",
        ),
    ),
)
MEASURES = Table(
    "measures.csv",
    "one measure of one source's map on one image, or of the people who looked at it",
    (
        IMAGE,
        TASK,
        MODEL,
        text("measure", "id of what was measured; data_dictionary.md lists all ids with their words"),
        text("against", "the other task where two are compared; else empty"),
        number("value", "that of the measure", "the measure; empty where it is undefined"),
        KIND,
        METHOD,
        LESION,
        SETTINGS,
    ),
)
