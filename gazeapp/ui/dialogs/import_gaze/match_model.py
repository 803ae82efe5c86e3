"""The table of image names: what the recording calls an image, and which image of the project it means."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from gazeapp.engine.gaze.match import Match
from gazeapp.ui.theme import colors
from gazeapp.ui.widgets import plain

NAME, IMAGE, HOW, TRIALS, FIXATIONS = range(5)
_HEADERS = ("Name in the recording", "Image in the project", "How it was found", "Trials", "Fixations")
_TIPS = (
    "What the recording calls the image.",
    "Which image it means. Double click, or press F2, to choose another; empty for none.",
    "By its name as it is, or without regard to case, folder or extension; by the order of images; or by you.",
    "Trials under this name.",
    "Fixations under this name, used or not.",
)
_Index = QModelIndex | QPersistentModelIndex


class MatchModel(QAbstractTableModel):
    """One row a name; ``assigned`` brings a recorded name and the image that the user gave it."""

    assigned = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.matches: list[Match] = []
        self._locked = ""
        self._without: frozenset[str] = frozenset()
        self._nameless = ""

    def show_matches(
        self, matches: Sequence[Match], locked: str, without: frozenset[str], nameless: str = ""
    ) -> None:
        """Show these.

        Parameters
        ----------
        matches
            One row each.
        locked
            Why images cannot be chosen, empty when they can.
        without
            Names of which the user said that they mean no image.
        nameless
            What can be chosen for trials without a name, such as ``that of trial 1``; empty for nothing.
        """
        same = [match.name for match in matches] == [match.name for match in self.matches]
        self._locked, self._without, self._nameless = locked, without, nameless
        if same and matches:
            self.matches = list(matches)
            self.dataChanged.emit(self.index(0, 0), self.index(len(matches) - 1, FIXATIONS))
            return
        self.beginResetModel()
        self.matches = list(matches)
        self.endResetModel()

    @property
    def proposals(self) -> list[Match]:
        """The names without an image that one of a close name is proposed for."""
        return [
            match
            for match in self.matches
            if match.closest and not match.image and match.name not in self._without
        ]

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the number of names."""
        return 0 if parent is not None and parent.isValid() else len(self.matches)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(_HEADERS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the title of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_alignment(section))
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Let the image of a name be chosen."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        has_name = bool(self.matches[index.row()].name)
        editable = index.column() == IMAGE and not self._locked and (has_name or self._nameless)
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell says."""
        match, column = self.matches[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(match, column)
        if role == Qt.ItemDataRole.EditRole:
            return match.image or match.closest if column == IMAGE else self._text(match, column)
        if role == Qt.ItemDataRole.UserRole:  # what the table is sorted by
            numbers = {TRIALS: match.trials, FIXATIONS: match.fixations}
            return numbers.get(column, self._text(match, column).casefold())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_alignment(column))
        if role == Qt.ItemDataRole.ForegroundRole:
            return _color(match, column)
        if role == Qt.ItemDataRole.ToolTipRole and column == IMAGE:
            if self._locked or match.name:
                return self._locked or _TIPS[IMAGE]
            names_none = "The recording names no image here."
            chosen = f"Double click, or press F2, to choose {self._nameless}, the same for all subjects."
            return plain(f"{names_none} {chosen}") if self._nameless else names_none
        return self._text(match, column) if role == Qt.ItemDataRole.ToolTipRole else None

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take the image that the user chose."""
        match = self.matches[index.row()]
        if role != Qt.ItemDataRole.EditRole or not isinstance(value, str) or value == match.image:
            return False
        self.assigned.emit(match.name, value)
        return True

    def _text(self, match: Match, column: int) -> str:
        if column == NAME:
            return match.name or "(none)"
        if column == IMAGE:
            if not match.name and not match.image and self._nameless:
                return f"none; choose {self._nameless}"
            proposed = match.closest if match.name not in self._without else ""
            return match.image or (f"none; closest: {proposed}" if proposed else "none")
        if column == HOW and match.name in self._without and not match.image:
            return "none, as you said"
        if column == HOW:
            return match.how or ("not found" if match.name else "no name in the file")
        return f"{match.trials if column == TRIALS else match.fixations:,}"


def _color(match: Match, column: int) -> QColor | None:
    if column == NAME:
        return None if match.name else QColor(colors().muted)
    if column == IMAGE:
        return None if match.image else QColor(colors().warning)
    return QColor(colors().muted) if column == HOW else None


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (TRIALS, FIXATIONS) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
