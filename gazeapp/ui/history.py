"""What was done to the open project and can be taken back: one undo stack for the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from gazeapp.ui.actions import Actions
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.session import Session
from gazeapp.ui.widgets import capital
from gazeapp.ui.worker import JobProgress, JobState

_DEPTH = 100

Do = Callable[[Any, JobProgress], tuple[Any, Any]]
"""Changes a project, given progress; returns a summary, and what was before, for taking it back."""
Restore = Callable[[Any, Any, JobProgress], Any]
"""Takes a change back, given the project, what was before, and progress; returns a summary."""


@dataclass(eq=False)
class Step:
    """A change that can be taken back.

    Parameters
    ----------
    text
        What the Edit menu calls it after *Undo* and *Redo*, such as ``moving the scanpath of S01``.
    do, restore
        Both run on the runner's thread, one job at a time in the order in which they were asked for.
    """

    text: str
    do: Do
    restore: Restore
    before: Any = field(default=None, init=False)
    done: bool = field(default=False, init=False)


class Painting(Protocol):
    """Something with an undo of its own, which the Edit menu goes to while it is in hand."""

    @property
    def undo_text(self) -> str:
        """What would be undone; empty when nothing can be."""

    @property
    def redo_text(self) -> str:
        """What would be done again; empty when nothing can be."""

    def undo(self) -> None:
        """Take the last step back."""

    def redo(self) -> None:
        """Do again what was taken back."""


class History(QObject):
    """Runs changes as jobs of the session and keeps them on a stack.

    The stack moves at once and the jobs follow in the runner's queue, so that undo during other work keeps
    its place. A change that fails is taken off the stack; one that is cancelled goes back to where it was.
    Other projects never see a step: the stack is emptied when a project is opened or closed.
    """

    ended = Signal(object)
    """A :class:`Step` was done, taken back, or could not be."""

    def __init__(
        self, session: Session, actions: Actions, notifications: Notifications, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._notifications = notifications
        self._jobs: dict[int, _Command] = {}
        self._painting: Painting | None = None
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(_DEPTH)
        actions.bind("edit.undo", self._undo)
        actions.bind("edit.redo", self._redo)
        self.stack.indexChanged.connect(self.explain)
        session.opened.connect(self._forget)
        session.closed.connect(self._forget)
        session.runner.changed.connect(self._job_changed)
        self.explain()

    def lend(self, painting: Painting | None) -> None:
        """Let undo and redo go to what is being painted; None takes them back to the changes of the project."""
        self._painting = painting
        self.explain()

    def do(self, step: Step) -> None:
        """Do something that can be taken back."""
        self.stack.push(_Command(self, step))

    def submit(self, command: _Command, forward: bool) -> None:
        """Queue the job of a command that the stack has moved over."""
        step = command.step

        def work(project: Any, progress: JobProgress) -> Any:
            if forward:
                summary, before = step.do(project, progress)
                if not getattr(summary, "cancelled", False):
                    step.before, step.done = before, True
                return summary
            # What failed or was cancelled while its undo waited has nothing to take back.
            summary = step.restore(project, step.before, progress) if step.done else None
            step.done = step.done and getattr(summary, "cancelled", False)
            return summary

        text = step.text if forward else f"undo {step.text}"
        job = self._session.submit(capital(text), work)
        self._jobs[job] = command

    @Slot(object)
    def _job_changed(self, state: JobState) -> None:
        if not state.finished or state.id not in self._jobs:
            return
        command = self._jobs.pop(state.id)
        if state.error is not None:
            error = state.error
            self._notifications.problem(error.what, where=error.where, todo=error.todo, details=error.details)
        if state.status != "done" and state.path == self._session.path:
            self._take_out(command, keep=state.status == "cancelled")
        self.ended.emit(command.step)

    def _take_out(self, command: _Command, *, keep: bool) -> None:
        """Let the stack say again what the project holds, after a job that changed nothing."""
        stack, index = self.stack, self.stack.index()
        done = index > 0 and stack.command(index - 1) is command
        undone = index < stack.count() and stack.command(index) is command
        if not (done or undone) or self._jobs:
            # Other steps were made on top of it: their order does not say any more what the project holds.
            stack.clear()
            return
        command.moves_only = True
        # What failed is dropped; what was cancelled before it was ever done is as if never asked for.
        command.setObsolete(not keep or (done and command.fresh))
        if done:
            stack.undo()
        else:
            stack.redo()
        command.moves_only = False

    @Slot()
    def _forget(self, _study: object = None) -> None:
        self.stack.clear()

    @Slot()
    def explain(self, _index: int = 0) -> None:
        """Say in the Edit menu what can be undone and redone now."""
        stack, painting = self.stack, self._painting
        if painting is not None:
            texts = painting.undo_text, painting.redo_text
        else:
            texts = stack.undoText(), stack.redoText()
        for action_id, word, text in (("edit.undo", "Undo", texts[0]), ("edit.redo", "Redo", texts[1])):
            self._actions[action_id].setText(f"{word} {text}" if text else word)
            self._actions.set_reason(action_id, "" if text else f"there is nothing to {word.lower()}")

    @Slot()
    def _undo(self) -> None:
        (self._painting or self.stack).undo()

    @Slot()
    def _redo(self) -> None:
        (self._painting or self.stack).redo()


class _Command(QUndoCommand):
    """A step's place on the stack; moving over it queues the job."""

    def __init__(self, history: History, step: Step) -> None:
        super().__init__(step.text)
        self._history = history
        self.step = step
        self.moves_only = False
        self.fresh = True

    def redo(self) -> None:
        """Do it, again or for the first time."""
        if not self.moves_only:
            self._history.submit(self, forward=True)

    def undo(self) -> None:
        """Take it back."""
        if not self.moves_only:
            self.fresh = False
            self._history.submit(self, forward=False)
