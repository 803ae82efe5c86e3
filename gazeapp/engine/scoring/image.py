"""Everything that is scored on one image under one task: models, baselines and the ceilings' parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.baselines import (
    CENTRE_BIAS,
    UNIFORM,
    OtherImages,
    expected_human_map,
    uniform,
)
from gazeapp.engine.scoring.ceilings import (
    MIN_SUBJECTS_TO_LEAVE_ONE_OUT,
    SubjectMaps,
    image_ceilings,
    subject_maps,
)
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.left_out import LeftOut
from gazeapp.engine.scoring.metrics import (
    HumanTarget,
    Pixels,
    pixels,
    score_map,
    score_map_without,
)
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray, FloatArray, Rect

MODEL, BASELINE, HUMAN, TRUTH = "model", "baseline", "human", "truth"


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
    """

    preset: Preset = TUEBINGEN
    sigma_px: float = 24.0
    metrics: tuple[str, ...] = TUEBINGEN.metrics
    n_splits: int = 100
    seed: int = 0
    max_side_px: int = 1024


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Whose map it is: ``kind`` is ``model``, ``baseline``, ``human`` or ``truth``."""

    kind: str
    id: str
    method: str = ""
    lesion: str = ""


@dataclass(frozen=True)
class SourceMap:
    """A map to score: ``values`` (rows, columns) over ``rect`` of the image, px."""

    source: Source
    values: FloatArray
    rect: Rect


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
    seed
        Mixed into the seed of the halvings, so that they differ between images.
    weights
        What each fixation counts in the human maps that CC, Spearman, SIM, KL and EMD compare with, such as
        its duration, above 0, shape (n,); None: all the same. Fixations on a map (NSS, AUCs) always count the
        same.
    """

    key: int
    width: int
    height: int
    x: DoubleArray
    y: DoubleArray
    subject: NDArray[np.str_]
    maps: tuple[SourceMap, ...]
    others: OtherImages
    seed: int = 0
    weights: DoubleArray | None = None


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
    scores_without
        Source -> metric -> score without each of them in turn, shape (n_subjects,), for metrics that
        have a percent of ceiling; empty with fewer than 3 people.
    ceilings_without
        The same of the ceilings' parts.
    """

    scores: dict[Source, dict[str, float]]
    ceilings: dict[tuple[str, str], float]
    subjects: tuple[str, ...]
    scores_without: dict[Source, dict[str, DoubleArray]]
    ceilings_without: dict[tuple[str, str], DoubleArray]

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
    people: SubjectMaps
    weighted: SubjectMaps | None
    fixated: Pixels
    negatives: Pixels
    human: HumanTarget = field(repr=False)
    left_out: LeftOut | None = field(repr=False)


def scoring_size(width: int, height: int, max_side_px: int) -> tuple[int, int]:
    """Return the (width, height) that an image is scored at, px."""
    scale = min(1.0, max_side_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def score_image(job: ImageJob, rules: Rules) -> ImageScores:
    """Score all maps of one image under one task.

    Raises
    ------
    GazeError
        When the image has no fixations, or a map holds NaN or infinity.
    """
    if not len(job.x):
        raise GazeError("There are no fixations on this image.")
    frame = _frame(job, rules)
    scores, without, seed = {}, {}, (rules.seed << 32) | job.seed
    for source, values in _maps(job, frame):
        scores[source], without[source] = _score(values, frame, rules, seed, source.kind == TRUTH)
    ceilings = image_ceilings(
        frame.people,
        frame.negatives,
        rules.preset,
        rules.metrics,
        rules.n_splits,
        seed,
        frame.weighted,
    )
    subjects = tuple(np.unique(job.subject).tolist())
    return ImageScores(scores, ceilings.values, subjects, without, ceilings.without)


def _maps(job: ImageJob, frame: _Frame) -> Iterator[tuple[Source, FloatArray]]:
    """Yield everything that is scored, at the size that it is scored at."""
    for one in job.maps:
        rect = Rect(
            one.rect.x * frame.scale_x,
            one.rect.y * frame.scale_y,
            one.rect.width * frame.scale_x,
            one.rect.height * frame.scale_y,
        )
        yield one.source, to_image(one.values, rect, frame.height, frame.width)
    yield Source(BASELINE, UNIFORM), uniform(frame.height, frame.width)
    centre = job.others.centre_bias(job.key, frame.height, frame.width, frame.sigma_px)
    if centre is not None:
        yield Source(BASELINE, CENTRE_BIAS), centre


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
        people=people,
        weighted=weighted,
        fixated=pixels(x, y, height, width),
        negatives=job.others.pixels(job.key, height, width),
        human=HumanTarget(compared.human()),
        left_out=compared.left_out() if len(people) >= MIN_SUBJECTS_TO_LEAVE_ONE_OUT else None,
    )


def _score(
    values: FloatArray, frame: _Frame, rules: Rules, seed: int, is_density: bool
) -> tuple[dict[str, float], dict[str, DoubleArray]]:
    """Return the metrics of one map, with all people and without each of them.

    The true density meets human maps as they are: blurred.
    """
    if not is_density:
        return _score_one(values, frame, rules.preset, rules.metrics, seed)
    sharp = [metric for metric in rules.metrics if METRICS[metric].against == "fixations"]
    soft = [metric for metric in rules.metrics if METRICS[metric].against == "maps"]
    found, without = _score_one(values, frame, rules.preset, sharp, seed)
    blurred = expected_human_map(values, frame.sigma_px)
    soft_found, soft_without = _score_one(blurred, frame, rules.preset, soft, seed)
    found |= soft_found
    return {metric: found[metric] for metric in rules.metrics}, without | soft_without


def _score_one(
    values: FloatArray, frame: _Frame, preset: Preset, metrics: Sequence[str], seed: int
) -> tuple[dict[str, float], dict[str, DoubleArray]]:
    fixated, negatives, human = frame.fixated, frame.negatives, frame.human
    if frame.left_out is None:
        return score_map(values, fixated, negatives, human, preset, metrics, seed), {}
    return score_map_without(values, fixated, negatives, human, frame.left_out, preset, metrics, seed)
