"""What is asked of the models about one lesion of one image, and what comes back: frozen facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import Caption, Word
from gazeapp.engine.models.given import free_last
from gazeapp.engine.project.rows import ObjectBox
from gazeapp.engine.reports.neglect.words import CONTROL_NAMES as NAMES
from gazeapp.engine.reports.neglect.words import SCOPE_NAMES
from gazeapp.engine.reports.numbers import percent
from gazeapp.engine.types import DoubleArray, FloatArray, MaskArray
from gazeapp.ui.canvas.heat import HeatLayer, difference_layer
from gazeapp.ui.scene import LesionView, MapView, ModelView, SceneView

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.rows import LesionRow

N_RANDOM = 3
"""Masks that are drawn of each random control of the image in hand."""

CONTROL_NAMES = {
    "random": f"{NAMES['random']}, mean of {N_RANDOM} random masks",
    "equal_mass": f"{NAMES['equal_mass']}, mean of up to {N_RANDOM} random regions",
    "mirrored": NAMES["mirrored"],
}
"""Controls that are run beside a lesion of one image, called as in the experiment."""


@dataclass(frozen=True)
class Subject:
    """An image under a task, as far as a model needs it.

    Parameters
    ----------
    file
        The picture.
    width, height
        Its size, px.
    objects
        What is known to be on it.
    methods
        Map method of the run that the compare view shows, by model.
    """

    image_id: int
    task: str
    file: Path
    width: int
    height: int
    objects: tuple[ObjectBox, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubjectQuestion:
    """What models have to know of an image under a task; read on the loader's thread."""

    image_id: int
    task: str

    def read(self, project: Project) -> Subject | GazeError:
        """Return the image's file, its objects and the methods of its maps; why not, where there is no file."""
        row = project.images.get(self.image_id)
        runs = free_last(project.runs.all(image_id=row.id, task=self.task))
        try:
            file = project.images.file(row)
        except GazeError as error:
            return error
        return Subject(
            row.id,
            self.task,
            file,
            row.width,
            row.height,
            tuple(project.objects.of_image(row.id)),
            {run.model: run.method for run in runs},
        )


@dataclass(frozen=True, eq=False)
class Request:
    """One lesion of one image, for all models that follow it.

    Parameters
    ----------
    number
        Grows; a later request overtakes all before.
    mask
        Shape (height, width) of the image, not written to afterwards.
    models
        Ids, the one in focus first.
    fixations
        Where people looked, x and y, image px; None where nobody did.
    preset
        Conventions of the score.
    with_controls
        Whether control masks are run as well, after everything else.
    """

    number: int
    subject: Subject
    mask: MaskArray
    scope: str
    strength: float
    models: tuple[str, ...]
    fixations: tuple[DoubleArray, DoubleArray] | None = None
    preset: str = "tuebingen"
    with_controls: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is taken away."""
        return self.strength == 0.0 or not bool(self.mask.any())


@dataclass(frozen=True, eq=False)
class Effect:
    """What one lesion did to what one model says and attends to.

    Parameters
    ----------
    model, name
        Id and name of the model.
    before, after
        The words without and under the lesion.
    gone, new
        Places of the words that are no more in ``before``, and that are new in ``after``.
    map, word_maps
        The lesioned mean map, and the maps of the words in ``after``, shape (n_words, rows, columns); None where only
        the mean is known.
    change
        Lesioned minus intact map.
    numbers
        Outcomes by the ids of `gazeapp.engine.lesions.outcomes.OUTCOMES`.
    lost, named
        Objects that are no longer named, and those that the intact caption names; None where no objects are known.
    nss
        NSS of the intact and of the lesioned map; None where nobody looked, or not yet reckoned.
    controls
        Control -> outcome -> its mean over the control's masks; no outcome where the image has no such mask.
    area
        Share of the image that the mask takes.
    takes_nothing
        Whether nothing was taken away, so that everything is as it was.
    """

    number: int
    image_id: int
    task: str
    model: str
    name: str
    before: tuple[Word, ...]
    after: tuple[Word, ...]
    gone: frozenset[int]
    new: frozenset[int]
    map: MapView
    word_maps: FloatArray | None
    change: HeatLayer
    numbers: Mapping[str, float]
    area: float
    scope: str
    strength: float
    lost: tuple[str, ...] | None = None
    named: tuple[str, ...] | None = None
    nss: tuple[float, float] | None = None
    controls: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    takes_nothing: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it was found for the mask in hand and is not stored; else it was read from the project."""
        return self.number > 0

    @property
    def facts(self) -> str:
        """What was taken away, such as ``34 % of the image, attention keys, strength 1``."""
        if self.takes_nothing:
            return "nothing is taken away"
        scope = SCOPE_NAMES[self.scope]
        return f"{percent(100 * self.area)} of the image, {scope}, strength {self.strength:g}"


