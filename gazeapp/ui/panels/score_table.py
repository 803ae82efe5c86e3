"""The table of scores: one row a source, one column a metric, each number with its origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gazeapp.engine.project.rows import SummaryRow
from gazeapp.ui import theme
from gazeapp.ui.colours import source_colour
from gazeapp.ui.study import PEOPLE, StudyView

SORT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
CELL_ROLE = int(Qt.ItemDataRole.UserRole) + 2
ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 3

METRICS: dict[str, tuple[str, str]] = {
    "nss": (
        "NSS",
        "Normalised scanpath saliency: mean of the map, in standard deviations above its own mean, where people "
        "fixated. 0 is chance, higher is better. Peters et al. (2005).",
    ),
    "auc": (
        "AUC",
        "Area under the ROC curve for telling fixated pixels from all pixels. 0.5 is chance, 1 is perfect.",
    ),
    "sauc": (
        "sAUC",
        "Shuffled AUC: fixated places against fixations on other images, so that a centre bias earns nothing. "
        "0.5 is chance. Tatler et al. (2005).",
    ),
    "cc": ("CC", "Pearson correlation of the map with the human map. 0 is chance, 1 is the same map."),
    "sim": ("SIM", "Shared area of the map and the human map, both summing to 1: 0 is disjoint, 1 the same."),
    "kl": (
        "KL",
        "Kullback-Leibler divergence of the map from the human map, nats: what is lost by taking the map for "
        "people's. 0 is the same map, lower is better.",
    ),
}
LOWER_IS_BETTER = frozenset({"kl"})

_Index = QModelIndex | QPersistentModelIndex
_KIND_ORDER = {"human": 0, "model": 1, "truth": 2, "baseline": 3}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number and what it is measured against; ``percent`` and the interval are in percent of ceiling."""

    row: SummaryRow | None
    mean: float | None
    percent: float | None = None
    low: float | None = None
    high: float | None = None


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
    from gazeapp.engine.scoring import presets

    names = {p.id: p.name for p in (presets.TUEBINGEN, presets.MIT)}
    return {p: names.get(p, p) for p in sorted({row.preset for row in study.summary}, key=list(names).index)}


def number(value: float | None) -> str:
    """Return a score as it is shown: three decimals below 10, else one."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


class ScoreTable(QAbstractTableModel):
    """Summary rows of one task and preset as a table: source, then one column a metric."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._study: StudyView | None = None
        self._lines: list[_Line] = []
        self._metrics: list[str] = []
        self._task = ""

    def show_rows(self, study: StudyView | None, task: str, preset: str) -> None:
        """Show the summary of ``study`` under ``task`` and ``preset``."""
        self.beginResetModel()
        self._study, self._task = study, task
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
            if not metric:
                return "Source"
            arrow = "  (lower is better)" if metric in LOWER_IS_BETTER else ""
            return METRICS.get(metric, (metric.upper(), ""))[0] + arrow
        if role == Qt.ItemDataRole.ToolTipRole:
            if not metric:
                return "Models, people and baselines. Grey ones are there to compare with."
            return METRICS.get(metric, ("", metric))[1] + (
                "\nThe number is the mean over images; the bar is its share of the human ceiling, which the "
                "tick marks; the whisker is the 95 % interval of that share."
            )
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
            missing = float("-inf")
            return cell.mean if cell and cell.mean is not None else missing
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._explain(line, metric, cell)
        return None

    def metric_at(self, column: int) -> str:
        """Return the metric of a column; empty for the column of sources."""
        return self._metrics[column - 1] if 1 <= column <= len(self._metrics) else ""

    def source_at(self, row: int) -> str:
        """Return the source of a row."""
        return self._lines[row].source

    def can_be_focused(self, row: int) -> bool:
        """Return whether the row's source has a pane in the compare view."""
        return self._lines[row].kind in ("model", "human")

    def row_of(self, source: str | None) -> int:
        """Return the row of a source, -1 when it has none."""
        return next((i for i, line in enumerate(self._lines) if line.source == source), -1)

    def column_of(self, metric: str) -> int:
        """Return the column of a metric, -1 when it has none."""
        return 1 + self._metrics.index(metric) if metric in self._metrics else -1

    def _explain(self, line: _Line, metric: str, cell: Cell | None) -> str:
        if not metric:
            return _about_source(line)
        name = METRICS.get(metric, (metric, ""))[0]
        if cell is None or cell.mean is None:
            return f"{name} of {line.name}: not defined here, or not computed."
        parts = [f"{name} of {line.name}: mean {number(cell.mean)} under the task '{self._task}'."]
        row = cell.row
        if row is None:
            return "\n".join(parts)
        parts.append(f"{row.n_images} images, {row.n_subjects} people.")
        if row.ceiling is not None and line.kind != "human":
            parts.append(f"Human ceiling {number(row.ceiling)} ({estimator_name(row.estimator)}).")
        if cell.percent is not None:
            text = f"{cell.percent:.1f} % of the ceiling"
            if cell.low is not None and cell.high is not None:
                text += f", 95 % bootstrap interval {cell.low:.1f} to {cell.high:.1f} %"
            parts.append(text + ".")
        if row.chance is not None:
            parts.append(f"Chance is {number(row.chance)}.")
        settings = self._study.settings.get(row.settings_id) if self._study else None
        if settings is not None:
            parts.append(f"From settings {settings.hash} of {settings.created[:16].replace('T', ' ')} UTC.")
        return "\n".join(parts)


