"""How much maps change with the task, and whose do where people's do: over the images of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from gazeapp.engine.maps.cross_task import CrossTaskRecord
from gazeapp.engine.maps.differentiation import (
    DifferentiationRecord,
    PeopleChange,
    TaskPair,
    corrected_change,
)
from gazeapp.engine.maps.measures import MEASURES
from gazeapp.engine.maps.task_labels import N_PERMUTATIONS, label_permutation
from gazeapp.engine.scoring.analyses.maps import (
    PEOPLE,
    Resampling,
    left_out,
    left_out_rows,
    mean_of,
    tested,
    within_families,
)
from gazeapp.engine.scoring.findings import CROSS_TASK, DIFFERENTIATION, NAN, Finding
from gazeapp.engine.scoring.statistics.rank_correlation import rank_correlation
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows, TwoWay
from gazeapp.engine.types import DoubleArray

SPECIFICITY = "specificity"
_N_RANK_RESAMPLES = 2000


def differentiation_findings(
    records: Sequence[DifferentiationRecord],
    tasks: Sequence[str],
    kinds: Mapping[str, str] | None = None,
    resampling: Resampling | None = None,
) -> list[Finding]:
    """Return how much the maps of people and of every source change between each two tasks.

    ``task`` is the first of the two, ``against`` the second. Rows of people: ``task_d``, with the p of permuted
    task labels (one-sided), ``task_d_corrected``, ``task_d_excess``, ``task_jsd`` and ``task_jsd_root``, and
    ``d_with_people_ceiling``. Rows of sources: ``task_d``, ``task_jsd``, ``task_jsd_root``, and ``d_with_people``
    and ``d_raw_with_people``, the rank correlations over images of their ``task_d`` with people's
    ``task_d_excess`` and ``task_d``, with a permutation p and Holm's correction over the sources.

    Parameters
    ----------
    records
        One for each image.
    tasks
        The tasks, in the order in which the records were made.
    kinds
        Source -> its kind; ``model`` when not given.
    resampling
        How intervals and tests are made.
    """
    how, kinds = resampling or Resampling(), kinds or {}
    found = []
    sources = list(dict.fromkeys(source for record in records for source in record.sources))
    for pair in combinations(tasks, 2):
        looked = [record.people.get(pair) for record in records]
        found += _people_rows(looked, pair, how)
        people = {
            "d_with_people": [NAN if one is None else one.excess for one in looked],
            "d_raw_with_people": [NAN if one is None else 1.0 - one.parts[0] for one in looked],
        }
        for source in sources:
            changes = [record.sources.get(source, {}).get(pair) for record in records]
            if all(one is None for one in changes):
                continue
            table = np.array([(NAN, NAN) if one is None else (1.0 - one.cc, one.jsd) for one in changes])
            kind = kinds.get(source, "model")
            found += _change_rows(table, pair, source, kind, None, how)
            found += _related(people, table[:, 0], pair, source, kind, how)
    return within_families(found)


def cross_task_findings(
    records: Sequence[CrossTaskRecord],
    metric: str = "nss",
    kinds: Mapping[str, str] | None = None,
    resampling: Resampling | None = None,
) -> list[Finding]:
    """Return what the map of each task scores on the fixations of each task, and the advantage of its own.

    Rows of the matrix: ``task`` is that of the fixations, ``against`` that of the map, over the images on which
    the source has all four cells of a pair of tasks (of more than two tasks: of any pair). Rows of
    ``specificity``: ``task`` and ``against`` are the two tasks; ((AA - AB) + (BB - BA)) / 2 of each image, with a
    sign-flip test over images and Holm's correction over the sources.

    Parameters
    ----------
    records
        One for each image, of the same tasks.
    metric
        Id of the metric of the scores.
    kinds
        Source -> its kind; ``model`` when not given, ``human`` for people.
    resampling
        How intervals and tests are made.
    """
    how, kinds = resampling or Resampling(), {PEOPLE: "human"} | dict(kinds or {})
    found = []
    tasks = records[0].tasks if records else ()
    for source in dict.fromkeys(source for record in records for source in record.scores):
        kind = kinds.get(source, "model")
        for a, b in combinations(range(len(tasks)), 2):
            cells = np.array([_cells(record, source, a, b) for record in records])
            names = [record.subjects for record in records]
            rows = left_out_rows(names, [_cells_without(record, source, a, b) for record in records])
            study = TwoWay(cells, rows, how.n_resamples, how.seed)
            if not study.n_images:
                continue
            base = Finding(CROSS_TASK, tasks[a], metric, source, tasks[b], kind=kind)
            places = ((a, a), (a, b), (b, a), (b, b))
            for k, (of_map, of_fixations) in enumerate(places):
                one = replace(base, task=tasks[of_fixations], against=tasks[of_map])
                found.append(one.filled(study.interval(mean_of(k))))
            advantage = replace(base, metric=SPECIFICITY).filled(study.interval(_advantage))
            found += tested([advantage], _advantage(cells)[:, None], how)
    return within_families(found)


def _people_rows(looked: Sequence[PeopleChange | None], pair: TaskPair, how: Resampling) -> list[Finding]:
    """Return the rows of people under two tasks, of the images on which somebody looked under both."""
    known = [one for one in looked if one is not None]
    if not known:
        return []
    names = [one.maps.people() for one in known]
    parts = np.array([one.parts for one in known])
    rows = left_out_rows(names, [one.without for one in known])
    base = Finding(DIFFERENTIATION, pair[0], "", PEOPLE, pair[1], kind="human")
    p = label_permutation([one.maps for one in known], min(how.n_resamples, N_PERMUTATIONS), how.seed)[0]
    plain = np.column_stack([1.0 - parts[:, 0], [one.jsd for one in known]])
    changes = _change_rows(plain, pair, PEOPLE, "human", replace(rows, table=1.0 - rows.table[:, :1]), how)
    found = [
        replace(one, p=p, note=f"{_design(known)} {one.note}".strip()) if one.metric == "task_d" else one
        for one in changes
    ]
    study = TwoWay(parts, rows, how.n_resamples, how.seed)
    few = len(known) - study.n_images
    note = ""
    if few:
        images = "image has" if few == 1 else "images have"
        note = f"{few} {images} fewer than 4 people under one of the tasks and {left_out(few)}."
    for metric, statistic in (("task_d_corrected", corrected_change), ("task_d_excess", mean_of(2))):
        one = replace(base, metric=metric, note=note)
        if study.n_images:
            found.append(one.filled(study.interval(statistic)))
    return found + _ceiling_row(known, base, how)


def _change_rows(
    table: DoubleArray,
    pair: TaskPair,
    source: str,
    kind: str,
    without: LeftOutRows | None,
    how: Resampling,
) -> list[Finding]:
    """Return the rows of ``task_d``, ``task_jsd`` and its root from a table of the first two, shape (n, 2)."""
    root = np.sqrt(table[:, 1])
    studies = {
        ("task_d",): TwoWay(table[:, :1], without, how.n_resamples, how.seed),
        ("task_jsd", "task_jsd_root"): TwoWay(
            np.column_stack([table[:, 1], root]), None, how.n_resamples, how.seed
        ),
    }
    found = []
    for metrics, study in studies.items():
        for place, metric in enumerate(metrics):
            if study.n_images:
                one = Finding(DIFFERENTIATION, pair[0], metric, source, pair[1], kind=kind)
                one = replace(one, unit=MEASURES[metric].unit)
                found.append(one.filled(study.interval(mean_of(place))))
    return found


def _related(
    people: Mapping[str, Sequence[float]],
    changes: DoubleArray,
    pair: TaskPair,
    source: str,
    kind: str,
    how: Resampling,
) -> list[Finding]:
    """Return the rank correlations over images of a source's changes with people's."""
    found = []
    for metric, own in people.items():
        n_resamples = min(how.n_resamples, _N_RANK_RESAMPLES)
        one = rank_correlation(np.array(own), changes, n_resamples, how.seed)
        if np.isfinite(one.rho):
            found.append(
                Finding(
                    analysis=DIFFERENTIATION,
                    task=pair[0],
                    metric=metric,
                    term=source,
                    against=pair[1],
                    kind=kind,
                    estimate=one.rho,
                    low=one.low,
                    high=one.high,
                    p=one.p,
                    n_images=one.n_images,
                    note="Interval and test are over images alone.",
                )
            )
    return found


def _ceiling_row(known: Sequence[PeopleChange], base: Finding, how: Resampling) -> list[Finding]:
    """Return how well a perfect model's changes could correlate with people's, from halves of the people."""
    halves = [one.halves for one in known if len(one.halves)]
    if len(halves) < 3:
        return []
    number = min(len(own) for own in halves)
    each = np.stack([own[:number] for own in halves])
    found = [rank_correlation(each[:, k, 0], each[:, k, 1], 1, how.seed).rho for k in range(number)]
    r = float(np.nanmean(found)) if np.isfinite(found).any() else NAN
    ceiling = float(np.sqrt(2 * r / (1 + r))) if r > 0 else NAN
    note = "" if r > 0 else "Halves of the people do not agree on which images change most."
    row = replace(base, metric="d_with_people_ceiling", estimate=ceiling, n_images=len(halves), note=note)
    return [row]


def _design(known: Sequence[PeopleChange]) -> str:
    """Return who did which task, in one sentence."""
    both = {name for one in known for name in one.maps.names if one.maps.names.count(name) == 2}
    everybody = {name for one in known for name in one.maps.names}
    test = "p is one-sided, from permuted task labels"
    if not both:
        return f"No person did both tasks on an image; {test} of people."
    return (
        f"{len(both)} of {len(everybody)} people did both tasks on an image; their two maps are swapped, and do not "
        f"enter the corrected change as a pair; {test}."
    )


def _cells(record: CrossTaskRecord, source: str, a: int, b: int) -> DoubleArray:
    """Return AA, AB, BA, BB: map of the first letter, fixations of the second; NaN where there are none."""
    if source not in record.scores:
        return np.full(4, NAN)
    return record.matrix(source)[np.ix_([a, b], [a, b])].ravel()


def _cells_without(record: CrossTaskRecord, source: str, a: int, b: int) -> DoubleArray:
    """Return the same without the fixations of each person in turn, shape (n_subjects, 4)."""
    n = len(record.subjects)
    if source not in record.scores or not n:
        return np.full((n, 4), NAN)
    scores = record.scores[source][np.ix_([a, b], [a, b])].reshape(4, n)
    weights = np.where(np.isfinite(scores), record.n_fixations[[a, b, a, b]], 0.0)
    others = weights[:, None, :] * (1.0 - np.eye(n))
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (others * np.where(np.isfinite(scores), scores, 0.0)[:, None, :]).sum(axis=-1) / others.sum(
            axis=-1
        )
    without: DoubleArray = means.T
    return without


def _advantage(cells: DoubleArray) -> DoubleArray:
    """Return ((AA - AB) + (BB - BA)) / 2 from AA, AB, BA, BB in the last axis."""
    advantage: DoubleArray = (cells[..., 0] - cells[..., 1] + cells[..., 3] - cells[..., 2]) / 2
    return advantage
