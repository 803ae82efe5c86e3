"""Does the task change models, and some more than others? Differences of differences within images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gazeapp.engine.scoring.analyses.factorial import PERCENT, Crossed, Design
from gazeapp.engine.scoring.findings import FACTORIAL, MODEL_TASK, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flips
from gazeapp.engine.scoring.statistics.scored import Scored, weighted
from gazeapp.engine.scoring.statistics.two_way import Interval, Statistic, TwoWay, side_by_side
from gazeapp.engine.types import DoubleArray


@dataclass(frozen=True)
class _Contrast:
    """A weighted sum of models that is compared between two tasks.

    Parameters
    ----------
    term
        Its name.
    models
        The models, scored under both tasks.
    weights
        Theirs, shape (n_models,).
    against
        What is compared besides the tasks; may be empty.
    """

    term: str
    models: Sequence[str]
    weights: DoubleArray
    against: str = ""


def model_by_task(
    tasks: Mapping[str, Scored],
    metric: str = "",
    unit: str = "",
    n_resamples: int = 10_000,
    seed: int = 0,
) -> list[Finding]:
    """Return how the task changes each model, and each pair of models differently.

    For two tasks A and B, within each image that both have: score under A minus score under B of each
    model, and the difference of two models' such differences (their interaction with the task). If the task
    makes no difference, its labels could be swapped on any image: the sign of the image's number flips.

    Parameters
    ----------
    tasks
        Task -> scores of the same images (NaN where a task lacks one), with the same numbers for the same
        people.
    metric, unit
        What the scores are of.
    n_resamples, seed
        Resamples of the intervals and most sign flips of the tests, and their seed.

    Returns
    -------
    list
        For each pair of tasks: each model (``term``), then each pair of them (``term`` is
        ``first - second``), ``against`` is ``A - B``. Tests are corrected by the method of Holm, those of
        models and those of pairs each over all tasks. Where both tasks have a ceiling clearly above chance
        the same again in percent, each task of its own ceiling, without tests.
    """
    alone, pairs = [], []
    for first, second in combinations(tasks, 2):
        models = _of_both_tasks(tasks[first], tasks[second])
        between = _Between(
            tasks, first, second, Finding(MODEL_TASK, "", metric, "", unit=unit), n_resamples, seed
        )
        alone += [between.compare(_Contrast(model, [model], np.ones(1))) for model in models]
        pairs += [
            between.compare(_Contrast(f"{one} - {two}", [one, two], np.array([1.0, -1.0])))
            for one, two in combinations(models, 2)
        ]
    return [*_corrected(alone, n_resamples, seed), *_corrected(pairs, n_resamples, seed)]


def factorial_by_task(
    tasks: Mapping[str, Scored],
    design: Design,
    metric: str = "",
    unit: str = "",
    n_resamples: int = 10_000,
    seed: int = 0,
) -> list[Finding]:
    """Return how the task changes the effects of encoder and decoder.

    The effects of :func:`gazeapp.engine.scoring.analyses.factorial.factorial` under one task minus those under
    another, within each image that every model has a score of under both. Parameters and tests are as in
    :func:`model_by_task`, Holm's correction over all effects and tasks; ``term`` is the effect's with
    ``:task`` behind it, ``against`` its levels and the tasks.
    """
    found = []
    for first, second in combinations(tasks, 2):
        models = _of_both_tasks(tasks[first], tasks[second])
        crossed = Crossed(models, design)
        between = _Between(
            tasks, first, second, Finding(FACTORIAL, "", metric, "", unit=unit), n_resamples, seed
        )
        found += [
            between.compare(
                _Contrast(f"{one.term}:task", crossed.models, crossed.weights(one.weights), one.against)
            )
            for one in crossed.effects()
        ]
    return _corrected(found, n_resamples, seed)


@dataclass(frozen=True)
class _Compared:
    """A contrast between two tasks: in the metric's unit, in percent where it can be, and image by image."""

    finding: Finding
    percent: Finding | None
    column: DoubleArray


@dataclass(frozen=True)
class _Between:
    """Two tasks, ready to be compared."""

    tasks: Mapping[str, Scored]
    first: str
    second: str
    about: Finding
    n_resamples: int
    seed: int

    def compare(self, contrast: _Contrast) -> _Compared:
        """Return a contrast under the first task minus the same under the second."""
        weights = contrast.weights
        n = len(weights)
        table, study = self._joined(contrast, in_percent=False)
        both = np.concatenate([weights, -weights])
        finding = self._finding(contrast, study.interval(weighted(both)))
        column = np.where(study.complete, table @ both, np.nan)
        finding = replace(finding, effect=effect_size(column).value)
        first, second = self.tasks[self.first], self.tasks[self.second]
        if first.held is None or second.held is None:
            return _Compared(finding, None, column)
        _, study = self._joined(contrast, in_percent=True)
        split = n + first.held.parts.shape[1]
        marks = _of_both(first.above(n), second.above(n), split)
        if not all(study.is_above(mark, 0.0) for mark in marks):
            return _Compared(finding, None, column)
        one, two = _of_both(first.percent(weights), second.percent(weights), split)
        percent = self._finding(contrast, study.interval(lambda means: one(means) - two(means)))
        return _Compared(finding, replace(percent, unit=PERCENT), column)

    def _joined(self, contrast: _Contrast, in_percent: bool) -> tuple[DoubleArray, TwoWay]:
        columns = [
            self.tasks[task].columns(contrast.models, in_percent) for task in (self.first, self.second)
        ]
        table, left_out = side_by_side([one[0] for one in columns], [one[1] for one in columns])
        return table, TwoWay(table, left_out, self.n_resamples, self.seed)

    def _finding(self, contrast: _Contrast, interval: Interval) -> Finding:
        tasks = f"{self.first} - {self.second}"
        against = f"{contrast.against} : {tasks}" if contrast.against else tasks
        return replace(self.about, term=contrast.term, against=against).filled(interval)


def _of_both_tasks(first: Scored, second: Scored) -> list[str]:
    return [model for model in first.sources if model in second.sources]


def _of_both(first: Statistic, second: Statistic, split: int) -> tuple[Statistic, Statistic]:
    """Return statistics of two tasks' columns from the means of both, the second's from ``split`` on."""
    return lambda means: first(means[..., :split]), lambda means: second(means[..., split:])


def _corrected(found: Sequence[_Compared], n_resamples: int, seed: int) -> list[Finding]:
    """Return the findings with tests, corrected over all of them, then those in percent."""
    if not found:
        return []
    tested = sign_flips(np.column_stack([one.column for one in found]), n_resamples, seed)
    return [
        *(
            replace(one.finding, p=p, p_holm=corrected)
            for one, p, corrected in zip(found, tested, holm(tested), strict=True)
        ),
        *(one.percent for one in found if one.percent is not None),
    ]
