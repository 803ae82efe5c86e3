"""Reading for display on a thread of its own, so that the window never waits for a file."""

from __future__ import annotations

import heapq
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from gazeapp.engine.errors import GazeError
from gazeapp.ui.reading import read_catalogue, read_scene, read_thumbnail
from gazeapp.ui.scene import Catalogue, SceneView

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

THUMBNAIL_SIDE = 144
"""Longest side of a thumbnail, px: 72 on the screen at twice the density."""

_SCENES_KEPT = 12
_SCENE_BYTES_KEPT = 256 * 2**20
_THUMBNAILS_KEPT = 600
_THUMBNAILS_WAITING = 64
"""Thumbnails that wait to be read at most: those asked for longest ago have been scrolled out of sight."""

_CLOSE_SECONDS = 10.0
_LOOK_SECONDS = 2.0


class _Kind(IntEnum):
    """Kinds of reading, most urgent first."""

    PROJECT = 0
    SCENE = 1
    QUESTION = 2
    CATALOGUE = 3
    NEIGHBOUR = 4
    AHEAD = 5
    THUMBNAIL = 6


class Question(Protocol):
    """Something else that a panel wants to know of the project; frozen, and equal to itself asked again."""

    def read(self, project: Project) -> Any:
        """Return the answer; called on the loader's thread."""


@dataclass(order=True)
class _Job:
    kind: _Kind
    place: int
    generation: int = field(compare=False)
    epoch: int = field(compare=False)
    target: Any = field(compare=False, default=None)


