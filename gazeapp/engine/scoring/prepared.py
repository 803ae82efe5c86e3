"""A map made ready for scoring: what several metrics share is computed once, when first needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring import emd
from gazeapp.engine.scoring.comparison import Density
from gazeapp.engine.scoring.left_out import LeftOut, means_kept
from gazeapp.engine.scoring.presets import Preset
from gazeapp.engine.scoring.ranks import (
    NAN,
    Values,
    centred_ranks,
    correlations,
    judd,
    judd_literal,
    shares_below,
    stepped,
)
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_BLOCK = 32_768
_PILOT = 1024
_SAFE = (1e-12, 1e15)
"""Norms whose squares single precision can hold; other maps are taken in double precision."""
BORJI_DRAWS = 100
"""Random draws of pixels of the MIT code's AUC-Borji."""
MIN_BORJI = 2
"""Fixated pixels that the MIT code's AUC-Borji needs."""


@dataclass(frozen=True)
class Pixels:
    """Fixated pixels of an image.

    Parameters
    ----------
    index
        Row-major index of the pixel of each fixation, shape (n,), in the order of the fixations.
    n_outside
        Fixations that were dropped because their pixel is outside the image.
    """

    index: IntArray
    n_outside: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def unique(self) -> Pixels:
        """Return the fixated pixels with each pixel once."""
        return self._once

    @cached_property
    def _once(self) -> Pixels:
        return Pixels(np.unique(self.index), self.n_outside)


class HumanTarget:
    """A human map, made ready to be compared with many maps.

    Parameters
    ----------
    values
        Human map, shape (height, width).
    """

    def __init__(self, values: ArrayLike) -> None:
        self.map = PreparedMap(values)
        self._densities: dict[Density, Values] = {}
        self._logs: dict[Density, float] = {}

    def density(self, form: Density) -> Values:
        """The map in one of its forms as a distribution, relative to uniform, flat."""
        if form not in self._densities:
            self._densities[form] = form.of(self.map.flat)
        return self._densities[form]

    def mean_log(self, form: Density) -> float:
        """Mean under that distribution of its logarithm, nats."""
        if form not in self._logs:
            q, total, room = self.density(form), 0.0, self.map.buffer()
            least = np.finfo(q.dtype).tiny  # 0 ln 0 is 0
            for part in self.map.blocks():
                logs = np.add(q[part], least, out=room[: len(q[part])])
                total += float(np.dot(q[part], np.log(logs, out=logs)))
            self._logs[form] = total / len(q)
        return self._logs[form]


