"""Figures of what lesions did: by model, over strength, left against right, by encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.reports.neglect.shown import Shown, by_mask
from gazeapp.engine.reports.neglect.words import CONTROL_NAMES, SIDES_CAUTION, parts_of
from gazeapp.engine.reports.results.data import Axes, Figure, Line, Series
from gazeapp.engine.reports.results.findings import PLAIN_COLOUR, colour_of, dots, in_source_order, row_axes
from gazeapp.engine.reports.results.words import captioned, measured, term_name, with_unit
from gazeapp.engine.reports.sentences import family_name
from gazeapp.engine.reports.style import LEVEL_COLOURS
from gazeapp.engine.scoring.analyses.factorial import CELL
from gazeapp.engine.scoring.analyses.neglect import NET
from gazeapp.engine.scoring.analyses.neglect_outcomes import CONTROLS, EQUAL_MASS, MIRRORED, RANDOM
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, LESION_FACTORIAL, LESION_SIDE, Finding

_ROWS = 2
"""Rows of a plot for each model and mask: one for the lesion, one for its controls."""
_BELOW = {RANDOM: 0.55, EQUAL_MASS: 1.0}
"""How far below the lesion's mark those of its controls stand, in rows."""
_ASIDE = 0.012
"""How far points of several models at one strength stand apart."""
_CONTROLS = ((RANDOM, "o"), (EQUAL_MASS, "D"))
_MARKERS = ("o", "s", "D", "^")
_ZERO = Line(0.0, "no change", dashed=False)


def neglect_figures(shown: Shown) -> Iterator[Figure]:
    """Yield the figures that have something to show."""
    found = (
        model_figure(shown),
        net_figure(shown),
        dose_figure(shown),
        side_figure(shown),
        cell_figure(shown),
    )
    yield from (replace(figure, id=f"{figure.id}_{shown.scope}") for figure in found if figure is not None)


def model_figure(shown: Shown) -> Figure | None:
    """Return the outcome of every model under every mask, beside its matched controls."""
    own = shown.of(LESION)
    lesions = [one for one in own if not one.against]
    if not lesions:
        return None
    axes = []
    for task in _tasks(lesions):
        of_task = _ordered(shown, [one for one in lesions if one.task == task])
        called = by_mask(shown)
        plot = row_axes(
            shown.results, of_task, title=f"Task {task}", label=_label(shown), lines=(_ZERO,), name=called
        )
        names = [name for _, name in plot.x_ticks]
        controls = [
            _below(shown, one, names.index(called(one)) * _ROWS + _BELOW[control], marker)
            for control, marker in _CONTROLS
            for one in own
            if one.task == task and one.against == control and called(one) in names
        ]
        spread = [replace(series, x=series.x * _ROWS) for series in plot.series]
        ticks = [
            (float(_ROWS * k + j), "" if j else name) for k, name in enumerate(names) for j in range(_ROWS)
        ]
        axes.append(replace(plot, series=(*spread, *controls), x_ticks=tuple(ticks)))
    return Figure(
        "lesion",
        f"{_name(shown)} by model and mask, {_at(shown)}",
        captioned(
            shown.results,
            "Filled: the mask itself. Outlined, below it: its matched controls, a circle for as much area elsewhere "
            "(random masks of the same shape), a diamond for as much attention elsewhere. Means over images with "
            "95 % intervals (none with fewer than 6 images). More to the right is worse; what counts is how far the "
            "filled mark lies to the right of the outlined ones.",
        ),
        tuple(axes),
        simulated=shown.results.simulated,
    )


def net_figure(shown: Shown) -> Figure | None:
    """Return the effect of the lesion: minus its matched controls."""
    own = [one for one in shown.of(LESION_CONTROL) if one.against == CONTROLS]
    return _rows(
        shown,
        own,
        "lesion_net",
        f"Effect of the lesion: {_name(shown).lower()} beyond matched controls, {_at(shown)}",
        "Lesion minus its matched controls within each image, mean over images with 95 % interval. Right of 0: this "
        "place matters more to the model than others of its size and attention.",
        "Lesion − controls",
        by_mask(shown),
    )


