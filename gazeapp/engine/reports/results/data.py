"""Tables and figures as plain data: what they show, not how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

from gazeapp.engine.models.given import is_given
from gazeapp.engine.project import FindingRow, SummaryRow
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.types import DoubleArray


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    id
        Stable name, the column's header in a CSV file.
    name
        Header to show.
    unit
        Unit of the column's numbers; empty for a pure number or text.
    meaning
        What it holds, for a tooltip.
    """

    id: str
    name: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text, and the number behind it at full precision.

    Parameters
    ----------
    text
        What is shown; a dash where there is no number.
    value
        The number, in the unit of the column; None for text and for unknown numbers.
    tooltip
        Definition, estimator, numbers of images and people, settings; lines.
    low, high
        Ends of the 95 % interval; None without one.
    """

    text: str
    value: float | None = None
    tooltip: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row: what it is about, and a cell for each column.

    Parameters
    ----------
    kind
        ``model``, ``human``, ``baseline`` or ``truth``; empty where it is about no source.
    name
        What it is about.
    colour
        ``#RRGGBB`` of the source; empty where it is about none.
    cells
        One for each column of the table.
    """

    kind: str
    name: str
    colour: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table of results; ``row_header`` is the header above the names of the rows, ``note`` how to read it."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    row_header: str = "Source"


@dataclass(frozen=True, slots=True)
class Line:
    """A reference line at a value, such as the ceiling or chance.

    ``along`` is the coordinate that it fixes: ``y`` (the values), ``x`` (the positions), or ``both`` for the
    line on which x and y are equal, where ``value`` is not used. A ``named`` one stands in the legend of the window
    also where its points do not.
    """

    value: float
    label: str
    along: str = "y"
    dashed: bool = True
    named: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Points of one kind with their intervals.

    Parameters
    ----------
    name
        Name in the legend; empty for a series that the legend leaves out.
    colour
        ``#RRGGBB``.
    kind
        ``model``, ``human``, ``baseline``, ``truth`` or empty.
    x, y
        Position (a number, or the place of a category) and value of each point, shape (n,).
    low, high
        Ends of the 95 % intervals of ``y``, shape (n,); NaN where a point has none; empty for none at all.
    texts
        A tooltip for each point; empty for none.
    keys
        (image id, source id) of each point that stands for one image, so that a click can open it.
    about
        (region, kind, source id) of each point that stands for a region and a source, so that a click can choose them.
    joined
        Whether a line joins the points in order.
    marker
        ``o``, ``s``, ``D``, ``^``; empty for no marker.
    dashed
        Whether the joining line is dotted: a fit, or a diagnostic.
    bars
        Whether each point is a bar to its value.
    base
        Where each bar begins, shape (n,); at 0 unless given, as in bars that are stacked.
    small
        Whether the points are one of many, drawn small and translucent.
    hollow
        Whether markers are drawn as outlines: a second value beside the one that counts.
    """

    name: str
    colour: str
    kind: str
    x: DoubleArray
    y: DoubleArray
    low: DoubleArray | None = None
    high: DoubleArray | None = None
    texts: tuple[str, ...] = ()
    keys: tuple[tuple[int, str] | None, ...] = ()
    about: tuple[tuple[str, str, str], ...] = ()
    joined: bool = False
    marker: str = "o"
    dashed: bool = False
    bars: bool = False
    base: DoubleArray | None = None
    small: bool = False
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """One plot of a figure.

    Parameters
    ----------
    title, x_label, y_label
        Texts; ``y_label`` names the value.
    series
        What is drawn, in order.
    x_ticks
        (position, label) of categories; empty for an axis of numbers.
    lines
        Reference lines.
    horizontal
        Whether values lie along the horizontal axis and positions run down the vertical one, so that long
        names can be read; x stays the position and y the value.
    x_log
        Whether positions are on a logarithmic scale.
    legend
        Whether a legend names the series; not needed where the positions are called by their names.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    x_ticks: tuple[tuple[float, str], ...] = ()
    lines: tuple[Line, ...] = ()
    horizontal: bool = False
    x_log: bool = False
    legend: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one or more plots side by side, at most ``columns`` in a row.

    ``caption`` says how to read it; a ``simulated`` one says in the picture itself, in ``simulated_words``, what is.
    """

    id: str
    title: str
    caption: str
    axes: tuple[Axes, ...]
    columns: int = 2
    simulated: bool = False
    simulated_words: str = "Simulated observers"


@dataclass(frozen=True, slots=True)
class Section:
    """One analysis: its id and title, sentences that read its numbers, tables, figures.

    ``measures`` says what was measured: (name, meaning, formula) of each measure that it shows.
    """

    id: str
    title: str
    readings: tuple[str, ...]
    tables: tuple[ResultTable, ...]
    figures: tuple[Figure, ...]
    measures: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source of maps as it is shown: what it is, its name and colour, and what a model is made of."""

    kind: str
    id: str
    method: str
    name: str
    colour: str
    encoder: str = ""
    decoder: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ImageValues:
    """Numbers image by image: a column for each key.

    Parameters
    ----------
    image_ids, names
        Ids and names of the images, shape (n_images,).
    columns
        Key -> values, shape (n_images,), NaN where there is none. The key of a score is
        (task, metric, kind, source, method); of a measure (task, measure, against, kind, source, method).
    """

    image_ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    columns: dict[tuple[str, ...], DoubleArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a study shows under one preset, without lesions: all that tables and figures are made of.

    Parameters
    ----------
    preset
        Metric conventions.
    simulated
        Whether people are simulated observers; every figure then says so.
    tasks
        Names of the tasks in their order.
    primary
        Metric that the study is led by.
    sources
        People, models, baselines and truths in the order in which they are shown.
    summary
        Scores over images.
    findings
        Findings of every analysis.
    scores, measures
        Scores and measures image by image; empty where they were not asked for.
    settings
        Settings id -> one line that names them, for tooltips.
    """

    preset: str
    simulated: bool = False
    tasks: tuple[str, ...] = ()
    primary: str = "nss"
    sources: tuple[SourceFacts, ...] = ()
    summary: tuple[SummaryRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    scores: ImageValues = field(default_factory=ImageValues)
    measures: ImageValues = field(default_factory=ImageValues)
    settings: dict[int, str] = field(default_factory=dict)

    def of(self, analysis: str, task: str | None = None, metric: str | None = None) -> list[Finding]:
        """Return the findings of an analysis, of one task and metric or of all."""
        return [
            row.finding
            for row in self.findings
            if row.finding.analysis == analysis
            and task in (None, row.finding.task)
            and metric in (None, row.finding.metric)
        ]

    def source(self, id: str, kind: str = "") -> SourceFacts | None:
        """Return a source by its id (and kind), or by ``id (map method)``; None where the study has none of these.

        The id alone is that of free maps, never of maps along given captions.
        """
        own = [one for one in self.sources if kind in ("", one.kind)]
        return next(
            (one for one in own if one.id == id and not is_given(one.method)),
            next((one for one in own if (one.id, one.method) == id_and_method(id)), None),
        )


def id_and_method(term: str) -> tuple[str, str]:
    """Return id and map method of a model that is called ``id (method)``; without a method as it is."""
    id_, between, method = term.rpartition(" (")
    return (id_, method.removesuffix(")")) if between and method.endswith(")") else (term, "")
