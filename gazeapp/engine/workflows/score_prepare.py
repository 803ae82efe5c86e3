"""What scoring needs of a whole task before its first image: ceilings' parameters, and maps as densities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import ImageRow, Project
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages
from gazeapp.engine.scoring.baselines.of_image import CONVERTED, Elsewhere, baseline_maps
from gazeapp.engine.scoring.baselines.spectral import spectral_residual
from gazeapp.engine.scoring.ceilings.gold import TaskGold
from gazeapp.engine.scoring.ceilings.people import ImageFixations
from gazeapp.engine.scoring.densities.conversion import (
    FIT_LONG_SIDE,
    ConversionTrainer,
    FittedConversions,
    TrainingTarget,
    first_images,
    in_order,
)
from gazeapp.engine.scoring.densities.of_image import Densities, in_shares, relative
from gazeapp.engine.scoring.image import Rules
from gazeapp.engine.scoring.sources import TRUTH, Source, SourceMap
from gazeapp.engine.types import FloatArray
from gazeapp.engine.workflows.base import Progress
from gazeapp.engine.workflows.score_units import TaskPeople, image_seed, source_of

_PICTURE_SIDE = 256
"""Longest side that a picture is read at for its spectral residual, px; it is made 64 px wide."""


@dataclass(frozen=True)
class Prepared:
    """A task, ready to be scored image by image.

    Parameters
    ----------
    gold
        How people predict people; None where no metric asks for it.
    conversions
        Source -> how its maps become densities.
    spectral
        Spectral residual of the images that conversions were fitted on, by image id.
    """

    gold: TaskGold | None = None
    conversions: Mapping[Source, FittedConversions] = field(default_factory=dict)
    spectral: Mapping[int, FloatArray] = field(default_factory=dict)

    def densities(self, image: ImageRow) -> Densities | None:
        """Return what log-likelihood and information gain need on one image."""
        if self.gold is None:
            return None
        return Densities(
            self.gold.centre(image.id, image.width, image.height),
            {source: fitted.of(image.id) for source, fitted in self.conversions.items()},
        )


def prepare(
    project: Project,
    rules: Rules,
    people: TaskPeople,
    all_tasks: Sequence[TaskPeople],
    images: Mapping[int, ImageRow],
    kinds: Mapping[str, str],
    progress: Progress,
) -> Prepared:
    """Fit what is fitted over the images of a task.

    Raises
    ------
    StoppedError
        When the user cancelled.
    """
    if not rules.needs_people_densities:
        return Prepared()
    n = len(people.tables)

    def told(done: int) -> None:
        if progress.cancelled:
            raise StoppedError
        progress.report(0, n, f"{people.task} · how people predict each other · image {done} of {n}")

    gold = TaskGold.build(
        {
            image_id: ImageFixations(
                table.x / images[image_id].width,
                table.y / images[image_id].height,
                table.subject,
                images[image_id].width,
                images[image_id].height,
            )
            for image_id, table in people.tables.items()
        },
        rules.seed,
        told,
    )
    if not rules.needs_conversions:
        return Prepared(gold)
    elsewhere = tuple(other.others for other in all_tasks if other.task != people.task)
    trainers: dict[Source, ConversionTrainer] = {}
    spectral: dict[int, FloatArray] = {}
    learnt_on = _LearntOn.of(people, kinds, rules.seed)
    chosen = learnt_on.images(rules.seed)
    for number, image_id in enumerate(chosen, start=1):
        if progress.cancelled:
            raise StoppedError
        image, table = images[image_id], people.tables[image_id]
        progress.report(0, n, f"{people.task} · maps as densities · image {number} of {len(chosen)}")
        centre = gold.centre(image_id, image.width, image.height)
        target = TrainingTarget.of(table.x / image.width, table.y / image.height, centre)
        maps = _model_maps(project, people, image, kinds, learnt_on)
        if image_id in learnt_on.baselines:
            residual = spectral_of(project, image)
            if residual is not None:
                spectral[image_id] = residual
            maps = [*maps, *_baseline_maps(people, image, elsewhere, residual)]
        for one in maps:
            trainer = trainers.setdefault(one.source, ConversionTrainer(rules.seed))
            trainer.add(
                image_id, relative(one.values), in_shares(one.rect, image.width, image.height), target
            )
    conversions = {}
    for source, trainer in trainers.items():
        if progress.cancelled:
            raise StoppedError
        progress.report(0, n, f"{people.task} · maps as densities · {source.id}")
        fitted = trainer.fit()
        if fitted is not None:
            conversions[source] = fitted
    return Prepared(gold, conversions, spectral)


@dataclass(frozen=True)
class _LearntOn:
    """Images that conversions are fitted on: of each model some of its own, whatever other models describe."""

    models: Mapping[Source, frozenset[int]]
    baselines: frozenset[int]

    @classmethod
    def of(cls, people: TaskPeople, kinds: Mapping[str, str], seed: int) -> _LearntOn:
        described: dict[Source, set[int]] = {}
        for image_id in people.tables:
            for run in people.runs.get(image_id, []):
                described.setdefault(source_of(run, kinds[run.model]), set()).add(image_id)
        any_model = [image_id for image_id in people.tables if image_id in people.runs]
        # One image with a map of a model is too few for the model, and shall not cost the baselines theirs.
        for_baselines = any_model if len(any_model) > 1 else people.tables
        return cls(
            {
                source: frozenset(first_images(own, seed))
                for source, own in described.items()
                if source.kind != TRUTH
            },
            frozenset(first_images(for_baselines, seed)),
        )

    def images(self, seed: int) -> list[int]:
        """Return the images of all sources, each once."""
        return in_order(self.baselines.union(*self.models.values()), seed)


def _model_maps(
    project: Project, people: TaskPeople, image: ImageRow, kinds: Mapping[str, str], learnt_on: _LearntOn
) -> list[SourceMap]:
    """Read the maps of the models that learn on an image."""
    maps = []
    for run in people.runs.get(image.id, []):
        source = source_of(run, kinds[run.model])
        if image.id in learnt_on.models.get(source, ()):
            stored = project.maps.mean_of_run(run.id)
            maps.append(SourceMap(source, stored.values, stored.rect))
    return maps


def _baseline_maps(
    people: TaskPeople, image: ImageRow, elsewhere: tuple[OtherImages, ...], spectral: FloatArray | None
) -> Iterator[SourceMap]:
    """Yield the baselines of an image that are no densities, at the size that conversions see."""
    scale = 2 * FIT_LONG_SIDE / max(image.width, image.height)
    height, width = max(1, math.ceil(image.height * scale)), max(1, math.ceil(image.width * scale))
    where = Elsewhere(image.id, people.others, elsewhere, spectral, image_seed(image))
    for one in baseline_maps(where, height, width, people.sigma_px[image.id] * scale, None):
        if one.source.id in CONVERTED:
            yield SourceMap(one.source, one.values, image.rect)


def spectral_of(project: Project, image: ImageRow) -> FloatArray | None:
    """Return the spectral residual of an image's picture, or None where the file cannot be read."""
    try:
        return spectral_residual(read_picture(project.images.file(image), _PICTURE_SIDE)[0])
    except GazeError:
        return None