@dataclass(frozen=True)
class Failure:
    """Why a model has no effect to show."""

    number: int
    model: str
    error: GazeError


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """What a lesion did to a model that was run as a job; read on the loader's thread."""

    image_id: int
    task: str
    model: str
    mask: str
    scope: str
    strength: float

    def read(self, project: Project) -> Effect | None:
        """Return the stored effect; None where there is none."""
        rows = [
            row
            for row in project.lesions.all(self.image_id, self.model, self.task)
            if (row.key.mask, row.key.control, row.key.scope) == (self.mask, "", self.scope)
            and row.key.strength == self.strength
        ]
        return _stored_effect(project, rows[-1]) if rows else None


def _stored_effect(project: Project, row: LesionRow) -> Effect:
    from gazeapp.engine.lesions.mentions import mentioned
    from gazeapp.engine.lesions.outcomes import changed_words

    image = project.images.get(row.image_id)
    maps, stored = project.maps.of_run(row.run_id), project.lesions.map_of(row.id)
    before = project.runs.words(row.run_id)
    said, says = ([word.text for word in words] for words in (before, row.words))
    gone, new = changed_words(said, says)
    labels = {one.label for one in project.objects.of_image(image.id)}
    named, still = mentioned(labels, said), mentioned(labels, says)
    numbers = dict(row.outcomes)
    if "laterality" in numbers and "laterality_shift" in numbers:
        numbers["laterality_before"] = numbers["laterality"] - numbers["laterality_shift"]
    size = image.width, image.height
    name = next((model.name for model in project.runs.models() if model.id == row.model), row.model)
    return Effect(
        number=0,
        image_id=row.image_id,
        task=row.task,
        model=row.model,
        name=name,
        before=before,
        after=row.words,
        gone=gone,
        new=new,
        map=MapView.of(frozen(stored.values), stored.rect, *size),
        word_maps=None,
        change=difference_layer((stored.values, stored.rect), (maps.mean, maps.rect), *size),
        numbers=numbers,
        area=row.area,
        scope=row.key.scope,
        strength=row.key.strength,
        lost=tuple(sorted(named - still)) if labels else None,
        named=tuple(sorted(named)) if labels else None,
    )


def words_of(caption: Caption) -> list[str]:
    """Return the words of a caption as texts."""
    return [word.text for word in caption.words]


def frozen(array: FloatArray) -> FloatArray:
    """Return an array of its own that nobody writes to, for other threads."""
    own = np.array(array)
    own.flags.writeable = False
    return own


def lesioned_scene(scene: SceneView, effects: Mapping[str, Effect]) -> SceneView:
    """Return a scene in which models show what they say and attend to under the lesion.

    Models without an effect on this image under this task stay as they are.
    """
    fitting = {
        model: effect
        for model, effect in effects.items()
        if (effect.image_id, effect.task) == (scene.image_id, scene.task)
    }
    if not fitting:
        return scene
    models = [_lesioned(model, fitting[model.id]) if model.id in fitting else model for model in scene.models]
    return replace(scene, models=tuple(models))


def _lesioned(model: ModelView, effect: Effect) -> ModelView:
    view = LesionView(
        effect.facts,
        effect.new,
        " ".join(word.text for word in effect.before),
        effect.change,
    )
    return replace(model, map=effect.map, words=effect.after, word_maps=effect.word_maps, lesion=view)
