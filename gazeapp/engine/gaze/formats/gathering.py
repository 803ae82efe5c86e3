"""What readers of trackers' exports share: fixations repeated on many rows, and samples by trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np

from gazeapp.engine.gaze.quality import with_sample_quality
from gazeapp.engine.gaze.records import BROKEN_LINE, Eye, Samples, Trial
from gazeapp.engine.gaze.tables import Key, SampleGatherer
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray


class KeyBook:
    """Numbers trials in order of appearance."""

    def __init__(self) -> None:
        self._codes: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def codes(self, keys: Iterable[Key]) -> IntArray:
        """Return the number of each key's trial, shape (n,)."""
        return np.fromiter((self._codes.setdefault(key, len(self._codes)) for key in keys), dtype=np.int64)

    def keys(self) -> list[Key]:
        """Return the trials' keys, by number."""
        return list(self._codes)


class Repeats:
    """Rows that tell of the same thing, such as the samples of one fixation.

    Things are in order of first appearance.

    Parameters
    ----------
    trial, number
        What tells things apart: their trial and their number in it, shape (n,).
    """

    def __init__(self, trial: IntArray, number: IntArray) -> None:
        order = np.lexsort((number, trial))
        fresh: BoolArray = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (np.diff(trial[order]) != 0) | (np.diff(number[order]) != 0)
        self._order = order
        self._begins = np.flatnonzero(fresh)
        self._turn = np.argsort(order[self._begins], kind="stable")

    @property
    def first(self) -> IntArray:
        """The first row of each thing, shape (m,)."""
        return self._order[self._begins][self._turn]

    @property
    def last(self) -> IntArray:
        """The last row of each thing, shape (m,)."""
        ends = np.r_[self._begins[1:], len(self._order)] - 1 if len(self._begins) else self._begins
        return self._order[ends][self._turn]

    def first_with(self, flags: BoolArray) -> IntArray:
        """Return the first flagged row of each thing, or its first row when none is, shape (m,)."""
        if not len(self._begins):
            return self._begins
        n = len(self._order)
        found = np.minimum.reduceat(np.where(flags[self._order], np.arange(n), n), self._begins)
        return self._order[np.where(found < n, found, self._begins)][self._turn]

    def mean(self, values: DoubleArray) -> DoubleArray:
        """Return the mean of each thing's values without NaN, shape (m,); NaN for none."""
        ordered = values[self._order]
        known = np.isfinite(ordered)
        total = self._sum(np.where(known, ordered, 0.0))
        n = self._sum(known.astype(np.float64))
        means = np.full(len(n), np.nan)
        np.divide(total, n, out=means, where=n > 0)
        return means[self._turn]

    def any(self, flags: BoolArray) -> BoolArray:
        """Return whether some row of each thing is flagged, shape (m,)."""
        return self._sum(flags[self._order].astype(np.float64))[self._turn] > 0

    def _sum(self, ordered: DoubleArray) -> DoubleArray:
        if not len(self._begins):
            return np.zeros(0)
        sums: DoubleArray = np.add.reduceat(ordered, self._begins)
        return sums


class GazeGatherer:
    """Gathers the samples of one or more eyes chunk by chunk, and puts them into trials at the end."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self.eyes: set[Eye] = set()
        self._samples = SampleGatherer()

    def __len__(self) -> int:
        return self._samples.n_rows

    def add(
        self, keys: Iterable[Key], t_ms: DoubleArray, gaze: Mapping[Eye, tuple[DoubleArray, DoubleArray]]
    ) -> None:
        """Take rows: the trial of each, its time, and each eye's position (NaN when lost).

        Rows without a time are counted as lost.
        """
        timed = np.isfinite(t_ms)
        if not timed.all():
            self.lost[BROKEN_LINE] += int((~timed).sum())
        kept = list(compress(keys, timed.tolist()))
        for eye, (x, y) in gaze.items():
            self.eyes.add(eye)
            gone = ~(np.isfinite(x) & np.isfinite(y))
            xs, ys = np.where(gone, np.nan, x), np.where(gone, np.nan, y)
            samples = Samples(t_ms, xs, ys, np.full(len(t_ms), eye, np.int8))
            self._samples.add(kept, samples.part(timed))

    def attach(self, trials: Sequence[Trial] = ()) -> tuple[tuple[Trial, ...], Samples]:
        """Return trials with their samples and what these say of them; new trials for keys that are new.

        Parameters
        ----------
        trials
            Trials that are known already, such as those that have fixations.
        """
        sampled, samples = self._samples.build()
        self.lost.update(self._samples.lost)
        rows = {_key(trial): trial.sample_rows for trial in sampled}
        known = {_key(trial) for trial in trials}
        joined = [replace(trial, sample_rows=rows.get(_key(trial), slice(0, 0))) for trial in trials]
        joined += [trial for trial in sampled if _key(trial) not in known]
        return with_sample_quality(joined, samples), samples


def rate_of(trials: Sequence[Trial]) -> float | None:
    """Return the sampling rate that the samples of most trials have, Hz; None when it cannot be told."""
    rates = [rate for trial in trials if (rate := trial.quality.get("rate_hz"))]
    return round(float(np.median(rates)), 1) if rates else None


def _key(trial: Trial) -> Key:
    return Key(trial.subject, trial.image, trial.task, trial.label)
