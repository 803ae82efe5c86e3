"""Everything that is scored on one image under one task: models, baselines and the ceilings' parts."""

from __future__ import annotations

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
from gazeapp.engine.scoring.ceilings import SubjectMaps, image_ceilings, subject_maps
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.metrics import HumanTarget, Pixels, pixels, score_map
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray, FloatArray, Rect

MODEL, BASELINE, HUMAN, TRUTH = "model", "baseline", "human", "truth"
_AGAINST_MAPS = ("cc", "sim", "kl")


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
        Seed of the halvings.
    max_side_px
        Longest side that is scored, px; larger images are scored at this size, with fixations and
        sigma scaled alike.
    """

    preset: Preset = TUEBINGEN
    sigma_px: float = 24.0
    metrics: tuple[str, ...] = tuple(METRICS)
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


@dataclass(frozen=True)
class ImageScores:
    """Scores of one image.

    Parameters
    ----------
    scores
        Source -> metric -> value; NaN where a metric is undefined.
    ceilings
        (metric, estimator) -> value.
    n_subjects
        People who looked at the image under the task.
    """

    scores: dict[Source, dict[str, float]]
    ceilings: dict[tuple[str, str], float]
    n_subjects: int


@dataclass(frozen=True)
class _Frame:
    """The size that an image is scored at, and what was brought to it."""

    height: int
    width: int
    scale_x: float
    scale_y: float
    sigma_px: float
    people: SubjectMaps
    fixated: Pixels
    negatives: Pixels
    human: HumanTarget = field(repr=False)


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
    scores = {}
    for one in job.maps:
        rect = Rect(
            one.rect.x * frame.scale_x,
            one.rect.y * frame.scale_y,
            one.rect.width * frame.scale_x,
            one.rect.height * frame.scale_y,
        )
        values = to_image(one.values, rect, frame.height, frame.width)
        scores[one.source] = _score(values, frame, rules, one.source.kind == TRUTH)
    scores[Source(BASELINE, UNIFORM)] = _score(uniform(frame.height, frame.width), frame, rules)
    centre = job.others.centre_bias(job.key, frame.height, frame.width, frame.sigma_px)
    if centre is not None:
        scores[Source(BASELINE, CENTRE_BIAS)] = _score(centre, frame, rules)
    ceilings = image_ceilings(
        frame.people,
        frame.negatives,
        rules.preset,
        rules.metrics,
        rules.n_splits,
        (rules.seed << 32) | job.seed,
    )
    return ImageScores(scores, ceilings, len(frame.people))


def _frame(job: ImageJob, rules: Rules) -> _Frame:
    width, height = scoring_size(job.width, job.height, rules.max_side_px)
    scale_x, scale_y = width / job.width, height / job.height
    # Scaling may round the last representable position of the image up to its edge.
    x = np.minimum(job.x * scale_x, np.nextafter(width, 0))
    y = np.minimum(job.y * scale_y, np.nextafter(height, 0))
    sigma_px = rules.sigma_px * np.sqrt(scale_x * scale_y)
    people = subject_maps(x, y, job.subject, height, width, sigma_px)
    return _Frame(
        height=height,
        width=width,
        scale_x=scale_x,
        scale_y=scale_y,
        sigma_px=sigma_px,
        people=people,
        fixated=pixels(x, y, height, width),
        negatives=job.others.pixels(job.key, height, width),
        human=HumanTarget(people.human()),
    )


def _score(values: FloatArray, frame: _Frame, rules: Rules, is_density: bool = False) -> dict[str, float]:
    """Return the metrics of one map; the true density meets human maps as they are: blurred."""
    if not is_density:
        return score_map(values, frame.fixated, frame.negatives, frame.human, rules.preset, rules.metrics)
    sharp = [metric for metric in rules.metrics if metric not in _AGAINST_MAPS]
    soft = [metric for metric in rules.metrics if metric in _AGAINST_MAPS]
    blurred = expected_human_map(values, frame.sigma_px)
    found = {
        **score_map(values, frame.fixated, frame.negatives, frame.human, rules.preset, sharp),
        **score_map(blurred, frame.fixated, frame.negatives, frame.human, rules.preset, soft),
    }
    return {metric: found[metric] for metric in rules.metrics}
