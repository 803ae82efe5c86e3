"""Figures of what lesions did, with a dot for each image: by model beside its controls, and side against side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.reports.neglect.words import SIDES_CAUTION
from gazeapp.engine.reports.results.data import Axes, Figure, Line, Series
from gazeapp.engine.reports.results.findings import PLAIN_COLOUR
from gazeapp.engine.reports.results.lesions import (
    AGAINST,
    Asked,
    LesionResults,
    label_of,
    origin,
    plain_id,
)
from gazeapp.engine.reports.results.words import captioned, value_text, with_unit
from gazeapp.engine.scoring.analyses.neglect_outcomes import (
    CONTROLS,
    EQUAL_MASS,
    LATERAL,
    MATCHED,
    MIRRORED,
    RANDOM,
)
from gazeapp.engine.scoring.findings import (
    LESION,
    LESION_CONTROL,
    LESION_SIDE,
    Finding,
)
from gazeapp.engine.types import DoubleArray

_MARKERS = {RANDOM: "o", EQUAL_MASS: "D", MIRRORED: "^"}
_TURNED = " (sign turned)"
NOTHING = Line(0.0, "no change", dashed=False)
_OWN, _OTHER = -0.12, 0.12
"""Where in its row a lesion and its first control stand; further controls follow below."""
_DOTS = 0.18
"""How far above its mark the dots of a lesion lie, so that they leave mark and interval in sight."""


def model_figure(lesions: LesionResults, asked: Asked) -> Figure | None:
    """Return the outcome by model and mask: the lesion beside its controls, and the difference; None without any."""
    models = lesions.models(asked)
    if not models:
        return None
    controls = controls_beside(asked)
    axes = [_beside(lesions, asked, models, controls)]
    if controls:
        axes.append(_net(lesions, asked, models))
    about = lesions.about(asked.outcome)
    hollow = ", ".join(f"{_SIGNS[one]} {AGAINST[one]}" for one in controls)
    return Figure(
        id=f"lesion_{asked.task}_{asked.outcome}_{asked.scope}_{asked.strength:g}_{asked.against or 'raw'}",
        title=f"{about.name} by model",
        caption=captioned(
            lesions.results,
            f"Means over images with 95 % intervals, a dot for each image; task {asked.task}, {asked.scope}, strength "
            f"{asked.strength:g}. Filled: the lesion{f'; outlines: {hollow}' if hollow else ''}. {about.meaning}",
        ),
        axes=tuple(axes),
        simulated=lesions.results.simulated,
    )


_SIGNS = {RANDOM: "circle", EQUAL_MASS: "diamond", MIRRORED: "triangle"}


def controls_beside(asked: Asked) -> tuple[str, ...]:
    """Return the controls that are shown beside a lesion, for what it is held against."""
    return MATCHED if asked.against == CONTROLS else (asked.against,) if asked.against else ()


def _rows(lesions: LesionResults, asked: Asked, models: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (model, mask, name) of the rows of a plot; masks are named where there are several."""
    several = len(asked.masks) > 1
    return [
        (model, mask, f"{mask} · {lesions.name(model)}" if several else lesions.name(model))
        for model in models
        for mask in asked.masks
        if model in _models_under(lesions, asked, mask)
    ]


def _models_under(lesions: LesionResults, asked: Asked, mask: str) -> list[str]:
    outcomes = lesions.values(asked)
    return outcomes.models(asked.lesion(mask)) if outcomes is not None else []


def _beside(lesions: LesionResults, asked: Asked, models: Sequence[str], controls: Sequence[str]) -> Axes:
    """Return each model's outcome under the lesion, and under its controls, as they are."""
    about, outcomes = lesions.about(asked.outcome), lesions.values(asked)
    rows = _rows(lesions, asked, models)
    series: list[Series] = []
    for k, (model, mask, _) in enumerate(rows):
        shown = [
            control
            for control in controls
            if outcomes is not None and control in outcomes.controls(asked.lesion(mask))
        ]
        places = [0.0] if not shown else [_OWN, *(_OTHER + 0.2 * n for n in range(len(shown)))]
        for control, shift in zip(["", *shown], places, strict=False):
            if not control:
                series.append(_dots(lesions, asked, model, mask, k + shift - _DOTS))
            finding = lesions.one(LESION, asked, label_of(asked, mask), model, control)
            if finding is not None:
                series.append(_mark(lesions, finding, k + shift, control))
    title = "Lesion and controls" if controls else "Under the lesion"
    plot = _row_axes(title, with_unit(about.name, about.unit), rows, series, about.is_change)
    keys = [
        key_of("the lesion"),
        *(key_of(AGAINST[one], marker=_MARKERS[one], hollow=True) for one in controls),
    ]
    return replace(plot, series=(*plot.series, *keys), legend=True) if controls else plot


