"""Following the mask in hand: what the small captioners say and attend to without what it covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.lesioning import default_scope
from gazeapp.engine.models.registry import available_models
from gazeapp.engine.types import DoubleArray, MaskArray
from gazeapp.ui.lesions.facts import Effect, Failure, Request, Subject, SubjectQuestion
from gazeapp.ui.lesions.live_worker import LesionWorker, Newest, Runs
from gazeapp.ui.loader import Loader
from gazeapp.ui.masks.questions import MaskQuestion
from gazeapp.ui.scene import SceneView
from gazeapp.ui.selection import Selection


class Drawn(Protocol):
    """The mask that is drawn, as the painter's session has it."""

    changed: Any
    switched: Any

    @property
    def name(self) -> str:
        """Name of the mask."""

    @property
    def image_id(self) -> int | None:
        """Image that it is on."""

    @property
    def mask(self) -> MaskArray | None:
        """Shape (height, width), read-only; None where there is none."""


class LiveLesion(QObject):
    """Asks the small captioners what the mask in hand does, whenever a step on it has ended; the latest wins.

    It works while masks are painted, while lesioned maps are shown, or while somebody watches (:meth:`watch`).

    Parameters
    ----------
    selection
        The image, task and model in hand, and whether masks are painted.
    loader
        Reads what models need of an image.
    session
        The mask.
    make
        Makes what runs the models, on the worker's thread.
    """

    changed = Signal()
    """The effects, or what is said of them, have changed."""

    def __init__(
        self,
        selection: Selection,
        loader: Loader,
        session: Drawn,
        parent: QObject | None = None,
        make: Callable[[], Runs] | None = None,
    ) -> None:
        super().__init__(parent)
        self._selection = selection
        self._loader = loader
        self._session = session
        self._newest = Newest()
        self._number = 0
        self._subject: Subject | None = None
        self._scene: SceneView | None = None
        self._mask: MaskArray | None = None
        self._mask_asked: tuple[str, int | None] | None = None
        self._request: Request | None = None
        self._effects: dict[str, Effect] = {}
        self._failures: dict[str, GazeError] = {}
        self._watched = self._loading = self._ready = self._busy = self._stopped = False
        self._with_controls = self._shown_for_painting = False
        self.infos: tuple[ModelInfo, ...] = ()
        self.trouble: GazeError | None = None
        self._find_models()
        self.scope = default_scope(self.infos[0]) if self.infos else "keys"
        self.strength = 1.0
        self._worker = LesionWorker(self._newest, make or _captioners, self)
        self._connect(self._worker)

    @property
    def effects(self) -> Mapping[str, Effect]:
        """What the lesion did, by model; of the lesion before for models that are not done with this one."""
        return self._effects

    @property
    def failures(self) -> Mapping[str, GazeError]:
        """Why models have no effect to show."""
        return self._failures

    def is_before(self, effect: Effect) -> bool:
        """Return whether an effect is of the lesion before the one in hand."""
        return effect.number != self._number

    @property
    def is_loading(self) -> bool:
        """Whether the models are being loaded."""
        return self._loading and not self._ready

    @property
    def is_busy(self) -> bool:
        """Whether something is still to come for the mask in hand."""
        return self._busy

    @property
    def has_mask(self) -> bool:
        """Whether the image in hand has a mask."""
        return self._session.image_id == self._selection.image_id and self._session.mask is not None

    @property
    def with_controls(self) -> bool:
        """Whether control masks are run as well."""
        return self._with_controls

    @property
    def request(self) -> Request | None:
        """What was asked last."""
        return self._request

    def watch(self, watched: bool) -> None:
        """Say whether somebody looks at the effects."""
        if watched != self._watched:
            self._watched = watched
            self._follow_mask()

    def set_lesion(self, scope: str, strength: float) -> None:
        """Take away by another scope, or another share."""
        if (scope, strength) != (self.scope, self.strength):
            self.scope, self.strength = scope, strength
            self._ask()

    def set_controls(self, wanted: bool) -> None:
        """Run control masks beside the mask, or leave them."""
        if wanted != self._with_controls:
            self._with_controls = wanted
            if wanted:
                self._ask()
            else:
                self._effects = {model: replace(one, controls={}) for model, one in self._effects.items()}
                self.changed.emit()

    @Slot()
    def close_project(self) -> None:
        """Forget everything of the project."""
        self._overtake()
        self._subject = self._scene = self._mask = self._request = self._mask_asked = None
        self._clear()
        self.changed.emit()

    def stop(self) -> None:
        """End the thread, after the model in hand."""
        if not self._stopped:
            self._stopped = True
            self._worker.stop()

    def _connect(self, worker: LesionWorker) -> None:
        worker.loaded.connect(self._has_loaded)
        worker.arrived.connect(self._take)
        worker.failed.connect(self._take_failure)
        worker.ended.connect(self._has_ended)
        self._session.changed.connect(self._mask_changed)
        self._session.switched.connect(self._mask_changed)
        self._selection.changed.connect(self._follow)
        self._loader.answered.connect(self._answered)
        self._loader.listed.connect(self._study_changed)
        self._loader.loaded.connect(self._scene_loaded)

    def _find_models(self) -> None:
        try:
            self.infos = tuple(info for info in available_models() if info.kind == "captioner")
        except GazeError as error:
            self.trouble = error

    @property
    def _is_wanted(self) -> bool:
        display = self._selection.display
        return self._watched or display.painting or bool(display.lesion)

    @Slot(object)
    def _follow(self, changed: frozenset[str]) -> None:
        if changed & {"image_id", "task"}:
            self._overtake()
            self._subject = self._request = None
            self._clear()
            self._mask = None
            self.changed.emit()
        if "painting" in changed:
            self._follow_painting()
        if changed & {"image_id", "task", "painting", "lesion"}:
            self._follow_mask()
        elif "preset" in changed and self._request is not None:
            self._ask()

    def _follow_painting(self) -> None:
        """Show models under the lesion while it is painted, and as before when that ends."""
        display = self._selection.display
        if display.painting:
            self._load_ahead()
            self._shown_for_painting = not display.lesion
            if not display.lesion:
                self._selection.update(lesion="lesioned")
        elif self._shown_for_painting:
            self._shown_for_painting = False
            self._selection.update(lesion="")

    @Slot()
    def _mask_changed(self) -> None:
        mask = self._session.mask
        if self._mask is not None and not (mask is not None and np.array_equal(mask, self._mask)):
            self._mask = None
        self._follow_mask()

    @Slot(object)
    def _scene_loaded(self, scene: SceneView) -> None:
        had = self._fixations()
        self._scene = scene
        if self._request is not None and (self._fixations() is None) != (had is None):
            self._ask()

    @Slot(object)
    def _study_changed(self, _catalogue: object) -> None:
        self._ask_subject()
        self._mask_asked = None  # a question that waited is not answered any more
        if self._is_wanted and not self.has_mask:
            self._ask_mask()

    @Slot(object, object)
    def _answered(self, question: object, answer: object) -> None:
        if not isinstance(question, SubjectQuestion):
            return
        chosen = self._selection
        if (question.image_id, question.task) != (chosen.image_id, chosen.task) or answer == self._subject:
            return
        if isinstance(answer, GazeError):
            self._overtake()
            self._subject = self._request = None
            self._effects.clear()
            self._failures = dict.fromkeys((info.id for info in self.infos), answer)
            self.changed.emit()
        elif isinstance(answer, Subject):
            self._subject = answer
            self._ask()

    def _ask_subject(self) -> None:
        chosen = self._selection
        if chosen.image_id is not None and self._is_wanted:
            self._loader.ask(SubjectQuestion(chosen.image_id, chosen.task))

    def _follow_mask(self) -> None:
        if not self._is_wanted or self._stopped:
            return
        if self._subject is None:
            self._ask_subject()
        if self.has_mask:
            self._load_ahead()
            if not self._is_asked:
                self._ask()
        else:
            self._ask_mask()
            self._clear()
            self.changed.emit()

    def _ask_mask(self) -> None:
        """Have the mask of the image read where it is looked at and not painted; the session takes it in hand."""
        key = self._session.name, self._selection.image_id
        if key != self._mask_asked and key[1] is not None and self._session.image_id == key[1]:
            self._mask_asked = key
            self._loader.ask(MaskQuestion(self._session.name, key[1], 0))

    @property
    def _is_asked(self) -> bool:
        """Whether the mask in hand was asked about already."""
        request = self._request
        return request is not None and request.number == self._number and request.mask is self._mask

    def _load_ahead(self) -> None:
        if self._loading or self._stopped or not self.infos:
            return
        self._loading = True
        self._worker.ask_to_load(tuple(info.id for info in self.infos))
        self.changed.emit()

    def _ask(self) -> None:
        """Have the mask in hand run, in place of what was asked before."""
        subject, mask = self._subject, self._session.mask
        if not self._is_wanted or not self.has_mask or subject is None or mask is None or not self.infos:
            return
        if mask.shape != (subject.height, subject.width):
            return  # the mask of the image before; its own is being read
        if self._mask is None:
            self._mask = mask.copy()
            self._mask.flags.writeable = False
        self._overtake()
        self._request = Request(
            self._number,
            subject,
            self._mask,
            self.scope,
            self.strength,
            self._order(),
            self._fixations(),
            self._selection.preset,
            self._with_controls,
        )
        self._busy = True
        self._failures.clear()
        self._load_ahead()
        self._worker.ask(self._request)
        self.changed.emit()

    def _order(self) -> tuple[str, ...]:
        """Return the models, the one in focus first."""
        ids = [info.id for info in self.infos]
        return tuple(sorted(ids, key=lambda model: model != self._selection.source))

    def _fixations(self) -> tuple[DoubleArray, DoubleArray] | None:
        scene, chosen = self._scene, self._selection
        if scene is None or (scene.image_id, scene.task) != (chosen.image_id, chosen.task):
            return None
        fixations = scene.people.fixations
        return None if fixations is None else (fixations.x, fixations.y)

    def _overtake(self) -> None:
        """Make everything that was asked before stale."""
        if self._stopped:
            return
        self._number += 1
        self._newest.number = self._number
        self._busy = False

    def _clear(self) -> None:
        self._effects.clear()
        self._failures.clear()

    @Slot()
    def _has_loaded(self) -> None:
        self._ready = True
        self.changed.emit()

    @Slot(object)
    def _take(self, effects: tuple[Effect, ...]) -> None:
        fresh = {effect.model: effect for effect in effects if effect.number == self._number}
        if fresh and not self._stopped:
            self._effects.update(fresh)
            self.changed.emit()

    @Slot(object)
    def _take_failure(self, failure: Failure) -> None:
        if failure.number not in (0, self._number) or self._stopped:
            return
        self._failures[failure.model] = failure.error
        self._effects.pop(failure.model, None)
        self.changed.emit()

    @Slot(int)
    def _has_ended(self, number: int) -> None:
        if number == self._number:
            self._busy = False
            self.changed.emit()


def _captioners() -> Runs:
    from gazeapp.ui.lesions.captioners import Captioners

    return Captioners()


def common_failure(failures: Mapping[str, GazeError], models: Sequence[str]) -> GazeError | None:
    """Return the error that all models share, such as a mask over the whole image; None when they differ."""
    errors = [failures.get(model) for model in models]
    first = errors[0] if errors else None
    same = first is not None and all(error is not None and error.what == first.what for error in errors)
    return first if same else None
