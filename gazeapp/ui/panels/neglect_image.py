"""The lesion of the image in hand: what it takes away, and what that does to each model."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import SCOPES
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.models.lesioning import check_scope, offers
from gazeapp.engine.project.rows import ModelRow
from gazeapp.engine.reports.neglect.words import SCOPE_NAMES
from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.canvas.notice import Notice
from gazeapp.ui.colours import source_colour
from gazeapp.ui.lesions.facts import N_RANDOM
from gazeapp.ui.lesions.image_cells import ImageRow
from gazeapp.ui.lesions.image_table import ImageTable
from gazeapp.ui.lesions.live import LiveLesion, common_failure
from gazeapp.ui.lesions.runs import LesionRuns, info_of
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.panels.results_axes import broken
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import Segments, advice, label, plain

SHOWN = {"Intact": "", "Lesioned": "lesioned", "Change": "change"}
"""What the panes show of models, by the words of the switch."""

_LEFT = "left"
_LINES = 2
_ONE_IMAGE = "One image proves nothing: hold it against controls, and run the whole set before you conclude."
_OUTSIDE = "Photographs are outside what {} trained on."
_ON_BUTTON = "vlm", "runner"


class ImagePage(QWidget):
    """Scope, strength and what is shown, over a table with a line for each model.

    Parameters
    ----------
    selection
        The image, task and model in hand.
    actions
        The actions of the window.
    masks
        The mask in hand.
    live, runs
        What the lesion does to the models that follow the mask, and to those that are run on a button.
    """

    def __init__(
        self,
        selection: Selection,
        actions: Actions,
        masks: MaskSession,
        live: LiveLesion,
        runs: LesionRuns,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._selection = selection
        self._actions = actions
        self._masks = masks
        self._live = live
        self._runs = runs
        self._study: StudyView | None = None
        self._put_in = ""
        self._about = self._said = ""
        self._make_controls()
        self.table = ImageTable()
        self.strip = label("", "note", wrap=True)
        self.status = _line()
        self.empty = Notice()
        self._lay_out()
        self._connect()
        self._fill_scopes()
        self._show()

    def show_study(self, study: StudyView | None) -> None:
        """Show the models of ``study``; None when no project is open."""
        self._study = study
        self._fill_scopes()
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the mask while the page is in sight."""
        super().showEvent(event)
        self._live.watch(True)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave it."""
        super().hideEvent(event)
        self._live.watch(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Break lines in two where they have to be, and cut what has no room in those."""
        if event.type() == QEvent.Type.Resize and watched in (self.reach, self.misses, self.status):
            self._fit_lines()
        return super().eventFilter(watched, event)

    def start_with_left(self) -> None:
        """Cover the left half of the image."""
        self._put_in = _LEFT
        self._selection.update(painting=True)
        self._put_in_now()

    def _make_controls(self) -> None:
        self.scope = QComboBox()
        self.scope.setAccessibleName("Where in the models it is taken away")
        self.scope.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.scope.setMinimumWidth(12 * theme.STEP)
        self.strength = QSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(0, 100)
        self.strength.setPageStep(10)
        self.strength.setValue(round(100 * self._live.strength))
        self.strength.setMinimumWidth(6 * theme.STEP)
        self.strength.setMaximumWidth(12 * theme.STEP)
        self.strength.setAccessibleName("Strength of the lesion, percent")
        self.strength.setToolTip("How much is taken away of what the mask covers, in percent")
        self.percent = label("")
        self.percent.setFont(theme.tabular(self.percent.font()))
        self.percent.setFixedWidth(6 * theme.STEP)
        self.shown = Segments("What the panes show of the models")
        self.shown.set_values(list(SHOWN), "Intact")
        self.shown.setToolTip(
            f"What the panes show: the intact maps and captions, those under the lesion, or lesioned minus intact maps "
            f"({self._actions.keys('view.lesion')} switches between intact and lesioned)"
        )
        self.controls = QPushButton("Controls")
        self.controls.setCheckable(True)
        theme.set_role(self.controls, "segment")
        self.controls.setToolTip(
            plain(
                f"Run the mirrored mask, {N_RANDOM} random masks of as much area elsewhere, and regions elsewhere with "
                "as much attention, too; the table shows the mean of the random masks, tooltips show all. A lesion "
                "means something where it does more than they do. Where what lies outside the mask has less attention "
                "than what lies in it, the image has no such region."
            )
        )
        self.whole = QPushButton("Run on the whole set…")
        theme.set_role(self.whole, "quiet")
        follow(self.whole, self._actions["study.lesion"])
        self.reach, self.misses = _line(), _line()

    def _lay_out(self) -> None:
        controls = QHBoxLayout()
        controls.setContentsMargins(2 * theme.STEP, theme.STEP // 2, theme.STEP, theme.STEP // 2)
        controls.setSpacing(theme.STEP)
        for widget in (self.shown, self.scope, self.strength, self.percent):
            controls.addWidget(widget)
        controls.addStretch(1)
        controls.addWidget(self.controls)
        controls.addWidget(self.whole)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(controls)
        about = QVBoxLayout()
        about.setContentsMargins(2 * theme.STEP, 0, theme.STEP, 4)
        about.setSpacing(0)
        about.addWidget(self.reach)
        about.addWidget(self.misses)
        column.addLayout(about)
        column.addWidget(self.strip)
        column.addWidget(self.table, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(2 * theme.STEP, 2, theme.STEP, 4)
        foot.addWidget(self.status, 1)
        column.addLayout(foot)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)
        self.strip.hide()
        for line in (self.reach, self.misses, self.status):
            line.installEventFilter(self)

    def _connect(self) -> None:
        self.scope.activated.connect(self._choose_scope)
        self.strength.valueChanged.connect(self._choose_strength)
        self.shown.chosen.connect(self._choose_shown)
        self.controls.toggled.connect(self._live.set_controls)
        self.table.chosen.connect(self._choose_model)
        self.table.run_wanted.connect(self._run)
        self.empty.pressed.connect(self._paint)
        self.empty.also_pressed.connect(self.start_with_left)
        self._live.changed.connect(self._show)
        self._runs.changed.connect(self._show)
        self._masks.switched.connect(self._put_in_now)
        self._masks.switched.connect(self._show)
        self._masks.changed.connect(self._show)
        self._selection.changed.connect(self._follow)

    # Choosing

    @Slot(object)
    def _follow(self, changed: frozenset[str]) -> None:
        if changed & {"source", "image_id", "task", "lesion", "painting"}:
            self._explain_scope()
            self._show()

    @Slot(int)
    def _choose_scope(self, index: int) -> None:
        self._live.set_lesion(str(self.scope.itemData(index)), self._live.strength)
        self._explain_scope()

    @Slot(int)
    def _choose_strength(self, value: int) -> None:
        self._live.set_lesion(self._live.scope, value / 100)
        self._show()

    @Slot(str)
    def _choose_shown(self, words: str) -> None:
        self._selection.update(lesion=SHOWN[words])

    @Slot(str)
    def _choose_model(self, model: str) -> None:
        self._selection.update(source=model)

    @Slot(str)
    def _run(self, model: str) -> None:
        study = self._study
        image = study.images.get(self._selection.image_id or -1) if study is not None else None
        if study is not None and image is not None and model in study.models:
            self._runs.run(study.models[model], image.name)

    @Slot()
    def _paint(self) -> None:
        self._selection.update(painting=True)

    @Slot()
    def _put_in_now(self) -> None:
        """Put the mask in that was asked for, as soon as there is something to put it on."""
        if self._put_in and self._live.has_mask:
            spec, self._put_in = self._put_in, ""
            self._masks.put_in(spec)

    # Showing

    def _focused(self) -> ModelInfo | None:
        """Return the model that the words on the scope are about: that in focus, else the first that follows."""
        infos = {info.id: info for info in self._live.infos}
        infos |= {row.id: info_of(row) for row in self._on_button()}
        return infos.get(self._selection.source or "") or next(iter(infos.values()), None)

    def _on_button(self) -> list[ModelRow]:
        following = {info.id for info in self._live.infos}
        models = self._study.models.values() if self._study is not None else ()
        return [row for row in models if row.kind in _ON_BUTTON and row.id not in following]

    def _fill_scopes(self) -> None:
        infos = [*self._live.infos, *(info_of(row) for row in self._on_button())]
        offered = {offer.scope for info in infos for offer in offers(info)}
        with QSignalBlocker(self.scope):
            self.scope.clear()
            for scope in [scope for scope in SCOPES if scope in offered]:
                self.scope.addItem(SCOPE_NAMES[scope], scope)
                self.scope.setItemData(
                    self.scope.count() - 1, plain(SCOPES[scope]), Qt.ItemDataRole.ToolTipRole
                )
            self.scope.setCurrentIndex(self.scope.findData(self._live.scope))
        self._explain_scope()

    def _explain_scope(self) -> None:
        """Say what the scope does and does not reach in the model in focus."""
        info = self._focused()
        self._about = "" if info is None else about_scope(info, self._live.scope)
        for widget in (self.reach, self.misses, self.scope):
            widget.setToolTip(plain(self._about))
        self._fit_lines()

    @Slot()
    def _show(self) -> None:
        """Bring everything up to the lesion in hand."""
        self.percent.setText(f"{self.strength.value()}\N{NO-BREAK SPACE}%")
        current = next(words for words, shown in SHOWN.items() if shown == self._selection.display.lesion)
        self.shown.set_current(current)
        if self._say_empty():
            self._stack.setCurrentIndex(0)
            return
        self._stack.setCurrentIndex(1)
        failure = self._live.trouble or common_failure(
            self._live.failures, [info.id for info in self._live.infos]
        )
        self.strip.setText("" if failure is None else advice(failure))
        self.strip.setVisible(failure is not None)
        request = self._live.request
        self.table.show_rows(
            self._rows(),
            self._selection.source,
            with_objects=request is not None and bool(request.subject.objects),
            with_people=request is not None and request.fixations is not None,
        )
        self._said = self._status()
        self._fit_lines()

    def _say_empty(self) -> bool:
        """Say what is missing; return whether anything is."""
        painting = self._actions.reason("mask.paint")
        is_on = self._selection.display.painting
        begin = "Paint" if is_on else f"Press {self._actions.keys('mask.paint')} and paint"
        if self._selection.image_id is None:
            self.empty.say("No image is chosen", "Choose one in the list of images.")
        elif self._live.trouble is None and not self._live.infos and not self._on_button():
            self.empty.say(
                "No model can be run here",
                "A lesion takes a part of the image away from a model while it describes it. Maps that were made "
                "elsewhere have none.",
            )
        elif not self._has_cover():
            self.empty.say(
                "No mask yet",
                f"{begin} over a part of the picture: at the end of each stroke you see what the models say and attend "
                "to without it.",
                "" if painting or is_on else "Paint a mask",
                tip=painting,
                also="" if painting else "Start with the left half",
            )
        else:
            return False
        return True

    def _has_cover(self) -> bool:
        mask = self._masks.mask
        return self._live.has_mask and mask is not None and bool(mask.any())

    def _rows(self) -> list[ImageRow]:
        study = self._study
        known = study.model_ids if study is not None else ()
        ids = [*known, *(info.id for info in self._live.infos if info.id not in known)]
        rows = {info.id: self._live_row(info, ids) for info in self._live.infos}
        rows |= {row.id: self._button_row(row, ids) for row in self._on_button()}
        return [rows[model] for model in ids if model in rows]

    def _live_row(self, info: ModelInfo, ids: list[str]) -> ImageRow:
        effect, failure = self._live.effects.get(info.id), self._live.failures.get(info.id)
        says, tip = "", ""
        if failure is not None:
            says, tip = failure.what, str(failure)
        elif self._live.is_loading:
            says = "Loading the captioners…"
        elif effect is None:
            says = "Describing the image…"
        return ImageRow(
            info.id,
            info.name,
            source_colour(info.id, ids).name(),
            effect,
            says,
            tip,
            note=_OUTSIDE.format(f"{info.name} was") if self._is_outside(info) else "",
            is_before=effect is not None and self._live.is_before(effect),
        )

    def _button_row(self, row: ModelRow, ids: list[str]) -> ImageRow:
        effect, trouble = self._runs.effects.get(row.id), self._runs.troubles.get(row.id)
        running = self._runs.is_running(row.id)
        says, tip = "Too large to follow the mask; it is run as a job.", ""
        if running:
            says = "Running; what it does comes here."
        elif trouble is not None:
            says, tip = trouble.what, str(trouble)
        return ImageRow(
            row.id,
            row.name,
            source_colour(row.id, ids).name(),
            effect,
            says,
            tip,
            runs_on_button=not running,
        )

    def _is_outside(self, info: ModelInfo) -> bool:
        image = self._study.images.get(self._selection.image_id or -1) if self._study is not None else None
        return image is not None and is_outside_training(info.domain, image.origin)

    def _status(self) -> str:
        """Return the line under the table."""
        if self._live.is_loading:
            return "Loading the captioners…"
        effect = next(iter((*self._live.effects.values(), *self._runs.effects.values())), None)
        parts = [] if effect is None else [f"{self._masks.name}: {effect.facts}."]
        if self._live.with_controls and self._live.is_busy:
            parts.append("Running the controls…")
        elif self._live.with_controls and effect is not None:
            parts.append(f"Random: mean of {N_RANDOM} masks of as much area elsewhere.")
        outside = [info.name for info in self._live.infos if self._is_outside(info)]
        if outside:
            parts.append(_OUTSIDE.format("the captioners were" if len(outside) > 1 else f"{outside[0]} was"))
        return " ".join([*parts, _ONE_IMAGE])

    def _fit_lines(self) -> None:
        reach, _, misses = self._about.partition("\n")
        for line, text in ((self.reach, reach), (self.misses, misses), (self.status, self._said)):
            line.setText(broken(text, line.fontMetrics(), line.width(), _LINES))
        self.status.setToolTip(plain(self._said))


def about_scope(info: ModelInfo, scope: str) -> str:
    """Return what a scope reaches in a model and what it does not, or why the model lacks it."""
    try:
        check_scope(info, scope)
    except GazeError as error:
        return advice(error)
    offer = next(one for one in offers(info) if one.scope == scope)
    return f"{info.name}: {offer.reaches}\nWhat stays: {offer.misses}"


def _line() -> QLabel:
    line = label("", "muted")
    line.setMinimumWidth(5 * theme.STEP)
    line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return line
