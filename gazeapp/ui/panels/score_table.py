"""Scores as a table: one row a source, one column a metric or a task, each number with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gazeapp.engine.project.rows import SummaryRow
from gazeapp.engine.reports import numbers
from gazeapp.engine.reports.results.data import Cell, Column, ResultTable
from gazeapp.engine.reports.results.words import interval_words
from gazeapp.engine.scoring.facts import (
    ESTIMATORS,
    METRICS,
    PERCENT,
    SOURCE_MEANINGS,
    is_lower_bound,
    metric_facts,
)
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.engine.scoring.sources import shown_name
from gazeapp.ui.colours import source_colour
from gazeapp.ui.panels.results_cells import CEILING, GROUP, ShareCell
from gazeapp.ui.panels.results_table import SourceRow
from gazeapp.ui.study import PEOPLE, StudyView

OF_TASK, OF_METRIC = "scores_of_task", "scores_of_metric"
"""Ids of the tables of scores: metrics across for one task, tasks across for one metric."""

_HALF_VS_HALF = "half_vs_half"
_PEOPLE_ROWS = ("loso_mixture", "loso", _HALF_VS_HALF)
"""Estimators of how people do that share a row, as they are for different metrics: the first that there is."""
_KIND_ORDER = {CEILING: 0, "model": 1, "human": 2, "truth": 3, GROUP: 4, "baseline": 5}
_GROUP_FROM = 3
_ABOUT_SOURCES = "Models and, in grey, what to compare them with."


@dataclass(frozen=True, slots=True)
class _Line:
    kind: str
    source: str
    name: str
    colour: str
    cells: Mapping[str, ShareCell]


def preset_names(study: StudyView | None) -> dict[str, str]:
    """Return the presets that a study has been scored with, id to name."""
    if study is None:
        return {}
    names = {preset.id: preset.name for preset in PRESETS.values()}
    found = {row.preset for row in study.summary}
    return {p: names.get(p, p) for p in [*names, *sorted(found - names.keys())] if p in found}


def metric_name(metric: str) -> str:
    """Return the name of a metric, such as ``NSS``."""
    facts = METRICS.get(metric)
    return facts.name if facts else metric.upper()


def number(value: float | None) -> str:
    """Return a score as it is shown: three decimals below 10, else one."""
    return numbers.number(value, 3 if value is None or abs(value) < 10 else 1)


def scored_metrics(study: StudyView, preset: str, task: str | None = None) -> list[str]:
    """Return the metrics with scores under a preset, and a task or any, in the order in which they are shown."""
    found = {row.metric for row in study.summary if row.preset == preset and task in (None, row.task)}
    return [m for m in METRICS if m in found] + sorted(found - METRICS.keys())


def score_table(study: StudyView, preset: str, *, task: str = "", metric: str = "") -> ResultTable:
    """Return the scores of one task, a column for each metric, or those of one metric, a column for each task."""
    rows = [
        row
        for row in study.summary
        if row.preset == preset and not row.lesion and task in ("", row.task) and metric in ("", row.metric)
    ]
    if task:
        columns = [
            Column(name, metric_name(name), "", about_metric(name, preset))
            for name in scored_metrics(study, preset, task)
        ]
    else:
        about = about_metric(metric, preset)
        columns = [Column(name, name, "", about) for name in study.tasks if any(r.task == name for r in rows)]
    keys = [column.id for column in columns]
    lines = _lines(study, rows, "metric" if task else "task")
    return ResultTable(
        id=OF_TASK if task else OF_METRIC,
        title=f"Scores under the task '{task}'" if task else metric_name(metric),
        columns=tuple(columns),
        rows=tuple(
            SourceRow(
                line.kind,
                line.name,
                line.colour,
                tuple(line.cells.get(key) or _missing(line, columns[k]) for k, key in enumerate(keys)),
                line.source,
                _about_source(line),
            )
            for line in lines
        ),
        note=_ABOUT_SOURCES,
    )


def is_scores(table: ResultTable) -> bool:
    """Return whether a table is one of scores with their shares of the ceiling."""
    return table.id in (OF_TASK, OF_METRIC)


def spelled_out(table: ResultTable) -> ResultTable:
    """Return a table of scores with everything in a column of its own: mean, ceiling, percent and its interval."""
    columns: list[Column] = []
    for column in table.columns:
        columns += [
            column,
            Column(f"{column.id}_ceiling", f"{column.name} ceiling"),
            Column(f"{column.id}_percent", f"{column.name} share", "% of ceiling"),
        ]
    rows = []
    for row in table.rows:
        if row.kind == GROUP:
            continue
        cells: list[Cell] = []
        for cell in row.cells:
            share = cell if isinstance(cell, ShareCell) else ShareCell(cell.text)
            ceiling = share.row.ceiling if share.row is not None else None
            cells += [
                Cell(share.text, share.value, share.tooltip),
                Cell(number(ceiling), ceiling),
                Cell(
                    numbers.percent(share.percent), share.percent, "", share.percent_low, share.percent_high
                ),
            ]
        rows.append(SourceRow(row.kind, row.name, row.colour, tuple(cells), getattr(row, "source", "")))
    return ResultTable(table.id, table.title, tuple(columns), tuple(rows), table.note, table.row_header)


def about_metric(metric: str, preset: str) -> str:
    """Return what a metric means by the conventions of a preset, its formula, and what 100 % is."""
    if metric not in METRICS:
        return metric
    facts = metric_facts(metric, preset)
    better = "Higher is better." if facts.higher_is_better else "Lower is better."
    return (
        f"{facts.meaning} {better}\n{facts.formula}\n{facts.ceiling}\nThe number is the mean over images; the "
        "bar is its share of the ceiling, which the tick marks, with the 95 % interval."
    )


def facts_line(study: StudyView, task: str, preset: str) -> tuple[str, str]:
    """Return what the table's numbers rest on, in one line, and the estimators of the ceilings."""
    rows = [r for r in study.summary if task in ("", r.task) and r.preset == preset]
    if not rows:
        if task and not any(under == task for _, under in study.fixations):
            return f"Nobody's gaze is in use under “{task}”, so nothing can be scored under it.", ""
        return f"Nothing has been scored under the task '{task}' yet.", ""
    estimators = {
        metric_name(r.metric): ESTIMATORS.get(r.estimator, r.estimator) for r in rows if r.estimator
    }
    images, people = max(r.n_images for r in rows), max(r.n_subjects for r in rows)
    under = f"task '{task}'" if task else "all tasks"
    line = f"{under}  ·  {images} images  ·  {people} people  ·  bars: percent of the human ceiling"
    return line, "\n".join(f"{name}: {words}" for name, words in estimators.items())


