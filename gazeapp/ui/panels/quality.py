"""Quality: how good each recording and trial is, what stands out, and the way to its image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedLayout,
    QTableView,
    QToolButton,
    QWidget,
)

from gazeapp.engine.reports import quality as q
from gazeapp.engine.types import BoolArray
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.folders import TABLES, ask_where_to_save
from gazeapp.ui.panels.quality_plot import QualityPlot
from gazeapp.ui.panels.quality_table import MARK, MOST_COPIED, QualityModel
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import EmptyState, Segments, icon_button, label, no_mnemonic, plain
from gazeapp.ui.worker import JobProgress, JobState

RECORDINGS, TRIALS = "Recordings", "Trials"
_ROW_HEIGHT = 24
_HEADER_HEIGHT = 40
_TYPING_MS = 150
"""Time without a key after which the filter is applied."""


class QualityPanel(QWidget):
    """Two linked tables, of recordings and of trials, with the distribution of a figure beside them.

    The rows are read on the reader's thread when the panel is in sight. A click goes to the image of a row
    with the scanpath of its subject; Enter on a recording lists its trials.
    """

    def __init__(
        self, selection: Selection, session: Session, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self._selection = selection
        self._session = session
        self._actions = actions
        self._study: StudyView | None = None
        self._stale = False
        self._wanted = 0
        self._scope = -1
        self._kept = -1
        self.quality: q.Quality | None = None
        self.model = QualityModel(self)
        self.table = self._make_table()
        self.plot = QualityPlot()
        self._make_corner()
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._make_empty(actions))
        self._reading = label("", "muted")
        self._reading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(self._reading)
        self._stack.addWidget(self._make_full())
        self._connect()
        self._show_controls(False)

    def show_study(self, study: StudyView | None) -> None:
        """Follow a new view of the study; None when no project is open."""
        if study is None or (self._study is not None and study.path != self._study.path):
            self._show(None)
        self._study = study
        self._stale = study is not None
        if self.isVisible():
            self._read()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what has changed since the panel was last in sight."""
        super().showEvent(event)
        self._read()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give up the plot where the table has no room beside it."""
        super().resizeEvent(event)
        self.plot.setVisible(event.size().width() >= 100 * theme.STEP)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName("Quality of recordings and trials")
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setFixedHeight(_HEADER_HEIGHT)
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        table.setSortingEnabled(True)
        return table

    def _make_corner(self) -> None:
        self._line = label("", "muted")
        self._line.setMinimumWidth(8 * theme.STEP)
        self._line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.level = Segments("What a row is")
        self.level.set_values([RECORDINGS, TRIALS], RECORDINGS)
        self.scope = QPushButton()
        theme.set_role(self.scope, "quiet")
        self.scope.setToolTip("Trials of this recording only; click to see those of all recordings")
        self.scope.setAccessibleName("Show the trials of all recordings")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setToolTip("Words that subject, file, image or task must contain")
        self.filter.setAccessibleName("Filter rows by subject, file, image or task")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(18 * theme.STEP)
        self.marked = QToolButton()
        self.marked.setText(f"{MARK} only")
        self.marked.setCheckable(True)
        self.marked.setToolTip("Show only rows that stand out")
        self.marked.setAccessibleName("Show only rows that stand out")
        self.copy = icon_button(
            "copy", f"Copy the selected rows, or all that are shown (up to {MOST_COPIED:,})"
        )
        self.save = icon_button("export", "")
        follow(self.save, self._actions["study.quality"])
        self.corner = QWidget()
        row = QHBoxLayout(self.corner)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self._line, 1)
        for control in (self.scope, self.level, self.filter, self.marked, self.copy, self.save):
            row.addWidget(control)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)

    def _make_empty(self, actions: Actions) -> EmptyState:
        button = QPushButton("Import gaze…")
        theme.set_role(button, "primary")
        follow(button, actions["study.gaze"])
        return EmptyState(
            "gaze",
            "No recordings yet",
            "Here each recording and trial has its losses, gaps, durations and rates, and those that are far "
            "from the others stand out.",
            button,
        )

    def _make_full(self) -> QWidget:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.plot)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        split.setSizes([900, 300])
        return split

    def _connect(self) -> None:
        self._session.reader.changed.connect(self._job_changed)
        self.level.chosen.connect(self._choose_level)
        self.scope.clicked.connect(self._leave_scope)
        self._typing.timeout.connect(self._fill)
        self.filter.textChanged.connect(self._typing.start)
        self.marked.toggled.connect(self._fill)
        self.copy.clicked.connect(self.copy_rows)
        self.table.clicked.connect(self._go)
        self.table.activated.connect(self._activate)
        self.table.selectionModel().currentRowChanged.connect(self._mark_current)
        self.model.modelReset.connect(self._find_current)
        self.table.horizontalHeader().sortIndicatorChanged.connect(self._show_sorted)
        self.plot.chosen.connect(self._choose_recording)
        self._actions.bind("study.quality", self.export)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy_rows)

    def _read(self) -> None:
        if self._stale and self._study is not None:
            self._stale = False
            if self.quality is None:
                self._reading.setText("Reading the recordings…")
                self._stack.setCurrentIndex(1)
            self._wanted = self._session.reader.submit("quality", _read_work, self._study.path)

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if state.id != self._wanted or not state.finished or self._study is None:
            return
        if state.path != self._study.path:
            return
        if state.error is not None:
            self._reading.setText(f"{state.error.what} {state.error.todo}".strip())
            self._stack.setCurrentIndex(1)
            return
        self._show(state.result)

    def _show(self, quality: q.Quality | None) -> None:
        """Show what was read; the row in hand stays, if it is still there."""
        key, scope = self._key(self._kept, self.level.current), self._key(self._scope, RECORDINGS)
        self.quality = quality
        self._scope = self._row_of(scope, RECORDINGS)
        self._kept = self._row_of(key, self.level.current)
        self._stack.setCurrentIndex(2 if quality is not None and len(quality.trials) else 0)
        self._show_controls(self._stack.currentIndex() == 2)
        self.plot.show_table(quality.recordings if quality is not None else None)
        self._fill()

    def _show_controls(self, on: bool) -> None:
        for control in (self._line, self.level, self.filter, self.marked, self.copy, self.save):
            control.setVisible(on)
        self.scope.setVisible(on and self._scope >= 0)

    @property
    def _is_trials(self) -> bool:
        return self.level.current == TRIALS

    @Slot()
    def _fill(self, _what: object = None) -> None:
        """Show the rows that level, scope and filter leave."""
        found = self.quality
        if found is None:
            self.model.show_table(None)
            return
        table = found.trials if self._is_trials else found.recordings
        shown = _matching(table, self.filter.text())
        if self.marked.isChecked():
            shown &= table.stands_out
        if self._is_trials and self._scope >= 0:
            shown &= found.owner == self._scope
        new_columns = table is not self.model.table
        self.model.show_table(table, shown)
        if new_columns:
            for column in range(self.model.columnCount()):
                self.table.setColumnWidth(column, self.model.width(column))
            with QSignalBlocker(self.table.horizontalHeader()):
                self.table.horizontalHeader().setSortIndicator(*self.model.sorted_by)
        self._say(found, table)

    def _say(self, found: q.Quality, table: q.QualityTable) -> None:
        n = self.model.rowCount()
        shown = f"{n:,} of {len(table):,} {self.level.current.lower()} shown"
        self._line.setText(shown if n < len(table) else found.in_short())
        self._line.setToolTip(plain(f"{found.in_words()}.\n{shown}."))
        self.scope.setVisible(self._is_trials and self._scope >= 0)
        if self._scope >= 0:
            self.scope.setText(no_mnemonic(f"{found.recordings.words['subject'].at(self._scope)} ✕"))

    @Slot(str)
    def _choose_level(self, _level: str) -> None:
        self._scope = -1
        is_known = self.quality is not None and self._kept >= 0 and not self._is_trials
        self._kept = int(self.quality.owner[self._kept]) if self.quality is not None and is_known else -1
        self._fill()

    @Slot()
    def _leave_scope(self) -> None:
        self._scope = -1
        self._fill()

    @Slot()
    def _find_current(self) -> None:
        """Choose the row in hand again where it is now."""
        self._set_current(self._kept)

    def _set_current(self, row: int) -> None:
        place = self.model.place_of(row) if row >= 0 else -1
        if place >= 0:
            index = self.model.index(place, 0)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().setCurrentIndex(index, flags)
            self.table.scrollTo(index)

    def _key(self, row: int, level: str) -> tuple[Any, ...] | None:
        """Return what tells a row from others also after the rows have been read again."""
        if row < 0 or self.quality is None:
            return None
        if level == TRIALS:
            return (int(self.quality.trial_id[row]),)
        words = self.quality.recordings.words
        return words["subject"].at(row), words["recording"].at(row)

    def _row_of(self, key: tuple[Any, ...] | None, level: str) -> int:
        found = self.quality
        if key is None or found is None:
            return -1
        if level == TRIALS:
            return int(next(iter(np.flatnonzero(found.trial_id == key[0])), -1))
        return next((row for row in range(len(found.recordings)) if self._key(row, level) == key), -1)

    @Slot(QModelIndex, QModelIndex)
    def _mark_current(self, _index: QModelIndex, _before: QModelIndex) -> None:
        place = self.table.currentIndex().row()
        if self.quality is not None and 0 <= place < self.model.rowCount():
            self._kept = int(self.model.rows[place])
            self.plot.mark(int(self.quality.owner[self._kept]) if self._is_trials else self._kept)

    @Slot(int, Qt.SortOrder)
    def _show_sorted(self, column: int, _order: Qt.SortOrder) -> None:
        keys = self.model.columns()
        if 0 <= column < len(keys):
            self.plot.show_figure(keys[column])

    @Slot(QModelIndex)
    def _go(self, index: QModelIndex) -> None:
        """Go to the image of a row, with the scanpath of its subject."""
        found = self.quality
        if found is None or not index.isValid():
            return
        row = int(self.model.rows[index.row()])
        trial = row if self._is_trials else self._trial_to_show(found, row)
        table = found.trials
        changes: dict[str, Any] = {"subject": table.words["subject"].at(trial), "show_scanpath": True}
        if found.image_id[trial] and table.words["task"].at(trial):
            changes |= {"image_id": int(found.image_id[trial]), "task": table.words["task"].at(trial)}
        self._selection.update(**changes)

    def _trial_to_show(self, found: q.Quality, recording: int) -> int:
        """Return the trial of a recording on the image in hand, else its first one on an image."""
        own = np.flatnonzero(found.owner == recording)
        here = own[found.image_id[own] == (self._selection.image_id or -1)]
        held = own[found.image_id[own] > 0]
        return int(next(iter([*here[:1], *held[:1], *own[:1]])))

    @Slot(QModelIndex)
    def _activate(self, index: QModelIndex) -> None:
        """Go to the image; of a recording, list its trials, too."""
        self._go(index)
        if not self._is_trials and index.isValid():
            self._scope = int(self.model.rows[index.row()])
            self.level.set_current(TRIALS)
            self._kept = -1
            self._fill()
            self._set_current(int(self.model.rows[0]) if self.model.rowCount() else -1)

    @Slot(int)
    def _choose_recording(self, row: int) -> None:
        """Follow a click on a point of the plot."""
        if self._is_trials:
            self._scope = self._kept = -1
            self.level.set_current(RECORDINGS)
            self._fill()
        if self.model.place_of(row) < 0:
            self.filter.clear()
            self.marked.setChecked(False)
            self._typing.stop()
            self._fill()
        self._set_current(row)
        self._go(self.table.currentIndex())

    @Slot()
    def copy_rows(self) -> None:
        """Put the selected rows, or all that are shown, on the clipboard."""
        places = [
            place
            for part in self.table.selectionModel().selection()
            for place in range(part.top(), part.bottom() + 1)
        ]
        places = sorted(set(places)) or list(range(self.model.rowCount()))
        QGuiApplication.clipboard().setText(self.model.copied(places))
        n = len(places)
        done = f"{min(n, MOST_COPIED):,} rows copied" if n != 1 else "1 row copied"
        more = f"; export the table for all {n:,}" if n > MOST_COPIED else ""
        self._line.setText(f"{done}{more}")

    @Slot()
    def export(self, path: Path | None = None) -> None:
        """Ask for a file and write the quality of all trials, or of all recordings, into it."""
        study = self._study
        if study is None:
            return
        is_trials = self._is_trials and self.isVisible()
        name = "quality.csv" if is_trials else "quality_recordings.csv"
        if not path:
            path = ask_where_to_save(
                self, "Export quality", TABLES, "Tables (*.csv)", name, study.path.parent
            )
        if path:
            self._session.submit(f"Exporting {path.name}", _export_work(path, is_trials))


def _matching(table: q.QualityTable, text: str) -> BoolArray:
    """Return which rows contain every word of ``text`` in subject, file, image or task, shape (n,)."""
    shown = np.ones(len(table), dtype=np.bool_)
    for word in text.casefold().split():
        found = np.zeros(len(table), dtype=np.bool_)
        for column in table.words.values():
            names = np.array([word in name.casefold() for name in column.names], dtype=np.bool_)
            found |= names[column.codes]
        shown &= found
    return shown


def _read_work(project: Any, _progress: JobProgress) -> q.Quality:
    return q.read_quality(project)


def _export_work(path: Path, is_trials: bool) -> Any:
    def work(project: Any, _progress: JobProgress) -> int:
        from gazeapp.engine.reports.dictionary import QUALITY, QUALITY_RECORDINGS
        from gazeapp.engine.reports.tables import write_table

        found = q.read_quality(project)
        if is_trials:
            return write_table(path, QUALITY, q.trial_rows(found))
        return write_table(path, QUALITY_RECORDINGS, q.recording_rows(found))

    return work
