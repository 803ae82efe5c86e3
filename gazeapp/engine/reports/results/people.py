"""What people are like: how their scanpaths agree, and how well they predict each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.gaze.scanpaths.measures import MEASURES
from gazeapp.engine.reports.numbers import UNKNOWN, number
from gazeapp.engine.reports.results.data import Axes, Cell, Column, Figure, Results, ResultTable, Row, Series
from gazeapp.engine.reports.results.findings import (
    Words,
    dots,
    finding_table,
    finding_tooltip,
    p_cell,
    unit_of,
)
from gazeapp.engine.reports.results.words import (
    CLEAR,
    SIMULATED,
    captioned,
    finite,
    measured,
    value_text,
    with_unit,
)
from gazeapp.engine.reports.scores import in_order
from gazeapp.engine.reports.style import LEVEL_COLOURS, PEOPLE_COLOUR, REFERENCE_COLOUR
from gazeapp.engine.scoring.analyses.scanpaths import OTHER_IMAGES
from gazeapp.engine.scoring.ceilings.observers import ObserverPoint, fitted_limit
from gazeapp.engine.scoring.findings import NAN, OBSERVERS, SCANPATH, Finding
from gazeapp.engine.scoring.sources import BASELINE, HUMAN

_BESIDE = 0.14
_FARTHER = 2.0
"""How far beyond the largest number of people a fit is drawn, times that number."""


def scanpath_table(results: Results, task: str) -> ResultTable | None:
    """Return how alike people's scanpaths are, a row for each measure, beside what other images give."""
    own = results.of(SCANPATH, task)
    if not own:
        return None
    rows = []
    for metric in dict.fromkeys(finding.metric for finding in own):
        people, chance, above = _three(own, metric)
        rows.append(
            Row(
                "",
                with_unit(measured(metric).name, measured(metric).unit),
                "",
                (
                    *(_cell(results, one) for one in (people, chance, above)),
                    p_cell(NAN if above is None else above.p_holm),
                    Cell(
                        UNKNOWN if above is None else number(above.effect),
                        None if above is None else finite(above.effect),
                    ),
                    Cell(UNKNOWN if people is None else number(people.n_images, 0), _n(people)),
                ),
            )
        )
    note = (
        "Mean over images of how alike the scanpaths of different people are, with 95 % intervals. Chance: each other "
        "person's scanpath is taken from another image. p: sign-flip test of the difference over images, two-sided, "
        f"corrected (Holm) over the measures; d_z: mean of the differences / their standard deviation. {CLEAR}"
    )
    return ResultTable(
        f"scanpaths_{task}",
        f"Scanpaths of people, task {task}",
        (
            Column("same_image", "Same image", "", "Two people on the same image."),
            Column("other_images", "Other images", "", "Chance: two people on different images."),
            Column("difference", "Difference", "", "Same image − other images, image by image."),
            Column("p_holm", "p, Holm", "", "p of the difference, corrected for the number of measures."),
            Column("effect", "d_z", "", "Mean of the differences / their standard deviation over images."),
            Column("n_images", "Images", "", "Images that it rests on."),
        ),
        tuple(rows),
        f"{note} {SIMULATED}" if results.simulated else note,
        "Measure",
    )


def scanpath_figure(results: Results, task: str) -> Figure | None:
    """Return how alike scanpaths are as points with intervals beside chance, one plot for each unit."""
    own = [finding for finding in results.of(SCANPATH, task) if not finding.against]
    units = list(dict.fromkeys(finding.unit for finding in own))
    if not own:
        return None
    return Figure(
        id=f"scanpaths_{task}",
        title=f"Scanpaths of people, task {task}",
        caption=captioned(
            results,
            "How alike the scanpaths of different people are on the same image (circles) and, as chance, on different "
            "images (squares), with 95 % intervals.",
        ),
        axes=tuple(
            _scanpath_axes(results, unit, [finding for finding in own if finding.unit == unit])
            for unit in units
        ),
        columns=len(units),
        simulated=results.simulated,
    )


def observer_table(results: Results, metric: str) -> ResultTable | None:
    """Return how well people are predicted from some of the others, a row for each number of them."""
    own = results.of(OBSERVERS, metric=metric)
    if not own:
        return None
    words = Words(
        f"observers_{metric}",
        f"People predicted from some of the others, {measured(metric, results.preset).name}",
        "Other people",
        "Mean over images of the score of one person's fixations on the map of so many others, with 95 % intervals. "
        "A diagnostic of how much more people would help; no percentage is taken of it. "
        "People: all who looked at these images; each of them was predicted."
        + "".join(f" {text}" for text in _limits(own, metric)),
    )
    return finding_table(results, own, words)


