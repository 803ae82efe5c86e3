"""How much maps change with the task, image by image: for people with the noise of few fixations taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.maps.common_grid import (
    AttentionMap,
    CommonGrid,
    Fixations,
    entropy_bits,
    floored,
    spread,
    subject_maps,
)
from gazeapp.engine.types import BoolArray, DoubleArray

MIN_PEOPLE = 4
"""People under each task that halves of them need."""
N_SPLITS = 100
N_HALVES = 20
"""Halvings of which the changes in each half are kept, to tell how reliable differences between images are."""
_PARTS = ("cc", "cc_between", "excess", "r_first", "r_second", "factor_first", "factor_second")

TaskPair = tuple[str, str]


@dataclass(frozen=True)
class MapChange:
    """How far a source's maps under two tasks differ: Pearson's correlation, and divergence in bits."""

    cc: float
    jsd: float


@dataclass(frozen=True)
class PeopleMaps:
    """The people's maps on one image under two tasks, by their inner products.

    Parameters
    ----------
    names
        Person of each map, shape (k,); someone who did both tasks has two.
    first
        Whether it was made under the first of the tasks, shape (k,).
    n_fixations
        Fixations of each map, shape (k,).
    gram
        Inner products over the cells of the maps, each minus its mean, shape (k, k). A map sums to the number
        of its fixations.
    """

    names: tuple[str, ...]
    first: BoolArray
    n_fixations: DoubleArray
    gram: DoubleArray

    def people(self) -> list[str]:
        """Return the names, ascending, each once."""
        return sorted(set(self.names))

    def without(self, name: str) -> PeopleMaps:
        """Return the maps of all others."""
        kept = np.array([one != name for one in self.names])
        names = tuple(one for one in self.names if one != name)
        return PeopleMaps(names, self.first[kept], self.n_fixations[kept], self.gram[np.ix_(kept, kept)])


@dataclass(frozen=True)
class PeopleChange:
    """How people's maps of one image change between two tasks.

    Parameters
    ----------
    maps
        Their inner products, which the permutation test needs.
    jsd
        Jensen-Shannon divergence of the two maps of all people, bits.
    parts
        ``cc`` of the two maps of all people; ``cc_between``, the same with the covariance of different people
        only; ``excess``, the change above noise (:func:`excess`); ``r_first`` and ``r_second``, the correlation
        of the maps of two halves of the people under one task; ``factor_first`` and ``factor_second``, people /
        people in a half. NaN where there are none: from ``r_first`` on, with fewer than 4 people under either
        task. Shape (7,).
    without
        The same without each of ``maps.people()`` in turn, shape (n_people, 7).
    halves
        The change above noise in each of two halves of the people, shape (20, 2); empty with fewer than 4
        people under either task.
    """

    maps: PeopleMaps
    jsd: float
    parts: DoubleArray
    without: DoubleArray
    halves: DoubleArray

    @property
    def excess(self) -> float:
        """The change above noise of this image: ``task_d_excess``."""
        return float(self.parts[2])


@dataclass(frozen=True)
class DifferentiationRecord:
    """How maps of one image change between tasks, for each pair of tasks, in the order of the tasks.

    ``people`` holds pairs under both of which somebody looked; ``sources`` source -> the pairs that it has maps
    for.
    """

    people: dict[TaskPair, PeopleChange]
    sources: dict[str, dict[TaskPair, MapChange]]


def image_differentiation(
    people: Mapping[str, Fixations],
    sources: Mapping[str, Mapping[str, AttentionMap]],
    tasks: Sequence[str],
    width: float,
    height: float,
    grid: CommonGrid | None = None,
    n_splits: int = N_SPLITS,
    seed: int = 0,
) -> DifferentiationRecord:
    """Return how the maps of one image change between tasks.

    Parameters
    ----------
    people
        Task -> where people looked; tasks without fixations may be missing.
    sources
        Source -> task -> its map.
    tasks
        The tasks, of which all pairs are compared.
    width, height
        Size of the image, px: only their proportion counts.
    grid
        The common grid; its defaults when not given.
    n_splits, seed
        Random halvings of the people, and their seed: one of its own for each image.
    """
    grid = grid or CommonGrid()
    pairs = list(combinations(tasks, 2))
    looked = {task: people[task] for task in tasks if task in people and len(people[task])}
    maps = {task: subject_maps(own, width, height, grid) for task, own in looked.items()}
    found = {}
    for first, second in pairs:
        if first in maps and second in maps:
            both = _people_maps(looked, maps, first, second)
            totals = [floored(maps[task][1].sum(axis=0), grid.floor) for task in (first, second)]
            found[first, second] = _people_change(both, float(jsd(*totals)), n_splits, seed)
    changes: dict[str, dict[TaskPair, MapChange]] = {}
    for source, by_task in sources.items():
        densities = {
            task: spread(by_task[task], width, height, grid).density() for task in tasks if task in by_task
        }
        changes[source] = {
            (first, second): MapChange(
                correlation(densities[first], densities[second]),
                float(jsd(densities[first], densities[second])),
            )
            for first, second in pairs
            if first in densities and second in densities
        }
    return DifferentiationRecord(found, changes)


def correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Return Pearson's correlation of two maps of one shape; NaN where one of them is constant."""
    a, b = (np.asarray(one, dtype=np.float64).ravel() for one in (first, second))
    # Rounding in single precision leaves a constant map a little short of constant.
    if any(one.std() <= 1e-6 * abs(one.mean()) for one in (a, b)):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def jsd(first: ArrayLike, second: ArrayLike) -> DoubleArray:
    """Return the Jensen-Shannon divergence of two densities, bits, 0..1 (Lin 1991).

    H((p + q) / 2) - (H(p) + H(q)) / 2 over the last two axes, with logarithms of base 2.
    """
    p, q = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    own = (entropy_bits(p) + entropy_bits(q)) / 2
    found: DoubleArray = np.maximum(entropy_bits((p + q) / 2) - own, 0.0)
    return found


