"""Write tables as CSV and figures as SVG, PDF or PNG."""

from __future__ import annotations

import base64
import io
import math
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.reports.files import replacing
from gazeapp.engine.reports.results.data import Axes, Figure, Line, ResultTable, Series
from gazeapp.engine.reports.tables import cell, csv_line
from gazeapp.engine.types import DoubleArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Plot
    from matplotlib.figure import Figure as Canvas

FIGURE_SUFFIXES = (".svg", ".pdf", ".png")
PNG_DPI = 300
_ROW_INCHES = 0.235
_BAR = 0.66
_QUIET = "#6B6B6B"
_TEXT = "#1D1D1B"
_GRID = "#E4E4E0"
_TITLE = 27
"""Characters of a title beyond which it is broken into lines."""
_MANY = 1000
"""Dots of a series above which they are drawn as a picture in SVG and PDF, too."""
_SIMULATED = "#7A3EA8"
_NAMES_INCHES = 0.072
"""Width of one character of a label."""
_HANDLE_INCHES = 0.5
"""Width of the sample of colour in a legend, with the space about it."""
_PLOT_INCHES = {1: 4.4, 2: 2.9, 3: 2.1}
"""Width of a plot whose rows are named, by how many stand side by side; more are as wide as three."""
_BETWEEN = 0.85
"""Share of that width that is left between a plot's edges."""

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _QUIET,
    "axes.labelcolor": _TEXT,
    "text.color": _TEXT,
    "xtick.color": _QUIET,
    "ytick.color": _QUIET,
    "xtick.labelcolor": _TEXT,
    "ytick.labelcolor": _TEXT,
    "axes.unicode_minus": True,
    # Names come from users: a dollar sign is a dollar sign.
    "text.parse_math": False,
    # Text stays text, and the same figure gives the same bytes.
    "svg.fonttype": "none",
    "svg.hashsalt": "gazeapp",
    "pdf.fonttype": 42,
}


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its file's suffix says: ``.svg``, ``.pdf`` or ``.png`` (300 dpi).

    Raises
    ------
    GazeError
        If the suffix is another one, or the file cannot be written; an older one stays as it was.
    """
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise GazeError(
            "Figures are written as SVG, PDF or PNG.",
            where=str(path),
            todo="Give a name that ends in .svg, .pdf or .png.",
        )
    content = figure_bytes(figure, path.suffix.lower().removeprefix("."))
    with replacing(path) as part:
        part.write_bytes(content)


def figure_bytes(figure: Figure, format: str) -> bytes:
    """Return a figure as the bytes of an SVG, PDF or PNG file, the same ones for the same figure.

    Parameters
    ----------
    figure
        What is drawn.
    format
        ``svg``, ``pdf`` or ``png``.
    """
    import matplotlib as mpl

    # No date: the same figure gives the same bytes.
    metadata = {
        "svg": {"Date": None, "Title": figure.title, "Description": figure.caption},
        "pdf": {"CreationDate": None, "Title": figure.title, "Subject": figure.caption},
        "png": {"Title": figure.title, "Description": figure.caption},
    }
    buffer = io.BytesIO()
    with mpl.rc_context(cast(Any, _STYLE)), warnings.catch_warnings():
        # Names may hold signs that the font lacks; in SVG they stay text, which other fonts show.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        _drawn(figure).savefig(buffer, format=format, dpi=PNG_DPI, metadata=cast(Any, metadata[format]))
    return buffer.getvalue()


def write_table_csv(table: ResultTable, path: Path) -> int:
    """Write a table as CSV and return its number of rows: UTF-8, full precision, a line of headers.

    The unit of a number stands in its header; a column with intervals is followed by two for their ends.
    Text that a spreadsheet would take for a formula is made harmless.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for line in table_lines(table):
            file.write(csv_line(line))
    return len(table.rows)


def table_lines(table: ResultTable) -> Iterator[list[str]]:
    """Yield the cells of a table as text, headers first, with numbers at full precision."""
    ends = [any(row.cells[k].low is not None for row in table.rows) for k in range(len(table.columns))]
    header = [table.row_header, "kind"]
    for column, has_ends in zip(table.columns, ends, strict=True):
        name = f"{column.id} ({column.unit})" if column.unit else column.id
        header += [name, f"{column.id}_ci_low", f"{column.id}_ci_high"] if has_ends else [name]
    yield [cell(text, "text") for text in header]
    numeric = [any(row.cells[k].value is not None for row in table.rows) for k in range(len(table.columns))]
    for row in table.rows:
        line = [cell(row.name, "text"), row.kind]
        for one, has_ends, is_number in zip(row.cells, ends, numeric, strict=True):
            line.append(cell(one.value, "number") if is_number else cell(one.text, "text"))
            if has_ends:
                line += [cell(one.low, "number"), cell(one.high, "number")]
        yield line


