"""Scores of known studies: what each image and each person adds, and both at once."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.scoring.statistics.two_way import LeftOutRows


def means_and_left_out(values: np.ndarray) -> tuple[np.ndarray, LeftOutRows]:
    """Return means over people of each image's columns, and the same without each of them.

    ``values``: of each image, person and column, shape (n, m, k).
    """
    n, m, k = values.shape
    image, subject = np.divmod(np.arange(n * m), m)
    without = (values.sum(axis=1, keepdims=True) - values) / (m - 1)
    return values.mean(axis=1), LeftOutRows(image, subject, without.reshape(n * m, k))


def layers(
    rng: np.random.Generator, n: int, m: int, sd: tuple[float, float, float], mean: float = 0.0
) -> np.ndarray:
    """Return mean + an image's part + a person's part + one of both, shape (n, m), with these sds."""
    over_images, over_people, over_both = sd
    return (
        mean
        + rng.normal(0, over_images, (n, 1))
        + rng.normal(0, over_people, (1, m))
        + rng.normal(0, over_both, (n, m))
    )