def _lines(study: StudyView, rows: Sequence[SummaryRow], across: str) -> list[_Line]:
    """Return a line for each source; ``across`` is the field of a row that names its column."""
    by_source: dict[tuple[str, str], dict[str, ShareCell]] = {}
    ceiling: dict[str, ShareCell] = {}
    methods = _methods(rows)
    for row in rows:
        column = str(getattr(row, across))
        source = f"{row.source}\0{row.method}" if row.source_kind == "model" else row.source
        key = (row.source_kind, PEOPLE if row.source in _PEOPLE_ROWS else source)
        if _comes_before(row, by_source.get(key, {}).get(column)):
            by_source.setdefault(key, {})[column] = _cell(study, row)
        if row.ceiling is not None and row.percent is not None:
            ceiling[column] = _ceiling_cell(study, row)
    for row in rows:
        column = str(getattr(row, across))
        if row.source == _HALF_VS_HALF and column not in ceiling and row.mean is not None:
            ceiling[column] = _reference_cell(study, row)
    made = []
    if any(not cell.reference for cell in ceiling.values()) or (ceiling and across == "task"):
        colour = source_colour(PEOPLE, study.model_ids).name()
        made.append(_Line(CEILING, PEOPLE, "Human ceiling", colour, ceiling))
    for (kind, key), cells in by_source.items():
        source, _, method = key.partition("\0")
        name = "People vs people" if source == PEOPLE else study.source_name(source)
        colour = source_colour(source, study.model_ids).name() if source in study.model_ids else ""
        made.append(_Line(kind, source, shown_name(name, method, methods.get(source, ())), colour, cells))
    made += _baseline_group([line for line in made if line.kind == "baseline"], across, rows)
    models = study.model_ids
    return sorted(made, key=lambda ln: (_KIND_ORDER.get(ln.kind, 9), _place(models, ln.source), ln.name))


def _comes_before(row: SummaryRow, there: ShareCell | None) -> bool:
    """Return whether a row's number is shown rather than the one that is there."""
    if there is None or there.row is None or there.row.mean is None:
        return True
    if row.mean is None:
        return False
    ranks = [_PEOPLE_ROWS.index(s) if s in _PEOPLE_ROWS else 0 for s in (row.source, there.row.source)]
    return ranks[0] < ranks[1] or row.source == there.row.source


def _methods(rows: Sequence[SummaryRow]) -> dict[str, set[str]]:
    """Return the map methods that each model was scored by."""
    methods: dict[str, set[str]] = {}
    for row in rows:
        if row.source_kind == "model":
            methods.setdefault(row.source, set()).add(row.method)
    return methods


def _baseline_group(baselines: Sequence[_Line], across: str, rows: Sequence[SummaryRow]) -> list[_Line]:
    """Return the heading of the baselines, with the best of them in each column; none for a few of them."""
    if len(baselines) < _GROUP_FROM:
        return []
    best: dict[str, ShareCell] = {}
    for column in {str(getattr(row, across)) for row in rows}:
        found = [(line.cells[column], line.name) for line in baselines if column in line.cells]
        known = [(cell, name) for cell, name in found if cell.value is not None]
        if not known:
            continue
        metric = known[0][0].row.metric if known[0][0].row is not None else ""
        sign = 1.0 if metric not in METRICS or METRICS[metric].higher_is_better else -1.0
        cell, name = max(known, key=lambda pair: sign * (pair[0].value or 0.0))
        tip = f"The best of {len(known)} baselines: {name}.\n{cell.tooltip}"
        best[column] = ShareCell(
            cell.text,
            cell.value,
            tip,
            percent=cell.percent,
            percent_low=cell.percent_low,
            percent_high=cell.percent_high,
            row=cell.row,
        )
    return [_Line(GROUP, "", f"Best of {len(baselines)} baselines", "", best)]


