"""What a user has to know of missing or weak percentages, as problems of the score verb."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gazeapp.engine.reports.numbers import listed
from gazeapp.engine.scoring.aggregate import SourceSummary
from gazeapp.engine.scoring.baselines.from_fixations import RANDOM, SPECTRAL_RESIDUAL, UNIFORM
from gazeapp.engine.scoring.ceilings.from_maps import MIN_SUBJECTS_FOR_HALVES
from gazeapp.engine.scoring.ceilings.gold import LOSO_EXTRAPOLATED, LOSO_MIXTURE, MIN_SUBJECTS_TO_EXTRAPOLATE
from gazeapp.engine.scoring.densities.of_image import INFORMATION
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.presets import Preset
from gazeapp.engine.scoring.sources import BASELINE, MODEL, TRUTH, Source
from gazeapp.engine.scoring.statistics.two_way import MIN_IMAGES, MIN_PEOPLE
from gazeapp.engine.types import DoubleArray, IntArray
from gazeapp.engine.workflows.base import Tally

Scores = Mapping[Source, Mapping[str, DoubleArray]]
_OF_MIXTURE = (LOSO_EXTRAPOLATED, LOSO_MIXTURE)
_LONG_NAMES = {"ig": "information gain", "ll": "log-likelihood"}
# Sums over the pixels of two maps in single precision, such as SIM and KL, differ by as much.
_ROUNDING = 1e-6


def say_what_is_missing(
    tally: Tally,
    task: str,
    preset: Preset,
    n_people: IntArray,
    n_subjects: int,
    n_unseen: int,
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
    n_unseen
        Images that belong to the task and have no fixations under it.
    found
        The summary.
    scores
        Source -> metric -> score of each image, shape (n_images,), NaN where there is none.
    n_untimed
        Fixations without a duration, where human maps are weighted by duration.
    """
    n = len(n_people)
    metrics = {row.metric for row in found}
    _say_of_images(tally, task, n_people, n_unseen, found)
    _say_of_people(tally, task, n_people, n_subjects, found)
    near_chance = _near_chance(found)
    if near_chance:
        tally.problem(
            task,
            f"People do not agree clearly above chance in {', '.join(near_chance)}: the ceiling, or the lower end "
            "of its interval over images, is not above chance, so there is no percentage.",
            "Import recordings of more people or of more images.",
        )
    _say_of_maps(tally, task, preset, scores)
    _say_of_pictures(tally, task, n, scores)
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


def say_without_gaze(tally: Tally, task: str, n_images: int) -> None:
    """Say that the maps of a task are not scored because nobody's gaze belongs to it.

    Parameters
    ----------
    tally
        Stores the sentence.
    task
        A task without fixations.
    n_images
        Images with maps under it, at least 1.
    """
    whose = "the map of its one image is" if n_images == 1 else f"the maps of its {n_images} images are"
    tally.problem(
        task,
        f"No gaze was imported under the task {task}, so {whose} not scored.",
        f"If people's looking under another task counts for this one as well, import the recordings under {task}, too.",
    )


def _say_of_images(
    tally: Tally, task: str, n_people: IntArray, n_unseen: int, found: Sequence[SourceSummary]
) -> None:
    """Say how many images are not scored, and what it costs that there are few."""
    n = len(n_people)
    if n_unseen:
        is_not = (
            "has no fixations and is not scored" if n_unseen == 1 else "have no fixations and are not scored"
        )
        tally.problem(
            task,
            f"{n_unseen} of {n + n_unseen} images {is_not}.",
            "Import recordings of these images, or look under Quality for why their fixations are not used.",
        )
    own = ""
    if (n_people > 1).sum() == 1 and any(row.estimator in _OF_MIXTURE for row in found):
        own = (
            "what the human ceiling is computed with (bandwidth and weights) is chosen on that image itself."
        )
    if n == 1:
        tally.problem(
            task,
            "Only one image has fixations, so there is no centre bias, no sAUC and no interval"
            f"{', and ' + own if own else '.'}",
            "Import recordings of more images.",
        )
    elif own:
        tally.problem(
            task,
            f"Only one of {n} images was seen by more than one person, so {own}",
            "Import recordings of more people.",
        )
    if 1 < n < MIN_IMAGES:
        tally.problem(
            task,
            f"Only {n} images have fixations; there are no intervals over fewer than {MIN_IMAGES}.",
            "Import recordings of more images.",
        )


