"""The word explorer: a caption word by word, and where each layer and head looked while a word was written."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from gazeapp.engine.reports.numbers import number
from gazeapp.ui import theme
from gazeapp.ui.canvas.caption import MEAN_MAP, CaptionView, stepped
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.colours import source_colour
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.words_cells import CellsView
from gazeapp.ui.panels.words_chart import MassChart
from gazeapp.ui.panels.words_grid import Cell
from gazeapp.ui.panels.words_line import CutLine
from gazeapp.ui.panels.words_reading import (
    MEAN_OF_HEADS,
    AskMaps,
    AskRun,
    CellMaps,
    NoRun,
    RunWords,
    cell_name,
    meant,
)
from gazeapp.ui.scene import ONLY_OLDER, SceneView
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import label

_MAPS_KEPT = 128 * 2**20
_DIM_AFTER_MS = 120
_REST_MS = 150
"""Rest after which means over all words are read: they take long, and stepping through images must not wait."""
_CAPTION_LINES = 4
_MEANING = (
    "Under the run's map method; the rest of the attention behind the word fell on text, or on what pads the "
    "image."
)


class WordsPanel(QWidget):
    """Follows the selection: caption, attention on the image over the caption, layers by heads, one map large.

    Parameters
    ----------
    selection
        What is looked at.
    loader
        Reads words and maps off the GUI thread.
    """

    extract_requested = Signal(str, str)
    """The user wants models run; carries what runs are to keep and their map method, empty as they were last."""

    def __init__(self, selection: Selection, loader: Loader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._selection = selection
        self._loader = loader
        self._study: StudyView | None = None
        self._scene: SceneView | None = None
        self._run: RunWords | None = None
        self._asked: AskRun | None = None
        self._only_older = False
        self._maps: OrderedDict[AskMaps, CellMaps | None] = OrderedDict()
        self.caption = CaptionView()
        self.chart = MassChart()
        self.cells = CellsView()
        self.empty = Notice()
        self.facts = CutLine("What made these words")
        self.line = CutLine("The word in hand")
        self.corner = self._make_corner()
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._make_page())
        self._dim_timer = QTimer(self, singleShot=True, interval=_DIM_AFTER_MS)
        self._rest_timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self.setFocusProxy(self.chart)
        self.setAccessibleName("Words and the attention behind them")
        self._connect()
        self._show_run(None)

    @property
    def run(self) -> RunWords | None:
        """The run whose words are shown."""
        return self._run

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Follow a new view of the study; None when no project is open."""
        before = self._study.path if self._study is not None else None
        self._study = study
        if study is None or study.path != before:
            # Numbers of runs mean something in one project only.
            self._maps.clear()
            self._asked = None
            self._show_run(None)
        self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what is now in hand."""
        super().showEvent(event)
        self._ask()
        self._show_word()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the caption the lines that it needs and that there is room for."""
        super().resizeEvent(event)
        self._fit_caption()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step words and models."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.step_word(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step_model(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and self._run is not None:
            self._choose_word(0 if key == Qt.Key.Key_Home else len(self._run.words) - 1)
        elif key == Qt.Key.Key_Escape and self.cells.cell is not None:
            self.cells.choose_cell(None)
        elif key == Qt.Key.Key_Escape:
            self._choose_word(MEAN_MAP)
        else:
            super().keyPressEvent(event)

    def step_word(self, step: int) -> None:
        """Choose the word ``step`` places further in the caption; before the first stands the mean."""
        if self._run is not None and self._run.words:
            self._choose_word(stepped(self._word(), step, len(self._run.words)))

    def step_model(self, step: int) -> None:
        """Choose the model ``step`` places further, at the same image and task."""
        models = self._study.model_ids if self._study is not None else ()
        if models:
            now = models.index(self._source()) + step if self._source() in models else 0
            self._selection.source = models[min(max(now, 0), len(models) - 1)]

    def _make_corner(self) -> QWidget:
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self.line, 1)
        for control in (self.cells.over, self.cells.shared, self.cells.what):
            row.addWidget(control)
        return corner

    def _make_page(self) -> QWidget:
        said = QWidget()
        left = QVBoxLayout(said)
        left.setContentsMargins(0, 0, theme.STEP, 0)
        left.setSpacing(theme.STEP // 2)
        self.name = label("", "section")
        left.addWidget(self.name)
        left.addWidget(self.caption)
        left.addWidget(self.chart, 1)
        said.setMinimumWidth(28 * theme.STEP)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        for part, share in ((said, 3), (self.cells, 8)):
            splitter.addWidget(part)
            splitter.setStretchFactor(splitter.count() - 1, share)
        splitter.setSizes([300, 800])
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(2 * theme.STEP, theme.STEP, theme.STEP, theme.STEP // 2)
        column.setSpacing(theme.STEP // 2)
        column.addWidget(splitter, 1)
        column.addWidget(self.facts)
        return page

    def _connect(self) -> None:
        self._selection.changed.connect(self._follow)
        self._loader.loaded.connect(self._picture_came)
        self._loader.listed.connect(self._listed)
        self._loader.answered.connect(self._answered)
        self._loader.failed.connect(self._failed)
        self.caption.word_chosen.connect(self._choose_word)
        self.chart.word_chosen.connect(self._choose_word)
        self.cells.cell_chosen.connect(self._show_cell_mass)
        self.cells.heads_wanted.connect(self._want_heads)
        self.cells.preview.method_wanted.connect(self._want_method)
        self.empty.pressed.connect(self._want_models)
        self._dim_timer.timeout.connect(self._dim)
        self._rest_timer.timeout.connect(self._ask_maps)

    @Slot(object)
    def _follow(self, names: frozenset[str]) -> None:
        if names & {"image_id", "task", "source"}:
            self._ask()
        if names & {"word", "source"}:
            self._show_word()
        if names & {"colormap", "opacity"}:
            self.cells.set_display(self._selection.display)

    @Slot(object)
    def _picture_came(self, scene: SceneView) -> None:
        self._scene = scene
        self._ask()
        self._show_word()

    @Slot(object)
    def _listed(self, _catalogue: object) -> None:
        self._asked = None  # what was asked before the project changed is not answered
        self._ask()

    @Slot(object, object)
    def _answered(self, question: object, answer: object) -> None:
        if isinstance(question, AskMaps):
            self._keep_maps(question, answer if isinstance(answer, CellMaps) else None)
            if question == self._wanted():
                self._show_cells()
        elif question == self._asked:
            self._only_older = isinstance(answer, NoRun) and answer.only_older
            self._show_run(answer if isinstance(answer, RunWords) else None)

    @Slot(object)
    def _failed(self, _error: object) -> None:
        """Leave what could not be replaced dimmed: the window says what went wrong."""
        wanted = self._wanted()
        if wanted is not None and wanted not in self._maps:
            self._dim()
        if self._run is None:
            self.empty.say("The words cannot be shown", "What went wrong stands above.")

    def _source(self) -> str:
        """Return the model whose words are shown: the focused one, else the first that said something."""
        chosen, models = self._selection.source, dict(self._loader.catalogue.models)
        if chosen in models:
            return str(chosen)
        spoken = [model.id for model in self._scene.models if model.words] if self._scene is not None else []
        return next(iter((*spoken, *models)), "")

    def _word(self) -> int:
        run, word = self._run, self._selection.word
        shown = run is not None and run.model == self._selection.source and 0 <= word < len(run.words)
        return word if shown else MEAN_MAP

    def _ask(self) -> None:
        """Have the run in hand read, if it is not."""
        if not self.isVisible():
            return
        image, source = self._selection.image_id, self._source()
        if image is None or not source:
            self._asked = None
            self._show_run(None)
            return
        question = AskRun(image, source, self._selection.task)
        if question != self._asked:
            self._asked = question
            self._loader.ask(question)
            if self._run is None:
                self.empty.say("Reading the words…")

    def _show_run(self, run: RunWords | None) -> None:
        same = run is not None and self._run is not None and run.id == self._run.id
        self._run = run
        full = run is not None and bool(run.words)
        self._stack.setCurrentIndex(int(full))
        self.corner.setEnabled(full)
        if run is None or not full:
            self.line.show_line("")
            self._say_empty()
        elif not same:
            self.name.setText(run.name.upper())
            self.caption.set_words(run.words, self._word())
            self.chart.set_words(run.words, run.mass, self._colour(run))
            self.facts.show_facts(run.facts)
            self.cells.show_run(run)
            self._show_word()

    def _say_empty(self) -> None:
        run, chosen = self._run, self._selection
        under = f" under “{chosen.task}”" if chosen.task else ""
        name = dict(self._loader.catalogue.models).get(self._source(), "")
        if run is not None:
            text = f"{run.name} said nothing about this image{under}, or its maps were made elsewhere."
            self.empty.say("No words", text)
        elif chosen.image_id is None:
            self.empty.say("No image is chosen", "The words that a model says of an image appear here.")
        elif self._only_older:
            self.empty.say(f"{name} has only words of another kind", ONLY_OLDER, "Run models…")
        else:
            self.empty.say(
                f"{name or 'No model'} has not described this image{under}",
                "Each word that a model says has a map; a vision-language model has one for each layer and head.",
                "Run models…",
            )

    def _show_word(self) -> None:
        """Bring everything up to the word in hand."""
        run = self._run
        if run is None or not run.words or not self.isVisible():
            return
        word = self._word()
        self.caption.set_current(word)
        self.chart.set_current(word)
        self._fit_caption()
        share = number(100 * float(run.mass[list(meant(run.words, word))].mean()), 1)
        what = (
            "Mean map"
            if word == MEAN_MAP
            else f"“{run.words[word].text}”, word {word + 1} of {len(run.words)}"
        )
        self.line.show_line(f"{what}: {share} % of attention on the image", _MEANING)
        self._show_cell_mass(self.cells.cell)
        self._show_cells()

    def _wanted(self) -> AskMaps | None:
        run = self._run
        return AskMaps(run.kept_by, self._word()) if run is not None and run.kept else None

    def _show_cells(self) -> None:
        """Show layers and heads, now or when their maps have been read."""
        run, scene, wanted = self._run, self._scene, self._wanted()
        if run is None or scene is None or scene.image_id != run.image_id:
            return
        if wanted is not None and wanted not in self._maps:
            self._dim_timer.start()
            if wanted.word == MEAN_MAP:
                self._rest_timer.start()
            else:
                self._ask_maps()
            return
        self._dim_timer.stop()
        if wanted is not None:
            self._maps.move_to_end(wanted)
            self._read_ahead(run)
        self.cells.show_word(self._word(), scene, None if wanted is None else self._maps[wanted])

    @Slot()
    def _ask_maps(self) -> None:
        wanted = self._wanted()
        if wanted is not None and wanted not in self._maps:
            self._loader.ask(wanted)

    def _read_ahead(self, run: RunWords) -> None:
        word = self._word()
        for near in (word + 1, word - 1):
            question = AskMaps(run.kept_by, near)
            if 0 <= near < len(run.words) and question not in self._maps:
                self._loader.ask(question, ahead=True)

    def _keep_maps(self, question: AskMaps, maps: CellMaps | None) -> None:
        self._maps[question] = maps
        self._maps.move_to_end(question)
        while len(self._maps) > 3 and sum(kept.nbytes for kept in self._maps.values() if kept) > _MAPS_KEPT:
            self._maps.popitem(last=False)

    @Slot(object)
    def _show_cell_mass(self, cell: Cell | None) -> None:
        """Show over the caption how much of a layer and head's attention fell on the image."""
        run = self._run
        if run is None or run.head_mass is None or cell is None:
            self.chart.set_cell(None)
            return
        row, column = cell
        heads = run.head_mass[:, row]
        mass = heads.mean(axis=1) if column == MEAN_OF_HEADS else heads[:, column - 1]
        self.chart.set_cell(mass, cell_name(run.layers[row], column))

    def _colour(self, run: RunWords) -> str:
        models = self._study.model_ids if self._study is not None else (run.model,)
        return source_colour(run.model, models).name()

    def _fit_caption(self) -> None:
        lines = min(self.caption.lines_needed(self.caption.width()), _CAPTION_LINES)
        room = self.caption.lines_within(self.height() // 4)
        self.caption.set_lines(max(min(lines, room), 1))

    @Slot()
    def _dim(self) -> None:
        self.cells.gallery.set_waiting(True)

    @Slot(int)
    def _choose_word(self, word: int) -> None:
        if self._run is not None:
            self._selection.update(source=self._run.model, word=word)

    @Slot()
    def _want_models(self) -> None:
        self.extract_requested.emit("", "")

    @Slot()
    def _want_heads(self) -> None:
        self.extract_requested.emit("heads", "")

    @Slot(str)
    def _want_method(self, method: str) -> None:
        self.extract_requested.emit("", method)
