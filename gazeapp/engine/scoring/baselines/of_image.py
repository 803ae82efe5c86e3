"""The baselines of one image under one task, as maps to score beside those of models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gazeapp.engine.scoring.baselines.from_fixations import (
    CENTRE_BIAS,
    CENTRE_GAUSSIAN,
    OTHER_IMAGE,
    OTHER_TASK,
    RANDOM,
    SPECTRAL_RESIDUAL,
    UNIFORM,
    OtherImages,
    centre_gaussian,
    other_task,
    random_map,
    uniform,
)
from gazeapp.engine.scoring.sources import BASELINE, Source, SourceMap
from gazeapp.engine.types import FloatArray, Rect

CONVERTED = (CENTRE_GAUSSIAN, OTHER_IMAGE, OTHER_TASK, SPECTRAL_RESIDUAL, RANDOM)
"""Baselines that become densities as models' maps do; the others are densities."""


@dataclass(frozen=True)
class Elsewhere:
    """What the baselines of an image follow from, beside its size.

    Parameters
    ----------
    key
        The image's key in ``others`` and ``other_tasks``.
    others
        Fixations of the task's images.
    other_tasks
        The same of each other task.
    spectral
        The picture's spectral residual, over the whole image; None where the picture is not at hand.
    seed
        Seed of the random map, the same under every task.
    """

    key: int
    others: OtherImages
    other_tasks: Sequence[OtherImages] = ()
    spectral: FloatArray | None = None
    seed: int = 0


def baseline_maps(
    where: Elsewhere, height: int, width: int, sigma_px: float, centre: FloatArray | None
) -> Iterator[SourceMap]:
    """Yield the baselines of an image, those without a map left out.

    Parameters
    ----------
    where
        What they follow from.
    height, width
        Size that the image is scored at, px; a map is of this size or smaller, and covers all of it.
    sigma_px
        Standard deviation of the human maps' Gaussian, px of that size.
    centre
        The centre bias at that size, which more than the baselines needs; None where there is none.
    """
    whole = Rect.of_image(width, height)

    def made(name: str, values: FloatArray, shared: str = "") -> SourceMap:
        return SourceMap(Source(BASELINE, name), values, whole, f"{BASELINE} {shared}" if shared else "")

    yield made(UNIFORM, uniform(height, width), UNIFORM)
    yield made(CENTRE_GAUSSIAN, centre_gaussian(height, width), CENTRE_GAUSSIAN)
    yield made(RANDOM, random_map(height, width, sigma_px, where.seed), f"{RANDOM} {sigma_px!r}")
    if where.spectral is not None:
        yield made(SPECTRAL_RESIDUAL, where.spectral, SPECTRAL_RESIDUAL)
    found = {
        CENTRE_BIAS: centre,
        OTHER_IMAGE: where.others.other_image(where.key, height, width, sigma_px),
        OTHER_TASK: other_task(where.other_tasks, where.key, height, width, sigma_px),
    }
    for name, values in found.items():
        if values is not None:
            yield made(name, values)
