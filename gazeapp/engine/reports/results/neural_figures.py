"""Figures of how well maps predict brain responses: one region, two sources, all regions, against fixations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.neural.records import NAN, NeuralFinding
from gazeapp.engine.reports.numbers import number, percent
from gazeapp.engine.reports.results.data import Axes, Figure, Line, Series, SourceFacts
from gazeapp.engine.reports.results.findings import MARKERS
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    in_words,
    is_control,
    measure_name,
    origin,
    shown_sources,
    why_unknown,
)
from gazeapp.engine.reports.results.neural_measures import (
    CORRECTION_MEANINGS,
    MEASURES,
    MINUS,
    SHARE,
    SIMULATED_RESPONSES,
    UNIQUE,
    NeuralAsked,
    R,
    Shown,
    p_of,
    shown,
)
from gazeapp.engine.reports.results.neural_tables import is_tested, model_pairs, part_names
from gazeapp.engine.reports.results.words import known, measured, with_unit
from gazeapp.engine.reports.style import LEVEL_COLOURS, REFERENCE_COLOUR
from gazeapp.engine.scoring.sources import BASELINE, MODEL
from gazeapp.engine.types import DoubleArray

MOST_ROWS = 48
"""Regions that a plot of all regions can name."""
_SIMULATED = "Simulated responses"
_PART_COLOURS = {"unique": LEVEL_COLOURS[0], "shared": LEVEL_COLOURS[2], "unique_against": REFERENCE_COLOUR}


def bar_figure(results: NeuralResults, asked: NeuralAsked) -> Figure | None:
    """Return the sources in the region in hand as bars with intervals, controls grey, the ceiling as a line."""
    found = []
    for source in shown_sources(results, asked):
        one = results.of(asked, asked.measure, source, asked.against).get(asked.region)
        if one is not None:
            found.append((source, shown(one, asked.measure)))
    if not found:
        return None
    series = [
        _bar(results, asked, k, source, one) for k, (source, one) in enumerate(found) if known(one.value)
    ]
    ceiling, planted = (_ceiling(found, asked), _planted(results, asked)) if series else ((), ())
    ticks = tuple((float(k), f"{source.name}{_mark(one, asked)}") for k, (source, one) in enumerate(found))
    return Figure(
        id=f"neural_{asked.measure}_{asked.region}_{asked.task}",
        title=f"{measure_name(results, asked)} in {asked.region}",
        caption=_captioned(
            results,
            asked,
            f"{MEASURES[asked.measure].meaning} Bars with 95 % intervals, controls grey.{_starred(results, asked)}"
            + (" Dashed: noise ceiling." if ceiling else "")
            + (" Solid: highest r that the planted signal allows." if planted else ""),
        ),
        axes=(
            Axes(
                title=asked.region,
                x_label="",
                y_label=_axis(results, asked)
                if series
                else why_unknown(results, asked) or _axis(results, asked),
                series=tuple(series),
                x_ticks=ticks,
                lines=(*ceiling, *planted),
                horizontal=True,
                legend=False,
            ),
        ),
        simulated=results.simulated,
        simulated_words=_SIMULATED,
    )


def _starred(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return what an asterisk means; nothing where nothing was tested."""
    if not is_tested(results, asked):
        return ""
    return f" Asterisk: p < 0.05. {CORRECTION_MEANINGS[asked.correction].replace('in bold', 'with one')}"


def _mark(one: Shown, asked: NeuralAsked) -> str:
    return " *" if one.is_clear(asked.correction) else ""


def _bar(results: NeuralResults, asked: NeuralAsked, place: int, source: SourceFacts, one: Shown) -> Series:
    return Series(
        name=source.name,
        colour=source.colour,
        kind=BASELINE if is_control(source) else source.kind,
        x=_one(place),
        y=_one(one.value),
        low=_one(one.low),
        high=_one(one.high),
        texts=(origin(results, asked, one, asked.measure),),
        about=((asked.region, source.kind, source.id),),
        marker="",
        bars=True,
    )


def _ceiling(found: Sequence[tuple[SourceFacts, Shown]], asked: NeuralAsked) -> tuple[Line, ...]:
    """Return the noise ceiling as a line, for measures that have one."""
    if asked.measure == SHARE:
        return (Line(100.0, "noise ceiling", named=True),)
    if asked.measure != R:
        return ()
    ceilings = [one.finding.ceiling for _, one in found if known(one.finding.ceiling)]
    if not ceilings:
        return ()
    ceiling = float(np.median(ceilings))
    return (Line(ceiling, f"noise ceiling, {number(ceiling)}", named=True),)


