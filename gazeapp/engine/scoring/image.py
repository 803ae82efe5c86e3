"""Everything that is scored on one image under one task: models, baselines and the ceilings' parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.baselines.from_fixations import UNIFORM, OtherImages, expected_human_map
from gazeapp.engine.scoring.baselines.of_image import Elsewhere, baseline_maps
from gazeapp.engine.scoring.ceilings.from_maps import (
    MIN_SUBJECTS_TO_LEAVE_ONE_OUT,
    SubjectMaps,
    image_ceilings,
    subject_maps,
)
from gazeapp.engine.scoring.ceilings.gold import GOLD_METRICS, TaskGold
from gazeapp.engine.scoring.ceilings.observers import observer_scores
from gazeapp.engine.scoring.densities.information import bits_at, information_gain
from gazeapp.engine.scoring.densities.of_image import INFORMATION, Densities
from gazeapp.engine.scoring.densities.transforms import KIND_OF, transformed
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.findings import OBSERVERS
from gazeapp.engine.scoring.left_out import LeftOut, means_kept
from gazeapp.engine.scoring.metrics import (
    HumanTarget,
    PeopleScores,
    Pixels,
    PreparedMap,
    pixels,
    score_map,
    score_map_of_people,
)
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.scoring.sources import BASELINE, TRUTH, Source, SourceMap
from gazeapp.engine.types import DoubleArray, FloatArray

OBSERVER_METRICS = ("nss", "auc", "ig")
"""Metrics whose curve over the number of observers is told."""
_Number = TypeVar("_Number")
Prepared = dict[str, PreparedMap]
"""Maps of one image that several tasks share, made ready, by ``SourceMap.shared``."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How images are scored.

    Parameters
    ----------
    preset
        Conventions of the metrics.
    sigma_px
        Standard deviation of the human maps' Gaussian, image px.
    metrics
        Ids of the metrics.
    n_splits
        Random halvings of the people for the ceilings.
    seed
        Seed of the halvings, and of the pixels that AUC-Borji draws under ``mit``.
    max_side_px
        Longest side that is scored, px; larger images are scored at this size, with fixations and
        sigma scaled alike.
    transform
        ``density``: every metric sees the map that suits it best, made from the density that the map was
        converted to. ``none``: every metric sees the map as it is.
    """

    preset: Preset = TUEBINGEN
    sigma_px: float = 24.0
    metrics: tuple[str, ...] = TUEBINGEN.metrics
    n_splits: int = 100
    seed: int = 0
    max_side_px: int = 1024
    transform: Literal["none", "density"] = "none"

    @property
    def needs_conversions(self) -> bool:
        """Whether maps have to become densities."""
        informed = any(metric in INFORMATION for metric in self.metrics)
        return self.transform == "density" or (informed and self.preset.information == "fitted")

    @property
    def needs_people_densities(self) -> bool:
        """Whether the density behind people's fixations has to be estimated."""
        held = any(metric in (*GOLD_METRICS, "auc_borji") for metric in self.metrics)
        return self.needs_conversions or (held and self.preset.information == "fitted")


@dataclass(frozen=True)
class ImageJob:
    """What is needed to score one image under one task.

    Parameters
    ----------
    key
        The image's key in ``others``.
    width, height
        Size of the image, px.
    x, y
        Fixations, image px, shape (n,), at least one.
    subject
        Names of their subjects, shape (n,).
    maps
        Maps to score.
    others
        Fixations of the task's images.
    other_tasks
        The same of each other task, for the baseline of people under another task.
    spectral
        The picture's spectral residual, over the whole image; None: that baseline is left out.
    seed
        Mixed into the seed of the halvings, so that they differ between images and tasks.
    image_seed
        Seed of the random map, the same under every task.
    weights
        What each fixation counts in the human maps that CC, Spearman, SIM, KL and EMD compare with, such as
        its duration, above 0, shape (n,); None: all the same. Fixations on a map (NSS, AUCs, information)
        always count the same.
    densities
        What log-likelihood and information gain need; None: they have no value.
    gold
        How people predict people, over all images of the task; None: ceilings of metrics on fixations come from
        people's blurred maps alone.
    """

    key: int
    width: int
    height: int
    x: DoubleArray
    y: DoubleArray
    subject: NDArray[np.str_]
    maps: tuple[SourceMap, ...]
    others: OtherImages
    other_tasks: tuple[OtherImages, ...] = ()
    spectral: FloatArray | None = None
    seed: int = 0
    image_seed: int = 0
    weights: DoubleArray | None = None
    densities: Densities | None = None
    gold: TaskGold | None = None


