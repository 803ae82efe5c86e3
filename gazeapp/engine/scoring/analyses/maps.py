"""Concentration and laterality over a study: means over images with intervals, tests against people and the middle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.maps.concentration import ConcentrationRecord
from gazeapp.engine.maps.laterality import LateralityRecord
from gazeapp.engine.maps.measures import CONCENTRATION_IDS, LATERALITY_IDS, MEASURES
from gazeapp.engine.scoring.findings import CONCENTRATION, LATERALITY, NAN, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flips
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows, Statistic, TwoWay
from gazeapp.engine.types import DoubleArray

PEOPLE = "people"
MATCHED = "_matched"
"""Ending of the id of a measure that is of maps of as many fixations as people made."""
_NO_MIRROR = (
    "Without maps of the mirrored images a habit of looking at one side cannot be told from the pictures."
)


@dataclass(frozen=True)
class Resampling:
    """How intervals and tests are made.

    Parameters
    ----------
    n_resamples
        Resamples of the bootstrap, and most sign flips of the tests.
    seed
        Seed of both.
    """

    n_resamples: int = 10_000
    seed: int = 0


def concentration_findings(
    records: Sequence[ConcentrationRecord],
    task: str,
    kinds: Mapping[str, str] | None = None,
    resampling: Resampling | None = None,
) -> list[Finding]:
    """Return how concentrated maps are under one task, and whether models' are as people's.

    Three kinds of rows: people and every source as they are (metric such as ``entropy``); every source at
    matched numbers of fixations (``entropy_matched``); and the difference of the latter from people, image by
    image (``entropy_matched`` against ``people``), with a sign-flip test and Holm's correction over the sources.

    Parameters
    ----------
    records
        One for each image.
    task
        The task.
    kinds
        Source -> its kind; ``model`` when not given.
    resampling
        How intervals and tests are made.
    """
    if not records:
        return []
    how, kinds = resampling or Resampling(), kinds or {}
    names = [record.subjects for record in records]
    people = np.array([record.people for record in records])
    without = left_out_rows(names, [record.people_without for record in records])
    note = _people_note(records)
    found = _means(people, without, how, CONCENTRATION, task, CONCENTRATION_IDS, PEOPLE, "human", note)
    unknown = np.full(len(CONCENTRATION_IDS), NAN)
    matched_ids = tuple(measure + MATCHED for measure in CONCENTRATION_IDS)
    for source in _sources([record.raw for record in records]):
        kind = kinds.get(source, "model")
        raw = np.array([record.raw.get(source, unknown) for record in records])
        matched = np.array([record.matched.get(source, unknown) for record in records])
        coarse = _coarse_note(records, source)
        found += _means(raw, None, how, CONCENTRATION, task, CONCENTRATION_IDS, source, kind, coarse)
        found += _means(matched, None, how, CONCENTRATION, task, matched_ids, source, kind, coarse)
        rows = replace(without, table=matched[without.image] - without.table)
        difference = _means(
            matched - people, rows, how, CONCENTRATION, task, matched_ids, source, kind, coarse
        )
        found += [replace(one, against=PEOPLE) for one in tested(difference, matched - people, how)]
    return within_families(found)


def laterality_findings(
    records: Sequence[LateralityRecord],
    task: str,
    kinds: Mapping[str, str] | None = None,
    resampling: Resampling | None = None,
) -> list[Finding]:
    """Return on which side attention lies under one task, tested against the middle, and models against people.

    Rows of people and every source, with a sign-flip test of the mean over images against 0; and rows of every
    source against ``people``, image by image. Holm's correction is over the rows of one measure that are tested
    against the same.

    Parameters
    ----------
    records, task, kinds, resampling
        As of :func:`concentration_findings`.
    """
    if not records:
        return []
    how, kinds = resampling or Resampling(), kinds or {}
    people = _table([record.people for record in records])
    without = left_out_rows([record.subjects for record in records], [_without(record) for record in records])
    means = _means(people, without, how, LATERALITY, task, LATERALITY_IDS, PEOPLE, "human", _NO_MIRROR)
    found = tested(means, people, how)
    for source in _sources([record.sources for record in records]):
        kind = kinds.get(source, "model")
        own = _table([record.sources.get(source, {}) for record in records])
        mirrored = np.isfinite(own[:, LATERALITY_IDS.index("laterality_corrected")]).any()
        note = "" if mirrored else _NO_MIRROR
        means = _means(own, None, how, LATERALITY, task, LATERALITY_IDS, source, kind, note)
        found += tested(means, own, how)
        rows = replace(without, table=own[without.image] - without.table)
        means = _means(own - people, rows, how, LATERALITY, task, LATERALITY_IDS, source, kind, "")
        found += [replace(one, against=PEOPLE) for one in tested(means, own - people, how)]
    return within_families(found)


def left_out_rows(names: Sequence[Sequence[str]], tables: Sequence[DoubleArray]) -> LeftOutRows:
    """Return the rows of all images without one of their people.

    Parameters
    ----------
    names
        People of each image.
    tables
        Values of each image without each of them in turn, shape (n_people, n_columns) each.
    """
    people = {name: k for k, name in enumerate(sorted({name for own in names for name in own}))}
    image = np.repeat(np.arange(len(names)), [len(own) for own in names])
    subject = np.array([people[name] for own in names for name in own], dtype=np.int64)
    return LeftOutRows(image.astype(np.int64), subject, np.concatenate(list(tables)))


def tested(found: Sequence[Finding], columns: DoubleArray, how: Resampling) -> list[Finding]:
    """Return findings with the sign-flip test of their means against 0 and the effect size d_z.

    Parameters
    ----------
    found
        Findings by the ids of their columns' measures, fewer than columns where some have no value.
    columns
        Values of each image, shape (n_images, n_measures), NaN where there is none; those without any value
        are not among ``found``.
    how
        Number of sign flips and seed.
    """
    known = columns[:, np.isfinite(columns).any(axis=0)]
    p = sign_flips(known, how.n_resamples, how.seed)
    return [
        replace(one, p=own, effect=effect_size(column).value)
        for one, own, column in zip(found, p, known.T, strict=True)
    ]


def within_families(found: Sequence[Finding]) -> list[Finding]:
    """Return findings with Holm's correction over those of one measure, task and comparison."""
    families: dict[tuple[str, str, str], list[int]] = {}
    for k, one in enumerate(found):
        if np.isfinite(one.p):
            families.setdefault((one.task, one.metric, one.against), []).append(k)
    corrected = list(found)
    for family in families.values():
        for k, p_holm in zip(family, holm([found[k].p for k in family]), strict=True):
            corrected[k] = replace(found[k], p_holm=p_holm)
    return corrected


