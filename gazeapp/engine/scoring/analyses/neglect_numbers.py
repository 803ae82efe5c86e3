"""From values of each image to findings about lesions: means, intervals, tests and shares of the ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.scoring.analyses.factorial import PERCENT
from gazeapp.engine.scoring.analyses.maps import Resampling, mean_of
from gazeapp.engine.scoring.analyses.neglect_controls import relabelling_p
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flips
from gazeapp.engine.scoring.statistics.scored import HeldAgainst
from gazeapp.engine.scoring.statistics.two_way import MIN_IMAGES, Statistic, TwoWay
from gazeapp.engine.types import BoolArray, DoubleArray

_CHUNK_COLUMNS = 32
"""Numbers at a time: their resamples and sums over sign patterns stay near the processor."""


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """One value of each image, whose mean over images is to become a finding.

    Parameters
    ----------
    about
        The finding, still without its number.
    values
        Shape (n_images,), NaN where one of the values that go in is missing.
    family
        Tests of the same family are corrected for their number together; empty for no test. Values of too few
        images for an interval are not tested either, and not counted.
    relabelled
        The values if lesion and controls had been called otherwise, as of
        :class:`gazeapp.engine.scoring.analyses.neglect_controls.Net`; None where the test flips signs.
    """

    about: Finding
    values: DoubleArray
    family: str = ""
    relabelled: DoubleArray | None = None


def measured(
    contrasts: Sequence[Contrast], known: BoolArray, held: HeldAgainst | None, how: Resampling
) -> list[Finding]:
    """Return the mean of each contrast with its interval and test, and in percent of the ceiling.

    Parameters
    ----------
    contrasts
        What is to be told; those without any value are left out.
    known
        Images that have the outcome under any condition, shape (n_images,); a note counts those of them that
        a contrast does without.
    held
        Ceiling of the score that the outcome is a drop of, of the same images; None: no percentages.
    how
        How intervals and tests are made.

    Returns
    -------
    list
        The contrasts in their order; then, where the ceiling is clearly above chance, again in percent of it,
        100 mean / (ceiling - chance), over the images with all parts of the ceiling and without tests.
    """
    contrasts = [one for one in contrasts if np.isfinite(one.values).any()]
    found = _tested(_means(contrasts, known, how), contrasts, how)
    return found if held is None else [*found, *_percents(contrasts, known, held, how)]


def _means(contrasts: Sequence[Contrast], known: BoolArray, how: Resampling) -> list[Finding]:
    found: dict[int, Finding] = {}
    for places in _alike(contrasts):
        columns = np.column_stack([contrasts[k].values for k in places])
        study = TwoWay(columns, None, how.n_resamples, how.seed)
        note = _left_out(known, study)
        for column, k in enumerate(places):
            about = contrasts[k].about
            about = replace(about, note=f"{about.note} {note}".strip())
            found[k] = about.filled(study.interval(mean_of(column)))
    return [found[k] for k in range(len(contrasts))]


def _percents(
    contrasts: Sequence[Contrast], known: BoolArray, held: HeldAgainst, how: Resampling
) -> list[Finding]:
    found: dict[int, Finding] = {}
    for places in _alike(contrasts):
        columns = np.column_stack([*(contrasts[k].values for k in places), held.parts])
        study = TwoWay(columns, None, how.n_resamples, how.seed)
        above = _above(held, len(places))
        if not study.n_images or not study.is_above(above, 0.0):
            continue
        note = _left_out(known, study)
        for column, k in enumerate(places):
            about = contrasts[k].about
            about = replace(about, unit=PERCENT, note=f"{about.note} {note}".strip())
            found[k] = about.filled(study.interval(_percent(column, above)))
    return [found[k] for k in sorted(found)]


def _above(held: HeldAgainst, n_columns: int) -> Statistic:
    return lambda means: held.ceiling(means[..., n_columns:]) - held.chance


def _percent(column: int, above: Statistic) -> Statistic:
    def percent(means: DoubleArray) -> DoubleArray:
        room = above(means)
        value: DoubleArray = 100.0 * means[..., column] / np.where(room > 0, room, np.nan)
        return value

    return percent


def _alike(contrasts: Sequence[Contrast]) -> Iterator[list[int]]:
    """Yield places of contrasts that have values on the same images, some at a time."""
    by_images: dict[bytes, list[int]] = {}
    for k, one in enumerate(contrasts):
        by_images.setdefault(np.isfinite(one.values).tobytes(), []).append(k)
    # By number of images: the resamples of a number of images are drawn once and then kept for a while.
    for places in sorted(by_images.values(), key=lambda own: np.isfinite(contrasts[own[0]].values).sum()):
        for start in range(0, len(places), _CHUNK_COLUMNS):
            yield places[start : start + _CHUNK_COLUMNS]


def _left_out(known: BoolArray, study: TwoWay) -> str:
    n_known = int(known.sum())
    lost = n_known - study.n_images
    return f"Left out: {lost} of {n_known} images, which lack a value that is needed." if lost else ""


def _tested(found: Sequence[Finding], contrasts: Sequence[Contrast], how: Resampling) -> list[Finding]:
    """Return findings with their p, corrected within families, and the effect size d_z."""
    families: dict[str, list[int]] = {}
    for k, one in enumerate(contrasts):
        if one.family:
            families.setdefault(one.family, []).append(k)
    tested = list(found)
    own = _p(contrasts, how)
    for places in families.values():
        for k, corrected in zip(places, holm([own.get(k, np.nan) for k in places]), strict=True):
            effect = effect_size(contrasts[k].values).value
            if k in own:
                tested[k] = replace(found[k], p=own[k], p_holm=corrected, effect=effect)
            else:
                tested[k] = replace(found[k], effect=effect, note=f"{found[k].note} Nor is there a test.")
    return tested


def _p(contrasts: Sequence[Contrast], how: Resampling) -> dict[int, float]:
    """Return place -> p of the contrasts that are tested, by relabelling or by sign flips."""
    p: dict[int, float] = {}
    flipped = []
    for k, one in enumerate(contrasts):
        if not one.family or np.isfinite(one.values).sum() < MIN_IMAGES:
            continue
        if one.relabelled is not None:
            p[k] = relabelling_p(one.values, one.relabelled, how.n_resamples, how.seed)
        else:
            flipped.append(k)
    for start in range(0, len(flipped), _CHUNK_COLUMNS):
        places = flipped[start : start + _CHUNK_COLUMNS]
        columns = np.column_stack([contrasts[k].values for k in places])
        p.update(zip(places, sign_flips(columns, how.n_resamples, how.seed), strict=True))
    return p