def _planted(results: NeuralResults, asked: NeuralAsked) -> tuple[Line, ...]:
    """Return what is planted in the region in hand as a line, where a simulation says so."""
    planted = results.planted_in(asked.region, group=asked.groups)
    if asked.measure != R or not known(planted):
        return ()
    words = f"planted: r up to {number(planted)}" if planted else "nothing is planted here"
    return (Line(planted, words, dashed=False, named=True),)


def difference_figure(results: NeuralResults, asked: NeuralAsked) -> Figure | None:
    """Return the paired differences between sources in the region in hand, with intervals."""
    found = results.differences(asked)
    if not found:
        return None
    return Figure(
        id=f"neural_differences_{asked.region}_{asked.task}",
        title=f"Differences in r in {asked.region}",
        caption=_captioned(
            results,
            asked,
            f"{MEASURES[MINUS].meaning} With 95 % intervals; filled where p < 0.05, corrected as chosen.",
        ),
        axes=(
            Axes(
                title=asked.region,
                x_label="",
                y_label="Difference in r",
                series=tuple(_difference(results, asked, k, one) for k, one in enumerate(found)),
                x_ticks=tuple((float(k), _pair_name(results, one)) for k, one in enumerate(found)),
                lines=(Line(0.0, "no difference", dashed=False),),
                horizontal=True,
                legend=False,
            ),
        ),
        simulated=results.simulated,
        simulated_words=_SIMULATED,
    )


def _pair_name(results: NeuralResults, one: NeuralFinding) -> str:
    return f"{results.facts(one.source, one.kind).name} − {results.facts(one.against).name}"


def _difference(results: NeuralResults, asked: NeuralAsked, place: int, one: NeuralFinding) -> Series:
    source = results.facts(one.source, one.kind)
    return Series(
        name=_pair_name(results, one),
        colour=source.colour,
        kind=BASELINE if is_control(source) else source.kind,
        x=_one(place),
        y=_one(one.estimate),
        low=_one(one.low),
        high=_one(one.high),
        texts=(origin(results, asked, shown(one, MINUS), MINUS),),
        about=((asked.region, source.kind, source.id),),
        hollow=not 0.0 <= p_of(one, asked.correction) < 0.05,
    )


def partition_figure(results: NeuralResults, asked: NeuralAsked) -> Figure | None:
    """Return the variance that the source in hand and others predict alone and alike as stacked bars.

    Parts below 0 are stacked to the left of 0.
    """
    partners = results.partners(asked)
    if not partners:
        return None
    own = results.facts(asked.source[1], asked.source[0])
    series: list[Series] = []
    for place, other in enumerate(partners):
        series += _stack(results, asked, place, own, other)
    ticks = tuple((float(k), f"and {other.name}") for k, other in enumerate(partners))
    return Figure(
        id=f"neural_partition_{asked.region}_{asked.task}",
        title=f"{own.name} and others: unique and shared R² in {asked.region}",
        caption=_captioned(
            results,
            asked,
            f"Share of the variance that only {own.name} predicts (unique), that it and the other source predict alike "
            "(shared), and that only the other predicts. Parts below 0 are stacked to the left of 0.",
        ),
        axes=(
            Axes(
                title=asked.region,
                x_label="",
                y_label="R² (share of the variance over images)",
                series=tuple(series),
                x_ticks=ticks,
                lines=(Line(0.0, "nothing", dashed=False),),
                horizontal=True,
            ),
        ),
        simulated=results.simulated,
        simulated_words=_SIMULATED,
    )


def _stack(
    results: NeuralResults, asked: NeuralAsked, place: int, own: SourceFacts, other: SourceFacts
) -> list[Series]:
    """Return one bar for each part, each beginning where the one before ends."""
    names = part_names(own)
    bars: list[Series] = []
    ends = {True: 0.0, False: 0.0}
    for part, colour in _PART_COLOURS.items():
        one = results.part(asked, part, own, other.id)
        if one is None or not known(one.estimate):
            continue
        side = one.estimate >= 0
        base = ends[side]
        ends[side] += one.estimate
        bars.append(
            Series(
                name=names[part] if place == 0 else "",
                colour=colour,
                kind="",
                x=_one(place),
                y=_one(ends[side]),
                texts=(
                    f"{asked.region}, {own.name} and {other.name}\n"
                    f"R² of {names[part]}: {number(one.estimate, 3)}",
                ),
                marker="",
                bars=True,
                base=_one(base),
            )
        )
    return bars