class PreparedMap:
    """A map with the quantities that several metrics share, each computed when first needed.

    Sums over pixels go block by block: temporaries stay in the cache, and single precision stays
    exact to 1e-6 because the sums of blocks are added in double precision.
    """

    def __init__(self, values: ArrayLike) -> None:
        array = np.asarray(values)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
        if array.ndim != 2 or not array.size:
            raise GazeError(f"A map needs rows and columns; this one has the shape {array.shape}.")
        self.flat: Values = np.ascontiguousarray(array).ravel()
        self.shape: tuple[int, int] = (array.shape[0], array.shape[1])
        self._measure()
        # The minimum and maximum are NaN or infinite exactly when some value is.
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise GazeError(
                "The map holds values that are not numbers (NaN or infinity).",
                todo="Make the map again, or leave it out.",
            )
        self.constant = bool(self.low == self.high)
        self._products: tuple[LeftOut, DoubleArray] | None = None
        least, most = _SAFE
        if array.dtype == np.float32 and not self.constant and not least < self.norm < most:
            self.flat = self.flat.astype(np.float64)
            self._measure()

    def _measure(self) -> None:
        """Find extremes, sum, mean and norm in one pass."""
        lows, highs, sums, squares, buffer = [], [], [], [], self.buffer()
        with np.errstate(invalid="ignore", over="ignore"):
            # Sums about a value near the mean: single precision then loses nothing to a high plateau.
            pilot = self.flat[:: max(1, len(self.flat) // _PILOT)].mean()
            for part in self.blocks():
                values = self.flat[part]
                lows.append(values.min())
                highs.append(values.max())
                centred = np.subtract(values, pilot, out=buffer[: len(values)])
                sums.append(float(centred.sum()))
                squares.append(float(np.dot(centred, centred)))
        self.low, self.high = np.min(lows), np.max(highs)
        n, total = len(self.flat), sum(sums)
        self.total = float(pilot) * n + total
        """Sum over pixels."""
        self.mean = self.total / n
        """Mean over pixels."""
        square = sum(squares) - total * total / n
        self.norm = math.sqrt(square) if square > 0 else 0.0
        """Euclidean norm of the map minus its mean."""

    @cached_property
    def ordered(self) -> Values:
        """Values in ascending order."""
        return np.sort(self.flat)

    @cached_property
    def ranks(self) -> DoubleArray:
        """Ranks of the pixels minus their mean."""
        return centred_ranks(self.flat)

    def nss(self, fixated: Pixels, preset: Preset) -> float:
        """Return NSS."""
        if not len(fixated):
            return NAN
        if self.constant:
            return 0.0 if preset.constant == "chance" else NAN
        chosen = fixated.unique() if preset.deduplicate else fixated
        height = self.flat[chosen.index].mean(dtype=np.float64) - self.mean
        return float(height) / (self.norm / math.sqrt(len(self.flat) - preset.ddof))

    def auc(self, fixated: Pixels, preset: Preset) -> float:
        """Return AUC over all pixels, or AUC-Judd where that is the preset's AUC."""
        if preset.auc == "judd":
            return self.auc_judd(fixated, preset)
        return self._above_all_pixels(fixated, preset)

    def auc_judd(self, fixated: Pixels, preset: Preset) -> float:
        """Return AUC-Judd without jitter."""
        known = self._without_order(fixated, preset)
        if known is not None:
            return known
        once = self.flat[fixated.unique().index]
        if preset.auc == "judd":
            return judd_literal(once, self.ordered)
        return judd(self.flat[fixated.index], once, self.ordered)

    def auc_borji(self, fixated: Pixels, preset: Preset, seed: int) -> float:
        """Return AUC-Borji, over draws by ``seed`` or as their expectation."""
        if preset.borji == "expected":
            return self._above_all_pixels(fixated, preset)
        known, chosen = self._without_order(fixated, preset), fixated.unique()
        if known is not None:
            return known
        if len(chosen) < MIN_BORJI:
            return NAN
        return stepped(self._stretch(self.flat[chosen.index]), self._drawn(len(chosen), seed))

    def _above_all_pixels(self, fixated: Pixels, preset: Preset) -> float:
        known = self._without_order(fixated, preset)
        if known is not None:
            return known
        chosen = fixated.unique() if preset.deduplicate else fixated
        return float(shares_below(self.flat[chosen.index], self.ordered).mean())

    def sauc(self, fixated: Pixels, others: Pixels, preset: Preset) -> float:
        """Return the shuffled AUC."""
        if not len(others):
            return NAN
        known = self._without_order(fixated, preset)
        if known is not None:
            return known
        if preset.deduplicate:
            fixated = fixated.unique()
        positives, negatives = self.flat[fixated.index], self.flat[others.index]
        if preset.sauc == "steps":
            return stepped(self._stretch(positives), self._stretch(negatives))
        return float(shares_below(positives, np.sort(negatives)).mean())

    def spearman(self, human: HumanTarget) -> float:
        """Return the correlation of ranks with a human map."""
        self._must_fit(human)
        if self.constant or human.map.constant:
            return NAN
        return float(correlations(self.ranks, human.map.ranks))

    def emd(self, human: HumanTarget, preset: Preset) -> float:
        """Return the earth mover's distance to a human map, % of the image's longer side."""
        self._must_fit(human)
        grids = []
        for one in (self, human.map):
            if not preset.repair and (one.low < 0 or one.high == 0):
                return NAN
            shares = one.density(False, preset.repair).of(one.flat).astype(np.float64)
            grids.append(emd.block_sums(shares.reshape(one.shape), emd.block_side(*one.shape)))
        cell = emd.block_side(*self.shape) / max(self.shape)
        return 100.0 * cell * emd.distance(*grids)

    def without(
        self,
        metric: str,
        left_out: LeftOut,
        others: Pixels,
        human: HumanTarget,
        preset: Preset,
        seed: int,
    ) -> DoubleArray:
        """Return a metric that has a percentage without each subject in turn, shape (n_subjects,)."""
        nothing = np.full(len(left_out.maps), NAN)
        if metric in ("cc", "spearman"):
            if self.constant:
                return nothing
            return self._cc_without(left_out) if metric == "cc" else self._spearman_without(left_out, human)
        if metric == "sauc" and not len(others):
            return nothing
        if self.constant:
            chance = 0.0 if metric == "nss" else 0.5
            return np.full_like(nothing, chance) if preset.constant == "chance" else nothing
        index, kept = left_out.kept(preset.deduplicate)
        if metric == "auc_borji" and preset.borji == "drawn":
            drawn = self._drawn(len(index), seed)
            return self._stepped_without(self.flat[index], kept, drawn, least=MIN_BORJI)
        if metric == "sauc" and preset.sauc == "steps":
            negatives = self._stretch(self.flat[others.index])
            return self._stepped_without(self.flat[index], kept, negatives, least=1)
        return means_kept(self._at(metric, index, others, preset), kept)

    def of_each(self, metric: str, left_out: LeftOut, others: Pixels, preset: Preset) -> DoubleArray | None:
        """Return what each subject's own fixations, or their own map for CC, score, shape (n_subjects,).

        None for metrics that are no mean over fixations and no correlation, and for a map without structure.
        """
        if self.constant or (metric == "sauc" and not len(others)):
            return None
        if metric == "cc":
            return self._across(left_out) / (self.norm * left_out.own_norms)
        ranked = {
            "auc": preset.auc == "mann_whitney",
            "sauc": preset.sauc == "mann_whitney",
            "auc_borji": preset.borji == "expected",
        }
        if metric != "nss" and not ranked.get(metric):
            return None
        index, own = left_out.own(preset.deduplicate)
        return means_kept(self._at(metric, index, others, preset), own)

    def _at(self, metric: str, index: IntArray, others: Pixels, preset: Preset) -> DoubleArray:
        """Return what each fixated pixel adds to a metric that is the mean over them, shape (n,)."""
        positives = self.flat[index]
        if metric == "nss":
            norm = self.norm / math.sqrt(len(self.flat) - preset.ddof)
            heights: DoubleArray = (positives.astype(np.float64) - self.mean) / norm
            return heights
        if metric == "sauc":
            return shares_below(positives, np.sort(self.flat[others.index]))
        return shares_below(positives, self.ordered)

    def _stepped_without(
        self, positives: Values, kept: BoolArray, negatives: DoubleArray, least: int
    ) -> DoubleArray:
        """Return the stepped area for the positives that each row of ``kept`` keeps, if they are enough."""
        high = self._stretch(positives)
        return np.array([stepped(high[one], negatives) if one.sum() >= least else NAN for one in kept])

    def _spearman_without(self, left_out: LeftOut, human: HumanTarget) -> DoubleArray:
        # On the grid alone it would be slightly off the value of all pixels; the change is the same.
        found = correlations(left_out.ranks, centred_ranks(self.flat[left_out.grid]))
        without: DoubleArray = found[1:] + (self.spearman(human) - found[0])
        return without

    def _cc_without(self, left_out: LeftOut) -> DoubleArray:
        across = self._across(left_out)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation: DoubleArray = (across.sum() - across) / (self.norm * left_out.norms)
        return correlation

    def _across(self, left_out: LeftOut) -> DoubleArray:
        """Return the inner product of the map minus its mean with each subject's map, shape (n_subjects,)."""
        if self._products is None or self._products[0] is not left_out:
            across, mean = np.zeros(len(left_out.maps)), self._own(self.mean)
            for part in self.blocks():
                across += left_out.maps[:, part] @ (self.flat[part] - mean)
            self._products = (left_out, across)
        return self._products[1]

    def density(self, stretch: bool, repair: bool) -> Density:
        """Return how the map becomes a distribution.

        ``stretch`` takes the minimum off first, ``repair`` does where it is negative. A map of zeros is
        uniform with ``repair``; otherwise it stays zero.
        """
        shift = float(self.low) if stretch or (repair and self.low < 0) else 0.0
        mean = self.mean - shift
        if self.low == self.high == shift:
            return Density(self._own(shift), self._own(0.0), self._own(1.0 if repair else 0.0))
        return Density(self._own(shift), self._own(1.0 / mean), self._own(0.0))

    def blocks(self) -> Iterator[slice]:
        """Yield slices that together cover the pixels."""
        for start in range(0, len(self.flat), _BLOCK):
            yield slice(start, start + _BLOCK)

    def buffer(self) -> Values:
        """Return room for the values of one block."""
        return np.empty(min(_BLOCK, len(self.flat)), dtype=self.flat.dtype)

    def _own(self, value: float) -> np.floating[Any]:
        """Return a number in the map's own precision."""
        number: np.floating[Any] = self.flat.dtype.type(value)
        return number

    def _stretch(self, values: Values) -> DoubleArray:
        """Return values of the map between its minimum (0) and its maximum (1), in double precision."""
        low, high = float(self.low), float(self.high)
        stretched: DoubleArray = (values.astype(np.float64) - low) / (high - low)
        return stretched

    def _without_order(self, fixated: Pixels, preset: Preset) -> float | None:
        """Return the AUCs of a map without fixations or structure; None where there are both."""
        if not len(fixated):
            return NAN
        if self.constant:
            return 0.5 if preset.constant == "chance" else NAN
        return None

    def _drawn(self, n: int, seed: int) -> DoubleArray:
        """Return the stretched map at random pixels: as many as fixated ones, for each of 100 draws.

        The area is linear in the share of false alarms, so the mean over draws is that of all of them.
        """
        places = np.random.default_rng([seed, BORJI_DRAWS]).integers(0, len(self.flat), BORJI_DRAWS * n)
        return self._stretch(self.flat[places])

    def _must_fit(self, human: HumanTarget) -> None:
        if self.shape != human.map.shape:
            raise ValueError(f"a map of shape {self.shape} cannot be compared with one of {human.map.shape}")
