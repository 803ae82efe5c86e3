"""Responses of simulated subjects to pictures, with what is planted known for every vertex and region.

In a region that is driven, each vertex sees the drive through a receptive field of its own. What it sees is z-scored
over the images; that is its signal z. A subject's response of vertex v to image i is

    y = sqrt(q) z[i, v] + sqrt(1 - q) (common[i, h] + own[i, v]),

with normal noise that is ``common`` to the vertices of hemisphere h of the region, and each vertex's ``own``; the two
have a variance of 1 together. All subjects have the same signal. Of the mean over S subjects the share of signal is
q S / (1 + q (S - 1)) (Spearman 1910, Brown 1910); q is chosen so that this is the planted share at every vertex. The
variances of common noise, and its covariance between the hemispheres, are chosen so that noise is on average as alike
among vertices as their signals are. Averaging vertices then gains nothing: the region's mean over each hemisphere,
and over both, has the planted share too. Elsewhere q = 0. Vertices of no region (the medial wall) have no
response: NaN, as in data that were projected with a mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.neural.records import FSAVERAGE5, LEFT, N_VERTICES, Region, Responses
from gazeapp.engine.neural.simulation.drives import field_places, through_fields
from gazeapp.engine.neural.simulation.plan import PLANTED, Planted
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray, Json

SOURCE = "simulation of the demo world: stated generative model, planted truth"
_NULL_COMMON = ((0.3, 0.2), (0.2, 0.3))
"""Covariance of common noise, left and right, where nothing drives a region."""
_FIELDS, _NOISE = 0, 1


PLANTED_CEILINGS = "planted_ceilings"
"""Name of the fact of a file that says what is planted."""
_ALL_OTHERS = "all others 0"


@dataclass(frozen=True)
class SimulationSettings:
    """Size and seed of a simulation.

    Parameters
    ----------
    seed
        Seed of fields and noise.
    n_subjects
        Simulated subjects, each of whom saw every image once.
    planted
        What drives which region.
    """

    seed: int = 0
    n_subjects: int = 4
    planted: tuple[Planted, ...] = PLANTED

    def subject_share(self, planted: Planted) -> float:
        """Return q, the share of signal in one subject's responses."""
        return planted.share / (self.n_subjects - planted.share * (self.n_subjects - 1))


@dataclass(frozen=True)
class SimulatedRegion:
    """What is in the responses of one region of both hemispheres.

    Parameters
    ----------
    name
        Name of the region.
    vertices
        Its vertices, left hemisphere first, shape (n,).
    n_left
        How many of them are in the left hemisphere.
    signal
        Expected response of each vertex, shape (n_images, n), float32; zeros where nothing drives it.
    common
        Covariance over images of one subject's noise that the vertices of a hemisphere have in common: left and
        right, shape (2, 2).
    own
        Variance of each vertex's own noise in the left and the right hemisphere, shape (2,).
    planted
        What drives it; None for noise alone.
    """

    name: str
    vertices: IntArray
    n_left: int
    signal: FloatArray
    common: DoubleArray
    own: DoubleArray
    planted: Planted | None = None

    @property
    def side(self) -> IntArray:
        """Hemisphere of each vertex, 0 for left and 1 for right, shape (n,)."""
        return (np.arange(len(self.vertices)) >= self.n_left).astype(np.int64)


@dataclass(frozen=True)
class Simulation:
    """Simulated responses and what is in them.

    Parameters
    ----------
    responses
        The responses of each subject.
    regions
        What is in each region.
    drives
        The maps that drive, shape (n_images, rows, columns) each.
    settings
        How they were made.
    """

    responses: Responses
    regions: tuple[SimulatedRegion, ...]
    drives: Mapping[str, FloatArray]
    settings: SimulationSettings = field(default_factory=SimulationSettings)


def simulate_responses(
    drives: Mapping[str, FloatArray],
    images: Sequence[str],
    regions: Sequence[Region],
    settings: SimulationSettings | None = None,
) -> Simulation:
    """Simulate the responses of several subjects to images.

    Parameters
    ----------
    drives
        Map of each image for each drive of the plan, shape (n_images, rows, columns).
    images
        Name of each image. One alone has no signal, which is what varies over images.
    regions
        Regions of the left and the right hemisphere that do not overlap. The parts of the two hemispheres that have
        one name are one region.
    settings
        Size and seed.
    """
    settings = settings or SimulationSettings()
    simulated = tuple(_regions(drives, len(images), regions, settings))
    responses = Responses(
        values=_values(simulated, len(images), settings),
        images=tuple(images),
        subjects=tuple(f"sim-{k + 1:02d}" for k in range(settings.n_subjects)),
        n_repeats=np.ones((settings.n_subjects, len(images)), dtype=np.int64),
        space=FSAVERAGE5,
        simulated=True,
        source=SOURCE,
        facts=_facts(settings),
    )
    return Simulation(responses, simulated, drives, settings)


