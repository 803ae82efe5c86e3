"""The window of trainings: which there are, how each stands, their curves over one another, what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QCursor, QDragEnterEvent, QDropEvent, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.panels.training_curves import MOST_SHOWN, TrainingCurves, colours_of
from gazeapp.ui.panels.training_words import ICONS, details, in_a_few_words, in_a_sentence
from gazeapp.ui.training_folder import FINISHED, RUNNING, Training
from gazeapp.ui.widgets import EmptyState, label, plain, wrapped

_FOLDER = Qt.ItemDataRole.UserRole
_SIZE = (1040, 680)
_KEY = "trainings/geometry"


class TrainingWindow(QWidget):
    """A window of its own; what its buttons ask for is done by who made it."""

    train_asked = Signal()
    watch_asked = Signal()
    dropped = Signal(object)
    stop_asked = Signal(object)
    go_on_asked = Signal(object)
    removal_asked = Signal(object)
    folder_asked = Signal(object)
    card_asked = Signal(object)
    design_asked = Signal(object)
    adding_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle("Trainings")
        self.setAcceptDrops(True)
        self.setMinimumSize(760, 520)
        self._trainings: tuple[Training, ...] = ()
        self._shown: set[Path] = set()
        self.list = QListWidget()
        self.list.setAccessibleName("Trainings; a tick draws the curve")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setSpacing(2)
        self.list.currentItemChanged.connect(self._show_current)
        self.list.itemChanged.connect(self._ticked)
        self.curves = TrainingCurves()
        self._make_head()
        self._lay_out()
        for keys, do in ((QKeySequence.StandardKey.Close, self.close), (Qt.Key.Key_Delete, self._remove)):
            QShortcut(QKeySequence(keys), self, do)
        self.resize(*_SIZE)
        geometry = QSettings().value(_KEY)
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.show_trainings(())

    @property
    def current(self) -> Training | None:
        """The training that the buttons are about."""
        item = self.list.currentItem()
        folder = item.data(_FOLDER) if item is not None else None
        return next((each for each in self._trainings if str(each.folder) == folder), None)

    @property
    def shown(self) -> list[Training]:
        """The trainings that are drawn, in the order of the list."""
        return [each for each in self._trainings if each.folder in self._shown]

    @Slot(object)
    def show_trainings(self, trainings: Sequence[Training]) -> None:
        """Show how all trainings stand; new ones are drawn while there is room for them."""
        known = {each.folder for each in self._trainings}
        self._trainings = tuple(trainings)
        self._shown &= {each.folder for each in trainings}
        for each in trainings:
            if each.folder not in known and len(self._shown) < MOST_SHOWN:
                self._shown.add(each.folder)
        self._fill_list()
        self._stack.setCurrentIndex(1 if self._trainings else 0)
        self._show_current()
        self.curves.show_trainings(self.shown)

    def choose(self, folder: Path) -> None:
        """Make a training the one that the buttons are about, or the first of those in a folder, and draw it."""
        for row in range(self.list.count()):
            path = Path(self.list.item(row).data(_FOLDER))
            if folder in (path, *path.parents):
                self.list.setCurrentRow(row)
                return

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders of trainings, and files of captions."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand on what was dropped."""
        event.acceptProposedAction()
        self.dropped.emit([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember where the window was; trainings go on."""
        QSettings().setValue(_KEY, self.saveGeometry())
        event.accept()

    def _make_head(self) -> None:
        self._title = label("", "title")
        self._sentence = label("", "", wrap=True)
        self._details = label("", "note", wrap=True)
        self._details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Steps done")
        self.stop_button = self._button("Stop after this step", "stop", self.stop_asked)
        self.go_on_button = self._button("Go on", "play", self.go_on_asked)
        self.folder_button = self._button("Open folder", "folder", self.folder_asked)
        self.card_button = self._button("Model card", "report", self.card_asked)
        self.design_button = self._button("Comparison of the four", "scale", self.design_asked)
        self.design_button.setToolTip(
            wrapped("What the captioners of the factorial design share, what differs, and how they do.")
        )
        self.add_button = self._button("Add to models", "plus", self.adding_asked)

    def _button(self, words: str, icon: str, signal: Signal) -> QPushButton:
        button = QPushButton(words)
        theme.set_icon(button, icon)
        button.clicked.connect(lambda: self._ask(signal))
        return button

    def _ask(self, signal: Signal) -> None:
        current = self.current
        if current is not None:
            signal.emit(current)

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(theme.STEP * 2, theme.STEP * 2, theme.STEP, theme.STEP * 2)
        column.setSpacing(theme.STEP)
        column.addWidget(label("TRAININGS", "section"))
        column.addWidget(self.list, 1)
        self.train_button, self.watch_button = QPushButton("Train…"), QPushButton("Watch…")
        self.remove_button = QPushButton("Take off")
        self.train_button.clicked.connect(self.train_asked)
        self.watch_button.clicked.connect(self.watch_asked)
        self.watch_button.setToolTip(
            wrapped("Follow a training that was started elsewhere: choose its folder.")
        )
        self.remove_button.clicked.connect(self._remove)
        self.remove_button.setToolTip(wrapped("Follow it no longer. Its files stay, and it goes on."))
        row = QHBoxLayout()
        row.setSpacing(theme.STEP)
        for button in (self.train_button, self.watch_button, self.remove_button):
            row.addWidget(button)
        column.addLayout(row)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(left)
        split.addWidget(self._right())
        split.setStretchFactor(1, 1)
        split.setSizes([280, 760])
        both = QPushButton("Train a captioner…")
        theme.set_role(both, "primary")
        both.clicked.connect(self.train_asked)
        watch = QPushButton("Watch a training…")
        watch.clicked.connect(self.watch_asked)
        ways = QWidget()
        ways_row = QHBoxLayout(ways)
        ways_row.setContentsMargins(0, 0, 0, 0)
        ways_row.setSpacing(theme.STEP)
        ways_row.addWidget(both)
        ways_row.addWidget(watch)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(
            EmptyState(
                "chart",
                "No training yet",
                "Trainings that you start here are listed with their curves, and those that run elsewhere, on a "
                "terminal or a cluster, when you choose their folder or drop it here.",
                ways,
            )
        )
        self._stack.addWidget(split)

    def _right(self) -> QWidget:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(theme.STEP, theme.STEP * 2, theme.STEP * 2, theme.STEP)
        column.setSpacing(theme.STEP)
        row = QHBoxLayout()
        row.setSpacing(theme.STEP)
        for button in (self.stop_button, self.go_on_button):
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.design_button, self.folder_button, self.card_button, self.add_button):
            row.addWidget(button)
        for part in (self._title, self._sentence, self._bar, self._details):
            column.addWidget(part)
        column.addLayout(row)
        column.addWidget(self.curves, 1)
        return right

    def _fill_list(self) -> None:
        """Bring the list up to date in place, so that neither the choice nor the focus jumps."""
        self.list.blockSignals(True)
        while self.list.count() > len(self._trainings):
            self.list.takeItem(self.list.count() - 1)
        for row, each in enumerate(self._trainings):
            item = self.list.item(row)
            if item is None:
                item = QListWidgetItem()
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                self.list.addItem(item)
            item.setData(_FOLDER, str(each.folder))
            words = f"{each.name}\n{in_a_few_words(each)}"
            if item.text() != words:
                item.setText(words)
            item.setToolTip(plain(f"{each.name}\n{each.folder}"))
            state = Qt.CheckState.Checked if each.folder in self._shown else Qt.CheckState.Unchecked
            if item.checkState() != state:
                item.setCheckState(state)
            item.setIcon(theme.icon(ICONS[each.state]))
        if self.list.currentRow() < 0 and self._trainings:
            self.list.setCurrentRow(0)
        shown = self.shown
        for each, colour in zip(shown, colours_of(shown), strict=True):
            # The sign has the colour of the curve; a name in it would be too pale to read in one theme or the other.
            item = self.list.item(self._trainings.index(each))
            item.setIcon(QIcon(theme.pixmap(ICONS[each.state], colour.name())))
        self.list.blockSignals(False)

    @Slot(QListWidgetItem)
    def _ticked(self, item: QListWidgetItem) -> None:
        folder = Path(item.data(_FOLDER))
        if item.checkState() == Qt.CheckState.Checked:
            self._shown.add(folder)
        else:
            self._shown.discard(folder)
        too_many = len(self._shown) > MOST_SHOWN
        if too_many:
            self._shown.discard(folder)
        self._fill_list()
        if too_many:
            with QSignalBlocker(self.list):
                item.setToolTip(f"{MOST_SHOWN} curves are drawn at most; untick one first.")
            QToolTip.showText(QCursor.pos(), item.toolTip(), self.list)
        self.curves.show_trainings(self.shown)

    @Slot()
    def _show_current(self, *_items: object) -> None:
        training = self.current
        if training is None:
            return
        self._title.setText(training.name)
        self._sentence.setText(in_a_sentence(training))
        said = details(training)
        self._details.setText(said)
        self._details.setVisible(bool(said))
        self._bar.setRange(0, max(training.steps, 1))
        self._bar.setValue(training.step)
        self._bar.setVisible(training.state != FINISHED)
        self.design_button.setVisible(training.design is not None)
        self._allow(training)

    def _allow(self, training: Training) -> None:
        """Enable what can be done with a training; tooltips say why the rest cannot."""
        finished = training.has_weights
        no_settings = "" if training.settings else "its settings are not in its folder"
        for button, tip, why_not in (
            (
                self.stop_button,
                "It keeps a checkpoint, from which it can go on.",
                "" if training.state == RUNNING else "it does not run, or stops already",
            ),
            (
                self.go_on_button,
                "Take it up at its last checkpoint, on this computer.",
                no_settings if training.can_go_on else "there is nothing left to do, or it runs",
            ),
            (self.folder_button, str(training.folder), ""),
            (
                self.card_button,
                "What it was trained on, how, and its figures.",
                "" if training.has_card else "it is written at the end",
            ),
            (
                self.add_button,
                "Offer this captioner among the models, in this and in other projects.",
                "" if finished else "it has no weights yet",
            ),
        ):
            button.setEnabled(not why_not)
            button.setToolTip(wrapped(f"{tip}\nNot now: {why_not}." if why_not else tip))

    @Slot()
    def _remove(self) -> None:
        if self.current is not None:
            self.removal_asked.emit(self.current)
