"""The table of scores: one row a source, one column a metric, each number with its origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gazeapp.engine.project.rows import SummaryRow
from gazeapp.engine.reports import numbers
from gazeapp.engine.scoring.facts import ESTIMATORS, METRICS, SOURCE_MEANINGS, is_lower_bound, metric_facts
from gazeapp.engine.scoring.presets import MIT, TUEBINGEN
from gazeapp.ui import theme
from gazeapp.ui.colours import source_colour
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import plain

SORT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
CELL_ROLE = int(Qt.ItemDataRole.UserRole) + 2
ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 3

_Index = QModelIndex | QPersistentModelIndex
_HALF_VS_HALF = "half_vs_half"
_KIND_ORDER = {"ceiling": 0, "model": 1, "human": 2, "truth": 3, "baseline": 4}
_LOWER_BOUND = ("100 %, lower bound", "lower bound")
_QUIET = frozenset({"human", "truth", "baseline"})


@dataclass(frozen=True, slots=True)
class Cell:
    """One number and what it is measured against; ``percent`` and the interval are in percent of ceiling.

    A ``reference`` stands where a metric has no ceiling: half of the people scored against the other half.
    """

    row: SummaryRow
    mean: float | None
    percent: float | None = None
    low: float | None = None
    high: float | None = None
    reference: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    kind: str
    source: str
    name: str
    color: str
    cells: dict[str, Cell]


def preset_names(study: StudyView | None) -> dict[str, str]:
    """Return the presets that a study has been scored with, id to name."""
    if study is None:
        return {}
    names = {preset.id: preset.name for preset in (TUEBINGEN, MIT)}
    found = {row.preset for row in study.summary}
    return {p: names.get(p, p) for p in [*names, *sorted(found - names.keys())] if p in found}


def metric_name(metric: str) -> str:
    """Return the name of a metric, such as ``NSS``."""
    facts = METRICS.get(metric)
    return facts.name if facts else metric.upper()


def number(value: float | None) -> str:
    """Return a score as it is shown: three decimals below 10, else one."""
    return numbers.number(value, 3 if value is None or abs(value) < 10 else 1)


class ScoreTable(QAbstractTableModel):
    """Summary rows of one task and preset as a table: source, then one column a metric."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._study: StudyView | None = None
        self._lines: list[_Line] = []
        self._metrics: list[str] = []
        self._task = ""
        self._preset = ""

    def show_rows(self, study: StudyView | None, task: str, preset: str) -> None:
        """Show the summary of ``study`` under ``task`` and ``preset``."""
        self.beginResetModel()
        self._study, self._task, self._preset = study, task, preset
        rows = [
            row
            for row in (study.summary if study else ())
            if row.task == task and row.preset == preset and not row.lesion
        ]
        found = {row.metric for row in rows}
        self._metrics = [m for m in METRICS if m in found] + sorted(found - METRICS.keys())
        self._lines = _lines(study, rows) if study else []
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of sources."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return one for the source and one a metric."""
        return 0 if parent.isValid() else 1 + len(self._metrics)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return names of the metrics, and what they mean as tooltips."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        metric = self.metric_at(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return metric_name(metric) if metric else "Source"
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(about_metric(metric, self._preset)) if metric else _ABOUT_SOURCES
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if metric else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return what a cell shows, sorts by and says of itself."""
        line = self._lines[index.row()]
        metric = self.metric_at(index.column())
        cell = line.cells.get(metric)
        if role == ROW_ROLE:
            return line
        if role == CELL_ROLE:
            return cell
        if role == Qt.ItemDataRole.DisplayRole:
            return line.name if not metric else number(cell.mean if cell else None)
        if role == SORT_ROLE:
            if not metric:
                return f"{_KIND_ORDER.get(line.kind, 9)}{line.name}"
            return cell.mean if cell and cell.mean is not None else float("-inf")
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(self._explain(line, metric, cell))
        return None

    def metric_at(self, column: int) -> str:
        """Return the metric of a column; empty for the column of sources."""
        return self._metrics[column - 1] if 1 <= column <= len(self._metrics) else ""

    def source_at(self, row: int) -> str:
        """Return the source of a row."""
        return self._lines[row].source

    def can_be_focused(self, row: int) -> bool:
        """Return whether the row's source has a pane in the compare view."""
        source = self._lines[row].source
        return source == PEOPLE or (self._study is not None and source in self._study.models)

    def row_of(self, source: str | None) -> int:
        """Return the row of a source, -1 when it has none."""
        return next((i for i, line in enumerate(self._lines) if line.source == source), -1)

    def column_of(self, metric: str) -> int:
        """Return the column of a metric, -1 when it has none."""
        return 1 + self._metrics.index(metric) if metric in self._metrics else -1

    def _explain(self, line: _Line, metric: str, cell: Cell | None) -> str:
        if not metric:
            return _about_source(line)
        name = metric_name(metric)
        if cell is None or cell.mean is None:
            return f"{name} of {line.name}: not defined here, or not computed."
        row = cell.row
        facts = METRICS.get(metric)
        unit = f" {facts.unit}" if facts and facts.unit else ""
        parts = [f"{name} of {line.name}: {number(cell.mean)}{unit}, mean under the task '{self._task}'."]
        parts.append(f"{row.n_images} images, {row.n_subjects} people.")
        if cell.reference:
            parts.append(f"{name} has no ceiling; this is a reference, and nothing is a share of it.")
        if line.kind == "human" or cell.reference:
            parts.append(SOURCE_MEANINGS.get(row.source, ""))
        if row.ceiling is not None:
            parts.append(
                f"Human ceiling {number(row.ceiling)}: {ESTIMATORS.get(row.estimator, row.estimator)}."
            )
            if is_lower_bound(row.estimator):
                parts.append("A good model can pass 100 %, as people's own agreement allows more than that.")
        if cell.percent is not None:
            text = f"{numbers.number(cell.percent, 1)} % of the ceiling"
            if cell.low is not None and cell.high is not None:
                text += (
                    f", 95 % interval over images and people {numbers.number(cell.low, 1)} to "
                    f"{numbers.number(cell.high, 1)} %"
                )
            parts.append(text + ".")
        if row.chance is not None:
            parts.append(f"Chance is {number(row.chance)}.")
        settings = self._study.settings.get(row.settings_id) if self._study else None
        if settings is not None:
            parts.append(f"From settings {settings.hash} of {settings.created[:16].replace('T', ' ')} UTC.")
        return "\n".join(parts)