def _about_source(line: _Line) -> str:
    kinds = {
        "human": "People against people: what the ceiling says is the best that a model can reach.",
        "model": "A model's caption map.",
        "baseline": "A baseline, to compare with: it knows nothing of the image.",
        "truth": "The density that the simulated observers were drawn from.",
    }
    return f"{line.name}. {kinds.get(line.kind, '')}"


def estimator_name(estimator: str) -> str:
    """Return the name of a ceiling's estimator in words."""
    names = {"leave_one_out": "leave one subject out", "loo": "leave one subject out", "split_half": "split half"}
    return names.get(estimator, estimator.replace("_", " "))


def facts_line(study: StudyView, task: str, preset: str) -> str:
    """Return in one line what the table's numbers rest on: task, images, people, estimators."""
    rows = [r for r in study.summary if r.task == task and r.preset == preset]
    if not rows:
        return f"Nothing has been scored under the task '{task}' yet."
    estimators: dict[str, list[str]] = {}
    for row in rows:
        name = METRICS.get(row.metric, (row.metric, ""))[0]
        if row.estimator and name not in estimators.setdefault(row.estimator, []):
            estimators[row.estimator].append(name)
    ceilings = "; ".join(f"{estimator_name(e)} ({', '.join(names)})" for e, names in estimators.items())
    images, people = max(r.n_images for r in rows), max(r.n_subjects for r in rows)
    parts = [f"Task '{task}'", f"{images} images", f"{people} people", f"ceilings: {ceilings}" if ceilings else ""]
    return "  ·  ".join(part for part in parts if part)


def _lines(study: StudyView, rows: list[SummaryRow]) -> list[_Line]:
    by_source: dict[tuple[str, str], dict[str, Cell]] = {}
    ceilings: dict[str, Cell] = {}
    for row in rows:
        cell = Cell(row, row.mean, row.percent, row.ci_low, row.ci_high)
        by_source.setdefault((row.source_kind, row.source), {})[row.metric] = cell
        if row.ceiling is not None and row.source_kind == "model":
            ceilings[row.metric] = Cell(row, row.ceiling, 100.0)
    if ceilings and not any(kind == "human" for kind, _ in by_source):
        by_source["human", PEOPLE] = ceilings
    models = list(study.models)
    made = []
    for (kind, source), cells in by_source.items():
        place = models.index(source) + 1 if source in models else -1
        color = source_colour(0 if kind == "human" else place).name() if kind == "human" or place > 0 else ""
        name = "People (ceiling)" if kind == "human" else study.source_name(source)
        made.append(_Line(kind, PEOPLE if kind == "human" else source, name, color, cells))
    return sorted(made, key=lambda ln: (_KIND_ORDER.get(ln.kind, 9), _place(models, ln.source), ln.name))


def _place(models: list[str], source: str) -> int:
    return models.index(source) if source in models else len(models)


class ScoreDelegate(QStyledItemDelegate):
    """Draws a number with its share of the ceiling as a bar under it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return room for a number, its share and the bar."""
        return QSize(136, 40)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        shades = theme.colors()
        line: _Line = index.data(ROW_ROLE)
        quiet = line.kind in ("baseline", "truth")
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
        painter.drawText(
            area.adjusted(34, 0, -4, 0), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), line.name
        )

    def _paint_cell(
        self, painter: QPainter, area: QRectF, line: _Line, cell: Cell | None, text: QColor, font: QFont
    ) -> None:
        shades = theme.colors()
        inner = area.adjusted(12, 4, -10, -4)
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        painter.setFont(theme.tabular(font))
        painter.setPen(text)
        painter.drawText(inner, right, number(cell.mean if cell else None))
        if cell is None or cell.percent is None:
            return
        small = theme.tabular(font)
        small.setPointSizeF(max(7.0, font.pointSizeF() - 1))
        painter.setFont(small)
        painter.setPen(QColor(shades.muted))
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        painter.drawText(inner, left, f"{cell.percent:.0f} %")
        color = QColor(line.color) if line.color else QColor(shades.faint)
        self._paint_bar(painter, inner, cell, color)

    def _paint_bar(self, painter: QPainter, inner: QRectF, cell: Cell, color: QColor) -> None:
        """Draw the share of the ceiling; the full width is 125 %, the tick is the ceiling."""
        shades = theme.colors()
        width, y = inner.width(), inner.bottom() - 4

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
