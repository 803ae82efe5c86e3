"""The table of recordings with the geometry that holds for each, and where each part of it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from gazeapp.engine.gaze.geometry import PLACEMENTS, Geometry
from gazeapp.engine.gaze.records import IMAGE
from gazeapp.engine.workflows.geometry_preview import RecordingGeometry, StudyGeometry
from gazeapp.ui.widgets import plain

_Index = QModelIndex | QPersistentModelIndex
_HEADER = ("Recording", "Screen", "Image on the screen", "Distance", "Screen width", "Px per degree")
_PARTS = ("", "screen", "placement", "distance_cm", "screen_width_cm", "px_per_deg")
_SHORT = {
    "recorded": "as recorded",
    "own size": "own size, middle",
    "fit": "fitted",
    "fill": "fills the screen",
    "explicit": "at a given place",
}
_FROM = {
    "you": "You said so.",
    "file": "The recording's file says so.",
    "project": "It is the project's default.",
    "reckoned": "Reckoned from the viewing distance and the screen's width in cm and in px.",
}
_ON_IMAGE = "on the image"


class GeometryTable(QAbstractTableModel):
    """The project's default in the first row, then a recording a row; what was edited is bold."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._study: StudyGeometry | None = None
        self._said: Mapping[int | None, Geometry] = {}

    def show_study(self, study: StudyGeometry) -> None:
        """Show the recordings of a study."""
        self.beginResetModel()
        self._study = study
        self.endResetModel()

    def show_said(self, said: Mapping[int | None, Geometry]) -> None:
        """Show what is said now in place of what the study holds."""
        self._said = dict(said)
        last = self.index(self.rowCount() - 1, len(_HEADER) - 1)
        self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the default and the recordings."""
        return 0 if self._study is None or (parent and parent.isValid()) else 1 + len(self._study.recordings)

    def columnCount(self, _parent: _Index | None = None) -> int:
        """Return the parts of a geometry and the recording's name."""
        return len(_HEADER)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Name the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADER[section]
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return a value with where it comes from."""
        if self._study is None:
            return None
        row = self._study.recordings[index.row() - 1] if index.row() else None
        if role == Qt.ItemDataRole.FontRole and (None if row is None else row.id) in self._said:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        if index.column() == 0:
            name = "Project's default" if row is None else PurePath(row.file).name
            tip = "Holds where neither you nor the file says anything." if row is None else row.file
            return name if role == Qt.ItemDataRole.DisplayRole else plain(tip)
        value, source = self._cell(row, _PARTS[index.column()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return _FROM.get(source, "Nobody says; say it below.")
        return f"{value} · {source}" if source else value

    def _cell(self, row: RecordingGeometry | None, part: str) -> tuple[str, str]:
        """Return a part of the geometry of a row, and where it comes from."""
        study = self._study
        default = self._said.get(None, study.default if study else Geometry())
        if row is None:
            own, recorded, holds = default, Geometry(), default
        else:
            own, recorded = self._said.get(row.id, row.said), row.recorded
            holds = own.over(recorded.over(default))
            if row.frame.of == IMAGE and part in ("screen", "placement"):
                return _ON_IMAGE, ""
        value = getattr(holds, part)
        if part == "px_per_deg" and value is None:
            reckoned = holds.screen_px_per_degree
            return (f"{reckoned:.2f}", "reckoned") if reckoned else ("–", "")
        if not value:
            return (_SHORT["recorded"] if part == "placement" else "–", "")
        if getattr(own, part):
            source = "" if row is None else "you"
        else:
            source = "file" if getattr(recorded, part) else "project"
        return _words(part, value), source


def _words(part: str, value: Any) -> str:
    if part == "screen":
        return f"{value[0]:g} × {value[1]:g} px"
    if part == "placement":
        return _SHORT.get(value, PLACEMENTS[value])
    return f"{value:g} cm" if part.endswith("_cm") else f"{value:.2f}"