_ABOUT_SOURCES = "Models and, in grey, what to compare them with."


def about_metric(metric: str, preset: str) -> str:
    """Return what a metric means by the conventions of a preset, its formula, and what 100 % is."""
    if metric not in METRICS:
        return metric
    facts = metric_facts(metric, preset)
    better = "Higher is better." if facts.higher_is_better else "Lower is better."
    return (
        f"{facts.meaning} {better}\n{facts.formula}\n{facts.ceiling}\nThe number is the mean over images; the "
        "bar is its share of the ceiling, which the tick marks, with the 95 % interval (over images and people)."
    )


def _about_source(line: _Line) -> str:
    kinds = {
        "ceiling": "What people's own agreement allows: 100 %.",
        "model": "The mean map of the model's caption.",
        "human": "People scored on maps of people.",
    }
    return f"{line.name}. {SOURCE_MEANINGS.get(line.source) or kinds.get(line.kind, '')}"


def facts_line(study: StudyView, task: str, preset: str) -> tuple[str, str]:
    """Return what the table's numbers rest on, in one line, and the estimators of the ceilings."""
    rows = [r for r in study.summary if r.task == task and r.preset == preset]
    if not rows:
        return f"Nothing has been scored under the task '{task}' yet.", ""
    estimators = {
        metric_name(r.metric): ESTIMATORS.get(r.estimator, r.estimator) for r in rows if r.estimator
    }
    images, people = max(r.n_images for r in rows), max(r.n_subjects for r in rows)
    line = f"task '{task}'  ·  {images} images  ·  {people} people  ·  bars: percent of the human ceiling"
    return line, "\n".join(f"{name}: {words}" for name, words in estimators.items())


def _lines(study: StudyView, rows: list[SummaryRow]) -> list[_Line]:
    by_source: dict[tuple[str, str], dict[str, Cell]] = {}
    ceiling: dict[str, Cell] = {}
    for row in rows:
        # Estimators of how people do are for different metrics, so one line holds them all.
        key = (row.source_kind, PEOPLE if row.source_kind == "human" else row.source)
        cell = Cell(row, row.mean, row.percent, row.ci_low, row.ci_high)
        if row.mean is not None or row.metric not in by_source.get(key, {}):
            by_source.setdefault(key, {})[row.metric] = cell
        if row.ceiling is not None and row.percent is not None:
            ceiling[row.metric] = Cell(row, row.ceiling, 100.0)
    for row in rows:
        if row.source == _HALF_VS_HALF and row.metric not in ceiling and row.mean is not None and ceiling:
            ceiling[row.metric] = Cell(row, row.mean, reference=True)
    models = study.model_ids
    made = (
        [_Line("ceiling", PEOPLE, "Human ceiling", source_colour(PEOPLE, models).name(), ceiling)]
        if ceiling
        else []
    )
    for (kind, source), cells in by_source.items():
        color = source_colour(source, models).name() if source in models else ""
        name = "People vs people" if kind == "human" else study.source_name(source)
        made.append(_Line(kind, source, name, color, cells))
    return sorted(made, key=lambda ln: (_KIND_ORDER.get(ln.kind, 9), _place(models, ln.source), ln.name))


