"""Watching trainings: which there are, and how they stand, read each second on a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, QThread, QTimer, Signal, Slot

from gazeapp.ui.training_folder import (
    UNREADABLE,
    WAITING,
    Training,
    TrainingReader,
    find_trainings,
    is_alive,
    why_not,
)

EVERY_MS = 1000
_KEY, _KEY_OWN = "trainings", "trainings-started"


@dataclass(frozen=True, slots=True)
class _Question:
    roots: tuple[Path, ...]
    started: Mapping[Path, tuple[int, float]]


class _Reader(QObject):
    """Reads on the thread, so that a slow network disk does not hold the window up."""

    answered = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._readers: dict[Path, TrainingReader] = {}

    @Slot(object)
    def look(self, question: _Question) -> None:
        found: list[Training] = []
        for root in question.roots:
            pid, since = question.started.get(root, (0, 0.0))
            goes_on = is_alive(pid, since) or is_held(root)
            folders = find_trainings(root)
            for folder in folders:
                own = (pid, since) if folder == root else (0, 0.0)
                training = self._read(folder, own, root)
                taken = training.can_go_on and (goes_on or is_held(folder))
                found.append(replace(training, taken=True) if taken else training)
            if not folders:
                why = why_not(root)
                found.append(Training(root, root.name, UNREADABLE if why else WAITING, message=why))
        self.answered.emit(question, tuple(found))

    def _read(self, folder: Path, own: tuple[int, float], root: Path) -> Training:
        """Return how one training stands; one that cannot be read does not keep the others from being read."""
        reader = self._readers.setdefault(folder, TrainingReader(folder))
        try:
            return reader.read(*own, root)
        except OSError as error:
            why = str(error.strerror or error)
        except Exception as error:  # noqa: BLE001  whatever another program left in the folder
            why = str(error) or type(error).__name__
        return Training(folder, folder.name, UNREADABLE, message=why)


class TrainingWatch(QObject):
    """The trainings that the user follows; ``changed`` carries them all when anything about one changes."""

    changed = Signal(object)
    _asked = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._roots: list[Path] = [Path(name) for name in _stored(_KEY)]
        self._own = {Path(name) for name in _stored(_KEY_OWN)}
        self._started: dict[Path, tuple[int, float]] = {}
        self._trainings: tuple[Training, ...] = ()
        self._thread: QThread | None = None
        self._reader: _Reader | None = None
        self._waits = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        if self._roots:
            self._begin()

    @property
    def trainings(self) -> tuple[Training, ...]:
        """All trainings that are followed, as they stood at the last look."""
        return self._trainings

    @property
    def started_here(self) -> list[Training]:
        """Trainings that this window or an earlier one of this user started and that are at work."""
        return [each for each in self._trainings if each.goes_on and self.is_own(each.folder)]

    def is_own(self, folder: Path) -> bool:
        """Return whether this window, or an earlier one of this user, started the training in a folder."""
        return self._root_of(folder) in self._own

    def add(self, root: Path, pid: int = 0) -> None:
        """Follow the training in a folder, or those in its folders; ``pid`` is the process started for it, if any."""
        if pid:
            self._started[root] = (pid, time.time())
            self._own.add(root)
        if root not in self._roots:
            self._roots.append(root)
        self._store()
        if pid:
            self._take(root)
        self._begin()

    def _take(self, root: Path) -> None:
        """Let nobody go on a second time before the process that was started has said anything."""
        self._trainings = tuple(
            replace(each, taken=each.taken or self._root_of(each.folder) == root) for each in self._trainings
        )
        self.changed.emit(self._trainings)

    def remove(self, folder: Path) -> None:
        """Follow a training no longer; its files stay, and it goes on."""
        root = self._root_of(folder)
        others = [each.folder for each in self._trainings if each.folder != folder and each.folder != root]
        self._roots = [each for each in self._roots if each != root]
        # The others of a folder of trainings stay, each by itself.
        self._roots += [each for each in others if self._root_of(each) is None]
        self._started.pop(folder, None)
        if root in self._own and root != folder:
            self._own.update(others)
        self._own &= set(self._roots)
        self._store()
        self._trainings = tuple(each for each in self._trainings if each.folder != folder)
        self.changed.emit(self._trainings)

    def root_of(self, folder: Path) -> Path:
        """Return the folder that was asked for, of which a training's folder is one or a part."""
        return self._root_of(folder) or folder

    def stop(self) -> None:
        """Stop watching; the trainings go on."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.quit()
            self._thread.wait()
        self._thread = self._reader = None
        self._started.clear()

    @Slot()
    def look(self) -> None:
        """Look now, unless the last look has not ended."""
        if self._thread is not None and not self._waits:
            self._waits = True
            self._asked.emit(_Question(tuple(self._roots), dict(self._started)))

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = QThread(self)
            self._thread.setObjectName("trainings")
            self._reader = _Reader()
            self._reader.moveToThread(self._thread)
            self._asked.connect(self._reader.look)
            self._reader.answered.connect(self._show)
            self._thread.start()
            self._timer.start()
        self.look()

    @Slot(object, object)
    def _show(self, question: _Question, trainings: tuple[Training, ...]) -> None:
        self._waits = False
        if question.started != self._started:  # a process was started since
            self.look()
            return
        roots = set(self._roots)
        known = tuple(each for each in trainings if roots & {each.folder, *each.folder.parents})
        if known != self._trainings:
            self._trainings = known
            self.changed.emit(known)

    def _root_of(self, folder: Path) -> Path | None:
        return next((root for root in self._roots if root in (folder, *folder.parents)), None)

    def _store(self) -> None:
        QSettings().setValue(_KEY, [str(root) for root in self._roots])
        QSettings().setValue(_KEY_OWN, sorted(str(root) for root in self._own))


def is_held(folder: Path) -> bool:
    """Return whether a process of this computer says that it trains in a folder, and runs."""
    from gazeapp.engine.models.captioner.training.lock import holder_of

    holder = holder_of(folder)
    return holder is not None and holder.is_alive


def _stored(key: str) -> list[str]:
    value = QSettings().value(key)
    if isinstance(value, str):  # a list of one is read as its only entry
        return [value] if value else []
    return [str(name) for name in value] if isinstance(value, list) else []
