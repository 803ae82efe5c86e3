"""The page of the cortex: how well each vertex or region is predicted, of one source, of two, or their difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.neural.surface.mesh import INFLATED
from gazeapp.engine.neural.surface.picture import Shown
from gazeapp.engine.replacing import replacing
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    measure_name,
    shown_sources,
)
from gazeapp.engine.reports.results.neural_heat import colour_limits
from gazeapp.engine.reports.results.neural_measures import (
    MEASURES,
    MINUS,
    NeuralAsked,
    R,
)
from gazeapp.engine.reports.results.neural_read import CortexValues
from gazeapp.engine.types import FloatArray, IntArray
from gazeapp.ui import theme
from gazeapp.ui.folders import FIGURES, ask_where_to_save
from gazeapp.ui.neural.cortex_view import CortexView
from gazeapp.ui.panels.neural_keeping import KeepRegion
from gazeapp.ui.session import Session
from gazeapp.ui.widgets import Segments, label, plain
from gazeapp.ui.worker import JobState

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

VERTICES, REGIONS = "Vertices", "Regions"
ALONE, BESIDE, DIFFERENCE = "alone", "beside", "minus"


def cortex_work(
    results: NeuralResults, asked: NeuralAsked, what: str, sources: tuple[tuple[str, str], ...]
) -> Callable[[Any, Any], CortexValues]:
    """Return the work of reading what is painted on the cortex."""

    def work(project: Project, _progress: Any) -> CortexValues:
        from gazeapp.engine.workflows.neural_results import read_region_values, read_vertex_values

        read = read_vertex_values if what == VERTICES else read_region_values
        return read(project, results, asked, sources)

    return work


def picture_work(
    shown: Shown, label: str, title: str, scene: str, simulated: bool
) -> Callable[[Any, Any], bytes]:
    """Return the work of drawing a cortex as a PNG file."""

    def work(_project: Any, _progress: Any) -> bytes:
        from gazeapp.engine.neural.surface.figure import cortex_figure

        return cortex_figure(shown, label, title, scene, simulated=simulated).png()

    return work


class CortexPage(QWidget):
    """One cortex, or two that share their colours; a click chooses the region that was met."""

    region_chosen = Signal(tuple)
    """Ids of the regions at the vertex that was clicked."""
    wanted = Signal()
    """Something else is to be read."""
    said = Signal(str)
    """What was done, in a few words."""
    failed = Signal(object)
    """A :class:`JobError`: a picture could not be written."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._writing = 0
        self.setObjectName("dockBody")
        self._of: tuple[NeuralResults, NeuralAsked] | None = None
        self._drawn: CortexValues | None = None
        self._label, self._scene = "", INFLATED
        self._path: Path | None = None
        self.what = Segments("What is painted on the cortex")
        self.what.set_values([VERTICES, REGIONS], REGIONS)
        self.what.setToolTip(
            "How well each vertex is predicted (r), or the measure above painted on whole regions"
        )
        self.first = label("")
        self.second = _box("Second source")
        self.how = _box("How a second source is shown")
        for value, text in ((ALONE, "alone"), (BESIDE, "beside"), (DIFFERENCE, "minus")):
            self.how.addItem(text, value)
        self.how.setToolTip("One source alone, two side by side with the same colours, or their difference")
        self.about = label("", "muted")
        self.views = (CortexView(), CortexView())
        self._titles = (label("", "section"), label("", "section"))
        self._lacks = label("", "muted", wrap=True)
        self._lacks.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.views[0].link(self.views[1])
        for view in self.views:
            view.allow_drawing(True)
        self.keeping = KeepRegion(session)
        self.name, self.keep, self.drop = self.keeping.name, self.keeping.keep, self.keeping.drop
        self.menu = QMenu(self)
        self.menu.addAction("Copy picture", self.copy_picture)
        self.menu.addAction("Save picture…", self._ask_for_picture)
        self._lay_out()
        self.what.chosen.connect(self._ask)
        for box in (self.how, self.second):
            box.activated.connect(self._ask)
        for view in self.views:
            view.picked.connect(self._picked)
            view.drawn.connect(self._drawn_on)
            view.scene_chosen.connect(self._look)
        self.keeping.changed.connect(self._mark_again)
        self.keeping.said.connect(self.said)
        self.keeping.failed.connect(self.failed)
        session.reader.changed.connect(self._job_changed)

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """Kind and id of the sources that are painted."""
        if self._of is None:
            return ()
        own, other = self._of[1].source, self.second.currentData()
        return (own,) if self.how.currentData() == ALONE or other is None else (own, (other[0], other[1]))

    def show_choices(self, results: NeuralResults | None, asked: NeuralAsked | None) -> None:
        """Offer the sources, the one in hand chosen."""
        self._of = (results, asked) if results is not None and asked is not None else None
        if results is None or asked is None:
            self.show_values(CortexValues(), None, None)
            return
        sources = shown_sources(results, asked)
        before = self.second.currentData()
        others = [one for one in sources if (one.kind, one.id) != asked.source]
        with QSignalBlocker(self.second):
            self.second.clear()
            for source in others:
                self.second.addItem(source.name, [source.kind, source.id])
            self.second.setCurrentIndex(max(self.second.findData(before), 0) if others else -1)
        self.first.setText(results.facts(asked.source[1], asked.source[0]).name)
        self.how.setVisible(bool(others))
        self.second.setVisible(bool(others) and self.how.currentData() != ALONE)

    def show_values(
        self, read: CortexValues, results: NeuralResults | None, asked: NeuralAsked | None
    ) -> None:
        """Paint what was read."""
        self._drawn = read
        self._lacks.setText(read.lacks)
        self._pages.setCurrentIndex(1 if read.lacks or not read.values else 0)
        if not read.values or results is None or asked is None:
            self.about.setText("")
            return
        names = [results.facts(id_, kind).name for kind, id_ in self.sources]
        values: tuple[FloatArray, ...] = read.values
        symmetric = self._is_region and asked.measure == MINUS
        measure = measure_name(results, asked) if self._is_region else "r"
        if self.how.currentData() == DIFFERENCE and len(values) == 2:
            values = ((values[0] - values[1]).astype(np.float32),)
            names, symmetric = [" − ".join(names)], True
            measure = f"{measure}, difference"
        drawn = asked.measure if self._is_region else R
        limits = colour_limits(np.concatenate(values), drawn, symmetric=symmetric)
        unit = MEASURES[asked.measure].unit if self._is_region else ""
        text = self._label = f"{measure}, {unit}" if unit and unit not in measure else measure
        for k, (view, title) in enumerate(zip(self.views, self._titles, strict=True)):
            is_used = k < len(values)
            self._cells[k].setVisible(is_used)
            if is_used:
                title.setText(names[k].upper())
                title.setVisible(len(values) > 1)
                view.set_regions(read.regions)
                view.set_values(values[k], limits, text, symmetric)
        self.mark(asked)
        what = (
            "regions painted with their number"
            if self._is_region
            else "each vertex by its own encoding model"
        )
        shared = "; both share their colours" if len(values) > 1 else ""
        self.about.setText(f"{' and '.join(names)}: {text}, {what}{shared}")
        self.about.setToolTip(plain(self.about.text()))

    def mark(self, asked: NeuralAsked) -> None:
        """Draw a strong line around the region or group in hand, or around what was drawn and is not kept yet."""
        if self._of is None or self._drawn is None:
            return
        results = self._of[0]
        self._of = (results, asked)
        if self.keeping.vertices is not None:
            for view in self.views:
                view.set_drawn(self.keeping.vertices)
            return
        members = results.groups.get(asked.region, ()) if asked.groups else ()
        wanted = {asked.region, *members}
        ids = [one.id for one in self._drawn.regions if wanted & {one.id, one.name}]
        for view in self.views:
            view.set_marked(ids)

    def figure_works(self) -> list[Callable[[Any, Any], bytes]]:
        """Return the work of drawing each cortex in sight as a PNG file, as it is shown."""
        results = self._of[0] if self._of is not None else None
        used = [k for k, cell in enumerate(self._cells) if not cell.isHidden()]
        return [
            picture_work(
                self.views[k].shown,
                self._label,
                self._titles[k].text() or self.first.text(),
                self._scene,
                results is not None and results.simulated,
            )
            for k in used
        ]

    @Slot()
    def copy_picture(self) -> None:
        """Put the first cortex in sight on the clipboard, drawn as it is saved."""
        self._path = None
        self._writing = self._session.reader.submit("Drawing the cortex", self.figure_works()[0], None)

    def save_pictures(self, path: Path) -> None:
        """Write the cortex as PNG; of two the second beside the first, its name ending in ``_2``."""
        self._path = path
        works = self.figure_works()

        def work(project: Any, progress: Any) -> str:
            for k, draw in enumerate(works):
                target = path if k == 0 else path.with_stem(f"{path.stem}_{k + 1}")
                content = draw(project, progress)
                with replacing(target) as part:
                    part.write_bytes(content)
            return str(path)

        self._writing = self._session.reader.submit(f"Writing {path.name}", work, None)

    @Slot()
    def _ask_for_picture(self) -> None:
        folder = self._session.path.parent if self._session.path is not None else None
        path = ask_where_to_save(self, "Save picture", FIGURES, "Pictures (*.png)", "cortex.png", folder)
        if path is not None:
            self.save_pictures(path if path.suffix else path.with_suffix(".png"))

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id != self._writing:
            return
        self._writing = 0
        if state.error is not None:
            self.failed.emit(state.error)
        elif self._path is None:
            QGuiApplication.clipboard().setImage(QImage.fromData(state.result))
            self.said.emit("Picture copied")
        else:
            self.said.emit(f"Written: {state.result}")

    @Slot(str)
    def _look(self, scene: str) -> None:
        """Remember how the cortex is looked at, which is how it is saved."""
        self._scene = scene

    @Slot(object)
    def _drawn_on(self, vertices: IntArray) -> None:
        """Offer to keep what was drawn."""
        self.keeping.offer(vertices)
        self.name.setFocus()

    @Slot()
    def _mark_again(self) -> None:
        """Mark what is to be kept, else the region in hand."""
        if self._of is not None:
            self.mark(self._of[1])

    @property
    def _is_region(self) -> bool:
        return self.what.current == REGIONS

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 4)
        top.setSpacing(theme.STEP)
        for part in (self.what, self.first, self.how, self.second):
            top.addWidget(part)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top.addWidget(self.about, 1)
        top.addWidget(self.keeping)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        self._cells = (QWidget(), QWidget())
        for cell, title, view in zip(self._cells, self._titles, self.views, strict=True):
            column = QVBoxLayout(cell)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            title.setContentsMargins(2 * theme.STEP, 0, 0, 4)
            column.addWidget(title)
            column.addWidget(view, 1)
            row.addWidget(cell, 1)
        self._pages = QStackedWidget()
        self._pages.addWidget(both)
        self._pages.addWidget(self._lacks)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._pages, 1)

    @Slot()
    def _ask(self, _what: object = None) -> None:
        self.second.setVisible(self.how.currentData() != ALONE and self.second.count() > 0)
        self.wanted.emit()

    @Slot(int, tuple)
    def _picked(self, _vertex: int, regions: tuple[str, ...]) -> None:
        if regions:
            self.region_chosen.emit(tuple(regions))


def _box(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
