"""Small studies with a known truth: people who look at blobs of known places, widths and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KnownImage:
    """An image whose fixation density is known: (size, size), sums to 1; fixations in px."""

    density: np.ndarray
    x: np.ndarray
    y: np.ndarray
    subject: np.ndarray


def known_image(
    rng: np.random.Generator,
    size: int = 96,
    n_subjects: int = 12,
    n_fixations: int = 13,
    sd: tuple[float, float] = (5.6, 8.4),
    likeness: float = 8.0,
    gains: np.ndarray | None = None,
) -> KnownImage:
    """Return 2 to 5 blobs, and people who each weigh them in their own way.

    With ``gains`` (see :func:`habits`) the blobs are of the kinds 0, 1, ... and people weigh kinds the
    same way on all images, whatever ``likeness``.

    At 96 px the blobs have the sizes of 30 to 45 px at 512 px. A person's weights are Dirichlet with
    the population's as their mean; the larger ``likeness``, the more alike people are.
    """
    n_blobs = rng.integers(2, 6)
    centre_x, centre_y = rng.uniform(0.15 * size, 0.85 * size, (2, n_blobs))
    widths = rng.uniform(*sd, n_blobs)
    weights = rng.dirichlet(np.full(n_blobs, 2.0)) if gains is None else np.full(n_blobs, 1 / n_blobs)
    along_x, along_y = (_blobs(centre, widths, size) for centre in (centre_x, centre_y))
    x, y, subject = [], [], []
    for person in range(n_subjects):
        if gains is None:
            own = rng.dirichlet(likeness * weights + 1e-9)
        else:
            own = gains[person, :n_blobs] / gains[person, :n_blobs].sum()
        for blob in rng.choice(n_blobs, rng.integers(n_fixations - 3, n_fixations + 4), p=own):
            x.append(rng.choice(size, p=along_x[blob]) + rng.random())
            y.append(rng.choice(size, p=along_y[blob]) + rng.random())
            subject.append(f"p{person:02d}")
    density = np.einsum("k,ky,kx->yx", weights, along_y, along_x).astype(np.float32)
    return KnownImage(density, np.array(x), np.array(y), np.array(subject))


def habits(rng: np.random.Generator, n_subjects: int, likeness: float) -> np.ndarray:
    """Return how much each person likes each of 5 kinds of blobs, shape (n_subjects, 5).

    Gamma distributed, so that the shares of any of the kinds are Dirichlet, with equal shares as their
    mean; the larger ``likeness``, the more alike people are.
    """
    return rng.gamma(likeness / 5, size=(n_subjects, 5)) + 1e-9


def _blobs(centres: np.ndarray, widths: np.ndarray, size: int) -> np.ndarray:
    pixels = np.arange(size) + 0.5
    values = np.exp(-0.5 * ((pixels[None, :] - centres[:, None]) / widths[:, None]) ** 2)
    return values / values.sum(axis=1, keepdims=True)
