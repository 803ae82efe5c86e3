"""Write a report out as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gazeapp.engine.reports import numbers, pictures, sentences
from gazeapp.engine.reports.content import Report
from gazeapp.engine.reports.files import replacing
from gazeapp.engine.reports.mixed_models import mixed_model_code
from gazeapp.engine.reports.plain import plain, printable
from gazeapp.engine.reports.results.data import Cell, ResultTable
from gazeapp.engine.reports.results.draw import figure_uri
from gazeapp.engine.reports.scores import higher_is_better
from gazeapp.engine.resources import resource_path
from gazeapp.engine.scoring import facts
from gazeapp.engine.scoring.ceilings.from_maps import N_RANK_SPLITS
from gazeapp.engine.scoring.statistics.two_way import MIN_IMAGES, MIN_PEOPLE


def render(report: Report) -> str:
    """Return the report as HTML; every text in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(resource_path("report")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_control_characters,
    )
    environment.filters.update(
        metric=sentences.metric_name,
        domain=sentences.domain_name,
        format_name=sentences.format_name,
        number=numbers.number,
        plain=plain,
        capital=_capital,
        sentence=lambda text: f"{_capital(text)}.",
        score=numbers.metric_value,
        percent=numbers.percent,
        listed=lambda items: numbers.listed([str(item) for item in items]),
        counted=numbers.count,
        data_uri=_data_uri,
        source_name=lambda source: facts.SOURCES.get(source, source),
        p_value=numbers.p_value,
        family=sentences.family_name,
        model_kind=sentences.model_kind,
        figure_uri=figure_uri,
        estimator=lambda name: facts.ESTIMATORS.get(name, name.replace("_", " ")),
    )
    environment.globals.update(
        interval=numbers.interval,
        digits=numbers.digits,
        facts=facts.METRICS,
        map_metrics=[metric.id for metric in facts.METRICS.values() if metric.against == "maps"],
        rank_splits=N_RANK_SPLITS,
        metric_facts=facts.metric_facts,
        ceilings=facts.CEILINGS,
        is_lower_bound=facts.is_lower_bound,
        percent_formula=facts.PERCENT,
        interval_formula=facts.INTERVAL,
        people_formula=facts.PEOPLE_VARIANCE,
        both_formula=facts.BOTH_VARIANCE,
        least_images=MIN_IMAGES,
        least_people=MIN_PEOPLE,
        source_meanings=facts.SOURCE_MEANINGS,
        higher_is_better=higher_is_better,
        is_number=_is_number,
        ends=_ends,
        gradient=pictures.gradient(),
        mixed_model_code=mixed_model_code,
        scale_position=lambda value, high: f"{100 * float(pictures.scale_position(value, high)):.1f}",
        # Ours, not the user's: the only text that is not escaped.
        style=Markup(resource_path("report", "report.css").read_text(encoding="utf-8")),
    )
    return environment.get_template("report.html.jinja").render(report=report)


def write(report: Report, path: Path) -> int:
    """Write the report to ``path`` in one step and return its size, bytes.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    content = render(report).encode()
    with replacing(path) as partial:
        partial.write_bytes(content)
    return len(content)


def _without_control_characters(value: object) -> object:
    """Return what stands in the place of a value: captions and names may hold characters that are no text."""
    return printable(value) if type(value) is str else value


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _is_number(table: ResultTable, column: int) -> bool:
    """Return whether a column of a table of results holds numbers."""
    return any(row.cells[column].value is not None for row in table.rows)


def _ends(cell: Cell) -> str:
    """Return the interval of a cell with as many decimals as its text has."""
    decimals = len(cell.text.rstrip("\u00a0%").partition(".")[2])
    return numbers.interval(cell.low, cell.high, decimals)


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
