"""What stands in the table of a lesion: its columns, its rows, and the text and meaning of each cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.models.base import Word
from gazeapp.engine.reports.numbers import UNKNOWN, listed, number, percent
from gazeapp.ui.lesions.facts import CONTROL_NAMES, Effect
from gazeapp.ui.widgets import capital

_ARROW = " → "
_NSS = (
    "Normalised scanpath saliency of the model's map without and under the lesion: the map's mean z-score where people "
    "fixated. The conventions are those of the scores. It is NSS whatever the study is scored by, as it needs the "
    "fixations on this image alone and can follow the brush; an experiment takes the primary metric of the scoring."
)
_OBJECTS = (
    "Objects that the intact caption names and the lesioned one names no more, of those that are known to be on the "
    "image."
)


@dataclass(frozen=True)
class Column:
    """A column: heading, unit in full, and the outcomes that it shows (before and after where there are two)."""

    id: str
    title: str
    unit: str
    width: int
    outcomes: tuple[str, ...] = ()
    about: str = ""

    @property
    def tip(self) -> str:
        """What its numbers mean."""
        return self.about or " ".join(OUTCOMES[one].meaning for one in self.outcomes if one in OUTCOMES)


COLUMNS = (
    Column("model", "Model", "", 136, about="The models that follow the mask, and those of the study."),
    Column(
        "caption",
        "Caption, without and under the lesion",
        "",
        0,
        about="Above the caption of the whole image, words that are gone struck through; below the caption under the "
        "lesion, new words underlined.",
    ),
    Column("loss", "Loss, nats", "nats per token", 94, ("log_probability_drop",)),
    Column("words", "Words", "", 94, ("words_changed",)),
    Column("map", "Map, bits", "bits", 94, ("map_change",)),
    Column("mass", "On the mask", "", 100, ("mass_in_mask", "mass_in_mask_lesioned")),
    Column(
        "side",
        "Laterality",
        "",
        108,
        ("laterality_before", "laterality"),
        "(right − left) / (right + left) of the map without and under the lesion: −1 is all left, 1 all right.",
    ),
    Column("nss", "NSS", "", 118, about=_NSS),
    Column("objects", "Objects lost", "", 96, about=_OBJECTS),
)
PLACES = {column.id: place for place, column in enumerate(COLUMNS)}


@dataclass(frozen=True)
class ImageRow:
    """A model in the table.

    Parameters
    ----------
    model, name, colour
        Id, name, and colour in every plot.
    effect
        What the lesion did; None while it is not known.
    says
        What stands in place of the captions while there is no effect: what is waited for, or what is wrong.
    tip
        More of that.
    runs_on_button
        Whether it is run as a job, on its button.
    note
        A word of caution about the model on this image.
    is_before
        Whether the effect is of the lesion before, as that of this one is not known yet.
    """

    model: str
    name: str
    colour: str
    effect: Effect | None = None
    says: str = ""
    tip: str = ""
    runs_on_button: bool = False
    note: str = ""
    is_before: bool = False


def cell_text(row: ImageRow, column: Column) -> str:
    """Return the text of a cell; before and after on both sides of an arrow."""
    effect = row.effect
    if column.id == "model":
        return row.name
    if effect is None:
        return row.says if column.id == "caption" else ""
    if column.id == "caption":
        return f"{said(effect.before)}{_ARROW}{said(effect.after)}"
    if column.id == "nss":
        return UNKNOWN if effect.nss is None else _ARROW.join(number(value) for value in effect.nss)
    if column.id == "objects":
        return _objects(effect)
    values = [effect.numbers.get(outcome, math.nan) for outcome in column.outcomes]
    return _ARROW.join(_value(column, value) for value in values)


def control_text(row: ImageRow, column: Column) -> str:
    """Return what random masks of the same area do instead, in the mean, for columns held against controls."""
    effect = row.effect
    if effect is None or len(column.outcomes) != 1 or not effect.controls:
        return ""
    found = effect.controls.get("random", {}).get(column.outcomes[0], math.nan)
    return f"random {_value(column, found)}"


def cell_tip(row: ImageRow, column: Column) -> str:
    """Return what a cell means and where it comes from."""
    effect = row.effect
    if effect is None:
        return row.tip or row.says or column.tip
    if column.id == "model":
        return "\n".join(filter(None, (row.name, row.note, effect.facts)))
    if column.id == "caption":
        before, after = said(effect.before), said(effect.after)
        return f"Whole image: {before}\nUnder the lesion: {after}"
    lines = [column.tip, f"{row.name}: {cell_text(row, column)} {column.unit}".strip() + f"; {effect.facts}."]
    if column.id == "objects" and effect.named is not None:
        lines.append(f"The intact caption names {listed(list(effect.named)) or 'none of them'}.")
    if len(column.outcomes) == 1 and effect.controls:
        lines.append("Held against controls:")
        lines += [
            f"{capital(name)}: {_control(column, effect.controls[control])}"
            for control, name in CONTROL_NAMES.items()
            if control in effect.controls
        ]
    if row.is_before:
        lines.insert(0, "Of the lesion before; that of this one is on its way.")
    return "\n".join(lines)


def _control(column: Column, found: Mapping[str, float]) -> str:
    if not found:
        return "none on this image: what lies outside the mask has less attention"
    return _value(column, found.get(column.outcomes[0], math.nan))


def _value(column: Column, value: float) -> str:
    if not math.isfinite(value):
        return UNKNOWN
    return percent(100 * value) if column.id in ("words", "mass") else number(value)


def _objects(effect: Effect) -> str:
    if effect.lost is None or effect.named is None:
        return UNKNOWN
    if not effect.named:
        return "none named"
    return listed(list(effect.lost)) or f"0 of {len(effect.named)}"


def said(words: Sequence[Word]) -> str:
    """Return words as one text."""
    return " ".join(word.text for word in words)