def _say_of_people(
    tally: Tally, task: str, n_people: IntArray, n_subjects: int, found: Sequence[SourceSummary]
) -> None:
    """Say what it costs that few people looked."""
    n = len(n_people)
    metrics = {row.metric for row in found}
    alone, few = int((n_people < 2).sum()), int((n_people < MIN_SUBJECTS_FOR_HALVES).sum())
    if alone:
        tally.problem(
            task,
            f"{alone} of {n} images were seen by one person only, so they have no human ceiling and are left out "
            "of the percentages and references.",
            "Import recordings of more people.",
        )
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


def _say_of_maps(tally: Tally, task: str, preset: Preset, scores: Scores) -> None:
    """Say which maps are the same everywhere, and which sources lack what information needs."""
    uniform = scores.get(Source(BASELINE, UNIFORM), {})
    for source, values in scores.items():
        flat = _n_constant(source, values, uniform) if source.kind in (MODEL, TRUTH) else 0
        if flat:
            chance = "score chance on NSS and the AUCs" if preset.constant == "chance" else "have no NSS"
            tally.problem(
                task,
                f"{flat} maps of {source.id} have the same value everywhere: they {chance}, and have no correlation."
                if flat > 1
                else f"One map of {source.id} has the same value everywhere: such maps {chance}, and have no "
                "correlation.",
                "Check how these maps were made.",
            )
    asked = [metric for metric in INFORMATION if metric in uniform]
    lost = [
        source.id
        for source, values in scores.items()
        if source.kind == MODEL and asked and all(np.isnan(values[metric]).all() for metric in asked)
    ]
    if lost and preset.information == "fitted":
        tally.problem(
            task,
            f"There is no {' and no '.join(_LONG_NAMES[metric] for metric in asked)} of "
            f"{listed(list(dict.fromkeys(lost)))}: how a map becomes a density is learnt on other images, and there "
            "are fewer than 2 with a map and fixations.",
            "Add maps of more images.",
        )


def _n_constant(source: Source, values: Mapping[str, DoubleArray], uniform: Mapping[str, DoubleArray]) -> int:
    """Return how many maps of a source have the same value everywhere.

    Such a map scores what the uniform one scores by every metric that sees maps as they are, or has no value where
    that has none. Information gain and log-likelihood see a model's map as a density, which a constant map is not;
    of a true density, metrics on maps see the blurred one.
    """
    if source.kind == TRUTH:
        used = [metric for metric in values if METRICS[metric].against == "fixations"]
    else:
        used = [metric for metric in values if metric not in INFORMATION]
    if not used or not uniform:
        return 0
    known = np.any([np.isfinite(column) for column in values.values()], axis=0)
    alike = [
        np.isclose(values[metric], uniform[metric], rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True)
        for metric in used
    ]
    return int((known & np.all(alike, axis=0)).sum())


def _say_of_pictures(tally: Tally, task: str, n: int, scores: Scores) -> None:
    """Say how many images have no baseline from their picture."""
    # The random map is there on every image, and lacks values for the same reasons but the file.
    known = [
        np.any([np.isfinite(column) for column in scores[source].values()], axis=0)
        if source in scores
        else False
        for source in (Source(BASELINE, RANDOM), Source(BASELINE, SPECTRAL_RESIDUAL))
    ]
    without = int((np.asarray(known[0]) & ~np.asarray(known[1])).sum())
    if without:
        tally.problem(
            task,
            f"{without} of {n} images cannot be read from their files, so they have no baseline of spectral "
            "residual.",
            "Put the files back where they were, or anywhere below the project's folder.",
        )


def _cost_of_few(metrics: set[str], on_all: bool) -> str:
    """Return what it costs that two halves of the people of some images, or of all, cannot be compared."""
    held = [METRICS[metric].name for metric in ("cc", "spearman") if metric in metrics]
    beside = [METRICS[metric].name for metric in ("sim", "kl", "emd") if metric in metrics]
    if on_all:
        costs = [f"{listed(held)} {_has(held)} no percentage"] if held else []
        costs += [f"{listed(beside)} {_has(beside)} no reference"] if beside else []
        return f"{', and '.join(costs)}." if costs else ""
    costs = [f"the percentages of {listed(held)}"] if held else []
    costs += [f"the reference of {listed(beside)}"] if beside else []
    return f"they are left out of {' and of '.join(costs)}." if costs else ""


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _cost_of_pairs(found: Sequence[SourceSummary], on_all: bool) -> str:
    """Return what it costs that nothing can be extrapolated from the people of some images, or of all."""
    held = {row.metric for row in found if row.estimator in _OF_MIXTURE}
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
