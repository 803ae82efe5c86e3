"""Simulated observers: fixations whose true density is known in closed form.

A scene and a task give a set of patches, each a Gaussian cut off at the image's edges and
renormalised, plus a uniform part. Patches have roles (head, target, object, ...). An observer has
a gain for every role and task, drawn from a Gamma distribution whose shape is proportional to the
role's population weight; the gains of the roles that a scene has, divided by their sum, are then
Dirichlet distributed, and their expectation is exactly the population weights of those roles,
renormalised. A second Dirichlet around them varies each viewing without moving the expectation.
Positions are drawn independently from the observer's mixture, so the expected density over
observers is the mixture with the population weights: that is `population_density`.

The order of a scanpath is made afterwards by permuting the drawn positions (start near the
centre, prefer people early and short ways), which leaves their density as it is. Durations,
and with them the number of fixations, are drawn independently of positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from gazeapp.engine.demo.scenes import TASKS, Box, Scene
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray

VIEWING_MS = 3500.0
_MIN_SD, _MAX_SD = 0.066, 0.09
_TRAIT, _VIEWING = 24.0, 40.0

# Population weight of each role by task; roles that a scene lacks are left out and the rest renormalised.
WEIGHTS: dict[str, dict[str, float]] = {
    "general": {
        "object": 0.44, "head": 0.13, "body": 0.09, "held": 0.05,
        "place": 0.10, "centre": 0.14, "uniform": 0.05,
    },
    "social": {
        "head": 0.38, "target": 0.22, "held": 0.12, "hand": 0.09,
        "object": 0.04, "centre": 0.10, "uniform": 0.05,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Patch:
    """One part of the mixture: a Gaussian in unit coordinates, cut off at the image's edges.

    Parameters
    ----------
    role
        Which weight it shares with the other patches of that role.
    x, y
        Centre before the cut.
    sd_x, sd_y
        Standard deviations before the cut; infinite for the uniform part.
    """

    role: str
    x: float
    y: float
    sd_x: float
    sd_y: float


@dataclass(frozen=True, slots=True)
class SimulatedScanpath:
    """The fixations of one observer on one image, in order.

    Parameters
    ----------
    x, y
        Positions, image px, shape (n,); pixel k spans [k, k + 1).
    start_ms, duration_ms
        Onset since the image came up, and duration, ms, shape (n,).
    """

    x: DoubleArray
    y: DoubleArray
    start_ms: DoubleArray
    duration_ms: DoubleArray

    def __len__(self) -> int:
        return len(self.x)


def patches(scene: Scene, task: str) -> tuple[Patch, ...]:
    """Return the parts of a scene's fixation density under ``task``."""
    if task not in TASKS:
        raise ValueError(f"the demo world has the tasks {TASKS}, not {task!r}")
    found = [_on_box("head", person.head) for person in scene.people]
    found += [_on_box("held", thing.box) for thing in scene.held]
    found += [_on_box("object", thing.box) for thing in scene.objects]
    if task == "general":
        found += [_on_box("body", person.box) for person in scene.people]
        found.append(Patch("place", 0.5, scene.horizon - 0.08, 0.25, 0.09))
    else:
        found += [_on_box("target", scene.target_box(p)) for p in scene.people if p.held is None]
        found += [
            Patch("hand", *person.hand, _MIN_SD, _MIN_SD)
            for person in scene.people
            if person.act in ("points", "holds")
        ]
    found.append(Patch("centre", 0.5, 0.5, 0.16, 0.16))
    found.append(Patch("uniform", 0.5, 0.5, np.inf, np.inf))
    return tuple(found)


def population_weights(scene: Scene, task: str) -> DoubleArray:
    """Return the expected weight of every patch over all observers; they sum to 1."""
    parts = patches(scene, task)
    roles = sorted({part.role for part in parts})
    shares = np.array([WEIGHTS[task][role] for role in roles])
    return _spread(parts, roles, shares / shares.sum())


def observer_weights(scene: Scene, task: str, observer: int, seed: int) -> DoubleArray:
    """Return the weights of one observer on one scene: population weights with random effects."""
    parts = patches(scene, task)
    roles = sorted({part.role for part in parts})
    gains = _gains(task, observer, seed)
    trait = np.array([gains[role] for role in roles])
    trait /= trait.sum()
    viewing = _rng(seed, observer, task, scene.seed, 1).gamma(np.maximum(_VIEWING * trait, 1e-6))
    return _spread(parts, roles, viewing / viewing.sum())


