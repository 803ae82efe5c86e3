"""Images of known density for the ceilings: blobs, a centre bias and strays, seen by people with tastes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.scoring.ceilings.gold import ImageFixations
from gazeapp.engine.scoring.cells import LONG_SIDE

SIZE = LONG_SIDE
"""Cells along each side of these square images."""


@dataclass(frozen=True)
class World:
    """What the images of a study are like, and who looks at them.

    Parameters
    ----------
    n_subjects, n_fixations
        People, and (fewest, most) fixations of each.
    n_blobs, sd
        (Fewest, most) blobs of an image, and (least, largest) standard deviation, share of the side.
    likeness
        Concentration of the Dirichlet distribution of people's own weights; the larger, the more alike.
    centre, uniform
        Shares of looks at the centre and anywhere.
    """

    n_subjects: int = 12
    n_fixations: tuple[int, int] = (10, 16)
    n_blobs: tuple[int, int] = (2, 5)
    sd: tuple[float, float] = (0.058, 0.088)
    likeness: float = 8.0
    centre: float = 0.0
    uniform: float = 0.0


@dataclass(frozen=True)
class KnownLooks:
    """An image's density relative to uniform, shape (SIZE, SIZE), and where people looked."""

    density: np.ndarray
    looks: ImageFixations


def known_looks(rng: np.random.Generator, world: World) -> KnownLooks:
    """Return one image of a world."""
    n = rng.integers(world.n_blobs[0], world.n_blobs[1] + 1)
    places = rng.uniform(0.12, 0.88, (n, 2))
    widths = np.exp(rng.uniform(*np.log(world.sd), n))
    parts = [blob(*place, sd) for place, sd in zip(places, widths, strict=True)]
    parts += [blob(0.5, 0.5, 0.2), np.ones((SIZE, SIZE))]
    weights = np.r_[
        rng.dirichlet(np.full(n, 2.0)) * (1 - world.centre - world.uniform), world.centre, world.uniform
    ]
    sums = [np.cumsum(part) / part.sum() for part in parts]
    cells, names = [], []
    for person in range(world.n_subjects):
        own = rng.dirichlet(world.likeness * weights + 1e-9)
        number = rng.integers(world.n_fixations[0], world.n_fixations[1] + 1)
        for part in rng.choice(len(parts), number, p=own):
            cells.append(min(np.searchsorted(sums[part], rng.random()), SIZE**2 - 1))
            names.append(f"p{person:02d}")
    density = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    looks = looks_at_cells(rng, np.array(cells), np.array(names))
    return KnownLooks(density / density.mean(), looks)


def looks_at_cells(rng: np.random.Generator, cells: np.ndarray, names: np.ndarray) -> ImageFixations:
    """Return fixations anywhere within these cells of a square image."""
    u = (cells % SIZE + rng.random(len(cells))) / SIZE
    v = (cells // SIZE + rng.random(len(cells))) / SIZE
    return ImageFixations(u, v, names, SIZE, SIZE)


def blob(x: float, y: float, sd: float) -> np.ndarray:
    """Return a Gaussian cut at the border, mean 1, shape (SIZE, SIZE)."""
    centres = (np.arange(SIZE) + 0.5) / SIZE
    rows, columns = (np.exp(-0.5 * ((centres - at) / sd) ** 2) for at in (y, x))
    return np.outer(rows / rows.mean(), columns / columns.mean())


def shuffled(images: list[KnownLooks], left_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all fixations of the other images, (u, v)."""
    others = [image.looks for k, image in enumerate(images) if k != left_out]
    return np.concatenate([one.u for one in others]), np.concatenate([one.v for one in others])
