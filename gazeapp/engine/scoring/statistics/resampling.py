"""Drawing images and people with replacement."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import DoubleArray

_CHUNK_CELLS = 4_000_000
_KEPT_CELLS = 100_000_000
_KEPT_COLUMNS = 256
_resampled_columns: dict[tuple[bytes, int, int], DoubleArray] = {}
"""(values, resamples, seed) -> means of newly used columns: pairs of models and effects share theirs."""


def resampled_means(table: DoubleArray, n_bootstrap: int, seed: int) -> DoubleArray:
    """Return the means of the columns in every resample of the rows.

    Parameters
    ----------
    table
        Shape (n, n_columns).
    n_bootstrap, seed
        Number of resamples and their seed.

    Returns
    -------
    numpy.ndarray
        Shape (n_bootstrap, n_columns).
    """
    keys = [(column.tobytes(), n_bootstrap, seed) for column in np.asarray(table, dtype=np.float64).T]
    # Looked up once: another thread may let a column go at any time.
    found = {key: _resampled_columns.get(key) for key in keys}
    new = [key for key, means in found.items() if means is None]
    if new:
        found.update(
            zip(new, _resample([np.frombuffer(key[0]) for key in new], n_bootstrap, seed), strict=True)
        )
    means = np.column_stack([known for key in keys if (known := found[key]) is not None])
    _resampled_columns.update((key, known) for key in new if (known := found[key]) is not None)
    for key in list(_resampled_columns)[:-_KEPT_COLUMNS]:
        _resampled_columns.pop(key, None)
    return means


def _resample(columns: list[DoubleArray], n_bootstrap: int, seed: int) -> list[DoubleArray]:
    """Return the mean of each column in every resample.

    Each column by itself, so that its means are the same to the bit in whatever company it comes.
    """
    n = len(columns[0])
    draw = _kept_counts if n * n_bootstrap <= _KEPT_CELLS else _counts
    sums: list[list[DoubleArray]] = [[] for _ in columns]
    for counts in draw(n, n_bootstrap, seed):
        times = counts.astype(np.float64)
        for own, column in zip(sums, columns, strict=True):
            own.append(times @ column)
    return [np.concatenate(own) / n for own in sums]


@lru_cache(maxsize=2)
def _kept_counts(n: int, n_bootstrap: int, seed: int) -> tuple[NDArray[np.uint8], ...]:
    return tuple(_counts(n, n_bootstrap, seed))


def _counts(n: int, n_bootstrap: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Yield how often each of ``n`` images is drawn in some of the resamples, shape (some, n)."""
    chunk = max(1, min(n_bootstrap, _CHUNK_CELLS // n))
    for part, start in enumerate(range(0, n_bootstrap, chunk)):
        size = min(chunk, n_bootstrap - start)
        drawn = np.random.default_rng([seed, n, part]).integers(0, n, (size, n))
        drawn += np.arange(size)[:, None] * n
        # One image comes up a handful of times; 255 times and more do not happen.
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.uint8)


@lru_cache(maxsize=4)
def drawn_people(m: int, n_bootstrap: int, seed: int) -> DoubleArray:
    """Return how often each of ``m`` people is drawn in each resample, shape (n_bootstrap, m)."""
    rng = np.random.default_rng([seed, m, n_bootstrap, 1])
    counts: DoubleArray = rng.multinomial(m, np.full(m, 1 / m), n_bootstrap).astype(np.float64)
    counts.setflags(write=False)
    return counts
