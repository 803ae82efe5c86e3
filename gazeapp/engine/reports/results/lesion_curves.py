"""Curves of what lesions did: over strength, and over decoders by encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.reports.results.data import Axes, Figure, Series
from gazeapp.engine.reports.results.lesion_figures import NOTHING, controls_beside, key_of
from gazeapp.engine.reports.results.lesions import (
    AGAINST,
    Asked,
    LesionResults,
    dose_of,
    label_of,
    origin,
)
from gazeapp.engine.reports.results.words import captioned, with_unit
from gazeapp.engine.reports.sentences import family_name
from gazeapp.engine.reports.style import LEVEL_COLOURS
from gazeapp.engine.scoring.analyses.factorial import CELL
from gazeapp.engine.scoring.analyses.neglect import NET
from gazeapp.engine.scoring.findings import LESION, LESION_FACTORIAL

_BESIDE = 0.012
"""How far points of models at one strength stand apart."""


def dose_figure(lesions: LesionResults, asked: Asked) -> Figure | None:
    """Return the outcome over strength, a line for each model, a plot for each mask; None with fewer than two."""
    strengths = lesions.strengths(asked.task, asked.outcome, asked.scope)
    models = lesions.models(asked)
    if len(strengths) < 2 or not models:
        return None
    about = lesions.about(asked.outcome)
    there = lesions.controls(asked.task, asked.outcome)
    control = next((one for one in controls_beside(asked) if one in there), "")
    dotted = f" Dotted: {AGAINST[control]}." if control else ""
    return Figure(
        id=f"lesion_dose_{asked.task}_{asked.outcome}_{asked.scope}",
        title=f"{about.name} by strength",
        caption=captioned(
            lesions.results,
            f"Means over images with 95 % intervals; task {asked.task}, {asked.scope}.{dotted} {about.meaning}",
        ),
        axes=tuple(_dose_axes(lesions, asked, mask, models, strengths, control) for mask in asked.masks),
        simulated=lesions.results.simulated,
    )


def _dose_axes(
    lesions: LesionResults,
    asked: Asked,
    mask: str,
    models: Sequence[str],
    strengths: Sequence[float],
    control: str,
) -> Axes:
    about = lesions.about(asked.outcome)
    series: list[Series] = []
    for k, model in enumerate(models):
        shift = (k - (len(models) - 1) / 2) * _BESIDE
        if control:
            line = _dose_line(lesions, asked, mask, model, strengths, shift, control)
            series += [line] if line is not None else []
        line = _dose_line(lesions, asked, mask, model, strengths, shift, "")
        series += [line] if line is not None else []
    if control:
        series.append(key_of(f"{AGAINST[control]} taken away", marker="", dashed=True))
    return Axes(
        title=f"{mask} taken away",
        x_label="Strength, 0 to 1",
        y_label=with_unit(about.name, about.unit),
        series=tuple(series),
        lines=(NOTHING,) if about.is_change else (),
    )


def _dose_line(
    lesions: LesionResults,
    asked: Asked,
    mask: str,
    model: str,
    strengths: Sequence[float],
    shift: float,
    control: str,
) -> Series | None:
    """Return the outcome of a model over strength, under the lesion or a control of it."""
    found = [
        (strength, one)
        for strength in strengths
        if (one := lesions.one(LESION, asked, _label(asked, mask, strength), model, control)) is not None
    ]
    if not found:
        return None
    # Where nothing is taken away, nothing changes.
    start = [0.0] if lesions.about(asked.outcome).is_change else []
    unknown = [float("nan")] * len(start)
    rows = [one for _, one in found]
    return Series(
        name="" if control else lesions.name(model),
        colour=lesions.colour(model),
        kind="model",
        x=np.array([*start, *(strength + shift for strength, _ in found)]),
        y=np.array([*start, *(one.estimate for one in rows)]),
        low=None if control else np.array([*unknown, *(one.low for one in rows)]),
        high=None if control else np.array([*unknown, *(one.high for one in rows)]),
        texts=(*("Nothing is taken away: 0.",) * len(start), *(origin(lesions, one) for one in rows)),
        joined=True,
        marker="" if control else "o",
        dashed=bool(control),
    )


def _label(asked: Asked, mask: str, strength: float) -> str:
    return f"{dose_of(asked, mask)} · {strength:g}"


def design_figure(lesions: LesionResults, asked: Asked) -> Figure | None:
    """Return the means of decoders by encoder, as they are and minus controls, a row of plots for each mask."""
    about = lesions.about(asked.outcome)
    axes = [
        made
        for mask in asked.masks
        for ending in ("", NET)
        if (made := _design_axes(lesions, asked, mask, ending)) is not None
    ]
    if not axes:
        return None
    return Figure(
        id=f"lesion_factorial_{asked.task}_{asked.outcome}_{asked.scope}_{asked.strength:g}",
        title=f"{about.name} by decoder and encoder",
        caption=captioned(
            lesions.results,
            "Means over images of each encoder with each decoder, with 95 % intervals: lines that slope, decoders "
            "differ; lines that run side by side, whatever the encoder. Minus controls: how much more this lesion does "
            f"than one as large elsewhere; task {asked.task}, {asked.scope}, strength {asked.strength:g}. "
            f"{about.meaning}",
        ),
        axes=tuple(axes),
        simulated=lesions.results.simulated,
    )


def _design_axes(lesions: LesionResults, asked: Asked, mask: str, ending: str) -> Axes | None:
    cells = {
        (levels[0], levels[1]): one
        for one in lesions.of(LESION_FACTORIAL, asked)
        if one.term == CELL + ending and one.lesion == label_of(asked, mask)
        if len(levels := one.against.split(" : ")) > 1
    }
    if not cells:
        return None
    encoders, decoders = (list(dict.fromkeys(cell[k] for cell in cells)) for k in (0, 1))
    series = []
    for k, encoder in enumerate(encoders):
        shift = (k - (len(encoders) - 1) / 2) * 0.05
        found = [
            (n + shift, cells[encoder, one]) for n, one in enumerate(decoders) if (encoder, one) in cells
        ]
        rows = [one for _, one in found]
        series.append(
            Series(
                name=f"{family_name(encoder)} encoder",
                colour=LEVEL_COLOURS[k % len(LEVEL_COLOURS)],
                kind="",
                x=np.array([place for place, _ in found]),
                y=np.array([one.estimate for one in rows]),
                low=np.array([one.low for one in rows]),
                high=np.array([one.high for one in rows]),
                texts=tuple(origin(lesions, one) for one in rows),
                joined=True,
                marker=("o", "s", "D", "^")[k % 4],
            )
        )
    about = lesions.about(asked.outcome)
    return Axes(
        title=f"{mask}, minus matched controls" if ending else mask,
        x_label="Decoder",
        y_label=with_unit(about.name, about.unit),
        series=tuple(series),
        x_ticks=tuple((float(n), family_name(one)) for n, one in enumerate(decoders)),
        lines=(NOTHING,),
    )