@dataclass(frozen=True)
class ImageScores:
    """Scores of one image.

    Parameters
    ----------
    scores
        Source -> metric -> value; NaN where a metric is undefined.
    ceilings
        (metric, estimator) -> value.
    subjects
        Names of the people who looked at the image under the task, ascending.
    n_fixations
        Fixations of each of them.
    scores_without
        Source -> metric -> score without each of them in turn, shape (n_subjects,), for metrics that
        have a percent of ceiling; empty with fewer than 3 people.
    ceilings_without
        The same of the ceilings' parts.
    scores_of_each
        Source -> metric -> score on each one's own fixations, or for CC with their own map, shape
        (n_subjects,); empty with fewer than 3 people.
    ceilings_of_each
        (metric, estimator) -> how well each one's fixations are predicted by others, shape (n_subjects,).
    """

    scores: dict[Source, dict[str, float]]
    ceilings: dict[tuple[str, str], float]
    subjects: tuple[str, ...]
    n_fixations: tuple[int, ...]
    scores_without: dict[Source, dict[str, DoubleArray]]
    ceilings_without: dict[tuple[str, str], DoubleArray]
    scores_of_each: dict[Source, dict[str, DoubleArray]]
    ceilings_of_each: dict[tuple[str, str], DoubleArray]

    @property
    def n_subjects(self) -> int:
        """People who looked at the image under the task."""
        return len(self.subjects)


@dataclass(frozen=True)
class _Frame:
    """The size that an image is scored at, and what was brought to it.

    ``weighted`` is None where all fixations count the same; else it makes ``human`` and ``left_out``.
    """

    height: int
    width: int
    scale_x: float
    scale_y: float
    sigma_px: float
    x: DoubleArray
    y: DoubleArray
    people: SubjectMaps
    weighted: SubjectMaps | None
    fixated: Pixels
    negatives: Pixels
    centre: FloatArray | None = field(repr=False)
    human: HumanTarget = field(repr=False)
    left_out: LeftOut | None = field(repr=False)


