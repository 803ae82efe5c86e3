"""Keeping what was drawn on the cortex as a region of one's own, under a name that is free or meant to be replaced."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMessageBox, QPushButton, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import IntArray
from gazeapp.ui import theme
from gazeapp.ui.panels.neural_reading import keep_work, own_names
from gazeapp.ui.session import Session
from gazeapp.ui.widgets import icon_button, plain
from gazeapp.ui.worker import JobState

_KEEPS = "Keep what was drawn as a region of the atlas “own”; predict responses with it after that"


class KeepRegion(QWidget):
    """Name and buttons of a region that was drawn; without one there is room for them, so that nothing moves."""

    changed = Signal()
    """Another region waits to be kept, or none does any more."""
    said = Signal(str)
    """What was done, or why it was not, in a few words."""
    failed = Signal(object)
    """A :class:`JobError`: the names of the regions could not be read."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._vertices: IntArray | None = None
        self._checking = 0
        self._wanted = ""
        self._storing: dict[int, tuple[str, IntArray]] = {}
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of the region")
        self.name.setAccessibleName("Name of the region that was drawn")
        self.name.setMaximumWidth(22 * theme.STEP)
        self.keep = QPushButton("Keep region")
        theme.set_role(self.keep, "primary")
        self.drop = icon_button("close", "Do not keep what was drawn")
        self._parts = (self.name, self.keep, self.drop)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        for part in self._parts:
            part.ensurePolished()
            row.addWidget(part)
        row.addStrut(max(part.sizeHint().height() for part in self._parts))
        self.keep.clicked.connect(self._keep)
        self.drop.clicked.connect(self.forget)
        self.name.returnPressed.connect(self._keep)
        self.name.textChanged.connect(self._explain)
        session.reader.changed.connect(self._names_read)
        session.runner.changed.connect(self._stored)
        session.opened.connect(self.forget)
        session.closed.connect(self.forget)
        self._show()

    @property
    def vertices(self) -> IntArray | None:
        """Vertices of the region that waits to be kept; None where none does."""
        return self._vertices

    def offer(self, vertices: IntArray, name: str = "") -> None:
        """Offer to keep a region, in place of one that waits; what was typed as its name stays."""
        self._vertices, self._checking = vertices, 0
        if name:
            self.name.setText(name)
        self._show()
        if self._session.read_only:
            self.said.emit(self._why_not())

    def sure(self, name: str) -> bool:
        """Ask whether a region that is there is to be replaced."""
        box = QMessageBox(self)
        box.setWindowTitle("Replace")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"There is an own region called “{name}”: replace it?")
        box.setInformativeText(
            "It gets the vertices that were drawn in place of those it has. This cannot be undone."
        )
        replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(cancel)
        box.setEscapeButton(cancel)
        box.exec()
        return box.clickedButton() is replace

    @Slot()
    def forget(self, _study: object = None) -> None:
        """Forget what was drawn; the region of one project is none of another."""
        self._vertices, self._checking = None, 0
        self.name.clear()
        self._show()

    def _show(self) -> None:
        for part in self._parts:
            part.setVisible(self._vertices is not None)
        self._explain()
        self.changed.emit()

    @Slot()
    def _explain(self, _text: str = "") -> None:
        """Say why the region cannot be kept as it is."""
        why = self._why_not() if self._vertices is not None else ""
        self.keep.setEnabled(not why and not self._checking)
        for part in (self.keep, self.name):
            part.setToolTip(plain(why or _KEEPS))

    def _why_not(self) -> str:
        if self._session.read_only:
            return f"This project is open for looking only: {self._session.read_only}."
        from gazeapp.engine.neural.regions.own import checked_name  # imports scipy

        try:
            checked_name(self.name.text())
        except GazeError as error:
            return error.what
        return ""

    @Slot()
    def _keep(self) -> None:
        """Look first whether a region of that name is there."""
        path = self._session.path
        if self._vertices is None or self._checking or path is None:
            return
        if why := self._why_not():
            self.said.emit(why)
            return
        self._wanted = self.name.text().strip()
        self._checking = self._session.reader.submit("regions of your own", own_names, path)
        self._explain()

    @Slot(object)
    def _names_read(self, state: JobState) -> None:
        if not state.finished or not self._checking or state.id != self._checking:
            return
        self._checking = 0
        self._explain()
        name, vertices = self._wanted, self._vertices
        if state.error is not None:
            self.failed.emit(state.error)
            return
        is_there = name in (state.result or ())
        if is_there and not self.sure(name):
            return
        if vertices is None or vertices is not self._vertices:
            return  # another project was opened while the question stood
        job = self._session.submit(f"Region “{name}”", keep_work(name, vertices, replaces=is_there))
        self._storing[job] = (name, vertices)
        self.forget()

    @Slot(object)
    def _stored(self, state: JobState) -> None:
        """Say that a region is kept once it is; offer it again where it could not be."""
        if not state.finished or state.id not in self._storing:
            return
        name, vertices = self._storing.pop(state.id)
        if state.path != self._session.path:
            return
        if state.status == "done":
            self.said.emit(f"“{name}” is kept in the atlas “own”")
            return
        self.said.emit(f"“{name}” was not kept")
        if self._vertices is None:
            self.offer(vertices, name)