@dataclass(frozen=True)
class _Result:
    job: _Job
    value: Any
    error: GazeError | None = None


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of one image; ``picture`` is None when its file cannot be read."""

    image_id: int
    picture: QImage | None
    error: str = ""


class Loader(QObject):
    """Reads scenes, lists and thumbnails of one project off the GUI thread.

    All methods are for the GUI thread, and all signals arrive there. What is asked for and
    overtaken by another request is dropped. What another thread or program stores in the project
    is noticed within some seconds and read anew, so that maps appear while they are extracted.

    Parameters
    ----------
    opener
        Opens a project file; called on the loader's thread.
    """

    loaded = Signal(object)
    """The requested :class:`SceneView`."""
    listed = Signal(object)
    """The :class:`Catalogue` after opening, closing or refreshing."""
    thumbnail_ready = Signal(object)
    """A :class:`Thumbnail`."""
    answered = Signal(object, object)
    """A :class:`Question` and its answer."""
    failed = Signal(object)
    """A :class:`GazeError`: the project could not be read."""
    stored = Signal()
    """Something was stored in the project, by this window or by another program."""
    _arrived = Signal(object)
    _changed = Signal(object)

    def __init__(
        self, parent: QObject | None = None, opener: Callable[[Path], Project] | None = None
    ) -> None:
        super().__init__(parent)
        self._opener = opener or _open_project
        self._catalogue = Catalogue()
        self._scenes: OrderedDict[tuple[int, str], SceneView] = OrderedDict()
        self._thumbnails: OrderedDict[int, Thumbnail] = OrderedDict()
        self._thumbnails_asked: set[int] = set()
        self._order: tuple[int, ...] = ()
        self._wanted: tuple[int, str] | None = None
        self._path: Path | None = None
        self._held = self._missed = False
        self._generation = 0
        self._epoch = 0
        self._places = count()
        self._jobs: list[_Job] = []
        self._ready = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._arrived.connect(self._deliver)
        self._changed.connect(self._project_changed)

    @property
    def catalogue(self) -> Catalogue:
        """What the open project holds; empty when none is open."""
        return self._catalogue

    def open(self, path: Path | str) -> None:
        """Read from this project from now on; ``listed`` follows."""
        self._reset()
        self._path = Path(path)
        self._put(_Kind.PROJECT, self._path)
        self._put(_Kind.CATALOGUE)

    def close_project(self) -> None:
        """Let go of the project; ``listed`` follows with an empty catalogue."""
        self._reset()
        if self._thread is not None:
            self._put(_Kind.PROJECT, None)
        self.listed.emit(self._catalogue)

    def close(self) -> None:
        """Stop the thread; call before the application ends."""
        with self._ready:
            self._stopped = True
            self._jobs.clear()
            self._ready.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
            self._thread = None

    def refresh(self) -> None:
        """Read lists and the shown scene again, because the project has changed."""
        self._epoch += 1
        self._scenes.clear()
        self._thumbnails_asked.clear()
        for image_id in [key for key, kept in self._thumbnails.items() if kept.picture is None]:
            del self._thumbnails[image_id]
        self._put(_Kind.CATALOGUE)
        if self._wanted is not None:
            self._generation += 1
            self._put(_Kind.SCENE, self._wanted)

    def hold(self, held: bool) -> None:
        """Put off following what is stored, while so much is stored that the window would stutter."""
        self._held = held
        if not held and self._missed and self._path is not None:
            self._project_changed(self._path)

    def set_order(self, image_ids: Sequence[int]) -> None:
        """Say in which order images are stepped through; the neighbours are read ahead."""
        self._order = tuple(image_ids)

    def neighbour(self, image_id: int | None, step: int) -> int | None:
        """Return the image ``step`` places further in the order, None at the ends."""
        order = self._order or tuple(entry.id for entry in self._catalogue.images)
        if image_id not in order:
            return order[0] if order else None
        place = order.index(image_id) + step
        return order[place] if 0 <= place < len(order) else None

    def is_ready(self, image_id: int, task: str) -> bool:
        """Return whether a request would be answered at once."""
        return (image_id, task) in self._scenes

    def request(self, image_id: int, task: str) -> None:
        """Ask for a scene; ``loaded`` follows, at once when it was read ahead."""
        self._wanted = (image_id, task)
        self._generation += 1
        scene = self._scenes.get(self._wanted)
        if scene is None:
            self._put(_Kind.SCENE, self._wanted)
            return
        self._scenes.move_to_end(self._wanted)
        self.loaded.emit(scene)
        self._read_ahead()

    def ask(self, question: Question, *, ahead: bool = False) -> None:
        """Have a question read off the GUI thread; ``answered`` follows.

        It overtakes questions of its type that are still waiting, and all that were asked ``ahead``. When the project
        changes, waiting questions are dropped: ask again on ``listed``.
        """
        if not ahead:
            with self._ready:
                self._jobs = [
                    job
                    for job in self._jobs
                    if job.kind is not _Kind.AHEAD
                    and not (job.kind is _Kind.QUESTION and type(job.target) is type(question))
                ]
                heapq.heapify(self._jobs)
        self._put(_Kind.AHEAD if ahead else _Kind.QUESTION, question)

    def thumbnail(self, image_id: int) -> Thumbnail | None:
        """Return a thumbnail, or None and ``thumbnail_ready`` when it has been read."""
        kept = self._thumbnails.get(image_id)
        if kept is not None:
            self._thumbnails.move_to_end(image_id)
        elif image_id not in self._thumbnails_asked:
            self._thumbnails_asked.add(image_id)
            self._put(_Kind.THUMBNAIL, image_id)
            self._forget_overtaken()
        return kept

    def _reset(self) -> None:
        self._epoch += 1
        self._generation += 1
        self._catalogue = Catalogue()
        self._scenes.clear()
        self._thumbnails.clear()
        self._thumbnails_asked.clear()
        self._order = ()
        self._wanted = None
        self._path = None
        with self._ready:
            self._jobs.clear()

    def _read_ahead(self) -> None:
        if self._wanted is None:
            return
        image_id, task = self._wanted
        with self._ready:
            self._jobs = [job for job in self._jobs if job.kind is not _Kind.NEIGHBOUR]
            heapq.heapify(self._jobs)
        for step in (1, -1, 2):
            target = self.neighbour(image_id, step)
            if target is not None and (target, task) not in self._scenes:
                self._put(_Kind.NEIGHBOUR, (target, task))

    def _forget_overtaken(self) -> None:
        if len(self._thumbnails_asked) <= _THUMBNAILS_WAITING:
            return
        with self._ready:
            waiting = sorted(job for job in self._jobs if job.kind is _Kind.THUMBNAIL)
            overtaken = waiting[_THUMBNAILS_WAITING:]
            if overtaken:
                self._jobs = [job for job in self._jobs if job not in overtaken]
                heapq.heapify(self._jobs)
        self._thumbnails_asked.difference_update(job.target for job in overtaken)

    def _put(self, kind: _Kind, target: Any = None) -> None:
        place = next(self._places)
        # The thumbnail asked for last is the one in sight.
        job = _Job(kind, -place if kind is _Kind.THUMBNAIL else place, self._generation, self._epoch, target)
        with self._ready:
            if kind in (_Kind.SCENE, _Kind.CATALOGUE):
                self._jobs = [other for other in self._jobs if other.kind is not kind]
                heapq.heapify(self._jobs)
            heapq.heappush(self._jobs, job)
            self._ready.notify()
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="loader", daemon=True)
            self._thread.start()

    @Slot(object)
    def _project_changed(self, path: Path) -> None:
        self._missed = self._held
        if path == self._path and not self._held:
            self.refresh()
            self.stored.emit()

    @Slot(object)
    def _deliver(self, result: _Result) -> None:
        job = result.job
        if job.epoch != self._epoch:
            return
        if result.error is not None:
            overtaken = job.kind is _Kind.SCENE and job.target != self._wanted
            if job.kind not in (_Kind.NEIGHBOUR, _Kind.AHEAD) and not overtaken:
                self.failed.emit(result.error)
            return
        if job.kind is _Kind.CATALOGUE:
            self._catalogue = result.value
            self.listed.emit(result.value)
            self._read_ahead()
        elif job.kind is _Kind.THUMBNAIL:
            self._keep_thumbnail(result.value)
        elif job.kind in (_Kind.QUESTION, _Kind.AHEAD):
            self.answered.emit(job.target, result.value)
        elif job.kind in (_Kind.SCENE, _Kind.NEIGHBOUR):
            self._keep_scene(job.target, result.value)
            if job.kind is _Kind.SCENE and job.generation == self._generation:
                self.loaded.emit(result.value)
                self._read_ahead()

    def _keep_scene(self, key: tuple[int, str], scene: SceneView) -> None:
        self._scenes[key] = scene
        self._scenes.move_to_end(key)
        while len(self._scenes) > _SCENES_KEPT or (
            len(self._scenes) > 4 and sum(map(_picture_bytes, self._scenes.values())) > _SCENE_BYTES_KEPT
        ):
            self._scenes.popitem(last=False)

    def _keep_thumbnail(self, thumbnail: Thumbnail) -> None:
        self._thumbnails_asked.discard(thumbnail.image_id)
        self._thumbnails[thumbnail.image_id] = thumbnail
        while len(self._thumbnails) > _THUMBNAILS_KEPT:
            self._thumbnails.popitem(last=False)
        self.thumbnail_ready.emit(thumbnail)

    def _run(self) -> None:
        """Work off jobs until stopped; the project is opened, used and closed on this thread only."""
        project: Project | None = None
        version = 0
        while True:
            with self._ready:
                if not self._jobs and not self._stopped:
                    self._ready.wait(_LOOK_SECONDS)
                if self._stopped:
                    break
                job = heapq.heappop(self._jobs) if self._jobs else None
            if job is None:
                version = self._look(project, version)
                continue
            try:
                if job.kind is _Kind.PROJECT:
                    if project is not None:
                        project.close()
                    project = None
                    project = self._opener(job.target) if job.target is not None else None
                    version = _data_version(project)
                elif project is not None:
                    self._arrived.emit(_Result(job, _read(project, job)))
            except Exception as error:  # noqa: BLE001 - one bad thing must not end the reading of others
                self._arrived.emit(_Result(job, None, _as_sentence(error, project)))
        if project is not None:
            project.close()

    def _look(self, project: Project | None, version: int) -> int:
        """Say so when another connection has stored something; return the version that was seen."""
        try:
            now = _data_version(project)
        except sqlite3.Error:
            # The file is gone or its disk is: the next real request says so, once and not every second.
            return version
        if project is not None and now != version:
            self._changed.emit(self._path)
        return now


def _data_version(project: Project | None) -> int:
    """Return a number that changes whenever another connection commits to the project."""
    return 0 if project is None else int(project.db.execute("PRAGMA data_version").fetchone()[0])


def _read(project: Project, job: _Job) -> Any:
    if job.kind is _Kind.CATALOGUE:
        return read_catalogue(project)
    if job.kind is _Kind.THUMBNAIL:
        return _read_thumbnail(project, job.target)
    if job.kind in (_Kind.QUESTION, _Kind.AHEAD):
        return job.target.read(project)
    return read_scene(project, *job.target)


def _read_thumbnail(project: Project, image_id: int) -> Thumbnail:
    try:
        path = project.images.file(project.images.get(image_id))
        return Thumbnail(image_id, read_thumbnail(path, THUMBNAIL_SIDE))
    except GazeError as error:
        return Thumbnail(image_id, None, str(error))


def _as_sentence(error: Exception, project: Project | None) -> GazeError:
    if isinstance(error, GazeError):
        return error
    if isinstance(error, sqlite3.Error) and project is not None:
        from gazeapp.engine.project.project import explain

        return explain(error, project.path)
    return GazeError(f"The project could not be read ({error}).", todo="Open it again.")


def _picture_bytes(scene: SceneView) -> int:
    return sum(level.sizeInBytes() for level in scene.picture.levels) if scene.picture else 0


def _open_project(path: Path) -> Project:
    from gazeapp.engine.project import Project

    return Project.open(path)