def key_of(name: str, *, marker: str = "o", hollow: bool = False, dashed: bool = False) -> Series:
    """Return a series without points that tells in the legend what marks of all colours are."""
    none = np.zeros(0)
    return Series(
        name, PLAIN_COLOUR, "", none, none, joined=dashed, marker=marker, dashed=dashed, hollow=hollow
    )


def _net(lesions: LesionResults, asked: Asked, models: Sequence[str]) -> Axes:
    """Return each model's outcome under the lesion minus that under what it is held against."""
    about = lesions.about(asked.outcome)
    rows = _rows(lesions, asked, models)
    series: list[Series] = []
    for k, (model, mask, _) in enumerate(rows):
        series.append(_dots(lesions, asked, model, mask, k - _DOTS, net=True))
        finding = lesions.one(LESION_CONTROL, asked, label_of(asked, mask), model, asked.against)
        if finding is not None:
            series.append(_mark(lesions, finding, float(k)))
    return _row_axes(
        f"Lesion minus {AGAINST[asked.against]}",
        with_unit("Difference", about.unit),
        rows,
        series,
        True,
    )


def _row_axes(
    title: str, label: str, rows: Sequence[tuple[str, str, str]], series: Sequence[Series], zero: bool
) -> Axes:
    return Axes(
        title=title,
        x_label="",
        y_label=label,
        series=tuple(series),
        x_ticks=tuple((float(k), name) for k, (_, _, name) in enumerate(rows)),
        lines=(NOTHING,) if zero else (),
        horizontal=True,
        legend=False,
    )


def _values_of(
    lesions: LesionResults, asked: Asked, model: str, mask: str, *, net: bool = False
) -> DoubleArray:
    """Return the outcome of each image, also minus that under what it is held against."""
    outcomes = lesions.values(asked)
    if outcomes is None:
        return np.zeros(0)
    lesion = asked.lesion(mask)
    if not net:
        return outcomes.of(lesion, "", model)
    if asked.against == CONTROLS:
        return outcomes.net(lesion, model).values
    difference: DoubleArray = outcomes.of(lesion, "", model) - outcomes.of(lesion, asked.against, model)
    return difference


def _dots(
    lesions: LesionResults, asked: Asked, model: str, mask: str, place: float, *, net: bool = False
) -> Series:
    """Return a dot for each image."""
    values = _values_of(lesions, asked, model, mask, net=net)
    return Series(
        name="",
        colour=lesions.colour(model),
        kind="model",
        x=np.full(len(values), place),
        y=values,
        texts=_image_texts(
            lesions,
            asked,
            [f"{lesions.name(model)}, {mask}: {value_text(one, asked.outcome)}" for one in values],
        ),
        keys=tuple((image_id, plain_id(model)) for image_id in lesions.columns(asked)),
        small=True,
    )


def _image_texts(lesions: LesionResults, asked: Asked, texts: Sequence[str]) -> tuple[str, ...]:
    about = lesions.about(asked.outcome)
    unit = f" {about.unit}" if about.unit else ""
    names = [lesions.images.get(image_id, "") for image_id in lesions.columns(asked)]
    return tuple(
        f"{name}\n{text}{unit}\nClick to go to the image." for name, text in zip(names, texts, strict=True)
    )


def _mark(
    lesions: LesionResults, finding: Finding, place: float, control: str = "", name: str = ""
) -> Series:
    """Return a mean with its interval; of a control as an outline."""
    return Series(
        name=name,
        colour=lesions.colour(finding.term),
        kind="model",
        x=np.array([place]),
        y=np.array([finding.estimate]),
        low=np.array([finding.low]),
        high=np.array([finding.high]),
        texts=(origin(lesions, finding),),
        marker=_MARKERS.get(control, "o"),
        hollow=bool(control),
    )


