"""Figures of how well brain responses are predicted: groups and the best regions side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.neural.encoding.bootstrap import MIN_IN_FOLD
from gazeapp.engine.neural.records import DIFFERENCE, NeuralFinding
from gazeapp.engine.reports.neural.chosen import Place, Told
from gazeapp.engine.reports.numbers import number
from gazeapp.engine.reports.results.data import Axes, Figure, Line, Series, SourceFacts
from gazeapp.engine.reports.results.neural import is_control
from gazeapp.engine.reports.results.neural_figures import dissociation_figure, partition_figure
from gazeapp.engine.reports.results.neural_measures import (
    MEASURES,
    MINUS,
    MOST_PAIRS,
    P_FDR,
    RHO,
    SIMULATED_RESPONSES,
    R,
    Shown,
    shown,
)
from gazeapp.engine.reports.results.words import known, measured
from gazeapp.engine.scoring.sources import BASELINE
from gazeapp.engine.types import DoubleArray

_SIMULATED = "Simulated responses"
_FILLED = "Filled where p < 0.05, corrected for false discovery over regions (over groups by themselves)."
_NOT_TESTED = "Nothing was tested, so that no mark is filled."
_COLUMNS = 3
_MARK = "#1D1D1B"

NO_INTERVALS = f" (they take resamples, and at least {MIN_IN_FOLD} images in every fold)"
"""Why numbers have no intervals."""


def neural_figures(told: Told) -> Iterator[Figure]:
    """Yield the figures of a task that have something to show."""
    found = (
        source_figure(told, R),
        difference_figure(told),
        _joined(
            told,
            "partition",
            told.groups or told.best_regions,
            lambda place: partition_figure(told.results, told.asked(place)),
        ),
        source_figure(told, RHO),
        _joined(
            told,
            "dissociation",
            told.groups or told.best_regions,
            lambda place: dissociation_figure(told.results, told.asked(place)),
        ),
    )
    yield from (figure for figure in found if figure is not None)


def source_figure(told: Told, measure: str) -> Figure | None:
    """Return every source in groups and the best regions by a measure, as bars with intervals."""
    plots = [plot for place in told.places if (plot := _sources(told, place, measure)) is not None]
    if not plots:
        return None
    ceilings = any(plot.lines[1:] for plot in plots)
    found = [
        one for place in told.places for source in told.sources if (one := told.found(source, place, measure))
    ]
    why = " (they take resamples of the images)" if measure == RHO else ""
    said = (
        f"{MEASURES[measure].meaning} {'Bars with' if has_intervals(found) else 'Bars without'} 95 % intervals"
        f"{'' if has_intervals(found) else why or NO_INTERVALS}; controls and the true density, where there is one, "
        f"are grey. {_filled(found)}" + (" Dashed: noise ceiling." if ceilings else "")
    )
    title = {R: "Prediction of responses", RHO: "Second view: likeness of dissimilarities (RSA)"}[measure]
    return _figure(told, f"neural_{measure}", f"{title}, groups and the best regions", said, plots)


def difference_figure(told: Told) -> Figure | None:
    """Return the paired differences between sources in groups and the best regions, with intervals."""
    plots = [plot for place in told.places if (plot := _differences(told, place)) is not None]
    if not plots:
        return None
    found = [one for place in told.places for one in _pairs(told, place)]
    spread = "with 95 % intervals" if has_intervals(found) else f"without 95 % intervals{NO_INTERVALS}"
    cut = any(len(_every_pair(told, place)) > MOST_PAIRS for place in told.places)
    of_one = f" Of many pairs those of {told.leader.name}, {_why(told)}." if cut and told.leader else ""
    return _figure(
        told,
        "neural_differences",
        "Differences between models, and between models and people or controls",
        f"{MEASURES[MINUS].meaning} The first minus the second, {spread}. {_filled(found)}{of_one}",
        plots,
    )


def has_intervals(found: Iterable[NeuralFinding]) -> bool:
    """Return whether any of these numbers has an interval."""
    return any(known(one.low) and known(one.high) for one in found)


def _filled(found: Iterable[NeuralFinding]) -> str:
    return _FILLED if any(known(one.p_fdr) for one in found) else _NOT_TESTED


def _joined(
    told: Told, id_: str, places: Sequence[Place], make: Callable[[Place], Figure | None]
) -> Figure | None:
    """Return the plots of several figures, one for each region, as one figure."""
    figures = [figure for place in places if (figure := make(place)) is not None]
    if not figures:
        return None
    first = figures[0]
    plots = [plot for figure in figures for plot in figure.axes]
    if id_ == "dissociation":
        # One legend for all: which control is the best differs from region to region.
        lines = [
            tuple(replace(line, label=line.label.partition(":")[0]) for line in one.lines) for one in plots
        ]
        metric = plots[0].x_label
        plots = [
            replace(
                plot, lines=own, x_label=metric.replace("Agreement with fixations", "Fixations"), y_label="r"
            )
            for plot, own in zip(plots, lines, strict=True)
        ]
        first = replace(first, caption=_dissociation_caption(told, places))
    else:
        plots = [replace(plot, y_label="R²", lines=(Line(0.0, "", dashed=False),)) for plot in plots]
        first = replace(
            first,
            caption=f"{_one_model(told)}{first.caption}",
        )
    titles = {
        "partition": first.title.rpartition(" in ")[0],
        "dissociation": "Agreement with fixations against prediction of responses",
    }
    return replace(first, id=f"neural_{id_}_{told.task}", title=titles[id_], axes=tuple(plots), columns=2)


def _one_model(told: Told) -> str:
    """Return why a figure is of one of several models."""
    if told.leader is None or len(told.models) < 2:
        return ""
    return f"Shown is one model, {told.leader.name}, {_why(told)}; tables have all. "


def _why(told: Told) -> str:
    return f"which has the highest mean r over {'groups' if told.groups else 'the best regions'}"


def _dissociation_caption(told: Told, places: Sequence[Place]) -> str:
    found = [one for place in places for source in told.models if (one := told.found(source, place))]
    metric = measured(told.results.primary, told.results.preset).name
    spread = " with 95 % intervals" if has_intervals(found) else f" without 95 % intervals{NO_INTERVALS}"
    parts = (
        f"Each point is a model: agreement of its maps with fixations ({metric}, percent of the human ceiling), and r"
        f"{spread}. Dashed: the best control.",
        SIMULATED_RESPONSES if told.results.simulated else "",
    )
    return " ".join(part for part in parts if part)


def _figure(told: Told, id_: str, title: str, said: str, plots: Sequence[Axes]) -> Figure:
    simulated = told.results.simulated
    return Figure(
        f"{id_}_{told.task}",
        title,
        f"{said} {SIMULATED_RESPONSES}" if simulated else said,
        tuple(plots),
        columns=_COLUMNS,
        simulated=simulated,
        simulated_words=_SIMULATED,
    )


def _sources(told: Told, place: Place, measure: str) -> Axes | None:
    found = [
        (k, source, shown(one, measure))
        for k, source in enumerate(told.sources)
        if (one := told.found(source, place, measure)) is not None
    ]
    if not found:
        return None
    ceilings = [one.finding.ceiling for _, _, one in found if measure == R and known(one.finding.ceiling)]
    return Axes(
        title=place[0],
        x_label="",
        y_label="ρ" if measure == RHO else MEASURES[measure].name,
        series=tuple(part for k, source, one in found for part in _bar(k, source, one)),
        x_ticks=tuple((float(k), source.name) for k, source in enumerate(told.sources)),
        lines=(Line(0.0, "", dashed=False), *_ceiling_line(ceilings)),
        horizontal=True,
        legend=False,
    )


def _ceiling_line(ceilings: Sequence[float]) -> tuple[Line, ...]:
    if not ceilings:
        return ()
    ceiling = float(np.median(ceilings))
    return (Line(ceiling, f"noise ceiling, {number(ceiling)}"),)


def _bar(place: int, source: SourceFacts, one: Shown) -> tuple[Series, Series]:
    """Return a bar with its interval, and the dark mark at its end that says whether it is clear."""
    kind = BASELINE if is_control(source) else source.kind
    bar = Series(source.name, source.colour, kind, _one(place), _one(one.value), marker="", bars=True)
    mark = Series("", _MARK, kind, _one(place), _one(one.value), hollow=not one.is_clear(P_FDR))
    return bar, replace(mark, low=_one(one.low), high=_one(one.high))


def _differences(told: Told, place: Place) -> Axes | None:
    found = _pairs(told, place)
    if not found:
        return None
    return Axes(
        title=place[0],
        x_label="",
        y_label="Difference in r",
        series=tuple(_point(told, k, one) for k, one in enumerate(found)),
        x_ticks=tuple((float(k), _pair_name(told, one)) for k, one in enumerate(found)),
        lines=(Line(0.0, "", dashed=False),),
        horizontal=True,
        legend=False,
    )


def _pairs(told: Told, place: Place) -> list[NeuralFinding]:
    """Return the differences in a region in the order of the sources; where there are many, those of the best model."""
    order = {one.id: k for k, one in enumerate(told.sources)}
    every = _every_pair(told, place)
    found = every if len(every) <= MOST_PAIRS else told.results.differences(told.asked(place, MINUS))
    return sorted(found, key=lambda one: (order.get(one.source, 99), order.get(one.against, 99)))


def _every_pair(told: Told, place: Place) -> list[NeuralFinding]:
    return told.results.of_region(told.asked(place, MINUS), DIFFERENCE, R)


def _pair_name(told: Told, one: NeuralFinding) -> str:
    return f"{told.results.facts(one.source, one.kind).name} − {told.results.facts(one.against).name}"


def _point(told: Told, place: int, one: NeuralFinding) -> Series:
    source = told.results.facts(one.source, one.kind)
    return Series(
        name=source.name,
        colour=source.colour,
        kind=source.kind,
        x=_one(place),
        y=_one(one.estimate),
        low=_one(one.low),
        high=_one(one.high),
        hollow=not shown(one, MINUS).is_clear(P_FDR),
    )


def _one(value: float) -> DoubleArray:
    return np.array([value], dtype=np.float64)
