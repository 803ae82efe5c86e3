"""Taking results along: copying cells, tables and origins, saving tables and figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from gazeapp.engine.reports.results.data import ResultTable
from gazeapp.ui.folders import FIGURES, TABLES, ask_where_to_save
from gazeapp.ui.panels.results_corner import TakeMenu
from gazeapp.ui.panels.results_figure import FigureView
from gazeapp.ui.panels.results_reading import figure_work, picture_work, table_work
from gazeapp.ui.panels.results_table import ResultView, as_text
from gazeapp.ui.panels.score_table import is_scores, spelled_out
from gazeapp.ui.session import Session
from gazeapp.ui.worker import JobState

_TABLES = "Tables (*.csv)"
_FIGURES = "Vector graphics (*.svg);;PDF (*.pdf);;Pictures, 300 dpi (*.png)"


class Taking(QObject):
    """Copies and saves the table and the figure in sight; files are written on the reader's thread."""

    said = Signal(str)
    """What was done, in a few words."""
    failed = Signal(object)
    """A :class:`JobError`: something could not be written."""

    def __init__(self, panel: QWidget, table: ResultView, figure: FigureView, session: Session) -> None:
        super().__init__(panel)
        self._panel = panel
        self._table = table
        self._figure = figure
        self._session = session
        self._saving: set[int] = set()
        self._copying = 0
        self.name = "results"
        self.menu = TakeMenu(panel)
        self.menu.aboutToShow.connect(self._explain)
        self.menu.copy.triggered.connect(self.copy_table)
        self.menu.origin.triggered.connect(self.copy_origin)
        self.menu.picture.triggered.connect(self.copy_figure)
        self.menu.table.triggered.connect(self._ask_for_table)
        self.menu.figure.triggered.connect(self._ask_for_figure)
        table.menu_asked.connect(self._table_menu)
        figure.menu_asked.connect(self._figure_menu)
        session.reader.changed.connect(self._job_changed)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy_table)

    @Slot()
    def copy_table(self) -> None:
        """Put the selected cells, or the whole table where only one is selected, on the clipboard."""
        table = self._whole()
        if table is None:
            return
        text = self._table.selected_text() or as_text(table, table.rows)
        QGuiApplication.clipboard().setText(text)
        n = text.count("\n") - 1
        self.said.emit(f"{n} {'row' if n == 1 else 'rows'} copied")

    @Slot()
    def copy_origin(self) -> None:
        """Put what the current number says of itself on the clipboard."""
        index = self._table.currentIndex()
        if index.isValid():
            row, column = self._table.place_of(index)
            cell = self._table.results.cell(row, column)
            QGuiApplication.clipboard().setText(
                cell.tooltip if cell is not None else self._table.results.rows[row].name
            )
            self.said.emit("Origin copied")

    @Slot()
    def copy_figure(self) -> None:
        """Put the figure in sight on the clipboard, drawn as it is saved."""
        figure = self._figure.figure
        if figure is not None:
            self._copying = self._session.reader.submit("Drawing a figure", picture_work(figure), None)

    def save_table(self, path: Path) -> None:
        """Write the table in sight as CSV."""
        table = self._whole()
        if table is not None:
            self._save(path, table_work(table, path))

    def save_figure(self, path: Path) -> None:
        """Write the figure in sight as SVG, PDF or PNG, as its name ends."""
        figure = self._figure.figure
        if figure is not None:
            self._save(path, figure_work(figure, path))

    def _whole(self) -> ResultTable | None:
        table = self._table.results.table
        return spelled_out(table) if table is not None and is_scores(table) else table

    @Slot()
    def _ask_for_table(self) -> None:
        table = self._table.results.table
        path = self._ask("Save table", TABLES, _TABLES, table.id, ".csv") if table is not None else None
        if path is not None:
            self.save_table(path)

    @Slot()
    def _ask_for_figure(self) -> None:
        figure = self._figure.figure
        path = self._ask("Save figure", FIGURES, _FIGURES, figure.id, ".svg") if figure is not None else None
        if path is not None:
            self.save_figure(path)

    def _ask(self, title: str, kind: str, pattern: str, what: str, suffix: str) -> Path | None:
        folder = self._session.path.parent if self._session.path is not None else None
        whole = what if what.startswith(f"{self.name}_") else f"{self.name}_{what}"
        name = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in whole)
        path = ask_where_to_save(self._panel, title, kind, pattern, f"{name}{suffix}", folder)
        return path.with_suffix(suffix) if path is not None and not path.suffix else path

    def _save(self, path: Path, work: Callable[[Any, Any], str]) -> None:
        self._saving.add(self._session.reader.submit(f"Writing {path.name}", work, None))

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in (*self._saving, self._copying):
            return
        self._saving.discard(state.id)
        if state.error is not None:
            self.failed.emit(state.error)
        elif state.id == self._copying:
            QGuiApplication.clipboard().setImage(QImage.fromData(state.result))
            self.said.emit("Figure copied")
        elif state.status == "done":
            self.said.emit(f"Written: {state.result}")

    @Slot()
    def _explain(self) -> None:
        """Enable what there is something for."""
        has_table = self._table.results.table is not None
        self.menu.copy.setEnabled(has_table)
        self.menu.table.setEnabled(has_table)
        self.menu.origin.setEnabled(self._table.currentIndex().isValid())
        for action in (self.menu.picture, self.menu.figure):
            action.setEnabled(self._figure.figure is not None)

    @Slot(QPoint)
    def _table_menu(self, place: QPoint) -> None:
        index = self._table.indexAt(place)
        if index.isValid() and not self._table.selectionModel().isSelected(index):
            self._table.setCurrentIndex(index)
        self.menu.popup(self._table.viewport().mapToGlobal(place))

    @Slot(QPoint)
    def _figure_menu(self, place: QPoint) -> None:
        self.menu.popup(self._figure.mapToGlobal(place))
