"""The exported tables about brain responses: what there is, regions, what was found, and which arrays hold it."""

from __future__ import annotations

from gazeapp.engine.reports.columns import SETTINGS, TASK, flag, integer, number, text
from gazeapp.engine.reports.tables import Column, Table

_RESPONSES = text("responses", "name of the responses")
_ATLAS = text(
    "atlas", "atlas whose regions were predicted; table where the responses are of regions of a table"
)
_SIMULATED = flag("simulated", "whether a model made the responses")
_SUBJECT = text("subject", "whose responses; empty for the mean over subjects")
_KIND = text("kind", "what predicts: model, human, control, or truth (the density of simulated observers)")
_SOURCE = text("source", "id of what predicts: a model, people, or the name of a control")
_UNIT = "that of measure"


def _value(name: str, meaning: str) -> Column:
    return number(name, _UNIT, meaning)


RESPONSES = Table(
    "responses.csv",
    "one set of brain responses; the values stay in the project",
    (
        _RESPONSES,
        _SIMULATED,
        text("space", "fsaverage5 (20,484 vertices, left hemisphere first) or regions (of a table)"),
        integer("n_targets", "", "vertices or regions"),
        text(
            "subjects",
            "names of the subjects, separated by semicolons; empty where they are of no single person",
        ),
        integer("n_images", "", "images with a response"),
        text("source", "what made or measured them"),
        text("ceiling_origin", "where the ceilings of single subjects come from; empty without any"),
        text("created", "when they were brought in, UTC"),
        SETTINGS,
    ),
)
REGIONS = Table(
    "regions.csv",
    "one region of an atlas with which responses were predicted, or of one that the project holds",
    (
        text(
            "atlas", "name of the atlas, as in encoding.csv; table where responses are of regions of a table"
        ),
        text("region", "name of the region"),
        text("hemisphere", "left, right or both; empty for regions of a table"),
        integer("n_vertices", "", "vertices of fsaverage5 in it; empty for regions of a table"),
        text("groups", "groups that it is in, separated by semicolons"),
        text("responses", "responses whose table it is of; empty for regions of an atlas"),
    ),
)
ENCODING = Table(
    "encoding.csv",
    "one number about how a source's maps go with the responses of one region, or group of regions",
    (
        *(_RESPONSES, _ATLAS, _SIMULATED, _SUBJECT, TASK),
        text("analysis", "encoding, difference, partition or rsa (docs/neural.md)"),
        *(_KIND, _SOURCE),
        text("against", "id of the other source where two are compared; else empty"),
        text("region", "region, with its hemisphere where these are apart; or group"),
        flag("group", "whether region is a group of regions"),
        text(
            "measure",
            "r (correlation within folds; of a difference that of source minus against), r2, rho (of an RSA), or a "
            "part of R squared: unique (only source), unique_against, shared, joint",
        ),
        _value("estimate", "the number"),
        _value("ci_low", "lower end of its 95 % interval over images; empty without one"),
        _value("ci_high", "upper end of it"),
        number(
            "p", "0 to 1", "p of the region alone; one-sided for r, parts and rho, two-sided for differences"
        ),
        number(
            "p_fdr",
            "0 to 1",
            "corrected by Benjamini and Hochberg over the regions, or groups, of this source",
        ),
        number("p_max", "0 to 1", "corrected by the largest value over regions and groups of this source"),
        _value("ceiling", "highest value that a perfect model can reach; empty where it cannot be known"),
        integer("n_images", "", "images that the number rests on"),
        integer("n_vertices", "", "vertices that it rests on; 0 for a region of a table"),
        text("note", "what the number needs said"),
        SETTINGS,
    ),
)
ENCODING_MODELS = Table(
    "encoding_models.csv",
    "the encoding models of one source: which arrays have what they predict",
    (
        *(_RESPONSES, _ATLAS, _SIMULATED, _SUBJECT, TASK, _KIND, _SOURCE),
        integer("n_images", "", "images"),
        integer("n_regions", "", "regions and groups"),
        integer("n_folds", "", "folds that were predicted"),
        number(
            "median_penalty",
            "",
            "median over folds and regions of the chosen penalty of the ridge regression",
        ),
        text("key", "in encoding_predictions.npz: what the names of its arrays begin with"),
        text("vertex_key", "array in vertex_scores.npz with the correlation at each vertex; empty without"),
        text("left_file", "the same for the left hemisphere as a GIFTI file"),
        text("right_file", "the same for the right hemisphere"),
        number("seconds", "s", "time taken"),
        SETTINGS,
    ),
)