def _drawn(figure: Figure) -> Canvas:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = max(1, min(figure.columns, len(figure.axes)))
    rows = math.ceil(len(figure.axes) / columns)
    width, height = _size(figure, columns)
    canvas = Canvas(
        figsize=(width, height * rows + 0.25),
        layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04),
    )
    FigureCanvasAgg(canvas)
    for place, axes in enumerate(figure.axes):
        plot = canvas.add_subplot(rows, columns, place + 1)
        first = place % columns == 0 or axes.x_ticks != figure.axes[place - 1].x_ticks
        _plot(plot, axes, named=first or not axes.horizontal)
        if axes.horizontal:
            _thin_out(plot, _BETWEEN * _PLOT_INCHES.get(columns, _PLOT_INCHES[3]))
        if _has_legend(figure, place, columns):
            plot.legend(
                loc="upper left",
                bbox_to_anchor=(1.0, 1.0),
                frameon=False,
                handlelength=1.6,
                borderaxespad=0.3,
            )
    if figure.simulated:
        canvas.supxlabel(figure.simulated_words, x=0.995, ha="right", fontsize=7, color=_SIMULATED)
    return canvas


def _size(figure: Figure, columns: int) -> tuple[float, float]:
    """Return the width of the figure and the height of one row of plots, inches."""
    flat = [axes for axes in figure.axes if axes.horizontal]
    if not flat:
        return max(3.6, 3.1 * columns), 2.9
    longest = max((len(name) for axes in flat for _, name in axes.x_ticks), default=0)
    rows = max(len(axes.x_ticks) for axes in flat)
    each = _PLOT_INCHES.get(columns, _PLOT_INCHES[3])
    width = longest * _NAMES_INCHES + each * columns + _legend_inches(figure, columns)
    return width, 0.95 + _ROW_INCHES * max(rows, 3)


def _plot(plot: Plot, axes: Axes, *, named: bool) -> None:
    for line in axes.lines:
        _line(plot, axes, line)
    for series in axes.series:
        _series(plot, axes, series)
    if axes.title:
        plot.set_title(fill(axes.title, _TITLE), loc="left", fontweight="bold")
    (plot.set_xlabel if axes.horizontal else plot.set_ylabel)(axes.y_label)
    (plot.set_ylabel if axes.horizontal else plot.set_xlabel)(axes.x_label)
    if axes.x_ticks:
        _ticks(plot, axes, named=named)
    elif axes.x_log:
        _numbered(plot, axes)
    plot.grid(axis="x" if axes.horizontal else "y", color=_GRID, linewidth=0.7)
    if not axes.x_ticks and not axes.horizontal:
        plot.grid(axis="x", color=_GRID, linewidth=0.7)
    plot.set_axisbelow(True)


def _legend(axes: Axes) -> list[str]:
    """Return what a legend would name."""
    named = [*(one.label for one in axes.lines), *(one.name for one in axes.series)]
    return [name for name in named if name]


def _has_legend(figure: Figure, place: int, columns: int) -> bool:
    """Return whether a plot has a legend: those side by side with the same one share it, at the end of the row."""
    axes = figure.axes[place]
    behind = figure.axes[place + 1 : place + 2] if (place + 1) % columns else ()
    named = _legend(axes)
    return axes.legend and len(named) > 1 and all(named != _legend(other) for other in behind)


def _legend_inches(figure: Figure, columns: int) -> float:
    """Return the width that legends need beside the columns of plots, which are all equally wide."""
    longest: dict[int, int] = {}
    for place, axes in enumerate(figure.axes):
        if _has_legend(figure, place, columns):
            column = place % columns
            longest[column] = max(longest.get(column, 0), *map(len, _legend(axes)))
    return sum(length * _NAMES_INCHES + _HANDLE_INCHES for length in longest.values())


def _ticks(plot: Plot, axes: Axes, *, named: bool) -> None:
    places = [place for place, _ in axes.x_ticks]
    names = [name for _, name in axes.x_ticks]
    ends = (min(places) - 0.6, max(places) + 0.6)
    if axes.horizontal:
        plot.set_yticks(places, names if named else [""] * len(names))
        plot.set_ylim(ends[1], ends[0])
        plot.tick_params(axis="y", length=0)
        plot.spines["left"].set_visible(False)
    else:
        crowded = sum(len(name) for name in names) > 34
        plot.set_xticks(places, names, rotation=30 if crowded else 0, ha="right" if crowded else "center")
        plot.set_xlim(*ends)