def excess(maps: PeopleMaps, members: ArrayLike | None = None) -> DoubleArray:
    """Return how much people's maps change with the task above what few fixations change anyway.

    ((C_AA + C_BB) / 2 - C_AB) / ((C_A + C_B) / 2): C_AA, C_BB and C_AB are mean covariances of a fixation of one
    person with a fixation of another, under the one task, under the other, and across; C_A and C_B the variances
    of the tasks' maps of all people. Nobody is compared with themselves, so the numerator is without bias: it is
    the squared distance of the two densities, 0 in expectation where the task changes nothing (as the
    cross-validated distances of Walther et al. 2016). With unlimited people and equally concentrated maps it is
    1 - CC.

    Parameters
    ----------
    maps
        The people's maps.
    members
        Whose maps count in the numerator, shape (n, k), 0 or 1; everybody's when not given.

    Returns
    -------
    numpy.ndarray
        Shape (n,); NaN where no two people are left.
    """
    chosen = np.ones((1, len(maps.names))) if members is None else np.asarray(members, dtype=np.float64)
    names = np.array(maps.names)
    different = (names[:, None] != names).astype(np.float64)
    products, weights = maps.gram * different, np.outer(maps.n_fixations, maps.n_fixations) * different
    under = (maps.first.astype(np.float64), (~maps.first).astype(np.float64))
    means, variances = {}, []
    with np.errstate(divide="ignore", invalid="ignore"):
        for a, b in ((0, 0), (1, 1), (0, 1)):
            one, other = chosen * under[a], chosen * under[b]
            means[a, b] = ((one @ products) * other).sum(axis=1) / ((one @ weights) * other).sum(axis=1)
        for task in under:
            variances.append((task @ maps.gram @ task) / (task @ maps.n_fixations) ** 2)
        found: DoubleArray = ((means[0, 0] + means[1, 1]) / 2 - means[0, 1]) / np.mean(variances)
    return found


def corrected_change(parts: DoubleArray) -> DoubleArray:
    """Return how much people's maps change with the task, without the noise of few fixations.

    1 - CC_AB / sqrt(R_A R_B), R = a r / (1 + (a - 1) r) the reliability of the maps (Spearman 1904, 1910; Brown
    1910). CC_AB is that of different people, because one person's two maps may share habits that no other
    person's have.

    Parameters
    ----------
    parts
        Means over images of ``PeopleChange.parts``, shape (..., 7): ratios of single images would explode.

    Returns
    -------
    numpy.ndarray
        Shape (...); 0 where the task changes nothing, not clipped; NaN where halves do not agree.
    """
    r, factor = parts[..., 3:5], parts[..., 5:7]
    with np.errstate(divide="ignore", invalid="ignore"):
        reliability = np.where(r > 0, factor * r / (1.0 + (factor - 1.0) * r), np.nan)
    change: DoubleArray = 1.0 - parts[..., 1] / np.sqrt(reliability.prod(axis=-1))
    return change


