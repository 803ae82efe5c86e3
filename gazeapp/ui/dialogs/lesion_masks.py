"""Which masks an experiment takes away: a list to tick, and a line for others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from gazeapp.engine.lesions.masks.built_in import BUILT_IN
from gazeapp.engine.workflows.masks import SHARE, KnownSpec
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import Fold
from gazeapp.ui.widgets import label, no_mnemonic, plain

_SIDES = ("left", "right", "top", "bottom", "left graded", "right graded")
_AT_FIRST = ("left", "right")
_MEANINGS = {
    **BUILT_IN,
    "right graded": "All at the right border, falling evenly to nothing at the left border.",
}
_COLUMNS = 2
_OWN = f"model {SHARE}%"


class MaskChoice(QWidget):
    """Boxes of the masks that there are; those of the library and of objects come when they were read."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[str, QCheckBox] = {}
        self.others = QLineEdit()
        self.others.setPlaceholderText("others, such as left 30%, left soft 10%, people 15%")
        self.others.setAccessibleName("Other masks, separated by commas")
        self.others.textChanged.connect(self.changed)
        self._sides = _grid()
        self._known = QWidget()
        self._known.setLayout(_grid())
        self._known.hide()
        self._objects = Fold("Objects")
        self._objects.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(self._sides)
        for part in (self._known, self._objects, self.others):
            column.addWidget(part)
        for side in _SIDES:
            self._add(self._sides, side, side, _MEANINGS[side], ticked=side in _AT_FIRST)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The texts of the masks that are asked for, each once."""
        ticked = [spec for spec, box in self.boxes.items() if box.isChecked()]
        named = [text.strip() for text in self.others.text().split(",") if text.strip()]
        return tuple(dict.fromkeys([*ticked, *named]))

    def show_known(self, specs: Iterable[KnownSpec], n_images: int) -> None:
        """Offer what the project has: its library, what follows from its data, objects.

        ``n_images`` is how many images there are, to tell masks that some of them lack.
        """
        specs = list(specs)
        library = [one for one in specs if one.kind == "library"]
        data = [one for one in specs if one.kind == "people"]
        grid = self._known.layout()
        assert isinstance(grid, QGridLayout)
        for one in library:
            self._add(grid, one.spec, one.spec, f"Drawn or read. {one.says} There are {n_images} images.")
        for one in data:
            self._add(grid, one.spec, "where people look most", one.says)
        if any(one.kind == "model" for one in specs):
            says = f"The {SHARE} % of the image where each model itself attends most, another part for each."
            self._add(grid, _OWN, "where each model attends most", says)
        self._known.setVisible(grid.count() > 0)
        self._show_objects([one for one in specs if one.kind == "object"])

    def _show_objects(self, objects: Sequence[KnownSpec]) -> None:
        if not objects:
            return
        grid = _grid()
        for one in objects:
            says = f"{one.says} Images without one are left out, and told."
            self._add(grid, one.spec, one.spec.removeprefix("object "), says)
        holder = QWidget()
        holder.setLayout(grid)
        self._objects.form.addRow(label(f"{len(objects)} kinds of objects have boxes.", "muted"))
        self._objects.form.addRow(holder)
        self._objects.show()

    def _add(self, grid: QGridLayout, spec: str, name: str, says: str, *, ticked: bool = False) -> None:
        if spec in self.boxes:
            return
        box = QCheckBox(no_mnemonic(name))
        box.setToolTip(plain(f"{says}\nCalled “{spec}”."))
        box.setChecked(ticked)
        box.toggled.connect(self.changed)
        self.boxes[spec] = box
        place = grid.count()
        grid.addWidget(box, place // _COLUMNS, place % _COLUMNS)


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(2 * theme.STEP)
    grid.setVerticalSpacing(theme.STEP // 2)
    return grid
