"""The word explorer: a caption word by word, and where each layer and head looked while a word was written."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedLayout,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.numbers import number
from gazeapp.engine.types import FloatArray
from gazeapp.ui import theme
from gazeapp.ui.canvas.caption import MEAN_MAP, CaptionView, stepped
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.colours import source_colour
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.words_chart import MassChart
from gazeapp.ui.panels.words_gallery import MAPS, MASS, Cell, HeadGallery
from gazeapp.ui.panels.words_preview import CellPreview
from gazeapp.ui.panels.words_reading import (
    MEAN_OF_HEADS,
    AskMaps,
    AskRun,
    CellMaps,
    Fact,
    RunWords,
    cell_method,
    cell_name,
    meant,
)
from gazeapp.ui.scene import ModelView, SceneView
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import Segments, capital, label, plain

_MAPS_KEPT = 128 * 2**20
_DIM_AFTER_MS = 120
_CAPTION_LINES = 4


class WordsPanel(QWidget):
    """Follows the selection: caption, attention on the image over the caption, layers by heads, one map large.

    Parameters
    ----------
    selection
        What is looked at.
    loader
        Reads words and maps off the GUI thread.
    """

    extract_requested = Signal(str)
    """The user wants models run; carries what runs are to keep, ``""`` or ``heads``."""

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
        self._cache: OrderedDict[AskMaps, CellMaps | None] = OrderedDict()
        self._maps: CellMaps | None = None
        self._what = MAPS
        self._cell: Cell | None = None
        self.caption = CaptionView()
        self.chart = MassChart()
        self.gallery = HeadGallery()
        self.preview = CellPreview()
        self.empty = Notice()
        self.no_cells = Notice(compact=True)
        self.facts = FactsLine("What made these words")
        self._make_corner()
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._make_page())
        self._dim_timer = QTimer(self, singleShot=True, interval=_DIM_AFTER_MS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self.chart)
        self.setAccessibleName("Words and the attention behind them")
        self._connect()
        self._say_empty()

    @property
    def run(self) -> RunWords | None:
        """The run whose words are shown."""
        return self._run

    @property
    def cell(self) -> Cell | None:
        """The chosen layer and head."""
        return self._cell

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Follow a new view of the study; None when no project is open."""
        before = self._study.path if self._study is not None else None
        self._study = study
        if study is None or study.path != before:
            # Numbers of runs mean something in one project only.
            self._cache.clear()
            self._run = self._asked = self._maps = self._cell = None
        self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what is now in hand."""
        super().showEvent(event)
        self._ask()

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
        elif key == Qt.Key.Key_Escape and self._cell is not None:
            self.choose_cell(None)
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
        if not models:
            return
        now = models.index(self._source()) if self._source() in models else -step
        self._selection.source = models[min(max(now + step, 0), len(models) - 1)]

    @Slot(object)
    def choose_cell(self, cell: Cell | None) -> None:
        """Show the map of a layer and head large, and its share of attention over the caption; None for neither."""
        self._cell = cell
        self.gallery.set_cell(cell)
        self._show_large()
        self._show_cell_mass()

    @Slot(str)
    def show_what(self, what: str) -> None:
        """Show maps in the gallery, or how much of the attention fell on the image."""
        self._what = what
        self.what.set_current(what if self._maps is not None else MASS)
        self._look()

    def _make_corner(self) -> None:
        self.line = label("", "muted")
        self.line.setMinimumWidth(8 * theme.STEP)
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.what = Segments("What the gallery shows")
        self.what.set_values([MAPS, MASS], MAPS)
        self.over = _toggle("Picture", "Draw the maps over the dimmed picture, or alone")
        self.shared = _toggle(
            "One scale", "One colour scale for all maps of the word; else each map has its own"
        )
        self.corner = QWidget()
        row = QHBoxLayout(self.corner)
        row.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(self.line, 1)
        for control in (self.over, self.shared, self.what):
            row.addWidget(control)

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
        self._note = FactsLine("What this run kept")
        self.again = QPushButton("Keep heads…")
        self.again.setToolTip("Run models again and keep the map of each layer and head")
        theme.set_role(self.again, "quiet")
        self._note_row = QWidget()
        note = QHBoxLayout(self._note_row)
        note.setContentsMargins(theme.STEP, 0, 0, 0)
        note.addWidget(self._note, 1)
        note.addWidget(self.again)
        cells = QWidget()
        middle = QVBoxLayout(cells)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(theme.STEP // 2)
        middle.addWidget(self._note_row)
        middle.addWidget(self.gallery, 1)
        self._cells = QStackedWidget()
        self._cells.addWidget(self.no_cells)
        self._cells.addWidget(cells)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        for part, share in ((said, 3), (self._cells, 5), (self.preview, 3)):
            self.splitter.addWidget(part)
            self.splitter.setStretchFactor(self.splitter.count() - 1, share)
        self.preview.setContentsMargins(theme.STEP, 0, 0, 0)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(2 * theme.STEP, theme.STEP, theme.STEP, theme.STEP // 2)
        column.setSpacing(theme.STEP // 2)
        column.addWidget(self.splitter, 1)
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
        self.gallery.chosen.connect(self.choose_cell)
        self.what.chosen.connect(self.show_what)
        self.over.toggled.connect(self._look)
        self.shared.toggled.connect(self._look)
        self.empty.pressed.connect(self._want_models)
        self.again.clicked.connect(self._want_heads)
        self._dim_timer.timeout.connect(self._dim)

    @Slot(object)
    def _follow(self, names: frozenset[str]) -> None:
        if names & {"image_id", "task", "source"}:
            self._ask()
        if names & {"word", "source"}:
            self._show_word()
        if names & {"colormap", "opacity"}:
            self._look()

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
            new = answer if isinstance(answer, RunWords) else None
            if new is None or self._run is None or new.id != self._run.id or self._stack.currentIndex() == 0:
                self._show_run(new)

    @Slot(object)
    def _failed(self, _error: object) -> None:
        self._dim_timer.stop()
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

    def _show_run(self, run: RunWords | None) -> None:
        if self._run is None or run is None or run.layers != self._run.layers:
            self._cell = None
        self._run = run
        full = run is not None and bool(run.words)
        self._stack.setCurrentIndex(int(full))
        for control in (self.what, self.over, self.shared):
            control.setEnabled(full)
        if run is None or not full:
            self.line.clear()
            self._say_empty()
            return
        self.name.setText(run.name.upper())
        self.caption.set_words(run.words, self._word())
        self.chart.set_words(run.words, run.mass, self._colour(run))
        self.facts.show_facts(run.facts)
        self._fit_caption()
        self._say_what_is_kept(run)
        self._show_word()

    def _say_empty(self) -> None:
        run, chosen = self._run, self._selection
        under = f" under “{chosen.task}”" if chosen.task else ""
        name = dict(self._loader.catalogue.models).get(self._source(), "")
        if run is not None:
            self.empty.say(
                "No words",
                f"{run.name} said nothing about this image{under}, or its maps were made elsewhere.",
            )
        elif chosen.image_id is None:
            self.empty.say("No image is chosen", "The words that a model says of an image appear here.")
        else:
            self.empty.say(
                f"{name or 'No model'} has not described this image{under}",
                "Each word that a model says has a map; a vision-language model has one for each layer and head.",
                "Run models…",
            )

    def _say_what_is_kept(self, run: RunWords) -> None:
        cells, maps = run.head_mass is not None, bool(run.kept)
        self._cells.setCurrentIndex(int(cells))
        if not cells:
            self.no_cells.say(
                "No layers and heads here",
                f"{run.name} gives one map a word. Vision-language models show each of their layers and heads.",
            )
        notes = {
            "": "Kept: how much each head attended to the image, not where.",
            "layers": "Kept: the mean over each layer's heads.",
            "heads": "",
        }
        self._note.show_text(notes[run.kept])
        self._note_row.setVisible(cells and run.kept != "heads")
        self.what.set_current(self._what if maps else MASS)
        for control in (self.what, self.over, self.shared):
            control.setEnabled(maps)
        why = "" if maps else "\nNot now: this run kept no maps by layer."
        self.what.setToolTip(
            f"Maps of layers and heads, or how much of their attention fell on the image{why}"
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
        what = "the mean map" if word == MEAN_MAP else f"“{run.words[word].text}”"
        place = "" if word == MEAN_MAP else f", word {word + 1} of {len(run.words)}"
        self.line.setText(f"{what}{place}: {share} % of attention on the image")
        self.line.setToolTip(
            "Share of the attention behind the word that fell on the image, under the run's map method; the rest fell "
            "on text."
        )
        self._show_cell_mass()
        self._show_cells()

    def _wanted(self) -> AskMaps | None:
        run = self._run
        return AskMaps(run.id, self._word()) if run is not None and run.kept else None

    def _show_cells(self) -> None:
        """Draw the gallery, now or when its maps have been read."""
        run, scene, wanted = self._run, self._scene, self._wanted()
        if run is None or scene is None or scene.image_id != run.image_id:
            return
        if wanted is not None and wanted not in self._cache:
            self._dim_timer.start()
            self._loader.ask(wanted)
            return
        self._dim_timer.stop()
        self._maps = self._cache[wanted] if wanted is not None else None
        if wanted is not None:
            self._cache.move_to_end(wanted)
            self._read_ahead(run)
        mass = run.cell_mass(self._word())
        if mass is not None and run.head_mass is not None:
            self.gallery.set_image(scene.picture, scene.width, scene.height, run.rect)
            self.gallery.show_word(run.layers, mass, float(run.head_mass.max()), self._maps)
        self.gallery.set_waiting(False)
        self._look()
        self.gallery.set_cell(self._cell)

    def _read_ahead(self, run: RunWords) -> None:
        word = self._word()
        for near in (word + 1, word - 1):
            question = AskMaps(run.id, near)
            if 0 <= near < len(run.words) and question not in self._cache:
                self._loader.ask(question, ahead=True)

    def _keep_maps(self, question: AskMaps, maps: CellMaps | None) -> None:
        self._cache[question] = maps
        self._cache.move_to_end(question)
        while len(self._cache) > 3 and sum(kept.nbytes for kept in self._cache.values() if kept) > _MAPS_KEPT:
            self._cache.popitem(last=False)

    @Slot()
    def _look(self, *_args: object) -> None:
        """Draw gallery and large map as the controls and the display state say."""
        display = self._selection.display
        what = self._what if self._maps is not None else MASS
        self.gallery.set_look(
            what, shared=self.shared.isChecked(), over=self.over.isChecked(), colormap=display.colormap
        )
        self._show_large()

    def _show_large(self) -> None:
        run, scene = self._run, self._scene
        if run is None or scene is None or scene.image_id != run.image_id:
            return
        display, size = self._selection.display, (scene.width, scene.height)
        self.preview.set_picture(scene.picture, *size)
        values = self._cell_map()
        if values is not None and self._cell is not None:
            layer = run.layers[self._cell[0]]
            name = capital(cell_name(layer, self._cell[1]))
            self.preview.show_map(name, cell_method(layer, self._cell[1]), values, run.rect, size)
        else:
            self.preview.show_map(*self._word_map(run, scene), run.rect, size)
        top = self._maps.top if values is not None and self._maps and self.shared.isChecked() else None
        self.preview.set_colours(display.colormap, top, display.opacity)

    def _cell_map(self) -> FloatArray | None:
        if self._cell is None or self._maps is None or self._cell[1] >= self._maps.density.shape[1]:
            return None
        found: FloatArray = self._maps.density[self._cell]
        return found

    def _word_map(self, run: RunWords, scene: SceneView) -> tuple[str, str, FloatArray | None]:
        """Return name, method and values of the map that the run stored for the word in hand."""
        word = self._word()
        model: ModelView | None = next((one for one in scene.models if one.id == run.model), None)
        title = "Mean map" if word == MEAN_MAP else f"“{run.words[word].text}”"
        if model is None or model.map is None or scene.task != run.task:
            return title, "", None
        if word == MEAN_MAP or model.word_maps is None or word >= len(model.word_maps):
            return title, "", model.map.values
        return title, "", model.word_maps[word]

    def _show_cell_mass(self) -> None:
        run, cell = self._run, self._cell
        if run is None or run.head_mass is None or cell is None or cell[0] >= len(run.layers):
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
        room = self.height() // 4
        lines = min(self.caption.lines_needed(self.caption.width()), _CAPTION_LINES)
        self.caption.set_lines(max(min(lines, self.caption.lines_within(room)), 1))

    @Slot()
    def _dim(self) -> None:
        self.gallery.set_waiting(True)

    @Slot(int)
    def _choose_word(self, word: int) -> None:
        if self._run is not None:
            self._selection.update(source=self._run.model, word=word)

    @Slot()
    def _want_models(self) -> None:
        self.extract_requested.emit("")

    @Slot()
    def _want_heads(self) -> None:
        self.extract_requested.emit("heads")


class FactsLine(QLabel):
    """Facts on one line, cut where it ends; all of them in the tooltip."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._line = ""
        theme.set_role(self, "muted")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        """Show facts, the values beside each other."""
        self.show_text("  ·  ".join(value for _name, value in facts))
        self.setToolTip(plain("\n".join(f"{name}: {value}" for name, value in facts)))

    def show_text(self, text: str) -> None:
        """Show a sentence."""
        self._line = text
        self.setToolTip(plain(text))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return the height of a line, and no width."""
        return QSize(0, super().minimumSizeHint().height())

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._line, Qt.TextElideMode.ElideRight, self.width()))


def _toggle(text: str, tip: str) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setCheckable(True)
    made.setChecked(True)
    made.setToolTip(tip)
    made.setAccessibleName(tip)
    return made
