"""What a user has to know of missing or weak percentages, as problems of the score verb."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gazeapp.engine.reports.numbers import listed
from gazeapp.engine.scoring.aggregate import SourceSummary
from gazeapp.engine.scoring.baselines.from_fixations import SPECTRAL_RESIDUAL
from gazeapp.engine.scoring.ceilings.from_maps import MIN_SUBJECTS_FOR_HALVES
from gazeapp.engine.scoring.ceilings.gold import LOSO_EXTRAPOLATED, LOSO_MIXTURE, MIN_SUBJECTS_TO_EXTRAPOLATE
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.presets import Preset
from gazeapp.engine.scoring.sources import BASELINE, MODEL, Source
from gazeapp.engine.scoring.statistics.two_way import MIN_PEOPLE
from gazeapp.engine.types import DoubleArray, IntArray
from gazeapp.engine.workflows.base import Tally

Scores = Mapping[Source, Mapping[str, DoubleArray]]


def say_what_is_missing(
    tally: Tally,
    task: str,
    preset: Preset,
    n_people: IntArray,
    n_subjects: int,
    found: Sequence[SourceSummary],
    scores: Scores,
    n_untimed: int,
) -> None:
    """Store a sentence for each reason why numbers of a task are missing or rest on less.

    Parameters
    ----------
    tally
        Stores the sentences.
    task, preset
        The task, and the conventions of its metrics.
    n_people
        People of each image, shape (n_images,).
    n_subjects
        People of the task.
    found
        The summary.
    scores
        Source -> metric -> score of each image, shape (n_images,), NaN where there is none.
    n_untimed
        Fixations without a duration, where human maps are weighted by duration.
    """
    n = len(n_people)
    alone, few = int((n_people < 2).sum()), int((n_people < MIN_SUBJECTS_FOR_HALVES).sum())
    if alone:
        tally.problem(
            task,
            f"{alone} of {n} images were seen by one person only, so they have no human ceiling and are left out "
            "of the percentages.",
            "Import recordings of more people.",
        )
    metrics = {row.metric for row in found}
    cost = _cost_of_few(metrics, few == n)
    if few > alone and cost:
        tally.problem(
            task,
            f"{few} of {n} images were seen by fewer than {MIN_SUBJECTS_FOR_HALVES} people, too few to compare two "
            f"halves of them: {cost}",
            "Import recordings of more people.",
        )
    pairs = int((n_people < MIN_SUBJECTS_TO_EXTRAPOLATE).sum())
    cost = _cost_of_pairs(found, pairs == n)
    if pairs > alone and cost:
        tally.problem(
            task,
            f"{pairs} of {n} images were seen by fewer than {MIN_SUBJECTS_TO_EXTRAPOLATE} people, too few to tell "
            f"what unlimited people would reach: {cost}",
            "Import recordings of more people.",
        )
    if 1 < n_subjects < MIN_PEOPLE:
        tally.problem(
            task,
            f"Only {n_subjects} people looked, too few to tell how much people differ: the intervals are about "
            "the images alone.",
            "Import recordings of more people.",
        )
    near_chance = _near_chance(found)
    if near_chance:
        tally.problem(
            task,
            f"People do not agree clearly above chance in {', '.join(near_chance)}: the ceiling, or the lower end "
            "of its interval over images, is not above chance, so there is no percentage.",
            "Import recordings of more people or of more images.",
        )
    if n == 1:
        tally.problem(
            task,
            "Only one image has fixations, so there is no centre bias, no sAUC and no interval.",
            "Import recordings of more images.",
        )
    _say_of_maps(tally, task, preset, scores)
    if n_untimed:
        tally.problem(
            task,
            f"{n_untimed} fixations have no duration; in human maps they count as much as the average of the others "
            "on their image.",
            "Weigh all fixations the same, or import recordings that hold durations.",
        )
    if "auc" in metrics and preset.auc == "judd":
        tally.problem(
            task,
            "AUC-Judd of one person is not comparable with that of many, so the MIT preset has no ceiling for AUC.",
            "Use the preset tuebingen for percentages of AUC.",
        )
    elif "auc_judd" in metrics:
        tally.problem(
            task,
            "AUC-Judd of one person is not comparable with that of many, so it has no ceiling.",
            "Use AUC of the preset tuebingen for percentages.",
        )


def _say_of_maps(tally: Tally, task: str, preset: Preset, scores: Scores) -> None:
    """Say which maps are the same everywhere, and which sources lack what information gain needs."""
    maps = {source: values for source, values in scores.items() if source.kind == MODEL}
    for source, values in maps.items():
        known = np.any([np.isfinite(column) for column in values.values()], axis=0)
        flat = int((known & np.isnan(values["cc"])).sum()) if "cc" in values else 0
        if flat:
            chance = (
                "they score chance on NSS and the AUCs" if preset.constant == "chance" else "they have no NSS"
            )
            tally.problem(
                task,
                f"{flat} maps of {source.id} have the same value everywhere: {chance}, and have no correlation.",
                "Check how these maps were made.",
            )
    lost = [source.id for source, values in maps.items() if "ig" in values and np.isnan(values["ig"]).all()]
    if lost and preset.information == "fitted":
        tally.problem(
            task,
            f"There is no information gain of {listed(lost)}: how a map becomes a density is learnt on other images, "
            "and there are fewer than 2 with a map and fixations.",
            "Add maps of more images.",
        )
    pictures = scores.get(Source(BASELINE, SPECTRAL_RESIDUAL), {})
    n_images = max((len(column) for values in scores.values() for column in values.values()), default=0)
    seen = np.any([np.isfinite(column) for column in pictures.values()], axis=0) if pictures else False
    without = n_images - int(np.sum(seen))
    if without:
        tally.problem(
            task,
            f"{without} of {n_images} images cannot be read from their files, so they have no baseline of spectral "
            "residual.",
            "Put the files back where they were, or anywhere below the project's folder.",
        )


def _cost_of_few(metrics: set[str], on_all: bool) -> str:
    """Return what it costs that two halves of the people of some images, or of all, cannot be compared."""
    names = [METRICS[metric].name for metric in ("cc", "spearman") if metric in metrics]
    if not names:
        return ""
    if on_all:
        return f"{listed(names)} {'has' if len(names) == 1 else 'have'} no percentage."
    return f"they are left out of the percentages of {listed(names)}."


def _cost_of_pairs(found: Sequence[SourceSummary], on_all: bool) -> str:
    """Return what it costs that nothing can be extrapolated from the people of some images, or of all."""
    held = {row.metric for row in found if row.estimator in (LOSO_EXTRAPOLATED, LOSO_MIXTURE)}
    names = [facts.name for metric, facts in METRICS.items() if metric in held and facts.chance is not None]
    if not names:
        return ""
    if on_all:
        return f"{listed(names)} {'is' if len(names) == 1 else 'are'} held against a lower bound."
    return f"they are left out of the percentages of {listed(names)}."


def _near_chance(found: Sequence[SourceSummary]) -> list[str]:
    """Return the names of the metrics whose ceiling is not clearly above chance."""
    lost = {
        row.metric
        for row in found
        if row.estimator and row.chance is not None and row.share.n_images and math.isnan(row.share.percent)
    }
    return [facts.name for metric, facts in METRICS.items() if metric in lost]