def _people_maps(
    looked: Mapping[str, Fixations],
    maps: Mapping[str, tuple[list[str], DoubleArray]],
    first: str,
    second: str,
) -> PeopleMaps:
    names = [*maps[first][0], *maps[second][0]]
    flat = np.concatenate([maps[task][1].reshape(len(maps[task][0]), -1) for task in (first, second)])
    flat -= flat.mean(axis=1, keepdims=True)
    number = np.concatenate(
        [np.unique(looked[task].subject, return_counts=True)[1] for task in (first, second)]
    )
    under_first = np.arange(len(names)) < len(maps[first][0])
    return PeopleMaps(tuple(names), under_first, number.astype(np.float64), flat @ flat.T)


def _people_change(maps: PeopleMaps, divergence: float, n_splits: int, seed: int) -> PeopleChange:
    parts, halves = _parts(maps, n_splits, seed, MIN_PEOPLE)
    # Without one of four, halves of one person still tell how much depends on that one.
    without = np.array(
        [_parts(maps.without(name), n_splits, seed, MIN_PEOPLE - 1)[0] for name in maps.people()]
    )
    return PeopleChange(maps, divergence, parts, without, halves)


def _parts(maps: PeopleMaps, n_splits: int, seed: int, least: int) -> tuple[DoubleArray, DoubleArray]:
    """Return the parts and the halves' changes of :class:`PeopleChange`."""
    parts = np.full(len(_PARTS), np.nan)
    number = np.array([maps.first.sum(), (~maps.first).sum()])
    if not number.min():
        return parts, np.zeros((0, 2))
    under_first = maps.first.astype(np.float64)[None]
    under_second = 1.0 - under_first
    parts[0] = _correlations(maps.gram, under_first, under_second)[0]
    parts[1] = _between(maps)
    parts[2] = excess(maps)[0]
    one, other = _halves(maps, n_splits, seed)
    first, second = (one * under_first, other * under_first), (one * under_second, other * under_second)
    size = np.array([half[0][0].sum() for half in (first, second)])
    if number.min() < least or not size.min():
        return parts, np.zeros((0, 2))
    parts[3] = _correlations(maps.gram, *first).mean()
    parts[4] = _correlations(maps.gram, *second).mean()
    parts[5:] = number / size
    return parts, np.column_stack([excess(maps, half[:N_HALVES]) for half in (one, other)])


def _correlations(gram: DoubleArray, first: DoubleArray, second: DoubleArray) -> DoubleArray:
    """Return the correlation of two sums of maps for each row of memberships, shape (n,)."""
    left, right = first @ gram, second @ gram
    across = (left * second).sum(axis=1)
    within = (left * first).sum(axis=1) * (right * second).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: DoubleArray = np.where(within > 0, across / np.sqrt(within), np.nan)
    return found


def _between(maps: PeopleMaps) -> float:
    """Return the correlation of the tasks' maps with the covariance that pairs of different people have.

    The pairs of one person's two maps are replaced by what pairs of as many fixations have on average; NaN
    where there are no others.
    """
    names, first = np.array(maps.names), maps.first
    products = maps.gram[np.ix_(first, ~first)]
    weights = np.outer(maps.n_fixations[first], maps.n_fixations[~first])
    different = names[first][:, None] != names[~first]
    within = maps.gram[np.ix_(first, first)].sum() * maps.gram[np.ix_(~first, ~first)].sum()
    if not different.any() or within <= 0:
        return float("nan")
    covariance = products[different].sum() * weights.sum() / weights[different].sum()
    return float(covariance / np.sqrt(within))


def _halves(maps: PeopleMaps, n_splits: int, seed: int) -> tuple[DoubleArray, DoubleArray]:
    """Return membership of two disjoint halves of the people for each split, shape (n_splits, k) each.

    A person who did both tasks is in the same half under both. Those who did both, and those who did one of
    them, are halved apart, so that halves are equally large; of an odd number one sits out.
    """
    rng = np.random.default_rng([seed, n_splits])
    names = np.array(maps.names)
    under = [set(names[maps.first]), set(names[~maps.first])]
    one, other = np.zeros((n_splits, len(names))), np.zeros((n_splits, len(names)))
    for group in (under[0] & under[1], under[0] - under[1], under[1] - under[0]):
        people = sorted(group)
        half = len(people) // 2
        order = rng.random((n_splits, len(people))).argsort(axis=1)
        for k, name in enumerate(people):
            own = names == name
            one[:, own] = (order[:, k] < half)[:, None]
            other[:, own] = ((order[:, k] >= half) & (order[:, k] < 2 * half))[:, None]
    return one, other