def observer_figure(results: Results, metrics: Sequence[str] = ()) -> Figure | None:
    """Return how well people are predicted from 1, 2, 4 ... others, one plot for each metric, a line for each task."""
    own = [finding for finding in results.of(OBSERVERS) if not metrics or finding.metric in metrics]
    shown = in_order(finding.metric for finding in own if is_count(finding))
    if not shown:
        return None
    return Figure(
        id="observers",
        title="How well people are predicted from some of the others",
        caption=captioned(
            results,
            "Score of one person's fixations on the map of so many other people: mean over images with 95 % intervals; "
            "dotted: limit − loss · n^−power, fitted. "
            "A curve that still rises says that more people would raise what is known of where people look. It is a "
            "diagnostic: no percentage is taken of it, nor of any limit that a fit to it has.",
        ),
        axes=tuple(
            _observer_axes(results, metric, [finding for finding in own if finding.metric == metric])
            for metric in shown
        ),
        columns=min(len(shown), 3),
        simulated=results.simulated,
    )


def is_count(finding: Finding) -> bool:
    """Return whether a finding about observers is of a number of them, not of a fit."""
    return finding.term.isdecimal()


def _three(own: Sequence[Finding], metric: str) -> tuple[Finding | None, Finding | None, Finding | None]:
    """Return a measure's findings of people, of chance and of their difference."""
    found = {(finding.term, finding.against): finding for finding in own if finding.metric == metric}
    return (
        next((one for (term, against), one in found.items() if term != OTHER_IMAGES and not against), None),
        found.get((OTHER_IMAGES, "")),
        next((one for (_, against), one in found.items() if against), None),
    )


def _cell(results: Results, finding: Finding | None) -> Cell:
    if finding is None:
        return Cell(UNKNOWN)
    return Cell(
        value_text(finding.estimate, finding.metric),
        finite(finding.estimate),
        finding_tooltip(results, finding),
        finite(finding.low),
        finite(finding.high),
    )


def _n(finding: Finding | None) -> float | None:
    return None if finding is None else float(finding.n_images)


def _scanpath_axes(results: Results, unit: str, own: Sequence[Finding]) -> Axes:
    metrics = list(dict.fromkeys(finding.metric for finding in own))
    series = []
    named: set[bool] = set()
    for finding in own:
        chance = finding.kind == BASELINE
        series.append(
            dots(
                results,
                [finding],
                [metrics.index(finding.metric) + (_BESIDE if chance else -_BESIDE)],
                name="" if chance in named else "Other images" if chance else "Same image",
                colour=REFERENCE_COLOUR if chance else PEOPLE_COLOUR,
            )
        )
        named.add(chance)
    farther = any(metric in MEASURES and not MEASURES[metric].higher_is_better for metric in metrics)
    return Axes(
        title="Distance" if farther else "Similarity",
        x_label="",
        y_label=unit or "0: nothing in common, 1: the same",
        series=tuple(series),
        x_ticks=tuple((float(k), measured(metric).name) for k, metric in enumerate(metrics)),
        horizontal=True,
    )


def _observer_axes(results: Results, metric: str, own: Sequence[Finding]) -> Axes:
    tasks = list(dict.fromkeys(finding.task for finding in own))
    about = measured(metric, results.preset)
    series = []
    for k, task in enumerate(tasks):
        curve = _curve(own, task)
        if curve:
            series.append(
                dots(
                    results,
                    curve,
                    [float(finding.term) for finding in curve],
                    name=f"Task {task}" if task else "People",
                    colour=LEVEL_COLOURS[k % len(LEVEL_COLOURS)],
                    joined=True,
                )
            )
            series += _fit(curve, series[-1].colour, "" if k else "fit, no ceiling")
    return Axes(
        title=about.name,
        x_label="Other people",
        y_label=with_unit(about.name, unit_of(own[0])),
        series=tuple(series),
        x_log=True,
    )


def _limits(own: Sequence[Finding], metric: str) -> list[str]:
    """Return what the fitted curve of each task tends to, which is no ceiling."""
    found = []
    for task in dict.fromkeys(one.task for one in own):
        fit = fitted_limit(_points(_curve(own, task)))
        if fit is not None:
            of_task = f" of the task {task}" if task else ""
            found.append(
                f"The fitted curve{of_task} tends to {value_text(fit.limit, metric)}: a fit, no ceiling."
            )
    return found


def _curve(own: Sequence[Finding], task: str) -> list[Finding]:
    """Return the findings of a task about numbers of observers, from few to many."""
    return sorted(
        (finding for finding in own if finding.task == task and is_count(finding)),
        key=lambda finding: int(finding.term),
    )


def _points(curve: Sequence[Finding]) -> list[ObserverPoint]:
    return [ObserverPoint(int(one.term), one.estimate, one.low, one.high, one.n_images) for one in curve]


def _fit(curve: Sequence[Finding], colour: str, name: str) -> list[Series]:
    """Return the fitted curve of some numbers of observers, dotted and beyond the data; none with few numbers."""
    fit = fitted_limit(_points(curve))
    if fit is None:
        return []
    sizes = np.geomspace(int(curve[0].term), _FARTHER * int(curve[-1].term), 60)
    return [
        Series(
            name=name,
            colour=colour,
            kind=HUMAN,
            x=sizes,
            y=fit.at(sizes),
            joined=True,
            marker="",
            dashed=True,
        )
    ]
