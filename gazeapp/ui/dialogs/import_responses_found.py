"""What was found in a file of responses: facts, cautions, and the image of each name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QFrame, QHeaderView, QScrollArea, QTableView, QVBoxLayout, QWidget

from gazeapp.engine.neural.records import FSAVERAGE5
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import add_field, form_layout
from gazeapp.ui.widgets import label, plain, set_up_rows

if TYPE_CHECKING:
    from gazeapp.engine.errors import GazeError
    from gazeapp.engine.neural.responses.matching import MatchedName
    from gazeapp.engine.neural.responses.preview import ResponsesPreview
    from gazeapp.ui.worker import JobError

_FACTS = ("Format", "Shape", "Space", "Subjects", "Repeats", "Values", "Ceiling", "Source")
_COLUMNS = ("Name in the file", "Image of the study", "Rows")
_ROW_HEIGHT = 28
_MOST_CAUTIONS = 6
_OPTION = re.compile(r" \((?:`?gazeapp |--)[^)]*\)")

_Index = QModelIndex | QPersistentModelIndex


def in_the_window(error: GazeError | JobError) -> str:
    """Return what is wrong and what can be done, without the options of commands."""
    return _OPTION.sub("", f"{error.what} {error.todo}".strip())


def facts_of(found: ResponsesPreview) -> dict[str, str]:
    """Return what was found, as words by the names of `_FACTS`."""
    if not found.form:
        return {}
    targets = f"{found.n_targets:,} {'vertices' if found.space == FSAVERAGE5 else 'regions'}"
    shape = f"{_count(found.n_rows, 'row')} of {_count(found.n_images, 'image')}"
    shape += f" × {targets}" if found.space else ""
    if found.time_rows:
        shape += f"; time courses of {_count(found.time_rows, 'row')}"
        shape += f", averaged from {found.facts['window']}" if "window" in found.facts else ""
    spaces = {FSAVERAGE5: "fsaverage5, both hemispheres", "": "not known yet"}
    regions = f"regions: {', '.join(found.targets[:3])}{' …' if len(found.targets) > 3 else ''}"
    subjects = [name for name in found.subjects if name]
    shown = ", ".join(subjects[:4]) + (" …" if len(subjects) > 4 else "")
    most = found.most_repeats
    return {
        "Format": found.form,
        "Shape": shape,
        "Space": spaces.get(found.space, regions),
        "Subjects": f"{len(subjects)}: {shown}" if subjects else "the file names none",
        "Repeats": f"up to {most} of an image, averaged" if most > 1 else "none: each image once",
        "Values": _values_of(found),
        "Ceiling": "in the file" if found.has_ceilings else _ceiling_of(found, len(subjects)),
        "Source": found.source or "the file does not say",
    }


def _values_of(found: ResponsesPreview) -> str:
    if not found.n_looked_at:
        return ""
    looked = "" if found.n_looked_at == found.n_rows else f" in the {found.n_looked_at:,} rows looked at"
    never, single = found.n_never_known, found.n_missing
    if not never and not single:
        return f"none missing{looked}"
    parts = [f"{_count(never, 'target')} without any value"] if never else []
    parts += [f"{_count(single, 'single value')} missing (NaN)"] if single else []
    return f"{' and '.join(parts)}{looked}"


def _ceiling_of(found: ResponsesPreview, n_subjects: int) -> str:
    if found.simulated:
        return "none: a model's responses have no noise"
    if n_subjects > 1 or found.most_repeats > 1:
        return "from repeats or from subject to subject"
    return "cannot be known from one subject and single responses"


class MatchModel(QAbstractTableModel):
    """Names of the file, each with its image; those without one come first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.names: list[MatchedName] = []

    def show_names(self, names: Sequence[MatchedName]) -> None:
        """Show other names."""
        self.beginResetModel()
        self.names = sorted(names, key=lambda one: bool(one.image))
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of names."""
        return 0 if parent.isValid() else len(self.names)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return what a column is called."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        one, column = self.names[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            image = one.image or (
                f"none; like {one.closest}?" if one.closest else f"none: it {one.why_of_one}"
            )
            return (one.name, image, f"{one.n_rows:,}")[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column == 2:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(one.image or f"Left out: the name {one.why_of_one}.")
        return None


class FoundPart(QWidget):
    """What is in the file; ``warned`` holds what the user should know of it, to be shown beside."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = {name: label("", wrap=True) for name in _FACTS}
        self.cautions = label("", "note", wrap=True)
        self.warned = _scrolled(self.cautions)
        self.matched = label("", "muted", wrap=True)
        self.table = QTableView()
        self.model = MatchModel(self)
        self.table.setModel(self.model)
        set_up_rows(self.table, "Names in the file and their images", _ROW_HEIGHT)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        head = self.table.horizontalHeader()
        for column in (0, 1):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        head.resizeSection(2, 64)
        form = form_layout()
        form.setVerticalSpacing(2)
        for name, value in self.facts.items():
            value.setContentsMargins(0, 6, 0, 0)
            add_field(form, name, value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(label("WHAT WAS FOUND", "section"))
        column.addLayout(form)
        column.addWidget(self.matched)
        column.addWidget(self.table, 1)
        self.show_found(None)

    def show_found(self, found: ResponsesPreview | None, says: str = "") -> None:
        """Show what was found, or nothing yet and a sentence."""
        facts = facts_of(found) if found is not None else {}
        for name, value in self.facts.items():
            value.setText(facts.get(name, "–"))
        names = found.matched.names if found is not None else ()
        self.model.show_names(names)
        self.matched.setText(_matched_in_words(found) if names and found is not None else says)
        cautions = [in_the_window(one) for one in found.cautions] if found is not None else []
        more = len(cautions) - _MOST_CAUTIONS
        cautions = cautions[:_MOST_CAUTIONS] + ([f"And {more:,} more."] if more > 0 else [])
        self.cautions.setText("\n\n".join(cautions))
        self.warned.setVisible(bool(cautions))


def _scrolled(words: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setAccessibleName("What to know of the file")
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    inside = QWidget()
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(words)
    column.addStretch(1)
    scroll.setWidget(inside)
    return scroll


def _matched_in_words(found: ResponsesPreview) -> str:
    matched = found.matched
    n, of = len(matched.image_of), len(matched.names)
    text = f"{n:,} of {_count(of, 'name')} {'has' if n == 1 else 'have'} an image of the study."
    if matched.without:
        n = len(matched.without)
        text += f" {_count(n, 'image')} of the study {'has' if n == 1 else 'have'} "
        text += "no response."
    return text


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