def side_figure(shown: Shown) -> Figure | None:
    """Return how much more the lesion of one side does than that of the other."""
    own = shown.of(LESION_SIDE)
    pairs = list(dict.fromkeys(_pair(shown, one) for one in own))
    return _rows(
        shown,
        own,
        "lesion_side",
        f"One side against the other, {_name(shown).lower()}, {_at(shown)}",
        f"Difference of two masks within each image ({', '.join(pairs)}), as they are, mean over images with 95 % "
        f"interval. Right of 0: the first of the two does more harm. {SIDES_CAUTION}",
        pairs[0] if len(pairs) == 1 else "First − second mask",
        lambda one: f"{_model(shown, one)}, {_pair(shown, one)}",
    )


def _pair(shown: Shown, one: Finding) -> str:
    """Return the two masks whose difference a finding is, such as ``left − right``."""
    other = CONTROL_NAMES[MIRRORED] if one.against == MIRRORED else shown.label(one.against)
    return f"{shown.label(parts_of(one.lesion)[0])} − {other}"


def dose_figure(shown: Shown) -> Figure | None:
    """Return the outcome over strength; None with fewer than two strengths."""
    own = [one for one in shown.at_all_strengths(LESION) if parts_of(one.lesion)[2] > 0]
    if len({parts_of(one.lesion)[2] for one in own}) < 2:
        return None
    groups = [(task, mask) for task in _tasks(own) for mask in shown.masks]
    plots = []
    for task, mask in groups:
        here = [one for one in own if one.task == task and parts_of(one.lesion)[0] == mask]
        if here:
            plots.append(_doses(shown, here, f"Task {task}, {shown.label(mask)}"))
    return Figure(
        "lesion_dose",
        f"{_name(shown)} over strength (scope {shown.scope})",
        captioned(
            shown.results,
            "How much is taken away (0: nothing, 1: all) and what that does. Lines: means over images with 95 % "
            "intervals; dotted: as much area elsewhere (random masks of the same shape). A line that rises above its "
            "dotted one shows an effect of the place that grows with the strength.",
        ),
        tuple(plots),
        columns=min(2, len(shown.masks)),
        simulated=shown.results.simulated,
    )


def cell_figure(shown: Shown) -> Figure | None:
    """Return the effect of the lesion by encoder and decoder."""
    cells = [one for one in shown.of(LESION_FACTORIAL) if one.term == CELL + NET]
    if not cells:
        return None
    groups = dict.fromkeys((one.task, parts_of(one.lesion)[0]) for one in cells)
    return Figure(
        "lesion_factorial",
        f"Effect of the lesion by encoder and decoder, {_at(shown)}",
        captioned(
            shown.results,
            f"{_name(shown)}, lesion minus matched controls: mean over images of each encoder with each decoder, with "
            "95 % intervals. A line that falls to the right: Transformer decoders are hit less than LSTM decoders."
            if _has_lstm(cells)
            else f"{_name(shown)}, lesion minus matched controls: mean over images of each encoder with each decoder, "
            "with 95 % intervals.",
        ),
        tuple(
            _cells(shown, [one for one in cells if (one.task, parts_of(one.lesion)[0]) == group], *group)
            for group in groups
        ),
        columns=min(2, len(shown.masks)),
        simulated=shown.results.simulated,
    )


def _rows(
    shown: Shown,
    own: Sequence[Finding],
    id: str,
    title: str,
    caption: str,
    what: str,
    name: Callable[[Finding], str],
) -> Figure | None:
    if not own:
        return None
    return Figure(
        id,
        title,
        captioned(shown.results, caption),
        tuple(
            row_axes(
                shown.results,
                _ordered(shown, [one for one in own if one.task == task]),
                title=f"Task {task}",
                label=with_unit(what, measured(shown.outcome, shown.results.preset).unit),
                lines=(_ZERO,),
                name=name,
            )
            for task in _tasks(own)
        ),
        simulated=shown.results.simulated,
    )