def population_density(scene: Scene, task: str, height: int, width: int) -> FloatArray:
    """Return the true fixation density over the population of observers.

    Each cell holds the exact integral of the mixture over that cell (differences of normal
    distribution functions).

    Parameters
    ----------
    scene, task
        What is looked at, and for what.
    height, width
        Rows and columns of the map.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), float32, sums to 1.
    """
    total = np.zeros((height, width))
    for part, weight in zip(patches(scene, task), population_weights(scene, task), strict=True):
        total += weight * np.outer(_shares(part.y, part.sd_y, height), _shares(part.x, part.sd_x, width))
    return total.astype(np.float32)


def simulate_fixations(
    scene: Scene, task: str, observer: int, *, seed: int, width: float, height: float
) -> SimulatedScanpath:
    """Simulate one observer's viewing of one scene.

    Parameters
    ----------
    scene, task
        What is looked at, and for what.
    observer
        Number of the observer; the same number has the same habits on every scene.
    seed
        Seed of the study.
    width, height
        Size of the shown picture, px.
    """
    rng = _rng(seed, observer, task, scene.seed, 0)
    start, duration = _timing(rng)
    parts = patches(scene, task)
    chosen = rng.choice(len(parts), size=len(start), p=observer_weights(scene, task, observer, seed))
    points = np.array([_draw(rng, parts[i]) for i in chosen])
    on_people = np.array([parts[i].role in ("head", "body", "hand") for i in chosen])
    order = _order(rng, points, on_people)
    # A position of exactly 1 cannot occur, but its product with the width may round up to it.
    x = np.minimum(points[order, 0] * width, np.nextafter(width, 0))
    y = np.minimum(points[order, 1] * height, np.nextafter(height, 0))
    return SimulatedScanpath(x, y, start, duration)


def _on_box(role: str, box: Box) -> Patch:
    (x, y) = box.centre
    sd_x, sd_y = (
        float(np.clip(0.32 * side, _MIN_SD, _MAX_SD)) for side in (box.x1 - box.x0, box.y1 - box.y0)
    )
    return Patch(role, x, y, sd_x, sd_y)


def _spread(parts: tuple[Patch, ...], roles: list[str], shares: DoubleArray) -> DoubleArray:
    """Share each role's weight equally among its patches."""
    counts = {role: sum(part.role == role for part in parts) for role in roles}
    share = dict(zip(roles, shares, strict=True))
    weights = np.array([share[part.role] / counts[part.role] for part in parts])
    total: DoubleArray = weights / weights.sum()
    return total


def _gains(task: str, observer: int, seed: int) -> dict[str, float]:
    rng = _rng(seed, observer, task, 0, 2)
    return {role: float(rng.gamma(_TRAIT * weight)) for role, weight in WEIGHTS[task].items()}


def _rng(seed: int, observer: int, task: str, scene: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng((seed, observer, TASKS.index(task), scene, purpose))


def _shares(centre: float, sd: float, cells: int) -> DoubleArray:
    """Return the probability of each of ``cells`` equal parts of [0, 1] under a cut-off Gaussian."""
    if np.isinf(sd):
        return np.full(cells, 1 / cells)
    below = ndtr((np.linspace(0, 1, cells + 1) - centre) / sd)
    share: DoubleArray = np.diff(below) / (below[-1] - below[0])
    return share


def _draw(rng: np.random.Generator, part: Patch) -> tuple[float, float]:
    """Draw a position from a patch; outside draws are repeated, which is the cut-off Gaussian."""
    if np.isinf(part.sd_x):
        return float(rng.random()), float(rng.random())
    while True:
        x = part.x + part.sd_x * rng.standard_normal()
        y = part.y + part.sd_y * rng.standard_normal()
        if 0 <= x < 1 and 0 <= y < 1:
            return float(x), float(y)


def _timing(rng: np.random.Generator) -> tuple[DoubleArray, DoubleArray]:
    """Draw onsets and durations, ms: log-normal fixations, saccades of 30 to 50 ms, until time is up."""
    starts: list[float] = []
    durations: list[float] = []
    now = float(rng.uniform(0, 60))
    while not starts or now < VIEWING_MS - 100:
        duration = float(np.clip(rng.lognormal(np.log(235), 0.36), 80, 900))
        duration = min(duration, VIEWING_MS - now)
        starts.append(now)
        durations.append(duration)
        now += duration + float(rng.uniform(30, 50))
    return np.round(starts, 1), np.round(durations, 1)


def _order(rng: np.random.Generator, points: DoubleArray, on_people: BoolArray) -> list[int]:
    """Order positions into a scanpath: from the centre, people sooner, short ways preferred."""
    left = list(range(len(points)))
    here = np.array([0.5, 0.5])
    order: list[int] = []
    while left:
        way = np.hypot(*(points[left] - here).T)
        early = max(0.0, 1 - len(order) / 4)
        cost = way / 0.12 - 2.0 * early * on_people[left] + rng.gumbel(0, 1, len(left))
        best = left.pop(int(np.argmin(cost)))
        order.append(best)
        here = points[best]
    return order
