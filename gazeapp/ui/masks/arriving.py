"""What comes to the mask in hand from elsewhere: from another image, from a file, or from words such as ``left``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.placing import to_size
from gazeapp.engine.types import MaskArray
from gazeapp.ui.masks.questions import FileQuestion, SpecQuestion

if TYPE_CHECKING:
    from pathlib import Path

    from gazeapp.engine.workflows.annotations import Placing
    from gazeapp.ui.loader import Loader
    from gazeapp.ui.masks.session import MaskSession


@dataclass(frozen=True, eq=False)
class _Carried:
    """A mask for an image that may still have to be read; ``replace``: also where something else is drawn there."""

    image_id: int
    values: MaskArray
    text: str
    replace: bool = True


class Arriving(QObject):
    """Puts a mask that has to be read first, or that waits for its image, on the mask in hand: one step to undo.

    At most one is asked for and one waits; both are given up when another mask comes in hand.

    Parameters
    ----------
    session
        The mask in hand; it tells when another one is.
    loader
        Reads what is asked for off the GUI thread.
    """

    def __init__(self, session: MaskSession, loader: Loader) -> None:
        super().__init__(session)
        self._session = session
        self._loader = loader
        self._asked: SpecQuestion | FileQuestion | None = None
        self._carried: _Carried | None = None
        loader.answered.connect(self._answered)
        loader.failed.connect(self._not_read)

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to come."""
        return self._asked is not None or self._carried is not None

    def put_in(self, spec: str, task: str) -> None:
        """Put a mask in that needs no drawing, such as ``left graded``; ``task`` is for one made from people."""
        image_id = self._session.image_id
        if image_id is not None:
            self._ask(SpecQuestion(spec, self._session.name, image_id, task))

    def put_file(self, path: Path, name: str, way: Placing, *, replace: bool) -> None:
        """Put the mask of a PNG file on the image in hand.

        Parameters
        ----------
        name
            The mask that takes it in; empty for the one in hand.
        way
            How it is placed when it is of another size.
        replace
            Whether another mask of the name that the image has may go.
        """
        from gazeapp.engine.workflows.masks import free_name

        image_id = self._session.image_id
        if image_id is None:
            return
        try:
            name = free_name(name) if name else self._session.name
        except GazeError as error:
            self._session.failed.emit(error)
            return
        self._session.choose(name)
        self._ask(FileQuestion(path, name, image_id, way, replace))

    def ask_again(self) -> None:
        """Ask anew after the project changed: what was asked before is not answered any more."""
        if self._asked is not None and self._is_in_hand(self._asked):
            self._loader.ask(self._asked)

    def carry(self, image_id: int, values: MaskArray, text: str, *, replace: bool = True) -> None:
        """Put a mask on the one in hand as soon as that is there.

        Parameters
        ----------
        image_id
            The image it is for.
        values
            The mask; of another size it is placed in the way of the session.
        text
            What the step is called.
        replace
            Whether something else that is drawn there may go.
        """
        self._carried = _Carried(image_id, values.copy(), text, replace)
        self.put_down()

    def put_down(self) -> None:
        """Put what is carried on the mask in hand, if that is there and of the image it is for."""
        editor, carried = self._session.editor, self._carried
        if carried is None or editor is None or carried.image_id != self._session.image_id:
            return
        self._carried = None
        values = to_size(carried.values, editor.height, editor.width, self._session.way)
        if not carried.replace and editor.mask.any() and not np.array_equal(editor.mask, values):
            self._session.failed.emit(
                GazeError(
                    f"The image has another mask '{self._session.name}' already, which stays as it is.",
                    todo="Tick Replace in the import, or give another name.",
                )
            )
            return
        self._session.replace(values, carried.text)

    def drop(self) -> None:
        """Give up what was asked for and what is carried."""
        self._asked, self._carried = None, None

    def keep_only_for(self, image_id: int | None) -> None:
        """Give up what was asked for, and what is carried to another image than this one."""
        self._asked = None
        if self._carried is not None and self._carried.image_id != image_id:
            self._carried = None

    def _ask(self, question: SpecQuestion | FileQuestion) -> None:
        self._asked = question
        self._loader.ask(question)

    def _is_in_hand(self, question: SpecQuestion | FileQuestion) -> bool:
        return (question.name, question.image_id) == (self._session.name, self._session.image_id)

    @Slot(object, object)
    def _answered(self, question: object, answer: MaskArray) -> None:
        if not isinstance(question, SpecQuestion | FileQuestion) or question != self._asked:
            return
        if self._is_in_hand(question):
            self.carry(question.image_id, answer, question.text, replace=getattr(question, "replace", True))
        if question == self._asked:
            self._asked = None

    @Slot(object)
    def _not_read(self, _error: GazeError) -> None:
        """Ask for nothing again that may not be readable; the window says what is wrong."""
        self._asked = None
