"""The table of regions by sources as a picture, its cells coloured."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gazeapp.engine.neural.surface.colouring import DIVERGING, SEQUENTIAL, colour_table
from gazeapp.engine.reports.files import replacing
from gazeapp.engine.reports.neural.data import Drawn
from gazeapp.engine.reports.results.neural_figures import MOST_ROWS
from gazeapp.engine.reports.results.neural_heat import Heat, HeatCell, filtered
from gazeapp.engine.reports.results.neural_measures import SIMULATED_RESPONSES
from gazeapp.engine.reports.results.words import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Plot
    from matplotlib.figure import Figure as Canvas

_ROW_INCHES, _COLUMN_INCHES, _BAR_INCHES = 0.215, 0.62, 1.1
_LETTER_INCHES = 0.072
_TEXT, _QUIET, _SIMULATED = "#1D1D1B", "#6B6B6B", "#7A3EA8"
_BOLD = ", bold where p < 0.05, corrected for false discovery over the regions of a source"
_DARK = 0.55
"""Luminance of a cell above which its number is written in a dark colour."""


def heat_drawn(made: Heat, simulated: bool) -> Drawn | None:
    """Return the table of regions by sources as a picture; of many regions those that are predicted best.

    Parameters
    ----------
    made
        The table.
    simulated
        Whether responses are simulated; the picture then says so.
    """
    if not made.table.rows:
        return None
    shown = _most(made)
    tested = any(one is not None and known(one.finding.p_fdr) for line in made.numbers for one in line)
    n, cut = len(made.table.rows), len(shown.table.rows) < len(made.table.rows)
    parts = [
        f"{shown.label}{_BOLD if tested else ''}.",
        f"The {len(shown.table.rows)} of {n} regions with the highest number; encoding.csv of the export has all."
        if cut
        else "",
        SIMULATED_RESPONSES if simulated else "",
    ]
    content = base64.b64encode(heat_bytes(shown, simulated)).decode("ascii")
    caption = " ".join(part for part in parts if part)
    return Drawn("Every region by every source", caption, f"data:image/svg+xml;base64,{content}")


def write_heat(made: Heat, simulated: bool, path: Path) -> None:
    """Write the table of all regions as an SVG picture.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    content = heat_bytes(made, simulated)
    with replacing(path) as partial:
        partial.write_bytes(content)


def heat_bytes(made: Heat, simulated: bool) -> bytes:
    """Return the table as the bytes of an SVG file, the same ones for the same table."""
    import matplotlib as mpl

    style = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 8.5,
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "gazeapp",
    }
    buffer = io.BytesIO()
    with mpl.rc_context(cast(Any, style)):
        metadata: Any = {"Date": None, "Title": made.table.title}
        _canvas(made, simulated).savefig(buffer, format="svg", metadata=metadata)
    return buffer.getvalue()


def _most(made: Heat) -> Heat:
    rows = made.table.rows
    if len(rows) <= MOST_ROWS:
        return made
    top = sorted(rows, key=lambda row: -max((cell.value or 0.0 for cell in row.cells), default=0.0))
    names = {row.name for row in top[:MOST_ROWS]}
    return filtered(made, lambda name: name in names)


def _canvas(made: Heat, simulated: bool) -> Canvas:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    rows, columns = made.table.rows, made.table.columns
    left = _LETTER_INCHES * max(len(row.name) for row in rows) + 0.15
    head = 0.75 * _LETTER_INCHES * max(len(column.name) for column in columns) + 0.2
    width, height = _COLUMN_INCHES * len(columns), _ROW_INCHES * len(rows)
    slant = 0.62 * head  # names lean to the right of the last column
    size = (left + width + max(_BAR_INCHES, slant), head + height + 0.3)
    canvas = Canvas(figsize=size)
    FigureCanvasAgg(canvas)
    plot = canvas.add_axes((left / size[0], 0.3 / size[1], width / size[0], height / size[1]))
    _cells(plot, made)
    tall = min(height, 2.6) / size[1]
    bar = canvas.add_axes(
        ((left + width + 0.18) / size[0], (0.3 + height) / size[1] - tall, 0.13 / size[0], tall)
    )
    low, high = made.limits
    scale = np.linspace(0, 255, 256).astype(int)[:, None]
    bar.imshow(_table(made)[scale], aspect="auto", origin="lower", extent=(0.0, 1.0, low, high))
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel(made.label, color=_TEXT)
    bar.tick_params(length=2, color=_QUIET, labelcolor=_TEXT)
    for spine in bar.spines.values():
        spine.set_visible(False)
    if simulated:
        canvas.text(
            1 - 0.05 / size[0],
            0.06 / size[1],
            "Simulated responses",
            ha="right",
            fontsize=7,
            color=_SIMULATED,
        )
    return canvas


def _cells(plot: Plot, made: Heat) -> None:
    rows, columns = made.table.rows, made.table.columns
    low, high = made.limits
    table = _table(made)
    for down, row in enumerate(rows):
        for across, cell in enumerate(row.cells):
            if cell.value is None:
                continue
            share = (cell.value - low) / (high - low)
            colour = table[int(np.clip(round(255 * share), 0, 255))] / 255.0
            plot.add_patch(_square(across, down, colour))
            dark = float(colour @ np.array([0.2126, 0.7152, 0.0722])) > _DARK
            plot.text(
                across,
                down,
                cell.text,
                ha="center",
                va="center_baseline",
                fontsize=7.5,
                color=_TEXT if dark else "white",
                fontweight="bold" if isinstance(cell, HeatCell) and cell.is_clear else "normal",
            )
    plot.set_xlim(-0.5, len(columns) - 0.5)
    plot.set_ylim(len(rows) - 0.5, -0.5)
    plot.set_yticks(range(len(rows)), [row.name for row in rows])
    plot.xaxis.tick_top()
    plot.set_xticks(range(len(columns)), [column.name for column in columns])
    for label in plot.get_xticklabels():
        label.set(rotation=40, ha="left", rotation_mode="anchor")
    plot.tick_params(length=0, labelcolor=_TEXT)
    for spine in plot.spines.values():
        spine.set_visible(False)


def _square(across: int, down: int, colour: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (across - 0.5, down - 0.5), 1.0, 1.0, facecolor=tuple(colour), edgecolor="white", linewidth=0.8
    )


def _table(made: Heat) -> Any:
    return colour_table(DIVERGING if made.symmetric else SEQUENTIAL)
