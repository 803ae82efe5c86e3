"""Columns that several exported tables share, and how columns are written down."""

from __future__ import annotations

from gazeapp.engine.reports.tables import Column


def text(name: str, meaning: str) -> Column:
    """Return a column of text."""
    return Column(name, "text", "", meaning)


def number(name: str, unit: str, meaning: str) -> Column:
    """Return a column of numbers."""
    return Column(name, "number", unit, meaning)


def integer(name: str, unit: str, meaning: str) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "integer", unit, meaning)


def flag(name: str, meaning: str) -> Column:
    """Return a column of true or false."""
    return Column(name, "flag", "", meaning)


IMAGE = text("image", "name of the image")
TASK = text("task", "what people and models were asked to do")
MODEL = text("model", "id of the model, or of the baseline, truth or human source that source_kind says")
KIND = text(
    "source_kind", "model, baseline, human, or truth (the density that simulated observers were drawn from)"
)
METHOD = text("method", "map method; empty for sources that have none")
LESION = text(
    "lesion",
    "what was taken away, as mask · scope · strength, such as left · keys · 1, with the control behind the mask, such "
    "as left (random 1) · keys · 1; empty for nothing",
)
RUN_LESION = text(
    "lesion",
    "what was taken away, as in lesions.csv; empty for nothing; mirrored: nothing was, but the model saw the image "
    "left-right mirrored, and its map is not turned back",
)
METRIC = text(
    "metric", "id of the metric, such as nss, auc, sauc, cc, sim or kl; the report has the formulas"
)
PRESET = text("preset", "named set of metric conventions")
SETTINGS = integer("settings_id", "", "row of provenance.json, settings, that made this row")
TRANSFORM = text(
    "transform",
    "density: each metric saw the map that suits it best, made from a density fitted on other images; none: the map "
    "as it is",
)
PRIMARY = flag("primary", "whether the metric was declared as the one that claims rest on")
VALUE_UNIT = "that of the metric"