def _numbered(plot: Plot, axes: Axes) -> None:
    """Label a logarithmic axis by the positions that there are."""
    places = sorted({float(x) for series in axes.series for x in series.x if not series.dashed})
    plot.set_xscale("log")
    plot.set_xticks(places, [f"{place:g}" for place in places])
    plot.minorticks_off()


def _thin_out(plot: Plot, inches: float) -> None:
    """Have as many numbers along x as do not touch each other: those of a small range have many digits."""
    from matplotlib.ticker import MaxNLocator

    for n in (6, 5, 4, 3, 2):
        plot.xaxis.set_major_locator(MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]))
        low, high = plot.get_xlim()
        places = [place for place in plot.xaxis.get_majorticklocs() if low <= place <= high]
        numbers = plot.xaxis.get_major_formatter().format_ticks(places)
        gap = inches * np.diff(places).min(initial=np.inf) / (high - low)
        if (max(map(len, numbers), default=0) + 1) * _NAMES_INCHES <= gap:
            return


def _line(plot: Plot, axes: Axes, line: Line) -> None:
    style: dict[str, Any] = {
        "color": _TEXT if line.dashed else _QUIET,
        "linewidth": 1.0,
        "linestyle": (0, (4, 3)) if line.dashed else "-",
        "label": line.label if line.label and axes.legend else "_",
        "zorder": 1.5,
    }
    if line.along == "both":
        plot.axline((0.0, 0.0), slope=1.0, **style)
    elif (line.along == "y") == axes.horizontal:
        plot.axvline(line.value, **style)
    else:
        plot.axhline(line.value, **style)


def _series(plot: Plot, axes: Axes, series: Series) -> None:
    across, up = (series.y, series.x) if axes.horizontal else (series.x, series.y)
    label = series.name if series.name and axes.legend else "_"
    if series.bars:
        draw: Callable[..., Any] = (
            partial(plot.barh, height=_BAR) if axes.horizontal else partial(plot.bar, width=_BAR)
        )
        base = np.zeros(len(series.y)) if series.base is None else series.base
        where = {"left" if axes.horizontal else "bottom": base}
        draw(series.x, series.y - base, **where, color=series.colour, alpha=0.85, label=label, zorder=2)
    if series.joined:
        plot.plot(
            across,
            up,
            color=series.colour,
            linewidth=1.4,
            linestyle=":" if series.dashed else "-",
            label="_" if series.marker else label,
            zorder=2.5,
        )
    _intervals(plot, axes, series)
    if series.marker:
        many = series.small
        plot.plot(
            across,
            up,
            linestyle="none",
            marker=series.marker,
            markersize=3.2 if many else 5.5,
            markerfacecolor="white" if series.hollow else series.colour,
            markeredgecolor=series.colour if series.hollow else "none" if many else "white",
            markeredgewidth=1.2 if series.hollow else 0.0 if many else 0.6,
            alpha=_opacity(len(series.y)) if many else 1.0,
            label=label,
            zorder=3 if many else 4,
            # Thousands of dots as text would make a file that no program opens gladly.
            rasterized=len(series.y) > _MANY,
        )


def _intervals(plot: Plot, axes: Axes, series: Series) -> None:
    if series.low is None or series.high is None:
        return
    has = np.isfinite(series.low) & np.isfinite(series.high) & np.isfinite(series.y)
    if not has.any():
        return
    # An interval need not hold its estimate: the percentile bootstrap promises no such thing.
    centre: DoubleArray = (series.low[has] + series.high[has]) / 2
    half: DoubleArray = (series.high[has] - series.low[has]) / 2
    where = (centre, series.x[has]) if axes.horizontal else (series.x[has], centre)
    error: dict[str, Any] = {"xerr" if axes.horizontal else "yerr": half}
    plot.errorbar(
        *where,
        **error,
        fmt="none",
        ecolor=_TEXT if series.bars else series.colour,
        elinewidth=1.1 if series.bars else 1.4,
        capsize=2.2,
        capthick=1.1,
        zorder=3.5,
    )


def _opacity(n: int) -> float:
    """Return how opaque each of many dots is: the more there are, the less."""
    return min(0.7, max(0.12, 25.0 / max(n, 1)))


def figure_uri(figure: Figure) -> str:
    """Return a figure as an SVG in a ``data:`` address, for a page that loads nothing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(figure_bytes(figure, 'svg')).decode('ascii')}"
