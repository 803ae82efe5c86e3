"""Moving the scanpath of one trial in people's pane, with the mouse or with keys."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from gazeapp.ui.canvas.gaze import chosen_fixations
from gazeapp.ui.canvas.titles import offset_words
from gazeapp.ui.canvas.view import ImageView
from gazeapp.ui.scene import SceneView, TrialView

_REACH = 16.0
_NUDGES = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
_FAST = 10.0

Shift = tuple[float, float]
"""What is added to the positions of a trial: x, y, image px."""


@dataclass(frozen=True, slots=True)
class Move:
    """A scanpath that the user has moved: its trial, and the shift that it is to have."""

    trial: TrialView
    shift: Shift


class ScanpathMover(QObject):
    """While it is on, dragging in a view moves a scanpath and not the image.

    Moved is the scanpath of the chosen observer, else the one whose fixation is under the cursor. Dropping it or
    pressing Return keeps where it is, Escape puts it back. What was kept stays drawn there until a scene arrives
    that was read after it was stored.
    """

    kept = Signal(object)
    """A :class:`Move` to be stored."""
    changed = Signal()
    """Which scanpath is in hand, or where it lies."""
    left = Signal()
    """The user is done with moving scanpaths."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: ImageView | None = None
        self._scene: SceneView | None = None
        self._subject = ""
        self._on = False
        self._trial: int | None = None
        self._shift: Shift | None = None
        self._waiting: dict[int, Shift] = {}
        self._jobs = 0
        self._press: tuple[QPointF, Shift] | None = None

    @property
    def trial(self) -> TrialView | None:
        """The trial in hand, else that of the chosen observer; None when there is none."""
        if self._scene is None:
            return None
        trials = self._scene.people.trials
        own = [trial for trial in trials if trial.id == self._trial]
        own = own or [trial for trial in trials if self._subject and trial.subject == self._subject]
        return own[0] if own else None

    @property
    def shift(self) -> Shift:
        """Where the scanpath of ``trial`` is drawn: the shift that it has or is being given."""
        trial = self.trial
        if trial is None:
            return (0.0, 0.0)
        if self._shift is not None and trial.id == self._trial:
            return self._shift
        return self._waiting.get(trial.id, trial.shift)

    @property
    def shifted(self) -> tuple[TrialView, ...]:
        """Trials with an offset: the one in hand, else all of the image."""
        one = self.trial
        trials = self._scene.people.trials if self._scene is not None else ()
        return tuple(
            trial
            for trial in trials
            if (one is None or trial.id == one.id) and any(self._waiting.get(trial.id, trial.shift))
        )

    @property
    def words(self) -> str:
        """What is done, for the pane's title; empty while it is off."""
        if not self._on:
            return ""
        return "move a scanpath" if self.trial is None else offset_words(self.shift)

    @property
    def hint(self) -> str:
        """What to do next, for the line under the pane; empty while it is off."""
        trial = self.trial
        if not self._on:
            return ""
        if trial is None:
            return "Drag a scanpath to where it belongs, or choose an observer."
        where = f"{trial.subject} moved by {offset_words(self.shift)}"
        if self._press is not None:
            return f"{where}. Drop keeps it, Esc puts it back."
        if self._shift is not None:
            return f"{where}. Return keeps it, Esc puts it back."
        return f"{where}. Drag it or press the arrows."

    def show(self, view: ImageView, scene: SceneView, subject: str, on: bool) -> None:
        """Follow what is shown; what was nudged and not kept yet is kept when something else is shown."""
        before = self._scene
        same = before is not None and (before.image_id, before.task) == (scene.image_id, scene.task)
        if not same or subject != self._subject or not on:
            self.keep()
            self._trial, self._press = None, None
        if view is not self._view:
            self._view = view
            view.installEventFilter(self)
        if not same:
            self._waiting = {}
        if scene is not before and self._jobs == 0:
            self._waiting = {}
        self._scene, self._subject, self._on = scene, subject, on
        if on and self._trial is None and self.trial is not None:
            self._trial = self.trial.id
        self._draw()

    def stored(self) -> None:
        """Say that a job that was to store a move has ended, well or not; a new scene follows."""
        self._jobs = max(0, self._jobs - 1)

    def keep(self) -> None:
        """Ask for the scanpath in hand to be stored where it is."""
        trial, shift = self.trial, self._shift
        self._shift = None
        if trial is None or shift is None or shift == self._waiting.get(trial.id, trial.shift):
            return
        self._waiting[trial.id] = shift
        self._jobs += 1
        self.kept.emit(Move(trial, shift))

    def drop(self) -> None:
        """Put the scanpath in hand back to where it was."""
        self._shift = self._press = None
        self._draw()

    def key(self, event: QKeyEvent) -> bool:
        """Do what a key stands for; return whether it stands for anything now."""
        key = Qt.Key(event.key())
        if not self._on:
            return False
        if key == Qt.Key.Key_Escape:
            if self._shift is None and self._press is None:
                self.left.emit()
            self.drop()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._press = None
            self.keep()
            self._draw()
        elif key in _NUDGES and self._trial is not None and self._press is None:
            step = _FAST if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
            x, y = self.shift
            self._shift = (x + step * _NUDGES[key][0], y + step * _NUDGES[key][1])
            self._draw()
        else:
            return False
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the mouse while a scanpath is dragged."""
        if not self._on or watched is not self._view or not isinstance(event, QMouseEvent):
            return False
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            return self._begin(event.position())
        if kind == QEvent.Type.MouseMove:
            return self._follow(event.position())
        if kind == QEvent.Type.MouseButtonRelease and self._press is not None:
            self._press = None
            self._view.unsetCursor()
            self.keep()
            self._draw()
            return True
        return kind == QEvent.Type.MouseButtonDblClick and self._at(event.position()) is not None

    def _begin(self, position: QPointF) -> bool:
        trial = self._at(position)
        if trial is None or self._view is None:
            return False
        if trial != self._trial:
            self.keep()
            self._trial = trial
        self._press = position, self.shift
        self._view.setCursor(Qt.CursorShape.ClosedHandCursor)
        self._view.clicked.emit()
        self._draw()
        return True

    def _follow(self, position: QPointF) -> bool:
        if self._view is None:
            return False
        if self._press is None:
            if self._at(position) is None:
                self._view.unsetCursor()
            else:
                self._view.setCursor(Qt.CursorShape.OpenHandCursor)
            return False
        start, (x, y) = self._press
        scale = self._view.image_transform().m11()
        away = position - start
        self._shift = (round(x + away.x() / scale, 1), round(y + away.y() / scale, 1))
        self._draw()
        return True

    def _at(self, position: QPointF) -> int | None:
        """Return the trial whose fixation is drawn nearest; of a chosen observer, however far it is."""
        fixations = self._scene.people.fixations if self._scene is not None else None
        if fixations is None or self._view is None or (self._subject and self.trial is None):
            return None
        if self._subject and self._subject not in fixations.subject:
            return self._trial  # all its fixations lie off the image now
        place, nearest, least = self._view.image_transform(), None, math.inf
        in_hand, (x, y) = self._trial, self._offset()
        for row in chosen_fixations(fixations, self._subject):
            dx, dy = (x, y) if int(fixations.trial[row]) == in_hand else (0.0, 0.0)
            point = place.map(QPointF(fixations.x[row] + dx, fixations.y[row] + dy)) - position
            away = math.hypot(point.x(), point.y())
            if away < least:
                nearest, least = int(fixations.trial[row]), away
        return nearest if self._subject or least <= _REACH else None

    def _offset(self) -> Shift:
        """Return how far the scanpath in hand is drawn from where the scene has it, image px."""
        trial = self.trial
        if trial is None:
            return (0.0, 0.0)
        x, y = self.shift
        return (x - trial.shift[0], y - trial.shift[1])

    def _draw(self) -> None:
        if self._view is not None:
            self._view.set_moved(self._trial if self._on else None, self._offset())
        self.changed.emit()
