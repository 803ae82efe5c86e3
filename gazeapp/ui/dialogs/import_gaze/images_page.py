"""Images: which image of the project each name in the recording means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    QStringListModel,
    Qt,
    Slot,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.cautions import counted
from gazeapp.engine.gaze.match import Match, MatchRules
from gazeapp.engine.gaze.records import Trial
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview, names_in_file
from gazeapp.ui.dialogs.import_gaze.match_model import FIXATIONS, HOW, IMAGE, NAME, TRIALS, MatchModel
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.folders import GAZE, LISTS, ask_for_file, last_folder
from gazeapp.ui.theme import STEP, set_role
from gazeapp.ui.widgets import advice, label, set_up_rows

_Index = QModelIndex | QPersistentModelIndex
_BY_ORDER = "Images are taken by order now; match them by their names to choose one."


class ImagesPage(Page):
    """The names in a recording with the images they mean.

    Parameters
    ----------
    images
        Names of the project's images.
    """

    title = "Images"

    def __init__(self, images: Sequence[str]) -> None:
        super().__init__()
        self._images = sorted(images)
        self._rules = MatchRules()
        self._is_nameless = False
        self.model = MatchModel()
        self.model.assigned.connect(self.assign)
        self._shown = _Shown(self)
        self._shown.setSourceModel(self.model)
        self.table = _table(self._shown, self._images)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Filter names")
        self._search.setAccessibleName("Filter names")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._filter)
        self._unmatched = QCheckBox("Only without image")
        self._unmatched.toggled.connect(self._filter)
        self._closest = _button("Use the closest", self.use_closest)
        self._none = _button("No image", self.clear_selected)
        self._none.setToolTip("The selected names mean no image of the project.")
        self._order = _button("Match by order")
        self._order.setMenu(self._order_menu())
        self._order.setToolTip("The first trial of each subject shows the first image, and so on.")
        self._summary = label("", "muted", wrap=True)
        self._wrong = label("", "note", wrap=True)
        self._wrong.hide()
        self.table.selectionModel().selectionChanged.connect(self._explain)
        self.setFocusProxy(self.table)
        self._lay_out()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show the names of a file."""
        self._rules = settings.match
        plan = preview.plan if preview is not None else None
        without = frozenset(name for name, image in self._rules.names.items() if not image)
        trials = plan.recording.trials if plan is not None else ()
        self._is_nameless = _are_nameless(trials, plan.matches if plan else (), self._rules)
        locked = _BY_ORDER if self._rules.order and not self._is_nameless else ""
        longest = max(Counter(trial.subject for trial in trials if trial.is_real).values(), default=0)
        nameless = ""
        if self._is_nameless and len(self._rules.order) < longest:
            nameless = "one" if longest == 1 else f"that of trial {len(self._rules.order) + 1}"
        self.model.show_matches(plan.matches if plan else (), locked, without, nameless)
        self._by_names.setEnabled(bool(self._rules.order))
        error = preview.error if preview is not None and plan is None else None
        self._wrong.setText(advice(error) if error else "")
        self._wrong.setVisible(error is not None)
        self._explain()

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with the images chosen here."""
        return replace(settings, match=self._rules)

    def applies(self, preview: Preview | None) -> bool:
        """Return whether there are trials to find images for, or what was said here keeps them from being found."""
        if preview is None:
            return False
        return preview.plan is not None or preview.settings.match != MatchRules()

    @Slot(str, str)
    def assign(self, name: str, image: str) -> None:
        """Let a recorded name mean an image of the project; an empty one means none.

        Where the recording names no images, each one that is chosen is that of the next trial.
        """
        if not self._is_nameless:
            self._use({**self._rules.names, name: image})
            return
        order = list(self._rules.order)
        if not image:
            order = order[: order.index(name)] if name in order else order
        elif name in order:
            order = [image if listed == name else listed for listed in order]
        else:
            order.append(image)
        self.use_order(order)

    @Slot()
    def use_closest(self) -> None:
        """Give the selected names, or all without an image, the image whose name is closest."""
        self._use({**self._rules.names, **self._proposals()})

    @Slot()
    def clear_selected(self) -> None:
        """Let the selected names mean no image."""
        chosen = {match.name: "" for match in self._selected() if match.name}
        self._use({**self._rules.names, **chosen})

    def use_order(self, names: Sequence[str]) -> None:
        """Take images by the order of ``names``; by the recorded names again when there are none."""
        self._rules = replace(self._rules, order=tuple(names))
        self.changed.emit()

    @Slot()
    def ask_for_list(self) -> None:
        """Ask for a text file with one name a line."""
        caption = "List of images, in the order in which they were shown"
        file = ask_for_file(self, caption, LISTS, "Text (*.txt *.csv);;All files (*)", last_folder(GAZE))
        if file is None:
            return
        try:
            self.use_order(names_in_file(file))
        except GazeError as error:
            self._wrong.setText(advice(error))
            self._wrong.show()

    def _use(self, names: dict[str, str]) -> None:
        self._rules = replace(self._rules, names=names)
        self.changed.emit()

    def _selected(self) -> list[Match]:
        rows = {self._shown.mapToSource(index).row() for index in self.table.selectionModel().selectedRows()}
        return [self.model.matches[row] for row in sorted(rows)]

    def _proposals(self) -> dict[str, str]:
        """Return the closest images of the selected names without one, else of all of these."""
        selected, proposed = self._selected(), self.model.proposals
        waiting = [match for match in proposed if match in selected] or proposed
        return {match.name: match.closest for match in waiting}

    @Slot()
    def _filter(self) -> None:
        self._shown.only(self._search.text(), unmatched=self._unmatched.isChecked())

    @Slot()
    def _explain(self) -> None:
        by_order = bool(self._rules.order)
        self._summary.setText(_in_words(self.model.matches, self._rules.order))
        proposals = {} if by_order else self._proposals()
        self._closest.setEnabled(bool(proposals))
        self._closest.setText(f"Use the closest ({len(proposals)})" if proposals else "Use the closest")
        self._closest.setToolTip(
            "\n".join(f"{name} → {image}" for name, image in list(proposals.items())[:12])
            or (_BY_ORDER if by_order else "No name without an image has one that is close.")
        )
        self._none.setEnabled(not by_order and any(match.name for match in self._selected()))

    def _order_menu(self) -> QMenu:
        menu = QMenu(self)
        self._by_names = menu.addAction("By their names", lambda: self.use_order(()))
        menu.addSeparator()
        named = menu.addAction("The project's images, by name", lambda: self.use_order(self._images))
        named.setEnabled(bool(self._images))
        menu.addAction("A list in a text file…", self.ask_for_list)
        return menu

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(STEP)
        self._search.setMaximumWidth(28 * STEP)
        top.addWidget(self._search)
        top.addWidget(self._unmatched)
        top.addStretch(1)
        for button in (self._closest, self._none, self._order):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * STEP, 0, 0)
        column.setSpacing(STEP)
        column.addLayout(top)
        column.addWidget(self._wrong)
        column.addWidget(self.table, 1)
        column.addWidget(self._summary)


def _in_words(matches: Sequence[Match], order: Sequence[str]) -> str:
    named = [match for match in matches if match.name]
    found = sum(bool(match.image) for match in named)
    waiting = sum(match.trials for match in matches if not match.image)
    parts = [
        f"{found:,} of {counted(len(named), 'name')} {'has' if len(named) == 1 else 'have'} an image."
        if named
        else "The file names no images; choose them here in the order in which they were shown, or match by order.",
        f"{counted(waiting, 'trial')} without an image {'waits' if waiting == 1 else 'wait'} for one, stored."
        if waiting
        else "",
        f"By order: trial k shows the k-th of {counted(len(order), 'listed image')}." if order else "",
    ]
    return " ".join(part for part in parts if part)


def _are_nameless(trials: Sequence[Trial], matches: Sequence[Match], rules: MatchRules) -> bool:
    """Return whether a recording names no image, and none was found by the labels of its trials."""
    if not trials or any(trial.image for trial in trials):
        return False
    return bool(rules.order) or not any(match.image for match in matches)


class _Shown(QSortFilterProxyModel):
    """The rows that the filter leaves."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._words, self._unmatched = "", False
        self.setSortRole(Qt.ItemDataRole.UserRole)

    def only(self, words: str, *, unmatched: bool) -> None:
        """Leave names with these letters, all or those without an image."""
        self._words, self._unmatched = words.casefold().strip(), unmatched
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: _Index) -> bool:
        """Return whether a row is left."""
        match = self.sourceModel().matches[row]
        if self._unmatched and match.image:
            return False
        return self._words in f"{match.name} {match.image}".casefold()