def _place(models: Sequence[str], source: str) -> int:
    return models.index(source) if source in models else len(models)


def _fitting(wordings: Sequence[str], painter: QPainter, room: float) -> str:
    """Return the first wording that fits into ``room`` px, else the last."""
    metrics = painter.fontMetrics()
    return next((text for text in wordings if metrics.horizontalAdvance(text) <= room), wordings[-1])


class ScoreDelegate(QStyledItemDelegate):
    """Draws a number with its share of the ceiling as a bar under it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        shades = theme.colors()
        line: _Line = index.data(ROW_ROLE)
        quiet = line.kind in _QUIET
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(shades.accent_soft if selected else shades.hover))
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 5, 5)
        text = QColor(shades.muted if quiet else shades.text)
        if index.column() == 0:
            self._paint_source(painter, area, line, text, option.font)
        else:
            self._paint_cell(painter, area, line, index.data(CELL_ROLE), text, option.font)
        painter.restore()

    def _paint_source(self, painter: QPainter, area: QRectF, line: _Line, text: QColor, font: QFont) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        if line.color:
            painter.setBrush(QColor(line.color))
            painter.drawEllipse(QRectF(area.left() + 16, area.center().y() - 4, 8, 8))
        painter.setPen(text)
        painter.setFont(font)
        room = area.adjusted(34, 0, -4, 0)
        name = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), name)

    def _paint_cell(
        self, painter: QPainter, area: QRectF, line: _Line, cell: Cell | None, text: QColor, font: QFont
    ) -> None:
        inner = area.adjusted(10, 3, -10, -3)
        upper, lower = QRectF(inner), QRectF(inner)
        upper.setBottom(inner.center().y() + 1)
        lower.setTop(inner.center().y() + 2)
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.setFont(theme.tabular(font))
        painter.setPen(QColor(theme.colors().muted) if cell is not None and cell.reference else text)
        painter.drawText(upper, right, number(cell.mean if cell else None))
        if cell is None or cell.percent is None:
            return
        small = theme.tabular(font)
        small.setPointSizeF(max(7.0, font.pointSizeF() - 1))
        painter.setFont(small)
        painter.setPen(QColor(theme.colors().muted))
        if line.kind == "ceiling" and is_lower_bound(cell.row.estimator):
            painter.drawText(lower, right, _fitting(_LOWER_BOUND, painter, lower.width()))
            return
        painter.drawText(lower, right, numbers.percent(cell.percent))
        lower.setRight(lower.right() - painter.fontMetrics().horizontalAdvance("000 % "))
        self._paint_bar(painter, lower, cell, QColor(line.color or theme.colors().faint))

    def _paint_bar(self, painter: QPainter, inner: QRectF, cell: Cell, color: QColor) -> None:
        """Draw the share of the ceiling; the full width is 125 %, the tick is the ceiling."""
        shades = theme.colors()
        width, y = inner.width(), inner.center().y()

        def place(percent: float) -> float:
            return inner.left() + width * min(max(percent, 0.0), 125.0) / 125.0

        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(shades.hover))
        painter.drawRoundedRect(QRectF(inner.left(), y - 2, width, 4), 2, 2)
        painter.setBrush(color)
        share = cell.percent or 0.0
        if share > 0:
            painter.drawRoundedRect(QRectF(inner.left(), y - 2, place(share) - inner.left(), 4), 2, 2)
        painter.setPen(QPen(QColor(shades.muted), 1))
        painter.drawLine(int(place(100)), int(y - 5), int(place(100)), int(y + 4))
        if cell.low is not None and cell.high is not None:
            painter.setPen(QPen(QColor(shades.text), 1.2))
            painter.drawLine(int(place(cell.low)), int(y), int(place(cell.high)), int(y))
