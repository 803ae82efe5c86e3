"""What the dialogs share: a title, fields with their unit and effect, a folded part, the buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.folders import typed_path, why_no_path
from gazeapp.ui.widgets import icon_button, label, wrapped


class FormDialog(QDialog):
    """A dialog with a title, a sentence, fields and two buttons.

    The button that accepts is disabled while ``set_reason`` gives a reason, which is shown.
    """

    def __init__(self, parent: QWidget | None, title: str, sentence: str, accept: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(560)
        self.form = form_layout()
        self._reason = label("", "note", wrap=True)
        self._reason.hide()
        buttons = QDialogButtonBox()
        self.accept_button = buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setDefault(True)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole).setAutoDefault(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.body = QVBoxLayout()
        self.body.setSpacing(theme.STEP * 2)
        self.body.addLayout(self.form)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(theme.STEP * 2)
        column.addWidget(label(title, "title"))
        column.addWidget(label(sentence, "muted", wrap=True))
        column.addLayout(self.body, 1)
        row = QHBoxLayout()
        row.setSpacing(theme.STEP * 2)
        row.addWidget(self._reason, 1)
        row.addWidget(buttons, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        column.addLayout(row)

    def add_row(self, name: str, field: QWidget, tip: str = "", form: QFormLayout | None = None) -> None:
        """Add a field with its name; ``tip`` says what it does."""
        add_field(form or self.form, name, field, tip)

    def add_folded(self, title: str) -> QFormLayout:
        """Add a part that is folded until it is asked for, and return its form."""
        fold = Fold(title)
        fold.turned.connect(
            self.make_room, Qt.ConnectionType.QueuedConnection
        )  # once its fields are laid out
        self.body.addWidget(fold)
        return fold.form

    def set_reason(self, reason: str) -> None:
        """Say why the dialog cannot be accepted yet; empty when it can."""
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))
        self.accept_button.setEnabled(not reason)
        self.accept_button.setToolTip(wrapped(reason))
        self.make_room()

    @Slot()
    def make_room(self) -> None:
        """Grow when wrapped words need more lines, so that no field is squeezed."""
        layout = self.layout()
        needed = max(layout.totalHeightForWidth(self.width()), layout.totalMinimumSize().height())
        if self.isVisible() and needed > self.height():
            self.resize(self.width(), needed)


class Fold(QWidget):
    """A heading that shows or hides the fields under it."""

    turned = Signal()
    """The fields have come into sight, or gone."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._button = QToolButton()
        self._button.setText(title)
        self._button.setCheckable(True)
        self._button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._button.toggled.connect(self._turn)
        self._part = QWidget()
        self.form = form_layout()
        self._part.setLayout(self.form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._button)
        column.addWidget(self._part)
        self._turn(False)

    def open(self) -> None:
        """Show the fields."""
        self._button.setChecked(True)

    @Slot(bool)
    def _turn(self, open_: bool) -> None:
        theme.set_icon(self._button, "down" if open_ else "next")
        self._part.setVisible(open_)
        self.turned.emit()


class PathLine(QWidget):
    """A line with a path, and buttons to choose it."""

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.line = QLineEdit()
        self.line.setAccessibleName(name)
        self.line.textChanged.connect(self.changed)
        self._parts = QHBoxLayout(self)
        self._parts.setContentsMargins(0, 0, 0, 0)
        self._parts.setSpacing(theme.STEP)
        self._parts.addWidget(self.line, 1)
        self.setFocusProxy(self.line)

    @property
    def path(self) -> Path | None:
        """The path, None while the line is empty."""
        return typed_path(self.line.text())

    def set_path(self, path: Path) -> None:
        """Fill the line in."""
        self.line.setText(str(path))

    def _add_button(self, words: str, choose: Callable[[], None], name: str = "") -> None:
        button = QPushButton(words)
        button.setAccessibleName(name or words)
        button.setAutoDefault(False)
        button.clicked.connect(choose)
        self._parts.addWidget(button)


class PathField(PathLine):
    """A line with a path and a button to choose it: a ``folder``, or a file to ``save``."""

    def __init__(self, kind: str, caption: str, pattern: str = "") -> None:
        super().__init__(caption)
        self._kind, self._pattern = kind, pattern
        self._add_button("Choose…", self._choose)

    @Slot()
    def _choose(self) -> None:
        now = str(self.path or Path.home())
        if self._kind == "folder":
            name = QFileDialog.getExistingDirectory(self, self._name, now)
        else:
            name, _ = QFileDialog.getSaveFileName(self, self._name, now, self._pattern)
        if name:
            self.set_path(Path(name))


class Resettable(QWidget):
    """A field with a button beside it that takes it back; ``what`` the button does is its tooltip."""

    reset = Signal()

    def __init__(self, field: QWidget, what: str) -> None:
        super().__init__()
        self.button = icon_button("reset", what)
        self.button.clicked.connect(self.reset)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        row.addWidget(field, 1)
        row.addWidget(self.button)
        self.setFocusProxy(field)

    def allow_reset(self, why_not: str) -> None:
        """Enable the button, or say why it would do nothing."""
        self.button.setEnabled(not why_not)
        self.button.setToolTip(why_not or self.button.accessibleName())


class NumberBox(QDoubleSpinBox):
    """A number that is shown without zeros behind it."""

    def textFromValue(self, value: float) -> str:
        """Return the number as it is shown."""
        text: str = self.locale().toString(value, "g", 9)
        return text.replace(self.locale().groupSeparator(), "")


def form_layout() -> QFormLayout:
    """Return a layout for fields under one another, each with its name before it."""
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(theme.STEP * 2)
    form.setVerticalSpacing(theme.STEP)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form


def add_field(form: QFormLayout, name: str, field: QWidget, tip: str = "", row: int = -1) -> None:
    """Add a field with its name before a row, at the end by default; ``tip`` says what it does."""
    title = label(name, "muted")
    title.setContentsMargins(0, 6, 0, 0)
    title.setBuddy(field)
    field.setAccessibleName(name)
    if tip:
        title.setToolTip(wrapped(tip))
        field.setToolTip(wrapped(tip))
    form.insertRow(row, title, field)


def choice_box(choices: Mapping[str, Any]) -> QComboBox:
    """Return a list to choose from: words and what each stands for."""
    box = QComboBox()
    for words, value in choices.items():
        box.addItem(words, value)
    return box


def why_not_writable(path: Path | None, suffix: str) -> str:
    """Return why a new file cannot be written at ``path``; empty when nothing speaks against it."""
    if path is None:
        return "Choose where to write it."
    reason = why_no_path(path)
    if reason:
        return reason
    if path.is_dir():
        return "That is a folder; add a file name."
    if suffix and path.suffix.lower() != suffix:
        return f"The name has to end in {suffix}."
    return ""