def side_figure(lesions: LesionResults, asked: Asked) -> Figure | None:
    """Return each image's outcome under one side against the other, and the difference by model; None without any."""
    found = side_findings(lesions, asked)
    if not found:
        return None
    about = lesions.about(asked.outcome)
    pairs = list(dict.fromkeys((one.lesion, one.against) for one in found))
    axes = []
    for lesion, against in pairs:
        own = [one for one in found if (one.lesion, one.against) == (lesion, against)]
        mask = next(mask for mask in asked.masks if label_of(asked, mask) == lesion)
        axes += [_scatter(lesions, asked, mask, own), _side_rows(lesions, asked, mask, own)]
    return Figure(
        id=f"lesion_side_{asked.task}_{asked.outcome}_{asked.scope}_{asked.strength:g}",
        title=f"{about.name}, {' and '.join(side_names(asked, found[0]))}",
        caption=captioned(
            lesions.results,
            "Each dot is an image: on the line, both sides do the same. Beside it the mean differences with 95 % "
            f"intervals, as they are; task {asked.task}, {asked.scope}, strength {asked.strength:g}. {SIDES_CAUTION} "
            f"{about.meaning}",
        ),
        axes=tuple(axes),
        simulated=lesions.results.simulated,
    )


def side_findings(lesions: LesionResults, asked: Asked) -> list[Finding]:
    """Return the differences of sides of the masks that are asked for."""
    labels = [label_of(asked, mask) for mask in asked.masks]
    order = lesions.models(asked)
    found = [one for one in lesions.of(LESION_SIDE, asked) if one.lesion in labels]
    return sorted(
        found, key=lambda one: (labels.index(one.lesion), order.index(one.term) if one.term in order else 0)
    )


def side_names(asked: Asked, finding: Finding) -> tuple[str, str]:
    """Return the names of the two sides that a finding compares."""
    mask = next(mask for mask in asked.masks if label_of(asked, mask) == finding.lesion)
    return mask, "mirrored" if finding.against == MIRRORED else finding.against


def _scatter(lesions: LesionResults, asked: Asked, mask: str, own: Sequence[Finding]) -> Axes:
    about = lesions.about(asked.outcome)
    first, second = side_names(asked, own[0])
    across, upwards = first, f"{second}{_TURNED}" if asked.outcome in LATERAL else second
    return Axes(
        title=f"A dot for each image: {across} across, {upwards} upwards",
        x_label=with_unit(first, about.unit),
        y_label=with_unit(second, about.unit),
        series=tuple(_both_sides(lesions, asked, mask, one) for one in own),
        lines=(Line(0.0, "both sides do the same", along="both"),),
    )


def _both_sides(lesions: LesionResults, asked: Asked, mask: str, finding: Finding) -> Series:
    """Return a dot for each image: one side across, the other upwards."""
    first, second = side_names(asked, finding)
    x = _values_of(lesions, asked, finding.term, mask)
    if finding.against == MIRRORED:
        y = x - _values_of(lesions, replace(asked, against=MIRRORED), finding.term, mask, net=True)
    else:
        y = _values_of(lesions, asked, finding.term, second)
    if asked.outcome in LATERAL:  # as findings have it, both sides as shifts away from the lesion
        y = -y
    name = lesions.name(finding.term)
    texts = [
        f"{name}, {first} {value_text(a, asked.outcome)}, {second} {value_text(b, asked.outcome)}"
        for a, b in zip(x, y, strict=True)
    ]
    return Series(
        name=name,
        colour=lesions.colour(finding.term),
        kind="model",
        x=x,
        y=y,
        texts=_image_texts(lesions, asked, texts),
        keys=tuple((image_id, plain_id(finding.term)) for image_id in lesions.columns(asked)),
        small=True,
    )


def _side_rows(lesions: LesionResults, asked: Asked, mask: str, own: Sequence[Finding]) -> Axes:
    about = lesions.about(asked.outcome)
    first, second = side_names(asked, own[0])
    rows = [(one.term, mask, lesions.name(one.term)) for one in own]
    series = [_mark(lesions, one, float(k)) for k, one in enumerate(own)]
    label = with_unit(f"{first} − {second}", about.unit)
    return _row_axes(f"{first} minus {second}", label, rows, series, True)