def _regions(
    drives: Mapping[str, FloatArray], n_images: int, regions: Sequence[Region], settings: SimulationSettings
) -> list[SimulatedRegion]:
    plans = {planted.region: planted for planted in settings.planted}
    parts: dict[str, list[Region]] = {}
    for region in regions:
        parts.setdefault(region.name, []).append(region)
    simulated = []
    for number, (name, sides) in enumerate(parts.items()):
        sides.sort(key=lambda region: region.hemisphere != LEFT)
        vertices = np.concatenate([region.vertices for region in sides])
        n_left = sum(len(region.vertices) for region in sides if region.hemisphere == LEFT)
        planted = plans.get(name)
        if planted is None:
            signal = np.zeros((n_images, len(vertices)), dtype=np.float32)
            noise = np.array(_NULL_COMMON), 1 - np.diag(_NULL_COMMON)
        else:
            rng = np.random.default_rng((settings.seed, _FIELDS, number))
            places = field_places(planted, n_left, len(vertices) - n_left, rng)
            seen = seen_by(drives, planted, places)
            share = settings.subject_share(planted)
            signal = (np.sqrt(share) * seen).astype(np.float32)
            common, own_noise = _noise(seen, n_left)
            noise = (1 - share) * common, (1 - share) * own_noise
        simulated.append(SimulatedRegion(name, vertices, n_left, signal, *noise, planted))
    return simulated


def seen_by(drives: Mapping[str, FloatArray], planted: Planted, places: DoubleArray) -> DoubleArray:
    """Return what fields at some places see of a region's drives, z-scored over images, shape (n_images, n).

    Several drives are z-scored each and added with the roots of their parts as weights.
    """
    total = sum(
        np.sqrt(part) * _z_scored(through_fields(drives[drive], places, planted.size))
        for drive, part in planted.drives.items()
    )
    return _z_scored(np.asarray(total))


def _z_scored(values: DoubleArray) -> DoubleArray:
    """Return columns with mean 0 and variance 1 over the rows; a constant column is zeros."""
    from_mean = values - values.mean(axis=0)
    spread = from_mean.std(axis=0)
    scaled: DoubleArray = np.divide(from_mean, spread, out=np.zeros_like(from_mean), where=spread > 1e-12)
    return scaled


def _noise(seen: DoubleArray, n_left: int) -> tuple[DoubleArray, DoubleArray]:
    """Return covariance of common and variance of own noise, of 1 together, that are as alike as signals are.

    With V[h, k] the covariance of the means of the signals over the vertices of hemispheres h and k (each signal
    has the variance 1), the means of the noise are to have the same: common[h, h] + own[h] / n[h] = V[h, h] and
    common[h, h] + own[h] = 1; common[0, 1] = V[0, 1].
    """
    common, own = np.zeros((2, 2)), np.zeros(2)
    means = []
    for side, part in enumerate((seen[:, :n_left], seen[:, n_left:])):
        n = part.shape[1]
        mean = part.mean(axis=1) if n else np.zeros(len(part))
        own[side] = min((1 - mean.var()) / (1 - 1 / n), 1.0) if n > 1 else 0.0
        common[side, side] = 1 - own[side]
        means.append(mean)
    # The means of a few vertices can go together more than common noise alone could.
    most = np.sqrt(common[0, 0] * common[1, 1])
    common[0, 1] = common[1, 0] = np.clip(np.mean(means[0] * means[1]), -most, most)
    return common, own


def _values(regions: Sequence[SimulatedRegion], n_images: int, settings: SimulationSettings) -> FloatArray:
    """Return the responses of all subjects, shape (n_subjects, n_images, n_vertices), float32."""
    values = np.full((settings.n_subjects, n_images, N_VERTICES), np.nan, dtype=np.float32)
    for subject in range(settings.n_subjects):
        rng = np.random.default_rng((settings.seed, _NOISE, subject))
        drawn = rng.standard_normal((n_images, N_VERTICES), dtype=np.float32)
        for region in regions:
            common = rng.standard_normal((n_images, 2)) @ _root(region.common)
            own = drawn[:, region.vertices] * np.sqrt(region.own).astype(np.float32)[region.side]
            values[subject][:, region.vertices] = (
                region.signal + common.astype(np.float32)[:, region.side] + own
            )
    return values


def _root(covariance: DoubleArray) -> DoubleArray:
    """Return the symmetric root of a covariance matrix, which need not have full rank."""
    variances, axes = np.linalg.eigh(covariance)
    root: DoubleArray = (axes * np.sqrt(np.maximum(variances, 0.0))) @ axes.T
    return root


def planted_text(ceilings: Mapping[str, float]) -> str:
    """Return the highest r that can be reached in each region that is driven, as facts of a file hold it."""
    return ", ".join([*(f"{region} {r:.2f}" for region, r in ceilings.items()), _ALL_OTHERS])


def planted_in(text: str) -> dict[str, float]:
    """Return region -> highest r, of what `planted_text` made; nothing is planted in regions that it does not name.

    A text that is none has no region.
    """
    ceilings: dict[str, float] = {}
    for part in text.removesuffix(_ALL_OTHERS).split(", "):
        region, _, r = part.rpartition(" ")
        try:
            ceilings[region] = float(r)
        except ValueError:
            continue
    return ceilings


def _facts(settings: SimulationSettings) -> Json:
    return {
        "simulated": True,
        "model": (
            "Vertices of planted regions see the picture's contrast or people's true density through Gaussian fields, "
            "z-scored over images; each subject adds noise, partly common to a region. All else is noise alone."
        ),
        PLANTED_CEILINGS: planted_text({one.region: one.share**0.5 for one in settings.planted}),
        "seed": settings.seed,
        "n_subjects": settings.n_subjects,
        "unit": "standard deviations over images of one subject's responses at a vertex",
        "planted": [
            {
                "region": planted.region,
                "drives": dict(planted.drives),
                "signal_share_of_mean": planted.share,
                "signal_share_of_subject": round(settings.subject_share(planted), 6),
                "field": {
                    "x_from_midline": planted.x,
                    "y": planted.y,
                    "scatter": planted.scatter,
                    "size": planted.size,
                    "lean": planted.lean,
                },
            }
            for planted in settings.planted
        ],
    }