def _cell(study: StudyView, row: SummaryRow) -> ShareCell:
    return ShareCell(
        number(row.mean),
        row.mean,
        _explain(study, row, _name_of(study, row)),
        percent=row.percent,
        percent_low=row.ci_low,
        percent_high=row.ci_high,
        row=row,
    )


def _ceiling_cell(study: StudyView, row: SummaryRow) -> ShareCell:
    about = [
        f"{metric_name(row.metric)} of the human ceiling: {number(row.ceiling)}, task '{row.task}'.",
        f"{row.n_images} images, {row.n_subjects} people.",
        f"{ESTIMATORS.get(row.estimator, row.estimator)}.".capitalize(),
    ]
    if is_lower_bound(row.estimator):
        about.append("A good model can pass 100 %, as people's own agreement allows more than that.")
    about += [_chance(row), _origin(study, row)]
    return ShareCell(
        number(row.ceiling),
        row.ceiling,
        "\n".join(part for part in about if part),
        percent=100.0,
        lower_bound=is_lower_bound(row.estimator),
        row=row,
    )


def _reference_cell(study: StudyView, row: SummaryRow) -> ShareCell:
    name = metric_name(row.metric)
    about = (
        f"{name} of half of the people against the other half: {number(row.mean)}, task '{row.task}'.\n"
        f"{name} has no ceiling; this is a reference, and nothing is a share of it.\n"
        f"{row.n_images} images, {row.n_subjects} people.\n"
        f"{SOURCE_MEANINGS.get(row.source, '')}\n{_origin(study, row)}"
    )
    return ShareCell(number(row.mean), row.mean, about.rstrip(), reference=True, row=row)


def _missing(line: _Line, column: Column) -> ShareCell:
    return ShareCell(number(None), None, f"{column.name} of {line.name}: not defined here, or not computed.")


def _name_of(study: StudyView, row: SummaryRow) -> str:
    if row.source_kind == "human":
        return "people"
    return shown_name(study.source_name(row.source), row.method)


def _explain(study: StudyView, row: SummaryRow, name: str) -> str:
    """Return the number in a sentence, its definition, what it is held against, and what made it."""
    metric = metric_name(row.metric)
    if row.mean is None:
        return f"{metric} of {name}: not defined here, or not computed."
    facts = metric_facts(row.metric, row.preset) if row.metric in METRICS else None
    unit = f" {facts.unit}" if facts and facts.unit else ""
    parts = [
        f"{metric} of {name}: {number(row.mean)}{unit}, mean under the task '{row.task}'.",
        f"{row.n_images} images, {row.n_subjects} people.",
    ]
    if facts is not None:
        parts.append(facts.formula)
    if row.source_kind in ("human", "baseline", "truth"):
        parts.append(SOURCE_MEANINGS.get(row.source, ""))
    if row.ceiling is not None:
        held = "Human ceiling" if row.percent is not None else "Held against"
        parts.append(f"{held} {number(row.ceiling)}: {ESTIMATORS.get(row.estimator, row.estimator)}.")
        if is_lower_bound(row.estimator):
            parts.append("A good model can pass 100 %, as people's own agreement allows more than that.")
    if row.percent is not None:
        parts.append(_share_text(row))
    parts += [_chance(row), _origin(study, row)]
    return "\n".join(part for part in parts if part)


def _share_text(row: SummaryRow) -> str:
    text = f"{numbers.number(row.percent, 1)} % of the ceiling"
    if row.ci_low is not None and row.ci_high is not None:
        how = f" ({interval_words(row.interval)})" if row.interval else ""
        text += f", 95 % interval {numbers.number(row.ci_low, 1)} to {numbers.number(row.ci_high, 1)} %{how}"
    return f"{text}.\n{PERCENT}"


def _chance(row: SummaryRow) -> str:
    return "" if row.chance is None else f"Chance is {number(row.chance)}."


def _origin(study: StudyView, row: SummaryRow) -> str:
    settings = study.settings.get(row.settings_id)
    if settings is None:
        return ""
    made = f"From settings {settings.hash} of {settings.created[:16].replace('T', ' ')} UTC"
    transform = settings.values.get("transform", "none")
    return f"{made}; preset {row.preset}" + (f"; maps: {transform}." if transform != "none" else ".")


def _about_source(line: _Line) -> str:
    kinds = {
        CEILING: "What people's own agreement allows: 100 %.",
        "model": "The mean map of the model's caption.",
        "human": "People scored on maps of people: of the others, or half against half.",
        GROUP: "In each column the best baseline. Click, or press space, to show or hide them all.",
    }
    return f"{line.name}. {SOURCE_MEANINGS.get(line.source) or kinds.get(line.kind, '')}"


def _place(models: Sequence[str], source: str) -> int:
    return models.index(source) if source in models else len(models)