class _ImageDelegate(QStyledItemDelegate):
    """Lets an image of the project be typed or chosen."""

    def __init__(self, images: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._images = QStringListModel(["", *images], self)

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: _Index) -> QWidget:
        """Return a box with all images that completes what is typed."""
        box = QComboBox(parent)
        box.setEditable(True)
        box.setModel(self._images)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = QCompleter(self._images, box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        box.setCompleter(completer)
        return box

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Begin with the image that it has, else with the closest."""
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.lineEdit().selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        """Take an image of the project; anything else is not taken."""
        if isinstance(editor, QComboBox):
            text = editor.currentText().strip()
            if text in self._images.stringList():
                model.setData(index, text)


def _table(model: QAbstractItemModel, images: Sequence[str]) -> QTableView:
    table = QTableView()
    set_up_rows(table, "Names in the recording and their images", 4 * STEP)
    table.setModel(model)
    table.setItemDelegateForColumn(IMAGE, _ImageDelegate(images, table))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(
        QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
    )
    table.setSortingEnabled(True)
    table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setSectionResizeMode(IMAGE, QHeaderView.ResizeMode.Stretch)
    for column, width in ((NAME, 24), (HOW, 18), (TRIALS, 9), (FIXATIONS, 12)):
        header.resizeSection(column, width * STEP)
    return table


def _button(text: str, slot: object = None) -> QPushButton:
    button = QPushButton(text)
    set_role(button, "quiet")
    button.setAutoDefault(False)
    if slot is not None:
        button.clicked.connect(slot)
    return button