def _below(shown: Shown, one: Finding, place: float, marker: str) -> Series:
    colour = colour_of(shown.results, replace(one, against=""))
    return dots(shown.results, [one], [place], colour=colour, marker=marker, hollow=True)


def _doses(shown: Shown, own: Sequence[Finding], title: str) -> Axes:
    series = []
    models = list(dict.fromkeys(one.term for one in _ordered(shown, [one for one in own if not one.against])))
    for k, model in enumerate(models):
        for control in ("", RANDOM):
            points = sorted(
                (one for one in own if (one.term, one.against) == (model, control)),
                key=lambda one: parts_of(one.lesion)[2],
            )
            if points:
                aside = _ASIDE * (k - (len(models) - 1) / 2)
                series.append(_curve(shown, points, aside, dotted=bool(control)))
    return Axes(title, "Strength", _label(shown), tuple(series), lines=(replace(_ZERO, label=""),))


def _curve(shown: Shown, points: Sequence[Finding], aside: float, *, dotted: bool) -> Series:
    """Return one model's means over strength, from no change where nothing is taken away."""
    first = points[0]
    curve = dots(
        shown.results,
        points,
        [parts_of(one.lesion)[2] + aside for one in points],
        name="" if dotted else _model(shown, first),
        colour=colour_of(shown.results, replace(first, against="")),
        joined=True,
    )
    assert curve.low is not None
    assert curve.high is not None
    none = np.array([np.nan])
    return replace(
        curve,
        x=np.concatenate([[0.0], curve.x]),
        y=np.concatenate([[0.0], curve.y]),
        low=None if dotted else np.concatenate([none, curve.low]),
        high=None if dotted else np.concatenate([none, curve.high]),
        texts=(),
        marker="" if dotted else "o",
        dashed=dotted,
    )


def _cells(shown: Shown, cells: Sequence[Finding], task: str, mask: str) -> Axes:
    levels = {one: one.against.split(" : ")[:2] for one in cells}
    encoders = list(dict.fromkeys(encoder for encoder, _ in levels.values()))
    decoders = list(dict.fromkeys(decoder for _, decoder in levels.values()))
    series = []
    for k, encoder in enumerate(encoders):
        own = sorted(
            (one for one in cells if levels[one][0] == encoder),
            key=lambda one: decoders.index(levels[one][1]),
        )
        series.append(
            dots(
                shown.results,
                own,
                [decoders.index(levels[one][1]) + 0.05 * (k - (len(encoders) - 1) / 2) for one in own],
                name=family_name(encoder),
                colour=LEVEL_COLOURS[k % len(LEVEL_COLOURS)] or PLAIN_COLOUR,
                joined=True,
                marker=_MARKERS[k % len(_MARKERS)],
            )
        )
    return Axes(
        f"Task {task}, {shown.label(mask)}",
        "Decoder",
        with_unit("Lesion − controls", measured(shown.outcome, shown.results.preset).unit),
        tuple(series),
        x_ticks=tuple((float(k), family_name(decoder)) for k, decoder in enumerate(decoders)),
        lines=(replace(_ZERO, label=""),),
    )


def _has_lstm(cells: Sequence[Finding]) -> bool:
    decoders = list(dict.fromkeys(one.against.split(" : ")[1] for one in cells))
    return decoders == ["lstm", "transformer"]


def _model(shown: Shown, finding: Finding) -> str:
    return term_name(shown.results, finding.term, finding.kind)


def _ordered(shown: Shown, found: Sequence[Finding]) -> list[Finding]:
    """Return findings model by model, as models are shown elsewhere, with the masks of each together."""
    by_mask = sorted(found, key=lambda one: (one.term, shown.masks.index(parts_of(one.lesion)[0])))
    return in_source_order(shown.results, by_mask)


def _tasks(found: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(one.task for one in found))


def _name(shown: Shown) -> str:
    return measured(shown.outcome, shown.results.preset).name


def _label(shown: Shown) -> str:
    about = measured(shown.outcome, shown.results.preset)
    return with_unit(about.name, about.unit)


def _at(shown: Shown) -> str:
    return f"scope {shown.scope}, strength {shown.strength:g}"