def scoring_size(width: int, height: int, max_side_px: int) -> tuple[int, int]:
    """Return the (width, height) that an image is scored at, px."""
    scale = min(1.0, max_side_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def score_image(job: ImageJob, rules: Rules, prepared: Prepared | None = None) -> ImageScores:
    """Score all maps of one image under one task.

    Parameters
    ----------
    job
        The image, its people and maps.
    rules
        How to score.
    prepared
        Maps that an earlier task of the image made ready; those of this task are added.

    Raises
    ------
    GazeError
        When the image has no fixations, or a map holds NaN or infinity.
    """
    if not len(job.x):
        raise GazeError("There are no fixations on this image.")
    frame = _frame(job, rules)
    prepared = {} if prepared is None else prepared
    seed = (rules.seed << 32) | job.seed
    found = {
        one.source: _score(one, job.densities, frame, rules, seed, prepared) for one in _maps(job, frame)
    }
    gold = _gold(job, rules, seed)
    covered = {metric for metric, _ in gold.values}
    rest = [metric for metric in rules.metrics if metric not in covered]
    ceilings = image_ceilings(
        frame.people, frame.negatives, rules.preset, rest, rules.n_splits, seed, frame.weighted
    )
    subjects, counts = np.unique(job.subject, return_counts=True)
    return ImageScores(
        {source: one.scores for source, one in found.items()},
        ceilings.values | gold.values,
        tuple(subjects.tolist()),
        tuple(counts.tolist()),
        {source: one.without for source, one in found.items()},
        ceilings.without | gold.without,
        {source: one.of_each for source, one in found.items()},
        gold.of_each,
    )


def score_maps(job: ImageJob, rules: Rules) -> dict[Source, dict[str, float]]:
    """Score the maps of one image against all of its people, without baselines, ceilings and single people.

    Parameters
    ----------
    job, rules
        As for :func:`score_image`, which gives the same numbers. Metrics that need conversions to densities have no
        value where ``job`` brings none.

    Returns
    -------
    dict
        Source -> metric -> value; NaN where a metric is undefined.
    """
    if not len(job.x):
        raise GazeError("There are no fixations on this image.")
    frame = replace(_frame(job, rules), left_out=None)
    seed = (rules.seed << 32) | job.seed
    return {
        one.source: _score(
            replace(one, rect=one.rect.scaled(frame.scale_x, frame.scale_y)),
            job.densities,
            frame,
            rules,
            seed,
            {},
        ).scores
        for one in job.maps
    }


@dataclass(frozen=True)
class _Gold:
    """How people predict people on the image's fixations: (metric, estimator) -> value, or values by subject."""

    values: dict[tuple[str, str], float] = field(default_factory=dict)
    without: dict[tuple[str, str], DoubleArray] = field(default_factory=dict)
    of_each: dict[tuple[str, str], DoubleArray] = field(default_factory=dict)


def _gold(job: ImageJob, rules: Rules, seed: int) -> _Gold:
    if job.gold is None or rules.preset.information == "literal":  # its scores follow other conventions
        return _Gold()
    negatives = job.others.negatives(job.key)
    places = (negatives.u, negatives.v)
    # The expectation of AUC-Borji over its draws is AUC, of people as of models.
    twins = {"auc": [metric for metric in ("auc", "auc_borji") if metric in rules.metrics]}
    asked = [metric for metric in GOLD_METRICS if twins.get(metric) or metric in rules.metrics]
    found = job.gold.ceilings(job.key, places, asked)
    curve = [metric for metric in OBSERVER_METRICS if metric in rules.metrics]
    fewer = observer_scores(job.gold, job.key, places, found, curve, seed)
    observed = {(metric, f"{OBSERVERS}_{n}"): value for (metric, n), value in fewer.items()}

    def named(values: Mapping[tuple[str, str], _Number]) -> dict[tuple[str, str], _Number]:
        return {
            (name, estimator): value
            for (metric, estimator), value in values.items()
            for name in twins.get(metric, [metric])
        }

    return _Gold(named(found.values) | observed, named(found.without()), named(found.by_subject))


def _maps(job: ImageJob, frame: _Frame) -> Iterator[SourceMap]:
    """Yield everything that is scored, at the size that it is scored at."""
    for one in job.maps:
        yield replace(one, rect=one.rect.scaled(frame.scale_x, frame.scale_y))
    where = Elsewhere(job.key, job.others, job.other_tasks, job.spectral, job.image_seed)
    yield from baseline_maps(where, frame.height, frame.width, frame.sigma_px, frame.centre)


def _frame(job: ImageJob, rules: Rules) -> _Frame:
    width, height = scoring_size(job.width, job.height, rules.max_side_px)
    scale_x, scale_y = width / job.width, height / job.height
    # Scaling may round the last representable position of the image up to its edge.
    x = np.minimum(job.x * scale_x, np.nextafter(width, 0))
    y = np.minimum(job.y * scale_y, np.nextafter(height, 0))
    sigma_px = rules.sigma_px * np.sqrt(scale_x * scale_y)
    people = subject_maps(x, y, job.subject, height, width, sigma_px)
    weighted = None
    if job.weights is not None:
        weighted = subject_maps(x, y, job.subject, height, width, sigma_px, job.weights)
    compared = people if weighted is None else weighted
    return _Frame(
        height=height,
        width=width,
        scale_x=scale_x,
        scale_y=scale_y,
        sigma_px=sigma_px,
        x=x,
        y=y,
        people=people,
        weighted=weighted,
        fixated=pixels(x, y, height, width),
        negatives=job.others.pixels(job.key, height, width),
        centre=job.others.centre_bias(job.key, height, width, sigma_px),
        human=HumanTarget(compared.human()),
        left_out=compared.left_out() if len(people) >= MIN_SUBJECTS_TO_LEAVE_ONE_OUT else None,
    )


def _score(
    one: SourceMap,
    densities: Densities | None,
    frame: _Frame,
    rules: Rules,
    seed: int,
    prepared: Prepared,
) -> PeopleScores:
    """Return the metrics of one map: with all people, without each of them, and of each."""
    log2 = None
    if densities is not None and rules.needs_conversions:
        log2 = densities.of(one, frame.width, frame.height)
    parts = [
        _score_one(ready, frame, rules.preset, metrics, seed)
        for ready, metrics in _versions(one, log2, densities, frame, rules, prepared)
    ]
    wanted = [metric for metric in rules.metrics if metric in INFORMATION]
    if wanted and rules.preset.information == "literal":
        parts.append(_literal_gain(_ready(one, frame, prepared), frame, rules.preset))
    elif wanted:
        parts.append(_information(log2, densities, frame, wanted))
    scores = {metric: value for part in parts for metric, value in part.scores.items()}
    return PeopleScores(
        {metric: scores[metric] for metric in rules.metrics},
        {metric: column for part in parts for metric, column in part.without.items()},
        {metric: column for part in parts for metric, column in part.of_each.items()},
    )


def _versions(
    one: SourceMap,
    log2: FloatArray | None,
    densities: Densities | None,
    frame: _Frame,
    rules: Rules,
    prepared: Prepared,
) -> Iterator[tuple[PreparedMap, list[str]]]:
    """Yield a map as metrics see it, with those metrics: as it is, or as each kind of metric likes it best."""
    on_maps = [metric for metric in rules.metrics if metric not in INFORMATION]
    if one.source.kind == TRUTH:
        # The true density meets human maps as they are: blurred.
        sharp = _ready(one, frame, prepared)
        yield sharp, [metric for metric in on_maps if METRICS[metric].against == "fixations"]
        blurred = expected_human_map(sharp.flat.reshape(sharp.shape), frame.sigma_px)
        yield PreparedMap(blurred), [metric for metric in on_maps if METRICS[metric].against == "maps"]
    elif _is_transformed(one.source, rules) and log2 is not None and densities is not None:
        for kind in dict.fromkeys(KIND_OF[metric] for metric in on_maps):
            values = transformed(log2, densities.centre_log2, kind, frame.height, frame.width, frame.sigma_px)
            yield PreparedMap(values), [metric for metric in on_maps if KIND_OF[metric] == kind]
    else:
        yield _ready(one, frame, prepared), on_maps


def _is_transformed(source: Source, rules: Rules) -> bool:
    # What knows nothing stays so: over the centre bias, uniform would be a map of everything but the centre.
    return rules.transform == "density" and source != Source(BASELINE, UNIFORM)


def _ready(one: SourceMap, frame: _Frame, prepared: Prepared) -> PreparedMap:
    """Return a map at the size that it is scored at, of those that tasks share the one that is there."""
    found = prepared.get(one.shared) if one.shared else None
    if found is None:
        found = PreparedMap(to_image(one.values, one.rect, frame.height, frame.width))
        if one.shared:
            prepared[one.shared] = found
    return found


def _score_one(
    ready: PreparedMap, frame: _Frame, preset: Preset, metrics: Sequence[str], seed: int
) -> PeopleScores:
    fixated, negatives, human = frame.fixated, frame.negatives, frame.human
    if frame.left_out is None:
        return PeopleScores(score_map(ready, fixated, negatives, human, preset, metrics, seed), {}, {})
    return score_map_of_people(ready, fixated, negatives, human, frame.left_out, preset, metrics, seed)


def _information(
    log2: FloatArray | None, densities: Densities | None, frame: _Frame, metrics: Sequence[str]
) -> PeopleScores:
    """Return log-likelihood and information gain of a map as a density."""
    if densities is None or log2 is None:
        return PeopleScores(dict.fromkeys(metrics, float("nan")), {}, {})
    u, v = frame.x / frame.width, frame.y / frame.height
    bits = {"ll": bits_at(log2, u, v)}
    bits["ig"] = bits["ll"] - bits_at(densities.centre_log2, u, v)
    scores = {metric: float(bits[metric].mean()) for metric in metrics}
    if frame.left_out is None:
        return PeopleScores(scores, {}, {})
    rest = frame.left_out
    (_, kept), (_, own) = rest.kept(False), rest.own(False)
    return PeopleScores(
        scores,
        {metric: means_kept(bits[metric][rest.order], kept) for metric in metrics},
        {metric: means_kept(bits[metric][rest.order], own) for metric in metrics},
    )


def _literal_gain(ready: PreparedMap, frame: _Frame, preset: Preset) -> PeopleScores:
    """Return the information gain of a map taken as it is, over the centre bias."""
    if frame.centre is None:
        return PeopleScores({"ig": float("nan")}, {}, {})
    gain = information_gain(ready.flat.reshape(ready.shape), frame.centre, frame.fixated, preset)
    return PeopleScores({"ig": gain}, {}, {})
