"""What a report says of lesions, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazeapp.engine.reports.results.data import Figure, ResultTable

if TYPE_CHECKING:
    from gazeapp.engine.reports.content import Picture


@dataclass(frozen=True, slots=True)
class MaskData:
    """One mask: its name, what it is, its mean area as text, how many images have it, and how it looks on one.

    ``is_gone`` is set where it is no longer in the library, so that nothing of it can be drawn.
    """

    name: str
    origin: str
    area: str
    n_images: int
    picture: Picture | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class ScopeData:
    """One scope by which parts were taken away from some models: id, name, what it reaches there and misses."""

    scope: str
    name: str
    models: tuple[str, ...]
    reaches: str
    misses: str


@dataclass(frozen=True, slots=True)
class SaidWord:
    """One word of a caption, and whether the other caption lacks it."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Example:
    """One image on which a lesion changed much.

    ``lesion`` names model, mask, scope and strength, ``numbers`` are outcomes as (name, text); ``scale_high`` is the
    upper end of the scale that both maps share, in multiples of a uniform map.
    """

    image: str
    task: str
    model: str
    colour: str
    lesion: str
    numbers: tuple[tuple[str, str], ...]
    before: tuple[SaidWord, ...]
    after: tuple[SaidWord, ...]
    pictures: tuple[Picture, ...]
    scale_high: float


@dataclass(frozen=True, slots=True)
class NeglectData:
    """What a report says of lesions.

    Parameters
    ----------
    done
        What was done, as sentences.
    masks, scopes
        What was taken away, and where in the models.
    controls
        (name, what it is, number of runs) of each control.
    readings
        What the numbers say, task by task.
    figures, tables
        The numbers.
    check
        What the control without a lesion gave.
    cautions
        What is to be known before the numbers are believed.
    outcomes
        (name, unit, meaning) of the outcomes that are shown.
    examples
        Images on which lesions changed most.
    """

    done: tuple[str, ...]
    masks: tuple[MaskData, ...]
    scopes: tuple[ScopeData, ...]
    controls: tuple[tuple[str, str, int], ...]
    readings: tuple[str, ...]
    figures: tuple[Figure, ...]
    tables: tuple[ResultTable, ...]
    check: str
    cautions: tuple[str, ...]
    outcomes: tuple[tuple[str, str, str], ...]
    examples: tuple[Example, ...] = ()
