"""A map compared with a human map pixel by pixel: CC, SIM and KL in one pass over both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gazeapp.engine.scoring.presets import Preset
from gazeapp.engine.scoring.ranks import NAN, Values

if TYPE_CHECKING:
    from gazeapp.engine.scoring.prepared import HumanTarget, PreparedMap

COMPARED = ("cc", "sim", "kl")
"""Metrics that are sums over the pixels of two maps."""


@dataclass(frozen=True, slots=True)
class Density:
    """How a map becomes a distribution: ``(values - shift) * scale + base``, whose mean over pixels is 1."""

    shift: np.floating[Any]
    scale: np.floating[Any]
    base: np.floating[Any]

    def of(self, values: Values, out: Values | None = None) -> Values:
        """Return values of the map relative to a uniform distribution."""
        if self.shift:
            values = np.subtract(values, self.shift, out=out)
        density: Values = np.multiply(values, self.scale, out=out)
        if self.base:
            density += self.base
        return density


def compare(
    own: PreparedMap, human: HumanTarget, metrics: Collection[str], preset: Preset
) -> dict[str, float]:
    """Return those of CC, SIM and KL that are asked for.

    Each block of pixels is fetched from memory once for all of them.

    Parameters
    ----------
    own, human
        The map and the human map, of the same shape.
    metrics, preset
        Ids of the metrics, and their conventions.

    Returns
    -------
    dict
        Metric id -> value, in the order of ``COMPARED``; NaN where a metric has no value.
    """
    if own.shape != human.map.shape:
        raise ValueError(f"a map of shape {own.shape} cannot be compared with one of {human.map.shape}")
    sums = _sums(own, human, metrics, preset)
    known, room = [one for one in sums.values() if one is not None], own.buffer()
    for part in own.blocks():
        values = own.flat[part]
        for one in known:
            one.add(values, part, room[: len(values)])
    return {metric: NAN if one is None else one.value() for metric, one in sums.items()}


class _Sum(Protocol):
    """A metric while blocks of pixels are added to it."""

    def add(self, values: Values, part: slice, room: Values) -> None:
        """Add the map's values in a block; ``room`` is for as many."""

    def value(self) -> float:
        """Return the metric."""


def _sums(
    own: PreparedMap, human: HumanTarget, metrics: Collection[str], preset: Preset
) -> dict[str, _Sum | None]:
    """Return the metrics before any block is added; None for those that have no value."""
    found: dict[str, _Sum | None] = {}
    if "cc" in metrics:
        found["cc"] = None if own.constant or human.map.constant else _Correlation(own, human)
    if "sim" in metrics:
        # The MATLAB code leaves a map of zeros alone and divides by zero for any other constant map.
        lost = preset.stretch and any(one.constant and one.low != 0 for one in (own, human.map))
        found["sim"] = None if lost else _Overlap(own, human, preset)
    if "kl" in metrics:
        lost = not preset.repair and (own.low < 0 or human.map.low < 0)
        found["kl"] = None if lost else _Divergence(own, human, preset)
    return found


class _Correlation:
    """cov(S, q) / (sd S sd q), with q the human map as a density: the correlation is that of the map itself."""

    def __init__(self, own: PreparedMap, human: HumanTarget) -> None:
        form = human.map.density(stretch=False, repair=True)
        self._q, self._mean, self._across = human.density(form), own.flat.dtype.type(own.mean), 0.0
        self._norms = own.norm * human.map.norm * float(form.scale)
        # In the map's own precision its mean is rounded, and what is centred with it still has a mean.
        self._left = own.total - len(own.flat) * float(self._mean)

    def add(self, values: Values, part: slice, room: Values) -> None:
        centred = np.subtract(values, self._mean, out=room)
        self._across += float(np.dot(centred, self._q[part]))

    def value(self) -> float:
        return (self._across - self._left) / self._norms


class _Overlap:
    """Sum of min(p, q)."""

    def __init__(self, own: PreparedMap, human: HumanTarget, preset: Preset) -> None:
        self._own = own.density(preset.stretch, preset.repair)
        self._q = human.density(human.map.density(preset.stretch, preset.repair))
        self._overlap = 0.0

    def add(self, values: Values, part: slice, room: Values) -> None:
        p = self._own.of(values, out=room)
        self._overlap += float(np.minimum(p, self._q[part], out=p).sum())

    def value(self) -> float:
        return self._overlap / len(self._q)


class _Divergence:
    """Sum of q ln(e + q / (p + e)), as sum of q ln q - q ln(p + e): less than e times the pixels apart."""

    def __init__(self, own: PreparedMap, human: HumanTarget, preset: Preset) -> None:
        self._own, form = own.density(False, preset.repair), human.map.density(False, preset.repair)
        self._q, self._known = human.density(form), human.mean_log(form)
        self._epsilon = own.flat.dtype.type(preset.epsilon * len(own.flat))
        self._gained = 0.0

    def add(self, values: Values, part: slice, room: Values) -> None:
        p = self._own.of(values, out=room)
        p += self._epsilon
        self._gained += float(np.dot(self._q[part], np.log(p, out=p)))

    def value(self) -> float:
        return self._known - self._gained / len(self._q)