def profile_figure(results: NeuralResults, asked: NeuralAsked) -> Figure | None:
    """Return every region with a dot for each source; None where there are too many regions to name."""
    names = results.regions(groups=asked.groups)
    sources = shown_sources(results, asked)
    if not sources or not 1 < len(names) <= MOST_ROWS:
        return None
    series = []
    for source in sources:
        column = results.of(asked, asked.measure, source, asked.against)
        own = [(k, shown(column[name], asked.measure)) for k, name in enumerate(names) if name in column]
        series.append(
            Series(
                name=source.name,
                colour=source.colour,
                kind=BASELINE if is_control(source) else source.kind,
                x=np.array([k for k, _ in own], dtype=np.float64),
                y=np.array([one.value for _, one in own]),
                texts=tuple(origin(results, asked, one, asked.measure) for _, one in own),
                about=tuple((names[k], source.kind, source.id) for k, _ in own),
                marker=MARKERS[BASELINE] if is_control(source) else "o",
                hollow=is_control(source),
            )
        )
    return Figure(
        id=f"neural_{asked.measure}_all_{asked.task}",
        title=f"{measure_name(results, asked)} in all {'groups' if asked.groups else 'regions'}",
        caption=_captioned(
            results, asked, f"{MEASURES[asked.measure].meaning} Outlined squares are controls."
        ),
        axes=(
            Axes(
                title="",
                x_label="",
                y_label=_axis(results, asked),
                series=tuple(series),
                x_ticks=tuple((float(k), name) for k, name in enumerate(names)),
                lines=(Line(0.0, "no correlation", dashed=False),),
                horizontal=True,
            ),
        ),
        simulated=results.simulated,
        simulated_words=_SIMULATED,
    )


def dissociation_figure(results: NeuralResults, asked: NeuralAsked) -> Figure | None:
    """Return a point for each model: agreement with fixations across, prediction of the region in hand up."""
    pairs = model_pairs(results, asked)
    if not pairs:
        return None
    metric = measured(results.primary, results.preset).name
    series: list[Series] = []
    for source, row, one in pairs:
        across = float(row.percent or 0.0)
        if row.ci_low is not None and row.ci_high is not None:
            series.append(
                Series(
                    name="",
                    colour=source.colour,
                    kind=MODEL,
                    x=np.array([row.ci_low, row.ci_high]),
                    y=np.array([one.value, one.value]),
                    marker="",
                    joined=True,
                )
            )
        series.append(
            Series(
                name=source.name,
                colour=source.colour,
                kind=MODEL,
                x=_one(across),
                y=_one(one.value),
                low=_one(one.low),
                high=_one(one.high),
                texts=(
                    f"{source.name}: {percent(across)} of the human ceiling ({metric})\n"
                    + origin(results, asked, one, asked.measure),
                ),
                about=((asked.region, source.kind, source.id),),
            )
        )
    return Figure(
        id=f"dissociation_{asked.measure}_{asked.region}_{asked.task}",
        title=f"Fixations and {asked.region}",
        caption=_captioned(
            results,
            asked,
            f"Each point is a model: agreement of its maps with fixations ({metric}, percent of the human ceiling) and "
            "how well they predict responses, both with 95 % intervals. Dashed: the best control.",
        ),
        axes=(
            Axes(
                title=asked.region,
                x_label=f"Agreement with fixations, % of the human ceiling ({metric})",
                y_label=f"{asked.region}: {_axis(results, asked)}",
                series=tuple(series),
                lines=_best_control(results, asked),
            ),
        ),
        simulated=results.simulated,
        simulated_words=_SIMULATED,
    )


def _best_control(results: NeuralResults, asked: NeuralAsked) -> tuple[Line, ...]:
    """Return how well the best control predicts the region, as a line to hold models against."""
    if asked.measure in (MINUS, UNIQUE):
        return (Line(0.0, "no difference", dashed=False),)
    found = []
    for source in shown_sources(results, asked):
        one = results.of(asked, asked.measure, source).get(asked.region)
        value = shown(one, asked.measure).value if one is not None else NAN
        if is_control(source) and known(value):
            found.append((value, source.name))
    if not found:
        return ()
    value, name = max(found)
    return (Line(value, f"best control: {name}", named=True),)


def _axis(results: NeuralResults, asked: NeuralAsked) -> str:
    facts = MEASURES[asked.measure]
    name = measure_name(results, asked)
    return name if facts.unit in name else with_unit(name, facts.unit)


def _captioned(results: NeuralResults, asked: NeuralAsked, text: str) -> str:
    rests = in_words(results, asked)
    parts = [text, f"{rests[:1].upper()}{rests[1:]}.", SIMULATED_RESPONSES if results.simulated else ""]
    return " ".join(part for part in parts if part)


def _one(value: float) -> DoubleArray:
    return np.array([value], dtype=np.float64)
