"""Read the results of a project in one go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

import numpy as np

from gazeapp.engine.models.given import is_given
from gazeapp.engine.project import MeasureRow, ModelRow, Project, ScoreRow, SettingsRow, SummaryRow
from gazeapp.engine.reports.results.data import ImageValues, Results, SourceFacts, id_and_method
from gazeapp.engine.reports.scores import primary_metric, scored_with
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR, model_colour
from gazeapp.engine.scoring.facts import SOURCES
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.sources import HUMAN, MODEL, shown_name
from gazeapp.engine.types import DoubleArray

_Row = TypeVar("_Row", ScoreRow, MeasureRow)

_KINDS = {HUMAN: 0, MODEL: 1, "baseline": 2, "truth": 3}


def read_results(project: Project, preset: str, *, images: bool = True) -> Results:
    """Return what a project shows under a preset, without lesions.

    Parameters
    ----------
    project
        The project.
    preset
        Metric conventions.
    images
        Whether to read the scores and measures of every image, too: 8 bytes and some 30 µs for each number.
    """
    summary = tuple(row for row in project.scores.summary(preset) if not row.lesion)
    findings = tuple(project.findings.findings(preset=preset))
    models = project.runs.models()
    used = {row.settings_id for row in summary} | {row.settings_id for row in findings}
    settings = {row.id: row for row in project.settings.all() if row.id in used}
    known = {(row.source_kind, row.source, row.method) for row in summary}
    ids = {model.id for model in models}
    told = {_told(row.finding, ids) for row in findings if row.finding.kind}
    # Findings call free maps by their model's id, and maps along given captions with their method.
    scored = known | {(kind, id_, "") for kind, id_, method in known if not is_given(method)}
    known |= told - scored
    return Results(
        preset=preset,
        simulated=project.simulated,
        tasks=tuple(project.tasks.all()),
        primary=primary_metric(project, summary),
        sources=sources(known, models),
        summary=summary,
        findings=findings,
        scores=_scores(project, preset) if images else ImageValues(),
        measures=read_measures(project) if images else ImageValues(),
        settings={row.id: _named(row) for row in settings.values()},
    )


def _told(finding: Finding, models: Collection[str]) -> tuple[str, str, str]:
    """Return kind, id and map method of the source that a finding is about."""
    id_, method = id_and_method(finding.term)
    is_model = finding.term not in models and id_ in models
    return (finding.kind, id_, method) if is_model else (finding.kind, finding.term, "")


def _named(row: SettingsRow) -> str:
    """Return one line that tells settings from others."""
    transform = str(row.values.get("transform") or "none")
    made = "" if transform == "none" else f", maps transformed for each metric ({transform})"
    return f"{row.verb} settings {row.hash[:10]} of {row.created[:16].replace('T', ' ')} UTC{made}"


def sources(known: Iterable[tuple[str, str, str]], models: Sequence[ModelRow]) -> tuple[SourceFacts, ...]:
    """Return sources in the order in which they are shown, with names and colours.

    Parameters
    ----------
    known
        (kind, id, map method) of each, named as `gazeapp.engine.scoring.sources.shown_name` does.
    models
        All models of the project in their stable order.
    """
    rows = {model.id: model for model in models}
    place = {id_: k for k, id_ in enumerate([*rows, *SOURCES])}
    ordered = sorted(
        set(known), key=lambda key: (_KINDS.get(key[0], 9), place.get(key[1], len(place)), key[1], key[2])
    )
    methods = {key[:2]: [one[2] for one in ordered if one[:2] == key[:2]] for key in ordered}
    coloured = [model.id for model in models if model.kind != "truth"]
    return tuple(_source(key, rows.get(key[1]), coloured, methods[key[:2]]) for key in ordered)


def _source(
    key: tuple[str, str, str], model: ModelRow | None, models: Sequence[str], methods: Sequence[str]
) -> SourceFacts:
    kind, id_, method = key
    name = model.name if model else SOURCES.get(id_, id_.replace("_", " ").capitalize())
    return SourceFacts(
        kind=kind,
        id=id_,
        method=method,
        name=shown_name(name, method, methods),
        colour=_colour(kind, id_, models),
        encoder=model.encoder if model else "",
        decoder=model.decoder if model else "",
    )


def _colour(kind: str, id_: str, models: Sequence[str]) -> str:
    if kind == MODEL:
        return model_colour(id_, models)
    return PEOPLE_COLOUR if kind == HUMAN else REFERENCE_COLOUR


def _scores(project: Project, preset: str) -> ImageValues:
    return _by_image(
        project,
        project.scores.each(preset, scored_with(project, preset)),
        lambda row: (row.task, row.metric, row.source_kind, row.source, row.method),
    )


def read_measures(project: Project, names: Collection[str] = ()) -> ImageValues:
    """Return the measures of every image: all, or those of these names."""
    return _by_image(
        project,
        project.findings.measures(names),
        lambda row: (row.task, row.measure, row.against, row.source_kind, row.source, row.method),
    )


def _by_image(project: Project, rows: Iterable[_Row], key: Callable[[_Row], tuple[str, ...]]) -> ImageValues:
    images = project.images.all()
    place = {image.id: k for k, image in enumerate(images)}
    columns: dict[tuple[str, ...], DoubleArray] = {}
    for row in rows:
        if row.lesion or row.value is None:
            continue
        column = columns.setdefault(key(row), np.full(len(images), np.nan))
        column[place[row.image_id]] = row.value
    return ImageValues(tuple(place), tuple(image.name for image in images), columns)


def summary_of(results: Results, source: SourceFacts, task: str, metric: str) -> SummaryRow | None:
    """Return a source's score over images, None where it has none."""
    return next(
        (
            row
            for row in results.summary
            if (row.task, row.metric, row.source_kind, row.source, row.method)
            == (task, metric, source.kind, source.id, source.method)
        ),
        None,
    )
