"""People who look at images under two tasks, from densities in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations, spread

GRID = CommonGrid(long_side=24)
SIDE = 96


@dataclass(frozen=True)
class Scene:
    """One image: what people look at under each task, and where they did."""

    densities: dict[str, np.ndarray]
    people: dict[str, Fixations]

    def true_cc(self) -> float:
        first, second = (
            spread(AttentionMap(one), 100, 100, GRID).density() for one in self.densities.values()
        )
        return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def blobs(rng: np.random.Generator) -> np.ndarray:
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    values = np.full((SIDE, SIDE), 0.02)
    for _ in range(rng.integers(2, 5)):
        u, v, size = *rng.uniform(0.15, 0.85, 2), rng.uniform(0.06, 0.12)
        values += rng.uniform(0.3, 1.0) * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * size**2))
    return values / values.sum()


def drawn(rng: np.random.Generator, density: np.ndarray, names: list[str], each: int) -> Fixations:
    cell = rng.choice(density.size, len(names) * each, p=density.ravel())
    row, column = np.divmod(cell, density.shape[1])
    u, v = (
        (column + rng.random(len(cell))) / density.shape[1],
        (row + rng.random(len(cell))) / density.shape[0],
    )
    return Fixations(u, v, np.repeat(names, each))


def scene(
    seed: int,
    share: float,
    names: dict[str, list[str]],
    each: int = 6,
    habits: dict[str, np.ndarray] | None = None,
) -> Scene:
    """One image whose second task has ``share`` of a density of its own; people may have habits of looking."""
    rng = np.random.default_rng([seed, 77])
    first, other = blobs(rng), blobs(rng)
    densities = {"A": first, "B": (1 - share) * first + share * other}
    people = {}
    for task, density in densities.items():
        own = []
        for name in names[task]:
            mine = density if habits is None else 0.5 * density + 0.5 * habits[name]
            own.append(drawn(rng, mine, [name], each))
        people[task] = Fixations(
            np.concatenate([one.u for one in own]),
            np.concatenate([one.v for one in own]),
            np.concatenate([one.subject for one in own]),
        )
    return Scene(densities, people)


def everybody(n: int) -> dict[str, list[str]]:
    names = [f"p{k}" for k in range(n)]
    return {"A": names, "B": names}


def apart(n_first: int, n_second: int) -> dict[str, list[str]]:
    return {"A": [f"a{k}" for k in range(n_first)], "B": [f"b{k}" for k in range(n_second)]}
