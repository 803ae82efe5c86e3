"""What is read of a project about brain responses: findings, responses to images, values on the cortex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.neural.records import Region
from gazeapp.engine.project.rows import ResponsesRow
from gazeapp.engine.reports.results.neural import NeuralResults
from gazeapp.engine.types import DoubleArray, FloatArray


@dataclass(frozen=True, eq=False)
class NeuralRead:
    """What a project has of brain responses, and what was found of some of them.

    Parameters
    ----------
    responses
        All responses of the project.
    name
        Those that were read; empty where there are none.
    atlases
        Atlases with which they were predicted, the newest first.
    results
        What was found with one of them; None where nothing was.
    """

    responses: tuple[ResponsesRow, ...] = ()
    name: str = ""
    atlases: tuple[str, ...] = ()
    results: NeuralResults | None = None

    @property
    def row(self) -> ResponsesRow | None:
        """The responses that were read."""
        return next((one for one in self.responses if one.name == self.name), None)


@dataclass(frozen=True, eq=False)
class ImageResponses:
    """Responses of a region to each image, and what maps predict.

    Parameters
    ----------
    image_ids, names
        The images, shape (n_images,).
    values
        Mean response over the vertices of the region, in the unit of the responses, or what was predicted out of
        fold; shape (n_images,).
    """

    image_ids: tuple[int, ...]
    names: tuple[str, ...]
    values: DoubleArray

    def ranked(self) -> list[tuple[int, str, float]]:
        """Return (image id, name, value) from the highest value to the lowest; unknown ones left out."""
        order = np.argsort(-self.values, kind="stable")
        return [
            (self.image_ids[k], self.names[k], float(self.values[k]))
            for k in order
            if np.isfinite(self.values[k])
        ]


@dataclass(frozen=True, eq=False)
class CortexValues:
    """What is painted on a cortex.

    Parameters
    ----------
    regions
        The regions of the atlas.
    values
        A value for each vertex, shape (20484,), NaN where there is none; one for each cortex that is shown.
    lacks
        Why nothing can be painted; empty where something can.
    """

    regions: tuple[Region, ...] = ()
    values: tuple[FloatArray, ...] = ()
    lacks: str = ""
