"""The mask in hand: which one it is, what is drawn on it, and where it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.box import Box
from gazeapp.engine.lesions.masks.editor import MaskEditor
from gazeapp.engine.lesions.masks.placing import mirror
from gazeapp.engine.types import MaskArray
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.arriving import Arriving
from gazeapp.ui.masks.drawn import Drawn, DrawnMasks
from gazeapp.ui.masks.keeper import MaskKeeper, MaskKey
from gazeapp.ui.masks.library_changes import LibraryChanges
from gazeapp.ui.masks.questions import Library, LibraryQuestion, MaskAnswer, MaskQuestion
from gazeapp.ui.selection import Selection

if TYPE_CHECKING:
    from gazeapp.engine.workflows.annotations import Placing

FIRST_NAME = "mask 1"
_DRAWN = "drawn"
_SAVE_S = 0.05
"""How long a stroke waits for being stored when it ends; longer would be felt."""


class MaskSession(QObject):
    """Which mask is drawn on which image; keeps each with what can be undone while the project is open.

    A mask is stored whenever a step on it ends, and comes back with its image. What another window, or a job of this
    one, stores under the name and image in hand becomes a step that can be undone.

    Parameters
    ----------
    selection
        The image in hand, and whether it is painted on.
    loader
        Reads masks off the GUI thread.
    """

    switched = Signal()
    """Another mask or image is in hand, or the one in hand has arrived."""
    painted = Signal(object)
    """The mask changed in a :class:`Box`, also in the middle of a stroke."""
    changed = Signal()
    """A step has ended, or was undone or redone."""
    saved = Signal()
    """The mask in hand is in the project as it was last drawn."""
    listed = Signal()
    """The library of masks has changed."""
    told = Signal()
    """What `trouble` says has changed."""
    failed = Signal(object)
    """A :class:`GazeError`: something that was asked for cannot be done."""

    def __init__(self, selection: Selection, loader: Loader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._loader = loader
        self._path: Path | None = None
        self._read_only = ""
        self._name = FIRST_NAME
        self._image_id: int | None = None
        self._drawn = DrawnMasks()
        self._changes = LibraryChanges(self, self._drawn)
        self._trouble: GazeError | None = None
        self._settled = False
        self.library = Library()
        self.way = "fraction"
        self.keeper = MaskKeeper(self)
        self.keeper.stored.connect(self._stored)
        self.keeper.done.connect(self._library_changed)
        self.keeper.failed.connect(self._not_stored)
        selection.changed.connect(self._follow)
        loader.answered.connect(self._answered)
        loader.listed.connect(self._ask)
        self._arriving = Arriving(self, loader)

    @property
    def name(self) -> str:
        """Name of the mask in hand."""
        return self._name

    @property
    def image_id(self) -> int | None:
        """Image that is drawn on."""
        return self._image_id

    @property
    def is_on(self) -> bool:
        """Whether masks are painted now."""
        return self._path is not None and self._selection.display.painting

    @property
    def editor(self) -> MaskEditor | None:
        """What the mask in hand is drawn with; None until it has been read."""
        entry = self._entry
        return None if entry is None else entry.editor

    @property
    def mask(self) -> MaskArray | None:
        """The mask in hand, shape (height, width) of the image, read-only; None until it has been read."""
        editor = self.editor
        return None if editor is None else editor.mask

    @property
    def trouble(self) -> GazeError | None:
        """Why what was drawn last is not in the project; None when it is, or is about to be."""
        return self._trouble

    @property
    def undo_text(self) -> str:
        """What would be undone; empty when nothing can be."""
        editor = self.editor
        return editor.undo_text if editor is not None and editor.can_undo else ""

    @property
    def redo_text(self) -> str:
        """What would be done again; empty when nothing can be."""
        editor = self.editor
        return editor.redo_text if editor is not None and editor.can_redo else ""

    def open(self, path: Path, read_only: str = "") -> None:
        """Draw on the images of this project; ``read_only`` says why nothing can be stored in it."""
        self.close_project()
        self._path, self._read_only = path, read_only
        self._changes.open(path, read_only)
        self._name, self._settled = FIRST_NAME, False
        self._image_id = self._selection.image_id
        self._ask()

    def close_project(self) -> None:
        """Let go of the project; what is not stored yet is, also afterwards."""
        if self._path is None:
            return
        self.end_stroke()
        self.keeper.finish()
        self._path, self._image_id = None, None
        self._arriving.drop()
        self._changes.close()
        self._drawn.clear()
        self.library = Library()
        self.switched.emit()

    def close(self) -> None:
        """Store what waits, a stroke that is being drawn as well, and end the thread."""
        self.end_stroke()
        self.keeper.close()

    def choose(self, name: str) -> None:
        """Take another mask of the library in hand, or a new one."""
        self._settled = True
        if name != self._name:
            self.end_stroke()
            self._name = name
            self._arriving.drop()
            self._ask()
            self.switched.emit()

    def may_change(self) -> bool:
        """Return whether the library can be changed; say why not."""
        return self._changes.are_possible()

    def new(self) -> None:
        """Take a new mask in hand, under a name that is free."""
        if self.may_change():
            self._add(self._changes.unused_name(FIRST_NAME.split()[0]))

    def duplicate(self) -> None:
        """Take a copy of the mask of this image in hand, under a new name."""
        values = self.mask
        if values is not None and self._image_id is not None and self.may_change():
            self._add(self._changes.unused_name(self._name))
            self._arriving.carry(self._image_id, values, "copy")

    def rename(self, new: str) -> bool:
        """Give the mask in hand another name, on all images; return whether it may have it."""
        name = self._changes.allowed_name(new)
        if name is None:
            return False
        if name != self._name:
            self.end_stroke()
            old, self._name = self._name, name
            self._changes.rename(old, name)
            self.switched.emit()
        return True

    def delete(self) -> None:
        """Remove the mask in hand from all images and from the library."""
        if not self.may_change():
            return
        name = self._name
        self._changes.remove(name)
        rest = [other for other in self.library.names if other != name]
        # A name that is free: what is removed may still be read for a moment under the old one.
        self.choose(rest[-1] if rest else self._changes.unused_name(name))

    def copy_to_next(self) -> bool:
        """Go to the next image and put this image's mask there; return whether there is one."""
        target = self._loader.neighbour(self._image_id, 1)
        values = self.mask
        if target is None or values is None:
            return False
        self._arriving.carry(target, values, "copy from the image before")
        self._selection.image_id = target
        return True

    def put_in(self, spec: str) -> None:
        """Put a mask in that needs no drawing, such as ``left graded`` or ``people 20%``: one step to undo."""
        self._arriving.put_in(spec, self._selection.task)

    def put_file(self, path: Path, name: str, way: Placing, *, replace: bool) -> None:
        """Put the mask of a PNG file on the image in hand, as :meth:`Arriving.put_file` says: one step to undo."""
        self._arriving.put_file(path, name, way, replace=replace)

    def mirror(self) -> None:
        """Exchange left and right."""
        if self.mask is not None:
            self.replace(mirror(self.mask), "mirror")

    def replace(self, values: MaskArray, text: str) -> None:
        """Put another mask in place of the one in hand: one step to undo, called ``text``."""
        editor = self.editor
        if editor is None:
            return
        try:
            box = editor.replace(values, text)
        except GazeError as error:
            self.failed.emit(error)
            return
        self.finish(box, text)

    def undo(self) -> None:
        """Take the last step back."""
        if self.editor is not None:
            self.finish(self.editor.undo(), wait=False)

    def redo(self) -> None:
        """Do again what was taken back."""
        if self.editor is not None:
            self.finish(self.editor.redo(), wait=False)

    def paint(self, box: Box | None) -> None:
        """Say that the mask changed in the middle of a step."""
        if box is not None:
            self.painted.emit(box)

    def finish(self, box: Box | None, origin: str = _DRAWN, *, wait: bool = True) -> None:
        """Say that a step has ended which changed a box; it is stored, most likely before this returns."""
        entry = self._entry
        if box is None or entry is None:
            return
        self.painted.emit(box)
        self.changed.emit()
        self._keep(entry, origin)
        if wait:
            # A crash right after a stroke then loses nothing.
            self.keeper.wait(_SAVE_S)

    def end_stroke(self) -> None:
        """End a stroke that is being drawn: before another mask comes in hand, or what is drawn is made use of."""
        editor = self.editor
        if editor is not None and editor.is_drawing:
            self.finish(editor.end_stroke())

    @property
    def _entry(self) -> Drawn | None:
        return None if self._image_id is None else self._drawn.get(self._name, self._image_id)

    def _key(self, name: str, image_id: int) -> MaskKey | None:
        return None if self._path is None else MaskKey(self._path, name, image_id)

    def _keep(self, entry: Drawn, origin: str) -> None:
        key = self._key(self._name, self._image_id) if self._image_id is not None else None
        self._settled = True
        if key is None:
            return
        if self._read_only:
            self._tell(
                GazeError(
                    f"Masks are not stored: {self._read_only}.",
                    todo="What you draw stays until you close it.",
                )
            )
            return
        entry.serial += 1
        self.keeper.put(key, entry.editor.mask.copy(), origin)

    def _add(self, name: str) -> None:
        """Take a mask in hand that no image has yet; it comes to the library at once."""
        self._changes.add(name)
        self.choose(name)

    @Slot(object)
    def _follow(self, changed: frozenset[str]) -> None:
        if self._path is None or not changed & {"image_id", "painting"}:
            return
        self.end_stroke()
        if "image_id" in changed and self._selection.image_id != self._image_id:
            self._image_id = self._selection.image_id
            self._arriving.keep_only_for(self._image_id)
            self._ask()
            self.switched.emit()
            self._arriving.put_down()
        elif "painting" in changed:
            self._ask()
            self.switched.emit()

    @Slot()
    def _ask(self, _catalogue: object = None) -> None:
        """Have the mask in hand and the library read, as they are in the project now."""
        if self._path is None:
            return
        self._loader.ask(LibraryQuestion(self._image_id))
        if self._image_id is None:
            return
        self._arriving.ask_again()
        entry = self._entry
        if entry is None:
            if self.is_on:
                self._loader.ask(MaskQuestion(self._name, self._image_id, 0))
            return
        self._drawn.use(self._name, self._image_id)
        # While something waits to be stored, what the project has is older than what is drawn.
        if self.keeper.wait(0) and not self._read_only:
            self._loader.ask(MaskQuestion(self._name, self._image_id, entry.serial))

    @Slot(object, object)
    def _answered(self, question: object, answer: object) -> None:
        if isinstance(question, LibraryQuestion) and question.image_id == self._image_id:
            self._show_library(answer)
        elif isinstance(question, MaskQuestion):
            self._take(question, answer)

    def _show_library(self, library: Library) -> None:
        self.library = library
        if not self._settled and library.masks and self._name not in library.names:
            # Nothing was drawn or chosen yet: go on with a mask that there is, at best on this image.
            self.choose((library.here or library.names)[0])
        self.listed.emit()

    def _take(self, question: MaskQuestion, answer: MaskAnswer) -> None:
        """Take a mask in hand as it was read, or follow what was stored from elsewhere."""
        if self._path is None or (question.name, question.image_id) != (self._name, self._image_id):
            return
        key, entry = self._key(self._name, question.image_id), self._entry
        unsaved = self.keeper.waiting(key) if key is not None else None
        if entry is None:
            values = answer.values if unsaved is None else unsaved
            try:
                self._drawn.add(self._name, question.image_id, (answer.height, answer.width), values)
            except GazeError as error:  # stored for another picture: what is there stays as it is
                self.failed.emit(error)
                return
            self._drawn.forget_oldest(self._is_stored)
            self.switched.emit()
            self._arriving.put_down()
        elif unsaved is None and entry.serial == question.serial and not entry.editor.is_drawing:
            # Nothing was drawn since it was asked for: what differs was stored, or removed, by somebody else.
            values = answer.values if answer.values is not None else np.zeros_like(entry.editor.mask)
            box = entry.editor.replace(values, "change from elsewhere")
            if box is not None:
                self.painted.emit(box)
                self.changed.emit()

    def _is_stored(self, name: str, image_id: int) -> bool:
        """Return whether the mask of an image is in the project as it was last drawn."""
        key = self._key(name, image_id)
        return not self._read_only and key is not None and self.keeper.waiting(key) is None

    def _tell(self, trouble: GazeError | None) -> None:
        if str(trouble or "") != str(self._trouble or ""):
            self._trouble = trouble
            self.told.emit()

    @Slot(object)
    def _stored(self, key: MaskKey) -> None:
        if not self.keeper.unsaved:
            self._tell(None)
        if key.path != self._path:
            return
        if key.name not in self.library.names or key.name not in self.library.here:
            self._loader.ask(LibraryQuestion(self._image_id))
        if (key.name, key.image_id) == (self._name, self._image_id):
            self.saved.emit()

    @Slot(str)
    def _library_changed(self, _title: str) -> None:
        self._ask()

    @Slot(object, bool)
    def _not_stored(self, error: GazeError, again: bool) -> None:
        if again:
            self._tell(error)
        else:
            self.failed.emit(error)