def _means(
    columns: DoubleArray,
    without: LeftOutRows | None,
    how: Resampling,
    analysis: str,
    task: str,
    metrics: Sequence[str],
    term: str,
    kind: str,
    note: str,
) -> list[Finding]:
    """Return the mean over images of each column that has values, with its interval, in the order of columns."""
    by_mask: dict[bytes, list[int]] = {}
    for k, column in enumerate(columns.T):
        known = np.isfinite(column)
        if known.any():
            by_mask.setdefault(known.tobytes(), []).append(k)
    found: dict[int, Finding] = {}
    for own in by_mask.values():
        rows = None if without is None else without.columns(own)
        study = TwoWay(columns[:, own], rows, how.n_resamples, how.seed)
        for place, k in enumerate(own):
            unit = MEASURES[metrics[k].removesuffix(MATCHED)].unit
            one = Finding(analysis, task, metrics[k], term, unit=unit, note=note, kind=kind)
            found[k] = one.filled(study.interval(mean_of(place)))
    return [found[k] for k in sorted(found)]


def mean_of(place: int) -> Statistic:
    """Return the statistic that is the mean of one column of a table."""

    def mean(means: DoubleArray) -> DoubleArray:
        own: DoubleArray = means[..., place]
        return own

    return mean


def _table(rows: Sequence[Mapping[str, float]]) -> DoubleArray:
    """Return the measures of laterality of each image, shape (n_images, n_measures)."""
    return np.array([[row.get(measure, NAN) for measure in LATERALITY_IDS] for row in rows])


def _without(record: LateralityRecord) -> DoubleArray:
    nothing = np.full(len(record.subjects), NAN)
    return np.column_stack([record.people_without.get(measure, nothing) for measure in LATERALITY_IDS])


def _sources(records: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the sources of all images, in the order in which they come."""
    return list(dict.fromkeys(source for record in records for source in record))


def left_out(n: int) -> str:
    """Return ``is left out`` or ``are left out``."""
    return "is left out" if n == 1 else "are left out"


def _people_note(records: Sequence[ConcentrationRecord]) -> str:
    numbers = [record.n_fixations for record in records if record.n_fixations]
    nobody = len(records) - len(numbers)
    if not numbers:
        return ""
    text = f"Maps of {np.mean(numbers):.0f} fixations on average ({min(numbers)} to {max(numbers)})."
    if not nobody:
        return text
    return f"{text} {nobody} {'image has' if nobody == 1 else 'images have'} no fixations and {left_out(nobody)}."


def _coarse_note(records: Sequence[ConcentrationRecord], source: str) -> str:
    coarse = sum(source in record.too_coarse for record in records)
    if not coarse:
        return ""
    images = "image" if coarse == 1 else "images"
    return f"On {coarse} {images} the map's own cells are wider than the common blur, so it seems less concentrated."
