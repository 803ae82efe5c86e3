"""What flows through this room: responses, regions, and what encoding models find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import FloatArray, IntArray, Json

NAN = float("nan")

FSAVERAGE5 = "fsaverage5"
"""Space of responses with one value for each vertex: left hemisphere first, then right."""
REGION_TABLE = "regions"
"""Space of responses with one value for each region of a table."""
N_HEMISPHERE = 10_242
"""Vertices of one hemisphere of fsaverage5."""
N_VERTICES = 2 * N_HEMISPHERE

LEFT, RIGHT, BOTH = "left", "right", "both"

ENCODING = "encoding"
DIFFERENCE = "difference"
PARTITION = "partition"
RSA = "rsa"


@dataclass(frozen=True, eq=False)
class Responses:
    """Brain responses to images, measured or simulated.

    Parameters
    ----------
    values
        Mean over repeats, in any unit, shape (n_subjects, n_images, n_targets), float32; NaN where nothing is known.
    images
        Name of the image of each row, as the responses' file spells it, or as the project does once they are matched.
    subjects
        Name of each subject; one empty name where the responses are of no single person.
    n_repeats
        Repeats behind each value, shape (n_subjects, n_images); 0 where there is none.
    space
        ``fsaverage5`` (20,484 targets) or ``regions``.
    targets
        Names of the regions of a table, in order; empty for vertices.
    ceilings
        Highest correlation that a perfect model can reach with each subject's values, shape (n_subjects, n_targets),
        NaN where it cannot be known; None where nothing is known.
    ceiling_origin
        Where the ceilings come from, in words; empty where there are none.
    simulated
        Whether a model made them.
    source
        What made or measured them, in words.
    facts
        Anything else that is known, JSON-able.
    """

    values: FloatArray
    images: tuple[str, ...]
    subjects: tuple[str, ...]
    n_repeats: IntArray
    space: str
    simulated: bool
    targets: tuple[str, ...] = ()
    ceilings: FloatArray | None = None
    ceiling_origin: str = ""
    source: str = ""
    facts: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_subjects, n_images, n_targets = self.values.shape
        if (n_subjects, n_images) != (len(self.subjects), len(self.images)):
            raise ValueError(f"{self.values.shape} does not fit {len(self.subjects)} x {len(self.images)}")
        expected = N_VERTICES if self.space == FSAVERAGE5 else len(self.targets)
        if n_targets != expected:
            raise ValueError(f"{n_targets} targets where {self.space} has {expected}")

    @property
    def n_targets(self) -> int:
        """Vertices or regions."""
        return int(self.values.shape[2])


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the cortex.

    Parameters
    ----------
    name
        Name, unique in its atlas together with the hemisphere.
    hemisphere
        ``left``, ``right`` or ``both``.
    vertices
        Vertices of fsaverage5, ascending, from 0 to 20,483: the right hemisphere's come after the left's.
    """

    name: str
    hemisphere: str
    vertices: IntArray

    @property
    def id(self) -> str:
        """The name with the hemisphere, such as ``V1 left``; the name alone for both."""
        return self.name if self.hemisphere == BOTH else f"{self.name} {self.hemisphere}"


@dataclass(frozen=True, eq=False)
class Atlas:
    """Regions of fsaverage5 that belong together; they may overlap.

    Parameters
    ----------
    name
        Name.
    regions
        The regions, each of one hemisphere or of both.
    source
        Where they come from, in words.
    limits
        What a reader of numbers about them has to know, in one or two sentences.
    groups
        Name of a group -> names of the regions in it, such as ``early visual``.
    """

    name: str
    regions: tuple[Region, ...]
    source: str = ""
    limits: str = ""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def joined(self) -> Atlas:
        """Return the atlas with the left and right parts of each region as one."""
        parts: dict[str, list[IntArray]] = {}
        for region in self.regions:
            parts.setdefault(region.name, []).append(region.vertices)
        regions = tuple(
            Region(name, BOTH, np.unique(np.concatenate(vertices))) for name, vertices in parts.items()
        )
        return Atlas(self.name, regions, self.source, self.limits, self.groups)

    def group(self, name: str) -> Region:
        """Return a group as one region of both hemispheres.

        Raises
        ------
        GazeError
            If there is no such group, or none of its regions is in the atlas.
        """
        members = [region.vertices for region in self.regions if region.name in self.groups.get(name, ())]
        if not members:
            raise GazeError(
                f"The group “{name}” has no region in the atlas “{self.name}”.",
                todo="Choose its regions again.",
            )
        return Region(name, BOTH, np.unique(np.concatenate(members)))


@dataclass(frozen=True, slots=True)
class NeuralFinding:
    """One number about how a source's maps go with the responses of one region.

    Parameters
    ----------
    analysis
        ``encoding``, ``difference``, ``partition`` or ``rsa``.
    task
        Task under which the maps were made.
    kind, source
        Whose maps: a kind of `gazeapp.engine.scoring.sources` or ``control``, and its id.
    against
        The other source's id where two are compared; empty where one stands alone.
    region
        Region, or group of regions.
    measure
        ``r`` (mean correlation within folds), ``r2``; for differences ``r``; for partitions ``unique``,
        ``unique_against``, ``shared`` and ``joint`` (parts of R squared); for RSA ``rho``.
    estimate, low, high
        Value and the ends of its 95 % interval; NaN where there is none.
    p, p_fdr, p_max
        p of the test, corrected by Benjamini and Hochberg over the regions of one source (over its groups of regions
        by themselves), and by the largest value over both; NaN without a test.
    ceiling
        Highest value that a perfect model can reach; NaN where it cannot be known.
    n_images, n_vertices
        What it rests on; 0 vertices for a region of a table.
    subject
        Whose responses; empty for the mean over subjects.
    group
        Whether ``region`` is a group of regions.
    note
        One sentence where the number needs one.
    """

    analysis: str
    task: str
    kind: str
    source: str
    region: str
    measure: str
    estimate: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    p_fdr: float = NAN
    p_max: float = NAN
    ceiling: float = NAN
    n_images: int = 0
    n_vertices: int = 0
    against: str = ""
    subject: str = ""
    group: bool = False
    note: str = ""


def find_region(regions: Sequence[Region], id_: str) -> Region:
    """Return the region with that id.

    Raises
    ------
    GazeError
        If there is none.
    """
    for region in regions:
        if region.id == id_:
            return region
    raise GazeError(f"There is no region “{id_}”.", todo="Choose one of the regions that are listed.")
